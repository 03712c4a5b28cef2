"""Files that a command writes for the user, and those that it must leave alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

TABLE = "model,seed,acc\n" + "".join(f"a,{s},1.{s}\nb,{s},2.{s}\n" for s in range(4))
ASKED = ("--by", "model", "--metric", "acc", "--seed-by", "seed")


@pytest.fixture
def kept(workplace) -> dict[str, str]:
    """What lies around, by name, and must stay as it is."""
    texts = {
        "t.csv": TABLE,
        "mlruns/mlflow.db": "",
        "mlruns/store.json": "{}",
        "mlruns/runs/mine/0/result.json": "{}",
        "elsewhere/mlflow.db": "",
        "elsewhere/runs/mine/study.json": "{}",
        "studies/mine/study.toml": "",
        "look.mplstyle": "font.size: 9\n",
    }
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    Path("link.csv").symlink_to("t.csv")
    os.link("t.csv", "hard.csv")
    Path("here").symlink_to("mlruns")
    with sqlite3.connect("tuning.db") as opened:
        opened.execute("CREATE TABLE a (b)")
    return texts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--output", "t.csv"), "t.csv is what is read"),
        (("--output", "link.csv"), "link.csv is what is read"),
        (("--output", "hard.csv"), "hard.csv is what is read"),
        (("--output", "./t.csv", "--format", "html"), "t.csv is what is read"),
        (
            ("--output", "look.mplstyle", "--figure-style", "look.mplstyle", "--figures", "f"),
            "look.mplstyle is what is read",
        ),
        (("--output", "mlruns/mlflow.db"), "mlruns/mlflow.db belongs to a store"),
        (("--output", "mlruns/mlflow.db-wal"), "belongs to a store"),
        (("--output", "mlruns/store.json"), "belongs to a store"),
        (("--output", "here/runs/mine/0/result.json"), "belongs to a store"),
        (("--output", "mlruns/runs/new.txt"), "belongs to a store"),
        (("--output", "elsewhere/runs/mine/study.json"), "belongs to a store"),
        (("--output", "studies/mine/study.toml"), "is the file of a study"),
        (("--output", "tuning.db"), "tuning.db is a database"),
        (("--methods", "mlruns/runs/m.tex"), "belongs to a store"),
        (("--figures", "mlruns/artifacts"), "belongs to a store"),
        (("--methods", "m.tex", "--output", "m.tex"), "both name m.tex"),
    ],
)
def test_what_is_read_and_what_is_kept_is_not_replaced(cli, kept, words, said):
    answer = cli("rank", "--from", "t.csv", *ASKED, *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert {name: Path(name).read_text() for name in kept} == kept


def test_other_files_are_replaced_as_before(cli, kept):
    for name in ("new.txt", "new.txt", "mlruns/new.txt", "studies/mine/new.txt"):
        assert cli("rank", "--from", "t.csv", *ASKED, "--output", name).code == 0
        assert "ranking" in Path(name).read_text()


@pytest.mark.parametrize("name", ["mlruns/mlflow.db", "studies/mine/study.toml", "tuning.db", "p"])
def test_an_archive_replaces_none_of_them_either(cli, kept, name):
    os.mkfifo("p")
    answer = cli("export", "mine", name, "--force")
    assert answer.code == 2
    assert name in answer.err
    assert {name: Path(name).read_text() for name in kept} == kept


SHELL = {
    "appended": ("rank --from t.csv {asked} --output /dev/stdout >> log.txt", "log.txt"),
    "by number": ("rank --from t.csv {asked} --output /dev/fd/3 3>> log.txt", "log.txt"),
    "by name": ("rank --from t.csv {asked} --output log.txt >> log.txt", "log.txt"),
    "errors": ("rank --from t.csv {asked} --output /dev/stderr 2>> log.txt", "log.txt"),
    "by link": ("rank --from t.csv {asked} --output out >> log.txt", "log.txt"),
    "pipe": ("rank --from t.csv {asked} --output /dev/stdout | cat >> log.txt", "log.txt"),
}


@pytest.mark.parametrize("kind", SHELL)
def test_what_the_shell_opened_is_written_to_and_not_replaced(kept, kind):
    line, file = SHELL[kind]
    Path(file).write_text("an earlier line\n")
    Path("out").symlink_to("/dev/stdout")
    program = f"{sys.executable} -m attnstudy "
    done = subprocess.run(
        ["bash", "-c", program + line.format(asked=" ".join(ASKED))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = Path(file).read_text()
    assert said.startswith("an earlier line\n")
    assert "ranking, acc" in said


def test_a_table_from_standard_input_is_not_replaced(kept):
    words = [sys.executable, "-m", "attnstudy", "rank", "--from", "-", *ASKED, "--output", "t.csv"]
    with Path("t.csv").open("rb") as table:
        done = subprocess.run(words, stdin=table, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "t.csv is what is read" in done.stderr
    assert Path("t.csv").read_text() == TABLE


def test_the_folder_of_an_output_is_made(cli, workplace):
    Path("t.csv").write_text(TABLE)
    answer = cli("rank", "--from", "t.csv", *ASKED, "--output", "not/there/x.txt")
    assert answer.code == 0, answer.err
    assert Path("not/there/x.txt").read_text()
