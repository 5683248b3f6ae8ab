"""What filters respond to: a filter that is built by hand is described rightly, random ones are not described at all."""

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from scipy.stats import spearmanr

torch = pytest.importorskip("torch")

from filtered import a_network, some_excerpts, some_library, with_bass_filter, with_vibrato_filter  # noqa: E402

from songmap.core.errors import UsageError  # noqa: E402
from songmap.similar.lookup import Lookup  # noqa: E402
from songmap.spectrogram import associations as chance  # noqa: E402
from songmap.spectrogram import filters  # noqa: E402
from songmap.spectrogram.activations import activations, layer_named  # noqa: E402
from songmap.spectrogram.associations import associations, exchanged_songs  # noqa: E402
from songmap.spectrogram.untrained import untrained_limits  # noqa: E402
from songmap.spectrogram.views.pictures import spectrogram_picture  # noqa: E402


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_N_PAIRS", 2)
    monkeypatch.setattr(chance, "N_PERMUTATIONS", 99)


@pytest.fixture(scope="module")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    return Lookup(some_library(tmp_path_factory.mktemp("music")))


@pytest.fixture(scope="module")
def images():
    return some_excerpts("image", has_clicks=False)


def test_a_vibrato_filter_is_described_and_random_ones_are_not(images, lookup, monkeypatch):
    trained = a_network("image", images)
    with_vibrato_filter(trained, 4)
    responses = filters.respond(trained, "block1", images, None)
    layer = filters.describe_layer(trained, responses, lookup, 0)
    assert [one.meaning is None for one in layer.filters] == [False] + 15 * [True]
    first = layer.filters[0]
    assert (first.number, first.meaning.probe) == (5, "vibrato")
    assert first.meaning.correlation > 0.6
    assert (first.meaning.n_pairs_agreeing, first.meaning.n_pairs) == (2, 2)
    assert (layer.n_excerpts, layer.n_songs, layer.receptive_s) == (60, 24, pytest.approx(0.18))

    monkeypatch.setattr(filters, "sound_contrasts", lambda *arguments: np.ones((16, 26)))  # they do not change
    mean = responses.activations.mean[exchanged_songs(images.song, np.random.default_rng(1).permutation(24))]
    shuffled = replace(responses, activations=replace(responses.activations, mean=mean))
    assert [one.meaning for one in filters.describe_layer(trained, shuffled, lookup, 0).filters] == 16 * [None]


def test_a_bass_filter_is_described(lookup, monkeypatch):
    monkeypatch.setattr(filters, "_N_PAIRS", 1)  # a sound of 14 s takes its time
    excerpts = some_excerpts("frames")
    trained = a_network("frames", excerpts)
    with_bass_filter(trained)
    layer = filters.describe_layer(trained, filters.respond(trained, "block1", excerpts, None), lookup, 0)
    described = [one for one in layer.filters if one.meaning is not None]
    assert (described[0].number, described[0].meaning.probe) == (1, "bass_level")
    assert described[0].meaning.correlation > 0.9
    assert described[0].meaning.n_pairs_agreeing == 1
    assert len(described) <= 2  # of 64


def test_few_other_random_filters_pass_the_limits_of_random_filters(images):
    probes = np.stack([images.values[:, rows].mean(axis=(1, 2), dtype=float) for rows in (slice(20), slice(40, 60))], 1)
    trained = a_network("image", images)
    limits = untrained_limits(trained, "block4", images.values, probes, 100)
    passed = [
        np.abs(chance.correlations(activations(a_network("image", images, seed), "block4", images.values).mean, probes))
        > limits
        for seed in range(3)
    ]
    assert 0 < limits.min() < limits.max() <= 1
    assert np.concatenate(passed).any(axis=1).mean() < 0.06


def test_activations_are_those_of_the_layer_and_their_frames_where_they_are_highest(images):
    trained = a_network("image", images)
    values = np.full((1, 100, 100), -80, np.float16)
    values[0, 40:60, 70] = 0
    one = activations(trained, "block1", values)
    with torch.inference_mode():
        output = trained.network.layers()["block1"](trained.inputs(values).unsqueeze(1))[0]
    np.testing.assert_allclose(one.mean[0], output.mean(dim=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(one.highest[0], output.amax(dim=(1, 2)), rtol=1e-5)
    assert np.median(np.abs(one.frame[0] - 70)) <= 1  # of most filters, others respond to edges
    deep = activations(trained, "block4", values)
    geometry = trained.network.geometry("block4")
    assert np.abs(deep.frame - 70)[deep.highest > 1.01 * deep.mean].min() <= geometry.receptive / 2
    parts = activations(trained, "block4", np.concatenate([values] * 70))
    np.testing.assert_allclose(parts.mean, np.repeat(deep.mean, 70, axis=0), rtol=1e-4)


def test_a_layer_that_there_is_not_is_named(images):
    trained = a_network("image", images)
    assert layer_named(trained, None) == "block4"
    with pytest.raises(UsageError, match="'conv9'; there are block1, block2, block3, block4"):
        layer_named(trained, "conv9")


def test_correlations_are_spearmans():
    random = np.random.default_rng(0)
    activation, probes = random.normal(size=(40, 3)).round(1), np.exp(random.normal(size=(40, 4)).round(1))
    activation[:, 2] = 1
    one = associations(activation, probes, np.arange(40) // 2, np.arange(40) // 2, 0)
    expected = [[spearmanr(activation[:, row], column).statistic for column in probes.T] for row in range(2)]
    np.testing.assert_allclose(one.correlation[:2], expected, atol=1e-5)
    assert (one.correlation[2] == 0).all()
    assert (one.p_corrected[2] == 1).all()


def test_similar_excerpts_of_few_songs_are_not_taken_for_evidence():
    """Activations and probes that differ between songs only, independent of each other."""
    song = np.repeat(np.arange(12), 30)
    small = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        activation, probes = (random.normal(size=(12, 1))[song] + 0.1 * random.normal(size=(360, 1)) for _ in range(2))
        together = associations(activation, probes, song, song, seed).p_corrected[0, 0]
        small += together <= 0.05
        apart = associations(activation, probes, np.arange(360), np.arange(360), seed).p_corrected[0, 0]
        assert apart <= together
    assert small <= 5


def test_similar_songs_of_few_artists_are_not_taken_for_evidence():
    """Activations and probes that differ between artists, independent of each other: songs alone were, in most sets."""
    song = np.repeat(np.arange(64), 4)
    artist, small = song // 8, np.zeros(2, int)
    for seed in range(30):
        random = np.random.default_rng(seed)
        activation, probes = (
            random.normal(size=(8, n))[artist] + random.normal(size=(64, n))[song] + 0.5 * random.normal(size=(256, n))
            for n in (8, 10)
        )
        for place, groups in enumerate((artist, song)):
            small[place] += (associations(activation, probes, song, groups, seed).p_corrected <= 0.05).any()
    assert small[0] <= 4  # more than 4 of 30 has a probability of 2 %
    assert small[1] > 15


def test_the_correction_is_for_the_number_of_probes():
    song = np.arange(60) // 2
    small = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        related = associations(random.normal(size=(60, 5)), random.normal(size=(60, 20)), song, song, seed)
        small.append((related.p_corrected <= 0.05).any())
        assert related.largest_by_chance < 0.8
    assert sum(small) <= 5


def test_songs_are_exchanged_whole():
    song = np.repeat([3, 4, 7, 9], [5, 2, 1, 4])
    rows = exchanged_songs(song, np.random.default_rng(0).permutation(4))
    for own in (3, 4, 7, 9):
        others = song[rows[song == own]]
        assert len(set(others)) == 1
        assert (np.diff(rows[song == own]) >= 0).all()
    assert sorted({int(song[rows[song == own][0]]) for own in (3, 4, 7, 9)}) == [3, 4, 7, 9]
    equal = np.repeat(np.arange(6), 3)
    assert sorted(exchanged_songs(equal, np.random.default_rng(0).permutation(6))) == list(range(18))


def test_lists_have_each_recording_once_and_moments_lie_in_their_excerpt(images, lookup):
    trained = a_network("image", images)
    responses = filters.respond(trained, "block2", images, None)
    for by_mean in (True, False):
        top = filters.moments(responses, 3, lookup, by_mean=by_mean, most=10)
        assert len({one.song.file_path for one in top}) == 10
        assert [one.activation for one in top] == sorted((one.activation for one in top), reverse=True)
    strength = responses.activations.highest[:, 3]
    row = int(strength.argmax())
    assert Path(top[0].song.file_path).stem == f"{images.song[row]:02d}"
    assert top[0].activation == pytest.approx(strength[row])
    assert top[0].start_s == images.start_s[row]  # an excerpt is as long as a moment
    assert top[0].end_s == pytest.approx(top[0].start_s + 6)


def test_patches_are_the_means_of_what_the_highest_activations_depend_on(images):
    trained = a_network("image", images)
    responses = filters.respond(trained, "block1", images, None)
    patch = filters.top_patches(responses, 0)
    assert patch.shape == (100, 3)
    rows = np.argsort(-responses.activations.highest[:, 0], kind="stable")[:10]
    frames = responses.activations.frame[rows, 0]
    expected = np.mean(
        [images.values[row, :, frame] for row, frame in zip(rows, frames, strict=True)], axis=0, dtype=float
    )
    np.testing.assert_allclose(patch[:, 1], expected, atol=0.05)


def test_patches_are_empty_before_an_excerpt_and_transparent_on_the_page(images):
    trained = a_network("image", images)
    responses = filters.respond(trained, "block1", images, None)
    responses.activations.frame[:, 0] = 0
    patch = filters.top_patches(responses, 0)
    assert np.isnan(patch[:, 0]).all()
    assert np.isfinite(patch[:, 1:]).all()
    picture = base64.b64decode(spectrogram_picture(patch).removeprefix("data:image/png;base64,"))
    opacity = imread(io.BytesIO(picture))[..., 3]
    assert not opacity[:, 0].any()
    assert (opacity[:, 1:] == 1).all()
