"""Rankings to report: the reference notebook's table, and odd ones."""

from collections.abc import Callable

import numpy as np
import pytest

from attnstudy.report.context import Context
from attnstudy.stats import Exclusion, Plan, Ranking, rank
from attnstudy.usecases.sources import RunReference

NOTEBOOK = {
    "vanilla": [59.77, 60.81, 57.70, 59.77],
    "early": [59.39, 61.11, 60.81, 60.79],
    "late": [58.11, 61.62, 60.21, 61.46],
    "double": [67.7, 62.88, 61.76, 62.41],
}
UNEQUAL = {
    "a": [70.1, 71.2, 69.8, 70.6, 70.9],
    "c": [66.0, 70.5, 62.3, 71.8, 64.9, 68.1, 63.3],
    "d": [64.2, 64.9, 64.4],
    "two": [65.0, 65.5],
    "lost": [],
}
HOSTILE = {
    "<script>alert(1)</script> & \"quoted\" 'x'": [0.91, 0.92, 0.93],
    "注意力机制在卷积神经网络中的位置 🎉": [0.90, 0.905, 0.91],
    "a_very_long_name_" * 15: [0.88, 0.89, 0.90, 0.893],
    "a_very_long_name_" * 16: [0.88, 0.87, 0.90, 0.893],
    "$x^2$ #1b1f26 url(http://x.y)\u202ecba\x00\ud800": [0.5, 0.6, 0.55],
    "-->]]><!--": [0.7, 0.71, 0.72],
}


def _notebook() -> Ranking:
    return rank(
        NOTEBOOK,
        margin=3.0,
        items=10_000,
        chance=10.0,
        study="place",
        config="c3f1",
        seconds_per_run=600.0,
        excluded=[Exclusion(run="late/7", reason="its status is failed")],
        notes=["a note with <b>markup</b>"],
    )


def _forty() -> Ranking:
    generator = np.random.default_rng(5)
    return rank({f"arm-{i:02d}": list(generator.normal(60 + i / 3, 1, 4)) for i in range(40)})


def _looks() -> Ranking:
    generator = np.random.default_rng(6)
    values = {
        name: list(generator.normal(m, 1, 8)) for name, m in (("p", 70), ("q", 60), ("r", 70))
    }
    plan = Plan(hash="9f2ac1d0", date="2026-01-01 10:00")
    return rank(values, looks=[4, 8], plan=plan, margin=4.0)


def _unequal(**options: object) -> Ranking:
    return rank(UNEQUAL, chance=10.0, diverged={"lost": 2, "d": 1}, **options)  # type: ignore[arg-type]


MAKERS: dict[str, Callable[[], Ranking]] = {
    "notebook": _notebook,
    "unequal": lambda: _unequal(margin=2.0),
    "control": lambda: _unequal(control="c", unit="", metric="val_loss", direction="minimize"),
    "holm": lambda: rank(NOTEBOOK, correction="holm"),
    "paired": lambda: rank({k: dict(enumerate(v)) for k, v in NOTEBOOK.items()}, paired=True),
    "looks": _looks,
    "one": lambda: rank({"only": [1.5, 1.7, 1.6]}, metric="score", unit=""),
    "constant": lambda: rank({"a": [5, 5, 5], "b": [5, 5, 5], "c": [6, 6, 6]}, unit=""),
    "all diverged": lambda: rank({"a": [], "b": []}, diverged={"a": 2, "b": 1}, unit=""),
    "huge": lambda: rank({"a": [1e299, -1e299, 5e298], "b": [1.0, 2.0, 3.0]}, unit=""),
    "tiny": lambda: rank({"a": [1e-12, 2e-12, 4e-12], "b": [3e-12, 2e-12, 1e-12]}, unit=""),
    "hostile": lambda: rank(HOSTILE, metric="m<e>&_t", unit="", notes=["</style><img src=x>"]),
    "forty": _forty,
}
_made: dict[str, Ranking] = {}


@pytest.fixture(params=MAKERS)
def any_ranking(request: pytest.FixtureRequest) -> Ranking:
    """Every kind of ranking there is."""
    return make(request.param)


@pytest.fixture
def notebook() -> Ranking:
    """The ranking of the reference notebook's table."""
    return make("notebook")


@pytest.fixture
def ranking_of() -> Callable[[str], Ranking]:
    """Return a ranking by name."""
    return make


def make(name: str) -> Ranking:
    """Return a ranking by name, made once."""
    if name not in _made:
        _made[name] = MAKERS[name]()
    return _made[name]


@pytest.fixture
def context() -> Context:
    """What stands around the notebook's ranking."""
    return context_of(NOTEBOOK)


@pytest.fixture
def hostile_context() -> Context:
    """The same with names that no one should choose."""
    return context_of(HOSTILE)


def context_of(samples: dict[str, list[float]]) -> Context:
    """Return a context with all there can be."""
    generator = np.random.default_rng(7)
    steps = list(range(0, 500, 100))
    return Context(
        question="Does <where> matter?",
        made_at="2026-01-05T14:03:00+00:00",
        versions={"torch": "2.10.0", "attnstudy": "1.0"},
        runs=[
            RunReference(
                name=f"{name}/{seed}", run_id=f"{place:04x}{seed:04x}", value=value, arm=name
            )
            for place, (name, values) in enumerate(samples.items())
            for seed, value in enumerate(values)
        ],
        curves={
            name: [(steps, list(generator.uniform(20, 60, 5))) for _ in values]
            for name, values in samples.items()
        },
        command="attnstudy rank --study place \\\n  --margin 3 > 'a & b'",
    )
