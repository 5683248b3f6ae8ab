"""A session with one library: requests are dispatched to the functions that compute their results.

What songs are compared in (space, search) is built for each setting when a request first needs it, and kept for the
last few. The songs of the last ranked result have numbers, which later requests can give in place of a name.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import QueryError, SchemaError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.genre_model import GenreModel, load_model, load_out_of_fold
from songmap.library.genre_similarity import genre_similarity
from songmap.library.library import Library, library_fingerprint
from songmap.library.m3u8 import is_playlist, read_playlist
from songmap.library.search import open_search
from songmap.library.song_vectors import SongVectors, load_song_vectors, vectors_file
from songmap.library.spaces import FAMILY_SPACES, Space, build_space, network_space
from songmap.similar import evaluation, explain, find, library_statistics, playlists, requests, results
from songmap.similar.comparison import Comparison
from songmap.similar.lookup import FoundSong, Lookup
from songmap.similar.made_playlists import filtered_tracks, path_result, playlist_result
from songmap.similar.neighbours_file import write_neighbours
from songmap.similar.paging import request_for_more, without
from songmap.similar.play_results import PlayResult, StopResult
from songmap.similar.player import Player
from songmap.similar.ranking import similar_songs
from songmap.similar.requests import Setting
from songmap.similar.running_order import running_order
from songmap.similar.song import Song

KEPT_SETTINGS = 4  # comparisons that are kept: of a large library each takes some memory


class Session:
    """One library, what is computed from it once, and the last result.

    Parameters
    ----------
    library : Library
        Of at least one song; else QueryError.
    workspace : Workspace, optional
        Where the genre model of the classifier space and the vectors of the cnn space are.
    """

    def __init__(self, library: Library, workspace: Workspace | None = None) -> None:
        self.library, self.lookup = library, Lookup(library)
        self._lookups = {Setting().tempo: self.lookup}
        self.last: list[str] = []  # paths of the songs of the last ranked result,
        self._answered: tuple[requests.Request | requests.RadioRequest, Setting] | None = None  # to this request
        self.player = Player()
        self._workspace = workspace
        self._kept: OrderedDict[Setting, Comparison] = OrderedDict()

    def run(
        self, request: requests.Request, setting: Setting | None = None, on_progress: OnProgress | None = None
    ) -> results.Result:
        """The result of a request. Raises SongmapError."""
        setting = setting or Setting()
        result = self._result(request, setting, on_progress)
        if isinstance(result, results.Ranked) and not isinstance(request, requests.NextRequest):
            self.last = [song.file_path for song in result.songs]
            if isinstance(result, results.SimilarResult):  # numbers of the answer before name other songs from now on
                query, away = (tuple(song.file_path for song in songs) for songs in (result.query, result.away))
                request = replace(result.request, songs=query, away=away)
            self._answered = request, setting
        return result

    def grade(self, name: str) -> int:
        """How well ``name`` names a song, as ``Lookup.grade``."""
        return self.lookup.grade(name, self.last)

    def radio(self, request: requests.RadioRequest, setting: Setting | None = None) -> Iterator[Song]:
        """Song after song, each computed when it is wanted; those so far are the last result. Raises SongmapError."""
        setting = setting or Setting()
        (row,) = self.lookup.rows([request.song], self.last)
        comparison = self.comparison(setting)
        tracks, _ = filtered_tracks(comparison, [row], request.filters)
        self.last, self._answered = [], (request, setting)

        def songs() -> Iterator[Song]:
            for following in islice(playlists.radio(tracks, row, request.seed), request.number):
                song = comparison.lookup.song(following)
                self.last.append(song.file_path)
                yield song

        return songs()

    def comparison(self, setting: Setting) -> Comparison:
        """The library in one setting. Raises QueryError if it has one song only, SchemaError without a genre model."""
        if setting not in self._kept:
            space = self._space(setting)
            search = open_search(self.library, space, setting.correct_hubs)
            self._kept[setting] = Comparison(self._lookup(setting), setting, search, self._model_of(setting))
            while len(self._kept) > KEPT_SETTINGS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(setting)
        return self._kept[setting]

    def _more(self, request: requests.NextRequest, on_progress: OnProgress | None) -> results.Ranked:
        """More of the last answer; the numbers of its songs remain."""
        last, setting = self._answered or (None, Setting())
        number = request.number or getattr(last, "number", None) or len(self.last)
        wanted = request_for_more(last, len(self.last), number)
        answer = self._result(wanted, setting, on_progress)
        if not isinstance(answer, results.Ranked):
            raise TypeError(f"{type(answer).__name__} holds no ranked songs")
        result = without(answer, self.last, number)
        self.last = [*self.last, *(song.file_path for song in result.songs)]
        return result

    def _lookup(self, setting: Setting) -> Lookup:
        """The songs with the tempos that count in a setting."""
        if setting.tempo not in self._lookups:
            self._lookups[setting.tempo] = Lookup(self.library, setting.tempo)
        return self._lookups[setting.tempo]

    def _result(self, request: requests.Request, setting: Setting, on_progress: OnProgress | None) -> results.Result:
        lookup, last = self._lookup(setting), self.last
        compared = partial(self.comparison, setting)  # after names are found: a large library takes seconds
        match request:
            case requests.SimilarRequest(songs, away):
                query, steered = lookup.find_all(songs, last), lookup.find_all(away, last)
                return similar_songs(compared(), query, steered, request)
            case requests.CompareRequest() | requests.WhyRequest():
                first, second = self._pair(request, lookup)
                explained = explain.why if isinstance(request, requests.WhyRequest) else explain.compare
                return explained(compared(), first, second)
            case requests.InfoRequest():
                found = lookup.find(request.song, last)
                comparison = compared() if lookup.others([found]).any() else None
                return library_statistics.song_info(lookup, found, comparison, self._model_of(setting))
            case requests.ListRequest():
                return find.list_songs(lookup, request)
            case requests.FindRequest():
                return find.find_songs(lookup, request)
            case requests.NextRequest():
                return self._more(request, on_progress)
            case requests.GenresRequest():
                comparison = compared()
                similarity = genre_similarity(comparison.search, self.library.genres.tolist())
                return results.GenresResult(similarity, comparison.model)
            case requests.DuplicatesRequest():
                return library_statistics.duplicates(lookup)
            case requests.OutliersRequest():
                return library_statistics.outliers(compared(), request.number, on_progress)
            case requests.HubsRequest():
                return library_statistics.hubs(compared(), request.number, on_progress)
            case requests.EvaluateRequest():
                spaces = self._spaces(setting)
                return evaluation.evaluate(lookup, spaces, request.seed, on_progress)
            case requests.NeighboursRequest():
                rows, similarities = compared().neighbours(request.number, on_progress)
                paths = self.library.songs["file_path"].tolist()
                write_neighbours(request.file, paths, rows, similarities, request.csv_kind)
                return results.NeighboursResult(str(request.file), *rows.shape)
            case requests.PlaylistRequest():
                seeds = lookup.rows(request.songs, last)
                return playlist_result(compared(), seeds, request)
            case requests.PathRequest():
                ends = lookup.rows([request.first, request.second], last)
                return path_result(compared(), ends, request)
            case requests.OrderRequest():
                file, listed, unknown = self._read(request.file)
                comparison = compared()
                ordered = comparison.ordered(running_order(comparison.tracks, listed))
                return results.OrderResult(**vars(ordered), file=file, unknown=unknown)
            case requests.TransitionsRequest():
                return self._transitions(request, compared)
            case requests.PlayRequest():
                return self._play(request)
            case requests.StopRequest():
                return StopResult(self.player.stop())

    def _read(self, name: str) -> tuple[Path, list[int], dict[int, str]]:
        """The file of a playlist, rows of its songs, and the entries that are not songs of the library, by line."""
        file = Path(name).expanduser()
        rows, unknown = read_playlist(file, self.library.songs["file_path"].tolist())
        if not rows:
            raise QueryError(f"no entry of {file} is a song of the library")
        return file, rows, unknown

    def _pair(
        self, request: requests.CompareRequest | requests.WhyRequest, lookup: Lookup
    ) -> tuple[FoundSong, FoundSong]:
        first, second = lookup.find_all([request.first, request.second], self.last)
        if request.first != request.second and first.record["file_path"] == second.record["file_path"]:
            raise QueryError(
                f"{request.first!r} and {request.second!r} are both {first.song.display_name}; write two songs as A vs B"
            )
        return first, second

    def _transitions(
        self, request: requests.TransitionsRequest, compared: Callable[[], Comparison]
    ) -> results.OrderResult:
        names, unknown = request.songs, dict[int, str]()
        if len(names) == 1 and is_playlist(names[0]):
            _, rows, unknown = self._read(names[0])
        else:
            rows = self.lookup.rows(names, self.last)
        if len(rows) < 2:
            raise QueryError("a transition needs two songs; give A + B, or a playlist of several songs")
        return results.OrderResult(**vars(compared().ordered(rows)), file=None, unknown=unknown)

    def _play(self, request: requests.PlayRequest) -> PlayResult:
        path, song = request.song, None
        if not is_playlist(path):
            (row,) = self.lookup.rows([path], self.last)
            song = self.lookup.song(row)
            path = song.file_path
        return PlayResult(path, self.player.play(path, request.player), song)

    def _space(self, setting: Setting) -> Space:
        if len(self.library) == 1:
            raise QueryError("no other song to compare: the library has only one; add music and run 01 again")
        model = self._model[0] if setting.space == "classifier" else None
        network = self._network if setting.space == "cnn" else None
        return build_space(self.library.embeddings, setting.space, dict(setting.weights) or None, model, network)

    def _spaces(self, setting: Setting) -> evaluation.Spaces:
        """All spaces; with weights, that of the setting too."""
        of_name = {name: self._space(Setting(name)) for name in FAMILY_SPACES}
        if setting.weights:
            of_name[f"{setting.space}, weighted"] = self._space(setting)
        spaces = evaluation.Spaces(of_name, None, None, None)
        try:
            proba = self._out_of_fold()
            of_name["classifier"] = self._space(Setting("classifier"))
            spaces = replace(spaces, model=self._model_in_use, out_of_fold=proba)
        except SchemaError as error:
            spaces = replace(spaces, model_error=error)
        if self._workspace is None or not vectors_file(self._workspace).exists():
            return spaces
        try:
            own = self._network
        except SchemaError as error:
            return replace(spaces, network_error=error)
        of_name["cnn"] = self._space(Setting("cnn"))
        folds = tuple(network_space(self.library.embeddings, own.network, one) for one in own.fold_vectors)
        return replace(spaces, network=self._network_in_use, folds=folds, fold_of=own.fold_of)

    def _out_of_fold(self) -> np.ndarray:
        """Each song's probabilities ``(n_songs, n_genres)`` by a model that was trained without it."""
        model, card = self._model
        if self._workspace is None or not self._model_in_use.trained_on_this_library:
            raise SchemaError(
                "the genre model was trained on another library or an earlier state of this one, and would be evaluated "
                "on songs that it was trained on; run 03_genre_classifier.py"
            )
        proba = load_out_of_fold(self._workspace, card, (len(self.library), len(model.genres)))
        untrained = np.isnan(proba).any(axis=1)
        if untrained.any():
            proba[untrained] = model.predict_proba(self.library.embeddings[untrained])
        return proba

    @cached_property
    def _model(self) -> tuple[GenreModel, dict[str, Any]]:
        if self._workspace is None:
            raise SchemaError("the classifier space needs a workspace with a model; run 03_genre_classifier.py first")
        return load_model(self._workspace)

    @cached_property
    def _model_in_use(self) -> results.ModelInUse:
        model, card = self._model
        return results.ModelInUse(model.name, card.get("data") == library_fingerprint(self.library))

    @cached_property
    def _network(self) -> SongVectors:
        if self._workspace is None:
            raise SchemaError("the cnn space needs a workspace with a network; run 07_spectrogram_cnn.py first")
        return load_song_vectors(self._workspace, self.library)

    @property
    def _network_in_use(self) -> results.ModelInUse:
        return results.ModelInUse(self._network.network, trained_on_this_library=True, space="cnn")

    def _model_of(self, setting: Setting) -> results.ModelInUse | None:
        if setting.space == "cnn":
            return self._network_in_use
        return self._model_in_use if setting.space == "classifier" else None
