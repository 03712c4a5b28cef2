"""The configuration of a search: what has to stay the same for its trials to belong together."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from attnstudy.errors import UsageError

_CALLED = {
    "space": "the search space",
    "sampler": "--sampler",
    "sampler_seed": "--sampler-seed",
    "pruner": "--pruner",
    "seeds": "the tuning seeds",
    "dataset_digest": "the training images of --dataset",
    "variant_source": "the source of the variant",
    "code": "the code of the training",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """What the trials of one arm have in common."""

    study: str
    arm: str
    """The arm that is tuned."""
    training: str | None = None
    """The kind of its training, see ``trainings.registry``."""
    facts: Mapping[str, Any]
    """What identifies its training, but for the variant."""
    space: Mapping[str, Any]
    """As JSON has it, see ``space.Space``."""
    sampler: str
    sampler_seed: int
    pruner: str
    seeds: tuple[int, ...]
    """Each trial is trained with each of them."""
    settings: Mapping[str, Any]
    """Of the training, as JSON has them; what is varied is not among them."""
    metric: str = "val_accuracy_final"
    """What a trial is judged by."""
    direction: Literal["minimize", "maximize"] = "maximize"
    """Optuna's word for which values of it are better."""
    most_epochs: int
    """Epochs of the longest trial that the space allows; 0 where there are none."""
    classes: int | None
    """Number of classes: what guessing is worth; None where that means nothing."""

    @property
    def name(self) -> str:
        """What Optuna calls the search."""
        return f"{self.study}/{self.arm}"

    def best_of(self, values: Iterable[float]) -> float:
        """Return the best of some values."""
        return max(values) if self.direction == "maximize" else min(values)

    @property
    def percent(self) -> bool:
        """Whether the values are percentages, as those of the placements are."""
        return self.training is None

    @property
    def guessing(self) -> float | None:
        """Percent right of whoever guesses: the value of a run that diverged."""
        return None if self.classes is None else 100.0 / self.classes

    def to_json(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        own = {} if self.training is None else {"training": self.training}
        judged = (self.metric, self.direction)
        if judged != ("val_accuracy_final", "maximize"):  # else as before there was a choice
            own |= {"metric": self.metric, "direction": self.direction}
        return {
            "schema": 1,
            "study": self.study,
            "variant": self.arm,
            **own,
            **self.facts,
            "space": dict(self.space),
            "sampler": self.sampler,
            "sampler_seed": self.sampler_seed,
            "pruner": self.pruner,
            "seeds": list(self.seeds),
            "settings": dict(self.settings),
            "most_epochs": self.most_epochs,
            "classes": self.classes,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SearchConfig:
        """Return the configuration that ``to_json`` gave."""
        own = {field.name for field in fields(cls)}
        known = {name: value for name, value in values.items() if name in own}
        known |= {"arm": values["variant"], "seeds": tuple(values["seeds"])}
        own |= {"schema", "variant"}
        return cls(**known, facts={n: value for n, value in values.items() if n not in own})

    def identity(self, trials: int) -> str:
        """Return what tells this search, after so many trials, from any other (16 hex digits)."""
        hashed = {**self.to_json(), "trials": trials}
        hashed.pop("dataset", None)  # a name; the images are known by their digest
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def refuse_other(self, found: SearchConfig, shown: str) -> None:
        """Refuse to go on with a search that was begun with another configuration.

        Raises:
            UsageError: something differs; it is named.

        """
        mine: dict[str, Any] = self.to_json()
        theirs: dict[str, Any] = found.to_json()
        for key in mine:
            if key == "dataset" or mine[key] == theirs.get(key):
                continue
            what = _CALLED.get(key, f"--{key.replace('_', '-')}")
            now: Any = mine[key]
            before: Any = theirs.get(key)
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
    if not isinstance(value, str):
        return json.dumps(value)
    return value[:12] if _DIGEST.fullmatch(value) else value


_DIGEST = re.compile(r"[0-9a-f]{32,}")
