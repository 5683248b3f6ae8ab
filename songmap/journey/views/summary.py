"""Sentences and tables of 02: how far a map can be trusted, why it was fitted, what was written."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from songmap.core.tables import format_table
from songmap.core.text import count_of_songs, format_duration, one_line, percent, shorten, shown_path, wrapped
from songmap.core.workspace import Workspace
from songmap.journey.results import Cluster, LibraryMaps, Projection, SongJourney
from songmap.journey.song_map import MIN_SONGS, FitReason, MapFit
from songmap.library.descriptors import N_DESCRIPTORS
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.trait_words import ADJECTIVES, NOUNS


def space_in_words(projection: Projection) -> str:
    """What songs are compared by on a map."""
    if projection.space == "cnn":
        return "vectors of a network that looks at spectrograms"
    return f"{N_DESCRIPTORS} descriptors, families of equal weight"


def trust_in_words(projection: Projection) -> str:
    """How far the map can be trusted, in a few sentences."""
    n_songs, k = projection.n_songs, projection.n_neighbours
    sentences = []
    if projection.instead_of:
        sentences.append(
            f"{count_of_songs(n_songs)} are too few for {projection.instead_of} (it needs {MIN_SONGS}): "
            "the map shows principal components instead."
        )
    if projection.space == "cnn":
        sentences.append(
            "The network was trained on the genres of these songs: it separates them better than it would separate new ones."
        )
    if projection.knn_recall is None or projection.trustworthiness is None:
        return " ".join([*sentences, "At least three songs are needed to check neighbourhoods."])
    recall = projection.knn_recall
    compared = "vectors" if projection.space == "cnn" else f"{N_DESCRIPTORS} descriptors"
    amount = "Most" if recall >= 2 / 3 else "Many" if recall >= 1 / 3 else "Few"
    chance = percent(projection.chance_recall) if n_songs <= 1000 else f"{100 * projection.chance_recall:.2f} %"
    sample = f", checked for {projection.n_checked:,} of the {n_songs:,} songs" * (0 < projection.n_checked < n_songs)
    sentences += [
        f"{amount} neighbours here are neighbours in the {compared} that songs are compared by: of a song's {k} nearest, "
        f"{percent(recall)} are among its {k} nearest on this map (by chance {chance}){sample}. "
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
        shown = "" if projection.variance is None else f" and show {percent(projection.variance)} of the variance"
        return (
            f"The axes are the directions in which the songs differ most{shown}; songs that differ in other "
            "directions can be close together."
        )
    if projection.method == "densMAP":
        return "A wide group is a varied one. Do not interpret distances between groups or axes."
    return "Do not interpret distances between groups, group sizes or axes."


def fit_in_words(fit: MapFit) -> str:
    """Why the map was fitted now."""
    reasons = {
        FitReason.FIRST: "fitted for the first time",
        FitReason.REFIT: "fitted again because of --refit",
        FitReason.OTHER_SEED: f"fitted again with seed {fit.seed} instead of {fit.former_seed}",
        FitReason.OTHER_SPACE: "fitted again: the saved map was of another "
        f"{'network' if fit.of_network else 'space'} than songs are compared in now",
        FitReason.TOO_FEW_SONGS: f"fitted again: the saved map was of too few songs for {fit.method}",
        FitReason.OTHER_SONGS: "fitted again: the saved map was of other songs",
    }
    later = "it is fitted again after 07" if fit.of_network else "songs added later are placed on it"
    return wrapped(f"The map was {reasons[fit.reason]}; {later}.") if fit.reason else ""


def cluster_in_words(number: int, cluster: Cluster) -> str:
    """A cluster's number, its two clearest traits and its most frequent genre.

    Examples
    --------
    >>> from songmap.library.traits import Trait
    >>> cluster_in_words(2, Cluster(9, "DUB", 6, (Trait("tempo", "low", 9.0), Trait("percussion", "high", 80.0))))
    '2: slow, much percussion · mostly DUB'
    """
    word_of = ADJECTIVES | NOUNS
    typical = ", ".join(word_of[one.quality, one.direction] for one in cluster.traits[:2])
    genre = ""
    if cluster.genre is not None:
        share = cluster.n_genre / cluster.n_songs
        genre = f"{'only' if share == 1 else 'mostly' if share > 0.5 else 'most often'} {shorten(cluster.genre, 20)}"
    return f"{number}: {' · '.join(filter(None, (typical, genre)))}".removesuffix(": ")


def genre_rows(similarity: GenreSimilarity) -> list[tuple[str, str, str, str, str, str]]:
    """Of each genre: songs, similarity within and to all others, the most similar other genre and its similarity."""
    rows = []
    for place, (genre, count, to_others, nearest) in enumerate(
        zip(similarity.genres, similarity.counts, similarity.to_others, similarity.nearest, strict=True)
    ):
        other = np.nan if nearest is None else similarity.means[place, similarity.genres.index(nearest)]
        values = (similarity.means[place, place], to_others, other)
        numbers = ["" if np.isnan(value) else f"{value:.2f}" for value in values]  # as the figure and 04 print them
        rows.append((genre, f"{count:,}", numbers[0], numbers[1], nearest or "", numbers[2]))
    return rows


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


def written_table(root: Path, written: Sequence[tuple[Path, str]]) -> str:
    """What was written in the workspace at ``root``."""
    rows = [{"file": str(path.relative_to(root)), "shows": shows} for path, shows in written]
    return format_table(rows, f"Written in {shown_path(root)}")


def not_drawn_table(not_drawn: Sequence[tuple[Path, str]]) -> str:
    return format_table([{"not_drawn": shown_path(path), "reason": reason} for path, reason in not_drawn], "Not drawn")


def last_words(workspace: Workspace, map_page: Path, maps: LibraryMaps) -> str:
    """Why the map was fitted, where to look, and what to run after 02."""
    script = "04_similarity_search.py" if maps.has_confidence else "03_genre_classifier.py"
    look = wrapped(f"Open {one_line(shown_path(map_page))} in a browser.")
    after = "" if maps.has_confidence else "\n02 again after it also colours the map by confidence."
    step = f"Next: {one_line(workspace.command(script))}{after}"
    return "\n".join(["", *filter(None, (fit_in_words(maps.fit), look, step))])
