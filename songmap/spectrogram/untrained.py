"""How far correlations go with filters that were not trained. Needs torch.

Filters with random weights respond to sound too: most follow the level of some bands, and so whatever goes with that. A
property is what a filter was trained to respond to only where the correlation is larger than those of random filters, on
the same excerpts (compare Adebayo et al. 2018, Sanity checks for saliency maps).
"""

from dataclasses import replace

import numpy as np
import torch

from songmap.core.progress import OnProgress
from songmap.spectrogram.activations import activations
from songmap.spectrogram.associations import correlations
from songmap.spectrogram.networks import ExcerptNetwork, build_network
from songmap.spectrogram.trained import TrainedNetwork

N_UNTRAINED = 10  # of 16 to 128 filters: about one in 30 of other random filters exceeds the largest of these
_MOST_EXCERPTS = 500


def untrained_limits(
    trained: TrainedNetwork,
    layer: str,
    values: np.ndarray,
    probes: np.ndarray,
    seed: int,
    on_progress: OnProgress | None = None,
) -> np.ndarray:
    """The largest correlation of each probe with any filter of this layer in networks of random weights.

    Parameters
    ----------
    trained : TrainedNetwork
        Whose architecture and standardisation these have.
    layer : str
    values : np.ndarray (n_excerpts, n_bands, n_frames)
    probes : np.ndarray (n_excerpts, n_probes)
        Of these excerpts.
    seed : int
    on_progress : callable, optional
        Called with the numbers of finished and of all networks.

    Returns
    -------
    np.ndarray (n_probes,)
        Absolute values; of at most 500 excerpts, evenly spaced.
    """
    rows = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_EXCERPTS)).round().astype(int))
    values, probes = values[rows], probes[rows]
    largest = np.zeros(probes.shape[1])
    for number in range(N_UNTRAINED):
        other = replace(trained, network=_random_network(trained, seed + number))
        related = correlations(activations(other, layer, values).mean, probes)
        largest = np.maximum(largest, np.abs(related).max(axis=0))
        if on_progress is not None:
            on_progress(number + 1, N_UNTRAINED)
    return largest


def _random_network(trained: TrainedNetwork, seed: int) -> ExcerptNetwork:
    settings = trained.settings
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network(settings.network, settings.n_bands, settings.kind.n_frames, len(trained.genres)).eval()
