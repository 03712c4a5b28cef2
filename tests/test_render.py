"""What people read: tables, times, seeds, and the bars on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from attnstudy import stats
from attnstudy.render.comparison import advice_words
from attnstudy.render.exports import rank_json, rank_markdown
from attnstudy.render.ranking import rank_text, ranking_text
from attnstudy.render.studies import sync_text
from attnstudy.render.tables import duration, number, table
from attnstudy.seeds import parse_seeds, seeds_text
from attnstudy.tracking import resolve
from attnstudy.usecases.ranking import RankReport
from attnstudy.usecases.syncing import SyncReport
from tests.conftest import SMALL
from tests.terminals import on_a_terminal


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"), (59.4, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (1800, "30 min"),
        (7800, "2 h 10 min"), (3600 * 48, "2 d 0 h"), (3600 * 75, "3 d 3 h"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("seeds", [(0,), (7,), (0, 1, 2), (0, 1, 2, 7), (1, 3, 5), (4, 5, 9, 10)])
def test_seeds_are_written_as_the_command_line_reads_them(seeds):
    assert parse_seeds(seeds_text(seeds)) == seeds


def test_numbers():
    assert number(None) == "–"
    assert number(59.8412) == "59.84"
    assert number(0.0123) == "0.01230"
    assert [number(value, [0.0126, 0.5]) for value in (0.0126, -0.5)] == ["0.0126", "−0.5000"]
    assert number(0.0) == "0.000"
    assert number(1e-9) == "1e-09"
    assert number(float("inf")) == "inf"


def test_tables_keep_brackets_and_fit_100_columns():
    text = table(["a", "b"], [["[bold]x[/bold]", "[-1.00, +2.00]"], ["y" * 150, "z"]], right=" >")
    assert "[bold]x[/bold]" in text
    assert "[-1.00, +2.00]" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_ranking_text_holds_every_number_and_fits_100_columns():
    samples = {
        "vanilla": [59.77, 60.81, 57.70, 59.77],
        "a variant with a very long name " * 3: [59.39, 61.11, 60.81, 60.79],
        "mïne:wide [x]": [67.7, 62.88, 61.76, 62.41],
    }
    ranking = stats.rank(samples, study="notebook")
    text = ranking_text(ranking)
    assert all(len(line) <= 100 for line in text.splitlines())
    for arm in ranking.arms:
        assert f"{arm.mean:.2f}" in text
        assert f"{arm.sd:.2f}" in text
    for pair in ranking.pairs:
        interval = f"[{pair.ci_low:+.2f}, {pair.ci_high:+.2f}]".replace("-", "−")
        assert interval in text
        assert f"{pair.p_adjusted:.3f}"[1:] in text
    assert "mïne:wide [x]" in text


def report_of(ranking):
    """Return the ranking as the command line hands it to the renderers."""
    return RankReport(ranking=ranking, collected=None, claims=(), calibration=None)


@pytest.mark.parametrize("factor", [1.0, 0.01, 1e-12, 1e9])
def test_small_and_large_numbers_keep_their_digits(factor):
    samples = {
        "a": [factor * v for v in (0.62, 0.63, 0.64, 0.61)],
        "b": [factor * v for v in (0.31, 0.33, 0.32, 0.30)],
    }
    ranking = stats.rank(samples, metric="m")
    for text in (ranking_text(ranking), rank_markdown(report_of(ranking))):
        assert "better" in text
        assert not re.search(r"\+0\.0+[ ,\]|]", text)
        assert "[+0.00, +0.00]" not in text


def test_one_advice_for_all_pairs_of_arms_with_too_few_runs():
    ranking = stats.rank({name: {0: 50.0 + i, 1: 51.5} for i, name in enumerate("abcd")})
    flat = " ".join(ranking_text(ranking).split())
    assert flat.count("Describe only") == 1
    assert "there was no test, as a test needs 3 values of each arm." in flat
    assert "fewer than 3 values: " in flat
    assert all("has 2 values" in pair.advice for pair in ranking.pairs)


def test_text_and_markdown_hold_other_tests_seed_correlation_advice_and_the_chance_view():
    samples = {
        "double": {0: 63.1, 1: 64.2, 2: 62.0, 3: 65.0},
        "early": {0: 60.1, 1: 61.9, 2: 60.0, 3: 61.0},
        "vanilla": {0: 59.1, 1: 60.2, 2: 58.0, 3: 60.0},
    }
    ranking = stats.rank(samples, diverged={"double": 1}, chance=10.0)
    for text in (ranking_text(ranking), rank_markdown(report_of(ranking))):
        flat = " ".join(text.split())
        assert "seed r" in flat
        assert f"{ranking.pairs[0].seed_correlation:+.2f}" in flat
        assert "too few" in flat
        assert "Report the runs that diverged beside the difference" in flat
        assert "with chance (10.00) in the place of runs that diverged: early 60.75" in flat
    assert all(len(line) <= 100 for line in ranking_text(ranking).splitlines())


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9](;[0-9]+)*m")


@pytest.mark.rest
def test_bars_show_every_worker_and_no_color_is_respected(workplace, processes):
    arguments = ["run", *SMALL, "--epochs", "10", "--workers", "2", "--seeds", "1"]
    both = ("--variant", "vanilla", "--variant", "double")
    coloured = on_a_terminal([*arguments, *both], {})
    assert COLOUR.search(coloured)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", coloured)
    assert "all runs" in shown
    for variant in ("vanilla", "double"):
        assert f"{variant}/seed=0" in shown
    assert re.search(r"\d+/80 train_loss \d\.\d+  val_accuracy \d+", shown)
    plain = {"NO_COLOR": "1", "ATTNSTUDY_EXECUTOR": "inline"}
    again = on_a_terminal([*arguments, "--variant", "vanilla", "--rerun"], plain)
    assert "vanilla/seed=0" in again
    assert not COLOUR.search(again)


def test_an_interval_with_zero_and_equivalence_are_explained_beside_the_table():
    by_holm = {
        "A": [72.1, 73.3, 71.2, 72.9, 71.0, 72.4], "B": [70.6, 72.3, 69.8, 71.5, 70.1, 71.2],
        "C": [67.9, 69.0, 66.9, 68.2, 68.8, 67.1],
    }  # fmt: skip
    holm = stats.rank(by_holm, correction="holm")
    (pair,) = [p for p in holm.pairs if p.includes_zero]
    close = stats.rank({"A": [60.1, 60.2, 60.0, 60.1], "B": [60.0, 60.1, 60.1, 59.9]}, margin=0.5)
    for show in (ranking_text, lambda ranking: rank_markdown(report_of(ranking))):
        shown = show(holm)
        assert f"{pair.ci_high:+.2f}" in shown
        starred = [line for line in shown.splitlines() if "*" in line and "better" in line]
        assert len(starred) == 1, shown  # Markdown's bold is in the verdict, on a line of its own
        assert "* includes zero: that the pair differs rests on Holm's adjusted p" in (
            shown.replace("\\", "")
        )
        shown = show(close)
        assert "equivalent: the interval lies within the margin; no p" in shown
        (row,) = [line for line in shown.splitlines() if line.lstrip("| ").startswith("A − B ")]
        assert "agree" not in row


def test_a_calibration_is_judged_in_text_and_markdown():
    samples = {"A": [60.0, 61.0, 62.0, 61.5], "B": [60.1, 61.2, 61.5, 60.4]}
    found = stats.calibrate(samples, replications=200)
    report = replace(report_of(stats.rank(samples)), calibration=found)
    for shown in (rank_text(report), rank_markdown(report)):
        flat = " ".join(shown.split())
        assert found.permuted.reading in flat
        assert found.simulated.reading in flat
    assert rank_json(report)["calibration"]["simulated"]["exceeds"] is found.simulated.exceeds


def test_advice_for_several_pairs_is_in_words_for_several_and_counts_beyond_what_is_there():
    close = {"a": [1.0, 2.0, 3.0, 4.0], "b": [2.5, 2.5, 1.5, 3.5], "c": [4.6, 2.2, 2.7, 4.4]}
    ranking = stats.rank(close, metric="m", margin=0.5)
    flat = " ".join(ranking_text(ranking).split())
    assert "Do not rank the two arms of any of these pairs: neither" in flat
    assert "these two" not in flat
    # of a and b nothing was observed; c is .975 above either, which is beyond the margin
    assert re.search(r"a − b \(no difference observed / \d+\)", flat)
    assert re.search(r"c − a \(\d+ / –\)", flat)
    assert "if nothing differs (– where the observed difference is not within it)." in flat


def test_seeds_that_are_there_are_never_advised():
    ranking = stats.rank({"a": [1.0, 2.0, 3.0], "b": [1.2, 2.4, 2.9]}, metric="m", margin=9.0)
    open_ = replace(
        ranking.pairs[0], verdict=stats.Verdict.UNDECIDED, seeds_for_equivalence=3,
        seeds_for_observed=3, advice="Detecting it would need about 4 seeds per arm.",
    )  # fmt: skip
    flat = " ".join(ranking_text(replace(ranking, pairs=(open_,))).split())
    assert "(4 / 4)" in flat


def test_the_verdict_in_markdown_is_a_sentence():
    ranking = stats.rank({"a": [1.0, 2.0, 3.0], "b": [1.2, 2.4, 2.9]}, metric="m")
    assert rank_markdown(report_of(ranking)).startswith("**No ranking is defensible.** ")


def test_what_others_says_is_a_legend_of_the_table_and_no_advice():
    ranking = stats.rank({"a": [60.1, 61.2, 60.4, 59.7], "b": [59.1, 58.2, 60.9, 59.5]})
    text = ranking_text(ranking)
    assert text.index("others: whether") < text.index("EXPLORATORY") < text.index("What to do:")
    assert not any(line.startswith("others") for line in advice_words(ranking))
    assert "\n\nothers: whether" in rank_markdown(report_of(ranking))


@pytest.mark.parametrize("metric", ["Test Acc (%)", "Test Acc [%]", "acc_%"])
def test_the_unit_that_a_name_has_is_not_said_twice(metric):
    samples = {"a": [60.1, 61.2, 60.4], "b": [59.1, 58.2, 58.9]}
    head = f"ranking, {metric}, maximized"
    assert ranking_text(stats.rank(samples, metric=metric, unit="points")).startswith(head)
    assert "ranking, acc (%), " in ranking_text(stats.rank(samples, metric="acc", unit="points"))


def test_one_run_is_delivered_in_the_singular(tmp_path):
    done = SyncReport(delivered=1, already=0, deleted=0, refused=0, damaged=0)
    assert sync_text(done, resolve(tmp_path, None)).startswith("1 run delivered to ")
