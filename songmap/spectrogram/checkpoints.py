"""What a training leaves after every epoch, so that it goes on as if it had not been stopped. Needs torch.

A file is the SHA-256 of the rest, then tensors and numbers as torch saves them, which are loaded by ``weights_only``: nothing
in them is executed. Beside it is the history alone, as JSON, which a process that waits for the training can read.
"""

import hashlib
import io
import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, write_atomically, write_json
from songmap.spectrogram.cache import SCRIPT
from songmap.spectrogram.results import EpochScores

ADVICE = f"delete it and run {SCRIPT} again: that training starts from the beginning"
_DIGEST_BYTES = 32


def history_file(checkpoint: Path) -> Path:
    """Where the history of a checkpoint is."""
    return checkpoint.with_suffix(".json")


def read_history(checkpoint: Path) -> list[EpochScores]:
    """The epochs that a training, which another process may be doing, has finished."""
    try:
        return [EpochScores(**one) for one in json.loads(history_file(checkpoint).read_bytes())["epochs"]]
    except (OSError, ValueError, KeyError, TypeError):  # not there yet
        return []


def save_checkpoint(path: Path, key: str, state: dict[str, Any], history: list[EpochScores]) -> None:
    """Write the state of a training, whose settings and songs have the checksum ``key``."""
    epochs, stream = [asdict(one) for one in history], io.BytesIO()
    torch.save(state | {"key": key, "history": epochs}, stream)
    content = stream.getvalue()
    write_atomically(path, hashlib.sha256(content).digest() + content)
    write_json(history_file(path), {"epochs": epochs})


def no_checkpoint(path: Path, error: Exception) -> SchemaError:
    """What to raise for a file whose content is not the state of a training."""
    return SchemaError(f"{path} is not a checkpoint ({' '.join(str(error).split())[:80]}); {ADVICE}")


def load_checkpoint(path: Path, key: str) -> tuple[dict[str, Any], list[EpochScores]] | None:
    """The state of a training with its history; None where there is none.

    Raises
    ------
    SchemaError
        If the file is damaged, is not a checkpoint, or is of other settings or songs.
    """
    if not path.exists():
        return None
    content = read_bytes(path, SCRIPT)
    digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise SchemaError(f"{path} is damaged or not a checkpoint; {ADVICE}")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if state.pop("key") != key:
            raise SchemaError(f"{path} is a checkpoint of other settings or songs; {ADVICE}")
        history = [EpochScores(**one) for one in state.pop("history")]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise no_checkpoint(path, error) from error
    return state, history
