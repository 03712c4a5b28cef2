"""Datasets: where the images come from, how they are decoded once, split and normalised."""

from attnstudy.trainings.placement.data.images import Dataset, ImageSet, Split, TrainingData
from attnstudy.trainings.placement.data.loading import (
    default_data_dir,
    load,
    load_training,
    open_decoded,
    open_training,
)

__all__ = [
    "Dataset",
    "ImageSet",
    "Split",
    "TrainingData",
    "default_data_dir",
    "load",
    "load_training",
    "open_decoded",
    "open_training",
]
