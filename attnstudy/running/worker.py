"""What a worker does with runs: claim them, have them trained, keep everything that comes out.

Several runs that differ in their seeds alone may be trained together: each has its own lock,
journal, checkpoint and result.
"""

from __future__ import annotations

import contextlib
import math
import numbers
import time
from collections.abc import Mapping, Sequence

from attnstudy.crashpoints import reach
from attnstudy.errors import UsageError
from attnstudy.executors import Channel, Stopped, died
from attnstudy.files import file_digest
from attnstudy.running.claiming import claimed_run
from attnstudy.running.environment import environment, prepare_process, threads_put_back
from attnstudy.running.jobs import Failed, Job, Kept, Member, Notice, Paused
from attnstudy.running.resuming import resume
from attnstudy.running.run import ActiveRun, PausedError, check_metric_name
from attnstudy.runs import JOURNAL, Result, RunFolder, Status
from attnstudy.trainings.contract import Diverged
from attnstudy.trainings.registry import find


def train_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Train runs, each in its folder, unless somebody else does or did.

    Raises:
        Stopped: the channel asked for it; every run has its checkpoint.

    """
    ending = _Ending(jobs, channel)
    with threads_put_back(), contextlib.ExitStack() as stack:
        for place, job in enumerate(jobs):
            hold = stack.enter_context(contextlib.ExitStack())
            try:
                claim = hold.enter_context(claimed_run(job, ending.members[place]))
                if claim is None:
                    hold.close()
                else:
                    ending.add(place, _begin(job, ending.members[place], claim.data), hold)
            except Exception as error:
                hold.close()
                ending.failed(place, error)
        if ending.runs:
            find(jobs[0].spec.training).train(ending.runs, ending)
    if ending.stopped is not None:
        raise ending.stopped


def _begin(job: Job, channel: Channel, data: object) -> ActiveRun:
    prepare_process(job.threads)
    recorded = environment(job.device, job.threads, job.fused)
    recorded["code_revision"] = job.code_revision
    resumed = resume(RunFolder(job.folder), job.spec, recorded, strict=job.strict)
    for sentence in resumed.notices:
        channel.report(Notice(sentence))
    return ActiveRun(job, channel, resumed, recorded, data)


class _Ending:
    """Told of the end of each run that is trained together with others."""

    def __init__(self, jobs: Sequence[Job], channel: Channel) -> None:
        self.members = [Member(channel, place) for place in range(len(jobs))]
        self.runs: list[ActiveRun] = []
        self.stopped: Stopped | None = None
        self._alone = len(jobs) == 1
        self._places: list[int] = []
        self._holds: list[contextlib.ExitStack] = []

    def add(self, place: int, run: ActiveRun, hold: contextlib.ExitStack) -> None:
        """Have a run, whose place is that of its job, trained; ``hold`` releases it."""
        self.runs.append(run)
        self._places.append(place)
        self._holds.append(hold)

    def __call__(self, number: int, outcome: Mapping[str, float] | Exception) -> None:
        """Keep the outcome of one of the runs, and release it."""
        place, run = self._places[number], self.runs[number]
        try:
            with self._holds[number]:
                result = finalize(run, outcome)
                reach("run/before-finish")
                run.folder.finish(result)
        except PausedError:
            self.members[place].report(Paused())
        except Exception as error:  # told once the run is released, else it seems to be at work
            self.failed(place, error)
        else:
            self.members[place].report(Kept(result))

    def failed(self, place: int, error: Exception) -> None:
        """Pass on that a run could not be trained; those beside it go on."""
        if isinstance(error, Stopped):
            self.stopped = error
        elif self._alone:
            raise error
        else:
            self.members[place].report(Failed(died(0, 0, error)))


def finalize(run: ActiveRun, outcome: Mapping[str, float] | Exception) -> Result:
    """Return the result of a run whose training has ended.

    Args:
        run: as its training left it.
        outcome: what the training returned or raised.

    Raises:
        Exception: what the training raised, if it did not diverge.
        UsageError: it returned something else than metrics.

    """
    diverged_at: int | None = None
    if isinstance(outcome, Diverged):
        diverged_at, outcome = outcome.step, outcome.metrics
    elif isinstance(outcome, Exception):
        raise outcome
    metrics = checked_metrics(outcome) if diverged_at is None or outcome else {}
    if run.job.metric is not None and run.job.metric not in metrics and diverged_at is None:
        raise UsageError(
            f"the training returned {', '.join(metrics)}, and no {run.job.metric}, by which its "
            "study is judged: return it too, or correct 'metric' in the study's file"
        )
    metrics.setdefault("train_seconds", run.seconds)
    if missing := [name for name in run.files if not (run.folder.path / name).is_file()]:
        raise UsageError(f"file({missing[0]!r}) was asked for and never written")
    journal = [JOURNAL] if (run.folder.path / JOURNAL).exists() else []
    # a clock may be set back meanwhile, and a run cannot end before it began
    ended = run.started_at + round(1000 * metrics["train_seconds"])
    return Result(
        status=Status.COMPLETE if diverged_at is None else Status.DIVERGED,
        diverged_at=diverged_at,
        metrics=metrics,
        finished_at=max(time.time_ns() // 1_000_000, ended),
        environment=dict(run.recorded),
        files={name: file_digest(run.folder.path / name) for name in (*run.files, *journal)},
        notes=tuple(run.notes),
    )


def checked_metrics(outcome: object) -> dict[str, float]:
    """Return metrics as a result holds them.

    Raises:
        UsageError: it is no mapping of names to finite numbers.

    """
    if not isinstance(outcome, Mapping) or not outcome:
        raise UsageError(
            f"the training returned {_clipped(outcome)}: return its metrics by name, as in "
            "{'test_accuracy': 0.93}"
        )
    metrics = {}
    for name, value in outcome.items():
        if not isinstance(name, str) or not name:
            raise UsageError(f"the training returned a metric called {name!r}: give it a text")
        check_metric_name(name)
        number = _number(value)
        if number is None:
            raise UsageError(f"the metric {name} is {_clipped(value)}: return a number")
        if not math.isfinite(number):
            raise UsageError(
                f"the metric {name} is {number}: return a finite number, or raise "
                "attnstudy.Diverged(step) where the training diverged (a command: write "
                '"diverged_at": step beside its metrics)'
            )
        metrics[name] = number
    return metrics


def _number(value: object) -> float | None:
    """Return a number of Python's, of NumPy's or of torch's; None if it is none."""
    try:
        plain = value.item() if hasattr(value, "item") else value
        if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
            return None
        return float(plain)
    except (ValueError, RuntimeError):  # several numbers
        return None
    except OverflowError:
        return math.inf


def _clipped(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
