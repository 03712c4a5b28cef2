"""The faults of a user's daily life, in real processes on real file systems."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.runs import load_checkpoints, records_before, save_checkpoint
from tests.conftest import SMALL
from tests.waiting import PATIENCE, wait_for

STORE_DIR = Path("mlruns")
LONG_RUN = ("run", *SMALL, "--epochs", "200", "--variant", "double", "--seeds", "2")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "attnstudy", *arguments]


def begin(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        # what runs under nohup inherits that a hang-up is ignored, and the command respects it
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )  # fmt: skip


def finish(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=280, check=False
    )


def folders(study="placement"):
    return {f.started().spec.name: f for f in runs.run_folders(STORE_DIR, study)}


def checkpointed() -> bool:
    return len(list(STORE_DIR.glob("runs/placement/*/checkpoint.pt"))) == 2


def holders(claimed):
    """Return the process that holds each run."""
    notes = [json.loads((folder.path / "holder.json").read_text()) for folder in claimed]
    return [int(note["content"]["pid"]) for note in notes]


def computed(study="placement"):
    kept = {}
    for name, folder in folders(study).items():
        journal = [(r.step, r.values) for r in folder.journal()]
        measured = dict(folder.result().metrics)
        for timed in ("train_seconds", "images_per_second"):
            del measured[timed]
        weights = (folder.path / "weights.safetensors").read_bytes()
        kept[name] = (journal, measured, weights)
    return kept


pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("processes")]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
def test_a_signal_leaves_checkpoints_within_the_epoch(workplace, number):
    child = begin(*LONG_RUN, "--batch-size", "2", "--workers", "2")  # 128 iterations an epoch
    wait_for(checkpointed, child)
    child.send_signal(number)  # to the parent alone, as kubernetes does
    _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 128 + number
    assert "Traceback" not in errors
    assert "to go on from there: attnstudy run --dataset digits" in errors
    positions = []
    for folder in folders().values():
        assert not folder.claimed
        assert folder.status is runs.Status.INTERRUPTED
        _, newest = next(iter(load_checkpoints(folder.path)))
        positions.append(newest.state["iteration"])
        settings = folder.started().spec.to_dict()
        assert records_before(newest, settings, folder.journal()) is not None
    # two workers that both happened to be at the end of one of the epochs: 1 in 16,000
    assert any(positions)


@pytest.mark.long
def test_a_command_waits_for_the_workers_of_one_that_was_killed(workplace):
    words = ("run", *SMALL, "--epochs", "40", "--variant", "double", "--seeds", "2")
    child = begin(*words, "--workers", "2")
    wait_for(checkpointed, child)
    child.kill()  # the parent alone: its workers live until their next iteration
    child.wait()
    done = finish(*words, "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["trained"], answer["elsewhere"], answer["failed"]) == (2, 0, 0)
    assert not list((STORE_DIR / "runs" / "placement" / "commands").iterdir())
    whole = finish(*words, "--study", "whole")
    assert whole.returncode == 0, whole.stderr
    assert computed() == computed("whole")


@pytest.mark.long
def test_an_orphan_is_told_apart_from_a_run_of_another_command(workplace):
    child = begin(*LONG_RUN, "--workers", "2")
    wait_for(checkpointed, child)
    (one, two) = folders().values()
    assert one.status is two.status is runs.Status.RUNNING
    assert not one.orphaned
    stopped = holders((one, two))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)  # workers in the middle of a long iteration
    try:
        child.kill()
        child.wait()
        assert one.orphaned
        assert one.claimed
        assert one.status is runs.Status.INTERRUPTED
        second = begin(*LONG_RUN, "--epochs", "200", "--workers", "2")
        line = ""
        while "a worker of a command that was killed still holds it" not in line:
            line = second.stderr.readline()
            assert line, "the second command ended"
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in stopped))
    wait_for(lambda: all(folder.status is runs.Status.RUNNING for folder in (one, two)), second)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=PATIENCE)


@pytest.mark.long
def test_a_command_waits_for_another_only_if_asked(workplace):
    words = ("run", *SMALL, "--epochs", "120", "--variant", "double", "--seeds", "1", "--json")
    first = begin(*words)
    wait_for(lambda: list(STORE_DIR.glob("runs/placement/*/checkpoint.pt")), first)
    (folder,) = folders().values()
    (holder,) = holders([folder])
    os.kill(holder, signal.SIGSTOP)  # it holds its run for as long as this test wants
    hasty = finish(*words)
    assert hasty.returncode == 0, hasty.stderr
    assert json.loads(hasty.stdout)["elsewhere"] == 1
    patient = begin(*words, "--wait")
    while "waiting for 1" not in (line := patient.stderr.readline()):
        assert line
    os.kill(holder, signal.SIGCONT)
    out, errors = patient.communicate(timeout=PATIENCE)
    assert patient.returncode == 0, errors
    answer = json.loads(out)
    assert (answer["trained"], answer["skipped"], answer["elsewhere"]) == (0, 1, 0)
    out, _ = first.communicate(timeout=PATIENCE)
    assert json.loads(out)["trained"] == 1


@pytest.mark.long
def test_who_waits_takes_over_what_the_other_leaves(workplace):
    first = begin(*LONG_RUN, "--seeds", "1")
    wait_for(lambda: list(STORE_DIR.glob("runs/placement/*/checkpoint.pt")), first)
    second = begin(*LONG_RUN, "--seeds", "1", "--wait")
    line = ""
    while "waiting for 1" not in line:
        line = second.stderr.readline()
        assert line
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=PATIENCE)
    (folder,) = folders().values()
    wait_for(lambda: folder.status is runs.Status.RUNNING, second)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=PATIENCE)
    assert second.returncode == 143


@pytest.fixture
def interrupted(cli, workplace, monkeypatch):
    """A run that stopped after its first epoch."""
    from attnstudy.executors import Stopped
    from attnstudy.running.run import ActiveRun

    checkpoint = ActiveRun.checkpoint

    def stop(run, state):
        checkpoint(run, state)
        raise Stopped

    with monkeypatch.context() as context:
        context.setattr(ActiveRun, "checkpoint", stop)
        cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--executor", "inline")
    (folder,) = folders().values()
    (folder.path / "failure.json").unlink()
    assert folder.status is runs.Status.INTERRUPTED
    return folder


GO_ON = ("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--executor", "inline")


def test_another_torch_at_resume_is_told_and_strict_refuses(cli, interrupted):
    _, checkpoint = next(iter(load_checkpoints(interrupted.path)))
    before = {**checkpoint.environment, "torch": "2.0.0", "threads": "3"}
    save_checkpoint(interrupted.path, replace(checkpoint, environment=before))
    answer = cli(*GO_ON, "--strict")
    assert answer.code == 2
    assert "vanilla/seed=0 was interrupted and would go on with torch" in answer.err
    assert "after 2.0.0, threads 1 after 3" in answer.err
    answer = cli(*GO_ON)
    assert answer.code == 0
    assert "the bits may differ from an uninterrupted training" in answer.err
    (note,) = interrupted.result().notes
    assert "after 2.0.0" in note


def test_the_same_surroundings_pass_strict(cli, interrupted):
    answer = cli(*GO_ON, "--strict")
    assert answer.code == 0, answer.err
    assert interrupted.result().notes == ()


@pytest.fixture
def whole(cli, workplace):
    """The same run, never interrupted, in another study."""
    assert cli(*GO_ON, "--study", "whole").code == 0
    return computed("whole")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [flip, cut])
@pytest.mark.parametrize("name", ["checkpoint.pt", "journal.jsonl", "run.json"])
def test_a_damaged_file_of_an_interrupted_run_gives_no_wrong_number(
    cli, interrupted, whole, name, damage
):
    damage(interrupted.path / name)
    answer = cli(*GO_ON)
    assert answer.code == 0, answer.err
    assert "Traceback" not in answer.err
    if name in ("checkpoint.pt", "journal.jsonl"):
        assert "checkpoint.pt" in answer.err
        assert "not used" in answer.err
    assert computed() == whole


@pytest.mark.proof
@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_result_is_told_and_made_again(cli, workplace, whole, damage):
    assert cli(*GO_ON).code == 0
    (folder,) = folders().values()
    damage(folder.path / "result.json")
    answer = cli(*GO_ON)
    assert answer.code == 0
    assert "result.json is damaged, so the run is trained again" in answer.err
    assert computed() == whole


@pytest.mark.parametrize("name", ["journal.jsonl", "predictions.csv", "model.pt2"])
def test_a_damaged_file_of_a_finished_run_is_named_and_not_published(cli, workplace, name):
    nowhere = ("--tracking-uri", "http://127.0.0.1:9")
    assert cli(*GO_ON, *nowhere).code == 0
    (folder,) = folders().values()
    flip(folder.path / name)
    answer = cli("sync")
    assert answer.code == 3
    again = "attnstudy run --rerun --study placement --arm vanilla --seeds 0-0"
    assert f"{name} is damaged: repeat this run with '{again} " in answer.err


@pytest.fixture
def small_disk(workplace: Path) -> Iterator[Path]:
    """A file system of 3 MiB for the store."""
    place = workplace / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting a small file system needs the right to do so")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("executor", ["inline", pytest.param("processes", marks=pytest.mark.long)])
def test_a_full_disk_stops_the_study_and_nothing_is_lost(cli, small_disk, executor):
    store = small_disk / "mlruns"
    words = ("run", *SMALL, "--variant", "double", "--seeds", "2", "--executor", executor,
             "--store", str(store), "--tracking-uri", "http://127.0.0.1:9")  # fmt: skip
    assert cli(*words, "--seeds", "1").code == 0
    (first,) = runs.run_folders(store, "placement")
    before = (first.path / "result.json").read_bytes()
    filler = small_disk / "filler"
    space = os.statvfs(small_disk)
    filler.write_bytes(bytes((space.f_bavail - 8) * space.f_frsize))  # room for 32 KiB
    answer = cli(*words)
    assert answer.code == 3, answer.err
    assert "cannot be written (No space left on device): make room" in answer.err
    assert "Traceback" not in answer.err
    assert (first.path / "result.json").read_bytes() == before
    filler.unlink()
    answer = cli(*words)
    assert answer.code == 0, answer.err
    assert all(folder.result() for folder in runs.run_folders(store, "placement"))
    assert not [path for path in store.rglob(".*") if path.is_file()]


def test_a_full_disk_under_the_database_ends_with_what_to_do(cli, small_disk, template_store):
    """The run folders have room; the embedded database beside them has none."""
    store_dir = Path("mlruns")
    (store_dir / "mlflow.db").unlink()
    (small_disk / "mlflow.db").write_bytes((template_store / "mlflow.db").read_bytes())
    (store_dir / "mlflow.db").symlink_to(small_disk / "mlflow.db")
    filler = small_disk / "filler"
    space = os.statvfs(small_disk)
    filler.write_bytes(bytes(space.f_bavail * space.f_frsize))
    answer = cli(*GO_ON)
    assert answer.code == 3, answer.err
    assert "Traceback" not in answer.err
    assert "attnstudy sync" in answer.err
    (folder,) = folders().values()
    assert folder.result() is not None
    filler.unlink()
    answer = cli("sync")
    assert answer.code == 0, answer.err


def test_a_clock_that_is_set_back_does_not_end_a_run_before_it_began(cli, interrupted):
    from attnstudy.files import read_sealed, write_sealed

    content = read_sealed(interrupted.path / "run.json")
    later = content["started_at"] + 10 * 365 * 24 * 3600 * 1000
    write_sealed(interrupted.path / "run.json", {**content, "started_at": later})
    assert cli(*GO_ON).code == 0
    assert interrupted.result().finished_at >= later
