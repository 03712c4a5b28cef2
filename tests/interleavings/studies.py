"""A small study on which several commands work at once, and what is promised of it afterwards."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crashes.zygote import Ended, Zygote
from tests.interleavings.actor import UNCLAIMED
from tests.interleavings.schedule import Played, Scheduler, StuckError
from tests.own import RANKING, computed
from tests.powerloss.studies import published
from tests.tuning import numbers

STEPS = 2
FUNCTION = f"""
import attnstudy

def note(run, what):
    if run.settings["noted"]:
        with open("trained.txt", "a") as file:
            made = [run.settings["rate"], run.settings["shift"], run.seed]
            file.write(f"{{what}} {{made}}\\n")

@attnstudy.training(settings=[
    attnstudy.Field("rate", float, 1.0, "Factor."),
    attnstudy.Field("shift", float, 0.0, "Added to each number."),
    attnstudy.Field("noted", int, 1, "Whether it is noted what is trained."),
])
def train(run):
    noise = run.rng("noise")
    state = run.restore()
    note(run, "goes on" if state else "begins")
    state = state or {{"step": 0, "sum": 0.0, "noise": noise.bit_generator.state}}
    noise.bit_generator.state, total = state["noise"], state["sum"]
    for step in range(state["step"], {STEPS}):
        total += float(noise.normal()) * run.settings["rate"] + run.settings["shift"]
        run.log(step, total=total)
        run.checkpoint({{"step": step + 1, "sum": total, "noise": noise.bit_generator.state}})
    run.file("seen").write_text(repr(total))
    note(run, "ends")
    return {{"acc": total}}
"""
STUDY = f"""
train = "woven:train"
seeds = 2
[arms.a]
rate = 0.5
[arms.b]
rate = 2.0
{RANKING}
[tuning]
metric = "acc"
direction = "maximize"
trials = 2
seeds_per_trial = 1
[tuning.space]
shift = {{ low = -1.0, high = 1.0 }}
"""
OFTEN = ("--executor", "inline", "--checkpoint-minutes", "0")
"""Each step of a training is a checkpoint."""
COMMANDS: Mapping[str, tuple[Sequence[str], Sequence[int]]] = {
    "run": (("run", "own", *OFTEN, "--json"), (0, 1)),
    "run one arm": (("run", "own", "--arm", "b", *OFTEN, "--json"), (0,)),
    "run and wait": (("run", "own", "--wait", *OFTEN, "--json"), (0, 1)),
    "sync": (("sync", "own"), (0,)),
    "prune": (("prune", "own", "--yes", "--repeated", "--json"), (0,)),
    "export": (("export", "own", "out.zip", "--force", "--unfinished", "--json"), (0,)),
    "import": (("import", "other.zip", "--json"), (0, 1, 3)),
    "rank": (("rank", "own", "--json"), (0,)),
    "status": (("status", "own", "--json"), (0,)),
    "verify": (("status", "own", "--verify", "--json"), (0,)),
    "tune": (("tune", "own", "--executor", "inline", "--json"), (0, 3)),
}
"""Name -> what is typed, and the codes that it may end with.

With 1, ``run`` and ``import`` say that another command is training some runs; with 3, ``tune`` and
``import`` say that there is another of the kind.
"""
ANOTHER = ("another import into", "another 'attnstudy tune' is")
"""What is said then."""
LATE = "another process has been opening the store in mlruns for 120 seconds"
"""What any command may say, with 3: the scheduler lets time pass while another has the lock."""
OFTEN_TWICE = ("run", "run one arm", "run and wait", "import", "sync", "prune")
DATABASE = Path("mlruns", "mlflow.db")
ENV = {"ATTNSTUDY_NO_FIGURES": "1"}


@dataclass
class Woven:
    """The study in a folder of its own, and what it comes to without interference."""

    zygote: Zygote
    base: Path
    """The folder to begin with; copied for each schedule."""
    computed: dict[str, Any]
    published: list[Any]
    trials: Any

    def schedule(self, seed: int) -> tuple[list[str], bool]:
        """Return which commands a seed plays, and whether one is killed."""
        chance = random.Random(f"commands {seed}")
        names = [chance.choice(list(COMMANDS)) for _ in range(chance.choice((2, 2, 3, 4)))]
        if not {*names} & {*OFTEN_TWICE}:
            names[0] = chance.choice(OFTEN_TWICE)  # those that only read do each other no harm
        return names, chance.random() < 0.25

    def try_seed(self, seed: int, place: Path, *, trace: list[str] | None = None) -> str | None:
        """Play a schedule in a new folder; return what it broke, if anything."""
        shutil.copytree(self.base, place)
        names, kill = self.schedule(seed)
        killed = ""
        try:
            env = {**ENV, UNCLAIMED: os.environ.get(UNCLAIMED, "")}
            scheduler = Scheduler(self.zygote, place, env)
            played = scheduler.play([COMMANDS[name][0] for name in names], seed, kill=kill)
            if trace is not None:
                trace += played.trace
            if played.killed is not None:
                killed = f", {names[played.killed]} was killed"
            self._promised(place, names, played)
        except (AssertionError, StuckError) as error:
            said = str(error).partition("\nassert ")[0].strip()
            return f"seed {seed}, {', '.join(names)}{killed}: {said}"
        finally:
            shutil.rmtree(place)
        return None

    def _promised(self, place: Path, names: Sequence[str], played: Played) -> None:
        for number, (name, ended) in enumerate(zip(names, played.ended, strict=True)):
            if number == played.killed:
                assert ended.code == -9, f"{name} was killed and ended with {ended.code}"
                continue
            said = ended.err + ended.out
            assert "Traceback" not in said, f"{name}: {said}"
            assert "damaged" not in ended.err, f"{name}: {said}"
            if ended.code == 3 and LATE in said:
                continue
            assert ended.code in COMMANDS[name][1], f"{name} ended with {ended.code}: {said}"
            if ended.code == 3:
                assert any(words in said for words in ANOTHER), f"{name}: {said}"
            if name == "rank":
                self._whole_runs_alone(ended)
            if name == "run and wait" and played.killed is None:
                assert ended.code == 0, said
        if "export" in names and played.killed is None:
            self._exported(place)
        self._afterwards(place, names, killed=played.killed is not None)

    def _whole_runs_alone(self, ended: Ended) -> None:
        """A ranking has seen results that are complete, each once."""
        whole = {name: metrics["acc"] for name, (_, metrics, *_) in self.computed.items()}
        for arm in json.loads(ended.out)["arms"]:
            seen = dict(zip(arm["seeds"], arm["values"], strict=True))
            right = {seed: whole[f"{arm['variant']}/seed={seed}"] for seed in seen}
            assert seen == right, f"rank saw {seen} of {arm['variant']}, not {right}"

    def _exported(self, place: Path) -> None:
        """What was exported is whole, and goes on to the same results elsewhere."""
        elsewhere = place / "elsewhere"
        shutil.copytree(place / "studies", elsewhere / "studies")
        shutil.copytree(self.base / "empty", elsewhere / "mlruns")
        for words in (("import", "../out.zip"), ("run", "own", *OFTEN)):
            ended = self.zygote.run(*words, cwd=elsewhere, env=ENV)
            assert ended.code == 0, f"{words[0]} elsewhere: {ended.err}"
        assert computed(elsewhere / "mlruns") == self.computed, "elsewhere it comes to another end"

    def _afterwards(self, place: Path, names: Sequence[str], *, killed: bool) -> None:
        """The same command again: all is there, once, and nothing was made twice."""
        for words in (("run", "own", *OFTEN, "--json"), ("sync", "own"),
                      ("status", "own", "--verify")):  # fmt: skip
            ended = self.zygote.run(*words, cwd=place, env=ENV)
            assert ended.code == 0, f"{' '.join(words)} afterwards: {ended.err or ended.out}"
            assert "damaged" not in ended.err, ended.err
        assert computed(place / "mlruns") == self.computed, "it comes to another end"
        found = published(place / DATABASE, "own")
        assert found == self.published, f"MLflow shows {found}, not {self.published}"
        trained = Counter((place / "trained.txt").read_text().splitlines())
        ends = {what: times for what, times in trained.items() if what.startswith("ends")}
        limit = 2 if killed else 1  # killed after its end and before its result was kept
        assert all(times <= limit for times in ends.values()), f"trained twice: {ends}"
        begun = trained["begins [0.5, 0.0, 1]"]  # the run whose checkpoint was there
        assert begun <= 1, "a checkpoint was lost that was in use"
        if "tune" in names:
            ended = self.zygote.run(*COMMANDS["tune"][0], cwd=place, env=ENV)
            assert ended.code == 0, ended.err
            assert numbers(json.loads(ended.out)) == self.trials, "it is another search"


def woven(zygote: Zygote, folder: Path, template_store: Path) -> Woven:
    """Make the study to begin with, in an empty folder.

    Of its four runs one is complete and published, one complete, one was killed after its first
    checkpoint, and one was not begun. There is a result that a repetition replaced, and an archive
    of another store with all runs of the second seed.
    """

    def run(place: Path, *words: str, code: int = 0, **env: str) -> Ended:
        ended = zygote.run(*words, cwd=place, env={**ENV, **env})
        assert ended.code == code, ended.err
        return ended

    base, whole = folder / "base", folder / "whole"
    for place in (base, whole):
        own = place / "studies" / "own"
        own.mkdir(parents=True)
        (own / "study.toml").write_text(STUDY)
        (own / "woven.py").write_text(FUNCTION)
        shutil.copytree(template_store, place / "mlruns")
        (place / "trained.txt").touch()
    run(whole, "run", "own", *OFTEN)
    run(whole, "sync", "own")
    trials = numbers(json.loads(run(whole, *COMMANDS["tune"][0]).out))

    shutil.copytree(template_store, base / "empty")
    one = ("run", "own", "--seeds", "1", *OFTEN)
    run(base, *one, "--arm", "a")
    run(base, *one, "--arm", "a", "--rerun")
    run(base, *one, "--arm", "b", "--tracking-uri", f"sqlite:///{folder / 'elsewhere.db'}")
    killed = {"ATTNSTUDY_CRASH_AT": "journal/before:2"}
    run(base, "run", "own", "--arm", "a", *OFTEN, code=-9, **killed)
    shutil.copytree(base / "studies", folder / "other" / "studies")
    shutil.copytree(template_store, folder / "other" / "mlruns")
    run(folder / "other", "run", "own", "--seeds", "1-1", *OFTEN)
    run(folder / "other", "export", "own", "../base/other.zip")
    (base / "trained.txt").write_text("")
    return Woven(
        zygote, base, computed(whole / "mlruns"), published(whole / DATABASE, "own"), trials
    )
