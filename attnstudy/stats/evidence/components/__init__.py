"""Components of variance: how much of what runs differ by comes from where."""

from attnstudy.stats.evidence.components.finding import find_components, require_statsmodels
from attnstudy.stats.evidence.components.results import Component, Components, Untold
from attnstudy.stats.evidence.components.words import components_words

__all__ = [
    "Component",
    "Components",
    "Untold",
    "components_words",
    "find_components",
    "require_statsmodels",
]
