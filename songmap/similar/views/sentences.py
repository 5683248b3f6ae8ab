"""What results say in words: titles, reasons, notes."""

from collections.abc import Mapping, Sequence

import numpy as np

from songmap.core.text import joined, one_line, shorten
from songmap.library.keys import LEAST_MARGIN, NO_KEY, camelot, key_name, key_number
from songmap.library.spaces import SPACES
from songmap.library.trait_words import traits_predicate
from songmap.similar import results
from songmap.similar.filters import condition_words
from songmap.similar.requests import Setting
from songmap.similar.results import ModelInUse
from songmap.similar.song import Song
from songmap.similar.space_scores import SpaceScores
from songmap.similar.transitions import Transition
from songmap.similar.views import lists

_MAX_NAME = 60


def label(song: Song) -> str:
    """Name and genre, for a title."""
    return f"{shorten(one_line(song.display_name), _MAX_NAME)} [{song.genre}]"


def labels(songs: Sequence[Song]) -> str:
    return " + ".join(map(label, songs))


def pair_title(pair: tuple[Song, Song]) -> str:
    """The names of two songs, a line each."""
    return f"A: {label(pair[0])}\nB: {label(pair[1])}"


def _similar_title(result: results.SimilarResult) -> str:
    request, title = result.request, f"Similar to {labels(result.query)}"
    title += f", away from {labels(result.away)}" if result.away else ""
    title += f", diverse (diversity {request.diversity:g})" if request.diversity else ""
    parts = [title, *map(condition_words, result.conditions)]
    if result.past_limit:
        parts.append(
            f"the limit of {request.filters.max_per_artist} songs by one artist is exceeded by {result.past_limit}, since "
            "no others are similar"
        )
    elif result.limited_by_artist:
        parts.append(f"at most {request.filters.max_per_artist} by one artist (--max-per-artist)")
    if len(result.songs) < request.number and result.conditions:
        parts.append("no more songs pass the filters")
    parts += setting_words(result.setting)
    if result.copies_left_out:
        copies = "copy" if result.copies_left_out == 1 else "copies"
        parts.append(f"{result.copies_left_out:,} {copies} of these left out (--copies lists them)")
    return "; ".join(parts)


def setting_words(setting: Setting) -> list[str]:
    """What a title adds on similarities, where they are not those of the default."""
    words = [] if setting.space == SPACES[0] else [f"in the {setting.space} space"]
    if setting.weights:
        words.append(f"weights {', '.join(f'{family} {times:g}' for family, times in setting.weights)}")
    if setting.correct_hubs:
        words.append("similarity is mutual proximity, 0 to 1, which corrects for hubs")
    return words


def ranked_title(result: results.Ranked) -> str:
    match result:
        case results.SimilarResult():
            return _similar_title(result)
        case results.ListResult() | results.FindResult():
            return lists.title(result)
        case results.OutliersResult():
            title = f"Outliers: songs with the lowest mean similarity to their {result.nearest} nearest"
            median = [] if result.median is None else [f"the library's median is {result.median:.2f}"]
            return "; ".join([title, *median, *setting_words(result.setting)])
        case results.HubsResult():
            return (
                f"Hubs: songs that are among the {result.nearest} nearest of most others (N{result.nearest}); the mean "
                f"is {result.mean:.1f}, {result.in_no_list:,} of {result.n_recordings:,} songs {'is' if result.in_no_list == 1 else 'are'} in no list; "
                f"skewness {result.skewness:.2f}, 0 is even"
            )
        case results.DuplicatesResult(songs, figures):
            if not songs:
                return "Recordings in several files"
            n_groups = figures["group"][-1]
            title = f"{n_groups:,} recording{'s' * (n_groups > 1)} in several files; similarity to the first file"
            return f"{title}: 1 is the same sound, 0.5 the limit of a copy"
        case results.OrderedResult():
            mean = [] if result.mean_score is None else [f"mean transition {result.mean_score:.2f}"]
            return "; ".join([*_ordered_parts(result), *mean])
    return ""


def genres_title(result: results.GenresResult) -> str:
    within, between = (_two(value) for value in (result.similarity.within, result.similarity.between))
    return f"Mean similarity within genres {within}, between genres {between}"


def model_words(model: ModelInUse | None) -> list[str]:
    """What the classifier space or the cnn space rests on; nothing in another space."""
    if model is None:
        return []
    if model.space == "cnn":
        return [f"The cnn space uses the network {model.name}, which was trained on the genres of these songs."]
    data = "this library as it is" if model.trained_on_this_library else "an earlier state of this library, or another"
    return [f"The classifier space uses the genre model {model.name}, which was trained on {data}."]


def similar_notes(result: results.SimilarResult) -> list[str]:
    """Which songs of the list are not similar to the query, and what the classifier space rests on."""
    level, similarities = result.random_similarity, result.figures["similarity"]
    below = [place for place, similarity in enumerate(similarities, result.first_rank) if similarity <= level]
    notes = model_words(result.model)
    if below and not result.away:  # what is to be steered away from has no part in the similarity of two songs
        if len(below) == len(similarities):
            words = "None of these songs is similar"
        elif len(below) == 1:
            words = f"Song {below[0]} is not similar"
        else:  # of a diverse list they can be anywhere
            in_a_row = below[-1] - below[0] + 1 == len(below)
            listed = f"{below[0]} to {below[-1]}" if in_a_row else joined(list(map(str, below)))
            words = f"Songs {listed} are not similar"
        notes.append(f"{words}: two songs picked at random have {level:.2f}.")
    return notes


def info_sentences(result: results.InfoResult) -> list[str]:
    """What a listener notices of the song."""
    return [f"Among the songs of this library it {traits_predicate(result.traits[:4])}."] if result.traits else []


def info_notes(result: results.InfoResult) -> list[str]:
    """What a descriptor of the song does not say as it is."""
    if np.isnan(result.beat_deviation_s):
        return []
    return [
        f"The time between beats varies by {1000 * result.beat_deviation_s:.0f} ms (a metronome: up to 6). The descriptors "
        "tempo and beat interval, std are librosa's, in whole frames of 23 ms, whose width most of the latter is."
    ]


def tempo_words(result: results.InfoResult) -> str:
    """The tempo and where it comes from."""
    song, measured = result.song, result.measured_tempo_bpm
    match song.tempo_source:
        case "tag":
            also = f"; {measured:.1f} measured" if measured > 0 else ""
            return f"{song.tempo_bpm:g}, of its tag{also}"
        case "octave":
            half_or_double = "double" if result.tempo_octave == 2 else "half"
            return f"{song.tempo_bpm:.1f}, {half_or_double} of what was measured, as most of {song.genre}"
        case "measured":
            return f"{song.tempo_bpm:.1f}"
    return "unknown"


def key_words(result: results.InfoResult) -> list[str]:
    """The key that counts with its source, and the estimate with how sure it is; empty where there is none."""
    key = key_name(key_number(result.song.key)) if result.song.key else ""
    counts = f"{key}, of its {result.song.key_source}" if result.song.key_source == "tag" else key or "unknown"
    if result.key_margin is None:
        return [counts, ""]
    sure = "" if result.key_margin >= LEAST_MARGIN else f", too little to count (below {LEAST_MARGIN:g})"
    return [
        counts,
        f"{key_name(result.key_estimate)}: {result.key_correlation:.2f} with the key's profile, "
        f"{result.key_margin:.2f} more than the second key{sure}",
    ]


def evaluate_notes(result: results.EvaluateResult) -> list[str]:
    """Which space is best, and which is left out."""
    notes = []
    if result.best is not None:
        filtered = result.best.precision["genre_other_artists"]
        value, by = (filtered, " by another artist") if filtered.labels > 1 else (result.best.precision["genre"], "")
        notes.append(
            f"Of the spaces fitted without labels {space_words(result.best)} has the highest precision for genres{by}: "
            f"{value.value:.2f}."
        )
    if result.model_error is not None:
        notes.append(f"The classifier space is left out: {result.model_error}.")
    if result.network_error is not None:
        notes.append(f"The cnn space is left out: {result.network_error}.")
    return notes


def evaluate_meaning(result: results.EvaluateResult) -> list[str]:
    """What the figures of ``evaluate`` mean."""
    n_queries, queries = result.scores[0].queries, f"{result.n_recordings:,}"
    if n_queries < result.n_recordings:
        queries = f"a sample of {n_queries:,} of {queries}"
    notes = [
        f"Precision: the mean share of a song's {result.nearest} nearest that have its genre, artist or album; queries: "
        f"{queries} recordings, of these the ones that share it with another; copies of a recording do not count as hits. "
        "For genres it is the mean over genres, each its own songs' mean.",
        "By another artist: the same with an artist filter, no song of the query's artist being an answer. Songs of one "
        "artist are similar beyond their genre: this column is the one to compare spaces by.",
        *_filter_notes(result),
        f"Hubness: the skewness of how often songs are among the {result.nearest} nearest of others; 0 is even, above 1 "
        "some songs are near to very many. In no list: the share of songs that are near to none.",
    ]
    notes += [
        f"{words} Its scores are of each song's probabilities by a model that was trained without it."
        for words in model_words(result.model)
    ]
    notes += [
        f"{words} Its scores compare each song with all others by the network of a fold, which was trained without it; "
        "songs of other artists were in that training."
        for words in model_words(result.network)
    ]
    return notes


def _filter_notes(result: results.EvaluateResult) -> list[str]:
    """What the artist filter and the intervals could not do."""
    notes, precision = [], result.scores[0].precision
    if result.genres_of_one_artist:
        one = len(result.genres_of_one_artist) == 1
        by = "is by one artist and" if one else "are by one artist each and"
        notes.append(
            f"{joined(list(result.genres_of_one_artist))} {by} left out of that column: there genre and artist cannot "
            "be distinguished."
        )
    if result.n_without_artist:
        notes.append(
            f"{result.n_without_artist:,} recordings have no artist tag and count as by artists of their own: "
            "the filter does not hold for them."
        )
    if precision["genre"].interval or precision["genre_other_artists"].interval:
        notes.append(
            "In brackets: 95 % intervals, the artists of the queries drawn anew within each genre, the songs that "
            "answer held fixed."
        )
    else:
        notes.append("Intervals are left out: a genre has too few artists to draw them anew.")
    return notes


def space_words(scores: SpaceScores) -> str:
    return f"{scores.space}, hubs corrected" if scores.hubs_corrected else scores.space


def _ordered_parts(result: results.OrderedResult) -> list[str]:
    match result:
        case results.PlaylistResult():
            parts = [f"{len(result.songs)} songs similar to {labels(result.seeds)}"]
            if result.ramp_bpm is not None:
                parts[0] += f", {result.ramp_bpm[0]:.0f} to {result.ramp_bpm[1]:.0f} BPM"
            if result.far_from_ramp:
                parts.append(f"{result.far_from_ramp} of them more than 6 % from the tempo of the ramp")
            return [*parts, *lists.playlist_parts(result)]
        case results.OrderResult():
            title = f"{result.file.name} in its best running order" if result.file else "Transitions, 0 to 1 each"
            return [title, *_unknown_words(result.unknown)]
    return [f"From {label(result.songs[0])} to {label(result.songs[-1])}", *map(condition_words, result.conditions)]


def _unknown_words(unknown: Mapping[int, str]) -> list[str]:
    if not unknown:
        return []
    entries = "1 entry is not a song" if len(unknown) == 1 else f"{len(unknown):,} entries are not songs"
    return [f"{entries} of the library (line {next(iter(unknown))}{', …' if len(unknown) > 1 else ''})"]


def transition_words(transition: Transition) -> str:
    """For example "tempo 128 → 126 BPM (-1.6 %), key 8A → 9A compatible, similarity 0.71"."""
    return f"{_tempo_words(transition)}, {_key_words(transition)}, similarity {transition.similarity:.2f}"


def _tempo_words(transition: Transition) -> str:
    if np.isnan(transition.tempo_change):
        return "tempo unknown"
    factor = {0.5: "half, ", 1.0: "", 2.0: "double, "}[transition.tempo_factor]
    far = "" if transition.tempo_fit == 1 else ", too far to match"
    change = f"{factor}{100 * transition.tempo_change:+.1f} %{far}"
    before, after = transition.tempos_bpm
    return f"tempo {before:.0f} → {after:.0f} BPM ({change})"


def _key_words(transition: Transition) -> str:
    if NO_KEY in transition.keys:
        return "key unknown"
    fit = "compatible" if transition.keys_compatible else "close" if transition.key_fit > 0.5 else "clashes"
    return f"key {' → '.join(map(camelot, transition.keys))} {fit}"


def _two(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.2f}"
