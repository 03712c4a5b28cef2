"""The results as a page."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterable, Sequence

from benchmarks.pages import cores
from benchmarks.scaling import drivers, epochs, ranks, runs, trials, workers
from benchmarks.scaling.timing import Cost, exponent
from benchmarks.training.table import machine_name

__all__ = ["machine_name", "page"]

Rows = Sequence[Sequence[object]]


def table(header: Sequence[str], rows: Rows) -> str:
    """Return a Markdown table."""
    lines = [list(header), ["---"] * len(header), *([*map(str, row)] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cost(cost: Cost) -> str:
    return f"{cost.cpu:.1f} ({cost.wall:.0f}) s, {cost.peak_mib:.0f} MiB"


def _growth(values: Sequence[float], sizes: Sequence[int]) -> str:
    """Return the exponent between the two largest sizes."""
    if len(values) < 2:
        return ""
    return f"{exponent(values[-2], values[-1], sizes[-1] / sizes[-2]):.2f}"


def of_runs(measured: Sequence[runs.Measured]) -> str:
    """Return what commands and pages cost, a column a size."""
    sizes = [one.runs for one in measured]
    header = ["", *(f"{size:,} runs" for size in sizes), "exponent"]
    rows: list[list[object]] = []
    for name in measured[0].costs:
        costs = [one.costs[name] for one in measured]
        rows.append([name, *map(_cost, costs), _growth([c.cpu for c in costs], sizes)])
    for name in measured[0].pages:
        pages = [one.pages[name] for one in measured]
        shown = [f"{1000 * p.seconds:.0f} ms, {p.mib:.2f} MiB" for p in pages]
        rows.append([f"UI: {name}", *shown, _growth([p.seconds for p in pages], sizes)])
    memory = [one.server_mib for one in measured]
    rows.append(["UI: memory of the server", *(f"{m:.0f} MiB" for m in memory), ""])
    for name in measured[0].disk_mib:
        values = [one.disk_mib[name] for one in measured]
        rows.append([f"disk: {name}", *(f"{v:.0f} MiB" for v in values), _growth(values, sizes)])
    return table(header, rows)


def of_ranks(measured: Sequence[ranks.Measured]) -> str:
    """Return what rankings cost."""
    rows = [
        [f"{m.arms} arms x {m.seeds:,} seeds", f"{m.arms * (m.arms - 1) // 2:,}", _cost(m.cost)]
        for m in measured
    ]
    return table(["", "pairs", "`rank --from`"], rows)


def of_epochs(measured: Sequence[epochs.Measured]) -> str:
    """Return what the last epoch of a run costs."""
    rows = [
        [f"{m.epochs:,}", f"{m.journal_mib:.1f} MiB", *(f"{1000 * v:.0f} ms" for v in
         (m.append, m.publish, m.read))]
        for m in measured
    ]  # fmt: skip
    header = ["epochs", "journal", "noting one more", "publishing it", "reading all of it"]
    return table(header, rows)


def of_trials(asked: Sequence[trials.Asked], tuned: Sequence[trials.Tuned]) -> str:
    """Return what one more trial costs."""
    proposing = table(
        ["trials there", "proposing one more", "noting its end"],
        [[f"{m.trials:,}", f"{m.ask:.0f} ms", f"{m.tell:.1f} ms"] for m in asked],
    )
    going_on = table(
        ["`tune --trials`", "CPU (wall)", "CPU a trial", "memory"],
        [
            [f"{m.before:,} to {m.trials:,}", f"{m.cost.cpu:.0f} ({m.cost.wall:.0f}) s",
             f"{1000 * m.cpu_a_trial:.0f} ms", f"{m.cost.peak_mib:.0f} MiB"]
            for m in tuned
        ],
    )  # fmt: skip
    return f"{proposing}\n\n{going_on}"


def of_workers(measured: Iterable[tuple[str, workers.Measured]]) -> str:
    """Return what the driver of many workers does."""
    rows = [
        [name, m.workers, f"{m.heard:,} of {m.expected:,}", f"{m.rate:.0f}",
         f"{100 * m.driver_cpu / m.seconds:.1f} %", f"{1e6 * m.driver_cpu / m.heard:.0f} µs",
         f"{m.slowest_message:.2f} s"]
        for name, m in measured
    ]  # fmt: skip
    header = [
        "executor", "workers", "messages", "a second", "of a core: the driver", "CPU a message",
        "slowest message",
    ]  # fmt: skip
    return table(header, rows)


def of_drivers(measured: Sequence[tuple[str, drivers.Measured]]) -> str:
    """Return what several machines deliver to one server."""
    rows = [
        [name, m.drivers, m.runs, m.trained, m.gave_up, f"{m.seconds:.0f} s", f"{m.an_hour:,.0f}"]
        for name, m in measured
    ]
    return table(
        [
            "server on",
            "drivers",
            "runs",
            "trained meanwhile",
            "gave up waiting",
            "wall",
            "runs an hour",
        ],
        rows,
    )


def page(parts: dict[str, str]) -> str:
    """Return the page: what ran where, then part by part."""
    sections = "\n\n".join(f"## {name}\n\n{text}" for name, text in parts.items())
    return f"""# Scaling: {machine_name()}

{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; Python {platform.python_version()}, {cores()} \
cores, shared with others; by `make bench-scaling`. What it means stands in
[docs/scaling.md](../../docs/scaling.md). Times are CPU seconds, the start of the command included,
with wall-clock seconds in brackets; memory is the peak of the process. The exponent is that of the
growth between the two largest sizes: 1 is linear, below 1 the start still counts.

{sections}
"""
