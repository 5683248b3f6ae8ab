"""Search as a notebook uses it."""

import pytest
from libraries import make_library

from songmap.core.errors import QueryError
from songmap.library.names import Ambiguous
from songmap.similar.requests import Filters
from songmap.similar.run import search
from tests.searches import Searches

FREE = Filters(max_per_artist=None)


@pytest.fixture(scope="module")
def library():
    return make_library(30)


def test_similar_and_diverse_are_frames_of_the_same_records(library):
    searches = Searches(library, space="scaled")
    found = search(library, "scaled")
    frame = found.similar("song 003", n=5, filters=FREE)
    assert frame.to_dict("records") == searches.similar(["song 003"], [], 5, FREE).records
    assert list(frame.columns[:5]) == ["rank", "song_name", "artist", "genre", "similarity"]
    diverse = found.diverse("song 003", n=5, diversity=0.9, filters=FREE)
    assert diverse["file_path"].tolist() == [
        record["file_path"] for record in searches.diverse(["song 003"], [], 5, 0.9, FREE).records
    ]
    assert len(found.similar("song 003")) == 10  # all songs are by one artist, whose limit yields


def test_why_adds_up(library):
    frame = search(library).why("song 003", "song 004").set_index("family")
    assert frame["contribution"].iloc[:-1].sum() == pytest.approx(frame.loc["all", "contribution"])
    similar = search(library).similar("song 003", n=30, filters=FREE).set_index("song_name")
    assert frame.loc["all", "contribution"] == pytest.approx(similar.loc["song 004", "similarity"], abs=1e-6)


def test_errors_are_those_of_the_session(library):
    with pytest.raises(Ambiguous):
        search(library).similar("song")
    with pytest.raises(QueryError, match="the library is empty"):
        search(make_library(0))
