"""Networks, their training and their files, on excerpts made of random numbers."""

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songmap.core.errors import SchemaError, UsageError  # noqa: E402
from songmap.core.workspace import Workspace  # noqa: E402
from songmap.spectrogram import training  # noqa: E402
from songmap.spectrogram.augmentation import mixup, spec_augment  # noqa: E402
from songmap.spectrogram.checkpoints import history_file, read_history, save_checkpoint  # noqa: E402
from songmap.spectrogram.excerpts import KINDS, Excerpts  # noqa: E402
from songmap.spectrogram.networks import NETWORKS, build_network  # noqa: E402
from songmap.spectrogram.results import EpochScores  # noqa: E402
from songmap.spectrogram.settings import TrainingSettings  # noqa: E402
from songmap.spectrogram.trained import load_network, network_files, save_network  # noqa: E402
from songmap.spectrogram.training import TrainingSongs, train  # noqa: E402

SETTINGS = TrainingSettings(epochs=3, batch=8)
PLAIN = {"mixup": 0.0, "band_mask": 0.0, "frame_mask": 0.0}
SIZES = {"image": (100, 100), "frames": (128, 599), "residual": (96, 216)}


def excerpts_of_genres(n_songs: int, n_excerpts: int, effect_db: float, kind: str = "image", seed: int = 0):
    """Excerpts of songs of two genres in turn; genre 1 is louder in the lower half by ``effect_db``."""
    rng, one = np.random.default_rng(seed), KINDS[kind]
    values = rng.normal(-40, 5, (n_songs * n_excerpts, one.n_bands, one.n_frames))
    labels = np.arange(n_songs) % 2
    values[np.repeat(labels, n_excerpts) == 1, : one.n_bands // 2] += effect_db
    rows = np.split(np.arange(len(values)), n_songs)
    groups = np.array([f"artist {song // 2}" for song in range(n_songs)])
    return values.clip(-80, 0).astype(np.float16), TrainingSongs(rows, labels, groups, ["A", "B"])


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_of_networks(name):
    bands, frames = SIZES[name]
    network = build_network(name, bands, frames, 5).eval()
    seen = {}
    for layer, block in network.layers().items():
        block.register_forward_hook(lambda _, __, output, layer=layer: seen.update({layer: output.shape}))
    x = torch.randn(2, bands, frames)
    assert network(x).shape == (2, 5)
    assert network.penultimate(x).shape == (2, network.n_features)
    assert list(seen) == [f"block{number}" for number in range(1, len(network.FILTERS) + 1)]
    assert [shape[1] for shape in seen.values()] == list(network.FILTERS)
    assert {len(shape) for shape in seen.values()} == {3 if name == "frames" else 4}
    assert (network.penultimate(x) >= 0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_response_is_where_its_geometry_says(name):
    """A gradient reaches exactly the frames around the centre that a layer's output depends on."""
    bands, frames = SIZES[name]
    network = build_network(name, bands, frames, 2).eval()
    for layer, block in network.layers().items():
        seen = []
        handle = block.register_forward_hook(lambda _, __, output, seen=seen: seen.append(output))
        x = torch.randn(1, bands, frames, requires_grad=True)
        network(x)
        handle.remove()
        geometry, at = network.geometry(layer), seen[0].shape[-1] // 2
        if geometry.receptive > frames - geometry.hop:
            continue  # as long as the excerpt
        seen[0][..., at].abs().sum().backward()
        reached = torch.nonzero(x.grad.abs().sum(dim=(0, 1)))[:, 0]
        centre = geometry.first + at * geometry.hop
        assert reached.min() >= centre - (geometry.receptive - 1) / 2
        assert reached.max() <= centre + (geometry.receptive - 1) / 2
        assert reached.max() - reached.min() > 0.6 * (geometry.receptive - 1)
        assert abs(float(reached.min() + reached.max()) / 2 - centre) <= geometry.hop


def test_there_is_no_other_network():
    with pytest.raises(UsageError, match="no network 'wide'; there are image, frames, residual"):
        build_network("wide", 100, 100, 2)
    with pytest.raises(UsageError, match="no network 'wide'"):
        TrainingSettings(network="wide")
    with pytest.raises(UsageError, match="mfcc is for network frames"):
        TrainingSettings(input="mfcc")


def test_masks_keep_shapes_and_cover_a_range():
    torch.manual_seed(0)
    x = torch.ones(64, 50, 80)
    masked = spec_augment(x, 0.2, 0.5)
    assert masked.shape == x.shape
    assert (x == 1).all()
    hidden_bands, hidden_frames = (masked == 0).all(dim=2).sum(dim=1), (masked == 0).all(dim=1).sum(dim=1)
    assert 0 < hidden_bands.max() <= 11
    assert 20 < hidden_frames.max() <= 41
    assert torch.equal(spec_augment(x, 0.0, 0.0), x)


def test_mixtures_keep_shapes_and_labels():
    torch.manual_seed(0)
    labels = torch.arange(32) % 3
    x = labels[:, None, None].expand(32, 4, 5).float()
    mixed, targets = mixup(x, labels, 3, 0.5)
    assert mixed.shape == x.shape
    assert targets.shape == (32, 3)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(32))
    # an excerpt is its label everywhere: mixed by the same share, it is its target's mean
    torch.testing.assert_close(mixed[:, 0, 0], targets @ torch.arange(3.0))
    assert not torch.equal(mixed, x)
    same, one_hot = mixup(x, labels, 3, 0.0)
    assert torch.equal(same, x)
    assert torch.equal(one_hot.argmax(dim=1), labels)


@pytest.mark.parametrize(("name", "input_name"), [("image", "mel"), ("frames", "mel"), ("frames", "mfcc")])
def test_eight_excerpts_are_fitted_exactly(name, input_name, tmp_path):
    """Eight excerpts of noise with any labels: only a network that is trained well has them all right."""
    settings = TrainingSettings(name, input_name, 40, batch=8, patience=40, weight_decay=0.0, **PLAIN)
    values, songs = excerpts_of_genres(8, 1, 0.0, settings.kind.name)
    songs = replace(songs, groups=np.array(["one"] * 8))  # so that none stays out
    trained, curve = train(values, songs, settings, (tmp_path / "a.pt", "key"))
    assert curve.validation_songs == 0
    assert (trained.predict_proba(values).argmax(axis=1) == songs.labels).all()


def test_a_real_difference_is_found_and_random_labels_stay_at_chance(tmp_path):
    settings = TrainingSettings(epochs=6, batch=16)
    accuracy = {}
    for effect_db in (12.0, 0.0):
        values, songs = excerpts_of_genres(20, 2, effect_db)
        trained, _ = train(values, songs, settings, (tmp_path / f"{effect_db}.pt", "key"))
        others, other_songs = excerpts_of_genres(60, 1, effect_db, seed=1)
        accuracy[effect_db] = float((trained.predict_proba(others).argmax(axis=1) == other_songs.labels).mean())
    assert accuracy[12.0] == 1
    assert 0.3 < accuracy[0.0] < 0.7


def test_songs_that_stay_out_decide_which_epoch_is_used(tmp_path):
    values, songs = excerpts_of_genres(20, 2, 6.0)
    _, curve = train(values, songs, SETTINGS, (tmp_path / "a.pt", "key"))
    losses = [one.validation_loss for one in curve.epochs]
    assert curve.best_epoch == int(np.argmin(losses)) + 1
    assert (curve.songs, curve.validation_songs) == (16, 4)
    rates = [one.learning_rate for one in curve.epochs]
    assert rates[0] == SETTINGS.learning_rate
    assert rates == sorted(rates, reverse=True)


def test_training_ends_when_nothing_improves(tmp_path):
    values, songs = excerpts_of_genres(12, 1, 0.0)
    _, curve = train(values, songs, replace(SETTINGS, epochs=30, patience=2), (tmp_path / "a.pt", "key"))
    assert len(curve.epochs) == curve.best_epoch + 2 < 30


def weights_of(trained) -> list[np.ndarray]:
    return [one.numpy() for one in trained.network.state_dict().values()]


def test_a_stopped_training_ends_as_one_that_was_not(tmp_path):
    values, songs = excerpts_of_genres(12, 3, 3.0)
    settings = replace(SETTINGS, epochs=4)

    def stop(history) -> None:
        if len(history) == 2:
            raise KeyboardInterrupt

    whole, curve = train(values, songs, settings, (tmp_path / "whole.pt", "key"))
    with pytest.raises(KeyboardInterrupt):
        train(values, songs, settings, (tmp_path / "stopped.pt", "key"), on_epoch=stop)
    torch.manual_seed(99)  # the state of the process that goes on does not matter
    seen = []
    resumed, again = train(values, songs, settings, (tmp_path / "stopped.pt", "key"), on_epoch=seen.append)
    assert [len(history) for history in seen] == [3, 4]
    assert again.epochs == curve.epochs
    for one, other in zip(weights_of(resumed), weights_of(whole), strict=True):
        assert np.array_equal(one, other)


def test_training_leaves_the_random_numbers_of_others_alone(tmp_path):
    values, songs = excerpts_of_genres(12, 1, 3.0)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train(values, songs, replace(SETTINGS, epochs=1), (tmp_path / "a.pt", "key"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: content[:-1], "is damaged or not a checkpoint"),
        (lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:], "is damaged or not a checkpoint"),
        (lambda content: b"", "is damaged or not a checkpoint"),
        (lambda content: hashlib.sha256(b"x").digest() + b"x", "is not a checkpoint"),
    ],
)
def test_a_changed_checkpoint_is_refused_in_one_line(change, why, tmp_path):
    values, songs = excerpts_of_genres(12, 1, 3.0)
    path, settings = tmp_path / "a.pt", replace(SETTINGS, epochs=1)
    train(values, songs, settings, (path, "key"))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SchemaError, match=why) as error:
        train(values, songs, settings, (path, "key"))
    assert "\n" not in str(error.value)
    assert "delete it and run 07_spectrogram_cnn.py again" in str(error.value)


def test_a_checkpoint_executes_nothing(tmp_path):
    import pickle

    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    stream = io.BytesIO()
    torch.save({"key": "key", "history": [], "network": Harmful()}, stream, pickle_module=pickle)
    content = stream.getvalue()
    (tmp_path / "a.pt").write_bytes(hashlib.sha256(content).digest() + content)
    values, songs = excerpts_of_genres(12, 1, 3.0)
    with pytest.raises(SchemaError, match="is not a checkpoint"):
        train(values, songs, SETTINGS, (tmp_path / "a.pt", "key"))
    assert not (tmp_path / "written").exists()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    values, songs = excerpts_of_genres(12, 1, 3.0)
    state = {"network": {}, "best": {}, "optimiser": {}, "schedule": {}, "random": torch.get_rng_state(), "train_s": 0}
    save_checkpoint(tmp_path / "a.pt", "key", state, [])
    with pytest.raises(SchemaError, match="is not a checkpoint") as error:
        train(values, songs, SETTINGS, (tmp_path / "a.pt", "key"))
    assert "\n" not in str(error.value)


def of_another_type(state: dict) -> None:
    state["history"][0]["loss"] = "low"


def of_other_weights(state: dict) -> None:
    state["optimiser"]["state"][0]["exp_avg"] = torch.zeros(1, 2, 3)


def of_another_schedule(state: dict) -> None:
    state["schedule"]["T_max"] = "soon"


@pytest.mark.parametrize("forge", [of_another_type, of_other_weights, of_another_schedule])
def test_a_forged_state_is_refused(forge, tmp_path):
    values, songs = excerpts_of_genres(12, 1, 3.0)
    path, settings = tmp_path / "a.pt", replace(SETTINGS, epochs=1)
    train(values, songs, settings, (path, "key"))
    state = torch.load(io.BytesIO(path.read_bytes()[32:]), weights_only=True)
    forge(state)
    stream = io.BytesIO()
    torch.save(state, stream)
    path.write_bytes(hashlib.sha256(stream.getvalue()).digest() + stream.getvalue())
    with pytest.raises(SchemaError, match="is not a checkpoint"):
        train(values, songs, replace(settings, epochs=2), (path, "key"))


def test_a_history_that_is_not_one_is_empty(tmp_path):
    history_file(tmp_path / "a.pt").write_text('{"epochs": [{"loss": ' + "[" * 100_000)
    assert read_history(tmp_path / "a.pt", EpochScores) == []


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    values, songs = excerpts_of_genres(12, 1, 3.0)
    settings = replace(SETTINGS, epochs=1)
    keys = [songs.key(one, "excerpts") for one in (settings, replace(settings, seed=1))]
    assert keys[0] != keys[1]
    assert songs.key(settings, "other excerpts") not in keys
    train(values, songs, settings, (tmp_path / "a.pt", keys[0]))
    with pytest.raises(SchemaError, match="is a checkpoint of other settings or songs"):
        train(values, songs, replace(settings, seed=1), (tmp_path / "a.pt", keys[1]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    values, songs = excerpts_of_genres(12, 2, 6.0)
    path = tmp_path_factory.mktemp("trained") / "a.pt"
    return train(values, songs, replace(SETTINGS, epochs=1), (path, "key"))[0], values


def test_a_saved_network_predicts_the_same(trained, tmp_path):
    network, values = trained
    workspace = Workspace(tmp_path)
    saved = save_network(workspace, replace(network, card={"scores": {"accuracy": 0.5}}))
    loaded = load_network(workspace, "image")
    assert loaded.card == saved.card == json.loads(network_files(workspace, "image")[1].read_text())
    assert (loaded.genres, loaded.settings, loaded.kind) == (["A", "B"], network.settings, "image")
    assert np.array_equal(loaded.predict_proba(values), network.predict_proba(values))
    assert loaded.predict_proba(values).sum(axis=1) == pytest.approx(1)


def test_songs_are_means_over_their_excerpts(trained):
    network, values = trained
    song = np.array([0] * 5 + [2] * (len(values) - 5))
    proba, vectors = network.of_songs(Excerpts(KINDS["image"], values, song, np.zeros(len(song))), 3)
    np.testing.assert_allclose(proba[0], network.predict_proba(values[:5]).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(vectors[2], network.vectors(values[5:]).mean(axis=0), atol=1e-4)
    assert np.isnan(proba[1]).all()
    assert vectors.dtype == np.float32


def changed_card(**values):
    def change(weights, card):
        card.write_text(json.dumps(json.loads(card.read_text()) | values))

    return change


def other_weights(**functions):
    """Weights of which some are others, with their checksum."""
    from safetensors.torch import load, save

    def change(weights, card):
        tensors = load(weights.read_bytes())
        weights.write_bytes(save(tensors | {name: function(tensors[name]) for name, function in functions.items()}))
        changed_card(sha256=hashlib.sha256(weights.read_bytes()).hexdigest())(weights, card)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda weights, card: weights.write_bytes(weights.read_bytes()[:-1]),
            "is not the file that image.json describes",
        ),
        (lambda weights, card: weights.unlink(), "does not exist; run 07_spectrogram_cnn.py --network image first"),
        (lambda weights, card: card.write_text("{"), "is not JSON"),
        (changed_card(format=0), "is not a card of this version"),
        (changed_card(genres=["A", "B", "C"]), "is not a network of these settings"),
        (changed_card(genres=7), "is not a network of these settings"),
        (changed_card(settings={"network": "image"}), "other settings"),
        (changed_card(settings=vars(TrainingSettings("frames"))), "settings of frames"),
        (changed_card(settings=vars(TrainingSettings()) | {"epochs": "many"}), "settings of other types"),
        (changed_card(genres=["A", "A"]), "standardisation or genres"),
        (other_weights(**{"head.bias": lambda bias: bias * float("nan")}), "not finite"),
        (other_weights(mean=lambda mean: mean.double()), "standardisation"),
    ],
)
def test_changed_files_are_refused_in_one_line(trained, change, why, tmp_path):
    workspace = Workspace(tmp_path)
    save_network(workspace, trained[0])
    change(*network_files(workspace, "image"))
    with pytest.raises(SchemaError, match=why) as error:
        load_network(workspace, "image")
    assert "\n" not in str(error.value)


def test_a_network_without_finite_outputs_predicts_nothing(trained, tmp_path):
    """A negative variance is a finite number, and its root is none."""
    workspace = Workspace(tmp_path)
    save_network(workspace, trained[0])
    state = trained[0].network.state_dict()
    variance = next(name for name in state if name.endswith("running_var"))
    other_weights(**{variance: lambda one: -one - 1})(*network_files(workspace, "image"))
    with pytest.raises(SchemaError, match="gives no probabilities"):
        load_network(workspace, "image").predict_proba(trained[1])


def test_every_song_counts_the_same_in_an_epoch():
    values, songs = excerpts_of_genres(12, 6, 3.0)
    songs = replace(songs, excerpts=[songs.excerpts[0][:1], *songs.excerpts[1:]])
    own = training._Training(values, songs, SETTINGS, "cpu")
    torch.manual_seed(0)
    rows, drawn = own._drawn()
    counts = np.bincount(drawn)
    expected = [min(4, len(one)) for one in own.songs.excerpts]
    assert counts.tolist() == expected
    assert len(set(rows)) == len(rows)
    assert all(row in own.songs.excerpts[song] for row, song in zip(rows, drawn, strict=True))
