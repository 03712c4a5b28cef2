"""The property: what is read is the truth, or it is refused in one sentence."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnstudy.errors import AttnstudyError, DataError, UsageError
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.asked import Asked
from attnstudy.tables.text import read_text
from attnstudy.usecases.sources.collected import Collected
from attnstudy.usecases.sources.frames import grid_of_data
from attnstudy.usecases.sources.table import TableRequest, collect_table
from tests.fuzzing.tables import Case
from tests.fuzzing.writing import columns_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    verdict: str
    """``truth``, ``refused`` or ``violation``."""
    kind: str
    """Where in the reader it was refused, or what is wrong."""
    said: str


def outcomes_of(case: Case, folder: Path) -> dict[str, Outcome]:
    """Return what ``rank`` and ``audit`` make of a case."""
    sources, skipped = _sources(case, folder)
    if skipped:
        return {}
    found = {"rank": _outcome(case, lambda: _ranked(case, sources))}
    plain = not ({"filters", "allowed", "point"} & set(case.asked))
    if len(case.files) == 1 and plain:
        found["audit"] = _outcome(case, lambda: _audited(case, Path(sources[0])))
    return found


def _sources(case: Case, folder: Path) -> tuple[tuple[Any, ...], bool]:
    if not case.frame:
        for name, data in case.files.items():
            (folder / name).write_bytes(data)
        return tuple(str(folder / name) for name in case.files), False
    columns = columns_of(case)
    try:
        if case.frame == "pandas":
            import pandas as pd

            return (grid_of_data(pd.DataFrame(columns)),), False
        if case.frame == "polars":
            import polars as pl

            return (grid_of_data(pl.DataFrame(columns, strict=False)),), False
    except ImportError:
        return (), True
    except AttnstudyError:
        return (), True
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), folder / "results.parquet")
    return (str(folder / "results.parquet"),), False


def _outcome(case: Case, read: Any) -> Outcome:
    try:
        wrong = read()
    except (UsageError, DataError) as refusal:
        said = str(refusal)
        if "\n" in said or not said.strip():
            return Outcome("violation", "a refusal of several lines", said)
        frame = [
            f for f in traceback.extract_tb(refusal.__traceback__) if "attnstudy" in f.filename
        ]
        return Outcome("refused", f"{Path(frame[-1].filename).stem}.{frame[-1].name}", said)
    except Exception:
        return Outcome("violation", "another exception", traceback.format_exc())
    if wrong:
        return Outcome("violation", wrong[0], f"{wrong[0]}: {wrong[1]}")
    return Outcome("truth", "", "")


def _ranked(case: Case, sources: tuple[Any, ...]) -> tuple[str, str] | None:
    collected = collect_table(TableRequest(sources=sources, **case.asked))
    if case.traps:
        return f"read although {case.traps[0]}", f"{_shown(collected)}"
    runs = {_short(case, name): found for name, found in collected.samples.items()}
    if set(runs) != set(case.runs):
        return "other arms", f"{sorted(runs)} for {sorted(case.runs)}"
    for arm, truth in case.runs.items():
        found = runs[arm]
        values = list(found.values()) if isinstance(found, dict) else list(found)
        if Counter(values) != Counter(value for _, value in truth):
            return "other values", f"{arm}: {values} for {truth}"
        if truth and truth[0][0] is not None:
            if not isinstance(found, dict):
                return "seeds lost", f"{arm}: {found} for {truth}"
            if found != dict(truth):
                return "other seeds", f"{arm}: {found} for {truth}"
    lost = {
        _short(case, arm): n if isinstance(n, int) else len(n)
        for arm, n in collected.diverged.items()
    }
    if {a: n for a, n in lost.items() if n} != {a: n for a, n in case.diverged.items() if n}:
        return "other runs diverged", f"{lost} for {case.diverged}"
    if case.direction is not None and collected.direction != case.direction:
        return "other direction", f"{collected.metric}: {collected.direction}"
    return None


def _short(case: Case, name: str) -> str:
    """Return the name of an arm; that of a file without its folder."""
    short = Path(name).name
    return short if short in case.files else name


def _shown(collected: Collected) -> str:
    source = collected.source
    return "" if source is None else f"{source.read_as}; left out: {source.left_out}"


def _audited(case: Case, path: Path) -> tuple[str, str] | None:
    names = ("layout", "by", "seed_by", "metric", "missing")
    asked = Asked(**{name: case.asked[name] for name in names if name in case.asked})
    table = read_table(read_text(path.read_bytes()), asked, what="results.csv")
    if case.traps == ["summaries are no runs"]:
        return ("summaries as runs", str(table)) if table.cells else None
    if case.traps:
        return f"read although {case.traps[0]}", f"{table.rows}"
    rows = {row.name: Counter(float(c.number.value) for c in row.cells) for row in table.rows}
    expected = {arm: Counter(value for _, value in runs) for arm, runs in case.runs.items()}
    rows = {name: found for name, found in rows.items() if found or expected.get(name) != Counter()}
    if rows != {arm: values for arm, values in expected.items() if values or arm in rows}:
        return "other values", f"{rows} for {expected}"
    return None
