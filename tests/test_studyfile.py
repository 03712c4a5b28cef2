"""Study files: how a study is found, what a file may say, and what its mistakes are called."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from attnstudy.errors import EXIT_USAGE, UsageError
from attnstudy.seeds import parse_seeds
from attnstudy.studyfile import StudyFile, find
from attnstudy.usecases.studyfiles import new_study


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str | bytes, study: str = "studies/mine") -> Path:
    path = Path(study) / "study.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def options_of(text: str) -> dict[str, Any]:
    write(text)
    return find("mine", None).options


def refusal(argument: str | None = "mine", name: str | None = None) -> str:
    """What the user reads: one sentence, of the kind that ends with exit code 2."""
    with pytest.raises(UsageError) as caught:
        find(argument, name)
    text = str(caught.value)
    assert caught.value.exit_code == EXIT_USAGE
    assert "\n" not in text
    assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
    return text


# Which study is meant


def test_without_a_file_or_a_name_the_study_is_placement() -> None:
    assert find(None, None) == StudyFile("placement")


@pytest.mark.parametrize("name", ["mine", "another.one", "2024-06"])
def test_a_name_needs_no_file(name: str) -> None:
    assert find(None, name) == StudyFile(name)


def test_placement_file_is_the_default_study() -> None:
    path = write('question = "why?"', "studies/placement")
    found = find(None, None)
    assert (found.name, found.path, found.question) == ("placement", path, "why?")


@pytest.mark.parametrize(
    ("folder", "argument"),
    [
        ("studies/mine", "mine"),
        ("studies/mine", "studies/mine"),
        ("studies/mine", "studies/mine/"),
        ("studies/mine", "studies/mine/study.toml"),
        ("elsewhere/mine", "elsewhere/mine"),
        ("elsewhere/mine", "./elsewhere/mine/study.toml"),
        ("mine", "mine"),
    ],
)
def test_a_study_is_given_by_name_folder_or_file(folder: str, argument: str) -> None:
    path = write("seeds = 3", folder)
    found = find(argument, None)
    assert found.name == "mine"
    assert found.path is not None
    assert found.path.samefile(path)
    assert found.options == {"seeds": 3}


def test_a_file_may_have_any_name_and_absolute_path(here: Path) -> None:
    write("seeds = 3").rename("studies/mine/other.toml")
    found = find(str(here / "studies" / "mine" / "other.toml"), None)
    assert (found.name, found.options) == ("mine", {"seeds": 3})


def test_a_file_in_the_working_directory_takes_its_name(here: Path) -> None:
    write("seeds = 3", ".")
    assert find("study.toml", None).name == here.name


def test_study_gives_the_name_under_which_a_file_is_run() -> None:
    write("seeds = 3")
    found = find("mine", "second-try")
    assert (found.name, found.options) == ("second-try", {"seeds": 3})


def test_study_alone_takes_the_file_of_that_name() -> None:
    write("seeds = 3")
    found = find(None, "mine")
    assert (found.name, found.options) == ("mine", {"seeds": 3})


def test_study_alone_does_not_take_the_file_of_the_default_study() -> None:
    write("seeds = 3", "studies/placement")
    assert find(None, "mine") == StudyFile("mine")


@pytest.mark.parametrize(("argument", "name"), [(None, "a/b"), (None, "-x"), ("mine", "a b")])
def test_bad_names(argument: str | None, name: str) -> None:
    write("seeds = 3")
    assert f"{name!r} cannot name a study" in refusal(argument, name)


def test_a_folder_that_cannot_name_a_study_can_still_be_run_under_a_name() -> None:
    write("seeds = 3", "studies/my study")
    assert "'my study' cannot name a study" in refusal("my study")
    assert find("my study", "mine").name == "mine"


def test_missing_study_is_told_which_one_was_meant() -> None:
    write("", "studies/placement")
    write("", "studies/notebook")
    message = refusal("placment")
    assert "there is no study 'placment'" in message
    assert str(Path("studies", "placment", "study.toml")) in message
    assert message.endswith("did you mean 'placement'?")


@pytest.mark.parametrize("argument", ["xyz", "xyz.toml", "a/b/c", "a" * 1000, "studies"])
def test_missing_study_without_a_near_miss(argument: str) -> None:
    write("", "studies/placement")
    message = refusal(argument)
    assert f"there is no study {argument!r}" in message
    assert "did you mean" not in message


@pytest.mark.parametrize(
    ("kind", "said"), [("pipe", "no file"), ("folder", "no file"), ("link", "a link that leads")]
)
@pytest.mark.parametrize("by_name", [True, False])
def test_what_is_in_the_place_of_the_file_is_not_passed_over(
    here: Path, kind: str, said: str, by_name: bool
) -> None:
    path = here / "studies" / "odd" / "study.toml"
    path.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere.toml")
    with pytest.raises(UsageError, match=f"^studies/odd/study.toml is {said}.*: remove it"):
        find(*(("odd", None) if by_name else (None, "odd")))


def test_a_name_too_long_for_a_file_is_a_bad_name() -> None:
    assert "cannot name a study" in refusal(None, "a" * 1000)


# What a file may say


def test_everything_at_once() -> None:
    path = write("""
        question = "Does it?"
        variants = ["early", "late"]
        seeds = "0-9"
        dataset = "digits"
        train_size = 100
        val_size = 10
        attention = "channel"
        channels = [8, 4]

        [training]
        epochs = 2
        batch_size = 16
        lr = 3e-4
        optimizer = "sgd"
        weight_decay = 5e-4
        augmentation = "crop-flip"

        [ranking]
        metric = "val_accuracy_final"
        alpha = 0.1
        correction = "holm"
        control = "early"
        margin = 0.5
        paired = true
        looks = [5, 10, 20]

        [run]
        workers = "auto"
        threads = 2
        device = "cpu"
        data_dir = "data"
        store = "store"
        tracking_uri = "http://localhost:5000"
    """)
    assert find("mine", None) == StudyFile(
        name="mine",
        path=path,
        question="Does it?",
        options={
            "variant": ["early", "late"],
            "seeds": "0-9",
            "dataset": "digits",
            "train_size": 100,
            "val_size": 10,
            "attention": "channel",
            "channels": "8,4",
            "epochs": 2,
            "batch_size": 16,
            "lr": 3e-4,
            "optimizer": "sgd",
            "weight_decay": 5e-4,
            "augmentation": "crop-flip",
            "metric": "val_accuracy_final",
            "alpha": 0.1,
            "correction": "holm",
            "control": "early",
            "margin": 0.5,
            "paired": True,
            "looks": "5,10,20",
            "workers": "auto",
            "threads": 2,
            "device": "cpu",
            "data_dir": "data",
            "store": "store",
            "tracking_uri": "http://localhost:5000",
        },
    )


def test_an_empty_file_says_nothing() -> None:
    path = write("")
    assert find("mine", None) == StudyFile("mine", path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", (0, 1, 2, 3, 4)),
        ('"5"', (0, 1, 2, 3, 4)),
        ('"0-2"', (0, 1, 2)),
        ('"1,4,7"', (1, 4, 7)),
        ("[1, 4, 7]", (1, 4, 7)),
        ("[5]", (5,)),
        ('["5"]', (5,)),
        ("[0]", (0,)),
        ('[1, "4-6"]', (1, 4, 5, 6)),
        ('["4-6"]', (4, 5, 6)),
    ],
)
def test_seeds_in_each_form(written: str, meant: tuple[int, ...]) -> None:
    assert parse_seeds(str(options_of(f"seeds = {written}")["seeds"])) == meant


@pytest.mark.parametrize("written", ["[]", "[-1]", "[1.5]", "[true]", "[[1, 2]]", "[1, 1]", "-1"])
def test_seeds_that_make_no_sense_are_refused_like_typed_ones(written: str) -> None:
    seeds = str(options_of(f"seeds = {written}")["seeds"])
    with pytest.raises(UsageError):
        parse_seeds(seeds)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"all"', ["all"]),
        ('"double"', ["double"]),
        ('["double"]', ["double"]),
        ('["early", "package.module:factory"]', ["early", "package.module:factory"]),
    ],
)
def test_variants_in_each_form(written: str, meant: list[str]) -> None:
    assert options_of(f"variants = {written}") == {"variant": meant}


@pytest.mark.parametrize(("written", "meant"), [("1", 1), ("1e-3", 1e-3), ("0.5", 0.5)])
def test_a_number_may_be_whole(written: str, meant: float) -> None:
    assert options_of(f"[training]\nlr = {written}") == {"lr": meant}


@pytest.mark.parametrize(("written", "meant"), [("3", 3), ('"auto"', "auto")])
def test_workers_in_each_form(written: str, meant: object) -> None:
    assert options_of(f"[run]\nworkers = {written}") == {"workers": meant}


# What a file may not say


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("attentoin = 'channel'", "attentoin", "attention"),
        ("variant = 'double'", "variant", "variants"),
        ("seed = 3", "seed", "seeds"),
        ("trainsize = 3", "trainsize", "train_size"),
        ("[trainning]\nepochs = 1", "trainning", "[training]"),
        ("[trainng]\nepochs = 1", "trainng", "[training]"),  # and not "train"
        ("[training]\nepoch = 3", "[training] epoch", "epochs"),
        ("[training]\nbatchsize = 3", "[training] batchsize", "batch_size"),
        ("[ranking]\nalpah = 0.1", "[ranking] alpah", "alpha"),
        ("[run]\ntread = 1", "[run] tread", "threads"),
        ("ranking = 5", "ranking", "[ranking]"),
    ],
)
def test_a_misspelt_key_is_told_what_was_meant(text: str, key: str, meant: str) -> None:
    path = write(text)
    message = refusal()
    assert message == f"{path}: unknown key {key!r}; did you mean {meant!r}?"


@pytest.mark.parametrize(
    ("text", "key", "where"),
    [
        ("epochs = 3", "epochs", "into [training]"),
        ("lr = 3", "lr", "into [training]"),
        ("alpha = 0.1", "alpha", "into [ranking]"),
        ("workers = 2", "workers", "into [run]"),
        ("[training]\nseeds = 3", "[training] seeds", "above all tables"),
        ("[run]\nquestion = 'x'", "[run] question", "above all tables"),
        ("[run]\nepochs = 3", "[run] epochs", "into [training]"),
        ("[ranking]\nthreads = 3", "[ranking] threads", "into [run]"),
    ],
)
def test_a_key_in_the_wrong_table_is_told_the_right_one(text: str, key: str, where: str) -> None:
    path = write(text)
    assert refusal() == f"{path}: unknown key {key!r}; it belongs {where}"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("xyz = 3", ("question", "variants", "seeds", "[training]", "[ranking]", "[run]")),
        ("[xyz]\nepochs = 3", ("question", "[training]")),
        ("[training]\nxyz = 3", ("epochs", "batch_size", "lr")),
        ('"" = 3', ("question",)),
        ('[""]\nseeds = 3', ("question",)),
    ],
)
def test_an_unknown_key_is_told_the_known_ones(text: str, known: tuple[str, ...]) -> None:
    write(text)
    message = refusal()
    assert "unknown key" in message
    for key in known:
        assert key in message


@pytest.mark.parametrize(
    ("text", "key", "wanted"),
    [
        ("question = 3", "question", "a text"),
        ("variants = 3", "variants", "a text or a list"),
        ("seeds = 1.5", "seeds", "a number, a text like '0-29' or a list"),
        ("seeds = true", "seeds", "a number, a text like '0-29' or a list"),
        ("dataset = ['cifar10']", "dataset", "a text"),
        ("train_size = 10.0", "train_size", "a whole number of at least 1"),
        ("train_size = '10'", "train_size", "a whole number of at least 1"),
        ("val_size = true", "val_size", "a whole number of at least 1"),
        ("attention = 1979-05-27", "attention", "one of spatial, channel"),
        ("channels = 64", "channels", "a list of 2 whole numbers of at least 1"),
        ("channels = '64,32'", "channels", "a list of 2 whole numbers of at least 1"),
        ("[training]\nepochs = 1.5", "[training] epochs", "a whole number of at least 1"),
        ("[training]\nlr = '1e-3'", "[training] lr", "a number above 0"),
        ("[training]\nlr = false", "[training] lr", "a number above 0"),
        ("[training]\nweight_decay = 'none'", "[training] weight_decay", "a number of at least 0"),
        ("[training]\noptimizer = 3", "[training] optimizer", "one of adam, adamw, sgd"),
        (
            "[training]\naugmentation = false",
            "[training] augmentation",
            "one of none, flip, crop, crop-flip",
        ),
        ("[training.epochs]\nx = 1", "[training] epochs", "a whole number of at least 1"),
        ("[ranking]\npaired = 1", "[ranking] paired", "true or false"),
        ("[ranking]\npaired = 'yes'", "[ranking] paired", "true or false"),
        ("[ranking]\nmargin = true", "[ranking] margin", "a number"),
        ("[ranking]\nlooks = '5,10'", "[ranking] looks", "a list of whole numbers"),
        ("[run]\nworkers = 1.5", "[run] workers", "a number or 'auto'"),
        ("[seeds]\nx = 1", "seeds", "a number, a text like '0-29' or a list"),
    ],
)
def test_a_value_of_the_wrong_kind(text: str, key: str, wanted: str) -> None:
    path = write(text)
    assert refusal().startswith(f"{path}: {key} must be {wanted}, not ")


@pytest.mark.parametrize(
    "content",
    [
        b"seeds = ",
        b"seeds 3",
        b"seeds = 3\nseeds = 4",
        b"[training\nepochs = 3",
        b'question = "two\nlines"',
        b'question = "\xff"',
        "question = 'é'".encode("latin-1"),
        b"seeds = 3\x00",
        b"\xff\xfes\x00",
        b"seeds = 1" + b"0" * 5000,
    ],
)
def test_what_is_no_toml(content: bytes) -> None:
    path = write(content)
    assert refusal().startswith(f"{path} is not valid TOML: ")


NUL = {
    'store = "a\\u0000b"': "[run] store",
    'data_dir = "\\u0000"': "[run] data_dir",
    'variants = ["double", "a\\u0000"]': "[run] variants",
    '"x\\u0000" = 1': r"[run] x\0",
    '[tuning]\nstorage = "a\\u0000"': "[tuning] storage",
    '[arms.a]\nname = "\\u0000"': "[arms.a] name",
}


@pytest.mark.parametrize("line", NUL)
def test_a_character_that_no_path_can_hold_is_told(here: Path, line: str) -> None:
    (here / "nul.toml").write_text(f"[run]\n{line}\n")
    assert f"nul.toml: {NUL[line]} holds the character U+0000" in refusal("nul.toml")


@pytest.mark.parametrize(
    "line", ['code = ["a\\u0000"]', 'train = "fn\\u0000:a"', 'command = "a\\u0000"']
)
def test_the_same_above_all_tables(here: Path, line: str) -> None:
    (here / "nul.toml").write_text(line)
    assert "holds the character U+0000" in refusal("nul.toml")


def test_a_file_with_a_byte_order_mark_is_read():
    write(b"\xef\xbb\xbfseeds = 3\n")
    assert find("mine", None).options["seeds"] == 3


@pytest.mark.parametrize("question", ["a\nb", 'a "b" \\ c', "\x7f\t\x01", "größer?"])
def test_a_new_study_asks_what_it_was_told(question):
    new_study("fresh", question)
    assert find("fresh", None).question == question
