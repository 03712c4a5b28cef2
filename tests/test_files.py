"""Files that are seen whole or not at all, and JSON that shows when it was altered."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from attnstudy import files
from attnstudy.errors import EXIT_ENVIRONMENT, StoreError
from attnstudy.files import (
    exchange,
    file_digest,
    make_folder,
    read_sealed,
    reported,
    write_atomically,
    write_output,
    write_sealed,
)

CONTENT = {
    "text": "é – “quoted”\n",
    "number": 0.1,
    "tiny": 5e-324,
    "none": None,
    "true": True,
    "list": [1, [2, {"deep": -0.0}]],
    "empty": {},
}


def refusal(action: Callable[..., object], *arguments: object) -> str:
    """What the user reads: one sentence, of the kind that ends with exit code 3."""
    with pytest.raises(StoreError) as caught:
        action(*arguments)
    text = str(caught.value)
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert "\n" not in text
    assert "None" not in text
    assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
    return text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Atomic writes


@pytest.mark.parametrize("content", [b"", b"short", b"\x00\xff" * 1_000_000])
@pytest.mark.parametrize("old", [None, b"old content"])
def test_content_is_written_and_nothing_else(
    tmp_path: Path, old: bytes | None, content: bytes
) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    write_atomically(path, content)
    assert path.read_bytes() == content
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("12 requested and 3 written"),
        KeyboardInterrupt(),
        MemoryError(),
    ],
    ids=["no space", "short write", "interrupted", "no memory"],
)
def test_a_write_that_fails_keeps_the_old_content(
    tmp_path: Path, monkeypatch, function: str, error: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old content")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, function, fail)
    if isinstance(error, OSError):
        message = refusal(write_atomically, path, b"new content")
        assert message.startswith(f"{path} cannot be written ({error.strerror or error})")
    else:
        with pytest.raises(type(error)):
            write_atomically(path, b"new content")
    assert path.read_bytes() == b"old content"
    assert names(tmp_path) == ["file"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([letter]) * 300_000 for letter in b"ab"]
    write_atomically(path, contents[0])
    done = threading.Event()

    def write() -> None:
        for number in range(30):
            write_atomically(path, contents[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while not done.is_set():
        assert path.read_bytes() in contents
        seen += 1
    writer.join()
    assert seen > 0


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "file" / "inside").mkdir(parents=True)
    assert str(tmp_path / "file") in refusal(write_atomically, tmp_path / "file", b"x")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    message = refusal(write_atomically, tmp_path / parent / "inner", b"x")
    assert message.startswith(f"{tmp_path / parent / 'inner'} cannot be written")
    assert "run the same command again" in message
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_others_may_read_what_the_umask_allows(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


# Sealed JSON


@pytest.mark.parametrize("content", [CONTENT, {}, {"x": "y" * 100_000}])
def test_sealed_content_comes_back(tmp_path: Path, content: dict[str, object]) -> None:
    write_sealed(tmp_path / "file.json", content)
    assert read_sealed(tmp_path / "file.json") == content
    assert json.loads((tmp_path / "file.json").read_bytes())["content"] == content


def test_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    for name, keys in (("one", "abc"), ("other", "cab")):
        write_sealed(tmp_path / name, {key: ord(key) for key in keys})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_what_is_missing_is_none(tmp_path: Path) -> None:
    assert read_sealed(tmp_path / "file.json") is None
    assert read_sealed(tmp_path / "nowhere" / "file.json") is None


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_sealed(path, CONTENT)
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        assert read_sealed(path) is None, f"{length} of {len(whole)} bytes"


def test_every_altered_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_sealed(path, CONTENT)
    whole = path.read_bytes()
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1
        path.write_bytes(altered)
        assert read_sealed(path) in (None, CONTENT), f"byte {place}"


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "3", '"text"', "{}", '{"content": {}}', '{"sha256": "00"}', "{",
        '{"content": {"x": NaN}, "sha256": "00"}', '{"content": {}, "sha256": null}', "\xff",
    ],
)  # fmt: skip
def test_another_kind_of_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.json").write_bytes(text.encode("latin-1"))
    assert read_sealed(tmp_path / "file.json") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_hold_is_not_written(tmp_path: Path, value: object) -> None:
    write_sealed(tmp_path / "file.json", {"x": 1})
    with pytest.raises((ValueError, TypeError)):
        write_sealed(tmp_path / "file.json", {"x": value})
    assert read_sealed(tmp_path / "file.json") == {"x": 1}
    assert names(tmp_path) == ["file.json"]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.json").mkdir()
    assert refusal(read_sealed, tmp_path / "file.json").startswith(
        f"{tmp_path / 'file.json'} cannot be read"
    )


# The rest


@pytest.mark.parametrize("content", [b"", b"content", b"x" * 3_000_000])
def test_file_digest(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert file_digest(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_only_failures_to_write_are_reported(tmp_path: Path) -> None:
    with reported(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), reported(tmp_path):
        1 / 0  # noqa: B018


def test_what_the_user_names_is_kept_until_the_new_content_is_whole(tmp_path, monkeypatch):
    kept, link = tmp_path / "kept.txt", tmp_path / "link.txt"
    kept.write_text("before")
    kept.chmod(0o640)
    link.symlink_to(kept)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            write_output(link, b"after")
    assert (kept.read_text(), sorted(tmp_path.iterdir())) == ("before", [kept, link])
    write_output(link, b"after")
    assert (kept.read_text(), link.is_symlink()) == ("after", True)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640


def test_what_is_no_file_is_written_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, b"through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)


def test_the_names_of_new_folders_are_safe_from_the_top_down(tmp_path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync", synced.append)
    make_folder(tmp_path / "a" / "b" / "c")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    make_folder(tmp_path / "a" / "b" / "c")
    assert len(synced) == 3


def test_two_folders_change_places_or_nothing_happens(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    done = exchange(one, other)
    where = (other, one) if done else (one, other)
    assert [[path.name for path in folder.iterdir()] for folder in where] == [["one"], ["other"]]
    assert not exchange(one, tmp_path / "missing")
    if not done:
        pytest.skip("the file system of the tests cannot exchange folders")


DEEP = "[" * 100_000


@pytest.mark.parametrize("text", [DEEP, '{"sha256": "", "content": ' + DEEP, DEEP + "]" * 100_000])
def test_what_is_nested_too_deeply_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.json").write_text(text)
    assert read_sealed(tmp_path / "file.json") is None


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_damaged_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    assert read_sealed(path) is None
    write_sealed(path, CONTENT)
    assert read_sealed(path) == CONTENT


def test_sealed_is_a_table_and_nothing_else(tmp_path: Path) -> None:
    text = json.dumps([1])
    seal = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / "file.json").write_text(json.dumps({"sha256": seal, "content": [1]}))
    assert read_sealed(tmp_path / "file.json") is None
