"""``attnstudy selftest``: whether what this installation says can be trusted.

Three controls on the embedded digits, with real trainings through the whole way that a study
takes: worker processes, run folders, MLflow, ranking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from attnstudy import runs, stats
from attnstudy.arms import Arm
from attnstudy.executors import ExecutorChoice
from attnstudy.settings import defaults
from attnstudy.stats import Verdict
from attnstudy.studyplan import Analysis
from attnstudy.tracking import Address, Figures, resolve
from attnstudy.usecases.declaring import Declaration
from attnstudy.usecases.diagnosing import Finding
from attnstudy.usecases.planning import RunRequest, make_plan
from attnstudy.usecases.ranking import RankRequest, rank
from attnstudy.usecases.running import Observer, run_study
from attnstudy.usecases.sources import StudyRequest

STUDY = "selftest"
SHORT, LONG = "one-epoch", "eight-epochs"
NEGATIVE_SEEDS = 20
"""Of the short arm: two disjoint sets of ten, which are the same thing twice."""
POSITIVE_SEEDS = 5
_SLACK = 3  # standard errors


def controls(place: Path, observer: Observer, figures: Figures) -> Iterator[Finding]:
    """Train both arms in a store at ``place`` and give the answer of each control.

    Raises:
        StoreError: ``place`` cannot be written.

    """
    address = resolve(place / "mlruns", None)
    request = _request(address, place)
    for arms, seeds in ((request.arms[:1], NEGATIVE_SEEDS), (request.arms[1:], POSITIVE_SEEDS)):
        part = replace(request, arms=arms, seeds=tuple(range(seeds)))
        report = run_study(make_plan(part), observer, figures)
        failed = [*report.failed, *report.elsewhere]
        if failed or report.undelivered:
            reason = failed[0].reason if failed else str(report.store_error)
            yield Finding("training", False, f"{len(failed)} runs failed: {reason}")
            return
    yield _repeated(request, place, observer, figures)
    yield _negative(address)
    yield _positive(address)


def _request(address: Address, place: Path) -> RunRequest:
    arms = (Arm(SHORT, "vanilla", {"epochs": 1}), Arm(LONG, "vanilla", {"epochs": 8}))
    return RunRequest(
        study=STUDY,
        question="Are eight epochs better than one?",
        arms=arms,
        declared=Declaration(arms=arms, seeds=tuple(range(POSITIVE_SEEDS)), analysis=Analysis()),
        seeds=(0,),
        dataset="digits",
        data_dir=place / "data",
        train_size=None,
        val_size=None,
        settings={**defaults(), "attention": "channel", "channels": (8, 8), "epochs": 1},
        device="auto",
        threads=None,
        workers=None,
        executor=ExecutorChoice(),
        fuse=1,
        rerun=False,
        wait=False,
        strict=False,
        checkpoint_minutes=10.0,
        address=address,
    )


def _repeated(request: RunRequest, place: Path, observer: Observer, figures: Figures) -> Finding:
    """Train one seed again in another store: the same bits must come out."""
    again = resolve(place / "again" / "mlruns", None)
    plan = make_plan(replace(request, address=again, arms=request.arms[1:], seeds=(0,)))
    run_study(plan, observer, figures)
    first = runs.run_folder(request.address.store_dir, plan.runs[0].spec).result()
    second = plan.runs[0].folder.result()
    same = first is not None and second is not None and _numbers(first) == _numbers(second)
    return Finding(
        "repetition",
        same,
        "a seed trained twice gives the same weights and predictions, byte for byte"
        if same
        else "a seed trained twice gives other bits: results cannot be reproduced here",
    )


def _numbers(result: runs.Result) -> Mapping[str, str]:
    """Return the digests of what a training computes."""
    names = ("weights.safetensors", "predictions.csv")
    return {name: result.files[name] for name in names}


def _negative(address: Address) -> Finding:
    """Split runs that differ in nothing but the seed into two sets, in many ways."""
    values = [result.test_accuracy for result in _results(address, SHORT)]
    known = [value for value in values if value is not None]
    half = NEGATIVE_SEEDS // 2
    split = {"one set": known[:half], "the other set": known[half:]}
    rate = stats.calibrate(split).permuted
    good = rate.rate <= Analysis().alpha + _SLACK * rate.error
    return Finding(
        "negative control",
        good,
        f"{rate.replications} splits of {len(known)} seeds of one arm into two sets: "
        f"{100 * rate.rate:.1f} % claim a difference, and {100 * Analysis().alpha:g} % may",
    )


def _positive(address: Address) -> Finding:
    """Rank the two arms from MLflow, as ``attnstudy rank`` does."""
    found = rank(
        RankRequest(
            source=StudyRequest(
                study=STUDY, config=None, metric=None, direction=None, allowed=(), address=address
            ),
            said={},
            look=None,
            claims=(),
            calibrate=False,
        )
    )
    (pair,) = found.ranking.pairs
    good = pair.a == LONG and pair.verdict is Verdict.BETTER
    return Finding(
        "positive control",
        good,
        f"{LONG} against {SHORT}: {pair.difference:+.1f} points, {pair.verdict.value}"
        if pair.difference is not None
        else "nothing could be compared",
    )


def _results(address: Address, arm: str) -> list[runs.Result]:
    found = []
    for folder in runs.run_folders(address.store_dir, STUDY):
        started, result = folder.started(), folder.result()
        if started is not None and result is not None and started.spec.arm_name == arm:
            found.append((started.spec.seed, result))
    return [result for _, result in sorted(found, key=lambda one: one[0])]
