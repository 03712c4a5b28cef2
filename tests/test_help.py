"""Help: in sections where there is much of it, with examples that are taken; completion."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.shell_completion import BashComplete

from attnstudy.cli import cli as group

MANY = 20
"""Options from which on nobody reads them in a row."""


def commands(
    command: click.Command, *words: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if words:
        yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, *words, name)


COMMANDS = [
    one for one in commands(group)
    if not isinstance(one[1], click.Group) or one[1].invoke_without_command
]  # fmt: skip


def help_of(words: tuple[str, ...], command: click.Command) -> str:
    return command.get_help(command.context_class(command, info_name=" ".join(words)))


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda one: " ".join(one)
                         if isinstance(one, tuple) else "")  # fmt: skip
def test_each_help_ends_with_examples_that_are_taken(words, command):
    text = help_of(words, command)
    _, examples = text.split("Examples:\n")
    lines = [shlex.split(line) for line in examples.strip().splitlines()]
    assert lines
    known = [*words]
    for program, *line in lines:
        assert (program, line[: len(known)]) == ("attnstudy", known)
        found: click.Command = group
        while line and line[0] in getattr(found, "commands", {}):
            found = found.commands[line.pop(0)]  # type: ignore[attr-defined]
        context = click.Context(found, resilient_parsing=True, **found.context_settings)
        values, rest, _ = found.make_parser(context).parse_args(args=line)
        assert rest == [], (line, values)


def test_the_help_of_audit_speaks_of_tables_alone():
    text = " ".join(help_of(("audit",), group.commands["audit"]).split())
    assert "Columns that make an arm" in text
    for word in ("study's", "experiment", "params.NAME", "tags.NAME"):
        assert word not in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_of_a_help_ends_within_a_word(width):
    for words, command in commands(group):
        context = command.context_class(command, info_name=" ".join(words))
        context.terminal_width = width
        lines = command.get_help(context).splitlines()
        assert [line for line in lines if line[-2:-1].isalnum() and line.endswith("-")] == []
        assert not any("\u2011" in line for line in lines)


@pytest.mark.parametrize("name", ["run", "rank", "tune"])
def test_many_options_stand_in_sections(name):
    command = group.commands[name]
    text = help_of((name,), command)
    titles = [line[:-1] for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert len(command.params) > MANY
    assert {"Store and MLflow", "Output"} < set(titles)
    assert titles[0].startswith("What is ")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(f" {name}" in text for name in parameter.opts), parameter.opts
    assert text.count("--study NAME") == 1


def completed(*words: str) -> list[str]:
    args, incomplete = list(words[:-1]), words[-1]
    found = BashComplete(group, {}, "attnstudy", "_ATTNSTUDY_COMPLETE")
    return [item.value for item in found.get_completions(args, incomplete)]


def test_studies_variants_and_arms_are_completed(workplace):
    for name, text in (
        ("mine", 'train = "m:t"\nseeds = 1\n[arms.wide]\nw = 2\n[arms.narrow]\nw = 1\n'),
        ("placed", 'variants = ["vanilla"]\n[arms.small]\nvariant = "vanilla"\nlr = 0.1\n'),
    ):
        folder = workplace / "studies" / name
        folder.mkdir(parents=True)
        (folder / "study.toml").write_text(text)
    assert completed("run", "") == ["mine", "placed"]
    assert completed("rank", "--study", "mi") == ["mine"]
    assert completed("run", "mine", "--variant", "") == ["wide", "narrow"]
    assert completed("run", "placed", "--variant", "s") == ["small"]
    assert completed("run", "--variant", "ea") == ["early", "early-conv"]
    assert completed("run", "--executor", "in") == ["inline"]
    assert completed("rank", "--format", "l") == ["latex"]


def test_a_study_that_only_ran_is_completed(store_dir, workplace):
    assert "placement" in completed("status", "")


def test_every_name_of_an_option_can_be_given_in_the_environment(cli, workplace):
    for name in ("ATTNSTUDY_ARM", "ATTNSTUDY_VARIANT"):
        answer = cli("run", "--dataset", "digits", "--dry-run", env={name: "early late"})
        assert answer.code == 0, answer.err
        assert "late" in answer.out
        assert "vanilla" not in answer.out
