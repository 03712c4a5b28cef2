"""attnstudy itself, on the same studies."""

from __future__ import annotations

from attnstudy.stats.comparisons.batch import shown_different
from attnstudy.stats.comparisons.design import Design
from benchmarks.peers.counting import Claims, Floats, Peer
from benchmarks.peers.studies import ALPHA, ARMS


def _claims(studies: Floats) -> Claims:
    arms = [studies[:, arm] for arm in range(len(ARMS))]
    return shown_different(arms, Design(alpha=ALPHA))[:, None, :]


OURS = Peer("attnstudy", ("Games–Howell, the default",), _claims, 20_000)
