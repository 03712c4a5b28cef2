"""What the values were before they were rounded for the table.

A mean is usually taken before rounding. So it may differ from the mean of the printed values
without being wrong: by less than their last decimal, or by nothing where they show every test
item, as two decimals of a percentage do for 10,000 items. The mean may also be that of values
rounded to one decimal more than is shown, which a number of right answers alone does not give.
"""

from __future__ import annotations

from fractions import Fraction

from attnstudy.stats.audit.granularity import totals
from attnstudy.stats.audit.rounding import as_decimal, hull, square_root
from attnstudy.stats.audit.table import Row, mean_of, variance_of
from attnstudy.tables.cells import Printed


def mean_explained(row: Row, printed: Printed, items: int | None, scale: int | None) -> bool:
    """Whether values that print as those of the row can have a mean that prints so."""
    ranges = _ranges(row, items, scale)
    low, high = hull(printed)
    least = mean_of(tuple(a for a, _ in ranges))
    most = mean_of(tuple(b for _, b in ranges))
    # the end that is a whole unit further from zero is no longer printed so
    below = least <= high if printed.value < 0 else least < high
    above = low <= most if printed.value > 0 else low < most
    return below and above


def sd_explained(row: Row, printed: Printed, items: int | None, scale: int | None) -> bool:
    """Whether values that print as those of the row may have an SD that prints so.

    When each value moves by at most h, the SD moves by at most (sum h^2 / divisor)^(1/2), as the
    norm of a sum is at most the sum of the norms. Divisor n - 1 or n.
    """
    ranges = _ranges(row, items, scale)
    centres = tuple((a + b) / 2 for a, b in ranges)
    slack = sum((((b - a) / 2) ** 2 for a, b in ranges), Fraction(0))
    low, high = map(as_decimal, hull(printed))
    return any(
        low - reach <= square_root(variance_of(centres, divisor=divisor)) <= high + reach
        for divisor in (len(ranges) - 1, len(ranges))
        for reach in (square_root(slack / divisor),)
    )


def _ranges(
    row: Row, items: int | None, scale: int | None
) -> tuple[tuple[Fraction, Fraction], ...]:
    """Return the least and the greatest number that may stand behind each printed value."""
    return tuple(_range(cell.number, items, scale) for cell in row.cells)


def _range(printed: Printed, items: int | None, scale: int | None) -> tuple[Fraction, Fraction]:
    if items is None or scale is None:
        return hull(printed)
    step = Fraction(scale, items)
    possible = totals(printed, step, items)
    if not possible:  # a finding of its own
        return Fraction(printed.value), Fraction(printed.value)
    low, high = possible[0] * step, possible[-1] * step
    finer = printed.unit / 10
    if (step / finer).denominator == 1:  # one decimal more loses nothing
        return low, high
    return low - finer, high + finer / 2
