"""What makes training excerpts different every time: masks, and mixtures of two. Needs torch.

Random numbers are those of torch's own generator, whose state checkpoints keep.
"""

import torch
from torch import Tensor
from torch.distributions import Beta


def spec_augment(x: Tensor, band_mask: float, frame_mask: float) -> Tensor:
    """A random range of bands and one of frames of every excerpt set to 0, the mean (Park et al. 2019).

    Parameters
    ----------
    x : Tensor, (n, n_bands, n_frames)
        Standardised.
    band_mask, frame_mask : float
        Largest share that a mask covers, 0 … 1; the smallest is nothing.
    """
    for axis, most in ((1, band_mask), (2, frame_mask)):
        size, places = x.shape[axis], torch.arange(x.shape[axis])
        length = torch.rand(len(x), 1) * most * size
        first = torch.rand(len(x), 1) * (size - length)
        masked = (places >= first) & (places < first + length)
        x = x.masked_fill(masked.unsqueeze(3 - axis).to(x.device), 0.0)
    return x


def mixup(x: Tensor, labels: Tensor, n_classes: int, alpha: float) -> tuple[Tensor, Tensor]:
    """Every excerpt mixed with another of its batch, and the same mixture of their labels (Zhang et al. 2018).

    Parameters
    ----------
    x : Tensor, (n, n_bands, n_frames)
    labels : Tensor, int (n,)
    n_classes : int
    alpha : float
        Shares are drawn from a beta distribution with both parameters ``alpha``; 0 mixes nothing.

    Returns
    -------
    x : Tensor, of the same shape
    targets : Tensor, float (n, n_classes)
        Rows add up to 1.
    """
    targets = torch.nn.functional.one_hot(labels, n_classes).to(x.dtype)
    if not alpha:
        return x, targets
    share = Beta(alpha, alpha).sample((len(x),)).to(x.device)
    other = torch.randperm(len(x)).to(x.device)
    share_of_targets, share_of_x = share[:, None], share[:, None, None]
    return (
        share_of_x * x + (1 - share_of_x) * x[other],
        share_of_targets * targets + (1 - share_of_targets) * targets[other],
    )
