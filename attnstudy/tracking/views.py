"""A study's page in MLflow's UI: its runs, arm by arm, with the numbers that it is ranked by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from attnstudy.errors import UsageError, near_miss
from attnstudy.runs import METRICS
from attnstudy.studyplan import Analysis
from attnstudy.tables.directions import less_is_better
from attnstudy.tracking.digests import metric_names
from attnstudy.tracking.plans import read_plans
from attnstudy.tracking.reading import tracked_studies
from attnstudy.tracking.store import Tracker, mlflow_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import Run

_KEY = "attnstudy"
_TAG = f"mlflow.sharedViewState.{_KEY}"
"""Where the UI keeps a view that somebody shares, and from where it takes one that a link names."""
_COUNTED = "tags.`attnstudy.fingerprint` IS NOT NULL AND tags.`attnstudy.superseded` IS NULL"
"""Neither reports nor runs that a repetition took the place of: they have no part in a mean."""
_LOOKED_AT = 100  # runs; those of a study have the same params


@dataclass(frozen=True, slots=True)
class StudyView:
    """The columns, the order and the groups in which the UI shows a study's runs."""

    arm: str
    """The param that is an arm's name: runs are grouped by it."""
    metric: str
    ascending: bool
    """Whether the least value comes first."""

    def state(self) -> str:
        """Return it as the UI writes it."""
        state: dict[str, Any] = {
            "searchFilter": _COUNTED,
            "orderByKey": f"metrics.`{self.metric}`",
            "orderByAsc": self.ascending,
            "selectedColumns": [
                f"params.`{self.arm}`", "params.`seed`", f"metrics.`{self.metric}`",
            ],
            "groupBy": {
                "aggregateFunction": "average",
                "groupByKeys": [{"mode": "param", "groupByData": self.arm}],
            },
        }  # fmt: skip
        return json.dumps(state)


def keep_view(tracker: Tracker, study: str) -> str:
    """Keep a study's view in its experiment, and return the place of it behind the UI's address.

    Raises:
        UsageError: the store has no such study.
        StoreError: the store is unreachable or refuses, or the experiment was deleted in the UI.

    """
    experiment = tracker.experiment(study)
    if experiment is None or "attnstudy.study" not in experiment.tags:
        known = tracked_studies(tracker)
        raise UsageError(
            f"{tracker.address.shown} has no study {study!r}{near_miss(study, known)} (there: "
            f"{', '.join(known) or 'none yet'}): 'attnstudy sync {study}' delivers its runs there"
        )
    number = str(experiment.experiment_id)
    with mlflow_errors(tracker.address):
        page = tracker.client.search_runs([number], _COUNTED, max_results=_LOOKED_AT)
        state = _view(list(page), _analysis(tracker, study)).state()
        if experiment.tags.get(_TAG) != state:
            tracker.client.set_experiment_tag(number, _TAG, state)
    query = urlencode({"workflowType": "machine_learning", "viewStateShareKey": _KEY})
    return f"#/experiments/{number}/runs?{query}"


def ui_address(uri: str) -> str:
    """Return the address of a server without the user and the password in it."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _analysis(tracker: Tracker, study: str) -> Analysis | None:
    """Return how the latest plan has the study ranked; None if it has no plan."""
    plans, _ = read_plans(tracker, study)
    return plans[-1].plan.analysis if plans else None


def _view(found: Sequence[Run], analysis: Analysis | None) -> StudyView:
    arm = "arm" if any("arm" in run.data.params for run in found) else "variant"
    told = (metric_names(run.data.tags) for run in found)
    named = next((names for names in told if names), None)
    measured = METRICS if named is None else named
    metric = measured[0] if named else Analysis().metric
    if analysis is not None and analysis.metric in measured:
        metric = analysis.metric
    asked = None if analysis is None else analysis.direction
    ascending = less_is_better(metric) if asked is None else asked == "minimize"
    return StudyView(arm, metric, ascending)
