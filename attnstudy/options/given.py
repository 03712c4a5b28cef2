"""What the running command, or a program, was told, with who said each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click
from click.core import UNSET, ParameterSource  # type: ignore[attr-defined]  # exported by no name

from attnstudy.asking.given import Given, Source
from attnstudy.errors import UsageError
from attnstudy.options.blaming import PROGRAM, place_of
from attnstudy.options.declaring import Decorator
from attnstudy.studyfile import StudyFile

_STUDY = "attnstudy.study"
_SOURCES = {
    ParameterSource.COMMANDLINE: Source.CALL,
    ParameterSource.ENVIRONMENT: Source.ENVIRONMENT,
    ParameterSource.DEFAULT_MAP: Source.STUDY,
}


def given_here() -> Given:
    """Return what the running command was told."""
    context = click.get_current_context()
    asked = context.params
    named = asked.get("study") or asked.get("study_argument")
    return _given(context, named=bool(named))


def command_for_programs(options: Decorator[Any]) -> click.Command:
    """Return a command with the options of one, for programs to be told the same."""

    def nothing(**_: Any) -> None:
        """Do nothing: the program does it."""

    command: click.Command = click.command(options(nothing))
    return command


def given_in_program(
    command: click.Command, study: StudyFile, called: Mapping[str, Any], fixed: Mapping[str, Any]
) -> Given:
    """Return what a program says of a study, checked as the options of a command are.

    What it leaves out comes from the environment, and then from the study's file.

    Args:
        command: whose options can be said, see ``command_for_programs``.
        study: what it is about.
        called: values by the names of options, said in this call.
        fixed: values that the program said where it made the study.

    Raises:
        UsageError: an option cannot have its value.

    """
    context = click.Context(command, default_map=study.options)
    context.meta.update({_STUDY: study, PROGRAM: True})
    said = {**fixed, **called}
    try:
        with context.scope(cleanup=False):
            for parameter in command.get_params(context):
                if isinstance(parameter, click.Option) and not parameter.is_eager:
                    parameter.handle_parse_result(context, said, [])
    except click.BadParameter as error:
        where = "" if error.param is None else f"{place_of(context, error.param)}: "
        raise UsageError(f"{where}{error.message.rstrip('.')}") from error
    for name in fixed:
        if name not in called and name in context.params:
            context.set_parameter_source(name, ParameterSource.DEFAULT_MAP)
    return _given(context, named=True)


def _given(context: click.Context, *, named: bool) -> Given:
    # what nobody says is a value of click's own until a command is called
    values = {name: None if value is UNSET else value for name, value in context.params.items()}
    sources = {
        name: _SOURCES.get(source, Source.DEFAULT)
        for name in values
        if (source := context.get_parameter_source(name)) is not None
    }
    study: StudyFile = context.meta[_STUDY]
    return Given(study=study, by_name=values, sources=sources, place=_placing(context), named=named)


def _placing(context: click.Context) -> Callable[[str], str]:
    parameters = {parameter.name: parameter for parameter in context.command.params}
    return lambda name: place_of(context, parameters[name])
