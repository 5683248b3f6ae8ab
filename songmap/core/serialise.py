"""Results as JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_json(document: Any) -> str:
    """One JSON document; numpy numbers become plain ones, NaN becomes null."""
    return json.dumps(_plain(document), indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
