"""A ranking as one HTML file: nothing to load, complete without its script, also on paper."""

from __future__ import annotations

from collections.abc import Mapping

from attnstudy.report.components import components_section
from attnstudy.report.context import Context
from attnstudy.report.drawings import drawings, inline
from attnstudy.report.intervals import MOST_ARMS, MOST_PAIRS, parts
from attnstudy.report.marks import ranking_marks
from attnstudy.report.markup import (
    bullets,
    command,
    details,
    esc,
    facts,
    figure,
    grid,
    legend,
    moment,
    name,
    section,
    sentence,
)
from attnstudy.report.page import page
from attnstudy.report.tables import (
    arms_table,
    level,
    pairs_tables,
    runs_table,
    scope_table,
    values_table,
)
from attnstudy.report.words import comparison_words, power_words
from attnstudy.shown import unbroken
from attnstudy.stats import Flag, Ranking, calibration_words
from attnstudy.stats.vocabulary import INTERVAL_NAMES
from attnstudy.stats.wording.numbers import Numbers, count, exact
from attnstudy.stats.wording.shown_flags import shown_flags

_FLAGS_SHOWN = 10  # the rest on request; those that change the verdict come first
_LONG_VERDICT = 90  # characters from which it is set smaller


def ranking_html(ranking: Ranking, context: Context) -> str:
    """Return the whole report; the same ranking and context give the same text.

    Args:
        ranking: what was found.
        context: where it comes from.

    """
    drawn = _figures(ranking, context)
    power = power_words(ranking)
    body = [
        _head(ranking, context),
        _evidence(ranking, drawn),
        section("Arms", arms_table(ranking)),
        _compared(ranking),
        section(
            "What this study can see",
            grid(drawn.get("power", ""), f"<div>{bullets(power)}</div>") if power else "",
        ),
        section("Learning curves", drawn.get("curves", "")),
        _checked(context),
        components_section(context.components),
        _flags(ranking),
        section(
            "Notes", bullets(esc(unbroken(note)) for note in ranking.notes) if ranking.notes else ""
        ),
        _scope(ranking),
        _with_chance(ranking),
        _excluded(ranking),
        _origin(ranking, context),
    ]
    study = f"study {ranking.study}" if ranking.study else ranking.metric.replace("_", " ")
    return page(f"Ranking, {study}: {ranking.verdict}", "\n".join(part for part in body if part))


def _head(ranking: Ranking, context: Context) -> str:
    metric = ranking.metric.replace("_", " ")
    origin = ["Ranking", f"study {ranking.study}" if ranking.study else "", f"by {metric}"]
    parts = [f'<p class="origin">{esc(" · ".join(part for part in origin if part))}</p>']
    verdict = ranking.verdict[:1].upper() + ranking.verdict[1:]
    headline = ranking.order or verdict  # an order begins with the name of an arm
    size = ' class="long"' if len(headline) > _LONG_VERDICT else ""
    parts.append(f"<h1{size}>{esc(headline)}</h1>")
    if headline != verdict:
        braces = "In braces: not shown different. " if "{" in headline else ""
        parts.append(f"<p>{braces}{esc(unbroken(verdict))}.</p>")
    if ranking.source is not None:
        parts.append(f'<p class="source">{esc(ranking.source.words)}</p>')
    if context.question:
        parts.append(f'<p class="question">{esc(context.question)}</p>')
    parts.append(sentence(ranking.sentence))
    parts.append(
        f'<p><strong class="status {ranking.status}">{ranking.status.upper()}</strong> '
        f"{esc(ranking.status_reason)}</p>"
    )
    return "<header>\n" + "\n".join([*parts, _key_facts(ranking, context)]) + "\n</header>"


def _key_facts(ranking: Ranking, context: Context) -> str:
    better = "higher is better" if ranking.direction == "maximize" else "lower is better"
    values = sum(arm.n for arm in ranking.arms)
    diverged = sum(arm.diverged for arm in ranking.arms)
    compared = f"{count(len(ranking.arms), 'arm')}, {count(values, 'run')}"
    items = [
        ("Metric", f"{esc(ranking.metric)}, {better}"),
        ("Compared", compared + (f", {diverged} diverged" if diverged else "")),
        ("Family-wise error rate", f"{ranking.alpha:g}"),
    ]
    if ranking.margin is not None:
        items.append(
            ("Margin", f"{Numbers.of(ranking).amount(ranking.margin)}; less does not matter")
        )
    if ranking.control is not None:
        items.append(("Control", name(ranking.control)))
    if ranking.plan is not None:
        plan = f"<code>{esc(ranking.plan.hash)}</code>, {esc(ranking.plan.date)}"
        items.append(("Plan", plan))
    if ranking.looks is not None:
        looks = ranking.looks
        declared = ", ".join(map(str, looks.declared))
        items.append(("Looks", f"{looks.done} of {len(looks.declared)} done; at {declared} seeds"))
    if ranking.config is not None:
        items.append(("Configuration", f"<code>{esc(ranking.config)}</code>"))
    if context.made_at:
        items.append(("Made", moment(context.made_at)))
    return facts(items)


def _evidence(ranking: Ranking, drawn: Mapping[str, str]) -> str:
    """Return the runs and what they show; what is in halves has the whole width."""
    runs, chances = drawn["runs"], drawn.get("superiority", "")
    pairs = drawn.get("differences", "")
    if len(parts(len(ranking.arms))) > 1:
        body = f'<div class="stack">{runs}{chances}{pairs}</div>'
    elif len(parts(len(ranking.pairs))) > 1:
        body = f'<div class="stack">{grid(runs, chances)}{pairs}</div>'
    else:
        body = grid(f'<div class="stack">{runs}{chances}</div>', pairs)
    return section("The evidence", legend([arm.name for arm in ranking.arms]), body)


def _figures(ranking: Ranking, context: Context) -> dict[str, str]:
    """Return the figures with their captions, by name."""
    own = level(ranking.alpha)
    kind = INTERVAL_NAMES[ranking.interval]
    own_interval = intervals = ""
    if ranking.method != "descriptive":
        own_interval = f" and the arm's own {own} interval"
        intervals = f" with {kind} {level(ranking.pair_alpha)} intervals"
    letters = any(arm.group is not None for arm in ranking.arms)
    margin = " Shaded: the margin." if ranking.margin is not None else ""
    captions = {
        "runs": f"Every run (dots), mean (diamond){own_interval}; the mean "
        f"{'and the group stand' if letters else 'stands'} at the right."
        + (" Arms that share a letter are not shown different." if letters else "")
        + _first_of(MOST_ARMS, len(ranking.arms), "arms"),
        "differences": f"Differences{intervals}, against zero.{margin} Solid with ▲ or ▼: the "
        "first is shown better or worse; dashed with ■: equivalent; dotted with ○: undecided; "
        "×: described only."
        + (
            " Where an interval crosses zero beside ▲ or ▼, the difference rests on Holm’s "
            "adjusted p; the Bonferroni interval drawn is wider."
            if any(pair.includes_zero for pair in ranking.pairs)
            else ""
        )
        + _first_of(MOST_PAIRS, len(ranking.pairs), "pairs, from the best arm downwards"),
        "superiority": "How often a run of one arm is better than a run of another, ties "
        "counted half." + _first_of(MOST_ARMS, len(ranking.arms), "arms"),
        "power": "True differences between the two arms named in the text that are detected "
        "with 80 % power, with the spreads observed and equal numbers of runs.",
        "curves": "Mean validation accuracy over the runs of an arm; the band is one standard "
        "deviation over seeds.",
    }
    marks = ranking_marks(ranking, context)
    return {
        key: figure(inline(drawn, key, _label(key, ranking), marks.get(key)), captions[key])
        for key, drawn in drawings(ranking, context).items()
    }


def _first_of(most: int, all_: int, what: str) -> str:
    return f" The first {most} of {all_:,} {what}; the table has all." if all_ > most else ""


def _label(key: str, ranking: Ranking) -> str:
    """Return what a figure shows, for readers who do not see it."""
    metric = ranking.metric.replace("_", " ")
    count_ = len(ranking.arms)
    return {
        "runs": f"Dot plot: every run of {count(count_, 'arm')} by {metric}, with mean and "
        "interval. The table of arms has the numbers.",
        "differences": f"Intervals of the differences of {count(len(ranking.pairs), 'pair')} "
        "against zero. The table of pairs has the numbers.",
        "superiority": "Matrix: probability that a run of one arm is better than a run of "
        "another. The table of pairs has the numbers.",
        "power": "Line: seeds per arm against the smallest difference that they show. The "
        "text beside it has the numbers.",
        "curves": f"Lines: validation accuracy by iteration for {count(count_, 'arm')}, mean "
        "and standard deviation over seeds.",
    }[key]


def _compared(ranking: Ranking) -> str:
    if not ranking.pairs:
        return ""
    words = f"<h3>How they were compared</h3>{bullets(comparison_words(ranking))}"
    return section("Pairs", pairs_tables(ranking), words)


def _checked(context: Context) -> str:
    """Return the claims and the calibration that were asked for."""
    claims = [
        f"{esc(check.claim)}: <strong>{'supported' if check.supported else 'not supported'}"
        f"</strong>, {esc(check.reason)}"
        for check in context.claims
    ]
    parts = [section("Claims", bullets(claims))] if claims else []
    if context.calibration is not None:
        title, *rates = calibration_words(context.calibration)
        parts.append(section("Calibration", f"<p>{esc(title)}:</p>", bullets(map(esc, rates))))
    return "\n".join(parts)


def _changes(flag: Flag, ranking: Ranking) -> bool:
    return flag.verdict_without not in (None, ranking.verdict)


def _flags(ranking: Ranking) -> str:
    items = []
    for flag in sorted(shown_flags(ranking), key=lambda flag: not _changes(flag, ranking)):
        item = f'<span class="kind">{esc(flag.kind)}:</span> {esc(flag.message)}'
        if flag.verdict_without is not None:
            lead = "without it the verdict is the same"
            if _changes(flag, ranking):
                lead = "<strong>without it the verdict changes</strong>"
            item += f'<span class="without">{lead}: {esc(flag.verdict_without)}</span>'
        items.append(item)
    if not items:
        return ""
    lead = "<p>To look at; nothing was deleted because of them.</p>"
    rest = items[_FLAGS_SHOWN:]
    more = details(f"{count(len(rest), 'more flag')}", bullets(rest)) if rest else ""
    return section("Flags", lead, bullets(items[:_FLAGS_SHOWN]), more)


def _scope(ranking: Ranking) -> str:
    if ranking.scope is None:
        return ""
    message = f"<p>{esc(ranking.scope.message)}</p>"
    return section("Scope", message, scope_table(ranking, ranking.scope))


def _with_chance(ranking: Ranking) -> str:
    view = ranking.with_chance
    if view is None:
        return ""
    plain = Numbers.of(ranking).plain
    order = ", ".join(
        f"{name(arm)} ({plain(mean)})" for arm, mean in zip(view.order, view.means, strict=True)
    )
    return section(
        "Diverged runs",
        f"<p>With chance ({exact(view.chance)}) in the place of every run that diverged: "
        f"{esc(view.verdict)}. Order and means then: {order}.</p>",
    )


def _excluded(ranking: Ranking) -> str:
    items = [f"{name(left.run)}: {esc(left.reason)}" for left in ranking.excluded]
    return section("Left out", bullets(items) if items else "")


def _origin(ranking: Ranking, context: Context) -> str:
    """Return how the ranking is made again and checked."""
    parts = []
    if context.command:
        parts.append(f"<p>Made by</p>{command(context.command)}")
    if context.versions:
        parts.append(facts((tool, esc(is_)) for tool, is_ in sorted(context.versions.items())))
    if context.runs:
        listed = runs_table(ranking, context)
        parts.append(details(f"Every run with its id ({len(context.runs):,})", listed))
    values = sum(arm.n for arm in ranking.arms)
    parts.append(details(f"Every value by arm ({values:,})", values_table(ranking)))
    return section("Where it comes from", *parts)
