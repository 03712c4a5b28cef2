"""``attnstudy.rank``: ranking what a program has in hand, read as the command reads a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, get_args

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats import Ranking
from attnstudy.stats.tasks import Question, TaskRanking
from attnstudy.stats.vocabulary import Direction
from attnstudy.tables.asked import Layout, Missing
from attnstudy.tables.points import point_of
from attnstudy.usecases.ranking import RankRequest
from attnstudy.usecases.ranking import rank as rank_request
from attnstudy.usecases.ranking.tasks import TaskRankRequest, rank_by_task
from attnstudy.usecases.sources import TableRequest
from attnstudy.usecases.sources.frames import (
    ARM,
    SEED,
    VALUE,
    grid_of_data,
    is_by_seed,
    is_named_runs,
    name_of_column,
    name_of_group,
)

_NAMES = {
    "direction": get_args(Direction),
    "layout": get_args(Layout),
    "missing": get_args(Missing),
}
"""What the options of some names may be."""


def rank(  # noqa: PLR0913 - the options of the command, by keyword
    data: Any,
    *,
    by: str | Sequence[str] | None = None,
    seed: str | None = None,
    metric: str | None = None,
    layout: str | None = None,
    filters: str | Sequence[str] = (),
    allow_differences: str | Sequence[str] = (),
    at: str | None = None,
    of: str | None = None,
    missing: str | None = None,
    folds: tuple[int, int] | None = None,
    direction: Direction | None = None,
    items: int | None = None,
    alpha: float | None = None,
    correction: str | None = None,
    control: str | None = None,
    paired: bool | None = None,
    margin: float | None = None,
    looks: Sequence[int] | None = None,
) -> Ranking:
    """Rank arms by the distribution of a metric over seeds, with error control.

    Args:
        data: a pandas or polars DataFrame; a groupby of one column; or a mapping from arms to
            their values, in a list or by seed.
        by: columns that make an arm; None decides by what the table shows.
        seed: the column of seeds; None takes the one that is called so.
        metric: the column of results; for a mapping and for columns of arms or runs, what the
            values are.
        layout: ``rows-are-runs``, ``columns-are-arms`` or ``columns-are-runs``, where the table
            leaves it open.
        filters: rows to rank, as ``"split=eval"``.
        allow_differences: columns that may differ between the runs of an arm.
        at: ``last``, ``best`` or ``step=100``: which point of a curve counts.
        of: the metric whose best step ``best`` takes.
        missing: ``diverged``, ``absent`` or ``refuse``: what runs without a finite value are.
        folds: training and test items of a fold, where the repetitions are folds of a
            cross-validation.
        direction: ``maximize`` or ``minimize``; None goes by the name of the metric.
        items: test items behind an accuracy in percent.
        alpha: family-wise error rate; 0.05 unless given.
        correction: ``games-howell`` (the default) or ``holm``.
        control: compare all others with this arm only.
        paired: compare seed by seed.
        margin: largest difference that does not matter, in the metric's unit.
        looks: declared looks, in seeds per arm.

    Raises:
        UsageError: an option makes no sense for the data, a column is not there, or the data can
            be read in several ways; the message says which and what settles it.
        DataError: the data hold no results, or a value cannot be right.

    Examples:
        >>> import attnstudy
        >>> accuracies = {"base": [91.1, 91.3, 91.2, 91.0], "ours": [92.1, 92.4, 92.2, 92.3]}
        >>> attnstudy.rank(accuracies, metric="accuracy").verdict
        'a full ranking is defensible: ours > base'

    """
    _check_names({"direction": direction, "layout": layout, "missing": missing})
    _check_numbers({"alpha": alpha, "margin": margin})
    _check_texts({"at": at, "of": of})
    if paired is not None and not isinstance(paired, bool):
        raise UsageError(f"paired is {paired!r}: give True or False")
    columns: dict[str, Any] = {
        "by": _columns("by", by),
        "seed_by": _column("seed", seed),
        "metric": _column("metric", metric),
    }
    group, named = name_of_group(data), None
    if group is not None or is_named_runs(data):
        _refuse_for_runs(
            {"by": by, "seed": seed, "layout": layout}, "mapping" if group is None else "groupby"
        )
        named = _name(columns["metric"], group)
        seeded = group is None and any(map(is_by_seed, data.values()))
        columns = {"by": (ARM,), "seed_by": SEED if seeded else None, "metric": VALUE}
    source = TableRequest(
        sources=(grid_of_data(data),),
        named=named,
        layout=layout,
        filters=_columns("filters", filters),
        allowed=_columns("allow_differences", allow_differences),
        point=point_of(at, of),
        missing=missing,
        direction=direction,
        items=_items(items),
        **columns,
    )
    given = {
        "alpha": alpha,
        "correction": correction,
        "control": None if control is None else str(control),
        "paired": paired,
        "margin": margin,
        "looks": _looks(looks),
    }
    said = {name: value for name, value in given.items() if value is not None}
    return rank_request(
        RankRequest(
            source=source, said=said, look=None, claims=(), calibrate=False, folds=_folds(folds)
        )
    ).ranking


def rank_tasks(  # noqa: PLR0913 - the options of the command, by keyword
    data: Any,
    *,
    task: str,
    tasks: Question | None = None,
    by: str | Sequence[str] | None = None,
    seed: str | None = None,
    metric: str | None = None,
    layout: str | None = None,
    filters: str | Sequence[str] = (),
    allow_differences: str | Sequence[str] = (),
    missing: str | None = None,
    direction: Direction | None = None,
    directions: Mapping[str, Direction] | None = None,
    scale: str | None = None,
    weights: Mapping[str, float] | None = None,
    alpha: float | None = None,
    correction: str | None = None,
    control: str | None = None,
    margin: float | None = None,
) -> TaskRanking:
    """Rank arms over several tasks: on each, on average over these, on a new one like these.

    Args:
        data: a pandas or polars DataFrame.
        task: the column that says on which task (dataset) a run was made.
        tasks: ``each``, ``average`` or ``new``: whose answer is the verdict; None gives all three.
        by: columns that make an arm; None decides by what the table shows.
        seed: the column of seeds; None takes the one that is called so.
        metric: the column of results.
        layout: ``rows-are-runs``, ``columns-are-arms`` or ``columns-are-runs``, where the table
            leaves it open.
        filters: rows to rank, as ``"split=eval"``.
        allow_differences: columns that may differ between the runs of an arm.
        missing: ``diverged``, ``absent`` or ``refuse``: what runs without a finite value are.
        direction: ``maximize`` or ``minimize``; None goes by the name of the metric.
        directions: the same for tasks on which it differs.
        scale: ``metric`` or ``sd``: what differences over tasks are in; None decides by the metric.
        weights: of the tasks in the average; None weighs all alike.
        alpha: family-wise error rate; 0.05 unless given.
        correction: ``games-howell`` (the default) or ``holm``.
        control: compare all others with this arm only.
        margin: largest difference that does not matter, in the unit of the differences.

    Raises:
        UsageError: an option makes no sense for the data, or the data can be read in several
            ways; the message says which and what settles it.
        DataError: the data hold no results, or a value cannot be right.

    Examples:
        >>> import attnstudy, pandas as pd
        >>> rows = [(t, arm, s, 60 + 5 * i + 2 * (arm == "ours") + 0.1 * s)
        ...         for i, t in enumerate("abcdef") for arm in ("base", "ours") for s in range(3)]
        >>> frame = pd.DataFrame(rows, columns=["dataset", "model", "seed", "accuracy"])
        >>> attnstudy.rank_tasks(frame, task="dataset", tasks="average").verdict
        'on average over these tasks: ours > base'

    """
    _check_names({"direction": direction, "layout": layout, "missing": missing})
    _check_numbers({"alpha": alpha, "margin": margin})
    if isinstance(data, Mapping) or name_of_group(data) is not None:
        raise UsageError("several tasks come as a table with a column of tasks: give a data frame")
    column = _column("task", task)
    if column is None:
        raise UsageError("task is None: name the column that says on which task a run was made")
    given = {
        "alpha": alpha,
        "correction": correction,
        "control": None if control is None else str(control),
        "margin": margin,
    }
    request = TaskRankRequest(
        source=TableRequest(
            sources=(grid_of_data(data),),
            by=_columns("by", by),
            seed_by=_column("seed", seed),
            metric=_column("metric", metric),
            layout=layout,
            filters=_columns("filters", filters),
            allowed=_columns("allow_differences", allow_differences),
            missing=missing,
            direction=direction,
        ),
        said={name: value for name, value in given.items() if value is not None},
        task_by=column,
        question=tasks,
        scale=scale,
        weights=_weights(weights),
        directions=_directions(directions),
    )
    return rank_by_task(request).ranking


def _weights(given: Any) -> dict[str, float]:
    """Return the weights of tasks by name."""
    weights = _by_task("weights", given, "{'cifar10': 2.0}")
    for task, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, Real):
            raise UsageError(f"weights[{task!r}] is {weight!r}: give a number")
    return {task: float(weight) for task, weight in weights.items()}


def _directions(given: Any) -> dict[str, Any]:
    """Return which way is better on tasks, by name."""
    directions = _by_task("directions", given, "{'wikitext': 'minimize'}")
    for task, way in directions.items():
        if way not in _NAMES["direction"]:
            raise UsageError(
                f"directions[{task!r}] is {way!r}: give "
                f"{' or '.join(map(repr, _NAMES['direction']))}"
            )
    return directions


def _by_task(option: str, given: Any, example: str) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"{option} is {given!r}: give it by task, as in {example}")
    return {str(task): value for task, value in (given or {}).items()}


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuse what the command refuses, in the same words."""
    for name, value in given.items():
        if value is not None and value not in _NAMES[name]:
            raise UsageError(
                f"invalid value for {name}: {value!r} is not one of "
                f"{', '.join(map(repr, _NAMES[name]))}{near_miss(str(value), _NAMES[name])}"
            )


def _check_numbers(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise UsageError(f"{name} is {value!r}: give a number")


def _check_texts(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{name} is {value!r}: give a text")


def _refuse_for_runs(given: Mapping[str, Any], what: str) -> None:
    """Refuse what would say nothing of runs that come by the names of their arms."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(
                f"{name}= is for tables, and a {what} has its arms already: leave it out"
            )


def _name(metric: str | None, group: str | None) -> str | None:
    """Return what the results are called: as the column of a groupby, where it has a name."""
    if metric is not None and group not in (None, VALUE, metric):
        raise UsageError(
            f"metric is {metric!r}, and the groupby is of the column {group!r}: leave metric out, "
            f"or group {metric!r}"
        )
    return metric or group


def _columns(option: str, given: Any) -> tuple[str, ...]:
    """Return names of columns, which pandas also has as numbers."""
    if given is None:
        return ()
    several = isinstance(given, Iterable) and not isinstance(given, str)
    return tuple(name for one in (given if several else (given,)) if (name := _column(option, one)))


def _column(option: str, given: Any) -> str | None:
    if given is None:
        return None
    name = name_of_column(given)
    if not name.strip():
        raise UsageError(f"{option} is empty: give a name, or leave it out")
    return name


def _items(items: Any) -> int | None:
    if items is not None and not (_is_whole(items) and items > 0):
        raise UsageError(f"items is {items!r}: give a whole number above 0")
    return None if items is None else int(items)


def _looks(looks: Any) -> tuple[int, ...] | None:
    if looks is None:
        return None
    given = list(looks) if isinstance(looks, Iterable) else [None]
    if not all(map(_is_whole, given)):
        raise UsageError(f"looks are {looks!r}: give seeds per arm, as in [5, 10, 20]")
    return tuple(int(one) for one in given if one is not None)


def _folds(folds: Any) -> tuple[int, int] | None:
    if folds is None:
        return None
    pair = list(folds) if isinstance(folds, Iterable) and not isinstance(folds, str) else []
    if len(pair) != 2 or not all(_is_whole(n) and n > 0 for n in pair):
        raise UsageError(
            f"{folds!r} is not training and test items: write (900, 100) for folds with 900 "
            "training and 100 test items"
        )
    return int(pair[0]), int(pair[1])


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
