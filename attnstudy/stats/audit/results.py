"""What an audit consists of. Numbers that stand in the table are texts, with every zero."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from attnstudy.stats._codec import encode
from attnstudy.stats.audit.rounding import Rounding
from attnstudy.stats.results import Ranking


class Kind(StrEnum):
    """What is wrong, or worth a look."""

    WRONG_MEAN = "wrong-mean"
    WRONG_SD = "wrong-sd"
    IMPOSSIBLE_VALUE = "impossible-value"
    DUPLICATE = "duplicate"
    MIXED_PRECISION = "mixed-precision"
    INFLUENTIAL = "influential"
    DISAGREES_WITH_LOG = "disagrees-with-log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One cell changed."""

    row: str
    """Name of the row."""
    column: str
    """Name of the column."""
    printed: str
    """What stands there."""
    repaired: str | None
    """What would stand there; None where the cell is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A smallest change after which the numbers agree: a hypothesis, not what happened."""

    description: str
    """What would have to be so, in words."""
    edits: tuple[Edit, ...]
    """The cells to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at; fields that do not apply are None."""

    kind: Kind
    """What it is."""
    message: str
    """One or two sentences."""
    row: str | None = None
    """Name of the row; of the first one where it concerns several."""
    column: str | None = None
    """Name of the column; of the first one where it concerns several."""
    printed: str | None = None
    """What stands in the cell."""
    recomputed: str | None = None
    """The number that it should be, as far as the other numbers say."""
    repairs: tuple[Repair, ...] = ()
    """The simplest repairs, simplest first."""
    repairs_found: int = 0
    """How many repairs there are, shown or not."""
    how: str | None = None
    """How the printed number came out of the right one (``truncated``), where known."""
    verdict_otherwise: str | None = None
    """The corrected ranking's verdict without an influential or repeated value, or with the
    logged one."""
    p: float | None = None
    """Adjusted p-value of an influential value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck:
    """A printed mean or SD beside that of the values."""

    printed: str | None = None
    """What the table says; None where it says nothing."""
    recomputed: str | None = None
    """What the printed values give: in full where it ends, else two decimals more than printed;
    an SD with divisor n - 1. None where there are too few values."""
    agrees: tuple[Rounding, ...] = ()
    """Roundings under which the printed number is right; an SD with divisor n - 1 or else n."""
    explained: bool = False
    """Whether a number that agrees under none may still be that of the values before they were
    rounded."""
    population: bool = False
    """Whether an SD agrees with divisor n only."""

    @property
    def wrong(self) -> bool:
        """Whether the values cannot have the printed number."""
        known = self.printed is not None and self.recomputed is not None
        return known and not self.agrees and not self.explained


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCheck:
    """One row: what it prints and what its values give."""

    row: str
    """Name."""
    n: int | None
    """Number of values, or what a summary says it is."""
    values: tuple[str | None, ...]
    """As printed, one for each column of values; None for an empty cell."""
    mean: NumberCheck
    """Its mean."""
    sd: NumberCheck
    """Its standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything that can be said of a printed table: what ``audit`` returns."""

    findings: tuple[Finding, ...]
    """By kind in the order of ``Kind``, then in the order of the table."""
    ranking_printed: Ranking | None
    """Ranked by the printed means; spreads as printed, else of the values. It has no values,
    and nothing that would need them. None without printed means."""
    ranking_corrected: Ranking | None
    """Ranked by the values; None for a table of summaries. As an audit asks for order and verdict
    alone, neither ranking has robustness lines."""
    changes_order: bool
    """Whether two rows stand the other way round by recomputed means than by printed ones."""
    changes_verdict: bool
    """Whether the verdict on some pair differs between the two rankings."""
    columns: tuple[str, ...]
    """Columns of values; empty for a table of summaries."""
    mean_column: str | None
    """Column of the printed means."""
    sd_column: str | None
    """Column of the printed SDs."""
    rows: tuple[RowCheck, ...]
    """Every row, in the order of the table."""
    items: int | None
    """Number of test items, as given or as the logs say."""
    alpha: float
    """Family-wise error rate of the rankings and of the test for influential values."""
    notes: tuple[str, ...]
    """Remarks, a sentence each: what agrees only by truncation, what could not be checked."""
    sentence: str
    """The outcome in one or two sentences."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it: no NaN, no infinity, null for None."""
        encoded: dict[str, Any] = encode(self)
        return encoded
