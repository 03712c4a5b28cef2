"""The command line. Each command declares its options and imports its body when it is called."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from attnstudy.cli import housekeeping, ranking, studies, studyfiles, surroundings, tuning, ui
from attnstudy.cli.common import tell
from attnstudy.cli.group import cli
from attnstudy.errors import (
    EXIT_ENVIRONMENT,
    EXIT_SIGNAL,
    EXIT_USAGE,
    AttnstudyError,
    TerminatedError,
)
from attnstudy.files import discard
from attnstudy.options import HelpContext, blamed
from attnstudy.redaction import command_without_passwords, without_passwords
from attnstudy.shown import in_lines


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as a sentence, without the place in the code that it comes from."""
    tell(f"Warning: {without_passwords(str(message))}")


for command in (
    *studies.COMMANDS,
    *studyfiles.COMMANDS,
    *ranking.COMMANDS,
    *housekeeping.COMMANDS,
    *surroundings.COMMANDS,
    *ui.COMMANDS,
    *tuning.COMMANDS,
):
    cli.add_command(command)


def _write_help(command: click.Command) -> None:
    """Have a command and all below it write their help in whole words."""
    command.context_class = HelpContext
    for below in getattr(command, "commands", {}).values():
        _write_help(below)


_write_help(cli)


def _show_error(sentence: str) -> None:
    """Show what is wrong; words of other libraries in it may hold an address."""
    tell(f"Error: {without_passwords(sentence)}")


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show what nobody expected as Python does, without passwords."""
    told = "".join(traceback.format_exception(kind, error, trace))
    click.echo(in_lines(without_passwords(told)), err=True, nl=False)


def _terminate(number: int, _: object) -> None:
    raise TerminatedError(number)


def _keeps(words: Sequence[str]) -> bool:
    """Tell whether a command keeps what it has done when it ends midway."""
    reads = "--dry-run" in words or list(words[:2]) in (["tune", "show"], ["data", "verify"])
    return bool(words) and words[0] in _KEEPING and not reads


_KEEPING = ("run", "tune", "sync", "import", "prune", "data")


def _interrupted(number: int) -> int:
    """Say how to go on after a signal, if there is anything to go on from; return the exit code."""
    if not _keeps(sys.argv[1:]):
        tell("Interrupted.")
        return EXIT_SIGNAL + number
    # a repetition that was begun is gone on with, not repeated
    words = [word for word in sys.argv[1:] if word != "--rerun"]
    tell(
        "Interrupted. What is complete is kept; to go on from there: "
        f"{command_without_passwords(['attnstudy', *words])}"
    )
    return EXIT_SIGNAL + number


def _open_streams() -> None:
    """Put nothing in the place of what the caller closed, as ``>&-`` does.

    Otherwise the next file that is opened, be it a database, would be taken for the output.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def main() -> None:
    """Run the command line; every error that is meant for the reader ends as one sentence."""
    _open_streams()
    warnings.showwarning = _show_warning
    sys.excepthook = _show_bug
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # what the shell has us ignore, as nohup does, stays ignored
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        _show_error(blamed(error))
        code = EXIT_USAGE
    except AttnstudyError as error:
        _show_error(str(error))
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _interrupted(signal.SIGINT)
    except TerminatedError as error:
        code = _interrupted(error.number)
    except BrokenPipeError:
        discard(sys.stdout)  # of a help, which click prints itself
        code = 0
    except (MemoryError, RecursionError, OSError) as error:
        _show_error(_surroundings(error))
        code = EXIT_ENVIRONMENT
    except RuntimeError as error:
        loop = error.__context__  # before Python 3.13, pathlib turns links in a circle into this
        if not isinstance(loop, OSError) or loop.errno != errno.ELOOP:
            raise
        _show_error(_surroundings(loop))
        code = EXIT_ENVIRONMENT
    sys.exit(code)


def _surroundings(error: BaseException) -> str:
    """Return what is wrong with the machine, or with a file, in a sentence."""
    if isinstance(error, MemoryError):
        return (
            "there is not enough memory: run it where there is more, or with fewer --workers; what "
            "is complete is kept"
        )
    if isinstance(error, RecursionError):
        return "a file or an answer that was read is nested too deeply: it is no such thing"
    assert isinstance(error, OSError)
    from attnstudy.tables.cells import clip

    place = "" if error.filename is None else f"{clip(os.fsdecode(error.filename), 100)}: "
    return (
        f"{place}{error.strerror or error}: correct the name or the permissions, or make room, and "
        "run the same command again; what is complete is kept"
    )


__all__ = ["cli", "main"]
