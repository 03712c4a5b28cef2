"""Show every peer the same studies and count what it claims: benchmarks/results/peers.json.

``python -m benchmarks.peers.simulate [SHARE]`` in the peers' environment; SHARE of the long form's
replications, 1 by default.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from dataclasses import asdict
from importlib import metadata
from typing import Any

from benchmarks.peers.counting import count
from benchmarks.peers.dominance import DEEPSIG
from benchmarks.peers.intervals import RLIABLE
from benchmarks.peers.ours import OURS
from benchmarks.peers.posthocs import posthocs
from benchmarks.peers.reports import AUTORANK
from benchmarks.peers.studies import SETTINGS
from benchmarks.peers.table import RESULTS

PEERS = (OURS, posthocs(), AUTORANK, DEEPSIG, RLIABLE)
BESIDE = ("numpy", "scipy", "pandas", "statsmodels")


def main() -> int:
    """Count, print every line as it is found, and write the results."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    warnings.simplefilter("ignore")  # theirs, for every study the same
    rows = []
    for peer in PEERS:
        peer.check()
        peer.claims(SETTINGS[0].draw(1))  # imports
        gc.freeze()  # statsmodels collects garbage at every correction: all that was imported
        for setting in SETTINGS:
            start = time.process_time()
            counted = count(peer, setting, max(1, round(share * peer.replications)))
            print(f"{peer.package}, {setting.name}: {time.process_time() - start:.0f} s CPU")
            for one in counted:
                print(f"    {one.false}, {one.found} of {one.replications}: {one.rule}", flush=True)
                rows.append({"package": peer.package, "setting": setting.name, **asdict(one)})
        write(rows)
    return 0


def write(rows: list[dict[str, Any]]) -> None:
    """Write what was found so far, one row a line, and the versions that it was found with."""
    packages = (*BESIDE, *(peer.package for peer in PEERS if peer is not OURS))
    versions = json.dumps({name: metadata.version(name) for name in packages})
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULTS.write_text(
        f'{{"versions": {versions},\n "rows": [\n  {lines}\n ]}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
