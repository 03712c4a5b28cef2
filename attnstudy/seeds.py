"""Seeds as they are written on the command line and in a study's file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from attnstudy.errors import UsageError


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that ``text`` means, ascending.

    ``5`` is 0...4, ``0-29`` a range with both ends, ``1,4,7`` a list, ``7-7`` seed 7 alone;
    lists and ranges combine. Raises ``UsageError`` for anything else, and for a seed named twice.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        count = _whole_number(text)
        if count == 0:
            raise UsageError("0 seeds would train nothing: ask for at least 1")
        return tuple(_range_of_seeds(0, count - 1, text))
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part, re.ASCII)
        if match is None:
            raise UsageError(
                f"seeds {text!r} are not understood: write 5 (for 0 to 4), 0-29, 1,4,7 or 7-7"
            )
        first = _whole_number(match[1])
        seeds.extend(_range_of_seeds(first, _whole_number(match[2] or match[1]), text, len(seeds)))
    twice = next((seed for seed, count in Counter(seeds).items() if count > 1), None)
    if twice is not None:
        raise UsageError(f"seed {twice} appears twice in {text!r}: name each seed once")
    return tuple(sorted(seeds))


def seeds_text(seeds: Sequence[int]) -> str:
    """Return seeds as the command line takes them: ``0-4,7``; one alone as ``7-7``."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1][1:] = [seed]
        else:
            parts.append([seed])
    if len(parts) == 1 and len(parts[0]) == 1:
        return f"{parts[0][0]}-{parts[0][0]}"
    return ",".join("-".join(map(str, part)) for part in parts)


def _whole_number(digits: str) -> int:
    if len(digits) > 19 or int(digits) >= 2**63:
        shown = digits if len(digits) <= 30 else f"a number of {len(digits)} digits"
        raise UsageError(f"{shown} is too large for seeds: they go from 0 to 2^63 - 1")
    return int(digits)


def _range_of_seeds(first: int, last: int, text: str, before: int = 0) -> Iterator[int]:
    if last < first:
        raise UsageError(f"the range {first}-{last} in {text!r} is empty: write {last}-{first}")
    if before + last - first >= 100_000:
        raise UsageError(f"{text!r} means more than 100,000 seeds: that cannot be meant")
    return iter(range(first, last + 1))
