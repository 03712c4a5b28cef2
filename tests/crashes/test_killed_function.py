"""A function of the user's own, killed by SIGKILL at random moments: the same bits, nothing twice.

The short form kills a few times; ``make chaos`` (which sets ``ATTNSTUDY_CHAOS``) kills more than
fifty times: the command, or its workers, at random moments and at every named place.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crashes.test_crash_points import FILES, MOMENTS, PLACES
from tests.crashes.zygote import Ended, Zygote
from tests.own import RANKING, computed, published
from tests.tuning import numbers
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.timeout(900)
LONG = bool(os.environ.get("ATTNSTUDY_CHAOS"))
STEPS = 12
FUNCTION = f'''
"""Draws numbers and adds them up: any step that is lost, or done twice, changes the sum."""

import multiprocessing
import os
import signal
import threading
import time

import attnstudy

worker = multiprocessing.parent_process() is not None
if os.environ.get("KILL") == ("worker" if worker else "command") and not os.path.exists(
    os.environ["KILLED"]
):

    def kill():
        with open(os.environ["KILLED"], "w"):
            os.kill(os.getpid(), signal.SIGKILL)

    timer = threading.Timer(float(os.environ["KILL_AFTER"]), kill)
    timer.daemon = True
    timer.start()


@attnstudy.training(settings=[
    attnstudy.Field("epochs", int, {STEPS}, "Steps."),
    attnstudy.Field("rate", float, 1.0, "Factor."),
    attnstudy.Field("shift", float, 0.0, "Added to each number."),
    attnstudy.Field("pause", float, 0.005, "Seconds after each step, which change nothing."),
])
def train(run):
    noise = run.rng("noise")
    begun = {{"step": 0, "sum": 0.0, "seen": [], "noise": noise.bit_generator.state}}
    state = run.restore() or begun
    noise.bit_generator.state = state["noise"]
    total, seen = state["sum"], list(state["seen"])
    for step in range(state["step"], run.settings["epochs"]):
        drawn = float(noise.normal()) * run.settings["rate"] + run.settings["shift"]
        total += drawn
        seen.append(drawn)
        run.log(step, total=total, drawn=drawn)
        run.checkpoint(
            {{"step": step + 1, "sum": total, "seen": seen, "noise": noise.bit_generator.state}}
        )
        time.sleep(run.settings["pause"])
    run.file("seen").write_text(repr(seen))
    run.predictions([value > 0 for value in seen])
    return {{"acc": 100 * sum(value > 0 for value in seen) / len(seen), "total": total}}
'''
STUDY = f"""
train = "killed:train"
seeds = 2
[arms.a]
rate = 0.5
[arms.b]
rate = 2.0
{RANKING}
[tuning]
metric = "total"
direction = "maximize"
trials = 9
seeds_per_trial = 2
pruner = "median"
[tuning.space]
shift = {{ low = -1.0, high = 1.0 }}
"""


class Killed:
    """A study in a working directory of its own, and commands on it that are killed."""

    def __init__(self, zygote: Zygote, place: Path, template_store: Path) -> None:
        self.zygote, self.place = zygote, place
        folder = place / "studies" / "own"
        folder.mkdir(parents=True)
        (folder / "study.toml").write_text(STUDY)
        (folder / "killed.py").write_text(FUNCTION)
        (place / "mlruns").mkdir()
        (place / "mlruns" / "mlflow.db").write_bytes((template_store / "mlflow.db").read_bytes())

    def __call__(self, command: str, *more: str, executor: str = "inline", **env: str) -> Ended:
        return self.zygote.run(
            command, "own", "--executor", executor, *more,
            cwd=self.place, env={"ATTNSTUDY_NO_FIGURES": "1", **env},
        )  # fmt: skip

    def after(self, seconds: float, what: str = "command") -> dict[str, str]:
        """Return what has a process killed so many seconds after it has imported the function."""
        killed = self.place / "killed"
        killed.unlink(missing_ok=True)
        return {"KILL": what, "KILL_AFTER": str(seconds), "KILLED": str(killed)}

    @property
    def store(self) -> Path:
        return self.place / "mlruns"

    def results(self) -> dict[str, tuple[int, int]]:
        """Return which results there are, told apart from later ones of the same content."""
        found = {}
        for path in self.store.glob("runs/*/*/result.json"):
            stat = path.stat()
            found[path.parent.name] = (stat.st_ino, stat.st_mtime_ns)
        return found


@pytest.fixture
def study(zygote: Zygote, tmp_path: Path, template_store: Path) -> Killed:
    return Killed(zygote, tmp_path, template_store)


@pytest.fixture(scope="module")
def whole(
    zygote: Zygote, tmp_path_factory: pytest.TempPathFactory, template_store: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an uninterrupted study computes and publishes."""
    study = Killed(zygote, tmp_path_factory.mktemp("whole"), template_store)
    ended = study("run")
    assert ended.code == 0, ended.err
    return computed(study.store), published(study.store)


def is_whole(study: Killed, whole: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Run the study to its end, and compare it with the one that was never killed."""
    before = study.results()
    ended = study("run", "--json")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    answer = json.loads(ended.out)
    assert (answer["failed"], answer["elsewhere"]) == (0, 0)
    after = study.results()
    assert {name: after[name] for name in before} == before, "a finished run was made again"
    assert computed(study.store) == whole[0]
    assert published(study.store) == whole[1]


def test_killed_at_random_moments_it_comes_to_the_same_bits(study, whole):
    """Again and again, at moments that nobody chose, while it trains and publishes."""
    chance = random.Random(20261130)
    kills = 0
    for _ in range(4):
        ended = study("run", **study.after(chance.uniform(0.0, 0.35)))
        assert ended.code in (0, -signal.SIGKILL), ended.err
        kills += ended.code != 0
    assert kills >= 2
    is_whole(study, whole)


@pytest.mark.long
@pytest.mark.parametrize("number", range(12))
def test_killed_more_often_it_comes_to_the_same_bits(number, study, whole):
    """Five kills of the command each."""
    chance = random.Random(number)
    for _ in range(5):
        study("run", **study.after(chance.uniform(0.0, 0.4)))
    is_whole(study, whole)


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 16))]
)
def test_a_worker_that_is_killed_is_replaced(number, study, whole):
    """The run is tried once more by the same command, which ends as if nothing had been."""
    chance = random.Random(number)
    seconds = chance.uniform(0.0, 0.1)
    ended = study("run", "--json", executor="processes", **study.after(seconds, "worker"))
    assert ended.code == 0, ended.err
    assert "it is tried once more" in ended.err
    assert json.loads(ended.out)["failed"] == 0
    is_whole(study, whole)


OTHERS = ("predictions.csv", "weights.safetensors", "model.pt2", "attention.npz")
"""Files that are written by the placements, or as these are."""
CASES = [
    (place, moment)
    for number, place in enumerate(PLACES)
    for index, moment in enumerate(MOMENTS)
    if not place.startswith(("conclude/", *(f"write/{name}/" for name in OTHERS)))
    and "model" not in place
    and place not in ("publish/before-log-inputs", "publish/after-log-inputs",
                      "publish/before-log-outputs", "publish/after-log-outputs")
    and (LONG or (number % 16, index) == (4, 1))
]  # fmt: skip


@pytest.mark.parametrize(("place", "moment"), CASES)
def test_killed_at_a_named_place_nothing_is_lost_and_nothing_done_twice(
    place, moment, study, whole
):
    killed = study("run", ATTNSTUDY_CRASH_AT=f"{place}:{moment}")
    assert killed.code in (0, -signal.SIGKILL), killed.err
    if moment == 1 and "journal.jsonl" not in place:  # which is written anew by a second attempt
        assert killed.code == -signal.SIGKILL, "it was never there"
    is_whole(study, whole)


def test_the_files_of_a_function_are_among_those_that_kills_are_tried_at():
    assert {"run.json", "journal.jsonl", "checkpoint.pt", "result.json"} <= set(FILES)


@pytest.fixture(scope="module")
def whole_search(
    zygote: Zygote, tmp_path_factory: pytest.TempPathFactory, template_store: Path
) -> dict[str, Any]:
    """An uninterrupted search of the same function, some of whose trials are pruned."""
    study = Killed(zygote, tmp_path_factory.mktemp("search"), template_store)
    ended = study("tune", "--json")
    assert ended.code == 0, ended.err
    found = numbers(json.loads(ended.out))
    states = {trial["state"] for trials in found.values() for trial in trials}
    assert states == {"complete", "pruned"}, states
    return found


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 8))]
)
def test_a_search_that_is_pruned_and_killed_is_the_search_that_was_not(number, study, whole_search):
    chance = random.Random(number)
    kills = 0
    for _ in range(3):
        kills += study("tune", **study.after(chance.uniform(0.1, 1.5))).code != 0
    assert kills
    before = study.results()
    ended = study("tune", "--json")
    assert ended.code == 0, ended.err
    found = numbers(json.loads(ended.out))
    for arm, trials in found.items():
        for one, other in zip(trials, whole_search[arm], strict=True):
            assert one == other, (arm, one, other)
    after = study.results()
    assert {name: after[name] for name in before} == before, "a finished run was made again"


def test_a_search_killed_before_a_pause_is_noted_judges_by_the_value_that_was_there(
    study, whole_search
):
    """The checkpoint is from where it was to pause: what comes behind it is no value of there."""
    killed = study("tune", ATTNSTUDY_CRASH_AT="write/pauses.json/temporary:3")
    assert killed.code == -signal.SIGKILL, killed.err
    ended = study("tune", "--json")
    assert ended.code == 0, ended.err
    assert numbers(json.loads(ended.out)) == whole_search


def test_a_command_killed_with_all_its_processes_is_gone_on_with(study, whole, tmp_path):
    """The whole session at once, as a machine that loses power, with two workers."""
    words = [sys.executable, "-m", "attnstudy", "run", "own", "--workers", "2"]
    environment = {**os.environ, "ATTNSTUDY_NO_FIGURES": "1"}
    child = subprocess.Popen(
        words, cwd=study.place, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(study.store.glob("runs/own/*/checkpoint.pt")):
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    is_whole(study, whole)


@pytest.mark.parametrize("executor", ["ray"])
def test_a_worker_that_is_killed_on_a_cluster_is_replaced(executor, cluster, study, whole):
    """Its machine has nothing of the run's but what the command sends there."""
    from tests.test_ray import begin, workers

    file = study.place / "studies" / "own" / "study.toml"
    file.write_text(STUDY.replace("[arms.a]", "[settings]\npause = 0.2\n[arms.a]"))
    child = begin(
        "run", "own", "--no-figures", "--executor", executor, "--address", cluster.address,
        cwd=study.place,
    )  # fmt: skip
    wait_for(lambda: list(study.store.glob("runs/own/*/checkpoint.pt")), child)
    killed = [pid for node in cluster.nodes for pid in workers(node)]
    assert killed
    for pid in killed:  # some may have nothing to do
        os.kill(pid, signal.SIGKILL)
    assert child.wait(timeout=PATIENCE) == 0, (study.place / "said.txt").read_text()
    assert "it is tried once more" in (study.place / "said.txt").read_text()
    assert computed(study.store) == whole[0]
    assert published(study.store) == whole[1]
