"""attnstudy makes the sentence "A is better than B" one that can be defended.

It runs each arm of a study with each seed, exactly once: the placements of self-attention in a
small CNN, or a training of your own. It tracks the runs in MLflow, and turns the distributions of
their results into a ranking with error control.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnstudy.api.study import Study as Study
    from attnstudy.api.study import load_study as load_study
    from attnstudy.fields import Field as Field
    from attnstudy.report.figures import figures as figures
    from attnstudy.trainings.contract import Diverged as Diverged
    from attnstudy.trainings.contract import Run as Run
    from attnstudy.trainings.declared import training as training
    from attnstudy.usecases.ranking.data import rank as rank
    from attnstudy.usecases.ranking.data import rank_tasks as rank_tasks

__version__ = "0.2.0"

__all__ = [
    "Diverged",
    "Field",
    "Run",
    "Study",
    "figures",
    "load_study",
    "rank",
    "rank_tasks",
    "training",
]

_FOUND_IN = {
    "Diverged": "attnstudy.trainings.contract",
    "Field": "attnstudy.fields",
    "Run": "attnstudy.trainings.contract",
    "Study": "attnstudy.api.study",
    "figures": "attnstudy.report.figures",
    "load_study": "attnstudy.api.study",
    "rank": "attnstudy.usecases.ranking.data",
    "rank_tasks": "attnstudy.usecases.ranking.data",
    "training": "attnstudy.trainings.declared",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for, so that importing this costs nothing."""
    if name not in _FOUND_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_FOUND_IN[name]), name)
