"""Sentences and tables of 02: how far a map can be trusted, why it was fitted, what was written."""

from collections.abc import Sequence
from pathlib import Path

from songmap.core.tables import format_table
from songmap.core.text import count_of_songs, format_duration, one_line, shorten, shown_path
from songmap.core.workspace import Workspace
from songmap.journey.results import Projection, SongJourney
from songmap.journey.song_map import MIN_SONGS, FitReason, MapFit
from songmap.library.descriptors import N_DESCRIPTORS


def trust_in_words(projection: Projection) -> str:
    """How far the map can be trusted, in a few sentences."""
    n_songs, k = projection.n_songs, projection.n_neighbours
    sentences = []
    if projection.instead_of:
        sentences.append(
            f"{count_of_songs(n_songs)} are too few for {projection.instead_of} (it needs {MIN_SONGS}): "
            "the map shows principal components instead."
        )
    if projection.knn_recall is None or projection.trustworthiness is None:
        return " ".join([*sentences, "At least three songs are needed to check neighbourhoods."])
    recall = projection.knn_recall
    amount = "Most" if recall >= 2 / 3 else "Many" if recall >= 1 / 3 else "Few"
    chance = f"{projection.chance_recall:{'.0%' if n_songs <= 1000 else '.2%'}}"
    sample = f", checked for {projection.n_checked:,} of the {n_songs:,} songs" * (0 < projection.n_checked < n_songs)
    sentences += [
        f"{amount} neighbours here are neighbours in the {N_DESCRIPTORS} descriptors that songs are compared by: of a song's {k} nearest, "
        f"{recall:.0%} are among its {k} nearest on this map (by chance {chance}){sample}. "
        f"Trustworthiness {projection.trustworthiness:.2f} of 1.",
        _meaning(projection),
    ]
    if projection.n_new:
        sentences.append(
            f"{projection.n_new:,} of the songs were added after this map was fitted and were placed near the songs "
            "most similar to them" + (": fit it again with --refit." if projection.refit_advised else ".")
        )
    return " ".join(sentences)


def _meaning(projection: Projection) -> str:
    """What can be read from the map besides which songs are near each other."""
    if projection.method == "PCA":
        shown = "" if projection.variance is None else f" and show {projection.variance:.0%} of the variance"
        return (
            f"The axes are the directions in which the songs differ most{shown}; songs that differ in other "
            "directions can be close together."
        )
    if projection.method == "densMAP":
        return "A wide group is a varied one. Do not interpret distances between groups or axes."
    return "Do not interpret distances between groups, group sizes or axes."


def fit_in_words(fit: MapFit) -> str:
    """What the file of a map holds that was fitted now."""
    reasons = {
        FitReason.FIRST: "fitted for the first time",
        FitReason.REFIT: "fitted again because of --refit",
        FitReason.OTHER_SEED: f"fitted again with seed {fit.seed} instead of {fit.former_seed}",
        FitReason.OTHER_SPACE: "fitted again: the saved map was of another space than songs are compared in now",
        FitReason.TOO_FEW_SONGS: f"fitted again: the saved map was of too few songs for {fit.method}",
        FitReason.OTHER_SONGS: "fitted again: the saved map was of other songs",
    }
    reason = f", {reasons[fit.reason]}" if fit.reason else ""
    return f"the saved map{reason}; songs added later are placed on it"


def song_facts(song: SongJourney) -> str:
    """Artist, genre, key, duration and tempo in one line."""
    facts = (
        shorten(song.artist, 30),
        "not in the library" if song.genre is None else shorten(song.genre, 20),
        f"key {shorten(song.key, 12)}" if song.key else "",
        format_duration(song.duration_s),
        f"{song.tempo_bpm:.1f} BPM" if song.tempo_bpm > 0 else "",
    )
    return " · ".join(fact for fact in facts if fact)


def written_table(written: Sequence[tuple[Path, str]]) -> str:
    return format_table([{"file": shown_path(path), "shows": shows} for path, shows in written], "Written")


def next_sentence(workspace: Workspace) -> str:
    return f"Next: {one_line(workspace.command('03_genre_classifier.py'))}"


def not_drawn_table(not_drawn: Sequence[tuple[Path, str]]) -> str:
    return format_table([{"not_drawn": shown_path(path), "reason": reason} for path, reason in not_drawn], "Not drawn")
