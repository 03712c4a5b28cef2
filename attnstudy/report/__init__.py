"""What people look at: the figures of a run; figures and one HTML page of a ranking.

Nothing is imported here: ``run`` needs matplotlib alone, and is part of every training command;
``figures`` and ``html``, of a ranking, and ``tuning`` need scipy too.
"""
