"""The page in a browser: what its script adds, on any screen, and that nothing else happens."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from attnstudy.report.context import Context
from attnstudy.report.html import ranking_html
from attnstudy.report.tasks_html import tasks_html
from attnstudy.stats import Design, Measurements, find_components, rank
from attnstudy.stats.tasks import TaskMeasurements, rank_tasks
from tests.hostile import HOSTILE
from tests.report.conftest import NOTEBOOK, context_of, make
from tests.tasks.test_ranking_over_tasks import rows

WIDTHS = (390, 768, 1280)
ARMS = "Arms by"
OVERFLOWS = """() => [document.documentElement, ...document.querySelectorAll('.scroll')]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => `${box.ariaLabel ?? 'the page'}: ${box.scrollWidth} > ${box.clientWidth}`)"""
SHOWN = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => getComputedStyle(one).display !== 'none').length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="pip install -e '.[dev]' for Playwright"
    )
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("the tests of the page need chromium on the PATH: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the file of a page by name, made once."""
    folder = tmp_path_factory.mktemp("pages")

    def file(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(MAKERS[name](), encoding="utf-8")
        return path

    return file


def _notebook() -> str:
    runs = [(arm, None, seed, v) for arm, own in NOTEBOOK.items() for seed, v in enumerate(own)]
    context = replace(context_of(NOTEBOOK), components=find_components(runs))
    return ranking_html(make("notebook"), context)


def _seeds() -> str:
    """Arms with seeds, whose names are hostile; p-values on both sides of .001."""
    names = [HOSTILE[kind] for kind in ("script", "attribute", "entity", "markup")]
    starts = (60.0, 60.6, 62.1, 90.0)
    values = {
        name: {seed: start + 0.5 * seed + 0.1 * (seed * place % 3) for seed in range(4)}
        for place, (name, start) in enumerate(zip(names, starts, strict=True))
    }
    return ranking_html(rank(values), Context(question=HOSTILE["script"]))


def _tasks() -> str:
    samples: dict[str, dict[str, dict[int, float]]] = {}
    for task, arm, seed, value in rows():
        name = HOSTILE["script"] if arm == "base" else arm
        samples.setdefault(task, {}).setdefault(name, {})[seed] = value
    tasks = {
        task: TaskMeasurements(
            measured=Measurements(samples=of_task), direction="maximize", metric="accuracy"
        )
        for task, of_task in samples.items()
    }
    return tasks_html(rank_tasks(tasks, Design(metric="accuracy")), Context())


MAKERS: dict[str, Callable[[], str]] = {
    "notebook": _notebook,
    "seeds": _seeds,
    "looks": lambda: ranking_html(make("looks"), Context()),
    "forty": lambda: ranking_html(make("forty"), Context()),
    "tasks": _tasks,
}


@dataclass
class Look:
    """A page that is open, and what it did besides showing itself."""

    page: Any
    happened: list[str] = field(default_factory=list)

    def column(self, table: str, column: int) -> list[str]:
        """Return the texts of a column of the table whose caption begins so."""
        rows = self.table(table).locator("tbody tr:not(.remark)")
        cells = rows.locator(f":scope > :nth-child({column + 1})")
        return [" ".join(text.split()) for text in cells.all_text_contents()]

    def table(self, caption: str) -> Any:
        return self.page.locator(f"div[aria-label^='{caption}'] table")

    def heading(self, table: str, text: str) -> Any:
        return self.table(table).get_by_role("button", name=text, exact=True)

    def buttons(self) -> Any:
        return self.page.locator(".legend button[aria-pressed]")


@pytest.fixture
def look(browser: Any, page_file: Callable[[str], Path]) -> Iterator[Callable[..., Look]]:
    """Open a page; in the end it must have said nothing and asked nobody for anything."""
    contexts, looks = [], []

    def open_(name: str, *, width: int = 1280, dark: bool = False, javascript: bool = True) -> Look:
        address = page_file(name).as_uri()
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
        )  # fmt: skip
        context.set_default_timeout(5_000)
        contexts.append(context)
        look = Look(context.new_page())
        looks.append(look)

        def asked(route: Any) -> None:
            if route.request.url == address:
                route.continue_()
            else:
                look.happened.append(f"asked for {route.request.url}")
                route.abort()

        context.route("**/*", asked)
        # a violation of the policy is an error on the console
        look.page.on("console", lambda said: look.happened.append(f"said: {said.text}"))
        look.page.on("pageerror", lambda error: look.happened.append(f"failed: {error}"))
        look.page.on("dialog", lambda dialog: look.happened.append("opened a dialog"))
        look.page.goto(address)
        return look

    yield open_
    for context in contexts:
        context.close()
    assert [look.happened for look in looks] == [[] for _ in looks]


@pytest.mark.proof
def test_a_heading_sorts_up_then_down_then_as_it_was(look):
    shown = look("seeds")
    pairs, p = "Every pair", 4
    before = shown.column(pairs, p)
    assert "< .001" in before
    assert any(text.startswith(".") for text in before)
    heading = shown.heading(pairs, "adjusted p")
    heading.click()
    up = shown.column(pairs, p)
    assert up == sorted(before, key=lambda text: float(text.removeprefix("< ")) - ("<" in text))
    assert up != before
    assert len(set(up)) > 3
    sorted_as = shown.table(pairs).locator("th[aria-sort]")
    assert sorted_as.get_attribute("aria-sort") == "ascending"
    remarks = shown.table(pairs).locator("tbody .remark").count()
    assert remarks > 1
    # each remark stays below its pair
    assert shown.table(pairs).locator("tr.remarked + tr.remark").count() == remarks
    heading.click()
    assert shown.column(pairs, p) == up[::-1]
    heading.click()
    assert shown.column(pairs, p) == before
    assert sorted_as.count() == 0


def first_number(text: str) -> float:
    return float(re.search(r"[−+]?[\d.]+", text)[0].replace("−", "-"))


def test_the_keyboard_sorts_numbers_as_numbers_and_intervals_by_their_start(look):
    shown = look("notebook")
    for text, column in (("difference", 2), ("Hedges g", 5), ("P(first better)", 6)):
        heading = shown.heading("Every pair", text)
        heading.focus()
        shown.page.keyboard.press("Enter")
        found = shown.column("Every pair", column)
        assert found == sorted(found, key=first_number), text
        shown.page.keyboard.press("Space")
        found = shown.column("Every pair", column)
        assert found == sorted(found, key=first_number, reverse=True), text
    shown.heading("Every pair", "simultaneous 95 % interval").press("Enter")
    starts = [first_number(text) for text in shown.column("Every pair", 3)]
    assert starts == sorted(starts)
    assert starts[0] < 0
    # only the last column that was chosen is marked
    assert shown.table("Every pair").locator("th[aria-sort]").count() == 1
    shown.heading(ARMS, "arm").press("Enter")
    assert shown.column(ARMS, 0) == ["double", "early", "late", "vanilla"]
    shown.heading(ARMS, "n").press("Tab")
    assert shown.page.evaluate("document.activeElement.textContent") == "mean"


def test_what_has_no_number_stays_last_and_a_sum_stays_below(look):
    shown = look("notebook")
    components = "Components"
    assert shown.table(components).locator("tfoot th").text_content() == "sum"
    variances = shown.column(components, 1)
    shown.heading(components, "variance").click()
    shown.heading(components, "variance").click()
    assert shown.column(components, 1) == sorted(variances, key=float, reverse=True)
    shown = look("looks")
    shown.heading("Every pair", "adjusted p").click()
    assert "–" in shown.column("Every pair", 4)  # equivalent: no p of a difference
    assert shown.column("Every pair", 4)[-1] == "–"
    shown.heading("Every pair", "adjusted p").click()
    assert shown.column("Every pair", 4)[-1] == "–"


@pytest.mark.proof
def test_a_button_hides_an_arm_in_tables_and_figures(look):
    shown = look("notebook")
    page = shown.page
    assert shown.buttons().all_text_contents() == ["double", "early", "late", "vanilla"]
    row = shown.table(ARMS).locator("tbody tr").nth(1)
    dots = page.locator("svg [data-arm='1'] .run").first
    pairs = shown.table("Every pair").locator("tbody tr:visible")
    curve = page.locator("svg.desk g[data-arm='1']").first
    cell = page.locator("svg path[data-arm='0 1']").first
    for part in (row, dots, curve, cell):
        assert part.is_visible()
    assert pairs.count() == 12
    early = shown.buttons().nth(1)
    early.click()
    assert early.get_attribute("aria-pressed") == "false"
    for part in (row, dots, curve, cell):
        assert not part.is_visible()
    # a pair has seven marks, the lane of its margin included, and a number in the matrix
    assert page.locator("svg g[data-arm='0 1']").count() == 8
    assert page.evaluate(SHOWN, "svg [data-arm~='1']") == 0
    assert page.evaluate(SHOWN, "svg [data-arm='0 2']") == 8 + 1
    assert pairs.count() == 6  # three pairs without it, and what is said of each
    assert page.locator(".legend output").text_content() == "1 of 4 arms hidden"
    shown.buttons().nth(3).press("Space")
    assert pairs.count() == 2
    page.get_by_role("button", name="show all").press("Enter")
    assert pairs.count() == 12
    assert {one.get_attribute("aria-pressed") for one in shown.buttons().all()} == {"true"}
    assert page.locator(".legend output").text_content() == ""
    page.get_by_role("button", name="hide all").click()
    assert pairs.count() == 0
    early.click()
    assert shown.table(ARMS).locator("tbody tr:visible").count() == 1
    page.emulate_media(media="print")  # paper has all, and no buttons
    assert shown.table(ARMS).locator("tbody tr:visible").count() == 4
    assert not page.locator(".legend").is_visible()


def test_the_runs_and_values_of_a_hidden_arm_are_hidden_too(look):
    shown = look("notebook")
    shown.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    runs = shown.table("Every run that was used").locator("tbody tr:visible")
    values = shown.table("Every value").locator("tbody tr:visible")
    assert (runs.count(), values.count()) == (16, 4)
    shown.buttons().nth(1).click()
    assert (runs.count(), values.count()) == (12, 3)
    assert not [text for text in runs.all_text_contents() if text.startswith("early/")]
    shown.heading("Every run that was used", "value").click()  # sorting brings none back
    assert runs.count() == 12
    shown.page.get_by_role("button", name="show all").click()
    assert (runs.count(), values.count()) == (16, 4)


def test_an_arm_is_hidden_on_each_task_too(look):
    shown = look("tasks")
    assert shown.page.locator("[data-arm='1']:visible").count() > 20
    shown.buttons().nth(1).click()
    assert shown.page.locator("[data-arm='1']:visible").count() == 0
    assert shown.page.locator("figure[data-arm~='1']:visible").count() == 0
    tasks = shown.table("Tasks")  # whose columns are arms
    assert tasks.locator("thead th:visible").count() == 3
    assert tasks.locator("tbody tr").first.locator("> :visible").count() == 3


def test_a_dot_tells_its_run_by_pointer_and_by_keyboard(look):
    shown = look("seeds")
    page = shown.page
    tip, dots = page.locator(".tip"), page.locator("svg .run")
    best = HOSTILE["markup"]
    assert dots.count() == 16
    assert not tip.is_visible()
    dots.nth(2).scroll_into_view_if_needed()
    box = dots.nth(2).bounding_box()  # overlaps with others
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert tip.text_content() == f"{best}, seed 2: 91"
    page.mouse.move(5, 5)
    assert not tip.is_visible()
    # one stop for Tab; from there the arrows, along the arm and to the next one
    assert page.locator("svg .run[tabindex='0']").count() == 1
    dots.first.focus()
    assert tip.text_content() == f"{best}, seed 0: 90"
    page.keyboard.press("ArrowRight")
    assert tip.text_content() == f"{best}, seed 1: 90.5"
    page.keyboard.press("ArrowDown")
    assert tip.text_content().startswith(HOSTILE["entity"])
    page.keyboard.press("ArrowUp")
    assert tip.text_content().startswith(best)
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith(best)
    # what is hidden cannot be reached, and another takes its place
    shown.buttons().first.click()
    assert page.locator("svg .run[tabindex='0']:visible").count() == 1
    # the tip stays on the screen
    dots.nth(4).focus()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_overflows_on_any_screen(look, name):
    shown = look(name)
    shown.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    for width in WIDTHS:
        shown.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light",) if name == "forty" else ("light", "dark"):
            shown.page.emulate_media(color_scheme=scheme)
            assert shown.page.evaluate(OVERFLOWS) == [], (width, scheme)
            assert shown.page.locator("figure svg:visible").count() >= 3


def test_rows_are_cards_on_a_phone_and_can_be_sorted_there(look):
    shown = look("notebook", width=390)
    row = shown.table(ARMS).locator("tbody tr").first
    cells = [cell.bounding_box() for cell in row.locator("> *").all()]
    assert all(above["y"] + above["height"] <= below["y"] + 1 for above, below in pairwise(cells))
    label = "(cell) => getComputedStyle(cell, '::before').content"
    assert row.locator("td").nth(1).evaluate(label) == '"mean"'
    shown.heading(ARMS, "mean").click()
    assert shown.column(ARMS, 0)[0] == "vanilla"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("name", "width"), [("notebook", 1280), ("seeds", 390), ("tasks", 1280)])
def test_axe_finds_nothing_serious(look, name, width, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = look(name, width=width, dark=dark)
    # headings and buttons that are in use are looked at as well
    shown.heading("Pairs on average" if name == "tasks" else "Every pair", "difference").click()
    shown.buttons().first.click()
    found = axe.run(shown.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in serious]


@pytest.mark.parametrize("name", ["notebook", "tasks"])
def test_without_scripts_all_is_there_but_the_controls(look, name):
    scripted = look(name)
    plain = look(name, javascript=False)
    words = ".origin, h1, p, li, caption, dd, dt, td, tbody th, figcaption, pre, summary"
    assert plain.page.locator(words).all_text_contents() == (
        scripted.page.locator(words).all_text_contents()
    )
    headings = plain.page.locator("thead th")
    assert headings.all_text_contents() == scripted.page.locator("thead th").all_text_contents()
    assert plain.page.locator("button, .legend, .tip").count() == 0
    assert scripted.page.locator("button").count() > headings.count()
    assert plain.page.locator("figure svg:visible").count() == (
        scripted.page.locator("figure svg:visible").count()
    )
    if name == "notebook":  # browsers show it as they show any title
        title = plain.page.locator("svg .run title").first
        assert title.text_content() == "double: 67.7"


def test_the_headline_leaves_names_as_they_are(look):
    order = make("looks").order
    assert order is not None
    assert look("looks").page.locator("h1").inner_text() == order


def test_hostile_names_do_no_harm(look):
    shown = look("seeds")
    page = shown.page
    for name in (HOSTILE["script"], HOSTILE["entity"], HOSTILE["markup"]):
        assert name in page.locator("main").text_content()
    for heading in page.locator("thead button:visible").all():
        heading.click()
    for button in shown.buttons().all():
        button.click()
    page.get_by_role("button", name="show all").click()
    for dot in page.locator("svg .run").all():
        dot.focus()
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, main b, main i, [onmouseover], [onerror]").count() == 0


def test_the_policy_keeps_out_what_is_not_the_page_s_own(browser, page_file, tmp_path):
    """A page with a script and a style written into it runs neither."""
    text = page_file("seeds").read_text(encoding="utf-8")
    forged = "<script>document.title = 'forged'</script><style>main{display:none}</style>"
    forged += "<p id='styled' style='display:none'>x</p>"
    path = tmp_path / "forged.html"
    path.write_text(text.replace("<main>", f"{forged}<main>"), encoding="utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.title().startswith("Ranking")
    assert page.locator("main").is_visible()
    assert page.locator("#styled").is_visible()
    assert len([text for text in said if "Content Security Policy" in text]) >= 3
    page.close()
