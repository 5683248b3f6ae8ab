"""02 as a user runs it, on small workspaces with real files."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import signals
import soundfile
from scripts import run_script

from songmap.core.errors import AudioError, QueryError
from songmap.core.locks import exclusive
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.features.analysis import analyse_file
from songmap.journey.percentiles import typical_song
from songmap.journey.run import compute_song, only_drawing
from songmap.journey.song_journey import SongChoice, choose_songs, file_names
from songmap.journey.views import output
from songmap.library.library import Library, load_library, save_library, song_table
from songmap.library.schema import N_COLUMNS, AudioConfig

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def save_songs(workspace: Workspace, records: list[dict], embeddings: list[np.ndarray]) -> None:
    order = sorted(range(len(records)), key=lambda row: records[row]["file_path"])
    songs = song_table([records[row] for row in order])
    save_library(workspace, Library(np.array([embeddings[row] for row in order]), songs))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Four songs, two of one name; one of them has been moved away since 01."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    records, embeddings = [], []
    for number, (genre, name) in enumerate(
        (("JAZZ", "Twin"), ("JAZZ", "音楽 & <b>"), ("ROCK", "Moved"), ("ROCK", "Twin"))
    ):
        path = workspace.music / genre / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, signals.music(3.5, seed=number) * (0.3 + 0.2 * number), signals.RATE_HZ)
        analysis = analyse_file(path)
        records.append(analysis.record | {"genre": genre})
        embeddings.append(analysis.embedding)
    save_songs(workspace, records, embeddings)
    (workspace.music / "ROCK" / "Moved.flac").unlink()
    return workspace


def test_a_song_may_be_as_short_as_those_of_its_library(workspace: Workspace, tmp_path: Path):
    path, library = tmp_path / "clip.wav", load_library(workspace)
    soundfile.write(path, signals.music(1.5), signals.RATE_HZ)
    choice = SongChoice(path, None, "clip")
    place = SimpleNamespace(
        song_map=SimpleNamespace(place=lambda embeddings, n_dimensions: np.zeros((1, n_dimensions)))
    )
    with pytest.raises(AudioError, match="at least 3 s"):
        compute_song(library, place, choice)
    clips = replace(library, config=AudioConfig(min_duration_s=1))
    assert compute_song(clips, place, choice).duration_s == pytest.approx(1.5)


@pytest.fixture(scope="module")
def all_drawn(workspace: Workspace) -> tuple[subprocess.CompletedProcess[str], dict[Path, bytes]]:
    """A run with --all, and the files it wrote."""
    result = run_script("02", "--workspace", workspace.root, "--all")
    folders = (workspace.plots, workspace.html, workspace.model.parent)
    return result, {
        path: path.read_bytes() for folder in folders for path in folder.iterdir() if path != workspace.maps_lock
    }


def test_all_songs_are_drawn_except_the_one_that_was_moved(all_drawn: tuple, workspace: Workspace):
    result, files = all_drawn
    assert result.returncode == 1, result.stderr
    assert result.stderr == ""
    assert "Moved.flac" in result.stdout
    assert "does not exist" in result.stdout
    pictures = [f"{kind}_{name}.png" for kind in ("journey", "perspectives") for name in ("Twin", "Twin_2", "音楽_b")]
    maps = [f"embedding_space_{n_dimensions}d.{kind}" for n_dimensions in (2, 3) for kind in ("png", "html")]
    genres = {"genre_similarity.png", "tempo_and_centroid.png", "keys.png"}
    assert {path.name for path in files} == {*pictures, *maps, *genres, "map_umap.npz"}
    assert "too few for UMAP" in (workspace.html / "embedding_space_2d.html").read_text()
    for path in files:
        assert str(path.relative_to(workspace.root)) in result.stdout  # the table names everything that was written
    assert max(map(len, result.stdout.split("Written in")[1].split("Open")[0].splitlines()[1:])) <= 80
    assert "02 again after it also colours the map by confidence" in result.stdout
    assert "03_genre_classifier.py --workspace" in result.stdout


def test_a_file_outside_the_library_is_drawn_and_another_run_writes_the_same_bytes(
    all_drawn: tuple, workspace: Workspace, tmp_path: Path
):
    outside = tmp_path / "Twin.wav"
    soundfile.write(outside, signals.music(3.2, seed=9), signals.RATE_HZ)
    result = run_script("02", "--workspace", workspace.root, "--song", outside, workspace.music / "JAZZ" / "Twin.flac")
    assert (result.returncode, result.stderr) == (0, "")
    assert (workspace.plots / "journey_Twin_3.png").stat().st_size > 100_000  # two of the library have the name already
    assert "outputs/plots/journey_Twin.png" in result.stdout
    for path, content in all_drawn[1].items():
        assert path.read_bytes() == content, path


def test_a_map_can_be_chosen_fitted_again_and_its_pictures_saved_in_other_formats(
    workspace: Workspace, all_drawn: tuple, monkeypatch: pytest.MonkeyPatch
):
    arguments = ("--workspace", workspace.root, "--song", "音楽", "--method", "pca", "--format", "svg", "pdf", "svg")
    first = run_script("02", *arguments)
    assert (first.returncode, first.stderr) == (0, "")
    assert "fitted for the first time" in first.stdout
    assert (workspace.plots / "keys.svg").is_file()
    assert (workspace.plots / "journey_音楽_b.pdf").read_bytes().startswith(b"%PDF")
    assert ".png" not in first.stdout
    assert first.stdout.count("journey_音楽_b.svg") == 1
    monkeypatch.setattr(output, "draw", lambda function, path, *arguments, formats: path)  # the figures are there
    again = run_script("02", *arguments)
    assert "saved map" not in again.stdout  # nothing was fitted
    refitted = run_script("02", *arguments, "--refit")
    assert "fitted again because of --refit" in refitted.stdout
    (workspace.model.parent / "map_pca.npz").write_bytes(b"junk")
    damaged = run_script("02", *arguments)
    assert damaged.returncode == 2
    assert "map_pca.npz" in damaged.stderr
    assert "--refit" in damaged.stderr
    assert len(damaged.stderr.splitlines()) == 1


def test_a_library_of_one_song_is_drawn_by_the_script_as_a_process(tmp_path: Path):
    workspace = Workspace(tmp_path)
    path = tmp_path / "only.wav"
    soundfile.write(path, signals.music(3.5), signals.RATE_HZ)
    analysis = analyse_file(path)
    save_songs(workspace, [analysis.record | {"genre": "JAZZ"}], [analysis.embedding])
    script = REPOSITORY / "02_embedding_journey.py"
    command = [sys.executable, "-W", "error::UserWarning", str(script), "--workspace", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
    assert (result.returncode, result.stderr) == (0, "")
    page = workspace.page("embedding_space_2d").read_text()
    assert "At least three songs are needed to check neighbourhoods" in page


def test_unknown_song_and_missing_library_end_with_one_line(workspace: Workspace, tmp_path: Path):
    unknown = run_script("02", "--workspace", workspace.root, "--song", "Nobody Knows This")
    assert unknown.returncode == 2
    assert "Nobody Knows This" in unknown.stderr
    assert len(unknown.stderr.splitlines()) == 1
    missing = run_script("02", "--workspace", tmp_path)
    assert missing.returncode == 2
    assert "run 01_feature_extraction.py first" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1


def test_help_shows_defaults_and_both_choices_exclude_each_other():
    shown = run_script("02", "--help")
    assert shown.returncode == 0
    assert "first time: 42" in shown.stdout
    assert "default: umap" in shown.stdout
    assert run_script("02", "--all", "--song", "x").returncode == 2


def test_songs_are_chosen_by_name_and_file_and_only_once(workspace: Workspace):
    library = load_library(workspace)
    (typical,) = choose_songs(library, [], all_songs=False)
    assert typical.row == typical_song(library.embeddings)
    path = library.songs["file_path"][1]
    chosen = choose_songs(library, [path, "音楽", "moved"], all_songs=False)
    assert [choice.row for choice in chosen] == [1, 2]
    assert len(choose_songs(library, [], all_songs=True)) == 4
    with pytest.raises(QueryError, match="2 songs"):
        choose_songs(library, ["twin"], all_songs=False)


def test_files_are_named_by_title_and_artist():
    rows = [
        {"file_path": "/m/02.ogg", "song_name": "02", "title": "Elf Land", "artist": "Ada"},
        {"file_path": "/m/x_y.hq.ogg", "song_name": "x_y.hq"},
    ]
    library = Library(np.zeros((2, N_COLUMNS), np.float32), song_table(rows))
    names = [choice.file_name for choice in choose_songs(library, [], all_songs=True)]
    assert names == ["Elf_Land_Ada", "x_y"]


def test_file_names_differ_where_case_does_not_count_and_hold_nothing_odd():
    names = ["Song", "song", "a/b\\c:d", "..", "", "音楽" * 60, "\udcff x", "Song_2"]
    result = file_names(names)
    assert result[:5] == ["Song", "song_2", "a_b_c_d", "song_3", "song_4"]
    assert len({name.casefold() for name in result}) == len(names)
    assert all(len(name.encode()) <= 160 and "/" not in name and name for name in result)


def test_a_second_run_says_that_another_one_is_running(all_drawn: tuple, workspace: Workspace):
    with exclusive(workspace.maps_lock, "in use"):
        result = run_script("02", "--workspace", workspace.root)
    assert result.returncode == 2
    assert "another run draws the maps of this workspace; wait, or end it" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path):
    workspace = Workspace(tmp_path)
    left = [workspace.models / ".map_umap.ab3_x9zz.npz", workspace.html / ".embedding_space_2d.ab3_x9zz.html"]
    left += [workspace.plots / f".journey_Twin.ab3_x9zz.{suffix}" for suffix in ("png", "svg")]
    others = [workspace.plots / ".genre_confusion.ab3_x9zz.png", workspace.html / ".notes.html"]
    for path in [*left, *others]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with only_drawing(workspace):
        assert [path.exists() for path in left] == [False] * 4
        assert all(path.exists() for path in others)
