"""Clusters, communities and their comparison as one page that needs nothing else; ``communities.html`` is the template."""

from typing import Any

from songmap.communities.results import ClusterDescription, SetsApart, SongCommunities, SongPlaces
from songmap.communities.views import agreement_sentences as sentences
from songmap.communities.views import cluster_charts, summary
from songmap.communities.views.playlist_sentences import recommendation_rows
from songmap.core.pages import page_table, render
from songmap.core.text import capitalised, count_of_songs, quantity, readable
from songmap.library.trait_words import MEANING, traits_predicate

_HEADINGS = {
    "AUC": "AUC",
    "AMI": "AMI",
    "ARI": "ARI",
    "p AUC": "p (AUC)",
    "p AMI": "p (AMI)",
    "p Holm": "p-value, Holm",
}


def communities_page(result: SongCommunities, places: SongPlaces) -> str:
    """The page, with links to the other pages of the run, which are in the same folder."""
    space = result.spaces[0].space
    agreement = sentences.first_space(result)
    autoencoder = result.autoencoder.written if result.autoencoder else []
    page = render(
        "communities/views/communities.html",
        title="Do sound and playlists agree?" if result.agreement else "Clusters of songs by sound",
        summary=[
            sentences.main_sentence(result),
            sentences.clusters_sentence(result.spaces[0]) if result.agreement else sentences.no_playlists_sentence(result),
            sentences.communities_sentence(result), sentences.similar_sentence(result),
            sentences.artists_sentence(result), sentences.recommended_sentence(result),
        ],
        warnings=sentences.warnings(result),
        space=sentences.space_title(space),
        tables={
            "spaces": _table(_titled(summary.space_rows(result))),
            "choices": _table(summary.choice_rows(result)),
            "communities": _table(summary.community_rows(result)),
            "scores": _table(recommendation_rows(result.scores) if result.scores else []),
        },
        counts=[(one, cluster_charts.count_charts(one)) for one in result.spaces],
        space_titles={one.space: sentences.space_title(one.space) for one in result.spaces},
        contingency=cluster_charts.contingency_chart(agreement.contingency) if agreement else None,
        pictures=cluster_charts.pictures(places, space),
        legends=cluster_charts.legends(places, space),
        cards=[_card(one) for one in result.clusters],
        trait_meaning=MEANING,
        scores=result.scores,
        agreement=result.agreement,
        other_pages=[
            *((one.path.name, "Graph of playlists") for one in result.written if one.content == "graph_page"),
            *((one.path.name, "Autoencoder") for one in autoencoder if one.content == "page"),
        ],
        n_shown=len(places.shown),
        n_songs=result.songs,
        sampled=result.spaces[0].sampled_songs,
        seed=result.seed,
    )  # fmt: skip
    return readable(page)


def _titled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without columns that are empty in all."""
    kept = [name for name in rows[0] if any(row[name] for row in rows)]
    return [{name: sentences.space_title(row[name]) if name == "space" else row[name] for name in kept} for row in rows]


def _table(rows: list[dict[str, Any]]) -> Any:
    return page_table(rows, headings=_HEADINGS)


def _card(one: ClusterDescription) -> dict[str, Any]:
    artists = f" by {one.artists:,} artist{'s' * (one.artists != 1)}" if one.artists else ""
    sounds = traits_predicate(one.traits[:4], plural=True)
    return {
        "heading": f"Cluster {one.number + 1}: {count_of_songs(one.songs)}{artists}",
        "sounds": f"Its songs {sounds}." if sounds else "",
        "genres": summary.genres_text(one.genres, 5),
        "typical": [song.name for song in one.typical],
        "sets_apart": [_set_apart(descriptor) for descriptor in one.sets_apart],
        "playlist": f"../playlists/clusters/{one.playlist.name}",
    }


def _set_apart(one: SetsApart) -> str:
    unit = f" {one.unit}" if one.unit else ""
    more = "higher" if one.effect > 0 else "lower"
    own, others = (quantity(value).replace("-", "−") for value in (one.median, one.median_others))
    return (
        f"{capitalised(one.descriptor)} {more}: {own}{unit}, others {others}{unit} "
        f"({abs(one.effect):.1f} standard deviations)"
    )
