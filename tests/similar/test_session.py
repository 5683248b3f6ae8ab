"""Results of requests against brute force: similar, diverse, several songs, filters, one artist's share, info, copies."""

import csv
import io
import json
from collections import Counter

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import any_detector, make_library, separable_library
from searches import Searches, Shown
from signals import RATE_HZ, music

from songmap.core.errors import AudioError, QueryError, SchemaError
from songmap.core.workspace import Workspace
from songmap.library.descriptors import DESCRIPTORS, describe, descriptor
from songmap.library.genre_model import Calibration, GenreModel, load_model, save_model, save_out_of_fold
from songmap.library.keys import NO_KEY, camelot, compatible, estimate_keys, key_margins, key_number, keys_of
from songmap.library.library import Library, library_fingerprint
from songmap.library.names import Ambiguous
from songmap.library.recordings import coordinates
from songmap.library.schema import FAMILIES, block_slice, column_index, family_indices
from songmap.similar.comparison import Comparison
from songmap.similar.requests import Filters, Setting, TransitionsRequest
from songmap.similar.transitions import UNKNOWN

FREE = Filters(max_per_artist=None)


def balanced_units(library: Library, weights: dict[str, float] | None = None) -> np.ndarray:
    """The space by its definition, float64: standardised descriptors, families of equal weight."""
    numbers = describe(library.embeddings)
    varies = np.ptp(numbers, axis=0) > 0
    numbers = (numbers - numbers.mean(axis=0)) / np.where(varies, numbers.std(axis=0), np.inf)
    for family in FAMILIES:
        own = [place for place, one in enumerate(DESCRIPTORS) if one.family == family]
        numbers[:, own] *= np.sqrt((weights or {}).get(family, 1) / len(own))
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def normalised(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def chosen_by_definition(query, units, candidates, number, diversity=0.0, artists=None, most=None) -> list[int]:
    """Maximal marginal relevance, song by song; with diversity 0 the nearest. At most ``most`` songs of an artist.

    None is less similar than ``1 - diversity`` of what the last of the nearest is, where that is similar at all.
    """
    if diversity:
        last = units[chosen_by_definition(query, units, candidates, number, 0.0, artists, most)[-1]] @ query
        candidates = [row for row in candidates if units[row] @ query >= min(last, (1 - diversity) * last) - 1e-6]
    chosen: list[int] = []
    songs_of: Counter[str] = Counter()
    while len(chosen) < number:
        left = [row for row in candidates if row not in chosen]
        if most:
            left = [row for row in left if not artists[row] or songs_of[artists[row]] < most]
        if not left:
            break
        best = max(
            left,
            key=lambda row: (
                (1 - diversity) * (units[row] @ query)
                - diversity * max((units[row] @ units[other] for other in chosen), default=0),
                units[row] @ query,
                -row,
            ),
        )
        chosen.append(best)
        songs_of[artists[best] if artists else ""] += 1
    return chosen


def rows_of(library: Library, answer: Shown) -> list[int]:
    row_of = {path: row for row, path in enumerate(library.songs["file_path"])}
    return [row_of[record["file_path"]] for record in answer.records]


@pytest.fixture(scope="module")
def library() -> Library:
    """40 songs by nine artists, some unknown, one spelt in two ways."""
    library = make_library(40, genres=["HOUSE", "TRANCE", "DUB"], seed=1)
    library.songs["artist"] = [
        ["Ann", "ANN", "Bo", "", "Cé", "ce", "Dee", "Eve", "Flo", "Gus"][row % 10] for row in range(40)
    ]
    library.songs["tempo_bpm"] = [[129.2, 64.6, 99.4, 0.0][row % 4] for row in range(40)]
    library.songs["year"] = [1980.0 + row if row % 3 else np.nan for row in range(40)]
    return library


@pytest.fixture(scope="module")
def answers(library) -> Searches:
    return Searches(library)


# --- similar and diverse


def test_a_song_is_not_in_the_query_and_steered_away_from(library):
    name = library.songs["song_name"].iloc[0]
    with pytest.raises(QueryError, match="both in the query and to be steered away from"):
        Searches(library).similar([name], [name], 3, Filters())


def test_similar_songs_are_the_nearest(library, answers):
    units = balanced_units(library)
    for row in (0, 17, 39):
        answer = answers.similar([f"song {row:03d}"], [], 8, FREE)
        others = [other for other in range(40) if other != row]
        assert rows_of(library, answer) == chosen_by_definition(units[row], units, others, 8)
        expected = [units[other] @ units[row] for other in rows_of(library, answer)]
        np.testing.assert_allclose([record["similarity"] for record in answer.records], expected, atol=1e-6)
        assert [record["rank"] for record in answer.records] == list(range(1, 9))


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("most", [None, 1, 2])
def test_diverse_choices_are_the_definition(library, diversity, most, monkeypatch):
    monkeypatch.setattr(Comparison, "random_similarity", 1.0)  # the limit per artist does not yield
    units = balanced_units(library)
    artists = [{"ANN": "ann", "Ann": "ann", "Cé": "ce"}.get(artist, artist) for artist in library.songs["artist"]]
    expected = chosen_by_definition(
        units[5], units, [row for row in range(40) if row != 5], 12, diversity, artists, most
    )
    answer = Searches(library).diverse(["song 005"], [], 12, diversity, Filters(max_per_artist=most))
    assert rows_of(library, answer) == expected


@given(n_songs=st.integers(2, 25), number=st.integers(1, 30), seed=st.integers(0, 50), same=st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_no_diversity_is_similar(n_songs, number, seed, same):
    library = make_library(n_songs, seed=seed)
    library.embeddings[:same] = library.embeddings[0]
    answers = Searches(library)
    song = f"song {seed % n_songs:03d}"
    plain, diverse = answers.similar([song], [], number, FREE), answers.diverse([song], [], number, 0, FREE)
    assert plain.records == diverse.records
    assert len(plain.records) == min(number, n_songs - 1)


@pytest.mark.parametrize("diversity", [0.3, 0.5, 0.9, 1.0])
def test_no_diverse_song_is_unlike_the_query(diversity):
    """Where cosines are centred, half of a library is unlike a song; of the nearest ten none is, then of diverse ten."""
    library = make_library(60, seed=3)
    answers = Searches(library)
    for song in ("song 000", "song 021", "song 059"):
        plain, diverse = answers.similar([song], [], 10, FREE), answers.diverse([song], [], 10, diversity, FREE)
        least = [min(record["similarity"] for record in answer.records) for answer in (plain, diverse)]
        assert least[0] > 0
        assert least[1] >= (1 - diversity) * least[0] - 1e-6
        assert len(diverse.records) == 10
        assert diverse.records != plain.records


def test_where_too_few_are_similar_the_nearest_are_taken():
    """Two groups on opposite sides: ten songs are wanted, four are on the query's side."""
    embeddings = np.random.default_rng(0).standard_normal((20, 641)) * 0.5
    embeddings += np.where(np.arange(20) < 5, 1, -1)[:, None]
    answers = Searches(Library(embeddings.astype(np.float32), make_library(20).songs))
    plain, diverse = (answers.similar(["song 000"], [], 10, FREE), answers.diverse(["song 000"], [], 10, 0.5, FREE))
    assert plain.records[-1]["similarity"] < 0
    assert sorted(rows_of(answers.library, diverse)) == sorted(rows_of(answers.library, plain))


def test_diversity_out_of_range_is_refused(answers):
    with pytest.raises(QueryError, match=r"a diversity of 1\.5 is out of range, give 0 to 1"):
        answers.diverse(["song 005"], [], 12, 1.5, FREE)


def test_a_small_pool_grows_until_artists_suffice(monkeypatch):
    """The 30 nearest songs are by one artist: those of others are found behind them."""
    library = make_library(60, artist="")
    library.embeddings[:] = np.random.default_rng(0).standard_normal((60, 641))
    library.embeddings[1:31] = library.embeddings[0] + 0.1 * library.embeddings[1:31]
    library.songs["artist"] = ["One" if 0 < row < 31 else f"artist {row}" for row in range(60)]
    monkeypatch.setattr(Comparison, "random_similarity", -1.0)
    monkeypatch.setattr("songmap.similar.ranking.DIVERSE_POOL", 4)
    for answer in (
        Searches(library).similar(["song 000"], [], 5, Filters()),
        Searches(library).diverse(["song 000"], [], 5, 0.2, Filters()),
    ):
        assert [record["artist"] for record in answer.records].count("One") == 2
        assert len(answer.records) == 5
        assert "at most 2 by one artist (--max-per-artist)" in answer.text()


@pytest.fixture
def one_artist() -> Searches:
    """Songs 0 to 7 are similar and by one artist, the other 12 are different from these."""
    embeddings = np.random.default_rng(0).standard_normal((20, 641)) * 0.5
    embeddings += np.where(np.arange(20) < 8, 1, -1)[:, None]
    library = make_library(20)
    library.songs["artist"] = ["One" if row < 8 else f"artist {row}" for row in range(20)]
    return Searches(Library(embeddings.astype(np.float32), library.songs))


@pytest.mark.parametrize(("number", "n_past"), [(2, 0), (5, 3), (10, 5)])
def test_the_limit_per_artist_yields_to_songs_that_are_similar(one_artist, number, n_past):
    answer = one_artist.similar(["song 000"], [], number, Filters())
    assert answer.result.past_limit == n_past
    assert [record["artist"] for record in answer.records].count("One") == min(2 + n_past, number)
    similarities = [record["similarity"] for record in answer.records]
    assert similarities == sorted(similarities, reverse=True)
    assert ("the limit of 2 songs by one artist is exceeded" in answer.text()) == (n_past > 0)


def test_answers_that_are_not_similar_are_said_to_be(one_artist):
    level = one_artist.comparison.random_similarity
    few, many = (one_artist.similar(["song 000"], [], number, Filters()) for number in (7, 10))
    assert few.records[-1]["similarity"] > level >= many.records[7]["similarity"]
    assert "picked at random" not in few.text()
    assert f"Songs 8 to 10 are not similar: two songs picked at random have {level:.2f}." in many.text()


def test_random_similarity_is_the_median_of_all_pairs(library, answers):
    units = balanced_units(library)
    pairs = (units @ units.T)[np.triu_indices(40, 1)]
    assert answers.comparison.random_similarity == pytest.approx(np.median(pairs), abs=1e-6)


def test_the_list_without_a_limit_is_that_of_the_map(library, answers):
    """What the map's page lists for a song."""
    rows, _ = answers.comparison.neighbours(8)
    for row in (0, 17, 39):
        assert rows_of(library, answers.similar([f"song {row:03d}"], [], 8, FREE)) == rows[row].tolist()


def test_songs_without_artist_are_not_counted():
    library = make_library(12, artist="")
    assert len(Searches(library).similar(["song 000"], [], 10, Filters(max_per_artist=1)).records) == 10


def test_several_songs_and_songs_to_steer_away_from(library, answers):
    units = balanced_units(library)
    query = normalised(normalised(units[3] + units[8] + units[20]) - 0.5 * normalised(units[11] + units[30]))
    answer = answers.similar(["song 003", "song 008", "song 020"], ["song 011", "song 030"], 9, FREE)
    others = [row for row in range(40) if row not in (3, 8, 20, 11, 30)]
    assert rows_of(library, answer) == chosen_by_definition(query, units, others, 9)
    assert answer.records[0]["query_file_path"] == "/music/song 003.mp3 + /music/song 008.mp3 + /music/song 020.mp3"
    assert answer.records[0]["away_file_path"] == "/music/song 011.mp3 + /music/song 030.mp3"
    text = answer.text()
    assert text.startswith(
        "Similar to song 003 [HOUSE] + song 008 – Flo [DUB] + song 020 – Ann [DUB], away from song 011 – ANN [DUB] + song 030 – Ann [HOUSE]"
    )
    away = answers.similar(["song 003"], ["song 011"], 9, FREE)
    query = normalised(units[3] - 0.5 * units[11])
    assert rows_of(library, away) == chosen_by_definition(
        query, units, [row for row in range(40) if row not in (3, 11)], 9
    )


def test_songs_that_cancel_each_other_out_are_refused():
    library = make_library(2)
    with pytest.raises(QueryError, match="cancel each other out"):
        Searches(library).similar(["song 000", "song 001"], [], 3, FREE)


def test_weights_count_families(library):
    weights = {"timbre": 2.0, "rhythm": 0.5, "mel": 0.0}
    units = balanced_units(library, weights)
    answer = Searches(library, weights=weights).similar(["song 004"], [], 6, FREE)
    assert rows_of(library, answer) == chosen_by_definition(units[4], units, [row for row in range(40) if row != 4], 6)


def test_filters_hold_by_definition(library, answers):
    units = balanced_units(library)
    keys, _ = keys_of([""] * 40, library.embeddings)
    assert NO_KEY in keys  # of random chroma some are not sure
    wanted = Filters(("trance", "DUB"), False, (120, 130), "compatible", (1985, 2019), None)
    candidates = [
        row for row in range(40)
        if row != 10
        and library.genres[row] in ("TRANCE", "DUB")
        and row % 4 in (0, 1)
        and compatible(keys[row], keys[10])
        and row % 3 and 1985 <= 1980 + row <= 2019
    ]  # fmt: skip
    assert len(candidates) > 1
    answer = answers.similar(["song 010"], [], 9, wanted)
    assert rows_of(library, answer) == chosen_by_definition(units[10], units, candidates, 9)
    title = next(line for line in answer.text().splitlines() if line.startswith("Similar to"))
    for words in (
        "genre DUB or TRANCE",
        "120-130 BPM ± 0.5, half or double too",
        "(of tags or estimates)",
        "year 1985-2019",
        "no more songs pass the filters",
    ):
        assert words in title
    tempos = {1.0: 129.2, 2.0: 64.6}
    assert {record["tempo_factor"] for record in answer.records} <= set(tempos)
    assert all(record["tempo_bpm"] == tempos[record["tempo_factor"]] for record in answer.records)
    slow = answers.similar(["song 010"], [], 40, Filters(bpm=(120, 130)))
    assert "65 (double: 129)" in slow.text()
    assert all(
        record["key"] == ("" if keys[row] == NO_KEY else camelot(keys[row]))
        for row, record in zip(rows_of(library, slow), slow.records, strict=True)
    )


def test_tags_of_tempo_count_for_display_filters_and_transitions_unless_measured_is_preferred():
    library = make_library(4)
    library.songs["tempo_bpm"] = [174.02, 174.0, 100.0, 87.03]
    library.songs["tempo_octave"] = [1.0, 2.0, 1.0, 1.0]
    library.songs["tag_bpm"] = [87.0, np.nan, 134.0, np.nan]  # an octave off, none, contradicting, none
    library.songs["key"] = ["8A", "", "", ""]
    library.embeddings[0, block_slice("chroma", "mean")] = 0.5  # nothing that could contradict
    tag, measured = Searches(library), Searches(library)
    measured.setting = Setting(tempo="measured")
    for answers, tempos, sources in (
        (tag, [87, 174, 100, 87.03], ["tag", "octave", "measured", "measured"]),
        (measured, [174.02, 174, 100, 87.03], ["measured", "octave", "measured", "measured"]),
    ):
        listed = answers.listing().records
        assert [record["tempo_bpm"] for record in listed] == tempos
        assert [record["tempo_source"] for record in listed] == sources
        found = answers.similar(["song 001"], [], 3, Filters(bpm=(87, 87), max_per_artist=None)).records
        assert {record["song_name"]: record["tempo_factor"] for record in found} == {
            "song 000": 87 / tempos[0] if tempos[0] == 87 else 0.5, "song 003": 1,
        }  # fmt: skip
        assert answers.why("song 000", "song 002").result.tempos_bpm == (tempos[0], 100)
        assert answers.comparison.tracks.tempos_bpm.tolist() == tempos
    assert tag.listing().records[0]["key_source"] == "tag"
    assert tag.comparison.tracks.keys[0] == key_number("8A")
    about = tag.info("song 000").text()
    assert "87, of its tag; 174.0 measured" in about
    assert "8A (A minor), of its tag" in about
    assert "174.0, double of what was measured, as most of TRANCE" in tag.info("song 001").text()


def test_a_key_that_is_not_sure_counts_as_unknown():
    library = make_library(3)
    scale = np.array([5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4])
    chroma = np.stack([scale, scale + np.roll(scale, 6), np.roll(scale, 7)])  # C major, C and F# major, G major
    library.embeddings[:, block_slice("chroma", "mean")] = chroma
    answers = Searches(library)
    assert [record["key"] for record in answers.listing().records] == ["8B", "", "9B"]
    found = answers.similar(["song 000"], [], 3, Filters(key="compatible", max_per_artist=None)).records
    assert [record["song_name"] for record in found] == ["song 002"]
    change = answers.run(TransitionsRequest(("song 000", "song 001"))).result.transitions[1]
    assert change.keys[1] == NO_KEY
    assert change.key_fit == UNKNOWN
    assert "too little to count (below 0.03)" in answers.info("song 001").text(verbose=True)
    with pytest.raises(QueryError, match="the key of the query is unknown"):
        answers.similar(["song 001"], [], 3, Filters(key="compatible"))


def test_how_regular_beats_are_is_said_finer_than_a_frame():
    library = make_library(2)
    library.songs["beat_deviation_s"] = [0.0124, np.nan]
    answers = Searches(library)
    assert "The time between beats varies by 12 ms" in answers.info("song 000").text(verbose=True)
    assert answers.info("song 000").records[0]["beat_deviation_s"] == 0.0124
    assert "beats varies" not in answers.info("song 001").text(verbose=True)


def test_a_filter_that_leaves_nothing_is_one_line(answers):
    with pytest.raises(
        QueryError, match="no other song passes 'genre DUB' and 'year 1900'; without 'year 1900' there are 13"
    ):
        answers.similar(["song 010"], [], 9, Filters(genres=("DUB",), years=(1900, 1900)))
    with pytest.raises(QueryError, match="no genre 'POLKA'; there are DUB, HOUSE, TRANCE"):
        answers.similar(["song 010"], [], 9, Filters(genres=("POLKA",)))


def test_the_order_of_the_library_changes_no_answer(library, answers):
    order = np.random.default_rng(4).permutation(40)
    other = Searches(Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True)))
    for request in (
        lambda one: one.similar(["song 007"], ["song 008"], 12, Filters()),
        lambda one: one.diverse(["song 007", "song 009"], [], 12, 0.5, Filters(bpm=(120, 130))),
        lambda one: one.why("song 001", "song 002"),
        lambda one: one.hubs(3),
        lambda one: one.outliers(40),
    ):
        first, second = request(answers).records, request(other).records
        if "k_occurrence" in first[0]:
            assert [record["k_occurrence"] for record in first] == [record["k_occurrence"] for record in second]
        else:
            assert [record.get("file_path") for record in first] == [record.get("file_path") for record in second]
            values = [
                [record.get("similarity", record.get("contribution")) for record in one] for one in (first, second)
            ]
            np.testing.assert_allclose(*values, atol=1e-6)


def test_the_title_names_the_correction_of_hubs(library):
    corrected = Searches(library, correct_hubs=True)
    answer = corrected.similar(["song 007"], [], 5, FREE)
    assert "mutual proximity" in answer.text()
    assert all(0 <= record["similarity"] <= 1 for record in answer.records)
    assert len(corrected.diverse(["song 007"], [], 5, 0.5, FREE).records) == 5


# --- names, numbers, files


def test_numbers_name_songs_of_the_last_answer(library, answers):
    first = rows_of(library, answers.similar(["song 007"], [], 3, FREE))
    assert answers.session.last == library.songs["file_path"].iloc[first].tolist()
    assert (
        answers.similar(["2"], [], 1, FREE).records[0]["query_file_path"] == library.songs["file_path"].iloc[first[1]]
    )
    assert len(answers.session.last) == 1
    with pytest.raises(QueryError, match=r"^2 is not a number of the last answer, which has 1 song$"):
        answers.similar(["2"], [], 1, FREE)  # though it is a part of many names
    assert answers.listing("dub").records[4]["rank"] == 5
    lookup, last = answers.session.lookup, answers.session.last
    assert lookup.song(lookup.rows(["5"], last)[0]).song_name == answers.listing("dub").records[4]["song_name"]


def test_an_ambiguous_name_carries_its_rows(answers):
    with pytest.raises(Ambiguous) as caught:
        answers.compare("song 01", "song 000")
    assert caught.value.rows == list(range(10, 20))


def test_files_outside_the_library(tmp_path, answers, library):
    outside, broken = tmp_path / "new song.wav", tmp_path / "broken.mp3"
    soundfile.write(outside, music(4.0), RATE_HZ)
    broken.write_text("no audio")
    answer = answers.similar([str(outside), "song 003"], [], 3, FREE)
    assert answer.records[0]["query_file_path"] == f"{outside} + /music/song 003.mp3"
    assert len(answers.similar(["song 003"], [str(outside)], 50, FREE).records) == 39
    record = answers.info(str(outside)).records[0]
    assert record["song_name"] == "new song"
    assert record["nearest"]["file_path"] == answers.similar([str(outside)], [], 1, FREE).records[0]["file_path"]
    why = answers.why(str(outside), "song 003").records
    assert sum(one["contribution"] for one in why[:-1]) == pytest.approx(why[-1]["contribution"], abs=1e-9)
    with pytest.raises(QueryError, match="is not in the library; add it"):
        answers.session.lookup.rows([str(outside)])
    with pytest.raises(AudioError, match=r"broken\.mp3"):
        answers.similar([str(broken)], [], 1, FREE)
    with pytest.raises(QueryError, match="the genre of the query is unknown"):
        answers.similar([str(outside)], [], 1, Filters(same_genre=True))


# --- copies


@pytest.fixture(scope="module")
def copied() -> Library:
    library = make_library(9, artist="")
    for copy, first in ((2, 1), (4, 3), (5, 3)):
        library.embeddings[copy] = library.embeddings[first]
        library.embeddings[copy, column_index("chroma_C_mean")] += 0.01
        library.songs.loc[copy, "duplicate_of"] = library.songs["file_path"][first]
    return library


def test_copies_are_left_out_and_counted(copied):
    answers = Searches(copied)
    answer = answers.similar(["song 004"], ["song 002"], 99, Filters())
    assert sorted(rows_of(copied, answer)) == [0, 6, 7, 8]
    answer = answers.similar(["song 000"], [], 99, Filters())
    assert sorted(rows_of(copied, answer)) == [1, 3, 6, 7, 8]
    assert "3 copies of these left out (--copies lists them)" in answer.text()
    answer = answers.similar(["song 004"], ["song 002"], 99, Filters(copies=True))
    assert sorted(rows_of(copied, answer)) == [0, 1, 3, 5, 6, 7, 8]
    assert "left out" not in answer.text()


def test_duplicates_in_groups(copied):
    answer = Searches(copied).duplicates()
    assert [(record["group"], record["song_name"]) for record in answer.records] == [
        (1, "song 001"), (1, "song 002"), (2, "song 003"), (2, "song 004"), (2, "song 005")
    ]  # fmt: skip
    points = coordinates(copied.embeddings).astype(np.float64)
    for record, row, first in zip(answer.records, (1, 2, 3, 4, 5), (1, 1, 3, 3, 3), strict=True):
        assert record["similarity"] == pytest.approx(1 / (1 + np.linalg.norm(points[row] - points[first])))
    assert "2 recordings in several files" in answer.text()
    assert Searches(make_library(3)).duplicates().text() == "Recordings in several files: none"


def test_info_has_everything(copied):
    library = Library(copied.embeddings, copied.songs.assign(mood="calm", key="Am", album="Best Of", year=1994.0))
    answers = Searches(library)
    record = answers.info("song 003").records[0]
    assert record["copies"] == ["/music/song 004.mp3", "/music/song 005.mp3"]
    nearest = answers.similar(["song 003"], [], 1, FREE).records[0]
    assert (record["nearest"]["file_path"], record["nearest"]["similarity"]) == (
        nearest["file_path"],
        nearest["similarity"],
    )
    keys, correlations = estimate_keys(library.embeddings)
    assert record["key_estimate"] == camelot(keys[3])
    assert record["key_margin"] == pytest.approx(key_margins(library.embeddings)[3])
    assert record["key_correlation"] == pytest.approx(correlations[3])
    assert (record["year"], record["album"], record["mood"], record["key_tag"]) == (1994, "Best Of", "calm", "Am")
    for one in record["descriptors"]:
        values = descriptor(one["descriptor"]).values(library.embeddings)
        if one["descriptor"] == "tempo":  # the one that is printed of the song everywhere
            values = library.songs["tempo_bpm"].to_numpy()
        assert one["value"] == values[3]
        assert one["percentile"] == pytest.approx(
            100 * (np.mean(values < values[3]) + np.mean(values == values[3]) / 2)
        )
    text = answers.info("song 003").text(verbose=True)
    for words in (
        "1:03",
        "calm",
        "Best Of",
        "1994",
        "song 004.mp3",
        f"{camelot(keys[3])} (",
        f"{correlations[3]:.2f} with",
    ):
        assert words in text


# --- small, odd and large


def test_libraries_too_small_to_compare():
    with pytest.raises(QueryError, match="the library is empty"):
        Searches(make_library(0))
    one = Searches(make_library(1))
    assert len(one.listing().records) == 1
    assert one.info("song").records[0]["nearest"] is None
    assert one.duplicates().records == []
    for request in (
        lambda: one.similar(["song"], [], 1, FREE),
        lambda: one.diverse(["song"], [], 1, 0.5, FREE),
        lambda: one.compare("song", "song"),
        lambda: one.why("song", "song"),
        lambda: one.outliers(1),
        lambda: one.hubs(1),
        one.evaluate,
        one.genres,
    ):
        with pytest.raises(QueryError, match="no other song to compare"):
            request()


def test_identical_songs_and_constant_columns():
    library = make_library(5, artist="")
    same = Searches(Library(np.repeat(library.embeddings[:1], 5, axis=0), library.songs))
    assert [record["similarity"] for record in same.similar(["song 001"], [], 9, Filters()).records] == [0, 0, 0, 0]
    assert rows_of(library, same.similar(["song 001", "song 002"], ["song 000"], 9, Filters())) == [3, 4]
    assert [record["contribution"] for record in same.why("song 001", "song 002").records] == [0] * 8
    assert same.compare("song 001", "song 002").records[0]["similarity"] == 0
    assert len(same.outliers(9).records) == 5
    assert len(same.info("song 001").records[0]["descriptors"]) == 12
    constant = library.embeddings.copy()
    constant[:, family_indices("mel")] = 7
    answers = Searches(Library(constant, library.songs))
    assert len(answers.diverse(["song 001"], [], 9, 0.5, Filters()).records) == 4
    assert answers.why("song 001", "song 002").records[FAMILIES.index("mel")]["contribution"] == 0


def test_answers_of_column_spaces_do_not_change_with_units_of_columns(library):
    rng = np.random.default_rng(8)
    moved = (library.embeddings * rng.uniform(0.5, 50, 641) + rng.uniform(-9, 9, 641)).astype(np.float32)
    for space in ("scaled", "balanced641"):
        first, second = (
            Searches(Library(embeddings, library.songs), space=space).similar(["song 005"], [], 39, FREE).records
            for embeddings in (library.embeddings, moved)
        )
        values = [{record["file_path"]: record["similarity"] for record in one} for one in (first, second)]
        for path, value in values[0].items():
            assert values[1][path] == pytest.approx(value, abs=1e-4)


ODD_NAMES = ['He said "hi"', "It's [bold]", "a|b", "night, drive; x", "夜に駆ける 🎧", "x" * 120, "=1+1", "line\nbreak"]


def test_csv_carries_any_name_and_every_record():
    library = make_library(len(ODD_NAMES), names=ODD_NAMES)
    answers = Searches(library)
    for answer in (
        answers.similar(["a|b"], [], 99, FREE),
        answers.compare("a|b", "bold"),
        answers.info("a|b"),
        answers.evaluate(),
    ):
        rows = list(csv.DictReader(io.StringIO(answer.csv("raw"))))
        assert len(rows) == len(answer.records)
        for row, record in zip(rows, answer.records, strict=True):
            assert list(row) == list(record)
            for name, value in record.items():
                if isinstance(value, str):
                    assert row[name] == value
                elif isinstance(value, dict | list):
                    assert json.loads(row[name]) == json.loads(json.dumps(value))
                elif isinstance(value, float) and not np.isnan(value):
                    assert float(row[name]) == value
    assert answers.duplicates().csv() == ""


# --- the classifier's space


def saved_model(workspace: Workspace, library: Library, trained_on: Library) -> GenreModel:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    genres = sorted(set(library.genres))
    labels = np.array([genres.index(genre) for genre in library.genres])
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(C=1e-3))])
    pipeline.fit(library.embeddings.astype(np.float64), labels)
    calibration = Calibration((1.0,), 0.0, 0.0, np.full(len(genres), 1 / len(genres)))
    medians = np.stack([np.median(library.embeddings[labels == code], axis=0) for code in range(len(genres))])
    model = GenreModel(
        "logistic", [pipeline], genres, calibration, library.embeddings[:3], medians, 0.1, any_detector(len(genres))
    )
    save_model(workspace, model, {"data": library_fingerprint(trained_on)})
    return model


def test_the_classifier_space_uses_the_saved_model(tmp_path):
    library = separable_library(3, 8, distance=0.3)
    workspace = Workspace(tmp_path)
    model = saved_model(workspace, library, library)
    answers = Searches(library, workspace, "classifier")
    answer = answers.similar(["song 004"], [], 5, FREE)
    units = np.sqrt(model.predict_proba(library.embeddings))
    expected = chosen_by_definition(units[4], units, [row for row in range(24) if row != 4], 5)
    assert rows_of(library, answer) == expected
    assert "uses the genre model logistic, which was trained on this library as it is" in answer.text()
    assert answers.compare("song 001", "song 002").records[0]["contributions"] == {}
    with pytest.raises(QueryError, match="in the classifier space a similarity does not split into families"):
        answers.why("song 001", "song 002")


def test_the_classifier_is_evaluated_by_probabilities_of_models_trained_without_the_songs(tmp_path):
    library = separable_library(3, 8, distance=0.3)
    workspace = Workspace(tmp_path)
    model = saved_model(workspace, library, library)
    answers = Searches(library, workspace)
    without = answers.evaluate()
    assert {record["space"] for record in without.records} == {"balanced", "scaled", "balanced641"}
    assert "genre_out_of_fold.npz does not exist; run 03" in " ".join(without.text().split())
    proba = np.random.default_rng(0).dirichlet(np.ones(3), 24)  # knows nothing, as a model in-sample would not
    proba[5] = np.nan  # not trained on
    save_out_of_fold(workspace, load_model(workspace)[1], proba)
    evaluated = answers.evaluate()
    record = next(one for one in evaluated.records if one["space"] == "classifier" and not one["hubs_corrected"])
    proba[5] = model.predict_proba(library.embeddings[[5]])[0]
    units = np.sqrt(proba)
    own = [
        np.mean([library.genres[row] == library.genres[query] for row in chosen_by_definition(
            units[query], units, [row for row in range(24) if row != query], 10)])
        for query in range(24)
    ]  # fmt: skip
    assert record["same_genre"] == pytest.approx(np.mean(own))  # genres are of one size
    assert "by a model that was trained without it" in evaluated.text(verbose=True)
    assert evaluated.result.best.space != "classifier"


def test_a_model_of_another_library_is_not_evaluated(tmp_path):
    library = separable_library(2, 6)
    saved_model(Workspace(tmp_path), library, separable_library(2, 6, seed=5))
    evaluated = Searches(library, Workspace(tmp_path)).evaluate()
    assert "classifier" not in {record["space"] for record in evaluated.records}
    assert "evaluated on songs that it was trained on" in " ".join(evaluated.text().split())


def test_a_model_of_another_library_is_named(tmp_path):
    library = separable_library(2, 6)
    saved_model(Workspace(tmp_path), library, separable_library(2, 6, seed=5))
    text = Searches(library, Workspace(tmp_path), "classifier").similar(["song 004"], [], 5, FREE).text()
    assert "trained on an earlier state of this library, or another" in text


def test_without_a_model_there_is_no_classifier_space(tmp_path):
    library = make_library(4)
    for workspace in (None, Workspace(tmp_path)):
        with pytest.raises(SchemaError, match=r"03_genre_classifier\.py"):
            Searches(library, workspace, "classifier").similar(["song 001"], [], 1, FREE)
