"""Plans: their hash, their record, and what a ranking says about keeping to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnstudy import runs
from attnstudy.arms import Arm, choose_arms, with_all_fields
from attnstudy.errors import UsageError
from attnstudy.stats import Plan, Provenance
from attnstudy.studyplan import Analysis, RecordedPlan, StudyPlan, differences
from attnstudy.trainings.placement.arms import declared_arms, plain_arms
from attnstudy.usecases.declaring import (
    Declaration,
    Seen,
    judge,
    looks_up_to,
    seeds_for_looks,
)

PLAN = StudyPlan(
    study="placement",
    config="0123456789",
    settings={"epochs": 10, "lr": 1e-3, "channels": [64, 32]},
    arms={"vanilla": {"variant": "vanilla"}, "early": {"variant": "early"}},
    seeds=(0, 1, 2),
    analysis=Analysis(alpha=0.05, margin=0.5),
)


def with_analysis(**changes: object) -> StudyPlan:
    return replace(PLAN, analysis=replace(PLAN.analysis, **changes))  # type: ignore[arg-type]


def seen(count: int = 6, *, start: int = 1000, extra: tuple[Seen, ...] = ()) -> list[Seen]:
    """Runs of both arms in the order in which a study makes them, ten milliseconds apart."""
    order = [(arm, seed) for seed in PLAN.seeds for arm in PLAN.arms]
    made = [Seen(arm, seed, start + 10 * n, True) for n, (arm, seed) in enumerate(order[:count])]
    return [*made, *extra]


def test_a_plan_survives_its_record_and_any_change_has_another_hash() -> None:
    recorded = RecordedPlan.of(with_analysis(looks=(5, 10)), 1_700_000_000_000)
    text = json.dumps(recorded.to_json())
    assert RecordedPlan.from_json(json.loads(text)) == recorded
    others = [
        with_analysis(alpha=0.1), with_analysis(margin=None), with_analysis(looks=(3, 5)),
        with_analysis(control="vanilla"), with_analysis(paired=True),
        with_analysis(metric="test_loss"), with_analysis(correction="holm"),
        replace(PLAN, seeds=(0, 1)), replace(PLAN, config="other"),
        replace(PLAN, settings={**PLAN.settings, "epochs": 11}),
        replace(PLAN, arms={"vanilla": PLAN.arms["vanilla"]}),
    ]  # fmt: skip
    hashes = {plan.hash for plan in (PLAN, *others)}
    assert len(hashes) == 1 + len(others)
    arms = dict(reversed(PLAN.arms.items()))
    assert replace(PLAN, arms=arms).hash == PLAN.hash


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record["plan"]["analysis"].update(alpha=0.1),
        lambda record: record["plan"]["seeds"].append(3),
        lambda record: record.update(hash="0" * 12),
        lambda record: record["plan"].pop("arms"),
        lambda record: record["plan"]["analysis"].update(alpha=7),
        lambda record: record.pop("at"),
    ],
)
def test_a_record_that_was_altered_is_none(spoil: object) -> None:
    record = json.loads(json.dumps(RecordedPlan.of(PLAN, 5).to_json()))
    spoil(record)  # type: ignore[operator]
    assert RecordedPlan.from_json(record) is None


@pytest.mark.parametrize(
    ("values", "about"),
    [
        ({"alpha": 0.7}, "alpha is 0.7"),
        ({"margin": -1.0}, "margin is -1.0"),
        ({"correction": "homl"}, "did you mean 'holm'"),
        ({"looks": (2, 5)}, "at least 3"),
        ({"looks": (5, 5)}, "ascending"),
        ({"looks": (5, 10), "control": "vanilla"}, "Games-Howell alone"),
        ({"looks": (5, 10), "paired": True}, "Games-Howell alone"),
    ],
)
def test_an_analysis_that_makes_no_sense(values: dict[str, object], about: str) -> None:
    with pytest.raises(UsageError, match=about):
        Analysis(**values)  # type: ignore[arg-type]


def test_differences_are_named() -> None:
    after = replace(
        with_analysis(alpha=0.1, looks=(5, 10)),
        seeds=(0, 1, 2, 3),
        arms={"vanilla": {"variant": "vanilla"}, "late": {"variant": "late"}},
    )
    assert differences(PLAN, after) == (
        "alpha: 0.05 -> 0.1", "looks: none -> 5,10", "seeds: 0-2 -> 0-3", "arm early taken out",
        "arm late added",
    )  # fmt: skip
    assert differences(PLAN, PLAN) == ()


def test_a_plan_that_was_kept() -> None:
    judged = judge([RecordedPlan.of(PLAN, 999)], seen(), PLAN.analysis)
    assert judged == Provenance(plan=Plan(hash=PLAN.hash, date="1970-01-01 00:00 UTC"))


def test_no_plan() -> None:
    assert judge([], seen(), Analysis()) == Provenance()


def test_a_plan_that_came_late() -> None:
    assert judge([RecordedPlan.of(PLAN, 1025)], seen(), PLAN.analysis).deviations == (
        "it was recorded after run 3",
    )


def test_a_plan_that_was_changed() -> None:
    plans = [RecordedPlan.of(PLAN, 999), RecordedPlan.of(with_analysis(alpha=0.1), 1021)]
    judged = judge(plans, seen(), replace(PLAN.analysis, alpha=0.1))
    assert judged.plan is not None
    assert judged.plan.hash == plans[0].hash
    assert judged.deviations == ("it was changed after run 3 (alpha: 0.05 -> 0.1)",)


def test_a_plan_that_was_changed_before_the_first_run_was_kept() -> None:
    plans = [RecordedPlan.of(with_analysis(alpha=0.1), 900), RecordedPlan.of(PLAN, 950)]
    assert judge(plans, seen(), PLAN.analysis) == Provenance(
        plan=Plan(hash=PLAN.hash, date="1970-01-01 00:00 UTC")
    )


def test_a_plan_that_was_changed_and_changed_back_was_changed() -> None:
    plans = [
        RecordedPlan.of(PLAN, 999), RecordedPlan.of(with_analysis(alpha=0.1), 1021),
        RecordedPlan.of(PLAN, 1031),
    ]  # fmt: skip
    assert judge(plans, seen(), PLAN.analysis).deviations == (
        "it was changed after run 3 (alpha: 0.05 -> 0.1)",
        "it was changed after run 4 (alpha: 0.1 -> 0.05)",
    )


def test_the_same_plan_from_two_machines_is_one() -> None:
    plans = [RecordedPlan.of(PLAN, 999), RecordedPlan.of(PLAN, 1500)]
    assert judge(plans, seen(), PLAN.analysis).deviations == ()


def test_another_analysis_than_planned() -> None:
    used = replace(PLAN.analysis, margin=None, alpha=0.01)
    assert judge([RecordedPlan.of(PLAN, 999)], seen(), used).deviations == (
        "ranked with alpha 0.01, and 0.05 planned", "ranked with margin none, and 0.5 planned",
    )  # fmt: skip


def test_runs_beyond_the_plan_and_runs_that_are_missing() -> None:
    plans = [RecordedPlan.of(PLAN, 999)]
    extra = (Seen("early", 7, 2000, True), Seen("late", 0, 2000, True))
    assert judge(plans, seen(extra=extra), PLAN.analysis).deviations == (
        "early/seed=7, late/seed=0 go beyond the plan",
    )
    unfinished = (Seen("early", 7, 2000, False),)
    assert judge(plans, seen(extra=unfinished), PLAN.analysis).deviations == ()
    assert judge(plans, seen(4), PLAN.analysis).deviations == (
        "2 of 6 planned runs have no result, so this is a look that was not planned",
    )


def test_declared_looks_may_end_before_the_last_seed() -> None:
    plan = with_analysis(looks=(3, 5))
    sequential = replace(plan, seeds=tuple(range(5)))
    assert judge([RecordedPlan.of(sequential, 999)], seen(), plan.analysis).deviations == ()


def test_looks_end_at_the_most_seeds() -> None:
    assert looks_up_to(None, None) == (5, 10, 20, 30, 50)
    assert looks_up_to(40, None) == (5, 10, 20, 30, 40)
    assert looks_up_to(4, None) == (4,)
    assert looks_up_to(12, (3, 6, 12)) == (3, 6, 12)
    with pytest.raises(UsageError, match="leave one of them out"):
        looks_up_to(20, (3, 6, 12))


def test_seeds_of_the_looks() -> None:
    assert seeds_for_looks((3, 5), None) == (0, 1, 2, 3, 4)
    assert seeds_for_looks((3, 5), (10, 11, 12, 13, 14, 15)) == (10, 11, 12, 13, 14)
    with pytest.raises(UsageError, match=r"--seeds names 3 seeds \(0-2\), .* needs 5"):
        seeds_for_looks((3, 5), (0, 1, 2))


def test_plans_among_the_facts_of_a_study(tmp_path: Path) -> None:
    changed = with_analysis(alpha=0.1)
    for plan in (PLAN, PLAN, changed, PLAN):
        with runs.changing_study_facts(tmp_path, "placement") as facts:
            runs.record_plan(facts, plan)
    recorded = runs.recorded_plans(runs.study_facts(tmp_path, "placement"))
    assert [one.plan for one in recorded] == [PLAN, changed, PLAN]
    assert [one.at for one in recorded] == sorted(one.at for one in recorded)


def test_arms_of_a_study() -> None:
    long = {"variant": "vanilla", "epochs": 20}
    assert declared_arms(None, {}) == declared_arms(["all"], {})
    assert [arm.name for arm in declared_arms(["early"], {"long": long})] == ["early", "long"]
    assert declared_arms(None, {"late": {"epochs": 3}}) == (Arm("late", "late", {"epochs": 3}),)
    with pytest.raises(UsageError, match="'long' names no variant"):
        declared_arms(None, {"long": {"epochs": 20}})
    with pytest.raises(UsageError, match="two arms are called 'late'"):
        declared_arms(["all"], {"late": {"epochs": 3}})


def test_every_arm_has_every_field_that_one_declares() -> None:
    arms = with_all_fields(
        (Arm("a", "vanilla", {"epochs": 3}), Arm("b", "early", {"lr": 0.1}), Arm("late", "late")),
        {"epochs": 10, "lr": 0.001},
    )
    assert [dict(arm.settings) for arm in arms] == [
        {"epochs": 3, "lr": 0.001}, {"epochs": 10, "lr": 0.1}, {"epochs": 10, "lr": 0.001},
    ]  # fmt: skip


def test_a_command_chooses_among_the_arms() -> None:
    plain = declared_arms(["vanilla", "early"], {})
    assert choose_arms(plain, ("early",)) == plain[1:]
    assert choose_arms(plain, ("all",)) == plain
    chosen = choose_arms(plain, ("late", "vanilla"), plain_arms)
    assert [arm.name for arm in chosen] == ["vanilla", "late"]
    own = (Arm("long", "vanilla", {"epochs": 20}), Arm("short", "vanilla", {"epochs": 10}))
    with pytest.raises(UsageError, match=r"no arm 'shrot'.*did you mean 'short'"):
        choose_arms(own, ("shrot",), plain_arms)
    with pytest.raises(UsageError, match="the study has no arm 'late'"):  # nothing makes others
        choose_arms(plain, ("late",))


def test_a_repeated_or_deleted_result_that_was_another_is_told() -> None:
    plans = [RecordedPlan.of(PLAN, 999)]
    runs_ = [replace(run, value=60.0) for run in seen()]
    same = Seen("early", 0, 1100, False, 60.0)
    assert judge(plans, [*runs_, same], PLAN.analysis).deviations == ()
    other = Seen("early", 0, 1100, False, 61.5)
    assert judge(plans, [*runs_, other], PLAN.analysis).deviations == (
        "early/seed=0 had another result before (61.5, now 60)",
    )
    gone = Seen("early", 9, 1100, False, 70.0, deleted=True)
    assert judge(plans, [*runs_, gone], PLAN.analysis).deviations == (
        "the result of early/seed=9 was deleted",
    )


def test_what_was_repeated_counts_for_when_the_plan_came() -> None:
    """A plan that is made after the results is late, whatever is trained again after it."""
    before = [replace(run, counted=False) for run in seen()]
    after = seen(start=3000)
    assert judge([RecordedPlan.of(PLAN, 2000)], [*before, *after], PLAN.analysis).deviations == (
        "it was recorded after run 6",
    )


def test_looks_take_the_first_seeds() -> None:
    sequential = replace(with_analysis(looks=(3, 5)), seeds=tuple(range(5)))
    last = [Seen(arm, seed, 1000, True) for arm in sequential.arms for seed in (2, 3, 4)]
    judged = judge([RecordedPlan.of(sequential, 999)], last, sequential.analysis)
    assert judged.deviations == tuple(
        f"{arm}/seed=0 has no result and later seeds have, so the looks are not the declared ones"
        for arm in sequential.arms
    )


def test_a_clock_that_was_set_back_does_not_date_a_change_before_the_runs(tmp_path: Path) -> None:
    far = 2**42
    with runs.changing_study_facts(tmp_path, "placement") as facts:
        runs.record_plan(facts, PLAN)
        runs.record_plan(facts, with_analysis(alpha=0.1), after=far)
        runs.record_plan(facts, PLAN)
    times = [one.at for one in runs.recorded_plans(runs.study_facts(tmp_path, "placement"))]
    assert times[1:] == [far + 1, far + 2]


def test_a_record_of_another_version_is_read_and_is_no_change() -> None:
    record = json.loads(json.dumps(RecordedPlan.of(PLAN, 5).to_json()))
    record["plan"]["settings"]["new field"] = "its default"
    text = json.dumps(record["plan"], sort_keys=True, separators=(",", ":"))
    record["hash"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    read = RecordedPlan.from_json(record)
    assert read is not None
    assert judge([read, RecordedPlan.of(PLAN, 1021)], seen(), PLAN.analysis).deviations == ()


@pytest.mark.parametrize(
    ("values", "about"),
    [({"control": "vanila"}, "did you mean 'vanilla'"), ({"metric": "acc"}, "no metric 'acc'")],
)
def test_a_declaration_that_could_not_be_ranked(values: dict[str, Any], about: str) -> None:
    with pytest.raises(UsageError, match=about):
        Declaration(arms=declared_arms(None, {}), seeds=(0,), analysis=Analysis(**values))
