"""One song explained in sentences. Every sentence states numbers of the song, the model or the library."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.core.schema import COLUMN_UNIT, column_index
from songmap.genre.shapley import Attribution

# Columns that say something to a listener, and what they are called.
MEASURES = {
    "tempo_bpm": "tempo",
    "centroid_mean": "spectral centroid",
    "rolloff_mean": "85 % roll-off",
    "bandwidth_mean": "spectral bandwidth",
    "flatness_mean": "spectral flatness",
    "zero_crossing_rate_mean": "zero crossings",
    "onset_strength_mean": "onset strength",
    "pulse_clarity": "pulse clarity",
    "beat_interval_std_s": "spread of beat intervals",
    "rms_mean": "RMS level",
    "harmonic_rms_mean": "harmonic RMS",
    "percussive_rms_mean": "percussive RMS",
}
_N_COMPONENTS, _N_MEASURES = 3, 4


@dataclass(frozen=True)
class SongCase:
    """One song before its judge. ``probabilities`` ``(n_genres,)``; ``attribution`` of this song alone.

    ``judge`` names the model in words; ``deviations`` ``(n_components,)`` are the song's places on the
    components in standard deviations of the judge's training songs; ``components`` their names.
    """

    song: dict[str, Any]
    genres: list[str]
    probabilities: np.ndarray
    attribution: Attribution
    deviations: np.ndarray
    components: list[str]
    judge: str

    @property
    def predicted(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def towards(self) -> np.ndarray:
        """SHAP values towards the predicted genre ``(n_components,)``."""
        return self.attribution.values[0, :, self.predicted]

    @property
    def rival(self) -> int:
        """The song's own genre where the model disagrees with it, else the second likeliest."""
        if self.song["genre"] in self.genres and self.genres.index(self.song["genre"]) != self.predicted:
            return self.genres.index(self.song["genre"])
        return int(np.argsort(-self.probabilities, kind="stable")[1])


def component_records(case: SongCase) -> list[dict[str, Any]]:
    """Components by the size of their SHAP value towards the predicted genre, largest first."""
    order = np.argsort(-np.abs(case.towards), kind="stable")
    return [
        {
            "component": case.components[index],
            "deviation_sd": float(case.deviations[index]),
            "shap": float(case.towards[index]),
        }
        for index in order
    ]


def measure_records(
    case: SongCase, embedding: np.ndarray, embeddings: np.ndarray, named: np.ndarray
) -> list[dict[str, Any]]:
    """The measures in which the predicted genre and its rival differ most, with the song's value.

    ``embeddings`` ``(n_songs, 641)`` of the library's songs with genres ``named`` ``(n_songs,)``. Difference:
    between the medians, in standard deviations over both genres; measures equal in all their songs are left out.
    """
    pair = [case.genres[case.predicted], case.genres[case.rival]]
    found = []
    for column, name in MEASURES.items():
        index = column_index(column)
        values = embeddings[:, index].astype(np.float64)
        medians = {genre: float(np.median(values[named == genre])) for genre in pair}
        spread = float(values[np.isin(named, pair)].std())
        if spread > 0:
            record = {"measure": name, "column": column, "unit": COLUMN_UNIT[index], "value": float(embedding[index])}
            found.append((abs(medians[pair[0]] - medians[pair[1]]) / spread, record | {"medians": medians}))
    found.sort(key=lambda item: -item[0])
    return [record for _, record in found[:_N_MEASURES]]


def explain(case: SongCase, measures: list[dict[str, Any]]) -> list[str]:
    """Sentences on one song: what the judge says, what pushes it which way, how it compares in real units."""
    song, genres = case.song, case.genres
    ranked = np.argsort(-case.probabilities, kind="stable")[:3]
    odds = ", ".join(f"{genres[index]} {100 * case.probabilities[index]:.0f} %" for index in ranked)
    own = f"is filed under {song['genre']}" if song["genre"] in genres else "has no genre that the model knows"
    artist = f" by {song['artist']}" if song["artist"] else ""
    sentences = [f"{song['song_name']}{artist} {own}; {case.judge} takes it for {genres[case.predicted]}: {odds}."]
    records = component_records(case)
    for sign, direction in ((1, "towards"), (-1, "away from")):
        sentences += [
            f"{abs(record['shap']):.2f} {direction} {genres[case.predicted]}: the song stands at "
            f"{round(record['deviation_sd'], 1) + 0.0:+.1f} SD on "
            f"{record['component'].replace(': ', ', where a positive score means ', 1)}."
            for record in [record for record in records if sign * record["shap"] > 0][:_N_COMPONENTS]
        ]
    if not any(record["shap"] for record in records):
        sentences.append("No component pushes either way: the model says the same of every song.")
    sentences += [_compare(record) for record in measures]
    return sentences


def _compare(record: dict[str, Any]) -> str:
    value, medians = record["value"], record["medians"]
    unit = f" {record['unit']}" if record["unit"] not in ("0…1", "amplitude") else ""
    told = ", ".join(f"{genre} {quantity(median)}" for genre, median in medians.items())
    nearest = sorted((abs(value - median), genre) for genre, median in medians.items())
    nearer = f"; nearer to {nearest[0][1]}" if nearest[0][0] < nearest[1][0] else ""
    name = record["measure"][0].upper() + record["measure"][1:]
    return f"{name} {quantity(value)}{unit}; median of {told}{nearer}."


def quantity(value: float) -> str:
    """Three significant digits, whole from 100 upward."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
