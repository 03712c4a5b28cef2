"""The tables of docs/calibration.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import groupby

from benchmarks.calibration.advice import Advice
from benchmarks.calibration.coverage import Intervals
from benchmarks.calibration.errors import LEVELS, Errors
from benchmarks.calibration.methods import METHODS, NEW
from benchmarks.calibration.power import COMPARED, Powers
from benchmarks.calibration.practices import Practice
from benchmarks.calibration.rates import Rate
from benchmarks.calibration.robust import COMPARED as TESTS
from benchmarks.calibration.robust import Robustness
from benchmarks.calibration.tasks import BOUND as TASK_BOUND
from benchmarks.calibration.tasks import METHODS as TASK_METHODS
from benchmarks.calibration.tasks import Measured, Standardised
from benchmarks.calibration.until_decided import BOUND, Procedure

NOT_KEPT = "**NOT KEPT**"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table in Markdown, its first ``left`` columns aligned left."""
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "---|" * left + "---:|" * (len(head) - left))
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(lines) + "\n"


def share(value: float, digits: int = 3) -> str:
    """Return a share without its leading zero."""
    return f"{value:.{digits}f}".removeprefix("0")


def _kept(kept: bool) -> str:
    return "" if kept else NOT_KEPT


def hard_errors(found: Iterable[Errors]) -> str:
    """Return one row a design, all methods beside each other."""
    rows = [
        [_design(errors), *(_pair(errors, method) for method in METHODS), _kept(errors.kept)]
        for errors in found
    ]
    return table(["design", *METHODS, ""], rows)


def _design(errors: Errors) -> str:
    return f"{errors.row.mode}: {errors.row.counts}; SDs {errors.row.spread}"


def _pair(errors: Errors, method: str) -> str:
    """Return the error at both levels; bold where it breaks the bound of the ranking."""
    if (method, LEVELS[0]) not in errors.rates:
        return ""
    return " / ".join(
        _marked(errors.rates[method, alpha], errors.keeps(method, alpha)) for alpha in LEVELS
    )


def _marked(rate: Rate, kept: bool) -> str:
    return share(rate.value) if kept else f"**{share(rate.value)}**"


def grid_errors(found: Iterable[Errors]) -> str:
    """Return one row for each mode and counts: the worst spread for each method."""

    def key(errors: Errors) -> tuple[str, str]:
        return errors.row.mode, errors.row.counts

    rows = []
    for (mode, counts), group in groupby(sorted(found, key=_place), key=key):
        of = list(group)
        worst = max(of, key=lambda errors: errors.rates[NEW, LEVELS[0]].value)
        rows.append([
            f"{mode}: {counts}",
            worst.row.spread,
            *(_worst(of, method) for method in METHODS),
            _kept(all(errors.kept for errors in of)),
        ])  # fmt: skip
    return table(["design", "worst SDs", *METHODS, ""], rows, left=2)


def _place(errors: Errors) -> tuple[str, bool, int, tuple[int, ...], tuple[int, ...]]:
    row = errors.row
    return row.mode, len(set(row.runs)) > 1, row.arms, row.runs, row.looks


def _worst(of: Sequence[Errors], method: str) -> str:
    """Return the largest error over the spreads at either level."""
    cells = []
    for alpha in LEVELS:
        rates = [e for e in of if (method, alpha) in e.rates]
        if not rates:
            return ""
        most = max(rates, key=lambda errors: errors.rates[method, alpha].value)
        cells.append(_marked(most.rates[method, alpha], most.keeps(method, alpha)))
    return " / ".join(cells)


def procedures(found: Iterable[tuple[Procedure, Rate]]) -> str:
    """Return one row for each procedure that trains until all is decided."""
    rows = [
        [procedure.name, share(rate.value), _kept(rate.at_most(BOUND))] for procedure, rate in found
    ]
    return table(["procedure", "wrong verdict", ""], rows)


def intervals(found: Iterable[Intervals]) -> str:
    """Return coverage and wrong equivalents, one row a design."""
    rows = [
        [
            f"{one.row.mode}: {one.row.counts}; SDs {one.row.spread}",
            share(one.coverage.value),
            *(share(rate.value) for rate in one.wrong),
            _kept(one.kept),
        ]
        for one in found
    ]
    head = ["design", "coverage", "wrong equivalent, small margin", "large margin", ""]
    return table(head, rows)


def powers(found: Iterable[Powers]) -> str:
    """Return the power of all methods, one row per pair."""
    rows = [
        [
            one.case.name,
            f"{one.effect:.2f}",
            *(share(one.power[method], 2) for method in COMPARED),
            _kept(one.kept),
        ]
        for one in found
    ]
    return table(["pair", "difference", *COMPARED, ""], rows)


def advice(found: Iterable[Advice]) -> str:
    """Return where advice led, one row a question."""
    rows = [
        [
            one.case.question,
            one.case.name,
            f"{one.answer:.3g}",
            share(one.power.value),
            _kept(one.kept),
        ]
        for one in found
    ]
    return table(["question", "design", "answer", "power", ""], rows, left=2)


def robustness(found: Iterable[Robustness]) -> str:
    """Return what the tests do with runs that are not normal."""
    rows = [
        [one.violation.name, *(share(one.rates[test].value) for test in TESTS)] for one in found
    ]
    return table(["runs", *TESTS], rows)


def practices(found: Iterable[Practice]) -> str:
    """Return what common practices claim."""
    rows = [[one.name, f"{one.rate.value:.3f} ± {one.rate.error:.3f}"] for one in found]
    return table(["practice", "claims a difference"], rows)


def error_file(found: Sequence[Errors]) -> str:
    """Return every measured error as comma-separated values: studies with a false claim."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    columns = [(method, alpha) for method in METHODS for alpha in LEVELS]
    names = [f"{method} at {alpha:g}" for method, alpha in columns]
    lines.writerow(["compared", "runs", "SDs", "studies", *names])
    for errors in found:
        row = errors.row
        studies = errors.rates[NEW, LEVELS[0]].replications
        counts = [errors.rates[key].count if key in errors.rates else "" for key in columns]
        lines.writerow([row.mode, row.counts, row.spread, studies, *counts])
    return text.getvalue()


_CALLED = {"bootstrap": "rliable"}


def task_errors(found: Iterable[Measured]) -> str:
    """Return a row a design: false claims by method, and the coverage of the average."""
    rows = [
        [
            one.row.name,
            *(_bounded(one.errors[name]) for name in TASK_METHODS),
            share(one.coverage.value),
            _kept(one.kept),
        ]
        for one in found
    ]
    methods = [_CALLED.get(name, name) for name in TASK_METHODS]
    return table(["design", *methods, "coverage", ""], rows)


def _bounded(rate: Rate) -> str:
    shown = share(rate.value)
    return shown if rate.value <= TASK_BOUND else f"**{shown}**"


def task_power(found: Iterable[Measured]) -> str:
    """Return a row a design: how often each method shows a difference that is there."""
    rows = [
        [one.row.name, *(share(one.power[name].value, 2) for name in TASK_METHODS)] for one in found
    ]
    return table(["design", *(_CALLED.get(name, name) for name in TASK_METHODS)], rows)


def standardised(found: Iterable[Standardised]) -> str:
    """Return a row a design: false claims on average in standard deviations."""
    rows = [[one.row.name, share(one.error.value), _kept(one.kept)] for one in found]
    return table(["design", "average in SDs", ""], rows)
