"""Other tools for the same question, shown the same studies: what they claim, how long they take.

They are no dependency of anything: ``make simulate-peers`` and ``make bench-peers`` install them
into an environment of their own, with the versions in ``benchmarks/peers.txt``.
"""
