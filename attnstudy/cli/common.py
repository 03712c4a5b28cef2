"""What several commands share: which study, which store, where the result goes."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from attnstudy import options
from attnstudy.files import discard, write_output
from attnstudy.shown import in_encoding, in_line, in_lines


def named_study(given: dict[str, Any]) -> str | None:
    """Return the study that a command names; None if it names none."""
    if given["study"] or given["study_argument"]:
        return options.current_study().name
    return None


def address_of(given: Mapping[str, Any]) -> Any:
    """Return the address of the store that the options mean."""
    from attnstudy.tracking import resolve

    return resolve(given["store"], given["tracking_uri"])


def data_dir_of(given: dict[str, Any]) -> Path:
    """Return the folder for downloads and decoded images."""
    from attnstudy.trainings.placement.data import default_data_dir

    chosen: Path | None = given["data_dir"]
    return chosen or default_data_dir()


def say(text: str) -> None:
    """Print lines; whatever the text in them, it controls no terminal."""
    _write(in_lines(text))


def tell(sentence: str) -> None:
    """Print one line to standard error, beside the answer."""
    _write(in_line(sentence), err=True)


def _write(text: str, *, err: bool = False) -> None:
    """Print a text in signs that the stream has: in some locales a terminal lacks a minus."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # click writes UTF-8 where Python says ASCII: right for a file, garbage on a terminal
    if stream.isatty() or codecs.lookup(encoding).name != "ascii":
        text = in_encoding(text, encoding)
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        discard(stream)


def note(sentence: str) -> None:
    """Print one line to standard error that is no warning: --quiet leaves it out."""
    if not click.get_current_context().params.get("quiet"):
        tell(sentence)


def print_result(answer: Any, text: Any, output: Path | None = None) -> None:
    """Print JSON if there is an answer for machines, else the text; or write it to a file."""
    content = text() if answer is None else json.dumps(answer, indent=2, allow_nan=False)
    content = in_lines(content)  # each form has seen to its texts; nothing else gets out either
    if output is None:
        if answer is None and sys.stdout.isatty():
            from attnstudy.render.tables import fitted

            content = fitted(content)
        _write(content.rstrip("\n"))
        return
    write_output(output, (content.rstrip("\n") + "\n").encode())
    note(f"{output} is written.")
