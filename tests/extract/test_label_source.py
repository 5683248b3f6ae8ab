"""Where genres come from in collections as people have them: Artist/Album/song with tags, and Genre/song."""

from pathlib import Path

import mutagen
import pytest
import soundfile
from scripts import run_script
from signals import RATE_HZ, music

from songmap.core.workspace import Workspace
from songmap.library.library import load_library

ARTISTS = {"Ann Lee": "House", "Bo & Co": "Techno", "Café Sol": "House; Deep House", "Dub Unit": "Techno"}


def collection(folder: Path, genre_tags: bool = True, by_genre: bool = False) -> Path:
    """Four artists with two songs each, fully tagged."""
    for number, (artist, genre) in enumerate(ARTISTS.items()):
        top = genre.split(";")[0] if by_genre else artist
        album = folder / top / ("Some Album" if not by_genre else artist)
        album.mkdir(parents=True)
        for track in (1, 2):
            path = album / f"{track:02d}.ogg"
            soundfile.write(path, music(3.2, seed=10 * number + track), RATE_HZ, format="OGG")
            tags = mutagen.File(path)
            tags.update({"artist": artist, "title": f"Song {number}{track}"} | ({"genre": genre} if genre_tags else {}))
            tags.save()
    return folder


def extract(workspace: Path, folder: Path, *options: str) -> tuple[str, list[str]]:
    """What 01 prints about genres, and every song's."""
    result = run_script("01", "--workspace", workspace, "--music", folder, "--workers", "2", *options)
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Genres are from")]
    return line, load_library(Workspace(workspace)).genres.tolist()


def test_folders_of_artists_give_way_to_genre_tags_and_the_choice_is_kept(tmp_path):
    music_folder = collection(tmp_path / "music")
    line, genres = extract(tmp_path, music_folder)
    assert line == (
        "Genres are from the files' tags, since the folders are called like the artists; "
        "change it with --labels folder or --labels FILE.csv."
    )
    assert genres == ["HOUSE", "HOUSE", "TECHNO", "TECHNO", "HOUSE", "HOUSE", "TECHNO", "TECHNO"]
    songs = load_library(Workspace(tmp_path)).songs
    assert set(songs["album"]) == {"Some Album"}
    assert songs["tag_genre"].tolist()[4] == "House; Deep House"
    line, genres = extract(tmp_path, music_folder)
    assert line.startswith("Genres are from the files' tags, as in an earlier run (--labels auto decides anew)")
    assert set(genres) == {"HOUSE", "TECHNO"}
    line, genres = extract(tmp_path, music_folder, "--labels", "folder")
    assert line.startswith("Genres are from the folders below the music folder; change it with --labels tag")
    assert set(genres) == {"ANN LEE", "BO & CO", "CAFÉ SOL", "DUB UNIT"}
    assert extract(tmp_path, music_folder)[1] == genres
    assert set(extract(tmp_path, music_folder, "--labels", "auto")[1]) == {"HOUSE", "TECHNO"}


def test_files_without_tags_do_not_outvote_those_with_tags(tmp_path):
    music_folder = collection(tmp_path / "music")
    (music_folder / "Unknown" / "Album").mkdir(parents=True)
    for track in range(9):
        soundfile.write(music_folder / "Unknown" / "Album" / f"{track}.wav", music(3.2, seed=track), RATE_HZ)
    assert set(extract(tmp_path, music_folder)[1]) == {"HOUSE", "TECHNO", "UNKNOWN"}


@pytest.mark.parametrize(("genre_tags", "by_genre"), [(False, False), (True, True)])
def test_folders_stay_where_tags_name_no_genre_or_folders_are_genres(tmp_path, genre_tags, by_genre):
    line, genres = extract(tmp_path, collection(tmp_path / "music", genre_tags, by_genre))
    assert line.startswith("Genres are from the folders below the music folder;")
    assert set(genres) == ({"HOUSE", "TECHNO"} if by_genre else {"ANN LEE", "BO & CO", "CAFÉ SOL", "DUB UNIT"})


def test_a_table_is_kept_by_its_absolute_path(tmp_path, monkeypatch):
    music_folder = collection(tmp_path / "music")
    rows = [f"{path.relative_to(music_folder)},Pop" for path in sorted(music_folder.rglob("*.ogg"))]
    (tmp_path / "genres.csv").write_text("\n".join(["file,genre", *rows]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert extract(tmp_path, music_folder, "--labels", "genres.csv")[1] == ["POP"] * 8
    monkeypatch.chdir("/")
    line, genres = extract(tmp_path, music_folder)
    assert str(tmp_path / "genres.csv") in line
    assert genres == ["POP"] * 8
