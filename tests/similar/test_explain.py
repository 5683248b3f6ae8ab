"""Why two songs are similar: contributions that add up, descriptors in real units, sentences, the picture."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import make_library, separable_library
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from searches import Searches

from songmap.core.errors import QueryError
from songmap.core.figures import draw
from songmap.core.text import quantity
from songmap.library.descriptors import N_DESCRIPTORS, descriptor
from songmap.library.library import Library
from songmap.library.schema import FAMILIES, N_COLUMNS, block_slice, family_indices
from songmap.library.search import Search
from songmap.library.spaces import Space, build_space, coordinates_of
from songmap.library.traits import percentile
from songmap.similar import explain
from songmap.similar.comparison import Comparison
from songmap.similar.lookup import Lookup
from songmap.similar.requests import Filters, Setting
from songmap.similar.views.tables import tables
from songmap.similar.views.why_figure import why_figure
from songmap.similar.views.why_sentences import family_sentence, most_telling


@pytest.fixture(scope="module")
def library() -> Library:
    library = separable_library(2, 10, distance=0.7)
    scales = np.random.default_rng(0).uniform(0.01, 100, N_COLUMNS)
    return Library((library.embeddings * scales).astype(np.float32), library.songs)


@pytest.mark.parametrize("space", ["balanced", "scaled", "balanced641"])
def test_contributions_add_up_to_the_similarity(library, space):
    answers = Searches(library, space=space)
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
def test_products_are_the_cosine(seed, weight):
    first, second = np.random.default_rng(seed).standard_normal((2, N_COLUMNS)) * np.array([[1], [weight]])
    products = explain.cosine_products(first, second)
    if weight > 0:
        assert products.sum() == pytest.approx(
            first @ second / np.linalg.norm(first) / np.linalg.norm(second), abs=1e-12
        )
        space = build_space(np.random.default_rng(0).standard_normal((3, N_COLUMNS)), "scaled")
        assert sum(explain.by_family(products, space).values()) == pytest.approx(products.sum(), abs=1e-12)
    else:
        assert not products.any()


def test_a_family_that_alone_is_equal_is_all_of_the_similarity():
    """Songs equal in rhythm and at right angles elsewhere."""
    rng = np.random.default_rng(2)
    embeddings = rng.standard_normal((60, N_COLUMNS)).astype(np.float32)
    rhythm = family_indices("rhythm")
    embeddings[1, rhythm] = embeddings[0, rhythm]
    records = Searches(Library(embeddings, make_library(60).songs)).why("song 000", "song 001").records
    of = {record["family"]: record for record in records}
    assert max(FAMILIES, key=lambda family: of[family]["contribution"]) == "rhythm"
    assert of["rhythm"]["agreement"] == pytest.approx(1)
    assert of["rhythm"]["differ"] == []


def test_every_coordinate_adds_to_one_descriptor_but_columns_of_mfcc_deltas():
    for described in (True, False):
        descriptors = [one for family in FAMILIES for one in explain.explaining(family, described=described)]
        added = [index for one in descriptors for index in explain.contributing(one, described=described)]
        deltas = set() if described else set(range(N_COLUMNS)[block_slice("mfcc_delta", "mean")])
        assert sorted(added) == sorted(set(range(N_DESCRIPTORS if described else N_COLUMNS)) - deltas)
        for one in descriptors:
            own = coordinates_of(one.family, described=described).tolist()
            assert set(explain.contributing(one, described=described)) <= set(own)


def test_among_columns_a_level_represents_all_statistics_of_its_bands():
    levels = explain.explaining("mel", described=False)
    assert len(levels) == 16
    starts = [block_slice("mel", statistic).start for statistic in ("mean", "p25", "p50", "p75")]
    for place, one in enumerate(levels):
        bands = np.arange(8 * place, 8 * place + 8)
        assert one.columns == tuple(starts[0] + bands)
        assert explain.contributing(one, described=False) == tuple(np.concatenate([start + bands for start in starts]))


@pytest.mark.parametrize("space", ["balanced", "balanced641"])
def test_descriptors_are_those_that_add_most_in_real_units(library, space):
    searches = Searches(library, space=space)
    described = space == "balanced"
    units = searches.comparison.search.units(np.arange(20)).astype(np.float64)
    products = units[4] * units[7] / np.linalg.norm(units[4]) / np.linalg.norm(units[7])
    n_items = 0
    for record in searches.why("song 004", "song 007").records[:-1]:
        own = explain.explaining(record["family"], described=described)
        added = {one.name: products[list(explain.contributing(one, described=described))].sum() for one in own}
        sides = {}
        for one in own:
            values = one.compared(library.embeddings) if described else one.values(library.embeddings)
            sides[one.name] = (values[4] - values.mean()) * (values[7] - values.mean())
        agree = sorted((name for name in added if added[name] > 0 and sides[name] > 0), key=lambda name: -added[name])
        differ = sorted((name for name in added if added[name] < 0 and sides[name] < 0), key=added.__getitem__)
        assert [item["descriptor"] for item in record["agree"]] == agree[:3]
        assert [item["descriptor"] for item in record["differ"]] == differ[:3]
        for item in [*record["agree"], *record["differ"]]:
            one = descriptor(item["descriptor"])
            values, compared = one.values(library.embeddings), one.compared(library.embeddings)
            assert item["unit"] == one.unit
            assert (item["first"], item["second"]) == (values[4], values[7])
            assert item["contribution"] == pytest.approx(added[item["descriptor"]])
            assert item["first_percentile"] == percentile(values, values[4])
            assert item["genre_medians"] == {"GENRE00": pytest.approx(np.median(values[:10]))}
            of_logarithms = described and one.floor is not None
            average = np.exp(compared.mean()) if of_logarithms else values.mean()
            assert item["library_average"] == pytest.approx(average)
            n_items += 1
    assert n_items > 7


def test_percentiles_count_ties_half():
    values = np.array([1.0, 2.0, 2.0, 3.0])
    assert [percentile(values, value) for value in (0, 1, 2, 3, 9)] == [0, 12.5, 50, 87.5, 100]


def test_sentences_say_what_the_result_holds(library):
    searches = Searches(library)
    shown = searches.why("song 004", "song 017")
    families = {family.family: family for family in shown.result.families}
    sentences = shown.sentences
    level = searches.comparison.random_similarity
    begin = f"Similarity {shown.result.similarity:.2f} of at most 1; two songs picked at random have {level:.2f}"
    assert sentences[1].startswith(begin)
    for name, family in families.items():
        share = family.contribution
        if abs(share) >= 0.005:
            verb = "adds" if share > 0 else "subtracts"
            assert family_sentence(family).startswith(f"{name.capitalize()} {verb} {abs(share):.2f}: ")
            assert (family.agree if share > 0 else family.differ)[0].descriptor in family_sentence(family)
    search = searches.comparison.search
    query = search.units([4])[0]
    nearer = (search.similarities(query, np.delete(np.arange(20), [4, 17])) > search.similarities(query, [17])[0]).sum()
    assert f"{nearer} of 19 other recordings are more similar to A" in sentences[1]
    where = {(1, 1): "both above", (-1, -1): "both below", (1, -1): "above and below", (-1, 1): "below and above"}
    for family in families.values():
        words = family_sentence(family)
        for agrees, items in ((True, family.agree), (False, family.differ)):
            for item in items:
                sides = tuple(np.sign(value - item.library_average) for value in (item.first, item.second))
                assert (sides[0] == sides[1]) == agrees
                values = f"{item.descriptor} {quantity(item.first)} and {quantity(item.second)}"
                if values in words:
                    assert where[sides] in words.split(values)[1].split(";")[0]


def test_tempo_and_key_are_compared_for_mixing(library):
    embeddings = library.embeddings.copy()
    songs = library.songs.assign(tempo_bpm=[64.6 if row == 4 else 129.2 for row in range(20)])
    scale = np.array([5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4])
    embeddings[4, block_slice("chroma", "mean")] = scale
    embeddings[5, block_slice("chroma", "mean")] = np.roll(scale, 7)
    text = " ".join(Searches(Library(embeddings, songs)).why("song 004", "song 005").sentences)
    assert "Tempo 65 and 129 BPM: B at half tempo is as fast as A." in text
    assert "Keys 8B (C major) and 9B (G major): compatible on the Camelot wheel." in text


def test_copies_and_a_song_with_itself():
    library = make_library(6)
    library.songs.loc[2, "duplicate_of"] = library.songs["file_path"][1]
    answers = Searches(library)
    assert "both are files of the same recording" in answers.why("song 001", "song 002").sentences[0]
    itself = answers.why("song 001", "song 001")
    assert itself.records[-1]["contribution"] == pytest.approx(1, abs=1e-9)
    assert all(record["agreement"] == pytest.approx(1) and record["differ"] == [] for record in itself.records)


def test_descriptors_side_by_side_are_those_of_both_songs(library):
    result = Searches(library).compare("song 004", "song 017").result
    rows = {row["descriptor"]: (row["A"], row["B"]) for row in tables(result)[1].rows}
    assert rows["tempo"] == tuple(quantity(library.songs["tempo_bpm"][row]) for row in (4, 17))
    for name in set(explain.KEY_DESCRIPTORS) - {"tempo"}:
        assert rows[name] == tuple(quantity(descriptor(name).values(library.embeddings[row])) for row in (4, 17))


def test_the_classifier_space_has_no_families(library):
    lookup = Lookup(library)
    space = Space("classifier", np.empty(0), np.empty(0), model=object())
    search = Search(np.eye(20, 3, dtype=np.float32), space)
    pair = lookup.find("song 001"), lookup.find("song 002")
    with pytest.raises(QueryError, match="does not split into families; use --space balanced, scaled, balanced641"):
        explain.why(Comparison(lookup, Setting("classifier"), search), *pair)


@pytest.mark.parametrize("other", [17, 4])
def test_the_picture_shows_every_family_and_descriptor(library, tmp_path, other):
    result, file = Searches(library).why("song 004", f"song {other:03d}").result, tmp_path / "why.png"
    draw(why_figure, file, result)
    assert file.read_bytes().startswith(b"\x89PNG")
    names = "$x$ [A]", f"夜 | {'long ' * 40}"
    pair = tuple(replace(song, song_name=name) for song, name in zip(result.pair, names, strict=True))
    figure = why_figure(replace(result, pair=pair))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    shown = {text.get_text(): text.get_window_extent(renderer) for text in figure.findobj(Text) if text.get_text()}
    for family in result.families:
        assert {f"{family.contribution:+.2f}", family.family} <= set(shown)
    items = [item for which in ("agree", "differ") for _, item in most_telling(result.families, which)]
    assert {item.descriptor for item in items} <= set(shown)
    for text, box in shown.items():
        assert box.x0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text


def test_a_range_whose_bands_agree_while_its_level_differs_is_left_out():
    """Two songs with the same ripple over the mel bands, one above and one below the library's mean level."""
    rng = np.random.default_rng(3)
    embeddings = 0.01 * rng.standard_normal((30, N_COLUMNS)).astype(np.float32)
    mel, sides = family_indices("mel"), np.array([0.5, -0.5])
    embeddings[2:, mel] += rng.standard_normal((28, 512)).astype(np.float32)
    ripple = np.where(np.arange(512) % 2, 3.0, -3.0)
    embeddings[:2, mel] = ripple + sides[:, None]
    searches = Searches(Library(embeddings, make_library(30).songs), space="scaled")
    mel_family = searches.why("song 000", "song 001").result.families[-1]
    assert mel_family.family == "mel"
    assert mel_family.contribution > 0.5
    assert mel_family.agree == ()
    assert family_sentence(mel_family).endswith("small contributions of many numbers.")


@pytest.mark.filterwarnings("error")  # matplotlib warns of axes without extent
def test_songs_without_direction_are_drawn_too(tmp_path):
    library = make_library(3)
    same = Searches(Library(np.repeat(library.embeddings[:1], 3, axis=0), library.songs))
    shown = same.why("song 000", "song 001")
    draw(why_figure, tmp_path / "none.png", shown.result)
    assert (tmp_path / "none.png").exists()
    assert len(tables(shown.result)) == 1
