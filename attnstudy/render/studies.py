"""``status``, ``doctor`` and ``data`` as text and JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, size, table, wrapped
from attnstudy.runs import Status
from attnstudy.seeds import seeds_text
from attnstudy.shown import in_line
from attnstudy.study import later_defaults
from attnstudy.trainings.placement.settings import always_told, told_unless_default

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnstudy.studyplan import RecordedPlan
    from attnstudy.tracking import Address
    from attnstudy.trainings.placement.data import Dataset
    from attnstudy.usecases.diagnosing import Finding
    from attnstudy.usecases.studies import ConfigStatus, StudyStatus, TuningStatus
    from attnstudy.usecases.syncing import SyncReport
    from attnstudy.usecases.verifying import Verified

_SHOWN = (
    Status.COMPLETE, Status.DIVERGED, Status.RUNNING, Status.INTERRUPTED, Status.FAILED,
)  # fmt: skip


def status_text(
    studies: Sequence[StudyStatus],
    tunings: Sequence[TuningStatus],
    address: Address,
    verified: Verified | None = None,
) -> str:
    """Return how each study and each tuning stands."""
    if not studies and not tunings:
        return f"No study in {in_line(str(address.store_dir))} yet: 'attnstudy run' starts one."
    parts = [_study(study, address) for study in studies]
    if tunings:
        parts.append("\n".join(map(_tuning, tunings)))
    damage = [sentence for one in studies for sentence in one.damage]
    damage += [sentence for one in tunings for sentence in one.damage]
    if verified is not None:
        damage = verified.damage
    if damage:
        # a line each, however long: wrapped, a path could not be copied
        parts.append("\n".join(["Damaged:", *(f"  - {sentence}" for sentence in damage)]))
    if verified is not None:
        parts.append(_verified(verified))
    return "\n\n".join(parts)


def _verified(verified: Verified) -> str:
    read = (
        f"Read {amount(verified.files, 'file')} ({size(verified.size)}) of "
        f"{amount(verified.runs, 'run')}"
    )
    if not verified.damage:
        return f"{read}: nothing is damaged."
    return f"{read}: {amount(len(verified.damage), 'thing')} to be mended, see above."


def _tuning(tuning: TuningStatus) -> str:
    counts = [amount(n, f"{s.value} run") for s in _SHOWN if (n := tuning.counts[s])]
    return in_line(
        f"tuning of {tuning.study}: {', '.join(counts) or 'no runs'} "
        f"('attnstudy tune show {tuning.study}')"
    )


def _study(study: StudyStatus, address: Address) -> str:
    lines = [in_line(f"study {study.study}")]
    for config in study.configs:
        settings = ", ".join(_telling(config))
        task = "" if config.task is None else f"task {config.task}, "
        told = f": {settings}" if settings else ""
        lines.append(in_line(f"  {task}configuration {config.config}{told}"))
        shown = [s for s in _SHOWN if any(v.counts[s] for v in config.arms)]
        rows = [
            [
                arm.name,
                *(str(arm.counts[status]) for status in shown),
                seeds_text(sorted(missing)) if missing else "–",
            ]
            for arm in config.arms
            for missing in ({*arm.missing, *arm.planned_missing},)
        ]
        headings = ["arm", *(status.value for status in shown), "seeds missing"]
        text = table(headings, rows, right=" " + ">" * len(shown))
        lines += ["", *(f"  {line}" for line in text.splitlines()), ""]
        if config.plan is not None:
            lines += [*wrapped(_plan_words(config, config.plan), indent="  "), ""]
    if study.undelivered:
        lines.append(
            f"  {study.undelivered} run{'s' * (study.undelivered != 1)} not yet, or not as they "
            f"are now, in {in_line(address.shown)}: 'attnstudy sync' delivers them"
        )
    if study.deleted:
        lines.append("  " + _deleted(study.deleted))
    return "\n".join(lines).rstrip()


def _plan_words(config: ConfigStatus, recorded: RecordedPlan) -> str:
    """Return what the recorded plan declares, and what of it has no result yet."""
    plan = recorded.plan
    looks = plan.analysis.looks
    text = f"plan {recorded.hash}: seeds {seeds_text(plan.seeds)} of each arm"
    if looks is not None:
        text += f", with looks at {', '.join(map(str, looks))} seeds"
    missing = sum(len(arm.planned_missing) for arm in config.arms)
    if not missing:
        return f"{text}; none of its runs is missing"
    text += f"; {missing} of its {len(plan.arms) * len(plan.seeds)} runs are missing"
    if looks is not None:
        text += " (arms whose pairs a look decides need no more)"
    return text


def _deleted(count: int) -> str:
    return (
        f"{count} run{'s were' if count != 1 else ' was'} deleted in the MLflow UI and "
        f"stay{'s' * (count == 1)} so: 'attnstudy sync --republish' brings "
        f"{'them' if count != 1 else 'it'} back"
    )


def sync_text(done: SyncReport, address: Address) -> str:
    """Return what was delivered."""
    lines = [
        f"{amount(done.delivered, 'run')} delivered to {in_line(address.shown)}, "
        f"{done.already} were there already."
    ]
    if done.deleted:
        lines.append(f"{_deleted(done.deleted)}.")
    if done.refused:
        lines.append(f"{done.refused} could not be delivered, see above.")
    if done.damaged:
        lines.append(f"{amount(done.damaged, 'run')} damaged here, see above.")
    return "\n".join(lines)


def _telling(config: ConfigStatus) -> list[str]:
    names = (*always_told(), "train_size")
    telling = {name: config.settings[name] for name in names if name in config.settings}
    for name, default in {**told_unless_default(), **later_defaults()}.items():
        if (value := config.settings.get(name, default)) not in (default, None, []):
            telling[name] = value
    telling.pop("task", None)  # it stands before them
    told = {
        name: " ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in telling.items()
    }
    differ = told.pop("arm_fields", None)
    words = [f"{name} {value}" for name, value in told.items()]
    return words if differ is None else [*words, f"arms that differ in {differ}"]


def status_json(
    studies: Sequence[StudyStatus],
    tunings: Sequence[TuningStatus],
    verified: Verified | None = None,
) -> dict[str, Any]:
    """Return the same for machines."""
    told: dict[str, Any] = {}
    if verified is not None:
        told["verified"] = {
            "runs": verified.runs,
            "files": verified.files,
            "bytes": verified.size,
            "damaged": list(verified.damage),
        }
    return {
        "schema": 1,
        **told,
        "studies": [
            {
                "study": study.study,
                "undelivered": study.undelivered,
                "deleted": study.deleted,
                "damaged": list(study.damage),
                "configs": [
                    {
                        "config": config.config,
                        **({} if config.task is None else {"task": config.task}),
                        "settings": config.settings,
                        "plan": None if config.plan is None else _plan_json(config.plan),
                        "variants": [
                            {
                                "variant": arm.name,
                                "runs": {s.value: arm.counts[s] for s in _SHOWN},
                                "missing": list(arm.missing),
                                "planned_missing": list(arm.planned_missing),
                            }
                            for arm in config.arms
                        ],
                    }
                    for config in study.configs
                ],
            }
            for study in studies
        ],
        "tunings": [
            {
                "study": tuning.study,
                "damaged": list(tuning.damage),
                "runs": {s.value: tuning.counts[s] for s in _SHOWN},
            }
            for tuning in tunings
        ],
    }


def _plan_json(recorded: RecordedPlan) -> dict[str, Any]:
    looks = recorded.plan.analysis.looks
    return {
        "hash": recorded.hash,
        "seeds": list(recorded.plan.seeds),
        "looks": None if looks is None else list(looks),
    }


def finding_line(finding: Finding) -> str:
    """Return one check's answer: a line, or several on a terminal that is narrower."""
    mark = f"{'ok   ' if finding.good else 'FAULT'}  "
    if not sys.stdout.isatty():
        return in_line(f"{mark}{finding.check}: {finding.detail}")
    return "\n".join(wrapped(f"{finding.check}: {finding.detail}", indent=mark))


def dataset_text(name: str, dataset: Dataset, folder: Path) -> str:
    """Return what a dataset is."""
    c, h, w = dataset.image_shape
    train, val = dataset.sizes(None, None)
    norm = dataset.normalisation
    return "\n".join(
        [
            f"{in_line(name)}: {train:,} training, {val:,} validation, {len(dataset.test):,} test "
            f"images of {c}x{h}x{w}, {dataset.num_classes} classes",
            f"digest {dataset.digest}",
            f"normalised by mean {', '.join(f'{m:.4f}' for m in norm.mean)} and standard deviation "
            f"{', '.join(f'{s:.4f}' for s in norm.std)}",
            f"decoded in {in_line(str(folder))}",
        ]
    )
