"""Results as JSON."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.text import UNSAFE

_ESCAPED = re.compile(f"{UNSAFE.pattern}|[\ud800-\udfff]")


def to_json(result: Any) -> str:
    """One JSON document, a line per value; see ``plain``."""
    return _escaped(json.dumps(plain(result), indent=1, ensure_ascii=False))


def to_json_line(result: Any) -> str:
    """One JSON document in one line; see ``plain``."""
    return _escaped(json.dumps(plain(result), ensure_ascii=False))


def _escaped(document: str) -> str:
    """``document`` with what a terminal would obey, and bytes that are not UTF-8, as JSON's escapes: nothing is lost."""
    return document if document.isprintable() else _ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", document)


def plain(value: Any) -> Any:
    """What JSON can hold of a result: dataclasses become objects, arrays lists, paths text, NaN and infinity null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
