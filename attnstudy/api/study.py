"""``attnstudy.Study`` and ``attnstudy.load_study``: a study, in a script or a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from attnstudy import asking, options, studyfile
from attnstudy.api.content import study_of
from attnstudy.api.functions import Found, find_function
from attnstudy.api.values import (
    Seeds,
    inline_only,
    listed,
    names_of,
    opposite,
    seed_text,
    space_of,
)
from attnstudy.api.words import in_words_of_python
from attnstudy.api.workers import leave_the_script_alone, refuse_in_worker
from attnstudy.errors import UsageError
from attnstudy.seeds import seeds_text

if TYPE_CHECKING:
    from pandas import DataFrame

    from attnstudy.api.answers import RunAnswer, StatusAnswer, TuneAnswer
    from attnstudy.asking import Given
    from attnstudy.fields import Field
    from attnstudy.render import Terminal
    from attnstudy.stats import Ranking
    from attnstudy.stats.tasks import Question, TaskRanking
    from attnstudy.studyfile import StudyFile
    from attnstudy.usecases.tuning.results import ArmTuning

Train = Callable[..., Any]
Path = str | os.PathLike[str]

_RUN, _TUNE, _RANK = map(
    options.command_for_programs, (options.of_run, options.of_tune, options.of_rank)
)
_TOLD: set[str] = set()
"""What was said about functions of this process; once is enough."""


class Study:
    """Arms that are compared by a metric over seeds; what is asked stands before the first run.

    It is what a study's file is, said in Python, and has the same runs: nothing is run twice.

    Examples:
        >>> import attnstudy
        >>> def train(run):
        ...     return {"score": run.settings["level"] + run.rng("noise").normal()}
        >>> study = attnstudy.Study(
        ...     "levels", train, arms={"low": {"level": 0.0}, "high": {"level": 5.0}},
        ...     seeds=5, metric="score",
        ... )
        >>> study
        Study('levels'): low, high; seeds 0-4; ranked by score

    """

    def __init__(  # noqa: PLR0913 - what a study's file says, by keyword
        self,
        name: str,
        train: Train | str | None = None,
        *,
        arms: Mapping[str, Mapping[str, Any] | None] | Iterable[str] | None = None,
        tasks: Mapping[str, Mapping[str, Any] | None] | None = None,
        seeds: Seeds | None = None,
        metric: str | None = None,
        settings: Mapping[str, Any] | Iterable[Field] | Any = None,
        question: str | None = None,
        direction: str | None = None,
        alpha: float | None = None,
        correction: str | None = None,
        control: str | None = None,
        margin: float | None = None,
        paired: bool | None = None,
        looks: Sequence[int] | None = None,
        ranking_tasks: str | None = None,
        command: str | None = None,
        metrics: str | None = None,
        code: str | Sequence[str] | None = None,
        folder: Path | None = None,
        store: Path | None = None,
        tracking_uri: str | None = None,
    ) -> None:
        """Say what is to be compared. Nothing is run, read from a store or written.

        Args:
            name: of the study, and of its MLflow experiment.
            train: what is run for each arm and seed: a function that takes a ``Run`` and returns
                metrics by name, or where it is, as ``"package.module:function"``.
            arms: what is compared: the settings of each arm by its name, or names alone. None is
                one arm that is called as the study.
            tasks: on what the arms are compared: the settings of each task by its name, and its
                ``metric`` and ``direction`` where they are not the study's. Every arm is run on
                every task.
            seeds: of every arm: ``10`` for 0 to 9, ``"0-9"``, or a list; 5 unless given.
            metric: by which the study is ranked.
            settings: the usual value of each setting by name; or a dataclass, whose fields say
                what settings there are; or ``Field`` objects, which can have bounds.
            question: what the study is to answer, for the reader.
            direction: ``maximize`` or ``minimize``; None goes by the name of the metric.
            alpha: family-wise error rate; 0.05 unless given.
            correction: ``games-howell`` (the default) or ``holm``.
            control: compare all others with this arm only.
            margin: largest difference that does not matter.
            paired: whether runs are compared seed by seed.
            looks: seeds of an arm at each look, for ``run(until_decided=True)``.
            ranking_tasks: which question on several tasks is confirmatory: ``each`` (on each of
                them), ``average`` (on average over them) or ``new`` (on a new task like these).
            command: a command line that is run in place of a function.
            metrics: where a command leaves its metrics: in a ``file``, or in its last line on
                ``stdout``.
            code: files or folders that belong to the code, beside what the function's module
                imports; relative to ``folder``.
            folder: where the code is, and where a command is run; None is the current one.
            store: folder of the runs and of the embedded MLflow store; ``mlruns`` unless given.
            tracking_uri: MLflow server or database to use instead of the embedded store.

        Raises:
            UsageError: something makes no sense; a sentence says what to do.

        """
        if train is not None and command is not None:
            raise UsageError("train and command both say what is run: leave one of them out")
        found = None if train is None else find_function(train)
        said = {
            "arms": arms, "tasks": tasks, "seeds": seeds, "metric": metric, "settings": settings,
            "question": question, "direction": direction, "alpha": alpha,
            "correction": correction, "control": control, "margin": margin, "paired": paired,
            "looks": looks, "ranking_tasks": ranking_tasks, "command": command,
            "metrics": metrics, "code": code,
        }  # fmt: skip
        with in_words_of_python():
            file = study_of(name, found, folder, said)
            self._hold(file, found, {"store": store, "tracking_uri": tracking_uri})

    def _hold(self, file: StudyFile, found: Found | None, said: Mapping[str, Any]) -> None:
        self._file, self._found = file, found
        self._said = {key: value for key, value in said.items() if value is not None}
        self._arms = tuple(arm.name for arm in asking.check(self._given(_RUN, {})))

    @classmethod
    def _of_file(cls, file: StudyFile, said: Mapping[str, Any]) -> Self:
        study = cls.__new__(cls)
        study._hold(file, None, said)
        return study

    @property
    def name(self) -> str:
        """Its name."""
        return self._file.name

    def run(  # noqa: PLR0913 - the options of the command, by keyword
        self,
        *,
        arms: Iterable[str] | None = None,
        task: str | Iterable[str] | None = None,
        seeds: Seeds | None = None,
        workers: int | None = None,
        executor: str | None = None,
        until_decided: bool | None = None,
        max_seeds: int | None = None,
        max_hours: float | None = None,
        tuned: bool | None = None,
        storage: str | None = None,
        rerun: bool | None = None,
        accept_code: bool | None = None,
        wait: bool | None = None,
        strict: bool | None = None,
        device: str | None = None,
        threads: int | None = None,
        checkpoint_minutes: float | None = None,
        address: str | None = None,
        cpus_per_run: float | None = None,
        gpus_per_run: float | None = None,
        republish: bool | None = None,
        figures: bool | None = None,
        models: bool | None = None,
        progress: bool | None = None,
        quiet: bool | None = None,
    ) -> RunAnswer:
        """Run every arm with every seed that has no result yet; runs that failed raise nothing.

        Of a study with tasks, one task after the other.

        Args:
            arms: run these alone.
            task: run this task alone, or these.
            seeds: run these instead of the declared ones.
            workers: runs at once.
            executor: ``processes``, ``inline`` (in this process, one after the other) or ``ray``.
                A function that no module has, as one of a notebook, always runs inline.
            until_decided: add seeds look by look to the pairs that are not decided yet.
            max_seeds: seeds of an arm at the last look.
            max_hours: end it after so long.
            tuned: run each arm with the best settings that ``tune`` found for it.
            storage: where ``tune`` keeps its trials, if it was told.
            rerun: run again what is complete already.
            accept_code: keep runs that were made before the code changed.
            wait: wait for runs that another process is at.
            strict: refuse what could change the bits of a run that was interrupted.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: of a run; fixed at the study's first run, 1 unless given.
            checkpoint_minutes: longest time without a checkpoint, for trainings that ask for it.
            address: of the Ray cluster.
            cpus_per_run: cores that a run is given on a Ray cluster.
            gpus_per_run: GPUs that a run is given there.
            republish: bring back in MLflow what was deleted there.
            figures: whether figures are sent to MLflow.
            models: whether runs keep their models.
            progress: whether progress is shown, on standard error.
            quiet: show warnings only.

        Raises:
            UsageError: something makes no sense; a sentence says what to do.
            StoreError: the store cannot be written; what is complete is kept.

        """
        called = {
            "variant": names_of(arms), "task": names_of(task), "seeds": seed_text(seeds),
            "workers": workers,
            "executor": executor, "until_decided": until_decided, "max_seeds": max_seeds,
            "max_hours": max_hours, "tuned": tuned, "storage": storage, "rerun": rerun,
            "accept_code": accept_code, "wait": wait, "strict": strict, "device": device,
            "threads": threads, "checkpoint_minutes": checkpoint_minutes, "address": address,
            "cpus_per_run": cpus_per_run, "gpus_per_run": gpus_per_run, "republish": republish,
            "no_figures": opposite(figures), "no_models": opposite(models),
            "no_progress": opposite(progress), "quiet": quiet,
        }  # fmt: skip
        with in_words_of_python():
            refuse_in_worker("run()")
            given = self._given(_RUN, called)
            return self._run(given)

    def _run(self, given: Given) -> RunAnswer:
        from attnstudy import render
        from attnstudy.api.answers import RunAnswer
        from attnstudy.running import outcomes
        from attnstudy.usecases.conducting import conduct

        terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
        self._prepare(given, terminal)
        all_tasks = asking.run_requests(given)
        done = conduct(
            asking.chosen_requests(given, all_tasks),
            terminal,
            asking.figures_of(given),
            all_tasks=all_tasks,
            until_decided=given["until_decided"],
            max_hours=given["max_hours"],
            seen=lambda look, of: terminal.say(render.look_text(look, of)),
        )
        if done.reports and (warning := outcomes.sync_warning(done.reports[-1])):
            terminal.warn(warning)
        if done.lost is not None:
            raise done.lost
        return RunAnswer(done)

    def tune(  # noqa: PLR0913 - the options of the command, by keyword
        self,
        *,
        space: Mapping[str, Any] | None = None,
        metric: str | None = None,
        direction: str | None = None,
        trials: int | None = None,
        seeds_per_trial: int | None = None,
        tuning_seeds: Seeds | None = None,
        pruner: str | None = None,
        sampler: str | None = None,
        sampler_seed: int | None = None,
        storage: str | None = None,
        arms: Iterable[str] | None = None,
        workers: int | None = None,
        executor: str | None = None,
        device: str | None = None,
        threads: int | None = None,
        progress: bool | None = None,
        quiet: bool | None = None,
    ) -> TuneAnswer:
        """Search the settings of each arm, with seeds that the study is not ranked by.

        Trials that ended are not repeated. ``run(tuned=True)`` uses what was found.

        Args:
            space: what is varied, by setting: ``{"low": 1e-4, "high": 0.1, "log": True}`` or a
                list of values; None is what the study's file says.
            metric: by which trials are judged; it must not be of test data.
            direction: ``maximize`` or ``minimize``; None goes by the name of the metric.
            trials: of an arm, in total; 20 unless given.
            seeds_per_trial: with which a trial is run; 3 unless given.
            tuning_seeds: these seeds instead.
            pruner: ``none``, ``wilcoxon`` or ``median``.
            sampler: ``tpe`` or ``random``.
            sampler_seed: decides what is proposed.
            storage: where the trials are kept: a journal file, or a database.
            arms: of a study of the placements, tune these alone.
            workers: runs at once.
            executor: as for ``run``.
            device: as for ``run``.
            threads: as for ``run``.
            progress: whether progress is shown, on standard error.
            quiet: show warnings only.

        Raises:
            UsageError: something makes no sense; a sentence says what to do.
            StoreError: the store cannot be written; what is complete is kept.

        """
        called = {
            "variant": names_of(arms), "trials": trials, "seeds_per_trial": seeds_per_trial,
            "tuning_seeds": seed_text(tuning_seeds), "pruner": pruner, "sampler": sampler,
            "sampler_seed": sampler_seed, "storage": storage, "workers": workers,
            "executor": executor, "device": device, "threads": threads,
            "no_progress": opposite(progress), "quiet": quiet,
        }  # fmt: skip
        judged = {"metric": metric, "direction": direction}
        with in_words_of_python():
            refuse_in_worker("tune()")
            file = self._file
            if space is not None:
                file = replace(file, space=space_of(space))
            judged_by = {key: value for key, value in judged.items() if value is not None}
            file = replace(file, tuned_for={**file.tuned_for, **judged_by})
            return self._tune(self._given(_TUNE, called, file))

    def _tune(self, given: Given) -> TuneAnswer:
        from attnstudy import render
        from attnstudy.api.answers import TuneAnswer
        from attnstudy.usecases.tuning.plan import make_tune_plan
        from attnstudy.usecases.tuning.tune_study import tune_study

        terminal = render.TuningTerminal(quiet=given["quiet"], progress=not given["no_progress"])
        self._prepare(given, terminal)
        with terminal.decoding() as decoding:
            plan = make_tune_plan(asking.tune_request(given), decoding)
        report = tune_study(plan, terminal, _figures)
        if warning := render.tune_warning(report):
            terminal.warn(warning)
        if report.lost is not None:
            raise report.lost
        return TuneAnswer(report)

    def _prepare(self, given: Given, terminal: Terminal) -> None:
        """Get ready to start workers, or say why there are none."""
        if self._found is not None and (why := self._found.here_because) is not None:
            if self._found.reference not in _TOLD:
                _TOLD.add(self._found.reference)
                terminal.say(f"Runs are made in this process, one after the other ({why}).")
            return
        leave_the_script_alone()
        asking.prepare_workers(given)

    def rank(  # noqa: PLR0913 - the options of the command, by keyword
        self,
        *,
        metric: str | None = None,
        direction: str | None = None,
        alpha: float | None = None,
        correction: str | None = None,
        control: str | None = None,
        paired: bool | None = None,
        margin: float | None = None,
        looks: Sequence[int] | None = None,
        task: str | None = None,
        config: str | None = None,
        allow_differences: str | Iterable[str] = (),
    ) -> Ranking:
        """Rank the arms as the study declares; what is given otherwise, the ranking says.

        Args:
            metric: another metric.
            direction: ``maximize`` or ``minimize``.
            alpha: family-wise error rate.
            correction: ``games-howell`` or ``holm``.
            control: compare all others with this arm only.
            paired: whether runs are compared seed by seed.
            margin: largest difference that does not matter.
            looks: seeds of an arm at each look.
            task: the task to rank, where the study has several.
            config: the configuration to rank, where the study has several.
            allow_differences: settings in which runs may differ and be compared all the same.

        Raises:
            UsageError: nothing can be ranked, or an option makes no sense.
            StoreError: the store is not there or cannot be read.

        """
        called = {
            "metric": metric, "direction": direction, "alpha": alpha, "correction": correction,
            "control": control, "margin": margin, "looks": listed(looks), "task": task,
            "config": config, "allowed": names_of(allow_differences) or None, "paired": paired,
        }  # fmt: skip
        with in_words_of_python():
            given = self._given(_RANK, called)
            from attnstudy import render
            from attnstudy.usecases import ranking

            request = asking.rank_request(given, asking.study_source(given))
            with render.Terminal().counting("reading runs", plain_from=1000) as counted:
                return ranking.rank(request, lambda read: counted(read, None)).ranking

    def rank_tasks(
        self,
        *,
        tasks: Question | None = None,
        scale: str | None = None,
        weights: Mapping[str, float] | None = None,
        alpha: float | None = None,
        correction: str | None = None,
        control: str | None = None,
        margin: float | None = None,
    ) -> TaskRanking:
        """Rank the arms over the tasks of the study: on each, on average, on a new one like these.

        Args:
            tasks: ``each``, ``average`` or ``new``: whose answer is the verdict; None is what the
                study declares, else all three.
            scale: ``metric`` or ``sd``: what differences over tasks are in.
            weights: of the tasks in the average; None weighs all alike.
            alpha: family-wise error rate.
            correction: ``games-howell`` or ``holm``.
            control: compare all others with this arm only.
            margin: largest difference that does not matter.

        Raises:
            UsageError: nothing can be ranked, or an option makes no sense.
            StoreError: the store is not there or cannot be read.

        """
        called = {"alpha": alpha, "correction": correction, "control": control, "margin": margin}
        with in_words_of_python():
            given = self._given(_RANK, called)
            from attnstudy.usecases.ranking.tasks import TaskRankRequest, rank_by_task
            from attnstudy.usecases.sources import tasks_of

            names = tasks_of(asking.study_source(given))
            request = TaskRankRequest(
                source=asking.task_sources(given, names),
                said=given.said("alpha", "correction", "control", "margin"),
                task_by=None,
                question=tasks,
                scale=scale,
                weights=weights or {},
            )
            if not names:
                raise UsageError("the study has no tasks: rank it with rank()")
            return rank_by_task(request).ranking

    def status(self) -> StatusAnswer:
        """Return how the study stands: what is complete, running, failed and missing.

        Raises:
            StoreError: a run folder cannot be read.

        """
        from attnstudy.api.answers import StatusAnswer
        from attnstudy.usecases.studies import study_status

        with in_words_of_python():
            address = asking.address_of(self._given(_RUN, {}))
            return StatusAnswer(study_status(address, self.name), address)

    def results(self) -> DataFrame:
        """Return all runs that were begun as a pandas DataFrame, a row each.

        The columns are ``arm``, ``seed``, ``status``, every metric, ``started``, ``seconds`` and
        ``config``, the identity of the settings in which comparable runs agree; before them
        ``task``, where there are tasks.

        Raises:
            StoreError: a run folder cannot be read.

        """
        from attnstudy.api.frames import results_frame
        from attnstudy.runs import run_folders

        with in_words_of_python():
            store_dir = asking.address_of(self._given(_RUN, {})).store_dir
            folders = run_folders(store_dir, self.name)
            return results_frame(folders, self._arms, tuple(self._file.tasks))

    def _given(
        self,
        command: Any,
        called: Mapping[str, Any],
        file: StudyFile | None = None,
    ) -> Given:
        """Return everything that a command would be told.

        Args:
            command: whose options there are.
            called: values of this call; what is None nobody said.
            file: the study; its own unless given.

        """
        file = self._file if file is None else file
        said = {key: value for key, value in called.items() if value is not None}
        if self._found is not None:
            self._found.register()
            if self._found.here_because is not None:
                file = self._as_it_is_now(file, self._found)
                said["executor"] = inline_only(
                    said.get("executor", "inline"), self._found.here_because
                )
        fixed = file.options if file.path is None else {}
        return options.given_in_program(command, file, {**self._said, **said}, fixed)

    @staticmethod
    def _as_it_is_now(file: StudyFile, found: Found) -> StudyFile:
        """Return a study with the source of its function: what it names may be another by now."""
        assert file.own is not None
        return replace(file, own=replace(file.own, source=found.source))

    def __repr__(self) -> str:
        seeds = seeds_text(self._given(_RUN, {})["seeds"])
        usual = self._file.options.get("metric", "test_accuracy")
        told = {str(table.get("metric", usual)): None for table in self._file.tasks.values()}
        metrics = ", ".join(told or [usual])
        return f"Study({self.name!r}): {', '.join(self._arms)}; seeds {seeds}; ranked by {metrics}"


def load_study(
    study: Path,
    *,
    name: str | None = None,
    store: Path | None = None,
    tracking_uri: str | None = None,
) -> Study:
    """Return the study that a file declares, also one of the placements of attention.

    Args:
        study: the file, its folder, or its name under ``studies/``.
        name: another name under which to run it.
        store: folder of the runs and of the embedded MLflow store; None is what the file says.
        tracking_uri: MLflow server or database to use instead of the embedded store.

    Raises:
        UsageError: there is no such file, or it makes no sense.

    """
    with in_words_of_python():
        file = studyfile.find(os.fspath(study), name)
        return Study._of_file(file, {"store": store, "tracking_uri": tracking_uri})


def _figures(tuning: ArmTuning) -> Mapping[str, bytes]:
    from attnstudy.report.tuning import tuning_figures  # matplotlib: only where one is published

    return tuning_figures(tuning)
