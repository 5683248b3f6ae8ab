"""07 --filters, --filter and --explain as a user runs them."""

import json
from pathlib import Path

import pytest
from scripts import run_script

torch = pytest.importorskip("torch")
pytest.importorskip("captum")

from filtered import GENRES, a_network, some_library  # noqa: E402

from songmap.core.workspace import Workspace  # noqa: E402
from songmap.library.library import save_library  # noqa: E402
from songmap.library.m3u8 import read_playlist  # noqa: E402
from songmap.spectrogram import associations, attribution, filters, untrained  # noqa: E402
from songmap.spectrogram.cache import build_excerpts  # noqa: E402
from songmap.spectrogram.trained import save_network  # noqa: E402

N_SONGS = 4


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_N_PAIRS", 1)
    monkeypatch.setattr(untrained, "N_UNTRAINED", 1)
    monkeypatch.setattr(associations, "N_PERMUTATIONS", 19)
    monkeypatch.setattr(attribution, "STEPS", (4,))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("filters"))
    library = some_library(workspace.music, N_SONGS, N_SONGS)
    save_library(workspace, library)
    excerpts = build_excerpts(workspace, library, "image", workers=1)
    save_network(workspace, a_network("image", excerpts))
    return workspace


def run(workspace: Workspace, *options: str):
    return run_script("07", "--workspace", workspace.root, *options)


def test_filters_are_described(workspace):
    result = run(workspace, "--filters", "block1", "--verbose")
    assert result.returncode == 0, result.stderr
    assert "of layer block1" in result.stdout.splitlines()[0] or "None of the 16 filters" in result.stdout
    page = workspace.page("spectrogram_filters").read_text(encoding="utf-8")
    assert page.count('class="card"') == 16
    layer = json.loads(run(workspace, "--filters", "--json").stdout)
    assert (layer["layer"], layer["n_songs"], len(layer["filters"])) == ("block4", N_SONGS, 64)
    assert {len(one["nearest"]) for one in layer["filters"]} == {3}


def test_a_filter_makes_a_playlist(workspace):
    result = run(workspace, "--filters", "block2", "--filter", "3")
    assert result.returncode == 0, result.stderr
    assert "Most of filter 3 of layer block2" in result.stdout
    paths = [str(workspace.music / f"{row:02d}.wav") for row in range(N_SONGS)]
    rows, unknown = read_playlist(workspace.outputs / "playlists" / "image_block2_filter_3.m3u8", paths)
    songs = json.loads(run(workspace, "--filters", "block2", "--filter", "3", "--json").stdout)["songs"]
    assert [one["song"]["file_path"] for one in songs] == [paths[row] for row in rows]
    assert sorted(rows) == list(range(N_SONGS))
    assert not unknown


def test_a_song_is_explained(workspace):
    result = run(workspace, "--explain", "song 001")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("song 001: ")
    page = workspace.page("spectrogram_reasons_song_001").read_text(encoding="utf-8")
    assert page.count("<figure") == 3
    assert "03_genre_classifier.py" in page  # there is no model of 03
    reasons = json.loads(run(workspace, "--explain", "song 001", "--json").stdout)
    assert reasons["genre"] in GENRES
    assert sum(one["attribution"] for one in reasons["bands"]) == pytest.approx(reasons["attribution"], abs=1e-3)
    assert reasons["n_steps"] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filters", "conv9"], "the image network has no layer 'conv9'; there are block1, block2, block3, block4"),
        (["--filter", "65"], "--filter 65: layer block4 has filters 1 to 64"),
        (["--explain", "nothing like it"], "nothing like it"),
        (["--network", "frames", "--filters"], "run 07_spectrogram_cnn.py --network frames"),
    ],
)
def test_what_cannot_be_is_one_line(workspace: Workspace, options: list[str], message: str):
    result = run(workspace, *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_file_that_was_moved_leaves_its_clips_out(workspace: Workspace):
    (Path(workspace.music) / "00.wav").rename(workspace.music / "moved.wav")
    try:
        assert run(workspace, "--filters", "block1").returncode == 0
    finally:
        (Path(workspace.music) / "moved.wav").rename(workspace.music / "00.wav")
