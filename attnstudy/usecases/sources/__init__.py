"""Where the samples of a ranking come from: a study, any MLflow experiment, or a table."""

from attnstudy.usecases.sources.collected import Collected, Curve, RunReference
from attnstudy.usecases.sources.configurations import SeveralTasksError, StudyRequest
from attnstudy.usecases.sources.experiment import collect_experiment
from attnstudy.usecases.sources.logged_runs import ExperimentRequest
from attnstudy.usecases.sources.study import collect_study, tasks_of
from attnstudy.usecases.sources.table import TableRequest, collect_table

__all__ = [
    "Collected",
    "Curve",
    "ExperimentRequest",
    "RunReference",
    "SeveralTasksError",
    "StudyRequest",
    "TableRequest",
    "collect_experiment",
    "collect_study",
    "collect_table",
    "tasks_of",
]
