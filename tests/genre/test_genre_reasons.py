"""The pipeline, its SHAP values and the words made of them."""

import numpy as np
import pytest
from libraries import labelled_library, separable_library

from songmap.core.schema import COLUMNS, N_COLUMNS, block_slice, column_index
from songmap.core.style import draw
from songmap.genre import pictures
from songmap.genre.models import PRESETS, build_pipeline, fit, probabilities
from songmap.genre.shapley import attribute, component_names, component_terms, hertz_range, margins
from songmap.genre.words import SongCase, explain, measure_records


def learned(n_genres: int, songs: int = 10):
    library = separable_library(n_genres, songs, distance=0.4)
    labels = np.repeat(np.arange(n_genres), songs)
    return library, fit(library.embeddings, labels, n_genres, preset="default", components=15, seed=1)


def test_published_parameters_are_the_published_ones():
    trees = build_pipeline(300, 2, preset="published", components=15, seed=0)[-1].get_params()
    wanted = {
        "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6, "colsample_bytree": 0.6,
        "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    }  # fmt: skip
    assert {name: trees[name] for name in wanted} == wanted
    assert set(PRESETS["default"]) == set(wanted)


@pytest.mark.parametrize(("n_songs", "components"), [(300, 15), (16, 15), (10, 9), (2, 1), (1, 1)])
def test_components_are_capped_by_the_training_songs(n_songs, components):
    pipeline = build_pipeline(n_songs, 2, preset="default", components=15, seed=0)
    assert pipeline.named_steps["pca"].n_components == components


@pytest.mark.parametrize("n_genres", [2, 3, 12])
def test_shap_values_and_base_sum_to_the_margin(n_genres):
    library, pipeline = learned(n_genres)
    found = attribute(pipeline, library.embeddings)
    assert found.values.shape == (len(library), found.scores.shape[1], n_genres)
    assert found.values.sum(axis=1) + found.base == pytest.approx(margins(pipeline, library.embeddings), abs=1e-4)
    odds = np.exp(margins(pipeline, library.embeddings) / (2 if n_genres == 2 else 1))
    assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(
        probabilities(pipeline, library.embeddings), abs=1e-5
    )


def test_a_component_is_named_by_its_loadings():
    loadings = np.zeros(N_COLUMNS)
    for statistic in ("mean", "p25", "p50", "p75"):
        loadings[block_slice("mel", statistic)][40:60] = 0.1
    loadings[column_index("mfcc_02_mean")] = -0.09
    assert component_terms(loadings) == ["higher mel 1.1–1.8 kHz", "lower mfcc_02 mean"]
    assert component_terms(-loadings) == ["lower mel 1.1–1.8 kHz", "higher mfcc_02 mean"]


def test_a_lone_mel_column_is_named_itself():
    loadings = np.zeros(N_COLUMNS)
    loadings[column_index("mel_007_p25")] = -1
    assert component_terms(loadings) == ["lower mel_007 p25"]


@pytest.mark.parametrize("column", COLUMNS[:5] + COLUMNS[105:110] + COLUMNS[-7:])
def test_every_single_column_can_name_a_component(column):
    (term,) = component_terms(np.eye(N_COLUMNS)[column_index(column)])
    assert term.startswith("higher ")


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(350, 900, "350–900 Hz"), (350, 2100, "350 Hz–2.1 kHz"), (2100, 5000, "2.1–5.0 kHz"), (2110, 2120, "2.1 kHz")],
)
def test_frequencies_are_short(low, high, text):
    assert hertz_range(low, high) == text


def test_names_carry_the_share_of_the_variance():
    _, pipeline = learned(2)
    names = component_names(pipeline)
    share = pipeline.named_steps["pca"].explained_variance_ratio_[0]
    assert names[0].startswith(f"PC1 ({100 * share:.0f} %): ")
    assert len(names) == pipeline.named_steps["pca"].n_components_


def case_of(genre: str, found: list[float]) -> SongCase:
    library, pipeline = learned(2)
    attribution = attribute(pipeline, library.embeddings[0])
    song = {"song_name": "Blue", "artist": "Ann", "genre": genre}
    components = component_names(pipeline)
    return SongCase(
        song, ["GENRE00", "GENRE01"], np.array(found), attribution, attribution.scores[0], components, "a model"
    )


def test_words_repeat_the_numbers():
    embeddings = np.zeros((4, N_COLUMNS))
    embeddings[:, column_index("centroid_mean")] = [1000, 2000, 3000, 4000]
    named = np.array(["GENRE00", "GENRE00", "GENRE01", "GENRE01"], dtype=object)
    case = case_of("GENRE00", [0.25, 0.75])
    measures = measure_records(case, embeddings[0], embeddings, named)
    assert [record["measure"] for record in measures] == ["spectral centroid"]  # all others are equal in all songs
    sentences = explain(case, measures)
    assert sentences[0] == (
        "Blue by Ann is filed under GENRE00; a model takes it for GENRE01: GENRE01 75 %, GENRE00 25 %."
    )
    assert sentences[-1] == "Spectral centroid 1,000 Hz; median of GENRE01 3,500, GENRE00 1,500; nearer to GENRE00."
    strongest = int(np.abs(case.towards).argmax())
    name = case.components[strongest].replace(": ", ", where a positive score means ")
    told = [sentence for sentence in sentences if name in sentence]
    assert len(told) == 1
    assert told[0].startswith(f"{abs(case.towards[strongest]):.2f} ")
    assert ("towards" in told[0]) == (case.towards[strongest] > 0)


def test_a_song_without_a_known_genre_is_said_to_have_none():
    assert "has no genre that the model knows" in explain(case_of("UNKNOWN", [0.5, 0.5]), [])[0]


def test_a_model_that_never_splits_is_said_to_say_the_same_of_all():
    library = labelled_library(np.random.default_rng(0).standard_normal((8, N_COLUMNS)), ["A", "B"] * 4)
    pipeline = fit(library.embeddings, np.array([0, 1] * 4), 2, preset="published", components=15, seed=0)
    attribution = attribute(pipeline, library.embeddings[0])
    song = {"song_name": "x", "artist": "", "genre": "A"}
    found = probabilities(pipeline, library.embeddings)[0]
    case = SongCase(song, ["A", "B"], found, attribution, attribution.scores[0], component_names(pipeline), "a model")
    assert explain(case, [])[-1] == "No component pushes either way: the model says the same of every song."


@pytest.mark.parametrize("n_genres", [2, 12])
def test_pictures_take_long_and_foreign_names(tmp_path, n_genres):
    genres = ["長い名前 🎧 " + "long " * 24 + str(index) for index in range(n_genres)]
    rng = np.random.default_rng(0)
    values, scores = rng.standard_normal((30, 15, n_genres)), rng.standard_normal((30, 15))
    names = [f"PC{index} (3 %): higher mel 2.1–5.0 kHz" for index in range(15)]
    named = np.array(genres, dtype=object)[np.arange(30) % n_genres]
    found = np.full((15, n_genres), 1 / n_genres)
    counts = np.eye(n_genres, dtype=int)
    for number, (function, *arguments) in enumerate(
        [
            (pictures.confusion_picture, {"a": counts, "b": counts}, genres),
            (pictures.importance_picture, np.abs(values).mean(axis=0), names, genres, genres),
            (pictures.beeswarm_picture, values, scores, names, genres),
            (pictures.waterfall_picture, values[0, :, 0], -0.3, names, genres[0], genres[0]),
            (pictures.waterfall_picture, np.zeros(3), 0.0, names[:3], "$x$", genres[0]),
            (pictures.dependence_picture, scores[:, 0], values[:, 0, 0], named, names[0], genres[0], genres, genres),
            (pictures.boundary_picture, found, genres * 2 if n_genres == 2 else genres + genres[:3], genres, genres),
        ]
    ):
        if function is pictures.boundary_picture:
            arguments[1] = (genres * 15)[:15]
        path = draw(function, tmp_path / f"{number}.png", *arguments)
        assert path.read_bytes().startswith(b"\x89PNG")
