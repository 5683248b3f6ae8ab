"""Windows, frequencies and filter banks against the librosa functions that define them; and that librosa is not loaded."""

import subprocess
import sys

import librosa
import numpy as np
import pytest
from signals import RATE_HZ, music

from songmap.core.workspace import REPOSITORY
from songmap.features import filters, frames, kernels, spectral_features
from songmap.library.mel import mel_freqs_hz
from songmap.library.schema import AudioConfig

CONFIG = AudioConfig()
CONFIGS = [
    CONFIG,
    AudioConfig(sample_rate_hz=8000, n_fft=1024, hop_length=256, n_mels=40),
    AudioConfig(sample_rate_hz=44100, n_fft=4096, hop_length=1024),
    AudioConfig(sample_rate_hz=96000, n_mels=80),
]


@pytest.fixture(params=CONFIGS, ids=lambda config: f"{config.sample_rate_hz} Hz")
def config(request) -> AudioConfig:
    return request.param


@pytest.mark.parametrize("length", [2, 5, 344, 547, 2048])
def test_hann_window_is_librosas_bit_for_bit(length):
    np.testing.assert_array_equal(filters.hann_window(length), librosa.filters.get_window("hann", length))


@pytest.mark.parametrize("n_frames", [1, 3, 12, 40])
def test_window_sums_are_librosas_bit_for_bit(config, n_frames):
    theirs = librosa.filters.window_sumsquare(
        window="hann", n_frames=n_frames, n_fft=config.n_fft, hop_length=config.hop_length
    )
    np.testing.assert_array_equal(filters.window_sum_of_squares(n_frames, config), theirs)


def test_frequencies_are_librosas_bit_for_bit(config):
    rate_hz, nyquist_hz = config.sample_rate_hz, config.sample_rate_hz / 2
    np.testing.assert_array_equal(filters.fft_freqs_hz(config), librosa.fft_frequencies(sr=rate_hz, n_fft=config.n_fft))
    np.testing.assert_array_equal(
        filters.lag_tempi_bpm(344, config), librosa.tempo_frequencies(344, sr=rate_hz, hop_length=config.hop_length)
    )
    np.testing.assert_array_equal(mel_freqs_hz(42, nyquist_hz), librosa.mel_frequencies(42, fmax=nyquist_hz))
    np.testing.assert_array_equal(mel_freqs_hz(9, 700.0), librosa.mel_frequencies(9, fmax=700.0))


def test_mel_bank_is_librosas_bit_for_bit(config):
    bank = filters.mel_bank(config)
    theirs = librosa.filters.mel(sr=config.sample_rate_hz, n_fft=config.n_fft, n_mels=config.n_mels)
    np.testing.assert_array_equal(bank.weights, theirs)
    for weights, (first, stop) in zip(bank.weights, bank.spans, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(weights), np.arange(first, stop))


def test_contrast_bands_are_librosas():
    magnitude = np.random.default_rng(1).exponential(size=(30, 1025)).astype(np.float32)
    bands, most = filters.contrast_bands(CONFIG)
    peak, valley = np.empty((2, len(bands), len(magnitude)))
    spectral_features.contrast_extremes(magnitude.T.copy(), bands, most, peak, valley)
    np.testing.assert_allclose(
        peak - valley, librosa.feature.spectral_contrast(S=magnitude.T, sr=RATE_HZ, linear=True), rtol=1e-6
    )


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100])
@pytest.mark.parametrize("tuning", [-0.5, -0.07, 0.0, 0.49])
def test_cqt_filters_are_librosas(rate_hz, tuning):
    bins = filters.CQT_OCTAVES * filters.CQT_BINS_PER_OCTAVE
    fmin_hz = librosa.note_to_hz("C1")
    freqs_hz = librosa.cqt_frequencies(bins, fmin=fmin_hz, bins_per_octave=36, tuning=tuning)
    lengths, _ = librosa.filters.wavelet_lengths(freqs=freqs_hz, sr=rate_hz)
    wavelets, _ = librosa.filters.wavelet(freqs=freqs_hz[-36:], sr=rate_hz)
    bank = filters.cqt_bank(tuning, rate_hz)
    np.testing.assert_allclose(bank.lengths.ravel(), lengths, rtol=1e-12)
    np.testing.assert_allclose(
        filters.cqt_wavelets(freqs_hz[-36:], lengths[-36:], rate_hz), wavelets, atol=1e-7 * np.abs(wavelets).max()
    )
    # a frame times the filters has the magnitudes of its spectrum times librosa's sparse basis
    n_fft = wavelets.shape[1]
    basis = np.fft.fft(wavelets * (lengths[-36:, np.newaxis] / n_fft), axis=1)[:, : n_fft // 2 + 1]
    sparse = librosa.util.sparsify_rows(basis, quantile=0.01)
    frame = np.random.default_rng(2).standard_normal(n_fft)
    np.testing.assert_allclose(response(bank, frame), np.abs(sparse @ np.fft.rfft(frame)), rtol=1e-6)


def response(bank: filters.CqtBank, frame: np.ndarray) -> np.ndarray:
    """Magnitudes ``(36,)`` of a frame times the filters."""
    folded = np.empty((2, len(frame) // 2, 8))  # the others are of what follows, which is silent
    kernels.mirrored_frames.py_func(frame, 0, np.empty((len(frame), 8)), folded)  # compiled it takes float32
    return np.hypot(*(bank.filters @ folded)[..., 0])


def test_the_filters_of_every_tuning_are_mirrored():
    """The sparse filters of every tuning, as only filters that are their own mirror image can be."""
    frame = np.random.default_rng(3).standard_normal(1024)
    spectrum = np.fft.rfft(frame)
    for tuning in np.arange(-50, 50) / 100:
        bank = filters.cqt_bank(tuning, RATE_HZ)
        freqs_hz = librosa.cqt_frequencies(252, fmin=librosa.note_to_hz("C1"), bins_per_octave=36, tuning=tuning)[-36:]
        basis = np.fft.fft(filters.cqt_wavelets(freqs_hz, bank.lengths[-1], RATE_HZ) * bank.lengths[-1][:, None] / 1024)
        kept = filters.without_smallest(basis[:, :513], 0.01)
        np.testing.assert_allclose(response(bank, frame), np.abs(kept @ spectrum), rtol=1e-5)


@pytest.mark.parametrize("quantile", [0.0, 0.01, 0.3])
def test_the_smallest_are_left_out_as_in_librosa(quantile):
    random = np.random.default_rng(4)
    rows = random.standard_normal((20, 65)) * np.exp(1j * random.uniform(0, 7, (20, 65)))
    theirs = librosa.util.sparsify_rows(rows, quantile=quantile).toarray()
    np.testing.assert_array_equal(filters.without_smallest(rows, quantile), theirs)


@pytest.mark.parametrize("n_chroma", [12, 36])
def test_chroma_fold_is_librosas(n_chroma):
    fold = filters.chroma_fold(n_chroma)
    theirs = librosa.filters.cq_to_chroma(252, bins_per_octave=36, n_chroma=n_chroma)
    np.testing.assert_array_equal(np.tile(fold, filters.CQT_OCTAVES), theirs)


@pytest.mark.parametrize("n_frames", [130, 173, 501])
def test_tonnetz_is_librosas_bit_for_bit(n_frames):
    chroma = np.random.default_rng(5).random((12, n_frames), np.float32)
    chroma[:, 7] = 0
    np.testing.assert_array_equal(frames.tonnetz(chroma), librosa.feature.tonnetz(chroma=chroma))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize(("length", "norm"), [(np.max, np.inf), (np.sum, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_normalise_is_librosas_bit_for_bit(dtype, length, norm, axis):
    values = np.random.default_rng(6).standard_normal((40, 30)).astype(dtype)
    values[3], values[:, 4], values[5] = 0, 1e-310, 1e-38
    ours = filters.normalise(values, length, axis)
    assert ours.dtype == values.dtype
    np.testing.assert_array_equal(ours, librosa.util.normalize(values, norm=norm, axis=axis))


@pytest.mark.parametrize("shape", [(1,), (345,), (7, 344)])
def test_autocorrelation_is_librosas(shape):
    values = np.random.default_rng(7).standard_normal(shape)
    np.testing.assert_array_equal(filters.autocorrelation(values), librosa.autocorrelate(values))
    values = values.astype(np.float32)  # in which librosa 1.0 rounds otherwise than 0.11
    np.testing.assert_allclose(filters.autocorrelation(values), librosa.autocorrelate(values), atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_pitch_tuning_is_librosas(seed):
    random = np.random.default_rng(seed)
    steps = random.integers(0, 84, 3000) + random.uniform(-2, 2) + 0.02 * random.standard_normal(3000)
    pitches_hz = (55 * 2 ** (steps / 36)).astype(np.float32)
    counts = np.bincount(filters.tuning_steps(pitches_hz), minlength=filters.TUNING_STEPS)
    assert filters.fullest_tuning(counts) == librosa.pitch_tuning(pitches_hz, bins_per_octave=36)


def test_mfcc_and_delta_are_librosas():
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(y=music(4)))
    mfcc = frames.mfcc(mel_db, 20)
    np.testing.assert_array_equal(mfcc, librosa.feature.mfcc(S=mel_db, n_mfcc=20))
    # librosa fits the lines at either end in single precision
    np.testing.assert_allclose(frames.delta(mfcc), librosa.feature.delta(mfcc), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(frames.delta(mfcc)[:, 4:-4], librosa.feature.delta(mfcc)[:, 4:-4], rtol=1e-6, atol=1e-6)
    line = np.outer([2.0, -0.5], np.arange(30))
    np.testing.assert_allclose(frames.delta(line), np.broadcast_to([[2.0], [-0.5]], line.shape), rtol=1e-12)


def test_a_song_is_embedded_without_loading_librosa(tmp_path):
    import soundfile

    path = tmp_path / "song.flac"
    soundfile.write(path, music(4, 44100), 44100)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from songmap.library.schema import AudioConfig\nfrom songmap.features import decode, frames, statistics\n"
        "config = AudioConfig()\n"
        "embedding = statistics.embed(frames.analyse(decode.load_audio(Path(sys.argv[1]), config), config))\n"
        "heavy = ['librosa', 'scipy.signal', 'scipy.stats', 'sklearn', 'joblib', 'pandas']\n"
        "print(embedding.shape, [name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, cwd=REPOSITORY, timeout=300
    )
    assert result.stdout == "(641,) []\n", result.stderr
