"""Maps: fitted once and kept; new songs are placed on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from maps import (
    FITTED,
    fitted,
    grouped_embeddings,
    grouped_library,
    joined,
    library_of,
    opened,
    part,
    projected,
    refitted,
    units_of,
)

from songmap.core.errors import SchemaError
from songmap.journey import song_map
from songmap.journey.embedding import principal_axes
from songmap.journey.song_map import PLACING_NEIGHBOURS, FitReason, MapFit, SongMap, load_map, save_map
from songmap.journey.views.map_figure import cube_limits
from songmap.journey.views.summary import fit_in_words
from songmap.library.descriptors import N_DESCRIPTORS, describe
from songmap.library.library import Library
from songmap.library.schema import FAMILIES, fingerprint
from songmap.library.spaces import build_space, coordinates_of


@pytest.fixture(scope="module")
def base() -> Library:
    return grouped_library(40)


@pytest.fixture(scope="module")
def umap_map() -> SongMap:
    return fitted(40, "umap", 1)


# fitting


@pytest.mark.parametrize("method", song_map.METHODS)
def test_equal_seeds_give_equal_maps(method: str, base: Library):
    first, again = fitted(40, method, 1), refitted(base, method, 1)
    assert np.array_equal(first.plane, again.plane)
    assert np.array_equal(first.space, again.space)
    assert (first.plane.shape, first.space.shape) == ((40, 2), (40, 3))


@pytest.mark.parametrize("method", ["umap", "densmap"])
def test_another_seed_gives_another_map(method: str):
    assert not np.allclose(fitted(40, method, 1).plane, fitted(40, method, 2).plane)


@pytest.mark.parametrize("method", FITTED)
def test_groups_stay_together_and_maps_are_widest_along_their_first_axis(method: str):
    result = fitted(60, method, 0)
    groups = np.arange(60) % 3
    distances = np.linalg.norm(result.plane[:, None] - result.plane[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.95
    spread = result.space.std(axis=0)
    assert spread[0] >= spread[1] >= spread[2]


def test_principal_axes_are_those_of_a_singular_value_decomposition():
    units = units_of(grouped_library(30)).astype(np.float64)
    centred = units - units.mean(axis=0)
    axes = principal_axes(centred, 5)
    _, values, expected = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(axes @ expected[:5].T) == pytest.approx(np.eye(5), abs=1e-6)
    assert (centred @ axes.T).std(axis=0) == pytest.approx(values[:5] / np.sqrt(30))
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], 1) > 0).all()
    assert principal_axes(centred[:1], 5).shape == (0, N_DESCRIPTORS)


@pytest.mark.parametrize("n_songs", [5, 6, 16])
@pytest.mark.parametrize("method", FITTED)
def test_from_five_songs_on_the_method_is_the_requested_one(n_songs: int, method: str):
    result = fitted(n_songs, method, 0)
    assert result.method == song_map.METHODS[method]
    assert np.isfinite(result.plane).all()
    assert np.isfinite(result.space).all()


@pytest.mark.parametrize("method", song_map.METHODS)
def test_equal_songs_can_be_mapped(method: str):
    library = library_of(np.repeat(grouped_library(1).embeddings, 6, axis=0), [f"/{row}" for row in range(6)])
    plane, space = projected(refitted(library, method, 0), library, method)
    assert np.isfinite(plane.coordinates).all()
    assert np.isfinite(space.coordinates).all()


def test_cube_limits_hold_all_points_and_are_equally_wide():
    points = np.array([[0.0, 0.0, 5.0], [10.0, 1.0, 5.0]])
    limits = cube_limits(points)
    assert (limits[:, 0] < points.min(axis=0)).all()
    assert (limits[:, 1] > points.max(axis=0)).all()
    assert np.ptp(limits, axis=1) == pytest.approx(11)


# placing


def test_a_new_song_is_placed_at_the_median_of_its_nearest_songs_places(umap_map: SongMap, base: Library):
    new = grouped_library(3, seed=5).embeddings
    described = describe(base.embeddings)
    deviation = np.where(np.ptp(described, axis=0) > 0, described.std(axis=0), np.inf)
    vectors = (describe(new) - described.mean(axis=0)) / deviation
    for family in FAMILIES:
        own = coordinates_of(family, described=True)
        vectors[:, own] /= np.sqrt(len(own))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert umap_map.units_of(new) == pytest.approx(units, abs=1e-6)
    for n_dimensions, places in ((2, umap_map.plane), (3, umap_map.space)):
        placed = umap_map.place(new, n_dimensions)
        for row in range(3):
            distances = np.linalg.norm(umap_map.units - units[row], axis=1)
            assert placed[row] == pytest.approx(np.median(places[np.argsort(distances)[:PLACING_NEIGHBOURS]], axis=0))
            nearest = np.linalg.norm(places - placed[row], axis=1).argmin()
            assert nearest % 3 == row  # in its group


def test_principal_components_place_a_song_exactly(base: Library):
    result = fitted(40, "pca", 1)
    assert result.place(base.embeddings, 2) == pytest.approx(result.plane)
    assert result.place(base.embeddings[:0], 3).shape == (0, 3)


def test_songs_that_left_are_left_out_and_moved_files_stay(umap_map: SongMap, base: Library):
    rows = np.r_[1:9, 12:40]
    paths = [f"/elsewhere/{row:04d}.flac" for row in range(len(rows))]
    plane, space = projected(umap_map, library_of(base.embeddings[rows], paths), "umap")
    assert np.array_equal(plane.coordinates, umap_map.plane[rows])
    assert np.array_equal(space.coordinates, umap_map.space[rows])
    assert plane.n_new == 0


def test_each_file_of_equal_songs_keeps_its_place():
    embeddings = grouped_library(20).embeddings
    embeddings[[4, 11]] = embeddings[2]
    library = library_of(embeddings, [f"/b/{row:02d}" for row in range(20)])
    result = refitted(library, "umap", 0)
    assert len(np.unique(result.plane[[2, 4, 11]], axis=0)) == 3
    fourth = library_of(embeddings[2:3], ["/a/copy"])  # sorts before the others
    more = joined(library, fourth)
    assert result.rows_of(more).tolist() == [-1, *range(20)]
    assert result.rows_of(part(more, np.r_[0:3, 4:21])).tolist() == [
        2,
        0,
        1,
        *range(3, 20),
    ]  # 2 left: its place is free


# keeping


def loaded(path: Path) -> SongMap:
    """A map of the space balanced; of which library makes no difference."""
    return load_map(path, build_space(grouped_embeddings(3)))


def assert_equal(first: SongMap, second: SongMap) -> None:
    for name, value in vars(first).items():
        assert np.array_equal(value, getattr(second, name)), name


def test_what_is_saved_is_what_is_loaded_and_equal_maps_are_equal_bytes(umap_map: SongMap, tmp_path: Path):
    save_map(tmp_path / "a.npz", umap_map)
    save_map(tmp_path / "b.npz", loaded(tmp_path / "a.npz"))
    assert_equal(umap_map, loaded(tmp_path / "b.npz"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_map_is_fitted_once_and_again_only_on_request(base: Library, tmp_path: Path):
    path = tmp_path / "models" / "map_umap.npz"
    first, fit = opened(path, base, "umap", None, refit=False)
    assert fit == MapFit(path, "UMAP", 42, FitReason.FIRST)
    assert first.seed == 42
    assert "fitted for the first time" in fit_in_words(fit)
    content = path.read_bytes()
    grown = joined(base, grouped_library(10, seed=7))
    kept, fit = opened(path, grown, "umap", 42, refit=False)
    assert fit == MapFit(path, "UMAP", 42)
    assert_equal(first, kept)
    assert path.read_bytes() == content
    again, fit = opened(path, grown, "umap", None, refit=True)
    assert fit.reason is FitReason.REFIT
    assert "fitted again because of --refit" in fit_in_words(fit)
    assert len(again.songs) == 50
    assert not np.allclose(again.plane[:40], first.plane)
    other, fit = opened(path, grown, "umap", 7, refit=False)
    assert fit.reason is FitReason.OTHER_SEED
    assert "seed 7 instead of 42" in fit_in_words(fit)
    assert opened(path, grown, "umap", None, refit=False)[0].seed == other.seed == 7


def test_a_map_that_does_not_fit_is_replaced(base: Library, tmp_path: Path):
    path = tmp_path / "map_umap.npz"
    opened(path, part(base, slice(0, 4)), "umap", None, refit=False)
    result, fit = opened(path, part(base, slice(0, 12)), "umap", None, refit=False)
    assert result.method == "UMAP"
    assert fit.reason is FitReason.TOO_FEW_SONGS
    assert "too few songs for UMAP" in fit_in_words(fit)
    result, fit = opened(path, grouped_library(12, seed=9), "umap", None, refit=False)
    assert fit.reason is FitReason.OTHER_SONGS
    assert "of other songs" in fit_in_words(fit)
    assert len(result.songs) == 12
    save_map(path, replace(result, descriptors="others"))
    _, fit = opened(path, grouped_library(12, seed=9), "umap", None, refit=False)
    assert fit.reason is FitReason.OTHER_SPACE
    assert "of another space" in fit_in_words(fit)


def test_a_damaged_map_ends_with_advice_and_refit_heals(umap_map: SongMap, base: Library, tmp_path: Path):
    path = tmp_path / "map_umap.npz"
    save_map(path, umap_map)
    whole = path.read_bytes()
    for damaged in (b"", b"junk", whole[:2000], whole[:-100]):
        path.write_bytes(damaged)
        with pytest.raises(SchemaError, match="--refit"):
            opened(path, base, "umap", None, refit=False)
    save_map(path, replace(umap_map, plane=umap_map.plane[:3]))
    with pytest.raises(SchemaError, match="--refit"):
        loaded(path)
    for forged in (
        {"plane": np.full((40, 2), np.nan)}, {"space": np.full((40, 3), np.inf)}, {"units": umap_map.units.astype(str)},
        {"songs": umap_map.songs.astype(float)}, {"songs": np.uint64(3)}, {"seed": -1}, {"seed": 2**32},
        {"method": "other"}, {"mean": np.full(157, np.nan)},
    ):  # fmt: skip
        save_map(path, replace(umap_map, **forged))
        with pytest.raises(SchemaError, match="--refit"):
            loaded(path)
    path.write_bytes(b"junk")
    assert opened(path, base, "umap", 1, refit=True)[1].reason is FitReason.REFIT
    assert_equal(loaded(path), umap_map)


def test_nothing_in_a_map_is_unpickled(tmp_path: Path, umap_map: SongMap):
    path = tmp_path / "map_umap.npz"
    np.savez(path, allow_pickle=True, **(vars(umap_map) | {"plane": np.array([print], dtype=object)}))
    with pytest.raises(SchemaError, match="--refit"):
        loaded(path)


def test_a_map_of_641_standardised_columns_is_fitted_again_once(base: Library, tmp_path: Path):
    """What was written before: mean, weight and axes of columns, 50 components, the schema's fingerprint."""
    path, former = tmp_path / "map_umap.npz", fitted(40, "umap", 7)
    numbers = {"mean": np.zeros(641), "weight": np.ones(641), "axes": np.zeros((39, 641)), "columns": fingerprint()}
    numbers |= {"components": np.zeros((40, 39), np.float32), "sounds": former.embedding_hashes}
    np.savez(path, **numbers, **{name: getattr(former, name) for name in ("method", "seed", "plane", "space", "songs")})
    again, fit = opened(path, base, "umap", None, refit=False)
    assert (fit.reason, fit.seed) == (FitReason.OTHER_SPACE, 7)
    assert_equal(again, former)
    assert opened(path, base, "umap", None, refit=False)[1].reason is None
