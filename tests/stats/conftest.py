"""Shared samples."""

import pytest

NOTEBOOK = {
    "vanilla": (59.77, 60.81, 57.70, 59.77),
    "early": (59.39, 61.11, 60.81, 60.79),
    "late": (58.11, 61.62, 60.21, 61.46),
    "double": (67.7, 62.88, 61.76, 62.41),
}


@pytest.fixture
def notebook() -> dict[str, list[float]]:
    """The table of the reference notebook: four variants, four runs each, in percent."""
    return {variant: list(values) for variant, values in NOTEBOOK.items()}


@pytest.fixture
def balanced() -> dict[str, list[float]]:
    """Four arms of six runs, of which Games-Howell holds its error rate; some are far apart."""
    return {
        "a": [70.1, 71.2, 69.8, 70.6, 70.9, 70.3],
        "b": [68.0, 69.1, 68.4, 67.7, 68.8, 68.2],
        "c": [67.0, 69.3, 66.9, 69.1, 67.9, 68.1],
        "d": [67.2, 68.9, 66.4, 67.0, 68.3, 66.1],
    }


@pytest.fixture
def unequal() -> dict[str, list[float]]:
    """Five arms with unequal sizes and spreads, some of them far apart."""
    return {
        "a": [70.1, 71.2, 69.8, 70.6, 70.9],
        "b": [68.0, 69.1, 68.4, 67.7, 68.8, 68.2],
        "c": [66.0, 70.5, 62.3, 71.8, 64.9, 68.1, 63.3],
        "d": [64.2, 64.9, 64.4],
        "e": [60.3, 61.9, 58.8, 62.4, 60.0, 59.1, 61.0, 60.7],
    }
