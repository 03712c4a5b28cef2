"""The configuration of a search: what has to stay the same for its trials to belong together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnstudy.errors import UsageError

_CALLED = {
    "space": "the search space",
    "sampler": "--sampler",
    "sampler_seed": "--sampler-seed",
    "pruner": "--pruner",
    "seeds": "the tuning seeds",
    "dataset_digest": "the training images of --dataset",
    "variant_source": "the source of the variant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """What the trials of one variant have in common."""

    study: str
    variant: str
    variant_source: str | None
    """SHA-256 (hex) of the module of a user's factory."""
    space: Mapping[str, Any]
    """As JSON has it, see ``space.Space``."""
    sampler: str
    sampler_seed: int
    pruner: str
    seeds: tuple[int, ...]
    """Each trial is trained with each of them."""
    dataset: str
    """What the user called it."""
    dataset_digest: str
    """Of the training images."""
    train_size: int
    val_size: int
    settings: Mapping[str, Any]
    """Of the training, as JSON has them; what is varied is not among them."""
    most_epochs: int
    """Epochs of the longest trial that the space allows."""
    classes: int
    """Number of classes: what guessing is worth."""

    @property
    def name(self) -> str:
        """What Optuna calls the search."""
        return f"{self.study}/{self.variant}"

    @property
    def guessing(self) -> float:
        """Percent right of whoever guesses: the value of a run that diverged."""
        return 100.0 / self.classes

    def to_json(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "schema": 1,
            "study": self.study,
            "variant": self.variant,
            "variant_source": self.variant_source,
            "space": dict(self.space),
            "sampler": self.sampler,
            "sampler_seed": self.sampler_seed,
            "pruner": self.pruner,
            "seeds": list(self.seeds),
            "dataset": self.dataset,
            "dataset_digest": self.dataset_digest,
            "train_size": self.train_size,
            "val_size": self.val_size,
            "settings": dict(self.settings),
            "most_epochs": self.most_epochs,
            "classes": self.classes,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SearchConfig:
        """Return the configuration that ``to_json`` gave."""
        known = {key: value for key, value in values.items() if key != "schema"}
        return cls(**{**known, "seeds": tuple(values["seeds"])})

    def identity(self, trials: int) -> str:
        """Return what tells this search, after so many trials, from any other (16 hex digits)."""
        hashed = {**self.to_json(), "trials": trials}
        del hashed["dataset"]  # a name; the images are known by their digest
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def refuse_other(self, found: SearchConfig, shown: str) -> None:
        """Refuse to go on with a search that was begun with another configuration.

        Raises:
            UsageError: something differs; it is named.

        """
        mine, theirs = self.to_json(), found.to_json()
        for key in mine:
            if key == "dataset" or mine[key] == theirs[key]:
                continue
            what = _CALLED.get(key, f"--{key.replace('_', '-')}")
            now, before = mine[key], theirs[key]
            if key in ("settings", "space"):
                names = [n for n in {**now, **before} if now.get(n) != before.get(n)]
                if key == "settings":
                    what = f"--{names[0].replace('_', '-')}"
                else:
                    what = f"{what} of {names[0]}"
                now, before = now.get(names[0], "none"), before.get(names[0], "none")
            raise UsageError(
                f"{self.name} in {shown} was begun with {what} {_short(before)}, not "
                f"{_short(now)}, and its trials would not belong together: restore that, or begin "
                "anew with another --storage or --study"
            )


def _short(value: Any) -> str:
    return value[:12] if isinstance(value, str) else json.dumps(value)
