"""What the reader of a table was told, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from attnstudy.tables.cells import Printed
from attnstudy.tables.points import Point

Layout = Literal["rows-are-runs", "columns-are-arms", "columns-are-runs"]
Missing = Literal["diverged", "absent", "refuse"]
UNNAMED = "value"
"""What results are called where neither the table nor anybody says what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a table is to be read; what is not said is decided by what the table shows."""

    layout: str | None = None
    """One of ``Layout``."""
    by: tuple[str, ...] = ()
    """Columns that make an arm."""
    seed_by: str | None = None
    """The column that numbers the repetitions."""
    metric: str | None = None
    """The column of results, or what the results are."""
    point: Point = field(default_factory=Point)
    """Which point of a curve counts."""
    direction: str | None = None
    """``maximize`` or ``minimize``, which decides what is the best point; None goes by names."""
    missing: str | None = None
    """One of ``Missing``; None is the usual rule: nan and inf diverged, empty cells and failed
    runs are left out."""
    allowed: tuple[str, ...] = ()
    """Columns that may differ between the runs of an arm."""
    settled: tuple[str, ...] = ()
    """Columns that a filter looked at."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an arm: its result at its place in the table."""

    number: Printed
    line: int
    column: str
    """The column it stands in, or what tells it from the others of its arm."""
    seed: int | None = None


class Runs:
    """The runs of an arm with a result: their numbers, and each run when it is asked for.

    Of a million runs a ranking needs the values and the seeds alone.
    """

    def __init__(
        self,
        values: Sequence[float],
        seeds: Sequence[int | None],
        run: Callable[[int], Run],
    ) -> None:
        """Take value and seed of each run, and what returns a run by its place among them."""
        self.values = values
        self.seeds = seeds
        self._run = run

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Runs:
        """Return runs that are there already."""
        values = [float(run.number.value) for run in runs]
        return cls(values, [run.seed for run in runs], runs.__getitem__)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.values)

    def __iter__(self) -> Iterator[Run]:
        """Give each run."""
        return map(self._run, range(len(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """An arm as the table has it."""

    name: str
    runs: Runs
    """Runs with a result, in the order of the table; none in a table of summaries."""
    diverged: tuple[int | None, ...] = ()
    """The seed of each run that diverged."""
    mean: Printed | None = None
    """The mean as printed."""
    sd: Printed | None = None
    """The standard deviation as printed."""
    count: int | None = None
    """The number of runs as printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A table as it was read."""

    layout: Layout
    arms: tuple[Arm, ...]
    metric: str
    """What the results are: the name of their column, unless something says it better."""
    by: tuple[str, ...]
    """Columns that make the arms."""
    arms_in: str
    """Where the arms stand, in words."""
    seeds_in: str | None
    """Where the repetitions are numbered, in words; None where nothing numbers them."""
    results_in: str | None = None
    """The column of results; None where there are several."""
    seed_by: str | None = None
    """The column that numbers the repetitions."""
    folds: str | None = None
    """What numbers the repetitions, where by its heading it is a fold of a cross-validation."""
    run_columns: tuple[str, ...] | None = None
    """Headings of the runs where columns are runs."""
    mean_column: str | None = None
    """Column or row of the printed means."""
    sd_column: str | None = None
    """Column or row of the printed SDs."""
    count_column: str | None = None
    """Column of the printed numbers of runs."""
    point: Point | None = None
    """Which point of each curve was taken; None where there were no curves."""
    left_out: tuple[str, ...] = ()
    """Columns, rows and runs that do not count, a phrase each."""
    notes: tuple[str, ...] = ()
    """Remarks, a sentence each."""

    @property
    def value_columns(self) -> tuple[str, ...]:
        """Headings of the runs where columns are runs; else what tells the runs of an arm apart."""
        if self.run_columns is not None:
            return self.run_columns
        return tuple(dict.fromkeys(run.column for arm in self.arms for run in arm.runs))


def quoted(names: Sequence[str], most: int = 6) -> str:
    """Return names for a sentence, the first few of many."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
