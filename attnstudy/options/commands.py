"""Commands on a study: what its file says becomes the defaults of their options."""

from __future__ import annotations

import click

from attnstudy import study, studyfile
from attnstudy.errors import UsageError, near_miss
from attnstudy.options.sections import SectionedCommand
from attnstudy.trainings.placement.variants import check_variant


class StudyCommand(SectionedCommand):
    """A command on a study: what the study's file says becomes the defaults of its options."""

    needs_file = False
    """Whether a positional STUDY must have a file; else the name of a study that ran is enough."""
    elsewhere: tuple[str, ...] = ()
    """Parameters that name something that is no study: then no study's file has a say."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the study that the arguments name and read its file, then parse as usual."""
        if not ctx.resilient_parsing:
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            asks = self.get_help_option(ctx)
            # the word alone says little: it may be the value of an option
            if asks is not None and given.get(asks.name or ""):
                return super().parse_args(ctx, args)
            names = {p.name: p for p in self.params}

            def named(name: str) -> bool:
                return bool(given.get(name) or names[name].resolve_envvar_value(ctx))

            argument = _text(given.get("study_argument"))
            study_name = _text(given.get("study"))
            if argument is not None and not self.needs_file:
                _refuse_two(argument, study_name)
            elif study_name is None:
                study_name = names["study"].resolve_envvar_value(ctx)
            if argument is None and study_name is None and any(map(named, self.elsewhere)):
                found = studyfile.StudyFile(study.DEFAULT_STUDY)
            else:
                found = studyfile.find(argument, study_name, needs_file=self.needs_file)
            ctx.meta["attnstudy.study"] = found
            ctx.default_map = {**(ctx.default_map or {}), **found.options}
        return super().parse_args(ctx, args)


class StudyFileCommand(StudyCommand):
    """A command that does what a study's file says."""

    needs_file = True


class RankCommand(StudyCommand):
    """A command on a study, or on a table or an experiment of somebody else."""

    elsewhere = ("tables", "experiments")


def _refuse_two(argument: str, name: str | None) -> None:
    """Refuse two studies: only what does as a file says can do it under another name.

    Raises:
        UsageError: both are named, and are not one.

    """
    if name is not None:
        found = studyfile.find(argument, None, needs_file=False).name
        if found != name:
            raise UsageError(
                f"STUDY is {found!r} and --study {name!r}: name one of them, as this command is "
                "about one study"
            )


def _text(value: object) -> str | None:
    if isinstance(value, list) and value:  # of an option that can be repeated
        value = value[0]
    return value if isinstance(value, str) and value else None


def known_variant(text: str) -> str:
    """Return a variant, ``all``, or the name of an arm that the study's file declares.

    Raises:
        UsageError: it is none of these.

    """
    found = click.get_current_context().meta.get("attnstudy.study")
    if text == "all" or (found is not None and text in found.arms):
        return text
    if found is not None and found.own is not None:
        known = tuple(found.arms) or (found.name,)
        if text in known:
            return text
        raise UsageError(
            f"the study has no arm {text!r}{near_miss(text, known)} (there: {', '.join(known)})"
        )
    try:
        return check_variant(text)
    except UsageError as error:
        arms = () if found is None else tuple(found.arms)
        if not (hint := near_miss(text, arms)):
            raise
        raise UsageError(
            f"the study has no arm {text!r}{hint} (there: {', '.join(arms)}, and the variants)"
        ) from error


def current_study() -> studyfile.StudyFile:
    """Return the study that the running ``StudyCommand`` is about."""
    found: studyfile.StudyFile = click.get_current_context().meta["attnstudy.study"]
    return found
