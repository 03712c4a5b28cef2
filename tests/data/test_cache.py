"""The cache of decoded images: used when it is right, made again when it is not."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from attnstudy.errors import DataError
from attnstudy.trainings.placement import data
from attnstudy.trainings.placement.data import Dataset, ImageSet
from tests.data.image_folders import encoded, pixels_of, write_shard
from tests.waiting import PATIENCE, wait_for

Refusal = Callable[..., str]
FILES = ["train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "meta.json"]


@pytest.fixture(autouse=True)
def no_warning_goes_unnoticed():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def no_decoding(monkeypatch) -> Callable[[], None]:
    """Make decoding an image impossible from now on."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was decoded")

    return lambda: monkeypatch.setattr(PIL.Image, "open", refuse)


def assert_same(one: Dataset, other: Dataset) -> None:
    for split in ("train", "test"):
        np.testing.assert_array_equal(getattr(one, split).images, getattr(other, split).images)
        np.testing.assert_array_equal(getattr(one, split).labels, getattr(other, split).labels)
    assert one.digest == other.digest
    assert one.class_names == other.class_names
    assert one.normalisation == other.normalisation
    assert one.default_val_size == other.default_val_size
    assert one.image_shape == other.image_shape


def test_second_load_decodes_nothing(folder: Path, cache: Path, no_decoding) -> None:
    first, place = data.load(str(folder), cache)
    no_decoding()
    second, again = data.load(str(folder), cache)
    assert place == again
    assert place.is_relative_to(cache)
    assert_same(first, second)
    assert_same(first, data.open_decoded(place))


def test_the_guard_of_these_tests_works(folder: Path, cache: Path, no_decoding) -> None:
    no_decoding()
    with pytest.raises((DataError, AssertionError), match="an image was decoded"):
        data.load(str(folder), cache)


def test_a_copy_elsewhere_is_the_same_dataset(folder: Path, cache: Path, no_decoding) -> None:
    _, place = data.load(str(folder), cache)
    copy = folder.rename(folder.with_name("another name"))
    no_decoding()
    assert data.load(str(copy), cache)[1] == place


def test_another_file_of_the_same_name_is_another_dataset(folder: Path, cache: Path) -> None:
    first, place = data.load(str(folder), cache)
    write_shard(folder / "test-00000-of-00001.parquet", [encoded(pixels_of(7))], [0])
    second, elsewhere = data.load(str(folder), cache)
    assert place != elsewhere
    assert first.digest != second.digest
    assert len(second.test) == 1


def test_a_shard_that_changes_its_split_makes_another_dataset(folder: Path, cache: Path) -> None:
    write_shard(folder / "test-00001-of-00001.parquet", [encoded(pixels_of(7))] * 2, [0, 1])
    first, place = data.load(str(folder), cache)
    (folder / "test-00000-of-00001.parquet").rename(folder / "train-00001-of-00001.parquet")
    second, elsewhere = data.load(str(folder), cache)
    assert place != elsewhere
    assert (len(first.train), len(first.test)) == (20, 8)
    assert (len(second.train), len(second.test)) == (26, 2)


def test_arrays_can_be_handed_to_torch(folder: Path, cache: Path) -> None:
    dataset, _ = data.load(str(folder), cache)
    before = dataset.digest
    tensor = torch.from_numpy(dataset.train.images)
    tensor[0] = 0
    assert data.load(str(folder), cache)[0].digest == before, "the file must not change with it"


# Damage


def load_copy(folder: Path, cache: Path) -> tuple[Dataset, Path]:
    """Load a dataset and copy it, because what is loaded shows what is done to its files."""
    dataset, place = data.load(str(folder), cache)
    train, test = (
        ImageSet(part.images.copy(), part.labels.copy()) for part in (dataset.train, dataset.test)
    )
    return dataclasses.replace(dataset, train=train, test=test), place


def flipped(path: Path, position: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(position * (len(content) - 1))] ^= 4
    path.write_bytes(content)


def shortened(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "first bit flip": lambda path: flipped(path, 0),
    "early bit flip": lambda path: flipped(path, 0.3),
    "late bit flip": lambda path: flipped(path, 0.8),
    "last byte": lambda path: flipped(path, 0.99),
    "a little short": lambda path: shortened(path, 0.99),
    "half": lambda path: shortened(path, 0.5),
    "start only": lambda path: shortened(path, 0.02),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "other content": lambda path: path.write_bytes(b"[]"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_and_repaired(
    folder: Path, cache: Path, no_decoding, damage: str, name: str
) -> None:
    whole, place = load_copy(folder, cache)
    kept = {path.name: path.read_bytes() for path in place.iterdir()}
    DAMAGE[damage](place / name)
    with pytest.warns(UserWarning, match="damaged") as told:
        repaired, again = data.load(str(folder), cache)
    assert len(told) == 1
    assert str(place) in str(told[0].message)
    assert "decoding again" in str(told[0].message)
    assert again == place
    assert_same(repaired, whole)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == kept
    assert [path.name for path in place.parent.iterdir()] == [place.name], "nothing else is left"
    no_decoding()
    assert_same(data.load(str(folder), cache)[0], whole)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("default_val_size", 5),
        ("class_names", ["x", "y", "z"]),
        ("mean", [0.5, 0.5, 0.5]),
        ("digest", "0" * 32),
    ],
)
def test_facts_that_were_altered_are_noticed(
    folder: Path, cache: Path, key: str, value: object
) -> None:
    whole, place = load_copy(folder, cache)
    text = (place / "meta.json").read_text(encoding="utf-8")
    meta = json.loads(text)
    holder = meta if key in meta else meta["content"]
    assert holder[key] != value
    holder[key] = value
    (place / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    with pytest.warns(UserWarning, match="damaged"):
        repaired, _ = data.load(str(folder), cache)
    assert_same(repaired, whole)


@pytest.mark.parametrize("name", FILES)
def test_opening_without_a_check_still_notices_a_missing_file(
    folder: Path, cache: Path, name: str
) -> None:
    _, place = data.load(str(folder), cache)
    (place / name).unlink()
    with pytest.raises(DataError, match="not a complete cache"):
        data.open_decoded(place)


def test_damage_that_cannot_be_removed_is_not_read(folder: Path, cache: Path, monkeypatch) -> None:
    _, place = data.load(str(folder), cache)
    flipped(place / "train_images.npy", 0.8)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    for name in ("rename", "replace", "rmdir", "unlink", "remove"):
        monkeypatch.setattr(os, name, refuse)
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(DataError) as caught:
        data.load(str(folder), cache)
    assert "Permission denied" in str(caught.value)
    assert "--data-dir" in str(caught.value)


# Places that cannot be written


@pytest.mark.parametrize("in_place", ["", "decoded"])
def test_a_file_in_place_of_the_cache(folder: Path, cache: Path, in_place: str) -> None:
    file = cache / in_place
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        data.load(str(folder), cache)
    message = str(caught.value)
    assert f"cannot be kept in {cache / 'decoded'}" in message
    assert "--data-dir" in message
    assert "\n" not in message
    assert "None" not in message
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), OSError("96 requested and 32 written")],
    ids=["no space", "a short write"],
)
@pytest.mark.parametrize("fails_at", [1, 2, 4])
def test_a_full_disk_leaves_nothing_behind(
    folder: Path, refusal: Refusal, monkeypatch, fails_at: int, error: OSError
) -> None:
    save, calls = np.save, []

    def fill(*arguments: Any, **named: Any) -> None:
        calls.append(1)
        save(*arguments, **named)
        if len(calls) == fails_at:
            raise error

    monkeypatch.setattr(np, "save", fill)
    message = refusal(folder)
    assert (error.strerror or str(error)) in message
    assert "make room there, or choose another folder with --data-dir" in message


def test_an_interruption_leaves_nothing_behind(folder: Path, cache: Path, monkeypatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.load(str(folder), cache)
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    assert len(data.load(str(folder), cache)[0].train) == 20


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_others_may_read_what_the_umask_allows(folder: Path, cache: Path) -> None:
    before = os.umask(0o022)
    try:
        _, place = data.load(str(folder), cache)
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o644}


# Several processes

LOAD = """
import sys, time, warnings
from pathlib import Path
from attnstudy.trainings.placement import data

warnings.simplefilter("error")
folder, cache, ready, go = map(Path, sys.argv[1:])
ready.touch()
while not go.exists():
    time.sleep(0.001)
dataset, place = data.load(str(folder), cache)
print(dataset.digest, place, int(dataset.train.images.astype(int).sum()))
"""


def test_processes_at_once_on_a_fresh_cache(folder: Path, cache: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    ready = [tmp_path / f"ready-{number}" for number in range(2)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD, folder, cache, mark, go],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for mark in ready
    ]  # fmt: skip
    wait_for(lambda: all(mark.exists() for mark in ready))
    go.touch()
    answers = [child.communicate(timeout=PATIENCE) for child in children]
    assert [child.returncode for child in children] == [0, 0], answers
    dataset, place = data.load(str(folder), cache)
    expected = f"{dataset.digest} {place} {int(dataset.train.images.astype(int).sum())}"
    assert {out.strip() for out, _ in answers} == {expected}
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_process_that_was_slower_takes_what_is_there(
    folder: Path, cache: Path, monkeypatch
) -> None:
    expected, place = data.load(str(folder), cache)
    (aside := place.with_name("aside")).mkdir()
    place.rename(aside / "kept")
    save = np.save

    def save_while_another_finishes(*arguments: Any, **named: Any) -> None:
        save(*arguments, **named)
        if not place.exists():
            (aside / "kept").rename(place)

    monkeypatch.setattr(np, "save", save_while_another_finishes)
    dataset, again = data.load(str(folder), cache)
    assert again == place
    assert_same(dataset, expected)
    assert sorted(path.name for path in place.parent.iterdir()) == sorted(["aside", place.name])
