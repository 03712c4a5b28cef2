"""Memory of a process that trains: kept once it is there, and in large pages.

Every update allocates the same tensors of some MiB and frees them. By default the C library
gives each back to the system and asks for it anew, and the system clears it page by page; that
was a fifth of the time of an update (``docs/decisions/0011-memory-is-kept.md``).
"""

from __future__ import annotations

import ctypes
import os
import sys

# malloc.h of glibc
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1  # bytes; the parameters are ints
_LARGEST = 32 * 2**20  # bytes; older versions refuse more


def keep_memory() -> None:
    """Have this process keep what it frees, and torch ask for pages of 2 MiB.

    Does what the system can, and nothing where the C library is not glibc. To be called before
    torch has allocated a tensor: it reads its variable once.
    """
    if sys.platform != "linux":
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # c10/core/impl/alloc_cpu.cpp
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _NEVER) or mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _NEVER)
