"""The source of a user's training: which files it is made of, and their digest.

Of a function these are its module and the modules beside it that it imports, found in the text
without running it, and the files that the study declares. What is installed is no part of it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType
from typing import Any

from attnstudy.errors import UsageError, cause, near_miss


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a user's training."""

    identity: str
    """The digest under which its runs are known."""
    digest: str
    """Its own, SHA-256 (hex); another one where a change was accepted as of no consequence."""
    files: tuple[str, ...] = ()
    """Names of its files, relative to a folder of ``sys.path`` or to the study's."""
    folder: Path | None = None
    """The study's folder on the machine where it was found."""
    entry: str | None = None
    """The file that is imported first, of which what it does as a script is no part."""

    @classmethod
    def of(
        cls, files: Mapping[str, Path], folder: Path | None = None, entry: str | None = None
    ) -> Code:
        """Return the code that some files are."""
        found = digest(files, entry)
        return cls(found, found, tuple(files), folder, entry)

    @classmethod
    def of_text(cls, text: str, called: str) -> Code:
        """Return the code that a text is, which is in no file; ``called`` names it in errors."""
        found = hashlib.sha256(text.encode()).hexdigest()
        return cls(found, found, (called,))

    def known_as(self, identity: str) -> Code:
        """Return the code with another identity."""
        return replace(self, identity=identity)

    def here(self) -> dict[str, Path]:
        """Return its files on this machine, by name; those that are not there are left out."""
        places = [Path(place or ".") for place in sys.path]
        places = [*([] if self.folder is None else [self.folder]), *places]
        found: dict[str, Path] = {}
        for name in self.files:
            # on another machine, what had an absolute name lies below a folder of modules
            paths = [one / as_named for as_named in (name, name.lstrip("/")) for one in places]
            path = next((one for one in paths if one.is_file()), None)
            if path is not None:
                found[name] = path
        return found


_OWN = __name__.partition(".")[0]
"""This package is no part of anybody's training: its version stands in every run."""
_INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")
)


def function_code(reference: str, declared: Iterable[str], folder: Path | None) -> Code:
    """Return the code of a function; takes what ``function_files`` does.

    Raises:
        UsageError: the module, or a file, is not there.

    """
    files = function_files(reference, declared, folder)
    return Code.of(files, folder, next(iter(files)))  # first its own module


def function_files(reference: str, declared: Iterable[str], folder: Path | None) -> dict[str, Path]:
    """Return the files of a function's code, by the name under which they can be imported.

    Args:
        reference: ``package.module:function``.
        declared: other files or folders that belong to it, relative to ``folder``.
        folder: of the study's file; None is where the command runs.

    Raises:
        UsageError: the module, or a file, is not there.

    """
    module = reference.partition(":")[0]
    found: dict[str, Path] = {}
    _follow(module, located(module, repr(reference)), found)
    return found | declared_files(declared, folder)


def declared_files(declared: Iterable[str], folder: Path | None) -> dict[str, Path]:
    """Return files that a study declares, by relative path; of a folder the Python files.

    Raises:
        UsageError: one is not there.

    """
    base, found = folder or Path.cwd(), dict[str, Path]()
    for name in declared:
        path = base / name
        if path.resolve() == Path(path.resolve().anchor):
            raise UsageError(f"code names {name!r}, the whole machine: name what is used")
        if path.is_dir():
            inside = sorted(path.rglob("*.py"))
        elif path.is_file():
            inside = [path]
        else:
            raise UsageError(f"code names {name!r}, and there is no {path}: correct it")
        for file in inside:
            relative = file.is_relative_to(base)
            found[file.relative_to(base).as_posix() if relative else file.as_posix()] = file
    return found


def digest(files: Mapping[str, Path], entry: str | None = None) -> str:
    """Return the SHA-256 (hex) of files and their names; ``entry`` counts as it is imported."""
    hashed = hashlib.sha256()
    for name in sorted(files):
        content = files[name].read_bytes()
        if name == entry:
            content = without_script(content)
        hashed.update(f"{name}\n{len(content)}\n".encode())
        hashed.update(content)
    return hashed.hexdigest()


def without_script(content: bytes) -> bytes:
    """Return a module without what stands under ``if __name__ == "__main__":``.

    An import never runs that, so a script in which a study is made can be given more seeds there
    and its function is the same.
    """
    lines = content.splitlines(keepends=True)
    for block in reversed(list(script_blocks(content))):
        del lines[block.lineno - 1 : block.end_lineno]
    return b"".join(lines)


def script_blocks(content: bytes) -> Iterator[ast.If]:
    """Yield the ``if __name__ == "__main__":`` of a module, those without an ``else``."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.If) and not node.orelse and _asks_for_script(node.test):
            yield node


def _asks_for_script(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, *test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    texts = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]


def is_edited(function: Callable[..., Any]) -> bool:
    """Tell whether the file of a function has another body of it than what was imported."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or not Path(code.co_filename).is_file():
        return False
    path = Path(code.co_filename)
    try:
        left = [compile(path.read_bytes(), str(path), "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return True
    while left:
        one = left.pop()
        if one.co_qualname == code.co_qualname and one == code:
            return False
        left += [inner for inner in one.co_consts if isinstance(inner, CodeType)]
    return True


def located(module: str, called: str) -> Path:
    """Return the file of a module, without running it.

    Args:
        module: its name.
        called: what names it, for the message.

    Raises:
        UsageError: there is none, or it is not the one that lies beside the study.

    """
    path = _file_of(module)
    if path is None:
        raise UsageError(
            f"{called} cannot be imported: there is no module {module!r} beside the study's "
            f"file, in {Path.cwd()} or in this Python ({sys.prefix})"
            f"{near_miss(module, _own_modules())}"
        )
    _refuse_shadowed(module, path, called)
    return path


def _file_of(module: str) -> Path | None:
    """Return the file of a module; None if there is none.

    ``importlib.util.find_spec`` would import the packages around it, which is to run them.
    """
    importlib.invalidate_caches()
    name, origin = "", None
    places: list[str] | None = None
    for part in module.split("."):
        if name and places is None:  # a module that is no package has none below it
            return None
        name = f"{name}.{part}".lstrip(".")
        try:
            specs = (finder.find_spec(name, places) for finder in sys.meta_path)
            found = next((one for one in specs if one is not None), None)
        except KeyError:  # of two folders without __init__.py Python wants the outer one imported
            inner = [Path(place) / part for place in places or ()]
            places, origin = [str(one) for one in inner if one.is_dir()], None
            continue
        if found is None:
            return None
        origin = found.origin
        locations = found.submodule_search_locations
        places = None if locations is None else list(locations)
    if origin is None or not Path(origin).is_file():
        return None
    return Path(origin).resolve()


def refuse_missing(path: Path, name: str, module: str) -> bool:
    """Refuse a name that a module does not have; tell whether it is decorated.

    The text is read and nothing is run, so a module that may make names while it is imported, or
    takes them from elsewhere by ``*``, is believed.

    Raises:
        UsageError: there is no such name, or the module is not valid Python.

    """
    try:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{module} cannot be imported: {cause(error)}") from error
    named: dict[str, ast.AST] = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named[node.name] = node
        elif isinstance(node, ast.Name):
            named.setdefault(node.id, node)
        elif isinstance(node, ast.alias):
            named.setdefault(node.asname or node.name.partition(".")[0], node)
    if name not in named and not _MAKES_NAMES & named.keys():
        raise UsageError(f"{module} has no function {name!r}{near_miss(name, named)}: correct it")
    return bool(getattr(named.get(name), "decorator_list", ()))


_MAKES_NAMES = frozenset({"*", "__getattr__", "exec", "globals", "setattr", "vars"})


def _refuse_shadowed(module: str, path: Path, called: str) -> None:
    """Refuse a module of the user's own that has the name of one that is installed.

    Args:
        module: its name.
        path: the file that Python finds under that name.
        called: what names it, for the message.

    Raises:
        UsageError: that file is installed, and one of the user's own is there too.

    """
    top = module.partition(".")[0]
    beside = [
        Path(place or ".") / name
        for place in sys.path
        for name in (f"{top}.py", f"{top}/__init__.py")
    ]
    own = next((one for one in beside if one.is_file() and not _installed(one)), None)
    if _installed(path) and own is not None:
        raise UsageError(
            f"{called} is taken from {path}, which is installed, and not from {own}: rename "
            "your module"
        )


def _own_modules() -> list[str]:
    """Return the modules and packages that lie in folders of ``sys.path`` and are not installed."""
    places = [Path(place or ".") for place in sys.path]
    found = [
        path for place in places if place.is_dir() and not _installed(place)
        for path in (*place.glob("*.py"), *(init.parent for init in place.glob("*/__init__.py")))
    ]  # fmt: skip
    return [path.stem for path in found]


def _installed(path: Path) -> bool:
    path = path.resolve()
    return any(path.is_relative_to(place) for place in _INSTALLED)


def _follow(name: str, path: Path, found: dict[str, Path]) -> None:
    """Add a module and what it imports from beside it, and so on."""
    key = name.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else ".py")
    if key in found:
        return
    found[key] = path
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as Python: {error}") from error
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for imported in _imports(tree, package):
        if imported.partition(".")[0] == _OWN:
            continue
        beside = _beside(imported)
        if (
            beside is not None
            and (_installed(path) == _installed(beside))
            and (not _installed(path) or imported.partition(".")[0] == name.partition(".")[0])
        ):
            _follow(imported, beside, found)


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the modules that a text may import, by their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _beside(name: str) -> Path | None:
    """Return the file of a module that lies in a folder of ``sys.path``; None if there is none."""
    relative = Path(*name.split("."))
    for place in sys.path:
        module = Path(place or ".") / relative
        for path in (module.with_suffix(".py"), module / "__init__.py"):
            if path.is_file():
                return path.resolve()
    return None
