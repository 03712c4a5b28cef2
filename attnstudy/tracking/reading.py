"""Reading runs back from MLflow, for ranking and for estimates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.errors import StoreError, UsageError, near_miss
from attnstudy.runs import METRICS, Result, Start
from attnstudy.study import later_defaults, roles
from attnstudy.tables.filters import Condition
from attnstudy.tracking import relocating
from attnstudy.tracking.digests import (
    METRIC_NAMES,
    RESULT_DIGEST,
    metric_names,
    result_digest,
    sealing_tags,
)
from attnstudy.tracking.params import param_texts
from attnstudy.tracking.requests import pages
from attnstudy.tracking.store import Tracker, mlflow_errors
from attnstudy.trainings.registry import kinds

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

_PAGE = 1000
_RUNS_PAGE = 100  # a server takes 4 s for 250 runs of 100 params and metrics, and is given 10


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run as the store has it, or would have it."""

    run_id: str
    """Empty for one that the store does not have."""
    name: str
    arm: str
    """What is compared: the arm, which is a variant unless the study gave it a name."""
    seed: int
    config: str
    status: str
    started_at: int
    """Milliseconds since the epoch."""
    superseded: bool
    deleted: bool
    """Whether it was deleted in the UI; MLflow keeps it until its trash is emptied."""
    params: Mapping[str, str]
    """All fields of its specification, also those that did not exist when it was made."""
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def measured(self) -> Sequence[str]:
        """The names of the metrics of its result; of all that it has where nothing tells them."""
        if "attnstudy.training" not in self.tags and METRIC_NAMES not in self.tags:
            return METRICS
        named = metric_names(self.tags)
        return tuple(self.metrics) if named is None else named

    @property
    def roles(self) -> Mapping[str, str]:
        """The role of each param in the identity of a run; see ``study``."""
        training = self.params.get("training")
        declared = roles(training if training in kinds() else None, self.params)
        return {name: role for name, role in declared.items() if name in self.params}

    @property
    def identity(self) -> tuple[str, int]:
        """What tells a training from all others: its fingerprint and its time of first start."""
        return self.tags["attnstudy.fingerprint"], self.started_at

    @property
    def agrees(self) -> bool | None:
        """Whether it is as its digest says; None if it has no digest."""
        said = self.tags.get(RESULT_DIGEST)
        if said is None:
            return None
        return said == result_digest(
            started_at=self.started_at,
            status=self.status,
            tags=self.tags,
            params=self.params,
            metrics={name: self.metrics[name] for name in self.measured if name in self.metrics},
        )


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One run of any experiment, as MLflow has it."""

    run_id: str
    experiment: str
    """The id of its experiment."""
    name: str
    status: str
    """MLflow's own: FINISHED, RUNNING, FAILED, ..."""
    started_at: int
    """Milliseconds since the epoch."""
    deleted: bool
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """The value of each that has the largest step; of several at that step, the last logged."""
    steps: Mapping[str, int]
    """The step of each of these values."""
    tags: Mapping[str, str]


def as_tracked(started: Start, result: Result) -> TrackedRun:
    """Return a finished run as a store would have it that has all of it."""
    spec = started.spec
    return TrackedRun(
        run_id="",
        name=spec.name,
        arm=spec.arm_name,
        seed=spec.seed,
        config=spec.config_id,
        status=result.status.value,
        started_at=started.at,
        superseded=False,
        deleted=False,
        params={**param_texts(later_defaults(spec.training)), **param_texts(spec.to_dict())},
        metrics=result.metrics,
        tags=sealing_tags(started, result),
    )


def tracked_studies(tracker: Tracker) -> list[str]:
    """Return the names of the studies in the store, sorted."""
    return sorted(e.name for e in _experiments(tracker) if "attnstudy.study" in e.tags)


def _experiments(tracker: Tracker, *, deleted: bool = False) -> Iterator[Experiment]:
    from mlflow.entities import ViewType

    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    search = partial(tracker.client.search_experiments, view, max_results=_PAGE)
    with mlflow_errors(tracker.address):
        for page in pages(lambda token: search(page_token=token)):
            yield from page


def read_runs(
    tracker: Tracker,
    study: str,
    progress: Callable[[int], None] = lambda read: None,
    *,
    deleted: bool = False,
) -> list[TrackedRun]:
    """Return the runs of a study that attnstudy made, by arm and seed.

    Those that were deleted in the UI are among them only where asked for.

    ``progress`` is called with the number of runs read, first with 0 and then after every page.
    """
    experiment = tracker.experiment_id(study)
    if experiment is None:
        return []
    return _tracked(_search(tracker, [experiment], "", progress, deleted=deleted))


def read_configuration(tracker: Tracker, config: str, *, but: str) -> dict[str, list[TrackedRun]]:
    """Return the runs of a configuration in all studies but one, by study; deleted ones too."""
    experiments = [
        str(e.experiment_id)
        for e in _experiments(tracker, deleted=True)
        if "attnstudy.study" in e.tags and e.name != but
    ]
    found: dict[str, list[TrackedRun]] = {}
    if experiments:
        having = f"tags.`attnstudy.config` = '{config}'"
        for run in _tracked(_search(tracker, experiments, having, deleted=True)):
            found.setdefault(run.tags.get("attnstudy.study", "?"), []).append(run)
    return found


def _tracked(logged: Iterable[LoggedRun]) -> list[TrackedRun]:
    """Return those runs that attnstudy made, by arm and seed."""
    runs = [
        TrackedRun(
            run_id=run.run_id,
            name=run.name,
            arm=run.tags.get("attnstudy.arm") or run.tags["attnstudy.variant"],
            seed=int(run.tags["attnstudy.seed"]),
            config=run.tags["attnstudy.config"],
            status=run.tags.get("attnstudy.status", "running"),
            started_at=run.started_at,
            superseded=run.tags.get("attnstudy.superseded") == "true",
            deleted=run.deleted,
            params={**_usual_params(run.tags.get("attnstudy.training")), **run.params},
            metrics=run.metrics,
            tags=run.tags,
        )
        for run in logged
        if "attnstudy.fingerprint" in run.tags
    ]
    return sorted(runs, key=lambda run: (run.arm, run.seed))


@cache
def _usual_params(training: str | None) -> Mapping[str, str]:
    """Return the params of fields that runs of a kind may have been made without."""
    return param_texts(later_defaults(training)) if training in kinds() else {}


def read_experiments(
    tracker: Tracker,
    names: Sequence[str],
    filters: Sequence[str] = (),
    progress: Callable[[int], None] = lambda read: None,
) -> tuple[list[LoggedRun], dict[str, str]]:
    """Return the active runs of any experiments, oldest first, and the experiments' names by id.

    Raises:
        UsageError: there is no experiment of such a name, or a filter is not understood.
    """
    experiments: dict[str, str] = {}
    for name in names:
        experiment = tracker.experiment_id(name)
        if experiment is None:
            with mlflow_errors(tracker.address):
                known = [e.name for e in tracker.client.search_experiments(max_results=_PAGE)]
            raise UsageError(
                f"there is no experiment {name!r} in {tracker.address.shown}"
                f"{near_miss(name, known)} (there: {', '.join(known)})"
            )
        experiments[experiment] = name
    asked = " and ".join(filters)  # MLflow's filters know no brackets, and nothing but "and"
    try:
        return list(_search(tracker, list(experiments), asked, progress)), experiments
    except StoreError as error:
        code = getattr(error.__cause__, "error_code", None)
        if asked and code == "INVALID_PARAMETER_VALUE":
            reason = str(error.__cause__).partition("\n")[0]
            raise UsageError(f"the filter {asked!r} is not understood: {reason}") from error
        raise


def metric_conditions(filters: Sequence[str]) -> list[Condition]:
    """Return the conditions on metrics of filters that MLflow understands."""
    from mlflow.utils.search_utils import SearchUtils

    return [
        Condition(one["key"], one["comparator"], one["value"])
        for text in filters
        for one in SearchUtils.parse_search_filter(text)  # type: ignore[no-untyped-call]
        if one["type"] == "metric"
    ]


def _search(
    tracker: Tracker,
    experiments: list[str],
    filter_string: str,
    progress: Callable[[int], None] = lambda read: None,
    *,
    deleted: bool = False,
) -> Iterator[LoggedRun]:
    """Read runs page by page, oldest first."""
    from mlflow.entities import ViewType

    count = 0
    search = partial(
        tracker.client.search_runs,
        experiments,
        filter_string,
        ViewType.ALL if deleted else ViewType.ACTIVE_ONLY,
        max_results=_RUNS_PAGE,
        order_by=["attributes.start_time ASC"],
    )
    progress(count)  # the first page may take seconds
    with mlflow_errors(tracker.address):
        for page in pages(lambda token: search(page_token=token)):
            yield from map(_logged, page)
            count += len(page)
            progress(count)


def _logged(run: Run) -> LoggedRun:
    info, data = run.info, run.data
    return LoggedRun(
        run_id=info.run_id,
        experiment=str(info.experiment_id),
        name=info.run_name or info.run_id,
        status=info.status,
        started_at=info.start_time,
        deleted=info.lifecycle_stage != "active",
        params=data.params,
        metrics=data.metrics,
        # MLflow shows the steps nowhere else, short of a request for each run and metric
        steps={metric.key: metric.step for metric in data._metric_objs},
        tags=data.tags,
    )


def read_history(tracker: Tracker, run_id: str, metric: str) -> list[tuple[int, float]]:
    """Return the (step, value) of a metric, by step; of one step, in the order of logging."""
    with mlflow_errors(tracker.address):
        history = tracker.client.get_metric_history(run_id, metric)
    points = sorted((point.step, point.timestamp, point.value) for point in history)
    return [(step, value) for step, _, value in points]


def read_artifact(tracker: Tracker, run_id: str, name: str) -> bytes | None:
    """Return the content of a run's artifact; None if there is none of that name."""
    with tempfile.TemporaryDirectory() as folder, mlflow_errors(tracker.address):
        if tracker.moved:
            location = tracker.client.get_run(run_id).info.artifact_uri
            moved = relocating.place(location, tracker.moved, tracker.address.store_dir)
            if moved is not None:
                file = moved / name
                return file.read_bytes() if file.is_file() else None
        if name not in {artifact.path for artifact in tracker.client.list_artifacts(run_id)}:
            return None
        return Path(tracker.client.download_artifacts(run_id, name, folder)).read_bytes()
