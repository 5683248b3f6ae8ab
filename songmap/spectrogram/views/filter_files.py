"""What 07 writes on filters and reasons: pages, and the playlist of a filter."""

from pathlib import Path

import numpy as np

from songmap.core.files import write_atomically
from songmap.core.text import file_name
from songmap.core.workspace import Workspace
from songmap.genre.song_results import SongExplanation
from songmap.library.m3u8 import write_playlist
from songmap.spectrogram.clips import Clip, ClipKey
from songmap.spectrogram.filter_results import FilterPlaylist, LayerDescription, SongReasons
from songmap.spectrogram.views.filters_page import filters_page
from songmap.spectrogram.views.reasons_page import reasons_page


def write_filters_page(
    workspace: Workspace, layer: LayerDescription, patches: dict[int, np.ndarray], clips: dict[ClipKey, Clip]
) -> Path:
    """Write the page of a layer's filters."""
    path = workspace.page("spectrogram_filters")
    _write(path, filters_page(layer, patches, clips, path.parent))
    return path


def write_reasons_page(
    workspace: Workspace, reasons: SongReasons, maps: tuple[np.ndarray, np.ndarray], columns: SongExplanation | None
) -> Path:
    """Write the page that explains a song's genre; see ``reasons_page``."""
    path = workspace.page(f"spectrogram_reasons_{file_name(reasons.song.display_name)}")
    _write(path, reasons_page(reasons, maps, columns, path.parent))
    return path


def write_filter_playlist(workspace: Workspace, playlist: FilterPlaylist) -> Path:
    """Write the songs of highest mean activation of a filter as a playlist."""
    name = f"{playlist.network}_{playlist.layer}_filter_{playlist.number}.m3u8"
    path = workspace.outputs / "playlists" / name
    write_playlist(path, [one.song for one in playlist.songs])
    return path


def _write(path: Path, html: str) -> None:
    write_atomically(path, html.encode("utf-8", "backslashreplace"))
