"""Column names: in which rows they stand, and whether they can be any."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.errors import DataError
from attnstudy.tables import headings
from attnstudy.tables.cells import clip, is_number, split_summary
from attnstudy.tables.headings import is_statistic
from attnstudy.tables.lines import Lines

_LONG = 3  # digits of a heading that is no seed


def is_data(row: tuple[str, ...]) -> bool:
    """Whether a first row holds measurements, and so no column names."""
    # names such as 0 and 1 are seeds, 25% a quantile; a decimal number is a measurement
    return any(is_number(cell) and not cell.removesuffix("%").isdecimal() for cell in row)


def refuse_nameless(header: tuple[str, ...], columns: Sequence[Sequence[str]], what: str) -> None:
    """Refuse a first row that is one of data, of whole numbers and of names that come again."""
    whole = any(name.isdecimal() and len(name) >= _LONG for name in header)
    known = whole and any(map(_is_known, header))
    for name, cells in zip(header, columns, strict=True):
        if not name or (name.isdecimal() and len(name) < _LONG):  # 0 and 1 are seeds
            continue
        among = False
        if name.isdecimal() and not known:
            numbers = [float(cell) for cell in cells if cell.isdecimal()]
            among = bool(numbers) and (
                min(numbers) <= 2 * float(name) and float(name) <= 2 * max(numbers)
            )
        if name in cells or among:
            raise DataError(
                f"the first row of {what} looks like data ({clip(name)!r} "
                f"{'is among' if name in cells else 'is like'} the cells below it): put a row of "
                "column names above it"
            )


def _is_known(heading: str) -> bool:
    """Whether a heading is one of those that the columns of results have."""
    known = (
        headings.is_arm, headings.is_seed, headings.is_fold, headings.is_step, headings.is_task,
        headings.is_state, headings.is_metric, headings.is_bookkeeping, headings.is_given,
    )  # fmt: skip
    return any(is_one(heading) for is_one in known) or is_statistic(heading)


def refuse_groups(names: Sequence[tuple[str, str]], what: str) -> None:
    """Refuse two rows of column names that cross, as datasets above methods do.

    Args:
        names: for every column its name in the upper and in the lower row.
        what: what the table is called.

    Raises:
        DataError: the same names stand below several others.

    """
    groups: dict[str, set[str]] = {}
    for above, under in names:
        if above and under and above != under and not under.isdecimal() and not is_statistic(under):
            groups.setdefault(under, set()).add(above)
    several = next((above for above in groups.values() if len(above) > 1), None)
    if several is not None:
        shown = sorted(several, key=[above for above, _ in names].index)
        raise DataError(
            f"{what} has several groups of columns ({', '.join(map(clip, shown[:4]))}) in two rows "
            "of column names: give the columns of one group, or a row per run with its arm, seed "
            "and result"
        )


def header_of(lines: Lines, what: str) -> tuple[tuple[str, ...], Lines]:
    """Return the column names, joined where they stand in two rows, and the rows below."""
    first, rest = lines[0][1], lines.after(1)
    names = [name for name in without_empty_end(first) if name]
    doubled = len(set(names)) < len(names)
    below = rest[0][1] if len(rest) > 1 else ()

    def summaries() -> bool:
        # a table of summaries has one group chosen with --metric
        return any(map(split_summary, rest.after(1).cells()))

    if not doubled and len(set(filter(None, below))) < len(below) == len(first):
        over: list[str] = []  # a spreadsheet names a group above its first column only
        for above in first:
            over.append(above or (over[-1] if over else ""))
        if not any(map(is_number, below)) and not summaries():
            refuse_groups(list(zip(over, below, strict=True)), what)
    if doubled and len(below) == len(first) and _goes_on(first, below):
        if not summaries():
            refuse_groups(list(zip(first, below, strict=True)), what)
        first = tuple(_joined(above, under) for above, under in zip(first, below, strict=True))
        rest = rest.after(1)
    name, *others = rest[0][1] if rest else ("",)
    if name and not any(others) and len(rest) > 1 and len(first) > 1 and (doubled or not first[0]):
        # pandas gives the name of the index a row of its own
        first, rest = (name, *first[1:]), rest.after(1)
    return first, rest


def _goes_on(first: tuple[str, ...], below: tuple[str, ...]) -> bool:
    """Whether a row goes on naming the columns: no decimals, and a corner left to one of the two.

    A row of results names its arm or seed below the name of that column.
    """
    names = all(not is_number(cell) or cell.isdecimal() for cell in below)
    return names and (not first[0] or not below[0] or first[0] == below[0])


def _joined(above: str, below: str) -> str:
    return below if above == below or not above else f"{above} {below}".strip()


def without_empty_end(row: tuple[str, ...]) -> tuple[str, ...]:
    """Return a row without the empty cells at its end."""
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def refuse_doubled(header: tuple[str, ...], what: str) -> None:
    """Refuse two columns of one name.

    Args:
        header: the column names; empty ones do not count.
        what: what the table is called.

    Raises:
        DataError: naming the first name that comes again.

    """
    seen: set[str] = set()
    for name in filter(None, header):
        if name in seen:
            raise DataError(f"{what} has two columns {name!r}: give every column its own name")
        seen.add(name)
