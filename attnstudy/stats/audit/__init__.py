"""The audit of someone else's table: text in, frozen results out."""

from attnstudy.stats.audit.auditing import audit
from attnstudy.stats.audit.results import (
    Audit,
    Edit,
    Finding,
    Kind,
    NumberCheck,
    Repair,
    RowCheck,
)
from attnstudy.stats.audit.rounding import Rounding
from attnstudy.tables.text import read_text

__all__ = [
    "Audit",
    "Edit",
    "Finding",
    "Kind",
    "NumberCheck",
    "Repair",
    "Rounding",
    "RowCheck",
    "audit",
    "read_text",
]
