"""prune: what may go goes, once it is allowed; nothing else does."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from attnstudy.files import file_digest, is_temporary, temporary_name, write_sealed
from attnstudy.runs import RunFolder, Status
from attnstudy.usecases import housekeeping
from attnstudy.usecases.housekeeping import BUSY, NEEDED, Kind, find_leftovers, remove
from attnstudy.usecases.staging import staging
from tests.conftest import SMALL
from tests.stores import (
    STUDY,
    VARIANTS,
    as_a_plain_user,
    command,
    held,
    one_sentence,
    run_named,
    snapshot,
)
from tests.waiting import PATIENCE


def finished(store_dir: Path) -> RunFolder:
    return run_named(store_dir, "double/seed=1")


def unfinished(store_dir: Path) -> RunFolder:
    return run_named(store_dir, "vanilla/seed=7")


def leave(path: Path, size: int = 1000, *, hours: float = 0) -> Path:
    """Leave a file of some age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))
    return path


def interrupted_write(path: Path, *, hours: float = 0) -> Path:
    return leave(temporary_name(path), hours=hours)


def pruned(cli, *arguments) -> dict:
    answer = cli("prune", "--json", *arguments)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_a_trained_study_has_nothing_to_remove(cli, store_dir):
    before = snapshot(store_dir)
    answer = cli("prune", "--yes")
    assert (answer.code, answer.out, answer.err) == (0, "Nothing to remove.\n", "")
    assert {name for name in before if "checkpoint" in name}, "the killed run keeps its own"
    assert snapshot(store_dir) == before


def test_an_empty_store_has_nothing_to_remove(cli, workplace):
    assert cli("prune", "--yes").out == "Nothing to remove.\n"
    assert cli("prune", "--yes", "--store", "elsewhere").out == "Nothing to remove.\n"
    assert not Path("elsewhere").exists()


def test_checkpoints_of_finished_runs_go_after_they_were_listed(cli, store_dir):
    before = snapshot(store_dir)
    first = leave(finished(store_dir).path / "checkpoint.pt", 2_000_000)
    second = leave(finished(store_dir).path / "checkpoint.previous.pt", 3_000)
    listed = cli("prune", "--dry-run")
    assert listed.code == 0
    assert listed.out.splitlines() == [
        "checkpoints of finished runs:",
        f"    3.0 kB  {second}  (double/seed=1)",
        f"    2.0 MB  {first}  (double/seed=1)",
        "    2.0 MB  in all",
    ]
    assert first.exists()
    answer = cli("prune", "--yes")
    assert answer.code == 0
    assert "2 removed, 2.0 MB freed." in answer.out
    assert snapshot(store_dir) == before


def test_a_finished_run_whose_checkpoints_outlived_a_kill(store_dir):
    """As the kill between the sealing of the result and the removal leaves it."""
    (checkpoint,) = unfinished(store_dir).path.glob("checkpoint.pt")
    kept = leave(finished(store_dir).path / checkpoint.name)
    shutil.copy(checkpoint, kept)
    (found,) = find_leftovers(store_dir, [STUDY], None, repeated=False).leftovers
    assert (found.kind, found.path, found.size) == (
        Kind.CHECKPOINT, kept, checkpoint.stat().st_size,
    )  # fmt: skip


def test_what_a_result_lists_stays_whatever_its_name(cli, store_dir):
    run = finished(store_dir)
    path = leave(run.path / "checkpoint-averaged.pt")
    result = run.result()
    files = {**result.files, path.name: file_digest(path)}
    changed = dataclasses.asdict(dataclasses.replace(result, files=files))
    write_sealed(run.path / "result.json", {**changed, "status": result.status.value})
    assert pruned(cli, "--yes")["removed"] == []
    assert run.damaged_files() == []


def test_a_run_whose_result_is_damaged_keeps_its_checkpoint(cli, store_dir):
    run = finished(store_dir)
    path = leave(run.path / "checkpoint.pt")
    (run.path / "result.json").write_text("{}")
    assert pruned(cli, "--yes")["removed"] == []
    assert path.exists()


def test_a_run_that_is_held_is_left_alone(cli, store_dir):
    run = finished(store_dir)
    paths = [
        leave(run.path / "checkpoint.pt"), interrupted_write(run.path / "x.json", hours=99),
        interrupted_write(run.path / "published" / "x.json", hours=99),
    ]  # fmt: skip
    with held(run):
        answer = pruned(cli, "--yes")
        assert answer["removed"] == []
        assert {entry["path"] for entry in answer["spared"]} == set(map(str, paths))
        assert {entry["reason"] for entry in answer["spared"]} == {BUSY}
        assert f"Left alone, {BUSY}: {paths[0]}" in cli("prune", "--dry-run").out
        assert all(path.exists() for path in paths)
    assert len(pruned(cli, "--yes")["removed"]) == 3


def test_what_changed_since_it_was_listed_is_looked_at_again(store_dir):
    first, second = finished(store_dir), run_named(store_dir, "vanilla/seed=0")
    paths = [leave(run.path / "checkpoint.pt") for run in (first, second)]
    found = find_leftovers(store_dir, [STUDY], None, repeated=False).leftovers
    assert [leftover.path for leftover in found] == sorted(paths)
    (second.path / "result.json").unlink()
    with held(first):
        removal = remove(store_dir, found)
    assert removal.removed == ()
    assert {(leftover.path, reason) for leftover, reason in removal.spared} == {
        (paths[0], BUSY), (paths[1], NEEDED),
    }  # fmt: skip
    assert all(path.exists() for path in paths)


def test_what_is_gone_already_is_no_fault(store_dir):
    path = leave(finished(store_dir).path / "checkpoint.pt")
    found = find_leftovers(store_dir, [STUDY], None, repeated=False).leftovers
    path.unlink()
    removal = remove(store_dir, found)
    assert (len(removal.removed), removal.failed) == (1, ())


def test_interrupted_writes_go_unless_somebody_may_still_be_writing(cli, store_dir):
    """Who writes run.json or a checkpoint holds the run; who notes a failure does not."""
    run = unfinished(store_dir)
    study = run.path.parent
    fresh = [
        interrupted_write(run.path / "published" / "embedded.json"),
        interrupted_write(run.path / "failure.json"),
        interrupted_write(study / "study.json"),
    ]
    old = [
        interrupted_write(run.path / "published" / "embedded.json", hours=1.1),
        interrupted_write(run.path / "failure.json", hours=1.1),
        interrupted_write(study / "study.json", hours=1.1),
        interrupted_write(run.path / "checkpoint.pt"),
        interrupted_write(run.path / "journal.jsonl"),
    ]
    strangers = [leave(run.path / name, hours=99) for name in (".note-to-self", ".x-0123", "x.tmp")]
    assert not any(map(is_temporary, strangers))
    answer = pruned(cli, "--yes")
    assert set(answer["removed"]) == set(map(str, old))
    assert {entry["kind"] for entry in answer["found"]} == {"write"}
    assert answer["freed"] == 1000 * len(old)
    assert all(path.exists() for path in (*fresh, *strangers))
    assert run.status is Status.INTERRUPTED


def test_half_decoded_images_go_when_no_study_is_named(cli, store_dir, tmp_path):
    data_dir = tmp_path / "images"
    old = leave(data_dir / "decoded" / ".decoding-0123456789abcdef" / "train_images.npy", hours=2)
    os.utime(old.parent, (0, 0))
    fresh = leave(data_dir / "decoded" / ".decoding-fedcba9876543210" / "train_images.npy")
    os.utime(fresh.parent, (0, 0))
    damaged = leave(data_dir / "decoded" / ".damaged-0123456789abcdef" / "train_images.npy", 500)
    cache = leave(data_dir / "decoded" / "0123" / "train_images.npy", hours=99)
    arguments = ("--yes", "--data-dir", data_dir)
    assert pruned(cli, STUDY, *arguments)["found"] == []
    answer = pruned(cli, *arguments)
    assert set(answer["removed"]) == {str(old.parent), str(damaged.parent)}
    assert answer["freed"] == 1500
    assert fresh.exists()
    assert cache.exists()
    assert not old.parent.exists()


def test_results_that_were_repeated_go_only_when_they_are_named(cli, store_dir):
    run = finished(store_dir)
    with run.claim():
        aside = run.repeat()
    assert aside is not None
    # the repetition has no result yet: the only one of this run is the one aside
    answer = pruned(cli, "--yes", "--repeated")
    assert answer["removed"] == []
    assert answer["spared"] == [{"path": str(aside), "reason": "its repetition has no result yet"}]
    assert cli("run", *SMALL, *VARIANTS, "--seeds", "2").code == 0
    assert run.result() is not None
    assert pruned(cli, "--yes")["found"] == []
    size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
    with held(RunFolder(aside)):
        assert pruned(cli, "--yes", "--repeated")["removed"] == []
    answer = pruned(cli, "--yes", "--repeated")
    assert answer["removed"] == [str(aside)]
    assert answer["freed"] == size
    assert answer["found"][0]["run"] == "double/seed=1"
    assert not aside.exists()
    assert run.damaged_files() == []


def test_a_killed_import_is_cleared_away_and_a_living_one_is_not(cli, store_dir):
    left = leave(store_dir / ".importing-0123456789abcdef" / "part" / "model.pt2")
    with staging(store_dir) as stage:
        assert not left.exists(), "an import clears what another left"
        living = leave(stage / "part" / "model.pt2")
        assert pruned(cli, "--yes")["removed"] == []
        assert living.exists()
    left = leave(store_dir / ".importing-0123456789abcdef" / "part" / "model.pt2")
    assert pruned(cli, STUDY, "--yes")["found"] == []
    answer = pruned(cli, "--yes")
    assert answer["removed"] == [str(left.parent.parent)]
    assert not left.exists()


def test_other_studies_are_left_alone_when_one_is_named(cli, store_dir):
    shutil.copytree(store_dir / "runs" / STUDY, store_dir / "runs" / "other")
    paths = [
        leave(
            RunFolder(store_dir / "runs" / study / finished(store_dir).path.name).path
            / "checkpoint.pt"
        )
        for study in (STUDY, "other")
    ]
    assert pruned(cli, "other", "--yes")["removed"] == [str(paths[1])]
    assert paths[0].exists()
    answer = cli("prune", "othr", "--yes")
    assert answer.code == 2
    assert "did you mean 'other'?" in one_sentence(answer.err)


# Asking


def test_nobody_is_asked_where_nobody_answers(cli, store_dir):
    path = leave(finished(store_dir).path / "checkpoint.pt")
    for arguments in ((), ("--json",)):
        answer = cli("prune", *arguments)
        assert answer.code == 2
        assert answer.out == ""
        assert "say --yes, or --dry-run" in one_sentence(answer.err)
    assert path.exists()


def take_the_terminal() -> None:
    """Make the terminal on standard input this session's own, so that its Ctrl-C arrives."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.close(os.open(os.ttyname(0), os.O_RDWR))


@pytest.mark.parametrize(
    ("typed", "code", "said", "stays"),
    [
        (b"y\n", 0, "1 removed, 1.0 kB freed.", False),
        (b"n\n", 0, "Nothing was removed.", True),
        (b"\n", 0, "Nothing was removed.", True),
        (b"\x03", 130, "Interrupted.", True),
    ],
    ids=["yes", "no", "nothing", "Ctrl-C"],
)
def test_at_a_terminal_the_user_decides(store_dir, typed, code, said, stays):
    path = leave(finished(store_dir).path / "checkpoint.pt")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command("prune"), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=take_the_terminal,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 1000)
    assert str(path).encode() in shown
    shown = b""
    with contextlib.suppress(OSError):  # that is how the other end's closing is told
        while True:
            if said.encode() not in shown:
                os.write(ours, typed)  # perhaps again: a prompt that is not ready loses Ctrl-C
            while select.select([ours], [], [], 0.5)[0]:
                shown += os.read(ours, 1000)
    os.close(ours)
    assert child.wait(PATIENCE) == code
    assert said in shown.decode()
    assert path.exists() is stays


# What cannot be removed


def test_a_read_only_folder_is_told_and_what_was_removed_stays_removed(store_dir):
    first, second = sorted(
        (finished(store_dir), run_named(store_dir, "vanilla/seed=0")), key=lambda r: r.path
    )
    paths = [leave(run.path / "checkpoint.pt") for run in (first, second)]
    first.path.chmod(0o555)
    try:
        done = as_a_plain_user(command("prune", STUDY, "--yes"))
    finally:
        first.path.chmod(0o755)
    assert done.returncode == 3
    sentence = one_sentence(done.stderr)
    assert f"{paths[0]} cannot be removed (Permission denied)" in sentence
    assert "1 removed before, 1.0 kB freed" in sentence
    assert [path.exists() for path in paths] == [True, False]
    assert pruned_again(store_dir, paths[0])


def pruned_again(store_dir: Path, path: Path) -> bool:
    remove(store_dir, find_leftovers(store_dir, [STUDY], None, repeated=False).leftovers)
    return not path.exists()


def test_a_run_folder_that_may_not_be_claimed_is_told(store_dir):
    run = finished(store_dir)
    leave(run.path / "checkpoint.pt")
    (run.path / "lock").unlink(missing_ok=True)
    run.path.chmod(0o555)
    try:
        done = as_a_plain_user(command("prune", "--yes"))
    finally:
        run.path.chmod(0o755)
    assert done.returncode == 3
    assert "Permission denied" in one_sentence(done.stderr)


def test_the_permissions_of_these_tests_are_heeded(tmp_path):
    tmp_path.chmod(0o555)
    done = as_a_plain_user(["touch", str(tmp_path / "x")])
    tmp_path.chmod(0o755)
    assert done.returncode != 0


def test_the_age_that_is_safe_is_an_hour():
    assert housekeeping.SAFE_AGE == 3600
