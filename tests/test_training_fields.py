"""Optimizer, weight decay and augmentation through the commands: asked, kept, shown, ranked."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from attnstudy import runs
from attnstudy.tracking import open_store, read_runs, resolve, upload
from tests.conftest import SMALL

STORE_DIR = Path("mlruns")
ASKED = ("--optimizer", "sgd", "--weight-decay", "1e-3", "--augmentation", "crop-flip")
OWN = """
from torch import nn

def wide(*, attention, image_shape, num_classes):
    c, h, w = image_shape
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, 8), nn.ReLU(), nn.Dropout(0.1),
                         nn.Linear(8, num_classes))
"""


def run(cli, *words):
    answer = cli("run", *SMALL, "--executor", "inline", *words, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_what_is_asked_for_is_trained_kept_shown_and_ranked(cli, workplace):
    (workplace / "mine.py").write_text(OWN)
    variants = ("--variant", "vanilla", "--variant", "mine:wide", "--seeds", "1")
    assert run(cli, *variants, *ASKED)["trained"] == 2
    for folder in runs.run_folders(STORE_DIR, "placement"):
        spec = folder.started().spec
        assert (spec.optimizer, spec.weight_decay, spec.augmentation) == ("sgd", 1e-3, "crop-flip")
    for tracked in read_runs(open_store(resolve(STORE_DIR, None)), "placement"):
        asked = {name: tracked.params[name] for name in ("optimizer", "weight_decay")}
        assert asked == {"optimizer": "sgd", "weight_decay": "0.001"}
        assert tracked.params["augmentation"] == "crop-flip"
    assert run(cli, *variants, *ASKED)["skipped"] == 2
    assert len(json.loads(cli("rank", "--json").out)["arms"]) == 2
    assert "weight_decay 0.001, optimizer sgd, augmentation crop-flip" in cli("status").out
    assert run(cli, *variants)["trained"] == 2  # another configuration
    shown = cli("status").out
    assert shown.count("optimizer") == 1
    refused = cli("rank")
    assert refused.code == 2
    assert "augmentation=none, optimizer=adam, weight_decay=0.0" in refused.err
    assert "augmentation=crop-flip, optimizer=sgd, weight_decay=0.001" in refused.err


def test_a_study_file_says_it_as_well(cli, workplace):
    (workplace / "studies" / "mine").mkdir(parents=True)
    (workplace / "studies" / "mine" / "study.toml").write_text(
        '[training]\noptimizer = "adamw"\nweight_decay = 1e-2\naugmentation = "flip"\n'
    )
    run(cli, "mine", "--variant", "vanilla", "--seeds", "1", "--augmentation", "crop")
    (folder,) = runs.run_folders(STORE_DIR, "mine")
    spec = folder.started().spec
    assert (spec.optimizer, spec.weight_decay, spec.augmentation) == ("adamw", 1e-2, "crop")
    (workplace / "studies" / "mine" / "study.toml").write_text('[training]\noptimizer = "adamx"\n')
    answer = cli("run", "mine")
    assert answer.code == 2
    assert "did you mean 'adam'?" in answer.err


def advised(cli):
    """Return the words of the command that would add the other variants."""
    (note,) = [n for n in json.loads(cli("rank", "--json").out)["notes"] if "to add the" in n]
    return shlex.split(note.partition(": attnstudy ")[2])


UNUSUAL = (*ASKED, "--precision", "bf16")


def test_the_command_that_adds_the_others_asks_for_the_same(cli, workplace):
    run(cli, "--variant", "double", "--seeds", "1", *UNUSUAL)
    command = advised(cli)
    assert cli(*command, "--executor", "inline").code == 0
    ranking = cli("rank", "--json")
    assert ranking.code == 0, ranking.err
    assert [arm["n"] for arm in json.loads(ranking.out)["arms"]] == [1, 1, 1, 1]


def test_the_command_that_adds_the_others_says_nothing_of_defaults(cli, workplace):
    run(cli, "--variant", "double", "--seeds", "1")
    assert not {word for word in UNUSUAL if word.startswith("--")} & set(advised(cli))


def test_runs_logged_before_the_fields_existed_are_read_with_what_they_had(
    cli, workplace, monkeypatch
):
    """They lack the params, which must not look like another difference."""
    with monkeypatch.context() as before:
        texts = upload.param_texts  # type: ignore[attr-defined]
        before.setattr(
            upload,
            "param_texts",
            lambda values: {
                name: text
                for name, text in texts(values).items()
                if name not in ("optimizer", "weight_decay", "augmentation")
            },
        )
        run(cli, "--variant", "vanilla", "--seeds", "1")
    first = {r.name: r for r in read_runs(open_store(resolve(STORE_DIR, None)), "placement")}
    assert first["vanilla/seed=0"].params["optimizer"] == "adam"
    run(cli, "--variant", "late", "--seeds", "1")
    assert cli("rank").code == 0  # one configuration
    run(cli, "--variant", "early", "--seeds", "1", "--lr", "1e-2")
    refused = cli("rank")
    assert refused.code == 2
    assert "lr=" in refused.err
    assert "optimizer" not in refused.err
    assert cli("rank", "--allow-differences", "lr").code == 0
