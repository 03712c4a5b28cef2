"""How much of the difference between trials each field accounts for."""

from __future__ import annotations

from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from attnstudy import rng
from attnstudy.search.arm_search import ArmSearch
from attnstudy.search.proposing import SamplerStudy
from attnstudy.search.trials import TrialState

FEWEST = 4
"""Complete trials below which an importance would tell nothing."""


def importances(search: ArmSearch) -> dict[str, float]:
    """Return each field's share of the variance of the value, most important first.

    By functional analysis of variance over a forest of regression trees (Hutter, Hoos and
    Leyton-Brown 2014), seeded. Empty where the complete trials are too few, or all have one value.
    """
    complete = [trial for trial in search.trials() if trial.state is TrialState.COMPLETE]
    if len(complete) < FEWEST or len({trial.value for trial in complete}) == 1:
        return {}
    config = search.config
    seed = rng.stream_seed(config.sampler_seed, "importance", config.name) >> 32
    found = get_param_importances(
        SamplerStudy().with_ended(config, search.finished()).study,
        evaluator=FanovaImportanceEvaluator(seed=seed),
    )
    return {name: float(share) for name, share in found.items()}
