"""Which times and frequencies speak for a genre: integrated gradients over a song's spectrograms. Needs torch and captum.

The logit of the genre, less the mean of all logits (probabilities depend on differences of logits alone), is followed from a
baseline to the excerpt. The baseline is the mean of each band over the training excerpts, which is 0 once it is
standardised: an average sound, since silence is unlike anything that the network was trained on. Attributions must add up
to the difference of the logit between excerpt and baseline; the number of steps grows until they nearly do.

References
----------
Sundararajan, Taly & Yan 2017, Axiomatic attribution for deep networks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.spectrogram.trained import TrainedNetwork, one_torch_thread

if TYPE_CHECKING:
    from captum.attr import IntegratedGradients

TOLERANCE = 0.05
STEPS = (32, 64, 128, 256)  # the error need not fall with every doubling
_BATCH = 32  # spectrograms at a time, whatever the number of steps


@dataclass(frozen=True)
class Attribution:
    """What each band and frame of excerpts adds to a genre's logit.

    Attributes
    ----------
    values : np.ndarray, float32 (n, n_bands, n_frames)
    logit_difference : np.ndarray, float64 (n,)
        Between excerpt and baseline: what ``values`` of an excerpt must add up to.
    n_steps : int
    completeness_error : float
        The largest difference of both in an excerpt, relative to its logit difference, or to 1 where that is smaller.
    """

    values: np.ndarray
    logit_difference: np.ndarray
    n_steps: int
    completeness_error: float


def attribute(
    trained: TrainedNetwork, values: np.ndarray, genre: str, on_progress: OnProgress | None = None
) -> Attribution:
    """Integrated gradients of a genre's logit.

    Parameters
    ----------
    trained : TrainedNetwork
    values : np.ndarray, float16 (n, n_bands, n_frames)
        Excerpts of the kind that the network looks at.
    genre : str
        One of ``trained.genres``.
    on_progress : callable, optional
        Called with the numbers of finished and of all excerpts.

    Raises
    ------
    UsageError
        If captum is missing, or the network looks at cepstral coefficients, which have no frequencies.
    """
    if trained.settings.input != "mel":
        raise UsageError(
            f"the {trained.settings.name} network does not look at spectrograms; explain songs by another network"
        )
    with one_torch_thread():
        gradients = _integrated_gradients(trained)
        target = trained.genres.index(genre)
        parts = []
        for number in range(len(values)):
            parts.append(_excerpt(gradients, trained.inputs(values[number : number + 1]), target))
            if on_progress is not None:
                on_progress(number + 1, len(values))
    maps, differences, steps = (np.array(part) for part in zip(*parts, strict=True))
    errors = [completeness_error(*one) for one in zip(maps, differences, strict=True)]
    return Attribution(maps, differences, int(steps.max()), max(errors))


def completeness_error(values: np.ndarray, logit_difference: float) -> float:
    """How far the sum of an excerpt's attributions is from what it must be, see ``Attribution``."""
    return abs(float(values.sum(dtype=np.float64)) - logit_difference) / max(abs(logit_difference), 1.0)


def _integrated_gradients(trained: TrainedNetwork) -> "IntegratedGradients":
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise UsageError(
            f"integrated gradients need captum ({error}); install it by: pip install -r requirements-deep.txt"
        ) from None

    def centred_logits(x: Tensor) -> Tensor:
        logits = trained.network(x)
        return logits - logits.mean(dim=1, keepdim=True)

    return IntegratedGradients(centred_logits)


def _excerpt(gradients: "IntegratedGradients", x: Tensor, target: int) -> tuple[np.ndarray, float, int]:
    """Attributions of one excerpt, the logit's difference, and the number of steps; of those tried the most complete."""
    baseline = torch.zeros_like(x)
    with torch.no_grad():
        ends = gradients.forward_func(torch.cat([x, baseline]))[:, target].double()
    difference = float(ends[0] - ends[1])
    tried = []
    for n_steps in STEPS:
        values = gradients.attribute(x, baseline, target, n_steps=n_steps, internal_batch_size=_BATCH)[0].numpy()
        tried.append((completeness_error(values, difference), n_steps, values))
        if tried[-1][0] <= TOLERANCE:
            break
    _, n_steps, values = min(tried, key=lambda one: one[:2])
    return values, difference, n_steps
