"""Sentences for limits, without full stops."""

from collections.abc import Sequence

from songmap.core.text import joined
from songmap.genre.candidates import CANDIDATES
from songmap.genre.limits import Limit, UngroupedSongs

_MOST_GENRES = 6  # that one sentence names
VALIDITY = "Scores hold for new songs like those of this library; songs of other artists, recordings or genres can give others."
_SENTENCES = {  # by the kind of a limit, whose fields they name
    "small_genre": "{genre} is left out: it has {songs}, at least {minimum} are needed",
    "loose_grouping": "--group-by {group_by}: songs of one {strictest} may be on both sides of a split, which makes "
    "the scores too high; leave the option out to keep them together",
    "few_groups": "all songs of {genre} are {origin}: tested on new {tested_on}s, not on new {group_by}s",
    "ungrouped_songs": "{genre} has {n_ungrouped} of {n_songs} songs without an {group_by}; they may be of "
    "{group_by}s in training",
    "unknown_artists": "the artists of all {n_songs} songs are unknown: songs of one artist may be on both sides of a "
    "split, which makes the scores too high",
    "no_grouped_split": "no split keeps {group_by}s together and has every genre on both sides, since they span genres "
    "or are too few: tested on new songs, not on new {group_by}s",
    "fewer_folds": "{n_folds} folds instead of {wanted}: each must test every genre, and {genre} has {n_groups} groups "
    "(artists, albums or songs), of which some are in the test set",
    "constant_predictions": "{title} predicts the same for every song: its parameters are too strict for {n_songs} "
    "songs",
    "not_better_than_chance": "{title} is not shown to be better than chance (p = {p_value:.2f}): treat its "
    "predictions as guesses",
    "all_test_songs_correct": "all test songs are classified correctly, so resampling them shows no spread; for "
    "{n_groups} {group_by}s an accuracy down to {lowest_accuracy:.2f} remains possible (95 %, exact binomial)",
    "few_test_groups": "the test songs are of {n_groups} {group_by}s: with so few, resampling gives rough intervals",
    "few_test_songs": "{few}: scores of a single genre on the test set are rough",
    "unverified_calibration": "whether the probabilities are calibrated cannot be verified on {n_groups} {group_by}s",
}


def limit_sentence(limit: Limit) -> str:
    """What a limit means for the scores."""
    values = vars(limit)
    songs = "1 song" if values.get("n_songs") == 1 else f"{values.get('n_songs')} songs"
    title = CANDIDATES[values["model"]].title if "model" in values else ""
    origin = f"by {values['artist']}" if values.get("artist") else f"from one album, {values.get('album')}"
    if values.get("n_groups", 1) > 1:
        origin = f"from {values['n_groups']} artists or albums"
    few = f"{values.get('genre')} has {songs} in the test set, fewer than {values.get('minimum')}"
    if values.get("n_genres", 1) > 1:
        few = (
            f"{values['n_genres']} genres have fewer than {values['minimum']} test songs, {values['genre']} has {songs}"
        )
    return _SENTENCES[limit.kind].format(**values, songs=songs, title=title, origin=origin, few=few)


def limit_sentences(limits: Sequence[Limit]) -> list[str]:
    """A sentence for each limit, one for the songs without an artist (or album) of all genres."""
    ungrouped = [one for one in limits if isinstance(one, UngroupedSongs)]
    if len(ungrouped) < 2:
        return list(map(limit_sentence, limits))
    genres = [one.genre for one in ungrouped]
    more = [f"{len(genres) - _MOST_GENRES} more"] if len(genres) > _MOST_GENRES else []
    level, n_songs = ungrouped[0].group_by, sum(one.n_ungrouped for one in ungrouped)
    together = (
        f"{n_songs:,} songs of {len(genres)} genres are without an {level} and may be of {level}s in training: "
        f"{joined([*genres[:_MOST_GENRES], *more])}"
    )
    first = limits.index(ungrouped[0])
    others = [
        [limit_sentence(one) for one in some if one not in ungrouped] for some in (limits[:first], limits[first:])
    ]
    return [*others[0], together, *others[1]]
