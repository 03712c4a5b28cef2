"""Every design whose family-wise error is measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.calibration.designs import ONE_ORDER, SPREADS, Mode, Row

EVERY_ORDER = tuple(SPREADS)
_FEW_SPREADS = ("equal", "last × 0.1", "rising 1–10", "halves 1, 10")
_LOOKS = ((3, 5, 10), (3, 5, 10, 30), (5, 10, 20), (5, 10, 20, 30, 50), tuple(range(3, 11)))


def hard() -> tuple[Row, ...]:
    """Return the designs in which earlier releases claimed too much, and some they served well."""
    return (
        *(
            Row(runs=runs)
            for runs in (
                (3, 3, 30, 30), (3, 3, 3, 30, 30), (5, 5, 30, 30), (3, 3, 30, 30, 30, 30),
            )
        ),
        Row(runs=(30, 3, 3, 3), mode="control"),
        Row(runs=(30, *(3,) * 7), mode="control"),
        Row(runs=(30, *(3,) * 7), mode="control", spread="first × 0.5"),
        Row(runs=(30, *(5,) * 7), mode="control"),
        Row(runs=(30, 3, 3, 3), mode="holm"),
        *(Row(runs=(3,) * k, spread=f"rising 1–{most}") for k in (4, 5) for most in (5, 10)),
        *(Row(runs=(4,) * 5, spread=spread) for spread in ("equal", "rising 1–10")),
        *(
            Row(runs=(looks[-1],) * 4, mode="looks", looks=looks, spread=spread)
            for looks in ((3, 5, 10), (3, 5, 10, 30))
            for spread in ("rising 1–5", "rising 1–10")
        ),
        *(Row(runs=(5,) * 4, spread=spread) for spread in ("equal", "last × 3", "rising 1–10")),
        Row(runs=(10,) * 4),
    )  # fmt: skip


def _equal_counts() -> Iterable[Row]:
    for arms in (2, 3, 4, 5, 6, 8, 10, 20, 40):
        for n in (3, 4, 5, 10, 20, 30):
            for spread in ONE_ORDER if arms <= 10 else _FEW_SPREADS:
                yield Row(runs=(n,) * arms, spread=spread)


def _unequal_counts() -> Iterable[Row]:
    for runs in (
        (3, 5), (3, 10), (3, 30), (5, 30), (10, 30), (3, 1000), (3, 3, 30), (3, 30, 30),
        (3, 4, 5, 6), (4, 5, 5, 6), (5, 5, 5, 6), (5, 5, 5, 8), (5, 6, 7, 8),
        (3, 3, 3, 30), (3, 3, 5, 5), (3, 3, 10, 10),
        (3, 3, 30, 30), (3, 30, 30, 30), (5, 5, 10, 10), (5, 5, 30, 30), (5, 30, 30, 30),
        (10, 10, 30, 30), (3, 3, 1000, 1000), (3, 1000, 1000, 1000), (3, 3, 3, 30, 30),
        (3, 3, 30, 30, 30, 30), (3,) * 4 + (30,) * 4, (3,) * 5 + (10,) * 5, (5,) * 5 + (30,) * 5,
        (3,) * 9 + (1000,), (3,) * 10 + (30,) * 10,
    ):  # fmt: skip
        for spread in EVERY_ORDER:
            yield Row(runs=runs, spread=spread)


def _control() -> Iterable[Row]:
    equal = [(n,) * arms for arms in (3, 4, 5, 8, 20, 40) for n in (3, 4, 5, 10, 30)]
    unequal: list[tuple[int, ...]] = [
        (30, 3, 3, 3), (30, *(3,) * 7), (30, *(5,) * 7), (30, *(5,) * 19), (30, *(10,) * 7),
        (1000, 3, 3, 3), (1000, *(3,) * 7), (3, 30, 30, 30), (5, 30, 30, 30), (3, *(10,) * 7),
        (3, *(30,) * 19), (3, *(1000,) * 7), (10, 5, 5, 5), (5, 3, 3, 3),
    ]  # fmt: skip
    for runs in (*equal, *unequal):
        for spread in EVERY_ORDER:
            yield Row(runs=runs, spread=spread, mode="control")


def _holm() -> Iterable[Row]:
    equal = [(n,) * arms for arms in (3, 4, 5, 8) for n in (3, 4, 5, 10)]
    yield from _rows(equal, ONE_ORDER, "holm")
    unequal = [(3, 3, 3, 30), (3, 3, 30, 30), (5, 5, 30, 30), (3,) * 4 + (30,) * 4]
    yield from _rows(unequal, EVERY_ORDER, "holm")


def _rows(counts: Sequence[tuple[int, ...]], spreads: Sequence[str], mode: Mode) -> Iterable[Row]:
    for runs in counts:
        for spread in spreads:
            yield Row(runs=runs, spread=spread, mode=mode)


def _paired() -> Iterable[Row]:
    counts = [(n,) * arms for arms in (2, 4, 8) for n in (3, 5, 10, 30)]
    yield from _rows(counts, ("equal", "last × 3", "rising 1–10"), "paired")


def _looks() -> Iterable[Row]:
    for arms in (2, 4, 8):
        for looks in _LOOKS:
            for spread in ONE_ORDER:
                yield Row(runs=(looks[-1],) * arms, spread=spread, mode="looks", looks=looks)


def every() -> tuple[Row, ...]:
    """Return all designs, each once."""
    grids = (_equal_counts, _unequal_counts, _control, _holm, _paired, _looks)
    rows = {row.name: row for row in hard()}
    for grid in grids:
        rows |= {row.name: row for row in grid()}
    return tuple(rows.values())
