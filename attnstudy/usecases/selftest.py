"""``attnstudy selftest``: whether what this installation says can be trusted.

Three controls on the embedded digits, with real trainings through the whole way that a study
takes: worker processes, run folders, MLflow, ranking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from attnstudy import runs, stats
from attnstudy.arms import Arm
from attnstudy.executors import ExecutorChoice
from attnstudy.running.planning import RunPlan, RunRequest, make_plan
from attnstudy.running.run_study import Observer, run_study
from attnstudy.runs import OF_TIME
from attnstudy.shown import with_minus
from attnstudy.stats import Verdict
from attnstudy.studyplan import Analysis
from attnstudy.tracking import Address, Figures, resolve
from attnstudy.trainings.output import OUTPUT
from attnstudy.trainings.placement.settings import defaults
from attnstudy.usecases.declaring import Declaration
from attnstudy.usecases.diagnosing import Finding
from attnstudy.usecases.ranking import RankRequest, rank
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


def repetitions(
    request: RunRequest, place: Path, observer: Observer, figures: Figures
) -> Iterator[Finding]:
    """Repeat the first run of each arm of a study, and give an answer for each.

    A run that the study has is compared with its repetition; where it has none, two are made.

    Args:
        request: what the study trains.
        place: an empty folder.
        observer: shows the training.
        figures: draws what is published with a run.

    Raises:
        UsageError: the study makes no sense.
        StoreError: ``place`` cannot be written.

    """
    one_seed = replace(request, seeds=request.seeds[:1], rerun=False)
    folders: dict[str, list[runs.RunFolder]] = {}
    for plan in (
        make_plan(one_seed),
        *(_elsewhere(one_seed, place / name, observer, figures) for name in ("first", "second")),
    ):
        for run in plan.runs:
            if run.folder.result() is not None:
                folders.setdefault(run.spec.arm_name, []).append(run.folder)
    for arm in request.arms:
        called = arm.name if request.task is None else f"{request.task}/{arm.name}"
        yield _compared(called, folders.get(arm.name, []))


def _elsewhere(request: RunRequest, place: Path, observer: Observer, figures: Figures) -> RunPlan:
    """Train a request in a store of its own."""
    declared = request.declared and replace(request.declared, folder=None)
    plan = make_plan(replace(request, address=resolve(place / "mlruns", None), declared=declared))
    run_study(plan, observer, figures)
    return plan


def _compared(arm: str, folders: Sequence[runs.RunFolder]) -> Finding:
    called = f"repetition of {arm}"
    if len(folders) < 2:
        return Finding(called, False, "a run failed: 'attnstudy run' says why")
    results = [result for folder in folders if (result := folder.result()) is not None]
    for other in results[1:]:
        if different := _differences(results[0], other):
            return Finding(
                called,
                False,
                f"the same run gave other results ({', '.join(different)}): its training draws "
                "from a generator that is not seeded by the run, or depends on time, the order of "
                "files or the process: take all random numbers from run.rng or "
                "run.torch_generator",
            )
    return Finding(called, True, "the same run gives the same results, to the last bit")


def _differences(one: runs.Result, other: runs.Result) -> list[str]:
    """Return the metrics and files, those of time and output apart, in which two runs differ."""
    names = [name for name in {**one.metrics, **other.metrics} if name not in OF_TIME]
    found = [name for name in names if one.metrics.get(name) != other.metrics.get(name)]
    files = [name for name in {**one.files, **other.files} if name not in (OUTPUT, runs.JOURNAL)]
    return found + [name for name in files if one.files.get(name) != other.files.get(name)]


def _request(address: Address, place: Path) -> RunRequest:
    arms = (Arm(SHORT, "vanilla", {"epochs": 1}), Arm(LONG, "vanilla", {"epochs": 8}))
    return RunRequest(
        study=STUDY,
        question="Are eight epochs better than one?",
        arms=arms,
        declared=Declaration(arms=arms, seeds=tuple(range(POSITIVE_SEEDS)), analysis=Analysis()),
        seeds=(0,),
        options={
            "dataset": "digits",
            "data_dir": place / "data",
            "train_size": None,
            "val_size": None,
        },
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
    values = [result.metrics.get("test_accuracy") for result in _results(address, SHORT)]
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
        f"{LONG} against {SHORT}: {with_minus(f'{pair.difference:+.1f}')} points, "
        f"{pair.verdict.value}"
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
