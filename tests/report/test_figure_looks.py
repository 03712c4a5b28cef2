"""Figures as a paper wants them: formats, width, size of text, style."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from matplotlib.text import Text
from PIL import Image

import attnstudy
from attnstudy.errors import UsageError
from attnstudy.report.context import Context
from attnstudy.report.figures import figure_bytes, look_of, ranking_figures
from attnstudy.report.over_tasks import task_figures
from attnstudy.report.style import Look
from attnstudy.stats import Design
from attnstudy.stats.tasks import rank_tasks
from tests.tasks.test_references import demsar, single

NAMES = ("runs", "differences", "superiority", "power")


def written(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def ranked(cli, *words):
    return cli("rank", "--from", "r.csv", "--figures", "figures", *words)


@pytest.fixture
def results(workplace):
    rows = [f"{arm},{s},{91 + i + s / 10}" for i, arm in enumerate(("a", "b")) for s in range(4)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")


def test_svg_png_and_pdf_are_the_same_bytes_each_time(cli, results):
    assert ranked(cli).code == 0
    before = written("figures")
    assert {name.partition(".")[0] for name in before} == set(NAMES)
    assert set(before) == {f"{name}.{kind}" for name in NAMES for kind in ("svg", "png", "pdf")}
    assert all(content[:5] == b"%PDF-" for name, content in before.items() if "pdf" in name)
    assert not any(b"/Type3" in content for content in before.values())
    assert ranked(cli).code == 0
    assert written("figures") == before


def test_width_size_and_style_are_what_was_asked_for(notebook):
    plain = ranking_figures(notebook, Context())
    asked = ranking_figures(notebook, Context(), look_of(width=3.25, font_size=6.0))
    for name, figure in asked.items():
        assert figure.get_figwidth() == 3.25
        assert figure.get_figheight() < plain[name].get_figheight()
        sizes = {float(text.get_fontsize()) for text in figure.findobj(Text) if text.get_text()}
        assert max(sizes) <= 6.0 + 1e-9
    over = rank_tasks(single(demsar()), Design(metric="AUC"))
    for figure in task_figures(over, Look(width=7.0)).values():
        assert figure.get_figwidth() == 7.0


def test_text_grows_with_its_rows(notebook):
    plain = ranking_figures(notebook, Context())["runs"]
    large = ranking_figures(notebook, Context(), Look(font_size=18.0))["runs"]
    assert large.get_figheight() == pytest.approx(2 * plain.get_figheight())


def test_a_style_goes_before_the_built_in_one(notebook, tmp_path):
    style = tmp_path / "mine.mplstyle"
    style.write_text("font.family: serif\nfont.size: 12\naxes.spines.top: True\n")
    look = look_of(style=style)
    figure = ranking_figures(notebook, Context(), look)["runs"]
    axes = figure.axes[0]
    assert axes.spines["top"].get_visible()
    assert {text.get_fontfamily()[0] for text in axes.texts} == {"serif"}
    assert axes.xaxis.label.get_fontsize() == 12
    smaller = ranking_figures(notebook, Context(), look_of(style=style, font_size=8))["runs"]
    assert smaller.axes[0].xaxis.label.get_fontsize() == 8
    assert figure_bytes(notebook, Context(), "pdf", look) == figure_bytes(
        notebook, Context(), "pdf", look_of(style=style)
    )


def test_transparent_leaves_out_the_paper(cli, results):
    def corner():
        with Image.open(io.BytesIO(Path("figures/runs.png").read_bytes())) as image:
            return image.convert("RGBA").getchannel("A").getpixel((0, 0))

    assert ranked(cli).code == 0
    assert corner() == 255
    assert ranked(cli, "--transparent").code == 0
    assert corner() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--figure-width", "0"), "'0' is not a width"),
        (("--figure-width", "wide"), "'wide' is not a width"),
        (("--figure-width", "0.1"), "a width of 0.1 inches leaves nothing to read: give 2 to 40"),
        (("--font-size", "nan"), "'nan' is not a font size"),
        (("--font-size", "900"), "a font size of 900 points leaves nothing to read"),
        (("--figure-style", "no.mplstyle"), "cannot be read (No such file or directory)"),
        (("--figure-style", "."), "cannot be read (Is a directory)"),
        (("--figure-style", "bad.mplstyle"), "is none of matplotlib's: Bad key font.sise"),
        (("--figure-style", "value.mplstyle"), "is none of matplotlib's: Bad value"),
        (("--figure-style", "binary.mplstyle"), "it is no text in UTF-8"),
        (("--figure-style", "tex.mplstyle"), "sets text.usetex, but names of arms are plain text"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, results, words, said):
    Path("bad.mplstyle").write_text("font.sise: 9\n")
    Path("value.mplstyle").write_text("font.size: large-ish\n")
    Path("binary.mplstyle").write_bytes(b"\xff\xfe\x00\x81")
    Path("tex.mplstyle").write_text("text.usetex: True\n")
    answer = ranked(cli, *words)
    assert answer.code == 2
    assert said in " ".join(answer.err.split())
    assert not Path("figures").exists()


def test_a_look_without_figures_is_refused(cli, results):
    answer = cli("rank", "--from", "r.csv", "--transparent")
    assert answer.code == 2
    assert "--transparent is about the figures" in answer.err


def test_from_python(tmp_path):
    ranking = attnstudy.rank({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 5.0]}, metric="accuracy")
    made = attnstudy.figures(ranking, tmp_path, width=3.0, font_size=7, transparent=True)
    assert {figure.get_figwidth() for figure in made.values()} == {3.0}
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg", ".png", ".pdf"}
    with pytest.raises(UsageError, match="a width of 0"):
        attnstudy.figures(ranking, width=0)
