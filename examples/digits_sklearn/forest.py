"""A random forest on the digits of scikit-learn: no checkpoints, for it takes a second."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

import attnstudy


def train(run: attnstudy.Run) -> dict[str, float]:
    """Fit one forest; which trees grow is up to the seed, the split is the same for all runs."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    test, train = np.split(order, [run.settings["test_size"]])

    model = RandomForestClassifier(
        n_estimators=run.settings["trees"],
        n_jobs=run.threads,
        random_state=int(run.rng("trees").integers(2**31)),
    )
    model.fit(images[train], labels[train])

    correct = model.predict(images[test]) == labels[test]
    run.predictions(correct)
    return {"test_accuracy": 100 * float(np.mean(correct))}
