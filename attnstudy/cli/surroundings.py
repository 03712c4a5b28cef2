"""``data``, ``doctor`` and ``selftest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attnstudy import options
from attnstudy.cli.common import address_of, data_dir_of, named_study, say
from attnstudy.errors import EXIT_ENVIRONMENT, UsageError

if TYPE_CHECKING:
    from attnstudy.asking import Given


@click.group()
def data() -> None:
    """Fetch and check datasets."""


@data.command(epilog=options.examples("attnstudy data fetch cifar10"))
@click.argument("name", metavar="[DATASET]", default="cifar10")
@options.data_dir
@options.talk
def fetch(name: str, **given: Any) -> int:
    """Download a dataset where needed, decode it and keep it ready."""
    return _load_dataset(name, given, download=True)


@data.command(epilog=options.examples("attnstudy data verify cifar10"))
@click.argument("name", metavar="[DATASET]", default="cifar10")
@options.data_dir
@options.talk
def verify(name: str, **given: Any) -> int:
    """Check a dataset's files and its decoded images; download nothing."""
    return _load_dataset(name, given, download=False)


@click.command(
    epilog=options.examples("attnstudy doctor --dataset digits"),
)
@options.dataset
@options.data_dir
@options.store
@options.quiet
def doctor(**given: Any) -> int:
    """Check versions, device, store and data, and say what to do about each fault."""
    from attnstudy import render
    from attnstudy.usecases import diagnosing

    findings = []
    for finding in diagnosing.diagnose(address_of(given), given["dataset"], data_dir_of(given)):
        findings.append(finding)
        if not (given["quiet"] and finding.good):
            say(render.finding_line(finding))
    return 0 if all(finding.good for finding in findings) else EXIT_ENVIRONMENT


@click.command(
    cls=options.StudyFileCommand,
    epilog=options.examples("attnstudy selftest", "attnstudy selftest mine"),
)
@options.study_argument
@options.study_known
@options.task
@options.what_to_run
@options.how_to_run
@options.tuned
@options.until_decided
@options.store
@options.talk
def selftest(**given: Any) -> int:
    """Train known cases and say whether this installation, or a study's training, can be trusted.

    On the embedded digits a seed is trained twice, a difference that is not there is looked for,
    and one that is large has to be found: about a minute. With STUDY, the first run of each of its
    arms, on each of its tasks, is repeated, and has to give the same results to the last bit.
    Nothing is kept.
    """
    import tempfile
    from itertools import chain
    from pathlib import Path

    from attnstudy import render
    from attnstudy.running.figures import run_figures
    from attnstudy.usecases import selftest as controls

    if named_study(given) is None:
        _refuse_without_study(options.given_here())
    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    good, what = True, named_study(given) or "this installation"
    with tempfile.TemporaryDirectory() as place:
        if named_study(given) is None:
            findings = controls.controls(Path(place), terminal, run_figures)
        else:
            from attnstudy import asking

            asked = options.given_here()
            requests = asking.chosen_requests(asked, asking.run_requests(asked))
            findings = chain.from_iterable(
                controls.repetitions(request, Path(place), terminal, run_figures)
                for request in requests
            )
        for finding in findings:
            good = good and finding.good
            say(render.finding_line(finding))
    say("All checks passed." if good else f"Do not trust what {what} says: see above.")
    return 0 if good else EXIT_ENVIRONMENT


def _refuse_without_study(asked: Given) -> None:
    """Refuse options that would have no effect on what is trained where no study is named.

    Raises:
        UsageError: naming the first.

    """
    for name in asked:
        if asked.called(name) and name not in ("quiet", "no_progress"):
            raise UsageError(
                f"{asked.place(name)} is for the selftest of a study: name STUDY, or leave it out"
            )


def _load_dataset(name: str, given: dict[str, Any], *, download: bool) -> int:
    from attnstudy import render
    from attnstudy.trainings.placement import data as datasets

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.decoding() as decoding:
        place = data_dir_of(given)
        found, folder = datasets.load(name, place, download=download, progress=decoding)
    say(render.dataset_text(name, found, folder))
    return 0


COMMANDS = (data, doctor, selftest)
