"""Playlists, their graph and its communities in words."""

from songmap.communities.graph_results import (
    Communities,
    CommunityFacts,
    CommunityWarning,
    MatchReport,
    PlaylistCommunities,
    ReadReport,
    RecommendationScores,
    Recommender,
)
from songmap.communities.playlist_files import unread_line
from songmap.core.text import count_of_songs, joined, one_line, percent, shorten

RECOMMENDERS: dict[Recommender, str] = {
    "popularity": "popularity", "sound": "sound alone", "playlists": "playlists alone", "mix": "sound and playlists",
}  # fmt: skip
_N_NAMED = 3


def unread_lines(read: ReadReport) -> list[str]:
    """A line for each file that could not be read, or not to its end."""
    return [one_line(unread_line(one)) for one in read.unread]


def match_sentence(match: MatchReport) -> str:
    """How many entries are songs of the library, and by what."""
    n_matched = match.by_path + match.by_tags + match.by_spelling
    ways = {"path": match.by_path, "artist and title": match.by_tags, "similar spelling": match.by_spelling}
    shown = joined([f"{number:,} by {way}" for way, number in ways.items() if number]) if n_matched else "none"
    sentence = (
        f"{n_matched:,} of {match.n_entries:,} entries of {_count(match.n_playlists, 'playlist')} are songs of the library: "
        f"{shown}."
    )
    if match.n_ambiguous:
        sentence += f" {match.n_ambiguous:,} name several songs and were left out."
    return sentence


def unmatched_sentence(match: MatchReport) -> str:
    """What was not matched; empty where all was."""
    if not match.n_not_matched:
        return ""
    names = [repr(shorten(one_line(name), 40)) for name in match.not_matched[:_N_NAMED]]
    more = match.n_not_matched - len(names)
    others = [f"{more:,} more"] if more > 0 else []
    sentence = f"Not in the library: {joined([*names, *others])}."
    if match.n_not_compared:
        sentence += f" {match.n_not_compared:,} of them were not compared by spelling: they are too many."
    return sentence


def graph_sentence(result: PlaylistCommunities) -> str:
    """Songs, edges, and how long playlists and pruning were handled."""
    graph, pruned = result.graph, result.pruned
    n_joined = int(pruned.is_joined.sum())
    sentence = (
        f"{count_of_songs(n_joined)} of the library's {len(pruned.is_joined):,} share {_count(graph.n_playlists, 'playlist')}: "
        f"{_count(pruned.n_edges, 'edge')}"
    )
    sentence += f", {graph.n_edges:,} before pruning." if pruned.n_edges < graph.n_edges else "."
    if graph.sampled:
        names = joined([f"{shorten(one_line(one.name), 30)!r} ({one.n_songs:,})" for one in graph.sampled[:_N_NAMED]])
        more = f" and {len(graph.sampled) - _N_NAMED} more" if len(graph.sampled) > _N_NAMED else ""
        sentence += f" In long playlists each song is joined with 100 others, drawn at random: {names}{more}."
    return sentence


def community_sentence(result: PlaylistCommunities) -> str:
    """Communities with modularity and stability, and what random playlists have."""
    found = result.communities
    sentence = f"{_plural(len(found.sizes), 'community', 'communities')}, modularity {found.modularity:.2f}"
    if found.null is not None:
        sentence += f" (random playlists: {found.null.mean:.2f}, p = {found.null.p_value:.2g})"
    if found.stability is not None:
        sentence += f", similarity of runs with other seeds {found.stability:.2f} (adjusted Rand index)"
    return f"{sentence}."


def warning_lines(found: Communities) -> list[str]:
    """Why the communities may mean little, a line each."""
    lines = {
        CommunityWarning.ONE_COMMUNITY: "All joined songs are in one community: there is nothing to compare.",
        CommunityWarning.ONE_HOLDS_MOST: f"One community holds {percent(found.largest_share)} of the joined songs: the others say little.",
        CommunityWarning.UNSTABLE: "Other seeds give other communities: their borders are arbitrary.",
        CommunityWarning.NOT_ABOVE_CHANCE: "Playlists of random songs have communities as distinct: these may be chance.",
    }
    return [lines[warning] for warning in found.warnings]


def community_name(facts: CommunityFacts) -> str:
    """ "1: TRANCE, Aurora Vale"."""
    parts = [facts.genre or "", *(artist for artist, _ in facts.artists[:1])]
    named = ", ".join(one_line(part) for part in parts if part)
    return f"{facts.label + 1}: {named}" if named else str(facts.label + 1)


def community_line(facts: CommunityFacts) -> str:
    """Size, genre, artists."""
    parts = [count_of_songs(len(facts.rows))]
    if facts.genre:
        parts.append(f"{percent(facts.n_of_genre / len(facts.rows))} {one_line(facts.genre)}")
    parts += [f"{one_line(artist)} ({number})" for artist, number in facts.artists]
    return ", ".join(parts)


def recommendation_rows(scores: RecommendationScores) -> list[dict[str, str]]:
    """A row per recommender: each score with its 95 % interval."""
    rows = []
    for one in scores.scores:
        intervals = {
            "R-precision": one.r_precision, f"NDCG@{scores.n_at}": one.ndcg, f"recall@{scores.n_at}": one.recall
        }  # fmt: skip
        row = {"recommended by": RECOMMENDERS[one.recommender]}
        row |= {name: f"{value.mean:.2f} ({value.low:.2f}–{value.high:.2f})" for name, value in intervals.items()}
        rows.append(row)
    return rows


def recommendation_sentence(scores: RecommendationScores) -> str:
    """Whether the mix is better than each other recommender: only where the interval of the difference leaves out 0."""
    better = [RECOMMENDERS[one.recommender] for one in scores.scores if one.mix_ahead.low > 0]
    worse = [RECOMMENDERS[one.recommender] for one in scores.scores if one.mix_ahead.high < 0]
    name = "Recommendation by sound and playlists"
    compared = [f"{how} than {joined(names)}" for how, names in (("better", better), ("worse", worse)) if names]
    if compared:
        result = f"{name} finds hidden songs {joined(compared)}"
    else:
        result = f"{name} is not shown to find hidden songs better or worse than another way"
    return f"{result} ({_count(scores.n_playlists, 'playlist')}, half of each hidden)."


def _count(number: int, noun: str) -> str:
    return _plural(number, noun, f"{noun}s")


def _plural(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
