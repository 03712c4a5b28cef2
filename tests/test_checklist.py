"""The answers that reproducibility checklists ask for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from attnstudy import runs
from attnstudy.api.frames import results_frame
from attnstudy.runs import RunFolder
from attnstudy.trainings.placement.models import build_model
from tests.stores import STUDY
from tests.studies import write_study
from tests.test_tuned import STUDY as TUNED


def answers(cli, *words):
    answer = cli("checklist", *words)
    assert answer.code == 0, answer.err
    return " ".join(answer.out.split())


def test_what_the_store_knows_is_what_its_folders_say(cli, store_dir):
    folders = runs.run_folders(store_dir, STUDY)
    results = [result for folder in folders if (result := folder.result())]
    seconds = [result.metrics["train_seconds"] for result in results]
    told = json.loads(cli("checklist", STUDY, "--json").out)
    assert told["train_seconds"]["runs"] == len(results)
    assert told["train_seconds"]["sum"] == pytest.approx(sum(seconds))
    assert told["train_seconds"]["max"] == max(seconds)
    assert sum(one["runs"] for one in told["machines"]) == len(results)
    assert {one["hardware"] for one in told["machines"]} == {
        result.environment["hardware"] for result in results
    }
    assert told["software"]["torch"] == [results[0].environment["torch"]]
    assert sum(len(arm["seeds"]) for arm in told["arms"]) == len(results)


def test_a_run_that_lost_its_record_counts_and_is_named(cli, store_dir):
    before = json.loads(cli("checklist", STUDY, "--json").out)
    assert before["damaged"] == []
    lost = next(one for one in runs.run_folders(store_dir, STUDY) if one.result() is not None)
    (lost.path / "run.json").unlink()
    told = json.loads(cli("checklist", STUDY, "--json").out)
    (sentence,) = told.pop("damaged")
    assert sentence.endswith(f"run.json is lost: 'attnstudy sync {STUDY}' writes it anew from "
                             "result.json")  # fmt: skip
    assert told == {name: value for name, value in before.items() if name != "damaged"}
    assert "run.json is lost" in answers(cli, STUDY)
    folders = runs.run_folders(store_dir, STUDY)
    with pytest.warns(UserWarning, match=r"run\.json is lost"):
        assert len(results_frame(folders, ())) == len(folders)


def test_parameters_are_those_of_the_network(cli, store_dir):
    told = json.loads(cli("checklist", STUDY, "--json").out)
    by_name = {(arm["arm"], arm["config"]): arm for arm in told["arms"]}
    for folder in runs.run_folders(store_dir, STUDY):
        spec, result = folder.started().spec, folder.result()
        facts = folder.started().dataset
        model = build_model(
            spec.variant, attention=spec.attention, image_shape=facts.image_shape,
            num_classes=len(facts.class_names), channels=spec.channels, seed=0,
        )  # fmt: skip
        counted = sum(one.numel() for one in model.parameters() if one.requires_grad)
        if result is not None:
            assert result.environment["parameters"] == str(counted)
            assert "parameters" not in result.metrics
            assert by_name[spec.arm_name, spec.config_id]["trainable_parameters"] == [counted]


def test_in_words(cli, store_dir):
    said = answers(cli, STUDY)
    for title in (
        "Runs and seeds:", "Compute:", "Software:", "Parameters:", "Data:", "Hyperparameters:",
        "Search space and budget:", "Selection:", "Statistics:",
    ):  # fmt: skip
        assert title in said
    assert "in all, " in said
    assert "trainable" in said
    assert "no search by 'attnstudy tune'" in said
    assert "the model after the last update is scored on the test images, once" in said
    assert "experiments outside this study: not recorded" in said


def test_what_an_earlier_version_did_not_record_is_said(cli, store_dir, monkeypatch):
    told = RunFolder.result

    def earlier(folder):
        result = told(folder)
        return result and replace(result, environment={"device": "cpu"})

    monkeypatch.setattr(RunFolder, "result", earlier)
    said = answers(cli, STUDY)
    parameters = said.partition("Parameters:")[2].partition("Data:")[0]
    assert parameters.count("not recorded") == len(
        json.loads(cli("checklist", STUDY, "--json").out)["arms"]
    )
    assert "on hardware not recorded, device cpu, threads not recorded" in said
    assert "torch: not recorded" in said


def test_it_changes_nothing(cli, store_dir):
    before = {path: path.stat().st_mtime_ns for path in store_dir.rglob("*")}
    answers(cli, STUDY)
    assert {path: path.stat().st_mtime_ns for path in store_dir.rglob("*")} == before


def test_a_training_of_ones_own(cli, own):
    own.write("def train(run):\n    return {'acc': float(run.seed)}\n")
    assert own("run").code == 0
    said = answers(cli, "own")
    assert "not recorded" in said.partition("Parameters:")[2].partition("Data:")[0]
    assert "checkpoints: the training's own matter" in said
    assert "plan " in said.partition("Statistics:")[2]


@pytest.mark.proof
def test_a_search_with_its_space_and_budget(cli, workplace):
    write_study(workplace, "fair", TUNED)
    assert cli("tune", "fair").code == 0
    assert cli("run", "fair", "--tuned").code == 0
    said = answers(cli, "fair")
    assert "vanilla: 2 trials (2 complete, 0 pruned, 0 failed) of 1 seed each, sampler tpe" in said
    assert "space: lr from 0.001 to 0.01, log scale" in said
    assert "highest mean of val_accuracy_final" in said
    assert "the ranked runs were trained with what the search found" in said
    told = json.loads(cli("checklist", "fair", "--json").out)
    assert [one["trials"] for one in told["tuning"]] == [2, 2]
    assert told["tuning_seconds"]["runs"] == 4
    assert told["plans"][0]["hash"]
    elsewhere = answers(cli, "fair", "--storage", "elsewhere.journal")
    assert "there was a search, but its trials cannot be told" in elsewhere


def test_what_is_not_there_is_said(cli, workplace):
    answer = cli("checklist")
    assert answer.code == 2
    assert "train a study first" in answer.err
    answer = cli("checklist", "none")
    assert answer.code == 2
    assert "there is no study 'none'" in answer.err
