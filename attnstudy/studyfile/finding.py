"""Where a study's file is."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from attnstudy.errors import UsageError, cause, near_miss
from attnstudy.study import DEFAULT_STUDY, check_study_name
from attnstudy.studyfile.content import of_content
from attnstudy.studyfile.said import FILE_NAME, FOLDER, StudyFile


def find(argument: str | None, name: str | None, *, needs_file: bool = True) -> StudyFile:
    """Return the study that a command means.

    Args:
        argument: the positional STUDY: a study's name, its folder or its file.
        name: ``--study``: the name under which to run; its file is used when there is one.
        needs_file: whether STUDY must have a file; else it may be the name of a study.

    Raises:
        UsageError: STUDY names no file, what it names is none, or the file is not right.

    """
    if argument is not None:
        path = _locate(argument)
        if path is None and not needs_file:
            if Path(argument).suffix and Path(argument).is_file():
                raise UsageError(
                    f"{argument} is a file, and not that of a study: name a study; 'attnstudy "
                    "rank' takes tables with --from FILE"
                )
            return StudyFile(check_study_name(name or argument))
        if path is None:
            known = sorted(p.parent.name for p in FOLDER.glob(f"*/{FILE_NAME}"))
            named = Path(argument)
            expected = named if named.suffix == ".toml" else FOLDER / named / FILE_NAME
            raise UsageError(
                f"there is no study {argument!r} ({expected} does not exist): "
                f"write that file, or name a study without one by --study"
                f"{near_miss(argument, known)}"
            )
    else:
        path = _locate(name or DEFAULT_STUDY)
    if path is None:
        return StudyFile(check_study_name(name or DEFAULT_STUDY))
    return _load(path, name)


def _locate(study: str) -> Path | None:
    candidates = (Path(study), Path(study) / FILE_NAME, FOLDER / study / FILE_NAME)
    path = next((p for p in candidates if p.suffix == ".toml" and os.path.lexists(p)), None)
    if path is not None and not path.is_file():  # to read a pipe would take for ever
        what = "a link that leads nowhere" if path.is_symlink() and not path.exists() else "no file"
        raise UsageError(f"{path} is {what}: remove it, or put a study's file in its place")
    return path


def _load(path: Path, name: str | None) -> StudyFile:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # also of text that is none, and of numbers without end
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply: a study's file has two levels") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}") from error
    return of_content(content, name or path.resolve().parent.name, path)
