"""The requests that publishing makes: one at a time, each a place where a test can stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from attnstudy.crashpoints import reach

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.store.entities import PagedList

_PAGE = 100  # MLflow takes more than twice the time per run for pages of 200

P = ParamSpec("P")
T = TypeVar("T")


class StrangeAnswerError(Exception):
    """A server answered as no MLflow server does; says how."""


def pages(ask: Callable[[str | None], PagedList[T]]) -> Iterator[PagedList[T]]:
    """Give the pages of what MLflow lists, one after the other.

    Args:
        ask: returns the page that a token names; the first one for None.

    Raises:
        StrangeAnswerError: the server sends the reader round in a circle.

    """
    token, before = None, set[str]()
    while True:
        page = ask(token)
        yield page
        token = page.token
        if not token:
            return
        if not page or token in before:
            raise StrangeAnswerError("it names one more page after the last")
        before.add(token)


@dataclass(slots=True)
class Requests:
    """Sends requests and tells that they were answered, which is how progress is known."""

    client: MlflowClient
    answered: Callable[[], None]
    written: int = 0
    """Requests so far that changed something."""

    def read(self, call: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> T:
        """Make a request that changes nothing."""
        result = call(*args, **named)
        self.answered()
        return result

    def runs(self, experiment: str, filter_string: str = "") -> Iterator[Run]:
        """Read the runs of an experiment page by page, deleted ones too."""
        from mlflow.entities import ViewType

        def ask(token: str | None) -> PagedList[Run]:
            return self.read(
                self.client.search_runs,
                [experiment],
                filter_string,
                ViewType.ALL,
                max_results=_PAGE,
                page_token=token,
            )

        for page in pages(ask):
            yield from page

    def write(self, name: str, call: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> T:
        """Make a request that changes something, between two crash points of its name."""
        reach(f"publish/before-{name}")
        result = call(*args, **named)
        reach(f"publish/after-{name}")
        self.written += 1
        self.answered()
        return result
