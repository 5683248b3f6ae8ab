"""What frames of a spectrum are like, compiled: mel power, centroid, bandwidth, rolloff, flatness, contrast.

Conventions as in ``kernels``, but magnitudes are bins by frames, ``(n_bins, n)``: the inner loops are over frames, which
SIMD takes side by side while each frame is added up bin after bin. ``TILE_FRAMES`` at a time they are fastest.
"""

import numpy as np

from songmap.features.compiled import compiled, helper

# mypy: disable-error-code="untyped-decorator"

TILE_FRAMES = 128  # many for SIMD, few enough for the processor's cache
_FACTORS = 16  # powers between 1e-10 and 1e18 whose product cannot leave the range of float64
_MANTISSA, _ONE, _EXPONENT_BITS, _EXPONENT_BIAS = (1 << 52) - 1, 1023 << 52, 52, 1023  # of a float64's bits


@compiled("float32[:, ::1], float32[:, ::1], int64[:, ::1], float32[:, :]")
def mel_power(magnitude: np.ndarray, weights: np.ndarray, spans: np.ndarray, out: np.ndarray) -> None:
    """Mel bands ``(n_mels, n)`` of squared magnitudes: ``weights (n_mels, n_bins)``, non-zero within ``spans (n_mels, 2)``."""
    n_frames = magnitude.shape[1]
    total = np.empty(n_frames)
    for band in range(weights.shape[0]):
        total[:] = 0
        for bin_ in range(spans[band, 0], spans[band, 1]):
            row, weight = magnitude[bin_], weights[band, bin_]
            for index in range(n_frames):
                frame = np.uint64(index)
                total[frame] += weight * (row[frame] * row[frame])
        for index in range(n_frames):
            out[band, index] = total[index]


@compiled("float32[:, ::1], float64[::1], float64, float64, float64[:, :]")
def spectral_shapes(
    magnitude: np.ndarray, freqs_hz: np.ndarray, roll_percent: float, amin: float, out: np.ndarray
) -> None:
    """Centroid, bandwidth (p=2) and rolloff in Hz and flatness of each frame: ``out`` float64 ``(4, n)``.

    Flatness is the geometric over the arithmetic mean of power, floored at ``amin``. The logarithm is taken of the product
    of all powers, whose exponents are added apart.
    """
    n_bins, n_frames = magnitude.shape
    total, weighted, power_total = np.zeros((3, n_frames))
    product, exponent = np.ones(n_frames), np.zeros(n_frames, np.int64)
    bits = product.view(np.int64)
    cumulative = np.zeros(n_frames, np.float32)
    for bin_ in range(n_bins):
        row, freq_hz = magnitude[bin_], freqs_hz[bin_]
        for index in range(n_frames):
            frame = np.uint64(index)
            value = row[frame]
            cumulative[frame] += value
            total[frame] += value
            weighted[frame] += freq_hz * value
            power = max(amin, float(value * value))
            power_total[frame] += power
            product[frame] *= power
        if bin_ % _FACTORS == _FACTORS - 1 or bin_ == n_bins - 1:
            for index in range(n_frames):
                exponent[index] += (bits[index] >> _EXPONENT_BITS) - _EXPONENT_BIAS
                bits[index] = bits[index] & _MANTISSA | _ONE

    centroid, spread, rolloff = out[0], np.zeros(n_frames), np.full(n_frames, np.inf)
    threshold, reached = np.float32(roll_percent) * cumulative, np.zeros(n_frames, np.float32)
    for index in range(n_frames):
        centroid[index] = weighted[index] / total[index] if total[index] > 0 else 0.0
        log_product = np.log(product[index]) + exponent[index] * np.log(2.0)
        out[3, index] = np.exp(log_product / n_bins) / (power_total[index] / n_bins)
    for bin_ in range(n_bins):
        row, freq_hz = magnitude[bin_], freqs_hz[bin_]
        for index in range(n_frames):
            frame = np.uint64(index)
            deviation_hz = freq_hz - centroid[frame]
            spread[frame] += row[frame] * (deviation_hz * deviation_hz)
            so_far = reached[frame] + row[frame]
            reached[frame] = so_far
            rolloff[frame] = min(rolloff[frame], freq_hz if so_far >= threshold[frame] else np.inf)
    for index in range(n_frames):
        out[1, index] = np.sqrt(spread[index] / total[index]) if total[index] > 0 else 0.0
        out[2, index] = rolloff[index]


@helper
def _insert(smallest: np.ndarray, first: int, pushed: np.ndarray) -> None:
    """Insert a number of each frame into three sorted rows from ``first`` on; ``pushed (n,)`` takes what they push out."""
    one, two, three = smallest[first], smallest[first + 1], smallest[first + 2]
    for index in range(len(pushed)):
        frame = np.uint64(index)
        value = pushed[frame]
        one[frame], value = min(one[frame], value), max(one[frame], value)
        two[frame], value = min(two[frame], value), max(two[frame], value)
        three[frame], pushed[frame] = min(three[frame], value), max(three[frame], value)


@compiled("float32[:, ::1], int64[:, ::1], int64[::1], float64[:, :], float64[:, :]")
def contrast_extremes(
    magnitude: np.ndarray, bands: np.ndarray, most: np.ndarray, peak: np.ndarray, valley: np.ndarray
) -> None:
    """Mean of the ``most[b]`` largest and smallest magnitudes in the bins ``bands[b, 0]:bands[b, 1]``.

    ``peak`` and ``valley`` are float64 ``(n_bands, n)``. The few extremes are kept sorted, the largest with their signs
    changed; rows are in threes, so some are more than needed.
    """
    n_frames, n_rows = magnitude.shape[1], -(-most.max() // 3) * 3
    smallest, largest = np.empty((2, n_rows, n_frames), np.float32)
    value, negative = np.empty((2, n_frames), np.float32)
    for band in range(bands.shape[0]):
        smallest[:], largest[:] = np.inf, np.inf
        for bin_ in range(bands[band, 0], bands[band, 1]):
            value[:] = magnitude[bin_]
            negative[:] = -magnitude[bin_]
            for first in range(0, most[band], 3):
                _insert(smallest, first, value)
                _insert(largest, first, negative)
        for frame in range(n_frames):
            valley[band, frame] = smallest[: most[band], frame].mean()
            peak[band, frame] = -largest[: most[band], frame].mean()
