"""Datasets: where the images come from, how they are decoded once, split and normalised."""

from attnstudy.data.images import Dataset, ImageSet, Split
from attnstudy.data.loading import default_data_dir, load, open_decoded

__all__ = ["Dataset", "ImageSet", "Split", "default_data_dir", "load", "open_decoded"]
