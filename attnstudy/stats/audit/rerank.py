"""The table ranked twice: by what it prints, and by what its values give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from attnstudy.stats.alternatives import Alternatives
from attnstudy.stats.audit.rounding import square_root
from attnstudy.stats.audit.table import Cell, Row, Table, samples_of, variance_of
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.ranking import rank
from attnstudy.stats.results import Arm, Ranking
from attnstudy.stats.samples import best_first, read_samples
from attnstudy.stats.vocabulary import Direction, Verdict
from attnstudy.tables.cells import clip


def rank_values(table: Table, *, items: int | None, alpha: float, direction: Direction) -> Ranking:
    """Return the ranking of the values that the table holds, without robustness lines.

    Args:
        table: a table with values.
        items: number of test items, where known.
        alpha: family-wise error rate.
        direction: which way the metric is better.

    """
    percent = table.scale == 100
    samples = {row.name: [float(value) for value in row.values] for row in table.rows}
    return rank(
        Measurements(samples=samples, items=items if percent else None),
        Design(alpha=alpha, direction=direction, unit="points" if percent else ""),
        robust=False,
    )


def verdicts_otherwise(
    table: Table, *, alpha: float, direction: Direction
) -> Callable[[Cell, Fraction | None], str]:
    """Return what gives the verdict with another value in a cell, or for none without the cell."""
    design = Design(alpha=alpha, direction=direction, unit="points" if table.scale == 100 else "")
    arms = best_first(samples_of(table), direction)
    alternatives = Alternatives(arms, design)
    places = {arm.arm: place for place, arm in enumerate(arms)}
    rows = {row.name: row for row in table.rows}

    def verdict(changed: Cell, value: Fraction | None) -> str:
        row = rows[changed.row]
        numbers = [
            float(number)
            for cell, old in zip(row.cells, row.values, strict=True)
            if (number := value if cell is changed else old) is not None
        ]
        (sample,) = read_samples({row.name: numbers})
        return alternatives.verdict(places[row.name], sample)

    return verdict


def rank_printed(
    table: Table, *, alpha: float, direction: Direction, errors: bool = False
) -> Ranking | None:
    """Return what a reader who trusts the printed means would conclude; None without them.

    Games-Howell needs of each row only mean, SD and number of values. The mean is the printed
    one, the SD the printed one or else that of the values. Each row is ranked as numbers that
    have this mean and SD; whatever depends on more than those is taken out of the result.

    Args:
        table: the table.
        alpha: family-wise error rate.
        direction: which way the metric is better.
        errors: take what is printed as SDs for standard errors of the means.

    """
    if not any(row.mean for row in table.rows):
        return None
    summaries = {row.name: (_mean(row), _sd(row, errors=errors), row.n) for row in table.rows}
    samples = {name: _stand_ins(*summary) for name, summary in summaries.items()}
    drawn = [value for values in samples.values() for value in values]
    percent = table.scale == 100 and all(0.0 <= value <= 100.0 for value in drawn)
    design = Design(alpha=alpha, direction=direction, unit="points" if percent else "")
    ranking = rank(samples, design, robust=False)
    untested = [name for name, (_, sd, n) in summaries.items() if sd is None or n is None]
    if untested and len(table.rows) > 1:
        listed = ", ".join(map(clip, untested[:4])) + (", ..." if len(untested) > 4 else "")
        ranking = replace(
            ranking,
            sentence=(
                f"The table gives no SD or no number of runs for {listed}: these means can be "
                "put in order but not tested."
            ),
        )
    return replace(
        ranking,
        arms=tuple(_described(arm, *summaries[arm.name][1:]) for arm in ranking.arms),
        pairs=tuple(
            replace(
                pair,
                prob_superiority=None,
                prob_superiority_low=None,
                prob_superiority_high=None,
                seed_correlation=None,
            )
            for pair in ranking.pairs
        ),
        flags=(),
    )


def spread_notes(
    table: Table, printed: Ranking | None, *, alpha: float, direction: Direction
) -> Iterator[str]:
    """Yield a sentence on numbers that are taken for SDs though nothing calls them so."""
    if table.spread is None or printed is None:
        return
    taken = f"the numbers {table.spread} are taken for SDs of the runs"
    otherwise = rank_printed(table, alpha=alpha, direction=direction, errors=True)
    if otherwise is None or not any(row.sd is not None and row.n for row in table.rows):
        yield taken
    elif otherwise.verdict == printed.verdict:
        yield f"{taken}; were they standard errors of the means, the verdict would be the same"
    else:
        yield (
            f"{taken}; were they standard errors of the means, the verdict would be: "
            f"{otherwise.verdict}"
        )


def missing_mean_notes(table: Table) -> Iterator[str]:
    """Yield a sentence on rows without a printed mean where others have one."""
    without = [clip(row.name) for row in table.rows if row.mean is None]
    if not table.mean_column or len(without) == len(table.rows):
        yield "the table prints no means, so there are none to recompute"
    elif without:
        yield f"no mean is printed for {', '.join(without[:4])}; the mean of the values is ranked"


def changes_order(table: Table) -> bool:
    """Whether two rows stand the other way round by recomputed means than by printed ones.

    Rounding never turns an order round, so equal printed means change nothing.
    """
    means = [
        (row.mean.value, row.exact_mean)
        for row in table.rows
        if row.mean is not None and row.exact_mean is not None and row.complete
    ]
    return any(
        (a[0] > b[0] and a[1] < b[1]) or (a[0] < b[0] and a[1] > b[1])
        for a, b in combinations(means, 2)
    )


def changes_verdict(printed: Ranking, corrected: Ranking) -> bool:
    """Whether some pair is decided by one ranking and not, or otherwise, by the other."""
    return _claims(printed) != _claims(corrected)


def _claims(ranking: Ranking) -> set[tuple[str, str]]:
    """Return the pairs, better arm first, that are shown different."""
    return {
        (pair.a, pair.b) if pair.verdict is Verdict.BETTER else (pair.b, pair.a)
        for pair in ranking.pairs
        if pair.verdict in (Verdict.BETTER, Verdict.WORSE)
    }


def _mean(row: Row) -> float:
    return float(row.mean.value if row.mean is not None else row.exact_mean or 0)


def _sd(row: Row, *, errors: bool) -> float | None:
    if row.sd is not None:
        return float(row.sd.value) * (math.sqrt(row.n or 1) if errors else 1.0)
    if len(row.cells) < 2:
        return None
    return float(square_root(variance_of(row.values, divisor=len(row.cells) - 1)))


def _stand_ins(mean: float, sd: float | None, n: int | None) -> Sequence[float]:
    """Return ``n`` evenly spaced numbers with this mean and SD; the mean alone if one lacks.

    The numbers 0 to n - 1 have the variance n (n + 1) / 12.
    """
    if sd is None or n is None or n < 2:
        return [mean]
    step = sd / math.sqrt(n * (n + 1) / 12.0)
    return [mean + step * (i - (n - 1) / 2.0) for i in range(n)]


def _described(arm: Arm, sd: float | None, n: int | None) -> Arm:
    """Return the arm with its printed numbers and none of those that stood in for values."""
    return replace(arm, n=n or 0, sd=sd, values=(), median=None, min=None, max=None)
