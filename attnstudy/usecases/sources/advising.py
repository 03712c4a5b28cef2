"""What to run next so that there is something to rank."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from attnstudy.tracking import TrackedRun, param_texts
from attnstudy.trainings.placement.settings import SETTINGS, SIZES, always_told, told_unless_default
from attnstudy.trainings.placement.variants import VARIANTS

_ALWAYS = ("dataset", *(size.name for size in SIZES), *always_told())
_LISTS = {field.name for field in SETTINGS if field.parts}


def advice(study: str, runs: Sequence[TrackedRun]) -> tuple[str, ...]:
    """Return, for one arm alone, the command that would add the others."""
    variants = {run.arm for run in runs}
    if len(variants) != 1:
        return ()
    words = ["attnstudy", "run", "--study", study]
    words += [w for variant in VARIANTS if variant not in variants for w in ("--variant", variant)]
    words += ["--seeds", ",".join(str(run.seed) for run in runs)]
    if len(runs) == 1:
        words[-1] = f"{runs[0].seed}-{runs[0].seed}"
    params = runs[0].params
    # declared in the study's file, and nowhere else
    if "arm_fields" in params or "training" in params:
        return ()
    usual = param_texts(told_unless_default())
    told = [name for name in _ALWAYS if name in params]
    told += [name for name in usual if params.get(name, usual[name]) != usual[name]]
    for name in told:
        value = params[name]
        if name in _LISTS:
            value = ",".join(map(str, json.loads(value)))
        words += ["--" + name.replace("_", "-"), value]
    return (f"to add the other arms: {shlex.join(words)}",)
