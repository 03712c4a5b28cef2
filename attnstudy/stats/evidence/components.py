"""Components of variance: how much of what runs differ by comes from where.

A value y of arm a, on task t, with seed s, is

    y = mean_a + task_t + (arm x task)_at + seed_ts + residual,

the arms fixed, everything else drawn independently, with mean 0 and a variance of its own; one
residual variance is taken for all arms. A seed is another draw on each task. The variances are
estimated by restricted maximum likelihood (Patterson and Thompson, "Recovery of inter-block
information when block sizes are unequal", Biometrika 58 (1971) 545-554), by statsmodels' MixedLM;
which of them a table can tell apart is decided by Rao's MINQUE matrix, see ``_identified``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats._codec import encode
from attnstudy.stats.samples import Floats

Name = Literal["task", "arm x task", "seed", "residual", "test items", "arm x test items"]

FEW = 5
"""Levels below which a component is hardly known: with four, even of a component that stands alone
the 95 % interval of its SD goes from 0.57 to 3.7 times the estimate (chi-squared, 3 degrees of
freedom)."""
_RANDOM: tuple[Name, ...] = ("task", "seed", "arm x task")
_ZERO = 1e-4
"""Of a log-likelihood: what a component has to add to it, so that it is more than zero."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What one source adds to the variance of a run's value."""

    name: Name
    """What is drawn anew."""
    variance: float
    """In the square of the metric's unit; 0 or more."""
    sd: float
    """Its square root, in the metric's unit."""
    share: float
    """Of the sum of all components that are told, from 0 to 1."""
    levels: int
    """How many it was estimated from: seeds, tasks, cells, runs or items."""
    remark: str | None
    """What to think of the number; None where there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A source that this design cannot tell from the others."""

    name: str
    """What it is."""
    reason: str
    """Why it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Where the variance of a run's value comes from, the differences between arms left out."""

    runs: int
    """Values that were used."""
    variance: float
    """Sum of the components: the variance of a value of an arm, were all of them drawn anew."""
    components: tuple[Component, ...]
    """Those that can be told."""
    untold: tuple[Untold, ...]
    """Those that cannot."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def require_statsmodels() -> None:
    """Refuse to go on without the package that fits.

    Raises:
        UsageError: it is not installed.

    """
    if find_spec("statsmodels") is None:
        raise UsageError(
            "components of variance need statsmodels: install it with "
            "pip install 'attnstudy[variance]'"
        )


def find_components(
    values: Sequence[tuple[str, str | None, int | None, float]],
    *,
    correct: Mapping[str, ArrayLike] | None = None,
    split: Literal["fixed", "by seed"] | None = None,
) -> Components:
    """Return the components of variance that these runs can tell apart.

    Args:
        values: arm, task, seed and value of each run, see ``Value``.
        correct: by arm, shape (runs, items): 1 where a run was right about a test item, the items
            in the same order everywhere. Of one task; the values are then accuracies, in percent
            or from 0 to 1.
        split: whether the runs share one split into training and validation data, or each seed
            draws its own; None where nobody knows.

    Raises:
        UsageError: statsmodels is not installed, a value is not finite, or the tables of correct
            answers do not fit each other.

    Example:
        >>> rows = [("a", None, 0, 1.0), ("b", None, 0, 2.0), ("a", None, 1, 3.0)]
        >>> rows += [("b", None, 1, 5.0), ("a", None, 2, 2.0), ("b", None, 2, 3.0)]
        >>> found = find_components(rows)
        >>> [(one.name, round(one.variance, 3), one.levels) for one in found.components]
        [('seed', 1.5, 3), ('residual', 0.167, 6)]

    """
    require_statsmodels()
    runs = [Value(*row) for row in values]
    if not all(math.isfinite(run.value) for run in runs):
        raise UsageError("a value is not finite: leave runs that diverged out")
    known = _identified(runs)
    variances, at_zero = _estimated(runs, known)
    on_items = _of_items(correct, runs) if correct and not _several_tasks(runs) else {}
    variances |= {name: variance for name, (variance, _) in on_items.items()}
    levels = _levels(runs) | {name: count for name, (_, count) in on_items.items()}
    at_zero |= {name for name, (variance, _) in on_items.items() if variance == 0.0}
    total = math.fsum(variances.values())
    return Components(
        runs=len(runs),
        variance=total,
        components=tuple(
            Component(
                name=name,
                variance=variance,
                sd=math.sqrt(variance),
                share=variance / total if total > 0.0 else 0.0,
                levels=levels[name],
                remark=_remark(name, levels[name], zero=name in at_zero),
            )
            for name, variance in variances.items()
        ),
        untold=tuple(_untold(runs, variances, split, predicted=bool(correct))),
    )


def components_words(found: Components) -> list[str]:
    """Return remarks on components, and why others are not told, a phrase each."""
    return [
        *(f"{one.name}: {one.remark}" for one in found.components if one.remark),
        *(f"not told: {one.name}: {one.reason}" for one in found.untold),
    ]


def _several_tasks(runs: Sequence[Value]) -> bool:
    return len({run.task for run in runs}) > 1


def _groups(runs: Sequence[Value], name: str) -> list[Any]:
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


def _levels(runs: Sequence[Value]) -> dict[str, int]:
    return {"residual": len(runs)} | {name: len(set(_groups(runs, name))) for name in _RANDOM}


def _indicators(levels: Sequence[Any]) -> Floats:
    """Return the columns (runs, levels) that are 1 where a run has a level."""
    order = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    columns = np.zeros((len(levels), len(order)))
    columns[np.arange(len(levels)), [order[level] for level in levels]] = 1.0
    return columns


def _identified(runs: Sequence[Value]) -> tuple[Name, ...]:
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
    columns = {name: _indicators(_groups(runs, name)) for name in _RANDOM}
    projected = {name: off(one) for name, one in columns.items()}
    taken: tuple[Name, ...] = ()
    for name in _RANDOM:
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


def _estimated(runs: Sequence[Value], known: Sequence[Name]) -> tuple[dict[Name, float], set[Name]]:
    """Return the variances by source, and the sources whose variance is estimated at zero."""
    if not known:
        return {}, set()
    spread = math.sqrt(_pooled_variance(runs))
    order: tuple[Name, ...] = ("task", "arm x task", "seed", "residual")
    if spread <= 1e-12 * max(abs(run.value) for run in runs):
        return {name: 0.0 for name in order if name in known}, set(known)
    random = tuple(name for name in known if name != "residual")
    found, likelihood = _fitted(runs, random, spread)
    zero: set[Name] = set()
    # at the border of what a variance can be a search creeps: without it the fit is exact
    for name in sorted(random, key=lambda one: found[one]):
        left = tuple(one for one in random if one not in zero and one != name)
        without, less = _fitted(runs, left, spread)
        if likelihood - less > _ZERO:
            break
        zero.add(name)
        found, likelihood = without, less
    return {name: found.get(name, 0.0) for name in order if name in known}, zero


def _pooled_variance(runs: Sequence[Value]) -> float:
    """Return the variance within the arms, that of all runs but for the arms' means."""
    by_arm: dict[str, list[float]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, []).append(run.value)
    squares = math.fsum(float(np.var(one)) * len(one) for one in by_arm.values())
    return squares / (len(runs) - len(by_arm))


def _fitted(
    runs: Sequence[Value], random: Sequence[Name], spread: float
) -> tuple[dict[Name, float], float]:
    """Return the variances by restricted maximum likelihood, and the log-likelihood.

    The values are fitted in units of ``spread``, which the likelihood is of, too.
    """
    if not random:
        arms = np.array(list({a: sum(r.arm == a for r in runs) for a in _arms(runs)}.values()))
        freedom = len(runs) - arms.size
        # -2 log L = (n - p) (log(2 pi s^2) + 1) + log |X'X|, with the variance s^2 at 1
        twice = freedom * (math.log(2.0 * math.pi) + 1.0) + float(np.log(arms).sum())
        return {"residual": spread**2}, -0.5 * twice
    from pandas import DataFrame
    from statsmodels.regression.mixed_linear_model import MixedLM

    table = DataFrame(
        {
            "arm": [run.arm for run in runs],
            "seed": [str(seed) for _, seed in _groups(runs, "seed")],
            "value": [run.value / spread for run in runs],
        }
    )
    # everything random lies within a task; where there is one, within a seed
    within = "task" if _several_tasks(runs) else "seed"
    table["within"] = [str(level) for level in _groups(runs, within)]
    terms = {"task": "1", "arm x task": "0 + C(arm)", "seed": "0 + C(seed)"}
    if within == "seed":
        terms["seed"] = "1"
    fixed = "value ~ 0 + C(arm)" if len(_arms(runs)) > 1 else "value ~ 1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of singular fits, which are told in words of our own
        model = MixedLM.from_formula(
            fixed,
            groups="within",
            re_formula="0",
            vc_formula={name: terms[name] for name in random},
            data=table,
        )
        # for standard errors, which nobody asks for; it is singular where a variance is zero
        parameters = model.k_fe + model.k_re2 + model.k_vc
        model.hessian = lambda *_: (-np.eye(parameters), False)
        fit = model.fit(reml=True, method=["bfgs", "lbfgs", "cg"], gtol=1e-8)
    found: dict[Name, float] = {
        name: float(variance) * spread**2
        for name, variance in zip(model.exog_vc.names, fit.vcomp, strict=True)
    }
    return found | {"residual": float(fit.scale) * spread**2}, float(fit.llf)


def _arms(runs: Sequence[Value]) -> list[str]:
    return list(dict.fromkeys(run.arm for run in runs))


def _of_items(
    correct: Mapping[str, ArrayLike], runs: Sequence[Value]
) -> dict[Name, tuple[float, int]]:
    """Return what the choice of test items adds to an accuracy, and how many items there are.

    The answers x of arm a, in run r, to item i are taken as x = mean_a + run_ar + item_i
    + (arm x item)_ai + rest. The mean squares of the arms' means of each item (arms, items),

        E MS(items) = rest / n + (arm x item) + arms * item,   E MS(arms x items) = rest / n
        + (arm x item),

    with n runs per arm and the rest from the runs within each arm, give the variances by the method
    of moments (Searle, Casella and McCulloch, Variance components, 1992, section 4.3); 0 where that
    is negative. A mean over N items has an N-th of them. With unequal n the rest's mean over arms
    of 1 / n is taken.
    """
    tables = [np.asarray(table, dtype=np.float64) for table in correct.values()]
    if {table.ndim for table in tables} != {2} or len({table.shape[1] for table in tables}) != 1:
        raise UsageError(
            "the answers of the arms are not about the same test items: give for each arm a row "
            "a run and a column an item"
        )
    arms, items = len(tables), tables[0].shape[1]
    if items < 2:
        return {}
    share, mean = np.concatenate(tables).mean(), np.mean([run.value for run in runs])
    scale = 100.0 if abs(100.0 * share - mean) < abs(share - mean) else 1.0  # percentages, shares
    tables = [scale * table for table in tables]
    means = np.stack([table.mean(axis=0) for table in tables])  # (arms, items)
    over_items = arms * float(means.mean(axis=0).var(ddof=1))
    rests = [_rest(table) for table in tables]
    rest = None if None in rests else math.fsum(one for one in rests if one is not None) / arms
    if arms == 1:
        if rest is None:
            return {}
        return {"test items": (max(over_items - rest, 0.0) / items, items)}
    apart = means - means.mean(axis=0) - means.mean(axis=1, keepdims=True) + means.mean()
    crossed = float((apart**2).sum()) / ((arms - 1) * (items - 1))
    found: dict[Name, tuple[float, int]] = {
        "test items": (max(over_items - crossed, 0.0) / arms / items, items)
    }
    if rest is not None:
        found["arm x test items"] = (max(crossed - rest, 0.0) / items, items)
    return found


def _rest(table: Floats) -> float | None:
    """Return the variance of an item's mean from the interaction of run and item, of one arm.

    Args:
        table: shape (runs, items); None is returned for a single run.

    """
    runs, items = table.shape
    if runs < 2:
        return None
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return float((rest**2).sum()) / float((runs - 1) * (items - 1) * runs)


def _remark(name: Name, levels: int, *, zero: bool) -> str | None:
    few = f"hardly known, from {levels} {_LEVELS[name]}" if levels < FEW else ""
    none = "estimated at zero: too small to be seen beside the others, not shown to be none"
    return "; ".join(part for part in (none if zero else "", few) if part) or None


_LEVELS: dict[Name, str] = {
    "task": "tasks",
    "arm x task": "arms on tasks",
    "seed": "seeds",
    "residual": "runs",
    "test items": "items",
    "arm x test items": "items",
}


def _untold(
    runs: Sequence[Value],
    told: Mapping[Name, float],
    split: str | None,
    *,
    predicted: bool,
) -> Iterator[Untold]:
    """Give why each source that is not told cannot be."""
    if "residual" not in told:
        yield Untold(name="residual", reason="no arm has two runs: train each arm with more seeds")
    if "seed" not in told:
        yield Untold(name="seed", reason=_why_no_seed(runs))
    yield Untold(name="split", reason=_SPLITS[split])
    if "task" not in told:
        yield Untold(name="task", reason=_why_no_task(runs))
    if "arm x task" not in told:
        yield Untold(name="arm x task", reason=_why_no_interaction(runs))
    if "test items" not in told:
        reason = "there are no answers to single test items"
        if predicted and _several_tasks(runs):
            reason = "the tasks have other test items: ask about one task"
        elif predicted:
            reason = "that takes two arms, or two runs of an arm, and two test items"
        yield Untold(name="test items", reason=reason)
    elif "arm x test items" not in told:
        yield Untold(name="arm x test items", reason="that takes two arms, each with two runs")


_SPLITS: dict[str | None, str] = {
    "by seed": "seed and split were drawn together: split = 'by seed' varies both",
    "fixed": "all runs share one split: split = 'by seed' would vary it with the seed",
    None: "nothing says how training and validation data were split for each run",
}


def _why_no_seed(runs: Sequence[Value]) -> str:
    if any(run.seed is None for run in runs):
        return "the runs have no seeds that arms could share: it is part of the residual"
    if _several_tasks(runs) and len(set(_groups(runs, "seed"))) == len({r.task for r in runs}):
        return "each task has one seed: it is part of the task"
    if len(_arms(runs)) < 2:
        return "there is one arm, each seed run once: it is the residual"
    return "the arms share too few seeds: it is part of the residual"


def _why_no_task(runs: Sequence[Value]) -> str:
    if not _several_tasks(runs):
        return "all runs are of one task"
    return "no arm was run on tasks that others were run on as well, so tasks and arms go together"


def _why_no_interaction(runs: Sequence[Value]) -> str:
    if not _several_tasks(runs):
        return "all runs are of one task"
    if len(_arms(runs)) < 2:
        return "there is one arm: it is part of the task"
    return "no two arms share two tasks with two runs each: it is part of the others"
