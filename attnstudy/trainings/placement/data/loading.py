"""Loading a dataset by name: decoded once, then read from a cache that is checked every time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np

from attnstudy.errors import DataError, StoreError, cause
from attnstudy.files import read_sealed, write_sealed
from attnstudy.trainings.placement.data.images import (
    Dataset,
    ImageSet,
    Normalisation,
    TrainingData,
    content_digest,
)

DECODER_VERSION = 1  # raise it when decoding gives other arrays
_TRAIN, _TEST = ("train_images", "train_labels"), ("test_images", "test_labels")
_META = "meta.json"
Progress = Callable[[int, int], None]
D = TypeVar("D", bound=TrainingData)


def default_data_dir() -> Path:
    """Return where downloads and decoded images go when nobody says otherwise."""
    from platformdirs import user_cache_path  # not on a machine that only trains

    return user_cache_path("attnstudy")


def load(
    name: str, data_dir: Path, *, download: bool = True, progress: Progress | None = None
) -> tuple[Dataset, Path]:
    """Return a dataset and the cache folder that holds it decoded.

    Args:
        name: ``cifar10``, ``digits``, or the path of a folder of parquet files.
        data_dir: where downloads and decoded images are kept.
        download: whether the official archive may be fetched.
        progress: called with images decoded and their total, while a folder is decoded.

    Raises:
        DataError: one sentence that names the file at fault. Nothing half-written stays.

    """
    key, read = _source(name, data_dir, download, progress)
    return _cached(data_dir / "decoded" / key, read, open_decoded)


def load_training(
    name: str, data_dir: Path, *, download: bool = True, progress: Progress | None = None
) -> tuple[TrainingData, Path]:
    """Return a dataset without its test images, and the cache folder that holds nothing else.

    Takes and raises what ``load`` does. The test images need not be there, nor be whole: neither
    what is returned nor the folder depends on them.
    """
    key, read = _training_source(name, data_dir, download, progress)
    return _cached(data_dir / "decoded" / key, read, open_training)


def _cached(folder: Path, read: Callable[[], D], opened: Callable[[Path], D]) -> tuple[D, Path]:
    if folder.is_dir():
        try:
            dataset = opened(folder)
            if _digest_of(dataset) == dataset.digest:
                return dataset, folder
            reason = "its digest is wrong"
        except DataError as error:
            reason = str(error)
        warnings.warn(f"the decoded images in {folder} are damaged ({reason}); decoding again",
                      stacklevel=3)  # fmt: skip
        _remove(folder)
    _write(read(), folder)
    return opened(folder), folder


def open_decoded(folder: Path) -> Dataset:
    """Open a cache folder without checking its digest: memory-mapped, so processes share it.

    Raises:
        DataError: it is incomplete.

    """
    with _complete(folder):
        test = _mapped(folder, _TEST)
        known = _open_train(folder)
        return Dataset(
            train=known.train,
            test=test,
            class_names=known.class_names,
            normalisation=known.normalisation,
            default_val_size=known.default_val_size,
            digest=known.digest,
        )


def open_training(folder: Path) -> TrainingData:
    """Open a cache folder that holds no test images, as ``open_decoded``.

    Raises:
        DataError: it is incomplete.

    """
    with _complete(folder):
        return _open_train(folder)


@contextlib.contextmanager
def _complete(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, StoreError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is not a complete cache: {error}") from error


def _open_train(folder: Path) -> TrainingData:
    meta = read_sealed(folder / _META)
    if meta is None:
        raise ValueError(f"{_META} is missing or altered")
    return TrainingData(
        train=_mapped(folder, _TRAIN),
        class_names=tuple(meta["class_names"]),
        normalisation=Normalisation(meta["scale"], tuple(meta["mean"]), tuple(meta["std"])),
        default_val_size=meta["default_val_size"],
        digest=meta["digest"],
    )


def _mapped(folder: Path, names: tuple[str, str]) -> ImageSet:
    # "c": copy on write, because torch wants arrays that could be written to
    images, labels = (np.load(folder / f"{name}.npy", mmap_mode="c") for name in names)
    return ImageSet(images, labels)


def _source(
    name: str, data_dir: Path, download: bool, progress: Progress | None
) -> tuple[str, Callable[[], Dataset]]:
    """Return the cache key of a dataset's source, and how to read it.

    Readers are imported here because each brings a large library that the others do not need.
    """
    if name == "digits":
        from attnstudy.trainings.placement.data.digits import read_digits

        return _key("digits", metadata.version("scikit-learn")), read_digits
    if name == "cifar10":
        from attnstudy.trainings.placement.data import cifar10

        batches = _batches(data_dir, download)
        return (
            _key("cifar10", *map(_file_digest, batches)),
            lambda: cifar10.read_cifar10(data_dir, download=download),
        )
    from attnstudy.trainings.placement.data.parquet import parquet_files, read_parquet

    files = parquet_files(Path(name))
    digests = [split + _file_digest(path) for split in files for path in files[split]]
    return _key("parquet", *digests), lambda: read_parquet(Path(name), progress)


def _training_source(
    name: str, data_dir: Path, download: bool, progress: Progress | None
) -> tuple[str, Callable[[], TrainingData]]:
    """Return the cache key of a source's training part, whatever its test part, and its reader."""
    if name == "digits":
        from attnstudy.trainings.placement.data.digits import read_digits

        version = metadata.version("scikit-learn")
        # one file holds all of them: the split is what makes some of them test images
        return _key("training", "digits", version), lambda: read_digits().sealed()
    if name == "cifar10":
        from attnstudy.trainings.placement.data import cifar10

        batches = [path for path in _batches(data_dir, download) if "test" not in path.name]
        return (
            _key("training", "cifar10", *map(_file_digest, batches)),
            lambda: cifar10.read_training_cifar10(data_dir, download=download),
        )
    from attnstudy.trainings.placement.data.parquet import parquet_files, read_training_parquet

    files = parquet_files(Path(name), ("train",))["train"]
    key = _key("training", "parquet", *map(_file_digest, files))
    return key, lambda: read_training_parquet(Path(name), progress)


def _batches(data_dir: Path, download: bool) -> list[Path]:
    """Return the files of the official archive, fetched where they are not there."""
    from attnstudy.trainings.placement.data import cifar10

    folder = cifar10.archive_folder(data_dir) / "cifar-10-batches-py"
    if not _has_files(folder):
        # fetched first, so that the key is that of the files which are then read
        cifar10.open_archive(data_dir, train=True, download=download)
    return sorted(path for path in folder.iterdir() if "batch" in path.name)


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _key(*parts: str) -> str:
    return hashlib.sha256("/".join([str(DECODER_VERSION), *parts]).encode()).hexdigest()[:32]


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {cause(error)}") from error


def _digest_of(dataset: TrainingData) -> str:
    return content_digest(
        list(_parts(dataset).values()), dataset.normalisation, dataset.num_classes
    )


def _parts(dataset: TrainingData) -> dict[tuple[str, str], ImageSet]:
    """Return what there is of a dataset, by the names of its arrays."""
    parts = {_TRAIN: dataset.train}
    if isinstance(dataset, Dataset):
        parts[_TEST] = dataset.test
    return parts


def _write(dataset: TrainingData, folder: Path) -> None:
    """Write the cache folder whole, or not at all."""
    # not tempfile's, which only the owner may read: a cache can belong to a team
    temporary = folder.parent / f".decoding-{secrets.token_hex(8)}"
    try:
        temporary.mkdir(parents=True)
        for (images, labels), part in _parts(dataset).items():
            np.save(temporary / f"{images}.npy", part.images)
            np.save(temporary / f"{labels}.npy", part.labels)
        meta = {
            "digest": dataset.digest,
            "class_names": list(dataset.class_names),
            "scale": dataset.normalisation.scale,
            "mean": list(dataset.normalisation.mean),
            "std": list(dataset.normalisation.std),
            "default_val_size": dataset.default_val_size,
        }
        write_sealed(temporary / _META, meta)
        try:
            os.rename(temporary, folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, with the same content
                raise
    except OSError as error:
        raise _cannot_keep(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Take a damaged cache folder away at once, so that nobody reads it half removed."""
    aside = folder.parent / f".damaged-{secrets.token_hex(8)}"
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return  # another process was faster
    except OSError as error:
        raise _cannot_keep(folder, error) from error
    shutil.rmtree(aside, ignore_errors=True)


def _cannot_keep(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"the decoded images cannot be kept in {folder.parent} ({cause(error)}): make room "
        "there, or choose another folder with --data-dir"
    )
