"""Several commands at once, in orders that a seed chooses: what is promised holds in each.

The short form plays some schedules, ``make chaos`` (which sets ``ATTNSTUDY_CHAOS``) 2,000. What
fails says which seed; ``python -m tests.interleavings FOLDER --from SEED --schedules 1 --trace``
plays it again and shows who moved when.
"""

from __future__ import annotations

import pytest

from tests.interleavings.studies import Woven, woven

pytestmark = [pytest.mark.timeout(3600), pytest.mark.rest]
TOGETHER = pytest.mark.xdist_group("interleavings")
"""In one process, for which the study is made once."""
FOUND = (2, 5, 8, 54, 1001, 3138)
"""Seeds with which something was found when they were played first, of those that take seconds."""
BLOCK, SCHEDULES = 50, 2000


@pytest.fixture(scope="module")
def study(zygote, tmp_path_factory, template_store) -> Woven:
    return woven(zygote, tmp_path_factory.mktemp("woven"), template_store)


@TOGETHER
@pytest.mark.parametrize("seed", FOUND)
def test_the_promises_hold_in_any_order(study, tmp_path, seed):
    assert study.try_seed(seed, tmp_path / "place") is None


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_the_promises_hold_in_two_thousand_orders(study, tmp_path, first):
    tried = {seed: study.try_seed(seed, tmp_path / "place") for seed in range(first, first + BLOCK)}
    assert [wrong for wrong in tried.values() if wrong is not None] == []


@TOGETHER
def test_a_seed_plays_the_same_order_each_time(study, tmp_path):
    traces: list[list[str]] = [[], []]
    for trace in traces:
        assert study.try_seed(7, tmp_path / "place", trace=trace) is None
    assert len(traces[0]) > 100
    assert traces[0] == traces[1]


@TOGETHER
def test_without_the_claim_on_a_run_it_is_trained_twice(study, tmp_path, monkeypatch):
    """What is there to be found is found."""
    monkeypatch.setenv("UNCLAIMED", "1")
    monkeypatch.setattr(Woven, "schedule", lambda self, seed: (["run", "run"], False))
    found = (study.try_seed(seed, tmp_path / "place") for seed in range(20))
    assert any(wrong is not None and "trained twice" in wrong for wrong in found)
