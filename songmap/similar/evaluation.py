"""How good a space is at finding what belongs together: precision and hubness.

Conventions: ``found (m, k)`` are the nearest songs of m queries, -1 where there is none. Queries and answers are
one file of each recording, so a copy is never a hit. A song's k-occurrence N_k is how many songs have it among
their k nearest; its mean is k. Its skewness is 0 where all songs are near as many others, and grows with hubs:
songs that are near to very many others (Radovanović, Nanopoulos & Ivanović 2010).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.names import normalise
from songmap.library.schema import UNKNOWN_GENRE
from songmap.library.search import NOBODY, Search, open_search
from songmap.library.spaces import Space
from songmap.similar.lookup import Lookup
from songmap.similar.results import EvaluateResult, ModelInUse, Precision, SpaceScores

NEAREST = 10
MAX_QUERIES = 2000  # of a larger library this many songs, drawn by a seed, are the queries
UNLABELLED = -1


@dataclass(frozen=True)
class Spaces:
    """Spaces to evaluate, by name; the classifier's is among them with its ``model``, or cannot be, by ``model_error``."""

    of_name: Mapping[str, Space]
    model: ModelInUse | None
    model_error: SchemaError | None


def evaluate(
    lookup: Lookup, spaces: Spaces, workspace: Workspace | None, seed: int, on_progress: OnProgress | None
) -> EvaluateResult:
    """Scores of each space, with and without correction of hubs."""
    labels = labels_of(lookup)
    all_scores = []
    for name, space in spaces.of_name.items():
        for corrected in (False, True):
            search = open_search(lookup.library, space, corrected)
            all_scores.append(scores((name, corrected), search, lookup.recordings, labels, seed, on_progress))
    able = [one for one in all_scores if one.space != "classifier" and not np.isnan(one.precision["genre"].value)]
    return EvaluateResult(
        scores=tuple(all_scores),
        best=max(able, key=lambda one: one.precision["genre"].value, default=None),
        nearest=NEAREST,
        n_recordings=len(lookup.firsts),
        model=spaces.model,
        model_error=spaces.model_error,
    )


def labels_of(lookup: Lookup) -> dict[str, np.ndarray]:
    """Codes ``(n_songs,)`` of genre, artist and album; an album is known by its artist too."""
    songs = lookup.library.songs
    artists = songs["album_artist"].where(songs["album_artist"] != "", songs["artist"]).map(normalise)
    albums = [
        (album, artist) if album else "" for album, artist in zip(songs["album"].map(normalise), artists, strict=True)
    ]
    return {
        "genre": label_codes(lookup.library.genres, UNKNOWN_GENRE),
        "artist": lookup.artists,
        "album": label_codes(albums, ""),
    }


def label_codes(labels: Iterable[object], unlabelled: object) -> np.ndarray:
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
    space: tuple[str, bool],
    search: Search,
    recordings: np.ndarray,
    labels: Mapping[str, np.ndarray],
    seed: int,
    on_progress: OnProgress | None = None,
) -> SpaceScores:
    """Precision at ``NEAREST`` of each kind of ``labels``, as codes ``(n_songs,)``, and the skewness of N_k.

    ``space`` is its name and whether hubs are corrected. Of more than ``MAX_QUERIES`` recordings as many, drawn by
    ``seed``, are the queries; hubs are then counted among these alone, as in a library of that size: over a few queries
    of a large library N_k would be mostly chance.
    """
    firsts = np.unique(recordings)
    if len(firsts) <= MAX_QUERIES:
        queries, found = firsts, search.neighbours(NEAREST, recordings)[0][firsts]
        among = found
    else:
        queries = np.sort(np.random.default_rng(seed).choice(firsts, MAX_QUERIES, replace=False))
        found, among = _nearest(search, queries, firsts, on_progress), _nearest(search, queries, queries, on_progress)
    occurrence = k_occurrence(among, len(recordings))[queries]
    return SpaceScores(
        space=space[0],
        hubs_corrected=space[1],
        queries=len(queries),
        precision={kind: precision(found, queries, codes, firsts) for kind, codes in labels.items()},
        hubness_skewness=skewness(occurrence),
        in_no_list=float((occurrence == 0).mean()),
    )


def _nearest(search: Search, queries: np.ndarray, candidates: np.ndarray, on_progress: OnProgress | None) -> np.ndarray:
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
