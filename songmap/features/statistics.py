"""Frame features to the 641 numbers: what the schema declares, taken over the frames."""

import numpy as np

from songmap.core.errors import AudioError, SchemaError
from songmap.features.frames import SongFrames
from songmap.library.schema import COLUMNS, FEATURES, N_COLUMNS

_PERCENTILES = {"p25": 25, "p50": 50, "p75": 75}
_SORTED = 1 << 17  # numbers at once


def embed(frames: SongFrames) -> np.ndarray:
    """Take the statistics that the schema declares.

    Parameters
    ----------
    frames : SongFrames
        Frame features of a whole song.

    Returns
    -------
    np.ndarray, float32 (641,)
        The embedding, in the order and units of ``songmap.library.schema.COLUMNS``.

    Raises
    ------
    AudioError
        If a number is not finite.
    SchemaError
        If the features are of other sizes than those of the schema.
    """
    parts = []
    mel = _percentiles(frames.features["mel"], list(_PERCENTILES.values()))
    for block in FEATURES:
        if block.statistic == "value":
            parts.append(np.array([frames.values[block.names[0]]]))
        elif block.statistic in _PERCENTILES:
            parts.append(mel[list(_PERCENTILES).index(block.statistic)])
        else:  # "mean" and "std" are also the names of numpy's
            parts.append(getattr(frames.features[block.feature], block.statistic)(axis=1, dtype=np.float64))
    embedding = np.concatenate(parts).astype(np.float32)
    if embedding.shape != (N_COLUMNS,):
        raise SchemaError(f"frame features of {len(embedding)} columns, not of {N_COLUMNS}")
    if not np.isfinite(embedding).all():
        wrong = [COLUMNS[index] for index in np.flatnonzero(~np.isfinite(embedding))]
        raise AudioError(f"gives {len(wrong)} numbers that are not finite ({', '.join(wrong[:3])}): damaged audio?")
    return embedding


def _percentiles(rows: np.ndarray, percents: list[int]) -> np.ndarray:
    """Percentiles of each row, ``(n_percents, n_rows)``, as ``np.percentile`` interpolates them.

    Sorting runs in SIMD, which selection does not. A few rows at a time are sorted, since the copy of a long song is large.
    """
    places = np.array(percents) / 100 * (rows.shape[1] - 1)
    before = places.astype(int)
    after, share = np.minimum(before + 1, rows.shape[1] - 1), places - before
    percentiles, step = np.empty((len(percents), len(rows))), -(-_SORTED // rows.shape[1])
    for first in range(0, len(rows), step):
        ordered = np.sort(rows[first : first + step], axis=1)
        low, high = ordered[:, before], ordered[:, after]
        percentiles[:, first : first + step] = (low + (high - low) * share).T
    return percentiles
