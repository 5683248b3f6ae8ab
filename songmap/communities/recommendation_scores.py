"""How well recommenders find songs that were hidden from playlists.

Playlists are divided into folds. Of each playlist of a fold half of the songs are hidden, the graph is built without these
memberships, and the other half are the seeds. Every playlist is tested once; the other folds' playlists are whole. Of
playlists with the same songs, such as one in two formats, there is one here: the other would show what is hidden.

R-precision: the share of hidden songs among as many recommendations as songs are hidden. NDCG and recall: of the first ten.
Popularity ranks songs by the playlists that they are in, without the hidden memberships. Songs that a recommender cannot tell
apart are in a random order.

References
----------
Chen, Lamere, Schedl & Zamani 2018, RecSys Challenge 2018: Automatic music playlist continuation, for R-precision and NDCG.
Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques.
"""

from dataclasses import replace
from typing import get_args

import numpy as np

from songmap.communities.graph import build_graph, different_playlists, incidence
from songmap.communities.graph_results import (
    Interval,
    MatchedPlaylists,
    Pruning,
    RecommendationScores,
    Recommender,
    RecommenderScores,
)
from songmap.communities.pruning import prune
from songmap.communities.recommendation import DEFAULT_ALPHA, candidate_scores
from songmap.communities.recommendation import Recommender as Sources
from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress

N_AT = 10
MIN_SONGS = 4  # of a playlist that is tested: two seeds, two hidden
MAX_TESTED, LEAST_TESTED = 500, 50  # playlists, drawn at random of more
_MAX_WALKED = 500_000_000  # edges of the graph times playlists: of many edges fewer playlists, down to the least
N_FOLDS = 5
_RESAMPLES = 2000
_RECOMMENDERS: tuple[Recommender, ...] = get_args(Recommender)
_METRICS = ("r_precision", "ndcg", "recall")


def score_recommenders(
    playlists: MatchedPlaylists,
    sources: Sources,
    pruning: Pruning,
    *,
    alpha: float = DEFAULT_ALPHA,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> RecommendationScores:
    """Score recommendation by popularity, by sound, by playlists and by the mix on the same hidden songs.

    Parameters
    ----------
    playlists : MatchedPlaylists
    sources : Recommender
        Each fold has its own graph; the number of edges of this one decides how many playlists are tested.
    pruning : Pruning
        Of each fold's graph.
    alpha : float
        Of the mix.
    seed : int
    on_progress : callable, optional
        Called with playlists tested and all that are.

    Raises
    ------
    UsageError
        If no playlist has ``MIN_SONGS`` songs.
    """
    rng, playlists = np.random.default_rng(seed), different_playlists(playlists)
    tested = np.array([place for place, rows in enumerate(playlists.rows) if len(rows) >= MIN_SONGS], dtype=np.int64)
    if not len(tested):
        raise UsageError(f"no playlist has {MIN_SONGS} songs of the library: recommendations cannot be evaluated")
    affordable = max(_MAX_WALKED // max(sources.graph.n_edges, 1), LEAST_TESTED)
    tested = rng.permutation(tested)[: min(affordable, MAX_TESTED)]
    values = np.empty((len(_RECOMMENDERS), len(_METRICS), len(tested)))
    n_done, n_hidden, n_unreachable, n_songs = 0, 0, 0, len(sources.recordings)
    for fold in range(min(N_FOLDS, len(tested))):
        places = range(fold, len(tested), N_FOLDS)
        rows, hidden = list(playlists.rows), {}
        for place in places:
            mixed = rng.permutation(rows[tested[place]])
            rows[tested[place]], hidden[place] = np.split(mixed, [(len(mixed) + 1) // 2])
        graph = prune(build_graph(MatchedPlaylists(playlists.names, tuple(rows)), n_songs, seed), pruning)
        own = replace(sources, graph=graph)
        popularity = np.asarray(incidence(rows, n_songs).sum(axis=0)).ravel()
        for place in places:
            rankings = _rankings(own, rows[tested[place]], popularity, alpha, rng)
            for number, recommender in enumerate(_RECOMMENDERS):
                values[number, :, place] = _metrics(rankings[recommender], hidden[place])
            n_hidden += len(hidden[place])
            n_unreachable += int(np.count_nonzero(popularity[hidden[place]] == 0))
            n_done += 1
            if on_progress:
                on_progress(n_done, len(tested))
    resamples = rng.integers(len(tested), size=(_RESAMPLES, len(tested)))
    ndcg = dict(zip(_RECOMMENDERS, values[:, _METRICS.index("ndcg")], strict=True))
    scores = tuple(
        RecommenderScores(
            recommender,
            **{name: _interval(one, resamples) for name, one in zip(_METRICS, of_metric, strict=True)},
            mix_ahead=_interval(ndcg["mix"] - ndcg[recommender], resamples),
        )
        for recommender, of_metric in zip(_RECOMMENDERS, values, strict=True)
    )
    return RecommendationScores(scores, len(tested), n_hidden, n_unreachable / n_hidden, N_AT, alpha)


def _rankings(
    sources: Sources, seeds: np.ndarray, popularity: np.ndarray, alpha: float, rng: np.random.Generator
) -> dict[Recommender, np.ndarray]:
    """Candidates of each recommender, best first."""
    scored = candidate_scores(sources, seeds.tolist())
    ties = rng.permutation(len(scored.rows))
    of: dict[Recommender, np.ndarray] = {
        "popularity": popularity[scored.rows], "sound": scored.similarity, "playlists": scored.pagerank,
        "mix": scored.mixed(alpha),
    }  # fmt: skip
    return {name: scored.rows[np.lexsort((ties, -values))] for name, values in of.items()}


def _metrics(ranking: np.ndarray, hidden: np.ndarray) -> tuple[float, float, float]:
    """R-precision, NDCG and recall at ``N_AT``."""
    is_hidden = np.isin(ranking[: max(N_AT, len(hidden))], hidden)
    discounts = 1 / np.log2(np.arange(2, N_AT + 2))
    first = is_hidden[:N_AT]
    ideal = discounts[: len(hidden)].sum()
    return is_hidden[: len(hidden)].mean(), (discounts[: len(first)] @ first) / ideal, first.sum() / len(hidden)


def _interval(values: np.ndarray, resamples: np.ndarray) -> Interval:
    """Mean of ``values (n,)``, and the 2.5th and 97.5th percentile of the means of ``resamples (m, n)`` of them."""
    low, high = np.percentile(values[resamples].mean(axis=1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
