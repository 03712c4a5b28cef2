"""Run folders: who holds a run, how it stands, and what damage does to it."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attnstudy import runs
from attnstudy.errors import EXIT_ENVIRONMENT, StoreError
from attnstudy.files import file_digest, read_sealed, write_sealed
from attnstudy.running.resuming import resume
from attnstudy.runs import (
    METRICS,
    Checkpoint,
    DatasetFacts,
    LogRecord,
    Result,
    RunFolder,
    Status,
    records_before,
    repeating,
)
from attnstudy.runs.journal import append_record
from attnstudy.study import RunSpec
from tests.waiting import PATIENCE

SPEC = RunSpec(
    study="mine", dataset="digits", variant="double", seed=3, dataset_digest="ab", train_size=100,
    val_size=10, channels=(4, 8), lr=3e-4,
)  # fmt: skip
DATASET = DatasetFacts(
    name="digits", source="digits", digest="ab", image_shape=(1, 8, 8), class_names=("a", "b"),
    test_images=40, normalisation={"scale": 16.0, "mean": [0.3], "std": [0.4]},
)  # fmt: skip
TOLD = dataclasses.asdict(DATASET)
NOTED = LogRecord(0, 0.5, {"train_loss": (1.0,)})
RESULT = Result(
    status=Status.COMPLETE, diverged_at=None,
    metrics={
        "val_accuracy_max": 91.5, "val_accuracy_max_every_100_iterations": 91.5,
        "val_accuracy_final": 90.1, "test_accuracy": 89.97, "test_loss": 0.25,
        "train_seconds": 12.5, "images_per_second": 800.0,
    },
    finished_at=1_700_000_000_000, environment={"device": "cpu", "threads": "1"}, files={},
    notes=("kept",),
)  # fmt: skip
DIVERGED = dataclasses.replace(
    RESULT, status=Status.DIVERGED, diverged_at=17,
    metrics={
        "val_accuracy_max": 91.5, "val_accuracy_max_every_100_iterations": 91.5,
        "train_seconds": 12.5, "images_per_second": 800.0,
    },
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """The folder of a run that nobody has started."""
    return runs.run_folder(tmp_path, SPEC)


@pytest.fixture
def started(folder: RunFolder) -> RunFolder:
    """The folder of a run that was started and then left."""
    with folder.claim() as mine:
        assert mine
        folder.start(SPEC, TOLD)
    return folder


def refusal(action: Callable[[], object]) -> str:
    """What the user reads: one sentence, of the kind that ends with exit code 3."""
    with pytest.raises(StoreError) as caught:
        action()
    text = str(caught.value)
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert "\n" not in text
    assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
    return text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# The claim, with a real second process

HOLD = """
import sys
from pathlib import Path
from attnstudy.runs import RunFolder

with RunFolder(Path(sys.argv[1])).claim() as mine:
    print(mine, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(started: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the run until it is told to stop or killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(started.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        yield child
        child.kill()


def test_a_run_is_held_by_one_process(started: RunFolder, holder: subprocess.Popen[str]) -> None:
    assert started.claimed
    assert started.status is Status.RUNNING
    with started.claim() as mine:
        assert mine is False
    assert started.claimed, "asking must not free it"


def test_a_run_is_free_when_its_holder_ends(
    started: RunFolder, holder: subprocess.Popen[str]
) -> None:
    holder.communicate("\n", timeout=PATIENCE)
    assert not started.claimed
    with started.claim() as mine:
        assert mine


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a matter of POSIX")
def test_a_run_is_free_when_its_holder_is_killed(
    started: RunFolder, holder: subprocess.Popen[str]
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    assert holder.wait(PATIENCE) == -signal.SIGKILL
    assert not started.claimed
    assert started.status is Status.INTERRUPTED
    with started.claim() as mine:
        assert mine


def test_other_runs_are_free(
    started: RunFolder, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    other = runs.run_folder(tmp_path, dataclasses.replace(SPEC, seed=4))
    with other.claim() as mine:
        assert mine


def test_a_run_is_held_once_within_a_process(folder: RunFolder) -> None:
    with folder.claim() as mine, RunFolder(folder.path).claim() as other:
        assert (mine, other) == (True, False)
        assert folder.claimed
    assert not folder.claimed


def test_a_holder_without_a_command_is_no_orphan_of_the_one_before(started: RunFolder) -> None:
    """As after a kill: the note of a command that is gone lies there when another holds the run."""
    write_sealed(started.path / "holder.json", {"command": "gone", "pid": 1})
    with started.claim() as mine:
        assert mine
        assert not started.orphaned
        assert started.status is Status.RUNNING
    with started.claim(command="gone"):
        assert started.orphaned
    assert not (started.path / "holder.json").exists()


def test_a_failure_frees_the_run(folder: RunFolder) -> None:
    with pytest.raises(ZeroDivisionError), folder.claim():
        1 / 0  # noqa: B018
    with folder.claim() as mine:
        assert mine


def test_a_run_that_nobody_started_is_not_claimed(folder: RunFolder) -> None:
    assert not folder.claimed
    assert not folder.path.exists(), "asking must not make it"


COUNT = """
import sys, time
from pathlib import Path
from attnstudy.runs import RunFolder, changing_study_facts

store, go = map(Path, sys.argv[1:])
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
for _ in range(20):
    with changing_study_facts(store, "mine") as facts:
        count = facts.others.get("count", 0)
        time.sleep(0.001)
        facts.others["count"] = count + 1
"""


def test_study_facts_are_changed_by_one_process_at_a_time(tmp_path: Path) -> None:
    go = tmp_path / "go"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, str(tmp_path), str(go)], stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    go.touch()
    assert [child.wait(PATIENCE) for child in children] == [0, 0]
    assert runs.study_facts(tmp_path, "mine").others == {"count": 40}


# How a run stands


def absent(folder: RunFolder) -> None:
    pass


def claimed_once(folder: RunFolder) -> None:
    with folder.claim():
        pass


def interrupted(folder: RunFolder) -> None:
    with folder.claim():
        folder.start(SPEC, TOLD)
        folder.append(NOTED)
        (folder.path / "checkpoint.pt").write_bytes(b"weights")


def complete(folder: RunFolder) -> None:
    interrupted(folder)
    folder.finish(RESULT)


def diverged(folder: RunFolder) -> None:
    interrupted(folder)
    folder.finish(DIVERGED)


def failed(folder: RunFolder) -> None:
    interrupted(folder)
    folder.fail("it broke", "Traceback")


def tried_again(folder: RunFolder) -> None:
    failed(folder)
    interrupted(folder)


def complete_at_last(folder: RunFolder) -> None:
    failed(folder)
    complete(folder)


def altered(folder: RunFolder) -> None:
    complete(folder)
    path = folder.path / "result.json"
    path.write_text(path.read_text(encoding="utf-8").replace("89.97", "99.97"), encoding="utf-8")


def truncated(folder: RunFolder) -> None:
    complete(folder)
    path = folder.path / "result.json"
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("history", "status", "done"),
    [
        (absent, Status.ABSENT, False),
        (claimed_once, Status.ABSENT, False),
        (interrupted, Status.INTERRUPTED, False),
        (complete, Status.COMPLETE, True),
        (diverged, Status.DIVERGED, True),
        (failed, Status.FAILED, False),
        (tried_again, Status.INTERRUPTED, False),
        (complete_at_last, Status.COMPLETE, True),
        (altered, Status.INTERRUPTED, False),
        (truncated, Status.INTERRUPTED, False),
    ],
)
def test_status(
    folder: RunFolder, history: Callable[[RunFolder], None], status: Status, done: bool
) -> None:
    history(folder)
    assert folder.status is status
    assert folder.status.done is done
    assert (folder.result() is not None) is done
    if folder.path.exists():
        with folder.claim():
            assert folder.status is Status.RUNNING
        assert folder.status is status


def test_the_first_start_is_kept(started: RunFolder) -> None:
    first = started.started()
    assert first is not None
    assert (first.spec, first.dataset) == (SPEC, DATASET)
    assert abs(first.at - time.time() * 1000) < 60_000
    time.sleep(0.005)
    started.start(SPEC, TOLD)
    assert started.started() == first


def test_a_start_that_was_altered_is_made_anew(started: RunFolder) -> None:
    (started.path / "run.json").write_text("{}", encoding="utf-8")
    assert started.started() is None
    started.start(SPEC, TOLD)
    again = started.started()
    assert again is not None
    assert again.spec == SPEC


@pytest.mark.parametrize("result", [RESULT, DIVERGED], ids=["complete", "diverged"])
def test_a_result_comes_back(started: RunFolder, result: Result) -> None:
    started.finish(result)
    assert started.result() == result


def earlier(result: Result) -> dict[str, Any]:
    """Return a result as versions wrote it in which each metric had a field of its own."""
    content = result.to_json()
    metrics = content.pop("metrics")
    during = metrics.get("val_accuracy_max_every_100_iterations")
    return {**content, **dict.fromkeys(METRICS), **metrics, "val_accuracy_max": during}


@pytest.mark.parametrize("result", [RESULT, DIVERGED], ids=["complete", "diverged"])
def test_a_result_of_an_earlier_version_comes_back(started: RunFolder, result: Result) -> None:
    """Its metrics are those that have a value."""
    content = earlier(result)
    del content["val_accuracy_max_every_100_iterations"]
    write_sealed(started.path / "result.json", content)
    assert started.result() == result


def test_the_highest_accuracy_is_never_below_the_final_one() -> None:
    late = Result.from_json({**earlier(RESULT), "val_accuracy_max": 88.0})
    shown = late.metrics
    assert shown["val_accuracy_max"] == shown["val_accuracy_final"] == 90.1
    assert shown["val_accuracy_max_every_100_iterations"] == 88.0  # the notebook's figure


def test_a_finished_run_keeps_no_checkpoint(started: RunFolder) -> None:
    for name in ("checkpoint.pt", "checkpoint-2.pt", "weights.safetensors"):
        (started.path / name).write_bytes(b"weights")
    started.finish(RESULT)
    assert "checkpoint.pt" not in names(started.path)
    assert "checkpoint-2.pt" not in names(started.path)
    assert "weights.safetensors" in names(started.path)


def test_a_result_that_cannot_be_kept_leaves_the_checkpoint(
    started: RunFolder, monkeypatch
) -> None:
    (started.path / "checkpoint.pt").write_bytes(b"weights")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert "No space left on device" in refusal(lambda: started.finish(RESULT))
    assert "checkpoint.pt" in names(started.path)
    assert started.status is Status.INTERRUPTED


def test_a_failure_says_why_until_the_next_attempt(started: RunFolder) -> None:
    assert started.failure() is None
    started.fail("it broke", "a\nlong\ntraceback")
    assert started.failure() == "it broke"
    started.start(SPEC, TOLD)
    assert started.failure() is None
    assert started.status is Status.INTERRUPTED


def test_a_failure_before_anything_began_is_kept(tmp_path: Path) -> None:
    """As of a worker that was killed twice while it came to life."""
    folder = RunFolder(tmp_path / "runs" / "study" / "fingerprint")
    folder.fail("its process was killed by SIGKILL")
    assert folder.status is Status.FAILED
    assert folder.failure() == "its process was killed by SIGKILL"
    assert folder.started() is None


# The journal

RECORDS = [
    LogRecord(step + 1, 1.5 * step, {"train_loss": (0.1, 2.5e-7), "é\n": (3.0,)})
    for step in range(0, 12, 2)
]


@pytest.fixture
def written(started: RunFolder) -> RunFolder:
    """A run with six records in its journal, each of two steps."""
    for record in RECORDS:
        started.append(record)
    return started


def journal_file(folder: RunFolder) -> Path:
    return folder.path / "journal.jsonl"


def test_a_journal_comes_back(written: RunFolder) -> None:
    assert written.journal() == RECORDS


def test_a_run_without_a_journal_has_an_empty_one(folder: RunFolder) -> None:
    assert folder.journal() == []


def test_numbers_that_json_does_not_know_survive(started: RunFolder) -> None:
    started.append(LogRecord(1, 0.0, {"losses": (float("nan"), float("inf"))}))
    losses = started.journal()[0].values["losses"]
    assert losses[0] != losses[0]
    assert losses[1] == float("inf")


def test_a_torn_last_line_is_dropped(written: RunFolder) -> None:
    content = journal_file(written).read_bytes()
    last = content.rstrip(b"\n").rindex(b"\n") + 1
    for length in range(last, len(content) - 1):
        journal_file(written).write_bytes(content[:length])
        assert written.journal() == RECORDS[:-1], f"{length} bytes"


def test_a_flipped_byte_ends_the_journal(written: RunFolder) -> None:
    content = journal_file(written).read_bytes()
    first, second = (content.split(b"\n")[number] for number in (0, 1))
    for place in range(len(first) + 1, len(first) + 1 + len(second)):
        damaged = bytearray(content)
        damaged[place] ^= 2
        journal_file(written).write_bytes(damaged)
        assert written.journal() == RECORDS[:1], f"byte {place}"


@pytest.mark.parametrize("content", [b"", b"\n", b"00000000 \n", b"\xff\xfe", b"{}\n"])
def test_a_journal_of_another_kind_is_empty(started: RunFolder, content: bytes) -> None:
    journal_file(started).write_bytes(content)
    assert started.journal() == []


NEW = LogRecord(99, 7.0, {"train_loss": (1.0,), "new": (1.0,)})


def test_a_journal_line_of_an_earlier_version_is_read(started: RunFolder) -> None:
    line = {"epoch": 0, "first_step": 4, "train_loss": [0.1, 0.2], "val_accuracy": None}
    validated = {**line, "first_step": 6, "val_accuracy": 51.5}
    for each in (line, validated):
        append_record(journal_file(started), {**each, "seconds": 2.5})
    first, second = started.journal()
    assert first == LogRecord(5, 2.5, {"train_loss": (0.1, 0.2)})
    assert second == LogRecord(7, 2.5, {"train_loss": (0.1, 0.2), "val_accuracy": (51.5,)})
    assert (second.first_step, second.last("val_accuracy")) == (6, 51.5)
    assert started.history("val_accuracy") == [(7, 51.5)]


@pytest.mark.parametrize("count", range(8))
def test_keep_records(written: RunFolder, count: int) -> None:
    written.keep_records(count)
    kept = min(count, 6)
    assert written.journal() == RECORDS[:kept]
    written.append(NEW)
    assert written.journal() == [*RECORDS[:kept], NEW]


def usable(folder: RunFolder, checkpoints: Iterable[Checkpoint]) -> list[int | None]:
    """Return how many records go with each checkpoint, of those that the journal reaches."""
    settings, journal = {"train_size": 7, "batch_size": 2}, folder.journal()
    found = [records_before(checkpoint, settings, journal) for checkpoint in checkpoints]
    return [records for records in found if records is not None]


def test_a_checkpoint_is_of_use_where_the_journal_reaches_it(written: RunFolder) -> None:
    now = [Checkpoint({}, {}, records=count) for count in range(20)]
    # earlier versions said how many updates were done instead, of 4 an epoch here, and how many of
    # them no record tells of: 1
    places = [divmod(step + 1, 4) for step in range(20)]
    before = [
        Checkpoint({"epoch": epoch, "iteration": iteration, "losses": [0.5]}, {})
        for epoch, iteration in places
    ]
    assert usable(written, now) == usable(written, before) == [0, 1, 2, 3, 4, 5, 6]
    content = bytearray(journal_file(written).read_bytes())
    content[len(content) // 2] ^= 1  # in the fourth of six lines
    journal_file(written).write_bytes(content)
    assert usable(written, now) == usable(written, before) == [0, 1, 2, 3]


@pytest.mark.parametrize("lost", [1, 20])
def test_a_torn_journal_can_be_gone_on_with(written: RunFolder, lost: int) -> None:
    content = journal_file(written).read_bytes()
    journal_file(written).write_bytes(content[:-lost])
    written.keep_records(4)
    written.append(NEW)
    assert written.journal() == [*RECORDS[:4], NEW]


def test_keep_journal_of_a_run_without_one(started: RunFolder) -> None:
    started.keep_records(3)
    assert started.journal() == []
    started.append(RECORDS[0])
    assert started.journal() == RECORDS[:1]


# The files of a result


@pytest.fixture
def with_files(started: RunFolder) -> RunFolder:
    """A complete run with two files."""
    for name in ("predictions.csv", "model.pt2"):
        (started.path / name).write_text(f"content of {name}", encoding="utf-8")
    files = {n: file_digest(started.path / n) for n in ("predictions.csv", "model.pt2")}
    started.finish(dataclasses.replace(RESULT, files=files))
    return started


def test_whole_files_are_not_damaged(with_files: RunFolder) -> None:
    assert with_files.damaged_files() == []


def test_a_run_without_a_result_has_no_damaged_files(started: RunFolder) -> None:
    assert started.damaged_files() == []


@pytest.mark.parametrize("name", ["predictions.csv", "model.pt2"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"content", b"Content")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["missing", "empty", "truncated", "altered", "a folder"],
)
def test_damaged_files_are_named(
    with_files: RunFolder, damage: Callable[[Path], object], name: str
) -> None:
    damage(with_files.path / name)
    assert with_files.damaged_files() == [name]


# Repeating


def test_a_run_that_is_repeated_is_kept(with_files: RunFolder) -> None:
    before = {name: (with_files.path / name).read_bytes() for name in names(with_files.path)}
    kept = with_files.repeat()
    assert kept is not None
    assert {name: (kept / name).read_bytes() for name in names(kept)} == before
    assert with_files.status is Status.ABSENT
    assert with_files.result() is None
    assert RunFolder(kept).result() is not None


def test_what_was_never_started_needs_no_repeating(folder: RunFolder) -> None:
    assert folder.repeat() is None
    assert not folder.path.exists()


def test_every_repetition_is_kept(started: RunFolder) -> None:
    kept = []
    for number in range(4):
        started.start(SPEC, TOLD)
        started.finish(dataclasses.replace(RESULT, metrics={"test_accuracy": float(number)}))
        kept.append(started.repeat())
    results = [RunFolder(path).result() for path in kept if path is not None]
    assert [result.metrics["test_accuracy"] for result in results if result] == [0.0, 1.0, 2.0, 3.0]


def test_a_kept_run_that_was_removed_is_no_obstacle(started: RunFolder) -> None:
    kept = []
    for _ in range(3):
        started.start(SPEC, TOLD)
        kept.append(started.repeat())
    assert kept[0] is not None
    (kept[0] / "run.json").unlink()
    for path in kept[0].iterdir():
        path.unlink()
    kept[0].rmdir()
    started.start(SPEC, TOLD)
    again = started.repeat()
    assert again is not None
    assert again not in kept[1:]
    assert RunFolder(again).started() is not None


def test_a_repetition_knows_what_it_replaces(started: RunFolder) -> None:
    started.note_published("here", {"run_id": "one"})
    started.note_published("there", {"run_id": "two", "metrics": 5})
    started.note_published("nowhere", {})
    started.repeat()
    assert started.replaced("here") == ["one"]
    assert started.replaced("there") == ["two"]
    assert started.replaced("nowhere") == []
    assert started.replaced("unknown") == []
    assert started.published("here") == {}


def test_a_second_repetition_replaces_both(started: RunFolder) -> None:
    for run_id in ("one", "two", "three"):
        started.note_published("here", {"run_id": run_id})
        started.repeat()
    assert started.replaced("here") == ["one", "two", "three"]


def test_repetitions_are_listed_once_for_all_runs_of_a_study(
    started: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.repeat()
    aside = started.path.parent / "repeated"
    foreign = aside / "somebody-elses"
    foreign.touch()
    listed: list[Path] = []
    plain = repeating._list
    monkeypatch.setattr(repeating, "_list", lambda path: listed.append(path) or plain(path))
    assert [path.name for path in runs.kept_aside(started.path)] == [f"{started.path.name}-1"]
    before = len(listed)
    os.utime(aside, (1_000, 1_000))  # long ago
    for _ in range(3):
        assert runs.kept_aside(started.path.parent / "another") == ()
        assert len(runs.kept_aside(started.path)) == 1
    assert len(listed) == before + 1
    started.start(SPEC, TOLD)
    started.repeat()  # just now: a file system's clock may not have gone on since
    for _ in range(2):
        assert len(runs.kept_aside(started.path)) == 2
    assert len(listed) == before + 3


def test_a_repetition_that_was_never_published_forgets_nothing(started: RunFolder) -> None:
    started.note_published("here", {"run_id": "one"})
    started.repeat()
    started.start(SPEC, TOLD)  # the store is down, and the run is repeated once more
    started.note_published("there", {"run_id": "two"})
    started.repeat()
    assert started.replaced("here") == ["one"]
    assert started.replaced("there") == ["two"]


def test_kept_runs_are_not_among_the_runs(started: RunFolder, tmp_path: Path) -> None:
    started.repeat()
    assert runs.run_folders(tmp_path, "mine") == []
    started.start(SPEC, TOLD)
    assert runs.run_folders(tmp_path, "mine") == [started]


# What a store has confirmed, and where things lie


def test_what_was_published_is_told_by_store(started: RunFolder) -> None:
    assert started.published("here") == {}
    started.note_published("here", {"run_id": "one", "metrics": 5})
    started.note_published("there", {"run_id": "two"})
    assert started.published("here") == {"run_id": "one", "metrics": 5}
    assert started.published("there") == {"run_id": "two"}


def test_what_was_published_and_altered_counts_as_unpublished(started: RunFolder) -> None:
    started.note_published("here", {"run_id": "one"})
    path = started.path / "published" / "here.json"
    path.write_text(path.read_text(encoding="utf-8").replace("one", "two"), encoding="utf-8")
    assert started.published("here") == {}


def test_runs_lie_by_study_and_fingerprint(tmp_path: Path) -> None:
    specs = [dataclasses.replace(SPEC, seed=seed) for seed in range(3)]
    specs += [dataclasses.replace(SPEC, study="other")]
    folders = [runs.run_folder(tmp_path, spec) for spec in specs]
    for spec, folder in zip(specs, folders, strict=True):
        assert folder.path == tmp_path / "runs" / spec.study / spec.fingerprint
        with folder.claim():
            folder.start(spec, TOLD)
    assert set(map(str, folders[:3])) == set(map(str, runs.run_folders(tmp_path, "mine")))
    assert runs.run_folders(tmp_path, "other") == folders[3:]
    assert runs.run_folders(tmp_path, "none") == []
    assert runs.studies(tmp_path) == ["mine", "other"]


def test_an_empty_store_has_no_studies(tmp_path: Path) -> None:
    assert runs.studies(tmp_path) == []
    assert runs.studies(tmp_path / "nowhere") == []
    assert runs.study_facts(tmp_path, "mine") == runs.StudyFacts()


def test_study_facts_are_kept(tmp_path: Path) -> None:
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.threads = 1
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        assert facts.to_json() == {"threads": 1}
        facts.ask("a", "late", [2, 1])
    assert runs.study_facts(tmp_path, "mine").to_json() == {
        "threads": 1,
        "asked": {"a": {"late": [1, 2]}},
    }
    assert runs.study_facts(tmp_path, "other") == runs.StudyFacts()


def test_study_facts_that_do_not_change_are_not_written(tmp_path: Path) -> None:
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.threads = 1
    path = next((tmp_path / "runs" / "mine").glob("*.json"))
    before = path.stat().st_ino
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.threads = 1
    assert path.stat().st_ino == before


def test_study_facts_stay_as_they_were_after_a_failure(tmp_path: Path) -> None:
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.threads = 1
    with pytest.raises(ZeroDivisionError), runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.threads = 1 // 0
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        assert facts.to_json() == {"threads": 1}


# Folders that cannot be written


def claim(folder: RunFolder) -> None:
    with folder.claim():
        raise AssertionError("the run cannot be claimed")


def change_facts(folder: RunFolder) -> None:
    with runs.changing_study_facts(folder.path.parents[2], folder.path.parent.name):
        raise AssertionError("the facts cannot be changed")


@pytest.mark.parametrize(
    "action",
    [
        claim,
        change_facts,
        lambda folder: folder.start(SPEC, TOLD),
        lambda folder: folder.append(NOTED),
        lambda folder: folder.finish(RESULT),
        lambda folder: folder.fail("it broke"),
        lambda folder: folder.note_published("here", {"run_id": "one"}),
    ],
    ids=["claim", "facts", "start", "append", "finish", "fail", "published"],
)
def test_a_file_in_place_of_the_store(
    tmp_path: Path, folder: RunFolder, action: Callable[[RunFolder], object]
) -> None:
    (tmp_path / "runs").write_text("in the way", encoding="utf-8")
    message = refusal(lambda: action(folder))
    assert "cannot be written" in message
    assert str(tmp_path / "runs") in message
    assert "run the same command again" in message
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "in the way"


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("lock", claim),
        ("lock", lambda folder: folder.claimed),
        ("lock", lambda folder: folder.status),
        ("journal.jsonl", lambda folder: folder.append(NOTED)),
        ("result.json", lambda folder: folder.finish(RESULT)),
        ("published", lambda folder: folder.note_published("here", {"run_id": "one"})),
        ("../study.lock", change_facts),
        ("../repeated", lambda folder: folder.repeat()),
    ],
)
def test_something_in_place_of_a_file(
    started: RunFolder, name: str, action: Callable[[RunFolder], object]
) -> None:
    path = started.path / name
    path.unlink(missing_ok=True)
    if name in ("published", "../repeated"):
        path.write_text("in the way", encoding="utf-8")
    else:
        (path / "in the way").mkdir(parents=True)
    assert "cannot be written" in refusal(lambda: action(started))


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("journal.jsonl", lambda folder: folder.journal()),
        ("journal.jsonl", lambda folder: folder.keep_records(2)),
        ("run.json", lambda folder: folder.started()),
        ("result.json", lambda folder: folder.status),
        ("failure.json", lambda folder: folder.failure()),
    ],
)
def test_something_that_cannot_be_read(
    started: RunFolder, name: str, action: Callable[[RunFolder], object]
) -> None:
    (started.path / name).unlink(missing_ok=True)
    (started.path / name).mkdir()
    message = refusal(lambda: action(started))
    assert "cannot be read" in message
    assert str(started.path) in message


def test_a_result_with_fewer_fields_is_still_a_result(started: RunFolder) -> None:
    write_sealed(started.path / "result.json", {"status": "complete"})
    assert started.status is Status.COMPLETE


def test_a_result_without_a_seal_is_none(started: RunFolder) -> None:
    (started.path / "result.json").write_text('{"status": "complete"}', encoding="utf-8")
    assert started.status is Status.INTERRUPTED


@pytest.mark.parametrize(
    "content",
    [
        {"threads": "two"},
        {"asked": {"a": {"late": ["0"]}}},
        {"asked": {"a": [1, 2]}},
        {"asked": []},
        {"plans": ["none"]},
        {"plans": 3},
    ],
)
def test_study_facts_of_another_kind_are_refused(tmp_path: Path, content) -> None:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    write_sealed(folder / "study.json", content)
    with pytest.raises(StoreError, match=r"study\.json is not what attnstudy writes"):
        runs.study_facts(tmp_path, "mine")


def test_what_a_later_version_wrote_among_the_facts_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    write_sealed(folder / "study.json", {"threads": 1, "weather": "fine"})
    with runs.changing_study_facts(tmp_path, "mine") as facts:
        facts.ask("c", "late", [0])
    assert read_sealed(folder / "study.json") == {
        "weather": "fine", "threads": 1, "asked": {"c": {"late": [0]}},
    }  # fmt: skip


def test_a_journal_of_which_nothing_is_whole_is_begun_anew(started: RunFolder) -> None:
    """What came before any checkpoint may be zeros, or half a line, after a loss of power."""
    record = LogRecord(0, 1.0, {"loss": (0.5,)})
    for left in (bytes(80), b"00000000 {"):
        (started.path / "journal.jsonl").write_bytes(left)
        assert resume(started, SPEC, {}).records == 0
        started.append(record)
        assert started.journal() == [record]
