"""A machine that has torch, torchvision and numpy, and nothing else of what we use."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from attnstudy.trainings.placement import data

BARE = """
import importlib.machinery, json, sys

missing = {*json.loads(sys.argv[1])}

class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in missing else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Bare
sys.argv[1:] = []
"""

TRAIN = """
import numpy as np
import torch
from attnstudy.trainings.placement.data import ImageSet, Split
from attnstudy.trainings.placement.data.images import Normalisation
from attnstudy.trainings.placement.models import build_model
from attnstudy.study import RunSpec
from attnstudy.trainings.placement.training import train

stream = np.random.default_rng(0)
images = ImageSet(stream.integers(0, 256, (96, 3, 8, 8), dtype=np.uint8),
                  stream.integers(0, 10, 96))
split = Split(images, images, Normalisation(255.0, (0.5,) * 3, (0.25,) * 3))
spec = RunSpec(study="bare", dataset="noise", variant="double", seed=1, dataset_digest="0" * 32,
                 train_size=96, val_size=96, epochs=60, batch_size=32, channels=(8, 8), lr=3e-3)
model = build_model("double", image_shape=(3, 8, 8), channels=(8, 8), seed=1)
outcome = train(spec, model, split, device=torch.device("cpu"))
print(json.dumps([outcome.val_accuracy_final]))
"""

RUN = """
import pathlib
from attnstudy.trainings.placement import data
from attnstudy.executors import Inline
from attnstudy.runs import RunFolder
from attnstudy.study import RunSpec
from attnstudy.running import worker
from attnstudy.running.jobs import Job

decoded = pathlib.Path("decoded").read_text()
dataset = data.open_decoded(pathlib.Path(decoded))
spec = RunSpec(study="bare", dataset="digits", variant="early", seed=0,
                 dataset_digest=dataset.digest, train_size=96, val_size=60, epochs=1,
                 batch_size=32, channels=(4, 4))
folder = RunFolder(pathlib.Path("run").absolute())
job = Job(spec, folder.path, "cpu", 1, "bare", place=pathlib.Path(decoded))
list(Inline().execute([[job]], worker.train_together))
print(json.dumps([folder.result().status.value, folder.damaged_files(),
                  (folder.path / "model.pt2").exists()]))
"""


def brought_along(*packages: str) -> set[str]:
    """Return packages with all that they ask for."""
    found: set[str] = set()
    left = {canonicalize_name(package) for package in packages}
    while left:
        package = left.pop()
        found.add(package)
        for text in metadata.requires(package) or []:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                left |= {canonicalize_name(wanted.name)} - found
    return found


def on_a_bare_machine(code: str, *packages: str) -> list[Any]:
    """Run code where nothing else can be imported; return what it printed last, as JSON."""
    there = brought_along("torch", "torchvision", "numpy", *packages)
    missing = [
        module
        for module, owners in metadata.packages_distributions().items()
        if not {*map(canonicalize_name, owners)} & there and module != "attnstudy"
    ]
    assert {"click", "mlflow", "pyarrow", "platformdirs"} <= set(missing)
    done = subprocess.run(
        [sys.executable, "-c", BARE + code, json.dumps(missing)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, list)
    return answer


@pytest.mark.rest
def test_it_trains():
    """Noise can only be learnt by heart, and that shows that it learns."""
    (accuracy,) = on_a_bare_machine(TRAIN)
    assert accuracy > 50


@pytest.mark.rest
def test_it_makes_whole_runs_with_safetensors(workplace: Path, digits):
    Path("decoded").write_text(str(data.load("digits", Path("cache").absolute())[1]))
    assert on_a_bare_machine(RUN, "safetensors") == ["complete", [], True]


@pytest.mark.rest
def test_it_times_seeds_at_once():
    code = """
from benchmarks import fusing
sys.argv[1:] = ["--device", "cpu", "--seeds", "2", "--updates", "1", "--repeats", "2",
                "--only", "vanilla/channel"]
lines = []
fusing.main(lines.append)
print(json.dumps(lines))
"""
    row, page = on_a_bare_machine(code)
    name, alone, at_once, ratio = row.strip("| ").split(" | ")
    assert name == "vanilla"
    rates = [float(cell.split(" ")[0]) for cell in (alone, at_once)]
    assert all(rate > 0 for rate in rates)
    assert float(ratio.split(" ")[0]) > 0
    assert "| configuration | alone | 2 at once | 2 at once / alone |" in page
    assert row in page
