"""What was done in a ranking, as a paragraph for a paper."""

from attnstudy.render.methods.forms import cited_by, methods_bib, methods_latex, methods_text
from attnstudy.render.methods.of_ranking import methods_of
from attnstudy.render.methods.of_tasks import tasks_methods_of

__all__ = [
    "cited_by",
    "methods_bib",
    "methods_latex",
    "methods_of",
    "methods_text",
    "tasks_methods_of",
]
