"""MLflow: what people browse and rank. The only package that imports it.

MLflow takes seconds to import, so its own modules are imported here, in functions, and whoever
only needs an address pays nothing.
"""

from attnstudy.tracking.address import Address, resolve
from attnstudy.tracking.artifacts import altered, artifact_folder, sent_files
from attnstudy.tracking.digests import PREDICTIONS_DIGEST, identity_tags
from attnstudy.tracking.looking import open_for_reading
from attnstudy.tracking.opening import import_mlflow, open_store
from attnstudy.tracking.params import param_texts
from attnstudy.tracking.plans import read_plans
from attnstudy.tracking.publishing import SYSTEM_METRICS, Publisher, system_metrics_asked
from attnstudy.tracking.reading import (
    LoggedRun,
    TrackedRun,
    as_tracked,
    metric_conditions,
    read_artifact,
    read_configuration,
    read_experiments,
    read_history,
    read_runs,
    tracked_studies,
)
from attnstudy.tracking.reports import log_ranking
from attnstudy.tracking.run_lookup import experiment_identity
from attnstudy.tracking.store import ExperimentDeletedError, Tracker
from attnstudy.tracking.tuning import SearchPublisher, SearchRecord, TrialRecord
from attnstudy.tracking.upload import Figures
from attnstudy.tracking.views import keep_view, ui_address

__all__ = [
    "PREDICTIONS_DIGEST",
    "SYSTEM_METRICS",
    "Address",
    "ExperimentDeletedError",
    "Figures",
    "LoggedRun",
    "Publisher",
    "SearchPublisher",
    "SearchRecord",
    "TrackedRun",
    "Tracker",
    "TrialRecord",
    "altered",
    "artifact_folder",
    "as_tracked",
    "experiment_identity",
    "identity_tags",
    "import_mlflow",
    "keep_view",
    "log_ranking",
    "metric_conditions",
    "open_for_reading",
    "open_store",
    "param_texts",
    "read_artifact",
    "read_configuration",
    "read_experiments",
    "read_history",
    "read_plans",
    "read_runs",
    "resolve",
    "sent_files",
    "system_metrics_asked",
    "tracked_studies",
    "ui_address",
]
