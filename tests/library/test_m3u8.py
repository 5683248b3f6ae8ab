"""M3U8 written and read back, by ourselves and by a library that parses M3U; M3U of other programs read."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import m3u8
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.core.errors import UsageError
from songmap.library.m3u8 import read_playlist, write_playlist
from songmap.similar.song import Song

NAMES = (
    "plain.mp3", "two words, and a comma.mp3", "#hash.mp3", "#EXTINF:1,x.mp3", " space first.mp3", "space last.mp3 ",
    "line\nbreak.mp3", "carriage\rreturn.mp3", "form\x0cfeed.mp3", "next\x85line.mp3", "separator\u2028here.mp3",
    "Re: answer.mp3", "http:address.mp3", "100% %20 ?query#fragment.mp3", "back\\slash.mp3", "~home.mp3",
    "quote\"' [brackets] |.mp3", "Björk 東京 🎵.mp3", os.fsdecode(b"latin \xe9\xff.mp3"), "\t.mp3", "file:.mp3",
)  # fmt: skip


def songs_at(paths, artist="Ann", title="", name="song", seconds=61.5):
    return [Song(name, artist, "", title, "", None, seconds, 0.0, "", "", "", str(path)) for path in paths]


def place_of(uri: str, folder: Path) -> Path:
    """The file that a player opens for an entry."""
    if uri.startswith("file://"):
        return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))))
    return folder / uri


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("folder", ["", "lists", "music", "music/own"])
def test_every_name_is_found_by_a_library_that_parses_m3u_and_by_ourselves(tmp_path, folder, absolute):
    music = tmp_path / "music"
    music.mkdir()
    for name in NAMES:
        (music / name).write_text(name, errors="surrogateescape")
    paths = sorted(str(path) for path in music.iterdir())
    assert len(paths) == len(NAMES)
    file = tmp_path / folder / "list.m3u8"
    write_playlist(file, songs_at(paths), absolute)
    text = file.read_bytes().decode("utf-8")
    assert text.startswith("#EXTM3U\n#EXTINF:62,Ann - song\n")
    segments = m3u8.loads(text).segments
    assert [str(place_of(segment.uri, file.parent).resolve()) for segment in segments] == paths
    assert {(segment.duration, segment.title) for segment in segments} == {(62, "Ann - song")}
    assert all(segment.uri.startswith(("/", "file://")) for segment in segments) or not absolute
    rows, unknown = read_playlist(file, paths)
    assert (rows, unknown) == (list(range(len(paths))), {})


signs = st.one_of(st.characters(exclude_characters="/\0", codec="utf-8"), st.sampled_from("\n\r #:%\\?~.\udcff\udce9"))
names = st.text(signs, min_size=1, max_size=12).filter(lambda name: name not in (".", ".."))


@given(st.lists(st.tuples(names, names).map("/".join), min_size=1, max_size=5, unique=True), st.booleans())
@settings(max_examples=100, deadline=None)
def test_reading_what_was_written_gives_the_same_songs(tmp_path_factory, below, absolute):
    folder = tmp_path_factory.getbasetemp()
    paths = [f"{folder}/{name}" for name in below]
    order = [*range(len(paths)), 0]
    file = folder / "lists" / "any.m3u8"
    write_playlist(file, songs_at([paths[row] for row in order]), absolute)
    assert read_playlist(file, paths) == (order, {})
    assert len(m3u8.loads(file.read_text("utf-8")).segments) == len(order)


def test_titles_and_lengths_are_those_of_the_song(tmp_path):
    songs = [
        *songs_at(["/m/1.mp3"], artist="A, B", title="C - D", seconds=181.4),
        *songs_at(["/m/2.mp3"], artist="", title="two\r\nlines", seconds=0.4),
        *songs_at(["/m/3.mp3"], artist="A", name="odd \udcff", seconds=float("nan")),
    ]
    write_playlist(tmp_path / "list.m3u8", songs)
    read = m3u8.loads((tmp_path / "list.m3u8").read_text("utf-8")).segments
    assert [segment.title for segment in read] == ["A, B - C - D", "two lines", "A - odd �"]
    assert [segment.duration for segment in read] == [181, 0, -1]


def test_paths_are_relative_within_a_tree_and_absolute_where_only_the_root_is_shared(tmp_path):
    def lines(file, path):
        write_playlist(file, songs_at([path]))
        return file.read_text().splitlines()[2]

    (tmp_path / "music" / "own").mkdir(parents=True)
    assert lines(tmp_path / "list.m3u8", tmp_path / "music/a.mp3") == "music/a.mp3"
    assert lines(tmp_path / "music/own/list.m3u8", tmp_path / "music/a.mp3") == "../a.mp3"
    assert lines(tmp_path / "list.m3u8", "/elsewhere/a.mp3") == "/elsewhere/a.mp3"
    # a playlist in a folder that is a link: its ".." is not where the link is
    (tmp_path / "link").symlink_to(tmp_path / "music" / "own")
    assert lines(tmp_path / "link/list.m3u8", tmp_path / "music/a.mp3") == "../a.mp3"
    assert lines(tmp_path / "link/list.m3u8", tmp_path / "link/a.mp3") == "a.mp3"


def test_playlists_of_other_programs_are_read(tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in ("a b.mp3", "sub/ö.mp3", "c#%20.mp3")]
    (tmp_path / "sub").mkdir()
    file = tmp_path / "other.m3u"
    entries = [
        b"\xef\xbb\xbf#EXTM3U", b"#EXTINF:-1,x", b"a b.mp3", b"", b"# a comment", b"./sub/../sub/\xc3\xb6.mp3",
        b"  " + paths[2].encode() + b"  ", b"sub\\\xc3\xb6.mp3", b"file://" + str(tmp_path).encode() + b"/a%20b.mp3",
        b"file://localhost" + str(tmp_path).encode() + b"/c%23%2520.mp3", b"FILE:" + str(tmp_path).encode() + b"/a b.mp3",
        b"gone.mp3", b"https://radio.example/stream", b"C:\\Music\\a b.mp3",
    ]  # fmt: skip
    for newline in (b"\n", b"\r\n", b"\r"):
        file.write_bytes(newline.join(entries))
        rows, unknown = read_playlist(file, paths)
        assert rows == [0, 1, 2, 1, 0, 2, 0]
        assert unknown == {12: "gone.mp3", 13: "https://radio.example/stream", 14: "C:\\Music\\a b.mp3"}
    monkeypatch.chdir(tmp_path)
    assert read_playlist(Path("other.m3u"), paths)[0] == rows


def test_lines_that_are_not_utf_8_are_bytes_of_a_path_or_latin_1(tmp_path):
    paths = [str(tmp_path / "Beyoncé – Déjà.mp3"), str(tmp_path / os.fsdecode(b"raw\xe9.mp3"))]
    file = tmp_path / "old.m3u"
    file.write_bytes("Beyoncé – Déjà.mp3\n".encode("cp1252") + b"raw\xe9.mp3\n" + "Beyoncé – Déjà.mp3".encode())
    assert read_playlist(file, paths) == ([0, 1, 0], {})


def test_songs_are_recognised_through_links_too(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mp3").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "music")
    file = tmp_path / "list.m3u8"
    file.write_text("link/a.mp3\nmusic/a.mp3\n")
    assert read_playlist(file, [str(tmp_path / "music/a.mp3")]) == ([0, 0], {})
    assert read_playlist(file, [str(tmp_path / "link/a.mp3")]) == ([0, 0], {})


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\n", b"\xef\xbb\xbf\r\n\r\n"])
def test_an_empty_playlist_has_no_entry(tmp_path, content):
    (tmp_path / "list.m3u8").write_bytes(content)
    assert read_playlist(tmp_path / "list.m3u8", ["/a.mp3"]) == ([], {})
    write_playlist(tmp_path / "none.m3u8", songs_at([]))
    assert (tmp_path / "none.m3u8").read_text() == "#EXTM3U\n"


def test_what_is_not_a_playlist_is_refused_in_one_line(tmp_path):
    (tmp_path / "song.mp3").write_bytes(b"ID3\0\0")
    for path, message in (
        (tmp_path / "none.m3u", "does not exist"),
        (tmp_path, "read"),
        (tmp_path / "song.mp3", "text"),
    ):
        with pytest.raises(UsageError, match=message) as raised:
            read_playlist(path, [])
        assert "\n" not in str(raised.value)
    with pytest.raises(UsageError, match="cannot be written"):
        write_playlist(tmp_path / "song.mp3" / "list.m3u8", songs_at(["/a.mp3"]))
