"""Training and scoring of one specification."""

from attnstudy.training.batches import Batch
from attnstudy.training.checkpoints import (
    Checkpoint,
    load_checkpoints,
    save_checkpoint,
)
from attnstudy.training.device import choose_device, prepare_process
from attnstudy.training.driving import drive, train
from attnstudy.training.environment import changes, environment
from attnstudy.training.evaluation import Evaluation, evaluate
from attnstudy.training.loop import (
    Interval,
    Prepared,
    Trained,
    Training,
    TrainingState,
    training,
)
from attnstudy.training.step import check_precision
from attnstudy.training.timing import time_iterations

__all__ = [
    "Batch",
    "Checkpoint",
    "Evaluation",
    "Interval",
    "Prepared",
    "Trained",
    "Training",
    "TrainingState",
    "changes",
    "check_precision",
    "choose_device",
    "drive",
    "environment",
    "evaluate",
    "load_checkpoints",
    "prepare_process",
    "save_checkpoint",
    "time_iterations",
    "train",
    "training",
]
