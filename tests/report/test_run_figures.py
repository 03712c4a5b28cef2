"""Figures of runs: what is drawn, and that a figure holds nothing of the run before."""

from __future__ import annotations

import dataclasses

import pytest

from attnstudy import runs
from attnstudy.executors import Inline
from attnstudy.files import write_sealed
from attnstudy.running.jobs import Job
from attnstudy.running.worker import train_together
from attnstudy.trainings.placement import figures


@pytest.fixture
def trained(make_spec, digits_folder, workplace):
    def train(**fields):
        spec = make_spec(**fields)
        folder = runs.run_folder(workplace / "mlruns", spec)
        job = Job(spec, folder.path, "cpu", 1, "test", place=digits_folder, models=False)
        list(Inline().execute([[job]], train_together))
        return folder

    return train


def fresh(folder):
    """Draw with figures that were made for this run alone."""
    for made in (figures._curves, figures._matrix, figures._grid):
        made.cache_clear()
    return figures.run_figures(folder)


@pytest.mark.parametrize(
    "later",
    [{"seed": 1}, {"epochs": 3}, {"attention": "channel"}, {"variant": "vanilla"}],
    ids=lambda later: next(iter(later)),
)
def test_a_figure_holds_nothing_of_the_run_before(trained, later):
    before, after = trained(), trained(**later)
    alone = fresh(after)
    fresh(before)
    assert figures.run_figures(after) == alone


def test_a_diverged_run_has_no_score_after_the_last(trained):
    folder = trained(seed=0)
    whole = figures.run_figures(folder)
    result = folder.result()
    metrics = {n: v for n, v in result.metrics.items() if n != "val_accuracy_final"}
    content = dataclasses.replace(result, metrics=metrics).to_json()
    write_sealed(folder.path / runs.RESULT, content)
    drawn = figures.run_figures(folder)
    assert drawn["learning_curve.png"] != whole["learning_curve.png"]
    assert drawn["confusion_matrix.png"] == whole["confusion_matrix.png"]


def test_a_single_point_is_no_curve(trained):
    folder = trained(epochs=1, train_size=32, batch_size=32)
    assert [len(record.values["train_loss"]) for record in folder.journal()] == [1]
    assert "learning_curve.png" not in figures.run_figures(folder)
