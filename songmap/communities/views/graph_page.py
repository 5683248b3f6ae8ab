"""The graph as one page that needs nothing else: songs as points, coloured by community, with a search.

All data goes into the page once; ``graph_page.js`` draws it on a canvas and makes text, never HTML, of names.
``graph_page.html`` is the template, ``graph_page.css`` the look.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from songmap.communities.graph_results import CommunityFacts, GraphDrawing, PlaylistCommunities
from songmap.communities.views.exports import MAX_EDGES
from songmap.communities.views.playlist_sentences import (
    community_line,
    community_name,
    community_sentence,
    graph_sentence,
    match_sentence,
    unmatched_sentence,
    unread_lines,
    warning_lines,
)
from songmap.core.pages import render
from songmap.core.text import count_of_songs, one_line, readable
from songmap.library.display_names import display_titles
from songmap.library.palette import GENRE_COLOURS, MORE_COLOURS, UNKNOWN_COLOUR

NAME = "song_graph"
MAX_COLOURED = len(GENRE_COLOURS) + len(MORE_COLOURS)  # communities; smaller ones are grey


def graph_page(
    result: PlaylistCommunities,
    drawing: GraphDrawing,
    facts: Sequence[CommunityFacts],
    songs: pd.DataFrame,
    answer_page: str = "",
) -> str:
    """The page.

    Parameters
    ----------
    result : PlaylistCommunities
    drawing : GraphDrawing
    facts : sequence of CommunityFacts
        Of all communities, the largest first.
    songs : pd.DataFrame
        All songs of the library.
    answer_page : str
        Name of the page that this one belongs to, in the same folder; empty without one.
    """
    named = songs.iloc[drawing.rows]
    page = render(
        "communities/views/graph_page.html",
        title=f"{count_of_songs(len(drawing.rows) + drawing.n_left_out)} joined by playlists",
        answer_page=answer_page,
        summary=[community_sentence(result), graph_sentence(result)],
        warnings=warning_lines(result.communities),
        details=[one for one in (match_sentence(result.match), unmatched_sentence(result.match)) if one],
        unread=unread_lines(result.read),
        n_left_out=drawing.n_left_out,
        n_exported=MAX_EDGES if result.pruned.n_edges > MAX_EDGES else 0,
        graph={
            "titles": [one_line(title) for title in display_titles(named)],
            "artists": [one_line(artist) for artist in named["artist"]],
            "genres": [one_line(genre) for genre in named["genre"]],
            "labels": result.communities.labels[drawing.rows].tolist(),
            "x": _rounded(drawing.places[:, 0]),
            "y": _rounded(drawing.places[:, 1]),
            "strengths": _rounded(drawing.strengths),
            "nPlaylists": drawing.n_playlists.tolist(),
            "first": drawing.first.tolist(),
            "second": drawing.second.tolist(),
            "weights": _rounded(drawing.weights),
            "communities": [
                {"name": community_name(one), "line": community_line(one), "colour": _colour(one.label)}
                for one in facts
            ],
            "nColoured": MAX_COLOURED,
        },
    )
    return readable(page)


def _rounded(values: np.ndarray) -> list[float]:
    return [round(value, 4) for value in values.tolist()]


def _colour(label: int) -> str:
    return (*GENRE_COLOURS, *MORE_COLOURS)[label] if label < MAX_COLOURED else UNKNOWN_COLOUR
