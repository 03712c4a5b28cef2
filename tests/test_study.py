"""What is to be run: seeds and variants as they are written, and the identity of a run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnstudy import study
from attnstudy.errors import EXIT_USAGE, UsageError
from attnstudy.seeds import parse_seeds
from attnstudy.study import RunSpec, check_study_name, later_defaults, roles
from attnstudy.trainings import registry
from attnstudy.trainings.placement.declaration import Placement
from attnstudy.trainings.placement.settings import AUGMENTATIONS, OPTIMIZERS
from attnstudy.trainings.placement.variants import (
    BUILT_IN,
    CONTROLS,
    VARIANTS,
    check_variant,
    expand_variants,
    factory_source_digest,
    is_factory,
    iterations,
    iterations_per_epoch,
)

# A valid specification, then for each field another valid value and the part of the identity
# that must change with it. A new field needs a line here.
VALUES: dict[str, Any] = {
    "study": "placement",
    "training": None,
    "task": None,
    "dataset": "cifar10",
    "variant": "double",
    "variant_source": None,
    "seed": 3,
    "dataset_digest": "1a55841742d55f244ceace894cf80e07",
    "train_size": 49_000,
    "val_size": 1_000,
    "attention": "spatial",
    "channels": (64, 32),
    "epochs": 10,
    "batch_size": 64,
    "lr": 1e-3,
    "precision": "float32",
    "weight_decay": 0.0,
    "optimizer": "adam",
    "augmentation": "none",
    "split": "fixed",
    "arm": None,
    "arm_fields": (),
    "tuned_by": None,
}
OTHERS = {
    "study": ("another", "label"),
    "training": ("another", "config"),
    "task": ("another", "config"),
    "dataset": ("a/folder", "label"),
    "variant": ("early", "run"),
    "variant_source": ("ab" * 32, "run"),
    "seed": (4, "run"),
    "dataset_digest": ("ffff", "config"),
    "train_size": (48_999, "config"),
    "val_size": (999, "config"),
    "attention": ("channel", "config"),
    "channels": ((32, 64), "config"),
    "epochs": (11, "config"),
    "batch_size": (65, "config"),
    "lr": (1.0000000000000002e-3, "config"),
    "precision": ("bf16", "config"),
    "weight_decay": (1e-4, "config"),
    "optimizer": ("sgd", "config"),
    "augmentation": ("crop", "config"),
    "split": ("by seed", "config"),
    "arm": ("deep", "run"),
    "arm_fields": (("lr",), "config"),
    "tuned_by": ("0123456789ab", "run"),
}


class Another(Placement):
    """Takes what a placement takes, and is another kind of training."""

    kind = "another"


@pytest.fixture(autouse=True)
def _another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAININGS, "another", f"{__name__}:Another")


def spec(**changes: Any) -> RunSpec:
    return RunSpec(**{**VALUES, **changes})


def refusal(action, *arguments, **named) -> str:
    """What the user reads: one sentence, of the kind that ends with exit code 2."""
    with pytest.raises(UsageError) as caught:
        action(*arguments, **named)
    text = str(caught.value)
    assert caught.value.exit_code == EXIT_USAGE
    assert "\n" not in text
    assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
    return text


def test_the_command_of_a_run_is_one_that_a_shell_takes() -> None:
    assert spec().command_line() == "attnstudy run --study placement --arm double --seeds 3-3"
    assert spec(epochs=2, dataset="digits", train_size=9).command_line("--rerun") == (
        "attnstudy run --rerun --study placement --arm double --seeds 3-3 --dataset digits "
        "--train-size 9 --val-size 1000 --epochs 2"
    )
    declared = spec(study="mine", task="easy", arm="m7", arm_fields=("lr",), epochs=2)
    assert declared.command_line() == "attnstudy run mine --task easy --arm m7 --seeds 3-3"
    tuned = spec(arm_fields=("lr",), lr=0.1, tuned_by="0123456789ab", epochs=2).command_line()
    assert tuned.endswith("--arm double --seeds 3-3 --tuned --epochs 2")
    own = RunSpec(
        study="mine", training="command", command="python t.py", code="c", arm="my arm", seed=1
    )
    assert own.command_line() == "attnstudy run mine --arm 'my arm' --seeds 1-1"


# Seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("1", (0,)),
        ("5", (0, 1, 2, 3, 4)),
        (" 5 ", (0, 1, 2, 3, 4)),
        ("007", tuple(range(7))),
        ("0-29", tuple(range(30))),
        ("7-7", (7,)),
        ("0-0", (0,)),
        ("1,4,7", (1, 4, 7)),
        ("7,1,4", (1, 4, 7)),
        ("1, 4 ,7", (1, 4, 7)),
        ("0-2,9,5 - 6", (0, 1, 2, 5, 6, 9)),
        ("0,10-11", (0, 10, 11)),
        ("9223372036854775807-9223372036854775807", (2**63 - 1,)),
    ],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-1", "not understood"),
        ("", "not understood"),
        ("  ", "not understood"),
        ("x", "not understood"),
        ("1.5", "not understood"),
        ("1e3", "not understood"),
        ("+5", "not understood"),
        ("1_000", "not understood"),
        ("5,", "not understood"),
        (",", "not understood"),
        ("1,,2", "not understood"),
        ("1-2-3", "not understood"),
        ("1--2", "not understood"),
        ("3-", "not understood"),
        ("1 2", "not understood"),
        ("1;2", "not understood"),
        ("²", "not understood"),
        ("٣", "not understood"),
        ("１-２", "not understood"),
        ("1\n-x", "not understood"),
        ("0", "0 seeds"),
        ("00", "0 seeds"),
        ("5-3", "write 3-5"),
        ("1,1", "seed 1 appears twice"),
        ("0-3,2", "seed 2 appears twice"),
        ("0-3,3-5", "seed 3 appears twice"),
        ("100001", "more than 100,000 seeds"),
        ("0-100000", "more than 100,000 seeds"),
        ("0-60000,100000-160000", "more than 100,000 seeds"),
        ("9223372036854775808,1", "2^63 - 1"),
        ("9" * 20, "2^63 - 1"),
        ("0-" + "9" * 20, "2^63 - 1"),
        ("9" * 5000, "2^63 - 1"),
        ("1," + "9" * 5000, "2^63 - 1"),
    ],
)
def test_bad_seeds(text: str, said: str) -> None:
    message = refusal(parse_seeds, text)
    assert said in message
    assert len(message) < 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["100000", "0-99999", "50000-99999,0-49999"])
def test_many_seeds_are_read_at_once(text: str) -> None:
    assert parse_seeds(text) == tuple(range(100_000))


@given(st.text("0123456789-, x²", max_size=14))
def test_seeds_are_ascending_and_different_or_refused(text: str) -> None:
    try:
        seeds = parse_seeds(text)
    except UsageError:
        return
    assert seeds
    assert list(seeds) == sorted(set(seeds))
    assert seeds[0] >= 0


@given(st.sets(st.integers(0, 2**63 - 1), min_size=2, max_size=8))
def test_a_list_of_seeds_means_itself(seeds: set[int]) -> None:
    assert parse_seeds(",".join(map(str, seeds))) == tuple(sorted(seeds))


# Variants


@pytest.mark.parametrize(
    ("names", "variants"),
    [
        (["all"], VARIANTS),
        (["double"], ("double",)),
        (["double", "early"], ("double", "early")),
        (["early", "early"], ("early",)),
        (["double-conv", "late-conv", "early-conv"], ("double-conv", "late-conv", "early-conv")),
        (["early-conv", "all"], ("early-conv", *VARIANTS)),
        (["late", "all"], ("late", "vanilla", "early", "double")),
        (["models:mine", "vanilla"], ("models:mine", "vanilla")),
        (["a.b.c:make_it"], ("a.b.c:make_it",)),
    ],
)
def test_variants(names: list[str], variants: tuple[str, ...]) -> None:
    assert expand_variants(names) == variants
    assert not set(CONTROLS) & set(expand_variants(["all"]))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("doubel", "double"),
        ("vanila", "vanilla"),
        ("Early", "early"),
        ("lates", "late"),
        ("al", "all"),
        ("early_conv", "early-conv"),
        ("doubleconv", "double-conv"),
    ],
)
def test_a_misspelt_variant_is_told_what_was_meant(name: str, meant: str) -> None:
    message = refusal(expand_variants, [name])
    assert repr(name) in message
    assert message.endswith(f"did you mean {meant!r}?")


@pytest.mark.parametrize(
    "name",
    ["", "xyz", "a/b:make", "models:", ":make", "models:a b", "models:a:b", ".models:a", "1:a"],
)
def test_what_cannot_be_a_variant(name: str) -> None:
    message = refusal(check_variant, name)
    assert "did you mean" not in message
    for known in (*BUILT_IN, "package.module:factory"):
        assert known in message


def test_no_variant_is_an_error() -> None:
    assert "--variant" in refusal(expand_variants, [])


@pytest.mark.parametrize(("name", "factory"), [("models:mine", True), ("double", False)])
def test_is_factory(name: str, factory: bool) -> None:
    assert is_factory(name) is factory


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_variants_have_no_source(name: str) -> None:
    assert factory_source_digest(name) is None


def test_source_digest_follows_the_source(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    source = tmp_path / "source_of_a_factory.py"
    source.write_text("make = 1\n", encoding="utf-8")
    first = factory_source_digest("source_of_a_factory:make")
    assert first == hashlib.sha256(b"make = 1\n").hexdigest()
    assert factory_source_digest("source_of_a_factory:other") == first
    source.write_text("make = 2\n", encoding="utf-8")
    assert factory_source_digest("source_of_a_factory:make") != first


@pytest.mark.parametrize(
    ("files", "variant"),
    [
        ({}, "no_such_module_at_all:make"),
        ({}, "no_such_package.module:make"),
        ({}, "sys:make"),
        ({"holder/part/readme.txt": ""}, "holder.part:make"),
        ({"outer/inner/part/readme.txt": ""}, "outer.inner.part:make"),
        ({"plain.py": ""}, "plain.part:make"),
    ],
    ids=["module", "package", "built-in", "no Python file", "folders alone", "no package"],
)
def test_source_that_cannot_be_found(
    tmp_path: Path, monkeypatch, files: dict[str, str], variant: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    message = refusal(factory_source_digest, variant)
    assert message.startswith(f"variant {variant!r} cannot be imported: ")


@pytest.mark.parametrize("package", ["1 / 0\n", "def (\n", None], ids=["raises", "bad", "none"])
def test_nothing_around_a_module_is_run_to_find_it(tmp_path: Path, monkeypatch, package) -> None:
    folder = tmp_path / "around" / "inside"
    folder.mkdir(parents=True)
    (folder / "part.py").write_text("make = 1\n")
    if package is not None:
        (tmp_path / "around" / "__init__.py").write_text(package)
        (folder / "__init__.py").write_text(package)
    monkeypatch.syspath_prepend(tmp_path)
    digest = hashlib.sha256(b"make = 1\n").hexdigest()
    assert factory_source_digest("around.inside.part:make") == digest
    assert "around" not in sys.modules


# Study names


@pytest.mark.parametrize("name", ["placement", "a", "0", "A.b_c-1", "x" * 100])
def test_study_names(name: str) -> None:
    assert check_study_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-x", "_x", "a/b", "a b", "a\n", "é", "x" * 101, "a\\b"]
)
def test_bad_study_names(name: str) -> None:
    assert "cannot name a study" in refusal(check_study_name, name)


# Identity


def test_every_field_has_its_place_in_the_identity() -> None:
    names = set(roles())
    assert names == set(VALUES) == set(OTHERS), "say here what a new field changes"


@pytest.mark.parametrize("name", list(roles()))
def test_identity_changes_with(name: str) -> None:
    value, role = OTHERS[name]
    one, other = spec(), spec(**{name: value})
    assert one != other
    assert (one.fingerprint != other.fingerprint) == (role in ("run", "config"))
    assert (one.config_id != other.config_id) == (role == "config")
    # plans of before there were other trainings, splits and tasks do not name theirs
    telling = other if name in ("training", "split", "task") else one
    assert (name in telling.config_fields()) == (role == "config")
    assert one.config_fields().get(name) != other.config_fields().get(name) or role != "config"


def test_code_schema_is_part_of_the_identity(monkeypatch) -> None:
    one = spec()
    before = one.fingerprint, one.config_id
    monkeypatch.setattr(study, "CODE_SCHEMA", study.CODE_SCHEMA + 1)
    assert one.fingerprint != before[0]
    assert one.config_id != before[1]


def test_equal_specifications_have_one_identity() -> None:
    for one, same in (({"lr": 1}, {"lr": 1.0}), ({"weight_decay": 1}, {"weight_decay": 1.0}),
                      ({"weight_decay": -0.0}, {"weight_decay": 0})):  # fmt: skip
        whole, real = spec(**one), spec(**same)
        assert whole == real
        assert (whole.fingerprint, whole.config_id) == (real.fingerprint, real.config_id)
        assert repr(whole) == repr(real)


def test_fingerprints_of_a_study_all_differ() -> None:
    prints = {spec(variant=v, seed=s).fingerprint for v in BUILT_IN for s in range(200)}
    assert len(prints) == 1400
    assert len({spec(variant=v, seed=s).config_id for v in BUILT_IN for s in range(5)}) == 1


# What is hashed, in full: keys sorted, no blanks. A change of these values orphans every run
# that users have: it is made by raising CODE_SCHEMA, and knowingly.
HASHED = (
    '{"attention":"spatial","batch_size":64,"channels":[64,32],"code_schema":2,'
    '"dataset_digest":"1a55841742d55f244ceace894cf80e07","epochs":10,"lr":0.001,'
    '"precision":"float32","seed":3,"train_size":49000,"val_size":1000,"variant":"double",'
    '"variant_source":null}'
)


def test_golden_identity() -> None:
    assert spec().fingerprint == "22391fa565a67ccfdb92fe19c84ef6e8"
    assert spec().config_id == "3800dd6390"
    assert spec().fingerprint == hashlib.sha256(HASHED.encode()).hexdigest()[:32]
    shared = {k: v for k, v in json.loads(HASHED).items() if k not in ("variant", "seed")}
    del shared["variant_source"]
    text = json.dumps(shared, sort_keys=True, separators=(",", ":"))
    assert spec().config_id == hashlib.sha256(text.encode()).hexdigest()[:10]


LATER = {
    "weight_decay": 0.0, "optimizer": "adam", "augmentation": "none", "split": "fixed",
    "arm": None, "arm_fields": (), "tuned_by": None, "training": None, "task": None,
}  # fmt: skip
"""Fields that runs were made without, and what those were trained with: for ever."""


def test_fields_added_later_count_only_where_they_are_not_at_their_defaults() -> None:
    assert later_defaults() == LATER
    identities = {spec(**{name: OTHERS[name][0]}).fingerprint for name in LATER}
    for names in (OPTIMIZERS, AUGMENTATIONS):
        field = "optimizer" if names is OPTIMIZERS else "augmentation"
        identities |= {spec(**{field: name}).fingerprint for name in names}
    # the default, weight decays, names, a split, three of arms, a kind of training, a task
    assert len(identities) == 1 + 1 + 2 + 3 + 1 + 3 + 1 + 1
    assert spec(**LATER).fingerprint == "22391fa565a67ccfdb92fe19c84ef6e8"
    text = HASHED.replace('"precision"', '"optimizer":"sgd","precision"')
    assert spec(optimizer="sgd").fingerprint == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_specifications_written_before_a_field_existed_are_read() -> None:
    old = {name: value for name, value in spec().to_dict().items() if name not in LATER}
    back = RunSpec.from_dict(json.loads(json.dumps(old)))
    assert back == spec()
    assert back.fingerprint == "22391fa565a67ccfdb92fe19c84ef6e8"


@pytest.mark.parametrize(
    ("changes", "fingerprint", "config_id"),
    [
        ({"variant": "vanilla", "seed": 0}, "fa8348348766fe2edce4b94b8ebff539", "3800dd6390"),
        ({"attention": "channel"}, "803f0f6778946404b6373ab52f30d7b2", "94fad7110f"),
        (
            {"lr": 3e-4, "channels": (4, 8), "seed": 2**63 - 1},
            "e8354a5fc23120f11cf1e42e5e1604ce",
            "c27a6201ef",
        ),
        (
            {"variant": "models:mine", "variant_source": "ab" * 32},
            "1351ee05904aaf17016e2daed30f2771",
            "3800dd6390",
        ),
    ],
)
def test_golden_identities(changes: dict[str, object], fingerprint: str, config_id: str) -> None:
    assert (spec(**changes).fingerprint, spec(**changes).config_id) == (fingerprint, config_id)


@pytest.mark.parametrize("name", list(roles()))
def test_specification_survives_json(name: str) -> None:
    one = spec(**{name: OTHERS[name][0]})
    back = RunSpec.from_dict(json.loads(json.dumps(one.to_dict())))
    assert back == one
    assert back.fingerprint == one.fingerprint
    assert hash(back) == hash(one)


def test_specification_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec().seed = 4  # type: ignore[misc]


def test_run_name() -> None:
    assert spec().name == "double/seed=3"


@pytest.mark.parametrize(
    ("changes", "an_epoch", "in_all"),
    [
        ({}, 766, 7660),
        ({"train_size": 64, "epochs": 3}, 1, 3),
        ({"train_size": 65, "epochs": 3}, 2, 6),
        ({"train_size": 63, "epochs": 3}, 1, 3),
    ],
)
def test_iterations(changes: dict[str, object], an_epoch: int, in_all: int) -> None:
    assert iterations_per_epoch(spec(**changes)) == an_epoch
    assert iterations(spec(**changes)) == in_all


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"study": "a/b"}, "'a/b' cannot name a study"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**63}, "seed 9223372036854775808"),
        ({"attention": "chanel"}, "did you mean 'channel'?"),
        ({"attention": "xyz"}, "attention must be one of spatial, channel, not 'xyz'"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"train_size": 0}, "train_size must be a whole number of at least 1, not 0"),
        ({"val_size": -3}, "val_size must be a whole number of at least 1, not -3"),
        (
            {"channels": (64,)},
            "channels must be a list of 2 whole numbers of at least 1, not (64,)",
        ),
        ({"channels": ()}, "channels must be a list of 2 whole numbers of at least 1, not ()"),
        (
            {"channels": (64, 32, 16)},
            "channels must be a list of 2 whole numbers of at least 1, not (64, 32, 16)",
        ),
        (
            {"channels": (64, 0)},
            "channels must be a list of 2 whole numbers of at least 1, not (64, 0)",
        ),
        ({"lr": 0.0}, "lr must be a number above 0, not 0"),
        ({"lr": -1e-3}, "lr must be a number above 0, not -0.001"),
        ({"lr": math.nan}, "lr must be a number above 0, not nan"),
        ({"lr": math.inf}, "lr must be a number above 0, not inf"),
        ({"weight_decay": -1e-4}, "weight_decay must be a number of at least 0, not -0.0001"),
        ({"weight_decay": math.nan}, "weight_decay must be a number of at least 0, not nan"),
        ({"weight_decay": math.inf}, "weight_decay must be a number of at least 0, not inf"),
        ({"optimizer": "adamq"}, "did you mean 'adam'?"),
        ({"optimizer": "xyz"}, "optimizer must be one of adam, adamw, sgd, not 'xyz'"),
        ({"augmentation": "crop_flip"}, "did you mean 'crop-flip'?"),
        (
            {"split": "by-seed"},
            "split must be one of fixed, by seed, not 'by-seed'; did you mean 'by seed'?",
        ),
        ({"augmentation": ""}, "augmentation must be one of none, flip, crop, crop-flip, not ''"),
    ],
)
def test_bad_specifications(changes: dict[str, object], said: str) -> None:
    assert said in refusal(spec, **changes)


@pytest.mark.parametrize("changes", [{"seed": 0}, {"seed": 2**63 - 1}, {"channels": (1, 1)}])
def test_bounds_are_allowed(changes: dict[str, object]) -> None:
    assert spec(**changes).to_dict().items() >= json.loads(json.dumps(changes)).items()


def test_what_an_arm_declares_is_the_runs_own_and_not_the_configurations() -> None:
    one, other = (spec(arm_fields=("epochs",), epochs=epochs) for epochs in (10, 11))
    assert one.config_id == other.config_id != spec().config_id
    assert one.fingerprint != other.fingerprint
    assert "epochs" not in one.config_fields()
    assert replace(one, lr=0.1).config_id != one.config_id  # type: ignore[call-arg]
    named = replace(one, arm="deep")
    assert (named.name, named.arm_name) == ("deep/seed=3", "deep")
    assert RunSpec.from_dict(json.loads(json.dumps(named.to_dict()))) == named
