"""The disk that loses what was not synced, by examples counted by hand."""

from __future__ import annotations

import pytest

from tests.powerloss.disk import Disk, losses, put, states, tree_of
from tests.powerloss.recording import Operation


def did(what: str, path: str, data: bytes = b"", at: int = 0, other: str = "") -> Operation:
    return Operation(what, at, path, other, data)


WRITTEN = [did("o", "a"), did("w", "a", b"1234"), did("s", "a"), did("w", "a", b"5678", 4)]
SYNC = did("s", "")


def left(operations: list[Operation], loss: str) -> dict:
    disk = Disk({})
    for operation in operations:
        disk.apply(operation)
    return disk.left(*losses(0)[loss])


@pytest.mark.parametrize(
    ("loss", "content"),
    [("nothing is lost", b"12345678"), ("data are lost", b"1234"),
     ("data are zeros", b"1234\0\0\0\0"), ("the last write is torn", b"123456"),
     ("earlier names are lost", None), ("names are lost", None), ("data and names are lost", None)],
)  # fmt: skip
def test_what_is_left_of_a_file_whose_name_was_not_synced(loss, content):
    assert left(WRITTEN, loss).get("a") == content


def test_a_name_is_safe_once_its_folder_was_synced():
    assert left([*WRITTEN, SYNC], "data and names are lost") == {"a": b"1234"}


def test_a_rename_is_there_or_not():
    renamed = [*WRITTEN, SYNC, did("o", "b"), did("r", "b", other="a")]
    assert left(renamed, "nothing is lost") == {"a": b""}
    assert left(renamed, "names are lost") == {"a": b"12345678"}
    assert left(renamed, "earlier names are lost") == {"a": b""}


def test_what_lies_in_a_folder_goes_with_its_name():
    made = [did("d", "f"), did("o", "f/a"), did("s", "f/a"), did("s", "f")]
    assert left(made, "names are lost") == {}
    assert left([*made, SYNC], "names are lost") == {"f": None, "f/a": b""}


def test_a_file_that_was_cut_and_removed_may_be_there_as_it_was():
    gone = [*WRITTEN, SYNC, did("t", "a", at=2), did("u", "a")]
    assert left(gone, "nothing is lost") == {}
    assert left(gone, "names are lost") == {"a": b"12"}
    assert left(gone, "data and names are lost") == {"a": b"1234"}


def test_states_are_different_and_the_last_one_is_whole(tmp_path):
    found = list(states({}, WRITTEN))
    assert [state.number for state in found] == list(range(len(found)))
    trees = [tuple(sorted(state.tree.items())) for state in found]
    assert len(set(trees)) == len(trees)
    for state in found:
        put(state.tree, tmp_path)
        assert tree_of(tmp_path) == state.tree
