"""One classified song explained in sentences. Every sentence states numbers of the song, the model or the library.

Confidence is the calibrated probability of the predicted genre, rounded to whole percent, in words: almost certain
from 95 %, likely from 75 %, more likely than not from 50 %; below, undecided where the prediction set has several
genres, most probable where it has one; where the second genre has the same percentage, hardly more likely than that. A
point is a hundredth of probability.
"""

from collections.abc import Sequence

from songmap.core.text import joined, percent, quantity, signed
from songmap.genre.song_results import ComponentContribution, DescriptorComparison, FamilyContribution, SongExplanation
from songmap.genre.views import sentences
from songmap.genre.views.component_phrases import component_number, component_terms
from songmap.library.descriptors import DESCRIPTORS
from songmap.library.schema import UNKNOWN_GENRE
from songmap.library.trait_words import traits_predicate
from songmap.library.traits import pair_traits

UNDECIDED = "undecided"
BANDS = ((95, "almost certain"), (75, "likely"), (50, "more likely than not"), (0, UNDECIDED))  # from so many percent
_N_COMPONENTS, _N_NAMED, _N_TRAITS = 3, 4, 4
_FAMILIAR = {  # descriptors that need no explanation, as a listener calls them
    "tempo": "tempo",
    "spectral centroid": "brightness",
    "RMS": "loudness",
    "percussive RMS": "percussion",
    "onset strength": "strength of onsets",
    "pulse clarity": "clarity of the pulse",
    **{one.name: one.name for one in DESCRIPTORS if one.kind == "level"},
}


def narrative(song: SongExplanation) -> list[str]:
    """Sentences: what a listener notices, the prediction, how certain it is; then ``reasons``."""
    return [*answer(song), *reasons(song)]


def answer(song: SongExplanation) -> list[str]:
    """Sentences: what a listener notices, the prediction, how certain it is, and whether the label agrees."""
    parts = [_traits_sentence(song), _prediction(song), _set_sentence(song), _label_sentence(song)]
    return [one for one in parts if one]


def reasons(song: SongExplanation) -> list[str]:
    """Sentences: the families and descriptors behind the prediction, and what would change it."""
    descriptors = [_descriptor_sentence(song, one) for one in song.families if one.family in song.leading_families]
    return [_families_sentence(song), *descriptors, _change_sentence(song)]


def confidence(probability: float, n_in_set: int) -> str:
    """Words for a calibrated probability and the size of the prediction set, see the top of this module."""
    word = next(word for least, word in BANDS if round(100 * probability) >= least)
    return "most probable" if word == UNDECIDED and n_in_set == 1 else word


def _traits_sentence(song: SongExplanation) -> str:
    """What a listener notices, and what of it is typical of the predicted genre; empty without traits."""
    if not song.traits:
        return ""
    genre, own = song.predicted_genre, song.traits[:_N_TRAITS]
    shared = pair_traits(own, song.genre_traits).shared
    sentence = f"{sentences.song_label(song)} {traits_predicate(own)}"
    if len(shared) == len(own):
        sentence += f", like the typical {genre} song"
    elif shared:
        sentence += f"; like the typical {genre} song it {traits_predicate(shared)}"
    near = next((one for one in song.descriptors if one.descriptor in _FAMILIAR and _is_nearest(one, genre)), None)
    return f"{sentence}; its {_FAMILIAR[near.descriptor]} is near that of {genre}." if near else f"{sentence}."


def _prediction(song: SongExplanation) -> str:
    ranked = sorted(song.probabilities, key=lambda genre: -song.probabilities[genre])
    ranked = [genre for genre in ranked if genre != song.predicted_genre][:2]
    rest = ", ".join(f"{genre} {percent(song.probabilities[genre])}" for genre in ranked)
    by = sentences.model_phrase(song.fold_model)
    if song.novelty.is_novel:
        return (
            f"{'It' if song.traits else sentences.song_label(song)} is {sentences.NOVEL}: its distance from the nearest genre is "
            f"{song.novelty.distance:.2f}, above the threshold of {song.novelty.threshold:.2f}. A guess by {by}: "
            f"{song.predicted_genre} {percent(song.probability)}, {rest}."
        )
    start = f"{'Predicted' if song.traits else f'{sentences.song_label(song)}: predicted'} {song.predicted_genre}"
    own = percent(song.probability)
    if own == percent(song.probabilities[ranked[0]]):
        return f"{start}, hardly more likely than {ranked[0]} (both {own}), by {by}."
    return f"{start}, {confidence(song.probability, len(song.genre_set))} ({own}), by {by}; next: {rest}."


def _is_nearest(one: DescriptorComparison, genre: str) -> bool:
    """Whether the song's value is nearer to the median of ``genre`` than to the other genre's."""
    distances = {name: abs(one.value - median) for name, median in one.medians.items()}
    return distances[genre] == min(distances.values()) < max(distances.values())


def _set_sentence(song: SongExplanation) -> str:
    members = song.genre_set
    if song.novelty.is_novel:  # it has a genre of its own, which no set contains
        return ""
    if song.set_threshold <= 0:
        n_genres = len(song.probabilities)
        return f"{sentences.SET_NAME}: any of the {n_genres} genres, since there are too few songs for a smaller set."
    if len(members) == 1:
        return f"{sentences.SET_NAME}: {members[0]} only."
    named = sentences.set_phrase(members, _N_NAMED)
    return f"{sentences.SET_NAME}: {named}; a hybrid, or a song that the model cannot decide."


def _label_sentence(song: SongExplanation) -> str:
    if song.genre == UNKNOWN_GENRE:
        return ""
    if song.agrees is None:
        return f"Its label is {song.genre}, a genre that the model does not have."
    if song.agrees:
        return f"Its label is {song.genre}: the model agrees."
    given = percent(song.probabilities[song.genre])
    where = "in" if song.genre in song.genre_set else "outside"
    return f"Its label is {song.genre}: the model disagrees and gives it {given}, {where} the {sentences.SET_NAME}."


def _families_sentence(song: SongExplanation) -> str:
    base = percent(song.background[song.predicted_genre])
    start = f"Over the {song.n_background} background songs, {song.predicted_genre} has {base} on average"
    clauses = family_clauses(song.families)
    if not clauses:
        return f"{start}; no family changes that by a point for this song."
    small = [one.family for one in song.families if not _points(one.adds)]
    if small:
        verb = "changes" if len(small) == 1 else "change"
        clauses.append(f"{joined(small)} {verb} it by less than a point")
    return f"{start}; for this song {'; '.join(clauses)}."


def family_clauses(families: Sequence[FamilyContribution]) -> list[str]:
    """Which families add and which subtract a point or more, and how many."""
    clauses = []
    for sign, word in ((1, "adds"), (-1, "subtracts")):
        parts = [(one.family, sign * _points(one.adds)) for one in families if sign * _points(one.adds) > 0]
        if parts:
            first = f"{parts[0][0]} {word} {sentences.points(parts[0][1] / 100)}"
            clauses.append(", ".join([first, *(f"{family} {step}" for family, step in parts[1:])]))
    return clauses


def _descriptor_sentence(song: SongExplanation, contribution: FamilyContribution) -> str:
    family = contribution.family
    clauses = [_comparison(one) for one in song.descriptors if one.family == family]
    if family == "harmony" and song.pitch_classes:
        medians = "; ".join(f"{genre} {', '.join(names)}" for genre, names in song.pitch_classes.medians.items())
        clauses.append(f"strongest pitch classes {', '.join(song.pitch_classes.song)} (medians: {medians})")
    start = f"{family.capitalize()} ({signed(100 * contribution.adds)})"
    genres = f"{song.predicted_genre} and {song.compared_genre}"
    if not clauses:
        return f"{start}: {genres} do not differ in it."
    return f"{start}, where {genres} differ most: {'; '.join(clauses)}."


def _comparison(one: DescriptorComparison) -> str:
    own, *texts = (quantity(value).replace("-", "−") for value in (one.value, *one.medians.values()))
    nearest = sorted((abs(one.value - median), genre) for genre, median in one.medians.items())
    nearer = f", nearer to {nearest[0][1]}" if nearest[0][0] < nearest[1][0] and texts[0] != texts[1] else ""
    unit = f" {one.unit}" if one.unit else ""
    pair = ", ".join(f"{genre} {text}" for genre, text in zip(one.medians, texts, strict=True))
    which = "medians" if len(one.columns) == 1 else "medians of the bands"
    return f"{one.descriptor} is {own}{unit} ({which}: {pair}{nearer})"


def _change_sentence(song: SongExplanation) -> str:
    change = song.smallest_change
    if change is None:
        return "No set of families, set to the medians of another genre, changes the prediction to that genre."
    return (
        f"Smallest change of the prediction: with {joined(change.families)} at the medians of "
        f"{change.genre} the model predicts {change.genre} ({percent(change.probability)})."
    )


def component_narrative(song: SongExplanation) -> list[str]:
    """Sentences on the components behind a prediction; none where the song was explained without any."""
    if song.components is None:
        return []
    explained, genre = song.components, song.predicted_genre
    which = "the model's trees" if explained.of_model_in_use else "a second model, PCA and XGBoost"
    towards = [one for one in explained.contributions if one.shap > 0]
    away = [one for one in explained.contributions if one.shap < 0]
    if not towards and not away:
        return [f"No component has an effect: {which} would predict the same for every song."]
    largest = explained.largest_margin_genre
    differs = "" if largest == genre else f"; that of {largest} is the largest, so these trees predict {largest}"
    return [
        f"Components: in {which}, the margin for {genre} goes from {signed(explained.base, 2)} on average to "
        f"{signed(explained.margin, 2)} for this song, before calibration{differs}.",
        *(_contribution(one, f"towards {genre}") for one in towards[:_N_COMPONENTS]),
        *(_contribution(one, f"away from {genre}") for one in away[:_N_COMPONENTS]),
    ]


def _contribution(one: ComponentContribution, direction: str) -> str:
    number, terms = component_number(one.component), component_terms(one.component)
    place = f"the song is at {signed(one.deviation_sd, 1)} SD on {number}"
    return f"{abs(one.shap):.2f} {direction}: {place}, where a positive score means {terms}."


def _points(share: float) -> int:
    return round(100 * share)
