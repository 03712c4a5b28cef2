"""What Ray does not tell of itself: that no machine has room, and that the head is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from attnstudy.errors import ClusterError
from attnstudy.executors import cluster
from attnstudy.executors.cluster import ClusterRequest

PATIENCE = 300.0
"""Seconds for which a cluster is waited for that has no machine left for any job."""
HEAD_PATIENCE = 30.0
"""Seconds for which its head is waited for: after 60, Ray ends the process in the midst of it."""
_WAITS = 15.0  # seconds without a worker after which the user is told
_LOOKS = 3.0  # seconds between looks at the head


@dataclass(slots=True)
class Watch:
    """Looks at the cluster now and then while jobs are done on it."""

    request: ClusterRequest
    say: Callable[[str], None]
    """Shows a line that must not be missed."""
    clock: Callable[[], float] = time.monotonic
    _room_seen: float = field(init=False)
    _waiting_told: bool = field(default=False, init=False)
    _head_seen: float = field(init=False)
    _head_looked: float = field(init=False)
    _head_told: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        self._room_seen = self._head_seen = self._head_looked = self.clock()

    def look(self, *, at_work: bool) -> None:
        """Say what is to be waited for; give up what will not come.

        Args:
            at_work: whether any worker has started.

        Raises:
            ClusterError: the head has not answered for long, or no machine is fit for a run and
                none has come.

        """
        self._look_at_head()
        now = self.clock()
        if at_work:
            self._room_seen, self._waiting_told = now, False
            return
        waited = now - self._room_seen
        if waited > _WAITS and not self._waiting_told:
            self._waiting_told = True
            self.say("no machine of the Ray cluster has room for a run yet; waiting")
        if waited > PATIENCE and not cluster.slots(self.request):
            raise ClusterError(
                f"no machine of the Ray cluster was fit for a run for {PATIENCE:.0f} seconds: add "
                "one, then run the same command again; what is complete is kept"
            )

    def _look_at_head(self) -> None:
        now = self.clock()
        if now - self._head_looked < _LOOKS:
            return
        self._head_looked = now
        if cluster.head_answers():
            self._head_seen, self._head_told = now, False
            return
        waited = now - self._head_seen
        if waited > HEAD_PATIENCE:
            raise ClusterError(
                f"the head of the Ray cluster has not answered for {waited:.0f} seconds: start it "
                "again, then run the same command again; what is complete is kept"
            )
        if waited > _LOOKS and not self._head_told:
            self._head_told = True
            self.say("the head of the Ray cluster does not answer; waiting")
