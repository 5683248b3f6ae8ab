"""Excerpts of test songs beside their reconstructions, to look at and to listen to, and traversals of codes. Needs torch."""

import io

import numpy as np

from songmap.communities.autoencoder_evaluation import reconstructions
from songmap.communities.autoencoder_floors import Floors
from songmap.communities.autoencoder_results import Example, Pictures, SongSplit, Traversal
from songmap.communities.autoencoder_settings import KIND, level_decibels
from songmap.communities.autoencoder_training import FittedAutoencoder
from songmap.library.display_names import display_names
from songmap.library.library import Library
from songmap.spectrogram.excerpts import Excerpts

N_EXAMPLES = 3
N_TRAVERSALS = 4
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # standard deviations
_ITERATIONS = 32  # of Griffin & Lim's algorithm
_PEAK = 0.8  # of the original's samples


def pictures(
    library: Library, fitted: FittedAutoencoder, floors: Floors, excerpts: Excerpts, split: SongSplit
) -> Pictures:
    """Examples of different groups of test songs, and a VAE's traversals; the same in every run."""
    groups = split.group[split.test]
    songs = [int(split.test[groups == one][0]) for one in dict.fromkeys(groups.tolist())][:N_EXAMPLES]
    names = display_names(library.songs)
    traversals = _traversals(fitted, excerpts) if fitted.settings.is_variational else []
    return Pictures(
        [names[song] for song in songs], [_example(fitted, floors, excerpts, song) for song in songs], traversals
    )


def _example(fitted: FittedAutoencoder, floors: Floors, excerpts: Excerpts, song: int) -> Example:
    rows = np.flatnonzero(excerpts.song == song)
    row = rows[len(rows) // 2]
    original = excerpts.values[row : row + 1]
    autoencoder, pca, mean = (level_decibels(one(original))[0] for one in reconstructions(fitted, floors))
    values = original[0].astype(np.float32)
    sounds = _sounds(values, autoencoder, pca)
    return Example(song, float(excerpts.start_s[row]), values, autoencoder, pca, mean, sounds)


def _sounds(original: np.ndarray, autoencoder: np.ndarray, pca: np.ndarray) -> dict[str, bytes]:
    """FLAC files of three spectrograms, as loud as each other as their decibels are."""
    samples = {"original": original, "autoencoder": autoencoder, "pca": pca}
    signals = {name: griffin_lim(decibels) for name, decibels in samples.items()}
    gain = _PEAK / max(float(np.abs(signals["original"]).max()), 1e-9)
    return {name: _flac((gain * one).clip(-1, 1)) for name, one in signals.items()}


def griffin_lim(decibels: np.ndarray) -> np.ndarray:
    """A signal at 22,050 Hz with about these mel bands ``(n_bands, n_frames)``: phases are estimated (Griffin & Lim 1984).

    Power between bands is that of the pseudo-inverse, without what is negative: ``librosa.feature.inverse.mel_to_audio``
    searches for the nearest power that is not, which takes a hundred times as long.
    """
    import librosa

    basis = librosa.filters.mel(sr=KIND.config.sample_rate_hz, n_fft=KIND.n_fft, n_mels=KIND.n_bands)
    power = np.maximum(np.linalg.pinv(basis) @ 10 ** (decibels.astype(np.float32) / 10), 0)
    return librosa.griffinlim(
        np.sqrt(power), n_iter=_ITERATIONS, hop_length=KIND.hop_length, n_fft=KIND.n_fft, random_state=0
    )


def _flac(samples: np.ndarray) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, samples, KIND.config.sample_rate_hz, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def _traversals(fitted: FittedAutoencoder, excerpts: Excerpts) -> list[Traversal]:
    """Of the numbers of a code that is a vector whose means vary most; none of feature maps."""
    if fitted.settings.code.is_map:
        return []
    rows = np.linspace(0, len(excerpts.song) - 1, min(len(excerpts.song), 500)).astype(np.int64)
    codes = fitted.codes(excerpts.values[rows])
    mean, std = codes.mean(axis=0), codes.std(axis=0)
    result = []
    for number in np.argsort(-std, kind="stable")[:N_TRAVERSALS]:
        moved = np.tile(mean, (len(STEPS), 1))
        moved[:, number] += np.array(STEPS, np.float32) * std[number]
        spectrograms = level_decibels(fitted.decoded(moved))
        result.append(Traversal(int(number), float(std[number] ** 2), STEPS, spectrograms))
    return result
