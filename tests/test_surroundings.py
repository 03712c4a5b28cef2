"""What the machine lacks, or a file is, ends as one sentence that says what to do."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from attnstudy.cli.common import say, tell
from attnstudy.errors import TerminatedError
from attnstudy.render import Terminal
from attnstudy.runs import Status, run_folders
from tests.conftest import SMALL
from tests.waiting import PATIENCE

LONG = "x" * 4000


def one_sentence(said: str) -> str:
    (line,) = said.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--store", LONG),
        ("run", *SMALL, "--seeds", "1", "--store", LONG, "-q"),
        ("rank", "--study", "placement", "--store", LONG),
        ("sync", "placement", "--store", LONG),
        ("export", "placement", "x.zip", "--store", LONG),
        ("rank", "--from", f"{LONG}.csv"),
        ("rank", "--from", "results.csv", "--output", f"{LONG}.txt"),
        ("rank", "--from", "results.csv", "--figures", LONG),
        ("ui", "--store", LONG),
    ],
    ids=lambda words: " ".join(word for word in words if LONG not in word)[:40],
)
def test_a_name_that_no_file_can_have(words, workplace, cli):
    (workplace / "results.csv").write_text("arm,acc\na,1.5\na,2.5\na,3.5\nb,1.0\nb,2.0\nb,3.0\n")
    answer = cli(*words)
    assert answer.code in (2, 3), answer.err
    assert "File name too long" in one_sentence(answer.err) or "no study" in answer.err


def test_a_command_goes_on_when_nobody_reads_what_it_says(monkeypatch):
    for name in ("stdout", "stderr"):
        reader, writer = os.pipe()
        os.close(reader)
        monkeypatch.setattr(sys, name, os.fdopen(writer, "w", buffering=1))
    terminal = Terminal()
    publisher = threading.Thread(target=terminal.warn, args=("delivered late",))
    publisher.start()
    publisher.join()
    terminal.say("once more")
    assert terminal.console.quiet
    for _ in range(2):
        say("the result")
        tell("a remark")


@pytest.mark.rest
def test_a_study_goes_on_to_its_end_behind_head(workplace, store_dir):
    words = [
        "run",
        *SMALL,
        "--variant",
        "double",
        "--seeds",
        "2",
        "--lr",
        "1e30",
        "--study",
        "head",
    ]
    command = f"{sys.executable} -m attnstudy {shlex.join(words)} 2>&1 | head -1"
    bash = ["bash", "-o", "pipefail", "-c", command]
    assert subprocess.run(bash, cwd=workplace, check=False, timeout=PATIENCE).returncode == 0
    found = [folder.status for folder in run_folders(store_dir, "head")]
    assert found == [Status.DIVERGED] * 2


def test_a_file_that_is_nested_without_end(workplace, cli):
    folder = workplace / "studies" / "deep"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(f"x = {'[' * 3000}{']' * 3000}\n")
    answer = cli("study", "check", "deep")
    assert (answer.code, "is nested too deeply" in one_sentence(answer.err)) == (2, True)


@pytest.mark.rest
@pytest.mark.parametrize("megabytes", [700, 900, 1100])
def test_too_little_memory(megabytes, store_dir, workplace):
    """Wherever it ends: an answer, or one sentence; whatever library was being imported."""
    for _ in range(3):  # the native code of a library crashed of it once
        done = subprocess.run(
            [sys.executable, "-m", "attnstudy", "rank", "--study", "placement"],
            capture_output=True, text=True, check=False, cwd=workplace, timeout=PATIENCE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20)
            ),
        )  # fmt: skip
        if done.returncode >= 0:
            break
    assert done.returncode == 0 or "memory" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_may_not_be_read(workplace, cli, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(workplace / "private"))

    monkeypatch.setattr("attnstudy.usecases.studies.standing", refused)
    answer = cli("status")
    assert answer.code == 3
    assert "private: Permission denied: correct the name or" in one_sentence(answer.err)


def test_hints_can_be_typed_as_they_are(workplace, cli):
    answer = cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--store", "my runs",
                 "--no-figures", "--executor", "inline", "-q")  # fmt: skip
    assert answer.code == 0, answer.err
    assert "attnstudy ui placement --store 'my runs'" in answer.out


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed(closed, workplace):
    """What is opened next must not be taken for the output, and nobody misses what is not read."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m attnstudy status {closed}', sys.executable],
        capture_output=True, text=True, check=False, cwd=workplace, timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "" if ">&-" in closed.split() else "No study" in done.stdout


def test_links_in_a_circle(workplace):
    Path("there").symlink_to("here")
    Path("here").symlink_to("there")
    done = subprocess.run(
        [sys.executable, "-m", "attnstudy", "status", "--store", "here/mlruns"],
        capture_output=True, text=True, check=False, cwd=workplace, timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 3
    assert "ymbolic link" in one_sentence(done.stderr)


@pytest.mark.parametrize(("words", "kept"), [(("status",), False), (("sync",), True)])
def test_only_what_keeps_something_says_so_when_it_is_ended(
    words, kept, cli, monkeypatch, workplace
):
    def ended(*_: object) -> None:
        raise TerminatedError(15)

    monkeypatch.setattr("attnstudy.tracking.resolve", ended)
    answer = cli(*words)
    again = " What is complete is kept; to go on from there: attnstudy sync" * kept
    assert (answer.code, answer.err) == (143, f"Interrupted.{again}\n")
