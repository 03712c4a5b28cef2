"""Run folders: the truth about every run until the tracking store has confirmed it, and after."""

from attnstudy.runs.checkpoints import (
    CHECKPOINT,
    CHECKPOINT_NAMES,
    CHECKPOINTS,
    PREVIOUS_CHECKPOINT,
    put_checkpoint,
)
from attnstudy.runs.commands import command_at_work
from attnstudy.runs.folder import (
    JOURNAL,
    OF_THE_MACHINE,
    PAUSES,
    PREDICTIONS,
    RESULT,
    START,
    RunFolder,
)
from attnstudy.runs.locks import acquired, held
from attnstudy.runs.records import MAX_DURING_TRAINING, METRICS, DatasetFacts, Result, Start, Status
from attnstudy.runs.repeating import REPLACES, kept_aside
from attnstudy.runs.studies import (
    changing_study_facts,
    record_plan,
    recorded_plans,
    repeated_folders,
    run_folder,
    run_folders,
    studies,
    study_facts,
    study_folder,
    tunings,
)

__all__ = [
    "CHECKPOINT",
    "CHECKPOINTS",
    "CHECKPOINT_NAMES",
    "JOURNAL",
    "MAX_DURING_TRAINING",
    "METRICS",
    "OF_THE_MACHINE",
    "PAUSES",
    "PREDICTIONS",
    "PREVIOUS_CHECKPOINT",
    "REPLACES",
    "RESULT",
    "START",
    "DatasetFacts",
    "Result",
    "RunFolder",
    "Start",
    "Status",
    "acquired",
    "changing_study_facts",
    "command_at_work",
    "held",
    "kept_aside",
    "put_checkpoint",
    "record_plan",
    "recorded_plans",
    "repeated_folders",
    "run_folder",
    "run_folders",
    "studies",
    "study_facts",
    "study_folder",
    "tunings",
]
