"""The hot loops, compiled. Each docstring states the definition; tests/features compares with plain numpy.

Spectra of the STFT are frames by bins, ``(n_frames, n_bins)``, as they are transformed. In loops that are to run in SIMD
indices are unsigned where numba cannot see that they are not negative: a negative one would count from the end, and a test for
it prevents SIMD. Nothing checks indices, so callers keep them in range. All kernels release the GIL, use no fast-math and give
the same bits for any split into blocks. They are compiled on first use and cached on disk.
"""

import numpy as np

from songmap.features.compiled import compiled

# mypy: disable-error-code="untyped-decorator"

_SUMS = 64  # that grow side by side, in SIMD
_COPIED = 8  # rows of a matrix that are transposed together


@compiled("float32[:, ::1], float32[::1]")
def mix_down(samples: np.ndarray, out: np.ndarray) -> None:
    """Mean over channels: ``samples`` float32 ``(n, channels)`` to ``out`` float32 ``(n,)``."""
    n_channels = samples.shape[1]
    scale = np.float32(n_channels)
    if n_channels == 2:  # of most files; the loop over channels prevents SIMD
        for index in range(samples.shape[0]):
            out[index] = (samples[index, 0] + samples[index, 1]) / scale
        return
    for index in range(samples.shape[0]):
        total = samples[index, 0]
        for channel in range(1, n_channels):
            total += samples[index, channel]
        out[index] = total / scale


@compiled("float32[::1], float64")
def divide(samples: np.ndarray, divisor: float) -> None:
    """Divide float32 ``samples (n,)`` in place, in double precision, as numpy would by a float64."""
    for index in range(len(samples)):
        samples[index] = samples[index] / divisor


@compiled("float32[::1], int64, int64, float64[::1], float64[:, ::1]")
def windowed_frames(samples: np.ndarray, first: int, hop: int, window: np.ndarray, out: np.ndarray) -> None:
    """Frames from ``first, first + hop, …`` times ``window``, float64 ``(n, n_fft)``; zero beyond ``samples``."""
    n_samples, n_fft = len(samples), out.shape[1]
    for row in range(out.shape[0]):
        start = first + row * hop
        low, high = min(max(0, -start), n_fft), min(n_fft, n_samples - start)
        out[row, :low] = 0.0
        for index in range(low, high):
            place = np.uint64(index)
            out[row, place] = samples[np.uint64(start + index)] * window[place]
        out[row, max(low, high) :] = 0.0


@compiled("float64[:, ::1], float32[:, ::1]")
def round_to_single(numbers: np.ndarray, out: np.ndarray) -> None:
    """Write float64 ``numbers (n, size)`` as float32, in SIMD, unlike numpy's conversion of complex numbers."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = numbers[row, column]


@compiled("float32[::1], int64, float32[:, ::1], float32[:, :, ::1]")
def mirrored_frames(samples: np.ndarray, first: int, apart: np.ndarray, out: np.ndarray) -> None:
    """Frames from ``first, first + hop, …`` folded: sums, then differences of mirrored samples, float32 ``(2, size, n)``.

    A frame of ``2 * size`` samples is zero beyond ``samples``. Row ``k`` holds its sample ``k + 1`` plus and minus its
    sample ``(2 * size - k) % (2 * size)``. ``apart (hop, n - 1 + ceil(2 * size / hop))``, at least eight columns, is
    overwritten: samples a hop apart are side by side there, so that a row of the result is of neighbours.
    """
    (hop, n_hops), (_, size, n_frames) = apart.shape, out.shape
    low, high = max(0, first), min(first + n_hops * hop, len(samples))
    if high - low < n_hops * hop:
        padded = np.zeros(n_hops * hop, samples.dtype)
        if high > low:
            padded[low - first : high - first] = samples[low:high]
        samples, first = padded, 0
    for group in range(-(-n_hops // _COPIED)):
        start = min(group * _COPIED, n_hops - _COPIED)  # the last group overlaps: a loop of one length is unrolled
        for phase in range(hop):
            for index in range(_COPIED):
                place = np.uint64(first + (start + index) * hop + phase)
                apart[np.uint64(phase), np.uint64(start + index)] = samples[place]
    for row in range(size):
        one, other = row + 1, (2 * size - row) % (2 * size)
        ones, others = apart[one % hop, one // hop :], apart[other % hop, other // hop :]
        sums, differences = out[0, row], out[1, row]
        for frame in range(n_frames):
            sums[frame], differences[frame] = ones[frame] + others[frame], ones[frame] - others[frame]


@compiled("float32[:, :, ::1], float32[::1], float32[:, ::1]")
def magnitudes(products: np.ndarray, scale: np.ndarray, out: np.ndarray) -> None:
    """Moduli, times ``scale (k,)``, of the complex numbers of which ``products (2, k, n)`` are the two parts."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            real, imaginary = products[0, row, column], products[1, row, column]
            out[row, column] = np.sqrt(real * real + imaginary * imaginary) * scale[row]


@compiled("float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1]")
def keep_harmonic(spectrum: np.ndarray, magnitude: np.ndarray, harmonic: np.ndarray, percussive: np.ndarray) -> None:
    """Multiply ``spectrum`` in place by the soft mask h²/(h²+p²); 0.5 where both vanish.

    ``spectrum`` is the float32 view ``(n, 2 * n_bins)`` of complex numbers. Every step rounds as in
    ``librosa.decompose.hpss`` (magnitude times mask times phase), because what this leaves in silence
    is rounding noise alone, and chroma, being normalised, raises it to full scale.
    """
    tiny = np.float32(np.finfo(np.float32).tiny)
    one, half = np.float32(1.0), np.float32(0.5)
    for row in range(magnitude.shape[0]):
        for column in range(magnitude.shape[1]):
            h, p = harmonic[row, column], percussive[row, column]
            largest = max(h, p)
            divisor = one if largest < tiny else largest
            h, p = h / divisor, p / divisor
            h, p = h * h, p * p
            mask = half if largest < tiny else h / (h + p)
            size = magnitude[row, column]
            kept = size * mask
            size = one if size == 0 else size
            spectrum[row, 2 * column] = kept * (spectrum[row, 2 * column] / size)
            spectrum[row, 2 * column + 1] = kept * (spectrum[row, 2 * column + 1] / size)


@compiled("float32[:, ::1], float64[::1], int64, int64, float32[::1]")
def overlap_add(frames: np.ndarray, window: np.ndarray, first: int, hop: int, out: np.ndarray) -> None:
    """Add windowed ``frames`` float32 ``(n, n_fft)`` to ``out`` at ``first, first + hop, …``."""
    for row in range(frames.shape[0]):
        start = first + row * hop
        for index in range(frames.shape[1]):
            out[np.uint64(start + index)] += frames[row, index] * window[index]


@compiled("float32[:, ::1], int64, int64, float64, float32[::1], float32[::1]")
def spectral_peaks(
    magnitude: np.ndarray, first_bin: int, last_bin: int, hz_per_bin: float, pitches: np.ndarray, strengths: np.ndarray
) -> int:
    """Local maxima above a tenth of their frame's largest magnitude, parabolically interpolated.

    Writes frequencies in Hz and magnitudes, float32, one after the other; returns how many. The
    definition and the precision of each step are those of ``librosa.piptrack``.
    """
    n_peaks = 0
    half, tenth = np.float32(0.5), np.float32(0.1)
    bits, largest = magnitude.view(np.int32), np.empty(1, np.int32)  # which order as the numbers do: none is negative
    is_peak = np.empty(last_bin, np.bool_)
    for row in range(magnitude.shape[0]):
        largest[0] = 0
        for index in range(magnitude.shape[1]):
            largest[0] = max(largest[0], bits[row, np.uint64(index)])
        floor = tenth * largest.view(np.float32)[0]
        frame = magnitude[row]
        for index in range(first_bin, last_bin):
            before, here, after = frame[np.uint64(index - 1)], frame[np.uint64(index)], frame[np.uint64(index + 1)]
            rises, falls = (before <= floor) | (here > before), (after <= floor) | (here >= after)
            is_peak[np.uint64(index)] = (here > floor) & rises & falls
        for column in range(first_bin, last_bin):
            if is_peak[column]:
                before, here, after = frame[column - 1], frame[column], frame[column + 1]
                curvature, slope = after + before - 2.0 * here, (after - before) / 2.0
                shift = np.float32(0.0 if abs(slope) >= abs(curvature) else -slope / curvature)
                pitches[n_peaks] = (column + shift) * hz_per_bin
                strengths[n_peaks] = here + half * np.float32(slope) * shift
                n_peaks += 1
    return n_peaks


@compiled("float32[::1], int64, float64[::1]")
def hop_power(samples: np.ndarray, hop: int, out: np.ndarray) -> None:
    """Sum of squares of every whole or last partial hop of ``samples``: float64 ``(n_hops,)``."""
    totals = np.empty(_SUMS)
    for row in range(len(out)):
        totals[:] = 0
        first, stop = row * hop, min((row + 1) * hop, len(samples))
        for start in range(first, stop, _SUMS):
            for lane in range(min(_SUMS, stop - start)):
                sample = float(samples[np.uint64(start + lane)])
                totals[np.uint64(lane)] += sample * sample
        out[row] = totals.sum()


@compiled("float32[::1], float32, int64, float64, int64[:, ::1]")
def zero_crossings(samples: np.ndarray, before: float, hop: int, threshold: float, counts: np.ndarray) -> None:
    """Sign changes in every hop of ``samples``, which the sample ``before`` precedes: int64 ``(n_hops, 2)``.

    The second number is 1 if the sign changes at the hop's first sample: in a frame that begins there it does not count.
    A magnitude up to ``threshold`` counts as zero, zero as positive.
    """
    limit = np.float32(-threshold)
    for row in range(counts.shape[0]):
        first, stop = row * hop, min((row + 1) * hop, len(samples))
        counts[row, 1] = (samples[first] < limit) != (before < limit)
        crossings = 0
        for index in range(first + 1, stop):
            crossings += (samples[np.uint64(index)] < limit) != (samples[np.uint64(index - 1)] < limit)
        counts[row, 0] = counts[row, 1] + crossings
        before = samples[stop - 1]


@compiled("float64[::1], float64[::1], int64, float64[::1]")
def beat_scores(
    onsets: np.ndarray, window: np.ndarray, first_lag: int, penalties: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of beat tracking ``local, total, previous``, all ``(n_frames,)``, of ``onsets`` float64 ``(n_frames,)``.

    ``local`` is ``onsets`` smoothed by ``window``, the first of them left out as in librosa; ``total`` adds to it the best earlier total less the
    penalty of its lag (``first_lag …``); ``previous`` is that earlier frame, -1 where a chain begins.
    """
    n_frames, half = len(onsets), len(window) // 2
    local, total, previous = np.empty(n_frames), np.empty(n_frames), np.empty(n_frames, np.int64)
    for frame in range(n_frames):
        score = 0.0
        for place in range(max(0, frame + half - n_frames + 1), min(frame + half, len(window))):
            score += window[place] * onsets[frame + half - place]
        local[frame] = score
    threshold = 0.01 * local.max()
    begun = False
    for frame in range(n_frames):
        best, best_frame = -np.inf, -1
        for index in range(len(penalties)):
            earlier = frame - first_lag - index
            if earlier < 0:
                break
            score = total[earlier] - penalties[index]
            if score > best:
                best, best_frame = score, earlier
        total[frame] = local[frame] + (best if best_frame >= 0 else 0.0)
        begun = begun or local[frame] >= threshold
        previous[frame] = best_frame if begun else -1
    return local, total, previous
