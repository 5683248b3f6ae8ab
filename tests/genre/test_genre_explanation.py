"""The numbers of one explained song, against the model and the definitions."""

import json
from dataclasses import replace

import numpy as np
import pytest
from genre.explained import FINAL, GENRES, SONG, fitted
from libraries import any_detector

from songmap.core.serialise import to_json
from songmap.genre.explanation import compare_descriptors, explain_song, strongest_pitch_classes
from songmap.genre.novelty_results import SongNovelty
from songmap.library.descriptors import descriptors_of
from songmap.library.genre_model import GenreModel
from songmap.library.schema import COLUMNS, FAMILIES, N_COLUMNS, block_slice, column_index


class Fixed(GenreModel):
    """A model with the same probabilities for every song, given as its ``calibration``; rhythm can move them."""

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        rows = np.atleast_2d(embeddings)
        proba = np.tile(np.array(self.calibration, dtype=float), (len(rows), 1))
        return self.pipelines[0](rows, proba) if self.pipelines else proba


def fixed(proba: list[float], threshold: float = 0.3, *pipelines) -> GenreModel:
    rng = np.random.default_rng(1)
    return Fixed(
        "a", list(pipelines), GENRES[: len(proba)], proba, rng.standard_normal((5, N_COLUMNS)),
        rng.standard_normal((len(proba), N_COLUMNS)), threshold, any_detector(len(proba)),
    )  # fmt: skip


def explain(proba: list[float], threshold: float = 0.3, **song: str):
    embedding = np.random.default_rng(2).standard_normal(N_COLUMNS)
    return explain_song(SONG | song, embedding, fixed(proba, threshold), FINAL)


@pytest.mark.parametrize(
    ("proba", "threshold", "genres"),
    [
        ([0.1, 0.9], 0.3, ["TRANCE"]),
        ([0.4, 0.6], 0.3, ["TRANCE", "HOUSE"]),
        ([0.3, 0.3, 0.4], 0.2, ["TECHNO", "HOUSE", "TRANCE"]),
        ([0.1, 0.9], 0.0, ["TRANCE", "HOUSE"]),
    ],
)
def test_the_conformal_set_has_the_most_probable_genre_first(proba, threshold, genres):
    song = explain(proba, threshold)
    assert (song.genre_set, song.set_threshold) == (genres, threshold)


@pytest.mark.parametrize(
    ("genre", "proba", "agrees"),
    [
        ("TRANCE", [0.1, 0.9], True), ("HOUSE", [0.1, 0.9], False), ("HOUSE", [0.4, 0.6], False),
        ("POLKA", [0.4, 0.6], None), ("UNKNOWN", [0.4, 0.6], None),
    ],
)  # fmt: skip
def test_the_label_is_compared_with_the_prediction(genre, proba, agrees):
    song = explain(proba, genre=genre)
    assert song.agrees is agrees
    assert (song.predicted_genre, song.probability) == ("TRANCE", max(proba))


@pytest.mark.parametrize(("genre", "rival"), [("HOUSE", "HOUSE"), ("TRANCE", "TECHNO"), ("POLKA", "TECHNO")])
def test_the_compared_genre_is_a_label_that_the_model_disagrees_with_else_the_second(genre, rival):
    rhythm = column_index("tempo_bpm")

    def by_rhythm(rows, proba):
        shift = 0.3 * (rows[:, rhythm] > 0)[:, np.newaxis] * np.array([-1, 1, 0]) / 3
        return proba + shift

    embedding = np.zeros(N_COLUMNS)
    embedding[rhythm] = 1
    model = fixed([0.2, 0.5, 0.3], 0.3, by_rhythm)
    model = replace(model, background=np.where(np.arange(N_COLUMNS) == rhythm, -1, model.background))
    song = explain_song(SONG | {"genre": genre}, embedding, model, FINAL)
    assert song.compared_genre == rival
    assert song.leading_families == ["rhythm"]
    assert song.descriptors
    assert {one.family for one in song.descriptors} <= {"rhythm"}
    assert all(set(one.medians) == {"TRANCE", rival} for one in song.descriptors)
    assert song.families[0].adds == pytest.approx(0.1)


def test_a_song_beyond_the_threshold_of_the_distance_is_novel():
    model = fixed([0.2, 0.8])
    near, far = np.ones(N_COLUMNS), np.full(N_COLUMNS, 9.0)
    distances = model.novelty.distances(np.stack([near, far]))
    model = replace(model, novelty=replace(model.novelty, threshold=float(distances.mean())))
    first, second = (explain_song(SONG, song, model, FINAL).novelty for song in (near, far))
    assert first == SongNovelty(distances[0], distances.mean(), False)
    assert second == SongNovelty(distances[1], distances.mean(), True)


def test_a_real_song_adds_up_and_becomes_json():
    embeddings, model = fitted()
    song = json.loads(to_json(explain_song(SONG, embeddings[4], model, FINAL, model.pipelines[0])))
    predicted = song["predicted_genre"]
    assert song["fold_model"] == {"kind": "final", "fold": None, "n_songs": 52, "includes_song": False}
    assert song["probability"] == max(song["probabilities"].values()) == song["probabilities"][predicted]
    added = {genre: sum(one["adds_to"][genre] for one in song["families"]) for genre in GENRES[:3]}
    assert {genre: song["background"][genre] + added[genre] for genre in GENRES[:3]} == pytest.approx(
        song["probabilities"]
    )
    assert [one["adds"] for one in song["families"]] == [one["adds_to"][predicted] for one in song["families"]]
    sizes = [abs(one["adds"]) for one in song["families"]]
    assert sizes == sorted(sizes, reverse=True)
    rival = "HOUSE" if predicted != "HOUSE" else sorted(GENRES[:3], key=lambda genre: -song["probabilities"][genre])[1]
    assert song["compared_genre"] == rival
    assert song["descriptors"]
    assert all(set(one["medians"]) == {predicted, rival} for one in song["descriptors"])
    assert all(set(one["columns"]) <= set(COLUMNS) for one in song["descriptors"])
    assert (song["pitch_classes"] is not None) == ("harmony" in song["leading_families"])


def test_components_sum_to_the_margin_of_the_trees():
    embeddings, model = fitted()
    song = explain_song(SONG, embeddings[4], model, FINAL, model.pipelines[0])
    components = song.components
    assert components.of_model_in_use
    assert components.base + sum(one.shap for one in components.contributions) == pytest.approx(components.margin)
    columns = model.pipelines[0][:-1].transform(embeddings[4:5])
    margins = model.pipelines[0][-1].predict(columns, output_margin=True)[0]
    assert components.margin == pytest.approx(margins[GENRES.index(song.predicted_genre)], abs=1e-4)
    assert components.largest_margin_genre == GENRES[int(margins.argmax())]
    sizes = [abs(one.shap) for one in components.contributions]
    assert sizes == sorted(sizes, reverse=True)
    deviations = {one.component.number: one.deviation_sd for one in components.contributions}
    spread = np.sqrt(model.pipelines[0]["pca"].explained_variance_)
    assert [deviations[number] for number in range(1, 9)] == pytest.approx(columns[0] / spread)


def test_components_of_another_model_are_marked_so():
    embeddings, model = fitted(trees=False)
    trees = fitted()[1].pipelines[0]
    assert not explain_song(SONG, embeddings[4], model, FINAL, trees).components.of_model_in_use
    assert explain_song(SONG, embeddings[4], model, FINAL).components is None


def test_trees_that_never_split_have_no_effect():
    embeddings, model = fitted(2)
    stumps = model.pipelines[0].set_params(trees__gamma=1e6).fit(embeddings, np.arange(40) % 2)
    song = explain_song(SONG, embeddings[0], replace(model, pipelines=[stumps]), FINAL, stumps)
    assert not any(one.shap for one in song.components.contributions)
    assert (song.leading_families, song.descriptors, song.smallest_change) == ([], [], None)


def test_descriptors_are_compared_in_real_units_with_the_medians_of_both_genres():
    medians, background, embedding = np.zeros((2, N_COLUMNS)), np.zeros((5, N_COLUMNS)), np.zeros(N_COLUMNS)
    tempo, pulse = column_index("tempo_bpm"), column_index("pulse_clarity")
    medians[:, tempo], medians[:, pulse] = [128, 140], [0.5, 0.51]
    background[:, tempo], background[:, pulse] = [120, 125, 130, 135, 140], [0.1, 0.2, 0.5, 0.8, 0.9]
    embedding[tempo], embedding[pulse] = 138.4, 0.509
    model = replace(fixed([0.2, 0.8]), medians=medians, background=background)
    first, second = compare_descriptors("rhythm", embedding, model, {"TRANCE": 1, "HOUSE": 0})
    assert first.difference_sd == pytest.approx(12 / np.std([120, 125, 130, 135, 140]))
    assert (first.descriptor, first.columns, first.unit, first.value) == ("tempo", ["tempo_bpm"], "BPM", 138.4)
    assert first.medians == {"TRANCE": 140, "HOUSE": 128}
    assert (second.descriptor, second.value) == ("pulse clarity", 0.509)
    assert second.difference_sd < first.difference_sd


def test_mel_levels_are_relative_to_the_maximum_and_means_of_bands():
    medians, background, embedding = np.zeros((2, N_COLUMNS)), np.zeros((5, N_COLUMNS)), np.zeros(N_COLUMNS)
    start = block_slice("mel", "mean").start
    medians[:, start : start + 8], background[:, start], embedding[start : start + 8] = [[-30], [-40]], range(5), -33
    model = replace(fixed([0.2, 0.8]), medians=medians, background=background)
    first, *_ = compare_descriptors("mel", embedding, model, {"TRANCE": 1, "HOUSE": 0})
    assert (first.unit, first.value, first.medians) == ("dB", -33, {"TRANCE": -40, "HOUSE": -30})
    assert first.descriptor.startswith("level")
    assert first.columns == list(COLUMNS[start : start + 8])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_compared_by_its_own_descriptors(family):
    rng = np.random.default_rng(0)
    medians, background = rng.standard_normal((2, N_COLUMNS)), rng.standard_normal((9, N_COLUMNS))
    model = replace(fixed([0.2, 0.8]), medians=medians, background=background)
    first, second = compare_descriptors(family, medians[0], model, {"A": 0, "B": 1})
    assert first.difference_sd >= second.difference_sd
    assert {first.descriptor, second.descriptor} <= {one.name for one in descriptors_of(family)}
    assert all(one.value == one.medians["A"] for one in (first, second))
    equal = replace(model, medians=np.repeat(medians[:1], 2, axis=0))
    assert compare_descriptors(family, medians[0], equal, {"A": 0, "B": 1}) == []


def test_pitch_classes_are_ranked_by_mean_chroma():
    embedding = np.zeros(N_COLUMNS)
    embedding[column_index("chroma_A_mean")], embedding[column_index("chroma_F#_mean")] = 0.9, 0.8
    assert strongest_pitch_classes(embedding, 2) == ["A", "F#"]
