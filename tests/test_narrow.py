"""On a terminal of 80 columns: names stay legible, prose is wrapped at words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from attnstudy.render.tables import fitted, table, wrapped
from tests.report.conftest import NOTEBOOK
from tests.waiting import PATIENCE


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


def test_no_line_ends_between_a_sign_and_what_it_belongs_to(narrow):
    prose = wrapped("convnext-pico − resnet18+se, vit-tiny − resnet18+se: " * 12)
    assert not any(line.endswith(("−", "-")) for line in prose)
    assert " ".join(prose).count("vit-tiny − resnet18+se") == 12
    for line in wrapped("a 95 % interval of +1.2 ± 0.1, adjusted p < .001, n = 5 runs; " * 12):
        assert not re.search(r"(\b95|\bp|\bn|[±<=])$", line)
        assert not re.match(r"[%<=]|\.001", line)


@pytest.mark.parametrize("width", [80, 100])
def test_a_pair_is_folded_before_its_minus(monkeypatch, width):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    pairs = [f"convnext-pico − resnet18+{second}" for second in ("se", "cbam")]
    text = table(HEADINGS, [[pair, *ROWS[0][1:]] for pair in pairs], right=KINDS)
    assert "−  " not in text
    assert "− resnet18+se" in text
    assert "− resnet18+cbam" in text


@pytest.mark.parametrize("width", [40, 60, 80, 90, 100, 120])
def test_nothing_is_cut_where_the_terminal_is_too_narrow(monkeypatch, width):
    """A number without its last digit would be another number."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    name = "wide-resnet-39-cutmix"
    pair = [f"{name} − {name}", "+0.001120", "[−0.00506, +0.00730]", ".0492", "0.33", "0.64",
            "disagree", "undecided"]  # fmt: skip
    text = table(HEADINGS, [pair] * 2, right=KINDS)
    for cell in [*HEADINGS, *pair[1:]]:
        assert cell in text.replace("\n", " "), (cell, text)
    assert text.count(name) == 4  # no name is parted
    group = ",".join("abcdefghijklmnopq")
    arms = table(["arm", "n", "mean", "group"], [[name, "5", "101.632", group]] * 2, right=" >> ")
    assert arms.count(name) == 2
    assert arms.count("101.632") == 2
    assert "".join(arms.split()).count(",") == 2 * group.count(",")


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


def shown(*words, encoding="utf-8"):
    """Return what a command prints on a terminal of 80 columns, with an encoding."""
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "attnstudy", *words], stdout=theirs, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "80", "TERM": "xterm",
             "PYTHONIOENCODING": encoding},
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
    assert child.wait(timeout=PATIENCE) == 0
    return b"".join(parts).decode(encoding).replace("\r\n", "\n")


def test_rank_fits_80_columns(workplace):
    rows = [f"{arm}-long,{s},{v}" for arm, v_ in NOTEBOOK.items() for s, v in enumerate(v_)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")
    text = shown("rank", "--from", "r.csv")
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\ndouble-long − early-long\n" in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_a_minus_has_a_hyphen(workplace, encoding):
    rows = [f"{arm},{s},{v}" for arm, v_ in NOTEBOOK.items() for s, v in enumerate(v_)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")
    text = shown("rank", "--from", "r.csv", encoding=encoding)
    assert "double - vanilla" in text
    assert "[-1.74, +10.09]" in text
    assert "\\u" not in text
    times = "x" if encoding == "ascii" else "×"
    assert f"late, double) {times} 4 seeds" in " ".join(text.split())


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
