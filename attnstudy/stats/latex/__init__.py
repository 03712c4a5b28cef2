"""A ranking as tables for LaTeX, which need booktabs and nothing else."""

from attnstudy.stats.latex.characters import escaped

__all__ = ["escaped"]
