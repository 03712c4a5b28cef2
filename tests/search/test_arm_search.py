"""An arm's search: asked and told in any number of sittings, it proposes the same trials."""

from __future__ import annotations

import math
from dataclasses import replace

import optuna
import pytest

from attnstudy.errors import StoreError, UsageError
from attnstudy.search import (
    ArmSearch,
    TrialState,
    find_searches,
    importances,
    open_storage,
    parse_storage,
)
from attnstudy.search.config import _short

SEEDS = (1_000_000, 1_000_001)


def worth(trial) -> float:
    """A stand-in for an accuracy: best for a learning rate of 1e-2."""
    return 90.0 - 10 * abs(math.log10(trial.fields["lr"]) + 2) - trial.fields["epochs"]


def finish(search: ArmSearch, trial):
    value = worth(trial)
    search.report(trial, {0: value - 1, 1: value + 1})
    done = replace(
        trial, state=TrialState.COMPLETE, value=value, runs=2, epochs=2.0, seconds=1.0,
        by_seed={SEEDS[0]: value - 1, SEEDS[1]: value + 1},
    )  # fmt: skip
    return search.tell(done)


def shown(search):
    return [(t.number, t.state, dict(t.fields), t.value, t.steps) for t in search.trials()]


def test_optuna_s_own_tools_name_the_objective_and_tell_of_trials(make_search, tmp_path):
    search = make_search(str(tmp_path / "told.journal"))
    finish(search, search.ask())
    failed = search.ask()
    search.tell(replace(failed, state=TrialState.FAILED, reason="out of memory", runs=1))
    opened = open_storage(parse_storage(str(tmp_path / "told.journal")), tmp_path).opened
    study = optuna.load_study(study_name="small/vanilla", storage=opened)
    assert study.metric_names == ["val_accuracy_final"]
    assert "value_val_accuracy_final" in study.trials_dataframe()
    lines = {name: text for name, text in study.user_attrs.items() if isinstance(text, str)}
    assert lines == {
        "study": "small", "arm": "vanilla", "seeds": "1000000-1000001", "pruner": "none",
        "value of a trial": "val_accuracy_final, the mean over 2 seeds", "sampler": "tpe, seed 0",
    }  # fmt: skip
    first, second = (
        {k: v for k, v in t.user_attrs.items() if isinstance(v, str)} for t in study.trials
    )
    assert first["runs"] == "2, 1.0 s of training"
    assert first["value by seed"].startswith("1000000: ")
    assert second == {"runs": "1, 0.0 s of training", "why it failed": "out of memory"}


def test_asked_in_many_sittings_the_trials_are_those_of_one(make_search, tmp_path):
    one = make_search(str(tmp_path / "one.journal"))
    for _ in range(14):  # more than are drawn at random
        finish(one, one.ask())
    for number in range(14):
        again = make_search(str(tmp_path / "many.journal"))
        again.ask()  # and killed here
        again = make_search(str(tmp_path / "many.journal"))
        trial = again.open_trial()
        assert trial.number == number
        again.report(trial, {0: worth(trial) - 1})  # and killed here
        again = make_search(str(tmp_path / "many.journal"))
        finish(again, again.open_trial())
    assert shown(again) == shown(one)
    assert len({str(t.fields) for t in one.trials()}) == 14
    assert all(isinstance(t.fields["channels"], tuple) for t in one.trials())


def test_a_database_gives_the_trials_of_a_journal(make_search, tmp_path):
    journal = make_search(str(tmp_path / "a.journal"))
    database = make_search(f"sqlite:///{tmp_path}/b.db")
    for _ in range(12):
        finish(journal, journal.ask())
        finish(database, database.ask())
    assert shown(database) == shown(journal)
    assert importances(database) == importances(journal)


def test_what_is_proposed_follows_the_seed_the_arm_and_the_study(make_search, tmp_path):
    asked = [
        make_search(str(tmp_path / f"{n}.journal"), **changes).ask().fields["lr"]  # type: ignore[arg-type]
        for n, changes in enumerate([{}, {"sampler_seed": 1}, {"arm": "late"}, {"study": "other"}])
    ]
    assert len(set(asked)) == 4
    again = make_search(str(tmp_path / "again.journal"), sampler="random")
    assert again.ask().fields["lr"] == asked[0]  # the first trials are drawn at random


def test_it_finds_what_is_good(make_search):
    search = make_search()
    for _ in range(40):
        finish(search, search.ask())
    first, last = search.trials()[:10], search.trials()[-10:]
    assert sum(map(worth, last)) > sum(map(worth, first)) + 20
    shares = importances(search)
    assert next(iter(shares)) == "lr"
    assert sum(shares.values()) == pytest.approx(1)
    assert importances(search) == shares


def test_too_few_trials_tell_nothing_about_importance(make_search):
    search = make_search()
    for _ in range(3):
        finish(search, search.ask())
    assert importances(search) == {}


def test_everything_about_a_trial_comes_back(make_search):
    search = make_search()
    trial = finish(search, search.ask())
    assert trial.by_seed == {SEEDS[0]: trial.value - 1, SEEDS[1]: trial.value + 1}
    assert (trial.runs, trial.epochs, trial.seconds) == (2, 2.0, 1.0)
    assert 0 < trial.started_at <= trial.finished_at
    failed = search.tell(replace(search.ask(), state=TrialState.FAILED, reason="it broke"))
    assert (failed.state, failed.value, failed.reason) == (TrialState.FAILED, None, "it broke")
    search.report(asked := search.ask(), {1: 12.0})
    pruned = search.tell(replace(asked, state=TrialState.PRUNED))
    assert (pruned.state, pruned.value, pruned.steps) == (TrialState.PRUNED, None, {1: 12.0})


def test_another_design_is_refused_and_what_differs_is_named(make_search, make_config):
    make_search()
    space = {**make_config().space, "batch_size": [64]}
    for changes, named in [
        ({"space": space}, "the search space of batch_size"),
        ({"sampler": "random"}, "--sampler tpe, not random"),
        ({"sampler_seed": 3}, "--sampler-seed 0, not 3"),
        ({"pruner": "median"}, "--pruner none, not median"),
        ({"seeds": (5,)}, "the tuning seeds"),
        ({"dataset_digest": "e" * 32}, "the training images of --dataset"),
        ({"train_size": 7}, "--train-size 100, not 7"),
        ({"settings": {"attention": "channel", "precision": "float32"}}, "--attention spatial"),
    ]:
        with pytest.raises(UsageError, match=named) as refused:
            make_search(**changes)  # type: ignore[arg-type]
        assert "\n" not in str(refused.value)
    make_search(dataset="a/path/to/the/same")  # a name


def test_searches_are_found_by_study_and_arm(make_search, tmp_path):
    for study, arm in [("a", "vanilla"), ("a", "late"), ("ab", "vanilla")]:
        make_search(study=study, arm=arm)
    storage = open_storage(parse_storage(str(tmp_path / "tuning.journal")), tmp_path, write=False)
    assert [begun.config.arm for begun in find_searches(storage, "a", None)] == [
        "vanilla",
        "late",
    ]
    assert [begun.config.arm for begun in find_searches(storage, "a", ["late"])] == ["late"]
    assert find_searches(storage, "b", None) == []


def test_somebody_elses_search_of_the_name_is_left_alone(make_search, tmp_path):
    place = parse_storage(str(tmp_path / "tuning.journal"))
    study = optuna.create_study(
        storage=open_storage(place, tmp_path).opened, study_name="small/vanilla"
    )
    study.tell(study.ask(), 1.0)
    with pytest.raises(StoreError, match="attnstudy did not begin"):
        make_search()


def test_a_trial_lined_up_in_a_dashboard_is_not_taken_for_one_of_ours(make_search, tmp_path):
    search, alone = make_search(), make_search(str(tmp_path / "alone.journal"))
    optuna.load_study(study_name="small/vanilla", storage=search.storage.opened).enqueue_trial(
        {"lr": 1e-3}
    )
    mine, theirs = finish(search, search.ask()), finish(alone, alone.ask())
    assert mine.fields == theirs.fields
    assert search.open_trial() is None


@pytest.mark.parametrize(("pruner", "after"), [("wilcoxon", 4), ("median", 1)])
def test_a_trial_that_is_worse_is_stopped_as_soon_as_the_pruner_can_know(
    make_search, pruner, after
):
    search = make_search(pruner=pruner, seeds=tuple(range(10, 18)))
    good = {step: 80.0 + step for step in range(8)}
    for _ in range(5):  # the median wants so many
        trial = search.ask()
        for step, value in good.items():
            assert not search.report(trial, {step: value})
        search.tell(replace(trial, state=TrialState.COMPLETE, value=84.0))
    bad = search.ask()
    stopped = [search.report(bad, {step: 60.0 + step / 7}) for step in range(8)]
    assert stopped.index(True) + 1 == after
    assert all(stopped[after - 1 :])


def test_what_differs_is_told_in_full_but_for_digests():
    assert _short("resnet18-cifar10") == "resnet18-cifar10"
    assert _short("ab" * 32) == "ab" * 6
