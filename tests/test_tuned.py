"""``run --tuned``: each variant with the best that was found for it, declared and comparable."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from attnstudy import runs
from tests.studies import SMALL, write_study

STORE_DIR = Path("mlruns")
STUDY = f"""
variants = ["vanilla", "late"]
seeds = 2
{SMALL}
[tuning]
trials = 2
seeds_per_trial = 1
[tuning.space]
lr = {{low = 1e-3, high = 1e-2, log = true}}
"""


@pytest.fixture
def study(workplace: Path) -> Path:
    return write_study(workplace, "fair", STUDY)


def test_tune_run_tuned_and_rank_with_the_fairness_line(cli, study):
    answer = cli("run", "fair", "--tuned")
    assert answer.code == 2
    assert "'attnstudy tune' does that" in answer.err
    answer = cli("tune", "fair")
    assert answer.code == 0
    assert "Train them:  attnstudy run --tuned --study fair\n" in answer.out
    found = json.loads(cli("tune", "show", "fair", "--json").out)["variants"]
    answer = cli("run", "fair", "--tuned")
    assert answer.code == 0, answer.err
    specs = [folder.started().spec for folder in runs.run_folders(STORE_DIR, "fair")]
    assert len(specs) == 4
    assert {spec.arm_fields for spec in specs} == {("lr",)}
    assert len({spec.config_id for spec in specs}) == 1
    for tuning in found:
        own = [spec for spec in specs if spec.variant == tuning["variant"]]
        assert {spec.lr for spec in own} == {tuning["best"]["fields"]["lr"]}
        assert {spec.tuned_by for spec in own} == {tuning["identity"]}
    ranking = json.loads(cli("rank", "fair", "--json").out)
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    (line,) = [note for note in ranking["notes"] if note.startswith("tuned on validation")]
    assert "2 trials of 1 seeds (2 runs) for each arm" in line
    for tuning in found:
        lr = tuning["best"]["fields"]["lr"]
        assert f"lr {lr:g} ({tuning['variant']})" in line
    assert not [flag for flag in ranking["flags"] if flag["kind"] == "tuning-budget"]
    assert "the file now says otherwise" not in cli("study", "show", "fair").out

    # one of them is given more: the plan is another one, and the budgets are flagged
    assert cli("tune", "fair", "--variant", "late", "--trials", "3").code == 0
    assert cli("run", "fair", "--tuned").code == 0
    ranking = json.loads(cli("rank", "fair", "--json").out)
    assert ranking["status"] == "exploratory"
    assert "(arm late changed)" in ranking["status_reason"]
    assert cli("run", "fair").code == 0
    answer = cli("rank", "fair")
    assert answer.code == 2
    assert re.search(
        r"--config \w+ \(6 runs: lr=\(by arm\), tuned=yes\) or --config \w+ "
        r"\(4 runs: lr=0\.\d+, tuned=no\)$",
        answer.err,
    )


@pytest.mark.parametrize(
    ("old", "new", "arguments", "about"),
    [
        ("[run]", "[arms.deep]\nvariant = 'late'\nepochs = 2\n[run]", (), "leave one of them out"),
        ("[run]", "[run]", ("--seeds", "1000000-1000001"), "1000000 was used for tuning"),
        ("train_size = 128", "train_size = 128", ("--storage", "nowhere"), "no trials in nowhere"),
        # not named, but within the looks
        (
            "seeds = 2\n",
            "",
            ("--until-decided", "--max-seeds", "4", "--looks", "3,4"),
            "3 was used for tuning",
        ),
    ],
)
def test_bad_input(cli, study, old, new, arguments, about):
    seeds = ("--tuning-seeds", "3-3") if "--looks" in arguments else ()
    assert cli("tune", "fair", "--trials", "1", *seeds).code == 0
    study.write_text(STUDY.replace(old, new))
    answer = cli("run", "fair", "--tuned", *arguments)
    assert answer.code == 2
    assert about in answer.err
