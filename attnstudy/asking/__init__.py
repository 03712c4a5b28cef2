"""From what is asked of a study, on the command line or by a program, to requests.

A command and ``attnstudy.Study`` say the same things in two languages. Both put what they were told
into a ``Given``; everything from there on is one code.
"""

from attnstudy.asking.given import Given, Source
from attnstudy.asking.own_training import unchecked_settings
from attnstudy.asking.requests import (
    address_of,
    check,
    chosen_requests,
    figures_of,
    find_own_modules,
    prepare_workers,
    rank_request,
    refuse_arms_beside_tuning,
    run_requests,
    study_source,
    task_sources,
    tune_request,
)

__all__ = [
    "Given",
    "Source",
    "address_of",
    "check",
    "chosen_requests",
    "figures_of",
    "find_own_modules",
    "prepare_workers",
    "rank_request",
    "refuse_arms_beside_tuning",
    "run_requests",
    "study_source",
    "task_sources",
    "tune_request",
    "unchecked_settings",
]
