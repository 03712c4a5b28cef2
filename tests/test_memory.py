"""A process that trains keeps the memory that it frees."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from attnstudy.trainings.placement.training import prepare_process

def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "prepared":
    prepare_process(torch.device("cpu"), 1)
torch.zeros(64, 64, 32, 32)  # what a batch is behind the first convolution: 16 MiB
# larger than what glibc's own rule, which learns from what is freed, would come to keep
before = faults()
for _ in range(20):
    torch.zeros(256, 64, 32, 32)
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_tensors_are_not_given_back_to_the_system() -> None:
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    plain = faults("plain")
    # a system may reclaim pages of its own accord, which only adds faults: the least of three
    prepared = min(faults("prepared") for _ in range(3))
    assert plain > 20 * 64 * 2**20 / 2**21  # each anew, even in pages of 2 MiB
    assert prepared < plain / 10
