"""Whether chance could reach a cross-validation's predictions: genres are shuffled among whole groups.

A block is the songs that a group has of one genre, since songs of an artist are not independent. The statistic is the
recall of every genre, each averaged over its blocks, then averaged over genres: it does not depend on how many songs a
block has, so that a shuffle in which large blocks change genre is comparable with the true genres.

References
----------
Ojala & Garriga 2010, "Permutation tests for studying classifier performance", test 1; Westfall & Young 1993 for the
maximum over candidates.
"""

from collections.abc import Sequence

import numpy as np

from songmap.genre.results import PermutationTest

N_PERMUTATIONS = 1000
_BLOCK = 200  # shuffles held at a time


def permutation_test(
    labels: np.ndarray,
    predicted: np.ndarray,
    groups: np.ndarray,
    seed: int,
    n_permutations: int = N_PERMUTATIONS,
    scarce: Sequence[str] = (),
) -> PermutationTest:
    """How often genres shuffled among groups agree with predictions as much as the true ones do.

    Parameters
    ----------
    labels : np.ndarray, shape (n_songs,)
        Integers; every genre occurs.
    predicted : np.ndarray, shape (n_candidates, n_rounds, n_songs)
        Labels predicted in each round of a cross-validation; of the model in use first.
    groups : np.ndarray, shape (n_songs,)
    seed, n_permutations : int
    scarce : sequence of str
        Genres of too few groups to be tested on new ones. With any, there is no p-value: their songs are split one by
        one, and songs of one artist are not exchangeable.

    Returns
    -------
    PermutationTest
        ``p_value`` is ``(1 + hits) / (1 + n_permutations)``. A hit is a shuffle in which the best of all candidates
        reaches the recall of the model in use, so that having chosen among them is accounted for.

    Notes
    -----
    Predictions stay as they are: models are not fitted again for every shuffle. That tests whether predictions and
    genres are independent.
    """
    n_genres = int(max(labels.max(), predicted.max())) + 1
    _, group = np.unique(groups, return_inverse=True)
    blocks, block = np.unique(group * n_genres + labels, return_inverse=True)
    genre, sizes = blocks % n_genres, np.bincount(block)
    shares = np.stack([_shares(rounds, block, sizes, n_genres) for rounds in predicted])
    recall = float(_recalls(shares, genre[np.newaxis])[0, 0])
    rng, best = np.random.default_rng(seed), []
    for start in range(0, n_permutations, _BLOCK):
        shuffled = np.stack([rng.permutation(genre) for _ in range(min(_BLOCK, n_permutations - start))])
        best.append(_recalls(shares, shuffled).max(axis=0))
    values = np.concatenate(best)
    hits = int((values >= recall - 1e-12).sum())
    p_value = None if scarce else (1 + hits) / (1 + n_permutations)
    return PermutationTest(recall, float(values.mean()), p_value, n_permutations, hits, tuple(scarce))


def _shares(rounds: np.ndarray, block: np.ndarray, sizes: np.ndarray, n_genres: int) -> np.ndarray:
    """The share of every block that is predicted as each genre, over all rounds, ``(n_blocks, n_genres)``."""
    votes = np.zeros((len(sizes), n_genres))
    for predicted in rounds:
        np.add.at(votes, (block, predicted), 1)
    return votes / (len(rounds) * sizes[:, np.newaxis])


def _recalls(shares: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """Mean recall ``(n_candidates, n_shuffles)`` if the blocks have ``genres (n_shuffles, n_blocks)``."""
    counts = np.bincount(genres[0], minlength=shares.shape[2])  # the same in every shuffle
    n_present = np.count_nonzero(counts)
    weights = 1 / (counts[genres] * n_present)
    blocks = np.arange(shares.shape[1])
    return np.stack([(candidate[blocks, genres] * weights).sum(axis=1) for candidate in shares])
