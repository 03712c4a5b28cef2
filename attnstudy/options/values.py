"""What the values of options may be: each function raises ``UsageError`` for what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import click

from attnstudy.errors import UsageError, near_miss
from attnstudy.studyplan import LEAST_ALPHA


class Checked(click.ParamType[Any]):
    """A parameter type around a function that raises ``UsageError`` for what it refuses."""

    def __init__(self, name: str, check: Callable[[str], Any]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the checked value; what was converted already passes."""
        if not isinstance(value, str | int | float):
            return value
        try:
            # as it was written: a study's file has 1 read as 1.0
            whole = isinstance(value, float) and value.is_integer()
            return self._check(str(int(value) if whole else value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Choice(click.Choice[str]):
    """One of some names; a wrong one is told which is meant."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong, in a sentence without its full stop."""
        said = super().get_invalid_choice_message(value, ctx)
        return said.rstrip(".") + near_miss(str(value), self.choices)


def number(text: str) -> float:
    """Return a number, NaN where ``text`` is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def cpus(text: str) -> float:
    """Return a number of cores."""
    value = number(text)
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is no number of cores: write 1, 2 or 0.5")
    return value


def gpus(text: str) -> float:
    """Return a number of GPUs: a whole number, or a part of one."""
    value = number(text)
    if not math.isfinite(value) or value < 0 or (value > 1 and value != int(value)):
        raise UsageError(f"{text!r} is no number of GPUs: write 0, 0.25, 0.5, 1 or 2")
    return value


def workers(text: str) -> int | None:
    """Return a number of workers; None for ``auto``."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise UsageError(f"{text!r} is not a number of workers: give 1 or more, or auto")
    return int(text)


def one_of(what: str, names: Sequence[str]) -> Callable[[str], str]:
    """Return a function that lets names pass, and names what a wrong one may be meant for."""

    def check(text: str) -> str:
        if text not in names:
            raise UsageError(
                f"there is no {what} {text!r}: use one of {', '.join(names)}"
                f"{near_miss(text, names)}"
            )
        return text

    return check


def alpha(text: str) -> float:
    """Return an error rate."""
    value = number(text)
    if not 0 < value < 0.5:
        raise UsageError(f"{text!r} is not an error rate: give a number between 0 and 0.5, as 0.05")
    if value < LEAST_ALPHA:
        raise UsageError(f"{text!r} is too small an error rate: give {LEAST_ALPHA:g} or more")
    return value


def margin(text: str) -> float:
    """Return a margin."""
    value = number(text)
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not a margin: give a number above 0, such as 0.5")
    return value


def looks(text: str) -> tuple[int, ...]:
    """Return the declared looks that ``5,10,20`` means."""
    parts = [part.strip() for part in text.split(",")]
    if all(part.isascii() and part.isdigit() for part in parts):
        looks = tuple(int(part) for part in parts)
        if looks[0] >= 3 and all(a < b for a, b in pairwise(looks)):
            return looks
    raise UsageError(
        f"{text!r} are no looks: write the declared numbers of seeds per arm, ascending and from "
        "3 on, such as 5,10,20"
    )


def hours(text: str) -> float:
    """Return a number of hours."""
    value = number(text)
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} is not a number of hours: give one above 0, such as 1.5")
    return value


def fuse(text: str) -> int:
    """Return how many seeds are trained at once.

    ``auto`` is one, wherever it is trained: nothing was faster with more, on a CPU or on the GPU
    that was measured (decision 10).
    """
    if text == "auto":
        return 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 1000):
        raise UsageError(f"{text!r} is not a number of seeds: give auto, or 1 to 1000")
    return int(text)


def minutes(text: str) -> float:
    """Return a number of minutes."""
    value = number(text)
    if not (math.isfinite(value) and value >= 0):
        raise UsageError(f"{text!r} is not a number of minutes: give 0 or more, such as 10")
    return value


def folds(text: str) -> tuple[int, int]:
    """Return the training and test items of a fold that ``900/100`` means."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(
            f"{text!r} is not training and test items: write 900/100 for folds with 900 training "
            "and 100 test items"
        )
    return int(parts[0]), int(parts[1])


def size(what: str, unit: str, example: str) -> Callable[[str], float]:
    """Return a function that reads a size of something on paper."""

    def check(text: str) -> float:
        value = number(text)
        if not (math.isfinite(value) and value > 0):
            raise UsageError(
                f"{text!r} is not a {what}: give a number of {unit} above 0, such as {example}"
            )
        return value

    return check
