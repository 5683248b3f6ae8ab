"""What a training leaves after every epoch, so that it goes on as if it had not been stopped. Needs torch.

A file is the SHA-256 of the rest, then tensors and numbers as torch saves them, which are loaded by ``weights_only``: nothing
in them is executed. Beside it is the history alone, as JSON, which a process that waits for the training can read.
"""

import hashlib
import io
import pickle
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import torch

from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, read_json, write_atomically, write_json
from songmap.spectrogram.cache import SCRIPT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Epoch = TypeVar("Epoch", bound="DataclassInstance")
"""A dataclass of numbers: what is noted of an epoch."""
_DIGEST_BYTES = 32
_PARTS = ("network", "optimiser", "schedule")
_NOT_A_STATE = (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, AttributeError, EOFError, ValueError)


class Training(Protocol):
    """What a training has that goes on from a checkpoint; ``best`` are the weights of its best epoch."""

    network: Any
    best: dict[str, Any]
    optimiser: Any
    schedule: Any
    device: str
    train_s: float


def history_file(checkpoint: Path) -> Path:
    """Where the history of a checkpoint is."""
    return checkpoint.with_suffix(".json")


def remove_others(folder: Path, keys: Collection[str]) -> None:
    """Remove checkpoints of other settings and songs than those of ``keys``."""
    for path in folder.glob("*"):
        if path.stem not in keys:
            path.unlink()


def read_history(checkpoint: Path, kind: type[Epoch]) -> list[Epoch]:
    """The epochs that a training, which another process may be doing, has finished."""
    try:
        return epochs_of(kind, read_json(history_file(checkpoint), "")["epochs"])
    except (SchemaError, KeyError, TypeError):  # not there yet
        return []


def epochs_of(kind: type[Epoch], records: list[dict[str, Any]]) -> list[Epoch]:
    """Epochs of a ``kind`` from what a file has of them. Raises TypeError where that is something else."""
    epochs = [kind(**one) for one in records]
    if not all(isinstance(getattr(one, own.name), own.type) for one in epochs for own in fields(one)):  # type: ignore[arg-type]
        raise TypeError("epochs of other types")
    return epochs


def save_checkpoint(path: Path, key: str, state: dict[str, Any], history: Sequence["DataclassInstance"]) -> None:
    """Write the state of a training, whose settings and songs have the checksum ``key``."""
    epochs, stream = [asdict(one) for one in history], io.BytesIO()
    torch.save(state | {"key": key, "history": epochs}, stream)
    content = stream.getvalue()
    write_atomically(path, hashlib.sha256(content).digest() + content)
    write_json(history_file(path), {"epochs": epochs})


def resume(path: Path, key: str, kind: type[Epoch], training: Training, made_by: str = SCRIPT) -> list[Epoch]:
    """Give a training the state that is kept of it, and return its history, epochs of a ``kind``; nothing where there is none.

    Raises
    ------
    SchemaError
        If the file is damaged, is not a checkpoint, or is of other settings or songs.
    """
    if not path.exists():
        return []
    advice = f"delete it and run {made_by} again: that training starts from the beginning"
    content = read_bytes(path, made_by)
    digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise SchemaError(f"{path} is damaged or not a checkpoint; {advice}")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if state.pop("key") != key:
            raise SchemaError(f"{path} is a checkpoint of other settings or songs; {advice}")
        history = epochs_of(kind, state.pop("history"))
        restore(training, state)
    except _NOT_A_STATE as error:
        raise SchemaError(f"{path} is not a checkpoint ({' '.join(str(error).split())[:80]}); {advice}") from error
    return history


def state_of(training: Training) -> dict[str, Any]:
    """The state of a training after an epoch."""
    state = {name: getattr(training, name).state_dict() for name in _PARTS}
    state |= {"best": training.best, "random": torch.get_rng_state(), "train_s": training.train_s}
    return state | ({"random_cuda": torch.cuda.get_rng_state()} if training.device == "cuda" else {})


def restore(training: Training, state: dict[str, Any]) -> None:
    """Give a training the state of another. Raises ValueError, or what torch does, if that had other weights or settings."""
    types = {name: type(value) for name, value in training.schedule.state_dict().items()}
    if {name: type(value) for name, value in state["schedule"].items()} != types:
        raise ValueError("the schedule is of another kind")
    training.network.load_state_dict(state["best"])
    for name in _PARTS:
        getattr(training, name).load_state_dict(state[name])
    for weight, own in training.optimiser.state.items():
        if any(one.shape not in (weight.shape, ()) for one in own.values()):
            raise ValueError("the optimiser's state is of other weights")
    training.best, training.train_s = state["best"], float(state["train_s"])
    torch.set_rng_state(state["random"])
    if training.device == "cuda" and "random_cuda" in state:
        torch.cuda.set_rng_state(state["random_cuda"])
