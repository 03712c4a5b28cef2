"""What is run of a study's folder: what it names, and nothing that only lies there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL

TRAP = 'raise SystemExit("what nobody named was run")\n'
TRAPS = ("torch", "numpy", "mlflow", "platform", "colorsys", "yaml")
MODULE = """
def train(run):
    import torch, numpy
    return {"acc": 0.5}
"""


def attnstudy(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-m", "attnstudy", *words], cwd=cwd, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": root}, timeout=120,
    )  # fmt: skip


@pytest.fixture
def trapped(workplace: Path, processes: None) -> Path:
    """A study folder, in it and where the command runs modules called as libraries."""
    folder = workplace / "studies" / "mine"
    folder.mkdir(parents=True)
    for name in TRAPS:
        for place in (workplace, folder):
            (place / f"{name}.py").write_text(TRAP)
    return folder


def test_built_in_variants_run_nothing_of_the_folder(trapped, workplace):
    (trapped / "study.toml").write_text('variants = ["vanilla"]\nseeds = 1\n')
    for words in (("run", "mine", *SMALL), ("study", "check", "mine"), ("rank", "mine")):
        done = attnstudy(*words, cwd=workplace)
        assert TRAP.split('"')[1] not in done.stdout + done.stderr, words
        assert "Traceback" not in done.stderr
    assert attnstudy("run", "mine", *SMALL, "--dry-run", cwd=workplace).returncode == 0


def test_a_training_of_ones_own_gets_the_libraries_that_are_installed(
    trapped, workplace, monkeypatch
):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    (trapped / "own.py").write_text(MODULE)
    (trapped / "study.toml").write_text(
        'train = "own:train"\nseeds = 1\n[ranking]\nmetric = "acc"\n'
    )
    done = attnstudy("run", "mine", "--workers", "1", cwd=workplace)
    assert (done.returncode, "1 trained" in done.stdout) == (0, True), done.stderr + done.stdout


@pytest.mark.parametrize("name", ["colorsys", "yaml"])
def test_a_module_called_as_an_installed_one_is_refused(name, trapped, workplace, monkeypatch):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    (trapped / "study.toml").write_text(
        f'train = "{name}:train"\nseeds = 1\n[ranking]\nmetric = "acc"\n'
    )
    done = attnstudy("run", "mine", cwd=workplace)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "which is installed, and not from" in done.stderr
    assert "rename your module" in done.stderr


@pytest.mark.proof
def test_two_studies_of_one_process_may_call_their_modules_alike(workplace, monkeypatch, cli):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    for name, value in (("first", 0.25), ("second", 0.75)):
        folder = workplace / "studies" / name
        folder.mkdir(parents=True)
        (folder / "alike.py").write_text(
            "import beside\n\ndef train(run):\n    return beside.got()\n"
        )
        (folder / "beside.py").write_text(f'def got():\n    return {{"acc": {value}}}\n')
        (folder / "study.toml").write_text(
            'train = "alike:train"\nseeds = 1\n[ranking]\nmetric = "acc"\n'
        )
    for name in ("first", "second", "first"):
        answer = cli("run", name, "--executor", "inline")
        assert answer.code == 0, answer.err
    found = {name: json.loads(cli("rank", name, "--json").out) for name in ("first", "second")}
    assert [found[n]["arms"][0]["mean"] for n in ("first", "second")] == [0.25, 0.75]
