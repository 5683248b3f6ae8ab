"""librosa as the reference: 01 extracts with it, and compares songs of a library with it."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import librosa
import numpy as np
import pytest
from scripts import run_script, write_songs
from signals import RATE_HZ

from songmap.core.errors import UsageError
from songmap.core.workspace import Workspace
from songmap.extract import executors, worker
from songmap.extract.options import ExtractionOptions
from songmap.features.reference import deviation, plain_columns
from songmap.library.library import load_library, save_library
from songmap.library.schema import N_LIBROSA, AudioConfig, column_index

N_SONGS = 3


@pytest.fixture(scope="module")
def music_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    write_songs(folder, N_SONGS)
    return folder


@pytest.fixture(scope="module")
def extracted(music_folder, tmp_path_factory) -> Workspace:
    """The songs, extracted by songmap."""
    workspace = Workspace(tmp_path_factory.mktemp("work"))
    result = run_script("01", "--workspace", workspace.root, "--music", music_folder)
    assert result.returncode == 0, result.stderr
    return workspace


@pytest.fixture
def copied(extracted, tmp_path) -> Workspace:
    """A copy of the workspace to change."""
    return Workspace(shutil.copytree(extracted.root, tmp_path / "copy"))


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    """Analyse without a worker process, which would load librosa anew."""

    def call(task: str, path: Path, options: ExtractionOptions) -> dict:
        request = {"task": task, "path": str(path), "config": asdict(options.config), "engine": options.engine}
        return worker.answer(request)

    monkeypatch.setattr(executors, "call_worker", call)


def verified(workspace: Workspace, n_songs: int) -> tuple[int, dict]:
    result = run_script("01", "--workspace", workspace.root, "--workers", 1, "--verify", n_songs, "--json")
    return result.returncode, json.loads(result.stdout)


def test_the_engine_librosa_gives_librosas_columns_and_is_recorded(extracted, copied, music_folder):
    plain = ("--workspace", copied.root, "--music", music_folder, "--workers", 1)
    first = run_script("01", *plain, "--engine", "librosa")
    assert first.returncode == 0, first.stderr
    assert f"{N_SONGS} extracted, 0 failed, 0 unchanged" in first.stdout  # no row of the other engine is taken
    ours, library = load_library(extracted), load_library(copied)
    assert (ours.engine, library.engine) == ("songmap", "librosa")
    for path, embedding in zip(library.songs["file_path"], library.embeddings, strict=True):
        samples, _ = librosa.load(path, sr=RATE_HZ)
        # the worker computes with one thread, which rounds otherwise
        np.testing.assert_allclose(embedding[:N_LIBROSA], plain_columns(samples), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(library.embeddings[:, N_LIBROSA:], ours.embeddings[:, N_LIBROSA:])
    np.testing.assert_array_equal(library.songs["tempo_bpm"], ours.songs["tempo_bpm"])  # measured, whatever the engine
    assert (library.embeddings != ours.embeddings).any()
    assert deviation(ours.embeddings, library.embeddings).max() <= 1
    assert f"0 extracted, 0 failed, {N_SONGS} unchanged" in run_script("01", *plain, "--engine", "librosa").stdout
    assert f"{N_SONGS} extracted, 0 failed, 0 unchanged" in run_script("01", *plain).stdout
    assert load_library(copied).engine == "songmap"


def test_songs_are_compared_with_librosa(extracted):
    paths = load_library(extracted).songs["file_path"].tolist()
    status, document = verified(extracted, 2)
    assert (status, document["passed"], document["n_songs"]) == (0, True, 2)
    assert [song["file_path"] for song in document["songs"]] == [paths[0], paths[-1]]
    assert document["largest"] == max(document["songs"], key=lambda song: song["deviation"])
    assert 0 < document["largest"]["deviation"] <= 1


def test_the_comparison_as_a_table(extracted, in_this_process):
    result = run_script("01", "--workspace", extracted.root, "--workers", 1, "--verify", 99)
    assert result.returncode == 0
    assert f"Largest of {N_SONGS} songs:" in result.stdout
    assert "All are within the tolerance." in result.stdout
    assert all(Path(path).name in result.stdout for path in load_library(extracted).songs["file_path"])


def test_a_number_that_is_not_librosas_is_named(copied, in_this_process):
    library = load_library(copied)
    embeddings = np.array(library.embeddings)
    at = column_index("chroma_F#_std")
    embeddings[1, at] *= 1.01
    save_library(copied, replace(library, embeddings=embeddings))
    status, document = verified(copied, N_SONGS)
    assert (status, document["passed"]) == (1, False)
    largest = document["largest"]
    assert (largest["column"], largest["file_path"]) == ("chroma_F#_std", library.songs["file_path"].iloc[1])
    assert largest["deviation"] == pytest.approx(
        deviation(embeddings[1, at].astype(float), library.embeddings[1, at].astype(float)), rel=0.2
    )


def test_a_file_that_is_missing_is_not_a_success(music_folder, tmp_path, in_this_process):
    folder = Path(shutil.copytree(music_folder, tmp_path / "music"))
    plain = ("--workspace", tmp_path, "--music", folder)
    assert run_script("01", *plain).returncode == 0
    (folder / "A" / "01.wav").unlink()
    status, document = verified(Workspace(tmp_path), N_SONGS)
    assert (status, document["passed"]) == (1, False)
    assert [song["failure"] for song in document["songs"]] == [None, "does not exist", None]


def test_what_cannot_be_verified_is_one_line(tmp_path):
    result = run_script("01", "--workspace", tmp_path, "--verify", 2)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "run 01_feature_extraction.py first" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "essentia"}, "choose from songmap, librosa"),
        ({"executor": "ray"}, "choose from threads"),
        ({"executor": "dask"}, "--scheduler"),
        ({"engine": "librosa", "config": AudioConfig(hop_length=256)}, "default audio configuration"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        ExtractionOptions(**options)


@pytest.mark.slow
def test_workers_that_compile_librosa_at_the_same_time_do_not_crash(tmp_path, music_folder, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    arguments = ("--workspace", tmp_path / "work", "--music", music_folder, "--engine", "librosa", "--workers", 2)
    assert run_script("01", *arguments).returncode == 0
    assert len(load_library(Workspace(tmp_path / "work"))) == N_SONGS
