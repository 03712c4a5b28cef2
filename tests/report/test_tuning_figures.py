"""Figures of a search: what is drawn is what was found."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from attnstudy.report.tuning import history_figure, importances_figure, tuning_figures
from attnstudy.search import SearchConfig, Trial, TrialState
from attnstudy.usecases.tuning.results import ArmTuning

VALUES = (40.0, 70.0, None, 55.0, 70.0, None)


@pytest.fixture
def tuning() -> ArmTuning:
    config = SearchConfig(
        study="s", arm="double", space={"lr": [1e-3, 1e-2]}, sampler="tpe", sampler_seed=0,
        pruner="median", seeds=(7, 8), settings={}, most_epochs=2, classes=10,
        facts={"variant_source": None, "dataset": "digits", "dataset_digest": "d",
               "train_size": 10, "val_size": 5},
    )  # fmt: skip
    states = {2: TrialState.PRUNED, 5: TrialState.FAILED}
    trials = tuple(
        Trial(
            number=number,
            state=states.get(number, TrialState.COMPLETE),
            fields={"lr": 1e-3},
            value=value,
            by_seed={} if value is None else {7: value - 1, 8: value + 1},
        )
        for number, value in enumerate(VALUES)
    )
    return ArmTuning(config, trials, {"lr": 0.75, "batch_size": 0.25})


def labelled(figure: Figure, label: str) -> list[tuple[float, float]]:
    """Return the points of what the legend calls so."""
    (line,) = (line for line in figure.axes[0].get_lines() if line.get_label() == label)
    return list(zip(*map(np.ndarray.tolist, map(np.asarray, line.get_data())), strict=True))


def test_the_history_shows_each_trial_and_the_best_so_far(tuning):
    figure = history_figure(tuning)
    assert labelled(figure, "trial (mean)") == [(0, 40), (1, 70), (3, 55), (4, 70)]
    assert labelled(figure, "best so far") == [(0, 40), (1, 70), (3, 70), (4, 70)]
    assert [x for x, _ in labelled(figure, "stopped early")] == [2]
    assert [x for x, _ in labelled(figure, "failed")] == [5]


def test_the_importances_are_shares_with_the_largest_on_top(tuning):
    axes = importances_figure(tuning).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert dict(zip(names, widths, strict=True)) == {"batch size": 25.0, "lr": 75.0}
    assert names[-1] == "lr"


def test_the_files_are_pictures_and_the_same_search_gives_the_same_bytes(tuning):
    drawn = tuning_figures(tuning)
    assert set(drawn) == {"history.png", "importances.png"}
    assert tuning_figures(tuning) == drawn
    for content in drawn.values():
        with Image.open(io.BytesIO(content)) as image:
            assert image.format == "PNG"


def test_what_there_is_nothing_to_show_of_is_not_drawn(tuning):
    assert set(tuning_figures(replace(tuning, importances={}))) == {"history.png"}
    assert tuning_figures(replace(tuning, trials=(), importances={})) == {}
