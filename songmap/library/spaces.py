"""Spaces: what turns a song's 641 columns into a unit vector whose dot products are similarities.

Conventions: a library is ``embeddings (n_songs, 641)``; a unit vector is float32 ``(d,)``, similarity the dot
product of two, the cosine, -1 … 1. Since columns are centred on the library, 0 is about what two of its songs
picked at random have, and the value depends on what else is in the library: in a library of two songs the
similarity is -1. A song with no direction (at the library's mean in every column that varies) is the zero vector: its
similarity is 0 with every song.

==========  ================================================================================================
balanced    641 standardised columns, families of equal weight
scaled      641 standardised columns, columns of equal weight: 512 of them are mel bands
pca         the leading principal components of the standardised columns, at most ``N_COMPONENTS``
classifier  square roots of the genre model's probabilities; the cosine is Bhattacharyya's coefficient, 0 … 1
==========  ================================================================================================

Adding a constant to a column, or rescaling it, changes nothing in the first three.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from songmap.core.blocks import read_blocks
from songmap.core.errors import QueryError
from songmap.library.genre_model import GenreModel
from songmap.library.schema import FAMILIES, N_COLUMNS, family_indices

SPACES = ("balanced", "scaled", "pca", "classifier")
N_COMPONENTS = 20
SAMPLE_ROWS = 4096  # songs of a larger library that statistics are taken over
_LEAST_VARIANCE = 1e-9  # of the largest: a component below it is rounding


@dataclass(frozen=True)
class Space:
    """What turns an embedding into a unit vector: ``(embedding - mean) * weight``, in ``pca`` along ``axes``.

    ``mean`` and ``weight`` are float64 ``(641,)``; a column that is constant in the library weighs 0. ``axes`` are
    orthonormal, ``(d, 641)``. In ``classifier`` the vector is the square
    roots of ``model``'s probabilities.
    ``weighted``: families were given weights.
    """

    name: str
    mean: np.ndarray
    weight: np.ndarray
    axes: np.ndarray | None = None
    model: GenreModel | None = None
    weighted: bool = False

    @property
    def by_family(self) -> bool:
        """Whether the coordinates are the columns, so that a similarity splits into the families."""
        return self.axes is None and self.model is None

    @property
    def size(self) -> int:
        """Coordinates of a unit vector, d."""
        if self.model is not None:
            return len(self.model.genres)
        return N_COLUMNS if self.axes is None else len(self.axes)

    def units(self, embeddings: np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(n, d)`` of ``embeddings (n, 641)``."""
        result = np.zeros((len(embeddings), self.size), dtype=np.float32)
        for rows, block in read_blocks(embeddings):
            vectors = self._vectors(block)
            lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
            result[rows] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return result

    def _vectors(self, embeddings: np.ndarray) -> np.ndarray:
        if self.model is not None:
            return np.sqrt(self.model.predict_proba(embeddings))
        vectors = (embeddings - self.mean) * self.weight
        return vectors if self.axes is None else vectors @ self.axes.T


def build_space(
    embeddings: np.ndarray,
    space: str = "balanced",
    family_weights: Mapping[str, float] | None = None,
    model: GenreModel | None = None,
) -> Space:
    """The space of a library.

    ``scaled``: every column to mean 0 and standard deviation 1, so that the 512 mel columns are 80 % of the squared
    length. ``balanced``: each column then divided by the square root of its family's size, so that all seven
    families have equal weight.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
        Of at least one song.
    space : str
        One of ``SPACES``.
    family_weights : mapping of str to float, optional
        How many times a family counts in balanced and scaled, 0 or more; 1 where not given.
    model : GenreModel, optional
        What ``classifier`` needs.

    Raises
    ------
    QueryError
        If the space, the weights or the embeddings cannot be used.

    Notes
    -----
    ``pca`` is not whitened, and of few components: of the 10 nearest, 0.929 and 0.606 had the song's genre (73
    recordings and 52 synthesised songs, two genres each) with 20 components, 0.932 and 0.627 with 10, 0.930 and 0.608
    with 50, but 0.777 and 0.565 with 20 whitened ones; ``scaled`` 0.929 and 0.606, ``balanced`` 0.986 and 0.662.
    """
    if space not in SPACES:
        raise QueryError(f"no space {space!r}; there are {', '.join(SPACES)}")
    if embeddings.ndim != 2 or embeddings.shape[1] != N_COLUMNS or not len(embeddings):
        raise QueryError(
            f"a space needs embeddings (n_songs, {N_COLUMNS}) of at least one song, not {embeddings.shape}"
        )
    if family_weights and space not in ("balanced", "scaled"):
        raise QueryError(f"the {space} space has no families to weight; use balanced or scaled")
    if space == "classifier":
        if model is None:
            raise QueryError("the classifier space needs a genre model; run 03_genre_classifier.py first")
        return Space(space, np.zeros(N_COLUMNS), np.zeros(N_COLUMNS), model=model)
    mean, weight = standardisation(embeddings)
    if space == "pca":
        return Space(space, mean, weight, axes=principal_axes(embeddings, mean, weight))
    for family, times in _checked(family_weights or {}).items():
        columns = family_indices(family)
        weight[columns] *= np.sqrt(times / len(columns) if space == "balanced" else times)
    return Space(space, mean, weight, weighted=bool(family_weights))


def sampled_rows(n_songs: int, limit: int = SAMPLE_ROWS, seed: int = 0) -> np.ndarray:
    """Rows, ascending, of at most ``limit`` songs, drawn by a seed where there are more."""
    if n_songs <= limit:
        return np.arange(n_songs)
    return np.sort(np.random.default_rng(seed).choice(n_songs, limit, replace=False))


def leading_axes(units: np.ndarray, number: int) -> np.ndarray:
    """The ``number`` orthonormal axes, float32 ``(d, number)``, along which unit vectors ``(n, d)`` are longest."""
    _, axes = np.linalg.eigh(units.T.astype(np.float64) @ units)  # ascending
    return axes[:, : -number - 1 : -1].astype(np.float32)


def _checked(family_weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of all families."""
    for family, times in family_weights.items():
        if family not in FAMILIES:
            raise QueryError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
        if not 0 <= times < np.inf:
            raise QueryError(f"a weight of {times} for {family} is out of range, give 0 or more")
    result = {family: float(family_weights.get(family, 1)) for family in FAMILIES}
    if not any(result.values()):
        raise QueryError("all weights are 0; give at least one family a weight above 0")
    return result


def standardisation(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and reciprocal standard deviation of every column.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)

    Returns
    -------
    mean, weight : np.ndarray, shape (641,), float64
        ``(embeddings - mean) * weight`` has standard deviation 1 (``ddof=0``); the weight of a constant column is 0.
    """
    total, squares = np.zeros(N_COLUMNS), np.zeros(N_COLUMNS)
    least, most = np.full(N_COLUMNS, np.inf), np.full(N_COLUMNS, -np.inf)
    for _, block in read_blocks(embeddings):
        total += block.sum(axis=0, dtype=np.float64)
        least, most = np.minimum(least, block.min(axis=0)), np.maximum(most, block.max(axis=0))
    mean = total / len(embeddings)
    for _, block in read_blocks(embeddings):
        squares += np.square(block - mean).sum(axis=0)
    weight = np.zeros(N_COLUMNS)
    varies = most > least
    weight[varies] = 1 / np.sqrt(squares[varies] / len(embeddings))
    return mean, weight


def principal_axes(embeddings: np.ndarray, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Principal axes of the standardised columns.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
    mean, weight : np.ndarray, shape (641,)
        Of ``standardisation``.

    Returns
    -------
    np.ndarray, shape (at most N_COMPONENTS, 641), float64
        Orthonormal, largest variance first; those without variance are left out.
    """
    products = np.zeros((N_COLUMNS, N_COLUMNS))
    for _, block in read_blocks(embeddings):
        scores = (block - mean) * weight
        products += scores.T @ scores
    variances, vectors = np.linalg.eigh(products)  # ascending
    kept = variances[-N_COMPONENTS:] > _LEAST_VARIANCE * max(variances[-1], 0)
    return vectors[:, -N_COMPONENTS:][:, kept].T[::-1].copy()
