"""One song explained in sentences. Every sentence states numbers of the song, the model or the library.

Confidence is the calibrated probability of the predicted genre, rounded to whole percent, in words: almost certain
from 95 %, likely from 75 %, leaning from 50 %, undecided below. A point is a hundredth of probability.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.text import percent, quantity
from songmap.genre.conformal import COVERAGE, prediction_sets
from songmap.genre.doubts import set_of
from songmap.genre.families import Change, FamilyAttribution, family_shapley, smallest_change
from songmap.genre.measures import measure_records, strongest_pitch_classes
from songmap.genre.shapley import Attribution, attribute, component_names
from songmap.library.genre_model import GenreModel
from songmap.library.names import normalise
from songmap.library.schema import FAMILIES, UNKNOWN_GENRE

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

BANDS = ((95, "almost certain"), (75, "likely"), (50, "leaning"), (0, "undecided"))  # from so many percent
_STRANGE = 0.6  # share of columns outside the background; of songs of the demos left out of it 0.56 at most, noise 0.88
_N_COMPONENTS, _N_FAMILIES, _N_MEASURES, _N_NAMED = 3, 3, 2, 4
_SET = f"{100 * COVERAGE:.0f} % set"


@dataclass(frozen=True)
class SongCase:
    """One song before its judge, ``model``; ``judge`` names it in words, e.g. "the model of all 52 songs".

    ``song`` holds ``song_name``, ``artist``, ``genre`` and ``file_path`` (empty where unknown), ``embedding`` its raw
    columns ``(641,)``. ``probabilities`` ``(n_genres,)`` and ``families`` are the model's for this song alone.
    ``attribution`` of this song by ``trees``, a PCA and XGBoost, with the ``components``' names; None without trees.
    """

    song: dict[str, Any]
    embedding: np.ndarray
    model: GenreModel
    judge: str
    probabilities: np.ndarray
    families: FamilyAttribution
    change: Change | None
    trees: "Pipeline | None"
    attribution: Attribution | None
    components: list[str]

    @property
    def genres(self) -> list[str]:
        return self.model.genres

    @property
    def predicted(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def own(self) -> int | None:
        """The song's label, where the model knows it."""
        return self.genres.index(self.song["genre"]) if self.song["genre"] in self.genres else None

    @property
    def rival(self) -> int:
        """The song's own genre where the model disagrees with it, else the second likeliest."""
        if self.own is not None and self.own != self.predicted:
            return self.own
        return int(np.argsort(-self.probabilities, kind="stable")[1])

    @property
    def genre_set(self) -> list[str]:
        """The conformal set, likeliest first."""
        chosen = prediction_sets(self.probabilities[np.newaxis], self.model.threshold)[0]
        return set_of(self.genres, self.probabilities, chosen)

    @property
    def pushes(self) -> np.ndarray:
        """What each family adds to the predicted genre's probability ``(7,)``."""
        return self.families.values[0, :, self.predicted]

    @property
    def towards(self) -> np.ndarray:
        """SHAP values of the components towards the predicted genre ``(n_components,)``; needs trees."""
        return self.attribution.values[0, :, self.predicted]


def song_case(
    song: dict[str, Any], embedding: np.ndarray, model: GenreModel, judge: str, trees: "Pipeline | None" = None
) -> SongCase:
    """Everything that the words need. ``trees`` is ``model.pipeline`` where that has components, or a second model."""
    return SongCase(
        song,
        embedding,
        model,
        judge,
        model.probabilities(embedding)[0],
        family_shapley(model.probabilities, embedding, model.background),
        smallest_change(model.probabilities, embedding, model.medians, model.genres),
        trees,
        None if trees is None else attribute(trees, embedding),
        [] if trees is None else component_names(trees),
    )


def records(case: SongCase) -> dict[str, Any]:
    """The case for machines: what the sentences say, and the sentences."""
    change = case.change
    return {
        "song_name": case.song["song_name"],
        "file_path": case.song["file_path"],
        "genre": case.song["genre"],
        "predicted_genre": case.genres[case.predicted],
        "probability": float(case.probabilities.max()),
        "probabilities": dict(zip(case.genres, case.probabilities.tolist(), strict=True)),
        "confidence": confidence(float(case.probabilities.max())),
        "genre_set": case.genre_set,
        "agrees": None if case.own is None else case.own == case.predicted,
        "judged_by": case.judge.rstrip(","),
        "background": dict(zip(case.genres, case.families.base.tolist(), strict=True)),
        "families": family_records(case),
        "measures": [record for family in _leading(case) for record in _measures(case, family)],
        "smallest_change": change
        and {"families": list(change.families), "genre": change.genre, "probability": change.probability},
        "components": component_records(case),
        "sentences": explain(case),
    }


def family_records(case: SongCase) -> list[dict[str, Any]]:
    """Families by the size of what they add to the predicted genre's probability, largest first."""
    return [
        {
            "family": FAMILIES[index],
            "adds": float(case.pushes[index]),
            "adds_to": dict(zip(case.genres, case.families.values[0, index].tolist(), strict=True)),
        }
        for index in np.argsort(-np.abs(case.pushes), kind="stable")
    ]


def component_records(case: SongCase) -> list[dict[str, Any]]:
    """Components by the size of their SHAP value towards the predicted genre, largest first; none without trees."""
    if case.attribution is None:
        return []
    return [
        {
            "component": case.components[index],
            "deviation_sd": float(case.attribution.deviations[0, index]),
            "shap": float(case.towards[index]),
        }
        for index in np.argsort(-np.abs(case.towards), kind="stable")
    ]


def explain(case: SongCase) -> list[str]:
    """Sentences: the answer, how sure it is, the families behind it and their columns, what would flip it, components."""
    return [
        _answer(case),
        _set_sentence(case),
        *_strange_sentence(case),
        *_label_sentence(case),
        _families_sentence(case),
        *(_columns_sentence(case, family) for family in _leading(case)),
        _change_sentence(case),
        *_component_sentences(case),
    ]


def confidence(probability: float) -> str:
    """Words for a calibrated probability, see the top of this module."""
    return next(word for least, word in BANDS if round(100 * probability) >= least)


def _answer(case: SongCase) -> str:
    song, best = case.song, float(case.probabilities.max())
    named = re.search(rf"(?<!\w){re.escape(normalise(song['artist']))}(?!\w)", normalise(song["song_name"]))
    artist = "" if named or not song["artist"] else f" by {song['artist']}"
    ranked = np.argsort(-case.probabilities, kind="stable")[1:3]
    rest = ", ".join(f"{case.genres[index]} {percent(case.probabilities[index])}" for index in ranked)
    return (
        f"{song['song_name']}{artist}: {case.judge} says {case.genres[case.predicted]}, {confidence(best)} "
        f"({percent(best)}); then {rest}."
    )


def _set_sentence(case: SongCase) -> str:
    chosen = case.genre_set
    if case.model.threshold <= 0:
        return f"{_SET}: any of the {len(case.genres)} genres, since there were too few songs to promise less."
    if len(chosen) == 1:
        return f"{_SET}: {chosen[0]} alone."
    if len(chosen) > _N_NAMED:
        chosen = [*chosen[: _N_NAMED - 1], f"{len(chosen) - _N_NAMED + 1} others"]
    return f"{_SET}: {_listed(chosen, 'or')}, a hybrid, or one that the model cannot tell."


def _strange_sentence(case: SongCase) -> list[str]:
    """A warning of songs unlike all that the model knows, noise for example, of which it says something all the same."""
    low, high = case.model.background.min(axis=0), case.model.background.max(axis=0)
    share = float(((case.embedding < low) | (case.embedding > high)).mean())
    if share < _STRANGE:
        return []
    return [
        f"It is unlike what the model learned from: {percent(share)} of its columns lie outside the range of the "
        f"{len(case.model.background)} songs that it is compared with; take the answer for a guess."
    ]


def _label_sentence(case: SongCase) -> list[str]:
    label = case.song["genre"]
    if label == UNKNOWN_GENRE:
        return []
    if case.own is None:
        return [f"It is filed under {label}, a genre that the model does not know."]
    if case.own == case.predicted:
        return [f"It is filed under {label}: the model agrees."]
    given = percent(case.probabilities[case.own])
    where = "in" if label in case.genre_set else "outside"
    return [f"It is filed under {label}: the model disagrees and gives that {given}, {where} the {_SET}."]


def _families_sentence(case: SongCase) -> str:
    genre, number = case.genres[case.predicted], len(case.model.background)
    base = percent(case.families.base[case.predicted])
    start = f"Of the {number} songs that it is compared with, the model says {genre} {base} on average"
    steps = [
        (FAMILIES[index], _points(case.pushes[index])) for index in np.argsort(-np.abs(case.pushes), kind="stable")
    ]
    if not any(points for _, points in steps):
        return f"{start}; no family moves that by a point: of this song it says much the same."
    told = []
    for sign, word in ((1, "adds"), (-1, "takes away")):
        parts = [(family, sign * points) for family, points in steps if sign * points > 0]
        if parts:
            first = f"{parts[0][0]} {word} {parts[0][1]} {'point' if parts[0][1] == 1 else 'points'}"
            told.append(", ".join([first, *(f"{family} {points}" for family, points in parts[1:])]))
    silent = [family for family, points in steps if not points]
    if silent:
        told.append(f"{_listed(silent, 'and')} {'moves' if len(silent) == 1 else 'move'} it by less than a point")
    return f"{start}; for this song {'; '.join(told)}."


def _columns_sentence(case: SongCase, family: str) -> str:
    rivals = [case.predicted, case.rival]
    found = [_compare(record) for record in _measures(case, family)]
    if family == "harmony":
        medians = [f"{case.genres[index]} {_pitch_classes(case.model.medians[index])}" for index in rivals]
        found.append(f"strongest pitch classes {_pitch_classes(case.embedding)} (medians: {'; '.join(medians)})")
    what = f"{family.capitalize()} ({_points(case.pushes[FAMILIES.index(family)]):+d})"
    genres = " and ".join(case.genres[index] for index in rivals)
    return (
        f"{what}, where {genres} differ most: {'; '.join(found)}."
        if found
        else f"{what}: {genres} do not differ there."
    )


def _pitch_classes(embedding: np.ndarray) -> str:
    return ", ".join(strongest_pitch_classes(embedding))


def _compare(record: dict[str, Any]) -> str:
    value, medians = record["value"], record["medians"]
    told = [quantity(median) for median in medians.values()]
    nearest = sorted((abs(value - median), genre) for genre, median in medians.items())
    nearer = f", nearer to {nearest[0][1]}" if nearest[0][0] < nearest[1][0] and told[0] != told[1] else ""
    unit = f" {record['unit']}" if record["unit"] else ""
    pair = ", ".join(f"{genre} {text}" for genre, text in zip(medians, told, strict=True))
    which = "medians" if len(record["columns"]) == 1 else "its bands' medians"
    return f"{record['measure']} {quantity(value)}{unit} ({which}: {pair}{nearer})"


def _change_sentence(case: SongCase) -> str:
    if case.change is None:
        return "No set of families put at the medians of another genre makes the model say that genre."
    families = _listed(list(case.change.families), "and")
    return (
        f"Smallest change that flips it: with {families} at the medians of {case.change.genre} the model says "
        f"{case.change.genre} ({percent(case.change.probability)})."
    )


def _component_sentences(case: SongCase) -> list[str]:
    if case.attribution is None:
        return []
    genre, base = case.genres[case.predicted], case.attribution.base[case.predicted]
    which = "the model's trees" if case.trees is case.model.pipeline else "a second model, PCA and XGBoost"
    found = component_records(case)
    if not any(record["shap"] for record in found):
        return [f"No component pushes either way: {which} would say the same of every song."]
    margins = case.attribution.base + case.attribution.values[0].sum(axis=0)
    largest = case.genres[int(margins.argmax())]
    differs = "" if largest == genre else f"; that of {largest} is the largest, so these trees would say {largest}"
    sentences = [
        f"Components: in {which}, the margin for {genre} goes from {base:+.2f} on average to "
        f"{margins[case.predicted]:+.2f} for this song, before calibration{differs}."
    ]
    for sign, direction in ((1, "towards"), (-1, "away from")):
        sentences += [
            f"{abs(record['shap']):.2f} {direction} {genre}: the song stands at "
            f"{round(record['deviation_sd'], 1) + 0.0:+.1f} SD on "
            f"{record['component'].replace(': ', ', where a positive score means ', 1)}."
            for record in [record for record in found if sign * record["shap"] > 0][:_N_COMPONENTS]
        ]
    return sentences


def _leading(case: SongCase) -> list[str]:
    """The families that move the predicted genre most, by a point at least."""
    order = np.argsort(-np.abs(case.pushes), kind="stable")[:_N_FAMILIES]
    return [FAMILIES[index] for index in order if _points(case.pushes[index])]


def _measures(case: SongCase, family: str) -> list[dict[str, Any]]:
    pair = {case.genres[index]: index for index in (case.predicted, case.rival)}
    return measure_records(family, case.embedding, case.model.medians, case.model.background, pair, _N_MEASURES)


def _points(share: float) -> int:
    return round(100 * share)


def _listed(names: list[str], word: str) -> str:
    """ "A, B or C" for the word "or"."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else names[0]
