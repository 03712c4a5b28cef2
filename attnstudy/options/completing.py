"""What a shell completes: studies, and the arms of one."""

from __future__ import annotations

from pathlib import Path

import click

from attnstudy import studyfile
from attnstudy.errors import AttnstudyError
from attnstudy.trainings.placement.variants import BUILT_IN


def complete_study(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the studies that have a file, and those that have runs in the usual store."""
    from attnstudy import runs

    known = {path.parent.name for path in studyfile.FOLDER.glob(f"*/{studyfile.FILE_NAME}")}
    known |= set(runs.studies(Path(ctx.params.get("store") or "mlruns")))
    return sorted(name for name in known if name.startswith(incomplete))


def complete_variant(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the arms that the study's file declares, and the variants that are built in."""
    known = ["all", *BUILT_IN]
    # behind an option whose value is being typed, click leaves the words unread
    named = ctx.params.get("study_argument") or next(iter(ctx.args), None)
    try:
        study = studyfile.find(named, ctx.params.get("study"), needs_file=False)
        known = list(study.arms) if study.own is not None else [*study.arms, *known]
    except AttnstudyError:  # a line that is not finished yet
        pass
    return [name for name in dict.fromkeys(known) if name.startswith(incomplete)]
