"""Figures of a ranking: what is drawn is what was found."""

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from attnstudy.report.context import Context
from attnstudy.report.figures import figure_bytes, ranking_figures, written
from attnstudy.report.intervals import MOST_PAIRS
from attnstudy.report.lines import mean_curve
from attnstudy.report.matrix import superiority_figure
from attnstudy.report.seeds import seed_curve
from attnstudy.report.style import DASHES, LIGHT, MARKERS, Look, styled
from attnstudy.stats import Ranking, rank

SVG = "{http://www.w3.org/2000/svg}"


_figures: dict[int, dict[str, Figure]] = {}


def figures(ranking: Ranking) -> dict[str, Figure]:
    """Return the figures of a ranking without a context, drawn once."""
    if id(ranking) not in _figures:
        _figures[id(ranking)] = ranking_figures(ranking, Context())
    return _figures[id(ranking)]


def drawn(figure: Figure, gid: str) -> list[Any]:
    return [
        line
        for axes in figure.axes
        for line in axes.get_lines()
        if str(line.get_gid()).startswith(gid)
    ]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_which_figures_apply(
    notebook: Ranking, context: Context, ranking_of: Callable[[str], Ranking]
) -> None:
    assert list(ranking_figures(notebook, context)) == [
        "runs", "differences", "superiority", "power", "curves",
    ]  # fmt: skip
    assert "curves" not in figures(notebook)
    assert list(figures(ranking_of("one"))) == ["runs"]
    assert "power" not in figures(ranking_of("constant"))
    assert "superiority" not in figures(ranking_of("all diverged"))


def test_every_run_is_a_dot(any_ranking: Ranking) -> None:
    figure = figures(any_ranking)["runs"]
    dots = drawn(figure, "runs-")
    with_runs = [arm for arm in any_ranking.arms if arm.n]
    assert [tuple(line.get_xdata()) for line in dots] == [arm.values for arm in with_runs]
    for line in dots:  # equal values stay two dots
        places = list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        assert len(set(places)) == len(places)
    means = [line.get_xdata()[0] for line in drawn(figure, "mean-")]
    assert means == [arm.mean for arm in with_runs]
    ends = [tuple(line.get_xdata()) for line in drawn(figure, "interval-")]
    assert ends == [(arm.ci_low, arm.ci_high) for arm in with_runs if arm.ci_low is not None]
    heights = [line.get_ydata()[0] for line in drawn(figure, "mean-")]
    assert heights == sorted(heights)
    assert figure.axes[0].yaxis_inverted()  # the best at the top


def test_every_pair_has_its_interval_and_the_look_of_its_verdict(any_ranking: Ranking) -> None:
    figure = figures(any_ranking).get("differences")
    if figure is None:
        assert not any_ranking.pairs
        return
    pairs = any_ranking.pairs[:MOST_PAIRS]
    ends = [tuple(line.get_xdata()) for line in drawn(figure, "interval-")]
    assert ends == [(pair.ci_low, pair.ci_high) for pair in pairs if pair.ci_low is not None]
    known = [pair for pair in pairs if pair.difference is not None]
    points = drawn(figure, "difference-")
    assert [line.get_xdata()[0] for line in points] == [pair.difference for pair in known]
    for pair, line in zip(known, points, strict=True):
        assert line.get_marker() == MARKERS[pair.verdict][0]
        assert line.get_color() == LIGHT[pair.verdict.value]
    said = [text for text in words(figure) if text.split(",")[0] in {v.value for v in MARKERS}]
    assert [text.split(",")[0] for text in said] == [pair.verdict.value for pair in pairs]


def test_verdicts_differ_without_colour() -> None:
    assert len({(marker, filled) for marker, _, filled in MARKERS.values()}) == len(MARKERS)


def test_margin_stands_where_it_was_given(notebook: Ranking, ranking_of: Callable) -> None:
    bars: list[Any] = figures(notebook)["differences"].axes[0].patches  # type: ignore[assignment]
    assert {(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars} == {(-3.0, 3.0)}
    assert not figures(ranking_of("holm"))["differences"].axes[0].patches


def test_sides_of_zero_say_who_is_better(notebook: Ranking, ranking_of: Callable) -> None:
    label = figures(notebook)["differences"].axes[0].get_xlabel()
    assert label.index("second is better") < label.index("first is better")
    label = figures(ranking_of("control"))["differences"].axes[0].get_xlabel()
    assert label.index("first is better") < label.index("second is better")


def test_superiority_is_filled_from_both_sides(notebook: Ranking, ranking_of: Callable) -> None:
    cells = words(figures(notebook)["superiority"])
    assert len(cells) == 12
    for pair in notebook.pairs:
        assert pair.prob_superiority is not None
        for p in (pair.prob_superiority, 1 - pair.prob_superiority):
            assert (f"{p:.0f}" if p in (0, 1) else f"{p:.2f}"[1:]) in cells
    control = ranking_of("control")
    cells = words(figures(control)["superiority"])
    assert len(cells) == sum(pair.prob_superiority is not None for pair in control.pairs)


def test_letters_only_where_there_are_groups(notebook: Ranking, ranking_of: Callable) -> None:
    assert any(text.endswith("\u2003a") for text in words(figures(notebook)["runs"]))
    shown = words(figures(ranking_of("holm"))["runs"])
    assert not any("\u2003" in text for text in shown)


@pytest.mark.parametrize("name", ["notebook", "control", "holm", "paired", "looks", "unequal"])
def test_power_curve_goes_through_the_figures_of_the_ranking(
    name: str, ranking_of: Callable[[str], Ranking]
) -> None:
    ranking = ranking_of(name)
    power, curve = ranking.power, seed_curve(ranking)
    assert power is not None
    assert curve is not None
    now = curve.detectable[curve.seeds.index(power.n)]
    two = {arm.name: arm.n for arm in ranking.arms}
    if two[power.a] == two[power.b]:
        assert now == pytest.approx(power.detectable_difference, rel=1e-9)
    else:  # the arm with more runs helps a little
        assert now > power.detectable_difference
    assert list(curve.detectable) == sorted(curve.detectable, reverse=True)
    if (
        power.seeds_for_observed is not None
        and power.n < power.seeds_for_observed < curve.seeds[-1]
    ):
        height = np.interp(power.seeds_for_observed, curve.seeds, curve.detectable)
        assert height == pytest.approx(power.observed_gap, rel=0.15)


def test_power_marks_now_margin_and_gap(notebook: Ranking) -> None:
    figure, power = figures(notebook)["power"], notebook.power
    assert power is not None
    marks = {gid: drawn(figure, gid)[0] for gid in ("now", "margin", "observed-gap")}
    assert marks["now"].get_xydata().tolist() == [[4, power.detectable_difference]]
    assert marks["margin"].get_xydata().tolist() == [[power.seeds_for_margin, 3.0]]
    assert marks["observed-gap"].get_xydata().tolist() == [
        [power.seeds_for_observed, power.observed_gap]
    ]


def test_curves_are_means_with_a_band(notebook: Ranking, context: Context) -> None:
    axes = ranking_figures(notebook, context)["curves"].axes[0]
    assert len(axes.collections) == 4
    lines = {str(line.get_gid()): line for line in axes.get_lines()}
    for place, arm in enumerate(notebook.arms):
        table = np.array([values for _, values in context.curves[arm.name]])
        np.testing.assert_allclose(lines[f"curve-{place}"].get_ydata(), table.mean(axis=0))  # type: ignore[arg-type]
    assert len(set(map(str, DASHES))) == len(DASHES)  # they differ without colour


def test_mean_curve_covers_what_every_run_covers() -> None:
    nan = float("nan")
    average = mean_curve([([0, 10, 20], [0.0, 10.0, 20.0]), ([5, 15, 30], [1.0, 3.0, 6.0])])
    assert average is not None
    np.testing.assert_array_equal(average.steps, [5, 10, 15, 20])
    np.testing.assert_allclose(average.mean, [3.0, 6.0, 9.0, 12.0])
    single = mean_curve([([0, 1, 2], [1.0, nan, 3.0]), ([], [])])
    assert single is not None
    assert single.sd is None
    assert single.mean.tolist() == [1.0, 3.0]
    assert mean_curve([([0], [1.0]), ([5], [1.0])]) is None
    assert mean_curve([]) is None


def test_forty_arms_stay_legible(ranking_of: Callable[[str], Ranking]) -> None:
    forty = figures(ranking_of("forty"))
    for name in ("runs", "differences"):
        assert forty[name].get_figheight() / 40 > 0.3
        assert forty[name].get_figheight() < 20
    assert len(drawn(forty["differences"], "difference-")) == MOST_PAIRS
    assert not words(forty["superiority"])


@pytest.mark.parametrize("width", [None, 6.6])
@pytest.mark.parametrize("arms", [19, 25, 37, 40])
def test_numbers_beside_a_matrix_do_not_touch(arms: int, width: float | None) -> None:
    generator = np.random.default_rng(arms)
    ranking = rank({f"arm-{i}": list(generator.normal(60 + i, 1, 3)) for i in range(arms)})
    with styled(Look(width=width)):
        figure = superiority_figure(ranking)
        assert figure is not None
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert len(boxes) >= arms // 5
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("name", ["control", "one"])
def test_files_are_valid_and_the_same_each_time(
    name: str, ranking_of: Callable[[str], Ranking], hostile_context: Context
) -> None:
    ranking = ranking_of(name)
    made = figure_bytes(ranking, hostile_context, "svg")
    for svg in made.values():
        root = ElementTree.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        assert b"<metadata" not in svg
    with mpl.rc_context({"font.size": 30, "text.usetex": True, "svg.fonttype": "path"}):
        assert figure_bytes(ranking, hostile_context, "svg") == made
    for png in figure_bytes(ranking, hostile_context, "png").values():
        with Image.open(io.BytesIO(png)) as image:
            assert image.width == 820
            image.verify()


def test_names_stand_as_they_are(ranking_of: Callable[[str], Ranking]) -> None:
    svg = written(figures(ranking_of("hostile"))["runs"], "runs", "svg")
    texts = [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert any("<script>" in text for text in texts)
    assert any("$x^2$" in text for text in texts)  # no mathematics
    assert any("注意力机制" in text for text in texts)
