"""What an earlier version left behind is gone on with: the same runs, plans, rankings and search.

``tests/golden/make.py`` made it with that version, and says what it is. Here only commands, JSON
and the files themselves are looked at, so that these tests outlive whatever is renamed; the two
functions that compute identities are the exception.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from attnstudy.study import RunSpec
from attnstudy.studyplan import StudyPlan
from tests.conftest import Cli, made_once
from tests.stores import snapshot

GOLDEN = Path(__file__).parent / "golden"
IDENTITIES = json.loads((GOLDEN / "identities.json").read_text())
ADDED = {
    "order",
    "components",
    "folds",  # what is known of the folds of a cross-validation
    "damaged",  # what a look at a study finds to be damaged
    "source",  # where a ranking's numbers come from
}
"""Keys that later versions may add to what a command says; all else has to be as it was."""
NEITHER = ("machine", "version", "code_revision")
"""Of what is recorded of a run's surroundings, what cannot change its numbers."""
PLAIN = (
    "--study", "plain", "--dataset", "digits", "--train-size", "400", "--val-size", "100",
    "--channels", "4,4", "--batch-size", "32",
)  # fmt: skip


def run_identities(spec: dict[str, Any]) -> tuple[str, str]:
    """Return fingerprint and configuration of a run, computed anew from what its folder says."""
    made = RunSpec.from_dict(spec)
    return made.fingerprint, made.config_id


def plan_hash(plan: dict[str, Any]) -> str:
    """Return the hash of a plan, computed anew from what its record says."""
    return StudyPlan.from_json(plan).hash


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory that the earlier version left; for copies only."""

    def unpack(folder: Path) -> None:
        with tarfile.open(GOLDEN / "golden.tar.xz") as packed:
            packed.extractall(folder, filter="data")

    return made_once(tmp_path_factory, "golden", unpack) / "golden"


@pytest.fixture
def place(workplace: Path, unpacked: Path) -> Path:
    """That directory as the working directory, somewhere else than it was made."""
    shutil.rmtree(workplace / "mlruns")
    shutil.copytree(unpacked, workplace, dirs_exist_ok=True)
    return workplace


@pytest.fixture
def elsewhere(place: Path, template_store: Path) -> Path:
    """The working directory of another machine, with the study files and an empty store."""
    folder = place / "elsewhere"
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(template_store / "mlflow.db", folder / "mlruns" / "mlflow.db")
    for file in place.glob("studies/*/study.toml"):
        target = folder / file.relative_to(place)
        target.parent.mkdir(parents=True)
        shutil.copy(file, target)
    os.chdir(folder)
    return folder


def asked(cli: Cli, *words: str, code: int = 0) -> Any:
    """Return what a command says as JSON."""
    answer = cli(*words, "--json")
    assert answer.code == code, answer.err
    return json.loads(answer.out)


def said(place: Path, name: str) -> Any:
    """Return what the earlier version said."""
    return json.loads((place / "said" / f"{name}.json").read_text())


def same(found: Any, golden: Any, where: str = "") -> None:
    """Check that something says what the earlier version said, but for keys that were added."""
    if isinstance(golden, dict):
        assert golden.keys() - found.keys() == set(), where
        assert found.keys() - golden.keys() <= ADDED, where
        for key, value in golden.items():
            same(found[key], value, f"{where}/{key}")
    elif isinstance(golden, list):
        assert len(found) == len(golden), where
        for place, (mine, theirs) in enumerate(zip(found, golden, strict=True)):
            same(mine, theirs, f"{where}/{place}")
    elif isinstance(golden, float):
        assert math.isclose(found, golden, rel_tol=1e-9, abs_tol=1e-9), where
    elif isinstance(golden, str):
        # said now: the runs of a pair that an earlier look decided, and what a search found
        told = re.sub(r", at the look at \d+ runs", "", found) if where == "/sentence" else found
        assert told.partition("; trained with ")[0] == todays_words(golden), where
    else:
        assert found == golden, where


ORDER = (
    "the runs of a look are those with the lowest seeds of each arm, taken to be the first that "
    "were made"
)


def todays_words(text: str) -> str:
    """Return a sentence of the earlier version in the words that are used now."""
    for before, now in (
        ("tuned on validation images", "tuned on validation data"),
        ("biases its difference away from zero", f"biases its difference away from zero; {ORDER}"),
        ("for new seeds and new images", "for new seeds and new test items"),
        ("no claim beyond images like", "no claim beyond items like"),
        ("test images; the choice of images", "test items; the choice of items"),
        ("the variants fail on the same images", "the arms fail on the same items"),
        ("per-image predictions would tell", "predictions for each would tell"),
        ("per variant", "per arm"),
        ("needs two variants with", "needs two arms with"),
        ("wider spread of the variant would", "wider spread of the arm would"),
    ):
        text = text.replace(before, now)
    return re.sub(r"(?<=[ \[])-(?=[\d ])", "−", text)  # a minus was a hyphen


def content(file: Path) -> Any:
    """Return what is in a sealed file."""
    return json.loads(file.read_text())["content"]


def results(place: Path, study: str) -> dict[str, tuple[int, int]]:
    """Return which results there are, told apart from later ones of the same content."""
    return {
        file.parent.name: (file.stat().st_ino, file.stat().st_mtime_ns)
        for file in place.glob(f"mlruns/runs/{study}/*/result.json")
    }


def known(study: str, status: str = "complete") -> dict[str, str]:
    """Return the names of a study's runs by their fingerprints."""
    return {
        run["fingerprint"]: run["name"]
        for run in IDENTITIES["runs"]
        if (run["study"], run["status"]) == (study, status)
    }


((KILLED, _),) = known("begun", "unfinished").items()


# Identities


def test_every_identity_is_what_it_was(place):
    found = []
    for file in place.glob("mlruns/runs/*/*/run.json"):
        spec = content(file)["spec"]
        fingerprint, config = run_identities(spec)
        assert fingerprint == file.parent.name
        found.append((spec["study"], fingerprint, config))
    assert sorted((study, fingerprint) for study, fingerprint, _ in found) == sorted(
        (run["study"], run["fingerprint"]) for run in IDENTITIES["runs"]
    )
    configs = {run["fingerprint"]: run["config"] for run in IDENTITIES["runs"]}
    assert all(configs[fingerprint] in (config, None) for _, fingerprint, config in found)


@pytest.mark.parametrize("study", list(IDENTITIES["plans"]))
def test_a_plan_has_the_hash_that_it_had(study, cli, place):
    for record in json.loads((place / "studies" / study / "plans.json").read_text()):
        assert record["hash"] in IDENTITIES["plans"][study]
        assert plan_hash(record["plan"]) == record["hash"]
    golden = said(place, f"show-{study}")
    if study == "tuned":  # whose arms were said to have changed by what the search found
        golden["plans"][0]["changes"] = []
    same(asked(cli, "study", "show", study), golden)


# What is said of it


def test_status_is_what_it_was(cli, place):
    same(asked(cli, "status"), said(place, "status"))


@pytest.mark.parametrize("study", ["arms", "begun", "tuned", "plain"])
def test_a_study_is_ranked_as_it_was(study, cli, place):
    golden = said(place, f"rank-{study}")
    same(asked(cli, "rank", "--study", study, "--config", golden["config"]), golden)


@pytest.mark.parametrize("study", ["arms", "begun", "plain"])
def test_its_runs_in_mlflow_are_ranked_alike_without_their_folders(study, cli, place, elsewhere):
    """The repeated run in it too, which another has taken the place of."""
    golden = said(place, f"rank-{study}")
    os.chdir(place)
    # puts MLflow's locations right, which are another folder's; reading leaves them as they are
    assert cli("sync", "--study", study).code == 0
    os.chdir(elsewhere)
    database = f"sqlite:///{place}/mlruns/mlflow.db"
    words = ("--config", golden["config"], "--tracking-uri", database)
    same(asked(cli, "rank", "--study", study, *words), golden)


def test_a_table_is_ranked_and_audited_as_it_was(cli, place):
    # what the numbers are, a table of runs side by side does not say, and it was assumed
    metric = ("--metric", "test_accuracy")
    ranked = asked(cli, "rank", "--from", "table.csv", *metric, "--margin", "1", "--items", "10000")
    golden = said(place, "rank-table")
    # a column that is left out was a note before there was a source to say it
    golden["notes"] = [note for note in golden["notes"] if "was left out" not in note]
    assert "column reported_mean" in ranked["source"]["left_out"][0]
    same(ranked, golden)
    audited = asked(cli, "audit", "table.csv", *metric, "--items", "10000", code=1)
    same(audited, said(place, "audit-table"))


# It goes on


@pytest.mark.parametrize(
    ("study", "words"),
    [
        ("arms", ("arms", "--no-models")),
        ("tuned", ("tuned", "--no-models", "--tuned")),
        ("plain", (*PLAIN, "--variant", "vanilla", "--variant", "double", "--seeds", "3",
                   "--epochs", "2")),
    ],
)  # fmt: skip
def test_what_is_complete_is_never_trained_again(study, words, cli, place):
    before, facts = results(place, study), snapshot(place / "mlruns" / "runs" / study)
    done = asked(cli, "run", *words)
    assert (done["trained"], done["failed"], done["undelivered"]) == (0, 0, 0)
    assert done["skipped"] == len(known(study))
    assert {run["fingerprint"] for run in done["runs"]} == set(known(study))
    assert results(place, study) == before
    assert snapshot(place / "mlruns" / "runs" / study)["study.json"] == facts["study.json"]
    same(asked(cli, "status"), said(place, "status"))


def test_a_run_that_diverged_is_never_trained_again(cli, place):
    done = asked(cli, "run", *PLAIN, "--no-models", "--variant", "vanilla", "--seeds", "1",
                 "--epochs", "1", "--lr", "1e30")  # fmt: skip
    assert (done["trained"], done["skipped"]) == (0, 1)
    assert {run["fingerprint"] for run in done["runs"]} == set(known("plain", "diverged"))


def goes_on(cli: Cli, here: Path, golden: dict[str, Any]) -> None:
    """Check that the killed run, and no other, is trained, from where it was."""
    folder = here / "mlruns" / "runs" / "begun" / KILLED
    started = content(folder / "run.json")
    trained_before = (folder / "journal.jsonl").read_text().splitlines()
    before = results(here, "begun")
    assert KILLED not in before
    done = asked(cli, "run", "begun", "--no-models")
    assert (done["trained"], done["skipped"], done["failed"]) == (1, 5, 0)
    assert results(here, "begun").items() >= before.items()
    assert content(folder / "run.json") == started
    # two lines an epoch; the checkpoint is that of the second, and seconds are never twice the same
    trained = (folder / "journal.jsonl").read_text().splitlines()
    assert trained[:4] == trained_before[:4]
    assert len(trained) == 8
    assert not list(folder.glob("checkpoint*"))

    ranked = asked(cli, "rank", "begun")
    assert (ranked["status"], ranked["plan"]) == ("confirmatory", golden["rank"]["plan"])
    assert ranked["status_reason"] == golden["rank"]["status_reason"]
    for mine, theirs in zip(done["runs"], golden["run"]["runs"], strict=True):
        assert (mine["fingerprint"], mine["trained"]) == (theirs["fingerprint"], theirs["trained"])
        if mine["fingerprint"] != KILLED:
            same(mine, theirs)
        elif alike(content(folder / "result.json")["environment"], golden["environment"]):
            assert mine["metrics"]["test_loss"] == pytest.approx(
                theirs["metrics"]["test_loss"], rel=1e-3
            )
            # one of the 360 images
            assert mine["metrics"]["test_accuracy"] == pytest.approx(
                theirs["metrics"]["test_accuracy"], abs=0.28
            )


def alike(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    """Whether a training was computed with what gives the same numbers, or nearly."""
    return all(mine.get(name) == value for name, value in theirs.items() if name not in NEITHER)


def test_the_run_that_was_killed_goes_on_and_the_plan_is_followed(cli, place):
    goes_on(cli, place, said(place, "continued"))


def test_nothing_is_left_to_deliver(cli, place):
    before = snapshot(place / "mlruns" / "runs")
    for _ in range(2):
        answer = cli("sync")
        assert answer.code == 0, answer.err
        assert answer.out.split()[0] == "0"
    assert snapshot(place / "mlruns" / "runs") == before


# It moves


def test_an_exported_study_is_imported_delivered_and_ranked_as_it_was(cli, place, elsewhere):
    report = asked(cli, "import", "../arms.zip")
    assert (report["imported"], report["refused"]) == (len(known("arms")), 0)
    assert {run["fingerprint"] for run in report["runs"]} == set(known("arms"))
    assert {run["fate"] for run in report["runs"]} == {"imported"}
    delivered = cli("sync", "--study", "arms")
    assert delivered.out.split()[0] == str(len(known("arms"))), delivered.err
    same(asked(cli, "rank", "arms"), said(place, "rank-arms"))
    again = asked(cli, "import", "../arms.zip")
    assert {run["fate"] for run in again["runs"]} == {"here"}
    assert asked(cli, "run", "arms", "--no-models")["trained"] == 0


def test_an_exported_unfinished_run_goes_on_where_it_is_imported(cli, place, elsewhere):
    report = asked(cli, "import", "../begun.zip")
    assert report["imported"] == 6
    assert [run["fingerprint"] for run in report["runs"] if not run["finished"]] == [KILLED]
    goes_on(cli, elsewhere, said(place, "continued"))


# The search


def test_a_search_has_nothing_left_to_do_and_proposes_what_it_would_have(cli, place):
    golden = said(place, "tune-show")
    same(asked(cli, "tune", "show", "tuned"), golden)
    before = results(place, "tuned.tuning")
    done = asked(cli, "tune", "tuned")
    assert done["trained"] == 0
    same(done["variants"], golden["variants"])
    assert results(place, "tuned.tuning") == before
    identities = {one["variant"]: one["identity"] for one in done["variants"]}
    assert identities == IDENTITIES["tunings"]
    continues(cli, place)


@pytest.mark.rest
def test_an_exported_search_is_made_anew_without_training(cli, place, elsewhere):
    report = asked(cli, "import", "../tuned.zip")
    complete, stopped = known("tuned.tuning"), known("tuned.tuning", "unfinished")
    assert {run["fingerprint"] for run in report["runs"]} == {*complete, *stopped}
    before = results(elsewhere, "tuned.tuning")
    assert before.keys() == complete.keys()
    done = asked(cli, "tune", "tuned")
    for mine, theirs in zip(done["variants"], said(place, "tune-show")["variants"], strict=True):
        assert mine["identity"] == theirs["identity"]
        same(*(list(map(timeless, one["trials"])) for one in (mine, theirs)))  # type: ignore[arg-type]
    assert results(elsewhere, "tuned.tuning") == before
    continues(cli, place)


def timeless(trial: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a trial but for the times of day, which an import makes new."""
    return {name: value for name, value in trial.items() if name not in TIMES}


TIMES = ("started_at", "finished_at", "seconds")


def continues(cli: Cli, place: Path) -> None:
    """Check that the trial that comes next is the one that came next."""
    mine = asked(cli, "tune", "tuned", "--trials", "12")["variants"]
    theirs = said(place, "continued")["tune"]["variants"]
    for one, other in zip(mine, theirs, strict=True):
        assert one["variant"] == other["variant"]
        assert len(one["trials"]) == 12
        same(one["trials"][-1]["fields"], other["trials"][-1]["fields"])
