"""Honest tables of many shapes: nobody is accused of what others put beside the runs."""

import random
import statistics
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest

from attnstudy.errors import UsageError
from attnstudy.stats.audit import Audit, audit
from attnstudy.stats.audit.granularity import check_granularity
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.asked import Asked
from attnstudy.tables.headings import Role, roles

ACCUSATIONS = {"wrong-mean", "wrong-sd", "impossible-value"}
EXTRA = {
    "params": lambda r, i: f"{r.uniform(1, 90):.1f}",
    "params (M)": lambda r, i: f"{r.uniform(1, 90):.2f}",
    "epochs": lambda r, i: r.choice(["20", "90"]),
    "lr": lambda r, i: r.choice(["0.1", "0.001", "3e-4"]),
    "GFLOPs": lambda r, i: f"{r.uniform(1, 20):.1f}",
    "train time": lambda r, i: f"{r.uniform(1, 20):.1f}",
    "val_loss": lambda r, i: f"{r.uniform(0.5, 2):.3f}",
    "year": lambda r, i: str(2015 + i),
    "n_params": lambda r, i: str(r.randrange(10**6, 10**8)),
    "n_test": lambda r, i: "10000",
    "capacity": lambda r, i: f"{r.uniform(1, 40):.1f}",  # no word that is known
    "zeta": lambda r, i: f"{r.uniform(1, 40):.2f}",
}
NAMES = {
    "run": "run{}".format, "seed": "seed {}".format, "number": "{}".format,
    "accuracy": "acc_{}".format,
}  # fmt: skip


def accused(result: Audit) -> list[str]:
    return [f.message for f in result.findings if f.kind in ACCUSATIONS]


def shown(number: float | Decimal, places: int, rounding: str = ROUND_HALF_UP) -> str:
    return str(Decimal(number).quantize(Decimal(1).scaleb(-places), rounding))


def honest(r: random.Random, items: int) -> str:
    """Return a table in which every number is what its author computed."""
    n, places, style = r.randrange(3, 7), r.randrange(1, 4), r.choice(sorted(NAMES))
    rounding = r.choice([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN])
    of_rounded, with_values, with_n, with_sd = (r.random() < 0.5 for _ in range(4))
    extras = r.sample(sorted(EXTRA), r.randrange(4))
    header = ["model", *extras]
    header += [NAMES[style](i) for i in range(n)] if with_values else []
    header += ["mean", *["sd"] * with_sd, *["n"] * with_n]
    lines = [",".join(header)]
    for i in range(r.randrange(2, 6)):
        near = r.uniform(0.5, 0.9) * items
        counts = [round(r.gauss(near, 0.015 * items)) for _ in range(n)]
        exact = [Decimal(100 * min(k, items)) / items for k in counts]
        values = [Decimal(shown(v, places, rounding)) for v in exact]
        used = values if of_rounded else exact
        cells = [f"arm {i}", *(EXTRA[name](r, i) for name in extras)]
        cells += map(str, values) if with_values else []
        cells += [shown(statistics.mean(used), places, rounding)]
        cells += [shown(statistics.stdev(used), places, rounding)] if with_sd else []
        cells += [str(n)] if with_n else []
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("items", [300, 360, 450, 700, 10_000])
def test_an_honest_table_is_accused_of_nothing(items: int) -> None:
    r = random.Random(items)
    for _ in range(60):
        text = honest(r, items)
        assert accused(audit(text, items=r.choice([items, items, None]))) == [], text


@pytest.mark.parametrize("items", [300, 360, 450, 700, 10_000])
def test_an_honest_summary_is_possible(items: int) -> None:
    r = random.Random(items)
    for _ in range(400):
        n, places = r.randrange(2, 7), r.randrange(0, 4)
        rounding = r.choice([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN])
        counts = [round(r.gauss(0.7 * items, 0.02 * items)) for _ in range(n)]
        values = [Decimal(shown(Decimal(100 * k) / items, places, rounding)) for k in counts]
        mean = shown(statistics.mean(values), places, rounding)
        spread = r.choice([statistics.stdev, statistics.pstdev])(values)
        text = f"name,mean,sd,n\na,{mean},{shown(spread, places, rounding)},{n}\n"
        assert list(check_granularity(read_table(text), items, 100)) == [], (text, counts)


def test_a_mean_of_rounded_accuracies_is_possible() -> None:
    # 422, 429, 428 of 700: 60.29, 61.29, 61.14, whose mean is 60.906...; of the counts 60.904...
    text = "name,mean,n\na,{},3\n"
    assert accused(audit(text.format("60.91"), items=700)) == []
    (message,) = accused(audit(text.format("60.93"), items=700))
    assert "even if the accuracies were rounded" in message


def test_a_mean_of_accuracies_rounded_to_more_decimals_than_shown_is_possible() -> None:
    # the same counts as 60.3, 61.3, 61.1; 60.91 is the mean of 60.29, 61.29 and 61.14
    assert accused(audit("name,r1,r2,r3,mean\na,60.3,61.3,61.1,60.91\n", items=700)) == []


def test_a_column_beside_the_means_of_a_summary_is_no_run() -> None:
    for name in ("params", "capacity"):
        text = f"model,{name},mean,sd,n\nA,25.6,76.15,0.2,5\nB,11.7,69.76,0.3,5\n"
        result = audit(text)
        assert result.findings == ()
        assert result.columns == ()
        assert result.ranking_printed is not None
        assert [arm.n for arm in result.ranking_printed.arms] == [5, 5]
        assert any(name in note and "left out" in note for note in result.notes)


RUNS = "model,capacity,s0,s1,s2,mean\n"


def test_a_column_without_which_the_means_are_right_seems_not_to_be_a_run() -> None:
    rows = "A,25.6,76.1,76.3,76.5,76.3\nB,11.7,69.1,69.3,69.8,69.4\nC,7.5,65.1,65.2,65.9,65.4\n"
    result = audit(RUNS + rows)
    assert accused(result) == []
    assert result.columns == ("s0", "s1", "s2")
    assert any("column capacity (by its heading it is no run)" in note for note in result.notes)
    # a mistake in one row is still found
    (finding,) = audit(RUNS + rows.replace("69.4", "64.9")).findings[:1]
    assert (finding.kind, finding.row, finding.printed) == ("wrong-mean", "B", "64.9")
    assert finding.recomputed == "69.4"


def test_a_run_that_its_means_forgot_is_still_a_run() -> None:
    # the means of s0 to s2: a formula that ends one column early
    text = "model,s0,s1,s2,s3,mean\nA,76.1,76.3,76.5,79.9,76.3\nB,69.1,69.3,69.8,72.0,69.4\n"
    assert [f.kind for f in audit(text).findings[:2]] == ["wrong-mean", "wrong-mean"]


def test_names_of_runs_do_not_hide_a_wrong_mean() -> None:
    text = "model,first,second,third,mean\nA,76.1,76.3,76.5,76.9\nB,69.1,69.3,69.8,69.4\n"
    with pytest.raises(UsageError, match="--layout columns-are-runs"):
        audit(text)
    result = audit(text, asked=Asked(layout="columns-are-runs"))
    assert [(f.kind, f.row) for f in result.findings[:1]] == [("wrong-mean", "A")]


def test_where_n_is_another_number_the_mean_is_not_judged() -> None:
    text = "model,s0,s1,mean,sd,n\nA,76.1,76.3,77.0,0.9,5\nB,69.1,69.3,69.8,0.9,5\n"
    result = audit(text)
    assert accused(result) == []
    assert not result.changes_order
    assert "A says n = 5 but has 2 values, so its mean and SD cannot be checked" in result.notes


def test_an_sd_of_another_metric_is_not_judged() -> None:
    text = "model,accuracy,f1,std\nA,76.1,70.3,0.2\nB,69.1,61.3,0.3\n"
    with pytest.raises(UsageError, match="one value of each metric"):
        audit(text)
    assert accused(audit(text, asked=Asked(metric="accuracy"))) == []


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        ("params,mean,sd,n", "other,mean,SD,number of runs"),
        ("s0,s1,avg.,median,n_seeds", "value,value,mean,other,number of runs"),
        ("loss_mean,loss_sd,params", "mean,SD,other"),
        ("acc_mean,acc_std,loss_mean,time_std", "mean,SD,other,other"),
        ("loss 1,loss 2,loss 3", "value,value,value"),
        ("epoch,seed 0,seed 1,mean(%)", "other,value,value,mean"),
        ("latency", "value"),
        ("nll,noise,n_test,# seeds", "other,value,other,number of runs"),
    ],
)
def test_what_headings_say(headings: str, expected: str) -> None:
    assert [role.value for role in roles(headings.split(","))] == expected.split(",")
    assert all(isinstance(role, Role) for role in roles(headings.split(",")))
