"""Why two songs are alike: shares that add up, measures in real units, sentences that the numbers back, the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import make_library, separable_library
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from songmap.core.errors import QueryError
from songmap.core.text import quantity
from songmap.library.library import Library
from songmap.library.mel import mel_centres_hz
from songmap.library.schema import COLUMNS, FAMILIES, N_COLUMNS, AudioConfig, block_slice, column_index, family_indices
from songmap.similar import reasons
from songmap.similar.answers import Answers
from songmap.similar.filters import Filters
from songmap.similar.measures import measures, percentile


@pytest.fixture(scope="module")
def library() -> Library:
    library = separable_library(2, 10, distance=0.7)
    scales = np.random.default_rng(0).uniform(0.01, 100, N_COLUMNS)
    return Library((library.embeddings * scales).astype(np.float32), library.songs)


@pytest.mark.parametrize("space", ["balanced", "scaled"])
def test_shares_add_up_to_the_similarity(library, space):
    answers = Answers(library, space=space)
    listed = {
        record["file_path"]: record["similarity"]
        for record in answers.similar(["song 004"], [], 99, Filters(max_per_artist=None)).records
    }
    for row in range(20):
        records = answers.why("song 004", f"song {row:03d}").records
        assert [record["family"] for record in records] == [*FAMILIES, "all"]
        total = records[-1]["contribution"]
        assert sum(record["contribution"] for record in records[:-1]) == pytest.approx(total, abs=1e-9)
        expected = 1 if row == 4 else listed[f"/music/{row:03d}.mp3"]
        assert total == pytest.approx(expected, abs=1e-6)


@given(seed=st.integers(0, 1000), weight=st.just(0.0) | st.floats(1e-3, 10))
@settings(max_examples=30, deadline=None)
def test_shares_are_the_cosine(seed, weight):
    first, second = np.random.default_rng(seed).standard_normal((2, N_COLUMNS)) * np.array([[1], [weight]])
    shares = reasons.shares(first, second)
    if weight > 0:
        assert shares.sum() == pytest.approx(first @ second / np.linalg.norm(first) / np.linalg.norm(second), abs=1e-12)
        assert sum(reasons.by_family(shares).values()) == pytest.approx(shares.sum(), abs=1e-12)
    else:
        assert not shares.any()


def test_a_family_that_alone_is_equal_is_all_of_the_similarity():
    """Songs equal in rhythm and at right angles elsewhere."""
    rng = np.random.default_rng(2)
    embeddings = rng.standard_normal((60, N_COLUMNS)).astype(np.float32)
    rhythm = family_indices("rhythm")
    embeddings[1, rhythm] = embeddings[0, rhythm]
    records = Answers(Library(embeddings, make_library(60).songs)).why("song 000", "song 001").records
    of = {record["family"]: record for record in records}
    assert max(FAMILIES, key=lambda family: of[family]["contribution"]) == "rhythm"
    assert of["rhythm"]["agreement"] == pytest.approx(1)
    assert of["rhythm"]["differ"] == []


def test_every_column_belongs_to_one_measure():
    columns = np.concatenate([one.columns for one in measures()])
    assert sorted(columns) == list(range(N_COLUMNS))
    for one in measures():
        assert set(one.columns) <= set(family_indices(one.family))
        assert set(one.valued) <= set(one.columns)
    names = [one.name for one in measures()]
    assert len(set(names)) == len(names)
    assert {"tempo", "note C#", "note C#, variation", "MFCC 1 (overall level)", "contrast 200-400 Hz"} <= set(names)


def test_mel_bands_are_told_as_frequency_ranges():
    centres = mel_centres_hz(AudioConfig())
    start = block_slice("mel", "mean").start
    of = {one.name: one for one in measures() if one.family == "mel"}
    assert set(of) == {
        "sub-bass, 0-60 Hz", "bass, 60-250 Hz", "low mids, 250-500 Hz", "mids, 500-2,000 Hz", "upper mids, 2,000-4,000 Hz",
        "presence, 4,000-6,000 Hz", "treble, above 6,000 Hz",
    }  # fmt: skip
    bands = np.flatnonzero((centres >= 60) & (centres < 250))
    assert of["bass, 60-250 Hz"].valued.tolist() == (start + bands).tolist()
    assert len(of["bass, 60-250 Hz"].columns) == 4 * len(bands)
    embeddings = make_library(3).embeddings
    np.testing.assert_allclose(
        of["bass, 60-250 Hz"].values(embeddings), embeddings[:, start + bands].mean(axis=1), rtol=1e-5
    )


def test_measures_are_those_that_add_most_in_real_units(library):
    answers = Answers(library)
    units = answers.search.units(np.arange(len(answers.library))).astype(np.float64)
    products = units[4] * units[7] / np.linalg.norm(units[4]) / np.linalg.norm(units[7])
    for record in answers.why("song 004", "song 007").records[:-1]:
        own = [one for one in measures() if one.family == record["family"]]
        added = {one.name: products[one.columns].sum() for one in own}
        sides = {}
        for one in own:
            values = library.embeddings[:, one.valued].mean(axis=1, dtype=np.float64)
            sides[one.name] = (values[4] - values.mean()) * (values[7] - values.mean())
        agree = sorted((name for name in added if added[name] > 0 and sides[name] > 0), key=lambda name: -added[name])[
            :3
        ]
        differ = sorted((name for name in added if added[name] < 0 and sides[name] < 0), key=added.__getitem__)[:3]
        assert [item["measure"] for item in record["agree"]] == agree
        assert [item["measure"] for item in record["differ"]] == differ
        for item in [*record["agree"], *record["differ"]]:
            measure = next(one for one in own if one.name == item["measure"])
            values = library.embeddings[:, measure.valued].mean(axis=1, dtype=np.float64)
            assert (item["first"], item["second"]) == (values[4], values[7])
            assert item["contribution"] == pytest.approx(added[item["measure"]])
            assert item["first_percentile"] == pytest.approx(100 * (np.sum(values < values[4]) + 0.5) / 20)
            assert item["genre_medians"] == {"GENRE00": pytest.approx(np.median(values[:10]))}
            assert item["library_mean"] == pytest.approx(values.mean())


def test_percentiles_count_ties_half():
    values = np.array([1.0, 2.0, 2.0, 3.0])
    assert [percentile(values, value) for value in (0, 1, 2, 3, 9)] == [0, 12.5, 50, 87.5, 100]


def test_sentences_say_what_the_records_hold(library):
    answers = Answers(library)
    answer = answers.why("song 004", "song 017")
    records = {record["family"]: record for record in answer.records}
    said = answer.sentences
    assert said[0].startswith(f"Similarity {records['all']['contribution']:.2f} of at most 1")
    for family in FAMILIES:
        share = records[family]["contribution"]
        if abs(share) >= 0.005:
            assert f"{family} ({share:+.2f})" in said[1]
            side = said[1].split("nlike by")[1] if share < 0 else said[1].split("nlike by")[0]
            assert family in side
            verb = "adds" if share > 0 else "takes off"
            assert records[family]["words"].startswith(f"{family.capitalize()} {verb} {abs(share):.2f}: ")
            told = records[family]["agree" if share > 0 else "differ"][0]
            assert told["measure"] in records[family]["words"]
    similarities = answers.search.similarities(answers.search.units([4])[0], np.delete(np.arange(20), [4, 17]))
    nearer = (similarities > answers.search.similarities(answers.search.units([4])[0], [17])[0]).sum()
    assert f"of 19 other recordings {nearer} are more like A" in said[0]
    where = {(1, 1): "both above", (-1, -1): "both below", (1, -1): "above and below", (-1, 1): "below and above"}
    for record in answer.records[:-1]:
        for name in ("agree", "differ"):
            for item in record[name]:
                sides = tuple(np.sign(item[side] - item["library_mean"]) for side in ("first", "second"))
                assert (sides[0] == sides[1]) == (name == "agree")
                values = f"{item['measure']} {quantity(item['first'])} and {quantity(item['second'])}"
                if values in record["words"]:
                    assert where[sides] in record["words"].split(values)[1].split(";")[0]


def test_tempo_and_key_are_said_for_mixing(library):
    embeddings = library.embeddings.copy()
    embeddings[:, column_index("tempo_bpm")] = np.linspace(120, 139, 20)
    embeddings[4, column_index("tempo_bpm")], embeddings[5, column_index("tempo_bpm")] = 64.6, 129.2
    scale = np.array([5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4])
    embeddings[4, block_slice("chroma", "mean")] = scale
    embeddings[5, block_slice("chroma", "mean")] = np.roll(scale, 7)
    said = " ".join(Answers(Library(embeddings, library.songs)).why("song 004", "song 005").sentences)
    assert "Tempo 64.6 and 129.2 BPM: half of B is as fast as A." in said
    assert "Keys are estimated as 8B (C major) and 9B (G major), which go together on the Camelot wheel." in said


def test_copies_and_a_song_with_itself():
    library = make_library(6)
    library.songs.loc[2, "duplicate_of"] = library.songs["file_path"][1]
    answers = Answers(library)
    assert "both are files of one recording" in answers.why("song 001", "song 002").sentences[0]
    itself = answers.why("song 001", "song 001")
    assert itself.records[-1]["contribution"] == pytest.approx(1, abs=1e-9)
    assert all(record["agreement"] == pytest.approx(1) and record["differ"] == [] for record in itself.records)


def test_principal_components_have_no_families(library):
    with pytest.raises(
        QueryError, match=r"in the pca space a similarity does not split into families .* balanced or scaled"
    ):
        Answers(library, space="pca").why("song 001", "song 002")


@pytest.mark.parametrize("other", [17, 4])
def test_the_picture_shows_every_family_and_measure(library, tmp_path, other):
    answers, file = Answers(library), tmp_path / "why.png"
    answers.why("song 004", f"song {other:03d}", picture=file)
    assert file.read_bytes().startswith(b"\x89PNG")
    sides = [
        reasons.Side(name, "GENRE00", library.embeddings[row], answers.search.units([row])[0], 0)
        for name, row in (("$x$ [A]", 4), (f"夜 | {'long ' * 40}", other))
    ]
    reason = reasons.explain(*sides, library.embeddings, library.genres, "")
    figure = reasons.why_picture(reason)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    shown = {text.get_text(): text.get_window_extent(renderer) for text in figure.findobj(Text) if text.get_text()}
    for record in reason.records[:-1]:
        assert {f"{record['contribution']:+.3f}", record["family"]} <= set(shown)
    told = [item["measure"] for which in ("agree", "differ") for item in reasons.told(reason.records, which)]
    assert set(told) <= set(shown)
    for text, box in shown.items():
        assert box.x0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text


def test_names_of_columns_stay_in_reach():
    """Every column has a measure whose name tells its feature."""
    by_column = {int(one.columns[0]): one.name for one in measures() if one.family != "mel"}
    assert by_column[COLUMNS.index("mfcc_delta_03_mean")] == "MFCC 3, drift"
    assert by_column[COLUMNS.index("contrast_7_std")] == "contrast above 6,400 Hz, variation"
    assert by_column[COLUMNS.index("tonnetz_4_mean")] == "tonnetz 4 (minor thirds)"
    assert by_column[COLUMNS.index("harmonic_rms_mean")] == "level of the harmonic part"


def test_a_range_whose_bands_agree_while_its_level_differs_is_not_told():
    """Two songs with the same ripple over the mel bands, one above and one below the library's mean level."""
    rng = np.random.default_rng(3)
    embeddings = 0.01 * rng.standard_normal((30, N_COLUMNS)).astype(np.float32)
    mel, sides = family_indices("mel"), np.array([0.5, -0.5])
    embeddings[2:, mel] += rng.standard_normal((28, 512)).astype(np.float32)
    ripple = np.where(np.arange(512) % 2, 3.0, -3.0)
    embeddings[:2, mel] = ripple + sides[:, None]
    record = (
        Answers(Library(embeddings, make_library(30).songs), space="scaled").why("song 000", "song 001").records[-2]
    )
    assert record["contribution"] > 0.5
    assert record["agree"] == []
    assert record["words"].endswith("a little of many columns.")


@pytest.mark.filterwarnings("error")  # matplotlib warns of axes without extent
def test_songs_without_direction_are_drawn_too(tmp_path):
    library = make_library(3)
    same = Answers(Library(np.repeat(library.embeddings[:1], 3, axis=0), library.songs))
    answer = same.why("song 000", "song 001", tmp_path / "none.png")
    assert (tmp_path / "none.png").exists()
    assert len(answer.tables) == 1
