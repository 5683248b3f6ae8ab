"""The pages of a map, written once and opened for every test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from map_page_driver import (
    FILE_NAMES,
    N,
    Page,
    coordinates,
    estimated_keys,
    map_songs,
    neighbours,
    projection,
    song_rows,
    tone,
)

from songmap.journey.results import Colouring
from songmap.journey.views.map_page import write_map_page


@pytest.fixture(scope="session")
def make_page(browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Page]:
    workspace = tmp_path_factory.mktemp("a workspace #1?")
    songs = song_rows(workspace / "music")
    for row in FILE_NAMES:
        tone(Path(songs["file_path"][row]))
    broken = Path(songs["file_path"][5])
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("no audio")
    near, similarities = neighbours()
    colourings = (
        Colouring("genre", "genre", songs["genre"].to_numpy()),
        Colouring("tempo", "number", songs["tempo_bpm"].where(songs["tempo_bpm"] > 0).to_numpy(), "BPM"),
        Colouring("key", "key", estimated_keys()),
        Colouring("year", "number", songs["year"].to_numpy()),
        Colouring("cluster", "cluster", N - np.arange(N)),
    )
    on_map = map_songs(songs, colourings, near, similarities)
    pages = {}
    for n_dimensions in (2, 3):
        path = workspace / "outputs" / "html" / f"map_{n_dimensions}d.html"
        other = f"map_{5 - n_dimensions}d.html"
        write_map_page(path, projection(coordinates()[:, :n_dimensions]), on_map, other)
        pages[n_dimensions] = Page(browser, path, songs)
    return pages.__getitem__


@pytest.fixture
def plane(make_page) -> Page:
    return make_page(2).open()


@pytest.fixture
def space(make_page) -> Page:
    return make_page(3).open()
