"""Repetitions that are folds of a cross-validation: what is asked for, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from attnstudy.errors import UsageError
from attnstudy.render.exports import rank_csv, rank_json, rank_markdown
from attnstudy.render.ranking import rank_text
from attnstudy.report.context import Context
from attnstudy.report.figures import figure_bytes
from attnstudy.report.html import ranking_html
from attnstudy.usecases import ranking
from attnstudy.usecases.sources import Collected


def _samples() -> dict[str, dict[int, float]]:
    rng = np.random.default_rng(2)
    shared = rng.normal(0.0, 1.0, 10)
    return {
        name: dict(enumerate((mean + shared + rng.normal(0.0, 0.5, 10)).round(3).tolist()))
        for name, mean in {"vanilla": 80.0, "early": 80.4, "double": 84.0}.items()
    }


@pytest.fixture
def ranked(monkeypatch):
    """Rank what a source would give; keywords ``heading`` and ``samples`` are the source's."""

    def answer(*, heading="fold", samples=None, said=None, look=None, claims=(), **given):
        found = Collected(
            samples=samples or _samples(), metric="accuracy", direction="maximize", folds=heading
        )
        monkeypatch.setattr(ranking.one_task, "collect", lambda source, progress: found)
        request = ranking.RankRequest(
            source=SimpleNamespace(direction="maximize", items=None, filters=()),  # type: ignore[arg-type]
            said=said or {},
            look=look,
            claims=claims,
            calibrate=given.pop("calibrate", False),
            **given,
        )
        return ranking.rank(request)

    return answer


def shown(report) -> dict[str, str]:
    """Return the report in every form, in one line each."""
    forms = {
        "text": rank_text(report),
        "markdown": rank_markdown(report),
        "html": ranking_html(report.ranking, Context()),
    }
    return {form: " ".join(text.split()) for form, text in forms.items()}


@pytest.mark.parametrize("heading", ["fold", None])
def test_folds_are_compared_as_told_whatever_they_are_called(ranked, heading):
    report = ranked(heading=heading, folds=(900, 100), claims=("double > vanilla",))
    assert report.ranking.method == "paired-folds"
    assert report.claims[0].supported
    forms = shown(report)
    assert "paired by fold, all pairs, corrected for overlapping training data" in forms["text"]
    assert "paired by fold, all pairs, corrected for overlapping training" in forms["markdown"]
    assert "corrected resampled t over paired folds" in forms["html"]
    assert "900 training and 100 test items" in forms["html"]
    assert "10 folds per arm detect" in forms["text"]
    assert "10 folds per arm detect" in forms["html"]
    for form, text in forms.items():
        assert "1/k + 100/900" in text, form
        assert "fold r" in text or "fold correlation" in text, form
        assert "would need" not in text, form
        assert "seed" not in text.partition("Bonferroni 95")[0].partition("<body")[2], form
    assert "The other tests assume" not in forms["html"]
    assert ",paired-folds," in rank_csv(report)
    answer = rank_json(report)
    assert (answer["method"], answer["folds"]) == ("paired-folds", [900, 100])
    assert "power" not in figure_bytes(report.ranking, Context(), "svg")


def test_a_control(ranked):
    forms = shown(ranked(folds=(900, 100), said={"control": "vanilla"}))
    assert "paired by fold, against vanilla" in forms["text"]
    assert "by the corrected resampled t over paired folds, adjusted by Holm" in forms["html"]


def test_what_is_called_a_fold_is_described(ranked):
    report = ranked(claims=("double > vanilla",))
    assert report.ranking.method == "descriptive"
    assert not report.claims[0].supported
    for form, text in shown(report).items():
        assert "descriptive: the runs are folds of a cross-validation" in text.replace(
            "Descriptive", "descriptive"
        ), form
        assert "none tested" in text or "none is tested" in text, form
        assert "TRAIN/TEST" in text, form
        assert "Games" not in text, form
    assert ",descriptive,descriptive," in rank_csv(report)
    assert rank_json(report)["folds"] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"folds": (900, 100), "said": {"paired": False}}, "leave --unpaired out"),
        ({"folds": (900, 100), "said": {"looks": (5, 10)}}, "leave the looks out"),
        ({"folds": (900, 100), "look": (1, 2)}, "leave the looks out"),
        ({"folds": (900, 100), "calibrate": True}, "leave --calibrate out"),
        ({"said": {"looks": (5, 10)}}, "the field fold.*leave the looks out"),
        ({"look": (1, 2)}, "the field fold.*leave the looks out"),
        ({"calibrate": True}, "the field fold.*leave --calibrate out"),
        (
            {"folds": (900, 100), "samples": {"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 3.5]}},
            "name the column that numbers the folds with --seed-by",
        ),
    ],
)
def test_what_folds_cannot_answer_is_refused(ranked, given, message):
    with pytest.raises(UsageError, match=message):
        ranked(**given)


def test_unpaired_folds_are_described(ranked):
    assert ranked(said={"paired": False}).ranking.method == "descriptive"


SCORES = {"tree": (0.83, 0.80, 0.87, 0.80, 0.77), "svm": (0.90, 0.89, 0.93, 0.87, 0.85)}


@pytest.mark.parametrize(
    ("heading", "label"),
    [("id", "Fold{}"), ("run", "fold_{}"), ("name", "fold {}"), ("run_id", "fold{}"),
     ("seed", "cv{}"), ("Resample", "{}"), ("Resample", "Fold{}"), ("cv_iter", "{}"),
     ("bootstrap", "{}"), ("boot_id", "{}")],
)  # fmt: skip
def test_folds_and_resamples_are_known_by_their_labels_too(cli, workplace, heading, label):
    rows = [
        f"{arm},{label.format(fold + 1)},{value}"
        for arm, own in SCORES.items()
        for fold, value in enumerate(own)
    ]
    Path("t.csv").write_text("\n".join([f"model,{heading},accuracy", *rows]) + "\n")
    answer = cli("rank", "--from", "t.csv", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["method"] == "descriptive"
    if heading not in ("id", "run_id"):
        wide = [f"{label.format(i + 1)},{a},{b}" for i, (a, b) in
                enumerate(zip(*SCORES.values(), strict=True))]  # fmt: skip
        Path("w.csv").write_text("\n".join([f"{heading},tree,svm", *wide]) + "\n")
        answer = cli("rank", "--from", "w.csv", "--metric", "accuracy", "--json")
        assert answer.code == 0, answer.err
        assert json.loads(answer.out)["method"] == "descriptive"
