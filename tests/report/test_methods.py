"""The methods of a ranking: what was done is said, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from attnstudy.render.methods import (
    cited_by,
    methods_bib,
    methods_latex,
    methods_of,
    methods_text,
    tasks_methods_of,
)
from attnstudy.render.methods.references import REFERENCES, as_bibtex, as_text
from attnstudy.stats import Design, Measurements, rank
from attnstudy.stats.tasks import TaskMeasurements, rank_tasks
from tests.report.conftest import NOTEBOOK
from tests.report.test_latex import compiled
from tests.tasks.test_references import demsar, single
from tests.waiting import PATIENCE

VERSIONS = {"attnstudy": "1.2", "numpy": "2.0", "scipy": "1.13", "python": "3.11"}


def _normal(arms, runs, seed=4):
    generator = np.random.default_rng(seed)
    return {f"arm {i}": list(generator.normal(60 + 2 * i, 1, runs)) for i in range(arms)}


FURTHER = {
    "two": lambda: rank(_normal(2, 5)),
    "six": lambda: rank(_normal(6, 5)),
    "twelve runs": lambda: rank(_normal(3, 12)),
    "folds": lambda: rank(_seeded(_normal(3, 5)), folds=(120, 30)),
    "unknown folds": lambda: rank(_seeded(_normal(3, 5)), folds="unknown"),
    "one pair by holm": lambda: rank(_normal(2, 5), correction="holm"),
    "control": lambda: rank(_normal(4, 6), control="arm 1", margin=1.0, alpha=0.01),
}


def _seeded(samples):
    return {name: dict(enumerate(values)) for name, values in samples.items()}


def plain(text):
    """Return the paragraph in one line, without its references."""
    return re.sub(r"(?<=\w)-\n", "-", text.split("References:")[0]).replace("\n", " ")


def check(ranking):
    """Compare the paragraph with the JSON: each method is named if and only if it was used."""
    json = ranking.to_json()
    text = plain(methods_text(methods_of(ranking, VERSIONS)))
    tested = [pair for pair in json["pairs"] if pair["p_adjusted"] is not None]
    method, family = json["method"], len(json["pairs"]) > 1
    robust = [pair["robust"] for pair in json["pairs"] if pair["robust"]]
    flips = method == "paired"

    def any_of(name, items):
        return any(item[name] is not None for item in items)

    two = len(json["arms"]) == 2
    expected = {
        "the Games-Howell test": bool(tested) and method == "games-howell",
        "Welch's t test": bool(tested)
        and (method in ("holm", "control") or (two and method == "games-howell")),
        "paired t tests": bool(tested) and method == "paired",
        "corrected resampled t test": bool(tested) and method == "paired-folds",
        "No differences were tested": method == "descriptive",
        "was calibrated": any(pair["calibrated"] for pair in tested),
        "Holm's correction": bool(tested) and family and method != "games-howell",
        "simultaneous": any_of("ci_low", json["pairs"]) and json["interval"] == "simultaneous",
        "are Bonferroni": any_of("ci_low", json["pairs"]) and json["interval"] == "bonferroni",
        "single arms": any_of("ci_low", json["arms"]),
        "within a margin": json["margin"] is not None and bool(tested),
        "were declared": json["looks"] is not None,
        "share a letter": any_of("group", json["arms"]),
        "Hedges' g": any_of("hedges_g", json["pairs"]),
        "probability that a run": any_of("prob_superiority", json["pairs"]),
        "logit scale": any_of("prob_superiority_low", json["pairs"]),
        "is confirmatory": json["status"] == "confirmatory",
        "is exploratory": json["status"] == "exploratory",
        "diverged": any(arm["diverged"] for arm in json["arms"]),
        "left out": bool(json["excluded"]),
        "normal deviates": bool(tested) and method == "games-howell" and _family(json) > 4,
    }
    for words, there in expected.items():
        assert (words in text) is there, (words, text)
    beside = {
        "sign flips": any_of("permutation_p", robust) and flips,
        "permutations of Welch's t": any_of("permutation_p", robust) and not flips,
        "Mann-Whitney test": any_of("mannwhitney_p", robust),
        "Brunner-Munzel test": any_of("brunnermunzel_p", robust),
    }
    for words, there in beside.items():
        assert (words in text) is there, (words, text)
    if tested:
        assert f"family-wise error rate was {json['alpha']:g}" in text
    if json["margin"] is not None and tested:
        assert f"{json['margin']:g}" in text
    if json["plan"] is not None:
        assert json["plan"]["hash"] in text
    if json["control"] is not None and tested:
        assert f"compared with {json['control']}" in text
    for name, version in VERSIONS.items():
        assert re.search(rf"{name} {re.escape(version)}", text, re.IGNORECASE)


def _family(json):
    if json["looks"] is not None:
        return len(json["arms"])
    tested = [pair for pair in json["pairs"] if pair["p_adjusted"] is not None]
    return len({name for pair in tested for name in (pair["a"], pair["b"])})


def test_each_kind_of_ranking_says_what_was_done(any_ranking):
    check(any_ranking)


@pytest.mark.parametrize("kind", FURTHER)
def test_further_designs_say_what_was_done(kind):
    check(FURTHER[kind]())


def test_folds_say_their_sizes_and_the_factor():
    text = methods_text(methods_of(FURTHER["folds"](), VERSIONS))
    text = " ".join(text.split())
    assert "120 training and 30 test items" in text
    assert "1/k + 30/120 times" in text
    assert "Nadeau and Bengio 2003" in text


def test_looks_say_how_alpha_is_divided(ranking_of):
    text = " ".join(methods_text(methods_of(ranking_of("looks"), VERSIONS)).split())
    assert "2 looks at 4 and 8 seeds per arm were declared, of which 2 were taken" in text
    assert "equal share of the error rate, 0.025 (Bonferroni)" in text


def test_all_that_is_cited_is_listed_once_and_in_the_bib(any_ranking):
    said = methods_of(any_ranking, VERSIONS)
    keys = cited_by(said)
    assert len(keys) == len(set(keys))
    bib = methods_bib(said)
    assert re.findall(r"^@\w+\{(\w+),", bib, re.MULTILINE) == keys
    text = methods_text(said)
    assert text.count("\n- ") == len(keys)
    latex = methods_latex(said, "m.bib")
    cited = {key for group in re.findall(r"\\cite\{([^}]*)\}", latex) for key in group.split(",")}
    assert cited == set(keys)


@pytest.mark.parametrize("key", REFERENCES)
def test_references_are_whole(key):
    entry = as_bibtex(key)
    assert entry.isascii()
    assert entry.count("{") == entry.count("}")
    for field in ("author", "title", "year"):
        assert f"  {field} = {{" in entry
    assert not set("{}\\") & set(as_text(key))


def test_it_compiles(tmp_path, ranking_of):
    from tests.report.conftest import MAKERS

    bodies = [methods_latex(methods_of(ranking_of(name), VERSIONS), "m.bib") for name in MAKERS]
    compiled(tmp_path, *bodies)


@pytest.mark.parametrize("style", ["plain", "apalike"])
def test_bibtex_has_nothing_to_say_about_any_reference(tmp_path, style):
    if shutil.which("bibtex") is None:
        pytest.skip("there is no bibtex here, so no bibliography can be made")
    (tmp_path / "m.bib").write_text("\n\n".join(map(as_bibtex, REFERENCES)), encoding="utf-8")
    body = f"\\cite{{{','.join(REFERENCES)}}}\n\\bibliographystyle{{{style}}}\n\\bibliography{{m}}"
    compiled(tmp_path, body)
    done = subprocess.run(
        ["bibtex", "paper"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout, done.stdout
    log = compiled(tmp_path, body)
    assert "undefined" not in log


def test_an_apostrophe_of_the_paragraph_is_set_as_one():
    latex = methods_latex(methods_of(rank(_normal(3, 5)), VERSIONS), "m.bib")
    assert "Hedges\\textquoteright{} g" in latex
    assert "Welch\\textquoteright{}s t" in latex
    assert "textquotesingle" not in latex


def _tasks(**design):
    generator = np.random.default_rng(3)
    given = {
        task: TaskMeasurements(
            measured=Measurements(
                samples={a: list(generator.normal(m, 1, 5)) for a, m in (("a", 9), ("b", 5))}
                | {"c": list(generator.normal(7, 1, 5))}
            ),
            direction="maximize",
            metric="score",
        )
        for task in ("one", "two", "three")
    }
    question = design.pop("question", None)
    scale = design.pop("scale", None)
    weights = design.pop("weights", None)
    return rank_tasks(
        given, Design(metric="score", **design), question=question, scale=scale, weights=weights
    )


@pytest.mark.parametrize(
    "ranking",
    [
        _tasks(),
        _tasks(scale="sd", question="average", margin=0.5),
        _tasks(scale="metric", control="b", question="new"),
        _tasks(correction="holm", weights={"one": 1.0, "two": 2.0, "three": 1.0}),
        rank_tasks(single(demsar()), Design(metric="AUC")),
    ],
)
def test_over_tasks_it_says_what_was_done(ranking):
    json = ranking.to_json()
    said = tasks_methods_of(ranking, VERSIONS)
    text = plain(methods_text(said))
    each = any(p["p_adjusted"] is not None for t in json["tasks"] for p in t["ranking"]["pairs"])
    average = bool(json["average"]["pairs"])
    games = json["tasks"][0]["ranking"]["method"] == "games-howell"
    expected = {
        "On each task": each,
        "could a pair": not each,
        "On average over 3 tasks": average,
        "Games-Howell": games and (each or average),
        "Welch's t test": not games,
        "standard deviations": json["scale"] == "sd" and average,
        "within a margin": json["margin"] is not None and average,
        "Wilcoxon's signed ranks": any(p["wilcoxon_p"] is not None for p in json["new"]["pairs"]),
        "Bayesian signed-rank": any(p["posterior"] is not None for p in json["new"]["pairs"]),
        "Friedman": json["mean_ranks"] is not None,
        "Nemenyi": json["mean_ranks"] is not None,
        "equal weights": average and len(set(json["average"]["weights"])) == 1,
        "0.5 (two)": average and len(set(json["average"]["weights"])) > 1,
        "The question that": json["question"] is not None,
    }
    for words, there in expected.items():
        assert (words in text) is there, (words, text)
    assert f"family-wise error rate {json['alpha']:g}" in text
    assert methods_bib(said).count("@") == len(cited_by(said))


def results():
    rows = [f"{arm},{s},{v}" for arm, values in NOTEBOOK.items() for s, v in enumerate(values)]
    Path("r.csv").write_text("\n".join(["model,seed,accuracy", *rows]) + "\n")


def test_the_command_prints_it_or_writes_two_files(cli, workplace):
    results()
    printed = cli("rank", "--from", "r.csv", "--methods")
    assert printed.code == 0
    assert printed.out.startswith("4 arms (double, early, late and vanilla) were measured by")
    assert "Verdict" not in printed.out
    written = cli("rank", "--from", "r.csv", "--methods", "m.tex")
    assert written.code == 0
    assert "Verdict" in written.out
    assert written.err.endswith("m.tex is written.\nm.bib is written.\n")
    assert r"\cite{games1976}" in Path("m.tex").read_text()
    assert "@article{games1976," in Path("m.bib").read_text()


def test_over_tasks_the_command_prints_it(cli, workplace):
    rows = [
        f"{task},{arm},{s},{80 + s + 3 * (arm == 'a')}"
        for task in ("x", "y") for arm in "ab" for s in range(4)
    ]  # fmt: skip
    Path("r.csv").write_text("\n".join(["dataset,model,seed,accuracy", *rows]) + "\n")
    printed = cli("rank", "--from", "r.csv", "--task-by", "dataset", "--methods")
    assert printed.code == 0
    assert "were measured on 2 tasks (x and y)" in printed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--methods", "mine"), "--methods mine names no .tex file"),
        (("--methods", "--json"), "--methods without a file prints text"),
        (("--methods", "--format", "latex"), "--methods without a file prints text"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, workplace, words, said):
    results()
    answer = cli("rank", "--from", "r.csv", *words)
    assert answer.code == 2
    assert said in " ".join(answer.err.split())


def test_a_folder_that_is_not_there_is_made(cli, workplace):
    results()
    words = ("rank", "--from", "r.csv", "--methods")
    assert cli(*words, "new/m.tex").code == 0
    assert Path("new/m.tex").is_file()
    Path("file").touch()
    answer = cli(*words, "file/m.tex")
    assert answer.code == 3
    assert "file/m.tex cannot be written" in answer.err
