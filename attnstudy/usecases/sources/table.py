"""Samples from a table: a CSV or parquet file, or standard input.

Two forms are understood: *long*, one row a run, with a column of variants, one of values and
perhaps one of seeds; and *wide*, one row a variant, every other column of numbers a run.
"""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.stats.headings import NAMES, Role, common_stem, less_is_better, roles
from attnstudy.usecases.sources.collected import Collected, direction_of

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


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
        UsageError: the file, or a column that was named, is not there.
    """
    frame = _read(request.source)
    frame.columns = [str(column).strip() for column in frame.columns]
    named = [column for column in frame.columns if column]
    if len(set(named)) < len(named):
        raise DataError(f"{request.source} has two columns of one name: give each its own")
    variant = _variant_column(frame, request.by)
    # an index, as pandas writes it, has no heading
    frame = frame.loc[:, [bool(column) or column == variant for column in frame.columns]]
    for line, name in frame[variant].items():
        if not str(name).strip():
            raise DataError(f"{request.source}: line {line} names no variant in column {variant!r}")
    others = [column for column in frame.columns if column != variant]
    seeds = _seed_column(others, request.seed_by)
    repeated = bool(frame[variant].duplicated().any())
    if repeated or seeds is not None or request.metric in others:
        return _long(frame, request, variant, seeds)
    return _wide(frame, request, variant)


def _read(source: str) -> pd.DataFrame:
    """Return the table, every cell of it a text; what is missing is an empty one."""
    import pandas as pd

    name = "standard input" if source == "-" else source
    try:
        if source != "-" and source.endswith((".parquet", ".pq")):
            frame = pd.read_parquet(source)
            frame = frame.astype(object).where(frame.notna(), "").astype(str)
            frame.index = pd.RangeIndex(2, len(frame) + 2)  # as lines of a CSV
        else:
            raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
            frame = _read_text(raw.decode("utf-8-sig"), name)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {name}: name a CSV or parquet file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not text in UTF-8: save it as CSV in UTF-8") from error
    except (ValueError, OSError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{name} cannot be read as a table: {reason}") from error
    if frame.empty or len(frame.columns) < 2:
        raise DataError(f"{name} is no table of runs: give a column of variants and one of values")
    return frame


def _read_text(text: str, name: str) -> pd.DataFrame:
    """Return the table of a CSV text; a row of another length than the header is refused."""
    import pandas as pd

    head = text.lstrip().partition("\n")[0]
    separator = max(("\t", ";", ","), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise ValueError(error) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise DataError(f"{name} cannot be read as a table: it is empty")
    header = rows[0][1]
    while header and not header[-1]:
        header.pop()
    cells = []
    for line, row in rows[1:]:
        beyond = row[len(header) :]
        if len(row) < len(header) or any(beyond):
            raise DataError(
                f"{name}: line {line} has {len(row)} cell{'s' * (len(row) != 1)} where the header "
                f"has {len(header)}: give every row one cell a column"
            )
        cells.append(row[: len(header)])
    frame = pd.DataFrame(cells, columns=header, index=[line for line, _ in rows[1:]], dtype=str)
    if separator != ",":  # the comma is free to be a decimal mark
        frame = frame.map(_with_point)
    return frame


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if re.fullmatch(r"[+-]?\d*,\d+\s*%?", cell) else cell


def _variant_column(frame: pd.DataFrame, asked: str | None) -> str:
    columns = list(frame.columns)
    if asked is not None:
        return _existing(asked, columns)
    usual = {column.casefold(): column for column in reversed(columns)}
    found = next((usual[name] for name in NAMES if name in usual), None)
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
    for row, name, value in zip(frame.index, frame[variant], frame[metric], strict=True):
        number = _number(value, request.source, row, metric)
        if seeds is None:
            values = samples.setdefault(str(name), [])
            if isinstance(values, list):
                values.append(number)
            continue
        seed = _seed(frame[seeds].loc[row], request.source, row)
        by_seed = samples.setdefault(str(name), {})
        if isinstance(by_seed, dict):
            if seed in by_seed:
                raise DataError(
                    f"{request.source}: seed {seed} of {name} appears twice (again in line {row}): "
                    "keep one of the two"
                )
            by_seed[seed] = number
    return _collected(request, samples, metric, ())


def _wide(frame: pd.DataFrame, request: TableRequest, variant: str) -> Collected:
    others = [column for column in frame.columns if column != variant]
    numeric = [name for name in others if any(_is_number(value) for value in frame[name])]
    notes = []
    if request.metric is not None:
        if near_miss(request.metric, others):
            _existing(request.metric, others)
        notes.append(
            f"the table has no column {request.metric} but one row a variant, so every column is "
            f"taken for a run and {request.metric} for what they hold"
        )
    notes += [
        f"column {name} was left out: it holds no numbers" for name in others if name not in numeric
    ]
    found = dict(zip(numeric, roles(numeric), strict=True))
    columns = [name for name, role in found.items() if role is Role.VALUE]
    notes += [
        f"column {name} was left out: it is a summary, not a run"
        if role in (Role.MEAN, Role.SD)
        else f"column {name} was left out: by its heading it holds no values of runs"
        for name, role in found.items()
        if role is not Role.VALUE
    ]
    summary = any(role in (Role.MEAN, Role.SD, Role.COUNT) for role in found.values())
    if not columns or (len(columns) == 1 and summary):
        raise DataError(
            f"{request.source} has no column of runs: a ranking needs the values, not their summary"
        )
    samples: dict[str, list[float]] = {}
    for line, (_, row) in zip(frame.index, frame.iterrows(), strict=True):
        name = str(row[variant])
        filled = [column for column in columns if row[column]]
        if not filled:
            raise DataError(f"{request.source}: the row {name!r} holds no value: fill or remove it")
        if len(filled) < len(columns):
            notes.append(
                f"{name} has {len(filled)} of {len(columns)} values; the empty cells are left out"
            )
        samples[name] = [_number(row[column], request.source, line, column) for column in filled]
    stem = common_stem(columns)
    metric = request.metric or (stem if less_is_better(stem) else "test_accuracy")
    return _collected(request, samples, metric, tuple(notes))


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


def _is_number(value: str) -> bool:
    return bool(_NUMBER.fullmatch(_bare(value))) or _bare(value).lower() in ("nan", "inf", "-inf")


def _bare(value: str) -> str:
    return value.strip().removesuffix("%").rstrip()


def _number(value: str, source: str, row: int, column: str) -> float:
    text = _bare(value)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        advice = (
            "correct it; if the run diverged, leave it out and report it beside the ranking, as a "
            "table cannot count diverged runs"
        )
        if re.fullmatch(r"[+-]?\d[\d_,.' ]*", text):
            advice = "write a point as decimal mark and nothing between thousands"
        raise DataError(
            f"{source}: {column} in line {row} is {value!r}, which is not a finite number: {advice}"
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
