"""A specification's fields as MLflow keeps them: texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def param_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the params that stand for fields; a field without a value, or empty, has none."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value not in (None, (), [])
    }
