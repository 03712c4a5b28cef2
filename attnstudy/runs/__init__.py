"""Run folders: the truth about every run until the tracking store has confirmed it, and after."""

from attnstudy.runs.commands import command_at_work
from attnstudy.runs.folder import JOURNAL, OF_THE_MACHINE, RESULT, START, RunFolder
from attnstudy.runs.locks import acquired, held
from attnstudy.runs.records import METRICS, DatasetFacts, Result, Start, Status
from attnstudy.runs.repeating import REPLACES, kept_aside
from attnstudy.runs.studies import (
    changing_study_facts,
    record_plan,
    recorded_plans,
    run_folder,
    run_folders,
    studies,
    study_facts,
    study_folder,
    tunings,
)

__all__ = [
    "JOURNAL",
    "METRICS",
    "OF_THE_MACHINE",
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
    "record_plan",
    "recorded_plans",
    "run_folder",
    "run_folders",
    "studies",
    "study_facts",
    "study_folder",
    "tunings",
]
