"""What playlists cost at scale: 100,000 songs, 1,000,000 entries and one playlist of 50,000 songs.

    python -m benchmarks.communities [--songs N] [--entries N] [--giant N] [--seed N]

Songs are as popular, and playlists as long, as power laws have it; four of five songs of a playlist are of one of 200 planted
communities. Prints a Markdown table and writes it to benchmarks/communities.md. Seconds are of one core: all steps
have one thread, so that on a machine with nothing else to do they are those of the clock.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.memory import peak_mb
from songmap.communities.community_detection import Detection, detect
from songmap.communities.graph import MAX_JOINED, SAMPLED_SONGS, build_graph
from songmap.communities.graph_results import MatchedPlaylists, Method, Pruning
from songmap.communities.pruning import prune
from songmap.communities.recommendation import damped_steps, personalised_pagerank

N_PLANTED, OWN, MAX_LENGTH = 200, 0.8, 1_000


def draw_playlists(n_songs: int, n_entries: int, giant: int, rng: np.random.Generator) -> MatchedPlaylists:
    """Playlists of 5 to 1,000 songs, and one giant one."""
    cumulated = np.cumsum(1 / np.arange(1, n_songs + 1) ** 0.8)
    rank_of = rng.permutation(n_songs)  # songs by rank of popularity; rank r is of community r mod N_PLANTED
    lists: list[np.ndarray] = []
    n_left = n_entries
    while n_left > 0:
        length = int(min(5 + rng.pareto(1.5) * 10, MAX_LENGTH))
        ranks = np.searchsorted(cumulated, rng.random(length) * cumulated[-1])
        is_own = rng.random(length) < OWN
        own = np.minimum(ranks - ranks % N_PLANTED + len(lists) % N_PLANTED, n_songs - 1)
        lists.append(np.unique(rank_of[np.where(is_own, own, ranks)]))
        n_left -= len(lists[-1])
    if giant:
        lists.append(rng.choice(n_songs, giant, replace=False))
    return MatchedPlaylists(tuple(f"playlist {number}" for number in range(len(lists))), tuple(lists))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {"songs": 100_000, "entries": 1_000_000, "giant": 50_000, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    playlists = draw_playlists(
        arguments.songs, arguments.entries, arguments.giant, np.random.default_rng(arguments.seed)
    )
    n_entries = sum(map(len, playlists.rows))
    rows, started = [], time.process_time()

    def note(step: str, result: str, before: float) -> None:
        rows.append(f"| {step} | {time.process_time() - before:.1f} | {peak_mb():,.0f} | {result} |")
        print(rows[-1], flush=True)

    def note_communities(method: Method) -> np.ndarray:
        before = time.process_time()
        one = detect(graph, Detection(method))
        result = f"{len(one.sizes):,} communities, modularity {one.modularity:.3f}, stability {one.stability:.2f}"
        note(f"{method}, {one.n_runs} runs, unpruned", result, before)
        return one.labels

    begin = time.process_time()
    graph = build_graph(playlists, arguments.songs)
    note("graph", f"{graph.n_edges:,} edges", begin)
    begin = time.process_time()
    pruned = prune(graph, Pruning(minimum_weight=0.02, significance=0.5, k_core=2))
    note("pruning: weight, significance, k-core", f"{pruned.n_edges:,} edges", begin)
    louvain = note_communities("louvain")
    begin = time.process_time()
    walks = personalised_pagerank(damped_steps(graph), np.array([0, 1, 2]))
    note("personalised PageRank of 3 songs", f"{np.count_nonzero(walks):,} songs reached", begin)
    total = f"{time.process_time() - started:.0f} s and {peak_mb():,.0f} MB without Leiden, the playlists themselves included"
    leiden = note_communities("leiden")
    longest = max((one.n_songs for one in graph.sampled), default=0)
    text = (
        f"{arguments.songs:,} songs, {n_entries:,} different entries of {len(playlists):,} playlists.\n\n"
        "| step | s of a core | peak MB | result |\n|---|---:|---:|---|\n" + "\n".join(rows) + "\n\n"
        f"{total}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}. {len(graph.sampled):,} playlists of more than {MAX_JOINED} "
        f"songs, the longest of {longest:,}: each song is joined with {SAMPLED_SONGS} others of it instead of all.\n"
    )
    text += f"\nLouvain and Leiden agree: adjusted Rand index {adjusted_rand_score(louvain, leiden):.2f}.\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
