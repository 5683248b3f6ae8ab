"""One song in sentences: every number in them is one of the model, the song or the library."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from songmap.core.text import quantity
from songmap.genre.families import Change, FamilyAttribution
from songmap.genre.measures import measure_records, measures_of, strongest_pitch_classes
from songmap.genre.words import SongCase, confidence, explain, records, song_case
from songmap.library.genre_model import Calibration, GenreModel
from songmap.library.schema import (
    COLUMN_FAMILY,
    COLUMNS,
    FAMILIES,
    N_COLUMNS,
    block_slice,
    column_index,
    family_indices,
)

SONG = {"song_name": "Blue", "artist": "Ann", "genre": "HOUSE", "file_path": "/music/blue.mp3"}
GENRES = ["HOUSE", "TRANCE", "TECHNO", "FOLK", "JAZZ", "DUB"]


def fitted(n_genres: int = 3, trees: bool = True):
    """Embeddings, labels and a model of genres that differ in every column."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    rng = np.random.default_rng(0)
    labels = np.arange(20 * n_genres) % n_genres
    embeddings = 0.15 * rng.standard_normal((n_genres, N_COLUMNS))[labels] + rng.standard_normal(
        (len(labels), N_COLUMNS)
    )
    steps = [("scaler", StandardScaler())]
    steps += (
        [("pca", PCA(8)), ("trees", XGBClassifier(n_estimators=30, max_depth=2, learning_rate=0.1, n_jobs=1))]
        if trees
        else [("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))]
    )
    pipeline = Pipeline(steps).fit(embeddings, labels)
    medians = np.stack([np.median(embeddings[labels == genre], axis=0) for genre in range(n_genres)])
    calibration = Calibration(1.5, 0.5, np.full(n_genres, 1 / n_genres))
    return embeddings, GenreModel("a", pipeline, GENRES[:n_genres], calibration, embeddings[:12], medians, 0.2)


def case_of(found: list[float], pushes: list[float] | None = None, threshold: float = 0.3, **song: str) -> SongCase:
    """A case with given probabilities; ``pushes`` of the families towards the likeliest genre."""
    probabilities = np.array(found)
    values = np.zeros((1, 7, len(found)))
    values[0, :, probabilities.argmax()] = pushes if pushes is not None else [0] * 7
    rng = np.random.default_rng(1)
    model = GenreModel(
        "a", None, GENRES[: len(found)], None, rng.standard_normal((5, N_COLUMNS)),
        rng.standard_normal((len(found), N_COLUMNS)), threshold,
    )  # fmt: skip
    return SongCase(
        SONG | song, rng.standard_normal(N_COLUMNS), model, "a model", probabilities,
        FamilyAttribution(values, probabilities - values[0].sum(axis=0)), None, None, None, [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("probability", "words"),
    [(1.0, "almost certain"), (0.95, "almost certain"), (0.944, "likely"), (0.75, "likely"), (0.744, "leaning"), (0.5, "leaning"), (0.494, "undecided"), (0.1, "undecided")],
)  # fmt: skip
def test_words_for_confidence_are_those_of_its_bands(probability, words):
    assert confidence(probability) == words


def test_a_song_outside_the_range_of_the_background_is_said_to_be_strange():
    case = case_of([0.2, 0.8])
    inside = replace(case, embedding=case.model.background[0])
    outside = replace(case, embedding=np.where(np.arange(N_COLUMNS) < 500, 99.0, case.model.background[0]))
    assert not any("unlike what" in sentence for sentence in explain(inside))
    (told,) = [sentence for sentence in explain(outside) if "unlike what" in sentence]
    assert "78 % of its columns lie outside the range of the 5 songs" in told


def test_the_answer_names_song_model_and_probabilities():
    assert explain(case_of([0.15, 0.82, 0.03]))[0] == (
        "Blue by Ann: a model says TRANCE, likely (82 %); then HOUSE 15 %, TECHNO 3 %."
    )


@pytest.mark.parametrize(
    ("name", "artist", "start"),
    [
        ("Ann - Blue", "Ann", "Ann - Blue: "),
        ("ÁNN – Blue", "Ann", "ÁNN – Blue: "),
        ("Banner", "Ann", "Banner by Ann: "),
        ("(Ann) Blue", "Ann", "(Ann) Blue: "),
        ("Blue", "", "Blue: "),
        ("Blue", "A+B (x", "Blue by A+B (x: "),
    ],
)
def test_an_artist_is_not_named_twice(name, artist, start):
    assert explain(case_of([0.4, 0.6], song_name=name, artist=artist))[0].startswith(start + "a model")


@pytest.mark.parametrize(
    ("found", "threshold", "sentence"),
    [
        ([0.1, 0.9], 0.3, "90 % set: TRANCE alone."),
        ([0.4, 0.6], 0.3, "90 % set: TRANCE or HOUSE, a hybrid, or one that the model cannot tell."),
        ([0.3, 0.3, 0.4], 0.2, "90 % set: TECHNO, HOUSE or TRANCE, a hybrid, or one that the model cannot tell."),
        ([0.1, 0.9], 0.0, "90 % set: any of the 2 genres, since there were too few songs to promise less."),
    ],
)
def test_the_conformal_set_is_told(found, threshold, sentence):
    assert explain(case_of(found, threshold=threshold))[1] == sentence


def test_of_a_large_set_the_likeliest_are_named():
    case = case_of([0.1, 0.3, 0.2, 0.15, 0.13, 0.12], threshold=0.11)
    assert (
        explain(case)[1] == "90 % set: TRANCE, TECHNO, FOLK or 2 others, a hybrid, or one that the model cannot tell."
    )


@pytest.mark.parametrize(
    ("genre", "found", "sentence"),
    [
        ("TRANCE", [0.1, 0.9], "It is filed under TRANCE: the model agrees."),
        (
            "HOUSE",
            [0.1, 0.9],
            "It is filed under HOUSE: the model disagrees and gives that 10 %, outside the 90 % set.",
        ),
        ("HOUSE", [0.4, 0.6], "It is filed under HOUSE: the model disagrees and gives that 40 %, in the 90 % set."),
        ("POLKA", [0.4, 0.6], "It is filed under POLKA, a genre that the model does not know."),
    ],
)
def test_the_label_is_compared_with_the_answer(genre, found, sentence):
    case = case_of(found, genre=genre)
    assert explain(case)[2] == sentence
    assert records(case)["agrees"] == {"TRANCE": True, "HOUSE": False}.get(genre)


@pytest.mark.parametrize(("genre", "rival"), [("HOUSE", "HOUSE"), ("TRANCE", "TECHNO"), ("POLKA", "TECHNO")])
def test_the_rival_is_the_label_that_the_model_denies_else_the_second_likeliest(genre, rival):
    case = case_of([0.1, 0.6, 0.3], [0, 0, 0, 0, 0.31, 0, 0], genre=genre)
    assert case.genres[case.rival] == rival
    assert all(set(record["medians"]) == {"TRANCE", rival} for record in records(case)["measures"])
    assert explain(case)[4].startswith(f"Energy (+31), where TRANCE and {rival} differ most: ")


def test_nothing_is_said_of_the_label_of_a_song_that_has_none():
    case = case_of([0.4, 0.6], genre="UNKNOWN")
    assert not any("filed" in sentence for sentence in explain(case))
    assert records(case)["agrees"] is None


def test_families_lead_in_points_of_probability():
    case = case_of([0.2, 0.8], [0.004, -0.05, 0.06, 0.31, 0.012, -0.011, 0.002])
    sentences = explain(case)
    assert sentences[3] == (
        "Of the 5 songs that it is compared with, the model says TRANCE 47 % on average; for this song rhythm adds 31 "
        "points, spectral 6, energy 1; harmony takes away 5 points, tonnetz 1; timbre and mel move it by less than a "
        "point."
    )
    assert [sentence.split(",")[0] for sentence in sentences[4:7]] == ["Rhythm (+31)", "Spectral (+6)", "Harmony (-5)"]
    found = records(case)
    assert [record["family"] for record in found["families"][:3]] == ["rhythm", "spectral", "harmony"]
    assert sum(record["adds"] for record in found["families"]) + found["background"]["TRANCE"] == pytest.approx(0.8)


def test_one_point_is_one_point():
    sentence = explain(case_of([0.2, 0.8], [0, 0, 0, 0, 0.01, 0, -0.014]))[3]
    assert "energy adds 1 point; mel takes away 1 point; timbre, harmony, spectral, rhythm and tonnetz move" in sentence


def test_families_that_do_not_push_are_said_not_to():
    sentences = explain(case_of([0.5, 0.5], [0.003, 0, 0, -0.002, 0, 0, 0]))
    assert sentences[3] == (
        "Of the 5 songs that it is compared with, the model says HOUSE 50 % on average; no family moves that by a point: "
        "of this song it says much the same."
    )
    assert sentences[4].startswith("No set of families")  # no family is explained further
    assert len(sentences) == 5


def test_columns_are_compared_in_real_units_with_the_medians_of_the_rivals():
    case = case_of([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0])
    medians = np.zeros((2, N_COLUMNS))
    background = np.zeros((5, N_COLUMNS))
    tempo, pulse = column_index("tempo_bpm"), column_index("pulse_clarity")
    medians[:, tempo], medians[:, pulse] = [128, 140], [0.5, 0.51]
    background[:, tempo], background[:, pulse] = [120, 125, 130, 135, 140], [0.1, 0.2, 0.5, 0.8, 0.9]
    embedding = np.zeros(N_COLUMNS)
    embedding[tempo], embedding[pulse] = 138.4, 0.509
    case = replace(case, embedding=embedding, model=replace(case.model, medians=medians, background=background))
    assert explain(case)[4] == (
        "Rhythm (+31), where TRANCE and HOUSE differ most: tempo 138 BPM (medians: TRANCE 140, HOUSE 128, nearer to TRANCE); "
        "pulse clarity 0.509 (medians: TRANCE 0.51, HOUSE 0.5, nearer to TRANCE)."
    )
    first, second = records(case)["measures"]
    assert first["difference_sd"] == pytest.approx(12 / np.std([120, 125, 130, 135, 140]))
    assert (first["columns"], first["unit"], first["value"]) == (["tempo_bpm"], "BPM", 138.4)
    assert first["medians"] == {"TRANCE": 140, "HOUSE": 128}
    assert second["difference_sd"] < first["difference_sd"]


def test_medians_that_read_alike_are_nearer_to_neither():
    case = case_of([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0])
    medians, background = np.zeros((2, N_COLUMNS)), np.zeros((5, N_COLUMNS))
    medians[:, column_index("tempo_bpm")], background[:, column_index("tempo_bpm")] = [128.1, 128.2], range(5)
    case = replace(case, embedding=medians[0], model=replace(case.model, medians=medians, background=background))
    assert (
        explain(case)[4]
        == "Rhythm (+31), where TRANCE and HOUSE differ most: tempo 128 BPM (medians: TRANCE 128, HOUSE 128)."
    )


def test_mel_bands_are_levels_below_the_maximum_and_chroma_names_pitch_classes():
    case = case_of([0.2, 0.8], [0, 0.2, 0, 0, 0, 0, 0.31])
    medians, background = np.zeros((2, N_COLUMNS)), np.zeros((5, N_COLUMNS))
    bands, chroma = block_slice("mel", "mean"), block_slice("chroma", "mean")
    medians[:, bands.start : bands.start + 16] = [[-30], [-40]]
    background[:, bands.start] = range(5)
    medians[0, chroma.start + np.array([0, 4, 7])] = medians[1, chroma.start + np.array([9, 2, 5])] = [0.9, 0.8, 0.7]
    embedding = np.zeros(N_COLUMNS)
    embedding[bands.start : bands.start + 16] = -33
    embedding[chroma.start + np.array([1, 3, 6])] = [0.3, 0.5, 0.4]
    case = replace(case, embedding=embedding, model=replace(case.model, medians=medians, background=background))
    sentences = explain(case)
    assert sentences[4] == (
        "Mel (+31), where TRANCE and HOUSE differ most: level at 26–413 Hz 33 dB below the song's maximum (its bands' medians: TRANCE 40, HOUSE 30, nearer to HOUSE)."
    )
    assert sentences[5] == (
        "Harmony (+20), where TRANCE and HOUSE differ most: strongest pitch classes D#, F#, C# (medians: TRANCE A, D, F; HOUSE C, E, G)."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            Change(("rhythm", "mel"), "HOUSE", 0.614),
            "Smallest change that flips it: with rhythm and mel at the medians of HOUSE the model says HOUSE (61 %).",
        ),
        (None, "No set of families put at the medians of another genre makes the model say that genre."),
    ],
)
def test_the_smallest_change_is_told(change, sentence):
    case = replace(case_of([0.2, 0.8]), change=change)
    assert explain(case)[4] == sentence
    assert records(case)["smallest_change"] == (
        change and {"families": ["rhythm", "mel"], "genre": "HOUSE", "probability": 0.614}
    )


def test_a_real_case_adds_up_and_becomes_json():
    embeddings, model = fitted()
    case = song_case(SONG, embeddings[4], model, "the model of fold 2, trained without it,", model.pipeline)
    found = json.loads(json.dumps(records(case)))
    assert found["judged_by"] == "the model of fold 2, trained without it"
    predicted = found["predicted_genre"]
    assert found["probability"] == max(found["probabilities"].values()) == found["probabilities"][predicted]
    added = {genre: sum(record["adds_to"][genre] for record in found["families"]) for genre in GENRES[:3]}
    assert {genre: found["background"][genre] + added[genre] for genre in GENRES[:3]} == pytest.approx(
        found["probabilities"]
    )
    assert found["sentences"] == explain(case)
    rival = "HOUSE" if predicted != "HOUSE" else sorted(GENRES[:3], key=lambda genre: -found["probabilities"][genre])[1]
    assert found["measures"]
    assert all(set(record["medians"]) == {predicted, rival} for record in found["measures"])
    assert all(set(record["columns"]) <= set(COLUMNS) for record in found["measures"])


def test_components_repeat_the_numbers_of_the_trees():
    embeddings, model = fitted()
    case = song_case(SONG, embeddings[4], model, "a model", model.pipeline)
    sentences = explain(case)
    margin = case.attribution.base[case.predicted] + case.towards.sum()
    genre = case.genres[case.predicted]
    (start,) = [sentence for sentence in sentences if sentence.startswith("Components: ")]
    assert start == (
        f"Components: in the model's trees, the margin for {genre} goes from {case.attribution.base[case.predicted]:+.2f} "
        f"on average to {margin:+.2f} for this song, before calibration."
    )
    strongest = int(np.abs(case.towards).argmax())
    name = case.components[strongest].replace(": ", ", where a positive score means ")
    (told,) = [sentence for sentence in sentences if name in sentence]
    assert told.startswith(f"{abs(case.towards[strongest]):.2f} ")
    assert (f"towards {genre}" in told) == (case.towards[strongest] > 0)
    assert f"{case.attribution.deviations[0, strongest]:+.1f} SD" in told


def test_components_of_another_model_are_called_another_models():
    embeddings, model = fitted(trees=False)
    trees = fitted()[1].pipeline
    sentences = explain(song_case(SONG, embeddings[4], model, "a model", trees))
    assert any(sentence.startswith("Components: in a second model, PCA and XGBoost, ") for sentence in sentences)
    assert not any("Components" in sentence for sentence in explain(song_case(SONG, embeddings[4], model, "a model")))


def test_trees_that_never_split_are_said_to_say_the_same_of_all():
    embeddings, model = fitted(2)
    stumps = model.pipeline.set_params(trees__gamma=1e6).fit(embeddings, np.arange(40) % 2)
    case = song_case(SONG, embeddings[0], replace(model, pipeline=stumps), "a model", stumps)
    assert explain(case)[-1] == "No component pushes either way: the model's trees would say the same of every song."
    assert "no family moves that by a point" in explain(case)[3]
    assert case.change is None


def test_every_number_of_points_is_a_families_value():
    embeddings, model = fitted()
    for row in range(10):
        case = song_case(SONG, embeddings[row], model, "a model")
        (sentence,) = [sentence for sentence in explain(case) if "compared with" in sentence]
        for family, push in zip(FAMILIES, case.pushes, strict=True):
            points = round(100 * push)
            told = re.search(rf"{family}(?: adds| takes away)? (\d+)", sentence)
            assert (int(told[1]) if told else 0) == abs(points)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_told_by_columns_of_its_own(family):
    measures = measures_of(family)
    assert {COLUMN_FAMILY[index] for measure in measures for index in measure.columns} == {family}
    assert len({measure.name for measure in measures}) == len(measures)
    rng = np.random.default_rng(0)
    medians, background = rng.standard_normal((2, N_COLUMNS)), rng.standard_normal((9, N_COLUMNS))
    found = measure_records(family, medians[0], medians, background, {"A": 0, "B": 1}, 2)
    assert len(found) == 2
    assert found[0]["difference_sd"] >= found[1]["difference_sd"]
    assert all(record["value"] == record["medians"]["A"] for record in found)
    alike = np.repeat(medians[:1], 2, axis=0)
    assert measure_records(family, medians[0], alike, background, {"A": 0, "B": 1}, 2) == []


def test_mel_ranges_cover_all_mean_levels_once():
    columns = [index for measure in measures_of("mel") for index in measure.columns]
    assert sorted(columns) == list(range(*block_slice("mel", "mean").indices(N_COLUMNS)))
    assert set(columns) <= set(family_indices("mel").tolist())


def test_pitch_classes_are_ranked_by_mean_chroma():
    embedding = np.zeros(N_COLUMNS)
    embedding[column_index("chroma_A_mean")], embedding[column_index("chroma_F#_mean")] = 0.9, 0.8
    assert strongest_pitch_classes(embedding, 2) == ["A", "F#"]


@pytest.mark.parametrize(("value", "text"), [(2310.4, "2,310"), (0.51234, "0.512"), (-36.68, "-36.7"), (138.4, "138")])
def test_quantities_have_three_digits(value, text):
    assert quantity(value) == text


def test_genres_that_do_not_differ_in_a_family_are_said_not_to():
    case = case_of([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0])
    case = replace(case, model=replace(case.model, medians=np.ones((2, N_COLUMNS))))
    assert explain(case)[4] == "Rhythm (+31): TRANCE and HOUSE do not differ there."
