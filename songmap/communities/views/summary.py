"""What 08 prints: the answer, what it rests on, a table of spaces; all tables on request."""

from typing import Any

from songmap.communities.agreement_results import Estimate
from songmap.communities.results import SongCommunities
from songmap.communities.views import agreement_sentences as sentences
from songmap.communities.views import autoencoder_sentences, autoencoder_summary
from songmap.communities.views.playlist_sentences import community_name, recommendation_rows
from songmap.core.tables import format_table
from songmap.core.text import one_line, percent, shown_path, wrapped
from songmap.library.trait_words import traits_predicate


def communities_summary(result: SongCommunities) -> str:
    """At most 25 lines in 80 columns, and the songs that were recommended."""
    lines = [
        sentences.main_sentence(result),
        sentences.clusters_sentence(result.spaces[0]) if result.agreement else sentences.no_playlists_sentence(result),
        sentences.communities_sentence(result),
        sentences.similar_sentence(result),
        sentences.recommended_sentence(result),
        autoencoder_sentences.main_sentence(result.autoencoder) if result.autoencoder else "",
    ]
    warned = sentences.warnings(result)
    if warned:
        more = f" ({len(warned) - 1} more: --verbose)" if len(warned) > 1 else ""
        lines.append(f"Warning: {warned[0]}{more}")
    page = next(one.path for one in result.written if one.content == "page")
    parts = [_lines(lines), _spaces(result), recommended_table(result)]
    return "\n".join([*filter(None, parts), f"Page: {one_line(shown_path(page))}"])


def verbose_summary(result: SongCommunities) -> str:
    """All tables for the terminal."""
    clusters = [{name: row[name] for name in ("cluster", "songs", "artists", "sounds", "genres", "typical")}
                for row in cluster_rows(result)]  # fmt: skip
    return "\n\n".join(
        filter(
            None,
            [
                communities_summary(result),
                sentences.artists_sentence(result) and wrapped(sentences.artists_sentence(result)),
                _p_values(result),
                format_table(count_rows(result), f"Numbers of clusters by {sentences.space_title(result.spaces[0].space)}"),
                format_table(clusters, "Clusters", optional=("artists",), shortened={"typical": 20, "genres": 16}),
                format_table(community_rows(result), "How similar the songs of a community sound")
                if community_rows(result) else "",
                format_table(recommendation_rows(result.scores), "Recommendation of hidden songs")
                if result.scores else "",
                autoencoder_summary.autoencoder_tables(result.autoencoder) if result.autoencoder else "",
                _lines([f"Limit: {one}" for one in sentences.warnings(result)]),
                _lines([f"{shown_path(one.path)}: {sentences.CONTENTS[one.content]}" for one in result.written]),
            ],
        )
    )  # fmt: skip


def _spaces(result: SongCommunities) -> str:
    return format_table(space_rows(result), optional=("ARI", "p Holm", "p AMI", "stability"))


def _p_values(result: SongCommunities) -> str:
    """What the table of spaces has no room for; empty without playlists."""
    if result.agreement is None:
        return ""
    names = ("space", "p AUC", "p AMI", "p Holm", "ARI")
    rows = [{name: row[name] for name in names} for row in space_rows(result)]
    return format_table(rows, "Agreement; p Holm is of the smaller one of p AUC and p AMI, corrected for all spaces")


def space_rows(result: SongCommunities) -> list[dict[str, Any]]:
    """A row per space."""
    agreement = {one.space: one for one in result.agreement.spaces} if result.agreement else {}
    permutations = result.agreement.permutations if result.agreement else 0
    rows = []
    for one in result.spaces:
        chosen = next(count for count in one.counts if count.clusters == one.chosen)
        own = agreement.get(one.space)
        rows.append(
            {
                "space": one.space,
                "clusters": str(one.chosen) if one.has_structure else "none",
                "silhouette": decimals(chosen.silhouette),
                "stability": decimals(chosen.stability),
                "AUC": estimate_text(own.auc) if own else "",
                "p AUC": p_cell(own.auc, permutations) if own else "",
                "AMI": estimate_text(own.ami) if own else "",
                "p AMI": p_cell(own.ami, permutations) if own else "",
                "p Holm": f"{own.p_holm:.2g}" if own else "",
                "ARI": estimate_text(own.ari) if own else "",
            }
        )
    return rows


def estimate_text(one: Estimate | None) -> str:
    """ "0.74 (0.61–0.86)"; a minus sign where a bound is negative."""
    if one is None:
        return ""
    return f"{decimals(one.value)} ({decimals(one.low)}–{decimals(one.high)})"


def decimals(value: float) -> str:
    """ "0.61", "−0.30"; no sign before 0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def p_cell(one: Estimate | None, permutations: int) -> str:
    return "" if one is None else sentences.p_text(one.p_value, permutations)


def count_rows(result: SongCommunities) -> list[dict[str, Any]]:
    """k-means of the first space by the number of clusters."""
    return [
        {"clusters": one.clusters, "inertia": round(one.inertia), "silhouette": f"{one.silhouette:.3f}",
         "without clusters": f"{one.reference_silhouette:.3f}", "gap": f"{one.gap:.3f} ± {one.gap_error:.3f}",
         "stability": f"{one.stability:.2f}"}
        for one in result.spaces[0].counts
    ]  # fmt: skip


def choice_rows(result: SongCommunities) -> list[dict[str, Any]]:
    """How many clusters each method finds, space by space."""
    return [
        {"space": sentences.space_title(one.space), "columns": one.columns,
         "silhouette above chance": str(one.chosen) if one.has_structure else "none",
         "gap statistic": one.gap_choice, "Gaussian mixture (BIC)": one.mixture_choice,
         "HDBSCAN": one.density_clusters, "outside (HDBSCAN)": percent(one.density_noise)}
        for one in result.spaces
    ]  # fmt: skip


def cluster_rows(result: SongCommunities) -> list[dict[str, Any]]:
    """What is in each cluster."""
    return [
        {"cluster": one.number + 1, "songs": one.songs, "artists": one.artists,
         "sounds": traits_predicate(one.traits[:3]), "genres": genres_text(one.genres),
         "typical": "; ".join(song.name for song in one.typical[:3])}
        for one in result.clusters
    ]  # fmt: skip


def genres_text(genres: list[Any], number: int = 3) -> str:
    """ "ROCK 12, JAZZ 3"."""
    more = f", {len(genres) - number} more" if len(genres) > number else ""
    return ", ".join(f"{one.name} {one.songs:,}" for one in genres[:number]) + more


def community_rows(result: SongCommunities) -> list[dict[str, Any]]:
    """How similar the songs of each community sound, in the first space."""
    space = sentences.first_space(result)
    names = {one.label: community_name(one) for one in (result.playlists.facts if result.playlists else ())}
    return [
        {"community": names[one.number], "songs": one.songs, "artists": one.artists, "similarity": decimals(one.similarity),
         "with artists permuted": decimals(one.expected), "p Holm": f"{one.p_holm:.2g}",
         "sounds similar": "yes" if one.is_similar else "not shown"}
        for one in (space.communities if space else [])
    ]  # fmt: skip


def recommended_table(result: SongCommunities) -> str:
    """The songs that were recommended; empty where none were wanted."""
    if result.recommended is None:
        return ""
    one = result.recommended
    rows = [
        {"rank": rank, "song": named.name, "similarity": decimals(song.similarity),
         "by playlists": song.playlist_rank, "by sound": song.sound_rank}
        for rank, (named, song) in enumerate(zip(one.songs, one.recommendation.songs, strict=True), start=1)
    ]  # fmt: skip
    title = f"Recommended for {'; '.join(song.name for song in one.seeds)}"
    return format_table(rows, title, optional=("by sound", "by playlists"), shortened={"song": 30})


def _lines(lines: list[str]) -> str:
    return "\n".join(wrapped(one_line(line)) for line in lines if line)
