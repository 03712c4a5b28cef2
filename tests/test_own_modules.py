"""What is run of a study's folder: what it names, and nothing that only lies there."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attnstudy import Study
from tests.conftest import SMALL
from tests.waiting import PATIENCE

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
        env={**os.environ, "PYTHONPATH": root}, timeout=PATIENCE,
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


TRAPPED = """
import attnstudy
open("was-run", "w").close()

@attnstudy.training(settings=[attnstudy.Field("lr", float, 0.1, "Learning rate.", above=0)])
def train(run):
    return {"acc": run.settings["lr"]}
"""


@pytest.fixture
def package(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose function lies in a package; all of it says that it was run."""
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    folder = workplace / "studies" / "mine"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "__init__.py").write_text('open("was-run", "w").close()\n')
    (folder / "inner" / "own.py").write_text(TRAPPED)
    (folder / "study.toml").write_text(
        'train = "inner.own:train"\nseeds = 1\n[arms.low]\nlr = 0.5\n[arms.high]\nlr = 2\n'
        '[ranking]\nmetric = "acc"\n'
    )
    return folder


def test_study_check_runs_no_code(package, workplace, cli):
    answer = cli("study", "check", "mine")
    assert answer.code == 0, answer.err
    assert "2 arms x 1 seed = 2 runs" in answer.out
    assert "'attnstudy run mine --dry-run' checks them" in answer.err
    assert not (workplace / "was-run").exists()
    answer = cli("run", "mine", "--executor", "inline")
    assert answer.code == 0, answer.err
    assert (workplace / "was-run").exists()


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("inner.own:tarin", "inner.own has no function 'tarin'; did you mean 'train'?"),
        ("inner.owm:train", "there is no module 'inner.owm' beside the study's file"),
        ("outer.own:train", "there is no module 'outer.own' beside the study's file"),
        ("inner.bad:train", "inner.bad cannot be imported"),
    ],
)
def test_study_check_finds_a_name_that_is_not_there(package, workplace, cli, train, said):
    (package / "inner" / "bad.py").write_text("def train(run:\n")
    file = package / "study.toml"
    file.write_text(file.read_text().replace("inner.own:train", train))
    answer = cli("study", "check", "mine")
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not (workplace / "was-run").exists()


def test_study_check_believes_a_module_that_makes_its_names(package, workplace, cli):
    (package / "inner" / "own.py").write_text("from elsewhere import *\n")
    assert cli("study", "check", "mine").code == 0


@pytest.mark.parametrize("before", [True, False], ids=["before the first run", "between two"])
def test_an_edited_module_is_not_run_as_it_was(workplace, monkeypatch, before):
    """In a notebook the command runs where the module was imported."""
    path = workplace / "edited.py"
    path.write_text("LEVEL = 1.0\n\ndef train(run):\n    return {'acc': LEVEL}\n")
    monkeypatch.syspath_prepend(str(workplace))
    edited = importlib.import_module("edited")
    said: Any = {"arms": {"a": {}}, "seeds": 1, "metric": "acc"}
    quiet: Any = {"executor": "inline", "figures": False, "progress": False, "quiet": True}
    if before:
        path.write_text("LEVEL = 1.0\n\ndef train(run):\n    return {'acc': LEVEL + 99}\n")
    else:
        assert Study("edited", edited.train, **said).run(**quiet).trained == 1
        path.write_text(path.read_text().replace("1.0", "100.0"))
    answer = Study("edited", edited.train, **said).run(**quiet, rerun=True)
    assert len(answer.failed) == 1
    assert "was changed after this Python imported it" in repr(answer)
    del sys.modules["edited"]
