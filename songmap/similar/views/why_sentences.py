"""Why two songs are similar or different, in words."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from songmap.core.text import capitalised, joined, quantity
from songmap.library.keys import NO_KEY, key_name
from songmap.library.trait_words import pair_sentence
from songmap.similar import results
from songmap.similar.results import DescriptorContribution, FamilyContribution

_LEAST = 0.005  # a contribution below it is not mentioned
_MOST_IN_SENTENCE = 3
_MOST_DESCRIPTORS = 6  # over all families


def most_telling(
    families: Sequence[FamilyContribution], which: Literal["agree", "differ"]
) -> list[tuple[str, DescriptorContribution]]:
    """The descriptors of all families that agree or differ most, strongest first, each with its family."""
    items = [(one.family, item) for one in families for item in (one.agree if which == "agree" else one.differ)]
    return sorted(items, key=lambda item: -abs(item[1].contribution))[:_MOST_DESCRIPTORS]


def why_sentences(result: results.WhyResult) -> list[str]:
    """Why two songs are similar or different: for a listener, by similarity, for mixing, by the strongest descriptors."""
    similarity = (
        f"Similarity {result.similarity:.2f} of at most 1; two songs picked at random have {result.random_similarity:.2f}"
        f"{_rank_words(result)}."
    )
    listener = "" if result.same_recording else pair_sentence(result.traits, result.keys)
    return [one for one in (listener, similarity, " ".join(_mixing_sentences(result)), *_strongest(result)) if one]


def _strongest(result: results.WhyResult) -> list[str]:
    """The descriptors that agree and that differ most, with their values."""
    named = {"agree": "Most similar", "differ": "Most different"}
    some = {which: most_telling(result.families, which)[:_MOST_IN_SENTENCE] for which in ("agree", "differ")}
    return [
        f"{named[which]}: {'; '.join(_values(item) for _, item in items)}." for which, items in some.items() if items
    ]


def _values(item: DescriptorContribution) -> str:
    unit = f" {item.unit}" if item.unit else ""
    return f"{item.descriptor} {quantity(item.first)} and {quantity(item.second)}{unit}"


def family_sentences(result: results.WhyResult) -> list[str]:
    """The families that add and that subtract most, with the descriptors behind them."""
    positive = sorted((one for one in result.families if one.contribution >= _LEAST), key=lambda one: -one.contribution)
    negative = sorted((one for one in result.families if one.contribution <= -_LEAST), key=lambda one: one.contribution)
    return list(map(family_sentence, [*positive[:3], *negative[:2]]))


def family_sentence(family: FamilyContribution) -> str:
    """ "Rhythm adds 0.14: pulse clarity 0.42 and 0.45, both above the library's average of 0.31."; empty below 0.005."""
    share = family.contribution
    if abs(share) < _LEAST:
        return ""
    main, other = (family.agree, family.differ) if share > 0 else (family.differ, family.agree)
    parts = [_descriptor_words(item) for item in main[:2]] or ["small contributions of many numbers"]
    if other and abs(other[0].contribution) >= max(_LEAST, abs(share) / 4):
        parts.append(f"but {_descriptor_words(other[0])}")
    verb = "adds" if share > 0 else "subtracts"
    return f"{capitalised(family.family)} {verb} {abs(share):.2f}: {'; '.join(parts)}."


def _rank_words(result: results.WhyResult) -> str:
    if result.same_recording:
        return "" if result.pair[0] == result.pair[1] else "; both are files of the same recording"
    if result.more_similar is None:
        return ""
    return f"; {result.more_similar:,} of {result.others:,} other recordings are more similar to A"


def _descriptor_words(item: DescriptorContribution) -> str:
    sides = tuple(np.sign(value - item.library_average) for value in (item.first, item.second))
    where = {(1, 1): "both above", (-1, -1): "both below", (1, -1): "above and below", (-1, 1): "below and above"}
    beside = f", {where[sides]} the library's average of {quantity(item.library_average)}" if all(sides) else ""
    return f"{_values(item)}{beside}"


def _mixing_sentences(result: results.WhyResult) -> list[str]:
    sentences = []
    if not np.isnan(result.tempo_change):
        played = {0.5: "B at double tempo", 1.0: "B", 2.0: "B at half tempo"}[result.tempo_factor]
        speed = f"{100 * abs(result.tempo_change):.1f} % {'faster' if result.tempo_change > 0 else 'slower'} than A"
        speed = speed if abs(result.tempo_change) >= 0.0005 else "as fast as A"
        first, second = result.tempos_bpm
        sentences.append(f"Tempo {first:.0f} and {second:.0f} BPM: {played} is {speed}.")
    if NO_KEY not in result.keys:
        fit = "compatible" if result.keys_compatible else "not compatible"
        sentences.append(f"Keys {joined(list(map(key_name, result.keys)))}: {fit} on the Camelot wheel.")
    return sentences
