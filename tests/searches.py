"""Requests of a library in one setting, for tests: each result with its records and its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest.mock import patch

from songmap.core.tables import CsvKind
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.similar import requests, results
from songmap.similar.comparison import Comparison
from songmap.similar.requests import Filters, Setting
from songmap.similar.session import Session
from songmap.similar.views.records import Record, as_csv, records
from songmap.similar.views.tables import as_text, notes


@dataclass(frozen=True)
class Shown:
    """A result as programs and people see it."""

    result: results.Result

    @property
    def records(self) -> list[Record]:
        return records(self.result)

    @property
    def sentences(self) -> list[str]:
        return notes(self.result, verbose=True)

    def text(self, columns: int = 300, verbose: bool = False) -> str:
        """At a terminal so wide; of the default nothing is left out or cut."""
        with patch.dict("os.environ", COLUMNS=str(columns)):
            return as_text(self.result, verbose)

    def csv(self, kind: CsvKind = "spreadsheet") -> str:
        return as_csv(self.result, kind)


class Searches:
    """A session whose requests are all in one setting."""

    def __init__(
        self,
        library: Library,
        workspace: Workspace | None = None,
        space: str = "balanced",
        weights: Mapping[str, float] | None = None,
        correct_hubs: bool = False,
    ) -> None:
        self.library, self.session = library, Session(library, workspace)
        self.setting = Setting(space, tuple((weights or {}).items()), correct_hubs)

    @property
    def comparison(self) -> Comparison:
        return self.session.comparison(self.setting)

    def run(self, request: requests.Request) -> Shown:
        return Shown(self.session.run(request, self.setting))

    def similar(self, songs: Sequence[str], away: Sequence[str], number: int, filters: Filters) -> Shown:
        return self.run(requests.SimilarRequest(tuple(songs), tuple(away), number, filters))

    def diverse(
        self, songs: Sequence[str], away: Sequence[str], number: int, diversity: float, filters: Filters
    ) -> Shown:
        return self.run(requests.SimilarRequest(tuple(songs), tuple(away), number, filters, diversity))

    def compare(self, first: str, second: str) -> Shown:
        return self.run(requests.CompareRequest(first, second))

    def why(self, first: str, second: str) -> Shown:
        return self.run(requests.WhyRequest(first, second))

    def info(self, song: str) -> Shown:
        return self.run(requests.InfoRequest(song))

    def listing(self, genre: str | None = None) -> Shown:
        return self.run(requests.ListRequest(genre))

    def genres(self) -> Shown:
        return self.run(requests.GenresRequest())

    def duplicates(self) -> Shown:
        return self.run(requests.DuplicatesRequest())

    def outliers(self, number: int) -> Shown:
        return self.run(requests.OutliersRequest(number))

    def hubs(self, number: int) -> Shown:
        return self.run(requests.HubsRequest(number))

    def evaluate(self, seed: int = 42) -> Shown:
        return self.run(requests.EvaluateRequest(seed))
