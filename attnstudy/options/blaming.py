"""Where a value was written: on the command line, in the environment, in a study's file.

Or in a program, which has no command line: there an option is called as its parameter is.
"""

from __future__ import annotations

import os

import click
from click.core import ParameterSource

from attnstudy import studyfile
from attnstudy.errors import UsageError

PROGRAM = "attnstudy.program"
"""Marks, in a context's ``meta``, what a program asks for."""


def place(name: str) -> str:
    """Return what to call the place in which a parameter of the running command was given.

    ``--margin``, ``ATTNSTUDY_MARGIN`` or ``studies/mine/study.toml: [ranking] margin``.
    """
    context = click.get_current_context()
    parameter = next(p for p in context.command.params if p.name == name)
    return place_of(context, parameter)


def blamed(error: click.ClickException) -> str:
    """Return the message of an error, which names the place of the value and not its option."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if not isinstance(error, click.BadParameter) or context is None or parameter is None:
        return error.format_message()
    if _source(context, parameter) in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP):
        return f"{place_of(context, parameter)}: {error.message.rstrip('.')}"
    return error.format_message()


def check_file(command: click.Command) -> None:
    """Check what the running command's study file says for another command's options.

    Raises:
        UsageError: naming the key of the file.

    """
    context = click.get_current_context()
    study: studyfile.StudyFile = context.meta["attnstudy.study"]
    own = {parameter.name for parameter in context.command.params}
    for parameter in command.params:
        if parameter.name in own or parameter.name not in study.options:
            continue
        try:
            parameter.type_cast_value(context, study.options[parameter.name])
        except click.BadParameter as error:
            key = study.key(parameter.name)
            raise UsageError(f"{key}: {error.message.rstrip('.')}") from None


def place_of(context: click.Context, parameter: click.Parameter) -> str:
    """Return what to call the place in which a parameter is given."""
    source = _source(context, parameter)
    assert parameter.name is not None
    if context.meta.get(PROGRAM) and source is ParameterSource.COMMANDLINE:
        return parameter_of(parameter.opts[-1])
    if source is ParameterSource.DEFAULT_MAP:
        study: studyfile.StudyFile = context.meta["attnstudy.study"]
        return study.key(parameter.name)
    if source is ParameterSource.ENVIRONMENT and parameter.envvar:
        names = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar
        return next((one for one in names if os.environ.get(one)), names[0])
    if context.meta.get(PROGRAM):
        return parameter_of(parameter.opts[-1])
    return parameter.opts[0] if isinstance(parameter, click.Option) else "STUDY"


def parameter_of(option: str) -> str:
    """Return what an option is called as a parameter of ``attnstudy.Study``."""
    name = option.lstrip("-").replace("-", "_")
    return {"arm": "arms", "variant": "arms"}.get(name, name)


def _source(context: click.Context, parameter: click.Parameter) -> ParameterSource | None:
    return None if parameter.name is None else context.get_parameter_source(parameter.name)
