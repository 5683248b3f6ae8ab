"""What a recording is, in sentences, for the terminal and the page."""

from itertools import groupby

from songmap.core.text import format_duration, joined, percent
from songmap.genre.views.narrative import family_clauses
from songmap.library.display_names import display_name
from songmap.library.keys import key_name
from songmap.library.trait_words import traits_predicate
from songmap.recording.results import Moment, NearSong, Part, RecordingAnswer

NOVEL = "sounds like nothing in the library"
_MOSTLY = 0.6  # of the time, for a genre to come first in the sentence; from 95 % on the song has one genre
_N_SPANS, _N_TRAITS = 3, 4

Span = tuple[str, float, float]
"""Genre, start and end in seconds."""


def recording_name(answer: RecordingAnswer) -> str:
    """Title and artist."""
    return display_name(answer.title, answer.artist, answer.title)


def near_name(near: NearSong) -> str:
    """Title and artist of a near song."""
    return near.song.display_name


def time_span(start_s: float, end_s: float) -> str:
    """ "1:12–2:40"."""
    return f"{format_duration(start_s)}–{format_duration(end_s)}"


def answer_sentence(answer: RecordingAnswer) -> str:
    """The answer in one sentence: which genre, or when which."""
    name, best = recording_name(answer), answer.probabilities[answer.genre]
    if answer.is_novel:
        return f"{name} {NOVEL}; the nearest genre is {answer.genre} ({percent(best)})."
    spans = genre_spans(answer)
    if len(spans) > 1:
        return f"{name} {_changing(spans, answer.duration_s)}."
    if best < 0.5:
        second = sorted(answer.probabilities, key=lambda genre: -answer.probabilities[genre])[1]
        also = percent(answer.probabilities[second])
        return f"{name} is between genres: {answer.genre} ({percent(best)}) and {second} ({also}) are the nearest."
    throughout = " throughout" if len(answer.timeline.start_s) > 1 else ""
    return f"{name} sounds like {answer.genre} ({percent(best)}){throughout}."


def genre_spans(answer: RecordingAnswer) -> list[Span]:
    """Parts one after the other that have one genre, as one."""
    grouped = [(genre, list(parts)) for genre, parts in groupby(answer.parts, lambda part: part.genre)]
    return [(genre, parts[0].start_s, parts[-1].end_s) for genre, parts in grouped]


def _changing(spans: list[Span], duration_s: float) -> str:
    """ "is mostly A (70 % of the time), with B from 1:10 to 2:40"; "is A until 1:10, then B"; or shares of time."""
    lengths: dict[str, float] = {}
    for genre, start_s, end_s in spans:
        lengths[genre] = lengths.get(genre, 0.0) + end_s - start_s
    (main, longest), *others = sorted(lengths.items(), key=lambda item: -item[1])
    rest = [span for span in spans if span[0] != main]
    if longest < _MOSTLY * duration_s:
        if len(spans) <= _N_SPANS + 1:
            until = [f"{genre} until {format_duration(end_s)}" for genre, _, end_s in spans[:-1]]
            return f"is {', '.join(until)}, then {spans[-1][0]}"
        shares = [
            f"{genre} ({percent(length / duration_s)} of the time)" for genre, length in [(main, longest), *others]
        ]
        return f"changes genre {len(spans) - 1} times: {_first(shares)}"
    start = f"is mostly {main} ({percent(longest / duration_s)} of the time)"
    if len(rest) <= _N_SPANS:
        return f"{start}, with {joined([_when(*span, duration_s) for span in rest])}"
    counts = [(genre, sum(span[0] == genre for span in rest), length) for genre, length in others]
    shares = [
        f"{genre} in {number} {'part' if number == 1 else 'parts'} ({percent(length / duration_s)})"
        for genre, number, length in counts
    ]
    return f"{start}, with {_first(shares)}"


def _first(genres: list[str]) -> str:
    """The first genres, and how many others there are."""
    more = len(genres) - _N_SPANS
    return joined(genres if more < 2 else [*genres[:_N_SPANS], f"{more} other genres"])


def _when(genre: str, start_s: float, end_s: float, duration_s: float) -> str:
    if start_s == 0:
        return f"{genre} until {format_duration(end_s)}"
    start = f"{genre} from {format_duration(start_s)}"
    return f"{start} on" if end_s == duration_s else f"{start} to {format_duration(end_s)}"


def notes(answer: RecordingAnswer) -> list[str]:
    """What to know of the answer: distance from the library, whether the model was trained on it, its traits."""
    parts = []
    if answer.is_novel:
        parts.append(
            f"Its distance from the nearest genre is {answer.novelty_distance:.2f}; that of 95 % of held-out songs is "
            f"{answer.novelty_threshold:.2f} at most. Genre and songs to hear next are guesses."
        )
    elif novel := [part for part in answer.parts if part.is_novel]:
        times = joined([time_span(part.start_s, part.end_s) for part in novel[:_N_SPANS]])
        more = f" and {len(novel) - _N_SPANS} more parts" if len(novel) > _N_SPANS else ""
        parts.append(f"Unlike anything in the library: {times}{more}.")
    if answer.in_training:
        parts.append("The classifier was trained on this recording, so these probabilities do not show how good it is.")
    elif answer.in_library:
        parts.append("This recording is in the library, without a genre of the classifier.")
    predicate = traits_predicate(answer.traits[:_N_TRAITS])
    if predicate:
        parts.append(f"Compared with the library it {predicate}.")
    return parts


def part_facts(part: Part) -> list[str]:
    """Tempo and key, where there are any."""
    tempo = f"{part.tempo_bpm:.0f} BPM" if part.tempo_bpm > 0 else ""
    return [fact for fact in (tempo, key_name(part.key)) if fact]


def reasons_sentence(part: Part) -> str:
    """Which families of columns speak for and against a part's genre."""
    clauses = family_clauses(part.families)
    if not clauses:
        return f"No family of columns changes the probability of {part.genre} by a point."
    return f"For {part.genre}: {'; '.join(clauses)}."


def moment_sentence(moment: Moment) -> str:
    """The part of a song of the library that is most similar."""
    return f"Most similar moment: {moment.song.display_name}, {time_span(moment.start_s, moment.end_s)}."


def missing_sentence(answer: RecordingAnswer) -> str:
    """Why songs to hear next are few, or of one artist; empty where they are not."""
    if not answer.next_songs:
        return f"The library has no other song of {answer.genre} to hear next."
    return f"{answer.genre} has too few artists: some are by the same one." if answer.other_artists_missing else ""


def limit_sentences(answer: RecordingAnswer) -> list[str]:
    """How far the answer can be trusted."""
    timeline = answer.timeline
    length_s, hop_s = timeline.end_s[0] - timeline.start_s[0], 0.0
    if len(timeline.start_s) > 1:
        hop_s = timeline.start_s[1] - timeline.start_s[0]
    apart = f", {hop_s:g} s apart" if hop_s else ""
    by_sound = "Parts are where the sound changes, by change-point detection; neighbours may have one genre. "
    by_genre = "Parts are where the genre changes, by change-point detection. "
    return [
        f"Probabilities are of segments of {length_s:.0f} s{apart}: what is shorter is averaged with what is around it.",
        (by_sound if answer.parts_by == "sound" else by_genre) + "Where exactly they change is an estimate.",
        "Similar songs and moments are near in their statistics. These cannot tell which song is playing.",
        f"The classifier knows {len(answer.genres)} genres. Music of another one is predicted as one of these; only a "
        "large distance from all of them shows it.",
        "Tempo and key are estimates.",
    ]
