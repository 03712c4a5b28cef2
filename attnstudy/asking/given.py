"""What a command, or a program, was told: values by name, and who said each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from attnstudy.studyfile import StudyFile


class Source(Enum):
    """Who said a value; each goes before those behind it."""

    CALL = "call"
    """This very command, or this call of a method."""
    ENVIRONMENT = "environment"
    STUDY = "study"
    """The study's file, or the program that made the study."""
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Mapping[str, Any]):
    """The checked values of all options that a command has, by name."""

    study: StudyFile
    by_name: Mapping[str, Any]
    sources: Mapping[str, Source]
    """Who said each of them."""
    place: Callable[[str], str]
    """Returns what to call the place in which a value was said, such as ``--margin``."""
    named: bool
    """Whether the study is meant by name; else its file gives settings and declares nothing."""

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def called(self, name: str) -> bool:
        """Tell whether a value was said in this very command or call."""
        return self.sources.get(name) is Source.CALL

    def typed(self, name: str) -> bool:
        """Tell whether a value was said for this command: in its call or in the environment."""
        return self.sources.get(name) in (Source.CALL, Source.ENVIRONMENT)

    def said(self, *names: str) -> dict[str, Any]:
        """Return those of the values that somebody said, in whatever place."""
        return {n: self.by_name[n] for n in names if self.sources[n] is not Source.DEFAULT}
