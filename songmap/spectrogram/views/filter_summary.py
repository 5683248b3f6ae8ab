"""Filters and reasons on the terminal: the answer first, then a table."""

from pathlib import Path
from typing import Any

from songmap.core.tables import format_table
from songmap.core.text import format_duration, hertz_range, percent, shown_path, wrapped
from songmap.spectrogram.filter_results import FilterDescription, FilterPlaylist, LayerDescription, SongReasons
from songmap.spectrogram.views import filter_sentences as sentences

_SHOWN = 12


def layer_summary(layer: LayerDescription, verbose: bool, page: Path) -> str:
    """The filters with a meaning; all of them with ``verbose``."""
    described = [one for one in layer.filters if one.meaning is not None]
    shown = layer.filters if verbose else described[:_SHOWN]
    parts = [wrapped(sentences.layer_sentence(layer))]
    if shown:
        parts.append(format_table([_row(one) for one in shown], optional=("random", "sounds", "most_active_song")))
    if len(shown) < len(described):
        parts.append(f"{len(described) - len(shown)} more with --verbose.")
    return "\n\n".join([*parts, wrapped(sentences.evidence_sentence(layer)), wrapped(f"Page: {shown_path(page)}")])


def _row(one: FilterDescription) -> dict[str, Any]:
    best = one.meaning or one.nearest[0]
    return {
        "filter": one.number,
        "responds_to": sentences.probe_phrase(best) if one.meaning else f"({sentences.probe_phrase(best)})",
        "r": sentences.decimals(best.correlation),
        "random": f"{best.untrained_limit:.2f}",
        "sounds": f"{best.n_pairs_agreeing:g}/{best.n_pairs}",
        "most_active_song": one.highest[0].song.display_name if one.highest else "",
    }


def playlist_summary(playlist: FilterPlaylist, file: Path) -> str:
    """The songs of a filter's playlist."""
    rows = [
        {"rank": rank, "song": one.song.display_name, "genre": one.song.genre, "from": format_duration(one.start_s),
         "activation": f"{one.activation:#.3g}".rstrip(".")}
        for rank, one in enumerate(playlist.songs, start=1)
    ]  # fmt: skip
    title = f"Most of filter {playlist.number} of layer {playlist.layer}, {playlist.network} network"
    return f"{format_table(rows, title, shortened={'song': 20}, optional=('genre',))}\n\n{wrapped(f'Playlist: {shown_path(file)}')}"


def reasons_summary(reasons: SongReasons, page: Path) -> str:
    """Genre, bands and times."""
    rows = [
        {"frequencies": hertz_range(one.low_hz, one.high_hz), "adds": sentences.signed(one.attribution)}
        for one in reversed(reasons.bands)
    ]
    shares = sorted(reasons.probabilities.items(), key=lambda one: -one[1])
    lines = [
        sentences.reasons_sentence(reasons), sentences.times_sentence(reasons), sentences.song_sentence(reasons),
        f"Probabilities: {', '.join(f'{genre} {percent(share)}' for genre, share in shares)}.",
    ]  # fmt: skip
    table = format_table(rows, f"What frequencies add to the logit of {reasons.genre}")
    completeness = wrapped(sentences.completeness_sentence(reasons))
    return "\n\n".join(["\n".join(map(wrapped, lines)), table, completeness, wrapped(f"Page: {shown_path(page)}")])
