"""The space of a network's vectors: what 07 saved, for songs of the library alone, evaluated fold by fold. Without torch."""

from dataclasses import replace

import numpy as np
import pytest
from libraries import separable_library
from scripts import run_script
from searches import Searches

from songmap import search
from songmap.core.errors import QueryError, SchemaError
from songmap.core.workspace import Workspace
from songmap.library.library import Library, save_library
from songmap.library.song_vectors import SongVectors, save_song_vectors, vectors_file
from songmap.similar.requests import Filters

N_FOLDS, N_FEATURES = 3, 6
FREE = Filters(max_per_artist=None)


def made_vectors(library: Library) -> SongVectors:
    """Vectors that are not negative; those of folds are of other axes, and less like genres than the final ones."""
    rng = np.random.default_rng(5)
    genre = np.unique(library.genres, return_inverse=True)[1]
    near = np.eye(N_FEATURES)[genre] * 3
    final = np.abs(near + rng.normal(size=near.shape))
    folds = [np.abs(near[:, rng.permutation(N_FEATURES)] + 2 * rng.normal(size=near.shape)) for _ in range(N_FOLDS)]
    fold_of = np.arange(len(library)) // 2 % N_FOLDS  # artists have two songs
    return SongVectors("image", final.astype(np.float32), np.array(folds, np.float32), fold_of)


@pytest.fixture(scope="module")
def library() -> Library:
    return separable_library(2, 18, distance=0.05)


@pytest.fixture(scope="module")
def vectors(library) -> SongVectors:
    return made_vectors(library)


@pytest.fixture(scope="module")
def workspace(library, vectors, tmp_path_factory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("cnn"))
    save_library(workspace, library)
    save_song_vectors(workspace, library, vectors, "0" * 64)
    return workspace


def cosines(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    return centred @ centred.T


def test_songs_are_compared_by_the_final_networks_vectors(library, vectors, workspace):
    frame = search(library, "cnn", workspace).similar("song 004", n=40, filters=FREE)
    expected = cosines(vectors.vectors)[4]
    rows = np.array([int(name.split()[1]) for name in frame["song_name"]])
    assert rows.tolist() == [row for row in np.argsort(-expected) if row != 4]
    np.testing.assert_allclose(frame["similarity"], expected[rows], atol=1e-6)
    assert (
        "The cnn space uses the network image"
        in Searches(library, workspace, "cnn").similar(["song 004"], [], 5, FREE).text()
    )


def test_precision_is_by_the_network_of_the_querys_fold(library, vectors, workspace):
    records = Searches(library, workspace).evaluate().records
    record = next(one for one in records if one["space"] == "cnn" and not one["hubs_corrected"])
    artist, genre = library.songs["artist"].to_numpy(), library.genres
    by_fold, shares = [cosines(one) for one in vectors.fold_vectors], []
    for row, fold in enumerate(vectors.fold_of):
        others = np.flatnonzero(artist != artist[row])
        nearest = others[np.argsort(-by_fold[fold][row, others])[:10]]
        shares.append((genre[nearest] == genre[row]).mean())
    assert record["same_genre_other_artists"] == pytest.approx(
        np.mean([np.mean(np.array(shares)[genre == name]) for name in set(genre)])
    )


def test_evaluation_says_what_the_network_was_trained_on(library, workspace):
    answer = Searches(library, workspace).evaluate()
    assert answer.result.best.space != "cnn"
    assert any("which was trained without it" in note for note in answer.sentences)


def test_without_a_network_the_evaluation_is_as_before(library, tmp_path):
    answer = Searches(library, Workspace(tmp_path)).evaluate()
    assert "cnn" not in {record["space"] for record in answer.records}
    assert not any("cnn" in sentence for sentence in answer.sentences)


def test_a_library_that_has_changed_is_one_line(library, workspace):
    changed = replace(library, embeddings=library.embeddings + 1)
    with pytest.raises(SchemaError, match=r"of an earlier state of this one; run 07_spectrogram_cnn\.py again"):
        search(changed, "cnn", workspace).similar("song 004")
    answer = Searches(changed, workspace).evaluate()
    assert any("The cnn space is left out: " in note for note in answer.sentences)


def test_only_songs_of_the_library_have_a_vector(library, workspace):
    comparison = Searches(library, workspace, "cnn").comparison
    with pytest.raises(QueryError, match="the cnn space has only the library's songs"):
        comparison.search.unit(library.embeddings[0] + 1)


def test_a_song_without_excerpts_is_similar_to_none(library, vectors, tmp_path):
    workspace = Workspace(tmp_path)
    partial = replace(vectors, vectors=vectors.vectors.copy(), fold_vectors=vectors.fold_vectors.copy())
    partial.vectors[7] = partial.fold_vectors[:, 7] = np.nan
    save_song_vectors(workspace, library, partial, "0" * 64)
    frame = search(library, "cnn", workspace).similar("song 007", filters=FREE)
    assert (frame["similarity"] == 0).all()
    assert np.isfinite(Searches(library, workspace).evaluate().records[-1]["same_genre"])


@pytest.mark.parametrize(
    "damaged",
    [
        {"vectors": np.full((36, N_FEATURES), np.inf, np.float32)},
        {"vectors": np.full((36, N_FEATURES), np.nan, np.float32)},
        {"fold_of": np.full(36, N_FOLDS)},
        {"fold_vectors": np.zeros((N_FOLDS, 35, N_FEATURES), np.float32)},
        {"vectors": np.zeros((36, N_FEATURES))},
    ],
)
def test_vectors_that_are_none_are_refused(library, vectors, tmp_path, damaged):
    workspace = Workspace(tmp_path)
    save_song_vectors(workspace, library, replace(vectors, **damaged), "0" * 64)
    with pytest.raises(SchemaError, match=r"run 07_spectrogram_cnn\.py again"):
        search(library, "cnn", workspace).similar("song 004")


def test_scripts_say_what_is_missing(workspace, library, tmp_path):
    result = run_script("04", "--workspace", workspace.root, "why", "song 001", "vs", "song 002", "--space", "cnn")
    assert result.returncode == 2
    assert "in the cnn space a similarity does not split into families" in result.stderr
    other = Workspace(tmp_path)
    save_library(other, library)
    result = run_script("04", "--workspace", other.root, "similar", "song 001", "--space", "cnn")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "run 07_spectrogram_cnn.py" in result.stderr
    vectors_file(other).parent.mkdir(parents=True)
    vectors_file(other).write_bytes(b"no arrays")
    result = run_script("04", "--workspace", other.root, "similar", "song 001", "--space", "cnn")
    assert result.returncode == 2
    assert "is damaged" in result.stderr
