"""From files to communities: every way in which playlists can be of no use is one line."""

from pathlib import Path

import numpy as np
import pytest
from libraries import make_library

from songmap.communities.community_description import describe_communities
from songmap.communities.graph_results import CommunityWarning, Pruning, UnreadReason
from songmap.communities.playlist_communities import GraphSettings, playlist_communities
from songmap.communities.views import playlist_sentences as sentences
from songmap.core.errors import UsageError
from songmap.core.serialise import to_json

LIBRARY = make_library(40)


def write(folder: Path, *lists: list[int]) -> Path:
    for number, rows in enumerate(lists):
        (folder / f"list {number}.m3u8").write_text("".join(f"/music/song {row:03d}.mp3\n" for row in rows))
    return folder


def lists_of_two_halves(n_lists: int = 24) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.choice(20, 8, replace=False).tolist() for _ in range(n_lists // 2)] + [
        (20 + rng.choice(20, 8, replace=False)).tolist() for _ in range(n_lists // 2)
    ]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("lists"), *lists_of_two_halves())
    (folder / "broken.xspf").write_text("<playlist>")
    (folder / "others.csv").write_text("playlist,song,artist\nA,Unknown,Nobody\nA,song 000,Ann\nA,song 001,Ann\n")
    return playlist_communities(LIBRARY, folder)


def test_two_halves_are_two_communities(result):
    labels = result.communities.labels
    assert len(set(labels[:20].tolist())) == len(set(labels[20:].tolist())) == 1
    assert result.communities.sizes.tolist() == [20, 20]
    assert result.communities.null.p_value == 0.01
    assert result.communities.warnings == ()
    assert (result.match.by_path, result.match.by_tags, result.match.n_not_matched) == (192, 2, 1)
    assert [one.reason for one in result.read.unread] == [UnreadReason.BROKEN]


def test_facts_of_communities(result):
    first, second = describe_communities(LIBRARY, result.pruned, result.communities, result.playlists)
    assert sorted((*first.rows, *second.rows)) == list(range(40))
    assert first.genre in ("HOUSE", "TRANCE")
    assert first.n_of_genre == 10
    assert first.artists == (("Ann", 20),)
    assert all(number == 8 for _, number in (*first.playlists, *second.playlists))


def test_it_is_serialised(result):
    assert '"n_not_matched": 1' in to_json(result.match)
    assert '"reason": "broken"' in to_json(result.read)


def test_sentences(result):
    assert sentences.match_sentence(result.match) == (
        "194 of 195 entries of 25 playlists are songs of the library: 192 by path and 2 by artist and title."
    )
    assert sentences.unmatched_sentence(result.match) == "Not in the library: 'Nobody - Unknown'."
    assert sentences.graph_sentence(result).startswith("40 songs of the library's 40 share 25 playlists: ")
    assert "(random playlists: 0." in sentences.community_sentence(result)
    (line,) = sentences.unread_lines(result.read)
    assert "broken.xspf is broken" in line


def test_no_match_names_what_is_missing(tmp_path):
    (tmp_path / "a.csv").write_text("song,artist\nUnheard,Nobody\n")
    with pytest.raises(
        UsageError, match=r"none of 1 playlist entries is a song of the library, e\.g\. 'Nobody - Unheard'"
    ):
        playlist_communities(LIBRARY, tmp_path)


def test_nothing_readable_names_the_first_reason(tmp_path):
    (tmp_path / "a.xspf").write_text('<!DOCTYPE p [<!ENTITY a "ha">]><playlist><title>&a;</title></playlist>')
    (tmp_path / "b.m3u8").write_text("")
    with pytest.raises(UsageError, match=r"a\.xspf declares XML entities.*and 1 more files"):
        playlist_communities(LIBRARY, tmp_path)


def test_playlists_of_one_song_join_nothing(tmp_path):
    with pytest.raises(UsageError, match="no two songs"):
        playlist_communities(LIBRARY, write(tmp_path, [1], [2]))


@pytest.mark.parametrize("pruning", [Pruning(minimum_weight=5), Pruning(k_core=100), Pruning(significance=1e-9)])
def test_no_edges_after_pruning(tmp_path, pruning):
    with pytest.raises(UsageError, match=r"none of \d+ edges is left .*; prune less") as error:
        playlist_communities(LIBRARY, write(tmp_path, *lists_of_two_halves()), GraphSettings(pruning))
    assert "\n" not in str(error.value)


def test_one_community_is_warned_of(tmp_path):
    found = playlist_communities(LIBRARY, write(tmp_path, list(range(30))))
    assert CommunityWarning.ONE_COMMUNITY in found.communities.warnings
    assert "All joined songs are in one community" in sentences.warning_lines(found.communities)[0]
    assert found.communities.largest_share == 1
    assert len(sentences.warning_lines(found.communities)) == len(found.communities.warnings)


def test_long_playlists_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("songmap.communities.graph.MAX_JOINED", 20)
    found = playlist_communities(LIBRARY, write(tmp_path, list(range(40)), [0, 1, 2]))
    assert "each song is joined with 100 others, drawn at random: 'list 0' (40)" in sentences.graph_sentence(found)
