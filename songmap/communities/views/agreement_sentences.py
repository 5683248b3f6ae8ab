"""What 08 found, in sentences; each follows from numbers of the result."""

from songmap.communities.agreement_results import Agreement, Conclusion, Estimate, Reason, SpaceAgreement
from songmap.communities.conclusion import MEDIUM_AUC, MIN_ARTISTS, MIN_PLAYLISTS, MIN_SONGS, MOST_SONGS
from songmap.communities.recommendation_scores import MIN_SONGS as MIN_TESTED
from songmap.communities.results import SongCommunities, SpaceClusters
from songmap.communities.views.playlist_sentences import (
    recommendation_sentence,
    unmatched_sentence,
    unread_lines,
    warning_lines,
)
from songmap.core.text import capitalised, count_of_songs, joined, percent

SPACE_TITLES = {
    "balanced": "157 descriptors",
    "scaled": "641 columns",
    "pca": "principal components",
    "cnn": "genre network",
    "cae": "autoencoder",
    "vae": "variational autoencoder",
}

CONTENTS = {
    "page": "the comparison as a page", "table": "clusters and community of every song",
    "report": "everything, for programs", "playlist": "the songs of a cluster", "graph_page": "the graph of playlists as a page",
    "graph": "the graph, for programs",
}  # fmt: skip
_MOST_NAMED = 8  # communities of which the numbers are in a sentence


def space_title(name: str) -> str:
    return SPACE_TITLES.get(name, name)


def main_sentence(result: SongCommunities) -> str:
    """The answer; without playlists what there is of clusters."""
    if result.agreement is None:
        return clusters_sentence(result.spaces[0])
    return conclusion_sentence(result.agreement)


def conclusion_sentence(one: Agreement) -> str:
    """Yes, no or undecided, with the numbers that decide."""
    space = next((space for space in one.spaces if space.space == one.space), None)
    where = "" if space is None or space is one.spaces[0] else f"by {space_title(space.space)}: "
    numbers = f" ({where}{measures(space, one.permutations)})" if space and space.auc else ""
    match one.conclusion:
        case Conclusion.YES:
            if space and space.auc and space.auc.value < MEDIUM_AUC:
                return f"Yes, weakly: songs that sound similar are somewhat more often in the same playlists{numbers}."
            return f"Yes: songs that sound similar are also in the same playlists{numbers}."
        case Conclusion.NO:
            return f"No: songs that sound similar are hardly more often in the same playlists than others{numbers}."
        case Conclusion.CANNOT_TELL:
            why = joined([reason_phrase(reason, one) for reason in one.reasons])
            return f"Cannot tell whether songs that sound similar are in the same playlists: {why}{numbers}."


def measures(space: SpaceAgreement, permutations: int) -> str:
    """ "AUC 0.74 (0.61 to 0.86), p ≤ 0.001; AMI 0.31, p = 0.002"."""
    parts = []
    if space.auc:
        parts.append(f"AUC {space.auc.value:.2f}, {p_phrase(space.auc, permutations)}")
    if space.ami and Reason.NO_CLUSTERS not in space.reasons:
        parts.append(f"AMI {space.ami.value:.2f}, {p_phrase(space.ami, permutations)}")
    return "; ".join(parts)


def p_phrase(one: Estimate, permutations: int) -> str:
    """ "p = 0.02", and "p ≤ 0.001" where no permutation reached the value."""
    sign = "" if _is_least(one.p_value, permutations) else "= "
    return f"p {sign}{p_text(one.p_value, permutations)}"


def p_text(p_value: float, permutations: int) -> str:
    """ "0.02" or "≤ 0.001"."""
    return f"≤ {1 / (1 + permutations):.2g}" if _is_least(p_value, permutations) else f"{p_value:.2g}"


def _is_least(p_value: float, permutations: int) -> bool:
    return p_value <= 1 / (1 + permutations)


def reason_phrase(reason: Reason, one: Agreement) -> str:
    """Why it is undecided."""
    match reason:
        case Reason.FEW_SONGS:
            return f"only {count_of_songs(one.songs)} in a playlist with others, {MIN_SONGS} are needed"
        case Reason.FEW_PLAYLISTS:
            return f"fewer than {MIN_PLAYLISTS} playlists have two songs of the library"
        case Reason.FEW_ARTISTS:
            return f"the songs are by {one.artists} artists, {MIN_ARTISTS} are needed"
        case Reason.ONE_COMMUNITY:
            return (
                f"one community has more than {percent(MOST_SONGS)} of the songs, so that playlists hardly divide them"
            )
        case Reason.FEW_PAIRS:
            return "too few pairs of songs by different artists are in a playlist together, or too few are not"
        case Reason.UNCERTAIN:
            return "nothing is above chance, but with so few artists and playlists a difference could be missed"
        case Reason.NO_PLAYLISTS:
            return "there are no playlists"
        case Reason.NO_CLUSTERS:
            return "there are no clusters"


def clusters_sentence(one: SpaceClusters) -> str:
    """How many clusters there are, or that there are none."""
    chosen = next(count for count in one.counts if count.clusters == one.chosen)
    numbers = f"silhouette {chosen.silhouette:.2f}, {chosen.reference_silhouette:.2f} in data without clusters"
    if one.has_structure:
        return f"By sound the songs form {one.chosen} clusters ({numbers}; stability {chosen.stability:.2f})."
    if chosen.silhouette > chosen.reference_silhouette:
        why = f"in {one.chosen} parts they are not clearly more separated than data without clusters, or samples differ"
    else:
        why = f"in {one.chosen} parts they are not more separated than data without clusters"
    return f"By sound the songs form no clear clusters: {why} ({numbers}; stability {chosen.stability:.2f})."


def no_playlists_sentence(result: SongCommunities) -> str:
    """That nothing is compared; empty where playlists are."""
    if result.playlists:
        return ""
    return "There are no playlists to compare with: put some into data/playlists, or name --playlists FOLDER."


def communities_sentence(result: SongCommunities) -> str:
    """How many communities the playlists have."""
    if not (result.playlists and result.agreement):
        return ""
    found, one = result.playlists.communities, result.agreement
    stability = "" if found.stability is None else f", stability {found.stability:.2f}"
    return (
        f"{one.playlists:,} playlists join {count_of_songs(one.songs)} by {one.artists:,} artists in {one.communities:,} "
        f"communities (modularity {found.modularity:.2f}{stability})."
    )


def similar_sentence(result: SongCommunities) -> str:
    """Which communities sound similar."""
    space = first_space(result)
    if space is None or not space.communities:
        return ""
    similar = [f"{one.number + 1}" for one in space.communities if one.is_similar]
    number = len(space.communities)
    if not similar:
        return f"None of the {number} largest communities with enough artists has songs more similar than chance gives."
    if len(similar) > _MOST_NAMED:
        counted = f"All {number}" if len(similar) == number else f"{len(similar)} of the {number}"
        return f"{counted} largest communities with enough artists have songs more similar than chance gives."
    return (
        f"{capitalised('communities' if len(similar) > 1 else 'community')} {joined(similar)} of {number} "
        f"{'have' if len(similar) > 1 else 'has'} songs more similar than chance gives."
    )


def first_space(result: SongCommunities) -> SpaceAgreement | None:
    """The space whose clusters are described."""
    return next(iter(result.agreement.spaces), None) if result.agreement else None


def artists_sentence(result: SongCommunities) -> str:
    """What the null model is, in numbers."""
    space = first_space(result)
    if space is None or space.ami is None:
        return ""
    return (
        f"An artist's songs are in one playlist for other reasons than sound: with artists permuted, AMI is "
        f"{space.ami.null_mean:.2f} on average, not 0. Pairs of one artist do not count in AUC."
    )


def recommended_sentence(result: SongCommunities) -> str:
    """Whether recommendation by sound and playlists is better than other ways; empty where it was not evaluated."""
    return recommendation_sentence(result.scores) if result.scores else ""


def warnings(result: SongCommunities) -> list[str]:
    """What limits the comparison: communities that mean little, entries and files that were not used."""
    if result.playlists is None:
        return []
    one = result.playlists
    unknown = (
        f"{count_of_songs(result.songs_without_artist)} without an artist in the tags count as artists of their own: if they "
        "are not, agreement may look surer than it is."
        if result.songs_without_artist
        else ""
    )
    unscored = (
        f"How well songs are recommended was not evaluated: no playlist has {MIN_TESTED} songs of the library."
        if result.scores is None
        else ""
    )
    lines = [unknown, unscored, *warning_lines(one.communities), *unread_lines(one.read), unmatched_sentence(one.match)]
    return [line for line in lines if line]
