"""What the numbers of a summary are, where a table leaves it open: SDs, numbers of runs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import Reading
from attnstudy.tables.cells import clip, in_brackets
from attnstudy.tables.grid import Grid

_ERROR = re.compile(r"(?:±|\+/-|\+-|\\pm|\bmean)\W{1,3}(?:1 ?)?s\.?e\b|\bsems?\b|stderr")
_OTHER = re.compile(
    r"confiden|konfidenz|\bcis?\b|ci ?95|95 ?ci|credib|half[- ]range|interquartile|\biqr\b|quartile"
    r"|(?:\b(?:2|3|two|three)|1\.96)[ -]*(?:[x×*]|times)?[ -]*"
    r"(?:sds?\b|stds?\b|standard dev|sigma|σ)"
)
_SD = re.compile(r"\b(?:sds?|stds?|stdev|stddev)\b|standard ?deviation|standardabweichung")
_MANY_RUNS = 1000
# HumanEval, GPQA, MATH-500 and MBPP, IFEval, TruthfulQA: all others have 1000 items or more
_TEST_SETS = frozenset({164, 198, 448, 500, 541, 817})
_RUNS = frozenset({"run", "runs", "seed", "seeds", "trials", "repeats", "repetitions"})


def spread_taken(grid: Grid, reading: Reading, what: str) -> str | None:
    """Return which numbers of summaries such as ``93.1 ± 0.2`` are taken for SDs unsaid.

    Args:
        grid: the table as text, with its title and comments.
        reading: what was read of it.
        what: what the table is called in messages.

    Returns:
        The numbers in words; None where there are none, or where the table calls them SDs.

    Raises:
        DataError: the table calls them something else.

    """
    column = reading.sd_column
    if column not in grid.header or not (column == reading.mean_column or "±" in column):
        return None
    said = [text for text in (grid.title, *grid.comments) if text]
    for text in said:
        plain = headings.folded(text)
        errors = headings.is_standard_error(text) or _ERROR.search(plain)
        if errors or _OTHER.search(plain):
            written = "SD, the standard error times the root of the number of runs,"
            raise DataError(
                f"{what} says {clip(text, 80)!r}, and an audit takes the spread beside a mean for "
                f"the SD of its runs: write the {written if errors else 'SD'} in its place, and "
                "leave that line out"
            )
    if any(_SD.search(headings.folded(text)) for text in said):
        return None
    if column != reading.mean_column:
        return f"in column {clip(column)!r}"
    cells = grid.columns[grid.header.index(column)]
    return "in brackets" if any(map(in_brackets, cells)) else "behind ±"


def runs_behind(
    reading: Reading, n: int | None, items: int | None, what: str
) -> dict[str, int | None]:
    """Return the number of runs behind the mean of each arm that has no runs of its own.

    Args:
        reading: what was read of the table.
        n: what the user says it is.
        items: the number of test items, where known.
        what: what the table is called in messages.

    Raises:
        UsageError: the table says it and the user does too, or what it says may be something else.

    """
    counts = {arm.name: arm.count for arm in reading.arms if not arm.runs}
    doubtful = _test_items(counts.values(), items, reading.count_column or "")
    if doubtful and n is None:
        raise UsageError(
            f"column {clip(reading.count_column or '')!r} of {what} says {doubtful[0]}, which may "
            "be the number of test items: give the number of runs behind each mean with --n"
        )
    if n is not None and not doubtful and all(count is not None for count in counts.values()):
        runs = not counts
        raise UsageError(
            f"--n is for summaries that do not say how many runs are behind them, and {what} "
            f"{'has the runs themselves' if runs else 'says it'}: leave --n out"
        )
    if doubtful:
        return dict.fromkeys(counts, n)
    return {name: n if count is None else count for name, count in counts.items()}


def _test_items(counts: Iterable[int | None], items: int | None, column: str) -> list[int]:
    """Return the numbers of runs that may be of test items, as their column does not say."""
    if headings.words_of(column) & _RUNS:
        return []
    return [
        count
        for count in counts
        if count is not None and (count >= _MANY_RUNS or count in _TEST_SETS or count == items)
    ]
