"""More of the last answer: the same request for more songs, without those that were shown."""

from dataclasses import replace
from typing import TypeVar

from songmap.core.errors import QueryError
from songmap.similar import requests
from songmap.similar.results import Ranked

Paged = (
    requests.SimilarRequest
    | requests.FindRequest
    | requests.ListRequest
    | requests.OutliersRequest
    | requests.HubsRequest
)
Page = TypeVar("Page", bound=Ranked)


def request_for_more(last: requests.Request | requests.RadioRequest | None, shown: int, number: int) -> Paged:
    """The last request, for ``number`` songs more than the ``shown``. Raises QueryError where it does not go on."""
    if not isinstance(last, Paged):
        raise QueryError("there is nothing to go on with; next follows similar, diverse, find, list, outliers or hubs")
    return replace(last, number=shown + number)


def without(answer: Page, shown: list[str], number: int) -> Page:
    """The first ``number`` songs of an answer whose paths were not ``shown``. Raises QueryError if there is none."""
    before = set(shown)
    places = [place for place, song in enumerate(answer.songs) if song.file_path not in before][:number]
    if not places:
        raise QueryError(f"these were all: the last answer has {len(shown):,} songs and goes no further")
    figures = {name: [values[place] for place in places] for name, values in answer.figures.items()}
    songs = tuple(answer.songs[place] for place in places)
    return replace(answer, songs=songs, figures=figures, first_rank=len(shown) + 1)
