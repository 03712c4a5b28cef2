"""attnstudy asks whether the place of self-attention in a small CNN changes its accuracy.

Trains each placement with each seed exactly once, tracks the runs in MLflow and turns the
distributions of test accuracy into a ranking with error control.
"""

__version__ = "0.1.0"
