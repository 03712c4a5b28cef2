"""Training and scoring of one specification."""

from attnstudy.training.checkpoints import load_checkpoint, save_checkpoint
from attnstudy.training.device import choose_device, prepare_process
from attnstudy.training.evaluation import Evaluation, evaluate
from attnstudy.training.loop import VALIDATE_EVERY, Interval, Trained, TrainingState, train
from attnstudy.training.timing import time_iterations

__all__ = [
    "VALIDATE_EVERY",
    "Evaluation",
    "Interval",
    "Trained",
    "TrainingState",
    "choose_device",
    "evaluate",
    "load_checkpoint",
    "prepare_process",
    "save_checkpoint",
    "time_iterations",
    "train",
]
