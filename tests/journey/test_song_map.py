"""Maps: drawn once and kept, new songs placed on them, and the figures and words that say how far to trust them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from songmap.core.errors import SchemaError
from songmap.journey import projection, song_map, trust
from songmap.journey.drawing import principal_axes
from songmap.journey.position import standardise
from songmap.journey.projection import Projection, project, trust_in_words
from songmap.journey.song_map import MIN_SONGS, PLACING_NEIGHBOURS, SongMap, current_map, fit_map, load_map, save_map
from songmap.library.library import Library, song_table
from songmap.library.schema import N_COLUMNS

DRAWN = ("umap", "tsne", "densmap")


def songs(n_songs: int, seed: int = 0) -> Library:
    """Three groups of songs that differ in mean."""
    rng = np.random.default_rng(seed)
    embeddings = (rng.normal(size=(n_songs, N_COLUMNS)) + 3 * (np.arange(n_songs) % 3)[:, None]).astype(np.float32)
    return library_of(embeddings, [f"/music/{seed}/{row:04d}.wav" for row in range(n_songs)])


def library_of(embeddings: np.ndarray, paths: list[str]) -> Library:
    return Library(embeddings, song_table([{"file_path": path, "genre": "A"} for path in paths]))


def part(library: Library, rows: object) -> Library:
    return Library(library.embeddings[rows], library.songs.iloc[rows].reset_index(drop=True))


def joined(first: Library, second: Library) -> Library:
    paths = [*first.songs["file_path"], *second.songs["file_path"]]
    order = np.argsort(paths)
    return library_of(np.concatenate([first.embeddings, second.embeddings])[order], [paths[row] for row in order])


@pytest.fixture(scope="module")
def base() -> Library:
    return songs(40)


@pytest.fixture(scope="module")
def umap_map(base: Library) -> SongMap:
    return fit_map(base, "umap", 1)


# how far to trust a map


def brute_force_recall(high: np.ndarray, low: np.ndarray, k: int, rows: np.ndarray) -> float:
    shares = []
    for row in rows:
        nearest = []
        for points in (high, low):
            others = sorted((float(np.linalg.norm(points[row] - points[j])), j) for j in range(len(points)) if j != row)
            nearest.append({j for _, j in others[:k]})
        shares.append(len(nearest[0] & nearest[1]) / k)
    return float(np.mean(shares))


@pytest.mark.parametrize(("n_songs", "k"), [(3, 1), (5, 2), (24, 4), (60, 10)])
@pytest.mark.parametrize("block_pairs", [8_000_000, 100])
def test_trustworthiness_is_scikit_learns_and_recall_that_of_brute_force(
    n_songs: int, k: int, block_pairs: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trust, "_BLOCK_PAIRS", block_pairs)
    rng = np.random.default_rng(n_songs)
    high = rng.normal(size=(n_songs, 40))
    low = high[:, :2] + 0.1 * rng.normal(size=(n_songs, 2))
    rows = np.arange(n_songs)
    found = trust.preserved(high, low, k, rows)
    assert found[0] == pytest.approx(trustworthiness(high, low, n_neighbors=k))
    assert found[1] == pytest.approx(brute_force_recall(high, low, k, rows))


def test_figures_of_a_sample_are_the_mean_of_its_songs():
    rng = np.random.default_rng(3)
    high = rng.normal(size=(50, 20))
    low = high[:, :2]
    each = np.array([trust.preserved(high, low, 5, np.array([row])) for row in range(50)])
    some = np.array([3, 17, 40])
    assert trust.preserved(high, low, 5, some) == pytest.approx(tuple(each[some].mean(axis=0)))
    assert each[:, 0].mean() == pytest.approx(trustworthiness(high, low, n_neighbors=5))
    assert trust.preserved(high, low, 5, some)[1] == pytest.approx(brute_force_recall(high, low, 5, some))


def test_the_same_points_keep_everything_and_equal_songs_cost_nothing():
    points = np.random.default_rng(2).normal(size=(30, 3))
    assert trust.preserved(points, 5 * points[:, ::-1], 10, np.arange(30)) == (1, 1)
    assert trust.preserved(np.zeros((8, 4)), np.random.default_rng(0).normal(size=(8, 2)), 3, np.arange(8))[0] == 1


def test_all_songs_are_checked_up_to_a_number_and_then_as_many_at_random():
    assert trust.checked_songs(trust.MAX_CHECKED).tolist() == list(range(trust.MAX_CHECKED))
    rows = trust.checked_songs(50_000)
    assert len(set(rows.tolist())) == trust.MAX_CHECKED
    assert rows.max() > 45_000
    assert np.array_equal(rows, trust.checked_songs(50_000))


@pytest.mark.parametrize("n_songs", [4, 40])
@pytest.mark.parametrize("method", song_map.METHODS)
def test_reported_figures_are_those_of_the_standardised_columns_and_the_drawn_points(n_songs: int, method: str):
    library = songs(n_songs)
    for result in project(fit_map(library, method, 3), library, method):
        scaled, k = standardise(library.embeddings), result.n_neighbours
        assert k == min(10, (n_songs - 1) // 2)
        assert result.trustworthiness == pytest.approx(trustworthiness(scaled, result.coordinates, n_neighbors=k))
        assert result.knn_recall == pytest.approx(brute_force_recall(scaled, result.coordinates, k, np.arange(n_songs)))
        assert f"{result.knn_recall:.0%}" in trust_in_words(result)
        assert f"{result.trustworthiness:.2f}" in trust_in_words(result)


SAYINGS = {
    "umap": "Distances between groups, their sizes and the axes mean nothing.",
    "tsne": "Distances between groups, their sizes and the axes mean nothing.",
    "densmap": "A wide group is a varied one",
    "pca": "The axes are the directions in which the songs differ most",
}


@pytest.mark.parametrize("method", song_map.METHODS)
def test_words_are_true_for_the_method(method: str):
    library = songs(20)
    plane, _ = project(fit_map(library, method, 0), library, method)
    words = trust_in_words(plane)
    assert plane.method == song_map.METHODS[method]
    assert [name for name, saying in SAYINGS.items() if saying in words] == [
        name for name, saying in SAYINGS.items() if saying == SAYINGS[method]
    ]
    assert "too few" not in words
    assert "--refit" not in words


def test_words_name_the_variance_that_principal_components_show(base: Library):
    from sklearn.decomposition import PCA

    shown = PCA().fit(standardise(base.embeddings)).explained_variance_ratio_
    for result, n_dimensions in zip(project(fit_map(base, "pca", 0), base, "pca"), (2, 3), strict=True):
        assert result.variance == pytest.approx(shown[:n_dimensions].sum(), rel=1e-5)
        assert f"show {shown[:n_dimensions].sum():.0%} of the variance" in trust_in_words(result)


def test_words_say_what_was_checked_of_a_large_library():
    large = Projection(np.zeros((50_000, 2)), "UMAP", 10, 0.97, 0.3, lambda further: further, n_checked=2_000)
    assert "checked for 2,000 of the 50,000 songs" in trust_in_words(large)
    assert "by chance 0.02%" in trust_in_words(large)


# drawing


@pytest.mark.parametrize("method", song_map.METHODS)
def test_equal_seeds_give_equal_maps(method: str, base: Library):
    first, again = (fit_map(base, method, 1) for _ in range(2))
    assert np.array_equal(first.plane, again.plane)
    assert np.array_equal(first.space, again.space)
    assert (first.plane.shape, first.space.shape) == ((40, 2), (40, 3))


@pytest.mark.parametrize("method", ["umap", "densmap"])
def test_another_seed_gives_another_map(method: str, base: Library):
    assert not np.allclose(fit_map(base, method, 1).plane, fit_map(base, method, 2).plane)


@pytest.mark.parametrize("method", DRAWN)
def test_groups_stay_together_and_maps_are_widest_along_their_first_axis(method: str):
    library = songs(60)
    drawn = fit_map(library, method, 0)
    groups = np.arange(60) % 3
    distances = np.linalg.norm(drawn.plane[:, None] - drawn.plane[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.95
    spread = drawn.space.std(axis=0)
    assert spread[0] >= spread[1] >= spread[2]


def test_principal_axes_are_those_of_a_singular_value_decomposition():
    centred = standardise(songs(30).embeddings)
    axes = principal_axes(centred, 5)
    _, values, expected = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(axes @ expected[:5].T) == pytest.approx(np.eye(5), abs=1e-6)
    assert (centred @ axes.T).std(axis=0) == pytest.approx(values[:5] / np.sqrt(30))
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], 1) > 0).all()
    assert principal_axes(centred[:1], 5).shape == (0, N_COLUMNS)


@pytest.mark.parametrize("n_songs", [1, 2, 3, 4])
@pytest.mark.parametrize("method", DRAWN)
def test_small_libraries_get_principal_components_and_say_so(n_songs: int, method: str):
    library = songs(n_songs)
    for result in project(fit_map(library, method, 0), library, method):
        assert result.method == "PCA"
        assert np.isfinite(result.coordinates).all()
        assert f"too few for {song_map.METHODS[method]}" in trust_in_words(result)
        assert (result.trustworthiness is None) == (n_songs < 3)
        if n_songs <= result.coordinates.shape[1] + 1:  # then nothing is lost
            scaled = standardise(library.embeddings)
            assert np.linalg.norm(result.coordinates[0] - result.coordinates[-1]) == pytest.approx(
                np.linalg.norm(scaled[0] - scaled[-1])
            )
    assert "too few" not in trust_in_words(project(fit_map(library, "pca", 0), library, "pca")[0])


@pytest.mark.parametrize("n_songs", [5, 6, 16])
@pytest.mark.parametrize("method", DRAWN)
def test_from_five_songs_on_the_method_is_the_one_asked_for(n_songs: int, method: str):
    drawn = fit_map(songs(n_songs), method, 0)
    assert drawn.method == song_map.METHODS[method]
    assert np.isfinite(drawn.plane).all()
    assert np.isfinite(drawn.space).all()


@pytest.mark.parametrize("method", song_map.METHODS)
def test_equal_songs_can_be_mapped(method: str):
    library = library_of(np.repeat(songs(1).embeddings, 6, axis=0), [f"/{row}" for row in range(6)])
    plane, space = project(fit_map(library, method, 0), library, method)
    assert np.isfinite(plane.coordinates).all()
    assert np.isfinite(space.coordinates).all()


def test_cube_limits_hold_all_points_and_are_equally_wide():
    points = np.array([[0.0, 0.0, 5.0], [10.0, 1.0, 5.0]])
    limits = projection.cube_limits(points)
    assert (limits[:, 0] < points.min(axis=0)).all()
    assert (limits[:, 1] > points.max(axis=0)).all()
    assert np.ptp(limits, axis=1) == pytest.approx(11)


# placing


def test_a_new_song_stands_at_the_median_of_its_nearest_songs_places(umap_map: SongMap, base: Library):
    new = songs(3, seed=5).embeddings
    scaled = (new - base.embeddings.mean(axis=0, dtype=np.float64)) / base.embeddings.std(axis=0, dtype=np.float64)
    components = scaled @ umap_map.axes.T
    for n_dimensions, places in ((2, umap_map.plane), (3, umap_map.space)):
        placed = umap_map.place(new, n_dimensions)
        for row in range(3):
            distances = np.linalg.norm(umap_map.components - components[row], axis=1)
            assert placed[row] == pytest.approx(np.median(places[np.argsort(distances)[:PLACING_NEIGHBOURS]], axis=0))
            nearest = np.linalg.norm(places - placed[row], axis=1).argmin()
            assert nearest % 3 == row  # in its group


def test_principal_components_place_a_song_exactly(base: Library):
    drawn = fit_map(base, "pca", 0)
    assert drawn.place(base.embeddings, 2) == pytest.approx(drawn.plane)
    assert drawn.place(base.embeddings[:0], 3).shape == (0, 3)


def test_new_songs_move_no_old_ones_and_are_counted(umap_map: SongMap, base: Library):
    new = songs(10, seed=7)
    for result, before in zip(
        project(umap_map, joined(base, new), "umap"), project(umap_map, base, "umap"), strict=True
    ):
        assert np.array_equal(result.coordinates[:40], before.coordinates)  # /music/0/… sorts first
        assert result.coordinates[40:] == pytest.approx(result.place(new.embeddings))
        assert (result.n_new, before.n_new) == (10, 0)
        assert "10 of the songs came after" in trust_in_words(result)
        assert "--refit" not in trust_in_words(result)


def test_a_map_with_many_new_songs_advises_to_draw_it_anew(umap_map: SongMap, base: Library):
    plane, _ = project(umap_map, joined(base, songs(21, seed=7)), "umap")
    assert "draw it anew with --refit" in trust_in_words(plane)


def test_songs_that_left_are_left_out_and_moved_files_stay(umap_map: SongMap, base: Library):
    rows = np.r_[1:9, 12:40]
    paths = [f"/elsewhere/{row:04d}.flac" for row in range(len(rows))]
    plane, space = project(umap_map, library_of(base.embeddings[rows], paths), "umap")
    assert np.array_equal(plane.coordinates, umap_map.plane[rows])
    assert np.array_equal(space.coordinates, umap_map.space[rows])
    assert plane.n_new == 0


def test_each_file_of_equal_songs_keeps_its_place():
    embeddings = songs(20).embeddings
    embeddings[[4, 11]] = embeddings[2]
    library = library_of(embeddings, [f"/b/{row:02d}" for row in range(20)])
    drawn = fit_map(library, "umap", 0)
    assert len(np.unique(drawn.plane[[2, 4, 11]], axis=0)) == 3
    fourth = library_of(embeddings[2:3], ["/a/copy"])  # sorts before the others
    more = joined(library, fourth)
    assert drawn.known(more).tolist() == [-1, *range(20)]
    assert drawn.known(part(more, np.r_[0:3, 4:21])).tolist() == [2, 0, 1, *range(3, 20)]  # 2 left: its place is free


# keeping


def assert_equal(first: SongMap, second: SongMap) -> None:
    for name, value in vars(first).items():
        assert np.array_equal(value, getattr(second, name)), name


def test_what_is_saved_is_what_is_loaded_and_equal_maps_are_equal_bytes(umap_map: SongMap, tmp_path: Path):
    save_map(tmp_path / "a.npz", umap_map)
    save_map(tmp_path / "b.npz", load_map(tmp_path / "a.npz"))
    assert_equal(umap_map, load_map(tmp_path / "b.npz"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_map_is_drawn_once_and_again_only_when_asked(base: Library, tmp_path: Path):
    path = tmp_path / "models" / "map_umap.npz"
    first, reason = current_map(path, base, "umap", None, refit=False)
    assert (reason, first.seed) == ("drawn for the first time", 42)
    content = path.read_bytes()
    grown = joined(base, songs(10, seed=7))
    kept, reason = current_map(path, grown, "umap", 42, refit=False)
    assert reason == ""
    assert_equal(first, kept)
    assert path.read_bytes() == content
    anew, reason = current_map(path, grown, "umap", None, refit=True)
    assert reason == "drawn anew, as asked"
    assert len(anew.songs) == 50
    assert not np.allclose(anew.plane[:40], first.plane)
    other, reason = current_map(path, grown, "umap", 7, refit=False)
    assert "seed 7 instead of 42" in reason
    assert current_map(path, grown, "umap", None, refit=False)[0].seed == other.seed == 7


def test_a_map_that_does_not_fit_is_drawn_anew(base: Library, tmp_path: Path):
    path = tmp_path / "map_umap.npz"
    current_map(path, part(base, slice(0, 4)), "umap", None, refit=False)
    drawn, reason = current_map(path, base, "umap", None, refit=False)
    assert drawn.method == "UMAP"
    assert "too few songs for UMAP" in reason
    drawn, reason = current_map(path, songs(12, seed=9), "umap", None, refit=False)
    assert "of other songs" in reason
    assert len(drawn.songs) == 12
    save_map(path, replace(drawn, columns="others"))
    assert "of other columns" in current_map(path, songs(12, seed=9), "umap", None, refit=False)[1]


def test_a_library_that_shrank_keeps_its_map(base: Library, tmp_path: Path):
    path = tmp_path / "map_umap.npz"
    current_map(path, base, "umap", None, refit=False)
    few = part(base, slice(0, MIN_SONGS - 2))
    kept, reason = current_map(path, few, "umap", None, refit=False)
    assert reason == ""
    assert "too few" not in trust_in_words(project(kept, few, "umap")[0])


def test_a_damaged_map_ends_with_advice_and_refit_heals(umap_map: SongMap, base: Library, tmp_path: Path):
    path = tmp_path / "map_umap.npz"
    save_map(path, umap_map)
    whole = path.read_bytes()
    for damaged in (b"", b"junk", whole[:2000], whole[:-100]):
        path.write_bytes(damaged)
        with pytest.raises(SchemaError, match="--refit"):
            current_map(path, base, "umap", None, refit=False)
    save_map(path, replace(umap_map, plane=umap_map.plane[:3]))
    with pytest.raises(SchemaError, match="--refit"):
        load_map(path)
    path.write_bytes(b"junk")
    assert current_map(path, base, "umap", 1, refit=True)[1] == "drawn anew, as asked"
    assert_equal(load_map(path), umap_map)


def test_nothing_in_a_map_is_unpickled(tmp_path: Path, umap_map: SongMap):
    path = tmp_path / "map_umap.npz"
    np.savez(path, allow_pickle=True, **(vars(umap_map) | {"plane": np.array([print], dtype=object)}))
    with pytest.raises(SchemaError, match="--refit"):
        load_map(path)
