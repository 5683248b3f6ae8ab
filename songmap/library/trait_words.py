"""Traits in words, for all questions: "slow and dark, with little percussion"."""

from collections.abc import Sequence

from songmap.core.text import capitalised, joined
from songmap.library.keys import NO_KEY, compatible
from songmap.library.traits import Direction, PairTraits, Quality, Trait

ADJECTIVES: dict[tuple[Quality, Direction], str] = {
    ("tempo", "low"): "slow",
    ("tempo", "high"): "fast",
    ("brightness", "low"): "dark",
    ("brightness", "high"): "bright",
    ("loudness", "low"): "quiet",
    ("loudness", "high"): "loud",
    ("onsets", "low"): "sparse",
    ("onsets", "high"): "busy",
}
NOUNS: dict[tuple[Quality, Direction], str] = {  # what songs have
    ("dynamics", "low"): "an even level",
    ("dynamics", "high"): "a varied level",
    ("percussion", "low"): "little percussion",
    ("percussion", "high"): "much percussion",
    ("pulse", "low"): "a free pulse",
    ("pulse", "high"): "a steady pulse",
}
MEANING = "Words such as slow or dark compare with this library: its lowest or highest third."
_OPPOSITES: dict[Direction, Direction] = {"low": "high", "high": "low"}
_MOST_SHARED, _MOST_OPPOSITE = 4, 2


def traits_predicate(traits: Sequence[Trait], *, plural: bool = False) -> str:
    """What a song is or has by its ``traits``, or several songs are; empty without any.

    Examples
    --------
    >>> traits_predicate([Trait("tempo", "low", 3.0), Trait("percussion", "low", 9.0), Trait("brightness", "low", 20.0)])
    'is slow and dark, with little percussion'
    >>> traits_predicate([Trait("pulse", "high", 90.0)], plural=True)
    'have a steady pulse'
    """
    named = [(one.quality, one.direction) for one in traits]
    adjectives = [ADJECTIVES[one] for one in named if one in ADJECTIVES]
    nouns = [NOUNS[one] for one in named if one in NOUNS]
    if not adjectives:
        return f"{'have' if plural else 'has'} {joined(nouns)}" if nouns else ""
    also = f", with {joined(nouns)}" if nouns else ""
    return f"{'are' if plural else 'is'} {joined(adjectives)}{also}"


def pair_sentence(pair: PairTraits, keys: tuple[int, int]) -> str:
    """What two songs, A and B, have in common and where they differ; keys as ``songmap.library.keys`` numbers them.

    Examples
    --------
    >>> pair_sentence(PairTraits((Trait("tempo", "low", 3.0), Trait("percussion", "low", 9.0)), ()), (0, 6))
    'Both are slow, with little percussion; they differ in key.'
    """
    parts = []
    if pair.shared:
        parts.append(f"both {traits_predicate(pair.shared[:_MOST_SHARED], plural=True)}")
    if first := pair.opposite[:_MOST_OPPOSITE]:
        second = [Trait(one.quality, _OPPOSITES[one.direction], 100 - one.percentile) for one in first]
        parts.append(f"A {traits_predicate(first)}, while B {traits_predicate(second)}")
    if not parts:
        parts.append("they have nothing striking in common and no striking difference")
    parts += key_clause(keys)
    return f"{capitalised('; '.join(parts))}."


def key_clause(keys: tuple[int, int]) -> list[str]:
    """How the keys of two songs relate; nothing where one is unknown."""
    if NO_KEY in keys:
        return []
    if keys[0] == keys[1]:
        return ["they are in the same key"]
    return ["their keys are compatible"] if compatible(*keys) else ["they differ in key"]
