"""The page of a ranking: complete, self-contained, safe, the same each time."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import attnstudy.report
from attnstudy.report.context import Context
from attnstudy.report.html import ranking_html
from attnstudy.report.names import shorten, width
from attnstudy.report.style import DARK, LIGHT
from attnstudy.shown import in_line
from attnstudy.stats import (
    Ranking,
    Verdict,
    calibrate,
    check_claims,
    components_words,
    find_components,
    rank,
)
from attnstudy.stats.vocabulary import shown_group
from attnstudy.stats.wording.numbers import Numbers, exact, p_value, significant, two
from attnstudy.stats.wording.shown_flags import shown_flags
from attnstudy.usecases.sources import RunReference

VOID = {"meta", "br", "path", "rect", "use", "link", "img"}

FOLDER = Path(attnstudy.report.__file__).parent

BY_HOLM = {  # A > B is shown by Holm's p, and its Bonferroni interval includes zero
    "A": [72.1, 73.3, 71.2, 72.9, 71.0, 72.4],
    "B": [70.6, 72.3, 69.8, 71.5, 70.1, 71.2],
    "C": [67.9, 69.0, 66.9, 68.2, 68.8, 67.1],
}


class Page(HTMLParser):
    """Tags, attributes and text, with a check that every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.style = self.script = ""
        self.feed(html)
        self.close()
        assert not self.open
        self.flat = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        elif self.open and self.open[-1] == "script":
            self.script += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


_pages: dict[int, str] = {}


def page_of(ranking: Ranking) -> str:
    """Return the page of a ranking without a context, made once."""
    if id(ranking) not in _pages:
        _pages[id(ranking)] = ranking_html(ranking, Context())
    return _pages[id(ranking)]


def spoken(text: str) -> str:
    return " ".join(in_line(text).split())


def test_everything_that_was_found_is_there(any_ranking: Ranking) -> None:
    page, numbers = Page(page_of(any_ranking)), Numbers.of(any_ranking)
    said = [any_ranking.sentence, any_ranking.verdict, any_ranking.status_reason]
    said += [any_ranking.status.upper(), any_ranking.metric, *any_ranking.notes]
    for arm in any_ranking.arms:
        said += [arm.name, str(arm.n), *map(exact, arm.values)]
        said += map(numbers.plain, (arm.mean, arm.sd, arm.median, arm.min, arm.max))
        said += [numbers.interval(arm.ci_low, arm.ci_high), shown_group(arm.group or "")]
    for pair in any_ranking.pairs:
        said += [numbers.signed(pair.difference), p_value(pair.shown_p), pair.verdict.value]
        said += [numbers.interval(pair.ci_low, pair.ci_high, signed=True)]
        said += [pair.verdict.advice.rstrip("."), pair.advice.removeprefix(pair.verdict.advice)]
        said += [two(pair.hedges_g, signed=True), two(pair.prob_superiority)]
        if pair.robust is not None and pair.verdict is not Verdict.EQUIVALENT:
            said += [pair.robust.answer or "", p_value(pair.robust.permutation_p)]
    for flag in shown_flags(any_ranking):
        said += [flag.kind, flag.message, flag.verdict_without or ""]
    if any_ranking.power is not None:
        power = any_ranking.power
        said += map(significant, (power.sd, power.sd_upper, power.detectable_difference))
    missing = [text for text in map(spoken, said) if text not in page.flat]
    assert not missing


def test_the_notebook_gives_the_known_figures(notebook: Ranking, context: Context) -> None:
    page = Page(ranking_html(notebook, context))
    for text in ("+4.175", "[−1.74, +10.09]", ".145", "EXPLORATORY", "1–4", "67.7", "63.69"):
        assert text in page.flat
    for text in ("late/7: its status is failed", "c3f1", "Does <where> matter?", "2.10.0"):
        assert text in page.flat
    assert "a note with <b>markup</b>" in page.flat
    assert "attnstudy rank --study place \\\n  --margin 3 > 'a & b'" in page.text
    assert "2026-01-05 14:03 UTC" in page.flat
    for run in context.runs:
        assert run.name in page.flat
        assert run.run_id in page.flat
    assert page.all("th")
    assert page.flat.index(notebook.sentence) < page.flat.index("The evidence")


def test_plan_looks_and_chance_are_told(ranking_of: Callable[[str], Ranking]) -> None:
    page = Page(page_of(ranking_of("looks")))
    for text in ("CONFIRMATORY", "9f2ac1d0", "2026-01-01 10:00", "2 of 2 done; at 4, 8 seeds"):
        assert text in page.flat
    for look, seeds in enumerate((4, 8), start=1):
        assert f"{look} {seeds} seeds" in page.flat
    unequal = ranking_of("unequal")
    assert unequal.with_chance is not None
    assert unequal.with_chance.verdict in Page(page_of(unequal)).flat


def test_no_letters_with_a_control(ranking_of: Callable[[str], Ranking]) -> None:
    page = Page(page_of(ranking_of("control")))
    assert "group" not in page.flat.split("The table of")[0].split("own 95 % interval")[1][:60]
    assert "lower is better" in page.flat


@pytest.mark.parametrize("name", ["notebook", "hostile", "unequal"])
def test_nothing_is_loaded_and_nothing_runs_but_the_one_script(
    name: str, ranking_of: Callable[[str], Ranking], hostile_context: Context
) -> None:
    html = ranking_html(ranking_of(name), hostile_context)
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"link", "img", "iframe", "object", "image", "base", "form"}
    assert page.all("script") == [{}]
    assert page.script == "\n" + (FOLDER / "page.js").read_text()  # nothing of the ranking in it
    assert len(page.all("style")) == 1
    (policy,) = [
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    script, style = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (page.script, page.style)
    )
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    for _, attributes in page.tags:
        assert not any(key.startswith("on") or key in ("src", "style") for key in attributes)
        for link in ("href", "xlink:href"):
            assert (attributes.get(link) or "#").startswith("#")
        for value in attributes.values():
            assert all(
                target.startswith("#") for target in re.findall(r"url\(([^)]*)", value or "")
            )
    assert "@import" not in page.style
    assert "url(" not in page.style
    html.encode("utf-8")  # no lone surrogates
    assert "\x00" not in html
    assert "\u202e" not in html


def test_hostile_names_are_text(
    ranking_of: Callable[[str], Ranking], hostile_context: Context
) -> None:
    ranking = ranking_of("hostile")
    html = ranking_html(
        ranking, replace(hostile_context, question="</title><script>x</script>", curves={})
    )
    assert html.count("<script") == 1
    page = Page(html)
    assert page.script == "\n" + (FOLDER / "page.js").read_text()
    for arm in ranking.arms:
        assert in_line(arm.name) in page.text
    assert "</style><img src=x>" in page.text


def test_references_inside_the_figures_meet(notebook: Ranking, context: Context) -> None:
    page = Page(ranking_html(notebook, context))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {str(attributes["href"])[1:] for attributes in page.all("use")}
    for _, attributes in page.tags:
        used |= set(re.findall(r"url\(#([^)]*)\)", attributes.get("clip-path") or ""))
    assert used
    assert used <= set(ids)


def test_figures_follow_the_screen(notebook: Ranking, context: Context) -> None:
    html = ranking_html(notebook, context)
    body = html[html.index("<body>") :]
    assert body.count("<svg") == 6  # the curves for a desk, and again for a phone
    assert "var(--ink)" in body
    assert not [colour for colour in LIGHT.values() if colour in body]
    assert "font-family" not in body
    assert "prefers-color-scheme:dark" in html
    assert set(LIGHT) == set(DARK)
    assert len(set(LIGHT.values())) == len(LIGHT)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_text_has_contrast(colours: dict[str, str]) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance(colours["paper"])
    for role, colour in colours.items():
        if role not in ("grid", "paper", "band"):
            light, dark = sorted((luminance(colour), paper), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, role


def test_readable_without_seeing(notebook: Ranking, context: Context) -> None:
    html = ranking_html(notebook, context)
    page = Page(html)
    assert page.all("html") == [{"lang": "en"}]
    assert "<title>Ranking, study place: no ranking is defensible; against the margin" in html
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    assert all(heading.get("scope") in ("col", "row") for heading in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert [tag for tag, _ in page.tags if tag in ("h1", "main")] == ["main", "h1"]


@pytest.mark.parametrize("name", ["notebook", "hostile"])
def test_the_same_ranking_gives_the_same_bytes(
    name: str, ranking_of: Callable[[str], Ranking], hostile_context: Context
) -> None:
    first = ranking_html(ranking_of(name), hostile_context)
    again = Ranking.from_json(ranking_of(name).to_json())
    assert ranking_html(again, hostile_context) == first


def test_many_undecided_pairs_are_folded(ranking_of: Callable[[str], Ranking]) -> None:
    forty = ranking_of("forty")
    page = Page(page_of(forty))
    assert len(page.all("details")) == 3  # decided, undecided, values
    assert len(page.all("tr")) > len(forty.pairs)
    for verdict in (Verdict.BETTER, Verdict.UNDECIDED):  # once, and not for each of the pairs
        assert page.flat.count(spoken(verdict.advice)) == 1
    assert "of 780 pairs" in page.flat


def test_many_rows_stand_in_halves_and_a_large_matrix_is_drawn_for_a_desk(
    ranking_of: Callable[[str], Ranking],
) -> None:
    forty = ranking_of("forty")
    page = Page(page_of(forty))
    kinds = [(str(svg["aria-label"]).split(":")[0], svg.get("class")) for svg in page.all("svg")]
    assert [kind for kind, _ in kinds].count("Dot plot") == 2
    assert [screen for kind, screen in kinds if kind == "Matrix"] == ["phone", "desk"]
    assert kinds[0] == kinds[1]
    # every run is told once, and everything drawn of an arm says whose it is
    dots = [tag for tag in page.tags if tag == ("g", {"class": "run"})]
    assert len(dots) == sum(arm.n for arm in forty.arms) == len(page.all("title")) - 1
    cells = [path["data-arm"] for path in page.all("path") if "data-arm" in path]
    assert len(cells) == 2 * 40 * 40
    assert cells[:3] == ["0 0", "0 1", "0 2"]
    assert len(page.all("button")) == 40 + 2


def test_a_diverged_run_has_no_value(notebook: Ranking) -> None:
    run = RunReference(name="late/9", run_id="ff", value=None)
    html = ranking_html(notebook, Context(runs=[run], made_at="yesterday"))
    assert '<code>ff</code></td><td class="number" data-label="value">–</td>' in html
    assert ">yesterday</time>" in html


def test_numbers_never_round_onto_the_zero_they_exclude() -> None:
    points = Numbers("points", 2)
    assert points.interval(0.0004, 1.5, signed=True) == "[+0.0004, +1.5000]"
    assert points.interval(-1.0, 1.0) == "[−1.00, 1.00]"
    assert points.interval(0.0, 1.0) == "[0.00, 1.00]"
    assert Numbers("", 0).interval(1e-20, 3.0) == "[1e-20, 3]"
    assert points.signed(None) == "–"
    assert p_value(0.04996) == ".04996"
    assert (p_value(0.0001), p_value(1.0), p_value(0.145)) == ("< .001", "> .999", ".145")
    assert (significant(1998.0, 3), significant(0.00123456)) == ("2,000", "0.001235")


def test_names_are_shortened_by_what_is_seen() -> None:
    assert shorten("short", 10) == "short"
    assert shorten("abcdefghijklmnop", 9) == "abcd…mnop"
    assert width(shorten("注意力机制在卷积神经网络中的位置", 9)) <= 9
    assert shorten("a\nb\x00c\u202ed\uffff", 40) == r"a b\x00c\u202ed\uffff"


def test_an_interval_with_zero_is_said_to_be_wider_than_the_decision() -> None:
    holm = rank(BY_HOLM, correction="holm")
    assert [p.includes_zero for p in holm.pairs] == [True, False, False]
    page = Page(ranking_html(holm, Context()))
    assert page.flat.count("includes zero: the difference rests on Holm’s p") == 1
    assert "the Bonferroni interval drawn is wider" in page.flat
    assert "Holm’s p = .0" in page.flat  # in the figure of the differences


def test_equivalence_has_no_p_of_a_difference_beside_it() -> None:
    close = {"A": [60.1, 60.2, 60.0, 60.1, 60.2], "B": [60.0, 60.1, 60.1, 59.9, 60.0]}
    ranking = rank(close, margin=0.5)
    page = Page(ranking_html(ranking, Context()))
    assert p_value(ranking.pairs[0].p_adjusted) not in page.flat
    assert "equivalent, inside the margin" in page.flat
    assert "they test for a difference" in page.flat


def test_claims_and_calibration_are_on_the_page_too() -> None:
    ranking = rank(BY_HOLM)
    context = Context(
        claims=check_claims(ranking, ["A > C"]), calibration=calibrate(BY_HOLM, replications=300)
    )
    flat = Page(ranking_html(ranking, context)).flat
    assert "A > C: supported" in flat
    assert "promised: at most 0.05" in flat
    assert context.calibration is not None
    assert context.calibration.simulated.reading in flat


def test_components_of_variance_are_on_the_page_where_they_were_asked_for() -> None:
    ranking = rank(BY_HOLM)
    rows = [(arm, None, seed, v) for arm, own in BY_HOLM.items() for seed, v in enumerate(own)]
    found = find_components(rows)
    page = ranking_html(ranking, Context(components=found))
    flat = Page(page).flat
    assert "Where the variance comes from" in flat
    seed, residual = found.components
    for one in (seed, residual):
        assert f"{one.name}</th>" in page
        assert f">{one.variance:.4g}</td>" in page
    assert "sum</th>" in page
    assert all(words in flat for words in components_words(found))
    assert "Where the variance comes from" not in ranking_html(ranking, Context())
    single = find_components([("a", None, 0, 1.0)])
    flat = Page(ranking_html(ranking, Context(components=single))).flat
    assert "1 run): none can be told." in flat
    assert "not told: residual: no arm has two runs" in flat


def test_what_stands_for_many_stands_once_and_a_single_pair_has_no_family() -> None:
    flat = {"a": [60.0] * 3, "b": [50.0] * 3, "c": [40.0] * 3}
    constant = Page(ranking_html(rank(flat), Context()))
    assert constant.flat.count("neither of the two varies") == 1
    assert constant.flat.count("does the seed reach the training?") == 1
    single = {"a": [60.0, 61.0, 62.5], "b": [60.1, 61.9, 62.0]}
    page = Page(ranking_html(rank(single, control="b"), Context()))
    assert "The interval is one of 95 % confidence." in page.flat
    assert "which is sharper" not in page.flat
