"""Tables that a program hands over: pandas and polars frames, groups, and mappings of lists."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.cells import UNCLEAR, clip, gap_of, is_number
from attnstudy.tables.grid import Grid, grid_of
from attnstudy.tables.header_rows import refuse_groups
from attnstudy.tables.layouts.shape import JOINT
from attnstudy.tables.seeds import whole_seed


def grid_of_parquet(path: Path, name: str) -> Grid:
    """Return the table of a parquet file.

    Raises:
        DataError: it is none.
        FileNotFoundError: it is not there.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{name} cannot be read as a table: {reason}") from error
    columns = [column.to_pylist() for column in table.columns]
    # parquet has null for a cell that is empty, so that NaN is a number
    cells = [_texts(column, unclear=False) for column in columns]
    return grid_of(table.column_names, cells, name)


ARM, SEED, VALUE = "arm", "seed", "value"
"""Columns of the table that named runs are turned into."""


def grid_of_data(data: Any) -> Grid:
    """Return the table of a frame, of a group of one column, or of arms with their runs.

    Raises:
        UsageError: the data are something else, or two of their names are one as text.
        DataError: they have no rows.

    """
    if is_named_runs(data):
        return _grid_of_runs(data.items())
    columns = _columns(data)
    if columns is not None:
        names = [name for name, _, _ in columns]
        _refuse_twice([name for name in names if name], "column")
        cells = [_texts(values, unclear=unclear) for _, values, unclear in columns]
        return grid_of(names, cells, "the data")
    groups = _groups(data)
    if groups is None:
        raise UsageError(
            f"a {type(data).__name__} cannot be ranked: give a pandas or polars DataFrame, a "
            "groupby of one column, or a mapping from arms to lists of values"
        )
    return groups


def name_of_column(name: Any) -> str:
    """Return what a column of a frame is called in its table."""
    if isinstance(name, tuple):  # of several levels, as pandas has them
        return " ".join(str(part) for part in name if str(part))
    return str(name)


def is_named_runs(data: Any) -> bool:
    """Whether data are arms by name with their values, by seed or in a list."""
    return isinstance(data, Mapping) and all(
        isinstance(values, Iterable) and not isinstance(values, str | bytes)
        for values in data.values()
    )


def name_of_group(data: Any) -> str | None:
    """Return the name of the one column that a pandas groupby has; None where it is none."""
    if not _is_column_group(data):
        return None
    name = data.obj.name
    return VALUE if name is None else name_of_column(name)


def is_by_seed(values: Any) -> bool:
    """Whether the values of an arm are by seed; a pandas Series has keys too, and is a list."""
    return isinstance(values, Mapping)


def _is_column_group(data: Any) -> bool:
    return _module_of(data) == "pandas" and type(data).__name__ == "SeriesGroupBy"


def _refuse_twice(names: Sequence[str], what: str) -> None:
    """Refuse names that are one as text, as 1 and "1" are."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(
            f"two {what}s of the data are called {clip(twice[0])!r}: give every {what} its own name"
        )


def _grid_of_runs(given: Iterable[tuple[Any, Any]], *, unclear: bool = False) -> Grid:
    """Return a table with a row per run; ``unclear``: NaN may be an empty cell.

    Raises:
        UsageError: there are none, some arms have seeds and others do not, or the names are those
            of columns.

    """
    arms = list(given)
    _refuse_twice([_name_of(arm) for arm, _ in arms], "arm")
    # what can be read only once, as a generator, is read here
    runs = {
        _name_of(arm): dict(values) if is_by_seed(values) else _listed(_name_of(arm), values)
        for arm, values in arms
    }
    pandas = {_name_of(arm) for arm, values in arms if unclear or _module_of(values) == "pandas"}
    if not runs:
        raise UsageError("there is nothing to rank: give at least one arm with its runs")
    empty = [arm for arm, values in runs.items() if not values]
    if empty:
        raise UsageError(f"arm {empty[0]!r} has no values: leave it out, or run it first")
    by_seed = {arm: values for arm, values in runs.items() if isinstance(values, dict)}
    lists = {arm: values for arm, values in runs.items() if isinstance(values, list)}
    if by_seed and lists:
        raise UsageError("some arms have their values by seed and others in a list: choose one")
    _refuse_columns(lists)
    if by_seed:
        rows = [
            (arm, _text(seed, unclear=False), _result(arm, value, unclear=False))
            for arm, values in by_seed.items()
            for seed, value in values.items()
        ]
        return grid_of([ARM, SEED, VALUE], list(zip(*rows, strict=True)), "the data")
    runs_of = [
        (arm, _result(arm, value, unclear=arm in pandas))
        for arm, values in lists.items()
        for value in values
    ]
    return grid_of([ARM, VALUE], list(zip(*runs_of, strict=True)), "the data")


def _listed(arm: str, values: Any) -> list[Any]:
    if hasattr(values, "columns"):
        raise UsageError(
            f"arm {clip(arm)!r} has a whole table: choose the column of results, as in "
            "frame['accuracy']"
        )
    if getattr(values, "ndim", 1) == 0:
        raise UsageError(f"arm {clip(arm)!r} has a single number: give a list of its runs")
    return list(values)


def _result(arm: str, value: Any, *, unclear: bool) -> str:
    """Return a run's result as a cell.

    Raises:
        UsageError: it is not one number.

    """
    if getattr(value, "ndim", 0) or isinstance(value, list | tuple | dict | set):
        raise UsageError(
            f"arm {clip(arm)!r} has several values where a run has one: give one number per run; "
            "of an array with a row per run and a column per task, choose one: scores[:, 0]"
        )
    return _text(value, unclear=unclear)


def _refuse_columns(runs: Mapping[str, Sequence[Any]]) -> None:
    """Refuse a mapping whose keys are the columns of a table, as {"seed": [0, 1], ...}."""
    for name, values in runs.items():
        counts = headings.is_seed(name) or headings.is_fold(name, (0,)) or headings.is_step(name)
        numbered = all(whole_seed(value) is not None for value in values)
        texts = all(isinstance(v, str) and not is_number(v) and gap_of(v) is None for v in values)
        if (counts and numbered) or texts:
            raise UsageError(
                f"the mapping looks like the columns of a table ({clip(name)} is no arm): give "
                "pandas.DataFrame(...) of it, or a mapping from arms to lists of values"
            )


def _groups(data: Any) -> Grid | None:
    """Return the table of a pandas or polars group; the fields it groups by make the arms."""
    module = _module_of(data)
    if _is_column_group(data):
        groups = list(data)
        lost = len(data.obj) - sum(len(series) for _, series in groups)
        if lost:
            raise UsageError(
                f"the groupby leaves out {lost} row{'s' * (lost > 1)} without a key: fill the key "
                "in, or drop the rows first"
            )
        return _grid_of_runs(((key, series.tolist()) for key, series in groups), unclear=True)
    if module in ("pandas", "polars") and "GroupBy" in type(data).__name__:
        raise UsageError(
            "a groupby of whole rows does not say which column holds the results: choose it, as in "
            "frame.groupby('method')['accuracy'], or give the frame with by= and metric="
        )
    return None


def _name_of(key: Any) -> str:
    return JOINT.join(map(str, key)) if isinstance(key, tuple) else str(key)


def _module_of(data: Any) -> str:
    return type(data).__module__.partition(".")[0]


def _columns(data: Any) -> list[tuple[str, list[Any], bool]] | None:
    """Return name and values of each column, and whether NaN in it may be an empty cell."""
    module = _module_of(data)
    if module == "polars" and hasattr(data, "collect_schema") and hasattr(data, "collect"):
        data = data.collect()
    if module == "polars" and hasattr(data, "get_columns"):
        return [(column.name, column.to_list(), False) for column in data.get_columns()]
    if module == "pandas" and hasattr(data, "columns") and hasattr(data, "dtypes"):
        parts = [[str(part) for part in name] for name in data.columns if isinstance(name, tuple)]
        refuse_groups([(" ".join(above), below) for *above, below in parts], "the data")
        return [
            *_index_columns(data),
            *(
                (
                    name_of_column(name),
                    _values(series.tolist()),
                    getattr(series.dtype, "kind", "") == "f",
                )
                for name, series in data.items()
            ),
        ]
    return None


def _index_columns(frame: Any) -> Iterator[tuple[str, list[Any], bool]]:
    """Give the columns that the index of a pandas frame holds: not one that counts the rows."""
    columns = {name_of_column(name) for name in frame.columns}
    for level, given in enumerate(frame.index.names):
        values = frame.index.get_level_values(level).tolist()
        name = "" if given is None else name_of_column(given)
        if given is None and all(isinstance(value, Integral) for value in values):
            continue
        if name in columns and _values(frame[given].tolist()) == values:
            continue  # as set_index(..., drop=False) leaves it
        yield name, _values(values), False


def _values(values: list[Any]) -> list[Any]:
    """Return the values of a column, in which NaN among texts is an empty cell."""
    if not any(isinstance(value, str) for value in values):
        return values
    return [None if isinstance(v, float) and math.isnan(v) else v for v in values]


def _texts(values: Sequence[Any], *, unclear: bool) -> list[str]:
    """Return a column as the cells of a table; whole numbers without the decimals of floats."""
    cells = [_text(value, unclear=unclear) for value in values]
    numbers = [cell for cell, value in zip(cells, values, strict=True) if _is_float(value)]
    if all(cell.endswith(".0") for cell in numbers if any(map(str.isdecimal, cell))):
        return [
            cell.removesuffix(".0") if _is_float(value) and cell is not UNCLEAR else cell
            for cell, value in zip(cells, values, strict=True)
        ]
    return cells


def _is_float(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, Integral)


def _text(value: Any, *, unclear: bool) -> str:
    """Return a value as the cell of a table; numbers with every digit."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        number = float(value)
        if math.isnan(number):
            return UNCLEAR if unclear else "nan"
        return repr(number)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # an array, or one element of it
        return _text(value.tolist(), unclear=unclear)
    return str(value)
