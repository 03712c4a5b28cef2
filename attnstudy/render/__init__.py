"""Everything that becomes text: tables, progress, JSON for machines.

Rankings have modules of their own, ``ranking`` and ``exports``, which need scipy.
"""

from attnstudy.render.audit import audit_text
from attnstudy.render.checklist import checklist_json, checklist_text
from attnstudy.render.deciding import decided_json, decided_text, look_text
from attnstudy.render.housekeeping import (
    findings_json,
    findings_text,
    removal_fault,
    removal_json,
    removal_text,
)
from attnstudy.render.moving import export_json, export_text, import_json, import_text
from attnstudy.render.plans import study_check_text, study_json, study_text
from attnstudy.render.runs import plan_json, plan_text, run_json, run_text
from attnstudy.render.studies import dataset_text, finding_line, status_json, status_text, sync_text
from attnstudy.render.terminal import Terminal
from attnstudy.render.tuning import (
    tune_json,
    tune_plan_json,
    tune_plan_text,
    tune_text,
    tune_warning,
    tunings_json,
    tunings_text,
)
from attnstudy.render.tuning_terminal import TuningTerminal

__all__ = [
    "Terminal",
    "TuningTerminal",
    "audit_text",
    "checklist_json",
    "checklist_text",
    "dataset_text",
    "decided_json",
    "decided_text",
    "export_json",
    "export_text",
    "finding_line",
    "findings_json",
    "findings_text",
    "import_json",
    "import_text",
    "look_text",
    "plan_json",
    "plan_text",
    "removal_fault",
    "removal_json",
    "removal_text",
    "run_json",
    "run_text",
    "status_json",
    "status_text",
    "study_check_text",
    "study_json",
    "study_text",
    "sync_text",
    "tune_json",
    "tune_plan_json",
    "tune_plan_text",
    "tune_text",
    "tune_warning",
    "tunings_json",
    "tunings_text",
]
