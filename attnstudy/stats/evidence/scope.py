"""Scope: what a result over seeds says about new test images.

Seeds measure training noise on one test set. With the correctness of every image in every run
the variance of a difference splits into seeds, images and their interaction, and the interval
holds for new seeds and new images together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.stats.samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopePair:
    """A difference as it would be on new images; all in percentage points."""

    a: str
    """The higher-ranked arm."""
    b: str
    """The lower-ranked arm."""
    difference: float
    """Mean of a minus mean of b."""
    se_seeds: float
    """Its standard error from the choice of seeds alone."""
    se_images: float
    """Its standard error from the choice of test images alone."""
    se: float
    """Its standard error from both."""
    df: float | None
    """Degrees of freedom of ``se``; None without any spread."""
    ci_low: float
    """Lower end of the simultaneous interval for new seeds and new images."""
    ci_high: float
    """Upper end of the same interval."""
    holds: bool
    """Whether that interval excludes zero."""
    bootstrap_low: float | None
    """Lower end of the crossed bootstrap interval; only from twenty runs an arm on."""
    bootstrap_high: float | None
    """Upper end of the same interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the result says beyond these seeds and beyond these test images."""

    images: int
    """Test images."""
    image_se: float | None
    """Standard error that sampling the images adds to the accuracy of the best arm, points."""
    pairs: tuple[ScopePair, ...]
    """Pairs on new images; empty without per-image predictions."""
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
        f"seeds measure training noise on these {items:,} test images; the choice of images adds "
        f"about {error:.2f} points of standard error to an accuracy of {100.0 * share:.1f} %; how "
        "much to differences depends on how far the variants fail on the same images: per-image "
        "predictions would tell"
    )
    return Scope(images=items, image_se=error, pairs=(), message=message)
