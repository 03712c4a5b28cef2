"""export and import: a study arrives as it left, or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from attnstudy import runs
from attnstudy.files import read_sealed, write_sealed
from attnstudy.runs import RunFolder, Status, repeating
from attnstudy.studyplan import Analysis, RecordedPlan, StudyPlan
from attnstudy.tracking import open_store, read_runs, resolve
from attnstudy.usecases.moving import import_study
from attnstudy.usecases.staging import staging
from tests.stores import (
    LONG,
    STUDY,
    VARIANTS,
    as_a_plain_user,
    command,
    held,
    one_sentence,
    run_named,
    snapshot,
    train,
    train_and_kill,
)

FINISHED = ["double/seed=0", "double/seed=1", "vanilla/seed=0", "vanilla/seed=1"]
MACHINES = {
    "lock",
    "publishing.lock",
    "published",
    "failure.json",
    "study.lock",
    "import.lock",
    "holder.json",
}


@pytest.fixture(scope="session")
def archive(trained_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished runs, exported once; only to be read."""
    file = tmp_path_factory.mktemp("exported") / "placement.zip"
    words = command("export", STUDY, file, "--store", trained_store)
    subprocess.run(words, check=True, capture_output=True)
    return file


@pytest.fixture(scope="session")
def everything(trained_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unfinished run as well."""
    file = tmp_path_factory.mktemp("exported") / "all.zip"
    words = command("export", STUDY, file, "--store", trained_store, "--unfinished")
    subprocess.run(words, check=True, capture_output=True)
    return file


@pytest.fixture
def there(workplace: Path) -> Path:
    """The store of another machine, empty but for MLflow's database."""
    return Path("mlruns")


def imported(cli, file, *arguments) -> dict:
    answer = cli("import", file, "--json", *arguments)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def exported(cli, file, *arguments) -> dict:
    answer = cli("export", STUDY, file, "--json", *arguments)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def fates(report: dict) -> dict[str, str]:
    return {run["run"]: run["fate"] for run in report["runs"]}


def whole_runs(store_dir: Path, study: str = STUDY) -> dict[str, dict[str, str]]:
    """Return what makes each run, by name: its files but for what is the machine's own."""
    found = {}
    for folder in runs.run_folders(store_dir, study):
        files = snapshot(folder.path)
        kept = {name: d for name, d in files.items() if name.partition("/")[0] not in MACHINES}
        found[folder.started().spec.name] = kept
    return found


def change_result(
    store_dir: Path, name: str, metrics: Mapping[str, float], environment: Mapping[str, str]
) -> None:
    """Seal another result, as another machine would have made it."""
    folder = run_named(store_dir, name)
    before = folder.result()
    changed = dataclasses.replace(
        before, metrics={**before.metrics, **metrics}, environment=environment
    )
    write_sealed(folder.path / "result.json", changed.to_json())


# There and back


def test_a_study_is_ranked_alike_where_it_is_imported(cli, store_dir, tmp_path, template_store):
    assert cli("sync").code == 0
    ranked = cli("rank", "--config", config_of("double/seed=0"), "--json")
    assert ranked.code == 0, ranked.err
    assert exported(cli, "placement.zip")["bytes"] == Path("placement.zip").stat().st_size
    before = whole_runs(store_dir)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    answer = cli("import", "../placement.zip")
    assert answer.code == 0, answer.err
    sync, rank = (line.partition(": ")[2].strip() for line in answer.out.splitlines()[-2:])
    assert (sync, rank) == (f"attnstudy sync {STUDY}", f"attnstudy rank {STUDY}")
    assert whole_runs(store_dir) == {name: before[name] for name in FINISHED}
    shutil.copy(template_store / "mlflow.db", "mlruns/mlflow.db")
    status = json.loads(cli("status", "--json").out)["studies"][0]
    assert status["undelivered"] == 4, "what another store has is not taken for delivered"
    delivered = cli(*sync.split()[1:])
    assert delivered.code == 0, delivered.err
    again = cli(*rank.split()[1:], "--json")
    assert json.loads(again.out) == json.loads(ranked.out)
    tracker = open_store(resolve(store_dir, None))
    tracked = read_runs(tracker, STUDY)
    assert [run.name for run in tracked] == FINISHED
    for run in tracked:
        names = {artifact.path for artifact in tracker.client.list_artifacts(run.run_id)}
        assert "predictions.csv" in names
        assert ("attention.npz" in names) is (run.arm == "double")
        (model,) = tracker.client.search_logged_models(
            [tracker.experiment_id(STUDY)], f"source_run_id = '{run.run_id}'"
        )
        assert str(model.status) == "READY"


def config_of(name: str) -> str:
    return run_named(Path("mlruns"), name).started().spec.config_id


def test_a_model_that_was_moved_gives_the_predictions_that_came_with_it(there, archive, digits):
    import torch

    import_study(there, archive)
    folder = run_named(there, "double/seed=1")
    model = torch.export.load(folder.path / "model.pt2").module()
    with torch.no_grad():
        scores = model(digits.normalisation(torch.from_numpy(digits.test.images.copy())))
    rows = np.loadtxt(folder.path / "predictions.csv", delimiter=",", skiprows=1, dtype=int)
    assert scores.argmax(1).tolist() == rows[:, 2].tolist()


def test_the_same_runs_give_the_same_file(cli, store_dir, archive, tmp_path):
    exported(cli, "first.zip")
    for path in store_dir.rglob("*"):
        os.utime(path, (1, 1))
    assert cli("sync").code == 0
    for folder in runs.run_folders(store_dir, STUDY):
        with folder.claim():
            (folder.path / "failure.json").write_text("of this machine")
    shutil.copytree(store_dir, tmp_path / "copied")
    exported(cli, "second.zip", "--store", "copied")
    content = archive.read_bytes()
    assert Path("first.zip").read_bytes() == content
    assert Path("second.zip").read_bytes() == content
    import_study(Path("there"), archive)
    for run in runs.run_folders(store_dir, STUDY):
        if run.result() is None:
            shutil.rmtree(run.path)
    exported(cli, "third.zip", "--store", "there")
    assert Path("third.zip").read_bytes() == content


def test_an_archive_lists_every_file_with_its_digest_and_holds_nothing_of_the_machine(everything):
    with zipfile.ZipFile(everything) as packed:
        assert packed.testzip() is None
        manifest = json.loads(packed.read("manifest.json"))
        names = set(packed.namelist())
        for name in names - {"manifest.json"}:
            content = packed.read(name)
            assert manifest["files"][name] == {
                "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            }  # fmt: skip
    assert names == {*manifest["files"], "manifest.json"}
    assert (manifest["schema"], manifest["study"]) == (1, STUDY)
    assert "study.json" in names
    assert not {part for name in names for part in name.split("/")} & MACHINES
    kinds = {name.rpartition("/")[2] for name in names}
    assert kinds >= {
        "run.json", "result.json", "journal.jsonl", "predictions.csv", "attention.npz",
        "weights.safetensors", "model.pt2", "checkpoint.pt",
    }  # fmt: skip


def test_an_unfinished_run_stays_unless_it_is_wanted(cli, store_dir):
    answer = cli("export", STUDY, "x.zip")
    assert answer.code == 0
    assert "4 finished runs in x.zip" in answer.out
    assert "left out: unfinished: vanilla/seed=7" in answer.out
    assert "--unfinished" in answer.out
    answer = cli("export", STUDY, "y.zip", "--unfinished")
    assert "4 finished runs and 1 unfinished run in y.zip" in answer.out
    assert "left out" not in answer.out


@pytest.mark.long
def test_an_unfinished_run_goes_on_elsewhere_to_the_same_bits(cli, store_dir, tmp_path):
    exported(cli, "all.zip", "--unfinished")
    elsewhere = tmp_path / "elsewhere"
    report = imported(cli, "all.zip", "--store", elsewhere)
    assert set(fates(report).values()) == {"imported"}
    folder = run_named(elsewhere, "vanilla/seed=7")
    assert folder.status is Status.INTERRUPTED
    before = folder.journal()
    assert before
    train(elsewhere, *LONG)
    assert folder.journal()[: len(before) - 1] == before[:-1], "it went on, and not from the start"
    assert folder.started().at == run_named(store_dir, "vanilla/seed=7").started().at
    train(tmp_path / "never-moved", *LONG)
    other = run_named(tmp_path / "never-moved", "vanilla/seed=7")
    name = "weights.safetensors"
    assert (folder.path / name).read_bytes() == (other.path / name).read_bytes()
    assert folder.result().metrics["test_accuracy"] == other.result().metrics["test_accuracy"]
    # and back again, where it is still unfinished
    exported(cli, "back.zip", "--store", elsewhere)
    assert fates(imported(cli, "back.zip"))["vanilla/seed=7"] == "replaced"
    assert run_named(store_dir, "vanilla/seed=7").result() == folder.result()


# What is not exported


def test_a_run_that_is_being_trained_is_left_out_and_named(cli, store_dir):
    with held(run_named(store_dir, "double/seed=1")):
        answer = cli("export", STUDY, "x.zip", "--unfinished")
    assert answer.code == 0
    assert "3 finished runs and 1 unfinished run" in answer.out
    assert "left out: being trained: double/seed=1" in answer.out
    with zipfile.ZipFile("x.zip") as packed:
        fingerprint = run_named(store_dir, "double/seed=1").path.name
        assert not any(fingerprint in name for name in packed.namelist())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [Path.unlink, cut, flip], ids=["missing", "cut", "altered"])
@pytest.mark.parametrize("name", ["predictions.csv", "model.pt2", "weights.safetensors"])
def test_a_damaged_run_is_named_with_what_to_do(cli, store_dir, name, damage):
    folder = run_named(store_dir, "double/seed=0")
    damage(folder.path / name)
    answer = cli("export", STUDY, "x.zip")
    assert answer.code == 3
    sentence = one_sentence(answer.err)
    assert f"{folder.path / name} is damaged: repeat this run" in sentence
    assert f"attnstudy run --rerun --study {STUDY} --arm double --seeds 0-0 " in sentence
    assert "--skip-damaged" in sentence
    assert not list(Path().glob("*.zip*"))
    assert not list(Path().glob(".*.zip*"))
    answer = cli("export", STUDY, "x.zip", "--skip-damaged")
    assert answer.code == 0
    assert "3 finished runs in x.zip" in answer.out
    assert "left out: damaged: double/seed=0" in answer.out


@pytest.mark.parametrize("name", ["run.json", "result.json"])
def test_a_run_whose_record_is_damaged_is_named(cli, store_dir, name):
    folder = run_named(store_dir, "double/seed=0")
    flip(folder.path / name)
    answer = cli("export", STUDY, "x.zip")
    assert answer.code == 3
    assert f"{folder.path / name} is damaged" in one_sentence(answer.err)
    assert cli("export", STUDY, "x.zip", "--skip-damaged").code == 0
    with zipfile.ZipFile("x.zip") as packed:
        assert not any(folder.path.name in name for name in packed.namelist())


def test_a_run_in_the_wrong_folder_is_damaged(cli, store_dir):
    folder = run_named(store_dir, "double/seed=0")
    other = folder.path.with_name("0" * 32)
    folder.path.rename(other)
    answer = cli("export", STUDY, "x.zip")
    assert answer.code == 3
    assert f"{other / 'run.json'} describes another run" in one_sentence(answer.err)


def test_several_damaged_runs_are_counted(cli, store_dir):
    for name in FINISHED[:3]:
        (run_named(store_dir, name).path / "model.pt2").unlink()
    assert "(2 more are damaged too)" in one_sentence(cli("export", STUDY, "x.zip").err)


def test_mistakes_in_the_command_get_one_sentence_and_exit_2(cli, store_dir):
    Path("there.zip").write_text("precious")
    Path("folder").mkdir()
    mistakes = {
        ("export", "placemnt", "x.zip"): "did you mean 'placement'",
        ("export", STUDY, "there.zip"): "there.zip already exists",
        ("export", STUDY, "folder"): "folder is a folder",
        ("export", STUDY, "folder", "--force"): "folder is a folder",
        ("export", STUDY): "Missing argument 'FILE'",
        ("import", "nowhere.zip"): "there is no file nowhere.zip",
    }
    for words, said in mistakes.items():
        answer = cli(*words)
        assert (answer.code, answer.out) == (2, ""), words
        assert said in one_sentence(answer.err)
    assert Path("there.zip").read_text() == "precious"
    assert cli("export", STUDY, "there.zip", "--force").code == 0
    assert zipfile.is_zipfile("there.zip")


def test_a_study_without_a_finished_run_is_not_exported(cli, store_dir):
    for name in FINISHED:
        shutil.rmtree(run_named(store_dir, name).path)
    answer = cli("export", STUDY, "x.zip")
    assert answer.code == 2
    assert "no run of 'placement' is finished: --unfinished" in one_sentence(
        answer.err.replace("exporting runs: 1\n", "")
    )
    assert not Path("x.zip").exists()
    assert cli("export", STUDY, "x.zip", "--unfinished").code == 0


def test_a_destination_that_cannot_be_written_is_told(cli, store_dir, tmp_path):
    answer = cli("export", STUDY, "no/such/folder/x.zip")
    assert answer.code == 3
    assert "no/such/folder/x.zip cannot be written" in one_sentence(answer.err)
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    done = as_a_plain_user(command("export", STUDY, closed / "x.zip"))
    closed.chmod(0o755)
    assert done.returncode == 3
    assert "cannot be written (Permission denied)" in one_sentence(done.stderr)


# What an import meets


def test_what_is_here_is_not_imported_twice(cli, there, archive):
    assert set(fates(imported(cli, archive)).values()) == {"imported"}
    before = {path: path.stat().st_mtime_ns for path in there.rglob("*") if "lock" not in path.name}
    answer = cli("import", archive)
    assert answer.code == 0
    assert "4 already here" in answer.out
    after = {path: path.stat().st_mtime_ns for path in there.rglob("*") if "lock" not in path.name}
    del before[there / "runs"], after[there / "runs"]
    assert after == before


def test_another_result_is_never_overwritten(cli, store_dir, archive):
    accuracy = run_named(store_dir, "double/seed=0").result().metrics["test_accuracy"]
    environment = run_named(store_dir, "double/seed=0").result().environment
    change_result(
        store_dir,
        "double/seed=0",
        metrics={"test_accuracy": 12.5},
        environment={**environment, "torch": "2.10.0"},
    )
    shutil.rmtree(run_named(store_dir, "vanilla/seed=1").path)
    folder = run_named(store_dir, "double/seed=0").path
    before = snapshot(folder)
    answer = cli("import", archive)
    assert answer.code == 1, answer.err
    said = " ".join(answer.out.split())
    assert "double/seed=0" in said
    assert f"test accuracy 12.5 here, {accuracy} in the archive" in said
    assert f"torch 2.10.0 here, {environment['torch']} in the archive" in said
    assert "hardware" not in said
    assert "move that run's folder away" in said
    assert all(len(line) <= 100 for line in answer.out.splitlines())
    assert snapshot(folder) == before
    assert run_named(store_dir, "vanilla/seed=1").damaged_files() == [], "the rest is imported"
    answer = cli("import", archive, "--json")
    assert answer.code == 1
    report = json.loads(answer.out)
    assert fates(report) == {
        "double/seed=0": "conflict", "double/seed=1": "here", "vanilla/seed=0": "here",
        "vanilla/seed=1": "here",
    }  # fmt: skip
    (conflict,) = (run for run in report["runs"] if run["fate"] == "conflict")
    assert conflict["differences"] == [
        {"field": "test_accuracy", "here": 12.5, "archive": accuracy},
        {"field": "torch", "here": "2.10.0", "archive": environment["torch"]},
    ]
    # and what the sentence says to do works
    shutil.move(folder, "away")
    assert fates(imported(cli, archive))["double/seed=0"] == "imported"


@pytest.mark.long
def test_a_run_that_was_trained_here_too_is_no_conflict(cli, there, archive):
    train(there, *VARIANTS, "--seeds", "2")
    before = whole_runs(there)
    report = imported(cli, archive)
    assert set(fates(report).values()) == {"agrees"}
    assert whole_runs(there) == before


@pytest.fixture(params=[True, False], ids=["exchanged", "in two steps"])
def exchanging(request, monkeypatch):
    """Whether the file system can let two folders change places; most can on Linux alone."""
    if not request.param:
        monkeypatch.setattr(repeating, "exchange", lambda one, other: False)
    elif sys.platform != "linux":
        pytest.skip("folders change places on Linux")
    return request.param


def test_an_unfinished_run_makes_room_for_a_finished_one_and_is_kept(
    cli, there, store_dir, archive, exchanging
):
    run = run_named(store_dir, "vanilla/seed=0")
    (run.path / "result.json").unlink()
    (run.path / "checkpoint.pt").write_bytes(b"where it was")
    before = snapshot(run.path)
    assert fates(imported(cli, archive))["vanilla/seed=0"] == "replaced"
    assert run.status is Status.COMPLETE
    assert run.damaged_files() == []
    (aside,) = (run.path.parent / "repeated").iterdir()
    after = snapshot(aside)
    assert {name: after[name] for name in before} == before


def test_a_damaged_run_is_mended_by_the_one_in_the_archive(cli, store_dir, archive, exchanging):
    run = run_named(store_dir, "vanilla/seed=0")
    cut(run.path / "weights.safetensors")
    report = imported(cli, archive)
    assert fates(report)["vanilla/seed=0"] == "mended"
    assert run.damaged_files() == []
    assert len(list((run.path.parent / "repeated").iterdir())) == 1


def test_a_run_that_somebody_works_on_is_left_to_them(cli, store_dir, archive):
    run = run_named(store_dir, "vanilla/seed=0")
    (run.path / "result.json").unlink()
    before = snapshot(run.path)
    with held(run):
        answer = cli("import", archive)
        assert answer.code == 1
        assert "vanilla/seed=0" in answer.out
        assert "import again when it has ended" in " ".join(answer.out.split())
        assert snapshot(run.path) == before
    assert fates(imported(cli, archive))["vanilla/seed=0"] == "replaced"


@pytest.mark.long
def test_an_unfinished_run_here_is_gone_on_with_here(cli, store_dir, everything):
    before = whole_runs(store_dir)
    assert fates(imported(cli, everything))["vanilla/seed=7"] == "begun"
    assert whole_runs(store_dir) == before
    train(store_dir, *LONG)
    assert fates(imported(cli, everything))["vanilla/seed=7"] == "here"


def test_a_folder_that_was_only_claimed_is_no_run(cli, there, archive, store_dir):
    run = run_named(store_dir, "vanilla/seed=0")
    shutil.rmtree(run.path)
    with run.claim():
        pass
    assert fates(imported(cli, archive))["vanilla/seed=0"] == "imported"
    assert run.damaged_files() == []
    assert not (run.path.parent / "repeated").exists()


def test_what_was_asked_for_is_united(cli, there, archive):
    config = "0123456789"
    with runs.changing_study_facts(there, STUDY) as facts:
        facts.ask(config, "late", [3])
        facts.question = "Is it so?"
    imported(cli, archive)
    facts = runs.study_facts(there, STUDY)
    spec = run_named(there, "double/seed=0").started().spec
    assert facts.threads == 1
    assert facts.question == "Is it so?"
    assert facts.asked[config] == {"late": [3]}
    assert facts.asked[spec.config_id] == {"double": [0, 1], "vanilla": [0, 1]}
    before = (there / "runs" / STUDY / "study.json").stat().st_mtime_ns
    imported(cli, archive)
    assert (there / "runs" / STUDY / "study.json").stat().st_mtime_ns == before


def test_unfinished_runs_of_another_thread_count_stay_out(cli, there, everything):
    with runs.changing_study_facts(there, STUDY) as facts:
        facts.threads = 2
    answer = cli("import", everything)
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "trained with 1 thread each and this study's with 2" in said
    assert "finished runs are results all the same" in said
    assert sorted(whole_runs(there)) == FINISHED
    assert runs.study_facts(there, STUDY).threads == 2
    report = json.loads(cli("import", everything, "--json").out)
    assert report["threads"] == [2, 1]
    assert fates(report)["vanilla/seed=7"] == "other_threads"


@pytest.mark.long
def test_a_store_is_told_that_the_unfinished_run_was_replaced(cli, there, tmp_path):
    """The curve in MLflow is that of one training, and the other is not ranked."""
    train_and_kill(there, *LONG)
    assert cli("sync").code == 0
    train(tmp_path / "elsewhere", *LONG)
    exported(cli, "x.zip", "--store", tmp_path / "elsewhere")
    assert fates(imported(cli, "x.zip")) == {"vanilla/seed=7": "replaced"}
    assert cli("sync").code == 0
    tracker = open_store(resolve(there, None))
    tracked = read_runs(tracker, STUDY)
    assert sorted((run.status, run.superseded) for run in tracked) == [
        ("complete", False), ("interrupted", True),
    ]  # fmt: skip
    (current,) = (run for run in tracked if not run.superseded)
    points = tracker.client.get_metric_history(current.run_id, "train_loss")
    assert sorted(point.step for point in points) == list(range(8 * 40))


def test_what_a_server_is_still_to_be_told_moves_along_and_what_is_local_does_not(cli, store_dir):
    first, second = (run_named(store_dir, name) for name in FINISHED[:2])
    replaces = {"embedded": ["here"], "aaaaaaaaaaaa": ["untold"], "bbbbbbbbbbbb": ["told"]}
    for run in (first, second):
        write_sealed(run.path / "replaces.json", replaces)
        run.note_published("bbbbbbbbbbbb", {"run_id": "the repetition"})
    write_sealed(second.path / "replaces.json", {"embedded": ["here"]})
    exported(cli, "x.zip")
    imported(cli, "x.zip", "--store", "there")
    moved = run_named(Path("there"), FINISHED[0])
    assert read_sealed(moved.path / "replaces.json") == {"aaaaaaaaaaaa": ["untold"]}
    assert not (run_named(Path("there"), FINISHED[1]).path / "replaces.json").exists()
    assert moved.published("bbbbbbbbbbbb") == {}


def test_one_import_at_a_time(cli, there, archive):
    with staging(there):
        answer = cli("import", archive)
        assert answer.code == 3
        assert "another import into mlruns is going on" in one_sentence(answer.err)
    assert cli("import", archive).code == 0


# Kill -9, at any moment

COUNTED = """
import os, signal, sys
from collections.abc import Mapping
from pathlib import Path
from attnstudy.usecases.moving import import_study

home, archive, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
changes = 0

def watch(event, arguments):
    global changes
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"):
        changes += 1
        if changes == last:
            os.kill(os.getpid(), signal.SIGKILL)
    assert event != "pickle.find_class", "an import opens no pickle"

sys.addaudithook(watch)
import_study(home, archive)
print(changes)
"""


def import_until(store_dir: Path, archive: Path, last: int) -> subprocess.CompletedProcess[str]:
    """Import in a child that is killed before it does its step number ``last``."""
    return subprocess.run(
        [sys.executable, "-c", COUNTED, str(store_dir), str(archive), str(last)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def prepare(store_dir: Path, trained: Path) -> None:
    """Make a store with an unfinished run, and one that is complete, of those in the archive."""
    for name in ("vanilla/seed=0", "double/seed=1"):
        folder = run_named(trained, name).path
        shutil.copytree(folder, store_dir / "runs" / STUDY / folder.name)
    (run_named(store_dir, "vanilla/seed=0").path / "result.json").unlink()


@pytest.mark.parametrize("part", range(8))
def test_a_killed_import_leaves_whole_runs_and_is_completed_by_the_next(
    trained_store, everything, tmp_path, part
):
    prepare(tmp_path / "counting", trained_store)
    counted = import_until(tmp_path / "counting", everything, 0)
    assert counted.returncode == 0, counted.stderr
    steps = int(counted.stdout)
    complete = whole_runs(tmp_path / "counting")
    assert sorted(complete) == [*FINISHED, "vanilla/seed=7"]
    # parts of the last half more often: that is where things are put in place
    last = 1 + steps * part // 5 if part < 3 else steps * (part + 2) // 10
    store_dir = tmp_path / "killed"
    prepare(store_dir, trained_store)
    unfinished = snapshot(run_named(store_dir, "vanilla/seed=0").path)
    killed = import_until(store_dir, everything, last)
    assert killed.returncode == -9, killed.stderr
    for folder in runs.run_folders(store_dir, STUDY):
        name = folder.started().spec.name
        assert not folder.claimed
        if name == "vanilla/seed=0" and folder.result() is None:
            assert unfinished.items() <= snapshot(folder.path).items()
        else:
            assert folder.damaged_files() == []
            assert whole_runs(store_dir)[name] == complete[name]
    again = import_until(store_dir, everything, 0)
    assert again.returncode == 0, again.stderr
    assert whole_runs(store_dir) == complete
    assert not list(store_dir.glob(".importing-*"))
    kept = sorted((store_dir / "runs" / STUDY / "repeated").iterdir())
    assert unfinished.items() <= snapshot(kept.pop()).items()
    # killed before the two changed places, a copy of the run that was imported stays there
    assert all(RunFolder(path).result() is not None for path in kept)


# Archives that are not what was exported


def refused(cli, store_dir: Path, file: Path) -> str:
    """Return what is said of an archive, after checking that nothing of it can be seen."""
    before = {name: d for name, d in snapshot(store_dir).items() if name != "import.lock"}
    answer = cli("import", file)
    assert answer.code == 3, answer
    assert answer.out == ""
    said = one_sentence(answer.err)
    after = {name: d for name, d in snapshot(store_dir).items() if name != "import.lock"}
    assert after == before
    assert not (store_dir / "runs").exists()
    assert not list(store_dir.glob(".importing-*"))
    return said


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"variant,seed,accuracy\n", b"\x1f\x8b\x08" + bytes(99), bytes(5000)],
    ids=["empty", "short", "text", "gzip", "zeros"],
)
def test_another_kind_of_file_is_told(cli, there, content):
    Path("x.zip").write_bytes(content)
    assert "x.zip is not an archive of 'attnstudy export'" in refused(cli, there, Path("x.zip"))


def test_another_programs_zip_is_told(cli, there):
    with zipfile.ZipFile("x.zip", "w") as packed:
        packed.writestr("readme.txt", "hello")
    assert "not an archive of 'attnstudy export'" in refused(cli, there, Path("x.zip"))


@pytest.mark.parametrize("part", range(6))
def test_a_truncated_archive_is_told(cli, there, archive, part):
    content = archive.read_bytes()
    Path("x.zip").write_bytes(content[: max(len(content) * part // 5 - 1, 60)])
    said = refused(cli, there, Path("x.zip"))
    assert "cut short or damaged: copy it here again" in said


def test_a_folder_is_told(cli, there):
    Path("x.zip").mkdir()
    assert "x.zip cannot be read: Is a directory" in refused(cli, there, Path("x.zip"))


@pytest.mark.parametrize("part", range(5))
def test_an_altered_byte_is_told(cli, there, archive, part):
    with zipfile.ZipFile(archive) as packed:
        names = sorted(packed.namelist())
        entry = packed.getinfo(names[len(names) * part // 5])
    content = bytearray(archive.read_bytes())
    place = entry.header_offset + 30 + len(entry.filename) + entry.file_size // 2
    content[place] ^= 0x10
    Path("x.zip").write_bytes(content)
    said = refused(cli, there, Path("x.zip"))
    assert f"{entry.filename} is not as it was exported" in said


def test_no_flipped_bit_gets_in(there, archive, tmp_path):
    """Wherever a bit flips: a sentence, or what was exported (some bits mean nothing)."""
    original = archive.read_bytes()
    expected = import_and_read(tmp_path / "untouched", archive)
    generator = np.random.default_rng(0)
    directory = original.index(b"PK\x01\x02")
    places = [
        *generator.integers(0, len(original), 40),
        *generator.integers(directory, len(original), 80),
    ]
    refusals = 0
    for number, place in enumerate(places):
        content = bytearray(original)
        content[place] ^= 1 << int(generator.integers(8))
        file = tmp_path / "x.zip"
        file.write_bytes(content)
        store_dir = tmp_path / str(number)
        try:
            assert import_and_read(store_dir, file) == expected, place
        except Exception as error:
            assert type(error).__name__ == "ArchiveError", (place, repr(error))
            assert not (store_dir / "runs").exists()
            refusals += 1
    assert refusals > 60


def import_and_read(store_dir: Path, file: Path) -> dict[str, dict[str, str]]:
    import_study(store_dir, file)
    return whole_runs(store_dir)


class Forged:
    """An archive that is rewritten, with digests and sizes that agree with each other."""

    def __init__(self, source: Path) -> None:
        with zipfile.ZipFile(source) as packed:
            self.content = {name: packed.read(name) for name in packed.namelist()}
        self.manifest = json.loads(self.content.pop("manifest.json"))
        self.entries: dict[str, zipfile.ZipInfo] = {}
        self.listed: dict[str, dict[str, object]] = {}

    def of(self, name: str) -> str:
        """Return the first member that is called so in a run's folder."""
        return next(member for member in self.content if member.endswith("/" + name))

    def reseal(self, member: str, **changes: object) -> None:
        content = json.loads(self.content[member])["content"]
        path = Path("resealed")
        write_sealed(path, {**content, **changes})
        self.content[member] = path.read_bytes()

    def write(self, file: Path) -> Path:
        files = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in self.content.items()
        }
        for name, listed in self.listed.items():
            files[name] = listed
        manifest = json.dumps({**self.manifest, "files": files}).encode()
        with zipfile.ZipFile(file, "w") as packed:
            for name, content in {**self.content, "manifest.json": manifest}.items():
                entry = self.entries.get(name, zipfile.ZipInfo(name))
                if name not in self.entries:
                    entry.external_attr = 0o100644 << 16
                packed.writestr(entry, content)
        return file


def hostile_names(forged: Forged) -> list[str]:
    run = forged.of("run.json").rpartition("/")[0]
    return [
        "/etc/passwd", "../../escaped", f"{run}/../../escaped", "runs/../escaped", "C:\\escaped",
        f"{run}\\escaped", f"{run}/.hidden", f"{run}//double", "runs//x", f"{run}/", ".", "..", " ",
        f"{run}/a/b", "x" * 300, f"{run}/new\nline", f"{run}/é.csv", f"{run}/-rf",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(18))
def test_a_name_that_leads_astray_is_refused(cli, there, archive, number):
    forged = Forged(archive)
    forged.content[hostile_names(forged)[number]] = b"x"
    said = refused(cli, there, forged.write(Path("x.zip")))
    assert "is not as 'attnstudy export' wrote it" in said
    assert not list(Path("/etc").glob("escaped"))
    assert not list(Path().rglob("*escaped*"))


def test_links_and_devices_are_refused(cli, there, archive):
    for mode in (0o120777, 0o020644, 0o060644, 0o010644, 0o140644, 0o040755):
        forged = Forged(archive)
        name = forged.of("predictions.csv")
        forged.content[name] = b"/etc/passwd"
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        forged.entries[name] = entry
        assert "is not a plain file" in refused(cli, there, forged.write(Path("x.zip")))


def test_a_bomb_is_refused_before_anything_is_unpacked(cli, there, archive):
    forged = Forged(archive)
    name = forged.of("predictions.csv")
    forged.content[name] = bytes(50_000_000)
    entry = zipfile.ZipInfo(name)
    entry.external_attr, entry.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
    forged.entries[name] = entry
    file = forged.write(Path("x.zip"))
    assert file.stat().st_size < 1_000_000
    assert "was packed by another program" in refused(cli, there, file)


def test_a_size_that_the_archive_cannot_hold_is_refused(cli, there, archive):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        entry = packed.infolist()[3]
    at = content.index(b"PK\x01\x02")
    while content[at + 46 : at + 46 + len(entry.filename)] != entry.filename.encode():
        at = content.index(b"PK\x01\x02", at + 4)
    for size in (20, 24):  # compressed and uncompressed
        content[at + size : at + size + 4] = (3_000_000_000).to_bytes(4, "little")
    Path("x.zip").write_bytes(content)
    assert "would be larger" in refused(cli, there, Path("x.zip"))


def test_a_file_that_is_there_twice_is_refused(cli, there, archive):
    shutil.copy(archive, "x.zip")
    with zipfile.ZipFile("x.zip", "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("study.json", "{}")
    assert "study.json is there twice" in refused(cli, there, Path("x.zip"))


def test_what_is_not_listed_or_missing_is_refused(cli, there, archive):
    shutil.copy(archive, "x.zip")
    with zipfile.ZipFile("x.zip", "a") as packed:
        entry = zipfile.ZipInfo("more.txt")
        entry.external_attr = 0o100644 << 16
        packed.writestr(entry, "x")
    assert "more.txt is not listed" in refused(cli, there, Path("x.zip"))
    forged = Forged(archive)
    forged.listed["less.txt"] = {"size": 1, "sha256": "0" * 64}
    assert "less.txt is missing" in refused(cli, there, forged.write(Path("y.zip")))


@pytest.mark.parametrize(
    "listed", [None, [], {}, {"size": "1", "sha256": "0" * 64}, {"size": 9, "sha256": "no digest"}]
)
def test_a_manifest_that_makes_no_sense_is_refused(cli, there, archive, listed):
    forged = Forged(archive)
    forged.listed["study.json"] = listed
    assert "does not list its files" in refused(cli, there, forged.write(Path("x.zip")))


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_an_unknown_schema_is_told_with_the_version_that_wrote_it(cli, there, archive, schema):
    forged = Forged(archive)
    forged.manifest.update(schema=schema, version="7.8.9")
    said = refused(cli, there, forged.write(Path("x.zip")))
    assert "written by attnstudy 7.8.9" in said
    assert "import it with that version" in said


def forgeries(forged: Forged):
    """Every lie that digests and sizes do not show, with what is said of it."""
    run, result = forged.of("run.json"), forged.of("result.json")
    folder = run.rpartition("/")[0]
    spec = json.loads(forged.content[run])["content"]["spec"]
    files = json.loads(forged.content[result])["content"]["files"]
    metrics = json.loads(forged.content[result])["content"]["metrics"]
    unscored = {name: value for name, value in metrics.items() if name != "test_accuracy"}
    in_words = {**metrics, "test_loss": str(metrics["test_loss"])}

    record = json.loads(forged.content[run])["content"]

    def unsealed(member, metric, text):
        value = json.dumps(metrics[metric])
        content = (
            forged.content[member].decode().replace(f'"{metric}": {value}', f'"{metric}": {text}')
        )
        assert content != forged.content[member].decode()
        forged.content[member] = content.encode()

    def measured(name, value):
        forged.reseal(result, metrics={**metrics, name: value})

    def made_with(**texts):
        there = json.loads(forged.content[result])["content"]["environment"]
        forged.reseal(result, environment={**there, **texts})

    def told_of_data(**facts):
        forged.reseal(run, dataset={**record["dataset"], **facts})

    def bent(accuracy, seconds=1.0, name="val_accuracy"):
        """Have the curve of a run end in a line that was written as all others are."""
        line = json.dumps({"step": 99, "seconds": seconds, "values": {name: accuracy}})
        journal = forged.content[f"{folder}/journal.jsonl"]
        journal += f"{zlib.crc32(line.encode()):08x} {line}\n".encode()
        forged.content[f"{folder}/journal.jsonl"] = journal
        forged.reseal(result, files={**files, "journal.jsonl": hashlib.sha256(journal).hexdigest()})

    def remove(name):
        return lambda: forged.content.pop(f"{folder}/{name}")

    def add(name, content=b"x"):
        return lambda: forged.content.update({f"{folder}/{name}": content})

    def move():
        for name in [name for name in forged.content if name.startswith(folder)]:
            forged.content["runs/" + "0" * 32 + name.removeprefix(folder)] = forged.content.pop(
                name
            )

    return {
        "another seed": (lambda: forged.reseal(run, spec={**spec, "seed": 99}), "another run"),
        "another study": (lambda: forged.reseal(run, spec={**spec, "study": "x"}), "another run"),
        "another folder": (move, "another run"),
        "no sense": (lambda: forged.reseal(run, spec={**spec, "lr": -1}), "another version"),
        "unknown field": (lambda: forged.reseal(run, spec={**spec, "new": 1}), "another version"),
        "text for a number": (lambda: forged.reseal(run, spec={**spec, "epochs": "2"}), "version"),
        "no dataset": (lambda: forged.reseal(run, dataset=None), "another version"),
        "no run": (remove("run.json"), "run.json is missing"),
        "broken run": (add("run.json", b"{}"), "run.json is missing or damaged"),
        "broken result": (add("result.json", b"{}"), "result.json is damaged"),
        "strange status": (lambda: forged.reseal(result, status="great"), "another version"),
        "not done": (lambda: forged.reseal(result, status="failed"), "result.json is damaged"),
        "no score": (lambda: forged.reseal(result, metrics=unscored), "result.json is damaged"),
        "score as text": (lambda: forged.reseal(result, metrics=in_words), "is damaged"),
        "no files": (lambda: forged.reseal(result, files=None), "result.json is damaged"),
        "no result": (remove("result.json"), "does not belong there"),
        "a file less": (remove("predictions.csv"), "predictions.csv is missing"),
        "a file more": (add("more.csv"), "more.csv is missing or does not belong there"),
        "another file": (add("predictions.csv"), "is not the one of the result"),
        "a lock": (add("lock"), "lock is missing or does not belong there"),
        "a lock in the result": (
            lambda: (
                forged.reseal(result, files={**files, "lock": hashlib.sha256(b"x").hexdigest()}),
                add("lock")(),
            ),
            "lock is missing or does not belong there",
        ),
        "a checkpoint": (add("checkpoint.pt"), "checkpoint.pt is missing or does not belong"),
        "replaces nothing": (add("replaces.json", b"[]"), "replaces.json is damaged"),
        "much too good": (
            lambda: forged.reseal(result, metrics={**metrics, "test_accuracy": 999}),
            "test_accuracy 999 is no percentage, which is from 0 to 100",
        ),
        "negative": (
            lambda: forged.reseal(result, metrics={**metrics, "val_accuracy_max": -0.5}),
            "val_accuracy_max -0.5 is no percentage",
        ),
        "before it began": (
            lambda: forged.reseal(result, metrics={**metrics, "train_seconds": -3.0}),
            "train_seconds -3 is negative",
        ),
        "no number": (lambda: unsealed(result, "test_loss", "NaN"), "result.json is damaged"),
        "too early": (lambda: forged.reseal(run, started_at=-1), "run.json cannot be right: its"),
        "too late": (
            lambda: forged.reseal(run, started_at=10**303),
            "its start, 1000000000000000... ms since 1970, is no time of this era",
        ),
        "ended never": (lambda: forged.reseal(result, finished_at=10**303), "its end, 1000000"),
        "diverged before": (lambda: forged.reseal(result, diverged_at=-1), "which is no step"),
        "whose": (
            lambda: forged.reseal(result, record={**record, "started_at": 5}),
            "result.json describes another run than run.json",
        ),
        "curve": (lambda: bent(1e9), "val_accuracy 1e+09 is no percentage"),
        "hole in a curve": (lambda: bent(math.nan), "it holds what is no number"),
        "time runs back": (lambda: bent(50.0, seconds=-1.0), "is at -1 seconds"),
        "no study": (lambda: forged.manifest.pop("study"), "does not say which study"),
        "a study above": (lambda: forged.manifest.update(study="../x"), "does not say which study"),
        "broken facts": (lambda: forged.content.update({"study.json": b"{}"}), "study.json is not"),
        "threads": (lambda: forged.reseal("study.json", threads="many"), "study.json is not"),
        "asked": (lambda: forged.reseal("study.json", asked={"c": {"v": ["x"]}}), "study.json is"),
        "no seed": (lambda: forged.reseal("study.json", asked={"c": {"v": [-1]}}), "study.json is"),
        "no threads": (lambda: forged.reseal("study.json", threads=-5), "study.json is not"),
        "question": (lambda: forged.reseal("study.json", question={"a": 1}), "study.json is not"),
        "code": (lambda: forged.reseal("study.json", code={"x": [{}]}), "study.json is not"),
        "beyond numbers": (lambda: measured("train_seconds", 10**400), "result.json is damaged"),
        "end beyond": (lambda: forged.reseal(result, finished_at=10**400), "result.json is dam"),
        "curve beyond": (lambda: bent(10**400), "it holds what is no number"),
        **{
            f"metric {name[:9]!r}": (
                lambda name=name: measured(name, 1.0), "cannot be the name of a metric"
            )
            for name in ("", "../../x", "..", "/x", "a\x1b[0m", "a\nb", "x" * 251, "a//b", "a,b")
        },
        "metric of a curve": (lambda: bent(1.0, name="../x"), "cannot be the name of a metric"),
        **{
            f"parameters {text[:9]}": (
                lambda text=text: made_with(parameters=text), "is no number of parameters"
            )
            for text in ("NaN", "1e999", "-1", "", "9" * 5000, "٣")
        },
        "made with": (lambda: made_with(**{"../x\x00": "1"}), "cannot be a name in MLflow"),
        "made with long": (lambda: made_with(**{"x" * 245: "1"}), "cannot be a name in MLflow"),
        "made with much": (lambda: made_with(cpu="x" * 9000), "has 9000 characters"),
        "without torch": (lambda: forged.reseal(result, environment={}), "result.json is damaged"),
        "notes": (lambda: forged.reseal(result, notes=[{"x": 1}, 5]), "result.json is damaged"),
        "normalised": (lambda: told_of_data(normalisation=[1]), "of another version"),
        "classes": (lambda: told_of_data(class_names=[1, 2]), "of another version"),
        "shape": (lambda: told_of_data(image_shape=["a", "b", "c"]), "of another version"),
    }  # fmt: skip


@pytest.mark.parametrize("number", range(71))
def test_a_lie_that_no_digest_shows_is_refused(cli, there, archive, number):
    forged = Forged(archive)
    lies = forgeries(forged)
    assert len(lies) == 71
    lie, said = list(lies.values())[number]
    lie()
    file = forged.write(Path("x.zip"))
    assert said in refused(cli, there, file)


def test_a_forgery_without_a_lie_is_imported(cli, there, archive):
    """So that the lies are what the tests above are refused for."""
    forged = Forged(archive)
    forged.reseal(forged.of("result.json"))
    assert set(fates(imported(cli, forged.write(Path("x.zip")))).values()) == {"imported"}


def test_a_pipe_is_told(cli, there):
    os.mkfifo("x.zip")
    assert "x.zip is no file: name the one that 'attnstudy export' wrote" in refused(
        cli, there, Path("x.zip")
    )


@pytest.mark.parametrize("field", ["alpha", None])
def test_a_plan_that_was_dated_back_takes_no_place(cli, workplace, archive, field):
    """It would be the last before the first run, and be called followed."""
    there, forged = Path("mlruns"), Forged(archive)
    imported(cli, archive)
    spec = run_named(there, "double/seed=0").started().spec
    first = min(folder.started().at for folder in runs.run_folders(there, STUDY))
    analysis = Analysis(metric="test_accuracy", direction="maximize")
    plan = StudyPlan(
        study=STUDY, config=spec.config_id, settings={}, arms={"double": {}, "vanilla": {}},
        seeds=(0, 1), analysis=analysis,
    )  # fmt: skip
    with runs.changing_study_facts(there, STUDY) as facts:
        facts.plans = [RecordedPlan.of(plan, first - 2).to_json()]
    changed = plan if field is None else dataclasses.replace(
        plan, analysis=dataclasses.replace(analysis, alpha=0.2)
    )  # fmt: skip
    forged.reseal("study.json", plans=[RecordedPlan.of(changed, first - 1).to_json()])
    before = snapshot(there / "runs")
    answer = cli("import", forged.write(Path("x.zip")))
    if field is None:  # the same plan, recorded on two machines
        assert answer.code == 0
        return
    assert answer.code == 3
    assert "dated before the first run here, which followed the plan" in one_sentence(answer.err)
    assert snapshot(there / "runs") == before


# A disk that is full

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from attnstudy.cli import main
sys.argv[1:] = sys.argv[2:]
main()
"""


def limited(bytes_a_file: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(bytes_a_file), *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_file_that_may_not_grow_is_told_by_export(store_dir):
    done = limited(100_000, "export", STUDY, "x.zip")
    assert done.returncode == 3
    assert "x.zip cannot be written (File too large): make room" in one_sentence(done.stderr)
    assert [path.name for path in Path().iterdir()] == ["mlruns"]


def test_a_file_that_may_not_grow_is_told_by_import(cli, there, archive):
    done = limited(20_000, "import", archive)
    assert done.returncode == 3
    assert "mlruns cannot be written (File too large): make room" in one_sentence(done.stderr)
    assert not (there / "runs").exists()
    assert not list(there.glob(".importing-*"))
    assert set(fates(imported(cli, archive)).values()) == {"imported"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB; the archive has 300."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run(mounting, capture_output=True, check=False).returncode == 0:
            yield place
            subprocess.run(["umount", str(place)], check=True)
            return
    pytest.skip("a small file system can be mounted by root only")


def test_a_full_disk_is_told_and_nothing_stays(cli, store_dir, archive, small_disk):
    answer = cli("export", STUDY, small_disk / "x.zip")
    assert answer.code == 3
    assert "cannot be written (No space left on device)" in one_sentence(answer.err)
    assert list(small_disk.iterdir()) == []
    answer = cli("import", archive, "--store", small_disk / "mlruns")
    assert answer.code == 3
    assert "cannot be written (No space left on device)" in one_sentence(answer.err)
    assert snapshot(small_disk / "mlruns").keys() <= {"import.lock"}


def test_an_export_that_is_killed_leaves_no_archive(store_dir):
    """The temporary name is not the archive's, and the next export is not disturbed by it."""
    script = COUNTED.replace(
        "import_study(home, archive)", "export_study(home, 'placement', archive)"
    )
    script = script.replace("import import_study", "import export_study")
    words = [sys.executable, "-c", script, "mlruns", "x.zip", "25"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == -9
    assert not Path("x.zip").exists()
    words[-1] = "0"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert zipfile.is_zipfile("x.zip")
