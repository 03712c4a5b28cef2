"""``attnstudy audit``: a printed table, as it is found in a file."""

from __future__ import annotations

from pathlib import Path

from attnstudy.errors import DataError, UsageError
from attnstudy.stats.audit import Audit, audit
from attnstudy.stats.vocabulary import Direction
from attnstudy.tables.asked import Asked
from attnstudy.tables.text import read_text


def audit_table(
    table: str,
    *,
    items: int | None,
    logs: str | None,
    alpha: float,
    direction: Direction | None = None,
    asked: Asked | None = None,
    n: int | None = None,
    standard_input: bytes = b"",
) -> Audit:
    """Audit a printed table in a CSV file; ``-`` is standard input.

    Raises:
        DataError: a file cannot be read, or is no table.
        UsageError: the table makes no sense or can be read in several ways, or a file is not there.
    """
    what = "standard input" if table == "-" else table
    content = standard_input if table == "-" else _bytes(table)
    logged = None if logs is None else read_text(_bytes(logs), logs)
    return audit(
        read_text(content, what),
        items=items,
        logged=logged,
        alpha=alpha,
        direction=direction,
        asked=asked,
        n=n,
        what=what,
    )


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}: name a CSV file") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name a CSV file") from error
