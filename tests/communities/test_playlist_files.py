"""Playlists of every format are read, and whatever is wrong with a file is one line."""

import json
import os
from pathlib import Path

import pytest

from songmap.communities import playlist_files
from songmap.communities.graph_results import Entry, UnreadReason
from songmap.communities.playlist_files import read_playlists, unread_line
from songmap.core.errors import UsageError
from songmap.library.m3u8 import rows_of_paths

XSPF = '<?xml version="1.0" encoding="UTF-8"?><playlist version="1" xmlns="http://xspf.org/ns/0/">{}</playlist>'


def one(file: Path, content: str | bytes):
    """The playlists of a file with this content, and its report."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_playlists(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("suffix", [".m3u", ".m3u8"])
def test_m3u_in_every_encoding(tmp_path, encoding, suffix):
    text = "#EXTM3U\r\n#EXTINF:213,Café del Sol - Été - live\r\nmusic/é.mp3\r\n\r\n#EXTINF:-1,Title only\r\n/abs/b.mp3\r\nc.mp3\r\n"
    (playlist,), report = one(tmp_path / f"summer{suffix}", text.encode(encoding))
    assert playlist.name == "summer"
    first, second, third = playlist.entries
    assert (first.artist, first.title) == ("Café del Sol", "Été - live")
    assert str(tmp_path / "music/é.mp3") in first.paths
    assert second == Entry(("/abs/b.mp3",), "", "Title only")
    assert third == Entry((str(tmp_path / "c.mp3"),), "", "")  # the name before is not this one's
    assert (report.n_files, report.n_playlists, report.n_entries, report.unread) == (1, 1, 3, ())


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://xspf.org/ns/0/"'])
def test_xspf(tmp_path, namespace):
    track = "<track><location>{}</location><creator>Ann</creator><title>A &amp; B</title></track>"
    tracks = "".join(map(track.format, ["file:///m/a%20b.mp3", "sub/a%20b.mp3", "https://host/a.mp3"]))
    text = f"<playlist{namespace}><title>Road</title><trackList>{tracks}</trackList></playlist>"
    (playlist,), _ = one(tmp_path / "x.xspf", text)
    assert playlist.name == "Road"
    assert [entry.paths for entry in playlist.entries] == [
        ("/m/a b.mp3",), (str(tmp_path / "sub/a%20b.mp3"), str(tmp_path / "sub/a b.mp3")), ()
    ]  # fmt: skip
    assert {(entry.artist, entry.title) for entry in playlist.entries} == {("Ann", "A & B")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_a_column_of_playlists(tmp_path, encoding, delimiter):
    rows = [("Playlist", "Song", "Artist"), ("A", "Été", "Ann"), ("B", "x.mp3", ""), ("A", "Two", "Bob"), ("A", "", "")]
    text = "\n".join(delimiter.join(row) for row in rows)
    (first, second), _ = one(tmp_path / "all.csv", text.encode(encoding))
    assert (first.name, [(entry.artist, entry.title) for entry in first.entries]) == (
        "A", [("Ann", "Été"), ("Bob", "Two")]
    )  # fmt: skip
    assert (second.name, second.entries[0].paths) == ("B", (str(tmp_path / "x.mp3"),))


def test_csv_of_one_playlist_with_headings_of_exports(tmp_path):
    (playlist,), _ = one(tmp_path / "liked.csv", '"Track Name","Artist Name(s)"\n"A, B","Ann, Bob"\n')
    assert (playlist.name, playlist.entries) == ("liked", (Entry((), "Ann, Bob", "A, B"),))


def test_a_slice_of_the_million_playlist_dataset(tmp_path):
    tracks = [{"track_name": "One", "artist_name": "Ann", "pos": 0}, {"track_name": "Two"}, {"pos": 2}]
    document = {"info": {}, "playlists": [{"name": "Gym", "tracks": tracks}, {"name": "", "tracks": tracks[:1]}]}
    (first, second), report = one(tmp_path / "mpd.slice.0-999.json", json.dumps(document))
    assert (first.name, first.entries) == ("Gym", (Entry((), "Ann", "One"), Entry((), "", "Two")))
    assert second.name == "mpd.slice.0-999 1"
    assert report.n_entries == 3


BOMB = '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><playlist><title>&b;</title></playlist>'
EXTERNAL = '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><playlist><title>&a;</title></playlist>'


@pytest.mark.parametrize(
    ("name", "content", "reason", "words"),
    [
        ("a.m3u8", b"", UnreadReason.EMPTY, "no entries"),
        ("a.m3u8", b"#EXTM3U\n", UnreadReason.EMPTY, "no entries"),
        ("a.m3u", b"ID3\x03\0\0", UnreadReason.NOT_TEXT, "not text"),
        ("a.m3u", b"a.mp3\n" * 2000 + b"\0", UnreadReason.NOT_TEXT, "not text"),
        ("a.xspf", b"<playlist><trackList>", UnreadReason.BROKEN, "broken"),
        ("a.xspf", b'<?xml version="1.0" encoding="klingon"?><playlist/>', UnreadReason.BROKEN, "broken"),
        ("a.xspf", b"<html></html>", UnreadReason.NOT_PLAYLISTS, "no playlists"),
        ("a.xspf", BOMB.encode(), UnreadReason.ENTITIES, "entities"),
        ("a.xspf", EXTERNAL.encode(), UnreadReason.ENTITIES, "entities"),
        ("a.csv", b"name,number\nx,1\n", UnreadReason.NOT_PLAYLISTS, "column of songs"),
        ("a.csv", b"playlist,song\n", UnreadReason.EMPTY, "no entries"),
        ("a.csv", b'playlist,song\nA,"' + b"x" * 200_000 + b'"\n', UnreadReason.BROKEN, "field larger"),
        ("a.csv", b"playlist,song," + b"x" * 200_000 + b"\n", UnreadReason.BROKEN, "field larger"),
        ("a.csv", b"playlist,song" + b"," * (1 << 20) + b"\n", UnreadReason.BROKEN, "a line has more"),
        ("a.json", b'{"playlists": [', UnreadReason.BROKEN, "broken"),
        ("a.json", b"[" * 200_000, UnreadReason.BROKEN, "broken"),
        ("a.json", b"\xff\xfe{", UnreadReason.BROKEN, "broken"),
        ("a.json", b'{"songs": []}', UnreadReason.NOT_PLAYLISTS, "no playlists"),
        ("a.json", b'{"playlists": [{"tracks": 3}]}', UnreadReason.NOT_PLAYLISTS, "no playlists"),
        ("a.json", b'{"playlists": [3]}', UnreadReason.NOT_PLAYLISTS, "no playlists"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_the_others_go_on(tmp_path, name, content, reason, words):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.m3u8").write_text("a.mp3\n")
    playlists, report = read_playlists(tmp_path)
    assert [playlist.name for playlist in playlists] == ["good"]
    (unread,) = report.unread
    assert (unread.file, unread.reason) == (tmp_path / name, reason)
    assert words in unread_line(unread)
    assert "\n" not in unread_line(unread)


def test_what_was_read_before_an_error_is_kept(tmp_path):
    playlists, report = one(tmp_path / "a.csv", 'playlist,song\nA,One\nB,"' + "x" * 200_000 + '"\n')
    assert [playlist.name for playlist in playlists] == ["A"]
    assert report.unread[0].reason is UnreadReason.BROKEN
    tracks = [{"track_name": "One"}]
    playlists, report = one(tmp_path / "b.json", json.dumps({"playlists": [{"name": "A", "tracks": tracks}, {}]}))
    assert len(playlists) == 1
    assert report.unread[0].reason is UnreadReason.NOT_PLAYLISTS


def test_equal_entries_are_held_once(tmp_path):
    (tmp_path / "a.csv").write_text("playlist,artist,song\nA,Ann,One\nB,Ann,One\nB,Ann,Two\n")
    tracks = [{"artist_name": "Ann", "track_name": "One"}]
    (tmp_path / "c.json").write_text(json.dumps({"playlists": [{"name": "C", "tracks": tracks}]}))
    first, second, of_slice = read_playlists(tmp_path)[0]
    assert first.entries[0] is second.entries[0] is of_slice.entries[0]
    assert second.entries[1].artist is first.entries[0].artist


def test_limits(tmp_path, monkeypatch):
    monkeypatch.setitem(playlist_files.MAX_BYTES, ".xspf", 10)
    _, report = one(tmp_path / "a.xspf", XSPF.format(""))
    assert report.unread[0].reason is UnreadReason.TOO_LARGE
    monkeypatch.setattr(playlist_files, "MAX_ENTRIES", 3)
    for name in "bcd":
        (tmp_path / f"{name}.m3u8").write_text("1.mp3\n2.mp3\n")
    playlists, report = read_playlists(tmp_path)
    assert [playlist.name for playlist in playlists] == ["b"]
    reasons = [one.reason for one in report.unread]
    assert reasons == [UnreadReason.TOO_LARGE, *[UnreadReason.TOO_MANY_ENTRIES] * 2]
    assert report.n_entries == 2


def test_what_is_no_file_is_reported_and_never_read(tmp_path):
    os.mkfifo(tmp_path / "fifo.m3u8")
    (tmp_path / "link.m3u8").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.m3u8").symlink_to(tmp_path / "loop.m3u8")
    (tmp_path / "zero.m3u8").symlink_to("/dev/zero")
    playlists, report = read_playlists(tmp_path)
    assert not playlists
    assert {one.file.stem: one.reason for one in report.unread} == dict.fromkeys(
        ("fifo", "link", "loop", "zero"), UnreadReason.UNREADABLE
    )
    assert "regular file" in unread_line(read_playlists(tmp_path / "fifo.m3u8")[1].unread[0])


def test_a_path_that_no_file_can_have_is_no_song(tmp_path):
    song = str(tmp_path / "a.mp3")
    (tmp_path / "a.mp3").touch()
    assert rows_of_paths([("/\0", song), ("/\0",)], [song]) == [0, None]
    (tmp_path / "b.mp3").touch()
    assert rows_of_paths([("/\0", str(tmp_path / "b.mp3"))], [song]) == [None]


def test_folders_and_hidden_files_are_not_playlists(tmp_path):
    (tmp_path / "folder.m3u8").mkdir()
    (tmp_path / ".hidden.m3u8").write_text("a.mp3\n")
    with pytest.raises(UsageError, match="holds no playlist"):
        read_playlists(tmp_path)


def test_folders_below_are_read_in_order_and_progress_is_reported(tmp_path):
    for name in ("b/2.m3u", "a/1.m3u8", "c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("song\nx.mp3\n")
    steps = []
    playlists, _ = read_playlists(tmp_path, lambda *step: steps.append(step))
    assert [playlist.name for playlist in playlists] == ["1", "2", "c"]
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("name", "words"), [("missing", "does not exist"), ("song.mp3", "not a playlist")])
def test_sources_that_cannot_be_used(tmp_path, name, words):
    (tmp_path / "song.mp3").write_bytes(b"x")
    with pytest.raises(UsageError, match=words):
        read_playlists(tmp_path / name)
