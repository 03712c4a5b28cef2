"""torchvision beside a CPU-only torch, each case in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.waiting import PATIENCE

PLAIN = """
import torch
try:
    import torchvision.datasets
except Exception as error:
    print("fails")
else:
    print("works")
"""
DECLARED = """
from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators as declare

first = declare()
second = declare()
import torchvision.datasets
import torchvision.transforms.v2

third = declare()
print("missing" if first else "there", second, third, torchvision.datasets.CIFAR10.__name__)
"""


def test_torchvision_can_be_imported_after_the_declaration() -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for code in (PLAIN, DECLARED)
    ]  # fmt: skip
    (plain, _), (declared, errors) = (child.communicate(timeout=PATIENCE) for child in children)
    assert children[1].returncode == 0, errors
    was, *rest = declared.split()
    assert rest == ["False", "False", "CIFAR10"], "a second and third call declare nothing"
    # declared where torchvision does not work by itself, and only there
    assert (plain.strip(), was) in {("fails", "missing"), ("works", "there")}
