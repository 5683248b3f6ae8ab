"""Spaces: what turns a song's 641 columns into a unit vector whose dot products are similarities.

Conventions: a library is ``embeddings (n_songs, 641)``; a unit vector is float32 ``(d,)``, similarity the dot
product of two, the cosine, -1 … 1. Since numbers are centred on the library, 0 is about what two of its songs
picked at random have, and the value depends on what else is in the library: in a library of two songs the
similarity is -1. A song with no direction (at the library's mean in every number that varies) is the zero vector: its
similarity is 0 with every song.

===========  ===============================================================================================
balanced     157 standardised descriptors, families of equal weight
scaled       641 standardised columns, columns of equal weight: 512 of them are mel bands
balanced641  641 standardised columns, families of equal weight
classifier   square roots of the genre model's probabilities; the cosine is Bhattacharyya's coefficient, 0 … 1
cnn          the vectors of a network that looks at spectrograms, of 07, centred; of the library's songs alone
===========  ===============================================================================================

The first is what everything is compared in unless another is requested: 04, and the maps and statistics of 02.
Adding a constant to a column, or rescaling it, changes nothing in the next two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from songmap.core.blocks import read_blocks
from songmap.core.errors import QueryError
from songmap.library.descriptors import DESCRIPTORS, N_DESCRIPTORS, describe
from songmap.library.genre_model import GenreModel
from songmap.library.schema import COLUMN_FAMILY, FAMILIES, N_COLUMNS, fingerprint
from songmap.library.song_vectors import KnownSongs, SongVectors

FAMILY_SPACES = ("balanced", "scaled", "balanced641")  # whose similarities split into families
SPACES = (*FAMILY_SPACES, "classifier", "cnn")
SAMPLE_ROWS = 4096  # songs of a larger library that statistics are taken over


@dataclass(frozen=True)
class Space:
    """What turns an embedding into a unit vector: the direction of ``(numbers - mean) * weight``.

    The numbers are descriptors in ``balanced``, otherwise columns. ``mean`` and ``weight`` are float64 ``(d,)``; a
    number that is constant in the library weighs 0. In ``classifier`` and ``cnn`` both are empty: the vector is the
    square roots of ``model``'s probabilities, or that of one of the ``songs`` that the network knows.
    """

    name: str
    mean: np.ndarray
    weight: np.ndarray
    model: GenreModel | None = None
    songs: KnownSongs | None = None

    @property
    def described(self) -> bool:
        """Whether the coordinates are the descriptors."""
        return self.name == "balanced"

    @property
    def by_family(self) -> bool:
        """Whether a coordinate is of one family, so that a similarity splits into families."""
        return self.name in FAMILY_SPACES

    @property
    def size(self) -> int:
        """Coordinates of a unit vector, d."""
        if self.songs is not None:
            return self.songs.vectors.shape[1]
        return len(self.mean) if self.model is None else len(self.model.genres)

    @property
    def fingerprint(self) -> str:
        """SHA-256: what is computed in two spaces can be compared only where it is equal; of ``balanced`` and ``cnn``."""
        return descriptors_fingerprint() if self.songs is None else self.songs.fingerprint

    def units(self, embeddings: np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(n, d)`` of ``embeddings (n, 641)``."""
        result = np.zeros((len(embeddings), self.size), dtype=np.float32)
        for rows, block in read_blocks(embeddings):
            vectors = self.vectors(block)
            lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
            result[rows] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return result

    def vectors(self, embeddings: np.ndarray) -> np.ndarray:
        """What has the direction of the unit vectors, float64 ``(n, d)``, of ``embeddings (n, 641)``."""
        if self.model is not None:
            return np.sqrt(self.model.predict_proba(embeddings))
        if self.songs is not None:
            return self.songs.vectors_of(embeddings)
        return ((describe(embeddings) if self.described else embeddings) - self.mean) * self.weight


def build_space(
    embeddings: np.ndarray,
    space: str = "balanced",
    family_weights: Mapping[str, float] | None = None,
    model: GenreModel | None = None,
    network: SongVectors | None = None,
) -> Space:
    """The space of a library.

    ``scaled``: every column to mean 0 and standard deviation 1, so that the 512 mel columns are 80 % of the squared
    length. ``balanced`` and ``balanced641``: each number then divided by the square root of how many its family has,
    so that all seven families have equal weight.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
        Of at least one song.
    space : str
        One of ``SPACES``.
    family_weights : mapping of str to float, optional
        How many times a family counts, 0 or more; 1 where not given.
    model : GenreModel, optional
        What ``classifier`` needs.
    network : SongVectors, optional
        What ``cnn`` needs: of these songs.

    Raises
    ------
    QueryError
        If the space, the weights or the embeddings cannot be used.

    Notes
    -----
    There is no space of principal components: 10 to 50 of them found no more songs of the same genre than what they are
    components of, and a similarity along them does not split into families.
    """
    if space not in SPACES:
        raise QueryError(f"no space {space!r}; there are {', '.join(SPACES)}")
    if embeddings.ndim != 2 or embeddings.shape[1] != N_COLUMNS or not len(embeddings):
        raise QueryError(
            f"a space needs embeddings (n_songs, {N_COLUMNS}) of at least one song, not {embeddings.shape}"
        )
    if space not in FAMILY_SPACES and family_weights:
        raise QueryError(f"the {space} space has no families to weight; use {', '.join(FAMILY_SPACES)}")
    if space == "cnn":
        if network is None:
            raise QueryError("the cnn space needs a network of spectrograms; run 07_spectrogram_cnn.py first")
        return network_space(embeddings, network.network, network.vectors)
    if space == "classifier":
        if model is None:
            raise QueryError("the classifier space needs a genre model; run 03_genre_classifier.py first")
        return Space(space, np.empty(0), np.empty(0), model=model)
    described = space == "balanced"
    mean, weight = standardisation(embeddings, described=described)
    for family, times in _checked(family_weights or {}).items():
        own = coordinates_of(family, described=described)
        weight[own] *= np.sqrt(times if space == "scaled" else times / len(own))
    return Space(space, mean, weight)


def network_space(embeddings: np.ndarray, network: str, vectors: np.ndarray) -> Space:
    """The space ``cnn`` of a library's songs by ``vectors (n_songs, d)`` of one network, whose name is ``network``."""
    return Space("cnn", np.empty(0), np.empty(0), songs=KnownSongs.of(embeddings, network, vectors))


@lru_cache
def coordinates_of(family: str, *, described: bool) -> np.ndarray:
    """Indices int64 ``(n,)`` of a family's descriptors or, not ``described``, of its columns."""
    families = [one.family for one in DESCRIPTORS] if described else COLUMN_FAMILY
    return np.flatnonzero(np.array(families) == family)


def sampled_rows(n_songs: int, limit: int = SAMPLE_ROWS, seed: int = 0) -> np.ndarray:
    """Rows, ascending, of at most ``limit`` songs, drawn by a seed where there are more."""
    if n_songs <= limit:
        return np.arange(n_songs)
    return np.sort(np.random.default_rng(seed).choice(n_songs, limit, replace=False))


def descriptors_fingerprint() -> str:
    """SHA-256 over columns, descriptors and their families: two ``balanced`` spaces compare only where it is equal."""
    return fingerprint([fingerprint(), *(f"{one.family}: {one.formula}" for one in DESCRIPTORS)])


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


def standardisation(embeddings: np.ndarray, *, described: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Mean and reciprocal standard deviation of every column, or of every descriptor.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
    described : bool
        Of the descriptors.

    Returns
    -------
    mean, weight : np.ndarray, shape (641,) or (157,), float64
        ``(numbers - mean) * weight`` has standard deviation 1 (``ddof=0``); the weight of a constant number is 0.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: the songs are read once, in blocks.
    """
    size = N_DESCRIPTORS if described else N_COLUMNS
    n_songs, mean, squares = 0, np.zeros(size), np.zeros(size)
    least, most = np.full(size, np.inf), np.full(size, -np.inf)
    for _, block in read_blocks(embeddings):
        numbers = describe(block) if described else block.astype(np.float64)
        own = numbers.mean(axis=0)
        total, further = n_songs + len(numbers), own - mean
        squares += np.square(numbers - own).sum(axis=0) + np.square(further) * (n_songs * len(numbers) / total)
        mean += further * (len(numbers) / total)
        n_songs = total
        least, most = np.minimum(least, numbers.min(axis=0)), np.maximum(most, numbers.max(axis=0))
    weight = np.zeros(size)
    varies = most > least
    weight[varies] = 1 / np.sqrt(squares[varies] / n_songs)
    return mean, weight
