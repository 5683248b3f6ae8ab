"""The files that 07 leaves for people: the page, training curves, everything as JSON; spectrograms as pictures."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import SEQUENTIAL_MAP, draw
from songmap.core.files import write_atomically
from songmap.core.progress import OnProgress
from songmap.core.serialise import to_json
from songmap.core.text import file_name
from songmap.core.workspace import Workspace
from songmap.spectrogram.excerpts import FLOOR_DB, Excerpts
from songmap.spectrogram.results import NetworkFile, NetworkReport
from songmap.spectrogram.views.charts import training_figure
from songmap.spectrogram.views.page import network_page

if TYPE_CHECKING:
    import pandas as pd

NAME = "spectrogram_cnn"


def write_files(workspace: Workspace, report: NetworkReport) -> list[NetworkFile]:
    """Write all of them, and return where they are."""
    document = workspace.table(NAME).with_suffix(".json")
    curves = draw(training_figure, workspace.plots / f"{NAME}_curves.png", report)
    written = [
        NetworkFile(workspace.page(NAME), "page"), NetworkFile(curves, "curves"), NetworkFile(document, "report"),
    ]  # fmt: skip
    write_atomically(workspace.page(NAME), network_page(report).encode())
    whole = replace(report, written=[*written, *report.written])
    write_atomically(document, (to_json(whole) + "\n").encode())
    return written


def write_images(folder: Path, songs: "pd.DataFrame", excerpts: Excerpts, on_progress: OnProgress) -> int:
    """Write excerpts as PNG below ``folder/GENRE``, a pixel per band and frame, low bands at the bottom.

    Parameters
    ----------
    folder : Path
    songs : pd.DataFrame
        The table of the library.
    excerpts : Excerpts
    on_progress : callable (done, total)
        Of excerpts.

    Returns
    -------
    int
        Number of pictures.
    """
    from matplotlib.image import imsave

    used: dict[str, set[str]] = {}
    names = []
    for genre, song_name in zip(songs["genre"], songs["song_name"], strict=True):
        of_genre = used.setdefault(genre, set())
        names.append((file_name(genre), file_name(song_name, of_genre)))
        of_genre.add(names[-1][1].casefold())
    before, place = -1, 0
    for done, (values, song) in enumerate(zip(excerpts.values, excerpts.song, strict=True), 1):
        before, place = song, place + 1 if song == before else 1
        save = partial(
            imsave, arr=values.astype(np.float32), vmin=FLOOR_DB, vmax=0, cmap=SEQUENTIAL_MAP, origin="lower",
            format="png", metadata={"Software": None},
        )  # fmt: skip
        genre, name = names[song]
        write_atomically(folder / genre / f"{name} {place:02d}.png", save)
        on_progress(done, len(excerpts.song))
    return len(excerpts.song)
