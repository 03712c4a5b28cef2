"""What the choice of test items adds, from the answers of each run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats.evidence.components.design import Value
from attnstudy.stats.evidence.components.results import Name
from attnstudy.stats.samples import Floats


def of_items(
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
