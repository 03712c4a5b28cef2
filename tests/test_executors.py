"""One suite for every executor: a new one is tested by adding a row."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from attnstudy.executors import Died, Executor, Finished, Inline, Processes, Reported, Started

EXECUTORS = {
    "inline": Inline(),
    "one process": Processes(1),
    "three processes": Processes(3),
}
CAN_LOSE_A_WORKER = ("one process", "three processes")


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> Executor:
    return EXECUTORS[request.param]


@pytest.fixture(params=CAN_LOSE_A_WORKER)
def processes(request: pytest.FixtureRequest) -> Executor:
    return EXECUTORS[request.param]


def note(job, report):
    """Leave a file for every time that the job is done."""
    folder, name = job
    Path(folder, f"{name}-{os.getpid()}-{time.time_ns()}").touch()
    report(("working on", name))


def fail_on_b(job, report):
    note(job, report)
    if job[1] == "b":
        raise ValueError("b is not possible\nsecond line")


def kill_on_b(job, report):
    note(job, report)
    if job[1] == "b":
        os.kill(os.getpid(), signal.SIGKILL)


def exit_on_b(job, report):
    if job[1] == "b":
        os._exit(7)


def forever(job, report):
    report("begun")
    Path(job, "pid").write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)


def tell_path(job, report):
    import sys

    report(sys.path[0])


def endings(events):
    return {e.job: type(e).__name__ for e in events if isinstance(e, Finished | Died)}


def times_done(folder, name):
    return len(list(folder.glob(f"{name}-*")))


def test_every_job_is_done_once_and_told_in_order(executor, tmp_path):
    names = "abcdefg"
    events = list(executor.execute([(tmp_path, name) for name in names], note))
    assert {name: times_done(tmp_path, name) for name in names} == dict.fromkeys(names, 1)
    for job, name in enumerate(names):
        own = [event for event in events if event.job == job]
        assert [type(event) for event in own] == [Started, Reported, Finished]
        assert own[1].message == ("working on", name)
        assert len({event.worker for event in own}) == 1


def test_no_jobs_no_events(executor):
    assert list(executor.execute([], note)) == []


def test_work_that_raises_takes_only_its_own_job_with_it(executor, tmp_path):
    events = list(executor.execute([(tmp_path, name) for name in "abcd"], fail_on_b))
    assert endings(events) == {0: "Finished", 1: "Died", 2: "Finished", 3: "Finished"}
    died = next(event for event in events if isinstance(event, Died))
    assert died.reason == "ValueError: b is not possible"
    assert "fail_on_b" in died.details


def test_a_killed_worker_takes_only_its_own_job_with_it(processes, tmp_path):
    events = list(processes.execute([(tmp_path, name) for name in "abcde"], kill_on_b))
    assert endings(events) == {i: "Died" if i == 1 else "Finished" for i in range(5)}
    assert times_done(tmp_path, "b") == 1
    died = next(event for event in events if isinstance(event, Died))
    assert died.reason == "its process was killed by SIGKILL, perhaps because memory ran out"


def test_a_worker_that_exits_is_told_with_its_code(processes, tmp_path):
    events = list(processes.execute([(tmp_path, name) for name in "ab"], exit_on_b))
    died = next(event for event in events if isinstance(event, Died))
    assert (died.job, died.reason) == (1, "its process ended with exit code 7")


def test_closing_early_stops_the_workers(processes, tmp_path):
    events = processes.execute([tmp_path], forever)
    assert isinstance(next(events), Started)
    assert next(events).message == "begun"
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)
    pid = int((tmp_path / "pid").read_text())
    events.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_workers_look_for_modules_where_they_are_told(tmp_path):
    executor = Processes(1, import_paths=(str(tmp_path), *sys.path))
    messages = [e.message for e in executor.execute([0], tell_path) if isinstance(e, Reported)]
    assert messages == [str(tmp_path)]
