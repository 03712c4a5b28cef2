"""Accuracies, means and SDs that no whole number of right answers can give.

A run that gets k of N test items right has the accuracy k/N. The mean of n such runs is a
multiple of 1/(nN): GRIM, Brown and Heathers, "The GRIM test", Social Psychological and
Personality Science 8 (2017) 363-369. With whole numbers k_i of sum K, the sum of squares
Q = K^2/n + (n - 1) SD^2 N^2 is a whole number too, as even or odd as K: GRIMMER, Anaya, PeerJ
Preprints 4 (2016) e2400v1, in the analytic form of Allard (2018).

Every number is taken to be rounded half up, half even or truncated, an SD to have divisor n - 1
or n, and GRIMMER tries every K that the printed mean allows, so that nothing is called impossible
that some runs could have given. A summary may be that of the exact accuracies, or of accuracies
that were rounded first, to as many decimals as the mean has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from attnstudy.stats.audit.results import Finding, Kind
from attnstudy.stats.audit.rounding import as_decimal, hull, rounded
from attnstudy.stats.audit.table import Row, Table
from attnstudy.tables.cells import Printed, clip

_ZERO = Fraction(0)
_MOST_TOTALS = 10_000  # where a mean allows more totals, any SD is possible


def check_granularity(table: Table, items: int, scale: int) -> Iterator[Finding]:
    """Yield a finding for each value, or mean and SD of a summary, that is impossible.

    Args:
        table: the table.
        items: N, the number of test items.
        scale: 100 for percentages, 1 for fractions.

    """
    for cell in table.cells:
        if not totals(cell.number, Fraction(scale, items), items):
            nearest = _nearest(cell.number, Fraction(scale, items), items)
            yield Finding(
                kind=Kind.IMPOSSIBLE_VALUE,
                row=cell.row,
                column=cell.column,
                printed=cell.number.text,
                recomputed=nearest,
                message=(
                    f"{clip(cell.row)}, {clip(cell.column)}: no number of right answers out of "
                    f"{items} prints as {cell.number.text}; the nearest possible is {nearest}."
                ),
            )
    for row in table.rows:
        if row.mean is not None and not row.cells and row.n is not None:
            yield from _check_summary(row, row.mean, row.n, table, items, scale)


def granularity_notes(table: Table, items: int, scale: int) -> Iterator[str]:
    """Yield a sentence where the numbers are too coarse for the check to find anything."""
    step = Fraction(scale, items)
    # what prints as one number fills an interval of 3/2 units, so a finer step always hits it; a
    # mean of rounded numbers fills one of 3
    if table.cells and all(2 * step <= 3 * cell.number.unit for cell in table.cells):
        yield (
            f"with {items:,} test items every value of this precision is possible, so the check "
            "for impossible values says nothing"
        )
    means = [(row.mean, row.n) for row in table.rows if not row.cells]
    if any(n is None for _, n in means):
        yield "without the number of runs (a column n) the means cannot be checked by GRIM"
    known = [(mean, n) for mean, n in means if mean is not None and n is not None]
    if known and all(
        2 * step / n <= (6 if _rounding_moves(step, mean) else 3) * mean.unit for mean, n in known
    ):
        yield (
            f"with {items:,} test items and this many runs every mean of this precision is "
            "possible, so GRIM says nothing"
        )


def totals(printed: Printed, step: Fraction, most: int, slack: Fraction = _ZERO) -> range:
    """Return the whole numbers K from 0 to ``most`` for which K ``step`` may print so.

    Args:
        printed: what is printed.
        step: value of one right answer.
        most: the greatest K.
        slack: unit to which numbers were rounded before their mean K ``step`` was printed; 0
            where they were not. A number may have lost up to half of it by rounding up and all
            of it by truncation.

    """
    if printed.value < 0:
        return range(0)
    low, high = hull(printed)  # the upper end itself prints as the next number
    low, high = low - slack / 2, high + slack
    return range(max(math.ceil(low / step), 0), min(math.ceil(high / step), most + 1))


def sd_possible(
    mean: Printed, sd: Printed, n: int, step: Fraction, items: int, slack: Fraction = _ZERO
) -> bool:
    """Whether ``n`` whole numbers from 0 to ``items``, times ``step``, give this mean and SD.

    True also where that could not be ruled out; false is certain. When each number moves by at
    most h, the SD moves by at most h (n / divisor)^(1/2).

    Args:
        mean: the mean as printed, possible by itself.
        sd: the SD as printed.
        n: number of runs, 2 or more.
        step: value of one right answer in one run.
        items: N, the most right answers of a run.
        slack: unit to which the numbers were rounded first; 0 where they were not.

    """
    sums = totals(mean, step / n, n * items, slack)
    if len(sums) > _MOST_TOTALS:
        return True
    # rounding moves all by the same or by up to 3/4 of a unit from its middle; n / (n - 1) <= 2
    reach = Fraction(3, 4) * slack * Fraction(1415, 1000)
    low, high = hull(sd)
    low, high = max(low - reach, _ZERO), high + reach
    return any(
        _square_sum_exists(
            total, n, items, divisor * (low / step) ** 2, divisor * (high / step) ** 2
        )
        for total in sums
        for divisor in (n - 1, n)
    )


def _square_sum_exists(total: int, n: int, items: int, low: Fraction, high: Fraction) -> bool:
    """Whether low <= Q - K^2/n < high for some Q of the parity of K = ``total``.

    Q is least with the numbers as equal as possible, and most with as many as can be at N.
    """
    whole, rest = divmod(total, n)
    least = rest * (whole + 1) ** 2 + (n - rest) * whole**2
    full, rest = divmod(total, items)
    most = full * items**2 + rest**2
    centre = Fraction(total**2, n)
    first = max(math.ceil(centre + low), least)
    first += (first - total) % 2
    return first <= most and first < centre + high


def _check_summary(
    row: Row, mean: Printed, n: int, table: Table, items: int, scale: int
) -> Iterator[Finding]:
    step = Fraction(scale, items)
    name = clip(row.name)
    slack = mean.unit if _rounding_moves(step, mean) else _ZERO
    rounded_first = " even if the accuracies were rounded before" if slack else ""
    if not totals(mean, step / n, n * items, slack):
        nearest = _nearest(mean, step / n, n * items)
        yield Finding(
            kind=Kind.IMPOSSIBLE_VALUE,
            row=row.name,
            column=table.mean_column,
            printed=mean.text,
            recomputed=nearest,
            message=(
                f"{name}: {n} runs on {items:,} test items cannot have the mean {mean.text}"
                f"{rounded_first} (GRIM); "
                f"the nearest possible is {nearest}."
            ),
        )
    elif row.sd is not None and n > 1 and not sd_possible(mean, row.sd, n, step, items, slack):
        yield Finding(
            kind=Kind.IMPOSSIBLE_VALUE,
            row=row.name,
            column=table.sd_column,
            printed=row.sd.text,
            message=(
                f"{name}: {n} runs on {items:,} test items with the mean {mean.text} cannot have "
                f"the SD {row.sd.text}{rounded_first} (GRIMMER)."
            ),
        )


def _nearest(printed: Printed, step: Fraction, most: int) -> str:
    total = min(max(round(Fraction(printed.value) / step), 0), most)
    return f"{rounded(as_decimal(total * step), printed.places):f}"


def _rounding_moves(step: Fraction, printed: Printed) -> bool:
    """Whether an accuracy is another one when it is rounded to the precision of ``printed``."""
    return (step / printed.unit).denominator != 1
