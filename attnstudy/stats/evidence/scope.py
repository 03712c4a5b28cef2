"""Scope: what a result over seeds says about new test items.

Seeds measure training noise on one test set. With the correctness of every item in every run
the variance of a difference splits into seeds, items and their interaction, and the interval
holds for new seeds and new test items together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.stats.samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopePair:
    """A difference as it would be on new test items; all in the unit of the metric."""

    a: str
    """The higher-ranked arm."""
    b: str
    """The lower-ranked arm."""
    difference: float
    """Mean of a minus mean of b."""
    se_seeds: float
    """Its standard error from the choice of seeds alone."""
    se_images: float
    """Its standard error from the choice of test items alone."""
    se: float
    """Its standard error from both."""
    df: float | None
    """Degrees of freedom of ``se``; None without any spread."""
    ci_low: float
    """Lower end of the simultaneous interval for new seeds and new test items."""
    ci_high: float
    """Upper end of the same interval."""
    holds: bool
    """Whether that interval excludes zero."""
    bootstrap_low: float | None
    """Lower end of the crossed bootstrap interval; only from twenty runs per arm on."""
    bootstrap_high: float | None
    """Upper end of the same interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the result says beyond these seeds and beyond these test items."""

    images: int
    """Test items."""
    image_se: float | None
    """Standard error that sampling the items adds to the accuracy of the best arm, in its unit."""
    pairs: tuple[ScopePair, ...]
    """Pairs on new test items; empty without predictions of each."""
    message: str
    """The same in words."""


def image_noise(samples: Sequence[Sample], items: int) -> Scope:
    """Return what is known of new images without per-image predictions.

    Args:
        samples: the arms, best first; accuracies in percent.
        items: test images.

    """
    share = min(max(samples[0].mean / 100.0, 0.0), 1.0) if samples[0].n else 0.0
    error = 100.0 * math.sqrt(share * (1.0 - share) / items)
    message = (
        f"seeds measure training noise on these {items:,} test items; the choice of items adds "
        f"about {error:.2f} points of standard error to an accuracy of {100.0 * share:.1f} %; how "
        "much to differences depends on how far the arms fail on the same items: predictions "
        "for each would tell"
    )
    return Scope(images=items, image_se=error, pairs=(), message=message)
