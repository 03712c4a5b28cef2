"""Errors and advice in the words of Python: ``rerun=True`` where a command has ``--rerun``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import cache

import click

from attnstudy import options
from attnstudy.errors import AttnstudyError
from attnstudy.options.blaming import parameter_of

_METHOD = re.compile(r"'attnstudy (run|tune|rank|status)(?! show)\b[^']*'")
_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")
_OTHERWISE = {"--unpaired": "paired=False", "--study": "attnstudy.Study", "--filter": "filters"}
_PHRASES = {
    "{low = ..., high = ...}": "{'low': ..., 'high': ...}",
    "The same command": "The same call",
    "[tuning.space]": "space",
    "[settings]": "settings",
}


@contextlib.contextmanager
def in_words_of_python() -> Iterator[None]:
    """Have errors for the reader name parameters and methods, not options and commands."""
    try:
        yield
    except AttnstudyError as error:
        error.args = tuple(translated(arg) if isinstance(arg, str) else arg for arg in error.args)
        raise


def translated(text: str) -> str:
    """Return a sentence about options as one about parameters.

    >>> translated("give --accept-code, or other --seeds: 'attnstudy tune' does that")
    'give accept_code=True, or other seeds: tune() does that'
    >>> translated("train.py: error: unrecognized arguments: --learning-rate")
    'train.py: error: unrecognized arguments: --learning-rate'

    """
    for said, meant in _PHRASES.items():
        text = text.replace(said, meant)
    return _OPTION.sub(_parameter, _METHOD.sub(r"\1()", text))


def _parameter(match: re.Match[str]) -> str:
    if match[0] in _OTHERWISE:
        return _OTHERWISE[match[0]]
    is_flag = _options().get(match[0])
    if is_flag is None:  # of somebody else's program, in its own words
        return match[0]
    return parameter_of(match[0]) + "=True" * is_flag


@cache
def _options() -> Mapping[str, bool]:
    """Return the options of the commands that are methods, and whether each is a flag."""
    commands = map(options.command_for_programs, (options.of_run, options.of_tune, options.of_rank))
    return {
        name: parameter.is_flag
        for command in commands
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }
