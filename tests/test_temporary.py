"""Folders on a machine that keeps nothing: what a killed worker leaves behind goes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from attnstudy.runs.temporary import temporary_folder

USE_AND_DIE = """
import importlib, os, signal
from attnstudy.trainings.modules import use_modules

one, two = {"one_variant.py": b"name = 1"}, {"two_variants.py": b"name = 2"}
for sources in (one, two, one, two):  # a search comes back to each of its variants
    use_modules(sources)
assert importlib.import_module("one_variant").name == 1
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


def test_the_sources_that_a_killed_worker_was_given_do_not_stay(temporary: Path):
    done = subprocess.run([sys.executable, "-c", USE_AND_DIE], check=False)
    assert done.returncode == -signal.SIGKILL
    left = list(temporary.iterdir())
    assert len(left) == 2, "one for each variant"
    for folder in left:
        os.utime(folder, (0, 0))  # long ago
    with temporary_folder() as mine:
        assert list(temporary.iterdir()) == [mine]


def test_a_folder_that_goes_away_while_it_is_looked_at_is_no_fault(temporary, monkeypatch):
    """Its worker has ended: another that begins at that moment met it, and its runs failed."""
    ending = temporary / "attnstudy-scratch-ending"
    ending.mkdir()
    (ending / ".lock").touch()
    os.utime(ending, (0, 0))

    def opened(path, *arguments, **named):
        if Path(path) == ending / ".lock":
            shutil.rmtree(ending)
        return as_it_is(path, *arguments, **named)

    as_it_is = os.open
    monkeypatch.setattr(os, "open", opened)
    with temporary_folder() as mine:
        assert mine.is_dir()
    assert not ending.exists()


OUTSIDE = """
import sys
from pathlib import Path
from attnstudy.trainings.command import _here
from attnstudy.trainings.modules import use_modules
from attnstudy.trainings.source import Code

names = {"/nowhere/there/c.py": b"c = 3", "mine_above.py": b"a = 1", "../shared/b.py": b"b = 2"}
use_modules(names)
print(*sorted(Code("", "", tuple(names)).here()))
print(_here(Code("", "", tuple(names))) == Path(sys.path[0]))
print((Path(sys.path[0]) / "../shared/b.py").resolve().is_file())
print(len(list(Path(sys.argv[1]).glob("*/**/*.py"))))
"""


def test_code_from_outside_of_the_study_stays_in_the_folder_for_it(temporary: Path):
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, str(temporary)], check=True, text=True, capture_output=True
    )
    assert done.stdout.splitlines() == [
        "../shared/b.py /nowhere/there/c.py mine_above.py", "True", "True", "3"
    ]  # fmt: skip
    assert not (temporary / "shared").exists()
