"""Why two songs are similar: the similarity split into families, and the descriptors behind each in real units.

A similarity is a sum over the coordinates of a space, each the product of both songs' distances from the library's
mean. Two songs agree in a descriptor where both are on the same side of the mean and far from it, and differ where they
are on opposite sides; one in which both are like most songs adds little.

In ``balanced`` the coordinates are the descriptors. In ``scaled`` and ``balanced641`` they are columns: there the 512
mel columns are summed over the ranges of the level descriptors, all four statistics of a band together, and MFCC delta
means, which have no descriptor, count in their family only.
"""

from functools import lru_cache

import numpy as np

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.library.descriptors import DESCRIPTORS, Descriptor, descriptor, descriptors_of
from songmap.library.keys import compatible
from songmap.library.schema import FAMILIES, FEATURES, block_slice
from songmap.library.spaces import FAMILY_SPACES, Space, coordinates_of
from songmap.library.traits import pair_traits, percentile
from songmap.similar.comparison import Comparison
from songmap.similar.lookup import FoundSong, Lookup
from songmap.similar.results import (
    CompareResult,
    DescriptorContribution,
    DescriptorValue,
    FamilyContribution,
    WhyResult,
)
from songmap.similar.transitions import tempo_change

TEMPO = "tempo"  # of the song table, as everywhere else: the column's is of a coarse grid, in any octave
KEY_DESCRIPTORS = (  # of single columns, that say most about a song
    TEMPO, "pulse clarity", "onset strength", "RMS", "harmonic RMS", "percussive RMS", "spectral centroid",
    "spectral roll-off, 85 %", "spectral bandwidth", "spectral flatness", "zero-crossing rate", "beat interval, std",
)  # fmt: skip
_MOST_OF_FAMILY = 3  # descriptors that agree and that differ, of each family


def compare(comparison: Comparison, first: FoundSong, second: FoundSong) -> CompareResult:
    """How similar two songs are, what each family adds to it, and both songs' descriptors."""
    products = cosine_products(comparison.unit(first), comparison.unit(second))
    space = comparison.search.space
    contributions = by_family(products, space) if space.by_family else {}
    similarity = sum(contributions.values()) if contributions else float(products.sum())
    return CompareResult(
        pair=(first.song, second.song),
        similarity=similarity,
        contributions=contributions,
        keys=(first.key, second.key),
        descriptors=(_key_values(first), _key_values(second)),
        model=comparison.model,
    )


def why(comparison: Comparison, first: FoundSong, second: FoundSong) -> WhyResult:
    """What each family adds to the similarity of two songs, and the descriptors behind it.

    Raises
    ------
    QueryError
        In the spaces ``classifier`` and ``cnn``, whose coordinates are not of families.
    """
    space = comparison.search.space
    if not space.by_family:
        raise QueryError(
            f"in the {space.name} space a similarity does not split into families; use --space {', '.join(FAMILY_SPACES)}"
        )
    units = comparison.unit(first), comparison.unit(second)
    products = cosine_products(*units)
    lookup = comparison.lookup
    families = []
    for family in FAMILIES:
        own = coordinates_of(family, described=space.described)
        agreement = float(cosine_products(*(unit[own] for unit in units)).sum())
        agree, differ = (
            tuple(_contribution(comparison, one, added, (first, second)) for added, one in some)
            for some in _strongest(family, products, space, (first.embedding, second.embedding))
        )
        families.append(FamilyContribution(family, len(own), float(products[own].sum()), agreement, agree, differ))
    same = None not in (first.row, second.row) and lookup.recordings[first.row] == lookup.recordings[second.row]
    others = np.flatnonzero(lookup.others([first]))
    tempos = first.song.tempo_bpm, second.song.tempo_bpm
    factor, change = tempo_change(*np.array(tempos))
    return WhyResult(
        pair=(first.song, second.song),
        similarity=sum(family.contribution for family in families),
        random_similarity=comparison.random_similarity,
        traits=pair_traits(lookup.traits(first), lookup.traits(second)),
        families=tuple(families),
        same_recording=bool(same),
        more_similar=None if same or second.row is None else _more_similar(comparison, first, second.row, others),
        others=len(others),
        tempos_bpm=tempos,
        tempo_factor=float(factor),
        tempo_change=float(change),
        keys=(first.key, second.key),
        keys_compatible=bool(compatible(first.key, second.key)),
    )


def key_values(found: FoundSong, lookup: Lookup) -> tuple[DescriptorValue, ...]:
    """A song's ``KEY_DESCRIPTORS`` and their percentiles in the library."""
    values = []
    for name in KEY_DESCRIPTORS:
        one = descriptor(name)
        column, value = lookup.library.embeddings[:, one.columns[0]], found.embedding[one.columns[0]]
        if name == TEMPO:
            column, value = lookup.tempos_bpm, found.song.tempo_bpm
        median = float(np.median(column))
        values.append(DescriptorValue(name, float(value), one.unit, percentile(column, value), median))
    return tuple(values)


def cosine_products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What each coordinate of two vectors ``(d,)`` adds to their cosine, float64 ``(d,)``; 0 for a zero vector.

    The lengths are taken in float64, so that the sum is the cosine to rounding in float64.
    """
    first, second = (vector.astype(np.float64) for vector in (first, second))
    lengths = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return first * second / lengths if lengths > 0 else np.zeros(len(first))


def by_family(products: np.ndarray, space: Space) -> dict[str, float]:
    """Sums of what each coordinate of a space adds, ``products (d,)``, over the seven families."""
    return {family: float(products[coordinates_of(family, described=space.described)].sum()) for family in FAMILIES}


@lru_cache
def contributing(one: Descriptor, *, described: bool) -> tuple[int, ...]:
    """Coordinates whose contributions are added up for a descriptor: itself, where they are the descriptors.

    Otherwise its columns; of a level all four statistics of its mel bands.
    """
    if described:
        return (DESCRIPTORS.index(one),)
    if one.kind != "level":
        return one.columns
    bands = np.array(one.columns) - block_slice("mel", "mean").start
    starts = [block_slice("mel", feature.statistic).start for feature in FEATURES if feature.family == "mel"]
    return tuple(np.concatenate([start + bands for start in starts]).tolist())


def explaining(family: str, *, described: bool) -> list[Descriptor]:
    """The descriptors of a family that add to a similarity: all, or of columns the single ones and the levels."""
    return [one for one in descriptors_of(family) if described or one.kind in ("column", "level")]


def average(one: Descriptor, space: Space) -> float:
    """What songs are above or below, in the descriptor's unit: the library's mean.

    Where logarithms are compared it is the mean of these, that is a geometric mean.
    """
    if space.described:
        mean = float(space.mean[DESCRIPTORS.index(one)])
        return mean if one.floor is None else float(np.exp(mean))
    return float(one.values(space.mean))


def _strongest(
    family: str, products: np.ndarray, space: Space, songs: tuple[np.ndarray, np.ndarray]
) -> tuple[list[tuple[float, Descriptor]], list[tuple[float, Descriptor]]]:
    """What adds and what subtracts most of a family's descriptors, and these, of two ``songs (641,)``.

    A descriptor adds where both songs are on the same side of the mean. Columns of a mel range can agree one by one
    while its level differs: then the level does not show what the range adds, and is left out.
    """
    explained = explaining(family, described=space.described)
    added = [(float(products[list(contributing(one, described=space.described))].sum()), one) for one in explained]
    agree, differ = [], []
    for contribution, one in sorted(added, key=lambda item: -abs(item[0])):
        if contribution > 0 and _same_side(one, space, songs):
            agree.append((contribution, one))
        elif contribution < 0 and not _same_side(one, space, songs):
            differ.append((contribution, one))
    return agree[:_MOST_OF_FAMILY], differ[:_MOST_OF_FAMILY]


def _same_side(one: Descriptor, space: Space, songs: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether both songs are above, or both below the mean."""
    if space.described:
        mean = space.mean[DESCRIPTORS.index(one)]
        first, second = (one.compared(song) - mean for song in songs)
    else:
        first, second = (one.values(song - space.mean) for song in songs)
    return bool(first * second > 0)


def _contribution(
    comparison: Comparison, one: Descriptor, added: float, pair: tuple[FoundSong, FoundSong]
) -> DescriptorContribution:
    """A descriptor of both songs among the values of the library."""
    library = comparison.lookup.library
    genres, values = library.genres, one.values(library.embeddings)
    first, second = (float(one.values(found.embedding)) for found in pair)
    medians = {
        genre: float(np.median(values[genres == genre]))
        for genre in dict.fromkeys(str(found.record["genre"]) for found in pair)
        if (genres == genre).any()
    }
    return DescriptorContribution(
        descriptor=one.name,
        unit=one.unit,
        first=first,
        second=second,
        first_percentile=percentile(values, first),
        second_percentile=percentile(values, second),
        library_average=average(one, comparison.search.space),
        genre_medians=medians,
        contribution=added,
    )


def _more_similar(comparison: Comparison, first: FoundSong, second: int, others: np.ndarray) -> int:
    """How many of the ``others`` are more similar to the first song than the recording of row ``second``."""
    search, query = comparison.search, comparison.unit(first)
    similarities = np.concatenate([search.similarities(query, others[block]) for block in blocks(len(others))])
    own = search.similarities(query, [comparison.lookup.recordings[second]])[0]
    return int((similarities > own).sum())


def _key_values(found: FoundSong) -> dict[str, float]:
    values = {name: float(descriptor(name).values(found.embedding)) for name in KEY_DESCRIPTORS}
    return values | {TEMPO: found.song.tempo_bpm}
