"""Tables of results with a known truth, each made from a number.

A case is a table as somebody might have it: its files or its frame, how it is asked about, the
truth, and whether a person could read it in one way only (``doubts`` says why not) or in no way
that makes sense (``traps``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from attnstudy.tables.points import Point
from tests.fuzzing import words

Cells = dict[str, str]


class Number(str):
    """A cell with a number, written with a decimal point."""


class Result(Number):
    """A result: a percent sign may follow it, thousands may be marked."""


@dataclass(slots=True)
class Case:
    """A table and its truth."""

    number: int
    rng: random.Random
    arms: list[str] = field(default_factory=list)
    runs: dict[str, list[tuple[int | None, float]]] = field(default_factory=dict)
    """Arm -> seed (none where nothing numbers the runs) and value of each run that counts."""
    diverged: dict[str, int] = field(default_factory=dict)
    metric: str = "accuracy"
    direction: str | None = None
    """None where the table does not name the metric."""
    header: list[str] = field(default_factory=list)
    rows: list[Cells] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    """Options of ``rank``."""
    parts: list[str] = field(default_factory=list)
    """What was put in."""
    doubts: list[str] = field(default_factory=list)
    traps: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    frame: str = ""
    """``pandas``, ``polars`` or ``parquet``, where the table is no text."""
    decimals: int = 2
    low: float = 60.0
    spread: float = 1.0
    split_by: str = ""
    """The column of which every value has a file of its own."""

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def text(self, value: float) -> Result:
        return Result(f"{value:.{self.decimals}f}")

    def draw(self, centre: float) -> Result:
        return self.text(centre + self.rng.gauss(0, self.spread))

    def add(self, heading: str, cells: list[str], *, doubt: str = "") -> bool:
        """Add a column at a random place, unless there is one of that name."""
        if heading in self.header:
            return False
        self.header.insert(self.rng.randint(0, len(self.header)), heading)
        for row, cell in zip(self.rows, cells, strict=True):
            row[heading] = cell
        if doubt:
            self.doubts.append(doubt)
        return True


def case_of(number: int) -> Case:
    """Return the case that a number stands for, always the same."""
    case = Case(number, random.Random(number))
    rng = case.rng
    _scale(case)
    layout = rng.choices(
        ["rows", "curves", "arms", "runs", "two tasks", "metrics", "no runs", "chart", "flat"],
        [9, 3, 5, 5, 1, 1, 1, 0.5, 0.5],
    )[0]
    case.parts.append(layout)
    {
        "rows": _rows_are_runs,
        "curves": _curves,
        "arms": _columns_are_arms,
        "runs": _columns_are_runs,
        "two tasks": _tasks_and_arms,
        "metrics": _metrics_side_by_side,
        "no runs": _summaries,
        "chart": _chart,
        "flat": _one_row,
    }[layout](case)
    return case


def _scale(case: Case) -> None:
    rng = case.rng
    falling = case.chance(0.25)
    case.metric = _spelt(case, rng.choice(words.FALLING if falling else words.RISING))
    case.direction = "minimize" if falling else "maximize"
    scale = rng.choices(["percent", "fraction", "large", "small", "negative"], [6, 3, 1, 1, 0.5])[0]
    case.decimals, case.low, case.spread = {
        "percent": (rng.choice([1, 2, 2, 3]), 60.0, 1.0),
        "fraction": (rng.choice([3, 4, 4]), 0.6, 0.01),
        "large": (rng.choice([0, 1, 2]), 2000.0, 300.0),
        "small": (4, 0.02, 0.002),
        "negative": (rng.choice([1, 2]), -150.0, 9.0),
    }[scale]
    case.parts.append(scale)


def _spelt(case: Case, heading: str) -> str:
    """Return a heading, now and then in capitals or with other marks between its words."""
    if case.chance(0.06):
        return heading.upper()
    if case.chance(0.06) and " " not in heading:
        return heading.replace("_", case.rng.choice([" ", "-", "."]))
    if case.chance(0.04):
        return heading.capitalize()
    return heading


def _name_arms(case: Case, doubtful: float = 0.05) -> None:
    rng = case.rng
    count = rng.choices([2, 3, 4, 5, 7], [3, 4, 3, 1, 1])[0]
    names = rng.sample(words.ARMS, count)
    if case.chance(0.25):
        strange = rng.sample(words.STRANGE_ARMS, min(count, rng.choice([1, 1, 2])))
        names[: len(strange)] = strange
        case.parts.append("strange arms")
    if case.chance(doubtful):
        names[-1] = rng.choice(words.DOUBTFUL_ARMS)
        case.doubts.append(f"an arm called {names[-1]}")
    if not case.decimals:  # whole numbers below such a name are those of seeds
        names = ["base" if name in ("seed", "run") else name for name in names]
    if "#1" in names:
        case.doubts.append("an arm called as a comment is")
    if "50%" in names:
        case.doubts.append("an arm called as a number is")
    rng.shuffle(names)
    case.arms = list(dict.fromkeys(names))


def _numbers(case: Case, count: int) -> list[int]:
    rng = case.rng
    return rng.choice([
        list(range(count)),
        list(range(count)),
        list(range(1, count + 1)),
        ([42, 1337, 2024, 7, 123, 3407, 99, 5])[:count],
        [rng.randrange(2**31) for _ in range(count)],
    ])  # fmt: skip


def _written(case: Case, seeds: list[int]) -> dict[int, str]:
    how = case.rng.choices(["{}", "{}.0", "seed_{}", "run {}", "#{}"], [8, 1, 1, 0.5, 0.5])[0]
    return {seed: how.format(seed) for seed in seeds}


def _value_or_gap(case: Case, arm: str, seed: int | None, gaps: float) -> str:
    """Return the cell of a run, and note what it comes to."""
    centre = case.low * (1 + 0.02 * case.arms.index(arm))
    have = len(case.runs.setdefault(arm, []))
    if have >= 2 and case.chance(gaps):
        if case.chance(0.4):
            case.diverged[arm] = case.diverged.get(arm, 0) + 1
            case.parts.append("diverged")
            return case.rng.choice(words.DIVERGED)
        case.parts.append("empty")
        return case.rng.choice(words.EMPTY)
    value = case.draw(centre)
    case.runs[arm].append((seed, float(value)))
    return value


def _long(case: Case, *, seeded: bool) -> tuple[str, str, list[tuple[str, int]]]:
    """Make a row per run; return the headings of arm and seed, and arm and seed of each row."""
    rng = case.rng
    _name_arms(case)
    arm_heading = _spelt(case, rng.choice(words.ARM_HEADINGS))
    seed_heading = _spelt(case, rng.choice(words.SEED_HEADINGS)) if seeded else ""
    seeds = _numbers(case, rng.choice([2, 3, 4, 5, 6]))
    written = _written(case, seeds)
    gaps = 0.15 if case.chance(0.25) else 0.0
    whose = []
    for arm in case.arms:
        mine = seeds if case.chance(0.8) else seeds[: rng.randint(2, len(seeds))]
        for seed in mine:
            cell = _value_or_gap(case, arm, seed if seeded else None, gaps)
            case.rows.append({arm_heading: arm, seed_heading: written[seed], case.metric: cell})
            whose.append((arm, seed))
    case.header = [h for h in (arm_heading, seed_heading, case.metric) if h]
    if seeded and len(case.rows) > 4 and case.chance(0.03):
        rng.choice(case.rows)[seed_heading] = rng.choice(["3b", "", "x", "0.5"])
        case.doubts.append("a seed that is none")
    return arm_heading, seed_heading, whose


def _rows_are_runs(case: Case) -> None:
    rng = case.rng
    seeded = case.chance(0.75)
    arm, seed, whose = _long(case, seeded=seeded)
    if case.chance(0.15):
        _second_part(case, arm, whose)
    elif case.chance(0.12):
        _crossed_part(case, arm, whose, seeded=seeded)
    elif case.chance(0.25):
        _confound(case, whose, seeded=seeded)
    if seeded and case.chance(0.07) and not case.asked:
        case.rows.append(dict(rng.choice(case.rows)))
        whose.append(("", -1))
        case.traps.append("a run appears twice")
    if case.chance(0.25):
        _unfinished(case, arm, seed, whose)
    _noise(case, whose)
    if case.chance(0.5):
        rng.shuffle(case.rows)
    if case.chance(0.15):
        _mean_rows(case, arm, seed)
    _ask(case, arm, seed)
    once = "a run appears twice" not in case.traps and not (
        {"mean rows", "crossed columns of arms"} & set(case.parts)
    )
    if case.split_by:
        case.parts.append("a file a setting")
    elif case.chance(0.1) and once:
        case.split_by = rng.choice([c for c in (arm, seed) if c])
    _write(case)


def _second_part(case: Case, first: str, whose: list[tuple[str, int]]) -> None:
    """Make arms of two columns."""
    rng = case.rng
    heading = rng.choice([h for h in ("activation", "size", "Optimierer", "aug") if h != first])
    parts = rng.sample(["relu", "gelu", "tanh", "s", "m", "l", "none"], 2)
    # every arm takes one of two, so that the first column alone names it as well
    of = {arm: parts[i % 2] for i, arm in enumerate(case.arms)}
    case.add(heading, [of[arm] for arm, _ in whose])
    case.asked["by"] = (first, heading)
    for arm in case.arms:
        name = f"{arm} / {of[arm]}"
        case.runs[name] = case.runs.pop(arm)
        if arm in case.diverged:
            case.diverged[name] = case.diverged.pop(arm)
    case.arms = [f"{arm} / {of[arm]}" for arm in case.arms]
    case.parts.append("two columns of arms")


def _crossed_part(case: Case, first: str, whose: list[tuple[str, int]], *, seeded: bool) -> None:
    """Make arms of two columns, of which neither names an arm alone."""
    rng = case.rng
    heading = rng.choice([h for h in ("activation", "aug", "Optimierer") if h != first])
    parts = rng.sample(["relu", "gelu", "tanh", "none", "cutmix"], 2)
    case.parts.append("crossed columns of arms")
    original, owners = list(case.rows), list(whose)
    case.add(heading, [parts[0]] * len(case.rows))
    names = {(arm, part): f"{arm} / {part}" for arm in case.arms for part in parts}
    runs = {names[arm, parts[0]]: found for arm, found in case.runs.items()}
    case.diverged = {names[arm, parts[0]]: n for arm, n in case.diverged.items()}
    for row, (arm, seed) in zip(original, owners, strict=True):
        value = case.draw(case.low * 1.05)
        case.rows.append({**row, heading: parts[1], case.metric: value})
        whose.append((arm, seed))
        mine = runs.setdefault(names[arm, parts[1]], [])
        mine.append((seed if seeded else None, float(value)))
    case.runs = runs
    case.arms = list(runs)
    if case.chance(0.7):
        case.asked["by"] = (first, heading)
    else:
        case.traps.append(f"the arms are crossed with {heading}")


def _confounder(case: Case) -> tuple[str, list[str]]:
    heading, levels = case.rng.choice(words.CONFOUNDERS)
    return heading, [Number(level) if "." in level else level for level in levels]


def _confound(case: Case, whose: list[tuple[str, int]], *, seeded: bool) -> None:
    """Let the runs of an arm differ in a further column."""
    heading, levels = _confounder(case)
    folds = heading.casefold() in ("fold", "falte")
    if heading in case.header or (folds and not seeded):
        return
    case.parts.append(f"differs in {heading}")
    crossed = case.chance(0.6)
    if crossed:
        kept = levels[0]
        original, owners = list(case.rows), list(whose)
        case.add(heading, [kept] * len(case.rows))
        for shift, level in enumerate(levels[1:], start=1):
            for row, owner in zip(original, owners, strict=True):
                again = dict(row)
                again[heading] = level
                again[case.metric] = case.draw(case.low * (1 - 0.05 * shift))
                case.rows.append(again)
                whose.append(owner)
        if case.chance(0.4):
            case.asked["filters"] = (f"{heading}={kept}",)
            return
        if case.chance(0.2):
            case.split_by = heading
    else:
        seeds = list(dict.fromkeys(seed for _, seed in whose))
        case.add(heading, [levels[seeds.index(seed) % len(levels)] for _, seed in whose])
        if folds:
            case.doubts.append("folds beside seeds")
            return
    case.traps.append(f"runs of an arm differ in {heading}")


def _unfinished(case: Case, arm: str, seed: str, whose: list[tuple[str, int]]) -> None:
    """Add runs that did not end, with results that mean nothing."""
    rng = case.rng
    heading, good, bad = rng.choice(words.STATES)
    if not case.add(heading, [rng.choice(good) for _ in case.rows]):
        return
    case.parts.append(f"states {heading}")
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        index = rng.randrange(len(whose))
        again = dict(case.rows[index])
        again[heading] = rng.choice(bad)
        again[case.metric] = rng.choice(["", case.draw(case.low / 3), case.draw(case.low)])
        if seed and case.chance(0.5):
            again[seed] = "777"
        case.rows.append(again)
        whose.append((again[arm], 777))


def _noise(case: Case, whose: list[tuple[str, int]]) -> None:
    """Add columns that do not matter, and a few that might."""
    rng = case.rng
    many = rng.choices([0, 1, 3, 6], [4, 3, 2, 1])[0]
    count = len(case.rows)
    for _ in range(many):
        kind = rng.choice(["name", "id", "date", "runtime", "notes", "constant", "constant",
                           "metric", "epoch of", "by arm"])  # fmt: skip
        if kind == "name":
            heading = rng.choice(["Name", "run_name", "display_name", "tags.mlflow.runName"])
            cells = [f"{rng.choice(['lively', 'eager'])}-fox-{i}" for i in range(count)]
        elif kind == "id":
            heading = rng.choice(["run_id", "ID", "uuid", "Job ID", "trial_id"])
            cells = [f"{rng.getrandbits(32):08x}" for _ in range(count)]
        elif kind == "date":
            heading = rng.choice(["Created", "start_time", "date", "Datum", "timestamp"])
            cells = [f"2024-05-{rng.randint(1, 28):02d}" for _ in range(count)]
        elif kind == "runtime":
            heading = rng.choice(["Runtime", "duration", "Laufzeit", "time (s)", "train_time"])
            cells = [Number(f"{rng.uniform(100, 200):.1f}") for _ in range(count)]
            if heading in ("time (s)", "train_time") and "metric" not in case.asked:
                case.doubts.append("a time beside the results")
        elif kind == "notes":
            heading = rng.choice(["Notes", "comment", "Bemerkung", "remarque"])
            cells = [rng.choice(["", "", "rerun", "ok, I think"]) for _ in range(count)]
        elif kind == "constant":
            heading, value = rng.choice(words.CONSTANTS)
            cells = [Number(value) if "." in value else value] * count
        elif kind == "metric":
            heading = rng.choice(words.OTHER_METRICS)
            cells = [Number(f"{rng.uniform(0.1, 0.9):.4f}") for _ in range(count)]
            if heading not in case.header:
                if case.chance(0.7):
                    case.asked["metric"] = case.metric
                else:
                    case.doubts.append("several metrics")
        elif kind == "epoch of":
            heading = rng.choice(["best_epoch", "epochs trained"])
            cells = [str(rng.randint(10, 90)) for _ in range(count)]
            case.doubts.append("an outcome that looks like a setting")
        else:
            heading = rng.choice(["params (M)", "flops", "Parameter"])
            by_arm = {arm: Number(f"{rng.uniform(1, 50):.1f}") for arm, _ in whose}
            cells = [by_arm[arm] for arm, _ in whose]
            if heading == "Parameter" and "metric" not in case.asked:
                case.doubts.append("a further column of numbers")
        case.add(heading, cells)
        case.parts.append(f"noise {heading}")


def _mean_rows(case: Case, arm: str, seed: str) -> None:
    """Add rows of means: one per arm, named where the seed stands, or one over all."""
    rng = case.rng
    label = rng.choice(words.MEANS)
    case.parts.append("mean rows")
    # only where all rows count, so that the mean is the one of the runs
    if case.diverged or "filters" in case.asked or case.traps:
        return
    parts = case.asked.get("by", (arm,))
    if seed and case.chance(0.1):
        label = ""
        case.doubts.append("means without a label")
    if seed and (case.chance(0.7) or not label):
        for name in case.arms:
            values = [value for _, value in case.runs[name]]
            of = dict(zip(parts, name.split(" / "), strict=True)) if len(parts) > 1 else {arm: name}
            row = {seed: label, **of, case.metric: case.text(sum(values) / len(values))}
            last = [i for i, r in enumerate(case.rows) if all(r.get(k) == v for k, v in of.items())]
            case.rows.insert(last[-1] + 1 if case.chance(0.5) else len(case.rows), row)
        return
    if any(row.get(case.metric) == "" for row in case.rows):
        case.doubts.append("a mean beside gaps")
    if len(parts) > 1:
        case.doubts.append("a mean over all in one of several columns")
    everything = [value for runs in case.runs.values() for _, value in runs]
    case.rows.append({arm: label, case.metric: case.text(sum(everything) / len(everything))})
    if not seed:
        case.doubts.append("a mean over all without seeds")


def _curves(case: Case) -> None:
    """Make a row a step of a run; the last step has the result."""
    rng = case.rng
    seeded = case.chance(0.8)
    arm, seed, _ = _long(case, seeded=seeded)
    step = rng.choice(words.EPOCHS)
    many = rng.randint(2, 5)
    run_id = rng.choice(["run_id", "Name"]) if case.chance(0.3) or not seeded else ""
    if not seeded and case.chance(0.3):
        run_id = ""
        case.traps.append("steps of runs that nothing tells apart")
    shift = rng.choice([0, 1])
    rows = []
    for index, row in enumerate(case.rows):
        for point in range(many):
            last = point == many - 1
            again = {**row, step: str(point + shift)}
            if run_id:
                again[run_id] = f"run-{index}"
            if not last:
                again[case.metric] = case.draw(case.low * (0.8 + 0.02 * point))
            rows.append(again)
    gone = [row for row in rows if row[step] == str(many - 1 + shift) and row[case.metric] == ""]
    if gone or any(row[case.metric] in words.EMPTY for row in rows):
        case.doubts.append("a curve without its last point")
        case.traps.clear()
        for name in case.arms:
            case.runs[name] = []
        _last_points(case, rows, arm, step, run_id or seed, seed)
    case.rows = rows
    case.header += [h for h in (step, run_id) if h]
    if not case.doubts and not case.traps and not case.diverged and case.chance(0.3):
        _another_point(case, arm, step, run_id or seed, seed)
    rng.shuffle(case.header)
    if case.chance(0.6):
        rng.shuffle(case.rows)
    if case.chance(0.3):
        case.add(*_constant(case))
    _ask(case, arm, seed)
    _write(case)


def _another_point(case: Case, arm: str, step: str, run: str, seed: str) -> None:
    """Ask for another point of the curves than the last."""
    rng = case.rng
    judge = rng.choice(["val_acc", "val_accuracy", "val_loss", "val/err"])
    if judge in case.header:
        return
    curves: dict[tuple[str, str], list[Cells]] = {}
    for row in case.rows:
        curves.setdefault((row[arm], row[run]), []).append(row)
    best = case.chance(0.6)
    case.asked["metric"] = case.metric
    case.asked["point"] = (
        Point("best", of=judge) if best else Point("step", step=float(case.rows[0][step]))
    )
    case.parts.append("another point")
    if best:
        case.header.append(judge)
    for name in case.arms:
        case.runs[name] = []
    for (name, _), rows in curves.items():
        if best:
            values = rng.sample(range(1000, 9999), len(rows))
            for row, value in zip(rows, values, strict=True):
                row[judge] = Number(f"{value / 10000:.4f}")
            chosen = values.index(max(values) if "acc" in judge else min(values))
        else:
            chosen = [row[step] for row in rows].index(case.rows[0][step])
        said = "".join(c for c in rows[0][seed].removesuffix(".0") if c.isdigit()) if seed else ""
        case.runs[name].append((int(said) if said else None, float(rows[chosen][case.metric])))


def _last_points(case: Case, rows: list[Cells], arm: str, step: str, run: str, seed: str) -> None:
    """Work out the last point with a value of every curve."""
    points: dict[tuple[str, str], tuple[int, Cells]] = {}
    for row in rows:
        if row[case.metric] in words.EMPTY:
            continue
        key = (row[arm], row.get(run, ""))
        if key not in points or points[key][0] < int(row[step]):
            points[key] = (int(row[step]), row)
    for (name, _), (_, row) in points.items():
        if row[case.metric] not in words.DIVERGED:
            said = "".join(c for c in row[seed].removesuffix(".0") if c.isdigit()) if seed else ""
            number = int(said) if said else None
            case.runs[name].append((number, float(row[case.metric])))


def _constant(case: Case) -> tuple[str, list[str]]:
    heading, value = case.rng.choice([c for c in words.CONSTANTS if c[0] not in words.EPOCHS])
    return heading, [Number(value) if "." in value else value] * len(case.rows)


def _columns_are_arms(case: Case) -> None:
    rng = case.rng
    _name_arms(case, 0.1)
    case.direction = None
    seeds = _numbers(case, rng.choice([2, 3, 4, 5, 6]))
    seeded = case.chance(0.7)
    heading = rng.choice(words.SEED_HEADINGS) if seeded else ""
    written = _written(case, seeds)
    gaps = 0.15 if case.chance(0.25) else 0.0
    case.rows = [{heading: written[seed]} if heading else {} for seed in seeds]
    for arm in case.arms:
        mine = seeds if case.chance(0.85) else seeds[: rng.randint(2, len(seeds))]
        for row, seed in zip(case.rows, seeds, strict=True):
            row[arm] = (
                _value_or_gap(case, arm, seed if seeded else None, gaps) if seed in mine else ""
            )
    case.header = [heading, *case.arms] if heading else list(case.arms)
    if any(arm in (heading, case.metric) for arm in case.arms):
        case.doubts.append("an arm called as the seeds are")
        if heading in case.arms:
            case.header = list(case.arms)
            case.runs = {a: [(None, value) for _, value in r] for a, r in case.runs.items()}
    metrics_too = {"f1", "accuracy", "loss", "top1", "seed", "run", "model", "cifar10", "18"}
    if metrics_too & set(case.arms):
        case.doubts.append("an arm called as a metric is")
    if case.chance(0.5):
        rng.shuffle(case.header)
    _aggregates_of_rows(case, heading)
    if case.chance(0.2):
        _mean_columns(case)
    if case.chance(0.2):
        case.add(*_constant(case))
    if case.chance(0.1):
        texts = [f"2024-05-{rng.randint(1, 28):02d}" for _ in case.rows]
        case.add(rng.choice(["date", "Datum", "Created"]), texts)
    if case.chance(0.1) and heading and not case.doubts:
        confounder, levels = _confounder(case)
        cells = [levels[i % len(levels)] for i in range(len(case.rows))]
        if confounder not in case.header and len(case.rows) >= len(levels):
            case.add(confounder, cells)
            folds = confounder.casefold() in ("fold", "falte")
            (case.doubts if folds else case.traps).append(f"rows differ in {confounder}")
            if case.asked.get("layout"):
                case.doubts.append("asked")
    if case.chance(0.2):
        case.asked["layout"] = "columns-are-arms"
    if case.chance(0.2) and heading:
        case.asked["seed_by"] = heading
    if case.chance(0.3):
        case.asked["metric"] = "score"
    _write(case)


def _aggregates_of_rows(case: Case, heading: str) -> None:
    """Add rows below that hold statistics of the columns, with or without saying so."""
    rng = case.rng
    if not case.chance(0.3):
        return
    columns = {
        arm: [float(row[arm]) for row in case.rows if isinstance(row.get(arm), Number)]
        for arm in case.arms
    }
    labels = [rng.choice(words.MEANS)]
    if case.chance(0.5):
        labels.append(rng.choice(words.SDS))
    if case.chance(0.2):
        labels.append(rng.choice(words.OTHER_STATISTICS))
    unlabelled = not heading or case.chance(0.1)
    if unlabelled and (len(case.rows) < 3 or case.decimals < 2):
        return  # nobody could tell such a row from a run
    case.parts.append("statistics below")
    for label in labels[:1] if unlabelled else labels:
        row: Cells = {arm: _statistic(case, label, found) for arm, found in columns.items()}
        if heading and not unlabelled:
            row[heading] = label
        case.rows.append(row)
    if unlabelled:
        case.doubts.append("an unlabelled mean")


def _statistic(case: Case, label: str, found: list[float]) -> Result:
    mean = sum(found) / len(found)
    if label in words.MEANS:
        return case.text(mean)
    if label in words.SDS or label in ("SE", "sem"):
        squares = sum((value - mean) ** 2 for value in found)
        return case.text((squares / max(1, len(found) - 1)) ** 0.5)
    if label.lower().startswith("max"):
        return case.text(max(found))
    if label.lower().startswith("min"):
        return case.text(min(found))
    return case.text(sorted(found)[len(found) // 2])


def _mean_columns(case: Case) -> None:
    """Add columns with statistics of the rows."""
    labels = [case.rng.choice(words.MEANS)]
    if case.chance(0.3):
        labels.append(case.rng.choice(words.SDS))
    case.parts.append("statistics beside")
    for label in labels:
        cells = []
        for row in case.rows:
            found = [float(row[a]) for a in case.arms if isinstance(row.get(a), Number)]
            cells.append(_statistic(case, label, found) if found else "")
        case.add(label, list(cells))


def _columns_are_runs(case: Case) -> None:
    rng = case.rng
    _name_arms(case)
    case.direction = None
    heading = rng.choice(words.ARM_HEADINGS)
    count = rng.choice([2, 3, 4, 5, 6])
    how = rng.choice(["run {}", "run{}", "Run {}", "seed {}", "seed={}", "seed_{}", "Lauf {}",
                      "acc_{}", "{}", "trial_{}", "run #{}", "graine {}", "semilla {}",
                      "test_acc_{}", "s{}", "seed {} (%)", "fold {}"])  # fmt: skip
    counted = how in ("acc_{}", "{}", "test_acc_{}", "s{}")
    first = 0 if "acc" in how else 1  # from 1, a metric's numbers may be horizons
    seeds = list(range(first, first + count)) if counted else _numbers(case, count)
    named = [how.format(seed) for seed in seeds]
    if how.startswith("seed"):
        case.parts.append("seeds above")
    gaps = 0.15 if case.chance(0.25) else 0.0
    for arm in case.arms:
        seeded = how.startswith("seed")
        mine = seeds if case.chance(0.85) else seeds[: rng.randint(2, len(seeds))]
        row = {heading: arm}
        for seed, name in zip(seeds, named, strict=True):
            row[name] = (
                _value_or_gap(case, arm, seed if seeded else None, gaps) if seed in mine else ""
            )
        case.rows.append(row)
    case.header = [heading, *named]
    if case.chance(0.15):
        rng.shuffle(case.header)
    if case.chance(0.35):
        _summary_columns(case, named)
    if case.chance(0.15):
        row = {heading: rng.choice(words.MEANS)}
        for name in named:
            found = [float(r[name]) for r in case.rows if isinstance(r.get(name), Number)]
            row[name] = _statistic(case, row[heading], found) if found else ""
        case.rows.append(row)
        case.parts.append("a mean row")
    if case.chance(0.2):
        case.add(*_constant(case))
    if case.chance(0.15):
        case.add("params (M)", [Number(f"{rng.uniform(1, 50):.1f}") for _ in case.rows])
    if case.chance(0.1):
        case.add("Notes", [rng.choice(["", "ours"]) for _ in case.rows])
    if case.chance(0.15):
        case.asked["by"] = (heading,)
    if case.chance(0.2):
        case.asked["layout"] = "columns-are-runs"
    if case.chance(0.08):
        _again_on_another_task(case, named)
    if case.chance(0.06):
        _runs_of_another_metric(case, seeds, how)
    _write(case)


def _again_on_another_task(case: Case, named: list[str]) -> None:
    """Give every arm a second row, of another data set."""
    confounder, levels = _confounder(case)
    if confounder in case.header:
        return
    first = list(case.rows)
    case.add(confounder, [levels[0]] * len(first))
    for row in first:
        again = {**row, confounder: levels[1]}
        again |= {name: case.draw(case.low * 0.9) for name in named if row.get(name)}
        case.rows.append(again)
    if case.chance(0.4):
        case.asked["filters"] = (f"{confounder}={levels[0]}",)
    else:
        case.traps.append(f"two rows per arm that differ in {confounder}")


def _runs_of_another_metric(case: Case, seeds: list[int], how: str) -> None:
    """Add runs of a second metric beside those of the first."""
    other = case.rng.choice(["loss_{}", "f1_{}", "val_acc_{}", "time_{}"])
    if other == how or how.startswith("test_acc"):
        return
    for seed in seeds:
        case.add(other.format(seed), [case.draw(case.low / 3) for _ in case.rows])
    case.doubts.append("runs of two metrics")
    if how.startswith("acc") and case.chance(0.5):
        case.asked["metric"] = "acc"


def _summary_columns(case: Case, named: list[str]) -> None:
    rng = case.rng
    labels = [rng.choice(words.MEANS)]
    labels += [rng.choice(words.SDS)] * case.chance(0.6)
    labels += [rng.choice(words.OTHER_STATISTICS)] * case.chance(0.2)
    labels += [rng.choice(words.COUNTS)] * case.chance(0.2)
    case.parts.append("statistics beside")
    for label in labels:
        cells: list[str] = []
        for row in case.rows:
            found = [float(row[name]) for name in named if isinstance(row.get(name), Number)]
            if label in words.COUNTS:
                cells.append(str(len(found)))
            else:
                cells.append(_statistic(case, label, found))
        case.add(label, cells)


def _tasks_and_arms(case: Case) -> None:
    """Make a table of data sets and methods, which has no repetitions."""
    rng = case.rng
    _name_arms(case, 0.0)
    tasks = rng.choice([("iris", "wine", "mnist"), ("cifar10", "cifar100", "svhn"),
                        ("CartPole", "Pendulum", "Acrobot", "Hopper")])  # fmt: skip
    case.runs = {arm: [] for arm in case.arms}
    if case.chance(0.5):
        heading = rng.choice(["dataset", "task", "Datensatz", "benchmark", "jeu de données", ""])
        case.header = [heading or "Name", *case.arms]
        for task in tasks:
            case.rows.append({heading or "Name": task} | {
                arm: case.draw(rng.uniform(0.5, 1) * case.low) for arm in case.arms
            })  # fmt: skip
    else:
        heading = rng.choice(words.ARM_HEADINGS)
        case.header = [heading, *tasks]
        for arm in case.arms:
            case.rows.append({heading: arm} | {
                task: case.draw(rng.uniform(0.5, 1) * case.low) for task in tasks
            })  # fmt: skip
    case.traps.append("data sets are no repetitions")
    _write(case)


def _metrics_side_by_side(case: Case) -> None:
    rng = case.rng
    _name_arms(case, 0.0)
    heading = rng.choice(words.ARM_HEADINGS)
    metrics = rng.sample(["accuracy", "precision", "recall", "f1", "auc", "Genauigkeit", "loss",
                          "test_loss", "mcc"], rng.choice([2, 3, 4]))  # fmt: skip
    case.header = [heading, *metrics]
    for arm in case.arms:
        case.rows.append({heading: arm} | {m: case.draw(case.low) for m in metrics})
    case.traps.append("metrics are no repetitions")
    _write(case)


def _summaries(case: Case) -> None:
    """Make a table of means, which has no runs."""
    rng = case.rng
    _name_arms(case, 0.0)
    heading = rng.choice(words.ARM_HEADINGS)
    if case.chance(0.5):
        case.header = [heading, case.metric]
        for arm in case.arms:
            cell = f"{case.draw(case.low)} ± {case.text(case.spread)}"
            case.rows.append({heading: arm, case.metric: cell})
    else:
        case.header = [heading, rng.choice(words.MEANS), rng.choice(words.SDS)]
        for arm in case.arms:
            cells = (case.draw(case.low), case.text(case.spread))
            case.rows.append({heading: arm} | dict(zip(case.header[1:], cells, strict=True)))
    case.traps.append("summaries are no runs")
    _write(case)


def _chart(case: Case) -> None:
    """Make a chart's export: steps in the rows, a column per run, with its smallest and largest."""
    _name_arms(case, 0.0)
    case.header = [case.rng.choice(["Step", "epoch", "Epoche", "Wall time"])]
    for step in range(case.rng.randint(3, 6)):
        case.rows.append({case.header[0]: str(step)})
    for arm in case.arms:
        for seed in range(case.rng.choice([1, 2, 3])):
            for tail in ("", "__MIN", "__MAX")[: case.rng.choice([1, 3])]:
                name = f"{arm}-{seed} - {case.metric}{tail}"
                case.header.append(name)
                for row in case.rows:
                    row[name] = case.draw(case.low)
    case.traps.append("steps are no repetitions")
    _write(case)


def _one_row(case: Case) -> None:
    """Make a single row, a column for each run of each arm."""
    _name_arms(case, 0.0)
    how = case.rng.choice(["{}_{}", "{} seed {}", "{}/run{}"])
    case.header = [how.format(arm, i) for arm in case.arms for i in range(3)]
    case.rows = [{name: case.draw(case.low) for name in case.header}]
    if case.chance(0.5):
        case.header.insert(0, "metric")
        case.rows[0]["metric"] = case.metric
    case.traps.append("a single row")
    _write(case)


def _ask(case: Case, arm: str, seed: str) -> None:
    """Say some of what the table shows."""
    if case.chance(0.2):
        case.asked.setdefault("by", (arm,))
    if case.chance(0.15) and seed:
        case.asked["seed_by"] = seed
    elif seed and "seed" in seed.casefold() and case.chance(0.05):
        case.add("trial", [str(100 + i) for i in range(len(case.rows))])
    if case.chance(0.2):
        case.asked["metric"] = case.metric
    if case.chance(0.1):
        case.asked["layout"] = "rows-are-runs"
    if case.chance(0.05):
        case.asked["missing"] = "absent"
        case.diverged.clear()
    elif case.chance(0.03):
        case.asked["missing"] = "refuse"
        case.doubts.append("gaps that are to be refused")
    known = {heading.casefold() for heading in words.ARM_HEADINGS}
    apart = sum(heading.casefold() in known for heading in case.header) > 1
    if apart and "by" not in case.asked:
        case.doubts.append("several columns of arms")
    texts = {"activation", "optimizer", "attention", "group", "loss function", "arch"}
    if arm.casefold() in texts and "by" not in case.asked and len(case.header) > 4:
        case.doubts.append("a heading that may be a setting's")
    if arm.casefold() == "loss function" and "by" not in case.asked:
        case.doubts.append("a heading that may be a metric's")


def _write(case: Case) -> None:
    from tests.fuzzing.writing import write

    write(case)
