"""The page that explains a song's genre: it plays over its spectrograms, on which attributions are laid."""

from pathlib import Path

import numpy as np

from songmap.core.figures import AWAY_COLOUR, TOWARDS_COLOUR
from songmap.core.pages import PageTable, audio_address, render
from songmap.core.text import format_duration, hertz_range, percent, readable
from songmap.genre.song_results import SongExplanation
from songmap.genre.views.narrative import reasons as reasons_by_columns
from songmap.spectrogram.filter_results import SongReasons
from songmap.spectrogram.views import filter_sentences
from songmap.spectrogram.views.pictures import attribution_pictures, spectrogram_picture


def reasons_page(
    reasons: SongReasons, maps: tuple[np.ndarray, np.ndarray], columns: SongExplanation | None, folder: Path
) -> str:
    """The page, which will be in ``folder``.

    ``maps`` are levels in dB and attributions, both ``(n, n_bands, n_frames)``; ``columns`` is the explanation of 03.
    """
    level_db, attribution = maps
    overlays = attribution_pictures(attribution)
    excerpts = [
        {
            "reason": one,
            "time": f"{format_duration(one.start_s)}–{format_duration(one.end_s)}",
            "picture": spectrogram_picture(levels, "Greys"),
            "overlay": overlay,
        }
        for one, levels, overlay in zip(reasons.excerpts, level_db, overlays, strict=True)
    ]
    bands = [
        [hertz_range(one.low_hz, one.high_hz), filter_sentences.signed(one.attribution)]
        for one in reversed(reasons.bands)
    ]
    return render(
        "spectrogram/views/reasons.html",
        title=readable(reasons.song.display_name),
        reasons=reasons,
        sentences=filter_sentences,
        address=audio_address(reasons.song.file_path, folder),
        colours=(TOWARDS_COLOUR, AWAY_COLOUR),
        excerpts=excerpts,
        bands=PageTable(["frequencies", "adds to the logit"], bands, [False, True], [False] * len(bands)),
        percent=percent,
        columns=None if columns is None else (columns.predicted_genre, reasons_by_columns(columns)),
    )
