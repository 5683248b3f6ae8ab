"""Orders of songs as 04's commands give them: playlist, path, radio, order, transitions, play."""

import argparse
import json
import os
import stat

import pytest
from libraries import make_library

from songmap.core.errors import QueryError
from songmap.similar.commands import split_words
from songmap.similar.desk import Desk
from songmap.similar.prompt import line_parser


@pytest.fixture(scope="module")
def desk():
    return Desk(make_library(40, genres=["HOUSE", "TRANCE", "TECHNO"]))


def run(desk, line: str, form: str = "json") -> list[str]:
    setting = argparse.Namespace(space="balanced", weights=None, correct_hubs=False, form=form)
    return list(desk.reply(line_parser()[0].parse_args(split_words(line), setting)))


def names(texts: list[str]) -> list[str]:
    return [record["song_name"] for record in json.loads(texts[0])]


def test_a_playlist_begins_with_its_songs_and_repeats_none(desk):
    found = names(run(desk, "playlist song 003 + song 007 -n 12 --max-per-artist 40"))
    assert found[:2] == ["song 003", "song 007"]
    assert len(set(found)) == len(found) == 12


def test_an_artist_has_two_songs_in_a_playlist_unless_allowed_more(desk):
    assert len(names(run(desk, "playlist song 003 -n 12"))) == 2  # all songs of that library are one artist's


def test_a_ramp_that_the_library_cannot_follow_is_said(desk):
    text = run(desk, "playlist song 003 -n 6 --max-per-artist 9 --start-bpm 120 --end-bpm 170", form="text")[0]
    assert "120 to 170 BPM; " in text
    assert "more than 6 % off" in text


def test_a_path_has_both_ends_and_a_reason_for_every_step(desk):
    records = json.loads(run(desk, "path song 001 to song 038 -n 7")[0])
    assert [records[0]["song_name"], records[-1]["song_name"]] == ["song 001", "song 038"]
    assert len(records) == 7
    assert records[0]["transition"] is None
    assert all(0 <= record["transition"] <= 1 and "similarity" in record["why"] for record in records[1:])


def test_radio_plays_every_song_once_and_then_ends(desk):
    heard = [json.loads(line)["song_name"] for line in run(desk, "radio song 005")]
    assert heard[0] == "song 005"
    assert sorted(heard) == sorted(desk.library.songs["song_name"])
    assert len(run(desk, "radio song 005 -n 3", form="text")) == 3


def test_an_answer_becomes_a_playlist_that_order_and_transitions_read(desk, tmp_path):
    file = tmp_path / "list.m3u8"
    found = names(run(desk, f"similar song 005 -n 9 --max-per-artist 9 --m3u8 '{file}'"))
    assert file.read_text().count("#EXTINF") == 9
    as_listed = json.loads(run(desk, f"transitions '{file}'")[0])
    assert [record["song_name"] for record in as_listed] == found
    ordered = json.loads(run(desk, f"order '{file}'")[0])
    assert sorted(record["song_name"] for record in ordered) == sorted(found)
    total = [sum(record["transition"] or 0 for record in records) for records in (as_listed, ordered)]
    assert total[1] >= total[0]
    file.write_text(file.read_text() + "nowhere.mp3\n")
    assert "1 entries are no songs of the library, the first is line 20" in run(desk, f"order '{file}'", "text")[0]


def test_transitions_of_songs_are_those_of_a_playlist(desk):
    records = json.loads(run(desk, "transitions song 001 + song 002 + song 001")[0])
    forth, back = (record["transition"] for record in records[1:])
    assert forth == pytest.approx(back)


def test_play_starts_the_player_on_the_song(tmp_path):
    song = tmp_path / "a song.mp3"
    song.touch()
    library = make_library(2)
    library.songs.loc[0, "file_path"] = str(song)
    player, said = tmp_path / "player", tmp_path / "said"
    player.write_text(f'#!/bin/sh\necho "$1" > {said}\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    text = run(Desk(library), f"play song 000 --player {player}", form="text")[0]
    assert text.startswith("playing: ")
    assert said.read_text().strip() == os.fspath(song)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("path song", "write A to B"),
        ("path song 001 to song 001", "same recording"),
        ("transitions song 001", "two songs"),
        ("playlist no such thing at all", "no such thing"),
    ],
)
def test_what_cannot_be_ordered_is_one_line(desk, line, message):
    with pytest.raises(QueryError, match=message):
        run(desk, line)
