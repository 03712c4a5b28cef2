"""scikit-posthocs: a claim is a p-value below .05.

Its documentation makes a post hoc test after a significant analysis of variance, or after
Kruskal-Wallis for those on ranks; its functions do not ask for that. Where it matters both are
counted. Its examples correct by ``p_adjust="holm"``; the default is no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from scipy import stats

from benchmarks.peers.counting import Claims, Floats, Peer, one_by_one
from benchmarks.peers.studies import ALPHA, FIRST, SECOND

Rule: TypeAlias = tuple[str, str | None, str | None]
RULES: tuple[Rule, ...] = (
    ("posthoc_ttest", None, None),
    ("posthoc_ttest", None, "ANOVA"),
    ("posthoc_ttest", "holm", None),
    ("posthoc_tukey", None, None),
    ("posthoc_tamhane", None, None),
    ("posthoc_conover", None, None),
    ("posthoc_conover", None, "Kruskal–Wallis"),
    ("posthoc_conover", "holm", None),
    ("posthoc_dunn", None, None),
    ("posthoc_dunn", "holm", None),
)
"""Function, ``p_adjust``, and the omnibus test that has to be significant first."""


def _label(function: str, adjust: str | None, after: str | None) -> str:
    corrected = f', p_adjust="{adjust}"' if adjust else ""
    return f"`{function}(x{corrected})`" + (f" after a significant {after}" if after else "")


def _decide(study: Floats, rules: Sequence[Rule]) -> Claims:
    import scikit_posthocs

    groups = [list(arm) for arm in study]
    omnibus = {
        None: 0.0,
        "ANOVA": stats.f_oneway(*study).pvalue,
        "Kruskal–Wallis": stats.kruskal(*study).pvalue,
    }
    p_values: dict[tuple[str, str | None], Floats] = {}
    for function, adjust, _ in rules:
        if (function, adjust) not in p_values:
            options = {"p_adjust": adjust} if adjust else {}
            matrix = getattr(scikit_posthocs, function)(groups, **options).to_numpy()
            p_values[function, adjust] = matrix[FIRST, SECOND]
    return np.array(
        [
            (p_values[function, adjust] < ALPHA) & (omnibus[after] < ALPHA)
            for function, adjust, after in rules
        ]
    )


def posthocs(rules: Sequence[Rule] = RULES) -> Peer:
    """Return scikit-posthocs with some of its functions."""
    return Peer(
        package="scikit-posthocs",
        rules=tuple(_label(*rule) for rule in rules),
        claims=one_by_one(lambda study, _: _decide(study, rules)),
        replications=600,
    )
