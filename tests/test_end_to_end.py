"""run and rank as a user sees them, on the embedded dataset, in real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from attnstudy import runs
from attnstudy.files import read_sealed, write_sealed
from attnstudy.shown import in_markdown
from attnstudy.stats import Ranking
from attnstudy.tracking import open_store, read_runs, resolve
from tests.conftest import SMALL
from tests.waiting import PATIENCE, wait_for

STORE_DIR = Path("mlruns")


def folders(study="placement"):
    return {f.started().spec.name: f for f in runs.run_folders(STORE_DIR, study)}


def weights(study="placement"):
    return {
        name: (folder.path / "weights.safetensors").read_bytes()
        for name, folder in folders(study).items()
    }


def numbers(study="placement"):
    """Return what must not differ between two computations of the same runs."""
    kept = {}
    for name, folder in folders(study).items():
        result = folder.result()
        journal = [(r.step, r.values) for r in folder.journal()]
        metrics = {k: v for k, v in result.metrics.items() if "second" not in k}
        assert len(metrics) == 5
        kept[name] = (metrics, journal, (folder.path / "predictions.csv").read_bytes())
    return kept


def run(cli, *arguments, **named):
    answer = cli("run", *SMALL, "--json", *arguments, **named)
    return answer, json.loads(answer.out)


def test_each_seed_is_trained_once_and_more_seeds_add_only_the_new(
    cli, workplace, processes, figures
):
    answer, first = run(cli, "--variant", "all", "--seeds", "3")
    assert answer.code == 0, answer.err
    assert (first["trained"], first["skipped"], first["failed"], first["undelivered"]) == (
        12, 0, 0, 0,
    )  # fmt: skip
    results = {name: f.path.joinpath("result.json").stat() for name, f in folders().items()}
    _, second = run(cli, "--variant", "all", "--seeds", "3")
    assert (second["trained"], second["skipped"]) == (0, 12)
    assert {r["status"] for r in second["runs"]} == {"complete"}
    _, third = run(cli, "--variant", "double", "--seeds", "5")
    assert [(r["seed"], r["trained"]) for r in third["runs"]] == [
        (0, False), (1, False), (2, False), (3, True), (4, True),
    ]  # fmt: skip
    for name, before in results.items():
        after = folders()[name].path.joinpath("result.json").stat()
        assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    tracker = open_store(resolve(STORE_DIR, None))
    tracked = read_runs(tracker, "placement")
    assert len(tracked) == 14
    for one in tracked:
        artifacts = {file.path for file in tracker.client.list_artifacts(one.run_id)}
        assert artifacts >= {"learning_curve.png", "confusion_matrix.png"}
    by_name = {run.name: run for run in tracked}
    assert set(by_name) == set(folders())
    for name, folder in folders().items():
        metrics = by_name[name].metrics
        measured = folder.result().metrics
        assert {key: metrics[key] for key in measured} == measured
        assert by_name[name].status == "complete"

    # rank the same study, in each form
    answer = cli("rank", "--json")
    assert answer.code == 0, answer.err
    ranking = Ranking.from_json(json.loads(answer.out))
    assert {arm.name: arm.n for arm in ranking.arms} == {
        "vanilla": 3, "early": 3, "late": 3, "double": 5,
    }  # fmt: skip
    values = {arm.name: dict(zip(arm.seeds, arm.values, strict=True)) for arm in ranking.arms}
    for name, folder in folders().items():
        variant, _, seed = name.partition("/seed=")
        assert values[variant][int(seed)] == folder.result().metrics["test_accuracy"]
    assert len(ranking.pairs) == 6
    assert all(pair.p_adjusted is not None for pair in ranking.pairs)
    text = cli("rank")
    assert ranking.sentence.split()[0] in text.out
    assert all(len(line) <= 100 for line in text.out.splitlines())
    assert "Games-Howell" in text.out
    written = cli("rank", "--output", "ranking.txt")
    assert written.out == ""
    assert Path("ranking.txt").read_text() == text.out
    by_loss = json.loads(cli("rank", "--metric", "test_loss", "--json").out)
    assert by_loss["direction"] == "minimize"
    assert cli("rank", "--metric", "test_acuracy").err.count("did you mean 'test_accuracy'") == 1

    status = json.loads(cli("status", "--json").out)["studies"][0]
    assert status["undelivered"] == 0
    (config,) = status["configs"]
    assert {v["variant"]: v["runs"]["complete"] for v in config["variants"]}["double"] == 5
    assert all(v["missing"] == [] for v in config["variants"])


@pytest.mark.rest
def test_a_control_is_trained_kept_and_ranked_like_a_placement(cli, workplace, figures):
    answer, report = run(
        cli, "--variant", "early-conv", "--variant", "early", "--seeds", "3", "--executor", "inline"
    )
    assert answer.code == 0, answer.err
    assert {(r["variant"], r["status"]) for r in report["runs"]} == {
        ("early-conv", "complete"), ("early", "complete"),
    }  # fmt: skip
    tracker = open_store(resolve(STORE_DIR, None))
    artifacts = {
        tracked.name: {file.path for file in tracker.client.list_artifacts(tracked.run_id)}
        for tracked in read_runs(tracker, "placement")
    }
    for name, folder in folders().items():
        result, attends = folder.result(), name.startswith("early/")
        assert result.notes == ()  # the model was exported
        assert {"weights.safetensors", "model.pt2", "predictions.csv"} <= set(result.files)
        assert ("attention.npz" in result.files) is attends
        assert ("attention.png" in artifacts[name]) is attends
    program = torch.export.load(folders()["early-conv/seed=0"].path / "model.pt2")
    assert program.module()(torch.zeros(5, 1, 8, 8)).shape == (5, 10)
    ranking = json.loads(cli("rank", "--json", "--assert", "early > early-conv").out)
    assert {arm["variant"]: arm["n"] for arm in ranking["arms"]} == {"early": 3, "early-conv": 3}


@pytest.mark.rest
def test_another_store_gives_the_same_bits(cli, workplace, processes):
    answer, _ = run(cli, "--variant", "double", "--variant", "vanilla", "--seeds", "2")
    assert answer.code == 0
    first, first_numbers = weights(), numbers()
    elsewhere = workplace / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    answer, _ = run(
        cli, "--variant", "double", "--variant", "vanilla", "--seeds", "2", "--executor", "inline"
    )
    assert answer.code == 0
    assert weights() == first
    assert numbers() == first_numbers


def test_one_variant_is_described_with_the_command_that_adds_the_others(cli, workplace):
    run(cli, "--variant", "double", "--seeds", "3", "--study", "alone")
    answer = cli("rank")
    assert answer.code == 0
    assert "attnstudy run --study alone" in answer.out
    assert json.loads(cli("rank", "--json").out)["pairs"] == []


def test_several_configurations_are_refused_with_what_differs(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "1")
    _, other = run(cli, "--variant", "vanilla", "--seeds", "1", "--epochs", "1")
    answer = cli("rank")
    assert answer.code == 2
    assert "holds 2 configurations" in answer.err
    assert re.search(
        r": choose --config \w+ \(1 run: epochs=[12]\) or --config \w+ \(1 run: epochs=[12]\)$",
        answer.err,
    )
    assert answer.err.count("epochs=1") == answer.err.count("epochs=2") == 1
    assert "lr" not in answer.err
    assert cli("rank", "--config", other["config"]).code == 0
    assert cli("rank", "--config", "zzz").code == 2


def test_several_studies_are_listed(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "1", "--study", "one")
    run(cli, "--variant", "vanilla", "--seeds", "1", "--study", "two")
    answer = cli("rank")
    assert answer.code == 2
    assert "one, two" in answer.err
    assert cli("rank", "--study", "two").code == 0


def test_rerun_repeats_and_only_the_repetition_counts(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "2")
    before = numbers()
    _, again = run(cli, "--variant", "vanilla", "--seeds", "0-0", "--rerun")
    assert again["trained"] == 1
    assert numbers() == before
    tracked = read_runs(open_store(resolve(STORE_DIR, None)), "placement")
    assert sorted((r.seed, r.superseded) for r in tracked) == [(0, False), (0, True), (1, False)]
    ranking = json.loads(cli("rank", "--json").out)
    assert ranking["arms"][0]["seeds"] == [0, 1]
    assert ranking["excluded"] == [{"run": "vanilla/seed=0", "reason": "repeated by a later run"}]


@pytest.mark.rest
def test_threads_are_fixed_at_the_first_run(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "1", "--threads", "2")
    other = ("--variant", "vanilla", "--seeds", "2", "--threads", "1")
    answer = cli("run", *SMALL, *other, "--strict")
    assert answer.code == 2
    assert "trains with 2 threads per run since its first run" in answer.err
    assert "leave --threads out" in answer.err
    _, more = run(cli, "--variant", "vanilla", "--seeds", "2")
    assert more["trained"] == 1
    assert folders()["vanilla/seed=1"].result().environment["threads"] == "2"
    answer, _ = run(cli, "--variant", "vanilla", "--seeds", "3", "--threads", "1")
    assert answer.code == 0
    assert "1 will give other bits" in answer.err
    assert folders()["vanilla/seed=2"].result().environment["threads"] == "1"


def test_a_diverged_run_counts_as_done(cli, workplace):
    answer, first = run(cli, "--variant", "vanilla", "--seeds", "2", "--lr", "1e30")
    assert answer.code == 0
    assert {r["status"] for r in first["runs"]} == {"diverged"}
    assert all(r["diverged_at"] >= 0 for r in first["runs"])
    _, second = run(cli, "--variant", "vanilla", "--seeds", "2", "--lr", "1e30")
    assert second["trained"] == 0
    answer = cli("rank", "--json")
    assert answer.code == 0
    (arm,) = json.loads(answer.out)["arms"]
    assert (arm["diverged"], arm["n"]) == (2, 0)


def test_runs_without_models_are_whole_runs(cli, workplace):
    words = ("--variant", "vanilla", "--seeds", "3", "--fuse", "2")
    answer, report = run(cli, *words, "--no-models")
    assert answer.code == 0, answer.err
    assert report["trained"] == 3
    cli("run", *SMALL, *words, "--study", "kept")
    assert numbers() == numbers("kept")
    for folder in folders().values():
        result = folder.result()
        assert set(result.files) == {"predictions.csv", "journal.jsonl"}
        assert result.notes == ("neither weights nor model were kept, as --no-models asked",)
        assert folder.damaged_files() == []
    sizes = {}
    for study in ("placement", "kept"):
        assert cli("export", study, f"{study}.zip").code == 0
        sizes[study] = Path(f"{study}.zip").stat().st_size
    assert sizes["placement"] < sizes["kept"] / 2
    before = numbers()
    ranked = json.loads(cli("rank", "placement", "--json").out)["arms"]
    assert cli("import", "placement.zip", "--store", "there").code == 0
    shutil.copy(STORE_DIR / "mlflow.db", "there")
    assert cli("sync", "--store", "there").code == 0
    assert numbers() == before
    assert json.loads(cli("rank", "placement", "--store", "there", "--json").out)["arms"] == ranked
    # what is complete is not trained again for the sake of its model
    assert run(cli, *words)[1]["trained"] == 0


FACTORIES = """
import os, signal, torch
from torch import nn

def wide(*, attention, image_shape, num_classes):
    c, h, w = image_shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, 8), nn.ReLU(), nn.Dropout(0.1),
                         nn.Linear(8, num_classes))

class Bad(nn.Module):
    def __init__(self, ending):
        super().__init__()
        self.ending, self.linear = ending, nn.Linear(64, 10)
    def forward(self, x):
        if self.training and x.shape[0] == 32:
            self.ending()
        return self.linear(x.flatten(1))

def boom():
    raise RuntimeError("no such kernel")

def raising(**_):
    return Bad(boom)

def killed(**_):
    return Bad(lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.fixture
def own_variants(workplace):
    (workplace / "mine.py").write_text(FACTORIES)


def test_own_variants_run_track_and_rank_like_the_built_in(cli, workplace, own_variants):
    answer, first = run(cli, "--variant", "mine:wide", "--variant", "vanilla", "--seeds", "3")
    assert answer.code == 0, answer.err
    assert first["trained"] == 6
    ranking = json.loads(cli("rank", "--json").out)
    assert {arm["variant"] for arm in ranking["arms"]} == {"mine:wide", "vanilla"}
    (workplace / "mine.py").write_text(FACTORIES.replace("0.1", "0.2"))
    _, second = run(cli, "--variant", "mine:wide", "--variant", "vanilla", "--seeds", "3")
    assert (second["trained"], second["skipped"]) == (3, 3)
    answer = cli("rank")
    assert answer.code == 2
    assert "the source of its factory changed" in answer.err


@pytest.mark.rest
def test_runs_that_fail_or_are_killed_do_not_stop_the_others(
    cli, workplace, own_variants, processes
):
    variants = ("--variant", "mine:raising", "--variant", "mine:killed", "--variant", "vanilla")
    answer, first = run(cli, *variants, "--seeds", "2")
    assert answer.code == 1
    status = {(r["variant"], r["seed"]): r["status"] for r in first["runs"]}
    assert {s for (v, _), s in status.items() if v == "vanilla"} == {"complete"}
    assert {s for (v, _), s in status.items() if v != "vanilla"} == {"failed"}
    reasons = {r["variant"]: r["reason"] for r in first["runs"]}
    assert reasons["mine:raising"] == "RuntimeError: no such kernel"
    assert "killed by SIGKILL" in reasons["mine:killed"]
    text = cli("run", *SMALL, *variants, "--seeds", "2")
    assert text.code == 1
    assert "The same command tries the failed runs again." in text.out
    tracked = read_runs(open_store(resolve(STORE_DIR, None)), "placement")
    assert {r.status for r in tracked if r.arm != "vanilla"} == {"failed"}
    ranking = json.loads(cli("rank", "--json").out)
    assert len(ranking["excluded"]) == 4
    (workplace / "mine.py").write_text(
        FACTORIES.replace("self.ending()", "pass")  # mended: a new source, so new runs
    )
    answer, mended = run(cli, *variants, "--seeds", "2")
    assert answer.code == 0
    assert mended["trained"] == 4


def test_an_unreachable_server_costs_a_warning_and_sync_delivers(cli, workplace):
    nowhere = ("--tracking-uri", "http://127.0.0.1:9")
    answer, first = run(cli, "--variant", "vanilla", "--seeds", "2", *nowhere)
    assert answer.code == 0
    assert (first["trained"], first["undelivered"]) == (2, 2)
    assert "does not answer" in answer.err
    assert "attnstudy sync" in answer.err
    assert cli("sync", *nowhere).code == 3
    # the same folders, published to a store that answers
    before = json.loads(cli("status", "--json").out)["studies"][0]
    assert before["undelivered"] == 2
    assert cli("sync").code == 0
    assert json.loads(cli("status", "--json").out)["studies"][0]["undelivered"] == 0
    assert len(read_runs(open_store(resolve(STORE_DIR, None)), "placement")) == 2


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(workplace, processes):
    command = [sys.executable, "-m", "attnstudy", "run", *SMALL, "--epochs", "40",
               "--variant", "double", "--seeds", "2", "--workers", "2"]  # fmt: skip
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # a test run in the background of a shell inherits that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_for(lambda: list(STORE_DIR.glob("runs/placement/*/checkpoint.pt")), child)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to everybody
    _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    assert "Traceback" not in errors
    assert "to go on from there: attnstudy run --dataset digits" in errors
    assert re.search(r"^[012] of 2 runs are complete$", errors, re.MULTILINE)
    assert not any(folder.claimed for folder in folders().values())
    interrupted = [f for f in folders().values() if f.status is runs.Status.INTERRUPTED]
    assert interrupted
    assert any(folder.journal() for folder in interrupted)
    again = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert again.returncode == 0, again.stderr
    assert re.search(r"^[12] of them go on from a checkpoint$", again.stderr, re.MULTILINE)
    assert len(folders()) == 2
    for folder in folders().values():
        steps = [r.first_step for r in folder.journal()]
        assert steps == sorted(set(steps))
        assert sum(len(r.values["train_loss"]) for r in folder.journal()) == 8 * 40


@pytest.mark.rest
def test_progress_without_a_terminal_is_plain_and_rare(cli, workplace, processes):
    answer = cli("run", *SMALL, "--variant", "vanilla", "--seeds", "2")
    assert "2 runs to train (1 arm), 2 at once" in answer.err
    assert "\x1b" not in answer.err + answer.out
    assert answer.err.count("\n") <= 4
    quiet = cli("run", *SMALL, "--variant", "late", "--seeds", "2", "--quiet")
    assert quiet.err == ""
    assert "2 complete" in quiet.out


@pytest.mark.rest
def test_a_logged_report_stands_beside_its_runs(cli, workplace):
    run(cli, "--variant", "vanilla", "--variant", "late", "--seeds", "3")
    before = json.loads(cli("rank", "--json").out)
    assert before["scope"]["images"] == 360  # from the predictions of every run
    assert len(before["scope"]["pairs"]) == 1
    assert before["power"]["hours_for_observed"] >= 0
    answer = cli("rank", "--log")
    assert answer.code == 0, answer.err
    tracker = open_store(resolve(STORE_DIR, None))
    experiment = tracker.client.get_experiment_by_name("placement")
    note = experiment.tags["mlflow.note.content"]
    assert in_markdown(before["sentence"]) in note
    assert "\n\n| arm | n |" in note
    assert len(note) <= 5000
    (report,) = tracker.client.search_runs(
        [experiment.experiment_id], "tags.`attnstudy.report` = 'ranking'"
    )
    assert report.info.run_id in answer.err
    names = {artifact.path for artifact in tracker.client.list_artifacts(report.info.run_id)}
    assert names >= {"report.html", "ranking.json", "runs.json", "runs.png", "curves.png"}
    path = tracker.client.download_artifacts(report.info.run_id, "runs.json", str(workplace))
    used = {entry["run_id"] for entry in json.loads(Path(path).read_text())}
    assert used == {tracked.run_id for tracked in read_runs(tracker, "placement")}
    assert json.loads(cli("rank", "--json").out) == before  # the report is not ranked


def test_configurations_may_differ_where_that_is_allowed(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "3")
    run(cli, "--variant", "late", "--seeds", "3", "--epochs", "1")
    assert cli("rank").code == 2
    assert cli("rank", "--allow-differences", "lr").code == 2
    answer = cli("rank", "--allow-differences", "epochs", "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert {arm["variant"] for arm in result["arms"]} == {"vanilla", "late"}
    assert any("epochs (" in note for note in result["notes"])


def test_a_store_of_another_version_is_told(cli, workplace):
    run(cli, "--variant", "vanilla", "--seeds", "1")
    (folder,) = folders().values()
    content = read_sealed(folder.path / "run.json")
    del content["dataset"]["test_images"]
    write_sealed(folder.path / "run.json", content)
    answer = cli("status")
    assert answer.code == 3
    assert "was made by another version of attnstudy" in answer.err


def test_a_damaged_cache_is_told_in_a_sentence(cli, workplace, data_dir, tmp_path, monkeypatch):
    import shutil

    copy = tmp_path / "data"
    shutil.copytree(data_dir, copy)
    monkeypatch.setenv("ATTNSTUDY_DATA_DIR", str(copy))
    path = next(copy.glob("decoded/*/test_labels.npy"))
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    answer = cli("data", "verify", "digits")
    assert answer.code == 0
    assert answer.err.startswith("Warning: the decoded images in")
    assert answer.err.count("\n") == 1
