"""The official CIFAR-10 archive: torchvision's own code on a tiny archive made here."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import pickle
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnstudy.errors import DataError
from attnstudy.trainings.placement import data
from attnstudy.trainings.placement.data.cifar10 import archive_folder
from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators

Refusal = Callable[..., str]
NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
IN_A_BATCH = 4
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
INNER = "cifar-10-batches-py"


def cifar10() -> Any:
    """Return the class that fetches the archive; importing it takes long."""
    declare_missing_operators()
    return pytest.importorskip("torchvision.datasets.cifar").CIFAR10


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch) -> Iterator[tuple[str, Path]]:
    """A server on this machine: its address, and the folder that it serves."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "server"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


@dataclass
class Archive:
    """The archive as it lies on the server."""

    path: Path
    images: dict[str, np.ndarray]
    """(N, 3, 32, 32) by batch."""
    labels: dict[str, list[int]]


@pytest.fixture
def archive(server: tuple[str, Path], monkeypatch) -> Archive:
    """An archive of 20 training and 4 test images, which torchvision takes for the official one."""
    generator = np.random.default_rng(0)
    images, labels, files = {}, {}, {}
    for name in BATCHES:
        images[name] = generator.integers(0, 256, (IN_A_BATCH, 3, 32, 32), dtype=np.uint8)
        labels[name] = generator.integers(0, 10, IN_A_BATCH).tolist()
        batch = {"data": images[name].reshape(IN_A_BATCH, -1), "labels": labels[name]}
        files[name] = pickle.dumps(batch)
    files["batches.meta"] = pickle.dumps({"label_names": list(NAMES)})
    path = server[1] / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{INNER}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    sums = [[name, md5(files[name])] for name in BATCHES]
    monkeypatch.setattr(cifar10(), "url", f"{server[0]}/{path.name}")
    monkeypatch.setattr(cifar10(), "tgz_md5", md5(path.read_bytes()))
    monkeypatch.setattr(cifar10(), "train_list", sums[:5])
    monkeypatch.setattr(cifar10(), "test_list", sums[5:])
    monkeypatch.setattr(cifar10(), "meta", {**cifar10().meta, "md5": md5(files["batches.meta"])})
    return Archive(path, images, labels)


def test_it_is_fetched_decoded_and_kept(archive: Archive, cache: Path) -> None:
    dataset, place = data.load("cifar10", cache)
    training = [archive.images[name] for name in BATCHES[:5]]
    np.testing.assert_array_equal(dataset.train.images, np.concatenate(training))
    np.testing.assert_array_equal(dataset.test.images, archive.images["test_batch"])
    assert dataset.train.labels.tolist() == [
        n for name in BATCHES[:5] for n in archive.labels[name]
    ]
    assert dataset.test.labels.tolist() == archive.labels["test_batch"]
    assert dataset.class_names == NAMES
    assert dataset.normalisation.mean == (0.4914, 0.4822, 0.4465)
    assert dataset.normalisation.std == (0.2023, 0.1994, 0.2010)
    archive.path.unlink()  # the server is gone
    again, same_place = data.load("cifar10", cache)
    assert (again.digest, same_place) == (dataset.digest, place)


def test_second_load_unpickles_nothing(archive: Archive, cache: Path, monkeypatch) -> None:
    first, _ = data.load("cifar10", cache)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the archive was read again")

    monkeypatch.setattr(pickle, "load", refuse)
    assert data.load("cifar10", cache, download=False)[0].digest == first.digest


def test_an_archive_put_there_by_hand_is_used(archive: Archive, cache: Path, monkeypatch) -> None:
    archive_folder(cache).mkdir(parents=True)
    archive.path.rename(archive_folder(cache) / archive.path.name)
    monkeypatch.setattr(cifar10(), "url", "http://127.0.0.1:9/closed.tar.gz")
    assert len(data.load("cifar10", cache)[0].train) == 20


def test_missing_archive_without_a_download(
    archive: Archive, refusal: Refusal, cache: Path
) -> None:
    message = refusal("cifar10", download=False)
    assert str(archive_folder(cache)) in message
    assert "'attnstudy data fetch'" in message


@pytest.mark.parametrize("reachable", [True, False])
def test_a_server_that_does_not_give_it(
    archive: Archive, refusal: Refusal, cache: Path, monkeypatch, reachable: bool
) -> None:
    if reachable:
        archive.path.unlink()
    else:
        monkeypatch.setattr(cifar10(), "url", "http://127.0.0.1:9/closed.tar.gz")
    message = refusal("cifar10")
    assert f"cannot be fetched into {archive_folder(cache)}" in message
    for way_out in ("cifar-10-python.tar.gz", "parquet", "digits"):
        assert way_out in message


def test_an_archive_with_the_wrong_sum_is_not_used(
    archive: Archive, cache: Path, monkeypatch
) -> None:
    monkeypatch.setattr(cifar10(), "tgz_md5", "0" * 32)
    with pytest.raises(DataError, match="cannot be fetched") as caught:
        data.load("cifar10", cache)
    assert "\n" not in str(caught.value)
    assert not (cache / "decoded").exists()


@pytest.mark.parametrize("name", [*BATCHES, "batches.meta"])
@pytest.mark.parametrize("damage", ["altered", "truncated", "missing"])
def test_a_file_with_the_wrong_sum_is_not_unpickled(
    archive: Archive, cache: Path, monkeypatch, damage: str, name: str
) -> None:
    data.load("cifar10", cache)
    path = archive_folder(cache) / INNER / name
    content = bytearray(path.read_bytes())
    if damage == "altered":
        content[-20] ^= 1
        path.write_bytes(content)
    elif damage == "truncated":
        path.write_bytes(content[:-10])
    else:
        path.unlink()
    opened = []
    unpickle = pickle.load

    def watch(file, **named):
        opened.append(Path(file.name).name)
        return unpickle(file, **named)

    monkeypatch.setattr(pickle, "load", watch)
    with pytest.raises(DataError) as caught:
        data.load("cifar10", cache, download=False)
    message = str(caught.value)
    assert "wrong MD5 sum" in message
    assert "'attnstudy data fetch'" in message
    assert str(archive_folder(cache)) in message
    assert "\n" not in message
    assert name not in opened


def test_a_damaged_file_is_fetched_again(archive: Archive, cache: Path) -> None:
    first, _ = data.load("cifar10", cache)
    (archive_folder(cache) / INNER / "data_batch_3").write_bytes(b"")
    again, _ = data.load("cifar10", cache)
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.train.images, first.train.images)
