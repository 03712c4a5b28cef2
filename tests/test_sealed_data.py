"""A search sees no test image: not in memory, not in its folder, not through any number."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from attnstudy.errors import DataError
from attnstudy.executors import Inline
from attnstudy.running.jobs import Job
from attnstudy.running.worker import train_together
from attnstudy.trainings.placement import data, training_runs
from attnstudy.trainings.placement.declaration import Placement
from attnstudy.trainings.placement.finalizing import finalize_sealed
from tests.data.image_folders import encoded, write_shard
from tests.tuning import numbers, space, tune, tuned_folders

SMALL = (
    "--dataset", "images", "--train-size", "120", "--val-size", "40", "--epochs", "1",
    "--channels", "4,4", "--batch-size", "32", "--seeds", "3", "--executor", "inline",
    "--variant", "vanilla", "--trials", "2", "--seeds-per-trial", "1", "--data-dir", "cache",
)  # fmt: skip


@pytest.fixture
def images(workplace: Path) -> Path:
    """A folder of images in two classes that a small net can tell apart."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 160), ("test", 40)):
        labels = [int(label) for label in rng.integers(0, 2, count)]
        pixels = [
            (rng.integers(0, 120, (8, 8, 3)) + 100 * label).astype(np.uint8) for label in labels
        ]
        path = workplace / "images" / f"{split}-0.parquet"
        write_shard(path, [encoded(image) for image in pixels], labels)
    space("lr = [3e-3, 1e-2]")
    return workplace / "images"


def test_neither_the_object_nor_the_folder_holds_a_test_image(digits, data_dir):
    sealed, folder = data.load_training("digits", data_dir)
    assert not hasattr(sealed, "test")
    assert sealed.test_images == 0
    arrays = {path.name: np.load(path) for path in folder.glob("*.npy")}
    assert set(arrays) == {"train_images.npy", "train_labels.npy"}
    # nor under another name: no file is large enough to hold more than the training images
    held = sum(path.stat().st_size for path in folder.iterdir())
    assert held < sum(array.nbytes for array in arrays.values()) + 4096
    assert np.array_equal(arrays["train_images.npy"], digits.train.images)
    test = {image.tobytes() for image in digits.test.images}
    assert not test & {image.tobytes() for image in arrays["train_images.npy"]}
    with pytest.raises(DataError, match="is not a complete cache"):
        data.open_decoded(folder)  # so nobody can score from there


def test_what_is_known_without_the_test_images_is_the_same(digits, data_dir):
    sealed, _ = data.load_training("digits", data_dir)
    assert sealed.digest == digits.sealed().digest
    assert sealed.digest != digits.digest
    assert sealed.normalisation == digits.normalisation
    assert sealed.class_names == digits.class_names
    assert sealed.sizes(None, None) == digits.sizes(None, None)


def test_a_worker_of_a_search_is_given_nothing_but_that(
    digits_folder, make_spec, tmp_path, monkeypatch
):
    """It cannot even be handed the whole: what it opens reads the training arrays alone."""
    opened = data.open_training(digits_folder)
    assert type(opened) is data.TrainingData
    ended = []

    def sealed(run, trained):
        ended.append(run)
        return finalize_sealed(run, trained)

    def scored(*given):
        raise AssertionError("a run of a search was scored on test images")

    monkeypatch.setattr(training_runs, "finalize_sealed", sealed)
    monkeypatch.setattr(training_runs, "finalize", scored)
    job = Job(
        spec=make_spec(), folder=tmp_path / "run", place=digits_folder, sealed=True, device="cpu",
        threads=1, code_revision="",
    )  # fmt: skip
    events = list(Inline().execute([[job]], train_together))
    assert type(events[-1]).__name__ == "Finished", events
    (run,) = ended
    assert run.tuning
    assert type(run.data) is data.TrainingData
    assert not {"test_accuracy", "test_loss"} & set(run.folder.result().metrics)
    whole = data.open_decoded(digits_folder)
    with pytest.raises(TypeError, match="was given test images"):
        Placement().open(digits_folder, whole, sealed=True)


@pytest.mark.parametrize("harm", ["deleted", "garbage", "other images"])
def test_whatever_becomes_of_the_test_images_the_search_comes_to_the_same(harm, cli, images):
    answer, first = tune(cli, settings=SMALL)
    assert answer.code == 0, answer.err
    runs_before = {folder.path.name for folder in tuned_folders()}
    for used in ("mlruns/runs", "cache", "studies/placement/tuning.journal"):
        path = Path(used)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    test = images / "test-0.parquet"
    if harm == "deleted":
        test.unlink()
    elif harm == "garbage":
        test.write_bytes(b"nothing that can be read")
    else:
        shutil.copy(images / "train-0.parquet", test)
    answer, second = tune(cli, settings=SMALL)
    assert answer.code == 0, answer.err
    assert numbers(second) == numbers(first)
    assert {folder.path.name for folder in tuned_folders()} == runs_before


def test_when_the_decoded_test_images_are_damaged_the_search_does_not_notice(cli, images):
    data.load("images", Path("cache"))  # as a run of the study would
    for path in Path("cache").glob("decoded/*/test_images.npy"):
        path.write_bytes(b"damaged")
    answer, _ = tune(cli, settings=SMALL)
    assert answer.code == 0
    assert "damaged" not in answer.err
