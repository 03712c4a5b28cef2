"""Figures and page of a ranking over several tasks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from attnstudy.report.context import Context
from attnstudy.report.over_tasks import MOST_ROWS, _cliques, task_figures
from attnstudy.report.tasks_html import tasks_html
from attnstudy.stats import Design
from attnstudy.stats.tasks import rank_tasks
from tests.tasks.test_ranking_over_tasks import rows, write
from tests.tasks.test_references import classifiers, demsar, single


def ranking_of(rows_, **design):
    return rank_tasks(single(rows_, "accuracy"), Design(metric="accuracy", **design))


def test_all_figures_are_written_for_screens_and_paper(cli, workplace):
    write("results.csv", rows())
    words = ("rank", "--from", "results.csv", "--task-by", "dataset", "--figures", "figures")
    assert cli(*words).code == 0
    found = {path.name for path in Path("figures").iterdir()}
    names = ("tasks", "pair-1", "pair-2", "pair-3", "pairs", "mean-ranks")
    assert found == {f"{name}.{kind}" for name in names for kind in ("svg", "png", "pdf")}
    before = {path.name: path.read_bytes() for path in Path("figures").iterdir()}
    assert cli(*words).code == 0
    assert before == {path.name: path.read_bytes() for path in Path("figures").iterdir()}


def test_arms_within_the_critical_difference_are_joined():
    """Demsar's (2006) example at 0.10: mean ranks 1.964, 2.000, 2.893, 3.143, and 1.12 apart."""
    ranking = rank_tasks(single(demsar()), Design(metric="AUC", alpha=0.10))
    ranks = sorted(arm.mean_rank for arm in ranking.arms)
    cliques = _cliques(ranks, ranking.mean_ranks.critical_difference)
    found = [tuple(round(end, 3) for end in one) for one in cliques]
    assert found == [(1.964, 2.893), (2.893, 3.143)]
    assert "mean-ranks" in task_figures(ranking)


@pytest.mark.parametrize(
    ("ranks", "cd", "expected"),
    [
        ([1.0, 2.0, 3.0], 1.1, [(1.0, 2.0), (2.0, 3.0)]),
        ([1.0, 2.0, 3.0], 0.5, []),
        ([1.0, 2.0, 3.0], 2.0, [(1.0, 3.0)]),
        ([1.0, 1.5, 2.0, 3.9], 1.0, [(1.0, 2.0)]),
    ],
)
def test_bars_are_the_longest_runs_and_none_lies_in_another(ranks, cd, expected):
    assert _cliques(ranks, cd) == expected


def test_of_many_tasks_the_largest_and_the_smallest_differences_are_drawn():
    few = ranking_of(classifiers())
    axes = task_figures(few)["pair-1"].axes[0]
    assert len(axes.get_yticks()) == 54 + 1  # of single values there is no average
    many = {f"{name} {copy}": row for copy in range(2) for name, row in classifiers().items()}
    axes = task_figures(ranking_of(many))["pair-1"].axes[0]
    assert len(axes.get_yticks()) == MOST_ROWS + 1
    assert "largest and smallest of 108" in axes.get_xlabel()


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_page_has_three_answers_nothing_to_load_and_escapes_names():
    named = {
        f"<b>{task}</b>": {f"<i>{arm}</i>": v for arm, v in row.items()}
        for task, row in classifiers().items()
    }
    page = tasks_html(ranking_of(named), Context())
    tags = _Tags()
    tags.feed(page)
    assert not [tag for tag, attrs in tags.seen if tag in ("link", "img", "b", "i")]
    assert [attrs for tag, attrs in tags.seen if tag == "script"] == [{}]
    assert not re.search(r'(src|href)="http', page)
    for title in ("On each task", "On average over these tasks", "On a new task like these"):
        assert f"<h2>{title}</h2>" in page
    assert page.count("<svg") == 7  # the tasks for a desk, and again for a phone
    assert all(attrs.get("aria-label") for tag, attrs in tags.seen if tag == "svg")


@pytest.mark.proof
def test_the_page_of_the_command(cli, workplace):
    write("results.csv", rows())
    answer = cli(
        "rank", "--from", "results.csv", "--task-by", "dataset", "--format", "html",
        "--assert", "ours > base", "--tasks", "average", "--output", "page.html",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    page = Path("page.html").read_text()
    assert "ours &gt; plus &gt; base" in page
    assert "<strong>supported</strong>" in page
    assert "<span>attnstudy</span> <span>rank</span> <span>--from</span>" in page
