"""The files of an autoencoder: weights as safetensors, the card as JSON. Needs torch.

Neither can execute anything when it is read. The card has the checksum of the weights, and the key of the training: what it
depended on.
"""

import hashlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from songmap.communities.autoencoder_results import AutoencoderEpoch
from songmap.communities.autoencoder_settings import KIND, AutoencoderSettings
from songmap.communities.autoencoder_training import MADE_BY, FittedAutoencoder
from songmap.communities.autoencoders import Autoencoder
from songmap.core.errors import SchemaError, UsageError
from songmap.core.files import read_bytes, read_json, write_atomically, write_json
from songmap.core.workspace import Workspace
from songmap.library.schema import LARGEST
from songmap.library.versions import library_versions
from songmap.spectrogram.checkpoints import epochs_of

FORMAT = 1  # of the files; raised when a change makes older ones mean something else


def autoencoder_files(workspace: Workspace, name: str) -> tuple[Path, Path]:
    """Where weights and card of an autoencoder are, e.g. of ``cae_32``."""
    return workspace.autoencoders / f"{name}.safetensors", workspace.autoencoders / f"{name}.json"


def save_autoencoder(workspace: Workspace, fitted: FittedAutoencoder, key: str, facts: dict[str, Any]) -> None:
    """Write weights and card; ``facts`` are what else there is to know, as JSON can hold it."""
    weights, card_file = autoencoder_files(workspace, fitted.settings.name)
    content = save_tensors({name: one.contiguous() for name, one in fitted.network.state_dict().items()})
    card = {
        "format": FORMAT, "settings": asdict(fitted.settings), "key": key, "sha256": hashlib.sha256(content).hexdigest(),
        "epochs": [asdict(one) for one in fitted.epochs], "best_epoch": fitted.best_epoch, "train_s": fitted.train_s,
        "versions": library_versions() | library_versions(("torch", "safetensors")),
    } | facts  # fmt: skip
    write_atomically(weights, content)
    write_json(card_file, card)


def saved_key(workspace: Workspace, name: str) -> str | None:
    """The key of the training whose files are there; None without files."""
    card_file = autoencoder_files(workspace, name)[1]
    return read_json(card_file, MADE_BY).get("key") if card_file.is_file() else None


def load_autoencoder(workspace: Workspace, name: str) -> FittedAutoencoder:
    """The autoencoder that was saved under a name, e.g. ``cae_32`` or ``vae_4x9x5``.

    Raises
    ------
    SchemaError
        If its files are missing, damaged, changed or of another version.
    """
    weights, card_file = autoencoder_files(workspace, name)
    advice = f"delete {card_file.name} and run {MADE_BY} again"
    card, content = read_json(card_file, MADE_BY), read_bytes(weights, MADE_BY)
    if card.get("format") != FORMAT:
        raise SchemaError(f"{card_file} is not a card of this version; {advice}")
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise SchemaError(f"{weights} is not the file that {card_file.name} describes; {advice}")
    try:
        settings = _settings(card["settings"], name)
        epochs, best_epoch = epochs_of(AutoencoderEpoch, card["epochs"]), int(card["best_epoch"])
        if not 1 <= best_epoch <= len(epochs):
            raise ValueError(f"no epoch {best_epoch}")
        tensors = load_tensors(content)
        if not all((tensor.abs() <= LARGEST).all() for tensor in tensors.values()):  # of NaN it is not
            raise ValueError("numbers that are not finite or too large")
        network = Autoencoder(settings, torch.zeros(KIND.n_bands), torch.ones(KIND.n_bands))
        network.load_state_dict(tensors)
        return FittedAutoencoder(network.eval(), settings, epochs, best_epoch, float(card["train_s"]))
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, SafetensorError, UsageError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise SchemaError(f"{weights} is not an autoencoder of these settings ({why[:120]}); {advice}") from error


def _settings(values: Any, name: str) -> AutoencoderSettings:
    """The settings of a card. Raises ValueError where they are not those of the autoencoder ``name``."""
    kinds = {one.name: type(one.default) for one in fields(AutoencoderSettings)}
    if not isinstance(values, dict) or values.keys() != kinds.keys():
        raise ValueError("other settings")
    if any(not isinstance(value, kinds[key]) for key, value in values.items()):
        raise ValueError("settings of other types")
    settings = AutoencoderSettings(**values)
    if settings.name != name:
        raise ValueError(f"settings of {settings.name}")
    return settings
