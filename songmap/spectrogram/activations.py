"""How strongly the filters of a layer respond to excerpts. Needs torch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.spectrogram.trained import TrainedNetwork, one_torch_thread

_BATCH = 64


@dataclass(frozen=True)
class Activations:
    """The response of each filter to each excerpt, all ``(n_excerpts, n_filters)``.

    Attributes
    ----------
    mean, highest : np.ndarray, float32
        Over time, and over bands where a filter moves along them too.
    frame : np.ndarray, int64
        The frame of the excerpt in the middle of what the highest response is to.
    """

    mean: np.ndarray
    highest: np.ndarray
    frame: np.ndarray


def layer_named(trained: TrainedNetwork, layer: str | None) -> str:
    """A layer of a network, the last one by default. Raises UsageError for a name that there is not."""
    names = list(trained.network.layers())
    if layer is None:
        return names[-1]
    if layer not in names:
        raise UsageError(f"the {trained.settings.name} network has no layer {layer!r}; there are {', '.join(names)}")
    return layer


def activations(
    trained: TrainedNetwork, layer: str, values: np.ndarray, on_progress: OnProgress | None = None
) -> Activations:
    """Responses of a layer.

    Parameters
    ----------
    trained : TrainedNetwork
    layer : str
        One of its ``network.layers()``.
    values : np.ndarray, float16 (n_excerpts, n_bands, n_frames)
        Of the kind that the network looks at; may be mapped into memory.
    on_progress : callable, optional
        Called with the numbers of finished and of all excerpts.
    """
    geometry, n_frames = trained.network.geometry(layer), values.shape[2]
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    done = 0
    for output in _outputs(trained, layer, values):
        over_time = output if output.dim() == 3 else output.amax(dim=2)
        highest, place = over_time.max(dim=2)
        parts.append((output.flatten(2).mean(dim=2).numpy(), highest.numpy(), place.numpy()))
        done += len(output)
        if on_progress is not None:
            on_progress(done, len(values))
    mean, top, places = (np.concatenate(part) for part in zip(*parts, strict=True))
    frames = np.round(geometry.first + geometry.hop * places).astype(np.int64)
    return Activations(mean, top, np.clip(frames, 0, n_frames - 1))


def _outputs(trained: TrainedNetwork, layer: str, values: np.ndarray) -> Iterator[torch.Tensor]:
    """What the layer gives for each batch, ``(n, n_filters, [bands,] time)``."""
    kept: list[torch.Tensor] = []
    hook = trained.network.layers()[layer].register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with one_torch_thread(), torch.inference_mode():
            for first in range(0, len(values), _BATCH):
                trained.network.penultimate(trained.inputs(values[first : first + _BATCH]))
                yield kept.pop()
    finally:
        hook.remove()
