"""Arms of a study's file: those of a grid, those named as variants, those beside a search."""

from __future__ import annotations

import json

import pytest

from attnstudy.errors import UsageError
from attnstudy.studyfile import find, of_content
from tests.studies import SMALL, write_study

TRAIN = "def train(run):\n    return {'acc': run.settings['width'] + run.rng('w').random()}\n"


def arms(grid, **others):
    return of_content({"train": "m:f", "arms": {"grid": grid, **others}}, "mine").arms


def refused(grid, **others):
    with pytest.raises(UsageError) as caught:
        arms(grid, **others)
    return str(caught.value)


def test_a_grid_makes_an_arm_of_each_combination():
    made = arms({"width": [64, 128], "lr": [0.1, 1e-3], "depth": 2})
    assert made == {
        "width-64_lr-0.1": {"width": 64, "lr": 0.1, "depth": 2},
        "width-64_lr-0.001": {"width": 64, "lr": 1e-3, "depth": 2},
        "width-128_lr-0.1": {"width": 128, "lr": 0.1, "depth": 2},
        "width-128_lr-0.001": {"width": 128, "lr": 1e-3, "depth": 2},
    }


def test_values_of_each_kind_make_names():
    made = arms({"bias": [True, False], "act": ["relu"], "sizes": [[1, 2], [3]]})
    assert list(made) == [
        "bias-true_act-relu_sizes-1x2", "bias-true_act-relu_sizes-3",
        "bias-false_act-relu_sizes-1x2", "bias-false_act-relu_sizes-3",
    ]  # fmt: skip


def test_an_arm_without_lists_may_be_called_grid():
    assert arms({"width": 3}) == {"grid": {"width": 3}}


@pytest.mark.parametrize(
    ("grid", "others", "said"),
    [
        ({"width": []}, {}, "width is empty: list its values"),
        ({"width": [2, 1, 1]}, {}, "width lists 1 twice: list each value once"),
        ({"width": [1]}, {"width-1": {"width": 5}}, "makes an arm 'width-1', and there is one"),
        ({"a": list(range(20)), "b": list(range(11))}, {}, "makes 220 arms, and 200 are the most"),
        ({"a": list(range(200))}, {"x": {"a": 1}}, "makes 201 arms, and 200 are the most"),
        ({"act": ["re lu"]}, {}, "an arm's name is of letters"),
        ({"act": ["x" * 200]}, {}, "an arm's name is of letters"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(grid, others, said):
    text = refused(grid, **others)
    assert said in text
    assert "arms['grid']" in text or "grid" in text
    assert "\n" not in text


def test_two_hundred_arms_are_allowed():
    assert len(arms({"a": list(range(200))})) == 200


def test_a_grid_of_placements_is_trained_and_ranked(cli, workplace):
    write_study(
        workplace, "grid",
        f"seeds = 3\n{SMALL}\n[arms.grid]\nvariant = ['vanilla', 'late']\nlr = 0.002\n",
    )  # fmt: skip
    assert cli("study", "check", "grid").code == 0
    assert cli("run", "grid").code == 0
    ranking = json.loads(cli("rank", "grid", "--json").out)
    assert {arm["variant"] for arm in ranking["arms"]} == {"variant-vanilla", "variant-late"}
    assert ranking["status"] == "confirmatory", ranking["status_reason"]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("variant = 'late'\nlr = [0.1, 'x']", "study.toml: [arms.grid] lr"),
        ("variant = ['late', 'lat']", "study.toml: [arms.grid] unknown variant 'lat'"),
        ("lr = [0.1, 0.2]", "study.toml: [arms.grid] names no variant"),
        ("variant = 'late'\nrl = [0.1]", "study.toml: unknown key '[arms.grid] rl'"),
    ],
)
def test_what_is_wrong_is_put_down_to_the_grid(cli, workplace, grid, said):
    write_study(workplace, "grid", f"seeds = 2\n{SMALL}\n[arms.grid]\n{grid}\n")
    answer = cli("study", "check", "grid")
    assert answer.code == 2
    assert said in " ".join(answer.err.split())


def test_a_setting_of_ones_own_is_put_down_to_the_grid(own):
    own.write(TRAIN, "[settings]\nwidth = 1\n[arms.grid]\nwidth = [1, 'two']\n")
    answer = own.cli("study", "check", "own")
    assert answer.code == 2
    assert "[arms.grid] width" in " ".join(answer.err.split())


def test_an_arm_with_a_table_may_be_named_among_the_variants(cli, workplace):
    write_study(
        workplace, "named",
        f"variants = ['vanilla', 'slow']\nseeds = 2\n{SMALL}\n[arms.slow]\nvariant = 'late'\n"
        "lr = 0.0005\n",
    )  # fmt: skip
    answer = cli("study", "check", "named")
    assert answer.code == 0, answer.err
    shown = json.loads(cli("study", "show", "named", "--json").out)
    assert {"vanilla", "slow"} <= set(json.dumps(shown).replace('"', " ").split())
    assert find("named", None).options["variant"] == ["vanilla", "slow"]


def test_an_arm_that_is_misspelt_among_the_variants_is_told_which_was_meant(cli, workplace):
    table = f"seeds = 2\n{SMALL}\n[arms.double2]\nvariant = 'late'\n"
    write_study(workplace, "named", f"variants = ['vanilla', 'duoble2']\n{table}")
    answer = cli("study", "check", "named")
    assert answer.code == 2
    assert (
        "study.toml: variants: the study has no arm 'duoble2'; did you mean 'double2'?"
        in answer.err
    )
    # what is a variant is one, however like an arm's its name is
    write_study(workplace, "named", f"variants = ['double', 'double2']\n{table}")
    assert cli("study", "check", "named").code == 0


@pytest.mark.parametrize("command", [("study", "check"), ("tune", "--dry-run"), ("tune",)])
def test_a_setting_that_is_searched_and_said_by_an_arm_is_refused(own, command):
    own.write(
        TRAIN, "[settings]\nwidth = 1\nlr = 0.1\n[arms.a]\nlr = 0.3\n[arms.b]\nwidth = 2\n"
        "[tuning]\nmetric = 'val'\ntrials = 1\n[tuning.space]\nlr = [0.1, 0.2]\n",
    )  # fmt: skip
    answer = own.cli(*command, "own")
    assert answer.code == 2
    assert (
        "[arms.a] lr is given, and [tuning.space] searches it: leave one of them out" in answer.err
    )
    assert not list(own.place.rglob("tuning.journal"))


@pytest.mark.parametrize("command", [("study", "check"), ("tune",), ("tune", "--dry-run")])
def test_arms_beside_a_search_are_refused_before_any_trial(cli, workplace, command):
    write_study(
        workplace, "both",
        f"seeds = 2\n{SMALL}\n[arms.slow]\nvariant = 'late'\nlr = 0.0005\n[tuning]\ntrials = 1\n",
    )  # fmt: skip
    words = (*command, "both") if command[0] == "study" else (command[0], "both", *command[1:])
    answer = cli(*words)
    assert answer.code == 2
    assert "[arms] and [tuning]" in answer.err or "arms and [tuning]" in answer.err
    assert not (workplace / "studies/both/tuning.journal").exists()


def test_a_dry_run_looks_at_each_run_once(cli, workplace, monkeypatch):
    """Of a study with many arms every run was looked at for each arm."""
    from attnstudy.study import RunSpec

    asked = 0
    name_of = vars(RunSpec)["arm_name"].fget

    def counted(spec):
        nonlocal asked
        asked += 1
        return name_of(spec)

    monkeypatch.setattr(RunSpec, "arm_name", property(counted))
    counts = []
    for arms in (50, 100):
        write_study(workplace, f"s{arms}", f"""
            train = "mine:train"
            seeds = 2
            [ranking]
            metric = "acc"
            [arms.grid]
            width = {list(range(arms))}
        """)  # fmt: skip
        (workplace / f"studies/s{arms}/mine.py").write_text(TRAIN)
        asked = 0
        for form in ((), ("--json",)):
            answer = cli("run", f"s{arms}", "--dry-run", *form)
            assert answer.code == 0, answer.err
        counts.append(asked)
    assert counts[1] <= 2.1 * counts[0]
