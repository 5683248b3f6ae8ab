"""The wording of results of 03: every number in a sentence is one of the result."""

import re
from dataclasses import replace

import pytest
from genre.explained import FINAL, SONG, explanation, fitted

from songmap.core.serialise import plain
from songmap.core.text import quantity, signed
from songmap.genre import limits
from songmap.genre.explanation import explain_song
from songmap.genre.limits import limit_from
from songmap.genre.novelty_results import SongNovelty
from songmap.genre.results import Choice, Grouping, Leakage, OverfittingGap, PermutationTest
from songmap.genre.song_results import (
    Component,
    ComponentTerm,
    DescriptorComparison,
    ModelReference,
    PitchClasses,
    SmallestChange,
)
from songmap.genre.views.component_phrases import component_name
from songmap.genre.views.limits import limit_sentence, limit_sentences
from songmap.genre.views.narrative import component_narrative, confidence, narrative
from songmap.genre.views.sentences import (
    choice_sentence,
    grouping_sentence,
    leakage_sentence,
    model_phrase,
    overfitting_sentence,
    permutation_sentence,
    set_phrase,
)
from songmap.library.schema import FAMILIES
from songmap.library.traits import Trait

TEMPO = DescriptorComparison("rhythm", "tempo", ["tempo_bpm"], "BPM", 138.4, {"TRANCE": 140, "HOUSE": 128}, 1.7)
PULSE = DescriptorComparison("rhythm", "pulse clarity", ["pulse_clarity"], "", 0.509, {"TRANCE": 0.51, "HOUSE": 0.5}, 1)
LEVEL = DescriptorComparison(
    "mel", "level 26–220 Hz", ["mel_001_mean", "mel_002_mean"], "dB", -33, {"TRANCE": -40, "HOUSE": -30}, 2
)


@pytest.mark.parametrize(
    ("probability", "words"),
    [(1.0, "almost certain"), (0.95, "almost certain"), (0.944, "likely"), (0.75, "likely"), (0.744, "more likely than not"), (0.5, "more likely than not"), (0.494, "undecided"), (0.1, "undecided")],
)  # fmt: skip
def test_words_for_confidence_are_those_of_its_bands(probability, words):
    assert confidence(probability, 2) == words


def test_undecided_is_only_said_where_the_prediction_set_has_several_genres():
    assert confidence(0.36, 1) == "most probable"
    song = explanation([0.36, 0.34, 0.3], genre_set=["HOUSE"])
    assert not any("undecided" in sentence for sentence in narrative(song))


def test_the_prediction_names_song_model_and_probabilities():
    assert narrative(explanation([0.15, 0.82, 0.03]))[0] == (
        "Blue – Ann: predicted TRANCE, likely (82 %), by the model of all 52 songs; next: HOUSE 15 %, TECHNO 3 %."
    )


def test_a_song_is_named_by_title_and_artist():
    named = explanation([0.4, 0.6], song_name="Ann - 01 blue_x.hq", artist="Ann", title="Blue")
    assert narrative(named)[0].startswith("Blue – Ann: predicted")
    assert narrative(replace(named, artist="", title=""))[0].startswith("Ann - 01 blue x: predicted")


def trait(quality: str, direction: str) -> Trait:
    return Trait(quality, direction, 10.0 if direction == "low" else 90.0)


def test_an_explanation_begins_with_what_a_listener_notices():
    slow, dark, loud = trait("tempo", "low"), trait("brightness", "low"), trait("loudness", "high")
    song = explanation([0.2, 0.8], [0.3] + [0.0] * 6, traits=(slow, dark), genre_traits=(dark, slow, loud))
    first, second, *_ = narrative(song)
    assert first == "Blue – Ann is slow and dark, like the typical TRANCE song."
    assert second.startswith("Predicted TRANCE, likely (80 %)")
    mfcc = DescriptorComparison("timbre", "MFCC 3", ["mfcc_03_mean"], "", 1.0, {"TRANCE": 1.1, "HOUSE": 2.0}, 3.0)
    near = replace(song, genre_traits=(dark, trait("tempo", "high")), descriptors=[mfcc, TEMPO])
    assert narrative(near)[0] == (
        "Blue – Ann is slow and dark; like the typical TRANCE song it is dark; its tempo is near that of TRANCE."
    )
    far = replace(near, genre_traits=(), descriptors=[replace(TEMPO, value=128.0)])
    assert narrative(far)[0] == "Blue – Ann is slow and dark."


@pytest.mark.parametrize(
    ("reference", "phrase"),
    [
        (ModelReference("fold", fold=3), "the model of fold 3, trained without it"),
        (ModelReference("development"), "the model trained without the test songs"),
        (FINAL, "the model of all 52 songs"),
        (replace(FINAL, includes_song=True), "the model of all 52 songs, including this recording"),
    ],
)
def test_the_model_is_named(reference, phrase):
    assert model_phrase(reference) == phrase


UNDECIDED = "; a hybrid, or a song that the model cannot decide."


@pytest.mark.parametrize(
    ("genres", "threshold", "sentence"),
    [
        (["TRANCE"], 0.3, "90 % prediction set: TRANCE only."),
        (["TRANCE", "HOUSE"], 0.3, f"90 % prediction set: TRANCE or HOUSE{UNDECIDED}"),
        (["TECHNO", "HOUSE", "TRANCE"], 0.2, f"90 % prediction set: TECHNO, HOUSE or TRANCE{UNDECIDED}"),
        (
            ["TRANCE", "TECHNO", "FOLK", "JAZZ", "DUB"],
            0.1,
            f"90 % prediction set: TRANCE, TECHNO, FOLK or 2 others{UNDECIDED}",
        ),
        (
            ["TRANCE", "HOUSE"],
            0.0,
            "90 % prediction set: any of the 2 genres, since there are too few songs for a smaller set.",
        ),
    ],
)
def test_the_conformal_set_has_a_sentence(genres, threshold, sentence):
    assert narrative(explanation([0.1, 0.9], genre_set=genres, set_threshold=threshold))[1] == sentence


@pytest.mark.parametrize(
    ("genres", "phrase"),
    [(["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C"), (list("ABCDE"), "A, B or 3 others")],
)
def test_a_set_in_a_table_is_short(genres, phrase):
    assert set_phrase(genres) == phrase


@pytest.mark.parametrize(
    ("genre", "agrees", "genres", "sentence"),
    [
        ("TRANCE", True, ["TRANCE"], "Its label is TRANCE: the model agrees."),
        ("HOUSE", False, ["TRANCE"], "Its label is HOUSE: the model disagrees and gives it 10 %, outside the 90 % prediction set."),
        ("HOUSE", False, ["TRANCE", "HOUSE"], "Its label is HOUSE: the model disagrees and gives it 10 %, in the 90 % prediction set."),
        ("POLKA", None, ["TRANCE"], "Its label is POLKA, a genre that the model does not have."),
    ],
)  # fmt: skip
def test_the_label_is_compared_with_the_prediction(genre, agrees, genres, sentence):
    assert narrative(explanation([0.1, 0.9], genre=genre, agrees=agrees, genre_set=genres))[2] == sentence


def test_a_song_without_a_label_has_no_sentence_on_it():
    assert not any("label" in sentence for sentence in narrative(explanation([0.4, 0.6])))


def test_a_song_beyond_the_threshold_is_unlike_the_training_data():
    sentences = narrative(explanation([0.02, 0.98], novelty=SongNovelty(3.14159, 1.5, True)))
    assert sentences[0] == (
        "Blue – Ann is unlike the training data: its distance from the nearest genre is 3.14, above the threshold of 1.50. "
        "A guess by the model of all 52 songs: TRANCE 98 %, HOUSE 2 %."
    )
    assert not any("prediction set" in sentence or "certain" in sentence for sentence in sentences)
    assert not any("unlike" in sentence for sentence in narrative(explanation([0.2, 0.8])))


def test_families_lead_in_points_of_probability():
    song = explanation([0.2, 0.8], [0.004, -0.05, 0.06, 0.31, 0.012, -0.011, 0.002])
    sentences = narrative(song)
    assert sentences[2] == (
        "Over the 5 background songs, TRANCE has 47 % on average; for this song rhythm adds 31 points, spectral 6, "
        "energy 1; harmony subtracts 5 points, tonnetz 1; timbre and mel change it by less than a point."
    )
    assert [sentence.split(":")[0] for sentence in sentences[3:6]] == ["Rhythm (+31)", "Spectral (+6)", "Harmony (−5)"]


def test_one_point_is_one_point():
    sentence = narrative(explanation([0.2, 0.8], [0, 0, 0, 0, 0.01, 0, -0.014]))[2]
    assert (
        "energy adds 1 point; mel subtracts 1 point; timbre, harmony, spectral, rhythm and tonnetz change" in sentence
    )


def test_families_that_do_not_contribute_have_one_sentence():
    sentences = narrative(explanation([0.5, 0.5], [0.003, 0, 0, -0.002, 0, 0, 0]))
    assert sentences[2] == (
        "Over the 5 background songs, HOUSE has 50 % on average; no family changes that by a point for this song."
    )
    assert sentences[3].startswith("No set of families")  # no family is explained further
    assert len(sentences) == 4


def test_descriptors_are_compared_in_real_units():
    sentence = narrative(explanation([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0], descriptors=[TEMPO, PULSE]))[3]
    assert sentence == (
        "Rhythm (+31), where TRANCE and HOUSE differ most: tempo is 138 BPM (medians: TRANCE 140, HOUSE 128, nearer to "
        "TRANCE); pulse clarity is 0.509 (medians: TRANCE 0.51, HOUSE 0.5, nearer to TRANCE)."
    )


def test_medians_that_read_the_same_are_nearer_to_neither():
    tempo = replace(TEMPO, value=128.2, medians={"TRANCE": 128.2, "HOUSE": 128.1})
    sentence = narrative(explanation([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0], descriptors=[tempo]))[3]
    assert sentence.endswith("differ most: tempo is 128 BPM (medians: TRANCE 128, HOUSE 128).")


def test_levels_are_of_bands_and_chroma_names_pitch_classes():
    pitch_classes = PitchClasses(["D#", "F#", "C#"], {"TRANCE": ["A", "D", "F"], "HOUSE": ["C", "E", "G"]})
    song = explanation([0.2, 0.8], [0, 0.2, 0, 0, 0, 0, 0.31], descriptors=[LEVEL], pitch_classes=pitch_classes)
    mel, harmony = narrative(song)[3:5]
    assert mel == (
        "Mel (+31), where TRANCE and HOUSE differ most: level 26–220 Hz is −33 dB (medians of the bands: TRANCE −40, "
        "HOUSE −30, nearer to HOUSE)."
    )
    assert harmony == (
        "Harmony (+20), where TRANCE and HOUSE differ most: strongest pitch classes D#, F#, C# (medians: TRANCE A, D, F; "
        "HOUSE C, E, G)."
    )


def test_genres_that_do_not_differ_in_a_family_have_a_sentence():
    sentence = narrative(explanation([0.2, 0.8], [0, 0, 0, 0.31, 0, 0, 0]))[3]
    assert sentence == "Rhythm (+31): TRANCE and HOUSE do not differ in it."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (SmallestChange(["rhythm", "mel"], "HOUSE", 0.614), "Smallest change of the prediction: with rhythm and mel at the medians of HOUSE the model predicts HOUSE (61 %)."),
        (None, "No set of families, set to the medians of another genre, changes the prediction to that genre."),
    ],
)  # fmt: skip
def test_the_smallest_change_has_a_sentence(change, sentence):
    assert narrative(explanation([0.2, 0.8], smallest_change=change))[3] == sentence


def test_components_repeat_the_numbers_of_the_trees():
    embeddings, model = fitted()
    song = explain_song(SONG, embeddings[4], model, FINAL, model.pipelines[0])
    sentences, genre = component_narrative(song), song.predicted_genre
    (start,) = [sentence for sentence in sentences if sentence.startswith("Components: ")]
    assert start == (
        f"Components: in the model's trees, the margin for {genre} goes from {signed(song.components.base, 2)} on average to "
        f"{signed(song.components.margin, 2)} for this song, before calibration."
    )
    strongest = song.components.contributions[0]
    number, terms = component_name(strongest.component).split(": ")
    (sentence,) = [
        sentence for sentence in sentences if f"on {number}, where a positive score means {terms}." in sentence
    ]
    assert sentence.startswith(f"{abs(strongest.shap):.2f} ")
    assert (f"towards {genre}" in sentence) == (strongest.shap > 0)
    assert f"{signed(strongest.deviation_sd, 1)} SD" in sentence


def test_components_of_another_model_and_without_effect_have_their_own_sentences():
    embeddings, model = fitted(trees=False)
    song = explain_song(SONG, embeddings[4], model, FINAL, fitted()[1].pipelines[0])
    assert any(one.startswith("Components: in a second model, PCA and XGBoost, ") for one in component_narrative(song))
    assert component_narrative(replace(song, components=None)) == []
    silent = [replace(one, shap=0.0) for one in song.components.contributions]
    none = replace(song, components=replace(song.components, contributions=silent, of_model_in_use=True))
    assert component_narrative(none)[-1] == (
        "No component has an effect: the model's trees would predict the same for every song."
    )


def test_every_number_of_points_is_a_families_value():
    embeddings, model = fitted()
    for row in range(10):
        song = explain_song(SONG, embeddings[row], model, FINAL)
        (sentence,) = [one for one in narrative(song) if "background songs, " in one]
        for contribution in song.families:
            number = re.search(rf"{contribution.family}(?: adds| subtracts)? (\d+)", sentence)
            assert (int(number[1]) if number else 0) == abs(round(100 * contribution.adds))
        assert {one.family for one in song.families} == set(FAMILIES)


def test_a_component_is_named_by_number_share_and_terms():
    terms = [ComponentTerm("level 2.1–5.0 kHz", 0.9), ComponentTerm("tempo", -0.7)]
    assert component_name(Component(3, 0.084, terms)) == "PC3 (8 %): higher level 2.1–5.0 kHz, slower"


SELECTED = Choice("lda", "lda", "svm", False, 0.512, 0.48, 0.032, 0.04)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (
            replace(SELECTED, best="lda", difference=0.0, standard_error=0.0),
            "Model in use: shrinkage LDA, whose log loss of 0.51 is the smallest; no simpler model is within one "
            "standard error.",
        ),
        (
            SELECTED,
            "Model in use: shrinkage LDA, the simplest whose log loss (0.51) is within one standard error (0.04) of the "
            "smallest (0.48, RBF SVM).",
        ),
        (
            replace(SELECTED, model="pca_xgboost", requested=True),
            "Model in use: PCA + XGBoost, as requested. By the scores it would be shrinkage LDA, the simplest whose log "
            "loss (0.51) is within one standard error (0.04) of the smallest (0.48, RBF SVM).",
        ),
    ],
)
def test_the_choice_has_a_reason(choice, sentence):
    assert choice_sentence(choice) == sentence


@pytest.mark.parametrize(
    ("grouping", "part"),
    [
        (Grouping("artist", "strictest", 24, 26), "the strictest grouping that the tags allow: 24 of 26 songs name their artist."),
        (Grouping("artist", "requested", 24, 26), "as requested: 24 of 26 songs name their artist."),
        (Grouping("album", "strictest", 20, 26), "since no song names its artist: 20 of 26 songs name their album."),
        (Grouping("song", "strictest", 0, 26), "one by one, in each genre's proportion, since no song names its artist or album."),
        (Grouping("song", "requested", 0, 26), "one by one, in each genre's proportion, as requested."),
        (Grouping("song", "fallback", 0, 26), "one by one, in each genre's proportion."),
        (Grouping("artist", "strictest", 24, 26, exceptions=True), "Exceptions are listed under the limits."),
        (Grouping("artist", "strictest", 24, 26, n_copies=1), "Files of the same recording are always on the same side (1 is a copy)."),
        (Grouping("song", "requested", 0, 26, n_copies=24), "as requested. Files of the same recording are always on the same side (24 are copies)."),
    ],
)  # fmt: skip
def test_the_grouping_has_a_sentence(grouping, part):
    assert grouping_sentence(grouping).endswith(part)


CERTAIN, CHANCE = PermutationTest(0.8, 0.5, 1 / 200, 199, 0), PermutationTest(0.52, 0.5, 61 / 200, 199, 60)
UNTESTED = PermutationTest(0.8, 0.5, None, 199, 0, ("TECHNO",))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (overfitting_sentence(OverfittingGap(1.0, 0.8), CERTAIN, None), "100 % on training songs and 80 % on others; expect"),
        (overfitting_sentence(OverfittingGap(1.0, 0.5), CHANCE, None), "no better than chance"),
        (permutation_sentence(CERTAIN, "artist"), "With genres shuffled among artists, the best model of 0 of 199 runs reached a recall of 80 %"),
        (permutation_sentence(CHANCE, "song"), "of 60 of 199 runs reached a recall of 52 % (50 % on average), p = 0.305: the recall is not shown to be better"),
        (permutation_sentence(UNTESTED, "song"), "No permutation test: songs are split one by one"),
        (permutation_sentence(UNTESTED, "artist"), "No permutation test: TECHNO has too few artists to shuffle genres among them"),
        (overfitting_sentence(OverfittingGap(1.0, 0.8), UNTESTED, None), "80 % on others; expect"),
        (leakage_sentence(Leakage(0.6, 0.9, 0.3, 0.05), "album"), "30 points of leakage, from recognising albums"),
        (leakage_sentence(Leakage(0.8, 0.85, 0.05, 0.05), "artist"), "no leakage is shown"),
        (leakage_sentence(Leakage(0.8, 0.8, 0.0, 0.0), "song"), "cannot be measured"),
    ],
)  # fmt: skip
def test_sentences_of_checks_repeat_the_figures(text, part):
    assert part in text
    assert text.endswith(".")
    assert "\n" not in text
    assert "overfitting" not in text


LIMITS = [
    (limits.SmallGenre("TINY", 2, 6), "TINY is left out: it has 2 songs, at least 6 are needed"),
    (limits.SmallGenre("TINY", 1, 6), "TINY is left out: it has 1 song, at least 6 are needed"),
    (limits.LooseGrouping("song", "artist"), "--group-by song: songs of one artist may be on both sides of a split, which makes the scores too high"),
    (limits.FewGroups("A", "artist", "song", 1, "Solo", ""), "all songs of A are by Solo: tested on new songs, not on new artists"),
    (limits.FewGroups("A", "artist", "song", 2, "", ""), "all songs of A are from 2 artists or albums: tested on new songs"),
    (limits.FewGroups("A", "album", "song", 1, "", "First"), "all songs of A are from one album, First: tested on new songs, not on new albums"),
    (limits.UngroupedSongs("B", "artist", 3, 8), "B has 3 of 8 songs without an artist"),
    (limits.NoGroupedSplit("artist"), "no split keeps artists together"),
    (limits.FewerFolds(3, 5, "A", 4), "3 folds instead of 5: each must test every genre, and A has 4 groups"),
    (limits.ConstantPredictions("lda", 50), "shrinkage LDA predicts the same for every song: its parameters are too strict for 50 songs"),
    (limits.NotBetterThanChance("lda", 0.3), "shrinkage LDA is not shown to be better than chance (p = 0.30): treat its predictions as guesses"),
    (limits.AllTestSongsCorrect(10, "song", 0.741), "for 10 songs an accuracy down to 0.74 remains possible"),
    (limits.FewTestGroups(3, "artist"), "the test songs are of 3 artists: with so few"),
    (limits.FewTestSongs("A", 1, 7, 5), "7 genres have fewer than 5 test songs, A has 1 song: scores of a single genre"),
    (limits.FewTestSongs("A", 2, 1, 5), "A has 2 songs in the test set, fewer than 5: scores"),
    (limits.UnknownArtists(284), "the artists of all 284 songs are unknown: songs of one artist may be on both sides"),
    (limits.UnverifiedCalibration(24, "artist"), "whether the probabilities are calibrated cannot be verified on 24 artists"),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "part"), LIMITS)
def test_limits_have_sentences_and_come_back_from_a_card(limit, part):
    assert part in limit_sentence(limit)
    assert not limit_sentence(limit).endswith(".")
    assert limit_from(plain(limit)) == limit


def test_every_limit_is_tested():
    assert {type(limit) for limit, _ in LIMITS} == set(limits.Limit.__subclasses__())


@pytest.mark.parametrize(("value", "text"), [(2310.4, "2,310"), (0.51234, "0.512"), (-36.68, "-36.7"), (138.4, "138")])
def test_quantities_have_three_digits(value, text):
    assert quantity(value) == text


def test_songs_without_an_artist_are_one_limit_for_all_genres():
    small, chance = limits.SmallGenre("A", 2, 6), limits.FewTestGroups(4, "artist")
    genres = [limits.UngroupedSongs(f"G{number}", "artist", 3, 8) for number in range(8)]
    first, together, last = limit_sentences([small, *genres, chance])
    assert (first, last) == (limit_sentence(small), limit_sentence(chance))
    assert together == (
        "24 songs of 8 genres are without an artist and may be of artists in training: G0, G1, G2, G3, G4, G5 and 2 more"
    )
    assert limit_sentences([genres[0], small]) == [limit_sentence(genres[0]), limit_sentence(small)]
