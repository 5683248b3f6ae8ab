"""Audio files of many formats, encoded by libsndfile and FFmpeg's libraries from samples."""

from pathlib import Path

import av
import numpy as np
from scipy.signal import correlate

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def encode(
    path: Path,
    samples: np.ndarray,
    rate_hz: int,
    codec: str,
    sample_format: str | None = None,
    container_format: str | None = None,
    bit_rate: int | None = None,
) -> None:
    """Write float ``(n,)`` or ``(n, channels)`` by FFmpeg; the suffix decides the container unless it is given."""
    with av.open(str(path), "w", format=container_format) as container:
        add_audio(container, samples, rate_hz, codec, sample_format, bit_rate)


def add_audio(
    container,
    samples: np.ndarray,
    rate_hz: int,
    codec: str,
    sample_format: str | None = None,
    bit_rate: int | None = None,
):
    """Add one audio stream with these samples to a container that is open to write; the stream."""
    interleaved = np.ascontiguousarray(samples.reshape(len(samples), -1), np.float32)
    layout = LAYOUTS[interleaved.shape[1]]
    stream = container.add_stream(codec, rate=rate_hz, layout=layout)
    if sample_format:
        stream.format = sample_format
    if bit_rate:
        stream.bit_rate = bit_rate
    frame = av.AudioFrame.from_ndarray(interleaved.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.pts = rate_hz, 0
    to_format = av.AudioResampler(format=stream.format, layout=layout, rate=rate_hz)
    for part in [*to_format.resample(frame), None]:
        for packet in stream.encode(part):
            container.mux(packet)
    return stream


def likeness(decoded: np.ndarray, original: np.ndarray, padding: int) -> tuple[float, float]:
    """Correlation and gain of ``decoded`` over ``original`` where they fit best, shifted by up to ``padding`` samples."""
    n = min(len(decoded), len(original)) - 2 * padding
    theirs = original[padding : padding + n].astype(np.float64)
    products = correlate(decoded[: n + 2 * padding].astype(np.float64), theirs, "valid", "fft")
    shift = int(products.argmax())
    ours = decoded[shift : shift + n].astype(np.float64)
    return ours @ theirs / np.sqrt((ours @ ours) * (theirs @ theirs)), ours @ theirs / (theirs @ theirs)
