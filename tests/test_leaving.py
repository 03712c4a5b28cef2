"""What leaves the machine, in archives and to servers, does not say on which it was made."""

from __future__ import annotations

import getpass
import io
import platform
import sqlite3
import zipfile
from pathlib import Path

import pytest

import attnstudy
from attnstudy.redaction import command_elsewhere, without_folders
from tests.conftest import SMALL

FACTORY = """
from torch import nn

def make(attention, image_shape, num_classes):
    channels, height, width = image_shape
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, num_classes))
"""


def images(folder: Path) -> None:
    """Write the digits as a dataset of parquet files."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    folder.mkdir()

    def png(pixels: np.ndarray) -> dict[str, bytes]:
        stream = io.BytesIO()
        Image.fromarray((pixels.reshape(8, 8) * 15).astype("uint8")).save(stream, "png")
        return {"bytes": stream.getvalue()}

    for name, part in (("train", slice(0, 400)), ("test", slice(400, 500))):
        rows = {"img": [png(one) for one in found.data[part]], "label": found.target[part].tolist()}
        pq.write_table(pa.table(rows), folder / f"{name}-0.parquet")


def inside(content: bytes) -> bytes:
    """Return all that is in a file, also in archives in it."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return b"\n".join(inside(packed.read(name)) for name in packed.namelist())


def told_by_mlflow(store: Path) -> str:
    """Return what MLflow was told of runs, but for where the artifacts are."""
    texts = []
    with sqlite3.connect(store / "mlflow.db") as opened:
        for table in ("params", "tags", "datasets", "input_tags", "experiment_tags", "inputs"):
            texts += map(str, opened.execute(f"SELECT * FROM {table}").fetchall())
        texts += map(str, opened.execute("SELECT user_id, source_name FROM runs").fetchall())
    texts += [
        inside(path.read_bytes()).decode(errors="replace")
        for path in (store / "artifacts").rglob("*")
        if path.is_file()
    ]
    return "\n".join(texts)


def test_nothing_that_leaves_says_where_it_was_made(workplace, cli):
    images(workplace / "secret-place")
    (workplace / "nets.py").write_text(FACTORY)
    dataset = str(workplace / "secret-place")
    options = [*SMALL[2:], "--seeds", "1", "--dataset", dataset]
    for variant in ("double", "nets:make"):
        answer = cli("run", *options, "--variant", variant)
        assert answer.code == 0, answer.err
    assert cli("export", "placement", "p.zip").code == 0
    packed = inside((workplace / "p.zip").read_bytes()).decode(errors="replace")
    told = told_by_mlflow(workplace / "mlruns")
    assert "secret-place" in packed, "it is called by its name"
    for text in (packed, told):
        for place in (str(workplace), str(Path(attnstudy.__file__).parent), str(Path.home())):
            assert f"{place}/" not in text, text[max(0, text.find(place) - 200) :][:400]
        for name in {platform.node(), getpass.getuser() + "@"}:
            assert name not in text
    with sqlite3.connect("mlruns/mlflow.db") as opened:
        sources = opened.execute("SELECT dataset_source FROM datasets").fetchall()
    assert set(sources) == {('{"uri": "secret-place"}',)}


def test_a_report_does_not_say_in_which_folders_its_files_are(workplace, cli):
    folder = workplace / "of me, mine"
    folder.mkdir()
    rows = {
        arm: [f"{arm},{seed},{seed + 10 * place}" for seed in range(4)]
        for place, arm in enumerate("ab")
    }
    head = "arm,seed,accuracy"
    table = folder / "a table.csv"
    table.write_text("\n".join([head, *rows["a"], *rows["b"]]) + "\n")
    parts = [folder / arm / "log.csv" for arm in "ab"]
    for part in parts:
        part.parent.mkdir()
        part.write_text("\n".join([head, *rows[part.parent.name]]) + "\n")
    assert cli("run", *SMALL, "--variant", "late", "--seeds", "1").code == 0
    store = f"--store={workplace / 'mlruns'}"
    several = [f"--from={part}" for part in parts]
    for words in (
        ("--from", str(table)),
        (f"--from={table}",),
        (*several, "--by", "arm"),
        (*several, "--by", "file"),
        ("placement", store),
    ):
        for form in ("html", "markdown", "text", "json", "csv", "latex"):
            page = workplace / f"page.{form}"
            answer = cli("rank", *words, "--format", form, "--output", str(page))
            assert answer.code == 0, answer.err
            assert f"{workplace.parent}" not in page.read_text(), (words, form)
            assert folder.name not in page.read_text(), (words, form)
    by_file = cli("rank", *several, "--by", "file").out
    assert "2 arms (column file: a/log.csv, b/log.csv)" in by_file
    page = cli("rank", "placement", store, "--format", "html").out
    assert "<span>--store=mlruns</span>" in page


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("/home/me/x.csv", "x.csv"),
        ("/data", "data"),
        ("--store=/home/my things/runs/", "--store=runs/"),
        ("sqlite:////home/me/x.db", "sqlite:///x.db"),
        ("postgresql://me:pw@host/base", "'postgresql://me:***@host/base'"),
        ("http://host/a/b", "http://host/a/b"),
        ("results/of/x.csv", "results/of/x.csv"),
        ("/", "/"),
    ],
)
def test_of_a_path_in_a_command_its_last_name_is_told(word, told):
    assert command_elsewhere([word]) == told


def test_a_failure_is_told_without_the_folders_of_the_machine():
    said = "FileNotFoundError: no '/home/me/data/x.csv' (train.py, line 3; see http://h/a/b, a/b/c)"
    assert without_folders(said) == (
        "FileNotFoundError: no 'x.csv' (train.py, line 3; see http://h/a/b, a/b/c)"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no '/home/John Smith/p/x.csv'", "no 'x.csv'"),
        ('no "/home/O\'Brien/p q/x.csv"', 'no "x.csv"'),
        ("PosixPath('/mnt/my data/x')", "PosixPath('x')"),
        ("cannot read file:///home/a/x.csv", "cannot read file:///x.csv"),
        ("'file:///home/John Smith/x.csv'", "'file:///x.csv'"),
        ("file://localhost/home/a/x.csv", "file://localhost/x.csv"),
        ("no sqlite:////home/a/x.db", "no sqlite:///x.db"),
        ("dataset:/home/a/x is none", "dataset:x is none"),
        ("ValueError (x.py):/home/a/x", "ValueError (x.py):x"),
        ("--data=/home/me/y", "--data=y"),
        ("in /home/jsmith, no", "in ~, no"),
        ("in '/home/John Smith/'", "in '~'"),
        ("(/Users/ada)", "(~)"),
        ("no /export/Mary Major/p/x.csv", "no x.csv"),
        ("below /export/Mary Major", "below ~"),
        ("see http://h:5000/a/b, 'https://h/a b/c', ./a/b, 3/4", None),
    ],
)
def test_a_failure_is_told_without_folders_however_they_are_written(said, told, monkeypatch):
    monkeypatch.setenv("HOME", "/export/Mary Major")
    assert without_folders(said) == (said if told is None else told)


FAILING = """
import os

def train(run):
    kind = run.settings["kind"]
    if kind == 0:
        raise ValueError("401 for http://ada:s3same@data.example/x?api_key=s3same")
    if kind == 1:
        open("/home/John Smith/data/none.csv")
    raise ValueError("cannot read file:///home/jsmith/x/data.csv")
"""


def test_a_failure_reaches_neither_mlflow_nor_the_terminal_with_what_is_secret(workplace, cli):
    folder = workplace / "studies" / "boom"
    folder.mkdir(parents=True)
    (folder / "fn.py").write_text(FAILING)
    (folder / "study.toml").write_text(
        'train = "fn:train"\nseeds = 1\n[ranking]\nmetric = "a"\n'
        "[arms]\na = {kind = 0}\nb = {kind = 1}\nc = {kind = 2}\n"
    )
    for form in ((), ("--json",)):
        answer = cli("run", "boom", "--no-figures", *form)
        assert answer.code == 1
        assert "s3same" not in answer.out + answer.err
        assert "api_key=***" in answer.out
    with sqlite3.connect("mlruns/mlflow.db") as opened:
        asked = "SELECT value FROM tags WHERE key = 'attnstudy.failure'"
        told = "\n".join(value for (value,) in opened.execute(asked))
    assert "none.csv" in told
    assert "data.csv" in told
    for secret in ("s3same", "Smith", "jsmith"):
        assert secret not in told
    kept = [path.read_text() for path in Path("mlruns").rglob("failure.json")]
    assert any("s3same" in text for text in kept), "on this machine all of it is kept"
