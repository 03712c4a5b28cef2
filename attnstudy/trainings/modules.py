"""The user's own modules: found, told apart by their sources, and sent to other machines."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from attnstudy.errors import UsageError
from attnstudy.runs.temporary import temporary_folder

_MOST = 20_000_000  # bytes: sources, not data


def module_sources(modules: Iterable[str]) -> dict[str, bytes]:
    """Return the sources of modules, by path relative to ``sys.path``.

    Of a module in a package, the whole package goes along; what either imports from elsewhere has
    to be installed there.

    Raises:
        UsageError: they are too large to be sources.

    """
    found: dict[str, bytes] = {}
    for top in sorted({name.partition(".")[0] for name in modules}):
        spec = importlib.util.find_spec(top)
        if spec is None or spec.origin is None:  # a namespace package, or gone meanwhile
            roots = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
        else:
            origin = Path(spec.origin)
            roots = [origin.parent if spec.submodule_search_locations else origin]
        for root in roots:
            files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
            found |= {path.relative_to(root.parent).as_posix(): path.read_bytes() for path in files}
    if sum(map(len, found.values())) > _MOST:
        raise UsageError(
            "your modules hold more than 20 MB of sources, which would go along with every run: "
            "put what is run into a module or package of its own"
        )
    return found


def use_modules(sources: Mapping[str, bytes]) -> None:
    """Make modules importable in this process, before others of the same name.

    A process works for one command; what was made importable once stays so.
    """
    if sources.items() <= _USED.items():
        return
    folder = _KEPT.enter_context(temporary_folder())
    # so deep that what lies above the study's folder lies above this one too, and within the other
    up = max((PurePosixPath(name).parts.count("..") for name in sources), default=0)
    folder = folder.joinpath(*["code"] * up)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sources.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    _USED.update(sources)


_USED: dict[str, bytes] = {}

_KEPT = contextlib.ExitStack()
"""Their folders: workers are killed, so those that come later remove what they leave behind."""
