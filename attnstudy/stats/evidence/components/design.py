"""Which runs share what, and which variances that lets be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from attnstudy.stats.evidence.components.results import Name
from attnstudy.stats.samples import Floats

RANDOM: tuple[Name, ...] = ("task", "seed", "arm x task")
_DEPENDENT = 1e-9
"""Share of a component's own size in the MINQUE matrix that is taken for rounding."""


class Value(NamedTuple):
    """The value of one run."""

    arm: str
    task: str | None
    """What it was run on; None where all runs were run on the same."""
    seed: int | None
    """None where nobody knows: a seed that no other run has."""
    value: float
    """In the metric's unit."""


def several_tasks(runs: Sequence[Value]) -> bool:
    """Whether the runs are of more than one task."""
    return len({run.task for run in runs}) > 1


def groups(runs: Sequence[Value], name: str) -> list[Any]:
    """Return for each run which level of a source it has."""
    if name == "task":
        return [run.task for run in runs]
    if name == "arm x task":
        return [(run.arm, run.task) for run in runs]
    # a run whose seed nobody knows has one of its own
    return [
        (run.task, f"run {place}" if run.seed is None else run.seed)
        for place, run in enumerate(runs)
    ]


def levels_of(runs: Sequence[Value]) -> dict[str, int]:
    """Return how many levels each source has."""
    return {"residual": len(runs)} | {name: len(set(groups(runs, name))) for name in RANDOM}


def _indicators(levels: Sequence[Any]) -> Floats:
    """Return the columns (runs, levels) that are 1 where a run has a level."""
    order = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    columns = np.zeros((len(levels), len(order)))
    columns[np.arange(len(levels)), [order[level] for level in levels]] = 1.0
    return columns


def identified(runs: Sequence[Value]) -> tuple[Name, ...]:
    """Return the sources whose variances the runs can tell from each other and from the residual.

    Variances v_k of y = X b + sum Z_k u_k are identified by residual contrasts if and only if the
    matrix tr(M V_i M V_j), with V_k = Z_k Z_k' and M the projection off X, is regular (Rao,
    "Estimation of variance and covariance components: MINQUE theory", J. Multivar. Anal. 1 (1971)
    257-275). Sources are taken in as long as it stays so; the residual, with V = I, is the first.
    """
    if not runs:
        return ()
    arms = _indicators([run.arm for run in runs])
    basis = arms / np.sqrt(arms.sum(axis=0))  # orthonormal: arms do not share a run

    def off(columns: Floats) -> Floats:
        within: Floats = columns - basis @ (basis.T @ columns)
        return within

    freedom = len(runs) - arms.shape[1]
    if freedom < 1:
        return ()
    columns = {name: _indicators(groups(runs, name)) for name in RANDOM}
    projected = {name: off(one) for name, one in columns.items()}
    taken: tuple[Name, ...] = ()
    for name in RANDOM:
        tried = (*taken, name)
        size = len(tried)
        matrix = np.empty((size + 1, size + 1))
        matrix[size, size] = freedom
        for i, one in enumerate(tried):
            matrix[i, size] = matrix[size, i] = (projected[one] ** 2).sum()
            for j, other in enumerate(tried):
                matrix[i, j] = ((columns[one].T @ projected[other]) ** 2).sum()
        if (projected[name] ** 2).sum() <= _DEPENDENT * columns[name].sum():
            continue  # the arms' means take all of it
        scale = np.sqrt(matrix.diagonal())
        if np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] > _DEPENDENT:
            taken = tried
    return (*taken, "residual")


def arms_of(runs: Sequence[Value]) -> list[str]:
    """Return the arms in the order of the runs."""
    return list(dict.fromkeys(run.arm for run in runs))
