"""Fields: what a training's settings are declared with, and how a value is checked.

One declaration of a field is followed by the command line, the environment, the study file, the
search space, the arms, MLflow and the identity of a run. Each asks ``check`` or ``parse``, so that
a mistake gets the same sentence wherever it is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from attnstudy.errors import UsageError, near_miss


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: what it is called, what it may be, and what it counts for.

    Raises ``UsageError`` on construction when the default is refused by ``check``.

    Examples:
        >>> dropout = Field("dropout", float, 0.1, "Part of the units left out.", least=0, below=1)
        >>> dropout.parse("0.5")
        0.5
        >>> dropout.wanted
        'a number of at least 0 and below 1'

    """

    name: str
    kind: type[int] | type[float] | type[str] | type[bool]
    """What it is, or each of its ``parts``."""
    default: Any
    """``None`` where what is left out is decided elsewhere."""
    help: str
    """A noun phrase or two for the reader of ``--help``."""
    _: KW_ONLY
    parts: int = 0
    """How many values of the kind make up the value, as a tuple; 0 for one that is none."""
    choices: tuple[str, ...] = ()
    """Its only values."""
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    metavar: str | None = None
    """What ``--help`` shows in place of a value, where the kind and the choices do not say."""
    shown: str | None = None
    """The default as people write it, where Python writes it otherwise."""
    role: str = "config"
    """``config``: runs are comparable when it agrees; ``run``: it distinguishes the runs of one
    configuration; ``label``: it counts for nothing."""
    later: int = 0
    """0 for a field of the first version; others are numbered as they were added. What runs made
    before were trained with is the default, so it counts only where it is another."""
    table: str = "training"
    """Where it stands in a study's file; empty for above all tables."""
    searched: bool = True
    """Whether a search may vary it."""
    of_arm: bool = True
    """Whether it may be declared as part of an arm."""

    def __post_init__(self) -> None:
        if self.default is not None:
            object.__setattr__(self, "default", self.check(self.default))

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def bounds(self) -> str:
        """Its bounds as a formula, such as ``0<=x<1``; empty if it has none."""
        low = f"{self.least:g}<=" if self.least is not None else ""
        low = f"{self.above:g}<" if self.above is not None else low
        high = f"<={self.most:g}" if self.most is not None else ""
        high = f"<{self.below:g}" if self.below is not None else high
        if low and not high:  # as click writes it
            return f"x>={self.least:g}" if self.above is None else f"x>{self.above:g}"
        return f"{low}x{high}" if low or high else ""

    @property
    def wanted(self) -> str:
        """What to give, as it stands in a sentence."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        called, several = {
            int: ("a whole number", "whole numbers"),
            float: ("a number", "numbers"),
            str: ("a text", "texts"),
            bool: ("true or false", "of true and false"),
        }[self.kind]
        if self.parts:
            called = f"a list of {self.parts} {several}"
        words = {
            "of at least": self.least, "above": self.above, "of at most": self.most,
            "below": self.below,
        }  # fmt: skip
        limits = [f"{word} {limit:g}" for word, limit in words.items() if limit is not None]
        if self.least is not None and self.most is not None:
            limits = [f"from {self.least:g} to {self.most:g}"]
        return " ".join([called, " and ".join(limits)]).rstrip()

    def check(self, value: Any, where: str | None = None) -> Any:
        """Return a value as a specification holds it: 1 as 1.0 for a number, a list as a tuple.

        Args:
            value: as Python, JSON or TOML has it.
            where: what the place of the value is called in errors; its name if left out.

        Raises:
            UsageError: the field cannot have the value.

        """
        parts = value if self.parts else (value,)
        if isinstance(parts, list | tuple) and len(parts) == (self.parts or 1):
            found = tuple(map(self._fitting, parts))
            if None not in found:
                return found if self.parts else found[0]
        raise UsageError(self._refusal(value, where))

    def parse(self, text: str, where: str | None = None) -> Any:
        """Return the value that a text means, such as ``64,32``.

        Raises:
            UsageError: it means none, or one that the field cannot have.

        """
        if self.parts:
            words, example = text.split(","), f" (write {self.text(self.default)})"
        else:
            words, example = [text], ""
        try:
            read = [self._read(word) for word in words]
        except ValueError:
            raise UsageError(self._refusal(text, where) + example) from None
        if not self.parts:
            return self.check(read[0], where)
        try:
            return self.check(read)
        except UsageError:
            raise UsageError(self._refusal(text, where) + example) from None

    def _read(self, word: str) -> Any:
        if self.kind is bool:
            if word.lower() not in ("true", "false"):
                raise ValueError
            return word.lower() == "true"
        return word if self.kind is str else self.kind(word)

    def text(self, value: Any) -> str:
        """Return the text that ``parse`` reads as a value."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | tuple):
            return ",".join(map(self.text, value))
        return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

    @property
    def shown_default(self) -> str | None:
        """The default as people write it."""
        return self.shown or (None if self.default is None else self.text(self.default))

    def _fitting(self, value: Any) -> Any:
        """Return a single value of the kind and within the bounds, or ``None``."""
        if self.kind is bool:
            return value if isinstance(value, bool) else None
        if self.kind is str:
            good = isinstance(value, str) and value in (self.choices or (value,))
            return value if good else None
        # to Python, true is a whole number
        if isinstance(value, bool) or not isinstance(value, (int, self.kind)):
            return None
        try:
            value = self.kind(value)
        except OverflowError:
            return None
        good = (
            (self.kind is int or math.isfinite(value))
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )
        # 0.0 and -0.0 are equal, as 1 and 1.0 are, so they must not give two fingerprints
        return value + 0 if good else None

    def _refusal(self, value: Any, where: str | None) -> str:
        number = isinstance(value, float) and self.kind is float
        given = self.text(value) if number else repr(value)
        meant = near_miss(value, self.choices) if isinstance(value, str) else ""
        return f"{where or self.name} must be {self.wanted}, not {given}{meant}"


def in_recorded_order(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return fields as runs and searches record them: those of the first version, then the others.

    The order in which a search proposes values decides what it proposes, so a field that is added
    goes behind all others, wherever people read of it.
    """
    return tuple(sorted(fields, key=lambda field: field.later))


ALWAYS_RECORDED = 3
"""Plans and tunings hold the settings that were added up to this one; those made before there were
others must keep their identity, so what was added ``later`` is in them where it is not at its
default."""


def left_out(field: Field, value: object) -> bool:
    """Tell whether plans and tunings leave a setting out, as those made before it did."""
    return field.later > ALWAYS_RECORDED and value == field.default


def scalar(value: Any, where: str) -> Any:
    """Return a value if JSON has it as a text, a number, true, false or null.

    Raises:
        UsageError: it has not.

    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value + 0  # not -0.0, which equals 0.0 and would have another fingerprint
    raise UsageError(
        f"{where} is {value!r}: a setting is a text, a finite number, true, false or nothing"
    )


class Settings(Mapping[str, Any]):
    """Checked values of fields by name; unlike a dictionary, it is hashable and does not change.

    >>> settings = Settings([Field("epochs", int, 10, "Passes.", least=1)], {"epochs": 3})
    >>> settings["epochs"], settings.get("lr")
    (3, None)
    """

    __slots__ = ("_values",)

    def __init__(
        self,
        fields: Iterable[Field],
        given: Mapping[str, Any],
        *,
        others: bool = False,
        lacking: bool = False,
    ) -> None:
        """Take the values that are given, and the defaults of all other fields.

        Args:
            fields: those that are declared.
            given: values by name.
            others: whether what is not declared is taken as well, if it is a scalar of JSON.
            lacking: whether a field without a default may be left out; it is None then.

        Raises:
            UsageError: a field cannot have its value.
            TypeError: there is no such field.

        """
        left = dict(given)
        self._values: dict[str, Any] = {}
        for field in fields:
            value = left.pop(field.name, field.default)
            absent = lacking and value is None
            self._values[field.name] = None if absent else field.check(value)
        if left and not others:
            raise TypeError(f"there is no setting {next(iter(left))!r}")
        self._values |= {name: scalar(value, name) for name, value in left.items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Settings({self._values})"
