"""The commands of README and of the pages for users run, and what is generated is up to date."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from attnstudy.studyplan import RecordedPlan
from tests.conftest import SMALL
from tests.waiting import PATIENCE, answers, wait_for

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
JOURNEY = (
    "README.md",
    *(f"docs/{name}.md" for name in ("placements", "studies", "store", "clusters")),
)
"""Pages whose commands are typed one after the other, in one folder."""

BLOCKS = [
    block
    for page in JOURNEY
    for block in re.findall(r"^```bash\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
]
COMMANDS = [
    shlex.split(line, comments=True) for block in BLOCKS for line in block.splitlines() if line
]
MAKE = [words for words in COMMANDS if words[0] == "make"]
OURS = [words for words in COMMANDS if words[0] == "attnstudy"]
SMALL_SETTINGS = {
    f"ATTNSTUDY_{name[2:].replace('-', '_').upper()}": value
    for name, value in zip(SMALL[::2], SMALL[1::2], strict=True)
}


def settings(data_dir):
    return {"ATTNSTUDY_DATA_DIR": str(data_dir), **SMALL_SETTINGS, "ATTNSTUDY_EPOCHS": "1",
            "ATTNSTUDY_NO_FIGURES": "1",
            "RAY_ADDRESS": "local"}  # fmt: skip


def environment(data_dir):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, **settings(data_dir), "PATH": path}


def test_every_command_of_the_readme_and_its_pages_is_one_that_is_run_here():
    assert len(MAKE) + len(OURS) == len(COMMANDS)
    assert MAKE == [["make", "demo"], ["make", "test"]]
    assert ["attnstudy", "ui"] in OURS


@pytest.mark.rest
@pytest.mark.timeout(900)
def test_the_readme_and_its_pages_from_top_to_bottom(workplace, data_dir, zygote):
    """Each command in the order in which a reader types them, with small settings."""
    (workplace / "studies" / "placement").mkdir(parents=True)
    page = (ROOT / "docs" / "studies.md").read_text()
    study = re.search(r"^```toml\n(.*?)^```", page, re.M | re.S)
    # what is small comes from the environment, which goes before the file
    (workplace / "studies" / "placement" / "study.toml").write_text(study[1])
    for words in map(with_three_seeds, OURS):
        if words[1] == "ui":
            look_at_the_ui(words, data_dir)
            continue
        done = zygote.run(*words[1:], cwd=workplace, env=settings(data_dir))
        assert done.code == 0, (words, done.err)
        assert done.out or "--output" in words, words
    assert (workplace / "ranking.json").exists()


RESULTS = "\n".join(
    (ROOT / "docs" / f"{name}.md").read_text() for name in ("table", "results", "mlflow", "paper")
)
STEPS = re.findall(
    r"^(?:`(\S+)`:\n\n)?```(csv|bash|python)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?",
    RESULTS, re.M | re.S,
)  # fmt: skip
"""Name of a file, kind of a block, the block, and what is shown below it."""


def test_every_block_of_the_pages_on_results_is_run_here():
    """But for one command: it is about a study, not a table."""
    left = RESULTS.count("```text\nattnstudy checklist placement\n```")
    assert left == 1
    assert RESULTS.count("```") - 2 * left == sum(4 if shown else 2 for *_, shown in STEPS)
    assert all(bool(name) == (kind == "csv") for name, kind, *_ in STEPS)


@pytest.mark.rest
@pytest.mark.timeout(600)
def test_the_pages_on_results_from_top_to_bottom(workplace, data_dir, zygote):
    """Its files are written, its commands and programs say what it shows, line by line."""
    for name, kind, block, shown in STEPS:
        if kind == "csv":
            (workplace / name).parent.mkdir(exist_ok=True)
            (workplace / name).write_text(block)
            continue
        said, code = run_block(kind, block, workplace, data_dir, zygote)
        assert code in ((2, 3) if shown.startswith("Error: ") else (0,)), (block, said)
        text = " ".join(said.split())
        for part in shown.split("\n\n"):  # of a command, parts of what it says
            # a table is shown without its rules, a sentence is wrapped
            lines = (
                [part] if re.match(r"Error|\S+: read as|experiment", part) else part.splitlines()
            )
            for line in lines:
                assert " ".join(line.split()) in text, (block, line, said)


def run_block(kind, block, workplace, data_dir, zygote):
    """Run a program, or commands of which the last one counts; return what it said and its code."""
    if kind == "python":
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=workplace, env=environment(data_dir), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr * bool(done.returncode), done.returncode
    for place, line in enumerate(block.splitlines(), start=1):
        told = "".join(f"--from {path.relative_to(workplace)} " for path in logs(workplace))
        words = shlex.split(line.replace("$(printf -- '--from %s ' logs/*.csv)", told))
        done = zygote.run(*words[1:], cwd=workplace, env=settings(data_dir))
        assert done.code == 0 or place == len(block.splitlines()), (line, done.err)
    return done.out + done.err, done.code  # type: ignore[attr-defined]


OWN_PAGES = ("own-trainings", "tutorial")
INSTALLING = (
    "```text\npython3.11 -m venv .venv\n. .venv/bin/activate\npip install -c constraints.txt .\n```"
)


def steps_of(page):
    """Name of a file, kind of a block, the block, and what is shown below it; the page."""
    text = (ROOT / "docs" / f"{page}.md").read_text().replace(INSTALLING, "")
    return re.findall(
        r"^(?:`(\S+)`:\n\n)?```(python|toml|awk|bash)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?",
        text, re.M | re.S,
    ), text  # fmt: skip


@pytest.mark.parametrize("page", OWN_PAGES)
def test_every_block_of_a_page_that_begins_with_nothing_is_run_here(page):
    steps, text = steps_of(page)
    assert text.count("```") == sum(4 if shown else 2 for *_, shown in steps)
    assert all(bool(name) == (kind != "bash") for name, kind, *_ in steps)


@pytest.mark.rest
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", OWN_PAGES)
def test_a_page_that_begins_with_nothing_from_top_to_bottom(page, workplace, zygote):
    """Typed into an empty folder: each file, each command, and what the page shows of it."""
    empty = workplace / "empty"
    empty.mkdir()
    for name, kind, block, shown in steps_of(page)[0]:
        if kind != "bash":
            (empty / name).parent.mkdir(parents=True, exist_ok=True)
            (empty / name).write_text(block)
            continue
        lines = block.splitlines()
        for line in lines:
            words = shlex.split(line)
            if words[0] != "attnstudy":
                subprocess.run(words, cwd=empty, check=True)
                continue
            done = zygote.run(*words[1:], cwd=empty, env={"ATTNSTUDY_NO_FIGURES": "1"})
            refused = line == lines[-1] and bool(re.search("Error:|other code", shown))
            assert done.code == (2 if refused else 0), (line, done.out, done.err)
        # the tutorial trains networks, whose numbers are those of the processor
        seen = without_numbers if page == "tutorial" else str
        text = " ".join(seen(done.out + done.err).split())
        for line in shown.splitlines():
            assert " ".join(seen(line).split()) in text, (block, line, text)


def without_numbers(text):
    """The same text for any result of the arms, in any order of them."""
    text = re.sub(r"\b(vanilla|early|late|double)\b", "ARM", text)
    return re.sub(r"(< |> )?[-+−]?\d*[.,]?\d+(?:–\d+)?", "0", text)


def logs(workplace):
    return sorted((workplace / "logs").glob("*.csv"))


def with_three_seeds(words):
    """The same command with the fewest seeds that can be ranked: training is what takes time."""
    return [
        "3" if before == "--seeds" and word.isdecimal() else word
        for before, word in zip(["", *words], words, strict=False)
    ]


def look_at_the_ui(words, data_dir):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [*words, "--port", str(port)],
        env=environment(data_dir),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a test run in the background of a shell inherits that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(lambda: answers(address), child)
        assert b"MLflow" in urllib.request.urlopen(address, timeout=PATIENCE).read()
    finally:
        os.killpg(child.pid, signal.SIGINT)
        child.wait(timeout=PATIENCE)


def test_make_demo_ends_with_the_ranking_and_the_line_that_opens_the_ui(tmp_path, data_dir):
    """With fewer seeds and epochs; the real size is what ``make demo`` takes."""
    if not (ROOT / ".venv" / ".installed").exists():
        pytest.skip("the demo uses .venv, which 'make test' makes and this run does not have")
    done = subprocess.run(
        ["make", "-s", "demo", f"DEMO_STORE={tmp_path / 'mlruns'}", "DEMO_SEEDS=2",
         "DEMO_EPOCHS=1"],
        cwd=ROOT, env=environment(data_dir), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Games-Howell, all pairs" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("Browse the runs: ")
    assert "attnstudy ui --store" in done.stdout.rstrip().splitlines()[-1]


@pytest.mark.parametrize("script", ["write_cli.py", "make_figures.py"])
def test_what_is_generated_is_up_to_date(script):
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / script, "--check"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_interface_page_tells_of_all_that_programs_import():
    import attnstudy

    page = (ROOT / "docs" / "api.md").read_text()
    assert sorted(re.findall(r"^::: attnstudy\.(\w+)$", page, re.M)) == attnstudy.__all__


@pytest.mark.parametrize("name", ["placement", "notebook"])
def test_the_shipped_studies_are_the_notebooks(name, monkeypatch):
    from attnstudy import studyfile
    from attnstudy.seeds import parse_seeds

    monkeypatch.chdir(ROOT)
    study = studyfile.find(name, None)
    assert study.question.endswith("?")
    options = study.options
    assert options["variant"] == ["vanilla", "early", "late", "double"]
    assert parse_seeds(options["seeds"]) == tuple(range({"placement": 30, "notebook": 10}[name]))
    assert options["attention"] == {"placement": "spatial", "notebook": "channel"}[name]
    assert (options["epochs"], options["batch_size"], options["lr"]) == (10, 64, 1e-3)
    assert options["dataset"] == {"placement": "cifar10", "notebook": "cifar10-jpeg"}[name]
    assert (options["metric"], options["alpha"]) == ("test_accuracy", 0.05)


def test_the_study_of_explanations_holds_placements_against_their_controls(monkeypatch):
    """With the settings of the notebook's study, none of its seeds, and a plan of what it says."""
    from attnstudy import studyfile
    from attnstudy.seeds import parse_seeds

    monkeypatch.chdir(ROOT)
    options, notebook = (
        studyfile.find(name, None).options for name in ("explanations", "notebook")
    )
    assert options["variant"] == ["early", "early-conv", "double", "double-conv"]
    seeds, known = parse_seeds(options["seeds"]), parse_seeds(notebook["seeds"])
    assert len(seeds) == 10
    assert not set(seeds) & set(known)
    for name in ("dataset", "attention", "epochs", "batch_size", "lr", "metric", "alpha"):
        assert options[name] == notebook[name]
    recorded, theirs = (
        [
            RecordedPlan.from_json(one)
            for one in json.loads((ROOT / "studies" / name / "plans.json").read_text())
        ]
        for name in ("explanations", "notebook")
    )
    (plan,) = (one.plan for one in recorded if one is not None)
    assert list(plan.arms) == options["variant"]
    assert plan.seeds == seeds
    assert (plan.analysis.alpha, plan.analysis.margin) == (options["alpha"], options["margin"])
    # one configuration: same images, same split, same training
    assert {one.plan.config for one in theirs if one is not None} == {plan.config}


def test_dependencies_that_were_checked_by_hand_are_the_pinned_ones():
    """Another version has to be looked up anew before the page names it."""
    pins = dict(
        re.findall(r"^([A-Za-z0-9-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.M)
    )
    section = (ROOT / "docs" / "security.md").read_text().partition("| package | pinned |")[2]
    rows = re.findall(r"^\| ([A-Za-z0-9, -]+) \| ([0-9., ]+) \|", section, re.M)
    checked = [
        pair
        for names, versions in rows
        for pair in zip(names.split(", "), versions.split(", "), strict=True)
    ]
    assert len(checked) >= 15
    assert [(name, pins.get(name)) for name, _ in checked] == checked


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))]
)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"]+)\"", text):
        (name,) = filter(None, target)
        if "://" not in name:
            assert ((ROOT / page).parent / name).exists(), name


def test_pictures_are_small():
    assert (DOCS / "images" / "report.png").stat().st_size < 250_000
