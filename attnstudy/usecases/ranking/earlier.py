"""Studies of the same arms, settings and dataset, which a reader of a ranking has to know of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from attnstudy.stats import Ranking
from attnstudy.usecases.ranking.asked import Source
from attnstudy.usecases.sources import Collected, StudyRequest
from attnstudy.usecases.sources.related import RelatedStudy

_TOLD = 5  # earlier studies that are ranked to tell what they said; the others are named alone


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStudy:
    """A study of the same arms, settings and dataset that was begun before the ranked one."""

    study: RelatedStudy
    status: str | None
    """``confirmatory`` or ``exploratory``; None where it was not ranked, or cannot be."""
    verdict: str | None
    """What it said, ranked as its own plan declares."""

    @property
    def said(self) -> str:
        """What it said, for the reader."""
        if self.verdict is None:
            return f"see 'attnstudy rank {self.study.study}'"
        return f'which said "{self.verdict}" ({self.status})'


def earlier_studies(
    source: Source, found: Collected, ranked: Callable[[StudyRequest], Ranking | None]
) -> Iterator[EarlierStudy]:
    """Give the earlier studies of the same, with what they said; ``ranked`` ranks one of them."""
    earlier = [one for one in found.related if one.earlier]
    for number, one in enumerate(earlier):
        assert isinstance(source, StudyRequest)
        said = None
        if number >= len(earlier) - _TOLD:
            said = ranked(replace(source, study=one.study, config=one.config))
        yield EarlierStudy(
            study=one,
            status=None if said is None else said.status,
            verdict=None if said is None else said.verdict,
        )


def following(earlier: Sequence[EarlierStudy]) -> str:
    """Return what a reader of the verdict has to know of the studies before."""
    if not earlier:
        return ""
    last = earlier[-1]
    before = f", the last of {len(earlier)}" if len(earlier) > 1 else ""
    return (
        f"; it follows an earlier study of the same arms, settings and dataset{before}: "
        f"{last.study.study!r}, {last.said}"
    )


def later(found: Collected) -> tuple[str, ...]:
    """Return a remark for each study of the same that was begun after the ranked one."""
    later = [one for one in found.related if not one.earlier]
    return tuple(
        f"a later study compares the same arms with the same settings and dataset: {one.words}"
        for one in later
    )
