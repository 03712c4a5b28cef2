"""What the user sees while a search is going on; all of it goes to stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnstudy.render.tables import amount, duration
from attnstudy.render.terminal import Terminal
from attnstudy.render.tuning import trial_line
from attnstudy.shown import in_line

if TYPE_CHECKING:
    from attnstudy.search import Trial
    from attnstudy.space import Space
    from attnstudy.study import RunSpec
    from attnstudy.usecases.tuning.results import ArmTuning


class TuningTerminal(Terminal):
    """Shows the progress of a search: bars on a terminal, else a plain line now and then."""

    def begin_search(self, done: int, trials: int, arms: int, workers: int, space: Space) -> None:
        """Show how many trials there are to do, in total and still, and what is varied."""
        self.say(
            f"{amount(trials - done, 'trial')} to do ({amount(arms, 'arm')}), "
            f"{amount(workers, 'run')} at once"
        )
        self.say(in_line(f"varied: {space.shown}"))
        self._begin(trials - done, "all trials")

    def run_ended(self, worker: int, spec: RunSpec) -> None:
        """Show that a run ended, or came to where it was to pause."""
        self._current.pop(worker, None)
        self._plain_line()

    def trial_ended(self, tuning: ArmTuning, trial: Trial) -> None:
        """Show that a trial ended; a failure is told at once."""
        self._done += 1
        if self._display is not None and self._total is not None:
            self._display.update(self._total, completed=self._done)
        line = in_line(trial_line(tuning, trial))
        if trial.state.value == "failed":
            self.warn(line)
        else:
            self.say(line)

    def time_left(self, seconds: float) -> None:
        """Show how long the rest will take."""
        self.say(f"About {duration(seconds)} for the rest.")
