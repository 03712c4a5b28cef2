"""How a table is written down: as text in its many forms, or as a frame."""

from __future__ import annotations

import csv
import io
import math
from decimal import Decimal
from typing import Any, Literal

from tests.fuzzing import words
from tests.fuzzing.tables import Case, Cells, Number, Result


def write(case: Case) -> None:
    """Write the table of a case, in one file or several, or leave it to be made a frame."""
    rng = case.rng
    if not case.split_by and case.chance(0.12):
        case.frame = rng.choice(["pandas", "polars", "parquet"])
        case.parts.append(case.frame)
        cells = [row.get(h, "") for row in case.rows for h in case.header]
        if case.frame == "pandas" and any(c in words.EMPTY or c in words.DIVERGED for c in cells):
            case.doubts.append("a frame does not tell empty from NaN")
        if any(c in words.EMPTY and c for c in cells):
            case.doubts.append("a gap in words in a frame")
        return
    form = _Form(case)
    if not case.split_by:
        case.files["results.csv"] = form.text(case.header, case.rows)
        return
    values = list(dict.fromkeys(row.get(case.split_by, "") for row in case.rows))
    header = [h for h in case.header if h != case.split_by]
    by_arm = any(case.split_by in row and row[case.split_by] in case.runs for row in case.rows)
    if len(values) < 2:
        case.split_by = ""
        case.files["results.csv"] = form.text(case.header, case.rows)
        return
    for index, value in enumerate(values):
        mine = [row for row in case.rows if row.get(case.split_by, "") == value]
        case.files[f"part{index}.csv"] = form.text(header, mine)
    case.parts.append("a file an arm" if by_arm else "a file a seed")
    case.doubts.append("several files")
    if by_arm:
        names = dict(zip(values, case.files, strict=True))
        if not set(values) >= set(case.runs):
            case.traps.append("files do not name the arms")
            return
        case.runs = {names[arm]: runs for arm, runs in case.runs.items()}
        case.diverged = {names[arm]: n for arm, n in case.diverged.items()}
        if "by" in case.asked:
            case.asked["by"] = ("file",)
    elif "a file a setting" in case.parts:
        return
    else:
        case.runs = {a: [(None, v) for _, v in runs] for a, runs in case.runs.items()}
        case.asked.pop("seed_by", None)
        if case.chance(0.5):
            case.asked["allowed"] = ("file",)
        else:
            case.traps.append("the files may differ in anything")


class _Form:
    """The choices of one way to write text."""

    def __init__(self, case: Case) -> None:
        rng = case.rng
        self.case = case
        self.delimiter = rng.choices([",", ";", "\t"], [6, 3, 2])[0]
        self.comma = rng.random() < {",": 0.05, ";": 0.6, "\t": 0.3}[self.delimiter]
        self.percent = case.low > 50 and case.low < 101 and case.chance(0.08)
        self.grouped = case.low > 1000 and case.chance(0.4)
        if self.grouped and self.delimiter == ";":
            self.comma = True  # a comma for thousands between semicolons nobody could tell
        if self.comma and self.grouped and case.decimals == 0:
            self.grouped = False  # nobody could tell 1.024 from a number with three decimals
        if self.comma and self.delimiter != ";" and case.decimals == 3 and case.low > 1:
            case.doubts.append("a comma before three digits")
        if self.grouped and case.decimals == 0:
            case.doubts.append("thousands or three decimals")
        self.scientific = not (self.percent or self.grouped) and case.chance(0.03)
        self.bare_point = case.low < 1 and not self.scientific and case.chance(0.05)
        self.minus = case.low < 0 and case.chance(0.3)
        self.ends = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
        self.quote: Literal[0, 1] = csv.QUOTE_ALL if case.chance(0.1) else csv.QUOTE_MINIMAL
        self.encoding = rng.choices(
            ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"], [14, 2, 1, 0.3, 0.5]
        )[0]
        self.extras = [
            one
            for one, probability in (
                ("comment", 0.06), ("comment inside", 0.03), ("title", 0.04),
                ("repeated header", 0.04), ("index", 0.06), ("two headers", 0.03),
                ("sep=", 0.04), ("empty end", 0.05), ("blank lines", 0.05), ("spaces", 0.05),
                ("named index", 0.03), ("notes below", 0.01),
            )
            if case.chance(probability)
        ]  # fmt: skip
        case.parts += ["scientific"] * self.scientific + ["no zero"] * self.bare_point
        if self.encoding == "latin-1" and self.minus:
            self.encoding = "utf-8"
        if self.encoding in ("utf-16-be", "latin-1"):
            case.doubts.append("an encoding that has to be guessed")
        if "notes below" in self.extras:
            case.doubts.append("a sentence below the table")
        case.parts += [self.encoding, f"delimiter {self.delimiter!r}", *self.extras]
        case.parts += ["decimal comma"] * self.comma

    def text(self, header: list[str], rows: list[Cells]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(
            out,
            delimiter=self.delimiter,
            quoting=self.quote,
            lineterminator=self.ends,
        )
        lines = [[self._cell(row.get(h, "")) for h in header] for row in rows]
        tops = [list(header)]
        if "index" in self.extras:
            tops = [["", *header]]
            lines = [[str(i), *line] for i, line in enumerate(lines)]
        elif "two headers" in self.extras and self.case.parts[1] == "arms":
            above = ["score" if name in self.case.arms else "" for name in header]
            tops = [above, list(header)]
            self.case.doubts.append("two rows of headings")
            self.case.runs = {f"score {a}": runs for a, runs in self.case.runs.items()}
            self.case.diverged = {f"score {a}": n for a, n in self.case.diverged.items()}
        if "empty end" in self.extras:
            tops = [[*top, "", ""] for top in tops]
            lines = [[*line, "", ""] for line in lines]
        if "repeated header" in self.extras and len(lines) > 2:
            lines.insert(len(lines) // 2, list(tops[-1]))
        if "sep=" in self.extras:
            out.write(f"sep={self.delimiter}{self.ends}")
        if "comment" in self.extras:
            out.write(self.case.rng.choice(words.COMMENTS) + self.ends)
        if "title" in self.extras:
            out.write(self.case.rng.choice(words.TITLES) + self.ends)
        for index, line in enumerate([*tops, *lines]):
            if "blank lines" in self.extras and index in (0, 2):
                out.write(self.ends)
            if "comment inside" in self.extras and index == 2:
                out.write("# the first one again" + self.ends)
            writer.writerow([f" {c}" if "spaces" in self.extras and c else c for c in line])
        if "notes below" in self.extras:
            out.write("All values are means of nothing" + self.ends)
        data = out.getvalue()
        if self.encoding == "latin-1":
            encodable = all(ord(c) < 256 for c in data)
            return data.encode("latin-1" if encodable else "utf-8")
        return data.encode(self.encoding)

    def _cell(self, cell: str) -> str:
        if not isinstance(cell, Number):
            return cell
        text = str(cell)
        if self.grouped and isinstance(cell, Result):
            text = f"{float(cell):,.{self.case.decimals}f}"
        if self.scientific and isinstance(cell, Result):
            text = f"{Decimal(cell):e}"
        if self.bare_point and isinstance(cell, Result):
            text = text.removeprefix("0")
        if self.minus:
            text = text.replace("-", "−")
        if self.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        return text + "%" * (self.percent and isinstance(cell, Result))


def columns_of(case: Case) -> dict[str, list[Any]]:
    """Return the columns of a case as a program holds them: numbers, texts and nothing."""
    return {h: _typed([row.get(h, "") for row in case.rows]) for h in case.header}


def _typed(cells: list[str]) -> list[Any]:
    filled = [c for c in cells if c not in words.EMPTY]
    whole = bool(filled) and all(c.isascii() and c.isdigit() and len(c) < 16 for c in filled)
    numbers = any(isinstance(c, Number) for c in filled) and all(
        isinstance(c, Number) or c in words.DIVERGED for c in filled
    )
    if not whole and not numbers:
        return [c if c else None for c in cells]

    def typed(cell: str) -> Any:
        if cell in words.EMPTY:
            return None
        if cell in words.DIVERGED:
            return math.inf if "inf" in cell else math.nan
        return int(cell) if whole and not isinstance(cell, Number) else float(cell)

    return [typed(cell) for cell in cells]
