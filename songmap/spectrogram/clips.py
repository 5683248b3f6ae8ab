"""Short pieces of songs that a page holds: as MP3, which all browsers play, with the spectrogram of the same time."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.core.errors import AudioError
from songmap.core.streams import quiet_decoders
from songmap.features.decode import load_audio
from songmap.library.schema import AudioConfig
from songmap.spectrogram.excerpts import Excerpts
from songmap.spectrogram.filter_results import FilterMoment


@dataclass(frozen=True)
class Clip:
    """``audio`` is an MP3 file, mono; ``level_db (n_bands, n_frames)`` is of the same time."""

    audio: bytes
    level_db: np.ndarray


ClipKey = tuple[str, float]  # file and start of a moment


def cut_clips(moments: Iterable[FilterMoment], excerpts: Excerpts, rows: dict[str, int]) -> dict[ClipKey, Clip]:
    """The clips of moments; none of files that cannot be decoded any more.

    Parameters
    ----------
    moments : iterable of FilterMoment
        Within the excerpts.
    excerpts : Excerpts
    rows : dict of str to int
        The library's row of each file.
    """
    of_file: dict[str, list[FilterMoment]] = {}
    for moment in moments:
        of_file.setdefault(moment.song.file_path, []).append(moment)
    clips: dict[ClipKey, Clip] = {}
    for path, wanted in of_file.items():  # decoded once
        try:
            with quiet_decoders():
                signal = load_audio(Path(path), excerpts.kind.config)
        except AudioError:
            continue
        for moment in wanted:
            bounds = (round(time_s * AudioConfig().sample_rate_hz) for time_s in (moment.start_s, moment.end_s))
            clips[path, moment.start_s] = Clip(_mp3(signal.read(*bounds)), _levels(moment, excerpts, rows[path]))
    return clips


def _levels(moment: FilterMoment, excerpts: Excerpts, row: int) -> np.ndarray:
    """Of the excerpt that the moment is in."""
    hop_s = excerpts.kind.hop_s
    places = np.flatnonzero((excerpts.song == row) & (excerpts.start_s <= moment.start_s + hop_s / 2))
    first, last = (round((time_s - excerpts.start_s[places[-1]]) / hop_s) for time_s in (moment.start_s, moment.end_s))
    return np.asarray(excerpts.values[places[-1], :, first:last])


def _mp3(samples: np.ndarray) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), AudioConfig().sample_rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    return file.getvalue()
