"""What makes evaluations in tests cheaper."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from songmap.genre import splits
from songmap.genre.candidates import CANDIDATES


@pytest.fixture(scope="module")
def small_evaluation() -> Iterator[None]:
    """One fit for each inner fold of the default, two repeats: for tests that do not depend on their number."""

    def grid(labels: np.ndarray) -> list[dict]:
        return [{"components": min(40, len(labels) // 2), "depth": 2, "trees": trees} for trees in (50, 100)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CANDIDATES, "pca_xgboost", replace(CANDIDATES["pca_xgboost"], grid=grid))
        patch.setattr(splits, "_REPEATS", ((300, 2),))
        yield
