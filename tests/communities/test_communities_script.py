"""08 as a user runs it: the answer, files, and what a browser shows, on planted and on independent playlists."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from libraries import labelled_library
from scripts import run_script

from songmap.communities import run as communities_run
from songmap.communities.sound_spaces import further_spaces, save_spaces, sound_spaces
from songmap.core.arrays import array_file
from songmap.core.errors import SchemaError
from songmap.core.files import write_atomically
from songmap.core.locks import exclusive
from songmap.core.workspace import Workspace
from songmap.library.library import Library, save_library
from songmap.library.schema import N_COLUMNS
from songmap.library.song_vectors import SongVectors, save_song_vectors

N_GROUPS, N_SONGS = 3, 60
PATHS = [f"/music/{row:03d}.mp3" for row in range(N_SONGS)]
HOSTILE = "<img src=x onerror='document.title=1'> {{ 7 * 7 }}"
SONG = "song 002"


def library_of_groups() -> Library:
    """Three clear clusters, which are genres too; two songs per artist."""
    rng = np.random.default_rng(0)
    labels = np.arange(N_SONGS) % N_GROUPS
    embeddings = (0.7 * rng.standard_normal((N_GROUPS, N_COLUMNS)))[labels] + rng.standard_normal((N_SONGS, N_COLUMNS))
    artists = [f"artist {row // (2 * N_GROUPS)} {row % N_GROUPS}" for row in range(N_SONGS)]
    artists[0] = artists[3] = HOSTILE
    return labelled_library(embeddings, [("JAZZ", "ROCK", "FOLK")[label] for label in labels], artists)


def write_playlists(folder: Path, seed: int, preference: float) -> Path:
    """Nine playlists of 12 songs, of one group so many times likelier than of the others."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(9):
        weights = np.where(np.arange(N_SONGS) % N_GROUPS == number % N_GROUPS, preference, 1.0)
        rows = rng.choice(N_SONGS, 12, replace=False, p=weights / weights.sum())
        lines = ["#EXTM3U", *(f"/music/{row:03d}.mp3" for row in rows)]
        (folder / f"list {number}.m3u8").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = Workspace(tmp_path_factory.mktemp("communities"))
    save_library(folder, library_of_groups())
    write_playlists(folder.playlists, 0, preference=30)
    return folder


def first_columns(points, *_):
    """Instead of t-SNE and UMAP, which take most of the time of so few songs."""
    return [points[:, :2]]


@pytest.fixture(scope="module")
def answered(workspace):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setattr(communities_run, "embed", first_columns)
        return run_script("08", "--workspace", workspace.root, "--spaces", "balanced", "--recommend", SONG)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(communities_run, "embed", first_columns)


def test_the_answer_comes_first_and_is_short(answered):
    assert answered.returncode == 0, answered.stderr
    lines = answered.stdout.splitlines()
    assert lines[0].startswith("Yes: songs that sound similar are also in the same playlists (AUC 0.")
    assert max(len(line) for line in lines if "/outputs/" not in line) <= 80
    assert "By sound the songs form 3 clusters" in answered.stdout
    assert len(lines) <= 40


def test_songs_are_recommended(answered):
    assert f"Recommended for {SONG}" in answered.stdout
    assert answered.stdout.index("Recommended for") < answered.stdout.index("Page:")


def test_the_files_are_there_and_agree(answered, workspace):
    report = json.loads((workspace.outputs / "song_communities.json").read_text())
    with (workspace.outputs / "song_communities.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == N_SONGS
    by_genre = {row["genre"]: row["cluster_balanced"] for row in rows}
    assert all(row["cluster_balanced"] == by_genre[row["genre"]] for row in rows)
    assert sorted(by_genre.values()) == ["1", "2", "3"]
    sizes = np.bincount([int(row["community"]) for row in rows if row["community"]])[1:]
    assert sizes.tolist() == report["playlists"]["communities"]["sizes"]
    assert report["agreement"]["conclusion"] == "yes"
    assert report["spaces"][0]["has_structure"] is True
    assert {one["content"] for one in report["written"]} == {
        "page",
        "table",
        "report",
        "playlist",
        "graph_page",
        "graph",
    }
    assert all(Path(one["path"]).is_file() for one in report["written"])
    entries = [
        line
        for one in report["clusters"]
        for line in Path(one["playlist"]).read_text().splitlines()
        if not line.startswith("#")
    ]
    assert len(entries) == len(set(entries)) == N_SONGS


def test_clusters_are_described(answered, workspace):
    clusters = json.loads((workspace.outputs / "song_communities.json").read_text())["clusters"]
    assert [one["number"] for one in clusters] == [0, 1, 2]
    for one in clusters:
        assert [genre["songs"] for genre in one["genres"]] == [one["songs"]]
        assert len(one["typical"]) == len(one["sets_apart"]) == 5
        effects = [abs(descriptor["effect"]) for descriptor in one["sets_apart"]]
        assert effects == sorted(effects, reverse=True)
        for descriptor in one["sets_apart"]:
            assert (descriptor["median"] > descriptor["median_others"]) == (descriptor["effect"] > 0)


def test_independent_playlists_are_not_called_similar(quick, workspace, tmp_path):
    folder = write_playlists(tmp_path / "lists", 1, preference=1)
    result = run_script(
        "08",
        "--workspace",
        workspace.root,
        "--playlists",
        folder,
        "--spaces",
        "balanced",
        "--method",
        "leiden",
        "--json",
    )
    agreement = json.loads(result.stdout)["agreement"]
    assert agreement["conclusion"] != "yes"
    assert agreement["spaces"][0]["auc"]["p_value"] > 0.05


@pytest.mark.slow
def test_pictures_by_every_method(tmp_path):
    save_library(Workspace(tmp_path), library_of_groups())
    result = run_script("08", "--workspace", tmp_path)
    assert result.returncode == 0, result.stderr
    page = Workspace(tmp_path).page("song_communities").read_text()
    for method in ("PCA", "t-SNE", "UMAP"):
        assert f"Songs by {method}" in page


def test_without_playlists_there_are_clusters(quick, tmp_path):
    folder = Workspace(tmp_path)
    save_library(folder, library_of_groups())
    result = run_script("08", "--workspace", tmp_path, "--spaces", "balanced", "--verbose")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("By sound the songs form 3 clusters")
    assert "There are no playlists to compare with" in result.stdout
    page = folder.page("song_communities").read_text()
    assert "song_graph.html" not in page
    assert not folder.page("song_graph").exists()


def test_what_a_killed_run_left_is_removed_and_of_two_runs_one_is_refused(quick, tmp_path):
    folder = Workspace(tmp_path)
    save_library(folder, library_of_groups())
    left = [folder.outputs / ".song_graph.abcd_123.graphml", folder.html / ".song_communities.abcd_123.html"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with exclusive(folder.communities_lock, ""):
        refused = run_script("08", "--workspace", tmp_path, "--spaces", "balanced")
    assert refused.returncode == 2
    assert "another run of 08" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert run_script("08", "--workspace", tmp_path, "--spaces", "balanced").returncode == 0
    assert not any(path.exists() for path in left)


def test_songs_without_artists_are_warned_of(quick, tmp_path):
    one = library_of_groups()
    folder = Workspace(tmp_path)
    save_library(folder, Library(one.embeddings, one.songs.assign(artist="")))
    write_playlists(folder.playlists, 0, preference=30)
    result = run_script("08", "--workspace", tmp_path, "--spaces", "balanced")
    assert f"Warning: {N_SONGS} songs without an artist" in result.stdout


def test_one_playlist_of_all_songs_says_nothing(quick, workspace, tmp_path):
    """In however many files and orders it is."""
    lines = [f"/music/{row:03d}.mp3" for row in range(N_SONGS)]
    for number in range(4):
        (tmp_path / f"all {number}.m3u8").write_text("\n".join(lines[number:] + lines[:number]))
    result = run_script("08", "--workspace", workspace.root, "--playlists", tmp_path, "--spaces", "balanced", "--json")
    agreement = json.loads(result.stdout)["agreement"]
    assert agreement["conclusion"] == "cannot_tell"
    assert agreement["playlists"] == 1
    assert {"few_playlists", "one_community"} <= set(agreement["reasons"])


def test_further_spaces_are_read_by_path(quick, workspace, tmp_path):
    """Latent codes in another order of songs."""
    order = np.random.default_rng(2).permutation(N_SONGS)
    paths = [f"/music/{row:03d}.mp3" for row in order]
    codes = np.eye(N_GROUPS)[order % N_GROUPS] + 0.05 * np.random.default_rng(3).standard_normal((N_SONGS, N_GROUPS))
    file = Workspace(tmp_path)
    save_library(file, library_of_groups())
    save_spaces(file, {"vae": codes}, paths)
    result = run_script("08", "--workspace", tmp_path, "--spaces", "vae")
    assert result.returncode == 0, result.stderr
    with (file.outputs / "song_communities.csv").open() as stream:
        pairs = {(row["genre"], row["cluster_vae"]) for row in csv.DictReader(stream)}
    assert len(pairs) == N_GROUPS


@pytest.mark.parametrize(
    ("name", "value", "paths"),
    [
        ("vae", np.float32(1), 7),
        ("vae", np.float32(1), [[1]]),
        ("vae", np.str_("a"), PATHS),
        ("vae", np.float32(3e38), PATHS),
        ("<b>", np.float32(1), PATHS),
    ],
)
def test_a_forged_file_of_spaces_is_one_line(tmp_path, name, value, paths):
    workspace = Workspace(tmp_path)
    write_atomically(workspace.song_spaces, array_file({name: np.full((N_SONGS, 2), value)}, paths))
    with pytest.raises(SchemaError, match="--autoencoder again, or delete it"):
        further_spaces(library_of_groups(), workspace)


def test_a_space_of_other_songs_is_refused(tmp_path):
    save_library(Workspace(tmp_path), library_of_groups())
    save_spaces(Workspace(tmp_path), {"vae": np.ones((2, 3))}, ["/music/000.mp3", "/music/other.mp3"])
    result = run_script("08", "--workspace", tmp_path)
    assert result.returncode == 2
    assert f"no vectors of {N_SONGS - 1} of {N_SONGS} songs" in result.stderr


def test_playlists_of_clusters_are_no_evidence(tmp_path):
    workspace = Workspace(tmp_path)
    save_library(workspace, library_of_groups())
    workspace.cluster_playlists.mkdir(parents=True)
    playlist = workspace.cluster_playlists / "cluster_01.m3u8"
    playlist.write_text("/music/000.mp3\n/music/001.mp3\n")
    for given in (workspace.outputs, workspace.cluster_playlists, playlist):
        result = run_script("08", "--workspace", tmp_path, "--playlists", given)
        assert result.returncode == 2
        assert "holds the playlists of clusters" in result.stderr


def test_the_space_of_a_network_is_its_vectors_centred_and_on_request(tmp_path):
    workspace, library = Workspace(tmp_path), library_of_groups()
    vectors = np.random.default_rng(1).random((N_SONGS, 4), np.float32)
    fold_of = np.arange(N_SONGS) % 2
    save_song_vectors(workspace, library, SongVectors("image", vectors, np.stack([vectors] * 2), fold_of), "0" * 64)
    (of_network,) = sound_spaces(library, workspace, ["cnn"]).values()
    np.testing.assert_allclose(of_network, vectors - vectors.mean(axis=0), atol=1e-6)
    assert "cnn" not in sound_spaces(library, workspace)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--spaces", "vea"], "no space 'vea'; there are balanced, scaled, pca"),
        (["--spaces", "cnn"], "song_vectors.npz does not exist; run 07_spectrogram_cnn.py first"),
        (["--playlists", "missing"], "missing"),
        (["--recommend", "no such song"], "no such song"),
        (["--alpha", "2"], "0 to 1"),
        (["--method", "luvain"], "did you mean louvain?"),
    ],
)
def test_bad_usage_is_one_line(workspace, arguments, message):
    result = run_script("08", "--workspace", workspace.root, *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_too_few_songs_are_a_line(tmp_path):
    save_library(
        Workspace(tmp_path), labelled_library(np.random.default_rng(0).standard_normal((5, N_COLUMNS)), ["A"] * 5)
    )
    result = run_script("08", "--workspace", tmp_path)
    assert result.returncode == 2
    assert "5 songs are too few to cluster, 20 are needed" in result.stderr


def test_the_page_in_a_browser(answered, workspace, browser):
    """Nothing from tags is run, nothing is loaded, points change their colours with the choice."""
    browser.get_log("browser")
    browser.get(workspace.page("song_communities").as_uri())
    assert browser.title == "Do sound and playlists agree?"
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0
    counted = "return document.querySelectorAll('circle.song').length"
    assert browser.execute_script(counted) == 3 * N_SONGS

    def colours() -> list[str]:
        fills = "return [...document.querySelectorAll('circle.song')].map(one => getComputedStyle(one).fill)"
        return browser.execute_script(fills)

    by_cluster = colours()
    assert len(set(by_cluster)) == N_GROUPS
    browser.execute_script("document.getElementById('by-community').click()")
    assert colours() != by_cluster
    shown = "return [...document.querySelectorAll('.by p.legend')].filter(one => one.offsetParent).map(one => one.className)"
    assert browser.execute_script(shown) == ["legend community"]
    wide = "return document.documentElement.scrollWidth <= window.innerWidth"
    browser.set_window_size(500, 900)
    assert browser.execute_script(wide)
    browser.set_window_size(1200, 900)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    links = browser.execute_script("return [...document.querySelectorAll('a')].map(one => one.href)")
    files = [link.removeprefix("file://").split("#")[0] for link in links]
    assert all(Path(name).exists() for name in files)
