"""A ranking as tables for LaTeX, which need booktabs and nothing else."""
