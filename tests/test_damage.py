"""What is damaged is named by every command that meets it, in the same words, and mended.

The table of docs/reliability.md, row by row, on a study that was trained once.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.files import read_sealed, write_sealed
from attnstudy.tracking import open_store, resolve
from tests.conftest import made_once
from tests.stores import one_sentence, run_named
from tests.truth import STORE_DIR, change, make_planned

RUN = "early/seed=1"
AGAIN = ("--rerun", "--variant", "early", "--seeds", "1-1")
READING = {
    "status": ("status", "deep"),
    "verify": ("status", "deep", "--verify", "-q"),
    "rank": ("rank", "deep"),
    "export": ("export", "deep", "x.zip", "-q"),
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Change one digit, or one bit of what is no text."""
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    if path.suffix in (".json", ".csv", ".jsonl"):
        place = next(n for n in range(place, len(content)) if chr(content[n]).isdigit())
    content[place] ^= 1
    path.write_bytes(content)


def rot(path: Path) -> None:
    """The same on a failing disk: no program wrote it, so its time stays."""
    state = path.stat()
    flip(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def delete(path: Path) -> None:
    path.unlink()


def swap(path: Path) -> None:
    """Exchange a file with that of another run."""
    exchange(path, run_named(STORE_DIR, "early/seed=2", "deep").path / path.name)


def nest(path: Path) -> None:
    """Have a file hold what is nested more deeply than a parser of JSON can go."""
    path.write_text("[" * 100_000)


def pipe(path: Path) -> None:
    """Put in the place of a file what would be waited for without end."""
    path.unlink()
    os.mkfifo(path)


def exchange(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


@dataclass(frozen=True)
class Row:
    """What is damaged, and exit code and words of each command."""

    status: str | None
    verify: str | None
    rank: tuple[int, str | None]
    export: tuple[int, str | None]
    sync: tuple[int, str | None]
    run: tuple[int, str | None]
    mended: tuple[str, ...]
    """The command after which nothing is damaged."""


def of_a_file(name: str, *, rank: tuple[int, str | None] | None = None) -> Row:
    """Return what is said of a file of a result."""
    said = (
        f"{name} is damaged: put it back from a copy, or repeat the run by 'attnstudy run --rerun"
    )
    return Row(
        status=said, verify=said, sync=(3, said), run=(0, said),
        rank=rank or (0, f"{name} is damaged (no number here comes from it)"),
        export=(3, f"{name} is damaged: repeat this run with 'attnstudy run --rerun"),
        mended=("run", *AGAIN),
    )  # fmt: skip


def of_the_result(how: str) -> Row:
    said = f"result.json is {how}: put it back from a copy, or train the run again"
    there = "result.json is damaged, so nothing is ranked"
    lost = f"{RUN} (complete in MLflow, interrupted in its folder)"
    again, sync = ", so the run is trained again", said
    if how not in ("lost", "damaged"):  # whole, and may belong somewhere
        again = ": it is made again, and kept aside as it was"
        sync = "result.json is damaged: put it back from a copy, or train the run again"
    return Row(
        status=said, verify=said, export=(3, f"result.json is {how}"), sync=(3, sync),
        rank=(3, lost if how == "lost" else there),
        run=(0, f"result.json is {how}{again}"), mended=("run",),
    )  # fmt: skip


def of_the_record(how: str) -> Row:
    said = f"run.json is {how}: 'attnstudy sync deep' writes it anew from result.json"
    done = "run.json was damaged, and is written anew from result.json"
    return Row(
        status=said, verify=said, export=(3, said), sync=(0, done), run=(0, done),
        rank=(3, f"run.json is {how}, so nothing is ranked: 'attnstudy sync deep' writes it anew"),
        mended=("sync",),
    )  # fmt: skip


LOST = "study.json is lost: mlruns/runs/deep/study.json"
OF_THE_STUDY = Row(
    status=f"{LOST} held the plans", verify=f"{LOST} held the plans", rank=(0, None),
    export=(3, f"{LOST} held the plans"), sync=(0, f"{LOST} is written anew"),
    run=(0, f"{LOST} is written anew, from the runs and 1 plan that MLflow has"), mended=("sync",),
)  # fmt: skip


def of_an_artifact(name: str) -> Row:
    return Row(
        status=None, verify=f"{name} in the embedded store is damaged: 'attnstudy sync deep' sends",
        rank=(0, None), export=(0, None), run=(0, None),
        sync=(0, f"{name} in the embedded store was damaged: sent again"), mended=("sync",),
    )  # fmt: skip


UNREAD = Row(
    status=None, verify="weights.safetensors is damaged: put it back", rank=(0, None),
    export=(3, "weights.safetensors is damaged"), sync=(3, "weights.safetensors is damaged"),
    run=(0, None), mended=("run", *AGAIN),
)  # fmt: skip
OF_THE_NOTE = Row(
    status="1 run not yet, or not as they are now", verify=None, rank=(0, None), export=(0, None),
    sync=(0, "1 run delivered"), run=(0, None), mended=("sync",),
)  # fmt: skip
UNREADABLE_NOTE = Row(
    **{**OF_THE_NOTE.__dict__, "verify": "embedded.json is damaged: 'attnstudy sync deep'"}
)
NOT_RANKED = (3, "predictions.csv is damaged, so nothing is ranked")
FROM_MLFLOW = (0, "predictions.csv is damaged (read in MLflow instead")
DAMAGED = (cut, flip, nest, pipe)
TABLE = {
    **{f"result.json {how.__name__}": of_the_result("damaged") for how in DAMAGED},
    "result.json delete": of_the_result("lost"),
    "result.json swap": of_the_result("that of another run"),
    **{
        f"weights.safetensors {how.__name__}": of_a_file("weights.safetensors")
        for how in (cut, flip, delete)
    },
    "journal.jsonl flip": of_a_file("journal.jsonl"),
    "predictions.csv cut": of_a_file("predictions.csv", rank=NOT_RANKED),
    "predictions.csv flip": of_a_file("predictions.csv", rank=NOT_RANKED),
    "predictions.csv delete": of_a_file("predictions.csv", rank=FROM_MLFLOW),
    "weights.safetensors rot": UNREAD,
    **{f"run.json {how.__name__}": of_the_record("damaged") for how in DAMAGED},
    "run.json delete": of_the_record("lost"),
    "study.json cut": OF_THE_STUDY,
    "study.json nest": OF_THE_STUDY,
    "study.json pipe": OF_THE_STUDY,
    "study.json delete": OF_THE_STUDY,
    "store predictions.csv rot": of_an_artifact("predictions.csv"),
    "store predictions.csv delete": of_an_artifact("predictions.csv"),
    "store model.pt2 cut": of_an_artifact("model.pt2"),
    "store model.pt2 rot": of_an_artifact("model.pt2"),
    "embedded.json delete": OF_THE_NOTE,
    "embedded.json cut": UNREADABLE_NOTE,
    "embedded.json nest": UNREADABLE_NOTE,
    "embedded.json pipe": UNREADABLE_NOTE,
}
FAST = {
    "result.json cut",
    "weights.safetensors delete",
    "run.json flip",
    "store model.pt2 cut",
    "result.json nest",
}
HARMS: dict[str, Callable[[Path], None]] = {
    harm.__name__: harm for harm in (cut, flip, nest, pipe, rot, delete, swap)
}


@pytest.fixture
def planned(workplace, template_store, data_dir, tmp_path_factory, monkeypatch):
    """The working directory with a study of two arms and three seeds, delivered."""
    from mlflow.tracking._tracking_service import utils

    made = made_once(
        tmp_path_factory, "planned", lambda place: make_planned(place, template_store, data_dir)
    )
    shutil.rmtree(workplace / STORE_DIR)
    shutil.copytree(made, workplace, dirs_exist_ok=True)
    # MLflow remembers where a run's artifacts are, and here the same run is in many places
    monkeypatch.setattr(utils, "_artifact_repos_cache", OrderedDict())
    return workplace


def place_of(what: str) -> Path:
    """Return the file that a row of the table names."""
    folder = run_named(STORE_DIR, RUN, "deep").path
    *where, name = what.split()
    if where == ["store"]:
        note = read_sealed(folder / "published" / "embedded.json")
        (found,) = (one for one in note["files"] if one.endswith(f"/{name}"))
        return STORE_DIR / "artifacts" / "deep" / found
    if name == "study.json":
        return folder.parent / name
    return folder / "published" / name if name == "embedded.json" else folder / name


def said(answer) -> str:
    """Return what a command said, lines put together as they were before they were wrapped."""
    return " ".join((answer.out + answer.err).split())


def arms_of(ranking: str) -> list[object]:
    """Return what is told of each arm, but for the time that its runs took."""
    told = json.loads(ranking)["arms"]
    return [{name: value for name, value in arm.items() if "second" not in name} for arm in told]


def check(answer, code: int, words: str | None, unharmed: str | None = None) -> None:
    assert answer.code == code, answer.err
    assert "Traceback" not in answer.err
    if words is not None:
        assert words in said(answer)
    elif unharmed is not None:
        assert said(answer) == unharmed


@pytest.mark.parametrize(
    "case", [c if c in FAST else pytest.param(c, marks=pytest.mark.rest) for c in TABLE]
)
def test_every_command_says_the_same_of_a_damage(planned, cli, case):
    row = TABLE[case]
    what, _, harm = case.rpartition(" ")
    assert cli("sync", "deep", "-q").code == 0  # the store was copied here
    before = {name: cli(*READING[name], "--json").out for name in ("status", "rank")}
    unharmed = said(cli("rank", "deep"))
    HARMS[harm](place_of(what))
    check(cli(*READING["status"]), 0, row.status)
    if row.status is None:
        assert cli(*READING["status"], "--json").out == before["status"]
    check(cli(*READING["verify"]), 0 if row.verify is None else 3, row.verify)
    check(cli(*READING["rank"]), *row.rank, unharmed)
    exported = cli(*READING["export"])
    check(exported, *row.export)
    if exported.code:
        one_sentence(exported.err)
        assert not Path("x.zip").exists()
    check(cli("sync", "deep", "-q"), *row.sync)
    if row.mended == ("sync",):
        assert cli(*READING["verify"]).code == 0
        HARMS[harm](place_of(what))
    check(cli("run", "deep", "-q"), *row.run)
    check(cli(*row.mended[:1], "deep", "-q", *row.mended[1:]), 0, None)
    answer = cli(*READING["verify"])
    assert answer.code == 0, said(answer)
    assert "nothing is damaged" in answer.out
    assert arms_of(cli("rank", "deep", "--json").out) == arms_of(before["rank"])


def test_a_folder_in_the_place_of_another_run_is_named_and_left_alone(planned, cli):
    assert cli("sync", "deep", "-q").code == 0
    before = arms_of(cli("rank", "deep", "--json").out)
    folder, other = (run_named(STORE_DIR, f"early/seed={n}", "deep").path for n in (1, 2))
    exchange(folder, other)
    said_of_it = f"{folder / 'run.json'} describes another run"
    assert said_of_it in said(cli("status", "deep"))
    for words in (
        READING["verify"], READING["rank"], READING["export"], ("sync", "deep", "-q"),
        ("run", "deep", "-q"), ("run", "deep", "-q", *AGAIN),
    ):  # fmt: skip
        answer = cli(*words)
        assert answer.code == 3, words
        assert said_of_it in said(answer), words
        assert "put" in said(answer)
    exchange(folder, other)
    assert cli(*READING["verify"]).code == 0
    assert arms_of(cli("rank", "deep", "--json").out) == before


def test_the_result_of_an_earlier_training_is_not_that_of_the_last(planned, cli):
    folder = run_named(STORE_DIR, RUN, "deep").path
    earlier = (folder / "result.json").read_bytes()
    assert cli("run", "deep", "-q", *AGAIN).code == 0
    (folder / "result.json").write_bytes(earlier)
    for words in (READING["verify"], READING["export"]):
        answer = cli(*words)
        assert answer.code == 3, words
        assert "result.json is that of another training of this run" in said(answer), words


@pytest.mark.rest
def test_facts_that_are_written_anew_are_the_ones_that_were_lost(planned, cli):
    facts = runs.facts_path(STORE_DIR, "deep")
    before = read_sealed(facts)
    facts.unlink()
    assert cli("sync", "deep", "-q").code == 0
    assert read_sealed(facts) == before


def test_a_plan_that_nobody_has_any_more_is_not_called_undeclared(planned, cli):
    assert cli("sync", "deep", "-q").code == 0
    change(STORE_DIR / "mlflow.db", "DELETE FROM experiment_tags WHERE key LIKE ?", "%.plan.%")
    cut(runs.facts_path(STORE_DIR, "deep"))
    ranking = json.loads(cli("rank", "deep", "--json").out)
    assert ranking["status"] == "exploratory"
    assert f"{LOST} held the plans, and MLflow has none" in ranking["status_reason"]
    answer = cli("sync", "deep", "-q")
    assert answer.code == 0
    assert "without a plan, for MLflow has none: if there was one, put it back" in answer.err
    assert (STORE_DIR / "runs/deep/study-damaged.json").exists()


@pytest.mark.rest
def test_predictions_that_nobody_has_are_why_the_scope_is_left_out(planned, cli):
    assert cli("sync", "deep", "-q").code == 0
    place_of("store predictions.csv").unlink()
    place_of("predictions.csv").unlink()
    ranking = json.loads(cli("rank", "deep", "--json").out)
    assert ranking["scope"]["pairs"] == []
    (note,) = (one for one in ranking["notes"] if RUN in one)
    assert "predictions.csv is damaged (the scope over new test items needs it" in note


@pytest.mark.rest
def test_a_record_that_an_earlier_version_did_not_seal_has_its_run_made_again(planned, cli):
    folder = run_named(STORE_DIR, RUN, "deep")
    content = read_sealed(folder.path / "result.json")
    del content["record"]
    write_sealed(folder.path / "result.json", content)
    before = json.loads(cli("rank", "deep", "--json").out)["arms"]
    (folder.path / "run.json").unlink()
    answer = cli("status", "deep")
    named = f"{folder.path.name}: {folder.path / 'run.json'} is lost"
    assert named in said(answer)
    for words in (READING["rank"], READING["export"], ("sync", "deep", "-q")):
        answer = cli(*words)
        assert answer.code == 3
        assert f"{folder.path / 'run.json'} is lost" in said(answer)
    answer = cli("run", "deep", "-q")
    assert answer.code == 0, answer.err
    assert f"{RUN}: {folder.path / 'run.json'} is damaged" in answer.err
    assert "it is made again, and kept aside as it was" in answer.err
    assert "1 trained, 5 complete before" in answer.out
    assert cli("status", "deep", "--verify", "-q").code == 0
    assert json.loads(cli("rank", "deep", "--json").out)["arms"] == before


@pytest.mark.rest
def test_a_report_and_the_database_are_verified(planned, cli):
    assert cli("rank", "deep", "--log").code == 0
    assert cli("status", "--verify", "-q").code == 0
    (note,) = runs.report_notes(STORE_DIR, "deep")
    name = next(iter(read_sealed(note)["files"]))
    flip(STORE_DIR / "artifacts" / "deep" / name)
    answer = cli("status", "--verify", "-q")
    assert answer.code == 3
    assert "a report of deep" in answer.out
    note.unlink()
    database = STORE_DIR / "mlflow.db"
    content = bytearray(database.read_bytes())
    content[8192:12288] = bytes(4096)
    database.write_bytes(content)
    answer = cli("status", "--verify", "-q", "--json")
    assert answer.code == 3
    assert "mlflow.db is damaged" in " ".join(json.loads(answer.out)["verified"]["damaged"])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE other (x)")


@pytest.mark.parametrize(
    ("name", "harm", "words"),
    [
        ("mlflow.db", delete, "mlflow.db is lost: runs of deep were delivered there; put it back"),
        ("mlflow.db", empty, "mlflow.db is empty: runs of deep were delivered there"),
        ("mlflow.db", folder, "mlflow.db is no file: runs of deep were delivered there"),
        ("mlflow.db", pipe, "mlflow.db is no file: runs of deep were delivered there"),
        ("mlflow.db", no_tables, "mlflow.db holds no runs: runs of deep were delivered there"),
        ("store.json", empty, "store.json is damaged: move it away, and 'attnstudy sync' writes"),
        ("store.json", nest, "store.json is damaged: move it away"),
        ("store.json", folder, "store.json is damaged: move it away"),
        ("store.json", pipe, "store.json is damaged: move it away"),
    ],
)
def test_a_store_that_lost_what_was_delivered_is_told(planned, cli, name, harm, words):
    path = STORE_DIR / name
    assert cli("sync", "deep", "-q").code == 0  # the store was copied here
    harm(path)
    answer = cli("status", "--verify", "-q")
    assert answer.code == 3
    assert words in said(answer)
    if harm is empty:
        path.unlink()
        # another process: MLflow holds the database open that was there
        words = [sys.executable, "-m", "attnstudy", "sync", "deep", "-q"]
        subprocess.run(words, check=True, capture_output=True)
        answer = cli("status", "--verify", "-q")
        assert answer.code == 0, said(answer)


def test_a_folder_in_the_place_of_a_note_is_named_and_the_others_go_on(planned, cli):
    note = place_of("embedded.json")
    folder(note)
    answer = cli("status", "deep")
    assert answer.code == 0, answer.err
    assert "1 run not yet" in said(answer)
    assert "embedded.json" in said(cli("status", "deep", "--verify", "-q"))
    assert cli("sync", "deep", "-q").code == 3
    note.rmdir()
    assert cli("sync", "deep", "-q").code == 0


def test_a_store_to_which_nothing_was_delivered_lacks_no_database(planned, cli):
    (STORE_DIR / "mlflow.db").unlink()
    for note in STORE_DIR.rglob("published/embedded.json"):
        note.unlink()
    answer = cli("status", "--verify", "-q")
    assert answer.code == 0
    assert "is lost" not in said(answer)


UNREADABLE = Path("/sys/class/net/lo/speed")
"""A file that Linux lists with a size and cannot read: the loopback has no speed."""


@pytest.mark.skipif(not UNREADABLE.is_file(), reason="a file that gives a read error is Linux's")
def test_a_database_that_the_disk_does_not_give_is_damage(planned, cli):
    database = STORE_DIR / "mlflow.db"
    database.unlink()
    database.symlink_to(UNREADABLE)
    answer = cli("status", "--verify", "-q")
    assert answer.code == 3
    assert f"{database} is damaged (disk I/O error): put it back" in said(answer)


def test_mlflow_syncs_its_database_at_each_commit(planned):
    """So that a delivery that is noted survives a power failure; its files are synced by us."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(open_store(resolve(STORE_DIR, None)).address.uri, "unused")
    with store.engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode")
        }
    store.engine.dispose()
    assert pragma == {"synchronous": 2, "journal_mode": "delete"}
