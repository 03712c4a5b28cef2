"""The variances, by restricted maximum likelihood."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from attnstudy.stats.evidence.components.design import Value, arms_of, groups, several_tasks
from attnstudy.stats.evidence.components.results import Name

_ZERO = 1e-4
"""Of a log-likelihood: what a component has to add to it, so that it is more than zero."""


def estimated(runs: Sequence[Value], known: Sequence[Name]) -> tuple[dict[Name, float], set[Name]]:
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
        arms = np.array(list({a: sum(r.arm == a for r in runs) for a in arms_of(runs)}.values()))
        freedom = len(runs) - arms.size
        # -2 log L = (n - p) (log(2 pi s^2) + 1) + log |X'X|, with the variance s^2 at 1
        twice = freedom * (math.log(2.0 * math.pi) + 1.0) + float(np.log(arms).sum())
        return {"residual": spread**2}, -0.5 * twice
    from pandas import DataFrame
    from statsmodels.regression.mixed_linear_model import MixedLM

    table = DataFrame(
        {
            "arm": [run.arm for run in runs],
            "seed": [str(seed) for _, seed in groups(runs, "seed")],
            "value": [run.value / spread for run in runs],
        }
    )
    # everything random lies within a task; where there is one, within a seed
    within = "task" if several_tasks(runs) else "seed"
    table["within"] = [str(level) for level in groups(runs, within)]
    terms = {"task": "1", "arm x task": "0 + C(arm)", "seed": "0 + C(seed)"}
    if within == "seed":
        terms["seed"] = "1"
    fixed = "value ~ 0 + C(arm)" if len(arms_of(runs)) > 1 else "value ~ 1"
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
