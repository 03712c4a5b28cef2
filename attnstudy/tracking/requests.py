"""The requests that publishing makes: one at a time, each a place where a test can stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from attnstudy.crashpoints import reach

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 100  # MLflow takes more than twice the time per run for pages of 200

P = ParamSpec("P")
T = TypeVar("T")


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

        token = None
        while True:
            page = self.read(
                self.client.search_runs,
                [experiment],
                filter_string,
                ViewType.ALL,
                max_results=_PAGE,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def write(self, name: str, call: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> T:
        """Make a request that changes something, between two crash points of its name."""
        reach(f"publish/before-{name}")
        result = call(*args, **named)
        reach(f"publish/after-{name}")
        self.written += 1
        self.answered()
        return result
