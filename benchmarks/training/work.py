"""What every contestant does: the same iterations, on the same images, with the same evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BATCH = 64
VALIDATIONS = 2  # at the first iteration and after the last
CONFIGURATIONS = (
    ("vanilla", "channel"), ("early", "channel"), ("late", "channel"), ("double", "channel"),
    ("early", "spatial"), ("late", "spatial"), ("double", "spatial"),
)  # fmt: skip
"""``vanilla`` has no attention: it is the same in both."""
SHARE = 9_000 / 49_000
"""Images validated for one trained on, in a whole epoch: 8 validations of 1,000 and the last."""


@dataclass(frozen=True, slots=True)
class Work:
    """A training to time."""

    source: str
    """A folder of images as parquet files."""
    cache: Path
    """Where decoded images are kept."""
    variant: str
    attention: str
    iterations: int
    threads: int

    @property
    def train_size(self) -> int:
        """Images trained on, once each."""
        return BATCH * self.iterations

    @property
    def val_size(self) -> int:
        """Validation images, so that validation has the share that it has in a whole run."""
        return round(SHARE * self.train_size / VALIDATIONS)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {**asdict(self), "cache": str(self.cache)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Work:
        """Return the work that ``to_json`` wrote down."""
        return cls(**{**data, "cache": Path(data["cache"])})


@dataclass(frozen=True, slots=True)
class Timing:
    """What a training took."""

    seconds: float
    """Of the training itself: imports, data and the result's files are not in it."""
    peak_mib: float
    """Largest memory of the process that trained, so far."""
    losses: tuple[float, ...] = ()
    """First and last, to see that all train the same way."""
