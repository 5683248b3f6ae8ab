"""The 641 columns: order, names, families, as the design declares them."""

import numpy as np
import pytest

from songmap.core.errors import SchemaError
from songmap.core.workspace import REPOSITORY
from songmap.library.schema import (  # fmt: skip
    COLUMN_FAMILY,
    COLUMN_UNIT,
    COLUMNS,
    FAMILIES,
    FEATURES,
    N_COLUMNS,
    N_LIBROSA,
    block_slice,
    column_index,
    family_indices,
    fingerprint,
)


def test_columns_are_641_unique_names():
    assert len(COLUMNS) == len(set(COLUMNS)) == len(COLUMN_FAMILY) == len(COLUMN_UNIT) == N_COLUMNS == 641
    assert N_LIBROSA == 634


def test_families_have_the_declared_sizes_and_partition_the_columns():
    sizes = {family: len(family_indices(family)) for family in FAMILIES}
    assert sizes == {
        "timbre": 60, "harmony": 24, "spectral": 22, "rhythm": 7, "energy": 4, "tonnetz": 12, "mel": 512
    }  # fmt: skip
    together = np.concatenate([family_indices(family) for family in FAMILIES])
    assert sorted(together) == list(range(641))


def test_blocks_stand_where_the_design_puts_them():
    assert block_slice("mfcc", "mean") == slice(0, 20)
    assert block_slice("mfcc_delta", "mean") == slice(40, 60)
    assert block_slice("chroma", "mean") == slice(60, 72)
    assert block_slice("contrast", "std") == slice(97, 104)
    assert column_index("tempo_bpm") == 107
    assert block_slice("tonnetz", "mean") == slice(110, 116)
    assert block_slice("mel", "mean") == slice(122, 250)
    assert column_index("flatness_std") == 634
    assert column_index("percussive_rms_mean") == 640


def test_block_slices_partition_the_columns():
    covered = [
        index for block in FEATURES for index in range(*block_slice(block.feature, block.statistic).indices(641))
    ]
    assert covered == list(range(641))
    for block in FEATURES:
        assert COLUMNS[block_slice(block.feature, block.statistic)] == block.names


def test_unknown_names_are_refused():
    for wrong in (lambda: family_indices("taste"), lambda: column_index("taste"), lambda: block_slice("mfcc", "p99")):
        with pytest.raises(SchemaError):
            wrong()


def test_fingerprint_depends_on_the_columns():
    assert fingerprint() == fingerprint()
    assert fingerprint(COLUMNS[::-1]) != fingerprint()


def test_the_readme_shows_the_same_columns():
    rows = []
    for line in (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0][:1].isdigit():
            rows.append((cells[0], cells[1], cells[3], cells[4]))
    expected, first = [], 0
    for block in FEATURES:
        last = first + block.size - 1
        place = f"{first}–{last}" if block.size > 1 else str(first)
        statistic = "" if block.statistic == "value" else block.statistic
        expected.append((place, block.family, statistic, block.unit))
        first = last + 1
    assert rows == expected
