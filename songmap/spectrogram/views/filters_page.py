"""The page of a layer's filters: a card each, with the sound of the best-described ones within it.

``filters.html`` is the template; ``responses.css`` and ``responses.js`` are of this page and of ``reasons_page``.
"""

from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.pages import audio_address, render
from songmap.core.text import format_duration, readable
from songmap.spectrogram.clips import Clip, ClipKey
from songmap.spectrogram.filter_results import FilterMoment, LayerDescription
from songmap.spectrogram.views import filter_sentences
from songmap.spectrogram.views.pictures import data_address, spectrogram_picture


def filters_page(
    layer: LayerDescription, patches: dict[int, np.ndarray], clips: dict[ClipKey, Clip], folder: Path
) -> str:
    """The page, which will be in ``folder``: songs without a clip play from their files."""
    numbers = {key: number for number, key in enumerate(clips)}
    return render(
        "spectrogram/views/filters.html",
        title="What filters respond to",
        layer=layer,
        sentences=filter_sentences,
        cards=[
            {
                "filter": one,
                "picture": spectrogram_picture(patches[one.number]),
                "lists": {
                    "Highest at a moment": [_moment(moment, numbers, folder) for moment in one.highest],
                    "Highest on average": [_moment(moment, numbers, folder) for moment in one.mean],
                },
            }
            for one in layer.filters
        ],
        clips=[(data_address(clip.audio, "audio/mpeg"), spectrogram_picture(clip.level_db)) for clip in clips.values()],
    )


def _moment(one: FilterMoment, numbers: dict[ClipKey, int], folder: Path) -> dict[str, Any]:
    return {
        "title": readable(one.song.display_title),
        "artist": readable(one.song.artist),
        "time": format_duration(one.start_s),
        "start_s": one.start_s,
        "end_s": one.end_s,
        "clip": numbers.get((one.song.file_path, one.start_s)),
        "address": audio_address(one.song.file_path, folder),
    }
