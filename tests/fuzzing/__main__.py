"""``python -m tests.fuzzing 10000 --seed 0``: many tables, and a summary of what became of them."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzzing.checking import Outcome, outcomes_of
from tests.fuzzing.tables import Case, case_of


def main() -> int:
    """Read many tables; return 1 if one was read wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0, help="number of the first table")
    parser.add_argument("--show", type=int, default=3, help="tables shown of each violation")
    parser.add_argument("--needless", action="store_true", help="show refusals of clear tables")
    arguments = parser.parse_args()
    verdicts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    needless: dict[str, list[tuple[Case, Outcome]]] = {}
    violations: dict[str, list[tuple[Case, Outcome]]] = {}
    clear = 0
    with tempfile.TemporaryDirectory() as place:
        for number in range(arguments.seed, arguments.seed + arguments.count):
            case = case_of(number)
            for command, outcome in outcomes_of(case, Path(place)).items():
                verdicts[f"{command}: {outcome.verdict}"] += 1
                plain = not case.doubts and not case.traps and command == "rank"
                clear += plain
                if outcome.verdict == "refused":
                    refused[f"{command}: {outcome.kind}"] += 1
                    if plain:
                        needless.setdefault(outcome.kind, []).append((case, outcome))
                elif outcome.verdict == "violation":
                    key = f"{command}: {outcome.kind}"
                    violations.setdefault(key, []).append((case, outcome))
    for name, count in sorted(verdicts.items()):
        print(f"{count:6} {name}")
    print("refused by")
    for name, count in refused.most_common():
        print(f"{count:6} {name}")
    total = sum(map(len, needless.values()))
    print(f"{total} of {clear} clear tables were refused by rank")
    _print(needless, arguments.show if arguments.needless else 0)
    print("violations")
    _print(violations, arguments.show)
    return 1 if violations else 0


def _print(found: dict[str, list[tuple[Case, Outcome]]], show: int) -> None:
    for name, cases in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{len(cases):6} {name} (tables {', '.join(str(c.number) for c, _ in cases[:8])})")
        for case, outcome in cases[:show]:
            print(f"--- {case.number} {case.asked} {case.parts} {case.doubts} {case.traps}")
            print(outcome.said)
            print(_table(case))


def _table(case: Case) -> str:
    if case.frame:
        lines = [case.header, *([row.get(h, "") for h in case.header] for row in case.rows)]
        return "\n".join(",".join(line) for line in lines[:25])
    return "\n".join(
        f"{name}:\n" + "\n".join(_decoded(data).splitlines()[:25])
        for name, data in list(case.files.items())[:2]
    )


def _decoded(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")


if __name__ == "__main__":
    raise SystemExit(main())
