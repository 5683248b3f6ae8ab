"""Orders of songs as 04's commands give them: playlist, path, radio, order, transitions, play."""

import json
import os
import stat
from contextlib import contextmanager

import numpy as np
import pytest
from libraries import make_library
from scipy.stats import percentileofscore, spearmanr

from songmap.core.errors import QueryError
from songmap.library.keys import camelot
from songmap.library.schema import column_index
from songmap.similar import playlists, running_order, transitions
from songmap.similar.requests import CURVES, PURPOSES, Setting
from songmap.similar.session import Session
from songmap.similar.terminal.commands import SETTING, command_of
from songmap.similar.terminal.prompt import line_parser
from songmap.similar.terminal.reply import reply
from songmap.similar.terminal.words import split_words


@pytest.fixture(scope="module")
def session():
    return Session(make_library(40, genres=["HOUSE", "TRANCE", "TECHNO"]))


def run(session: Session, line: str, form: str = "json") -> list[str]:
    given = SETTING | {"form": form}
    return list(reply(session, command_of(given | vars(line_parser()[0].parse_args(split_words(line))))))


def names(texts: list[str]) -> list[str]:
    return [record["song_name"] for record in json.loads(texts[0])]


def test_a_playlist_begins_with_its_songs_and_repeats_none(session):
    found = names(run(session, "playlist song 003 + song 007 -n 12 --max-per-artist 40"))
    assert found[:2] == ["song 003", "song 007"]
    assert len(set(found)) == len(found) == 12


def test_an_artist_has_two_songs_in_a_playlist_unless_allowed_more(session):
    assert len(names(run(session, "playlist song 003 -n 12"))) == 2  # all songs of that library are one artist's


def test_the_title_counts_songs_far_from_the_ramp(session):
    library = make_library(40, artist="")
    library.songs["tempo_bpm"] = np.repeat([100.0, 120.0, 170.0], [1, 38, 1])
    text = run(Session(library), "playlist song 003 -n 6 --start-bpm 120 --end-bpm 170", form="text")[0]
    text = " ".join(text.split())
    assert "120 to 170 BPM; " in text
    assert "more than 6 % from the tempo of the ramp" in text


def test_a_ramp_reaches_as_far_as_the_songs_that_pass_and_says_so(session):
    line = "playlist song 003 -n 6 --max-per-artist 9 --start-bpm 120 --end-bpm 170"
    text = run(session, line, form="text")[0]  # a library of 120 BPM
    assert "120 to 120 BPM; no song has 170 BPM" in text
    assert "more than 6 %" not in text
    library = make_library(40, artist="")
    library.songs["tempo_bpm"] = np.linspace(100, 139, 40)
    found = json.loads(run(Session(library), "playlist song 000 -n 6 --end-bpm 180 --bpm 90-131")[0])
    assert found[0]["tempo_bpm"] == 100 and max(song["tempo_bpm"] for song in found) <= 131
    assert found[-1]["tempo_bpm"] > 131 / 1.06


def test_filters_hold_for_playlists_radio_and_paths(session):
    house = [f"song {row:03d}" for row in range(0, 40, 3)]
    lines = ["playlist song 001 -n 12 --max-per-artist 40", "radio song 001", "path song 001 to song 002 -n 40"]
    for line in lines:
        texts = run(session, f"{line} --genre house")
        found = [json.loads(text) for text in texts] if "radio" in line else json.loads(texts[0])
        added = {record["song_name"] for record in found} - {"song 001", "song 002"}
        assert added == set(house) if "radio" in line else added and added <= set(house)
    assert "; genre HOUSE" in run(session, f"{lines[0]} --genre house", form="text")[0]
    with pytest.raises(QueryError, match="no other song passes '300 BPM"):
        run(session, "path song 001 to song 002 --bpm 300")


def test_a_playlist_for_djs_has_keys_and_tempos_that_mix():
    library = make_library(200, artist="")
    library.songs["tempo_bpm"] = np.random.default_rng(0).uniform(90, 180, 200)
    library.songs["key"] = [camelot(row % 24) for row in range(200)]
    tracks = Session(library).comparison(Setting()).tracks
    clashes = {}
    for purpose in PURPOSES:
        texts = [run(Session(library), f"playlist song {row:03d} -n 8 --for {purpose}")[0] for row in range(0, 200, 20)]
        rows = [[int(record["song_name"][-3:]) for record in json.loads(text)] for text in texts]
        changes = [change for playlist in rows for change in transitions.transitions(tracks, playlist)]
        clashes[purpose] = np.mean([[not one.keys_compatible, one.tempo_fit < 1] for one in changes], axis=0)
    assert (clashes["dj"] < 0.7 * clashes["listening"]).all()


def test_energy_follows_the_curve():
    library = make_library(200, artist="")
    found = {}
    for curve in CURVES:
        records = json.loads(run(Session(library), f"playlist song 003 -n 12 --energy {curve}")[0])
        assert len({record["file_path"] for record in records}) == 12
        found[curve] = [record["energy"] for record in records]
    level, onsets = (library.embeddings[:, column_index(name)] for name in ("rms_mean", "onset_strength_mean"))
    expected = np.mean([percentileofscore(column, column[3], "mean") for column in (level, onsets)])
    assert found["flat"][0] == pytest.approx(expected)
    places = np.arange(11)
    assert spearmanr(places, found["rise"][1:])[0] > 0.7
    assert spearmanr(places, found["fall"][1:])[0] < -0.7
    middle = np.mean(found["arc"][4:8])
    assert middle > max(np.mean(found["arc"][1:3]), np.mean(found["arc"][-2:])) + 10
    assert np.std(found["flat"]) < min(np.std(found["rise"]), np.std(found["fall"])) / 1.5
    with pytest.raises(QueryError, match="--energy and a tempo ramp"):
        run(Session(library), "playlist song 003 --energy rise --end-bpm 120")


def test_a_path_has_both_ends_and_a_reason_for_every_step(session):
    records = json.loads(run(session, "path song 001 to song 038 -n 7")[0])
    assert [records[0]["song_name"], records[-1]["song_name"]] == ["song 001", "song 038"]
    assert len(records) == 7
    assert records[0]["transition"] is None
    assert all(0 <= record["transition"] <= 1 and -1 <= record["similarity"] <= 1 for record in records[1:])


def test_radio_plays_every_song_once_and_then_ends(session):
    played = [json.loads(line)["song_name"] for line in run(session, "radio song 005")]
    assert played[0] == "song 005"
    assert sorted(played) == sorted(session.library.songs["song_name"])
    assert len(run(session, "radio song 005 -n 3", form="text")) == 3


def test_a_bar_of_progress_is_closed_before_anything_is_printed(monkeypatch):
    events = []

    @contextmanager
    def bar(label):
        events.append(f"open {label}")
        yield lambda done, total: None
        events.append("close")

    monkeypatch.setattr("songmap.similar.terminal.reply.progress", bar)
    monkeypatch.setattr("songmap.similar.terminal.reply._PROGRESS_FROM", 10)
    command = command_of(SETTING | vars(line_parser()[0].parse_args(split_words("outliers -n 2"))))
    for _ in reply(Session(make_library(40)), command):
        events.append("printed")
    assert events[:3] == ["open songs", "close", "printed"]
    assert events.count("close") == 1


def test_a_result_becomes_a_playlist_that_order_and_transitions_read(session, tmp_path):
    file = tmp_path / "list.m3u8"
    found = names(run(session, f"similar song 005 -n 9 --max-per-artist 9 --m3u8 '{file}'"))
    assert file.read_text().count("#EXTINF") == 9
    as_listed = json.loads(run(session, f"transitions '{file}'")[0])
    assert [record["song_name"] for record in as_listed] == found
    ordered = json.loads(run(session, f"order '{file}'")[0])
    assert sorted(record["song_name"] for record in ordered) == sorted(found)
    reasons = [
        line for line in run(session, f"transitions '{file}' --verbose", "text")[0].splitlines() if "similarity" in line
    ]
    assert len(reasons) == len(found) - 1  # the table says why of every transition
    total = [sum(record["transition"] or 0 for record in records) for records in (as_listed, ordered)]
    assert total[1] >= total[0]
    file.write_text(file.read_text() + "nowhere.mp3\n")
    assert "1 entry is not a song of the library (line 20)" in " ".join(
        run(session, f"order '{file}'", "text")[0].split()
    )


def test_transitions_of_songs_are_those_of_a_playlist(session):
    records = json.loads(run(session, "transitions song 001 + song 002 + song 001")[0])
    forth, back = (record["transition"] for record in records[1:])
    assert forth == pytest.approx(back)


def test_play_starts_the_player_on_the_song(tmp_path):
    song = tmp_path / "a song.mp3"
    song.touch()
    library = make_library(2)
    library.songs.loc[0, "file_path"] = str(song)
    player, played = tmp_path / "player", tmp_path / "played"
    player.write_text(f'#!/bin/sh\necho "$1" > {played}\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    text = run(Session(library), f"play song 000 --player {player}", form="text")[0]
    assert text == f"playing song 000 – Ann by {player}"
    assert played.read_text().strip() == os.fspath(song)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("path song", "write A to B"),
        ("path song 001 to song 001", "same recording"),
        ("transitions song 001", "two songs"),
        ("playlist no such thing at all", "no such thing"),
    ],
)
def test_what_cannot_be_ordered_is_one_line(session, line, message):
    with pytest.raises(QueryError, match=message):
        run(session, line)


def test_long_lists_are_ordered_in_stretches_and_never_worse(monkeypatch):
    monkeypatch.setattr(running_order, "_WHOLE", 100)
    monkeypatch.setattr(running_order, "_STRETCH", 40)
    comparison = Session(make_library(230)).comparison(Setting())
    given = np.random.default_rng(0).permutation(230)
    for fixed in (0, 3):
        order = running_order.running_order(comparison.tracks, given, fixed)
        assert order[:fixed].tolist() == given[:fixed].tolist()
        assert sorted(order) == list(range(230))
        assert comparison.ordered(order).mean_score > comparison.ordered(given).mean_score + 0.05
        again = running_order.running_order(comparison.tracks, order, fixed)
        assert comparison.ordered(again).mean_score >= comparison.ordered(order).mean_score


def test_no_work_of_a_long_order_or_path_is_over_all_pairs(monkeypatch):
    """Of 8,000 songs all pairs would be 64 million."""
    compared = []
    monkeypatch.setattr(
        running_order, "pairwise_scores", lambda tracks, rows: compared.append(len(rows)) or full(tracks, rows)
    )
    comparison = Session(make_library(1200)).comparison(Setting())
    full = transitions.pairwise_scores
    running_order.running_order(comparison.tracks, np.arange(1200))
    assert max(compared) <= 500
    found = playlists.path(comparison.tracks, 0, 1199, 100)
    assert len(set(found.tolist())) == 100
