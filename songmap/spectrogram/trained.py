"""A trained network with all that is needed to use it, and its files: weights as safetensors, the card as JSON.

Neither can execute anything when it is read. The card has the checksum of the weights.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from songmap.core.errors import SchemaError, UsageError
from songmap.core.files import read_bytes, read_json, write_atomically, write_json
from songmap.core.workspace import Workspace
from songmap.library.schema import LARGEST
from songmap.spectrogram.cache import SCRIPT
from songmap.spectrogram.excerpts import Excerpts
from songmap.spectrogram.networks import ExcerptNetwork, build_network
from songmap.spectrogram.settings import TrainingSettings

FORMAT = 1  # of the files; raised when a change makes older ones mean something else
_BATCH = 64


@dataclass(frozen=True)
class TrainedNetwork:
    """A network, in evaluation mode, and what it was trained on.

    Attributes
    ----------
    network : ExcerptNetwork
    settings : TrainingSettings
    genres : list of str
    mean, std : np.ndarray, float32 (n_bands,)
        Of each band over the training excerpts, by which inputs are standardised.
    card : dict
        Everything else that there is to know, as JSON can hold it.
    """

    network: ExcerptNetwork
    settings: TrainingSettings
    genres: list[str]
    mean: np.ndarray
    std: np.ndarray
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of excerpt it looks at, see ``songmap.spectrogram.excerpts.KINDS``."""
        return self.settings.kind.name

    def inputs(self, values: np.ndarray) -> torch.Tensor:
        """What the network gets of excerpts ``values`` float16 ``(n, n_bands, n_frames)``: standardised float32."""
        standard = (self.settings.inputs(values) - self.mean[:, np.newaxis]) / self.std[:, np.newaxis]
        return torch.from_numpy(standard)

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Probabilities of every excerpt, float64 ``(n, n_genres)``; a song's are their mean."""
        return self.proba_of(self.vectors(values))

    def proba_of(self, vectors: np.ndarray) -> np.ndarray:
        """The probabilities that follow from ``vectors (n, n_features)``, float64 ``(n, n_genres)``."""
        with torch.inference_mode():
            proba = self.network.head(torch.from_numpy(vectors)).double().softmax(dim=1).numpy()
        if not np.isfinite(proba).all():
            raise SchemaError(
                f"the {self.settings.name} network gives no probabilities: its weights are out of range; delete its files "
                f"and checkpoints, and run {SCRIPT} again"
            )
        return proba

    def vectors(self, values: np.ndarray) -> np.ndarray:
        """The penultimate layer's output for every excerpt, float32 ``(n, n_features)``."""
        with one_torch_thread(), torch.inference_mode():
            parts = [
                self.network.penultimate(self.inputs(values[first : first + _BATCH])).numpy()
                for first in range(0, len(values), _BATCH)
            ]
        return np.concatenate(parts)

    def of_songs(self, excerpts: Excerpts, n_songs: int) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities float64 ``(n_songs, n_genres)`` and vectors float32 ``(n_songs, n_features)``: means over excerpts.

        Songs without excerpts have NaN. A part of the excerpts is in memory at a time.
        """
        sums = np.zeros((n_songs, len(self.genres))), np.zeros((n_songs, self.network.n_features))
        for first in range(0, len(excerpts.song), _BATCH):
            here = slice(first, first + _BATCH)
            vectors = self.vectors(excerpts.values[here])
            for total, own in zip(sums, (self.proba_of(vectors), vectors), strict=True):
                np.add.at(total, excerpts.song[here], own)
        counts = np.bincount(excerpts.song, minlength=n_songs)[:, np.newaxis].astype(np.float64)
        counts[counts == 0] = np.nan
        return sums[0] / counts, (sums[1] / counts).astype(np.float32)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Compute in one thread, whose sums are the same on any number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network_files(workspace: Workspace, name: str) -> tuple[Path, Path]:
    """Where weights and card of a network are."""
    return workspace.networks / f"{name}.safetensors", workspace.networks / f"{name}.json"


def save_network(workspace: Workspace, trained: TrainedNetwork) -> TrainedNetwork:
    """Write weights and card; the network with the whole card."""
    weights, card_file = network_files(workspace, trained.settings.name)
    content, card = network_content(trained)
    write_atomically(weights, content)
    write_json(card_file, card)
    return TrainedNetwork(trained.network, trained.settings, trained.genres, trained.mean, trained.std, card)


def network_content(trained: TrainedNetwork) -> tuple[bytes, dict[str, Any]]:
    """The weights as the content of a file, and the whole card, which has their checksum."""
    tensors = {name: tensor.contiguous() for name, tensor in trained.network.state_dict().items()}
    content = save_tensors(tensors | {"mean": torch.from_numpy(trained.mean), "std": torch.from_numpy(trained.std)})
    card = {
        "format": FORMAT, "settings": asdict(trained.settings), "genres": trained.genres,
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    return content, card | trained.card


def load_network(workspace: Workspace, name: str) -> TrainedNetwork:
    """The network that 07 saved under a name: ``image``, ``frames``, ``frames_mfcc`` or ``residual``.

    Raises
    ------
    SchemaError
        If its files are missing, damaged, changed or of another version.
    """
    weights, card_file = network_files(workspace, name)
    made_by = f"{SCRIPT} --network {name.split('_')[0]}"
    return restored(read_bytes(weights, made_by), read_json(card_file, made_by), name, (weights, card_file, made_by))


def restored(content: bytes, card: dict[str, Any], name: str, files: tuple[Path, Path, str]) -> TrainedNetwork:
    """The network of ``network_content``, called ``name``; ``files`` are those of weights and card, and what makes them.

    Raises SchemaError if they are damaged, changed or of another version.
    """
    weights, card_file, made_by = files
    if card.get("format") != FORMAT:
        raise SchemaError(f"{card_file} is not a card of this version; run {made_by} again")
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise SchemaError(f"{weights} is not the file that {card_file.name} describes; run {made_by} again")
    try:
        settings, genres = _settings(card["settings"], name), [str(one) for one in card["genres"]]
        tensors = load_tensors(content)
        if not all((tensor.abs() <= LARGEST).all() for tensor in tensors.values()):  # of NaN it is not
            raise ValueError("numbers that are not finite or too large")
        mean, std = (tensors.pop(one).numpy() for one in ("mean", "std"))
        is_standard = mean.dtype == std.dtype == np.float32 and mean.shape == std.shape == (settings.n_bands,)
        if not is_standard or not (std > 0).all() or len(set(genres)) < max(len(genres), 2):
            raise ValueError("standardisation or genres of another network")
        network = build_network(settings.network, settings.n_bands, settings.kind.n_frames, len(genres))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, SafetensorError, UsageError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise SchemaError(f"{weights} is not a network of these settings ({why[:120]}); run {made_by} again") from error
    return TrainedNetwork(network.eval(), settings, genres, mean, std, card)


def _settings(values: Any, name: str) -> TrainingSettings:
    """The settings of a card. Raises ValueError where they are not those of the network ``name``."""
    kinds = {one.name: type(one.default) for one in fields(TrainingSettings)}
    if not isinstance(values, dict) or values.keys() != kinds.keys():
        raise ValueError("other settings")
    if any(not isinstance(value, kinds[key]) for key, value in values.items()):
        raise ValueError("settings of other types")
    settings = TrainingSettings(**values)
    if settings.name != name:
        raise ValueError(f"settings of {settings.name}")
    return settings
