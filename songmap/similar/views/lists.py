"""Titles of lists and findings, and what a playlist's title adds."""

from songmap.core.text import count_of_songs
from songmap.similar.filters import condition_words
from songmap.similar.results import FindResult, ListResult, PlaylistResult


def title(result: ListResult | FindResult) -> str:
    """How many songs there are, of what, and which of them are shown."""
    songs = count_of_songs(result.n_songs)
    match result:
        case ListResult(genre=genre, artist=artist):
            what = f"{songs} of {genre}" if genre else f"{songs} by {artist}" if artist else songs
        case FindResult(words=words, similar_spelling=similar_spelling):
            text = repr(" ".join(words))
            what = (
                f"no song has {text}; {songs} with a similar spelling" if similar_spelling else f"{songs} with {text}"
            )
    first, last = result.first_rank, result.first_rank + len(result.songs) - 1
    if len(result.songs) == result.n_songs:
        shown = ""
    elif last < result.n_songs:
        shown = f"; {first:,} to {last:,}, `next` shows more"
    else:
        shown = f"; {first:,} to {last:,}"
    return f"{what}{shown}"


def playlist_parts(result: PlaylistResult) -> list[str]:
    """Filters, the purpose, and ends of a tempo ramp that no song reaches."""
    parts = [*map(condition_words, result.conditions)]
    limit, n_wanted = result.wanted.filters.max_per_artist, result.wanted.number
    if len(result.songs) < n_wanted:
        others = "other " if result.conditions else ""
        parts.append(
            f"fewer than {n_wanted}, as no {others}song passes, at most {limit} by one artist (--max-per-artist)"
        )
    if result.wanted.purpose == "dj":
        parts.append("for DJs: tempo and key count most")
    if energy := result.figures.get("energy"):
        places = sorted({0, len(energy) // 2, len(energy) - 1})
        parts.append(f"energy {' → '.join(f'{energy[place]:.0f}' for place in places)}, a percentile")
    if result.unreached_bpm:
        wanted = " and ".join(f"{bpm:g}" for bpm in result.unreached_bpm)
        parts.append(f"no song has {wanted} BPM, half or double, so the ramp goes as near as there are songs")
    return parts
