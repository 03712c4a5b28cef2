"""Settings are declared in one place: what a declaration says, and where it is followed."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnstudy.errors import UsageError
from attnstudy.fields import Field, Settings, in_recorded_order, left_out
from attnstudy.tracking import open_store, read_runs, resolve
from attnstudy.trainings.placement.settings import SETTINGS, defaults, recorded_settings, setting
from tests.studies import SMALL, write_study

RATE = Field("rate", float, 0.1, "Rate.", least=0, below=1)
SIZE = Field("size", int, 3, "Size.", least=1, most=9)
PAIR = Field("pair", int, (1, 2), "Pair.", parts=2, above=0)
KIND = Field("kind", str, "none", "Kind.", choices=("none", "crop-flip"))
NOTE = Field("note", str, "", "Note.")
FREE = Field("free", float, 0, "Anything.")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (RATE, 1, "rate must be a number of at least 0 and below 1, not 1"),
        (RATE, -0.5, "rate must be a number of at least 0 and below 1, not -0.5"),
        (RATE, math.nan, "rate must be a number of at least 0 and below 1, not nan"),
        (RATE, True, "rate must be a number of at least 0 and below 1, not True"),
        (RATE, "0.5", "rate must be a number of at least 0 and below 1, not '0.5'"),
        (FREE, 10**400, f"free must be a number, not {10**400}"),
        (FREE, None, "free must be a number, not None"),
        (SIZE, 0, "size must be a whole number from 1 to 9, not 0"),
        (SIZE, 10**400, f"size must be a whole number from 1 to 9, not {10**400}"),
        (SIZE, 2.0, "size must be a whole number from 1 to 9, not 2.0"),
        (PAIR, (1,), "pair must be a list of 2 whole numbers above 0, not (1,)"),
        (PAIR, [1, 0], "pair must be a list of 2 whole numbers above 0, not [1, 0]"),
        (PAIR, "1,2", "pair must be a list of 2 whole numbers above 0, not '1,2'"),
        (PAIR, 1, "pair must be a list of 2 whole numbers above 0, not 1"),
        (KIND, "crop_flip", "kind must be one of none, crop-flip, not 'crop_flip'; did you mean "
         "'crop-flip'?"),
        (KIND, 3, "kind must be one of none, crop-flip, not 3"),
        (NOTE, 3, "note must be a text, not 3"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_has_one_sentence(field, value, sentence):
    with pytest.raises(UsageError) as refused:
        field.check(value)
    assert str(refused.value) == sentence
    with pytest.raises(UsageError) as refused:
        field.check(value, "[training] x")
    assert str(refused.value) == "[training] x" + sentence.removeprefix(field.name)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        (RATE, "x", "not 'x'"), (RATE, "", "not ''"), (RATE, "1", "below 1, not 1"),
        (SIZE, "1.5", "not '1.5'"), (SIZE, "0", "not 0"), (SIZE, "9" * 5000, "not '999"),
        (PAIR, "64", "not '64' (write 1,2)"), (PAIR, "1,2,3", "not '1,2,3' (write 1,2)"),
        (PAIR, "1,x", "not '1,x' (write 1,2)"), (PAIR, "0,1", "not '0,1' (write 1,2)"),
        (KIND, "non", "not 'non'; did you mean 'none'?"),
    ],
)  # fmt: skip
def test_a_text_that_means_no_value_gets_it_too(field, text, said):
    with pytest.raises(UsageError, match=f"^--it must be .*{re.escape(said)}"):
        field.parse(text, "--it")


@given(st.floats(allow_nan=False, allow_infinity=False), st.tuples(*[st.integers(1, 2**70)] * 2))
def test_what_is_written_is_read(number, pair):
    assert repr(FREE.parse(FREE.text(number))) == repr(number + 0)  # of the zeros only one
    assert PAIR.parse(PAIR.text(pair)) == pair == PAIR.check(list(pair))


def test_a_default_that_would_be_refused_is_refused_where_it_is_declared():
    with pytest.raises(UsageError, match="rate must be a number of at most 1, not 2"):
        Field("rate", float, 2, "Rate.", most=1)


@pytest.mark.parametrize(
    ("limits", "formula"),
    [
        ({}, ""), ({"least": 1}, "x>=1"), ({"above": 0}, "x>0"),
        ({"least": 0, "most": 1}, "0<=x<=1"),
        ({"above": 0, "below": 1}, "0<x<1"), ({"most": 2}, "x<=2"), ({"below": 2}, "x<2"),
    ],
)  # fmt: skip
def test_bounds_are_shown_as_a_formula(limits, formula):
    assert Field("x", float, None, "X.", **limits).bounds == formula


def test_settings_are_frozen_hashable_and_travel():
    one, other = (Settings((RATE, PAIR), {"pair": pair}) for pair in ([3, 4], (3, 4)))
    assert one == other == {"rate": 0.1, "pair": (3, 4)}
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    with pytest.raises(TypeError):
        one["rate"] = 0.5  # type: ignore[index]
    with pytest.raises(TypeError, match="no setting 'rat'"):
        Settings((RATE,), {"rat": 1})


def test_a_field_that_is_added_is_recorded_behind_all_others(make_spec):
    late = Field("x", int, 0, "X.", later=9)
    assert in_recorded_order((late, *SETTINGS)) == (*recorded_settings(), late)
    assert left_out(late, 0)
    assert not left_out(late, 1)
    # plans of before it was added do not name it
    assert [f.name for f in SETTINGS if left_out(f, f.default)] == ["split"]
    added = [field.later for field in SETTINGS if field.later]
    assert len(added) == len(set(added))


def test_a_specification_is_read_by_the_names_of_its_settings(make_spec):
    spec = make_spec(lr=1)
    assert spec.settings == {
        **defaults(),
        "channels": (4, 4),
        "epochs": 2,
        "batch_size": 32,
        "lr": 1,
    }
    assert (spec.lr, spec.precision) == (1.0, setting("precision").default)
    assert pickle.loads(pickle.dumps(spec)) == copy.deepcopy(spec) == spec
    with pytest.raises(AttributeError, match="'lrr'"):
        _ = spec.lrr
    with pytest.raises(TypeError, match="'lrr'"):
        make_spec(lrr=1)


DEMO = f"""variants = ["vanilla"]
seeds = 1
{SMALL.strip()}
[arms.smooth]
variant = "vanilla"
label_smoothing = 0.1
"""
SEARCHED = f"""variants = ["vanilla"]
seeds = 1
{SMALL.strip()}
[tuning.space]
label_smoothing = {{low = 0, high = 0.2}}
"""
BAD = {
    "training": "[training]\nlabel_smoothing = 2\n",
    "arm": '[arms.x]\nvariant = "late"\nlabel_smoothing = 2\n',
    "space": "[tuning.space]\nlabel_smoothing = [0.5, 2]\n",
}
COMMANDS = {
    "help": (["run", "--help"], {}),
    "option": (["study", "check", "demo", "--label-smoothing", "2"], {}),
    "environment": (["study", "check", "demo"], {"ATTNSTUDY_LABEL_SMOOTHING": "2"}),
    **{name: (["study", "check", name], {}) for name in BAD},
    "misspelt": (["study", "check", "misspelt"], {}),
    "tune": (["tune", "searched", "--dry-run", "--no-progress"], {}),
    "run": (["run", "demo", "--json", "--no-progress"], {}),
    "elsewhere": (["run", "--study", "plain", "--dataset", "digits", "--train-size", "128",
                   "--val-size", "30", "--channels", "4,4", "--epochs", "1", "--seeds", "1",
                   "--executor", "inline", "--variant", "vanilla", "--json"],
                  {"ATTNSTUDY_LABEL_SMOOTHING": "0.3"}),
    "status": (["status"], {}),
    "planned": (["run", "planned", "--json", "--no-progress"], {}),
    "changed": (["study", "show", "planned"], {"ATTNSTUDY_LABEL_SMOOTHING": "0.3"}),
}  # fmt: skip


@pytest.fixture
def added(workplace):
    """What a process in which one more setting is declared says and does."""
    good = {
        "demo": DEMO,
        "searched": SEARCHED,
        "planned": f'variants = ["vanilla"]\nseeds = 1\n{SMALL}',
    }
    misspelt = "[training]\nlabel_smothing = 0\n"
    for name, text in {**BAD, **good, "misspelt": misspelt}.items():
        write_study(workplace, name, text)
    done = subprocess.run(
        [sys.executable, "-m", "tests.one_more_setting"],
        input=json.dumps(list(COMMANDS.values())),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    answers = [SimpleNamespace(**one) for one in found["answers"]]
    return SimpleNamespace(
        identities=found["identities"], **dict(zip(COMMANDS, answers, strict=True))
    )


@pytest.mark.rest
def test_one_declaration_adds_a_setting_everywhere(added):
    """Nothing but the declaration in ``one_more_setting`` knows its name."""
    assert re.search(
        r"--label-smoothing NUMBER +Share of the others\. +\[default: 0; 0<=x<=1\]", added.help.out
    )
    places = {
        "option": "--label-smoothing",
        "environment": "ATTNSTUDY_LABEL_SMOOTHING",
        "training": "studies/training/study.toml: [training] label_smoothing",
        "arm": "studies/arm/study.toml: [arms.x] label_smoothing",
        "space": "studies/space/study.toml: [tuning.space] label_smoothing",
    }
    for name, place in places.items():
        answer = getattr(added, name)
        assert answer.code == 2
        assert answer.err == f"Error: {place} must be a number from 0 to 1, not 2\n"
    assert "did you mean 'label_smoothing'?" in added.misspelt.err
    assert "label_smoothing from 0 to 0.2" in added.tune.out, added.tune
    assert added.run.code == added.elsewhere.code == 0, (added.run.err, added.elsewhere.err)
    tracker = open_store(resolve(Path("mlruns"), None))
    logged = {run.arm: run.params for run in read_runs(tracker, "demo")}
    assert {name: params["label_smoothing"] for name, params in logged.items()} == {
        "vanilla": "0.0", "smooth": "0.1",
    }  # fmt: skip
    (plain,) = read_runs(tracker, "plain")
    assert plain.params["label_smoothing"] == "0.3"
    assert "label_smoothing 0.3" in added.status.out
    # a plan that is recorded now is the one that was recorded before there was the setting
    assert added.planned.code == 0, added.planned.err
    (plan,) = json.loads(Path("studies/planned/plans.json").read_text())
    assert "label_smoothing" not in plan["plan"]["settings"]
    assert "label_smoothing: 0 -> 0.3" in added.changed.out, added.changed
    # runs that were made without it keep their identity, with it they get another
    before, now = added.identities
    assert before == ["22391fa565a67ccfdb92fe19c84ef6e8", "3800dd6390", None]
    assert now[0] != before[0]
    assert now[1:] != before[1:]
    assert now[2] == 0.1
