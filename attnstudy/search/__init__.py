"""Searching for hyperparameters. The only package that imports Optuna.

Optuna keeps the trials and proposes the next one; who trains them is not known here. What it
proposes depends on the search's configuration and on the trials that ended before, never on when or
by which process it is asked.
"""

from attnstudy.search.arm_search import ArmSearch, find_searches
from attnstudy.search.config import SearchConfig
from attnstudy.search.exclusive import exclusive_use
from attnstudy.search.importance import importances
from attnstudy.search.proposing import MEDIAN_STARTUP
from attnstudy.search.storage import Place, Storage, open_storage, parse_storage
from attnstudy.search.trials import Trial, TrialState

__all__ = [
    "MEDIAN_STARTUP",
    "ArmSearch",
    "Place",
    "SearchConfig",
    "Storage",
    "Trial",
    "TrialState",
    "exclusive_use",
    "find_searches",
    "importances",
    "open_storage",
    "parse_storage",
]
