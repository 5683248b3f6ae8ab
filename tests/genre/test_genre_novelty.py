"""Songs that sound like none of the genres: the distance, its threshold, and what it detects."""

import numpy as np
import pytest
import soundfile
from scripts import run_script
from signals import RATE_HZ, music, noise, pink_noise, speech

from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_file
from songmap.genre.novelty import fit_detector, fit_novelty, song_novelty, threshold
from songmap.genre.novelty_results import SongNovelty
from songmap.library.descriptors import DESCRIPTORS, describe
from songmap.library.genre_model import Calibration, GenreModel, NoveltyDetector, save_model
from songmap.library.schema import FAMILIES, N_COLUMNS

GENRES = ["A", "B", "C"]


def songs_of_genres(n_songs: int, centres: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings ``(n_songs, 641)`` of genres in turn, whose columns are around ``centres (n_genres, 641)``."""
    labels = np.arange(n_songs) % len(centres)
    return centres[labels] + np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS)), labels


def centres_of(n_genres: int, distance: float) -> np.ndarray:
    return 20 + distance * np.random.default_rng(9).standard_normal((n_genres, N_COLUMNS))


def test_the_distance_is_to_the_nearest_genre_in_its_standard_deviations_with_equal_families():
    rng = np.random.default_rng(0)
    centres, spreads = rng.standard_normal((2, 157)), rng.uniform(0.5, 2, (2, 157))
    songs = rng.standard_normal((4, 157))
    wanted = []
    for song in songs:
        distances = []
        for centre, spread in zip(centres, spreads, strict=True):
            squares = ((song - centre) / spread) ** 2
            means = [
                np.mean([square for square, one in zip(squares, DESCRIPTORS, strict=True) if one.family == family])
                for family in FAMILIES
            ]
            distances.append(np.sqrt(np.mean(means)))
        wanted.append(min(distances))
    assert NoveltyDetector(centres, spreads, 1.0).distances_of(songs) == pytest.approx(wanted)


def test_a_detector_has_the_genres_means_and_their_deviations_with_one_song_of_average_variance():
    rng = np.random.default_rng(0)
    descriptors, labels = rng.standard_normal((10, 157)), np.array([0] * 7 + [2] * 3)
    descriptors[7:, 5] = 4.0  # equal in the second genre
    descriptors[:, 6] = 1.1  # and equal everywhere
    detector = fit_detector(descriptors, labels)
    assert detector.centres == pytest.approx(np.stack([descriptors[:7].mean(axis=0), descriptors[7:].mean(axis=0)]))
    average = (descriptors[:7, 5].var() + 0) / 2
    assert detector.spreads[:, 5] ** 2 == pytest.approx([(7 * 2 * average + average) / 8, average / 4])
    assert (detector.spreads[:, 6] == 1).all()


@pytest.mark.parametrize(("n_songs", "place"), [(5, 4), (18, 17), (19, 18), (39, 37), (100, 95)])
def test_the_threshold_is_the_finite_sample_quantile(n_songs, place):
    distances = np.random.default_rng(0).permutation(np.linspace(1, 2, n_songs))
    assert threshold(distances) == np.sort(distances)[place]


def test_a_song_is_novel_above_the_threshold():
    embeddings, labels = songs_of_genres(20, centres_of(2, 1.0))
    fitted = fit_detector(describe(embeddings), labels)
    distances = fitted.distances(embeddings).tolist()
    middle = float(np.median(distances))
    detector = NoveltyDetector(fitted.centres, fitted.spreads, middle)
    wanted = [SongNovelty(distance, middle, distance > middle) for distance in distances]
    assert song_novelty(detector, embeddings) == wanted
    assert sum(one.is_novel for one in wanted) == 10


def test_new_songs_of_the_genres_exceed_the_threshold_about_as_often_as_wanted():
    shares, measured = [], []
    centres = centres_of(2, 1.0)
    for seed in range(30):
        embeddings, labels = songs_of_genres(240, centres, seed)
        detectors, scores = fit_novelty(embeddings[:60], labels[:60], GENRES[:2], np.arange(60) % 6)
        shares.append((detectors[-1].distances(embeddings[60:]) > detectors[-1].threshold).mean())
        measured.append(scores.false_alarms)
    assert 0.01 <= np.mean(shares) <= 0.06  # below 0.05, since the final model is of more songs than those of folds
    assert np.mean(measured) == pytest.approx(0.05, abs=0.02)


def test_no_song_takes_part_in_its_own_distance():
    embeddings, labels = songs_of_genres(60, centres_of(2, 1.0))
    fold_of = np.arange(60) % 6
    detectors, _ = fit_novelty(embeddings, labels, GENRES[:2], fold_of)
    assert len(detectors) == 7
    changed = np.where((fold_of == 2)[:, np.newaxis], embeddings + 5, embeddings)
    tested = np.where(
        (fold_of == 5)[:, np.newaxis], embeddings + 5, embeddings
    )  # the last: in no other's training data
    again, of_tested = (fit_novelty(songs, labels, GENRES[:2], fold_of)[0] for songs in (changed, tested))
    equal = [np.array_equal(one.centres, other.centres) for one, other in zip(detectors, again, strict=True)]
    assert equal == [False, False, True, False, False, False, False]
    equal = [np.array_equal(one.centres, other.centres) for one, other in zip(detectors, of_tested, strict=True)]
    assert equal == [True] * 6 + [False]


@pytest.mark.parametrize(("n_genres", "distance"), [(2, 3.0), (3, 3.0), (3, 0.0)])
def test_a_genre_left_out_of_training_is_detected_where_it_differs(n_genres, distance):
    centres = centres_of(n_genres, distance)
    embeddings, labels = songs_of_genres(120, centres)
    _, scores = fit_novelty(embeddings, labels, GENRES[:n_genres], np.arange(120) // n_genres % 6)
    assert [one.genre for one in scores.genres] == GENRES[:n_genres]
    assert [one.songs for one in scores.genres] == [120 // n_genres] * n_genres
    for one in scores.genres:
        if distance:
            assert one.auroc > 0.99
            assert one.detected > 0.9
        else:
            assert one.auroc == pytest.approx(0.5, abs=0.12)
            assert one.detected < 0.2
    assert scores.auroc == pytest.approx(np.mean([one.auroc for one in scores.genres]))


def test_a_narrow_genre_beside_a_varied_one_keeps_its_own_measure():
    """With common standard deviations, songs that are unlike any of the narrow genre would be nearer to it than most
    songs of the varied genre are to theirs.
    """
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    spread = np.where(labels == 0, 0.2, 3.0)[:, np.newaxis]
    embeddings = 30 + 6 * labels[:, np.newaxis] + spread * rng.standard_normal((120, N_COLUMNS))
    detector = fit_novelty(embeddings, labels, GENRES[:2], np.arange(120) // 2 % 6)[0][-1]
    near = 30 + 0.2 * rng.standard_normal((20, N_COLUMNS))
    beside = 28.5 + 0.2 * rng.standard_normal((20, N_COLUMNS))
    assert not (detector.distances(near) > detector.threshold).any()
    assert (detector.distances(beside) > detector.threshold).all()


def band(seed: int) -> np.ndarray:
    """Six seconds of ``music`` at another pitch and tempo, and quieter or louder."""
    rng = np.random.default_rng(seed)
    samples = music(9.0, seed=seed)
    played = np.interp(np.arange(6 * RATE_HZ) * rng.uniform(0.8, 1.3), np.arange(len(samples)), samples)
    return (rng.uniform(0.6, 1.2) * played + 0.004 * rng.standard_normal(len(played))).astype(np.float32)


def organ(seed: int) -> np.ndarray:
    """Six seconds of held chords."""
    rng, time_s = np.random.default_rng(seed), np.arange(6 * RATE_HZ) / RATE_HZ
    roots_hz = 220 * 2 ** (rng.integers(0, 12, 3) / 12)
    chords = [
        sum(np.sin(2 * np.pi * root_hz * ratio * time_s) / ratio for ratio in (1, 1.25, 1.5, 2, 3, 4))
        for root_hz in roots_hz
    ]
    chord = np.choose((time_s // 2).astype(int), chords)
    return (0.1 * chord + 0.002 * rng.standard_normal(len(time_s))).astype(np.float32)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A model of 20 songs each of a band and of an organ, fitted on their files."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folder = tmp_path_factory.mktemp("novelty")
    embeddings, labels = [], np.arange(40) % 2
    for number, label in enumerate(labels):
        path = folder / f"{number}.wav"
        soundfile.write(path, (band, organ)[label](number), RATE_HZ)
        embeddings.append(analyse_file(path).embedding)
    songs = np.stack(embeddings)
    pipeline = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    pipeline.fit(songs, labels)
    detectors, _ = fit_novelty(songs, labels, ["BAND", "ORGAN"], np.arange(40) // 2 % 5)
    medians = np.stack([np.median(songs[labels == label], axis=0) for label in (0, 1)])
    calibration = Calibration((1.0,), 0.0, 0.0, np.array([0.5, 0.5]))
    model = GenreModel("lda", [pipeline], ["BAND", "ORGAN"], calibration, songs[:4], medians, 0.3, detectors[-1])
    save_model(Workspace(folder), model, {"data": "", "limits": [], "songs_per_genre": {"BAND": 20, "ORGAN": 20}})
    return Workspace(folder)


STRAYS = {
    "white noise": noise(6.0), "pink noise": pink_noise(6.0), "speech": speech(6.0), "near silence": noise(6.0, level=3e-4),
}  # fmt: skip


@pytest.mark.parametrize("name", STRAYS)
def test_noise_speech_and_near_silence_sound_like_none_of_the_genres(workspace, tmp_path, name):
    path = tmp_path / "stray.wav"
    soundfile.write(path, STRAYS[name], RATE_HZ)
    result = run_script("03", "--workspace", workspace.root, "--verbose", "--classify", path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("unlike the training data") == 2  # in the table and in the sentences


@pytest.mark.parametrize("genre", [band, organ])
def test_a_new_song_of_a_genre_does_not(workspace, tmp_path, genre):
    path = tmp_path / "song.wav"
    soundfile.write(path, genre(99), RATE_HZ)
    result = run_script("03", "--workspace", workspace.root, "--verbose", "--classify", path)
    assert result.returncode == 0, result.stderr
    assert "unlike" not in result.stdout
    assert f"predicted {genre.__name__.upper()}" in result.stdout


def test_silence_is_refused_before(workspace, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(6 * RATE_HZ, np.float32), RATE_HZ)
    result = run_script("03", "--workspace", workspace.root, "--verbose", "--classify", path)
    assert result.returncode == 1
    assert "not classified" in result.stderr
    assert "silent" in result.stderr
