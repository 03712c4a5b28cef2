"""What several commands share: which study, which store, where the result goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from attnstudy import options
from attnstudy.files import write_output
from attnstudy.shown import in_line, in_lines


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
    click.echo(in_lines(text))


def tell(sentence: str) -> None:
    """Print one line to standard error, beside the answer."""
    click.echo(in_line(sentence), err=True)


def print_result(answer: Any, text: Any, output: Path | None = None) -> None:
    """Print JSON if there is an answer for machines, else the text; or write it to a file."""
    content = text() if answer is None else json.dumps(answer, indent=2, allow_nan=False)
    content = in_lines(content)  # each form has seen to its texts; nothing else gets out either
    if output is None:
        if answer is None and sys.stdout.isatty():
            from attnstudy.render.tables import fitted

            content = fitted(content)
        click.echo(content.rstrip("\n"))
        return
    write_output(output, (content.rstrip("\n") + "\n").encode())
    tell(f"{output} is written.")
