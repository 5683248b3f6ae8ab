"""What makes evaluations in tests cheaper."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from songmap.genre.candidates import CANDIDATES


@pytest.fixture(scope="module")
def small_grid() -> Iterator[None]:
    """One fit for each inner fold of the default, for tests whose answers do not depend on its grid."""

    def grid(labels: np.ndarray) -> list[dict]:
        return [{"components": min(40, len(labels) // 2), "depth": 2, "trees": trees} for trees in (50, 100)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CANDIDATES, "pca_xgboost", replace(CANDIDATES["pca_xgboost"], grid=grid))
        yield
