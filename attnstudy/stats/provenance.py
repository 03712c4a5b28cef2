"""Where a ranking comes from: what is reported with it and never computed with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan that was recorded before the first run."""

    hash: str
    """Hash of arms, seeds, metric, alpha, margin, looks and pairing."""
    date: str
    """When it was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A run that was left out."""

    run: str
    """Its name."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How results that others made were read."""

    name: str
    """Files without the folders that all are in, experiments, or what a program handed over."""
    read_as: str
    """Arms, repetitions and metric as they were understood, in words."""
    layout: str | None = None
    """rows-are-runs, columns-are-arms or columns-are-runs; None where nothing had to be told."""
    by: tuple[str, ...] = ()
    """Fields that make an arm."""
    seed_by: str | None = None
    """The field that numbers the repetitions."""
    left_out: tuple[str, ...] = ()
    """Columns, rows and runs that do not count, a phrase each, with the reason."""

    @property
    def words(self) -> str:
        """All of it in one line."""
        left = f"; left out: {'; '.join(self.left_out)}" if self.left_out else ""
        return f"{self.name}: read as {self.read_as}{left}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a ranking comes from. Only its status, confirmatory or not, follows from this."""

    study: str | None = None
    """Name of the study."""
    config: str | None = None
    """Identity of the configuration."""
    plan: Plan | None = None
    """The plan recorded before the first run."""
    deviations: tuple[str, ...] = ()
    """What was done otherwise than planned, a phrase each."""
    excluded: tuple[Exclusion, ...] = ()
    """Runs left out."""
    notes: tuple[str, ...] = ()
    """Remarks to pass on."""
    source: Source | None = None
    """How the results were read, where others made them."""

    def __post_init__(self) -> None:
        for name in ("deviations", "excluded", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def confirmatory(self) -> bool:
        """Whether there is a plan, and it was followed."""
        return self.plan is not None and not self.deviations
