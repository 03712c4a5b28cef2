"""A process that trains keeps the memory that it frees."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

FAULTS = """
import ctypes, resource, sys
import torch
from attnstudy.trainings.placement.training import prepare_process

def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages: whether there are any varies
if sys.argv[1] == "prepared":
    prepare_process(torch.device("cpu"), 1)
torch.zeros(64, 64, 32, 32)  # what a batch is behind the first convolution: 16 MiB
# larger than what glibc's own rule, which learns from what is freed, would come to keep
torch.zeros(160, 64, 32, 32)
before = faults()
for _ in range(12):
    torch.zeros(160, 64, 32, 32)
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_tensors_are_not_given_back_to_the_system() -> None:
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    plain = faults("plain")
    prepared = faults("prepared")
    assert plain > 0.9 * 12 * 40 * 2**20 / resource.getpagesize()  # each anew
    assert prepared < plain / 10  # once, perhaps, where the heap grew
