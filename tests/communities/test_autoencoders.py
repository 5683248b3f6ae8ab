"""Autoencoders: their codes, training, floors and files, on excerpts made of random numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from libraries import labelled_library
from sklearn.decomposition import PCA

torch = pytest.importorskip("torch")

from songmap.communities.autoencoder_evaluation import evaluate, song_vectors  # noqa: E402
from songmap.communities.autoencoder_examples import griffin_lim  # noqa: E402
from songmap.communities.autoencoder_floors import fit_floors, group_difference, split_songs  # noqa: E402
from songmap.communities.autoencoder_results import Outcome  # noqa: E402
from songmap.communities.autoencoder_settings import (  # noqa: E402
    ACTIVATIONS,
    KIND,
    LOSSES,
    MAPS,
    AutoencoderSettings,
    Latent,
    level_decibels,
    levels,
)
from songmap.communities.autoencoder_trained import autoencoder_files, load_autoencoder, save_autoencoder  # noqa: E402
from songmap.communities.autoencoder_training import AutoencoderTask  # noqa: E402
from songmap.communities.autoencoders import Autoencoder, objective, reconstruction_errors  # noqa: E402
from songmap.core.errors import SchemaError, UsageError  # noqa: E402
from songmap.core.workspace import Workspace  # noqa: E402
from songmap.library.schema import N_COLUMNS  # noqa: E402
from songmap.spectrogram.excerpts import Excerpts  # noqa: E402

SETTINGS = AutoencoderSettings(epochs=3, batch=4, warm_up=2)
SHAPE = (KIND.n_bands, KIND.n_frames)


def some_excerpts(n: int, seed: int = 0) -> np.ndarray:
    """Excerpts that are sums of four smooth patterns, and a little noise: a code of few numbers can hold them."""
    rng = np.random.default_rng(seed)
    bands, frames = np.linspace(0, 1, SHAPE[0])[:, None], np.linspace(0, 1, SHAPE[1])
    patterns = np.stack([np.cos(np.pi * (p * bands + q * frames)) for p, q in ((1, 0), (0, 2), (2, 1), (3, 3))])
    values = -40 + 8 * np.tensordot(rng.standard_normal((n, 4)), patterns, 1) + rng.standard_normal((n, *SHAPE))
    return values.clip(-80, 0).astype(np.float16)


@pytest.fixture
def values(monkeypatch):
    """16 excerpts of 8 songs, in place of a workspace's."""
    made = some_excerpts(16)
    excerpts = Excerpts(KIND, made, np.repeat(np.arange(8), 2), np.tile([0.0, 5.0], 8))
    monkeypatch.setattr("songmap.communities.autoencoder_training.open_excerpts", lambda *_: excerpts)
    return made


def task_of(folder, settings, key="key") -> AutoencoderTask:
    songs = [np.arange(2 * song, 2 * song + 2) for song in range(6)]
    return AutoencoderTask(Workspace(folder), songs, np.arange(12, 16), settings, folder / f"{key}.pt", key)


def network_of(settings: AutoencoderSettings) -> Autoencoder:
    return Autoencoder(settings, torch.full((SHAPE[0],), 0.4), torch.full((SHAPE[0],), 0.2))


@pytest.mark.parametrize("model", ["cae", "vae"])
@pytest.mark.parametrize("latent", [*MAPS, "16", "128"])
def test_the_latent_has_the_size_that_is_named(model, latent):
    settings = AutoencoderSettings(model, latent)
    network = network_of(settings).eval()
    codes = network.encode(torch.rand(2, *SHAPE))
    assert tuple(codes.shape[1:]) == settings.code.shape == tuple(int(one) for one in latent.split("x"))
    assert network.decode(codes).shape == (2, *SHAPE)
    logits, divergence = network(torch.rand(2, *SHAPE))
    assert logits.shape == (2, *SHAPE)
    assert (divergence is None) == (model == "cae")


def test_published_latents_are_called_what_they_are():
    assert [Latent.named(name).size for name in MAPS] == [5184, 3888, 18144, 180]
    assert [Latent.named(name).is_bottleneck for name in MAPS] == [True, True, False, True]
    assert [Latent.named(name).song_size for name in MAPS] == [192, 144, 336, 20]


@pytest.mark.parametrize("latent", ["15", "129", "12x27", "12x27x17", "-32", "32x", "", "٣٢"])
def test_there_is_no_other_latent(latent):
    with pytest.raises(UsageError, match=r"no latent .*; give 16 to 128 for a vector, or 12x27x16"):
        AutoencoderSettings(latent=latent)


@pytest.mark.parametrize("wrong", [{"loss": "mse"}, {"dropout": 0.9}, {"beta": float("nan")}, {"learning_rate": 0.0}])
def test_other_settings_are_refused(wrong):
    with pytest.raises(UsageError):
        AutoencoderSettings(**wrong)


def test_the_code_is_the_mean_of_the_posterior_and_draws_differ():
    network = network_of(AutoencoderSettings("vae")).eval()
    x = torch.rand(2, *SHAPE)
    torch.manual_seed(0)
    drawn = [network(x)[0] for _ in range(2)]
    assert not torch.equal(*drawn)
    assert torch.equal(network.encode(x), network.encode(x))
    # one sample of the posterior, against the closed form of Kingma & Welling
    means, log_variances = network._posterior(x)
    expected = -0.5 * (1 + log_variances - means**2 - log_variances.exp()).sum(dim=1)
    torch.testing.assert_close(network(x)[1], expected)


def test_losses_equal_their_definitions():
    rng = np.random.default_rng(0)
    x, logits = rng.random((3, *SHAPE)), rng.standard_normal((3, *SHAPE))
    y = 1 / (1 + np.exp(-logits))
    cosine = 1 - (x * y).sum(axis=(1, 2)) / np.sqrt((x**2).sum(axis=(1, 2)) * (y**2).sum(axis=(1, 2)))
    expected = {"gaussian": ((x - y) ** 2).mean(axis=(1, 2)), "cosine": cosine,
                "bernoulli": -(x * np.log(y) + (1 - x) * np.log(1 - y)).mean(axis=(1, 2))}  # fmt: skip
    assert set(expected) == set(LOSSES)
    for loss, error in expected.items():
        own = reconstruction_errors(torch.from_numpy(x), torch.from_numpy(logits), loss)
        np.testing.assert_allclose(own.numpy(), error, rtol=1e-9)
    vae, error, divergence = AutoencoderSettings("vae", beta=2.0), torch.tensor(0.01), torch.tensor(20736.0)
    assert float(objective(error, divergence, vae, share=0.5)) == pytest.approx(np.log(0.1) + 1)
    assert float(objective(error, None, vae)) == pytest.approx(0.01)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", ["cae", "vae"])
def test_the_loss_falls(values, tmp_path, model, loss):
    fitted = task_of(tmp_path, replace(SETTINGS, model=model, loss=loss, epochs=6)).train("cpu")
    losses = [one.loss for one in fitted.epochs]
    assert losses[-1] < losses[0]
    assert all((one.divergence is None) == (model == "cae") for one in fitted.epochs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_dropout_trains(values, tmp_path, activation):
    fitted = task_of(tmp_path, replace(SETTINGS, activation=activation, dropout=0.3, epochs=4)).train("cpu")
    assert fitted.epochs[-1].loss < fitted.epochs[0].loss
    assert np.array_equal(fitted.codes(values), fitted.codes(values))


def test_a_few_excerpts_are_reconstructed_nearly_exactly(values, tmp_path):
    """The patterns have 11 dB, the noise 1: what an autoencoder that works leaves is a little more than noise."""
    task = task_of(tmp_path, replace(SETTINGS, epochs=40, patience=40, learning_rate=1e-2))
    fitted = replace(task, validation=np.arange(12)).train("cpu")
    shown = levels(values[:12])
    error_db = 80 * float(np.sqrt(np.square(fitted.decoded(fitted.codes(values[:12])) - shown).mean()))
    spread_db = 80 * float((shown - shown.mean(axis=0)).std())
    assert error_db < spread_db / 4


def test_songs_that_stay_out_decide_which_epoch_is_used(values, tmp_path):
    fitted = task_of(tmp_path, replace(SETTINGS, epochs=4)).train("cpu")
    assert fitted.best_epoch == int(np.argmin([one.validation_loss for one in fitted.epochs])) + 1
    outside = fitted.decoded(fitted.codes(values[12:]))
    error_db = 80 * float(np.sqrt(np.square(outside - levels(values[12:])).mean()))
    assert error_db == pytest.approx(fitted.epochs[fitted.best_epoch - 1].validation_rmse_db, rel=1e-5)


def weights(fitted) -> list[np.ndarray]:
    return [one.numpy() for one in fitted.network.state_dict().values()]


@pytest.mark.parametrize("model", ["cae", "vae"])
def test_a_stopped_training_ends_as_one_that_was_not(values, tmp_path, model):
    settings = replace(SETTINGS, model=model, epochs=4, dropout=0.2)

    def stop(history) -> None:
        if len(history) == 2:
            raise KeyboardInterrupt

    whole = task_of(tmp_path, settings, "whole").train("cpu")
    stopped = task_of(tmp_path, settings, "stopped")
    with pytest.raises(KeyboardInterrupt):
        stopped.train("cpu", stop)
    assert len(stopped.history()) == 2
    torch.manual_seed(99)  # the state of the process that goes on does not matter
    resumed = stopped.train("cpu")
    assert resumed.epochs == whole.epochs
    assert all(np.array_equal(one, two) for one, two in zip(weights(resumed), weights(whole), strict=True))


def test_a_damaged_checkpoint_is_one_line(values, tmp_path):
    task = task_of(tmp_path, replace(SETTINGS, epochs=1))
    task.train("cpu")
    content = bytearray(task.checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    task.checkpoint.write_bytes(content)
    with pytest.raises(SchemaError, match="is damaged or not a checkpoint; delete it and run 08_song_communities"):
        task.train("cpu")


def test_a_checkpoint_of_another_autoencoder_is_one_line(values, tmp_path):
    task = task_of(tmp_path, replace(SETTINGS, epochs=1))
    task.train("cpu")
    with pytest.raises(SchemaError, match=r"is not a checkpoint .* run 08_song_communities.py --autoencoder again"):
        replace(task, settings=replace(SETTINGS, latent="4x9x5", epochs=2)).train("cpu")


def test_principal_components_equal_those_of_scikit_learn():
    values, others = some_excerpts(12), some_excerpts(3, seed=1)
    floors = fit_floors(values, np.arange(12), 5)
    pca = PCA(5, svd_solver="full").fit(levels(values).reshape(12, -1).astype(np.float64))
    x = levels(others).reshape(3, -1)
    expected = pca.inverse_transform(pca.transform(x)).clip(0, 1)
    np.testing.assert_allclose(floors.by_pca(levels(others)).reshape(3, -1), expected, atol=1e-4)
    np.testing.assert_allclose(floors.by_mean(levels(others))[1].ravel(), pca.mean_, atol=1e-5)
    assert len(fit_floors(values, np.arange(12), 500).axes) == 11


def test_equal_excerpts_have_no_component():
    values = np.repeat(some_excerpts(1), 4, axis=0)
    floors = fit_floors(values, np.arange(4), 16)
    np.testing.assert_allclose(floors.by_pca(levels(values)), levels(values), atol=1e-3)


def test_groups_decide_whether_components_are_beaten():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 4)
    own, noise = rng.random(24), 0.1 * rng.standard_normal(24)
    difference, low, high, outcome = group_difference(own, own + 1 + noise, groups)
    assert outcome is Outcome.BETTER
    assert low < difference < high
    assert group_difference(own, own - 1 + noise, groups)[3] is Outcome.WORSE
    assert group_difference(own, own + noise, groups)[3] is Outcome.NOT_SHOWN
    alone = group_difference(own, own + 1, np.zeros(24))
    assert alone[3] is Outcome.NOT_SHOWN
    assert np.isnan(alone[1:3]).all()
    # many songs of one group count as one
    assert group_difference(own, own + (groups == 0), groups)[0] == pytest.approx(1 / 6)


def test_splits_keep_artists_and_recordings_together():
    artists = [f"artist {song // 3}" for song in range(30)]
    library = labelled_library(np.random.default_rng(0).standard_normal((30, N_COLUMNS)), ["A"] * 30, artists)
    songs = np.arange(1, 30)
    split = split_songs(library, songs, 42)
    parts = [split.train, split.validation, split.test]
    assert sorted(np.concatenate(parts).tolist()) == songs.tolist()
    names = [{artists[song] for song in part} for part in parts]
    assert all(names)
    assert not (names[0] & names[1] or names[0] & names[2] or names[1] & names[2])
    assert split.grouped_by == "artist"
    two = labelled_library(library.embeddings, ["A"] * 30, [f"artist {song % 2}" for song in range(30)])
    assert split_songs(two, songs, 42).grouped_by == "recording"
    with pytest.raises(UsageError, match="needs 3 different recordings, there are 2"):
        split_songs(two, songs[:2], 42)


@pytest.mark.parametrize(("latent", "size"), [("16", 16), ("4x9x5", 20)])
def test_vectors_of_songs_are_means_of_codes(values, tmp_path, latent, size):
    fitted = task_of(tmp_path, replace(SETTINGS, model="vae", latent=latent, epochs=1)).train("cpu")
    excerpts = Excerpts(KIND, values, np.repeat(np.arange(8), 2), np.zeros(16))
    vectors, active = song_vectors(fitted, excerpts, 9)
    codes = fitted.codes(values[4:6])
    expected = codes.mean(axis=2).reshape(2, -1) if latent == "4x9x5" else codes
    np.testing.assert_allclose(vectors[2], expected.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(vectors[8], vectors[:8].mean(axis=0), atol=1e-5)  # without excerpts
    assert vectors.shape == (9, size)
    assert 0 <= active <= fitted.settings.code.size


def test_scores_are_of_the_test_songs_alone(values, tmp_path):
    fitted = task_of(tmp_path, replace(SETTINGS, epochs=1)).train("cpu")
    floors = fit_floors(values, np.arange(12), 16)
    excerpts = Excerpts(KIND, values, np.repeat(np.arange(8), 2), np.zeros(16))
    scores, comparison = evaluate(fitted, floors, excerpts, np.array([6, 7]), np.arange(8))
    assert [one.method for one in scores] == ["autoencoder", "pca", "mean"]
    x = levels(values[12:]).reshape(2, -1)
    mean = np.tile(levels(values[:12]).mean(axis=0).ravel(), (2, 2))
    assert scores[2].rmse_db == pytest.approx(80 * np.sqrt(np.square(x - mean).mean(axis=1)).mean(), rel=1e-4)
    assert scores[1].rmse_db < scores[2].rmse_db
    assert comparison.difference == pytest.approx(scores[1].rmse_db - scores[0].rmse_db)


def test_files_are_read_back_and_tampering_is_one_line(values, tmp_path):
    workspace = Workspace(tmp_path)
    fitted = task_of(tmp_path, replace(SETTINGS, model="vae", epochs=1)).train("cpu")
    save_autoencoder(workspace, fitted, "key", {"device": "cpu"})
    loaded = load_autoencoder(workspace, "vae_32")
    assert np.array_equal(loaded.codes(values), fitted.codes(values))
    assert (loaded.settings, loaded.epochs) == (fitted.settings, fitted.epochs)
    weights_file, card_file = autoencoder_files(workspace, "vae_32")
    card, content = json.loads(card_file.read_text()), weights_file.read_bytes()
    changes = ({"latent": "64"}, {"latent": "15"}, {"model": "cae"}, {"loss": 1}, {"other": 1})
    for change in changes:
        card_file.write_text(json.dumps(card | {"settings": card["settings"] | change}))
        with pytest.raises(SchemaError, match="is not an autoencoder of these settings"):
            load_autoencoder(workspace, "vae_32")
    for change in ({"best_epoch": 7}, {"best_epoch": 0}, {"epochs": [card["epochs"][0] | {"loss": "1"}]}):
        card_file.write_text(json.dumps(card | change))
        with pytest.raises(SchemaError, match="is not an autoencoder of these settings"):
            load_autoencoder(workspace, "vae_32")
    card_file.write_text(json.dumps(card))
    weights_file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SchemaError, match=r"is not the file that vae_32.json describes; delete vae_32.json"):
        load_autoencoder(workspace, "vae_32")


def test_a_tone_sounds_at_its_frequency():
    from songmap.spectrogram.excerpts import band_frequencies_hz

    decibels = np.full(SHAPE, -80.0, np.float32)
    decibels[50] = 0
    samples = griffin_lim(decibels)
    power = np.abs(np.fft.rfft(samples))
    peak_hz = power.argmax() * 22_050 / len(samples)
    assert abs(peak_hz / band_frequencies_hz("mel")[50] - 1) < 0.05
    assert level_decibels(levels(decibels)) == pytest.approx(decibels)


def test_a_code_of_more_numbers_than_components_is_not_praised():
    from songmap.communities.autoencoder_results import GridPoint, GridReport, PcaComparison, ReconstructionScore
    from songmap.communities.views.autoencoder_sentences import grid_sentence

    scores = [ReconstructionScore("autoencoder", 18_144, 4.22, 0.01), ReconstructionScore("pca", 279, 5.37, 0.02)]
    comparison = PcaComparison("rmse_db", 1.15, 1.0, 1.3, Outcome.BETTER)
    point = GridPoint(5, 0.005, 8, 8, 0.1, 4.0, 4.22, 0.01)
    report = GridReport("cae_24x54x14", {}, [point], 0, scores, comparison, 16, 4, "artist", [])
    assert grid_sentence(report) == (
        "The smallest loss on validation songs has batch 5 with rate 0.005. It reconstructs 16 songs by other artists "
        "better than 279 principal components, all that there are for its 18,144 numbers: error 4.22 dB against 5.37 dB "
        "(−1.15, 95 % interval −1.30 to −1.00)."
    )
