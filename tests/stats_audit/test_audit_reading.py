"""What a table may look like, and what is said where it is none."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attnstudy.errors import AttnstudyError, DataError, UsageError
from attnstudy.stats.audit import audit, read_text
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.asked import Asked

BODY = "variant,run1,run2,mean\na,60.10,61.20,60.65\nb,59.00,59.10,59.05\n"


@pytest.mark.parametrize(
    "text",
    [
        BODY.replace(",", ";"),
        BODY.replace(",", "\t"),
        BODY.replace(",", ";").replace(".", ","),
        BODY.replace("\n", "\r\n"),
        "\ufeff" + BODY,
        "\n\n" + BODY + "\n,,,\n",
        BODY.replace("\n", ",,\n"),
        '"variant","run1","run2","mean"\n"a","60.10","61.20","60.65"\nb, 59.00 ,59.10,59.05',
        BODY.replace("60.10", "60.10%").replace("61.20", "61.20 %"),
        BODY.replace("mean", "Reported Mean"),
    ],
)
def test_the_same_table_in_many_forms(text: str) -> None:
    table = read_table(text)
    assert [row.name for row in table.rows] == ["a", "b"]
    assert table.columns == ("run1", "run2")
    values = [[str(c.number.value) for c in row.cells] for row in table.rows]
    assert values == [["60.10", "61.20"], ["59.00", "59.10"]]
    assert [str(row.mean.value) for row in table.rows if row.mean] == ["60.65", "59.05"]
    assert {cell.number.places for cell in table.cells} == {2}
    assert table.scale == 100


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    name = "Aufmerksamkeit-früh-注意"
    text = read_text(BODY.replace("a,", f"{name},").encode(encoding))
    assert read_table(text).rows[0].name == name


@pytest.mark.parametrize(
    "data", [b"caf\x81,1\n", b"PK\x03\x04\x00\x00", b"\xff\xfe\x00", b"\xff\x02"]
)
def test_bytes_that_are_no_text(data: bytes) -> None:
    with pytest.raises(DataError, match="UTF-8"):
        read_text(data)


@pytest.mark.parametrize("name", ["mean", "reported_mean", "Average", "avg acc", "Mean (%)"])
def test_names_of_the_mean(name: str) -> None:
    table = read_table(f"name,r1,{name}\na,60.1,60.1\n")
    assert (table.columns, table.mean_column, table.sd_column) == (("r1",), name, None)


@pytest.mark.parametrize("name", ["sd", "Std", "stdev", "reported_sd", "std_dev", "Std. deviation"])
def test_names_of_the_sd(name: str) -> None:
    table = read_table(f"name,r1,r2,{name}\na,60.1,60.5,0.3\n")
    assert (table.columns, table.mean_column, table.sd_column) == (("r1", "r2"), None, name)


def test_other_columns() -> None:
    table = read_table("note,variant,seed,r1,r2,median,mean,sem\nx,a,3,60.1,60.3,60.2,60.2,0.1\n")
    assert table.rows[0].name == "a"
    assert (table.columns, table.mean_column) == (("r1", "r2"), "mean")
    left = " ".join(table.notes)
    for name in ("note", "seed", "median", "sem"):
        assert f"left out: column {name} (" in left
    # an index without a name, as pandas writes it
    table = read_table(",variant,r1\n0,a,60.1\n1,b,60.2\n")
    assert [row.name for row in table.rows] == ["a", "b"]
    assert table.columns == ("r1",)


def test_summaries() -> None:
    table = read_table("model,accuracy,std,seeds\na,60.1,0.4,5\nb,61.2,0.3,\n")
    assert (table.columns, table.mean_column) == ((), "accuracy")
    assert [row.n for row in table.rows] == [5, None]
    assert "column 'accuracy' is taken for the means" in table.notes


def test_missing_values_are_told() -> None:
    table = read_table("name,r1,r2,mean,n\na,60.1,,60.1,2\nb,61.0,61.2,61.1,2\n")
    assert [row.n for row in table.rows] == [1, 2]
    assert "left out: 1 empty cell of a (it has 1 of 2 values)" in table.notes
    assert "a says n = 2 but has 1 value, so its mean and SD cannot be checked" in table.notes
    table = read_table("name,r1,r2,mean\na,60.1,nan,60.1\nb,61.0,61.2,61.1\n")
    assert "1 run of a diverged" in table.notes


def test_scales() -> None:
    assert read_table("name,r1\na,0.61\nb,1\n").scale == 1
    assert read_table("name,r1\na,0.61%\nb,1%\n").scale == 100
    assert read_table("name,r1\na,12.1\nb,0.4\n").scale == 100
    assert read_table("name,r1\na,112.1\nb,0.4\n").scale is None
    assert read_table("name,r1\na,-1\nb,0.4\n").scale is None


def test_numbers() -> None:
    (row,) = read_table("name,r1,r2,r3,r4\na,−1.50,+2.,.5,1.20e-3\n").rows
    assert [str(cell.number.value) for cell in row.cells] == ["-1.50", "2", "0.5", "0.00120"]
    assert [cell.number.places for cell in row.cells] == [2, 0, 1, 5]


def test_thousands() -> None:
    (row,) = read_table('name,r1,r2\na,"1,234.5","987.5"\n').rows
    assert [str(cell.number.value) for cell in row.cells] == ["1234.5", "987.5"]
    (row,) = read_table("name;r1;r2\na;1 234,5;1.234,75\n").rows
    assert [str(cell.number.value) for cell in row.cells] == ["1234.5", "1234.75"]


def test_names_are_made_printable() -> None:
    name = "a\x1b[31m\u202eb\u200bc" + "x" * 1000
    result = audit(f'name,r1,r2,r3,mean\n"{name}\n",60.1,60.2,60.3,66.2\nb,1.1,1.2,1.3,1.2\n')
    (finding,) = [f for f in result.findings if f.kind == "wrong-mean"]
    assert finding.row == "a [31m b c" + "x" * 1000
    assert finding.message.isprintable()
    assert len(finding.message) < 200


@pytest.mark.parametrize(
    "name",
    ["std_err", "std err", "Std. Error", "acc_std_err", "standard error", "sem", "stderr", "S.E.",
     "standard deviation of the mean", "SD of mean", "Standardfehler", "stdErr"],
)  # fmt: skip
def test_a_standard_error_is_no_sd(name: str) -> None:
    for text in (
        f"model,mean,{name},n\na,90.1,0.2,5\nb,92.3,0.1,5\n",
        f"seed,a,b\n1,90.1,92.2\n2,90.3,92.6\nmean,90.2,92.4\n{name},0.1,0.2\n",
    ):
        table = read_table(text)
        assert table.sd_column is None
        assert [row.sd for row in table.rows] == [None, None]


@pytest.mark.parametrize("name", ["error_std", "std", "Std. dev.", "sd_error"])
def test_the_sd_of_an_error_is_one(name: str) -> None:
    assert read_table(f"model,mean,{name},n\na,0.1,0.02,5\nb,0.3,0.01,5\n").sd_column == name


PLUS_MINUS = "model,acc\na,90.1 ± 0.2\nb,92.3 ± 0.1\nc,92.6 ± 0.2\n"


@pytest.mark.parametrize("text", [
    PLUS_MINUS, PLUS_MINUS.replace(" ± ", "(").replace("\n", ")\n").replace("acc)", "acc"),
    PLUS_MINUS.replace("acc", "acc,±").replace(" ± ", ","),
])  # fmt: skip
def test_what_is_taken_for_an_sd_is_told(text: str) -> None:
    # by hand: of 30 runs, t of c - b is 0.3 / sqrt((0.04 + 0.01) / 30) = 7.3, and with standard
    # errors 0.3 / sqrt(0.04 + 0.01) = 1.3
    result = audit(text, n=30)
    assert result.ranking_printed is not None
    assert result.ranking_printed.verdict == "a full ranking is defensible: c > b > a"
    (note,) = [note for note in result.notes if "taken for SDs" in note]
    assert "were they standard errors of the means, the verdict would be: a partial" in note
    (note,) = [note for note in audit(text, n=5).notes if "taken for SDs" in note]
    assert note.endswith("the verdict would be the same")


@pytest.mark.parametrize("line", ["# {},", "{},"])
def test_what_a_table_says_of_its_spreads_is_heard(line: str) -> None:
    for said in (
        "mean ± standard error over 5 seeds", "mean ± SEM", "± is s.e. of 5 runs",
        "with 95% confidence intervals", "mean ± 95 % CI", "± 2 SD", "± half-range",
    ):  # fmt: skip
        with pytest.raises(DataError, match="an audit takes the spread beside a mean for the SD"):
            audit(f"{line.format(said)}\n{PLUS_MINUS}", n=5, asked=Asked(metric="acc"))
    notes = audit(f"{line.format('mean ± standard deviation')}\n{PLUS_MINUS}", n=5).notes
    assert not any("taken for SDs" in note for note in notes)
    assert any("taken for SDs" in n for n in audit(f"{line.format('SE nets')}\n{PLUS_MINUS}").notes)


@pytest.mark.parametrize(("a", "b"), [("90.0 (2)", "93.1 (1)"), ("90 (2)", "93 (1)")])
def test_whole_numbers_in_brackets_are_asked_about(a: str, b: str) -> None:
    with pytest.raises(UsageError, match="may be ranks, numbers of runs or last digits"):
        audit(f"model,acc\na,{a}\nb,{b}\n", n=5)
    assert audit("model,return\na,1200 (87)\nb,1900 (91)\n", n=5).ranking_printed is not None


def test_numbers_of_test_items_are_no_numbers_of_runs() -> None:
    def text(count: int, name: str = "n") -> str:
        return f"model,acc,std,{name}\na,90.0,0.2,{count}\nb,93.1,0.2,{count}\n"

    for count, items in ((10_000, None), (1319, None), (164, None), (50, 50)):
        with pytest.raises(UsageError, match=f"says {count}, which may be the number of test it"):
            audit(text(count), items=items)
    result = audit(text(10_000), n=3)
    assert [row.n for row in result.rows] == [3, 3]
    assert any("column 'n' is taken for something else" in note for note in result.notes)
    assert [row.n for row in audit(text(1000, "runs")).rows] == [1000, 1000]
    with pytest.raises(UsageError, match="leave --n out"):
        audit(text(5), n=3)


BAD = {
    "": "is empty",
    " \n\t\n": "is empty",
    ";;\n;;": "is empty",
    "\x1f,\x1f\n": "is empty",
    "hello": "single column",
    "name\na\n": "single column",
    "name,r1,mean\n": "no rows",
    "name,r1,r2\na,foo,bar\n": "no column of numbers",
    "name,note\na,60 x\n": "no column of numbers",
    "name,r1,r2\na,60,foo\nb,60,61\n": "r2 in line 2 is 'foo', not a number",
    "name,r1,r2\na,60,61\nb,60\n": "line 3 of the table has 2 cells where the header has 3",
    "name,r1,r2\na,60,61,62\n": "line 2 of the table has 4 cells",
    'name,r1,r2\n"a,60,61\nb,60,61\n': "line 3 of the table has 1 cell where",
    "name,r1\na,60\nb,61\na,62\n": "several rows of a",
    "name,r1,r1\na,60,61\n": "two columns 'r1'",
    "name,mean,average\na,60,61\n": "both look like the mean",
    "name,r1\na,nan\n": "no result that is a number",
    "name,r1,mean\na,60,60.1 ± 0.2\n": "the summary of several runs",
    "name,r1,mean\na,60,60.1 (0.2)\n": "the summary of several runs",
    'name,r1\na,"1,23,4.5"\nb,5\n': "without thousands separators",
    "name;r1\na;12 34,5\nb;5\n": "without thousands separators",
    "name,r1,acc\na,60,61\nb,60,61\na,62,63\n": "several rows of a",
    "model,accuracy,f1,std\nA,76.1,70.3,0.2\nB,69.1,61.3,0.3\n": "one value of each metric",
    "model,first,second,mean\nA,76,78,77\nB,69,69,69\n": "read in two ways",
    'name,r1,r2\na,"60,100","61,200"\n': "a decimal comma or with a thousands separator",
    "name;r1;r2\na;60,1;60.2\n": "write a point here too",
    "name,r1,r2\na,60.1,61.2\nb,0.601,0.612\n": "every accuracy in percent, or every one as a",
    "name,r1,r2,mean\na,0.601,0.612,60.65\n": "every accuracy in percent, or every one as a",
    "vanilla,59.77,60.81\nearly,60.1,60.2\n": "put a row of column names above it",
    "name,r1\n,60\n": "line 2 of the table has no name",
    "name,r1,r2,mean\na,,,60\nb,60,61,60.5\n": "'a' has no values",
    "name,mean,n\na,,4\nb,60,4\n": "'a' has no mean",
    "name,mean,sd,n\na,60,-1,4\n": "an SD is 0 or more",
    "name,mean,n\na,60,3.5\n": "give a whole number from 1",
    "name,mean,n\na,60,0\n": "give a whole number from 1",
    "name,r1\na,1e999\n": "beyond 40 digits",
    f"name,r1\na,{'1' * 60}\n": "beyond 40 digits",
    "a\0b,c\n": "is not text",
    "name,r1\n" + "".join(f"v{i},60\n" for i in range(101)): "101 arms",
    "name,r1\na," + "9" * 200_000 + "\n": "is not a CSV",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_tables(text: str) -> None:
    with pytest.raises(AttnstudyError, match=BAD[text]) as caught:
        audit(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    "options",
    [
        {"items": 0}, {"items": -5}, {"items": True}, {"items": 2.5}, {"items": "many"},
        {"alpha": 0.0}, {"alpha": 0.9}, {"alpha": float("nan")}, {"direction": "up"},
    ],
)  # fmt: skip
def test_bad_arguments(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        audit(BODY, **options)  # type: ignore[arg-type]


def test_one_row_is_audited_but_not_ranked() -> None:
    result = audit("name,r1,r2,r3,mean\na,60.1,60.2,60.3,66.2\n")
    assert [f.kind for f in result.findings] == ["wrong-mean"]
    assert result.ranking_corrected is not None
    assert result.ranking_corrected.verdict.startswith("descriptive only")


cells = st.one_of(
    st.sampled_from(["", "nan", "60", "60.1", "0.6", "1,5", "59.77%", "-3", "1e-5", "a", "±", '"']),
    st.integers(0, 10_000).map(lambda v: f"{v / 100:.2f}"),
    st.text(max_size=4),
)
headings = st.one_of(
    st.sampled_from(["name", "r1", "r2", "mean", "sd", "n", "", "seed", "Average", "0"]),
    st.text(max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=5), max_size=4),
    header=st.lists(headings, min_size=1, max_size=5),
    delimiter=st.sampled_from([",", ";", "\t"]),
    items=st.sampled_from([None, 1, 360, 10_000]),
)
@example(
    rows=[["a", "0", "0"], ["b", "0", "0"]], header=["name", "r1", "sd"], delimiter=",", items=1
)
def test_whatever_is_given_there_is_an_answer_or_one_sentence(
    rows: list[list[str]], header: list[str], delimiter: str, items: int | None
) -> None:
    text = "\n".join(delimiter.join(line) for line in [header, *rows])
    try:
        said = audit(text, items=items)
    except AttnstudyError as error:
        sentence = str(error)
    else:
        json.dumps(said.to_json(), allow_nan=False)
        sentence = said.sentence
    assert sentence
    assert "\n" not in sentence
