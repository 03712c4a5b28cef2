"""``study new``, ``show`` and ``check``: what a study declares, before and after it is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attnstudy import runs
from attnstudy.errors import UsageError
from attnstudy.fields import left_out
from attnstudy.files import make_folder, reported, write_atomically
from attnstudy.running.planning import RunRequest, check_request
from attnstudy.study import check_study_name
from attnstudy.studyfile import FILE_NAME, FOLDER
from attnstudy.studyplan import RecordedPlan, differences, shown
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import arm_facts

TEMPLATE = """\
question = {question}
# This trains placements of attention. Anything else is trained by a function or a command, named
# here in the place of variants, dataset, attention and [training]; its arms are settings under
# [arms.NAME], see "Your own training in ten minutes" in the documentation:
# train = "package.module:function"     # or: command = "python train.py --seed {{seed}}"
variants = ["vanilla", "early", "late", "double"]
seeds = "0-9"
dataset = "cifar10"
attention = "spatial"

[training]
epochs = 10
batch_size = 64
lr = 1e-3

# Everything below decides what may be said. It is recorded, with the arms and seeds above, before
# the first run; changing it later is allowed, and the ranking says that it was.
[ranking]
metric = "test_accuracy"
alpha = 0.05
# margin = 0.5                  # the largest difference that does not matter, in points
# control = "vanilla"           # compare all others with this one alone
# looks = [5, 10, 20, 30, 50]   # for --until-decided
# paired = true                 # compare seed by seed. Runs of one seed share initial weights and
#                               # image order; where their results go together, far fewer seeds are
#                               # needed. On the embedded digits they do (correlation .5 to .8), on
#                               # CIFAR-10 hardly (0 to .35, placements of attention, 10 epochs).
#                               # With few seeds it costs more than it gives: 'attnstudy
#                               # study check' says from which correlation it pays. To be chosen
#                               # now: after the results are seen it is no longer allowed. With
#                               # split = "by seed" under [training], runs of one seed share their
#                               # training and validation images as well, and no others do.

# Lets 'attnstudy tune' find settings for each variant, and 'run --tuned' train with them:
# [tuning]
# trials = 20
# seeds_per_trial = 3
# [tuning.space]
# lr = {{ low = 1e-4, high = 1e-2, log = true }}

# An arm is a variant with settings of its own; they are then part of what is compared:
# [arms.vanilla-long]
# variant = "vanilla"
# epochs = 20
"""


def new_study(name: str, question: str) -> Path:
    """Write the file of a new study and return its path.

    Raises:
        UsageError: the name cannot be one, or there is such a study.
        StoreError: the folder cannot be written.

    """
    path = FOLDER / check_study_name(name) / FILE_NAME
    if path.exists():
        raise UsageError(f"{path} already exists: edit it, or choose another name")
    # what JSON escapes in a text is escaped alike in TOML, which has one sign more
    quoted = json.dumps(question, ensure_ascii=False).replace("\x7f", "\\u007f")
    with reported(path.parent):
        make_folder(path.parent)
    write_atomically(path, TEMPLATE.format(question=quoted).encode())
    return path


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """A recorded plan beside what the study's file says now."""

    recorded: RecordedPlan
    changes: tuple[str, ...]
    """What the file says otherwise, a phrase each."""


@dataclass(frozen=True, slots=True)
class StudyOverview:
    """What a study declares, and which plans are recorded for it."""

    requests: tuple[RunRequest, ...]
    """One per task, or the only one."""
    plans: tuple[KnownPlan, ...]
    """The one in force for each configuration."""
    pairing_pays_from: float | None = None
    """Correlation of runs of one seed from which declaring them paired pays; None unpaired."""

    @property
    def request(self) -> RunRequest:
        """The first, for what is the same on all tasks."""
        return self.requests[0]

    @property
    def tasks(self) -> dict[str, RunRequest]:
        """Those of each task, by its name; none in a study without tasks."""
        return {one.task: one for one in self.requests if one.task is not None}


def overview(requests: Sequence[RunRequest]) -> StudyOverview:
    """Check what a study declares, and compare it with the plans recorded for it.

    Nothing is loaded or trained.

    Args:
        requests: of the study, one per task.

    Raises:
        UsageError: the study makes no sense.

    """
    for one in requests:
        check_request(one)
    request, by_task = requests[0], {one.task: one for one in requests}
    facts = runs.study_facts(request.address.store_dir, request.study)
    latest = {one.plan.config: one for one in runs.recorded_plans(facts)}
    plans = tuple(
        KnownPlan(one, _changes(one, by_task.get(one.plan.task))) for one in latest.values()
    )
    return StudyOverview(tuple(requests), plans, _pairing_pays_from(request))


def _pairing_pays_from(request: RunRequest) -> float | None:
    declared = request.declared
    assert declared is not None
    least = 3
    if not declared.analysis.paired or len(declared.arms) < 2 or len(declared.seeds) < least:
        return None
    from attnstudy.stats.comparisons.design import Design  # scipy: only where it is asked
    from attnstudy.stats.evidence.power import break_even_correlation

    design = Design(alpha=declared.analysis.alpha, control=declared.analysis.control)
    return break_even_correlation(design, arms=len(declared.arms), seeds=len(declared.seeds))


def _changes(recorded: RecordedPlan, request: RunRequest | None) -> tuple[str, ...]:
    if request is None:
        task = recorded.plan.task
        return ("tasks added" if task is None else f"task {task} taken out",)
    declared = request.declared
    assert declared is not None
    now = replace(
        recorded.plan,
        arms={
            arm.name: _as_tuned(
                recorded.plan.arms.get(arm.name, {}), arm_facts(arm, request.training)
            )
            for arm in declared.arms
        },
        seeds=declared.seeds,
        analysis=declared.analysis,
    )
    return (*_settings(recorded.plan.settings, request), *differences(recorded.plan, now))


def _as_tuned(recorded: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of an arm with what a search found for it: no file says that."""
    return {**(recorded if "tuning" in recorded else {}), **declared}


def _settings(recorded: Mapping[str, Any], request: RunRequest) -> list[str]:
    changed = []
    # a plan does not name what was added after it, unless it is the arms' own
    unnamed = {
        field.name: field.default
        for field in find(request.training).settings
        if left_out(field, field.default) and field.name not in recorded.get("arm_fields", ())
    }
    facts = find(request.training).known_facts(request.asked)
    # of a dataset that was not opened, size and digest are not known
    unknown = {name for name, value in request.options.items() if value is None}
    unknown |= {name for name, value in facts.items() if value == ""}
    known = {n: v for n, v in {**facts, **request.settings}.items() if n not in unknown}
    for name, value in {**unnamed, **recorded}.items():
        now = known.get(name)
        now = list(now) if isinstance(now, tuple) else now
        if now is not None and now != value:
            changed.append(f"{name}: {shown(value)} -> {shown(now)}")
    return changed
