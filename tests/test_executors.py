"""One suite for every executor: a new one is tested by adding a row."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnstudy.executors import (
    ClusterRequest,
    Died,
    Executor,
    Finished,
    Inline,
    Processes,
    Ray,
    Reported,
    Retried,
    Started,
    Stopped,
    TimeIsUpError,
    base,
)
from tests.waiting import PATIENCE, wait_for

EXECUTORS: dict[str, Any] = {
    "inline": Inline(),
    "one process": Processes(1),
    "three processes": Processes(3),
    "ray": Ray(2),
}
SEVERAL = ("one process", "three processes", "ray")


def made(name: str, request: pytest.FixtureRequest) -> Executor:
    if name != "ray":
        return EXECUTORS[name]
    cluster = request.getfixturevalue("cluster")
    return replace(EXECUTORS[name], request=ClusterRequest(address=cluster.address))


# of the module, so that the tests of one executor follow one another
@pytest.fixture(params=EXECUTORS, scope="module")
def executor(request: pytest.FixtureRequest) -> Executor:
    return made(request.param, request)


@pytest.fixture(params=SEVERAL, scope="module")
def with_workers(request: pytest.FixtureRequest) -> Executor:
    """Executors that can lose a worker."""
    return made(request.param, request)


@pytest.fixture(params=SEVERAL[:2])
def processes(request: pytest.FixtureRequest) -> Executor:
    return EXECUTORS[request.param]


def note(job, channel):
    """Leave a file for every time that the job is done."""
    folder, name = job
    Path(folder, f"{name}-{os.getpid()}-{time.time_ns()}").touch()
    channel.report(("working on", name))


def fail_on_b(job, channel):
    note(job, channel)
    if job[1] == "b":
        raise ValueError("b is not possible\nsecond line")


def kill_on_b(job, channel):
    note(job, channel)
    if job[1] == "b":
        os.kill(os.getpid(), signal.SIGKILL)


def exit_on_b(job, channel):
    if job[1] == "b":
        os._exit(7)


def leave_on_b(job, channel):
    if job[1] == "b":
        sys.exit("b wants to leave")


def kill_once_on_b(job, channel):
    note(job, channel)
    if job[1] == "b" and times_done(job[0], "b") == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def forever(job, channel):
    Path(job, "pid").write_text(str(os.getpid()))
    channel.report("begun")
    while not channel.stopping():
        time.sleep(0.01)
    Path(job, "asked").touch()
    raise Stopped


def deaf(job, channel):
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(job, "pid").write_text(str(os.getpid()))
    channel.report("begun")
    while True:
        time.sleep(0.01)


def ask_oneself(job, channel):
    note(job, channel)
    if job[1] == "b":
        os.kill(os.getpid(), signal.SIGTERM)
        while not channel.stopping():
            time.sleep(0.001)
        raise Stopped


def tell_path(job, channel):
    import sys

    channel.report(sys.path[0])


def alive(pid):
    """Whether a process is there; one that is being killed may take a moment."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    return True


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


def test_workers_stay_for_as_long_as_their_executor_is_used(executor, tmp_path):
    with executor:
        for name in "ab":
            assert endings(executor.execute([(tmp_path, name)], note)) == {0: "Finished"}
        pids = {int(path.name.split("-")[1]) for path in tmp_path.iterdir()}
        assert len(pids) == 1
    (pid,) = pids
    assert pid == os.getpid() or not alive(pid)


def test_an_executor_that_lost_its_workers_gets_others(with_workers, tmp_path):
    with with_workers:
        killed = list(with_workers.execute([(tmp_path, "b")], kill_on_b))
        assert endings(killed) == {0: "Died"}
        assert endings(with_workers.execute([(tmp_path, "c")], note)) == {0: "Finished"}


def test_work_that_raises_takes_only_its_own_job_with_it(executor, tmp_path):
    events = list(executor.execute([(tmp_path, name) for name in "abcd"], fail_on_b))
    assert endings(events) == {0: "Finished", 1: "Died", 2: "Finished", 3: "Finished"}
    died = next(event for event in events if isinstance(event, Died))
    assert died.reason == "ValueError: b is not possible"
    assert "fail_on_b" in died.details


def test_a_killed_worker_takes_only_its_own_job_with_it(with_workers, tmp_path):
    events = list(with_workers.execute([(tmp_path, name) for name in "abcde"], kill_on_b))
    assert endings(events) == {i: "Died" if i == 1 else "Finished" for i in range(5)}
    assert times_done(tmp_path, "b") == 2, "it is tried once more"
    retried = [event for event in events if isinstance(event, Retried)]
    assert [event.job for event in retried] == [1]
    died = next(event for event in events if isinstance(event, Died))
    assert retried[0].reason == died.reason
    assert re.fullmatch(
        r"its process( on \S+)? was killed( by SIGKILL)?, perhaps because memory ran out",
        died.reason,
    )


def test_a_worker_that_exits_is_told_with_its_code(processes, tmp_path):
    events = list(processes.execute([(tmp_path, name) for name in "ab"], exit_on_b))
    died = next(event for event in events if isinstance(event, Died))
    assert (died.job, died.reason) == (1, "its process ended with exit code 7")


def test_work_that_leaves_by_exit_takes_only_its_own_job_with_it(with_workers, tmp_path):
    events = list(with_workers.execute([(tmp_path, name) for name in "abc"], leave_on_b))
    assert endings(events) == {0: "Finished", 1: "Died", 2: "Finished"}


def test_a_killed_worker_gets_a_second_try_behind_the_others(with_workers, tmp_path):
    events = list(with_workers.execute([(tmp_path, name) for name in "abcde"], kill_once_on_b))
    assert endings(events) == dict.fromkeys(range(5), "Finished")
    assert {name: times_done(tmp_path, name) for name in "abcde"} == {
        "a": 1, "b": 2, "c": 1, "d": 1, "e": 1,
    }  # fmt: skip
    tries = [event.job for event in events if isinstance(event, Started)]
    assert sorted(tries) == [0, 1, 1, 2, 3, 4]
    if with_workers.workers == 1:
        assert tries == [0, 1, 2, 3, 4, 1]
    own = [type(event) for event in events if event.job == 1]
    if isinstance(with_workers, Ray):  # what was said last may be lost with the worker
        assert [kind for kind in own if kind is not Reported] == [
            Started, Retried, Started, Finished,
        ]  # fmt: skip
    else:
        assert own == [Started, Reported, Retried, Started, Reported, Finished]


def test_closing_early_asks_the_workers_to_stop(with_workers, tmp_path):
    events = with_workers.execute([tmp_path], forever)
    assert isinstance(next(events), Started)
    assert next(events).message == "begun"
    pid = int((tmp_path / "pid").read_text())
    events.close()
    assert (tmp_path / "asked").exists()
    assert not alive(pid)


@pytest.mark.rest
def test_when_the_time_is_up_the_work_is_asked_to_stop(executor, tmp_path):
    for seconds in (4, 20, 100):  # until a worker has started in time
        events = executor.execute([tmp_path], forever, until=time.monotonic() + seconds)
        with pytest.raises(TimeIsUpError):
            list(events)
        if (tmp_path / "pid").exists():
            break
    assert (tmp_path / "asked").exists()


def test_a_worker_whose_work_has_ended_is_not_waited_for(with_workers, tmp_path, monkeypatch):
    """As when the disk is full: whoever hears of it ends everything at that very moment."""
    monkeypatch.setattr(base, "GRACE", 3600.0)
    events = with_workers.execute([(tmp_path, "b")], fail_on_b)
    assert [type(next(events)) for _ in range(3)] == [Started, Reported, Died]
    events.close()


def test_a_worker_that_does_not_stop_is_killed_in_the_end(with_workers, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "GRACE", 0.2)
    events = with_workers.execute([tmp_path], deaf)
    next(events)
    next(events)
    events.close()
    assert not alive(int((tmp_path / "pid").read_text()))


def test_work_that_is_asked_to_end_by_somebody_else_is_told(processes, tmp_path):
    events = list(processes.execute([(tmp_path, name) for name in "abc"], ask_oneself))
    assert endings(events) == {0: "Finished", 1: "Died", 2: "Finished"}
    died = next(event for event in events if isinstance(event, Died))
    assert died.reason == "its process was asked to end"


def test_inline_work_comes_to_a_good_place_before_the_signal_is_passed_on(tmp_path):
    (tmp_path / "forever").mkdir()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(Inline().execute([tmp_path / "forever"], forever))
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "forever" / "asked").exists()


def test_a_second_signal_ends_inline_work_where_it_is(tmp_path):
    def silent(job, channel):
        while True:
            time.sleep(0.01)

    timers = [threading.Timer(s, os.kill, (os.getpid(), signal.SIGINT)) for s in (0.2, 0.6)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for timer in timers:
            timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(Inline().execute([tmp_path], silent))
        assert not timers[-1].is_alive()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


ORPHAN = """
import sys
from tests.test_executors import forever
from attnstudy.executors import Processes
if __name__ == "__main__":
    for event in Processes(1).execute([sys.argv[1]], forever):
        print(event, flush=True)
"""


@pytest.mark.parametrize("killed_at", ["Started", "begun"])
def test_a_worker_whose_parent_was_killed_comes_to_an_end(tmp_path, killed_at):
    """Killed while the worker still imports, with the job already sent, and while it works."""
    script = tmp_path / "parent.py"
    script.write_text(ORPHAN)
    parent = subprocess.Popen(
        [sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert "Started" in parent.stdout.readline()
    if killed_at == "begun":
        assert "begun" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{pid}").exists())
    assert (tmp_path / "asked").exists()


SLOW = """
import time
from pathlib import Path

Path("importing").touch()
time.sleep(3)
Path("imported").touch()
"""
WAITING = """
import time
from attnstudy.executors import prepare_workers

prepare_workers("slow", at_once=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(5)
"""


@pytest.mark.rest
@pytest.mark.skipif(sys.platform != "linux", reason="workers come from a fork server on Linux")
def test_ctrl_c_while_workers_are_prepared_leaves_no_traceback(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    child = subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    wait_for((tmp_path / "importing").exists)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to everybody
    assert child.communicate(timeout=PATIENCE)[1] == ""
    assert (tmp_path / "imported").exists()


def test_workers_look_for_modules_where_they_are_told(tmp_path):
    executor = Processes(1, import_paths=(str(tmp_path), *sys.path))
    messages = [e.message for e in executor.execute([0], tell_path) if isinstance(e, Reported)]
    assert messages == [str(tmp_path)]
