"""Small studies that lose power, and what is promised of them."""

from __future__ import annotations

import contextlib
import json
import pickle
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from attnstudy import runs
from tests.crashes.zygote import Ended, Zygote
from tests.own import RANKING, TIMES, computed
from tests.powerloss.disk import Disk, State, Tree, losses, put, states, tree_of
from tests.powerloss.recording import Operation, record
from tests.tuning import numbers

FUNCTION = """
import attnstudy

@attnstudy.training(settings=[attnstudy.Field("rate", float, 1.0, "Factor.")])
def train(run):
    noise = run.rng("noise")
    state = run.restore() or {"step": 0, "sum": 0.0, "noise": noise.bit_generator.state}
    noise.bit_generator.state, total = state["noise"], state["sum"]
    for step in range(state["step"], 2):
        total += float(noise.normal()) * run.settings["rate"]
        run.log(step, total=total)
        run.checkpoint({"step": step + 1, "sum": total, "noise": noise.bit_generator.state})
    run.file("seen").write_text(repr(total))
    return {"acc": total}
"""
STUDY = f"""
train = "lost:train"
seeds = 1
[arms.a]
rate = 0.5
[arms.b]
rate = 2.0
{RANKING}
"""
TUNED = f"""
train = "lost:train"
seeds = 1
{RANKING}
[tuning]
metric = "acc"
direction = "maximize"
trials = 2
seeds_per_trial = 1
[tuning.space]
rate = {{ low = 0.01, high = 10.0, log = true }}
"""
STORE = "mlruns"
RANKED = 5
"""One state of so many is ranked too: of the same runs and the same plan, which all are."""
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
PLANNED = "recorded after its first run: a ranking will be exploratory and say so"


@dataclass
class Recorded:
    """A study that ran to its end, all that it did to its folder, and what came out."""

    zygote: Zygote
    place: Path
    command: str
    before: Tree
    operations: list[Operation]
    whole: dict[str, Any]

    def states(self) -> Iterator[State]:
        """Yield every different state that a loss of power may leave."""
        return states(self.before, self.operations)

    def replayed(self) -> Tree:
        """Return what all operations together make."""
        disk = Disk(self.before)
        for operation in self.operations:
            disk.apply(operation)
        return disk.left(*losses(0)["nothing is lost"])

    def try_state(self, state: State) -> str | None:
        """Put a state in place, run the same command; return what it broke, if anything."""
        put(state.tree, self.place)
        before = _results(self.place)
        ended = self._run(self.command, "--executor", "inline", "--json")
        try:
            assert ended.code == 0, ended.err or ended.out
            assert "Traceback" not in ended.err
            assert before.items() <= _results(self.place).items(), "a finished run was made again"
            found = self._outcome(ended, ranked=not state.number % RANKED)
            for name, value in self.whole.items():
                if name in found:
                    assert found[name] == value, f"{name}: {_difference(found[name], value)}"
        except AssertionError as error:
            said = str(error).partition("\nassert ")[0].strip()
            again = f"python -m tests.powerloss {self.command} {self.place.parent}"
            return f"{state}: {said} (again: {again} --number {state.number})"
        return None

    def _run(self, *words: str) -> Ended:
        return run(self.zygote, self.place, *words)

    def _outcome(self, ended: Ended, *, ranked: bool) -> dict[str, Any]:
        return outcome(self.zygote, self.place, self.command, ended, ranked=ranked)


def recorded(zygote: Zygote, command: str, folder: Path) -> Recorded:
    """Write a study into an empty folder, and record it from its first run to its end.

    Taken from the folder where it was recorded there before.
    """
    kept, place = folder / "record", folder / "place"
    if kept.exists():
        return replace(pickle.loads(kept.read_bytes()), zygote=zygote)
    own = place / "studies" / "own"
    own.mkdir(parents=True)
    (own / "study.toml").write_text(STUDY if command == "run" else TUNED)
    (own / "lost.py").write_text(FUNCTION)
    before = tree_of(place)
    words = [command, "own", "--executor", "inline", "--checkpoint-minutes", "0"]
    operations = record(words, place, folder)
    made = Recorded(zygote, place, command, before, operations, {})
    assert made.replayed() == tree_of(place), "the record lacks something"
    ended = run(zygote, place, command, "--executor", "inline", "--json")
    assert ended.code == 0, ended.err
    made.whole = outcome(zygote, place, command, ended)
    kept.write_bytes(pickle.dumps(made))
    return made


def run(zygote: Zygote, place: Path, command: str, *more: str) -> Ended:
    """Run a command on the study, as the recorded one was."""
    often = ("--checkpoint-minutes", "0") if command != "rank" else ()
    words = [command, "own", *often, *more]
    return zygote.run(*words, cwd=place, env={"ATTNSTUDY_NO_FIGURES": "1"})


def outcome(
    zygote: Zygote, place: Path, command: str, ended: Ended, *, ranked: bool = True
) -> dict[str, Any]:
    """Return what is promised to be the same: computed, published, planned, ranked."""
    study = "own" if command == "run" else "own.tuning"
    found: dict[str, Any] = {"published": published(place / STORE / "mlflow.db", study)}
    if command == "tune":
        results = sorted(_results(place))  # by fingerprint: names do not tell trials apart
        return {**found, "trials": numbers(json.loads(ended.out)), "results": results}
    found["computed"] = computed(place / STORE, study)
    plans = runs.recorded_plans(runs.study_facts(place / STORE, "own"))
    found["plan"] = [plan.plan.hash for plan in plans]
    if ranked:
        answer = run(zygote, place, "rank", "--json")
        found["ranking"] = (answer.code, _timeless(answer, said=PLANNED in ended.err))
    return found


def published(database: Path, study: str) -> list[Any]:
    """Return what is in MLflow's own tables and folders, without times."""
    kept = []
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as tables:

        def rows(what: str, *values: str) -> list[tuple]:
            return tables.execute(what, values).fetchall()

        for uuid, name, status, place in rows(
            "SELECT run_uuid, runs.name, status, artifact_uri FROM runs JOIN experiments USING "
            "(experiment_id) WHERE experiments.name = ? AND runs.lifecycle_stage = 'active'", study,
        ):  # fmt: skip
            curves = rows("SELECT key, step, value FROM metrics WHERE run_uuid = ?", uuid)
            latest = rows("SELECT key, step, value FROM latest_metrics WHERE run_uuid = ?", uuid)
            params = rows("SELECT key, value FROM params WHERE run_uuid = ?", uuid)
            tags = rows("SELECT key, value FROM tags WHERE run_uuid = ?", uuid)
            folder = Path(unquote(urlsplit(place).path))
            files = {
                path.name: path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and path.suffix not in (".png", ".json", ".csv")
            }
            plain = [_without_times(some) for some in (curves, latest, params)]
            if ("attnstudy.superseded", "true") in tags:
                continue  # the result of it is another run's
            told = [value for key, value in tags if key == "attnstudy.status"]
            kept.append((name, status, *plain, told, files))
    return sorted(kept, key=repr)


def _without_times(rows: list[tuple]) -> list[tuple]:
    """Return rows without those of times."""
    return sorted(row for row in rows if row[0] not in TIMES and "second" not in row[0])


def _difference(found: Any, expected: Any) -> str:
    """Return where two values differ first, and how."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        pairs = [(f"{name}: ", found[name], expected[name]) for name in found]
    elif isinstance(found, list | tuple) and len(found) == len(expected):
        pairs = [("", *both) for both in zip(found, expected, strict=True)]
    else:
        return f"{found!r}, not {expected!r}"
    return next((f"{n}{_difference(a, b)}" for n, a, b in pairs if a != b), "")


def _results(place: Path) -> dict[str, bytes]:
    """Return the whole results that are there, each with the moment at which it was made."""
    return {
        path.parent.name: path.read_bytes()
        for path in place.glob(f"{STORE}/runs/*/*/result.json")
        if runs.RunFolder(path.parent).result() is not None
    }


def _timeless(ranked: Ended, *, said: bool) -> Any:
    """Return the numbers of a ranking; what it says of a plan only where it was not said before."""
    if ranked.code != 0:
        return ranked.err
    found = json.loads(DATE.sub("DATE", ranked.out))
    if said:
        for name in ("status", "status_reason", "plan"):
            del found[name]
    return found
