"""Rankings in LaTeX: what is printed is what was found, whatever the arms are called."""

from __future__ import annotations

import itertools
import re
import shutil
import string
import subprocess
from pathlib import Path

import numpy as np
import pytest

from attnstudy.shown import in_latex
from attnstudy.stats import Design, Plan, Verdict, rank
from attnstudy.stats.latex.ranking import MOST_PAIRS
from attnstudy.stats.tasks import rank_tasks
from attnstudy.stats.tasks.latex import shown_best
from attnstudy.stats.wording.numbers import Numbers
from tests.tasks.test_references import demsar, single
from tests.waiting import PATIENCE

NAME = "a_b & 50% #1 ~^{}\\"
EVERYTHING = [
    "".join(map(chr, range(0x20, 0x7F))),
    "".join(map(chr, range(0xA0, 0x250))),
    "".join(map(chr, range(0x370, 0x400))),
    "注意 🎉 −±×÷→≤≥∞²₃ …–—‘’“” a\u0301\u0328 \u0301x",
    "".join(map(chr, range(0x20))) + "\x7f\u202e\ud800\ufffe",
    "[x]", "*", "- -- ---", "  two  blanks  ", "",
]  # fmt: skip


def compiled(tmp_path: Path, *bodies: str) -> str:
    """Return the log of LaTeX, which had to take the bodies with booktabs alone."""
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex here, so nothing can be compiled")
    body = "\n\n".join(bodies)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n\\listoftables\n"
        f"{body}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    for _ in range(2):  # the second reads the list of tables
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
            cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-2000:]
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert "Missing character" not in log
    return log


def test_every_character_comes_out_as_text(tmp_path):
    assert in_latex(NAME) == (
        r"a\_b \& 50\% \#1 \textasciitilde{}\textasciicircum{}\{\}\textbackslash{}"
    )
    rows = [f"{in_latex(name)} & x \\\\" for name in EVERYTHING]
    table = "\\begin{tabular}{ll}\n\\toprule\n" + "\n".join(rows) + "\n\\end{tabular}"
    caption = "".join(map(in_latex, EVERYTHING))
    compiled(tmp_path, table, f"\\begin{{table}}\\caption{{{caption}}}\\end{{table}}")


@pytest.mark.parametrize("character", string.punctuation)
def test_no_punctuation_is_taken_for_a_command(character):
    """What is left after the known commands is text that LaTeX takes as it stands."""
    left = re.sub(r"\\(text[a-z]+\{\}|texttt\{\\char\d+\}|[_{}$&#%])", "", in_latex(character))
    assert not set(left) & set("\\$&#%_^~<>|\"'`")


def test_what_has_no_form_is_a_symbol():
    assert in_latex("a\tb") == r"a\texttt{U+0009}b"
    assert in_latex("\x00") == r"\texttt{U+0000}"
    assert in_latex("\u202e") == r"\texttt{U+202E}"
    assert in_latex("字") == r"\ifdefined\Umathcode 字\else\texttt{U+5B57}\fi{}"


def test_dashes_blanks_and_brackets_stay_what_they_are():
    assert in_latex("a--b---c") == "a-{}-b-{}-{}-c"
    assert in_latex("a  b") == r"a \ b"
    assert in_latex(" a ") == r"\ a\ "
    assert in_latex("[1]*") == "{[}1{]}{*}"
    assert in_latex("é") == in_latex("e\u0301") == r"\'{e}"


def test_every_kind_of_ranking_compiles(tmp_path, ranking_of):
    from tests.report.conftest import MAKERS

    compiled(tmp_path, *(ranking_of(name).to_latex() for name in MAKERS))


def test_a_table_is_no_wider_than_a_page_of_one_column(tmp_path):
    values = {
        name: [place / 50 + seed / 1000 for seed in range(5)]
        for place, name in enumerate(("resnet18", "resnet18+se", "vit-tiny", "convnext-pico"))
    }
    table = rank(values, metric="test/accuracy").to_latex()
    assert "convnext-pico $-$ resnet18+se & $+" in table
    assert "Overfull" not in compiled(tmp_path, table)
    compiled(tmp_path, table.replace("{table}", "{table*}"))


def test_every_number_of_the_arms_and_of_decided_pairs_is_there(any_ranking):
    table = any_ranking.to_latex()
    numbers = Numbers.of(any_ranking)
    arms = [line for line in table.splitlines() if line.endswith(r"\\")]
    for arm, line in zip(any_ranking.arms, arms[1:], strict=False):
        assert line.strip().startswith(f"{in_latex(arm.name)} & ${arm.n}$")
        mean = numbers.plain(arm.mean).replace("−", "-")  # in math mode a hyphen is a minus
        if arm.mean is not None and "e" not in mean:
            assert mean in line
    decided = [
        pair for pair in any_ranking.pairs
        if pair.verdict not in (Verdict.UNDECIDED, Verdict.DESCRIPTIVE)
    ]  # fmt: skip
    for pair in decided[:MOST_PAIRS]:
        assert f"{in_latex(pair.a)} $-$ {in_latex(pair.b)} &" in table
    rows = len(any_ranking.arms) + min(len(decided), MOST_PAIRS) + 1 + bool(decided)
    assert len(arms) == rows


def test_the_caption_says_runs_test_error_rate_and_plan(ranking_of):
    table = ranking_of("notebook").to_latex()
    assert "$n = 4$ runs of each arm" in table
    assert "Games-Howell, all pairs, calibrated; simultaneous 95 \\% intervals" in table
    assert "family-wise error 0.05" in table
    assert "EXPLORATORY: no plan was recorded before the first run." in table
    assert r"\label{tab:place-c3f1-test-accuracy}" in table
    planned = ranking_of("looks").to_latex()
    assert "Confirmatory: plan 9f2ac1d0 of 2026-01-01 10:00." in planned
    assert "EXPLORATORY" not in planned
    assert "0.025 at each of 2 looks" in planned
    assert "Equivalent: the interval lies within the margin of 4 points." in planned


def test_no_two_tables_of_a_study_share_a_label():
    one = rank({"a": [1.0, 2.0, 3.0]}, metric="loss", study="s").to_latex()
    two = rank({"a": [1.0, 2.0, 3.0]}, metric="acc", study="s").to_latex()
    labels = [re.search(r"\\label\{(.*)\}", text)[1] for text in (one, two)]
    assert labels == ["tab:s-loss", "tab:s-acc"]


def test_a_plan_that_was_not_kept_is_exploratory():
    plan = Plan(hash="abc", date="2026-01-01")
    table = rank(
        {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.5]}, plan=plan, deviations=["seed 9 goes beyond"]
    ).to_latex()
    assert "EXPLORATORY: the plan abc of 2026-01-01 was not followed: seed 9 goes beyond." in table


def tasks():
    """Return a ranking with a task on which one arm is shown best, and one on which none is."""
    generator = np.random.default_rng(3)
    rows = {
        "clear_1": {"x & y": 90.0, "b": 80.0, "c": 70.0},
        "open": {"x & y": 80.0, "b": 80.0, "c": 60.0},
        "third": {"x & y": 85.0, "b": 75.0, "c": 65.0},
    }
    return rank_tasks(
        {
            task: _measured({arm: generator.normal(mean, 0.5, 6) for arm, mean in arms.items()})
            for task, arms in rows.items()
        },
        Design(metric="accuracy"),
    )


def _measured(samples):
    from attnstudy.stats import Measurements
    from attnstudy.stats.tasks import TaskMeasurements

    return TaskMeasurements(
        measured=Measurements(samples={arm: list(values) for arm, values in samples.items()}),
        direction="maximize",
        metric="accuracy",
    )


def test_over_tasks_only_who_is_shown_best_is_bold(tmp_path):
    ranking = tasks()
    table = ranking.to_latex()
    lines = {
        name: next(line for line in table.splitlines() if line.strip().startswith(f"{name} &"))
        for name in (r"clear\_1", "open", "average", "mean rank")
    }
    assert r"\textbf{" in lines[r"clear\_1"].split("&")[1 + _column(ranking)]
    assert lines[r"clear\_1"].count(r"\textbf{") == 1
    assert r"\textbf{" not in lines["open"]
    for arm in ranking.arms:
        assert f"{arm.mean_rank:.2f}" in lines["mean rank"]
    assert table.index("third &") < table.index("average &") < table.index("mean rank &")
    assert r"& x \& y & b & c \\" in table
    assert "Games-Howell, all pairs" in table
    assert "($0.0167$ on each task)" in table
    compiled(tmp_path, table)


def _column(ranking):
    return [arm.name for arm in ranking.arms].index("x & y")


def test_bold_is_shown_by_the_pairs_of_the_task():
    for task in tasks().tasks:
        best = shown_best(task)
        names = {arm.name for arm in task.ranking.arms}
        shown = {
            name for name in names
            if all(
                any(
                    (pair.a, pair.b, pair.verdict)
                    in ((name, other, Verdict.BETTER), (other, name, Verdict.WORSE))
                    for pair in task.ranking.pairs
                )
                for other in names - {name}
            )
        }  # fmt: skip
        assert shown == ({best} if best else set())


def test_many_tasks_without_seeds_compile(tmp_path):
    table = rank_tasks(single(demsar()), Design(metric="AUC")).to_latex()
    assert r"\textbf{" not in table
    compiled(tmp_path, table)


def test_the_command_prints_it(cli, workplace, tmp_path):
    rows = [
        f"{arm},{seed},{value + seed / 10}"
        for (arm, value), seed in itertools.product(((NAME, 91), ("base", 93)), range(4))
    ]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")
    answer = cli("rank", "--from", "r.csv", "--format", "latex")
    assert answer.code == 0
    assert answer.out.startswith("% \\usepackage{booktabs}\n")
    assert "\n\\begin{table}\n" in answer.out
    assert in_latex(NAME) in answer.out
    compiled(tmp_path, answer.out)
    refused = cli("rank", "--from", "r.csv", "--format", "latex", "--components")
    assert refused.code == 2
    assert "--components has no place in --format latex" in refused.err
