"""Results of which some are in percent and others are fractions of 1."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.errors import DataError
from attnstudy.tables import headings
from attnstudy.tables.asked import UNNAMED, Arm, Reading
from attnstudy.tables.cells import clip, is_plain
from attnstudy.tables.grid import Grid
from attnstudy.tables.layouts.numbers import Numbers

_AS = "give all of them in percent, or all as fractions"


def refuse_mixed_units(grid: Grid, what: str, reading: Reading) -> None:
    """Refuse percent beside fractions.

    Args:
        grid: the table.
        what: what it is called.
        reading: what was found in it.

    Raises:
        DataError: a percent sign stands behind some results alone; or results are fractions and
            percentages by what they measure, their size and their decimals.

    """
    if any("%" in cell for cells in grid.columns for cell in set(cells) if not is_plain(cell)):
        _refuse_some_signs(what, reading.arms)
    found = [value for arm in reading.arms for value in _ends(arm)]
    if not found or not 0 <= min(found) <= 1 < max(found) <= 100:
        return
    if headings.is_bounded(reading.metric) or headings.may_be_bounded(reading.metric, UNNAMED):
        _refuse_arms_of_fractions(what, reading)


def _ends(arm: Arm) -> Sequence[float]:
    values = arm.runs.values
    return (min(values), max(values)) if len(values) else ()


def _refuse_some_signs(what: str, arms: Sequence[Arm]) -> None:
    first: dict[bool, tuple[str, str]] = {}
    for arm in arms:
        for run in arm.runs:
            first.setdefault(run.number.percent, (arm.name, run.number.text))
    if len(first) == 2:
        (a, with_sign), (b, without) = first[True], first[False]
        raise DataError(
            f"{what} has {with_sign} ({clip(a)}) beside {without} ({clip(b)}), with a "
            f"percent sign and without: {_AS}"
        )


def _refuse_arms_of_fractions(what: str, reading: Reading) -> None:
    """Refuse arms with fractions throughout beside arms with percentages throughout.

    Fractions show more decimals than percentages do, so that a true 0.1 % is none.
    """
    there = [arm for arm in reading.arms if len(arm.runs)]
    fractions = [arm for arm in there if 0 < min(arm.runs.values) <= max(arm.runs.values) <= 1]
    percent = [arm for arm in there if min(arm.runs.values) > 1]
    if not fractions or not percent or len(fractions) + len(percent) < len(there):
        return
    highest = max(max(arm.runs.values) for arm in percent)
    if not headings.is_bounded(reading.metric):  # as large, too, where the name does not tell
        low = min(min(arm.runs.values) for arm in percent)
        ends = [end for arm in fractions for end in _ends(arm)]
        if not low / 2 <= 100 * min(ends) <= 100 * max(ends) <= 1.25 * highest:
            return
    fewest = min(_numbers(arm).fewest_places for arm in fractions)
    most = max(_numbers(arm).places for arm in percent)
    if most < fewest:
        arm = fractions[0]
        raise _mixed(what, reading.metric, arm.name, arm.runs.values[0], highest)


def _numbers(arm: Arm) -> Numbers:
    return Numbers.of([run.number for run in arm.runs])


def _mixed(what: str, metric: str, arm: str, value: float, other: float) -> DataError:
    return DataError(
        f"{what} has {metric} {value:g} ({clip(arm)}) where other runs have up to "
        f"{other:g}, as if some were fractions and others in percent: {_AS}"
    )
