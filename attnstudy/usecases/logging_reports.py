"""``attnstudy rank --log``: the report as an MLflow run beside the runs that it used."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attnstudy.errors import UsageError
from attnstudy.tracking import Address, log_ranking, open_store
from attnstudy.usecases.ranking import RankReport


def log_report(report: RankReport, address: Address, files: Mapping[str, bytes]) -> str:
    """Store a report and return the id of its MLflow run.

    The run holds the given files, the ranking as JSON and the ids of the runs that were used;
    the experiment's description then shows question, sentence and date.

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
    note = "\n\n".join(filter(None, [found.question, f"{ranking.sentence} ({today})"]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).write_bytes(content)
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
            name=f"ranking {today}",
            note=note,
        )
