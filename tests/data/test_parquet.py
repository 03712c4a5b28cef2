"""Folders of parquet files: every form they come in, and every way in which one is bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnstudy.trainings.placement import data
from attnstudy.trainings.placement.data import Dataset
from attnstudy.trainings.placement.data.parquet import read_parquet
from tests.data.image_folders import encoded, pixels_of, write_shard

HUNDRED = [str(number) for number in range(100)]
Refusal = Callable[..., str]
Change = Callable[[Path], Path]

CIFAR10_NAMES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip


def first_of(folder: Path, split: str = "train") -> Path:
    return folder / f"{split}-00000-of-00001.parquet"


def stored(pixels: np.ndarray) -> np.ndarray:
    """Pixels as a dataset holds them, (C, H, W)."""
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def assert_holds(dataset: Dataset, split: str, numbers: list[int], labels: list[int], **of) -> None:
    part = getattr(dataset, split)
    expected = np.stack([stored(pixels_of(number, **of)) for number in numbers])
    assert part.images.dtype == np.uint8
    np.testing.assert_array_equal(part.images, expected)
    np.testing.assert_array_equal(part.labels, labels)


# Good folders


@pytest.mark.parametrize("struct", [True, False], ids=["struct", "bytes"])
@pytest.mark.parametrize("column", ["img", "image"])
@pytest.mark.parametrize("depth", [1, 3], ids=["grey", "rgb"])
def test_images_and_labels_come_as_they_were_written(
    tmp_path: Path, cache: Path, depth: int, column: str, struct: bool
) -> None:
    for split, numbers in {"train": range(20), "test": range(100, 106)}.items():
        write_shard(
            first_of(tmp_path, split),
            [encoded(pixels_of(number, depth)) for number in numbers],
            [number % 3 for number in numbers],
            column=column,
            struct=struct,
        )
    dataset, _ = data.load(str(tmp_path), cache)
    assert dataset.image_shape == (depth, 8, 8)
    assert dataset.class_names == ("0", "1", "2")
    assert_holds(dataset, "train", [*range(20)], [n % 3 for n in range(20)], depth=depth)
    assert_holds(dataset, "test", [*range(100, 106)], [1, 2, 0, 1, 2, 0], depth=depth)


def test_packaging_does_not_change_the_digest(tmp_path: Path) -> None:
    packagings: list[dict[str, Any]] = [
        {},
        {"column": "image"},
        {"struct": False},
        {"row_group": 2},
        {"features": {"names": ["a", "b"]}},
    ]
    digests = set()
    for number, options in enumerate(packagings):
        for split in ("train", "test"):
            images = [encoded(pixels_of(n)) for n in range(6)]
            write_shard(first_of(tmp_path / str(number), split), images, [0, 1] * 3, **options)
        digests.add(read_parquet(tmp_path / str(number)).digest)
    assert len(digests) == 1


def test_digest_follows_pixels_labels_order_and_classes(tmp_path: Path) -> None:
    def digest(name: str, numbers: list[int], labels: list[int], split: str = "train") -> str:
        folder = tmp_path / name
        other = "test" if split == "train" else "train"
        write_shard(first_of(folder, split), [encoded(pixels_of(n)) for n in numbers], labels)
        write_shard(first_of(folder, other), [encoded(pixels_of(9))] * 2, [0, 1])
        return read_parquet(folder).digest

    digests = [
        digest("one", [1, 2, 3, 4], [0, 1, 0, 1]),
        digest("pixels", [1, 2, 3, 5], [0, 1, 0, 1]),
        digest("labels", [1, 2, 3, 4], [0, 1, 1, 1]),
        digest("order", [2, 1, 3, 4], [1, 0, 0, 1]),
        digest("classes", [1, 2, 3, 4], [0, 1, 0, 2]),
        digest("fewer", [1, 2, 3], [0, 1, 0]),
        digest("test", [1, 2, 3, 4], [0, 1, 0, 1], "test"),
    ]
    assert len(set(digests)) == len(digests)


def test_shards_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    shards = {"00002": [4], "00000": [0, 1], "00001": [2, 3]}
    for name, numbers in shards.items():
        images = [encoded(pixels_of(number)) for number in numbers]
        write_shard(tmp_path / f"train-{name}-of-00003.parquet", images, [n % 2 for n in numbers])
    write_shard(first_of(tmp_path, "test"), [encoded(pixels_of(9))], [0])
    write_shard(tmp_path / "validation-0.parquet", [encoded(pixels_of(9))], [0])
    dataset = read_parquet(tmp_path)
    assert_holds(dataset, "train", [0, 1, 2, 3, 4], [0, 1, 0, 1, 0])
    assert len(dataset.test) == 1


def test_an_empty_shard_among_others_is_no_fault(folder: Path) -> None:
    write_shard(folder / "train-00000-of-00000.parquet", [], pa.array([], pa.int64()))
    assert len(read_parquet(folder).train) == 20


def test_many_rows(tmp_path: Path) -> None:
    for split in ("train", "test"):
        images = [encoded(pixels_of(n, 1, 2, 2), "PPM") for n in range(2500)]
        write_shard(first_of(tmp_path, split), images, [n % 7 for n in range(2500)], row_group=900)
    seen: list[tuple[int, int]] = []
    dataset = read_parquet(tmp_path, lambda done, total: seen.append((done, total)))
    assert_holds(dataset, "train", [*range(2500)], [n % 7 for n in range(2500)],
                 depth=1, height=2, width=2)  # fmt: skip
    assert [total for _, total in seen] == [5000] * len(seen)
    done = [count for count, _ in seen]
    assert done == sorted(set(done))
    assert done[-1] == 5000


@pytest.mark.parametrize(
    ("form", "mode", "depth"),
    [
        ("PNG", "1", 1), ("PNG", "P", 3), ("PNG", "RGBA", 3), ("PNG", "LA", 3), ("BMP", None, 3),
        ("JPEG", None, 3), ("JPEG", "L", 1), ("JPEG", "CMYK", 3), ("WEBP", None, 3),
    ],
)  # fmt: skip
def test_usual_kinds_of_images(tmp_path: Path, form: str, mode: str | None, depth: int) -> None:
    smooth = np.full((8, 8, 3), 90, np.uint8)
    for split in ("train", "test"):
        write_shard(first_of(tmp_path, split), [encoded(smooth, form, mode)] * 2, [0, 1])
    dataset = read_parquet(tmp_path)
    assert dataset.image_shape == (depth, 8, 8)
    if mode not in ("1", "P"):  # which keep few colours
        assert np.abs(dataset.train.images.astype(int) - 90).max() <= 6


def test_grey_among_colour_becomes_colour(tmp_path: Path) -> None:
    images = [encoded(pixels_of(0)), encoded(pixels_of(1, 1))]
    for split in ("train", "test"):
        write_shard(first_of(tmp_path, split), images, [0, 1])
    grey = pixels_of(1, 1)
    np.testing.assert_array_equal(read_parquet(tmp_path).train.images[1], np.stack([grey] * 3))


@pytest.mark.parametrize(
    ("labels", "features", "names"),
    [
        ([0, 1], None, ["0", "1"]),
        ([0, 1], {"names": ["cat", "dog"], "_type": "ClassLabel"}, ["cat", "dog"]),
        ([0, 1], {"names": ["cat", "dog", "emu"]}, ["cat", "dog", "emu"]),
        ([0, 1], {"dtype": "int64", "_type": "Value"}, ["0", "1"]),
        ([0, 1], {"names": []}, ["0", "1"]),
        ([0, 1], {"names": 3}, ["0", "1"]),
        ([0, 1], [], ["0", "1"]),
        ([0, 99], None, HUNDRED),
        ([0, 99], {"names": HUNDRED[::-1]}, HUNDRED[::-1]),
        ([0, 0], None, ["0"]),
    ],
    ids=["2", "2 named", "unused", "no class label", "no names", "a number", "a list", "100",
         "100 named", "1"],
)  # fmt: skip
def test_classes(tmp_path: Path, labels: list[int], features: object, names: list[str]) -> None:
    for split in ("train", "test"):
        images = [encoded(pixels_of(n)) for n in (0, 1)]
        write_shard(first_of(tmp_path, split), images, labels, features=features)
    dataset = read_parquet(tmp_path)
    assert list(dataset.class_names) == names
    assert dataset.num_classes == len(names)


@pytest.mark.parametrize("metadata", [b"{", b"[]", b"null", b"\xff", b'{"info": {}}'])
def test_metadata_of_another_kind_is_passed_over(folder: Path, metadata: bytes) -> None:
    for split in ("train", "test"):
        table = pq.read_table(first_of(folder, split))
        table = table.replace_schema_metadata({"huggingface": metadata})
        pq.write_table(table, first_of(folder, split))
    assert read_parquet(folder).class_names == ("0", "1", "2")


# Normalisation


def written(folder: Path, depth: int, size: int, names: list[str] | None, images: int = 12) -> Path:
    for split in ("train", "test"):
        write_shard(
            first_of(folder, split),
            [encoded(pixels_of(number, depth, size, size)) for number in range(images)],
            [number % 2 for number in range(images)],
            features={"names": names} if names else None,
        )
    return folder


def test_cifar10_gets_the_constants_of_the_notebook(tmp_path: Path) -> None:
    normalisation = read_parquet(written(tmp_path, 3, 32, CIFAR10_NAMES)).normalisation
    assert normalisation.scale == 255
    assert normalisation.mean == (0.4914, 0.4822, 0.4465)
    assert normalisation.std == (0.2023, 0.1994, 0.2010)


@pytest.mark.parametrize(
    ("depth", "size", "names"),
    [
        (3, 32, None),
        (3, 32, [*CIFAR10_NAMES[:-1], "lorry"]),
        (3, 32, CIFAR10_NAMES[::-1]),
        (3, 16, CIFAR10_NAMES),
        (1, 32, CIFAR10_NAMES),
    ],
)
def test_others_get_mean_and_sd_of_their_training_images(
    tmp_path: Path, depth: int, size: int, names: list[str] | None
) -> None:
    dataset = read_parquet(written(tmp_path, depth, size, names))
    training = dataset.train.images[: -dataset.default_val_size] / 255
    assert dataset.normalisation.scale == 255
    assert dataset.normalisation.mean == pytest.approx(training.mean(axis=(0, 2, 3)), rel=1e-12)
    assert dataset.normalisation.std == pytest.approx(training.std(axis=(0, 2, 3)), rel=1e-12)


def test_a_channel_of_one_value_is_not_divided_by_zero(tmp_path: Path) -> None:
    pixels = pixels_of(0)
    pixels[:, :, 1] = 77
    for split in ("train", "test"):
        write_shard(first_of(tmp_path, split), [encoded(pixels)] * 4, [0, 1, 0, 1])
    dataset = read_parquet(tmp_path)
    assert dataset.normalisation.mean[1] == 77 / 255
    assert dataset.normalisation.std[1] == 1


@pytest.mark.parametrize(
    ("images", "validation"), [(1, 1), (2, 1), (9, 1), (10, 1), (19, 1), (20, 2), (35, 3)]
)
def test_validation_is_a_tenth_and_at_least_one_image(
    tmp_path: Path, images: int, validation: int
) -> None:
    dataset = read_parquet(written(tmp_path, 1, 2, None, images))
    assert dataset.default_val_size == validation
    assert np.isfinite(dataset.normalisation.mean).all()
    assert np.isfinite(dataset.normalisation.std).all()


# Bad folders: what is wrong is done to a good one, and the file that must be named is returned


def missing_split(folder: Path, split: str) -> Path:
    first_of(folder, split).unlink()
    return folder


def truncated(folder: Path, keep: float) -> Path:
    path = first_of(folder)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    return path


def replaced(folder: Path, content: bytes, split: str = "train") -> Path:
    path = first_of(folder, split)
    path.write_bytes(content)
    return path


def corrupted(folder: Path, position: float) -> Path:
    """Overwrite a twentieth of the file with noise."""
    path = first_of(folder)
    content = bytearray(path.read_bytes())
    start, length = int(position * len(content)), len(content) // 20
    content[start : start + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(content)
    return path


def rewritten(folder: Path, images: list, labels: list, split: str = "train", **options) -> Path:
    return write_shard(first_of(folder, split), images, labels, **options)


def with_image(folder: Path, image: object, split: str = "train") -> Path:
    """The third image of a split is replaced."""
    images = [encoded(pixels_of(number)) for number in range(5)]
    images[2] = image
    return rewritten(folder, images, [0, 1, 2, 0, 1], split)


def with_label(folder: Path, label: object, split: str = "train", **options) -> Path:
    """The third label of a split is replaced."""
    images = [encoded(pixels_of(number)) for number in range(5)]
    return rewritten(folder, images, [0, 1, label, 0, 1], split, **options)


def directory_in_place(folder: Path) -> Path:
    first_of(folder).unlink()
    first_of(folder).mkdir()
    return first_of(folder)


GOOD = [encoded(pixels_of(number)) for number in range(4)]
GREY = [encoded(pixels_of(number, 1)) for number in range(4)]
HALF = encoded(pixels_of(3), "JPEG")[:350]
DEEP = encoded(pixels_of(0, 1).astype(np.uint16) * 257)
NAMED = {"names": ["cat", "dog", "emu"]}

BAD: dict[str, tuple[Change, str]] = {
    "no training file": (lambda f: missing_split(f, "train"), "no train-*.parquet"),
    "no test file": (lambda f: missing_split(f, "test"), "no test-*.parquet"),
    "half a file": (lambda f: truncated(f, 0.5), "truncated or corrupted"),
    "nearly a whole file": (lambda f: truncated(f, 0.99), "truncated or corrupted"),
    "empty file": (lambda f: replaced(f, b""), "truncated or corrupted"),
    "empty test file": (lambda f: replaced(f, b"", "test"), "truncated or corrupted"),
    "another format": (lambda f: replaced(f, b"PK\3\4 no parquet"), "truncated or corrupted"),
    "noise at the end": (lambda f: corrupted(f, 0.95), "truncated or corrupted"),
    "noise near the end": (lambda f: corrupted(f, 0.9), "truncated or corrupted"),
    "a folder for a file": (directory_in_place, "cannot be read"),
    "no image column": (lambda f: rewritten(f, GOOD, [0, 1, 2, 0], column="picture"),
                        "no column img or image: it has 'picture', 'label'"),
    "no label column": (lambda f: rewritten(f, GOOD, [0, 1, 2, 0], label_column="fine_label"),
                        "no column label: it has 'img', 'fine_label'"),
    "no label in test": (lambda f: rewritten(f, GOOD, [0, 1, 2, 0], "test", label_column="x"),
                         "no column label"),
    "texts for images": (lambda f: rewritten(f, ["a.png"] * 4, [0, 1, 2, 0], struct=False),
                         "row 0 holds no image bytes"),
    "numbers for images": (lambda f: rewritten(f, [[1, 2]] * 4, [0, 1, 2, 0], struct=False),
                           "row 0 holds no image bytes"),
    "null image": (lambda f: with_image(f, None), "row 2 holds no image bytes"),
    "null image in test": (lambda f: with_image(f, None, "test"), "row 2 holds no image bytes"),
    "no bytes": (lambda f: with_image(f, b""), "the image in row 2 cannot be read"),
    "no image": (lambda f: with_image(f, b"nonsense"),
                 "the image in row 2 cannot be read: its format is not recognised"),
    "half an image": (lambda f: with_image(f, HALF), "the image in row 2 cannot be read"),
    "half an image in test": (lambda f: with_image(f, HALF, "test"),
                              "the image in row 2 cannot be read"),
    "16 bits a pixel": (lambda f: with_image(f, DEEP), "row 2 has more than 8 bits"),
    "not square": (lambda f: rewritten(f, [encoded(pixels_of(0, 3, 8, 9))] * 2, [0, 1]),
                   "row 0 is 9x8 pixels: images must be square"),
    "two sizes": (lambda f: with_image(f, encoded(pixels_of(2, 3, 9, 9))),
                  "row 2 is 9x9 pixels but the first image is 8x8"),
    "not square later": (lambda f: with_image(f, encoded(pixels_of(2, 3, 8, 9))),
                         "row 2 is 9x8 pixels but the first image is 8x8"),
    "two sizes in test": (lambda f: with_image(f, encoded(pixels_of(2, 3, 9, 9)), "test"),
                          "row 2 is 9x9 pixels but the first image is 8x8"),
    "null label": (lambda f: with_label(f, None), "row 2 has no label"),
    "null label in test": (lambda f: with_label(f, None, "test"), "row 2 has no label"),
    "negative label": (lambda f: with_label(f, -1), "label -1 of row 2 is out of range"),
    "negative in test": (lambda f: with_label(f, -7, "test"), "label -7 of row 2 is out of range"),
    "unknown in test": (lambda f: with_label(f, 3, "test"),
                        "label 3 of row 2 is out of range: labels are whole numbers from 0 to 2"),
    "beyond the names": (lambda f: with_label(f, 3, features=NAMED),
                         "label 3 of row 2 is out of range: labels are whole numbers from 0 to 2"),
    "an enormous label": (lambda f: with_label(f, 2**62), "of row 2 is out of range"),
    "no rows": (lambda f: rewritten(f, [], pa.array([], pa.int64())), "holds no image"),
    "no rows in test": (lambda f: rewritten(f, [], pa.array([], pa.int64()), "test"),
                        "holds no image"),
    "text labels": (lambda f: rewritten(f, GOOD, ["cat", "dog", "cat", "dog"]), "label 'cat'"),
    "real labels": (lambda f: rewritten(f, GOOD, [0.0, 1.0, 0.0, 1.0]), "label 0.0"),
    "vast labels": (lambda f: rewritten(f, GOOD, pa.array([2**63] * 4, pa.uint64())), "row 0"),
    "colour among grey": (lambda f: rewritten(f, [*GREY, GOOD[0]], [0, 1, 2, 0, 1]),
                          "row 4 is in colour (RGB) but the first image is grey"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_bad_folders(folder: Path, refusal: Refusal, fault: str) -> None:
    change, said = BAD[fault]
    at_fault = change(folder)
    message = refusal(folder)
    assert message.startswith(str(at_fault))
    assert said in message
    assert " object at 0x" not in message


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("images", "label", "said"),
    [
        ([GOOD[0]], 7, "label 7 of row 0 is out of range"),
        ([GOOD[0]], None, "row 0 has no label"),
        ([b"nonsense"], 0, "the image in row 0 cannot be read"),
    ],
)
def test_the_shard_at_fault_is_the_one_named(
    folder: Path, refusal: Refusal, images: list[bytes], label: int | None, said: str, split: str
) -> None:
    if split == "train":  # without names, every label of the training file is one
        rewritten(folder, GOOD, [0, 1, 2, 0], features=NAMED)
    second = write_shard(
        folder / f"{split}-00001-of-00001.parquet", images, pa.array([label], pa.int64())
    )
    message = refusal(folder)
    assert message.startswith(f"{second}: ")
    assert said in message


def test_colour_in_test_of_a_grey_dataset(folder: Path, refusal: Refusal) -> None:
    rewritten(folder, GREY, [0, 1, 2, 0])
    message = refusal(folder)
    assert message.startswith(f"{first_of(folder, 'test')}: row 0 is in colour")


@pytest.mark.parametrize("name", [b"0.png", b"label"], ids=["of an image", "of a column"])
def test_a_name_inside_that_is_no_text(folder: Path, refusal: Refusal, name: bytes) -> None:
    path = first_of(folder)
    content = path.read_bytes()
    assert name in content
    path.write_bytes(content.replace(name, b"\xff" + name[1:]))
    assert refusal(folder).startswith(f"{path} is not a readable parquet file")


@pytest.mark.parametrize("name", ["nowhere", "cifar-10", "digit", "a/b"])
def test_a_folder_that_is_not_there(
    tmp_path: Path, monkeypatch, refusal: Refusal, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(name)
    assert message.startswith(f"there is no dataset {name!r}")
    for way_out in ("train-*.parquet", "test-*.parquet", "'cifar10'", "'digits'"):
        assert way_out in message


def test_a_file_in_place_of_a_folder(folder: Path, refusal: Refusal) -> None:
    message = refusal(first_of(folder))
    assert f"there is no dataset {str(first_of(folder))!r}: name a folder" in message


def test_every_truncation_is_noticed(folder: Path, refusal: Refusal) -> None:
    path = first_of(folder)
    content = path.read_bytes()
    for length in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:length])
        assert refusal(folder).startswith(str(path))
