"""The index file: what it finds, when it is used, brought up to date or made again, and what a killed build leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from libraries import make_library

from songmap.core.errors import QueryError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library import index
from songmap.library.library import Library
from songmap.library.search import Search, open_search
from songmap.library.spaces import build_space

N_SONGS = 2000


def embeddings_like_songs(n_songs: int, seed: int = 0) -> np.ndarray:
    """A few directions hold most of the variance, as in real ones."""
    directions = np.random.default_rng(0).standard_normal((40, 641)) * np.linspace(3, 0.3, 40)[:, None]
    rng = np.random.default_rng([1, seed])
    return (rng.standard_normal((n_songs, 40)) @ directions + rng.standard_normal((n_songs, 641))).astype(np.float32)


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    return embeddings_like_songs(N_SONGS)


@pytest.fixture(scope="module")
def built(embeddings, tmp_path_factory) -> Path:
    """A workspace with an index of all songs; for reading only."""
    folder = tmp_path_factory.mktemp("built")
    index.open_index(Workspace(folder), embeddings, build_space(embeddings))
    return folder


@pytest.fixture
def workspace(built, tmp_path) -> Workspace:
    """The same index in a workspace of the test's own."""
    models = tmp_path / "models"
    models.mkdir()
    for path in (built / "models").iterdir():
        (models / path.name).write_bytes(path.read_bytes())
    return Workspace(tmp_path)


def opened(workspace: Workspace, embeddings: np.ndarray, space: str = "balanced") -> tuple[Search, int]:
    """A search through the index, and how many songs were added to it."""
    added = []
    built_space = build_space(embeddings, space)
    result = index.open_index(workspace, embeddings, built_space, lambda done, total: added.append(total))
    return Search(embeddings, built_space, result), added[-1] if added else 0


def recall(search: Search, embeddings: np.ndarray, allowed: np.ndarray | None = None) -> float:
    """Share of the true 10 nearest that the index finds, over 100 songs; similarities must be the exact ones."""
    exact = Search(embeddings, search.space)
    hits = []
    for song in range(0, len(embeddings), len(embeddings) // 100):
        query = exact.units([song])[0]
        rows, similarities = search.nearest(query, 10, allowed)
        np.testing.assert_array_equal(similarities, exact.similarities(query, rows))
        assert (np.diff(similarities) <= 0).all()
        hits.append(np.isin(exact.nearest(query, 10, allowed)[0], rows).mean())
    return float(np.mean(hits))


def files(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace.root / "models").iterdir()}


def test_an_index_finds_the_nearest_and_is_read_again(workspace, embeddings):
    before = files(workspace)
    search, added = opened(workspace, embeddings)
    assert added == 0
    assert files(workspace) == before
    assert set(before) == {"search_balanced.index", "search_balanced.npz"}
    assert recall(search, embeddings) >= 0.99
    again, _ = opened(workspace, embeddings)
    query = search.units([5])[0]
    np.testing.assert_array_equal(search.nearest(query, 50), again.nearest(query, 50))


@pytest.mark.parametrize("share", [0.5, 0.02])
@pytest.mark.parametrize("few", [0, 5000])
def test_filters_work_on_an_index(workspace, embeddings, share, few, monkeypatch):
    monkeypatch.setattr("songmap.library.search._FEW", few)
    allowed = np.random.default_rng(3).random(N_SONGS) < share
    search, _ = opened(workspace, embeddings)
    assert recall(search, embeddings, allowed) >= 0.99
    rows, _ = search.nearest(search.units([5])[0], N_SONGS, allowed)
    assert sorted(rows) == np.flatnonzero(allowed).tolist()
    nobody = search.nearest(search.units([5])[0], 10, np.zeros(N_SONGS, dtype=bool))
    assert [len(part) for part in nobody] == [0, 0]


def test_neighbours_and_correction_of_hubs_work_on_an_index(workspace, embeddings, monkeypatch):
    monkeypatch.setattr("songmap.library.search.HUB_POOL", 30)
    monkeypatch.setattr("songmap.library.search._FEW", 0)
    search, _ = opened(workspace, embeddings)
    corrected = Search(embeddings, search.space, search._index, correct_hubs=True)
    exact = Search(embeddings, search.space, correct_hubs=True)
    query = search.units([9])[0]
    np.testing.assert_array_equal(corrected.nearest(query, 5)[0], exact.nearest(query, 5)[0])
    rows, similarities = search.neighbours(3, np.arange(N_SONGS))
    allowed = np.arange(N_SONGS) != 9
    np.testing.assert_array_equal(rows[9], search.nearest(query, 3, allowed)[0])
    np.testing.assert_array_equal(similarities[9], search.nearest(query, 3, allowed)[1])


def test_only_large_libraries_with_a_workspace_have_an_index(tmp_path, monkeypatch):
    library = make_library(50)
    workspace = Workspace(tmp_path)
    space = build_space(library.embeddings)
    open_search(library, space, workspace)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("songmap.library.search.EXACT_LIMIT", 40)
    open_search(library, space)
    open_search(library, build_space(library.embeddings, "pca"), workspace)
    open_search(library, build_space(library.embeddings, "balanced", {"mel": 2}), workspace)
    assert not list(tmp_path.iterdir())
    search = open_search(library, space, workspace)
    assert files(workspace)
    assert search.nearest(search.units([3])[0], 1)[0].tolist() == [3]


def test_songs_added_are_found_and_songs_gone_are_not(workspace, embeddings):
    graph = files(workspace)["search_balanced.index"]
    more = np.concatenate([embeddings_like_songs(200, seed=1), embeddings[100:]])  # 200 new, 100 removed, rows moved
    search, added = opened(workspace, more)
    assert added == 200
    assert len(files(workspace)["search_balanced.index"]) > len(graph)
    assert recall(search, more) >= 0.99
    for song in range(0, 200, 7):
        assert search.nearest(search.units([song])[0], 1)[0].tolist() == [song]
    everyone = search.nearest(search.units([0])[0], 5 * N_SONGS)[0]
    assert sorted(everyone) == list(range(len(more)))
    assert opened(workspace, more)[1] == 0
    back, added = opened(workspace, embeddings)  # the 100 are still in the graph
    assert added == 0
    assert recall(back, embeddings) >= 0.99


def test_copies_are_one_vector_and_all_found(workspace, embeddings):
    copies = np.concatenate([embeddings, np.repeat(embeddings[7:8], 60, axis=0)])
    search, added = opened(workspace, copies)
    assert added == 0
    rows, similarities = search.nearest(search.units([7])[0], 61)
    assert rows.tolist() == [7, *range(N_SONGS, N_SONGS + 60)]
    assert len(set(similarities)) == 1


def test_a_library_that_is_another_gets_another_index(workspace, embeddings):
    other = embeddings_like_songs(N_SONGS, seed=2)
    search, added = opened(workspace, other)
    assert added == N_SONGS
    assert recall(search, other) >= 0.99


def test_songs_that_move_the_space_make_the_index_anew(workspace, embeddings):
    loud = embeddings_like_songs(300, seed=3) * 60
    search, added = opened(workspace, np.concatenate([embeddings, loud]))
    assert added == N_SONGS + 300
    assert recall(search, np.concatenate([embeddings, loud])) >= 0.99


def test_each_space_has_its_own_index(workspace, embeddings):
    before = files(workspace)
    search, added = opened(workspace, embeddings, "scaled")
    assert added == N_SONGS
    assert recall(search, embeddings) >= 0.99
    after = files(workspace)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"search_scaled.index", "search_scaled.npz"}
    for suffix in ("index", "npz"):  # one that is of another space, whole and with a fitting checksum
        (workspace.root / f"models/search_balanced.{suffix}").write_bytes(after[f"search_scaled.{suffix}"])
    assert opened(workspace, embeddings)[1] == N_SONGS


@pytest.mark.parametrize("name", ["search_balanced.index", "search_balanced.npz"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "changed", "older"])
def test_a_damaged_index_is_made_again(workspace, embeddings, name, damage):
    path = workspace.root / "models" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:  # one of the two was written, the other not yet
        opened(workspace, np.concatenate([embeddings, embeddings_like_songs(50, seed=1)]))
        path.write_bytes(content)
    search, added = opened(workspace, embeddings)
    assert added >= N_SONGS
    assert recall(search, embeddings) >= 0.99


BUILD = """
import sys
import numpy as np
from pathlib import Path
from songmap.library import index
from songmap.core.workspace import Workspace
from songmap.library.spaces import build_space
embeddings = np.load(sys.argv[2])
index._ADDED = 70
index.open_index(Workspace(Path(sys.argv[1])), embeddings, build_space(embeddings), lambda *_: print(".", flush=True))
print("done", flush=True)
"""


def test_a_killed_build_leaves_nothing_that_is_used(tmp_path, embeddings):
    np.save(tmp_path / "embeddings.npy", embeddings)
    command = [sys.executable, "-c", BUILD, str(tmp_path), str(tmp_path / "embeddings.npy")]
    killed = 0
    for reports in (1, 15, 30):  # at the start, halfway, about when the files are written
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        for _ in range(reports):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert killed >= 2
    search, added = opened(Workspace(tmp_path), embeddings)
    assert added in (0, N_SONGS)
    assert recall(search, embeddings) >= 0.99


def test_what_a_killed_write_left_is_cleared_away_in_time(tmp_path):
    embeddings = embeddings_like_songs(30)
    models = tmp_path / "models"
    models.mkdir()
    old, young, other = (models / name for name in (".search_balanced.a.index", ".search_balanced.b.npz", ".x.index"))
    for path in (old, young, other):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)
    os.utime(other, (time.time() - 7200,) * 2)
    opened(Workspace(tmp_path), embeddings)
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(QueryError, match=r"models/search_balanced\.index cannot be written \(.+\); make room"):
        opened(Workspace(tmp_path), embeddings_like_songs(30))


def test_keys_are_of_the_numbers_alone():
    embeddings = embeddings_like_songs(2000)
    keys = index.song_keys(embeddings)
    assert len(set(keys)) == 2000
    order = np.random.default_rng(4).permutation(2000)
    np.testing.assert_array_equal(index.song_keys(embeddings[order]), keys[order])
    changed = embeddings.copy()
    changed[3, 640] = np.nextafter(changed[3, 640], np.float32(np.inf))
    assert np.flatnonzero(index.song_keys(changed) != keys).tolist() == [3]


def test_a_library_opens_through_its_index(tmp_path, monkeypatch, embeddings):
    monkeypatch.setattr("songmap.library.search.EXACT_LIMIT", 500)
    songs = make_library(600).songs
    library = Library(embeddings[:600], songs)
    space = build_space(library.embeddings)
    reports = []
    open_search(library, space, Workspace(tmp_path), lambda done, total: reports.append((done, total)))
    assert reports[-1] == (600, 600)
    reports.clear()
    search = open_search(library, space, Workspace(tmp_path), lambda done, total: reports.append((done, total)))
    assert not reports
    assert recall(search, library.embeddings) >= 0.99


def test_the_same_songs_make_the_same_index(built, embeddings, tmp_path):
    opened(Workspace(tmp_path), embeddings)
    assert files(Workspace(tmp_path))["search_balanced.index"] == files(Workspace(built))["search_balanced.index"]
