"""``rank`` over several tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnstudy import asking, options
from attnstudy.cli.common import note, print_result
from attnstudy.cli.ranked import form_of, ranking_source
from attnstudy.cli.reports import look, surroundings, write_methods
from attnstudy.errors import EXIT_SOME_FAILED, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_TASKS = ("question", "task_scale", "weights", "directions")


def refuse_without_tasks(given: Mapping[str, Any]) -> None:
    """Refuse what is about several tasks where there is one."""
    for name in _OF_TASKS:
        if given[name]:
            raise UsageError(
                f"{options.place(name)} is about several tasks: say with --task-by on which task "
                "a run was made, or leave it out"
            )


def rank_tasks(given: dict[str, Any], of_study: Sequence[str] = ()) -> int:
    """Rank over several tasks, and print it; of a study, these are its tasks."""
    from attnstudy.render import Terminal
    from attnstudy.render.tasks import (
        tasks_csv,
        tasks_json,
        tasks_latex,
        tasks_markdown,
        tasks_text,
    )
    from attnstudy.usecases.ranking.tasks import TaskRankRequest, rank_by_task
    from attnstudy.usecases.sources import StudyRequest

    form = form_of(given)
    for name in ("look", "looks", "calibrate", "folds", "log"):
        if given[name]:
            raise UsageError(
                f"{options.place(name)} is for one task: leave it out, or rank one task with "
                f"{'--task' if of_study else '--filter'}"
            )
    asked = options.given_here()
    source: Any = asking.task_sources(asked, of_study)
    if not of_study:
        source = ranking_source(asked, with_curves=False)
        if isinstance(source, StudyRequest):
            raise UsageError(
                "--task-by goes with --experiment or --from: a study names its tasks in its file"
            )
    request = TaskRankRequest(
        source=source,
        said=asked.said("alpha", "correction", "control", "margin", "paired", "looks"),
        task_by=given["task_by"],
        question=given["question"],
        scale=given["task_scale"],
        weights={
            task: _weight(task, text)
            for task, text in _by_task("weights", given["weights"]).items()
        },
        directions=_by_task("directions", given["directions"]),
        claims=given["claims"],
        components=given["components"],
    )
    terminal = Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.counting("reading runs", plain_from=1000) as progress:
        result = rank_by_task(request, lambda read: progress(read, None))
    if form == "html":
        from attnstudy.report.tasks_html import tasks_html

        page = tasks_html(
            result.ranking, surroundings(claims=result.claims, components=result.components)
        )
        print_result(None, lambda: page, given["output"])
    if given["figures"]:
        from attnstudy.report.over_tasks import write_task_figures

        write_task_figures(result.ranking, given["figures"], look(given))
        note(f"The figures are in {given['figures']}.")
    if write_methods(result.ranking, given):
        form = "methods"
    texts = {
        "text": tasks_text, "markdown": tasks_markdown, "latex": tasks_latex, "csv": tasks_csv,
    }  # fmt: skip
    if form not in ("html", "methods"):
        answer = tasks_json(result) if form == "json" else None
        print_result(answer, lambda: texts[form](result), given["output"])
    return 0 if all(check.supported for check in result.claims) else EXIT_SOME_FAILED


def _by_task(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return what was given for each task, as TASK=VALUE."""
    found: dict[str, str] = {}
    for text in given:
        task, equals, value = text.rpartition("=")
        if not equals or not task.strip() or not value.strip():
            raise UsageError(f"{options.place(option)} {text!r}: write TASK=VALUE")
        if task.strip() in found:
            raise UsageError(f"{options.place(option)} names {task.strip()!r} twice: once is meant")
        found[task.strip()] = value.strip()
    return found


def _weight(task: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"the weight of {task} is {text!r}: give a number above 0") from None
