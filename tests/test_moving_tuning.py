"""export --tuning and import: the trials are made anew elsewhere, without training."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from attnstudy.files import read_sealed, write_sealed
from attnstudy.runs import Status
from tests.stores import one_sentence, snapshot
from tests.tuning import STORE_DIR, numbers, space, tune, tuned_folders

SEARCH = ("--variant", "vanilla", "--pruner", "median", "--trials", "8", "--epochs", "3",
          "--seeds-per-trial", "1")  # fmt: skip


@pytest.fixture
def elsewhere(workplace: Path, template_store: Path) -> Path:
    """The working directory of another machine."""
    folder = workplace / "elsewhere"
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(template_store / "mlflow.db", folder / "mlruns" / "mlflow.db")
    return folder


def test_a_search_goes_on_elsewhere_from_its_runs(cli, workplace, elsewhere):
    """Its trials, those that were stopped early too, and what is proposed next."""
    lines = "lr = {low = 1e-6, high = 1e-2, log = true}"
    space(lines)
    _, searched = tune(cli, *SEARCH)
    states = {trial["state"] for trial in searched["variants"][0]["trials"]}
    assert states == {"complete", "pruned"}
    answer = cli("export", "placement", "tuning.zip", "--tuning")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("tuning of placement: ")
    before = {folder.path.name: snapshot(folder.path) for folder in tuned_folders()}
    _, continued = tune(cli, *SEARCH, "--trials", "9")

    os.chdir(elsewhere)
    space(lines)
    arrived = cli("import", "../tuning.zip")
    assert arrived.code == 0, arrived.err
    assert "attnstudy tune --study placement, with the study's file and the options" in " ".join(
        arrived.out.split()
    )
    shown = cli("tune", "show", "placement")
    assert shown.code == 2
    assert "which makes the trials of them without training" in one_sentence(shown.err)
    folders = tuned_folders()
    assert {folder.path.name for folder in folders} == set(before)
    results = {f.path: (f.path / "result.json").stat().st_mtime_ns for f in folders if f.result()}
    answer, replayed = tune(cli, *SEARCH)
    assert answer.code == 0, answer.err
    assert numbers(replayed) == numbers(searched)
    (there,), (here,) = searched["variants"], replayed["variants"]
    assert here["identity"] == there["identity"]
    for path, changed in results.items():
        assert (path / "result.json").stat().st_mtime_ns == changed, "it was trained again"
    assert [f.status for f in tuned_folders()].count(Status.COMPLETE) == len(results)
    _, both = tune(cli, *SEARCH, "--trials", "9")
    assert numbers(both) == numbers(continued)


def test_status_tells_of_a_search(cli, workplace):
    """And so do the files that come with it: nothing of it is taken for a study."""
    assert tune(cli, "--variant", "vanilla", "--trials", "2", "--seeds-per-trial", "1")[0].code == 0
    answer = cli("status")
    assert "tuning of placement: 2 complete runs ('attnstudy tune show placement')" in answer.out
    found = json.loads(cli("status", "placement", "--json").out)
    assert found["studies"] == []
    assert [(t["study"], t["runs"]["complete"]) for t in found["tunings"]] == [("placement", 2)]
    assert cli("status", "--study", "elsewhere").code == 2


def test_a_study_that_was_never_tuned_is_told(cli, workplace):
    answer = cli("export", "placement", "tuning.zip", "--tuning")
    assert answer.code == 2
    assert one_sentence(answer.err) == (
        "Error: there is no tuning of 'placement' in mlruns (there: none yet): 'attnstudy tune' "
        "makes one"
    )


def test_a_damaged_run_of_a_search_is_repeated_by_tune(cli, workplace):
    options = ("--variant", "vanilla", "--trials", "2", "--seeds-per-trial", "1")
    tune(cli, *options)
    damaged = tuned_folders()[0].path
    (damaged / "journal.jsonl").write_text("")
    answer = cli("export", "placement", "tuning.zip", "--tuning")
    assert answer.code == 3
    assert f"move {damaged} away and run 'attnstudy tune' again" in one_sentence(answer.err)
    assert cli("export", "placement", "tuning.zip", "--tuning", "--skip-damaged").code == 0
    with zipfile.ZipFile("tuning.zip") as archive:
        assert sum(name.endswith("result.json") for name in archive.namelist()) == 1


@pytest.mark.parametrize("content", [{"1": "50"}, {"one": 50.0}, {"1": float("1e400")}])
def test_scores_that_are_none_are_refused(content, cli, workplace, elsewhere):
    """A pause that says what no run can have reached."""
    tune(cli, "--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    (folder,) = tuned_folders()
    if content == {"1": float("1e400")}:
        (folder.path / "pauses.json").write_text('{"content": {"1": Infinity}, "sha256": ""}')
    else:
        write_sealed(folder.path / "pauses.json", content)
    assert cli("export", "placement", "tuning.zip", "--tuning").code == 0
    os.chdir(elsewhere)
    answer = cli("import", "../tuning.zip")
    assert answer.code == 3
    assert "pauses.json is damaged" in one_sentence(answer.err)
    assert not (STORE_DIR / "runs").exists()


def test_a_search_that_has_seen_test_images_is_refused(cli, workplace, elsewhere):
    tune(cli, "--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    (folder,) = tuned_folders()
    content = read_sealed(folder.path / "result.json")
    seen = {**content["metrics"], "test_accuracy": 90.0}
    write_sealed(folder.path / "result.json", {**content, "metrics": seen})
    assert cli("export", "placement", "tuning.zip", "--tuning").code == 0
    os.chdir(elsewhere)
    answer = cli("import", "../tuning.zip")
    assert answer.code == 3
    assert "result.json is damaged" in one_sentence(answer.err)
