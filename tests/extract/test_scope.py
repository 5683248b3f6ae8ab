"""What is left out of a library: patterns, durations, speech."""

from pathlib import Path

import mutagen
import pytest
import soundfile
from scripts import run_script
from signals import RATE_HZ, music

from songmap.core.errors import UsageError
from songmap.core.workspace import Workspace
from songmap.extract.files import find_songs
from songmap.extract.options import ExtractionOptions
from songmap.extract.scope import left_out
from songmap.features.audio_files import is_excluded
from songmap.library.library import load_library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Empty files, as only their names matter."""
    for name in ("Live/a.mp3", "Studio/Live/b.mp3", "Studio/c.mp3", "Studio/alive.mp3", "Studio/C - take 2.flac"):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "music"


def names(folder: Path, *patterns: str) -> list[str]:
    return [path.relative_to(folder.resolve()).as_posix() for path in find_songs(folder, patterns)]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ([], 5),
        (["live"], 3),  # both folders of that name, whatever the case, and no file that contains it
        (["LIVE/"], 3),
        (["Live/*"], 4),  # the one directly in the music folder
        (["*take ?*"], 4),
        (["*.flac", "c.mp3"], 3),
        (["[ab].mp3"], 3),
    ],
)
def test_patterns_fit_paths_and_names(folder, patterns, left):
    assert len(names(folder, *patterns)) == left


def test_the_ignore_file_of_the_music_folder_counts(folder):
    (folder / ".songmapignore").write_text("# not mine\n\nLive\n", encoding="utf-8")
    assert names(folder) == ["Studio/C - take 2.flac", "Studio/alive.mp3", "Studio/c.mp3"]
    assert names(folder, "*.mp3") == ["Studio/C - take 2.flac"]
    with pytest.raises(UsageError, match="nothing that no pattern leaves out"):
        names(folder, "*")
    (folder / ".songmapignore").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"\.songmapignore cannot be read .*UTF-8 text"):
        names(folder)


def test_a_name_that_is_not_utf8_is_matched_as_it_is_shown():
    assert is_excluded("A/caf\udce9.ogg", ["caf?.ogg"])


@pytest.mark.parametrize(
    ("duration", "genre", "tag", "keep", "reason"),
    [
        (59.0, "POP", "", False, "too_short"), (601.0, "POP", "", False, "too_long"), (60.0, "POP", "Rock", False, None),
        (90.0, "AUDIOBOOKS", "", False, "speech"), (90.0, "POP", "Podcast; News", False, "speech"),
        (90.0, "POP", "Podcast", True, None),
    ],
)  # fmt: skip
def test_durations_and_speech(duration, genre, tag, keep, reason):
    assert left_out({"duration": duration, "tag_genre": tag}, genre, 60, 600, keep) == reason


def test_a_range_without_songs_is_refused():
    with pytest.raises(UsageError, match="at least 90 s and at most 60 s"):
        ExtractionOptions(min_duration_s=90, max_duration_s=60)


def test_what_is_left_out_is_counted_listed_and_comes_back(tmp_path):
    for number, (seconds, genre) in enumerate([(3.2, "House"), (4.5, "House"), (3.4, "Audiobook")]):
        path = tmp_path / "music" / "A" / f"{number}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(seconds, seed=number), RATE_HZ, format="OGG")
        tags = mutagen.File(path)
        tags.update({"genre": genre})
        tags.save()

    def run(*options: str) -> str:
        result = run_script("01", "--workspace", tmp_path, "--music", tmp_path / "music", *options)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "Left out of the library: 1 speech by their genre (--keep-speech includes them)." in run()
    assert len(load_library(Workspace(tmp_path))) == 2
    text = run("--keep-speech", "--max-duration", "4")
    assert "Left out of the library: 1 longer than --max-duration." in text
    assert "0 extracted" in text
    assert load_library(Workspace(tmp_path)).songs["song_name"].tolist() == ["0", "2"]
    assert "left out,too long" in (tmp_path / "outputs" / "extraction.csv").read_text(encoding="utf-8")
    run("--keep-speech")
    assert len(load_library(Workspace(tmp_path))) == 3
