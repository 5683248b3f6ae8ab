"""Maps of a network's vectors: in files of their own, fitted again when there is another network. Without torch."""

import numpy as np
import pytest
from libraries import make_library
from scripts import run_script

from songmap.core.workspace import Workspace
from songmap.journey.run import compute_library
from songmap.journey.song_map import FitReason
from songmap.journey.views.summary import fit_in_words, trust_in_words
from songmap.library.library import load_library, save_library
from songmap.library.song_vectors import SongVectors, save_song_vectors

N_SONGS, N_FEATURES = 24, 6
MAPS = (
    "models/map_pca_cnn.npz",
    "outputs/html/embedding_space_cnn_2d.html",
    "outputs/plots/embedding_space_cnn_3d.png",
)


def save_vectors(workspace: Workspace, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).random((N_SONGS, N_FEATURES), np.float32)
    folds = np.arange(N_SONGS) % 2
    own = SongVectors("image", vectors, np.stack([vectors, vectors]), folds)
    save_song_vectors(workspace, load_library(workspace), own, "0" * 64)
    return vectors


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    workspace = Workspace(tmp_path)
    save_library(workspace, make_library(N_SONGS))
    return workspace


def test_the_maps_are_files_of_their_own(workspace):
    save_vectors(workspace, 1)
    default = workspace.page("embedding_space_2d")
    default.parent.mkdir(parents=True)
    default.write_text("the map of descriptors")
    result = run_script("02", "--workspace", workspace.root, "--space", "cnn", "--method", "pca")
    assert result.returncode == 0, result.stderr
    assert all((workspace.root / name).is_file() for name in MAPS)
    assert default.read_text() == "the map of descriptors"
    written = {path.name for path in workspace.plots.iterdir()}
    assert written == {"embedding_space_cnn_2d.png", "embedding_space_cnn_3d.png"}
    page = (workspace.root / MAPS[1]).read_text()
    assert "similarity of songs by vectors of a network that looks at spectrograms" in page
    assert "embedding_space_cnn_3d.html" in page
    assert "157 descriptors" not in page
    assert '"families":null' in page


def test_places_are_those_of_the_vectors_principal_components(workspace):
    vectors = save_vectors(workspace, 1)
    maps = compute_library(workspace, load_library(workspace), "pca", space="cnn")
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(maps.map_songs.units, units, atol=1e-6)
    variance = np.sort(np.linalg.eigvalsh(np.cov(units.T, ddof=0)))[::-1]
    assert maps.plane.variance == pytest.approx(variance[:2].sum() / variance.sum(), rel=1e-4)
    assert "it separates them better" in trust_in_words(maps.plane)
    assert {one.name for one in maps.map_songs.colourings} >= {"timbre", "cluster"}


def test_another_network_is_another_map(workspace):
    save_vectors(workspace, 1)
    library = load_library(workspace)
    first = compute_library(workspace, library, "pca", space="cnn")
    assert compute_library(workspace, library, "pca", space="cnn").fit.reason is None
    save_vectors(workspace, 2)
    again = compute_library(workspace, library, "pca", space="cnn")
    assert again.fit.reason is FitReason.OTHER_SPACE
    assert "of another network" in fit_in_words(again.fit)
    assert not np.allclose(first.plane.coordinates, again.plane.coordinates)


def test_what_is_missing_is_one_line(workspace):
    for arguments, message in (([], "run 07_spectrogram_cnn.py"), (["--song", "song 001"], "leave out --song")):
        result = run_script("02", "--workspace", workspace.root, "--space", "cnn", *arguments)
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert message in result.stderr
