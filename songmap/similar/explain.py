"""Why two songs are similar: the similarity split into families, and the descriptors behind each in real units.

A similarity in a space whose coordinates are the columns is a sum over columns, each the product of both songs'
distances from the library's mean. Two songs agree in a column where both are on the same side of the mean and far
from it, and differ where they are on opposite sides; a column in which both are like most songs adds little.
The 512 mel columns are summed over the ranges of the level descriptors, all four statistics of a band together.
MFCC delta means have no descriptor and count in their family only.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.library.descriptors import Descriptor, descriptor, descriptors_of
from songmap.library.keys import compatible
from songmap.library.schema import FAMILIES, FEATURES, block_slice, family_indices
from songmap.similar.comparison import Comparison
from songmap.similar.lookup import FoundSong
from songmap.similar.results import (
    CompareResult,
    DescriptorContribution,
    DescriptorValue,
    FamilyContribution,
    WhyResult,
)
from songmap.similar.transitions import tempo_change

KEY_DESCRIPTORS = (  # of single columns, that say most about a song
    "tempo", "pulse clarity", "onset strength", "RMS", "harmonic RMS", "percussive RMS", "spectral centroid",
    "spectral roll-off, 85 %", "spectral bandwidth", "spectral flatness", "zero-crossing rate", "beat interval, std",
)  # fmt: skip
_MOST_OF_FAMILY = 3  # descriptors that agree and that differ, of each family


def compare(comparison: Comparison, first: FoundSong, second: FoundSong) -> CompareResult:
    """How similar two songs are, what each family adds to it, and both songs' descriptors."""
    products = cosine_products(comparison.unit(first), comparison.unit(second))
    contributions = by_family(products) if comparison.search.space.by_family else {}
    similarity = sum(contributions.values()) if contributions else float(products.sum())
    return CompareResult(
        pair=(first.song, second.song),
        similarity=similarity,
        contributions=contributions,
        keys=(first.key, second.key),
        descriptors=(_key_values(first.embedding), _key_values(second.embedding)),
        model=comparison.model,
    )


def why(comparison: Comparison, first: FoundSong, second: FoundSong) -> WhyResult:
    """What each family adds to the similarity of two songs, and the descriptors behind it.

    Raises
    ------
    QueryError
        In a space whose coordinates are not columns.
    """
    space = comparison.search.space
    if not space.by_family:
        raise QueryError(
            f"in the {space.name} space a similarity does not split into families of columns; "
            "use --space balanced or scaled"
        )
    units = comparison.unit(first), comparison.unit(second)
    products = cosine_products(*units)
    lookup = comparison.lookup
    centre = lookup.library.embeddings.mean(axis=0, dtype=np.float64)
    centred = [found.embedding - centre for found in (first, second)]
    families = []
    for family in FAMILIES:
        columns = family_indices(family)
        agreement = float(cosine_products(*(unit[columns] for unit in units)).sum())
        agree, differ = (
            tuple(_contribution(comparison, one, products, (first, second)) for one in some)
            for some in _strongest(family, products, centred)
        )
        contribution = float(products[columns].sum())
        families.append(FamilyContribution(family, len(columns), contribution, agreement, agree, differ))
    same = None not in (first.row, second.row) and lookup.recordings[first.row] == lookup.recordings[second.row]
    others = np.flatnonzero(lookup.others([first]))
    tempos = first.song.tempo_bpm, second.song.tempo_bpm
    factor, change = tempo_change(*np.array(tempos))
    return WhyResult(
        pair=(first.song, second.song),
        similarity=sum(family.contribution for family in families),
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


def key_values(embedding: np.ndarray, embeddings: np.ndarray) -> tuple[DescriptorValue, ...]:
    """A song's ``KEY_DESCRIPTORS`` and their percentiles in the library ``embeddings (n_songs, 641)``."""
    values = []
    for name in KEY_DESCRIPTORS:
        one = descriptor(name)
        column, value = embeddings[:, one.columns[0]], embedding[one.columns[0]]
        median = float(np.median(column))
        values.append(DescriptorValue(name, float(value), one.unit, percentile(column, value), median))
    return tuple(values)


def percentile(values: np.ndarray, value: float) -> float:
    """0 … 100: the share of ``values (n,)`` below ``value``, those equal to it counted half."""
    return float(100 * ((values < value).mean() + (values <= value).mean()) / 2)


def cosine_products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What each coordinate of two vectors ``(d,)`` adds to their cosine, float64 ``(d,)``; 0 for a zero vector.

    The lengths are taken in float64, so that the sum is the cosine to rounding in float64.
    """
    first, second = (vector.astype(np.float64) for vector in (first, second))
    lengths = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return first * second / lengths if lengths > 0 else np.zeros(len(first))


def by_family(products: np.ndarray) -> dict[str, float]:
    """Sums of what each column adds, ``products (641,)``, over the seven families."""
    return {family: float(products[family_indices(family)].sum()) for family in FAMILIES}


@lru_cache
def contributing_columns(one: Descriptor) -> tuple[int, ...]:
    """Columns whose contributions are added up for a descriptor: its own; of a level all four statistics of its mel bands."""
    if one.kind != "level":
        return one.columns
    bands = np.array(one.columns) - block_slice("mel", "mean").start
    starts = [block_slice("mel", feature.statistic).start for feature in FEATURES if feature.family == "mel"]
    return tuple(np.concatenate([start + bands for start in starts]).tolist())


def explaining(family: str) -> list[Descriptor]:
    """The descriptors of a family that add to a similarity: single columns, and the levels of mel ranges."""
    return [one for one in descriptors_of(family) if one.kind in ("column", "level")]


def _added(one: Descriptor, products: np.ndarray) -> float:
    return float(products[list(contributing_columns(one))].sum())


def _strongest(
    family: str, products: np.ndarray, centred: Sequence[np.ndarray]
) -> tuple[list[Descriptor], list[Descriptor]]:
    """The descriptors of a family that agree and that differ most, of songs ``centred`` on the library's mean.

    A single column adds where both songs are on the same side of the mean. Bands of a mel range can agree one by one
    while its level differs: then the level does not show what the range adds, and is left out.
    """
    added = sorted(((_added(one, products), one) for one in explaining(family)), key=lambda item: -abs(item[0]))
    agree, differ = [], []
    for contribution, one in added:
        first, second = (one.values(song) for song in centred)
        if contribution > 0 and first * second > 0:
            agree.append(one)
        elif contribution < 0 and not first * second > 0:
            differ.append(one)
    return agree[:_MOST_OF_FAMILY], differ[:_MOST_OF_FAMILY]


def _contribution(
    comparison: Comparison, one: Descriptor, products: np.ndarray, pair: tuple[FoundSong, FoundSong]
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
        library_mean=float(values.mean()),
        genre_medians=medians,
        contribution=_added(one, products),
    )


def _more_similar(comparison: Comparison, first: FoundSong, second: int, others: np.ndarray) -> int:
    """How many of the ``others`` are more similar to the first song than the recording of row ``second``."""
    search, query = comparison.search, comparison.unit(first)
    similarities = np.concatenate([search.similarities(query, others[block]) for block in blocks(len(others))])
    own = search.similarities(query, [comparison.lookup.recordings[second]])[0]
    return int((similarities > own).sum())


def _key_values(embedding: np.ndarray) -> dict[str, float]:
    return {name: float(descriptor(name).values(embedding)) for name in KEY_DESCRIPTORS}
