"""Pictures are looked at as a reader would: is every text whole and apart from others, does every panel show something."""

import itertools
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import signals
import soundfile
from matplotlib import colors
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from songmap.core.figures import draw, drawable, figure_style
from songmap.features.analysis import analyse_file
from songmap.journey import column_panels, library_pictures, song_pictures
from songmap.journey.song_pictures import DrawnSong
from songmap.library.keys import NO_KEY, camelot
from songmap.library.palette import genre_colours
from songmap.library.schema import N_COLUMNS

TRUST = (
    "Many neighbours here are neighbours in all 641 columns: of a song's 10 nearest, 63% are among its 10 nearest on "
    "this map (by chance 4%). Trustworthiness 0.91 of 1. Distances between groups, their sizes and the axes mean nothing."
)
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
def song(tmp_path_factory: pytest.TempPathFactory) -> DrawnSong:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, signals.music(8.0), signals.RATE_HZ)
    analysis = analyse_file(path)
    frames = analysis.frames
    return DrawnSong(
        "A song", "an artist · JAZZ · 0:08", analysis.samples, analysis.sample_rate_hz, frames.features, frames.frame_rate_hz,
        frames.beats / frames.frame_rate_hz, frames.values["tempo_bpm"], analysis.embedding,
    )  # fmt: skip


def library_around(song: DrawnSong, n_songs: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    others = song.embedding * rng.uniform(0.8, 1.2, (n_songs - 1, N_COLUMNS)).astype(np.float32)
    return np.concatenate([song.embedding[np.newaxis], others])


@pytest.fixture(scope="module")
def journey(song: DrawnSong) -> tuple[Figure, Recorder]:
    """Looked at among 30 songs."""
    return look(song_pictures.journey_picture, song, library_around(song, 30))


def test_journey_is_readable(journey: tuple[Figure, Recorder]):
    assert_readable(*journey)


def test_journey_with_a_hard_title_of_120_characters(song: DrawnSong):
    hard = DrawnSong(**{**vars(song), "title": HARD_TITLE, "facts": HARD_TITLE})
    figure, renderer = look(song_pictures.journey_picture, hard, library_around(song, 6))
    assert_readable(figure, renderer)
    assert "".join(drawable(HARD_TITLE).split()) in renderer.text.replace(" ", "")


def test_journey_time_axes_are_aligned_and_strips_cover_all_columns(song: DrawnSong, journey: tuple[Figure, Recorder]):
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


def test_strips_show_the_percentiles_of_their_columns(song: DrawnSong, journey: tuple[Figure, Recorder]):
    library = library_around(song, 30)
    figure, _ = journey
    images = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_clim() == (0, 100)]
    expected = 100 * ((library < song.embedding).mean(axis=0) + (library == song.embedding).mean(axis=0) / 2)
    assert np.asarray(images[0].get_array())[0] == pytest.approx(expected[:60])  # timbre: the first 60 columns
    order = [statistic for statistic, _ in column_panels.MEL_LINES]
    mel_mean = np.asarray(images[-1].get_array())[order.index("mean")]
    assert mel_mean == pytest.approx(expected[122:250])


def test_one_song_is_told_that_there_are_no_percentiles(song: DrawnSong):
    figure, renderer = look(song_pictures.journey_picture, song, song.embedding[np.newaxis])
    assert_readable(figure, renderer)
    assert "no percentiles" in renderer.text
    assert "percentile among" not in renderer.text
    assert f"tempo_bpm {song.tempo_bpm:.3f}".rstrip("0") + " BPM" in renderer.text  # the real value instead


def test_beatless_song_is_drawn_without_a_tempo(song: DrawnSong):
    still = DrawnSong(**{**vars(song), "beats_s": np.zeros(0), "tempo_bpm": 0.0})
    figure, renderer = look(song_pictures.journey_picture, still, library_around(song, 3))
    assert_readable(figure, renderer)
    assert "At least 5 songs" in renderer.text  # three have percentiles, but none of them is unusual
    assert "no tempo found" in renderer.text


@pytest.mark.parametrize("duration_s", [3.0, 3700.0])
def test_any_duration_is_drawn_readably_from_few_columns(song: DrawnSong, duration_s: float):
    n_frames = int(duration_s * song.frame_rate_hz) + 1
    samples = np.resize(song.samples, int(duration_s * signals.RATE_HZ))
    features = {name: np.resize(values.T, (n_frames, len(values))).T for name, values in song.features.items()}
    long = DrawnSong(
        "A long mix", "", samples, signals.RATE_HZ, features, song.frame_rate_hz, np.arange(0, duration_s, 0.5), 120.0,
        song.embedding,
    )  # fmt: skip
    figure, renderer = look(song_pictures.journey_picture, long, library_around(song, 6))
    assert_readable(figure, renderer)
    sizes = [image.get_array().shape[1] for axes in figure.axes for image in axes.images]
    assert max(sizes) <= song_pictures.MAX_DRAWN_COLUMNS


def test_condense_is_the_mean_of_equal_parts_and_keeps_short_features():
    feature = np.arange(24.0).reshape(2, 12)
    assert np.array_equal(song_pictures.condense(feature, 12), feature)
    assert np.array_equal(song_pictures.condense(feature, 100), feature)
    assert np.array_equal(song_pictures.condense(feature, 3), feature.reshape(2, 3, 4).mean(axis=2))
    assert song_pictures.condense(np.ones((3, 1001)), 160).shape == (3, 160)


def test_envelope_keeps_a_single_click():
    samples = np.zeros(100_000, np.float32)
    samples[77_777], samples[5] = 0.9, -0.7
    edges, low, high = song_pictures.envelope(samples, 500)
    assert (edges[0], edges[-1], len(edges)) == (0, 100_000, 501)
    assert (high.max(), low.min()) == (np.float32(0.9), np.float32(-0.7))
    place = high.argmax()
    assert edges[place] <= 77_777 < edges[place + 1]


def test_perspectives_are_readable_and_star_the_song(song: DrawnSong):
    rng = np.random.default_rng(1)
    genres = np.array(["JAZZ", "ROCK", "UNKNOWN", "TECHNO"] * 10, dtype=object)
    points = rng.normal(size=(40, 2))
    figure, renderer = look(song_pictures.perspectives_picture, song, points, genres, points[4], "UMAP", TRUST)
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
    figure, renderer = look(library_pictures.map_picture, points, genres, "UMAP", TRUST)
    assert_readable(figure, renderer)
    colours = genre_colours(names)
    drawn = [colors.to_hex(group.get_facecolor()[0]).upper() for group in figure.axes[0].collections]
    assert drawn == [colours[name].upper() for name in sorted(names)]
    assert TRUST in renderer.text


def test_map_in_space_shows_points_in_their_colours():
    names = GENRE_SETS["four"]
    genres = np.array(names * 5, dtype=object)
    points = np.random.default_rng(2).normal(size=(20, 3))
    figure, renderer = look(library_pictures.map_picture, points, genres, "UMAP", TRUST)
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
    figure, renderer = look(library_pictures.map_picture, np.zeros((1, n_dimensions)), genres, "PCA", "One song.")
    assert empty_panels(figure, renderer) == []


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_genre_similarity_picture(names: list[str]):
    genres = np.array([*names * 3, "ALONE"], dtype=object)
    library = np.random.default_rng(3).normal(size=(len(genres), N_COLUMNS)).astype(np.float32)
    assert_readable(*look(library_pictures.genre_similarity_picture, library, genres))


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_tempo_and_centroid_picture(names: list[str]):
    genres = np.array(names * 3, dtype=object)
    rng = np.random.default_rng(4)
    tempo_bpm, centroid_hz = rng.uniform(60, 200, len(genres)), rng.uniform(400, 6000, len(genres))
    tempo_bpm[0] = 0
    figure, renderer = look(library_pictures.tempo_and_centroid_picture, tempo_bpm, centroid_hz, genres)
    assert_readable(figure, renderer)
    points = np.concatenate([group.get_offsets() for group in figure.axes[0].collections if len(group.get_offsets())])
    drawn = np.sort(points[points[:, 0] > 0][:, 0])
    assert set(np.round(tempo_bpm[1:], 6)) <= set(np.round(drawn, 6))
    assert "1 without a tempo" in renderer.text


def test_no_song_with_a_tempo_is_said():
    genres = np.array(["AMBIENT"] * 2, dtype=object)
    figure, _ = look(library_pictures.tempo_and_centroid_picture, np.zeros(2), np.array([300.0, 900.0]), genres)
    assert "2 without a tempo" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize("names", GENRE_SETS.values(), ids=GENRE_SETS)
def test_key_picture(names: list[str]):
    genres = np.array(names * 3, dtype=object)
    keys = np.random.default_rng(5).integers(0, 24, len(genres))
    keys[0] = NO_KEY
    figure, renderer = look(library_pictures.key_picture, keys, genres)
    assert_readable(figure, renderer)
    assert "1 without a key" in renderer.text
    minor, major, _ = figure.axes
    assert [label.get_text().split()[0] for label in minor.get_xticklabels()][:3] == ["Am", "Em", "Bm"]
    assert [label.get_text().split()[0] for label in major.get_xticklabels()][-2:] == ["A#", "F"]
    shares = np.ma.filled(np.ma.hstack([axes.images[0].get_array() for axes in (minor, major)]), 0)
    for row, name in enumerate(sorted(names)):
        own = keys[genres == name]
        for key, share in zip(library_pictures.FIFTHS, shares[row], strict=True):
            assert share == pytest.approx(100 * np.mean(own == key))


def test_columns_of_the_key_picture_go_up_by_fifths_and_stand_under_their_relatives():
    steps = np.diff(np.array(library_pictures.FIFTHS).reshape(2, 12) % 12, axis=1) % 12
    assert (steps == 7).all()
    assert sorted(library_pictures.FIFTHS) == list(range(24))
    minor, major = np.array(library_pictures.FIFTHS).reshape(2, 12)
    assert [camelot(key)[:-1] for key in minor] == [camelot(key)[:-1] for key in major]


def test_songs_without_any_key_can_be_drawn():
    figure, _ = look(library_pictures.key_picture, np.full(3, NO_KEY), np.array(["A"] * 3, dtype=object))
    assert "3 without a key" in figure.get_suptitle()


def test_a_crowd_is_drawn_small_whole_and_in_turns():
    genres = np.array(["JAZZ", "ROCK", "TECHNO"] * 3000, dtype=object)
    points = np.random.default_rng(2).normal(size=(9000, 2))
    figure, renderer = look(library_pictures.map_picture, points, genres, "UMAP", TRUST)
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


def test_written_picture_has_150_dpi(tmp_path: Path):
    from PIL import Image

    genres = np.array(["JAZZ"] * 4, dtype=object)
    path = draw(library_pictures.map_picture, tmp_path / "map.png", np.eye(4)[:, :2], genres, "PCA", "Few songs.")
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert min(image.size) > 800


def test_every_format_is_written_and_the_same_picture_gives_the_same_bytes(song: DrawnSong, tmp_path: Path):
    hard = DrawnSong(**{**vars(song), "title": HARD_TITLE})
    formats = ("svg", "pdf", "png")
    first = draw(song_pictures.journey_picture, tmp_path / "a.png", hard, library_around(song, 6), formats=formats)
    draw(song_pictures.journey_picture, tmp_path / "b.png", hard, library_around(song, 6), formats=formats)
    assert first == tmp_path / "a.svg"
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    for name in formats:
        content = (tmp_path / f"a.{name}").read_bytes()
        assert content.startswith(starts[name])
        if name != "svg":  # matplotlib names its clip paths by their place in memory
            assert content == (tmp_path / f"b.{name}").read_bytes()
