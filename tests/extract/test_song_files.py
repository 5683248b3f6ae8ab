"""Which files are listed: every one with an audio name, once, whatever the folders hold."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from songmap.core.errors import AudioError, UsageError
from songmap.extract.files import find_songs
from songmap.features.audio_files import audio_files
from songmap.features.decode import load_audio
from songmap.library.schema import AudioConfig

linux = pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes, long paths and seteuid as on Linux")


def grow(root: Path, *names: str) -> Path:
    """Empty files below ``root``."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(music: Path) -> list[str]:
    return [str(path.relative_to(music.resolve())) for path in find_songs(music)]


def test_songs_are_sorted_absolute_and_have_audio_names(tmp_path, monkeypatch):
    grow(
        tmp_path,
        "music/B/z.mp3",
        "music/a/2.FLAC",
        "music/a b/1.wav",
        "music/loose.ogg",
        "music/a/notes.txt",
        "music/mp3",
    )
    monkeypatch.chdir(tmp_path)
    paths = find_songs(Path("music"))
    assert [str(path) for path in paths] == sorted(
        str(tmp_path / "music" / name) for name in ("B/z.mp3", "a b/1.wav", "a/2.FLAC", "loose.ogg")
    )


def test_hidden_and_system_folders_are_left_out(tmp_path):
    grow(
        tmp_path, "A/song.mp3", "A/._song.mp3", ".Trashes/x.mp3", "__MACOSX/A/x.mp3", "$RECYCLE.BIN/x.mp3",
        "System Volume Information/x.mp3", "A/@eaDir/song.mp3/x.mp3", "A/.mp3",
    )  # fmt: skip
    assert listed(tmp_path) == ["A/song.mp3"]


def test_links_are_followed_and_loops_end(tmp_path):
    music = grow(tmp_path / "music", "HOUSE/x.mp3", "HOUSE/y.mp3")
    grow(tmp_path / "elsewhere", "deep/z.mp3", "single.mp3")
    (music / "HOUSE" / "up").symlink_to(music)
    (music / "HOUSE" / "self").symlink_to("self")
    (music / "TRANCE").symlink_to(tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere" / "deep" / "back").symlink_to(music)
    (music / "one.mp3").symlink_to(tmp_path / "elsewhere" / "single.mp3")
    assert listed(music) == ["HOUSE/x.mp3", "HOUSE/y.mp3", "TRANCE/z.mp3", "one.mp3"]


def test_a_song_reached_twice_is_listed_once_under_its_own_path(tmp_path):
    music = grow(tmp_path / "music", "HOUSE/x.mp3", "HOUSE/y.mp3")
    outside = grow(tmp_path / "outside", "o.mp3", "deep/p.mp3", "deep/deeper/q.mp3")
    (music / "A favourites").mkdir()
    (music / "A favourites" / "x.mp3").symlink_to(music / "HOUSE" / "x.mp3")
    (music / "A folder").symlink_to(music / "HOUSE")
    for name in ("second", "first", "third"):
        (music / name).symlink_to(outside)
    (music / "inside").symlink_to(outside / "deep" / "deeper")
    (music / "q.mp3").symlink_to(outside / "deep" / "deeper" / "q.mp3")
    assert listed(music) == ["HOUSE/x.mp3", "HOUSE/y.mp3", "first/deep/deeper/q.mp3", "first/deep/p.mp3", "first/o.mp3"]


def test_hard_links_are_files_of_their_own(tmp_path):
    grow(tmp_path, "A/x.mp3", "B/y.mp3")
    (tmp_path / "B" / "x.mp3").hardlink_to(tmp_path / "A" / "x.mp3")
    assert listed(tmp_path) == ["A/x.mp3", "B/x.mp3", "B/y.mp3"]


def test_what_only_has_an_audio_name_is_listed_and_refused_with_its_reason(tmp_path):
    grow(tmp_path, "album.mp3/inside.wav")
    (tmp_path / "folder.mp3").mkdir()
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "nowhere.mp3").symlink_to(tmp_path / "gone")
    (tmp_path / "round.mp3").symlink_to("round.mp3")
    assert listed(tmp_path) == ["album.mp3/inside.wav", "folder.mp3", "nowhere.mp3", "pipe.mp3", "round.mp3"]
    for name, reason in (
        ("folder.mp3", "is not a regular file"),
        ("pipe.mp3", "is not a regular file"),
        ("nowhere.mp3", "does not exist"),
        ("round.mp3", "does not exist"),
    ):
        with pytest.raises(AudioError, match=reason):
            load_audio(tmp_path / name, AudioConfig())


def test_links_to_nowhere_are_logged(tmp_path, caplog):
    grow(tmp_path, "A/x.mp3")
    (tmp_path / "B").symlink_to("/nowhere/at/all")
    (tmp_path / "C").symlink_to("/nowhere/else")
    assert listed(tmp_path) == ["A/x.mp3"]
    assert [record.getMessage() for record in caplog.records] == [f"2 broken links skipped, the first is {tmp_path}/B"]


@linux
def test_names_of_any_bytes(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).mkdir()
    for name in (b"/caf\xe9/\xff\xfe.MP3", b"/caf\xe9/a\nb.ogg"):
        Path(os.fsdecode(os.fsencode(tmp_path) + name)).touch()
    assert [os.fsencode(name) for name in listed(tmp_path)] == [b"caf\xe9/a\nb.ogg", b"caf\xe9/\xff\xfe.MP3"]


@linux
def test_paths_as_long_as_the_system_allows_and_one_line_for_longer_ones(tmp_path, caplog):
    grow(tmp_path, "x.mp3")
    step, folder = "d" * 200, os.open(tmp_path, os.O_RDONLY)
    length, lengths = len(os.fsencode(tmp_path)), []
    while length < 5000:
        os.mkdir(step, dir_fd=folder)
        below = os.open(step, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder, length = below, length + 1 + len(step)
        os.close(os.open("song.mp3", os.O_CREAT, dir_fd=folder))
        lengths.append(length + len("/song.mp3"))
    os.close(folder)
    reachable = [each for each in lengths if each < 4096]
    paths = find_songs(tmp_path)
    shutil.rmtree(tmp_path / step)
    assert max(reachable) > 3800
    assert {len(os.fsencode(path)) for path in paths} >= {*reachable, len(os.fsencode(tmp_path)) + 6}
    assert len(caplog.records) == 1
    assert "File name too long" in caplog.records[0].getMessage()


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything; as somebody else it may not."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError as error:
        pytest.skip(f"cannot become another user: {error}")
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that other users may enter, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@linux
def test_an_unreadable_folder_is_told_and_the_rest_goes_on(public_folder, caplog):
    grow(public_folder, "A/x.mp3", "locked/y.mp3", "Z/z.mp3")
    (public_folder / "locked").chmod(0)
    with unprivileged():
        names = listed(public_folder)
    (public_folder / "locked").chmod(0o755)
    assert names == ["A/x.mp3", "Z/z.mp3"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{public_folder.resolve()}/locked cannot be read (Permission denied): left out"
    ]


@linux
def test_an_unreadable_music_folder_is_one_line(public_folder):
    grow(public_folder, "music/A/x.mp3")
    (public_folder / "music").chmod(0)
    with unprivileged(), pytest.raises(UsageError, match=r"music cannot be read \(Permission denied\); .*--music DIR"):
        find_songs(public_folder / "music")
    with unprivileged(), pytest.raises(UsageError, match="Permission denied"):
        find_songs(public_folder / "music" / "A")
    with unprivileged(), pytest.raises(UsageError, match=r"\(Permission denied\); change the permissions"):
        audio_files(public_folder / "music")
    (public_folder / "music").chmod(0o755)


def test_no_music_at_all_is_one_line(tmp_path):
    grow(tmp_path, "A/notes.txt")
    with pytest.raises(UsageError, match=r"no music in .*looked for .*flac.*--music DIR"):
        find_songs(tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        find_songs(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(UsageError, match="No such file"):
        find_songs(tmp_path / "link")
    with pytest.raises(UsageError, match="too long"):
        find_songs(tmp_path / ("x" * 5000))


def test_a_single_file_is_that_song_whatever_its_name(tmp_path, monkeypatch):
    grow(tmp_path, "A/x.mp3", "A/y.mp3", "A/recording")
    monkeypatch.chdir(tmp_path / "A")
    assert find_songs(Path("x.mp3")) == [tmp_path / "A" / "x.mp3"]
    assert find_songs(tmp_path / "A" / "recording") == [tmp_path / "A" / "recording"]
