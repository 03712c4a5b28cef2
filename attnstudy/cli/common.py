"""What several commands share: which study, which store, where the result goes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attnstudy import options
from attnstudy.errors import StoreError, UsageError

if TYPE_CHECKING:
    from attnstudy.executors import ExecutorChoice


def named_study(given: dict[str, Any]) -> str | None:
    """Return the study that a command names; None if it names none."""
    if given["study"] or given["study_argument"]:
        return options.current_study().name
    return None


def address_of(given: dict[str, Any]) -> Any:
    """Return the address of the store that the options mean."""
    from attnstudy.tracking import resolve

    return resolve(given["store"], given["tracking_uri"])


def find_own_variants() -> None:
    """Let factories be imported that lie beside the study's file, or where the command runs."""
    study = options.current_study()
    if study.path is not None:
        sys.path.insert(0, str(study.path.parent.resolve()))
    sys.path.insert(0, str(Path.cwd()))


def executor_of(given: dict[str, Any]) -> ExecutorChoice:
    """Return by what the runs of a command are trained.

    Raises:
        UsageError: an option of a cluster is given, and no cluster is asked for.

    """
    from attnstudy.executors import ClusterRequest, ExecutorChoice

    name = given["executor"]
    for option in ("address", "cpus_per_run", "gpus_per_run"):
        if name != "ray" and options.typed(option):
            raise UsageError(f"{options.place(option)} goes with --executor ray")
    cluster = ClusterRequest(
        address=given["address"],
        cpus=given["cpus_per_run"],
        gpus=given["gpus_per_run"],
    )
    return ExecutorChoice(name, cluster)


def prepare_workers(given: dict[str, Any]) -> None:
    """Have what worker processes need imported, once for all of them."""
    if given["executor"] != "processes":
        return
    from attnstudy import executors
    from attnstudy.usecases.resources import asks_torch

    # at once where this process will import torch too; else when there is something to train
    at_once = asks_torch(given["device"], given["precision"])
    # torch imports its compiler with the first optimizer that is made, which takes seconds
    needed = ("attnstudy.usecases.worker", "torch._dynamo")
    executors.prepare_workers(*needed, at_once=at_once)


def data_dir_of(given: dict[str, Any]) -> Path:
    """Return the folder for downloads and decoded images."""
    from attnstudy.data import default_data_dir

    chosen: Path | None = given["data_dir"]
    return chosen or default_data_dir()


def print_result(answer: Any, text: Any, output: Path | None = None) -> None:
    """Print JSON if there is an answer for machines, else the text; or write it to a file."""
    content = text() if answer is None else json.dumps(answer, indent=2, allow_nan=False)
    if output is None:
        click.echo(content.rstrip("\n"))
        return
    try:
        output.write_text(content.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror}") from error
