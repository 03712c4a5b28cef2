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

import numpy as np
import pandas as pd

from benchmarks.peers.counting import Claims, Floats, Peer, one_by_one
from benchmarks.peers.studies import ALPHA, ARMS, FIRST, PAIRS, SECOND


def separated(report: str) -> Claims:
    """Return for each pair whether a report says that the difference is significant."""
    if "all differences between the populations are significant" in report:
        return np.ones(len(PAIRS), dtype=bool)
    named = re.search(r"within the following groups: (.*?)\. All other differences", report)
    if named is None:
        return np.zeros(len(PAIRS), dtype=bool)
    groups = [set(re.findall(r"\b[abcd]\b", group)) for group in named[1].split(";")]
    return np.array(
        [not any({ARMS[i], ARMS[j]} <= together for together in groups) for i, j in PAIRS]
    )


def _decide(study: Floats, number: int) -> Claims:
    import matplotlib

    matplotlib.use("Agg")  # it draws a figure to get the widths of its intervals
    from autorank import autorank, create_report

    printed = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()):
        result = autorank(pd.DataFrame(study.T, columns=list(ARMS)), alpha=ALPHA, verbose=False)
    with contextlib.redirect_stdout(printed):
        create_report(result)
    frame = result.rankdf.loc[list(ARMS)]
    if result.pvalue >= ALPHA:
        stated = np.zeros(len(PAIRS), dtype=bool)
    elif result.cd is None:
        low, high = (frame[side].to_numpy(float) for side in ("ci_lower", "ci_upper"))
        stated = (low[FIRST] > high[SECOND]) | (low[SECOND] > high[FIRST])
    else:
        rank = frame["meanrank"].to_numpy(float)
        stated = np.abs(rank[FIRST] - rank[SECOND]) > result.cd
    return np.array([separated(printed.getvalue()), stated])


AUTORANK = Peer(
    "autorank",
    ("the groups that its report names", "the rule that its report states"),
    one_by_one(_decide),
    300,
)
