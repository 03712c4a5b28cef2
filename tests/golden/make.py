"""Make what ``tests/test_golden.py`` holds later versions to: studies as one version left them.

Run once, with the version whose files are to stay valid, and then never again: what is made anew by
a later version proves nothing about the earlier one's files.

    python tests/golden/make.py

It works in ``/tmp/golden``, because paths end up in MLflow's database, from an environment inside
the repository (``.venv``), and writes ``golden.tar.xz``
(the working directory: stores, study files, archives, what the commands said) and
``identities.json`` beside itself. All of it is made on the embedded digits by networks of a few
channels; it takes some minutes.

=========  ========================================================================================
``arms``   a study with a file and a plan: arms with their own settings, looks, a margin; complete
``begun``  a study with a file and a plan, of which one run was killed behind a checkpoint
``plain``  a study without a file: models and weights kept, a repeated run, a diverged one
``tuned``  a search of eleven trials a variant, some stopped early, and runs with what it found
=========  ========================================================================================
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

PLACE = Path("/tmp/golden")
DATA = Path("/tmp/golden-data")
CODE = Path("/tmp/golden-code")
"""A link to the repository: an exported model holds the paths of the code that made it."""
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# the name of the machine is recorded with every run, and is nobody's business
COMMAND = (
    "import platform, sys\n"
    "platform.node = lambda: 'golden'\n"
    "from attnstudy.cli import main\n"
    "main()\n"
)

SMALL = """
dataset = "digits"
train_size = 400
val_size = 100
channels = [4, 4]
[training]
epochs = 2
batch_size = 32
"""
"""What is small; behind it, more of ``[training]``."""
ARMS = f"""
question = "Does the place of attention matter, and its form?"
seeds = 4
attention = "channel"
{SMALL}lr = 3e-3
[ranking]
margin = 5.0
looks = [3, 4]

[arms.vanilla]
[arms.early]
[arms.late]
[arms.double]
[arms.untrained]
variant = "vanilla"
lr = 1e-6
[arms.spatial]
variant = "double"
attention = "spatial"
optimizer = "sgd"
lr = 0.05
"""
BEGUN = f"""
question = "Is it attention, or are parameters enough?"
variants = ["early", "early-conv"]
seeds = "10-12"
attention = "channel"
{SMALL.replace("epochs = 2", "epochs = 4")}lr = 3e-3
optimizer = "adamw"
weight_decay = 1e-2
augmentation = "crop-flip"
[ranking]
control = "early-conv"
correction = "holm"
alpha = 0.1
"""
TUNED = f"""
question = "What does each placement make of its best settings?"
variants = ["vanilla", "late"]
seeds = 3
attention = "channel"
{SMALL.replace("epochs = 2", "epochs = 3")}
[tuning]
trials = 11
seeds_per_trial = 1
pruner = "median"
[tuning.space]
lr = {{low = 1e-5, high = 1e-2, log = true}}
batch_size = [16, 32]
"""
PLAIN = (
    "--dataset", "digits", "--train-size", "400", "--val-size", "100", "--channels", "4,4",
    "--batch-size", "32",
)  # fmt: skip
TABLE = """variant,run1,run2,run3,run4,reported_mean
vanilla,59.77,60.81,57.70,59.77,59.51
early,59.39,61.11,60.81,60.79,60.525
late,58.11,61.62,60.21,61.46,60.24
double,67.7,62.88,61.76,62.41,64.68
"""
KILLED_AT = "train/iteration:32"
"""Within the third epoch of four; there is a checkpoint behind the second."""


def main() -> None:
    """Make everything, and pack it."""
    for folder in (PLACE, DATA):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    CODE.unlink(missing_ok=True)
    CODE.symlink_to(ROOT)
    for name, text in (("arms", ARMS), ("begun", BEGUN), ("tuned", TUNED)):
        file = PLACE / "studies" / name / "study.toml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    (PLACE / "table.csv").write_text(TABLE)
    train()
    call("export", "arms", "arms.zip")
    call("export", "begun", "begun.zip", "--unfinished")
    call("export", "tuned", "tuned.zip", "--tuning")
    known = say()
    (HERE / "identities.json").write_text(json.dumps(known, indent=1) + "\n")
    refuse_traces()
    pack()
    for folder in (PLACE, DATA):
        shutil.rmtree(folder)
    CODE.unlink()


def train() -> None:
    """Make the studies, as a user would."""
    light = "--no-models"
    call("run", "arms", light)

    call("run", "begun", light, "--variant", "early-conv")
    call("run", "begun", light, "--variant", "early", "--seeds", "10-11")
    call("run", "begun", light, "--variant", "early", "--seeds", "12-12",
         code=-signal.SIGKILL, ATTNSTUDY_CRASH_AT=KILLED_AT)  # fmt: skip
    assert list(PLACE.glob("mlruns/runs/begun/*/checkpoint.pt"))

    plain = ("run", "--study", "plain", *PLAIN)
    call(*plain, "--variant", "vanilla", "--variant", "double", "--seeds", "3", "--epochs", "2")
    call(*plain, "--variant", "vanilla", "--seeds", "1", "--epochs", "2", "--rerun")
    call(*plain, light, "--variant", "vanilla", "--seeds", "1", "--epochs", "1", "--lr", "1e30")

    call("tune", "tuned")
    call("run", "tuned", light, "--tuned")
    call("sync")  # of the killed run MLflow knows only now that it is interrupted


def say() -> dict[str, Any]:
    """Keep what the commands say, and how the studies go on in a copy; return the identities."""
    said = PLACE / "said"
    said.mkdir()

    def keep(name: str, *words: str, code: int = 0) -> Any:
        text = call(*words, "--json", code=code)
        (said / f"{name}.json").write_text(text)
        return json.loads(text)

    known = identities(keep("status", "status"), keep("tune-show", "tune", "show", "tuned"))
    for study in ("arms", "begun", "tuned"):
        keep(f"rank-{study}", "rank", study)
        keep(f"show-{study}", "study", "show", study)
    (config,) = {
        one["config"]
        for one in known["runs"]
        if (one["study"], one["status"]) == ("plain", "complete")
    }
    keep("rank-plain", "rank", "--study", "plain", "--config", config)
    keep("rank-table", "rank", "--from", "table.csv", "--margin", "1", "--items", "10000")
    keep("audit-table", "audit", "table.csv", "--items", "10000", code=1)

    before = PLACE.with_name("golden-before")
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(PLACE, before)
    (killed,) = (
        one for one in known["runs"] if (one["study"], one["status"]) == ("begun", "unfinished")
    )
    continued = {
        "run": json.loads(call("run", "begun", "--no-models", "--json")),
        "tune": json.loads(call("tune", "tuned", "--trials", "12", "--json")),
        "rank": json.loads(call("rank", "begun", "--json")),
    }
    result = content(PLACE / "mlruns/runs/begun" / killed["fingerprint"] / "result.json")
    continued["environment"] = result["environment"]
    shutil.rmtree(PLACE)
    before.rename(PLACE)
    (said / "continued.json").write_text(json.dumps(continued, indent=1))
    return known


def identities(status: dict[str, Any], tuning: dict[str, Any]) -> dict[str, Any]:
    """Return the names, fingerprints and configurations of all runs, and the plans' hashes."""
    configs = [one for study in status["studies"] for one in study["configs"]]
    runs = []
    for path in sorted(PLACE.glob("mlruns/runs/*/*/run.json")):
        spec = content(path)["spec"]
        result = path.with_name("result.json")
        runs.append(
            {
                "study": spec["study"],
                "name": f"{spec['arm'] or spec['variant']}/seed={spec['seed']}",
                "fingerprint": path.parent.name,
                "config": config_of(spec, configs),
                "status": content(result)["status"] if result.exists() else "unfinished",
            }
        )
    runs.sort(key=lambda one: (one["study"], one["name"], one["fingerprint"]))
    plans = {
        path.parent.name: [plan["hash"] for plan in json.loads(path.read_text())]
        for path in sorted(PLACE.glob("studies/*/plans.json"))
    }
    tunings = {one["variant"]: one["identity"] for one in tuning["variants"]}
    return {"plans": plans, "tunings": tunings, "runs": runs}


def config_of(spec: dict[str, Any], configs: list[dict[str, Any]]) -> str | None:
    """Return a run's configuration as ``status`` tells it, which tells none of a search's runs."""
    if spec["study"].endswith(".tuning"):
        return None
    mine = {name: value for name, value in spec.items() if name not in spec["arm_fields"]}
    (found,) = (
        one["config"]
        for one in configs
        if all(mine.get(name) == value for name, value in one["settings"].items()
               if name != "code_schema")
    )  # fmt: skip
    return str(found)


def content(path: Path) -> Any:
    """Return what is in a sealed file."""
    return json.loads(path.read_text())["content"]


def call(*words: str, code: int = 0, **more: str) -> str:
    """Run a command in the place and return what it printed."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ATTNSTUDY_", "MLFLOW_"))
    }
    env = {
        **plain,
        "PYTHONPATH": str(CODE),
        "ATTNSTUDY_DATA_DIR": str(DATA),
        "ATTNSTUDY_EXECUTOR": "inline",
        "ATTNSTUDY_NO_FIGURES": "1",
        "OMP_NUM_THREADS": "1",
        **more,
    }
    python = CODE / Path(sys.prefix).relative_to(ROOT) / "bin" / "python"
    done = subprocess.run(
        [python, "-c", COMMAND, *words],
        cwd=PLACE, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def refuse_traces() -> None:
    """Refuse to pack what says where it was made."""
    traces = [str(path).encode() for path in (ROOT, Path.home())]
    for file in PLACE.rglob("*"):
        if file.is_file():
            read = file.read_bytes()
            assert not any(trace in read for trace in traces), file


def pack() -> None:
    """Write the archive, with nothing in it of who made it."""

    def nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(HERE / "golden.tar.xz", "w:xz", preset=9) as packed:
        packed.add(PLACE, "golden", filter=nobody)


if __name__ == "__main__":
    main()
