"""Components of variance: how much of what runs differ by comes from where.

A value y of arm a, on task t, with seed s, is

    y = mean_a + task_t + (arm x task)_at + seed_ts + residual,

the arms fixed, everything else drawn independently, with mean 0 and a variance of its own; one
residual variance is taken for all arms. A seed is another draw on each task. The variances are
estimated by restricted maximum likelihood (Patterson and Thompson, "Recovery of inter-block
information when block sizes are unequal", Biometrika 58 (1971) 545-554), by statsmodels' MixedLM;
which of them a table can tell apart is decided by Rao's MINQUE matrix, see ``design``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Literal

from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats.evidence.components.design import Value, identified, levels_of, several_tasks
from attnstudy.stats.evidence.components.fit import estimated
from attnstudy.stats.evidence.components.items import of_items
from attnstudy.stats.evidence.components.results import Component, Components
from attnstudy.stats.evidence.components.words import remark_of, untold_of


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
    known = identified(runs)
    variances, at_zero = estimated(runs, known)
    on_items = of_items(correct, runs) if correct and not several_tasks(runs) else {}
    variances |= {name: variance for name, (variance, _) in on_items.items()}
    levels = levels_of(runs) | {name: count for name, (_, count) in on_items.items()}
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
                remark=remark_of(name, levels[name], zero=name in at_zero),
            )
            for name, variance in variances.items()
        ),
        untold=tuple(untold_of(runs, variances, split, predicted=bool(correct))),
    )
