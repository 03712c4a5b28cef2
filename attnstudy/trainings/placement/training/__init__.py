"""Training and scoring of one specification."""

from attnstudy.trainings.placement.training.batches import Batch
from attnstudy.trainings.placement.training.device import choose_device, prepare_process
from attnstudy.trainings.placement.training.driving import drive, train
from attnstudy.trainings.placement.training.evaluation import Evaluation, evaluate
from attnstudy.trainings.placement.training.loop import (
    Interval,
    Prepared,
    Trained,
    Training,
    TrainingState,
    training,
)
from attnstudy.trainings.placement.training.step import check_precision
from attnstudy.trainings.placement.training.timing import time_iterations

__all__ = [
    "Batch",
    "Evaluation",
    "Interval",
    "Prepared",
    "Trained",
    "Training",
    "TrainingState",
    "check_precision",
    "choose_device",
    "drive",
    "evaluate",
    "prepare_process",
    "time_iterations",
    "train",
    "training",
]
