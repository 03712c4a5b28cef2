"""Studies on a Ray cluster: the numbers of a study here, whatever dies on the way."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attnstudy import runs
from attnstudy.errors import ClusterError
from attnstudy.executors import ClusterRequest, ExecutorChoice, Ray
from attnstudy.executors import cluster as cluster_module
from tests.clusters import Machines, machines
from tests.conftest import SMALL
from tests.own import computed as all_computed
from tests.stores import one_sentence
from tests.tuning import numbers
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.timeout(600)
CHAOS = bool(os.environ.get("ATTNSTUDY_CHAOS"))
SEEDS = "5" if CHAOS else "1"
FOUR = ("--variant", "all", "--seeds", SEEDS)
LONG = ("--epochs", "150", "--variant", "vanilla", "--seeds", "2")
"""Runs that take long enough to lose a machine."""


def results(store_dir: Path, study: str = "placement") -> dict[str, dict[str, object]]:
    """Return what was computed, without times: metrics and the digests of all that is kept."""
    found: dict[str, dict[str, object]] = {}
    for folder in runs.run_folders(store_dir, study):
        result = folder.result()
        if result is None:
            continue
        kept: dict[str, Any] = {n: d for n, d in result.files.items() if n != "journal.jsonl"}
        kept |= {
            name: value
            for name, value in result.metrics.items()
            if name not in ("train_seconds", "images_per_second")
        }
        kept["journal"] = [(r.step, r.values) for r in folder.journal()]
        spec = folder.started().spec
        found[f"{spec.name}, {spec.epochs} epochs"] = kept
    return found


def ray_words(cluster: Machines, *more: str) -> tuple[str, ...]:
    return ("--executor", "ray", "--address", cluster.address, *more)


def begin(*words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Start a command that writes what it says into a file."""
    with (cwd / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "attnstudy", *words], cwd=cwd, stdout=said, stderr=said
        )


def raylet(node) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def workers(node) -> list[int]:
    """Return the processes that train on a machine of the cluster."""
    listed = subprocess.run(
        ["ps", "--ppid", str(raylet(node)), "-o", "pid=,args="],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "RemoteWorker" in line]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, data_dir: Path, template_store: Path) -> Path:
    """The studies as this machine alone trains them: never published, for comparison only."""
    store_dir = tmp_path_factory.mktemp("here") / "mlruns"
    store_dir.mkdir()
    shutil.copy(template_store / "mlflow.db", store_dir / "mlflow.db")
    environment = {**os.environ, "ATTNSTUDY_DATA_DIR": str(data_dir)}
    for words in (FOUR, LONG) if CHAOS else (FOUR,):
        subprocess.run(
            [sys.executable, "-m", "attnstudy", "run", *SMALL, *words, "--store", store_dir, "-q",
             "--executor", "inline", "--no-figures"],
            check=True, env=environment, capture_output=True,
        )  # fmt: skip
    return store_dir


@pytest.fixture
def unseen(workplace: Path) -> Iterator[list[str]]:
    """Words before a command that hide what it writes to its working directory from all others."""
    words = ["unshare", "--mount", "sh", "-c"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a mount namespace")
    shutil.copytree(workplace / "mlruns", workplace.parent / "kept" / "mlruns")
    yield words
    shutil.rmtree(workplace.parent / "kept")


def test_a_study_on_three_machines_equals_the_study_here(cluster, workplace, unseen, here):
    """Nothing that the command writes can be seen by the machines of the cluster."""
    kept = workplace.parent / "kept"
    words = ("run", *SMALL, *FOUR, *ray_words(cluster), "--workers", "3")
    script = (
        f"mount -t tmpfs none {workplace} && cd {workplace} && cp -a {kept}/mlruns . && "
        f"{sys.executable} -m attnstudy {' '.join(words)}; code=$?; cp -a mlruns {kept}/after; "
        "exit $code"
    )
    ended = subprocess.run([*unseen, script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not (workplace / "mlruns" / "runs").exists()
    computed = results(kept / "after")
    assert len(computed) == 4 * int(SEEDS)
    reference = results(here)
    assert computed == {name: reference[name] for name in computed}
    assert not list(Path("/tmp").glob("attnstudy-scratch-*/*/weights.safetensors"))


@pytest.mark.long  # Ray takes its time to notice
def test_a_worker_a_machine_and_the_command_die(cluster, workplace, here):
    """One after the other, in one study."""
    extra = cluster.add(num_cpus=1, num_gpus=1)
    words = ("run", *SMALL, *LONG, *ray_words(cluster, "--gpus-per-run", "1", "--device", "cpu"))
    store_dir = workplace / "mlruns"

    def checkpoints() -> list[Path]:
        return list(store_dir.glob("runs/placement/*/checkpoint.pt"))

    def said(text: str) -> bool:
        return text in (workplace / "said.txt").read_text()

    child = begin(*words, cwd=workplace)
    wait_for(lambda: len(checkpoints()) == 2, child)
    (victim,) = workers(extra)
    os.kill(victim, signal.SIGKILL)
    wait_for(
        lambda: said("was killed, perhaps because memory ran out; it is tried once more"), child
    )
    wait_for(lambda: workers(extra), child)
    cluster.lose(extra)
    wait_for(lambda: said("is gone; it is tried once more") or len(checkpoints()) < 2, child)
    child.kill()
    child.wait()
    left = checkpoints()
    assert left

    ended = begin(*words, cwd=workplace)
    assert ended.wait(timeout=300) == 0, (workplace / "said.txt").read_text()
    computed = results(store_dir)
    reference = results(here)
    assert len(computed) == 2
    assert computed == {name: reference[name] for name in computed}
    assert not list(store_dir.glob("runs/*/*/checkpoint*"))


@pytest.mark.long  # it is waited for
def test_a_lost_head_ends_the_command_and_the_same_command_goes_on(workplace):
    words = ("run", *SMALL, *LONG, "--epochs", "400", "--executor", "ray", "--address")
    store_dir = workplace / "mlruns"
    with machines({"num_cpus": 2}) as made:
        child = begin(*words, made.address, cwd=workplace)
        wait_for(lambda: len(list(store_dir.glob("runs/placement/*/checkpoint.pt"))) == 2, child)
        made.cluster.head_node.all_processes["gcs_server"][0].process.kill()
        code = child.wait(timeout=300)
    said = (workplace / "said.txt").read_text()
    assert code == 3, said
    assert "Warning: the head of the Ray cluster does not answer; waiting" in said
    assert re.search(r"^Error: the head of the Ray cluster has not answered for \d+ s", said, re.M)
    assert "Traceback" not in said
    found = list(store_dir.glob("runs/placement/*/checkpoint.pt"))
    assert len(found) == 2
    with machines({"num_cpus": 2}) as made:
        ended = begin(*words, made.address, cwd=workplace)
        assert ended.wait(timeout=500) == 0, (workplace / "said.txt").read_text()
    computed = results(store_dir)
    command = [sys.executable, "-m", "attnstudy", *words[:-3], "--executor", "inline"]
    subprocess.run([*command, "--store", "near", "--no-figures"], check=True, cwd=workplace)
    assert len(computed) == 2
    assert computed == results(workplace / "near")


TASKS = """
train = "mine:train"
seeds = 2
[settings]
level = 0.0
difficulty = 1
[arms.low]
level = 0.0
[arms.high]
level = 50.0
[tasks.easy]
difficulty = 1
[tasks.hard]
difficulty = 3
metric = "loss"
"""
TRAIN = """
def train(run):
    value = run.settings["level"] - run.settings["difficulty"] + run.rng("noise").normal()
    run.log(0, acc=value)
    return {"acc": value, "loss": 100 - value}
"""


def test_tasks_on_a_cluster_are_the_tasks_here(own, cluster):
    own.write(TRAIN, top=TASKS)
    ranked = []
    for store, how in (("far", ray_words(cluster, "--workers", "3")), ("near", ())):
        answer = own("run", *how, "--store", store, "--json")
        assert answer.code == 0, answer.err
        assert json.loads(answer.out)["trained"] == 8
        ranked.append(json.loads(own("rank", "--store", store, "--tasks", "each", "--json").out))
    far, near = (all_computed(own.place / store) for store in ("far", "near"))
    assert {name.partition("/")[0] for name in far} == {"easy", "hard"}
    assert len(far) == 8
    assert far == near
    fingerprints = [
        {name: folder.started().spec.fingerprint for name, folder in own.folders(store=s).items()}
        for s in ("far", "near")
    ]
    assert fingerprints[0] == fingerprints[1]
    for tasks in (one["tasks"] for one in ranked):
        for task in tasks:
            assert task["plan"].pop("date")  # to the minute, and the second store is made later
    far_ranked, near_ranked = ranked
    for key in ("tasks", "each", "average", "new", "verdict"):
        assert far_ranked[key] == near_ranked[key]


OWN = """
import torch
from widths import WIDTH


def narrow(attention, image_shape, num_classes):
    channels, height, width = image_shape
    return torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(channels * height * width, WIDTH),
        torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, num_classes),
    )
"""


@pytest.mark.long
def test_a_variant_of_ones_own_and_fused_seeds_on_a_cluster(cli, cluster, workplace):
    """The sources of the variant go along: the machines have never seen its package."""
    package = workplace / "mynets"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "nets.py").write_text(OWN.replace("from widths", "from mynets.widths"))
    (package / "widths.py").write_text("WIDTH = 8\n")
    words = (
        "run", *SMALL, "--variant", "mynets.nets:narrow", "--variant", "vanilla", "--seeds", "2",
        "--fuse", "2",
    )  # fmt: skip
    answer = cli(*words, *ray_words(cluster), "--store", "far")
    assert answer.code == 0, answer.err
    answer = cli(*words, "--executor", "inline", "--store", "near")
    assert answer.code == 0, answer.err
    far, near = (results(workplace / name) for name in ("far", "near"))
    assert len(far) == 4
    assert far == near


@pytest.mark.long
def test_a_search_on_a_cluster_equals_the_search_here(cli, cluster, workplace):
    words = (
        "tune", *SMALL, "--variant", "vanilla", "--trials", "3", "--seeds-per-trial", "2",
        "--pruner", "median", "--json",
    )  # fmt: skip
    answers = []
    for store, how in (("far", ray_words(cluster)), ("near", ("--executor", "inline"))):
        answer = cli(*words, *how, "--store", store, "--storage", f"{store}.journal")
        assert answer.code == 0, answer.err
        answers.append(numbers(json.loads(answer.out)))
    far, near = answers
    assert len(far["vanilla"]) == 3
    assert far == near


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--cpus-per-run", "64"), 2, r"no machine .* has 64 CPU for a run: it has 1 machine with "
         r"2 CPU and 0 GPU, 1 machine with 2 CPU and 1 GPU; ask for less"),
        (("--gpus-per-run", "2"), 2, r"has 1 CPU and 2 GPU for a run"),
        (("--gpus-per-run", "1.5"), 2, r"'1.5' is no number of GPUs"),
        (("--device", "cuda"), 2, r"say how much of a GPU .* --gpus-per-run"),
    ],
)  # fmt: skip
def test_what_no_machine_has_is_refused_at_once(cli, cluster, workplace, words, code, said):
    answer = cli("run", *SMALL, "--variant", "vanilla", *ray_words(cluster), *words)
    assert answer.code == code
    assert re.search(said, one_sentence(answer.err))
    assert not (workplace / "mlruns" / "runs").exists()


@pytest.mark.long
def test_a_gpu_that_is_not_there_is_no_reason_to_train_on_something_else(cli, cluster, workplace):
    """The machine of the cluster only says that it has one."""
    words = ("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--gpus-per-run", "0.5")
    answer = cli(*words, *ray_words(cluster))
    assert answer.code == 1
    assert "this torch sees no GPU" in answer.err + answer.out
    assert results(workplace / "mlruns") == {}


def test_options_of_a_cluster_without_one(cli, workplace):
    answer = cli("run", *SMALL, "--gpus-per-run", "1")
    assert answer.code == 2
    assert "--gpus-per-run goes with --executor ray" in one_sentence(answer.err)


STRANGER = """
import sys
from attnstudy.cli import main
sys.argv = ["attnstudy", *sys.argv[1:]]
main()
"""


@pytest.mark.long  # Ray takes half a minute to say so
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RAY_AUTH_TOKEN": secrets.token_hex(32)}, "asks for the token"),
        ({"RAY_AUTH_TOKEN": "", "HOME": "/nonexistent"}, "asks for the token"),
    ],
    ids=["another token", "no token"],
)
def test_a_stranger_is_not_let_in(cluster, workplace, environment, said):
    words = ("run", *SMALL, "--variant", "vanilla", *ray_words(cluster))
    ended = subprocess.run(
        [sys.executable, "-c", STRANGER, *words], capture_output=True, text=True, check=False,
        env={**os.environ, **environment}, timeout=PATIENCE,
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    assert said in one_sentence(ended.stderr)


def test_no_cluster_at_an_address(workplace):
    words = ("run", *SMALL, "--variant", "vanilla", "--executor", "ray", "--address")
    ended = subprocess.run(
        [sys.executable, "-c", STRANGER, *words, "127.0.0.1:9"], capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    assert "no Ray cluster answers at 127.0.0.1:9" in one_sentence(ended.stderr)


@pytest.mark.parametrize("address", ["127.0.0.1", "ray://head", "http://head:6379"])
def test_what_is_no_address_is_told(cli, workplace, address):
    answer = cli("run", *SMALL, "--executor", "ray", "--address", address)
    assert answer.code == 2
    assert f"{address!r} is no address of a Ray cluster" in one_sentence(answer.err)


def test_a_note_of_a_cluster_that_is_gone_is_not_waited_for(tmp_path, monkeypatch):
    """Ray leaves it where a cluster was killed, and would try it for minutes."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert cluster_module._running_here() is None
    (tmp_path / "ray").mkdir()
    note = tmp_path / "ray" / "ray_current_cluster"
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        note.write_text(address)
        assert cluster_module._running_here() == address
    assert cluster_module._running_here() is None


def test_a_run_is_given_a_core_for_each_of_its_threads():
    choice = ExecutorChoice("ray", ClusterRequest(gpus=0.5))
    assert choice.for_threads(3).cluster.resources == {"CPU": 3, "GPU": 0.5}
    told = ExecutorChoice("ray", ClusterRequest(cpus=2))
    assert told.for_threads(3).cluster.resources == {"CPU": 2}


def test_the_head_of_a_cluster_is_seen(cluster):
    cluster_module.connect(ClusterRequest(address=cluster.address))
    assert cluster_module.head_answers()


def test_a_machine_with_other_code_is_refused(cluster, monkeypatch):
    monkeypatch.setattr("attnstudy.executors.remote.code_digest", lambda: "another")
    executor = Ray(1, ClusterRequest(address=cluster.address))
    with pytest.raises(ClusterError, match="has another attnstudy than this one"):
        list(executor.execute([0], print))
