"""Searching for hyperparameters. The only package that imports Optuna.

Optuna keeps the trials and proposes the next one; who trains them is not known here. What it
proposes depends on the design of the search and on the trials that ended before, never on when or
by which process it is asked.
"""

from attnstudy.search.design import Design
from attnstudy.search.importance import importances
from attnstudy.search.ledger import Ledger, find_ledgers
from attnstudy.search.proposing import MEDIAN_STARTUP
from attnstudy.search.solitude import alone, file_held
from attnstudy.search.storage import Place, Storage, open_storage, parse_storage
from attnstudy.search.trials import Trial, TrialState

__all__ = [
    "MEDIAN_STARTUP",
    "Design",
    "Ledger",
    "Place",
    "Storage",
    "Trial",
    "TrialState",
    "alone",
    "file_held",
    "find_ledgers",
    "importances",
    "open_storage",
    "parse_storage",
]
