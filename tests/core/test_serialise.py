"""Results as JSON."""

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from songmap.core import serialise


def test_json_is_plain():
    document = [{"a": np.float32(0.5), "b": np.arange(2), "c": float("nan"), "d": "ü", "e": np.int64(3)}]
    assert json.loads(serialise.to_json(document)) == [{"a": 0.5, "b": [0, 1], "c": None, "d": "ü", "e": 3}]


class Kind(Enum):
    COLUMN = "column"


@dataclass(frozen=True)
class Result:
    kind: Kind
    path: Path
    parts: tuple["Result", ...] = ()


def test_results_become_objects_and_paths_and_enums_text():
    result = Result(Kind.COLUMN, Path("a/b"), (Result(Kind.COLUMN, Path("c")),))
    inner = {"kind": "column", "path": "c", "parts": []}
    assert serialise.plain(result) == {"kind": "column", "path": "a/b", "parts": [inner]}


def test_infinity_is_null_inside_arrays_too():
    assert serialise.plain({1: np.array([np.inf, 1.5])}) == {"1": [None, 1.5]}
