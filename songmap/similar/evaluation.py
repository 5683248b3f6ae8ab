"""How good a space is at finding what belongs together: precision and hubness.

Conventions: ``found (m, k)`` are the nearest songs of m queries, -1 where there is none. Queries and answers are
one file of each recording, so a copy is never a hit. Songs of one artist are similar beyond their genre: precision for
genres is also taken with an artist filter, which lets no song of the query's artist be an answer (Pampalk, Flexer &
Widmer 2005). A song's k-occurrence N_k is how many songs have it among their k nearest; its mean is k. Its skewness is
0 where all songs are near as many others, and grows with hubs: songs that are near to very many others (Radovanović,
Nanopoulos & Ivanović 2010).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.progress import OnProgress
from songmap.core.text import normalise
from songmap.library.schema import UNKNOWN_GENRE
from songmap.library.search import NOBODY, Search
from songmap.library.spaces import Space
from songmap.similar.lookup import Lookup
from songmap.similar.results import EvaluateResult, ModelInUse
from songmap.similar.space_scores import Precision, SpaceScores
from songmap.similar.transitions import NO_ARTIST

NEAREST = 10
MAX_QUERIES = 2000  # of a larger library this many songs, drawn by a seed, are the queries
UNLABELLED = -1
FILTERED = "genre_other_artists"
LEAST_ARTISTS = 5  # of every genre, for an interval: resampling fewer says little
_DRAWS = 2000


@dataclass(frozen=True)
class Spaces:
    """Spaces to evaluate, by name; the classifier's is among them with its ``model``, or cannot be, by ``model_error``.

    ``out_of_fold (n_songs, n_genres)`` are then its probabilities, of each song by a model trained without it. Where there
    is a ``network``, ``folds`` are the spaces of the networks of its folds and ``fold_of (n_songs,)`` that of each song.
    """

    of_name: Mapping[str, Space]
    model: ModelInUse | None
    out_of_fold: np.ndarray | None
    model_error: SchemaError | None
    network: ModelInUse | None = None
    network_error: SchemaError | None = None
    folds: tuple[Space, ...] = ()
    fold_of: np.ndarray | None = None

    def search(self, name: str, embeddings: np.ndarray, correct_hubs: bool) -> "Search | FoldSearch":
        """The songs in the space of a name, none compared by a model that was trained on the query."""
        space = self.of_name[name]
        if space.songs is not None and self.fold_of is not None:
            searches = [Search(one.units(embeddings), one, correct_hubs) for one in self.folds]
            return FoldSearch(searches, np.maximum(self.fold_of, 0))
        if space.model is None or self.out_of_fold is None:
            units = space.units(embeddings)
        else:
            units = np.sqrt(self.out_of_fold).astype(np.float32)
        return Search(units, space, correct_hubs)


@dataclass(frozen=True)
class FoldSearch:
    """The songs nearest to each query by the network of its fold, ``fold_of (n_songs,)``: one of ``searches``.

    Vectors of two networks have different axes, so that a query is compared with all songs by the network of its own fold,
    which was not trained on it. It was trained on songs of the other folds, as a network in use is on the library that a
    new song is compared with. Songs that no fold tests, since they have no genre, were in no network's training.
    """

    searches: Sequence[Search]
    fold_of: np.ndarray

    def __len__(self) -> int:
        return len(self.fold_of)

    def nearest_of_others(
        self,
        queries: np.ndarray,
        number: int,
        allowed: np.ndarray,
        groups: np.ndarray,
        on_progress: OnProgress | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """As that of ``Search``."""
        rows, similarities = np.full((len(queries), number), NOBODY), np.full((len(queries), number), np.nan)
        done = 0
        for fold, search in enumerate(self.searches):
            own = np.flatnonzero(self.fold_of[queries] == fold)
            rows[own], similarities[own] = search.nearest_of_others(queries[own], number, allowed, groups)
            done += len(own)
            if on_progress:
                on_progress(done, len(queries))
        return rows, similarities


@dataclass(frozen=True)
class Labels:
    """Numbers int64 ``(n_songs,)`` of what songs share, ``UNLABELLED`` where unknown.

    ``groups`` are the artists, see ``Lookup.artist_groups``.
    """

    codes: Mapping[str, np.ndarray]
    groups: np.ndarray


def evaluate(lookup: Lookup, spaces: Spaces, seed: int, on_progress: OnProgress | None) -> EvaluateResult:
    """Scores of each space, with and without correction of hubs."""
    labels, firsts = labels_of(lookup), lookup.firsts
    all_scores = []
    for name in spaces.of_name:
        for corrected in (False, True):
            search = spaces.search(name, lookup.library.embeddings, corrected)
            all_scores.append(scores((name, corrected), search, lookup.recordings, labels, seed, on_progress))
    kind = FILTERED if all_scores[0].precision[FILTERED].labels > 1 else "genre"
    of_genres = ("classifier", "cnn")  # fitted to the labels that they are scored by
    able = [one for one in all_scores if one.space not in of_genres and not np.isnan(one.precision[kind].value)]
    pairs = {(int(genre), int(group)) for genre, group in zip(labels.codes["genre"], labels.groups, strict=True)}
    artists_of = Counter(genre for genre, _ in pairs if genre != UNLABELLED)
    names = {int(code): str(name) for code, name in zip(labels.codes["genre"], lookup.library.genres, strict=True)}
    return EvaluateResult(
        scores=tuple(all_scores),
        best=max(able, key=lambda one: one.precision[kind].value, default=None),
        nearest=NEAREST,
        n_recordings=len(firsts),
        n_without_artist=int((lookup.artists[firsts] == NO_ARTIST).sum()),
        genres_of_one_artist=tuple(sorted(names[genre] for genre, n_artists in artists_of.items() if n_artists == 1)),
        model=spaces.model,
        model_error=spaces.model_error,
        network=spaces.network,
        network_error=spaces.network_error,
    )


def labels_of(lookup: Lookup) -> Labels:
    """Numbers of genre, artist and album; an album is known by its artist too."""
    songs = lookup.library.songs
    artists = songs["album_artist"].where(songs["album_artist"] != "", songs["artist"]).map(normalise)
    albums = [
        (album, artist) if album else "" for album, artist in zip(songs["album"].map(normalise), artists, strict=True)
    ]
    codes = {
        "genre": label_codes(lookup.library.genres, UNKNOWN_GENRE),
        "artist": np.where(lookup.artists == NO_ARTIST, UNLABELLED, lookup.artists),
        "album": label_codes(albums, ""),
    }
    return Labels(codes, lookup.artist_groups)


def label_codes(labels: Iterable[object], unlabelled: object) -> np.ndarray:
    """A number per label, int64 ``(n,)``; ``UNLABELLED`` for ``unlabelled``."""
    codes: dict[object, int] = {unlabelled: UNLABELLED}
    return np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)


@dataclass(frozen=True)
class Answers:
    """The nearest songs ``found (m, k)`` of ``queries (m,)`` among rows ``candidates`` of other ``groups (n_songs,)``."""

    found: np.ndarray
    queries: np.ndarray
    candidates: np.ndarray
    groups: np.ndarray

    def precision(self, codes: np.ndarray, artists: np.ndarray | None = None, seed: int = 0) -> Precision:
        """Precision at k of labels ``codes (n_songs,)``.

        A query counts if a candidate of another group has its label. With ``artists (n_songs,)`` it is the mean over
        the labels' own means, and has an interval, by a bootstrap of the artists of each label's queries, drawn by
        ``seed``; otherwise the mean over queries. NaN where no query counts.
        """
        own = codes[self.queries]
        both = np.unique(np.column_stack([codes, self.groups]), axis=0, return_inverse=True)[1]
        # candidates of another group, and those of them with the label
        possible = len(self.candidates) - self._n_candidates(self.groups)
        others = self._n_candidates(codes) - self._n_candidates(both)
        counted = (own != UNLABELLED) & (others > 0)
        if not counted.any():
            return Precision(np.nan, 0, np.nan, np.nan, 0, None)
        found, own, others, possible = self.found[counted], own[counted], others[counted], possible[counted]
        n_found = (found != NOBODY).sum(axis=1)
        shares = ((codes[found] == own[:, None]) & (found != NOBODY)).sum(axis=1) / n_found
        names, label, sizes = np.unique(own, return_inverse=True, return_counts=True)
        weights = 1 / sizes[label] if artists is not None else np.ones(len(own))
        return Precision(
            float(np.average(shares, weights=weights)),
            len(own),
            float(np.average(others / possible, weights=weights)),
            float(np.average(np.minimum(others, n_found) / n_found, weights=weights)),
            len(names),
            None if artists is None else interval(shares, label, artists[self.queries[counted]], seed),
        )

    def _n_candidates(self, codes: np.ndarray) -> np.ndarray:
        """For each query the candidates with the same number in ``codes (n_songs,)``, itself counted, int64 ``(m,)``."""
        codes = codes - codes.min()
        return np.bincount(codes[self.candidates], minlength=codes.max() + 1)[codes[self.queries]]


def interval(shares: np.ndarray, label: np.ndarray, artists: np.ndarray, seed: int) -> tuple[float, float] | None:
    """95 % of the mean of the labels' means of ``shares (m,)``, where each label's ``artists`` are drawn anew.

    None where a label has fewer than ``LEAST_ARTISTS``.
    """
    rng, n_labels = np.random.default_rng(seed), label.max() + 1
    means = np.zeros(_DRAWS)
    for one in range(n_labels):
        own = label == one
        group = np.unique(artists[own], return_inverse=True)[1]
        sums, counts = np.bincount(group, shares[own]), np.bincount(group)
        if len(counts) < LEAST_ARTISTS:
            return None
        drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=_DRAWS)
        means += (drawn @ sums) / (drawn @ counts) / n_labels
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


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
    search: Search | FoldSearch,
    recordings: np.ndarray,
    labels: Labels,
    seed: int,
    on_progress: OnProgress | None = None,
) -> SpaceScores:
    """Precision at ``NEAREST`` of each kind of ``labels``, of genres with an artist filter too, and the skewness of N_k.

    ``space`` is its name and whether hubs are corrected. Of more than ``MAX_QUERIES`` recordings as many, drawn by
    ``seed``, are the queries; hubs are then counted among these alone, as in a library of that size: over a few queries
    of a large library N_k would be mostly chance.
    """
    queries = firsts = np.unique(recordings)
    if len(firsts) > MAX_QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(firsts, MAX_QUERIES, replace=False))
    plain = answers(search, queries, firsts, recordings, on_progress)
    filtered = answers(search, queries, firsts, labels.groups, on_progress)
    among = plain if queries is firsts else answers(search, queries, queries, recordings, on_progress)
    occurrence = k_occurrence(among.found, len(recordings))[queries]
    codes = labels.codes
    precision = {
        "genre": plain.precision(codes["genre"], labels.groups, seed),
        FILTERED: filtered.precision(codes["genre"], labels.groups, seed),
        "artist": plain.precision(codes["artist"]),
        "album": plain.precision(codes["album"]),
    }
    return SpaceScores(
        space=space[0],
        hubs_corrected=space[1],
        queries=len(queries),
        precision=precision,
        hubness_skewness=skewness(occurrence),
        in_no_list=float((occurrence == 0).mean()),
    )


def answers(
    search: Search | FoldSearch,
    queries: np.ndarray,
    candidates: np.ndarray,
    groups: np.ndarray,
    on_progress: OnProgress | None,
) -> Answers:
    """The nearest of ``candidates`` to each of the queries; only those of another one of ``groups (n_songs,)``."""
    allowed = np.zeros(len(search), dtype=bool)
    allowed[candidates] = True
    found, _ = search.nearest_of_others(queries, NEAREST, allowed, groups, on_progress)
    return Answers(found, queries, candidates, groups)
