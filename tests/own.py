"""Studies of trainings of their own: a few lines of Python, or a command, and a study's file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attnstudy import runs
from tests.waiting import PATIENCE

TRAIN = """
train = "mine:train"
seeds = 2
"""
RANKING = """
[ranking]
metric = "acc"
direction = "maximize"
"""
"""Of a study that is ranked by what the functions here return."""
TIMES = ("train_seconds", "images_per_second")


@dataclass
class Own:
    """A study called ``own`` in a working directory, and commands on it."""

    place: Path
    cli: Any
    monkeypatch: pytest.MonkeyPatch

    def write(self, code: str | None = None, more: str = "", *, top: str = TRAIN) -> None:
        """Write the study's file, and its module if there is code."""
        folder = self.place / "studies" / "own"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.toml").write_text(f"{top}\n{textwrap.dedent(more)}\n{RANKING}")
        if code is not None:
            self.module(code)

    def module(self, code: str, name: str = "mine") -> Path:
        """Write a module beside the study's file."""
        path = self.place / "studies" / "own" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def __call__(self, command: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
        """Run a command on the study, as a process of its own would: with modules as they are."""
        return self.command(command, "own", *arguments, env=env)

    def command(self, *words: str, env: Mapping[str, str] | None = None) -> Any:
        """Run a command with modules as they are."""
        with self.monkeypatch.context() as context:
            context.setattr(sys, "path", list(sys.path))
            context.setattr(sys, "dont_write_bytecode", True)
            self._forget_modules()  # those of other tests are called alike
            try:
                return self.cli(*words, env=env)
            finally:
                self._forget_modules()

    def interrupted(self, *words: str, when: Callable[[], bool]) -> tuple[int, str]:
        """Run a command in a process of its own, press Ctrl-C; return its code and what it said."""
        command = subprocess.Popen(
            [sys.executable, "-m", "attnstudy", *words],
            cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )  # fmt: skip
        while not when() and command.poll() is None:
            time.sleep(0.01)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=PATIENCE)
        return command.returncode, said

    def _forget_modules(self) -> None:
        """Have the modules of all tests imported anew."""
        for name, module in list(sys.modules.items()):
            found = getattr(module, "__file__", None) or ""
            # not all of the folder for temporary files, in which this package itself may lie
            if "/pytest-of-" in found or found.startswith(str(self.place)):
                del sys.modules[name]

    def folders(self, study: str = "own", store: str = "mlruns") -> dict[str, runs.RunFolder]:
        """Return the folders of all runs, by name."""
        found = {}
        for folder in runs.run_folders(self.place / store, study):
            started = folder.started()
            if started is not None:
                found[started.spec.name] = folder
        return found

    def failures(self, store: str = "mlruns") -> dict[str, str | None]:
        """Return why each run failed, by name of the arm; None where it did not."""
        return {
            name.partition("/")[0]: folder.failure()
            for name, folder in self.folders(store=store).items()
        }  # fmt: skip

    def metrics(self, store: str = "mlruns") -> dict[str, dict[str, float]]:
        """Return what each finished run measured, without times."""
        return {
            name: without_times(result.metrics)
            for name, folder in self.folders(store=store).items()
            if (result := folder.result()) is not None
        }


def without_times(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return metrics without those that differ each time."""
    return {name: value for name, value in metrics.items() if name not in TIMES}


def computed(store_dir: Path, study: str = "own") -> dict[str, Any]:
    """Return all that a study has computed, without times and what was printed."""
    kept: dict[str, Any] = {}
    for folder in runs.run_folders(store_dir, study):
        started, result = folder.started(), folder.result()
        assert started is not None
        assert result is not None, folder.failure()
        assert folder.damaged_files() == []
        journal = [(r.step, r.values) for r in folder.journal()]
        files = {
            name: (folder.path / name).read_bytes()
            for name in result.files
            if name not in ("output.log", runs.JOURNAL)
        }
        name = started.spec.name
        assert name not in kept, "a run was made twice"
        kept[name] = (result.status, without_times(result.metrics), journal, files)
    return kept


def published(store_dir: Path, study: str = "own") -> dict[str, list[Any]]:
    """Return what MLflow has of a study, without times: a list for every run of a name."""
    from attnstudy.tracking import open_store, read_history, read_runs, resolve

    tracker = open_store(resolve(store_dir, None))
    kept: dict[str, list[Any]] = {}
    for run in read_runs(tracker, study):
        if run.superseded:
            continue
        curves = {name: read_history(tracker, run.run_id, name) for name in sorted(run.metrics)
                  if name not in (*TIMES, "acc")}  # fmt: skip
        artifacts = sorted(
            a.path for a in tracker.client.list_artifacts(run.run_id) if a.path != "output.log"
        )
        kept.setdefault(run.name, []).append(
            (run.status, without_times(run.metrics), curves, artifacts)
        )
    return kept


def one_sentence(text: str) -> bool:
    """Whether an error is what the reader should get: one line that is no traceback."""
    return "Traceback" not in text and len(re.findall("^Error: ", text, re.M)) <= 1


def answer_of(out: str) -> dict[str, Any]:
    """Return what a command said with ``--json``; nothing where it said nothing."""
    with contextlib.suppress(ValueError):
        found: dict[str, Any] = json.loads(out)
        return found
    return {}
