"""Playlists and paths as requests want them: of the songs that pass the filters, and for a purpose."""

from collections.abc import Sequence
from dataclasses import replace

from songmap.core.errors import QueryError
from songmap.similar import playlists
from songmap.similar.candidates import candidates
from songmap.similar.comparison import Comparison
from songmap.similar.filters import Condition
from songmap.similar.mixes import Energy, energy_percentiles, mix
from songmap.similar.requests import Filters, PathRequest, PlaylistRequest
from songmap.similar.results import OrderedResult, PlaylistResult
from songmap.similar.transitions import MIXING, Tracks


def filtered_tracks(
    comparison: Comparison, rows: Sequence[int], filters: Filters
) -> tuple[Tracks, tuple[Condition, ...]]:
    """What playlists from ``rows`` choose from, and the conditions that its songs meet. Raises QueryError."""
    if replace(filters, max_per_artist=None) == Filters(max_per_artist=None):
        return comparison.tracks, ()
    query = [comparison.lookup.found(row) for row in rows]
    allowed, conditions = candidates(comparison.lookup, query, filters)
    return replace(comparison.tracks, candidates=allowed), conditions


def playlist_result(comparison: Comparison, seeds: Sequence[int], request: PlaylistRequest) -> PlaylistResult:
    """The playlist of a request from the songs ``seeds``. Raises QueryError."""
    tracks, conditions = filtered_tracks(comparison, seeds, request.filters)
    number, limit = request.number, request.filters.max_per_artist or request.number
    has_ramp = request.start_bpm is not None or request.end_bpm is not None
    if has_ramp and request.energy:
        raise QueryError("--energy and a tempo ramp cannot be had together; leave one out")
    if request.purpose == "dj":
        tracks = replace(tracks, weights=MIXING)
    energy = energy_percentiles(comparison.lookup.library.embeddings) if request.energy else None
    if energy is not None and request.energy:
        made = mix(tracks, seeds, number, limit, Energy(energy, request.energy))
    elif request.purpose == "dj" and not has_ramp:
        made = mix(tracks, seeds, number, limit)
    else:
        made = playlists.playlist(tracks, seeds, number, limit, request.start_bpm, request.end_bpm)
    ordered = comparison.ordered(made.rows, tracks, conditions)
    if energy is not None:
        ordered = replace(ordered, figures={**ordered.figures, "energy": energy[made.rows].tolist()})
    return PlaylistResult(
        **vars(ordered),
        seeds=comparison.lookup.songs(seeds),
        ramp_bpm=(float(made.wanted_bpm[0]), float(made.wanted_bpm[-1])) if len(made.wanted_bpm) else None,
        far_from_ramp=len(made.far),
        unreached_bpm=made.unreached_bpm,
        wanted=request,
    )


def path_result(comparison: Comparison, ends: Sequence[int], request: PathRequest) -> OrderedResult:
    """The path of a request from one of the two songs ``ends`` to the other. Raises QueryError."""
    first, last = ends
    tracks, conditions = filtered_tracks(comparison, ends, request.filters)
    rows = playlists.path(tracks, first, last, request.number)
    return comparison.ordered(rows, conditions=conditions)
