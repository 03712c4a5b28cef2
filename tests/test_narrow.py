"""On a terminal of 80 columns: names stay legible, prose is wrapped at words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attnstudy.render.tables import fitted, table, wrapped
from tests.report.conftest import NOTEBOOK


@pytest.fixture
def narrow(monkeypatch):
    """Have the terminal 80 columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


HEADINGS = ["pair", "difference", "interval", "adj. p", "g", "P(a>b)", "others", "verdict"]
ROWS = [
    ["double-long − early-long", "+3.163", "[-4.51, +10.83]", ".358", "1.38", "1.00", "disagree",
     "undecided"],
]  # fmt: skip
KINDS = " >>>>><<"


def test_a_pair_is_never_squeezed_to_a_few_letters(narrow):
    text = table(HEADINGS, ROWS, right=KINDS)
    assert "double-long − early-long" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    for cell in ROWS[0]:
        assert cell in text


def test_what_has_room_stays_one_table(narrow):
    rows = [["a − b", *ROWS[0][1:]]]
    text = table(HEADINGS, rows, right=KINDS)
    assert len(text.splitlines()) == 3


def test_a_pipe_has_100_columns_as_before(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert len(table(HEADINGS, ROWS, right=KINDS).splitlines()) == 3
    assert max(map(len, wrapped("word " * 60))) > 80


def test_prose_is_wrapped_at_words(narrow):
    prose = "  configuration abc: " + "learning_rate 0.001, " * 12
    lines = fitted(prose).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(prose.split())
    assert all(line.startswith("  ") for line in lines)
    assert max(map(len, wrapped("word " * 60))) <= 80


def shown(*words):
    """Return what a command prints on a terminal of 80 columns."""
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "attnstudy", *words], stdout=theirs, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "80", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert child.wait(timeout=120) == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_rank_fits_80_columns(workplace):
    rows = [f"{arm}-long,{s},{v}" for arm, v_ in NOTEBOOK.items() for s, v in enumerate(v_)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")
    text = shown("rank", "--from", "r.csv")
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\ndouble-long − early-long\n" in text


def test_status_fits_80_columns(workplace, store_dir):
    text = shown("status")
    assert all(len(line) <= 80 or "mlflow.db" in line for line in text.splitlines()), text


def test_a_pruning_with_nothing_to_do_asks_nothing(cli, workplace):
    answer = cli("prune")
    assert answer.code == 0, answer.err


@pytest.mark.rest
def test_what_was_written_is_said(cli, workplace):
    rows = [f"{arm},{s},{v}" for arm, v_ in NOTEBOOK.items() for s, v in enumerate(v_)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")
    words = ("--output", "r.json", "--figures", "figures", "--json")
    answer = cli("rank", "--from", "r.csv", *words)
    assert answer.code == 0
    assert answer.out == ""
    assert "r.json is written." in answer.err
    assert "The figures are in figures." in answer.err
