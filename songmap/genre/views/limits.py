"""Sentences for limits, without full stops."""

from songmap.genre import limits
from songmap.genre.candidates import CANDIDATES
from songmap.genre.limits import Limit


def limit_sentence(limit: Limit | str) -> str:
    """What a limit means for the scores; text of an old model card stays as it is."""
    match limit:
        case str():
            return limit
        case limits.SmallGenre():
            songs = f"{limit.n_songs} {'song' if limit.n_songs == 1 else 'songs'}"
            return f"{limit.genre} is left out: it has {songs}, at least {limit.minimum} are needed"
        case limits.LooseGrouping():
            return (
                f"--group-by {limit.group_by}: songs of one {limit.strictest} may be on both sides of a split, which "
                "makes the scores too high; leave the option out to keep them together"
            )
        case limits.FewGroups():
            return (
                f"{limit.genre} is all {_origin(limit)}: tested on new {limit.tested_on}s, not on new {limit.group_by}s"
            )
        case limits.UngroupedSongs():
            return (
                f"{limit.genre} has {limit.n_ungrouped} of {limit.n_songs} songs without an {limit.group_by}, "
                f"which may be among the {limit.group_by}s in training"
            )
        case limits.NoGroupedSplit():
            return (
                f"no split keeps {limit.group_by}s together and has every genre on both sides, since they span genres "
                f"or are too few: tested on new songs, not on new {limit.group_by}s"
            )
        case limits.FewerFolds():
            return (
                f"{limit.n_folds} folds instead of {limit.wanted}: each must test every genre, and {limit.genre} has "
                f"{limit.n_groups} groups (artists, albums or songs), of which some are in the test set"
            )
        case limits.ConstantPredictions():
            return (
                f"{CANDIDATES[limit.model].title} predicts the same for every song: its parameters are too strict for "
                f"{limit.n_songs} songs"
            )
        case limits.NotBetterThanChance():
            return (
                f"{CANDIDATES[limit.model].title} is not shown to be better than chance (p = {limit.p_value:.2f}): "
                "treat its predictions as guesses"
            )
        case limits.AllTestSongsCorrect():
            return (
                f"all test songs are classified correctly, so resampling them shows no spread; for "
                f"{limit.n_groups} {limit.group_by}s an accuracy down to {limit.lowest_accuracy:.2f} remains possible "
                "(95 %, exact binomial)"
            )
        case limits.FewTestGroups():
            return (
                f"the test songs are of {limit.n_groups} {limit.group_by}s: with so few, resampling gives rough "
                "intervals"
            )


def _origin(limit: limits.FewGroups) -> str:
    if limit.artist:
        return f"by {limit.artist}"
    return f"from {limit.n_groups} artists or albums" if limit.n_groups > 1 else f"from one album, {limit.album}"
