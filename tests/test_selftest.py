"""``selftest``: its controls hold here, and each of them can fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attnstudy.executors import ExecutorChoice
from attnstudy.render import Terminal
from attnstudy.usecases import selftest

FEW = {"NEGATIVE_SEEDS": 6, "POSITIVE_SEEDS": 3}


@pytest.fixture
def few_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few seeds, in this process: a moment instead of a minute."""
    for name, value in FEW.items():
        monkeypatch.setattr(selftest, name, value)
    request = selftest._request
    monkeypatch.setattr(
        selftest,
        "_request",
        lambda address, place: replace(request(address, place), executor=ExecutorChoice("inline")),
    )


def answers(place: Path) -> dict[str, bool]:
    quiet = Terminal(quiet=True, progress=False)
    return {f.check: f.good for f in selftest.controls(place, quiet, lambda folder: {})}


@pytest.mark.rest
def test_all_is_well_here(few_seeds, tmp_path):
    assert answers(tmp_path) == {
        "repetition": True, "negative control": True, "positive control": True,
    }  # fmt: skip


@pytest.mark.rest
def test_an_installation_that_claims_too_much_does_not_repeat_and_sees_nothing_is_told(
    few_seeds, tmp_path, monkeypatch
):
    """Every control is shown what it is there to find."""
    given = selftest.stats.calibrate  # type: ignore[attr-defined]
    monkeypatch.setattr(selftest.stats, "calibrate", lambda values: given(values, alpha=0.3))  # type: ignore[attr-defined]
    drawn = iter(range(10))
    monkeypatch.setattr(selftest, "_numbers", lambda result: {"weights": str(next(drawn))})
    monkeypatch.setattr(selftest, "LONG", "no arm")
    request = selftest._request

    def alike(address, place):
        asked = request(address, place)
        arms = tuple(
            replace(arm, name=name, settings={"epochs": 1})
            for arm, name in zip(asked.arms, ("one-epoch", "no arm"), strict=True)
        )
        return replace(asked, arms=arms, declared=replace(asked.declared, arms=arms))

    monkeypatch.setattr(selftest, "_request", alike)
    assert answers(tmp_path) == {
        "repetition": False, "negative control": False, "positive control": False,
    }  # fmt: skip


def test_a_study_without_a_file_is_refused_as_run_does(cli, workplace):
    answer = cli("selftest", "nope")
    assert answer.code == 2
    assert "there is no study 'nope'" in answer.err


def test_options_of_a_study_are_refused_without_one(cli, workplace):
    answer = cli("selftest", "--seeds", "3")
    assert answer.code == 2
    assert answer.err == (
        "Error: --seeds is for the selftest of a study: name STUDY, or leave it out\n"
    )
