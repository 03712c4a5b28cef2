"""The figures of a run: its training draws them."""

from __future__ import annotations

from collections.abc import Mapping

from attnstudy.runs import RunFolder
from attnstudy.trainings.registry import find


def run_figures(folder: RunFolder) -> Mapping[str, bytes]:
    """Return the figures of a finished run: file names and contents; none of one never begun."""
    started = folder.started()
    return {} if started is None else find(started.spec.training).figures(folder)
