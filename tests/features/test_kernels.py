"""Compiled kernels against plain numpy and scipy; features against what is known of simple signals."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import median_filter
from signals import RATE_HZ, clicks, music, noise, tone

from songmap.features import decode, filters, frames, kernels, medians, rhythm, spectra, spectral_features
from songmap.features.signal import Resampler, Signal, frame_count
from songmap.library.schema import AudioConfig

CONFIG = AudioConfig()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 140), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 7, 17, 31, 45]))
def test_medians_are_scipys_bit_for_bit(n_frames, n_bins, seed, size):
    random = np.random.default_rng(seed)
    magnitude = np.round(random.exponential(size=(n_frames, n_bins)), 1).astype(np.float32)  # with many ties
    over_time, over_frequency = np.empty((2, n_frames, n_bins), np.int32)
    medians.median_over_time(magnitude.view(np.int32), size, 0, over_time)
    medians.median_over_frequency(magnitude.view(np.int32), size, over_frequency)
    np.testing.assert_array_equal(over_time.view(np.float32), median_filter(magnitude, size=(size, 1), mode="reflect"))
    np.testing.assert_array_equal(
        over_frequency.view(np.float32), median_filter(magnitude, size=(1, size), mode="reflect")
    )


def test_stft_is_librosas_bit_for_bit():
    samples = music(3.1)
    ours = spectra.stft_frames(Signal.of(samples), 0, frame_count(len(samples), CONFIG), CONFIG)
    np.testing.assert_array_equal(ours, librosa.stft(samples).T)


def test_harmonic_signal_is_librosas_bit_for_bit():
    samples = np.concatenate([np.zeros(2 * RATE_HZ, np.float32), music(3)])
    inverse = spectra.InverseStft(len(samples), CONFIG)
    for block in spectra.spectrum_blocks(Signal.of(samples), CONFIG, 15, 100):
        inverse.add(spectra.harmonic_block(block, CONFIG))
    np.testing.assert_array_equal(inverse.finish().read(0, len(samples)), librosa.effects.harmonic(samples))


@pytest.mark.parametrize("tuning", [-0.31, 0.0, 0.2])
def test_cqt_is_librosas(tuning):
    samples = music(4)
    theirs = np.abs(librosa.cqt(samples, sr=RATE_HZ, n_bins=252, bins_per_octave=36, tuning=tuning))
    for octave, first, ours in spectra.cqt_octaves(Signal.of(samples), tuning, CONFIG):
        rows = theirs[octave * 36 : (octave + 1) * 36, first : first + ours.shape[1]]
        np.testing.assert_allclose(ours[:, : rows.shape[1]], rows, atol=3e-6 * theirs.max())


@pytest.mark.parametrize("first", [-70, -7, 0, 5, 60])
@pytest.mark.parametrize("hop", [2, 8, 9, 16, 20])
def test_mirrored_frames_are_sums_and_differences(first, hop):
    samples = np.random.default_rng(6).standard_normal(120).astype(np.float32)
    folded = np.empty((2, 8, 11), np.float32)
    kernels.mirrored_frames(samples, first, np.empty((hop, 10 + -(-16 // hop)), np.float32), folded)
    padded = np.pad(samples, (70, 300))
    taps = np.arange(1, 9)
    for column in range(11):
        frame = padded[70 + first + hop * column :][:16]
        np.testing.assert_array_equal(folded[0, :, column], frame[taps] + frame[(17 - taps) % 16])
        np.testing.assert_array_equal(folded[1, :, column], frame[taps] - frame[(17 - taps) % 16])


def test_tuning_is_librosas():
    samples = tone(447, 4) + noise(4, level=0.01)
    collected, _ = frames._collect(Signal.of(samples), CONFIG, 64)
    assert frames.tuning_of_peaks(collected.tuning_peaks) == librosa.estimate_tuning(
        y=samples, sr=RATE_HZ, bins_per_octave=36
    )


def test_a_tone_has_its_frequency_as_centroid_and_no_bandwidth():
    shapes = frames.analyse(Signal.of(tone(1000, 4)), CONFIG).features
    middle = slice(10, -10)
    np.testing.assert_allclose(shapes["centroid"][0, middle], 1000, rtol=0.01)
    assert shapes["bandwidth"][0, middle].max() < 150
    assert shapes["flatness"][0, middle].max() < 1e-3
    np.testing.assert_allclose(shapes["rms"][0, middle], 0.5 / np.sqrt(2), rtol=1e-3)
    np.testing.assert_allclose(shapes["zero_crossing_rate"][0, middle], 2 * 1000 / RATE_HZ, rtol=0.02)
    assert shapes["chroma"][:, middle].mean(axis=1).argmax() == 11  # 1,000 Hz is nearest to B5


def test_white_noise_is_flat():
    shapes = frames.analyse(Signal.of(noise(5)), CONFIG).features
    # the expected ratio of geometric to arithmetic mean of exponential variables is e^-gamma = 0.561
    assert abs(shapes["flatness"].mean() - 0.561) < 0.02
    assert abs(shapes["centroid"].mean() - RATE_HZ / 4) < 150
    assert abs(shapes["rolloff"].mean() - 0.85 * RATE_HZ / 2) < 250


@pytest.mark.parametrize("bpm", [90, 120, 150])
def test_clicks_have_their_tempo_and_a_clear_pulse(bpm):
    song = frames.analyse(Signal.of(clicks(bpm, 20)), CONFIG)
    assert abs(song.values["tempo_bpm"] - bpm) < 4
    assert song.values["pulse_clarity"] > 0.7
    assert song.values["beat_interval_std_s"] < 0.02


@pytest.mark.parametrize("bpm", [63.7, 93.0, 120.5, 127.0, 133.0, 151.3])
def test_a_tempo_between_whole_frames_is_measured(bpm):
    """At 133 BPM a beat is 19.4 frames: librosa's tempo is 129.2 or 136.0."""
    values = frames.analyse(Signal.of(clicks(bpm, 30)), CONFIG).values
    octave = 2.0 ** np.round(np.log2(values["refined_tempo_bpm"] / bpm))
    assert values["refined_tempo_bpm"] / octave == pytest.approx(bpm, abs=0.1)
    assert values["beat_deviation_s"] < 0.007  # of a metronome


def onsets(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    """An envelope with a peak of 20 ms at each time."""
    frame_s = np.arange(int(duration_s * CONFIG.frame_rate_hz)) / CONFIG.frame_rate_hz
    return np.exp(-0.5 * ((frame_s[:, None] - times_s) / 0.02) ** 2).sum(axis=1).astype(np.float32)


def test_wrong_beats_do_not_bend_the_tempo():
    """Tracked beats half of which are half a beat late: their line has another slope than the music."""
    times_s = 0.3 + np.arange(120) * 60 / 131
    envelope = onsets(times_s, 58)
    late = np.where(np.arange(120) < 60, times_s, times_s + 30 / 131)
    beats = np.round(late * CONFIG.frame_rate_hz).astype(int)
    slope = np.polyfit(np.arange(120), beats, 1)[0]
    assert abs(60 * CONFIG.frame_rate_hz / slope - 131) > 0.5
    assert rhythm.refined_tempo(envelope, 129.2, beats, CONFIG) == pytest.approx(131, abs=0.1)


@pytest.mark.parametrize("drift", [-0.015, 0.015])
def test_a_tempo_that_drifts_is_its_mean(drift):
    position = np.linspace(0, 1, 201)[:-1]
    times_s = 0.3 + np.concatenate([[0], np.cumsum(0.5 * (1 + drift * (2 * position - 1)))])
    envelope = onsets(times_s, times_s[-1] + 1)
    beats = rhythm.track_beats(envelope, rhythm.tempo(envelope, CONFIG), CONFIG)
    refined = rhythm.refined_tempo(envelope, rhythm.tempo(envelope, CONFIG), beats, CONFIG)
    assert refined == pytest.approx(60 * 200 / (times_s[-1] - times_s[0]), abs=0.15)


@pytest.mark.parametrize("std_s", [0.006, 0.012, 0.02])
def test_beat_deviation_is_that_of_the_playing(std_s):
    rng = np.random.default_rng(3)
    intended_s = 0.4 + np.arange(200) * 60 / 133
    times_s = intended_s + rng.normal(0, std_s, 200)
    beats = np.round(intended_s * CONFIG.frame_rate_hz).astype(int)
    measured = rhythm.beat_deviation_s(onsets(times_s, times_s[-1] + 1), beats, CONFIG)
    assert measured == pytest.approx(std_s * np.sqrt(2), rel=0.2)  # of intervals, which have two ends


def test_what_has_no_beat_has_tempo_zero():
    steady = frames.analyse(Signal.of(tone(440, 4)), CONFIG)
    silent = np.zeros(400, np.float32)
    assert rhythm.tempo(silent, CONFIG) == 0
    assert len(rhythm.track_beats(silent, 0.0, CONFIG)) == 0
    assert rhythm.beat_interval_std_s(np.array([4, 9]), CONFIG) == 0
    assert rhythm.refined_tempo(silent, 0.0, np.empty(0, int), CONFIG) == 0
    assert np.isnan(rhythm.beat_deviation_s(silent, np.array([4, 9]), CONFIG))
    assert rhythm.pulse_clarity(silent, CONFIG) == 0
    assert 0 <= steady.values["pulse_clarity"] <= 1


def test_harmonic_and_percussive_parts_go_where_they_belong():
    assert frames.analyse(Signal.of(tone(440, 4)), CONFIG).values["percussive_rms_mean"] < 0.02
    hits = frames.analyse(Signal.of(clicks(120, 6)), CONFIG).values
    assert hits["percussive_rms_mean"] > 3 * hits["harmonic_rms_mean"]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5000), st.integers(0, 2**32 - 1))
def test_zero_crossings_and_rms_are_librosas(n_samples, seed):
    random = np.random.default_rng(seed)
    samples = (random.standard_normal(n_samples) * random.integers(0, 2, n_samples)).astype(np.float32)
    np.testing.assert_allclose(
        frames.zero_crossing_rate(Signal.of(samples), CONFIG), librosa.feature.zero_crossing_rate(samples), atol=1e-12
    )
    np.testing.assert_allclose(
        frames.rms([samples], len(samples), CONFIG), librosa.feature.rms(y=samples), rtol=1e-5, atol=1e-7
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 9000), st.sampled_from([8000, 44100, 48000, 96000]), st.integers(1, 3000))
def test_resampling_in_blocks_is_librosas_bit_for_bit(n_samples, rate_hz, block):
    samples = noise(1, n_samples)
    blocks = (samples[start : start + block] for start in range(0, n_samples, block))
    ours = Resampler(rate_hz, RATE_HZ).resample(blocks)
    theirs = librosa.resample(samples, orig_sr=rate_hz, target_sr=RATE_HZ)
    np.testing.assert_array_equal(ours.read(0, len(ours)), theirs)
    halving = Resampler(2, 1, keep_energy=True)
    halving.resample([samples[::-1].copy()])  # nothing of which must stay
    halved = halving.resample([samples])
    np.testing.assert_array_equal(
        halved.read(0, len(halved)), librosa.resample(samples, orig_sr=2, target_sr=1, scale=True)
    )


@pytest.fixture
def magnitude() -> np.ndarray:
    """Frames of noise of very different levels, one silent and one as loud as a file may be: float32 ``(40, 1025)``."""
    random = np.random.default_rng(3)
    levels = 10.0 ** random.uniform(-5, 3, (40, 1))
    levels[7:9, 0] = 0, decode.MAX_PEAK * CONFIG.n_fft / 2 / 12
    return (levels * random.exponential(size=(40, 1025))).astype(np.float32)


def test_mix_down_is_the_mean_of_channels():
    samples = noise(0.01).reshape(-1, 5)
    out = np.empty(len(samples), np.float32)
    kernels.mix_down(samples, out)
    np.testing.assert_array_equal(out, librosa.to_mono(samples.T))


def test_spectral_shapes_equal_their_definitions(magnitude):
    freqs_hz = filters.fft_freqs_hz(CONFIG)
    out = np.empty((4, len(magnitude)))
    spectral_features.spectral_shapes(magnitude.T.copy(), freqs_hz, 0.85, 1e-10, out)
    double = magnitude.astype(np.float64)
    total = np.where(double.sum(axis=1) > 0, double.sum(axis=1), 1)
    centroid = double @ freqs_hz / total
    bandwidth = np.sqrt((double * (freqs_hz - centroid[:, None]) ** 2).sum(axis=1) / total)
    reached = magnitude.cumsum(axis=1) >= np.float32(0.85) * magnitude.cumsum(axis=1)[:, -1:]
    power = np.maximum(1e-10, double**2)
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    np.testing.assert_allclose(out, [centroid, bandwidth, freqs_hz[reached.argmax(axis=1)], flatness], rtol=1e-6)


def test_contrast_extremes_are_means_of_sorted_ends(magnitude):
    bands, most = filters.contrast_bands(CONFIG)
    peak, valley = np.empty((2, len(bands), len(magnitude)))
    spectral_features.contrast_extremes(magnitude.T.copy(), bands, most, peak, valley)
    for band, ((first, stop), count) in enumerate(zip(bands, most, strict=True)):
        ordered = np.sort(magnitude[:, first:stop], axis=1)
        np.testing.assert_allclose(valley[band], ordered[:, :count].mean(axis=1), rtol=1e-6)
        np.testing.assert_allclose(peak[band], ordered[:, -count:].mean(axis=1), rtol=1e-6)


def test_mel_power_is_a_weighted_sum_of_power(magnitude):
    bank = filters.mel_bank(CONFIG)
    out = np.empty((CONFIG.n_mels, len(magnitude)), np.float32)
    spectral_features.mel_power(magnitude.T.copy(), bank.weights, bank.spans, out)
    np.testing.assert_allclose(out, bank.weights.astype(np.float64) @ magnitude.T.astype(np.float64) ** 2, rtol=1e-6)


def test_spectral_peaks_are_piptracks(magnitude):
    pitches, strengths = frames.block_peaks(magnitude, CONFIG)
    theirs, their_strengths = librosa.piptrack(S=magnitude.T, sr=RATE_HZ)
    found = theirs.T > 0
    np.testing.assert_array_equal(pitches, theirs.T[found])
    np.testing.assert_array_equal(strengths, their_strengths.T[found])


@pytest.mark.parametrize("seed", range(12))
def test_beats_are_librosas(seed):
    random = np.random.default_rng(seed)
    period = random.integers(12, 60)
    envelope = random.exponential(0.3, 1500) + 4 * (np.arange(1500) % period == 0)
    envelope[: random.integers(0, 200)] = 0
    envelope = envelope.astype(np.float32)
    bpm = rhythm.tempo(envelope, CONFIG)
    theirs_bpm, theirs = librosa.beat.beat_track(onset_envelope=envelope, sr=RATE_HZ)
    assert bpm == float(np.squeeze(theirs_bpm))
    np.testing.assert_array_equal(rhythm.track_beats(envelope, bpm, CONFIG), theirs)
