"""Whatever somebody wrote into a name, a question or an error: it stays text where it is shown."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import attnstudy
from attnstudy import shown
from attnstudy.render import terminal
from attnstudy.render.exports import csv_text, markdown_table
from attnstudy.render.tables import table
from attnstudy.runs import Status
from tests.hostile import HOSTILE, Page, nothing_hidden, rows_of_csv, rows_of_markdown

SENT = [*HOSTILE.values()]
ANY = st.text(max_size=40) | st.sampled_from(SENT)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""Of rich, which is installed: tables and what is struck through, as GitHub has them."""


# one function for each place


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("ascii", "-1.5 x 2 - \\xfc\\u5b57"), ("latin-1", "-1.5 × 2 - ü\\u5b57"), ("utf-8", None)],
)
def test_a_stream_is_given_what_its_encoding_has(encoding, text):
    given = "−1.5 × 2 – ü字"
    assert shown.in_encoding(given, encoding) == (text or given)


@given(ANY, st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
def test_every_stream_can_print_every_text(text, encoding):
    shown.in_encoding(shown.in_line(text), encoding).encode(encoding)


@given(ANY)
def test_a_line_stays_one_line_and_shows_everything(text):
    line = shown.in_line(text)
    nothing_hidden(line)
    assert len(line.splitlines()) <= 1
    assert shown.in_line(line) == line
    visible = text.isprintable() and not set("\u034f\u115f\u3164") & set(text)
    assert line == text or not (visible and text.isascii())


@given(st.lists(ANY, max_size=4))
def test_lines_stay_and_there_are_no_others(texts):
    whole = "\n".join(texts)
    nothing_hidden(shown.in_lines(whole))
    assert shown.in_lines(whole).count("\n") == whole.count("\n")


@given(ANY)
def test_html_shows_the_line_itself(text):
    page = Page(f'<p title="{shown.in_html(text)}">{shown.in_html(text)}</p>')
    assert page.tags == ["p"]
    assert page.text == shown.in_line(text)


@given(st.lists(st.lists(ANY, min_size=3, max_size=3), min_size=1, max_size=3))
def test_rows_of_markdown_are_those_of_the_table(rows):
    text = markdown_table(["a", "b", "c"], rows)
    nothing_hidden(text)
    assert rows_of_markdown(text) == [3] * (2 + len(rows)) == [3] * len(text.splitlines())


@given(st.lists(st.lists(ANY, min_size=2, max_size=2), min_size=1, max_size=3))
def test_markdown_shows_the_texts_themselves_in_a_table(rows):
    html = MARKDOWN.render(markdown_table(["a", "-"], rows))
    page = Page(html)
    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody"] + ["tr", "td", "td"] * len(
        rows
    )
    # what stands in tables of it: a table that is none shows its lines and bars instead
    told = [" ".join(shown.in_line(cell).split()) for cell in ("a", "-", *chain(*rows))]
    assert " ".join(page.text.split()) == " ".join(" ".join(told).split())


@given(ANY)
def test_a_paragraph_of_markdown_shows_the_text_itself(text):
    page = Page(MARKDOWN.render(shown.in_markdown(text)))
    assert page.tags in (["p"], [])
    assert page.text.strip() == " ".join(shown.in_line(text).split())


@given(st.lists(ANY | st.floats() | st.integers(), min_size=3, max_size=3))
def test_cells_of_a_csv_come_back_and_no_text_is_a_formula(cells):
    text = csv_text([cells])
    nothing_hidden(text)
    (row,) = csv.reader(io.StringIO(text, newline=""))
    for cell, written in zip(cells, row, strict=True):
        if isinstance(cell, str):
            assert not written.lstrip().startswith(("=", "+", "-", "@"))
            assert shown.from_csv(written) == shown.in_line(cell)
        else:
            assert type(cell)(written) == cell or cell != cell


@given(ANY)
def test_latex_is_one_line_without_commands_of_the_text(text):
    written = shown.in_latex(text)
    nothing_hidden(written)
    assert "\\input" not in written
    assert "%" not in written.replace("\\%", "")
    assert "&" not in written.replace("\\&", "")


def test_examples():
    assert shown.in_line("a\x1b[31m\r\nb\u202e\U000e0041") == r"a\x1b[31m b\u202e\U000e0041"
    assert shown.in_line("über, 注意, 👍🏽, é") == "über, 注意, 👍🏽, é"
    assert shown.in_markdown("1. a") == "1\\. a"
    assert shown.in_markdown("- a") == "\\- a"
    assert shown.in_markdown("-0.5") == "-0.5"
    assert shown.in_markdown("# a & b < $c") == "\\# a &amp; b &lt; &#36;c"
    assert shown.in_csv("=1") == "'=1"
    assert shown.in_csv("'=1") == "''=1"
    assert shown.in_csv(-1.5) == -1.5
    assert shown.from_csv("'70s") == "'70s"


def test_a_table_has_a_line_for_each_row():
    names = [text for text in SENT if len(text) < 60]
    text = table(["arm", "[bold]n[/bold]\n"], [[name, "1"] for name in names], right="<>")
    nothing_hidden(text)
    assert len(text.splitlines()) == 2 + len(names)
    assert "[bold]n[/bold]" in text
    assert ":smile:" in text


def test_only_one_place_prints():
    package = Path(attnstudy.__file__).parent
    found = [
        f"{path.relative_to(package)}"
        for path in package.rglob("*.py")
        if re.search(r"click\.s?echo\(|^\s*print\(|csv\.writer\(", path.read_text(), re.MULTILINE)
    ]
    # the last two write numbers only
    assert sorted(found) == [
        "cli/__init__.py", "cli/common.py", "render/exports.py", "running/run.py",
        "trainings/placement/finalizing.py",
    ]  # fmt: skip


# every form of a ranking


OURS = (
    "section",
    "h1",
    "h2",
    "h3",
    "table",
    "tr",
    "th",
    "td",
    "li",
    "p",
    "figure",
    "svg",
    "script",
)
FORMS = ("text", "markdown", "latex", "csv", "json", "html")


def check(form, out):
    """Look through an answer."""
    if form == "json":
        json.loads(out)
        assert out.isascii()
        assert "\x7f" not in out
        return
    nothing_hidden(out)
    if form == "csv":
        assert len(set(rows_of_csv(out))) == 1
    elif form == "html":
        assert Page(out).tags.count("script") == 1  # the page's own
    elif form == "latex":
        assert "\\input" not in out
        assert out.count("\\begin{tabular}") == out.count("\\end{tabular}")


def shape(form, out):
    """Return what must be alike whatever the names are."""
    if form == "csv":
        return rows_of_csv(out)
    if form == "markdown":
        return rows_of_markdown(out), out.count("\n")
    if form == "json":
        return [(arm["n"], arm["group"]) for arm in json.loads(out)["arms"]]
    if form == "html":
        return Counter(tag for tag in Page(out).tags if tag in OURS)
    return out.count("\n")


@pytest.fixture
def results(workplace):
    """Write results of arms that are called so; the arms' order does not depend on it."""

    def write(names, heading="arm", seeds=3, file="results.csv"):
        with Path(file).open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([heading, "seed", "acc"])
            writer.writerows(
                [name, seed, 0.4 + place / 100 + seed / 1000]
                for place, name in enumerate(names)
                for seed in range(seeds)
            )
        return file

    return write


# NUL is no text, and a row that begins with # is a comment
IN_A_TABLE = [text for text in SENT if len(text) < 60 and not text.startswith("#")]


@pytest.mark.parametrize("form", FORMS)
def test_names_in_a_table(results, cli, form):
    names = IN_A_TABLE[::3] if form == "html" else IN_A_TABLE
    words = ("--by", "arm", "--seed-by", "seed", "--metric", "acc", "--format", form)
    answer = cli("rank", "--from", results(names), *words)
    assert answer.code == 0, answer.err
    check(form, answer.out)
    nothing_hidden(answer.err)
    tame = cli("rank", "--from", results([f"arm{place:02}" for place in range(len(names))]), *words)
    if form != "text":  # whose lines are broken by length
        assert shape(form, tame.out) == shape(form, answer.out)


def test_methods_with_such_names(results, cli):
    metric = HOSTILE["colour"] + HOSTILE["input"]
    Path(results(["a", "b"])).write_text(Path("results.csv").read_text().replace("acc", metric))
    answer = cli("rank", "--from", "results.csv", "--methods")
    assert answer.code == 0, answer.err
    nothing_hidden(answer.out)
    assert cli("rank", "--from", "results.csv", "--methods", "methods.tex").code == 0
    nothing_hidden(Path("methods.tex").read_text())
    assert "\\input" not in Path("methods.tex").read_text()


def test_a_long_name_is_folded_not_forged(results, cli):
    for form in FORMS:
        answer = cli("rank", "--from", results([HOSTILE["long"], "b"]), "--format", form)
        assert answer.code == 0, answer.err
        check(form, answer.out)


def test_headings_in_a_table(results, cli):
    for heading in IN_A_TABLE:
        Path("results.csv").unlink(missing_ok=True)
        results(["a", "b"], heading)
        for words in ((), ("--by", "no\x1b[1m\nsuch")):
            answer = cli("rank", "--from", "results.csv", *words)
            nothing_hidden(answer.out + answer.err)
            assert answer.code == 0 or len(answer.err.splitlines()) == 1, answer.err


def test_our_own_csv_is_read_back(results, cli):
    names = [HOSTILE[key] for key in ("command", "plus", "sum", "minus", "quoted", "bar")]
    written = csv_text(csv.reader(io.StringIO(Path(results(names)).read_text())))
    Path("own.csv").write_text(written)
    words = ("--by", "arm", "--seed-by", "seed", "--metric", "acc", "--json")
    arms = json.loads(cli("rank", "--from", "own.csv", *words).out)["arms"]
    assert {arm["variant"] for arm in arms} == set(names)


@pytest.mark.parametrize("form", FORMS)
def test_names_of_tasks(workplace, cli, form):
    tasks = IN_A_TABLE[::4]
    arms = [HOSTILE[key] for key in ("command", "bar", "script")]
    with Path("tasks.csv").open("w", newline="") as out:
        csv.writer(out).writerows(
            [
                ["task", "arm", "seed", "acc"],
                *(
                    [task, arm, seed, 0.5 + at / 50 + place / 100 + (seed * (at + 2) % 7) / 1000]
                    for at, task in enumerate(tasks)
                    for place, arm in enumerate(arms)
                    for seed in range(3)
                ),
            ]
        )
    answer = cli("rank", "--from", "tasks.csv", "--task-by", "task", "--format", form)
    assert answer.code == 0, answer.err
    check(form, answer.out)
    nothing_hidden(answer.err)


@pytest.fixture(scope="module")
def store(tmp_path_factory, template_store):
    """An MLflow store with two experiments: hostile names, and what is shown of them."""
    import shutil

    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    place = tmp_path_factory.mktemp("hostile")
    shutil.copy(template_store / "mlflow.db", place / "mlflow.db")
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    models = [text for text in SENT if "\x00" not in text][::2]
    for tame, experiment in ((False, EXPERIMENT), (True, "tame")):
        made = client.create_experiment(experiment, (place / "artifacts").as_uri())
        for at, model in enumerate([*models, "no value"]):
            model = shown.in_line(model) if tame else model
            for seed in range(2):
                run = client.create_run(made, run_name=f"{model[:200]}-{seed}").info.run_id
                value = [Metric("acc", 0.4 + at / 100 + seed / 1000, 0, 0)]
                client.log_batch(
                    run,
                    metrics=[] if at == len(models) else value,
                    params=[Param("model", model), Param("seed", str(seed))],
                    tags=[RunTag("model", model)],
                )
                client.set_terminated(run)
    return place


EXPERIMENT = "theirs\x1b[31m\u202e\n| x | =1"


@pytest.mark.parametrize("form", FORMS)
def test_names_in_mlflow(workplace, store, cli, form):
    def ranked(experiment, by):
        return cli(
            "rank", "--store", str(store), "--experiment", experiment, "--by", by, "--seed-by",
            "params.seed", "--metric", "acc", "--format", form,
        )  # fmt: skip

    answer, tame = ranked(EXPERIMENT, "params.model"), ranked("tame", "params.model")
    assert answer.code == 0, answer.err
    check(form, answer.out)
    nothing_hidden(answer.err)
    assert "no value" in answer.out or form in ("csv", "latex")
    if form != "text":
        assert shape(form, answer.out) == shape(form, tame.out)
    if form == "csv":
        assert answer.out == tame.out
    if form == "text":
        # what stands there is what stands there for the codes themselves
        of = " ".join(answer.out.split()).replace(" ".join(shown.in_line(EXPERIMENT).split()), "")
        assert of == " ".join(tame.out.split()).replace("tame", "")
        nothing_hidden(ranked(EXPERIMENT, "tags.model").out)


def test_a_notebook_shows_names_as_text(workplace):
    values = {name: [0.5 + n / 900, 0.6 + n / 800, 0.55] for n, name in enumerate(SENT)}
    ranking = attnstudy.rank(values, metric="acc\x1b[1m\n")
    nothing_hidden(str(ranking))
    page = Page(ranking._repr_html_())
    nothing_hidden(page.text)
    assert page.tags.count("tr") == 2 + len(ranking.arms) + len(ranking.pairs)


# audit


def test_audit(workplace, cli):
    rows = [[name, "0.50", "0.60", "0.70", "0.90"] for name in IN_A_TABLE]
    with Path("printed.csv").open("w", newline="") as out:
        csv.writer(out).writerows([["model\x1b[1m", "run 1", "run 2", "run 3", "mean"], *rows])
    answer = cli("audit", "printed.csv")
    assert answer.code == 1, answer.err
    nothing_hidden(answer.out + answer.err)
    assert answer.out.isprintable() or "\n" in answer.out


# a study of somebody's own


RAISES = """
from itertools import chain
from pathlib import Path
MESSAGES = {messages!r}

def train(run):
    print("\\x1b[31mprinted")
    run.log(1, loss=0.5)
    if run.settings["at"] >= 0:
        raise ValueError(MESSAGES[run.settings["at"]])
    return {{"acc": float(run.rng("x").random())}}
"""


@pytest.fixture
def failing(own):
    """A study in which each arm fails with a message of its own, and two do not."""
    kinds = [text for text in SENT if len(text) < 60][::3]
    arms = "\n".join(f"[arms.a{at}]\nat = {at}" for at in range(len(kinds)))
    question = json.dumps(f"{''.join(kinds)}{HOSTILE['line']}")
    own.write(
        RAISES.format(messages=kinds),
        f"[settings]\nat = -1\nword = {json.dumps(kinds[1])}\n[arms.good]\n[arms.fine]\n{arms}",
        top=f"question = {question}\ntrain = 'mine:train'\nseeds = 2\n",
    )
    return own


@pytest.mark.rest
def test_a_study_whose_training_fails_with_such_messages(failing, cli, monkeypatch):
    monkeypatch.setenv("ATTNSTUDY_NO_FIGURES", "1")
    monkeypatch.delenv("ATTNSTUDY_EXECUTOR")
    monkeypatch.setattr(terminal, "PLAIN_EVERY", 0.0)
    answer = failing("run")
    assert answer.code == 1, answer.err
    nothing_hidden(answer.out + answer.err)
    assert not re.search(r"^(Error|Verdict): forged", answer.out + answer.err, re.MULTILINE)
    for words in (("status",), ("study", "show"), ("study", "check"), ("checklist",)):
        said = failing.command(*words, "own")
        assert said.code == 0, said.err
        nothing_hidden(said.out + said.err)
        assert not re.search(r"^(Error|Verdict): forged", said.out, re.MULTILINE)
    for form in FORMS:
        said = failing("rank", "--format", form)
        check(form, said.out)
        nothing_hidden(said.err)
    nothing_hidden(failing("run", "--dry-run").out)


# progress, errors, doctor


@pytest.mark.parametrize("text", SENT, ids=HOSTILE)
def test_progress_and_warnings_are_lines(capfd, monkeypatch, text):
    monkeypatch.setattr(terminal, "PLAIN_EVERY", 0.0)
    watcher: Any = terminal.Terminal()
    spec = SimpleNamespace(name=text, arm_name=text)
    watcher.begin([spec], 1)
    watcher.started(0, spec)
    watcher.progress(0, spec, SimpleNamespace(values={text: 0.5}, done=1, total=2))
    watcher.ended(0, spec, SimpleNamespace(status=Status.FAILED, reason=text))
    watcher.ended(0, spec, SimpleNamespace(status=Status.DIVERGED, reason=None))
    watcher.warn(text)
    said = capfd.readouterr().err
    nothing_hidden(said)
    lines = said.splitlines()
    assert len(lines) == 7, said
    assert shown.in_line(text) in said


def test_bars_take_no_markup_from_names(monkeypatch):
    from rich.console import Console

    watcher: Any = terminal.Terminal()
    drawn = io.StringIO()
    watcher.console = Console(file=drawn, force_terminal=True, width=200, no_color=True)
    watcher.bars = True
    name = "[bold]x[/bold] [/] \x1b[2Aup"
    spec = SimpleNamespace(name=name, arm_name=name)
    watcher.begin([spec], 1)
    watcher.started(0, spec)
    watcher.progress(0, spec, SimpleNamespace(values={name: 0.5}, done=1, total=2))
    watcher._display.refresh()
    watcher.end()
    assert "[bold]x[/bold] [/] \\x1b[2Aup" in drawn.getvalue()
    assert "\x1b[2Aup" not in drawn.getvalue()


@pytest.mark.parametrize("text", [t for t in SENT if len(t) < 60], ids=repr)
def test_errors_are_one_line(workplace, cli, text):
    for words in (
        ("rank", "--from", f"{text}.csv"),
        ("rank", "--experiment", text, "--by", "params.x"),
        ("rank", "--study", f"a{text}"),
        ("study", "show", f"a{text}"),
        ("run", f"--no{text}"),
        (f"x{text}",),
        ("import", f"{text}.zip"),
        ("status", f"a{text}"),
    ):
        said = cli(*words)
        nothing_hidden(said.out + said.err)
        assert said.code in (2, 3), (words, said.out)
        assert len(said.err.splitlines()) == 1, said.err
        assert said.err.startswith("Error: ")


def test_a_study_file_that_is_wrong(workplace, cli):
    folder = Path("studies/own")
    folder.mkdir(parents=True)
    for text in SENT:
        key = json.dumps(text)
        for content in (f"{key} = 1\n", f"train = {key}\n", f"[arms.{key}]\nx = 1\n"):
            (folder / "study.toml").write_text(content)
            said = cli("study", "check", "own")
            nothing_hidden(said.out + said.err)
            assert said.code in (2, 3), content
            assert len(said.err.splitlines()) == 1, said.err


@pytest.mark.rest
def test_doctor_and_what_a_traceback_says(workplace, cli, monkeypatch):
    folder = Path("st\x1b[31m\nFAULT  forged\u202e")
    said = cli("doctor", "--dataset", "digits", "--store", str(folder))
    nothing_hidden(said.out + said.err)
    assert not any(line.startswith("FAULT  forged") for line in said.out.splitlines())

    from attnstudy import cli as commands

    told = io.StringIO()
    monkeypatch.setattr("sys.stderr", told)
    try:
        raise ValueError("\x1b[2Ja\u202eb")
    except ValueError as error:
        commands._show_bug(type(error), error, error.__traceback__)
    nothing_hidden(told.getvalue())
    assert "Traceback" in told.getvalue()
    assert html.unescape(r"\x1b[2Ja\u202eb") in told.getvalue()
