"""A disk that loses what was not synced: every state in which a loss of power may leave it.

The model is that of POSIX, stricter than any file system in use: a file's data are safe once the
file was synced, a name (new, renamed, removed) once the folder was synced that has it, and in
whatever order the rest arrives. A rename is there or is not.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.powerloss.recording import Operation


@dataclass(eq=False)
class File:
    """A file's data: safe ones, and the writes since."""

    safe: bytes = b""
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Offset and data; no data: cut or extended to that size."""
    said: str | None = None
    """Of a symbolic link: where it leads."""

    def sync(self) -> None:
        self.safe, self.writes = written(self.safe, self.writes), []


@dataclass(eq=False)
class Folder:
    """A folder's safe names."""

    safe: dict[str, File | Folder] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Change:
    """Names that change together, in one or two folders; None removes one."""

    names: tuple[tuple[Folder, str, File | Folder | None], ...]

    def within(self, folder: Folder) -> bool:
        return any(one is folder for one, _, _ in self.names)


Write = tuple[int, bytes | None]
Tree = Mapping[str, bytes | str | None]
"""By path: a file's bytes, where a link leads, or None for a folder."""


def written(content: bytes, writes: Sequence[Write]) -> bytes:
    """Return a content after writes to it."""
    if not writes:
        return content
    new = bytearray(content)
    for at, data in writes:
        end = at if data is None else at + len(data)
        if len(new) < end:
            new.extend(bytes(end - len(new)))
        if data is None:
            del new[at:]
        else:
            new[at:end] = data
    return bytes(new)


def torn(writes: Sequence[Write]) -> list[Write]:
    """Have the last write arrive by half."""
    if not writes:
        return []
    *before, (at, data) = writes
    return before if data is None else [*before, (at, data[: len(data) // 2])]


def zeroed(writes: Sequence[Write]) -> list[Write]:
    """Have sizes arrive, and no data."""
    return [(at, data and bytes(len(data))) for at, data in writes]


Some = Callable[[Sequence[Write]], Sequence[Write]]
SomeNames = Callable[[Sequence[Change]], Sequence[Change]]
ALL, NOTHING = list, lambda _: []


def losses(number: int) -> dict[str, tuple[Some, SomeNames]]:
    """Return, by its name, what each kind of loss leaves: of a file's writes, and of names."""
    chance = random.Random(number)

    def some(what: Sequence) -> list:
        return [one for one in what if chance.random() < 0.5]

    return {
        "nothing is lost": (ALL, ALL),
        "data are lost": (NOTHING, ALL),
        "data are zeros": (zeroed, ALL),
        "the last write is torn": (torn, ALL),
        "names are lost": (ALL, NOTHING),
        "data and names are lost": (NOTHING, NOTHING),
        "earlier names are lost": (ALL, lambda names: names[(len(names) + 1) // 2 :]),
        "some of all is lost": (some, some),
    }


class Disk:
    """Applies operations, and tells what may be left."""

    def __init__(self, before: Tree) -> None:
        self.root = Folder()
        self.changes: list[Change] = []
        for path, content in sorted(before.items()):
            made: File | Folder = Folder()
            if isinstance(content, str):
                made = File(said=content)
            elif content is not None:
                made = File(content)
            self._place(path)[0].safe[path.rpartition("/")[2]] = made

    def apply(self, operation: Operation) -> None:
        """Do what was done."""
        what, at, path, other, data = operation
        found = self._find(path)
        if what == "o":
            if found is None:
                self._change((path, File()))
            elif at and isinstance(found, File):
                found.writes.append((0, None))
        elif what in "wt":
            assert isinstance(found, File), operation
            found.writes.append((at, data if what == "w" else None))
        elif what == "s":
            self._sync(found)
        elif what == "r":
            self._change((path, None), (other, found))
        elif what == "l":
            self._change((other, found))
        elif what == "d":
            self._change((path, Folder()))
        elif what == "y":
            self._change((path, File(said=data.decode())))
        elif what == "u":
            self._change((path, None))
        else:
            raise AssertionError(operation)

    def left(self, writes: Some, names: SomeNames) -> dict[str, bytes | str | None]:
        """Return what is on the disk when of the rest only these writes and names arrived."""
        kept = names(self.changes)
        tree: dict[str, bytes | str | None] = {}
        contents: dict[File, bytes] = {}

        def walk(folder: Folder, path: str) -> None:
            for name, found in self._names(folder, kept).items():
                here = f"{path}{name}"
                if isinstance(found, Folder):
                    tree[here] = None
                    walk(found, f"{here}/")
                elif found.said is not None:
                    tree[here] = found.said
                else:
                    if found not in contents:
                        contents[found] = written(found.safe, writes(found.writes))
                    tree[here] = contents[found]

        walk(self.root, "")
        return tree

    def _sync(self, found: File | Folder | None) -> None:
        if isinstance(found, File):
            found.sync()
        elif found is not None:
            for change in [one for one in self.changes if one.within(found)]:
                self.changes.remove(change)
                _do(change)

    def _change(self, *names: tuple[str, File | Folder | None]) -> None:
        self.changes.append(Change(tuple((*self._place(path), one) for path, one in names)))

    def _place(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._find(above)
        assert isinstance(folder, Folder), path
        return folder, name

    def _find(self, path: str) -> File | Folder | None:
        found: File | Folder | None = self.root
        for name in filter(None, path.split("/")):
            assert isinstance(found, Folder), path
            found = self._names(found, self.changes).get(name)
            if found is None:
                return None
        return found

    @staticmethod
    def _names(folder: Folder, changes: Sequence[Change]) -> dict[str, File | Folder]:
        now = dict(folder.safe)
        for change in changes:
            for place, name, found in change.names:
                if place is folder and found is None:
                    now.pop(name, None)
                elif place is folder:
                    now[name] = found
        return now


def _do(change: Change) -> None:
    for folder, name, found in change.names:
        if found is None:
            folder.safe.pop(name, None)
        else:
            folder.safe[name] = found


@dataclass(frozen=True)
class State:
    """What a loss of power at one moment may leave."""

    number: int
    operations: int
    """How many were done."""
    last: str
    loss: str
    tree: Tree

    def __str__(self) -> str:
        return f"state {self.number}: after operation {self.operations} ({self.last}), {self.loss}"


def states(before: Tree, operations: Sequence[Operation]) -> Iterator[State]:
    """Yield every different state, in the order of the operations."""
    disk = Disk(before)
    seen: set[bytes] = set()
    number = 0
    for count, operation in enumerate(operations, 1):
        disk.apply(operation)
        for loss, (writes, names) in losses(count).items():
            tree = disk.left(writes, names)
            if (digest := _digest(tree)) not in seen:
                seen.add(digest)
                yield State(number, count, f"{operation}", loss, tree)
                number += 1


def _digest(tree: Tree) -> bytes:
    """Return what tells trees apart; the same bytes have the same object nearly always."""
    whole = hashlib.blake2b()
    for path, content in sorted(tree.items()):
        if isinstance(content, bytes):
            content = hashlib.blake2b(content, digest_size=16).hexdigest()
        whole.update(f"{path}\0{content}\n".encode())
    return whole.digest()


def tree_of(place: Path) -> dict[str, bytes | str | None]:
    """Return what is in a folder."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(place.rglob("*")):
        name = str(path.relative_to(place))
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def put(tree: Tree, place: Path) -> None:
    """Have a folder hold a tree and nothing else, as after a while."""
    for path in place.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, content in sorted(tree.items()):
        path = place / name
        if content is None:
            path.mkdir()
        elif isinstance(content, str):
            path.symlink_to(content)
            os.utime(path, (0, 0), follow_symlinks=False)  # a lock of Optuna's, waited for if new
        else:
            path.write_bytes(content)
