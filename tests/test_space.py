"""What a search may vary: what is understood, and one sentence for everything that is not."""

from __future__ import annotations

import pytest

from attnstudy.errors import UsageError
from attnstudy.space import Choice, Range, default_space, parse_space
from attnstudy.study import roles
from attnstudy.trainings.placement.settings import recorded_settings

SEARCHABLE = [field.name for field in recorded_settings() if field.searched]


def test_each_field_gets_the_kind_of_values_that_it_has():
    space = parse_space(
        {
            "attention": ["spatial", "channel"],
            "epochs": {"low": 2, "high": 5},
            "lr": {"low": 1e-4, "high": 1, "log": True},
            "batch_size": [32, 64],
            "channels": [[32, 16], [64, 32]],
        }
    )
    # in the order of a specification's fields, however the file has them
    assert list(space.dimensions) == [n for n in SEARCHABLE if n in space.dimensions]
    assert space.dimensions["lr"] == Range(1e-4, 1.0, log=True)
    assert isinstance(space.dimensions["lr"].high, float)
    assert space.dimensions["epochs"] == Range(2, 5)
    assert isinstance(space.dimensions["epochs"].low, int)
    assert space.dimensions["channels"] == Choice(((32, 16), (64, 32)))
    assert space.most_epochs(10) == 5
    assert default_space().most_epochs(10) == 10


def test_what_is_searched_is_what_decides_a_training_and_nothing_about_the_images():
    config = {name for name, role in roles().items() if role == "config"}
    assert config - set(SEARCHABLE) == {
        "training", "dataset_digest", "train_size", "val_size", "precision", "split", "arm_fields",
        "task",
    }  # fmt: skip


def test_the_default_space_varies_the_learning_rate_by_ratios():
    space = default_space()
    assert space.dimensions["lr"] == Range(1e-4, 1e-2, log=True)
    assert parse_space(space.to_json()) == space


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "is empty"),
        ({"lrr": [1]}, "'lrr' is not a field that can be searched; did you mean 'lr'"),
        ({"train_size": [1]}, "'train_size' is not a field that can be searched"),
        ({"lr": 1e-3}, "lr is 0.001: write {low"),
        ({"lr": {"low": 1e-2, "high": 1e-4}}, "low must not be above high"),
        (
            {"weight_decay": {"low": 0, "high": 1, "log": True}},
            "with log = true it must be above 0",
        ),
        ({"lr": {"low": -1.0, "high": 1.0}}, "lr: low must be a number above 0, not -1$"),
        ({"lr": {"low": 1e-3}}, "lr lacks high"),
        ({"lr": {"low": 1e-3, "hihg": 1}}, "unknown key 'hihg'; did you mean 'high'"),
        ({"lr": {"low": "a", "high": 1}}, "lr: low must be a number above 0, not 'a'$"),
        ({"lr": {"low": 1e-3, "high": float("inf")}}, "lr: high must be a number above 0, not inf"),
        ({"lr": {"low": 1e-3, "high": 1, "log": "yes"}}, "log is 'yes': write true or false"),
        ({"batch_size": []}, "batch_size is an empty list"),
        ({"batch_size": [0]}, "batch_size must be a whole number of at least 1, not 0"),
        ({"batch_size": [32, 32]}, "has 32 twice"),
        ({"batch_size": [True]}, "must be a whole number of at least 1, not True"),
        ({"epochs": {"low": 1.5, "high": 3}}, "low must be a whole number of at least 1, not 1.5"),
        (
            {"attention": ["spacial"]},
            "attention must be one of .* not 'spacial'; did you mean 'spatial'",
        ),
        ({"attention": [1]}, "attention must be one of spatial, channel, not 1$"),
        ({"attention": {"low": 1, "high": 2}}, "attention is not a number: write a list"),
        (
            {"channels": [[32]]},
            r"channels must be a list of 2 whole numbers of at least 1, not \[32\]",
        ),
        ({"channels": [[0, 4]]}, r"list of 2 whole numbers of at least 1, not \[0, 4\]"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(table, sentence):
    with pytest.raises(UsageError, match=sentence) as refused:
        parse_space(table, "studies/x/study.toml: [tuning.space]")
    assert str(refused.value).startswith("studies/x/study.toml: [tuning.space]")
    assert "\n" not in str(refused.value)
