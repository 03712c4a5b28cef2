"""attnstudy asks whether the place of self-attention in a small CNN changes its accuracy.

Trains each placement with each seed exactly once, tracks the runs in MLflow and turns the
distributions of test accuracy into a ranking with error control.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnstudy.report.figures import figures as figures
    from attnstudy.usecases.ranking_data import rank as rank

__version__ = "0.2.0"

__all__ = ["figures", "rank"]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for, so that importing this costs nothing."""
    if name == "rank":
        from attnstudy.usecases.ranking_data import rank

        return rank
    if name == "figures":
        from attnstudy.report.figures import figures

        return figures
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
