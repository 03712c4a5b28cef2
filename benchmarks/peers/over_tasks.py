"""Peers on several tasks, shown the studies of the calibration page: results/peers_tasks.json.

``python -m benchmarks.peers.over_tasks [SHARE]`` in the peers' environment; SHARE of the studies,
1 by default. A study is a table of means, one per arm and task, as such tools are given it.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from attnstudy.stats.comparisons.pairwise import holm
from benchmarks.calibration.tasks import REPLICATIONS, Row, draw, signed_ranks
from benchmarks.peers.counting import Claims, Floats, Peer, count, one_by_one
from benchmarks.peers.reports import decide
from benchmarks.peers.studies import ALPHA

RESULTS = Path(__file__).parent.parent / "results" / "peers_tasks.json"
PAIRS = ((0, 1), (0, 2), (1, 2))
FIRST, SECOND = (np.array(side) for side in zip(*PAIRS, strict=True))
ROWS = tuple(
    Row(tasks=tasks, seeds=5, spread=spread, effects="random")
    for tasks in (6, 10, 30)
    for spread in ("equal", "last × 4")
)
BETTER = ROWS[2]
"""The design in which the power of each is counted as well."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Studies of a design: without a difference on a new task, or with one."""

    row: Row
    better: bool = False

    @property
    def name(self) -> str:
        """What the results call it."""
        return f"{self.row.name}{', the first arm better' if self.better else ''}"

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Which pairs do not differ: a claim about one of them is false."""
        return np.array([not self.better or 0 not in pair for pair in PAIRS])

    def draw(self, replications: int) -> Floats:
        """Return means of shape (replications, arms, tasks), the first of the page's studies."""
        _, fresh, _, shown = draw(self.row, REPLICATIONS)
        drawn = shown if self.better else fresh
        return np.moveaxis(drawn.means[:replications], 1, 2)


SETTINGS = (*map(Setting, ROWS), Setting(BETTER, better=True))


def _ours(study: Floats, number: int) -> Claims:
    gaps = study[FIRST] - study[SECOND]
    return (holm(signed_ranks(gaps)) <= ALPHA)[None]


def _nemenyi(study: Floats, number: int) -> Claims:
    import scikit_posthocs

    p = scikit_posthocs.posthoc_nemenyi_friedman(study.T).to_numpy()[FIRST, SECOND]
    omnibus = stats.friedmanchisquare(*study).pvalue < ALPHA
    return np.array([p < ALPHA, (p < ALPHA) & omnibus])


PEERS = (
    Peer("attnstudy", ("a new task: signed ranks by Holm",), one_by_one(_ours), 300),
    Peer(
        "scikit-posthocs",
        (
            "`posthoc_nemenyi_friedman(x)`",
            "`posthoc_nemenyi_friedman(x)` after a significant Friedman test",
        ),
        one_by_one(_nemenyi),
        300,
    ),
    Peer(
        "autorank",
        ("the groups that its report names", "the rule that its report states"),
        one_by_one(decide),
        300,
    ),
)


def counted(share: float) -> Iterator[dict[str, Any]]:
    """Yield a row per peer, rule and setting."""
    for peer in PEERS:
        for setting in SETTINGS:
            for one in count(peer, setting, max(1, round(share * peer.replications))):
                print(f"{peer.package}, {setting.name}: {one}", flush=True)
                yield {"package": peer.package, "setting": setting.name, **asdict(one)}


def main() -> int:
    """Count, print every line as it is found, and write the results."""
    warnings.simplefilter("ignore")  # theirs, for every study the same
    rows = list(counted(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
    packages = ("numpy", "scipy", "scikit-posthocs", "autorank")
    versions = json.dumps({name: metadata.version(name) for name in packages})
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULTS.write_text(
        f'{{"versions": {versions},\n "rows": [\n  {lines}\n ]}}\n', encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
