"""Figures as a reader sees them: is every text whole and apart from others, does every panel show something."""

import itertools
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import signals
import soundfile
from libraries import units_of
from matplotlib import colors
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from songmap.core.figures import draw, drawable, figure_style
from songmap.features.analysis import AudioAnalysis, analyse_file
from songmap.journey.genre_statistics import by_genre, count_keys
from songmap.journey.percentiles import library_position
from songmap.journey.results import GenreStatistics, Projection, SongJourney
from songmap.journey.song_journey import MAX_COLUMNS, condense, frame_means, song_journey, waveform
from songmap.journey.views import library_figures
from songmap.journey.views.column_figures import MEL_LINES
from songmap.journey.views.journey_figure import journey_figure, perspectives_figure
from songmap.journey.views.map_figure import map_figure
from songmap.journey.views.summary import trust_in_words
from songmap.library.genre_similarity import genre_similarity
from songmap.library.keys import NO_KEY, camelot
from songmap.library.library import Library
from songmap.library.palette import genre_colours
from songmap.library.schema import N_COLUMNS, column_index
from songmap.library.search import Search
from songmap.library.spaces import build_space

HARD_TITLE = ("音楽の旅 🎵 Ёлка שלום $x_1$ <b>&amp;</b> \\frac{1}{2} " * 4)[:120]


class Recorder(RendererAgg):
    """Notes every line of text that is really drawn, and its box ``(x0, y0, x1, y1)`` in pixels, y downwards."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(*(figure.get_size_inches() * figure.dpi), figure.dpi)
        self.lines: list[tuple[str, tuple[float, float, float, float]]] = []

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        box = (x, y - height + descent, x + width, y + descent)
        if angle == 90:
            box = (x - height + descent, y - width, x + descent, y)
        if s.strip() and angle in (0, 90):  # slanted text, as in space, has no box that says where it is
            self.lines.append((s, box))
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)

    @property
    def text(self) -> str:
        return " ".join(" ".join(line.split()) for line, _ in self.lines)


def look(function, *arguments) -> tuple[Figure, Recorder]:
    with matplotlib.rc_context(figure_style()), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = function(*arguments)
        figure.draw_without_rendering()  # settles the layout
        figure.set_layout_engine("none")
        renderer = Recorder(figure)
        figure.draw(renderer)
    return figure, renderer


def overlaps(renderer: Recorder) -> list[tuple[str, str]]:
    found = []
    for (first, box), (second, other) in itertools.combinations(renderer.lines, 2):
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        if width > 1 and height > 1:
            found.append((first, second))
    return found


def outside(figure: Figure, renderer: Recorder) -> list[str]:
    """Texts that reach past the sides of the page."""
    return [text for text, box in renderer.lines if box[0] < 0 or box[2] > figure.bbox.width]


def empty_panels(figure: Figure, renderer: Recorder) -> list[str]:
    pixels = np.asarray(renderer.buffer_rgba())[::-1, :, :3]
    found = []
    for axes in figure.axes:
        box = axes.get_window_extent(renderer)
        inside = pixels[int(box.y0) + 4 : int(box.y1) - 4, int(box.x0) + 8 : int(box.x1) - 4]
        if (inside == inside[0, 0]).all():
            found.append(axes.get_title(loc="left"))
    return found


def assert_readable(figure: Figure, renderer: Recorder) -> None:
    assert overlaps(renderer) == []
    assert outside(figure, renderer) == []
    assert empty_panels(figure, renderer) == []


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> AudioAnalysis:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, signals.music(8.0), signals.RATE_HZ)
    return analyse_file(path)


@pytest.fixture(scope="module")
def song(analysis: AudioAnalysis) -> SongJourney:
    """A song outside of a library of 30 that are similar to it and hold it."""
    journey = song_journey(library_around(analysis, 30), None, analysis, np.zeros(2))
    return replace(journey, title="A song", artist="an artist", genre="JAZZ")


def library_around(song: AudioAnalysis | SongJourney, n_songs: int) -> Library:
    """Without a table, which is not needed of a song outside of the library."""
    embedding = song.embedding if isinstance(song, AudioAnalysis) else song.position.embedding
    rng = np.random.default_rng(0)
    others = embedding * rng.uniform(0.8, 1.2, (n_songs - 1, N_COLUMNS)).astype(np.float32)
    return Library(np.concatenate([embedding[np.newaxis], others]), pd.DataFrame())


def among(song: SongJourney, n_songs: int) -> SongJourney:
    """The same song in a library of another size."""
    return replace(song, position=library_position(song.position.embedding, library_around(song, n_songs).embeddings))


def projection(points: np.ndarray, method: str = "UMAP", **values: object) -> Projection:
    return Projection(points, method, **({"n_neighbours": 10, "trustworthiness": 0.91, "knn_recall": 0.63} | values))


@pytest.fixture(scope="module")
def journey(song: SongJourney) -> tuple[Figure, Recorder]:
    return look(journey_figure, song)


def test_journey_is_readable(journey: tuple[Figure, Recorder]):
    assert_readable(*journey)


def test_journey_with_a_hard_title_of_120_characters(song: SongJourney):
    hard = replace(among(song, 6), title=HARD_TITLE, artist=HARD_TITLE, genre=HARD_TITLE, key=HARD_TITLE)
    figure, renderer = look(journey_figure, hard)
    assert_readable(figure, renderer)
    assert "".join(drawable(HARD_TITLE).split()) in renderer.text.replace(" ", "")


def test_journey_time_axes_are_aligned_and_strips_cover_all_columns(
    song: SongJourney, journey: tuple[Figure, Recorder]
):
    figure, renderer = journey
    panels = {axes.get_title(loc="left")[:1]: axes for axes in figure.axes if axes.get_title(loc="left")[:1].isdigit()}
    assert sorted(panels) == ["1", "2", "3", "4", "5", "6"]
    timed = [panels[number] for number in "12345"]
    assert {axes.get_xlim() for axes in timed} == {(0, song.duration_s)}
    edges = np.array([axes.get_window_extent(renderer).intervalx for axes in timed])
    assert np.ptp(edges, axis=0).max() < 0.5
    drawn = [
        axes.images[0].get_array().size for axes in figure.axes if axes.images and axes.images[0].get_clim() == (0, 100)
    ]
    assert drawn == [60, 24, 22, 7, 4, 12, 512]


def test_strips_show_the_percentiles_of_their_columns(song: SongJourney, journey: tuple[Figure, Recorder]):
    library = library_around(song, 30).embeddings
    embedding = song.position.embedding
    figure, _ = journey
    images = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_clim() == (0, 100)]
    expected = 100 * ((library < embedding).mean(axis=0) + (library == embedding).mean(axis=0) / 2)
    assert np.asarray(images[0].get_array())[0] == pytest.approx(expected[:60])  # timbre: the first 60 columns
    order = [statistic for statistic, _ in MEL_LINES]
    mel_mean = np.asarray(images[-1].get_array())[order.index("mean")]
    assert mel_mean == pytest.approx(expected[122:250])


def test_a_library_of_one_song_has_values_instead_of_percentiles(song: SongJourney):
    figure, renderer = look(journey_figure, among(song, 1))
    assert_readable(figure, renderer)
    assert "percentiles need a library of two songs or more" in renderer.text
    assert "percentile among" not in renderer.text
    column_bpm = song.position.embedding[column_index("tempo_bpm")]
    assert f"tempo {column_bpm:.0f} BPM" in renderer.text  # the real value instead


def test_beatless_song_is_drawn_without_a_tempo(song: SongJourney):
    still = replace(among(song, 3), beats_s=np.zeros(0), tempo_bpm=0.0)
    figure, renderer = look(journey_figure, still)
    assert_readable(figure, renderer)
    assert "At least 5 songs" in renderer.text  # three have percentiles, but none of them is unusual
    assert "0 beats, no tempo" in renderer.text


@pytest.mark.parametrize("duration_s", [3.0, 3700.0])
def test_any_duration_is_drawn_readably_from_few_columns(song: SongJourney, analysis: AudioAnalysis, duration_s: float):
    rate_hz = analysis.frames.frame_rate_hz
    n_frames = int(duration_s * rate_hz) + 1
    samples = np.resize(analysis.samples, int(duration_s * signals.RATE_HZ))
    features = {
        name: np.resize(values.T, (n_frames, len(values))).T for name, values in analysis.frames.features.items()
    }
    long = replace(
        among(song, 6), title="A long mix", duration_s=len(samples) / signals.RATE_HZ, tempo_bpm=120.0,
        waveform=waveform(samples, signals.RATE_HZ), frames=frame_means(features, rate_hz),
        beats_s=np.arange(0, duration_s, 0.5),
    )  # fmt: skip
    figure, renderer = look(journey_figure, long)
    assert_readable(figure, renderer)
    sizes = [image.get_array().shape[1] for axes in figure.axes for image in axes.images]
    assert max(sizes) <= MAX_COLUMNS


def test_condense_is_the_mean_of_equal_parts_and_keeps_short_features():
    feature = np.arange(24.0).reshape(2, 12)
    assert np.array_equal(condense(feature, 12), feature)
    assert np.array_equal(condense(feature, 100), feature)
    assert np.array_equal(condense(feature, 3), feature.reshape(2, 3, 4).mean(axis=2))
    assert condense(np.ones((3, 1001)), 160).shape == (3, 160)


def test_waveform_keeps_a_single_click():
    samples = np.zeros(100_000, np.float32)
    samples[77_777], samples[5] = 0.9, -0.7
    wave = waveform(samples, 1000, 500)
    assert (wave.edges_s[0], wave.edges_s[-1], len(wave.edges_s)) == (0, 100, 501)
    assert (wave.high.max(), wave.low.min()) == (np.float32(0.9), np.float32(-0.7))
    place = wave.high.argmax()
    assert wave.edges_s[place] <= 77.777 < wave.edges_s[place + 1]


def test_perspectives_are_readable_and_star_the_song(song: SongJourney):
    rng = np.random.default_rng(1)
    genres = np.array(["JAZZ", "ROCK", "UNKNOWN", "TECHNO"] * 10, dtype=object)
    points = rng.normal(size=(40, 2))
    figure, renderer = look(perspectives_figure, replace(song, place=points[4]), projection(points), genres)
    assert_readable(figure, renderer)
    stars = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "*" and len(line.get_xdata())]
    assert [tuple(line.get_xydata()[0]) for line in stars] == [tuple(points[4])]


GENRE_SETS = {
    "one": ["JAZZ"],
    "four": ["JAZZ", "ROCK", "UNKNOWN", "TECHNO"],
    "forty": [f"{'A genre whose name is far longer than most names are' * (i % 2)}音楽 {i}" for i in range(40)],
}


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_map_is_readable_and_every_genre_has_its_colour(names: list[str]):
    genres = np.array(names * 3, dtype=object)
    points = np.random.default_rng(2).normal(size=(len(genres), 2))
    figure, renderer = look(map_figure, projection(points), genres)
    assert_readable(figure, renderer)
    colours = genre_colours(names)
    drawn = [colors.to_hex(group.get_facecolor()[0]).upper() for group in figure.axes[0].collections]
    assert drawn == [colours[name].upper() for name in sorted(names)]
    assert trust_in_words(projection(points)) in renderer.text


def test_map_in_space_shows_points_in_their_colours():
    names = GENRE_SETS["four"]
    genres = np.array(names * 5, dtype=object)
    points = np.random.default_rng(2).normal(size=(20, 3))
    figure, renderer = look(map_figure, projection(points), genres)
    assert outside(figure, renderer) == []
    pixels = np.asarray(renderer.buffer_rgba())[..., :3].reshape(-1, 3)
    for colour in genre_colours(names).values():
        rgb = np.round(np.array(colors.to_rgb(colour)) * 255)
        assert (np.abs(pixels - rgb).max(axis=1) <= 1).sum() > 100  # not faded by distance
    box = figure.axes[0]
    assert {round(float(np.ptp(limit)), 6) for limit in (box.get_xlim(), box.get_ylim(), box.get_zlim())} == {
        round(float(np.ptp(box.get_xlim())), 6)
    }


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_map_of_a_single_song(n_dimensions: int):
    genres = np.array(["JAZZ"], dtype=object)
    alone = projection(np.zeros((1, n_dimensions)), "PCA", n_neighbours=0, trustworthiness=None, knn_recall=None)
    figure, renderer = look(map_figure, alone, genres)
    assert empty_panels(figure, renderer) == []


def statistics_of(genres: np.ndarray, tempo_bpm=None, centroid_hz=None, keys=None) -> GenreStatistics:
    """Of random embeddings; tempi, centroids and keys are random where they are not given."""
    rng, n_songs = np.random.default_rng(3), len(genres)
    embeddings = rng.normal(size=(n_songs, N_COLUMNS)).astype(np.float32)
    tempo_bpm = rng.uniform(60, 200, n_songs) if tempo_bpm is None else tempo_bpm
    centroid_hz = rng.uniform(400, 6000, n_songs) if centroid_hz is None else centroid_hz
    keys = rng.integers(0, 24, n_songs) if keys is None else keys
    return GenreStatistics(
        genre_similarity(Search(units_of(embeddings), build_space(embeddings)), list(genres)),
        by_genre(np.where(tempo_bpm > 0, tempo_bpm, np.nan), genres),
        by_genre(centroid_hz, genres),
        count_keys(keys, genres),
    )


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_similarity_figure(names: list[str]):
    statistics = statistics_of(np.array([*names * 3, "ALONE"], dtype=object))
    figure, renderer = look(library_figures.similarity_figure, statistics)
    assert_readable(figure, renderer)
    drawn = np.ma.filled(figure.axes[0].collections[0].get_array(), np.nan)
    assert np.reshape(drawn, statistics.similarity.means.shape) == pytest.approx(
        statistics.similarity.means, nan_ok=True
    )


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_tempo_and_centroid_figure(names: list[str]):
    genres = np.array(names * 3, dtype=object)
    rng = np.random.default_rng(4)
    tempo_bpm, centroid_hz = rng.uniform(60, 200, len(genres)), rng.uniform(400, 6000, len(genres))
    tempo_bpm[0] = 0
    statistics = statistics_of(genres, tempo_bpm, centroid_hz)
    figure, renderer = look(library_figures.tempo_and_centroid_figure, statistics)
    assert_readable(figure, renderer)
    points = np.concatenate([group.get_offsets() for group in figure.axes[0].collections if len(group.get_offsets())])
    drawn = np.sort(points[points[:, 0] > 0][:, 0])
    assert set(np.round(tempo_bpm[1:], 6)) <= set(np.round(drawn, 6))
    assert "1 without a tempo" in renderer.text


def test_songs_without_any_tempo_are_counted():
    genres = np.array(["AMBIENT"] * 2, dtype=object)
    statistics = statistics_of(genres, np.zeros(2), np.array([300.0, 900.0]))
    figure, _ = look(library_figures.tempo_and_centroid_figure, statistics)
    assert "2 without a tempo" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_key_figure(names: list[str]):
    genres = np.array(names * 3, dtype=object)
    keys = np.random.default_rng(5).integers(0, 24, len(genres))
    keys[0] = NO_KEY
    figure, renderer = look(library_figures.key_figure, statistics_of(genres, keys=keys))
    assert_readable(figure, renderer)
    assert "1 without a key" in renderer.text
    minor, major, _ = figure.axes
    assert [label.get_text().split()[0] for label in minor.get_xticklabels()][:3] == ["Am", "Em", "Bm"]
    assert [label.get_text().split()[0] for label in major.get_xticklabels()][-2:] == ["A#", "F"]
    halves = [axes.collections[0].get_array().reshape(len(names), 12) for axes in (minor, major)]
    shares = np.ma.filled(np.ma.hstack(halves), 0)
    for row, name in enumerate(sorted(names)):
        own = keys[genres == name]
        for key, share in zip(library_figures.FIFTHS, shares[row], strict=True):
            assert share == pytest.approx(100 * np.mean(own == key))


def test_columns_of_the_key_figure_go_up_by_fifths_and_are_under_their_relatives():
    steps = np.diff(np.array(library_figures.FIFTHS).reshape(2, 12) % 12, axis=1) % 12
    assert (steps == 7).all()
    assert sorted(library_figures.FIFTHS) == list(range(24))
    minor, major = np.array(library_figures.FIFTHS).reshape(2, 12)
    assert [camelot(key)[:-1] for key in minor] == [camelot(key)[:-1] for key in major]


def test_songs_without_any_key_can_be_drawn():
    statistics = statistics_of(np.array(["A"] * 3, dtype=object), keys=np.full(3, NO_KEY))
    figure, _ = look(library_figures.key_figure, statistics)
    assert "3 without a key" in figure.get_suptitle()


def test_a_crowd_is_drawn_small_whole_and_in_turns():
    genres = np.array(["JAZZ", "ROCK", "TECHNO"] * 3000, dtype=object)
    points = np.random.default_rng(2).normal(size=(9000, 2))
    figure, renderer = look(map_figure, projection(points), genres)
    assert_readable(figure, renderer)
    groups = figure.axes[0].collections
    assert sum(len(group.get_offsets()) for group in groups) == 9000
    assert {group.get_sizes()[0] for group in groups} == {2.0}
    order = [colors.to_hex(group.get_facecolor()[0]) for group in groups]
    assert len(order) > 3
    assert order[:3] == order[3:6]  # no genre covers the others
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["JAZZ (3,000)", "ROCK (3,000)", "TECHNO (3,000)"]
    assert all(handle.get_sizes()[0] >= 30 for handle in legend.legend_handles)


def test_drawable_replaces_what_no_font_has():
    assert drawable("Ёлка — é ñ □ \n a\tb") == "Ёлка — é ñ □ a b"
    assert drawable("\U0010fffd") == "□"  # private use: no font has it
    assert drawable("a\x00\x07b") == "ab"


def test_written_figure_has_150_dpi(tmp_path: Path):
    from PIL import Image

    genres = np.array(["JAZZ"] * 4, dtype=object)
    few = projection(np.eye(4)[:, :2], "PCA", n_neighbours=1)
    path = draw(map_figure, tmp_path / "map.png", few, genres)
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert min(image.size) > 800


def test_every_format_is_written_and_the_same_figure_gives_the_same_bytes(tmp_path: Path):
    few, genres = projection(np.random.default_rng(0).normal(size=(9, 2))), np.array([HARD_TITLE] * 9, dtype=object)
    formats = ("svg", "pdf", "png")
    first = draw(map_figure, tmp_path / "a.png", few, genres, formats=formats)
    draw(map_figure, tmp_path / "b.png", few, genres, formats=formats)
    assert first == tmp_path / "a.svg"
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    for name in formats:
        content = (tmp_path / f"a.{name}").read_bytes()
        assert content.startswith(starts[name])
        if name != "svg":  # matplotlib names its clip paths by their place in memory
            assert content == (tmp_path / f"b.{name}").read_bytes()
