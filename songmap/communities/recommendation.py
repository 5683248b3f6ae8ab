"""Songs recommended for seed songs: by walks along playlists, by sound, and by both.

Playlists: personalised PageRank, the probability of being at a song for a walk along the graph's weights that begins anew at a
seed with probability 0.15 (Page et al. 1999; Haveliwala 2002). Sound: the cosine with the mean of the seeds' unit vectors.

The two have no common scale: PageRank is a probability, spread over powers of ten. They are mixed by ranks (weighted
reciprocal rank fusion, Cormack, Clarke & Büttcher 2009): ``alpha / (60 + rank by playlists) + (1 - alpha) / (60 + rank by
sound)``. A song that no walk reaches has no rank by playlists, and only the second term: songs in no playlist can be
recommended.

References
----------
Page, Brin, Motwani & Winograd 1999, The PageRank citation ranking. Haveliwala 2002, Topic-sensitive PageRank.
Cormack, Clarke & Büttcher 2009, Reciprocal rank fusion outperforms Condorcet and individual rank fusion methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from songmap.communities.graph_results import NO_COMMUNITY, Recommendation, Recommended, SongGraph
from songmap.core.errors import QueryError
from songmap.library.search import cosines

DAMPING = 0.85
DEFAULT_ALPHA = 0.5
_RANK_OFFSET = 60  # of Cormack et al.
_MAX_ITERATIONS, _TOLERANCE = 100, 1e-7


@dataclass(frozen=True)
class Recommender:
    """What recommendations are made of.

    Attributes
    ----------
    graph : SongGraph
    units : np.ndarray, shape (n_songs, d), float32
        Unit vectors of the songs in a space.
    recordings : np.ndarray of int64, shape (n_songs,)
        Rows of first files: only the first file of a recording is recommended, and none of a seed's.
    """

    graph: SongGraph
    units: np.ndarray
    recordings: np.ndarray

    @cached_property
    def steps(self) -> sparse.csr_array:
        """Of walks along the graph, see ``damped_steps``: the same for all seeds."""
        return damped_steps(self.graph)

    def candidates(self, seeds: np.ndarray) -> np.ndarray:
        """Songs that can be recommended, bool ``(n_songs,)``."""
        first = self.recordings == np.arange(len(self.recordings))
        return first & ~np.isin(self.recordings, self.recordings[seeds])


@dataclass(frozen=True)
class CandidateScores:
    """Rows of candidates ``(n,)`` and their numbers; ``playlist_ranks`` are 0 where no walk reaches the song."""

    rows: np.ndarray
    pagerank: np.ndarray
    playlist_ranks: np.ndarray
    similarity: np.ndarray
    sound_ranks: np.ndarray

    def mixed(self, alpha: float) -> np.ndarray:
        """Reciprocal ranks, weighted, float64 ``(n,)``."""
        walks = np.where(self.playlist_ranks > 0, 1 / (_RANK_OFFSET + self.playlist_ranks), 0.0)
        return alpha * walks + (1 - alpha) / (_RANK_OFFSET + self.sound_ranks)


def recommend(
    recommender: Recommender,
    seeds: Sequence[int],
    number: int = 10,
    alpha: float = DEFAULT_ALPHA,
    labels: np.ndarray | None = None,
) -> Recommendation:
    """Recommend songs that go with others.

    Parameters
    ----------
    recommender : Recommender
    seeds : sequence of int
        Rows of at least one song.
    number : int
        Songs wanted.
    alpha : float
        0 … 1: the share of playlists; the rest is that of sound. With 1 only songs that a walk reaches are recommended.
    labels : np.ndarray of int64, shape (n_songs,), optional
        Communities, for the result.

    Raises
    ------
    QueryError
        If a value is out of range, or nothing can be recommended.
    """
    if not 0 <= alpha <= 1:
        raise QueryError(f"alpha {alpha:g} is out of range, give 0 (sound alone) to 1 (playlists alone)")
    scored = candidate_scores(recommender, seeds)
    scores = scored.mixed(alpha)
    best = np.argsort(-scores, kind="stable")[:number]
    best = best[scores[best] > 0]
    if not len(best):
        raise QueryError(
            "no other song can be recommended by playlists alone: none of the songs shares one; give an --alpha below 1"
            if alpha == 1 and len(scores)
            else "there is no other song to recommend"
        )
    songs = tuple(
        Recommended(
            row=int(scored.rows[place]),
            score=float(scores[place]),
            playlist_rank=int(scored.playlist_ranks[place]) or None,
            pagerank=float(scored.pagerank[place]),
            sound_rank=int(scored.sound_ranks[place]),
            similarity=float(scored.similarity[place]),
            label=NO_COMMUNITY if labels is None else int(labels[scored.rows[place]]),
        )
        for place in best
    )
    return Recommendation(tuple(int(seed) for seed in seeds), alpha, songs)


def candidate_scores(recommender: Recommender, seeds: Sequence[int]) -> CandidateScores:
    """All songs that can be recommended for ``seeds``, in row order. Raises QueryError without seeds."""
    if not len(seeds):
        raise QueryError("give at least one song to recommend others for")
    # playlists name the first file of a recording
    rows = np.unique(recommender.recordings[np.asarray(seeds, dtype=np.int64)])
    candidates = np.flatnonzero(recommender.candidates(rows))
    walks = personalised_pagerank(recommender.steps, rows)[candidates]
    similarity = similarity_to(recommender.units, rows)[candidates]
    playlist_ranks = np.where(walks > 0, _ranks(walks), 0)
    return CandidateScores(candidates, walks, playlist_ranks, similarity, _ranks(similarity))


def damped_steps(graph: SongGraph) -> sparse.csr_array:
    """Probabilities float64 ``(n_songs, n_songs)`` that a walk which is at the song of a column goes on to that of a row."""
    weights = graph.weights
    parts = DAMPING * (1 / graph.strengths[weights.indices] * weights.data)  # weights are symmetric
    return sparse.csr_array((parts, weights.indices, weights.indptr), shape=weights.shape)


def personalised_pagerank(steps: sparse.csr_array, seeds: np.ndarray) -> np.ndarray:
    """Probabilities float64 ``(n_songs,)`` of a walk by ``damped_steps`` that begins at one of ``seeds``, each as often.

    Seeds that are joined to no song do not count; without any other all probabilities are 0. The numbers are those of
    scikit-network's ``PageRank``, which would make ``steps`` anew for all seeds: two thirds of its time.
    """
    restart = np.zeros(steps.shape[0])
    joined = seeds[np.diff(steps.indptr)[seeds] > 0]
    if not len(joined):
        return restart
    restart[joined] = 1 / len(joined)
    restart = (1 - DAMPING) * (restart / restart.sum())
    proba = restart
    for _ in range(_MAX_ITERATIONS):
        following = steps @ proba + restart * proba.sum()
        following /= following.sum()
        if np.abs(following - proba).sum() < _TOLERANCE:
            break
        proba = following
    return np.asarray(proba / proba.sum())


def similarity_to(units: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Cosines float64 ``(n_songs,)`` with the direction of the mean of the seeds' unit vectors; 0 where it has none."""
    mean = units[seeds].mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean)
    return cosines(units, mean / length) if length > 0 else np.zeros(len(units))


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 1, the highest value first, equal ones in row order, int64 ``(n,)``."""
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks
