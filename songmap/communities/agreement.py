"""Do sound and playlists agree? Clusters against communities, and similarity against "in the same playlist".

Every measure has a p-value against permuted artists (``library.artists``), one-sided, and a 95 % interval over artists.
Clusters and communities are taken as they are: how they would differ with other songs is not in the intervals. Songs are
sampled of more than ``MAX_COMPARED``; contingency tables count all.

References
----------
Hubert & Arabie 1985 (adjusted Rand index). Vinh, Epps & Bailey 2010 (adjusted mutual information). Holm 1979.
Phipson & Smyth 2010, Permutation p-values should never be zero. Hanley & McNeil 1982 (AUC).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from songmap.communities.agreement_results import CommunitySound, Contingency, Estimate, Reason, SpaceAgreement
from songmap.communities.pairs import SongPairs, auc, cosines, mid_ranks, song_pairs
from songmap.communities.partitions import adjusted_mutual_information, adjusted_rand, contingency_table
from songmap.core.progress import OnProgress
from songmap.core.statistics import holm
from songmap.library.artists import ArtistPermutation, jackknife
from songmap.library.spaces import sampled_rows

MAX_COMPARED = 2_000
N_PERMUTATIONS = 999
LEVEL = 0.05
MIN_PAIRS = 30  # of each kind, for an AUC
_LEAST_SONGS, _LEAST_ARTISTS = 5, 3  # of a community whose sound is described
_MAX_COMMUNITIES = 50


@dataclass(frozen=True)
class SpaceSongs:
    """One space: all songs' ``vectors (n_songs, d)``, ``clusters (n_songs,)``, and whether these are more than chance."""

    vectors: np.ndarray
    clusters: np.ndarray
    has_structure: bool


@dataclass(frozen=True)
class PlaylistSongs:
    """Songs and playlists: rows of each playlist; ``communities`` and ``artists`` ``(n_songs,)``, -1 without community."""

    playlists: Sequence[np.ndarray]
    communities: np.ndarray
    artists: np.ndarray
    seed: int = 0

    @cached_property
    def rows(self) -> np.ndarray:
        """Songs compared: all that are in a community, or a sample."""
        joined = np.flatnonzero(self.communities >= 0)
        return joined[sampled_rows(len(joined), MAX_COMPARED, self.seed)]

    @cached_property
    def own_artists(self) -> np.ndarray:
        """Artists of ``rows``, from 0."""
        return np.unique(self.artists[self.rows], return_inverse=True)[1]

    @cached_property
    def pairs(self) -> SongPairs:
        """Pairs of ``rows``."""
        place = np.full(len(self.communities), -1)
        place[self.rows] = np.arange(len(self.rows))
        own = [place[rows][place[rows] >= 0] for rows in self.playlists]
        return song_pairs(own, self.communities[self.rows], self.own_artists, self.seed)

    @property
    def has_pairs(self) -> bool:
        return min(len(self.pairs.same), len(self.pairs.other)) >= MIN_PAIRS


def compare_spaces(
    spaces: Mapping[str, SpaceSongs],
    songs: PlaylistSongs,
    n_permutations: int = N_PERMUTATIONS,
    on_progress: OnProgress | None = None,
) -> list[SpaceAgreement]:
    """Compare each space with the playlists.

    Parameters
    ----------
    spaces : mapping of str to SpaceSongs
    songs : PlaylistSongs
        At least two artists have songs in communities.
    n_permutations : int
    on_progress : callable, optional

    Returns
    -------
    list of SpaceAgreement
        p-values are corrected for all measures that count, of all spaces.
    """
    permutation, rng = ArtistPermutation(songs.own_artists), np.random.default_rng(songs.seed)
    drawn = [permutation.draw(rng) for _ in range(n_permutations)]
    compared = []
    for done, (name, space) in enumerate(spaces.items(), start=1):
        compared.append(_compare(name, space, songs, drawn))
        if on_progress:
            on_progress(done, len(spaces))
    measures = [(at, one.p_value) for at, space in enumerate(compared) for one in counting(space)]
    corrected = holm(np.array([p_value for _, p_value in measures])).tolist()
    return [
        replace(one, p_holm=min([p for (own, _), p in zip(measures, corrected, strict=True) if own == at], default=1.0))
        for at, one in enumerate(compared)
    ]


def counting(space: SpaceAgreement) -> list[Estimate]:
    """The measures of a space that count: AUC, and AMI where there are clusters."""
    ami = None if Reason.NO_CLUSTERS in space.reasons else space.ami
    return [one for one in (space.auc, ami) if one is not None]


def _compare(name: str, space: SpaceSongs, songs: PlaylistSongs, drawn: Sequence[np.ndarray]) -> SpaceAgreement:
    rows, artists, pairs = songs.rows, songs.own_artists, songs.pairs
    communities, clusters = songs.communities[rows], space.clusters[rows]
    centred = space.vectors[rows] - space.vectors.mean(axis=0, dtype=np.float64)
    similarities = cosines(centred)
    reasons = [] if space.has_structure else [Reason.NO_CLUSTERS]
    ari = ami = None
    if len(np.unique(communities)) > 1:
        labelled = _Labelled(communities, clusters, artists, drawn, songs.seed)
        ari, ami = labelled.estimate(adjusted_rand), labelled.estimate(adjusted_mutual_information)
    return SpaceAgreement(
        space=name,
        auc=_auc(similarities, pairs, drawn, artists, songs.seed) if songs.has_pairs else None,
        ari=ari,
        ami=ami,
        p_holm=1.0,
        contingency=contingency(space.clusters, songs.communities),
        communities=_community_sounds(similarities, songs, drawn),
        reasons=reasons if songs.has_pairs else [*reasons, Reason.FEW_PAIRS],
    )


@dataclass(frozen=True)
class _Labelled:
    """Communities, clusters and artists of some songs ``(n,)``, and permutations of them."""

    communities: np.ndarray
    clusters: np.ndarray
    artists: np.ndarray
    drawn: Sequence[np.ndarray]
    seed: int

    def estimate(self, score: Callable[[np.ndarray], float]) -> Estimate:
        """Of a score of the contingency table of both divisions."""
        value = score(contingency_table(self.communities, self.clusters))
        null = np.array([score(contingency_table(self.communities, self.clusters[rows])) for rows in self.drawn])
        interval = jackknife(
            self.artists,
            lambda kept: score(contingency_table(self.communities[kept], self.clusters[kept])),
            value,
            self.seed,
        )
        return estimate(value, null, interval)


def estimate(value: float, null: np.ndarray, interval: tuple[float, float]) -> Estimate:
    """A measure with its p-value, one-sided, against ``null (n_permutations,)``."""
    low, high = interval
    return Estimate(
        value, max(low, -1.0), min(high, 1.0), _p_value(value, null), float(null.mean()), float(np.quantile(null, 0.95))
    )


def _p_value(value: float, null: np.ndarray) -> float:
    return float((1 + np.count_nonzero(null >= value - 1e-9)) / (1 + len(null)))


def _auc(
    similarities: np.ndarray, pairs: SongPairs, drawn: Sequence[np.ndarray], artists: np.ndarray, seed: int
) -> Estimate:
    same, other = (similarities[tuple(places.T)] for places in (pairs.same, pairs.other))
    ranks = mid_ranks(similarities, np.concatenate([same, other]))

    def null_auc(rows: np.ndarray) -> float:
        values = [
            ranks[rows[places[:, 0]], rows[places[:, 1]]].mean(dtype=np.float64) for places in (pairs.same, pairs.other)
        ]
        return float(0.5 + values[0] - values[1])

    def part_auc(kept: np.ndarray) -> float:
        is_kept = np.zeros(len(artists), dtype=bool)
        is_kept[kept] = True
        own = [values[is_kept[places].all(axis=1)] for values, places in ((same, pairs.same), (other, pairs.other))]
        return auc(*own) if min(map(len, own)) else 0.5

    value = auc(same, other)
    return estimate(value, np.array([null_auc(rows) for rows in drawn]), jackknife(artists, part_auc, value, seed))


def contingency(clusters: np.ndarray, communities: np.ndarray) -> Contingency:
    """Songs of each cluster in each community, songs without a community left out."""
    joined = communities >= 0
    clusters, communities = clusters[joined], communities[joined]
    table = contingency_table(clusters, communities)
    return Contingency(np.unique(clusters).tolist(), np.unique(communities).tolist(), table)


def _community_sounds(
    similarities: np.ndarray, songs: PlaylistSongs, drawn: Sequence[np.ndarray]
) -> list[CommunitySound]:
    """Of communities of some songs of some artists, against sets of songs with the same artist structure."""
    labels, artists = songs.communities[songs.rows], songs.own_artists
    sounds = []
    for label, places in list(songs.pairs.within.items())[:_MAX_COMMUNITIES]:
        own = labels == label
        n_artists = len(np.unique(artists[own]))
        if own.sum() < _LEAST_SONGS or n_artists < _LEAST_ARTISTS:
            continue
        first, second = places.T
        value = float(similarities[first, second].mean(dtype=np.float64))
        null = np.array([similarities[rows[first], rows[second]].mean(dtype=np.float64) for rows in drawn])
        p_value, n_songs = _p_value(value, null), int((songs.communities == label).sum())
        sounds.append(CommunitySound(label, n_songs, n_artists, value, float(null.mean()), p_value, 1.0, False))
    corrected = holm(np.array([one.p_value for one in sounds])).tolist()
    return [replace(one, p_holm=p, is_similar=p <= LEVEL) for one, p in zip(sounds, corrected, strict=True)]
