"""Say which versions of ``constraints.txt`` have a known vulnerability, with pip-audit and OSV.

``make audit`` runs this. A vulnerability whose full identifier is in ``docs/security.md`` was
judged there: it is printed, and does not fail the check.

Exit codes: 0 all that is known was judged; 1 something was not; 3 OSV did not answer.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print what is known of the versions, and end with the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--constraints", type=Path, default=_ROOT / "constraints.txt", help="file")
    parser.add_argument("--judged", type=Path, default=_ROOT / "docs" / "security.md", help="file")
    parser.add_argument("--advisories", default="https://api.osv.dev/v1/query", help="address")
    asked = parser.parse_args()
    packages = _audit(asked.constraints, asked.advisories)
    judged = set(re.findall(r"[A-Z]+-[\w-]+", asked.judged.read_text(encoding="utf-8")))
    unjudged = 0
    for package in packages:
        for found in package["vulns"]:
            names = [found["id"], *found["aliases"]]
            known = not judged.isdisjoint(names)
            unjudged += not known
            fixed = ", ".join(found["fix_versions"]) or "no version"
            print(
                f"{package['name']} {package['version']}: {' = '.join(names)}, fixed in {fixed}"
                + (", judged in docs/security.md" if known else "")
            )
    print(
        f"{asked.constraints.name}: {len(packages)} packages; known vulnerabilities that "
        f"docs/security.md does not judge: {unjudged}"
    )
    raise SystemExit(int(unjudged > 0))


def _audit(constraints: Path, advisories: str) -> list[dict[str, Any]]:
    """Have pip-audit look all versions up.

    Raises:
        SystemExit: with code 3, if it could not.

    """
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", constraints, "--no-deps",
         "--disable-pip", "--strict", "--vulnerability-service", "osv", "--osv-url", advisories,
         "--format", "json", "--progress-spinner", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        host = urlsplit(advisories).netloc
        why = f"{host} cannot be reached" if "ConnectionError" in said else said[:200]
        print(
            f"{why}: {constraints.name} was not checked; try again where {host} answers",
            file=sys.stderr,
        )
        raise SystemExit(3) from None
    return found


if __name__ == "__main__":
    main()
