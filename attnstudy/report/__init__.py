"""What people look at: the figures of a run; figures and one HTML page of a ranking."""

from attnstudy.report.context import Context, RunReference
from attnstudy.report.figures import figure_bytes, ranking_figures
from attnstudy.report.html import ranking_html
from attnstudy.report.run import run_figures
from attnstudy.report.tuning import tuning_figures

__all__ = [
    "Context",
    "RunReference",
    "figure_bytes",
    "ranking_figures",
    "ranking_html",
    "run_figures",
    "tuning_figures",
]
