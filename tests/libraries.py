"""Synthesised libraries that tests share."""

from collections.abc import Sequence

import numpy as np

from songmap.core.artifacts import Library, song_table
from songmap.core.schema import N_COLUMNS


def make_library(
    n_songs: int, *, genres: Sequence[str] = ("HOUSE", "TRANCE"), seed: int = 0, names=None, artist: str = "Ann"
) -> Library:
    """Random embeddings; genres in turn; names ``song 000 …``, unless given, in path order."""
    names = names if names is not None else [f"song {index:03d}" for index in range(n_songs)]
    names = sorted(names, key="/music/{}.mp3".format)
    records = [
        {
            "song_name": name,
            "file_path": f"/music/{name}.mp3",
            "genre": genres[index % len(genres)],
            "duration": 60.0 + index,
            "artist": artist,
            "title": name,
            "album": "",
            "year": float("nan"),
            "key": "",
            "tempo_bpm": 120.0,
        }
        for index, name in enumerate(names)
    ]
    embeddings = np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS)).astype(np.float32)
    return Library(embeddings, song_table(records))
