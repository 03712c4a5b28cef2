"""Samples from a table: a CSV or parquet file, or standard input.

Two forms are understood: *long*, one row a run, with a column of variants, one of values and
perhaps one of seeds; and *wide*, one row a variant, every other column of numbers a run.
"""

from __future__ import annotations

import io
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.usecases.sources.collected import Collected, direction_of

if TYPE_CHECKING:
    import pandas as pd

VARIANT_NAMES = ("variant", "model", "method", "arm", "algorithm", "system", "name")
SUMMARY_WORDS = frozenset({"mean", "average", "avg", "sd", "std", "stdev", "stddev"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """A table to rank."""

    source: str
    """A path, or ``-`` for standard input."""
    metric: str | None
    """The column of values of a long table; none takes the only one there is."""
    direction: str | None
    by: str | None = None
    """The column of variants; none takes the first one with a usual name."""
    seed_by: str | None = None
    """The column of seeds of a long table; none takes ``seed``, if there is one."""
    items: int | None = None


def collect_table(request: TableRequest) -> Collected:
    """Read a table and return its samples.

    Raises:
        DataError: the file cannot be read, or is no table.
        UsageError: a column that was named is not there.
    """
    frame = _read(request.source)
    frame.columns = [str(column).strip() for column in frame.columns]
    variant = _variant_column(frame, request.by)
    others = [column for column in frame.columns if column != variant]
    seeds = _seed_column(others, request.seed_by)
    repeated = bool(frame[variant].duplicated().any())
    if repeated or seeds is not None or request.metric in others:
        return _long(frame, request, variant, seeds)
    return _wide(frame, request, variant)


def _read(source: str) -> pd.DataFrame:
    import pandas as pd

    name = "standard input" if source == "-" else source
    try:
        if source != "-" and source.endswith((".parquet", ".pq")):
            return pd.read_parquet(source)
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        text = raw.decode("utf-8-sig")
        head = text.partition("\n")[0]
        separator = max(("\t", ";", ","), key=head.count)
        frame = pd.read_csv(
            io.StringIO(text), sep=separator, dtype=str, keep_default_na=False,
            skipinitialspace=True, index_col=False, on_bad_lines="error",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise DataError(f"there is no file {name}: name a CSV or parquet file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not text in UTF-8: save it as CSV in UTF-8") from error
    except (ValueError, OSError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{name} cannot be read as a table: {reason}") from error
    if frame.empty or len(frame.columns) < 2:
        raise DataError(f"{name} is no table of runs: give a column of variants and one of values")
    if separator == ";":
        frame = frame.map(lambda cell: cell.replace(",", ".") if isinstance(cell, str) else cell)
    return frame


def _variant_column(frame: pd.DataFrame, asked: str | None) -> str:
    columns = list(frame.columns)
    if asked is not None:
        return _existing(asked, columns)
    usual = {column.casefold(): column for column in reversed(columns)}
    found = next((usual[name] for name in VARIANT_NAMES if name in usual), None)
    return found if found is not None else columns[0]


def _seed_column(columns: list[str], asked: str | None) -> str | None:
    if asked is not None:
        return _existing(asked, columns)
    return next((column for column in columns if column.casefold() == "seed"), None)


def _existing(name: str, columns: list[str]) -> str:
    if name not in columns:
        raise UsageError(
            f"the table has no column {name!r}{near_miss(name, columns)} "
            f"(there: {', '.join(columns)})"
        )
    return name


def _long(frame: pd.DataFrame, request: TableRequest, variant: str, seeds: str | None) -> Collected:
    columns = [column for column in frame.columns if column not in (variant, seeds)]
    if request.metric is not None:
        metric = _existing(request.metric, columns)
    elif len(columns) == 1:
        metric = columns[0]
    elif "test_accuracy" in columns:
        metric = "test_accuracy"
    else:
        raise UsageError(f"name the column of values with --metric: {', '.join(columns)}")
    samples: dict[str, dict[int, float] | list[float]] = {}
    for row, (name, value) in enumerate(zip(frame[variant], frame[metric], strict=True), start=2):
        number = _number(value, request.source, row, metric)
        if seeds is None:
            values = samples.setdefault(str(name), [])
            if isinstance(values, list):
                values.append(number)
            continue
        seed = _seed(frame[seeds].iloc[row - 2], request.source, row)
        by_seed = samples.setdefault(str(name), {})
        if isinstance(by_seed, dict):
            if seed in by_seed:
                raise UsageError(
                    f"{request.source}: seed {seed} of {name} stands twice (again in line {row}): "
                    "keep one of the two"
                )
            by_seed[seed] = number
    return _collected(request, samples, metric, ())


def _wide(frame: pd.DataFrame, request: TableRequest, variant: str) -> Collected:
    notes: list[str] = []
    columns: list[str] = []
    for column in frame.columns:
        if column == variant:
            continue
        words = set(column.casefold().replace("_", " ").replace("-", " ").split())
        if words & SUMMARY_WORDS:
            notes.append(f"column {column} was left out: it is a summary, not a run")
        elif any(_is_number(value) for value in frame[column]):
            columns.append(column)
        else:
            notes.append(f"column {column} was left out: it holds no numbers")
    if not columns:
        raise DataError(
            f"{request.source} has no column of runs: a ranking needs the values, not their summary"
        )
    samples = {
        str(name): [
            _number(value, request.source, row, column)
            for column in columns
            if str(value := frame[column].iloc[row - 2]).strip() not in ("", "nan", "None")
        ]
        for row, name in enumerate(frame[variant], start=2)
    }
    empty = next((name for name, values in samples.items() if not values), None)
    if empty is not None:
        raise DataError(f"{request.source}: the row {empty!r} holds no value: fill or remove it")
    return _collected(request, samples, request.metric or "test_accuracy", tuple(notes))


def _collected(
    request: TableRequest,
    samples: dict[str, list[float]] | dict[str, dict[int, float] | list[float]],
    metric: str,
    notes: tuple[str, ...],
) -> Collected:
    return Collected(
        samples=dict(samples),
        metric=metric,
        direction=direction_of(metric, request.direction),
        items=request.items,
        notes=notes,
    )


def _is_number(value: object) -> bool:
    try:
        float(str(value).strip().rstrip("%"))
    except ValueError:
        return False
    return True


def _number(value: object, source: str, row: int, column: str) -> float:
    text = str(value).strip().rstrip("%").strip()
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"{source}: {column} in line {row} is {str(value)!r}, which is not a finite number: "
            "mend it or remove the row"
        )
    return number


def _seed(value: object, source: str, row: int) -> int:
    try:
        number = float(str(value))
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise DataError(f"{source}: the seed in line {row} is {str(value)!r}, not a whole number")
