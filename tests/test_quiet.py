"""``--quiet``: warnings and the result only, of every command; and what is told without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnstudy.cli import cli as group
from attnstudy.render import Terminal
from attnstudy.study import RunSpec

TABLE = "arm,seed,accuracy\n" + "".join(
    f"{arm},{seed},{value + seed / 10}\n"
    for arm, value in (("a", 1), ("b", 2))
    for seed in range(4)
)


def every_command(command=group, words=()):
    for name, one in getattr(command, "commands", {}).items():
        yield from every_command(one, (*words, name))
        if callable(one.callback) and (not hasattr(one, "commands") or one.invoke_without_command):
            yield (*words, name), one


@pytest.mark.parametrize(("words", "command"), list(every_command()), ids=lambda one: str(one)[:30])
def test_every_command_takes_it(words, command):
    (quiet,) = [one for one in command.params if "-q" in one.opts]
    assert quiet.opts == ["--quiet", "-q"]
    assert quiet.help == "Show warnings and the result only."


@pytest.mark.rest
def test_a_ranking_says_what_was_written_unless_it_is_to_be_quiet(cli, workplace):
    Path("table.csv").write_text(TABLE)
    words = (
        "rank", "--from", "table.csv", "--output", "ranking.txt", "--methods", "methods.tex",
        "--figures", "figures",
    )  # fmt: skip
    told = cli(*words)
    assert (told.code, told.out) == (0, "")
    assert sorted(told.err.splitlines()) == [
        "The figures are in figures.", "methods.bib is written.", "methods.tex is written.",
        "ranking.txt is written.",
    ]  # fmt: skip
    before = Path("ranking.txt").read_text()
    quiet = cli(*words, "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert Path("ranking.txt").read_text() == before


def test_a_run_says_where_its_results_and_its_plan_are(cli, workplace):
    folder = workplace / "studies" / "mine"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(
        'variants = ["vanilla"]\nseeds = 1\ndataset = "digits"\ntrain_size = 256\nval_size = 60\n'
        "channels = [4, 4]\n[training]\nepochs = 1\nbatch_size = 32\n"
    )
    told = cli("run", "mine", "-q")
    assert told.code == 0, told.err
    named = dict(line.split(":", 1) for line in told.out.splitlines() if ":" in line)
    assert Path(named["Kept in"].strip()).is_dir()
    assert Path(named["Plan"].strip()).is_file()
    assert named["Browse them"].strip() == "attnstudy ui mine"


def test_a_healthy_machine_is_nothing_to_tell_of(cli, workplace):
    told = cli("doctor", "--dataset", "digits", "--quiet")
    assert (told.code, told.out) == (0, "")
    assert "ok" in cli("doctor", "--dataset", "digits").out


def test_prune_tells_the_removal_and_not_the_list(cli, store_dir):
    path = next(Path("mlruns/runs/placement").glob("*/result.json"))
    (path.parent / "checkpoint.pt").write_bytes(b"x")
    told = cli("prune", "placement", "--yes", "-q")
    assert told.code == 0, told.err
    assert told.out.startswith("1 removed, ")
    assert len(told.out.splitlines()) == 1


def test_the_phase_is_named_while_workers_start(make_spec, capsys):
    terminal = Terminal()
    terminal.bars = True
    terminal._begin(2, "all runs")
    assert terminal._display is not None
    (total,) = terminal._display.tasks
    assert (total.description, total.fields["numbers"]) == ("all runs", "starting workers")
    spec: RunSpec = make_spec()
    terminal.started(0, spec)
    assert [task.fields["numbers"] for task in terminal._display.tasks] == ["", "starting"]
    terminal.end()
