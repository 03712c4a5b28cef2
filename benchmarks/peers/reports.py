"""autorank: a claim is what its report says, or what the rule that the report states says.

The report states that populations differ if their confidence intervals do not overlap (after
Tukey), or if their mean ranks differ by more than the critical distance (after Nemenyi), and then
names groups without significant differences: "all other differences are significant". Nothing is
claimed unless its omnibus test is significant. Its rows are paired; independent arms are the case
of no correlation.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.peers.counting import Claims, Floats, Peer, one_by_one
from benchmarks.peers.studies import ALPHA, ARMS, PAIRS


def separated(report: str, pairs: Sequence[tuple[int, int]] = PAIRS) -> Claims:
    """Return for each pair whether a report says that the difference is significant."""
    if "all differences between the populations are significant" in report:
        return np.ones(len(pairs), dtype=bool)
    named = re.search(r"within the following groups: (.*?)\. All other differences", report)
    if named is None:
        return np.zeros(len(pairs), dtype=bool)
    groups = [set(re.findall(r"\b[abcd]\b", group)) for group in named[1].split(";")]
    return np.array(
        [not any({ARMS[i], ARMS[j]} <= together for together in groups) for i, j in pairs]
    )


def decide(study: Floats, number: int) -> Claims:
    """Return what the report and its rule claim of a study of three or four arms."""
    import matplotlib

    matplotlib.use("Agg")  # it draws a figure to get the widths of its intervals
    from autorank import autorank, create_report

    arms = list(ARMS[: len(study)])
    pairs = [pair for pair in PAIRS if max(pair) < len(study)]
    first, second = map(list, zip(*pairs, strict=True))
    printed = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()):
        result = autorank(pd.DataFrame(study.T, columns=arms), alpha=ALPHA, verbose=False)
    with contextlib.redirect_stdout(printed):
        create_report(result)
    frame = result.rankdf.loc[arms]
    if result.pvalue >= ALPHA:
        stated = np.zeros(len(pairs), dtype=bool)
    elif result.cd is None:
        low, high = (frame[side].to_numpy(float) for side in ("ci_lower", "ci_upper"))
        stated = (low[first] > high[second]) | (low[second] > high[first])
    else:
        rank = frame["meanrank"].to_numpy(float)
        stated = np.abs(rank[first] - rank[second]) > result.cd
    return np.array([separated(printed.getvalue(), pairs), stated])


AUTORANK = Peer(
    "autorank",
    ("the groups that its report names", "the rule that its report states"),
    one_by_one(decide),
    300,
)
