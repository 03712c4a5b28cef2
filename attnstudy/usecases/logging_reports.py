"""``attnstudy rank --log``: the report as an MLflow run beside the runs that it used."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attnstudy.errors import UsageError
from attnstudy.shown import in_markdown
from attnstudy.tracking import Address, log_ranking, open_store
from attnstudy.usecases.ranking import RankReport

_NOTE = 5000
"""Characters that MLflow keeps of a description."""


def log_report(
    report: RankReport, address: Address, files: Mapping[str, bytes], markdown: str
) -> str:
    """Store a report and return the id of its MLflow run.

    The run holds the given files, the ranking as JSON and the ids of the runs that were used;
    the experiment's description then shows question, date and the ranking.

    Args:
        report: what was found.
        address: of the store.
        files: by name: their contents.
        markdown: the ranking, for the description.

    Raises:
        UsageError: the ranking was made from a table or from several experiments.
        StoreError: the store is unreachable or refuses.
    """
    ranking, found = report.ranking, report.collected
    if found.study is None or not found.runs:
        raise UsageError(
            "--log stores a report beside the runs of one experiment, and a table has none, "
            "several experiments have no common one: use --output"
        )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    name = f"ranking {today}"
    note = _note(found.question, f"Ranked on {today}; all of it is in the run '{name}'.", markdown)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        ranked = json.dumps(ranking.to_json(), indent=1, allow_nan=False)
        (folder / "ranking.json").write_text(ranked, encoding="utf-8")
        used = [{"name": r.name, "run_id": r.run_id, "value": r.value} for r in found.runs]
        (folder / "runs.json").write_text(json.dumps(used, indent=1), encoding="utf-8")
        return log_ranking(
            open_store(address, create=False),
            found.study,
            folder,
            tags={
                "attnstudy.report": "ranking",
                "attnstudy.config": found.config or "",
                "attnstudy.verdict": ranking.verdict,
                "attnstudy.sentence": ranking.sentence,
                "attnstudy.status": ranking.status,
                "attnstudy.metric": ranking.metric,
            },
            name=name,
            note=note,
        )


def _note(question: str | None, made: str, markdown: str) -> str:
    """Return a description: as many paragraphs and tables as fit, each whole."""
    note = made if question is None else f"{in_markdown(question)}\n\n{made}"
    for block in markdown.split("\n\n"):
        if len(note) + len(block) + 2 > _NOTE:
            break
        note = f"{note}\n\n{block}"
    return note
