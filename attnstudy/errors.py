"""Every error a user can meet. Each one is a single sentence that says what to do.

The exit code belongs to the kind of error, so that a script can tell a mistake in its own
command (2) from a problem with data or surroundings (3) and from runs that failed (1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_SIGNAL = 128
"""Plus the number of the signal that ended the command: 130 for Ctrl-C, 143 for SIGTERM."""


class AttnstudyError(Exception):
    """Base of all errors that are meant for the reader; never raised itself."""

    exit_code = EXIT_ENVIRONMENT


class UsageError(AttnstudyError):
    """The command, the study file or an argument asks for something that makes no sense."""

    exit_code = EXIT_USAGE


class MeasurementError(UsageError):
    """What was measured makes no sense, whatever is asked about it."""

    exit_code = EXIT_ENVIRONMENT


class DataError(AttnstudyError):
    """A dataset is missing, damaged or not what it claims to be."""


class StoreError(AttnstudyError):
    """A run folder or the tracking store cannot be read or written."""


class ArchiveError(AttnstudyError):
    """An exported study is damaged, or is none."""


class TrackingUnreachableError(StoreError):
    """The tracking server does not answer in the time it is given."""


class TrainingError(AttnstudyError):
    """A training of the user's own did not do what it was run for: its run has failed."""

    exit_code = EXIT_SOME_FAILED


class ClusterError(AttnstudyError):
    """A cluster does not answer, or is not fit for what it is to do."""


class TerminatedError(BaseException):
    """The system asks the command to end; like ``KeyboardInterrupt``, nobody handles it midway."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """Of the signal."""


def cause(error: BaseException) -> str:
    """Return what another library's error says, fit for a place inside our own sentence."""
    said: str = getattr(error, "strerror", None) or str(error)
    first = said.strip().partition("\n")[0].partition(". ")[0]
    return first.strip().rstrip(".") or type(error).__name__


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of ``known``, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
