"""How good a space is at finding what belongs together, and which songs spoil it: precision, hubs, outliers.

Conventions: ``found (m, k)`` are the nearest songs of m queries, -1 where there is none. Queries and answers are
one file of each recording, so a copy is never a hit. A song's k-occurrence N_k is how many songs have it among
their k nearest; its mean is k. Its skewness is 0 where all songs are near as many others, and grows with hubs:
songs that are near to very many without being like them (Radovanović, Nanopoulos & Ivanović 2010).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.library.search import NOBODY, Progress, Search

NEAREST = 10
MAX_QUERIES = 2000  # of a larger library this many songs, drawn by a seed, are asked
UNLABELLED = -1

Row = dict[str, Any]


@dataclass(frozen=True)
class Precision:
    """Mean share of the k nearest songs that have the query's label, over the ``queries`` that could have hits.

    ``chance`` is what songs picked at random would give, ``best`` what is possible, as few songs share some labels.
    """

    value: float
    queries: int
    chance: float
    best: float


def label_codes(labels: Sequence[object], unlabelled: object) -> np.ndarray:
    """A number per label, int64 ``(n,)``; ``UNLABELLED`` for ``unlabelled``."""
    codes: dict[object, int] = {unlabelled: UNLABELLED}
    return np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)


def precision(found: np.ndarray, queries: np.ndarray, codes: np.ndarray, firsts: np.ndarray) -> Precision:
    """Precision at k of labels ``codes (n_songs,)``; ``firsts`` are the rows of one file of each recording.

    A query counts if another recording has its label. NaN where none does.
    """
    songs_of = np.bincount(codes[firsts] + 1, minlength=codes.max(initial=UNLABELLED) + 2)
    others = songs_of[codes[queries] + 1] - 1
    counted = (codes[queries] != UNLABELLED) & (others > 0)
    if not counted.any():
        return Precision(np.nan, 0, np.nan, np.nan)
    found, own, others = found[counted], codes[queries[counted]], others[counted]
    n_found = (found != NOBODY).sum(axis=1)
    hits = ((codes[found] == own[:, None]) & (found != NOBODY)).sum(axis=1)
    return Precision(
        float((hits / n_found).mean()),
        int(counted.sum()),
        float((others / (len(firsts) - 1)).mean()),
        float((np.minimum(others, n_found) / n_found).mean()),
    )


def k_occurrence(found: np.ndarray, n_songs: int) -> np.ndarray:
    """How often each song is among the nearest of others, int64 ``(n_songs,)``."""
    return np.bincount(found[found != NOBODY], minlength=n_songs)


def skewness(values: np.ndarray) -> float:
    """Third central moment over the standard deviation's cube; 0 where nothing varies."""
    centred = np.asarray(values, dtype=np.float64) - np.mean(values)
    variance = np.square(centred).mean()
    return float((centred**3).mean() / variance**1.5) if variance > 0 else 0.0


def scores(
    search: Search,
    recordings: np.ndarray,
    labels: Mapping[str, np.ndarray],
    seed: int,
    on_progress: Progress | None = None,
) -> Row:
    """Precision at ``NEAREST`` of each kind of ``labels``, as codes ``(n_songs,)``, and the skewness of N_k.

    Of more than ``MAX_QUERIES`` recordings as many, drawn by ``seed``, are asked; hubs are then counted among these
    alone, as in a library of that size: over a few queries of a large library N_k would be mostly chance.
    """
    firsts = np.unique(recordings)
    if len(firsts) <= MAX_QUERIES:
        queries, found = firsts, search.neighbours(NEAREST, recordings)[0][firsts]
        among = found
    else:
        queries = np.sort(np.random.default_rng(seed).choice(firsts, MAX_QUERIES, replace=False))
        found, among = _nearest(search, queries, firsts, on_progress), _nearest(search, queries, queries, on_progress)
    record: Row = {"queries": len(queries)}
    for kind, codes in labels.items():
        found_of_kind = precision(found, queries, codes, firsts)
        record |= {
            f"same_{kind}": found_of_kind.value,
            f"same_{kind}_queries": found_of_kind.queries,
            f"same_{kind}_chance": found_of_kind.chance,
            f"same_{kind}_best": found_of_kind.best,
        }
    occurrence = k_occurrence(among, len(recordings))[queries]
    return record | {"hubness_skewness": skewness(occurrence), "in_no_list": float((occurrence == 0).mean())}


def notes(n_recordings: int) -> list[str]:
    """What the figures of ``tables`` mean."""
    asked = f"{n_recordings:,}" if n_recordings <= MAX_QUERIES else f"a sample of {MAX_QUERIES:,} of {n_recordings:,}"
    return [
        f"Precision: the mean share of a song's {NEAREST} nearest that have its genre, artist or album, asked of {asked} "
        "recordings, of those that share it with another recording; copies of a recording are no hits.",
        f"Hubness: the skewness of how often songs are among the {NEAREST} nearest of others; 0 is even, above 1 some "
        "songs are in very many answers. In no list: the share of songs that are in none.",
    ]


def best(records: Sequence[Row]) -> list[str]:
    """A sentence on which space finds songs of the same genre best; none where no genre has two songs."""
    able = [record for record in records if not np.isnan(record["same_genre"])]
    if not able:
        return []
    first = max(able, key=lambda record: record["same_genre"])
    return [
        f"Of the spaces that learn from no label, {_called(first)} finds the same genre best: {first['same_genre']:.3f}."
    ]


def _called(record: Row) -> str:
    return f"{record['space']}{', hubs corrected' if record['hubs_corrected'] else ''}"


def tables(records: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The records of ``scores`` with their ``space`` and whether ``hubs_corrected``, under what chance would give."""
    kinds = [name.removesuffix("_best") for name in records[0] if name.endswith("_best")]
    rows = [
        {"space": _called(record)}
        | {kind: _decimals(record[kind]) for kind in kinds}
        | {"hubness": f"{record['hubness_skewness']:5.2f}", "in no list": f"{100 * record['in_no_list']:.0f} %"}
        for record in records
    ]
    for name in ("chance", "best"):
        limits = {kind: _decimals(records[0][f"{kind}_{name}"]) for kind in kinds}
        rows.append(
            {"space": {"chance": "by chance", "best": "best possible"}[name]}
            | limits
            | {"hubness": "", "in no list": ""}
        )
    return [(f"Precision at {NEAREST} and hubness of every space", rows)]


def _decimals(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _nearest(search: Search, queries: np.ndarray, candidates: np.ndarray, on_progress: Progress | None) -> np.ndarray:
    """The nearest of ``candidates`` to each of the queries, which are among them, as ``found``."""
    found = np.full((len(queries), NEAREST), NOBODY, dtype=np.int64)
    allowed = np.zeros(len(search), dtype=bool)
    allowed[candidates] = True
    for place, row in enumerate(queries):
        allowed[row] = False
        near = search.nearest(search.units([row])[0], NEAREST, allowed)[0]
        allowed[row] = True
        found[place, : len(near)] = near
        if on_progress:
            on_progress(place + 1, len(queries))
    return found
