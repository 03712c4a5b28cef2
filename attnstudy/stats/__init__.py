"""The statistics of a ranking: pure functions, numbers in, frozen results out."""

from attnstudy.stats.calibration import Calibration, Rate, calibrate, calibration_words
from attnstudy.stats.claims import ClaimCheck, check_claims
from attnstudy.stats.flags import Conduct
from attnstudy.stats.ranking import rank
from attnstudy.stats.results import (
    Arm,
    ChanceView,
    Exclusion,
    Flag,
    Looks,
    Pair,
    Plan,
    Power,
    Ranking,
    Robust,
    Source,
)
from attnstudy.stats.scope import Scope, ScopePair
from attnstudy.stats.vocabulary import Verdict

__all__ = [
    "Arm",
    "Calibration",
    "ChanceView",
    "ClaimCheck",
    "Conduct",
    "Exclusion",
    "Flag",
    "Looks",
    "Pair",
    "Plan",
    "Power",
    "Ranking",
    "Rate",
    "Robust",
    "Scope",
    "ScopePair",
    "Source",
    "Verdict",
    "calibrate",
    "calibration_words",
    "check_claims",
    "rank",
]
