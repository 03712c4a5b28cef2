"""What a cluster is waited for, and for how long."""

from __future__ import annotations

import pytest

from attnstudy.errors import EXIT_ENVIRONMENT, ClusterError
from attnstudy.executors import ClusterRequest, cluster, watch


class Watched:
    """A cluster whose head and room are as they are set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.head, self.slots = True, 0
        self.said: list[str] = []
        monkeypatch.setattr(cluster, "head_answers", lambda: self.head)
        monkeypatch.setattr(cluster, "slots", lambda _: self.slots)
        self.watch = watch.Watch(ClusterRequest(), self.said.append, lambda: self.now)

    def pass_by(self, seconds: int, *, at_work: bool) -> None:
        """Look once a second, as an executor does."""
        for _ in range(seconds):
            self.now += 1
            self.watch.look(at_work=at_work)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_a_cluster_at_work_is_not_spoken_of(watched):
    watched.pass_by(1000, at_work=True)
    assert watched.said == []


def test_room_is_waited_for_and_told_once_each_time(watched):
    watched.slots = 1
    watched.pass_by(400, at_work=False)
    assert len(watched.said) == 1
    assert "no machine of the Ray cluster has room" in watched.said[0]
    watched.pass_by(1, at_work=True)
    watched.pass_by(20, at_work=False)
    assert len(watched.said) == 2


def test_a_cluster_without_any_machine_for_a_run_is_given_up(watched):
    with pytest.raises(ClusterError, match="was fit for a run for 300 seconds: add one"):
        watched.pass_by(302, at_work=False)


def test_a_head_that_comes_back_in_time_is_waited_for(watched):
    for _ in range(3):
        watched.head = False
        watched.pass_by(int(watch.HEAD_PATIENCE), at_work=True)
        watched.head = True
        watched.pass_by(5, at_work=True)
    assert watched.said == ["the head of the Ray cluster does not answer; waiting"] * 3


def test_a_lost_head_ends_the_command_before_ray_ends_the_process(watched):
    watched.head = False
    with pytest.raises(ClusterError, match=r"has not answered for 3\d seconds: start it") as raised:
        watched.pass_by(45, at_work=True)
    assert raised.value.exit_code == EXIT_ENVIRONMENT
