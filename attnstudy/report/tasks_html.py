"""A ranking over several tasks as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnstudy.report.components import components_section
from attnstudy.report.context import Context
from attnstudy.report.drawings import inline, task_drawings
from attnstudy.report.marks import of_pairs, places, task_marks
from attnstudy.report.markup import (
    bullets,
    command,
    details,
    esc,
    facts,
    figure,
    legend,
    moment,
    section,
    sentence,
    table,
)
from attnstudy.report.over_tasks import MOST_ARMS, MOST_PAIRS, MOST_PANELS
from attnstudy.report.page import page
from attnstudy.stats.tasks import TaskRanking
from attnstudy.stats.tasks.tables import (
    TITLES,
    Rows,
    arm_rows,
    average_rows,
    new_rows,
    ranks_words,
    task_rows,
)
from attnstudy.stats.wording.numbers import count

_OPEN = 15  # rows up to which a table is shown at once


def tasks_html(ranking: TaskRanking, context: Context) -> str:
    """Return the whole report; the same ranking and context give the same text.

    Args:
        ranking: what was found.
        context: where it comes from.

    """
    drawn = _figures(ranking)
    names = [arm.name for arm in ranking.arms]
    averages = of_pairs(names, ((pair.a, pair.b) for pair in ranking.average.pairs))
    news = of_pairs(names, ((pair.a, pair.b) for pair in ranking.new.pairs))
    pairs = [svg for name, svg in drawn.items() if name.startswith("pair-")]
    body = [
        _head(ranking, context),
        section(
            TITLES[0],
            sentence(ranking.each.sentence),
            legend(names),
            drawn.get("tasks", ""),
            _table("Tasks", task_rows(ranking), arms=names),
        ),
        section(
            TITLES[1],
            sentence(ranking.average.sentence),
            bullets(f"not in the average: {esc(one)}" for one in ranking.average.left_out)
            if ranking.average.left_out
            else "",
            _table(
                "Arms over the tasks, best on average first",
                arm_rows(ranking),
                [(place,) for place in range(len(names))],
            ),
            _table("Pairs on average", average_rows(ranking), averages) if averages else "",
            f'<div class="grid">{"".join(pairs)}</div>' if pairs else "",
        ),
        section(
            TITLES[2],
            sentence(ranking.new.sentence),
            _table("Pairs on a new task", new_rows(ranking), news),
            drawn.get("pairs", ""),
        ),
        section(
            "Mean ranks",
            *(f"<p>{esc(words)}</p>" for words in ranks_words(ranking)),
            drawn.get("mean-ranks", ""),
        ),
        section("Claims", bullets(_claims(context)) if context.claims else ""),
        components_section(context.components),
        section("Notes", bullets(map(esc, ranking.notes)) if ranking.notes else ""),
        section(
            "Left out",
            bullets(f"{esc(left.run)}: {esc(left.reason)}" for left in ranking.excluded)
            if ranking.excluded
            else "",
        ),
        _origin(context),
    ]
    title = f"Ranking over {len(ranking.tasks)} tasks: {ranking.verdict}"
    return page(title, "\n".join(part for part in body if part))


def _head(ranking: TaskRanking, context: Context) -> str:
    named = f"study {ranking.study}" if ranking.study else ""
    origin = ["Ranking over several tasks", named, f"by {ranking.metric.replace('_', ' ')}"]
    verdicts = [ranking.each.verdict, ranking.average.verdict, ranking.new.verdict]
    parts = [f'<p class="origin">{esc(" · ".join(filter(None, origin)))}</p>']
    if ranking.question is not None:
        parts.append(
            f'<h1 class="long">{esc(ranking.verdict[:1].upper() + ranking.verdict[1:])}</h1>'
        )
    else:
        parts.append('<h1 class="long">Three questions, three answers</h1>')
    parts.append(facts((name, esc(one)) for name, one in zip(TITLES, verdicts, strict=True)))
    if ranking.source is not None:
        parts.append(f'<p class="source">{esc(ranking.source.words)}</p>')
    parts.append(
        f'<p><strong class="status {ranking.status}">{ranking.status.upper()}</strong> '
        f"{esc(ranking.status_reason)}</p>"
    )
    items = [
        ("Compared", f"{count(len(ranking.arms), 'arm')}, {count(len(ranking.tasks), 'task')}, "
         f"{count(sum(arm.runs for arm in ranking.arms), 'run')}"),
        ("Family-wise error rate", f"{ranking.alpha:g} for each of the three questions"),
    ]  # fmt: skip
    if context.made_at:
        items.append(("Made", moment(context.made_at)))
    return "<header>\n" + "\n".join([*parts, facts(items)]) + "\n</header>"


def _table(
    caption: str,
    rows: Rows,
    about: Sequence[Sequence[int]] = (),
    arms: Sequence[str] = (),
) -> str:
    """Return a table whose rows are about arms, or whose columns are arms."""
    headings, cells = rows
    by_arm = list(headings[1:]) == list(arms)
    made = table(
        caption,
        headings,
        [[esc(cell) for cell in row] for row in cells],
        left=(0, len(headings) - 1) if headings[-1] == "verdict" else (0,),
        arms=[places(one) for one in about],
        columns=["", *map(str, range(len(arms)))] if by_arm else (),
    )
    return made if len(cells) <= _OPEN else details(f"{caption} ({len(cells):,})", made)


def _figures(ranking: TaskRanking) -> Mapping[str, str]:
    """Return the figures with their captions, by name."""
    captions = {
        "tasks": "Every run (dots), mean (diamond) and the arm's own interval, at the error rate "
        f"of one task.{_first(MOST_PANELS, len(ranking.tasks), 'tasks')}",
        "pairs": "Row against column: mean difference over the tasks, tasks won–tied–lost, and "
        "Holm's p of Wilcoxon's signed ranks over tasks.",
        "mean-ranks": "Mean ranks, 1 is best. Bars join arms within Nemenyi's critical difference; "
        f"no verdict rests on it.{_first(MOST_ARMS, len(ranking.arms), 'arms')}",
    }
    labels = {
        "tasks": "Dot plots, one per task: every run of each arm, with mean and interval. The "
        "table of tasks has the numbers.",
        "pairs": "Matrix of all pairs of arms: difference, tasks won, tied and lost, p. The table "
        "of pairs on a new task has the numbers.",
        "mean-ranks": "Axis of mean ranks of the arms. The table of arms has the numbers.",
    }
    pair = (
        "The pair on each task, with the interval of that task's share of the error rate; below, "
        "on average over these tasks (for new seeds), and for a new task (t interval over tasks; "
        "the marker is Wilcoxon's verdict)."
    )
    label = "Intervals of one pair on each task. The table of pairs has the numbers."
    captions["pair-1"] = pair
    marks = task_marks(ranking)
    names = [arm.name for arm in ranking.arms]
    two = of_pairs(names, ((pair.a, pair.b) for pair in ranking.new.pairs[:MOST_PAIRS]))
    about = {f"pair-{number}": places(one) for number, one in enumerate(two, start=1)}
    return {
        name: figure(
            inline(drawn, name, labels.get(name, label), marks.get(name)),
            captions.get(name, "The same for this pair."),
            about.get(name, ""),
        )
        for name, drawn in task_drawings(ranking).items()
    }


def _first(most: int, all_: int, what: str) -> str:
    return f" The first {most} of {all_:,} {what}; the table has all." if all_ > most else ""


def _claims(context: Context) -> Sequence[str]:
    return [
        f"{esc(check.claim)}: <strong>{'supported' if check.supported else 'not supported'}"
        f"</strong>, {esc(check.reason)}"
        for check in context.claims
    ]


def _origin(context: Context) -> str:
    parts = []
    if context.command:
        parts.append(f"<p>Made by</p>{command(context.command)}")
    if context.versions:
        parts.append(facts((tool, esc(is_)) for tool, is_ in sorted(context.versions.items())))
    return section("Where it comes from", *parts)
