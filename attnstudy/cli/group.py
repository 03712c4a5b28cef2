"""The command group that all commands belong to."""

from __future__ import annotations

import click

from attnstudy import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="attnstudy")
def cli() -> None:
    """Find out whether A is better than B, so that it can be defended.

    Train each arm of a study with each seed exactly once, browse the runs in MLflow, and rank the
    arms with error control: placements of self-attention in a small CNN, or a training of your
    own. Results that others made are ranked as well.
    """
