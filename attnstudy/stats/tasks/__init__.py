"""Rankings over several tasks: on each, on average over these, on a new one like these."""

from attnstudy.stats.tasks.claims import check_task_claims
from attnstudy.stats.tasks.measured import TaskMeasurements
from attnstudy.stats.tasks.ranking import rank_tasks
from attnstudy.stats.tasks.results import (
    QUESTIONS,
    AveragePair,
    MeanRanks,
    NewTaskPair,
    Posterior,
    Question,
    TaskRanking,
)

__all__ = [
    "QUESTIONS",
    "AveragePair",
    "MeanRanks",
    "NewTaskPair",
    "Posterior",
    "Question",
    "TaskMeasurements",
    "TaskRanking",
    "check_task_claims",
    "rank_tasks",
]
