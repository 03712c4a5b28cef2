"""The statistics of a ranking: pure functions, numbers in, frozen results out."""

from attnstudy.stats.claims import ClaimCheck, check_claims
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.looks import Looks
from attnstudy.stats.evidence.calibration import Calibration, Rate, calibrate, calibration_words
from attnstudy.stats.evidence.components import (
    Components,
    components_words,
    find_components,
    require_statsmodels,
)
from attnstudy.stats.evidence.power import Power
from attnstudy.stats.evidence.robust import Robust
from attnstudy.stats.evidence.scope import Scope, ScopePair
from attnstudy.stats.measurements import Conduct, Measurements
from attnstudy.stats.provenance import Exclusion, Plan, Provenance, Source
from attnstudy.stats.ranking import rank
from attnstudy.stats.results import (
    Arm,
    ChanceView,
    Flag,
    Pair,
    Ranking,
)
from attnstudy.stats.vocabulary import Verdict

__all__ = [
    "Arm",
    "Calibration",
    "ChanceView",
    "ClaimCheck",
    "Components",
    "Conduct",
    "Design",
    "Exclusion",
    "Flag",
    "Looks",
    "Measurements",
    "Pair",
    "Plan",
    "Power",
    "Provenance",
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
    "components_words",
    "find_components",
    "rank",
    "require_statsmodels",
]
