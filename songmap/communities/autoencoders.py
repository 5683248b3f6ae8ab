"""Convolutional and variational autoencoders of mel spectrograms. Needs torch.

``x`` is levels 0 … 1, float32 ``(n, 96, 216)``. The encoder halves bands and frames by strided convolutions (and takes a
third of them at its end, where the code is as small), the decoder mirrors it by transposed convolutions, and ends in logits
of levels. A code is ``(n, d)``, or ``(n, bands, frames, filters)``: the values of the code's layer itself, of a VAE the means
of the posterior.

References
----------
Masci et al. 2011; Kingma & Welling 2014, "Auto-encoding variational Bayes"; Higgins et al. 2017 (β); Rybkin et al. 2021
("Simple and effective VAE training with calibrated decoders": the variance that fits best). Loaiza-Ganem & Cunningham 2019:
on levels between 0 and 1 the Bernoulli likelihood is not normalised; its values compare only with each other.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from songmap.communities.autoencoder_settings import KIND, N_INPUTS, AutoencoderSettings

_STRIDES: dict[int, tuple[int, ...]] = {24: (2, 2), 12: (2, 2, 2), 4: (2, 2, 2, 3)}  # by bands of the last layer
_FILTERS = (8, 16, 32, 64)
_KERNELS = {2: (4, 1), 3: (3, 0)}  # size and padding by stride: multiples of it, so that no pattern of a grid appears
_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "sigmoid": nn.Sigmoid}
_VECTOR_BANDS = 4  # of the layer before a code that is a vector
_LEAST_STD, _LEAST_LEVEL = 0.02, 0.01
_MOST_LOG_VARIANCE = 8.0
_LEAST_SQUARE = 1e-6  # mean squared error whose logarithm is taken


class Autoencoder(nn.Module):
    """A network with random weights; ``mean`` and ``std (n_bands,)`` are of the training excerpts' levels."""

    def __init__(self, settings: AutoencoderSettings, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        code, self.is_variational = settings.code, settings.is_variational
        strides = _STRIDES[code.shape[0] if code.is_map else _VECTOR_BANDS]
        filters = _FILTERS[: len(strides)]
        n_last, bands, frames = filters[-1], KIND.n_bands, KIND.n_frames
        for stride in strides:
            bands, frames = bands // stride, frames // stride
        activation, n_codes = _ACTIVATIONS[settings.activation], 1 + self.is_variational
        self.encoder = nn.Sequential()
        for stride, (n_in, n_out) in zip(strides, pairwise((1, *filters)), strict=True):
            size, padding = _KERNELS[stride]
            convolution = nn.Conv2d(n_in, n_out, size, stride, padding, bias=False)
            self.encoder.extend([convolution, nn.BatchNorm2d(n_out), activation()])
        self.decoder = nn.Sequential(activation(), nn.Dropout(settings.dropout))
        self.encoder.append(nn.Dropout(settings.dropout))
        if code.is_map:
            self.encoder.append(nn.Conv2d(n_last, n_codes * code.shape[2], 1))
            self.decoder.insert(0, nn.Conv2d(code.shape[2], n_last, 1))
        else:
            n_features = n_last * bands * frames
            self.encoder.extend([nn.Flatten(), nn.Linear(n_features, n_codes * code.size)])
            self.decoder.insert(0, nn.Unflatten(1, (n_last, bands, frames)))
            self.decoder.insert(0, nn.Linear(code.size, n_features))
        for place, stride in enumerate(reversed(strides)):
            n_in, n_out = ((1, *filters)[len(filters) - place - one] for one in (0, 1))
            size, padding = _KERNELS[stride]
            is_last = place == len(strides) - 1
            self.decoder.append(nn.ConvTranspose2d(n_in, n_out, size, stride, padding, bias=is_last))
            if not is_last:
                self.decoder.extend([nn.BatchNorm2d(n_out), activation()])
        self.register_buffer("mean", mean[:, None])
        self.register_buffer("std", std.clamp(min=_LEAST_STD)[:, None])
        # a decoder that adds nothing gives every band its mean level
        self.band_logits = nn.Parameter(torch.logit(mean.clamp(_LEAST_LEVEL, 1 - _LEAST_LEVEL))[:, None])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits of levels ``(n, n_bands, n_frames)``, and the divergence from the prior ``(n,)`` in nats, None of a CAE.

        A VAE draws codes from the posterior.
        """
        means, log_variances = self._posterior(x)
        if log_variances is None:
            return self._logits(means), None
        drawn = means + torch.exp(log_variances / 2) * torch.randn_like(means)
        divergence = (means.square() + log_variances.exp() - 1 - log_variances).flatten(1).sum(dim=1) / 2
        return self._logits(drawn), divergence

    def encode(self, x: Tensor) -> Tensor:
        """Latent codes ``(n, d)`` or ``(n, bands, frames, filters)``."""
        means = self._posterior(x)[0]
        return means.permute(0, 2, 3, 1) if means.ndim == 4 else means

    def decode(self, codes: Tensor) -> Tensor:
        """Levels ``(n, n_bands, n_frames)`` of latent codes."""
        return torch.sigmoid(self._logits(codes.permute(0, 3, 1, 2) if codes.ndim == 4 else codes))

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        encoded = self.encoder(((x - self.mean) / self.std).unsqueeze(1))
        if not self.is_variational:
            return encoded, None
        means, log_variances = encoded.chunk(2, dim=1)
        return means, log_variances.clamp(-_MOST_LOG_VARIANCE, _MOST_LOG_VARIANCE)

    def _logits(self, code: Tensor) -> Tensor:
        return self.decoder(code).squeeze(1) + self.band_logits


def reconstruction_errors(x: Tensor, logits: Tensor, loss: str) -> Tensor:
    """Error of every excerpt ``(n,)``: mean square, cosine distance, or mean negative log-likelihood in nats."""
    if loss == "bernoulli":
        return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(dim=(1, 2))
    if loss == "cosine":
        return 1 - nn.functional.cosine_similarity(x.flatten(1), torch.sigmoid(logits).flatten(1), dim=1)
    return (x - torch.sigmoid(logits)).square().mean(dim=(1, 2))


def objective(error: Tensor, divergence: Tensor | None, settings: AutoencoderSettings, share: float = 1.0) -> Tensor:
    """What is minimised, of the mean error and the mean divergence of excerpts.

    Of a VAE it is per number of an excerpt, in nats: a Gaussian of the variance that fits best has half the logarithm of the
    mean squared error, up to a constant. ``share`` is the part of ``beta`` in the warm-up.
    """
    if divergence is None:
        return error
    if settings.loss == "gaussian":
        error = torch.log(error.clamp(min=_LEAST_SQUARE)) / 2
    return error + share * settings.beta * divergence / N_INPUTS
