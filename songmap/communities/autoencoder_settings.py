"""What an autoencoder is and how it is trained: all that its weights depend on besides the songs. Needs no torch."""

import re
from dataclasses import dataclass, field
from math import prod

import numpy as np

from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import UsageError
from songmap.spectrogram.excerpts import FLOOR_DB, KINDS

MODELS = ("cae", "vae")
LOSSES = ("gaussian", "cosine", "bernoulli")
ACTIVATIONS = ("leaky_relu", "relu", "sigmoid")
MAPS = ("12x27x16", "12x27x12", "24x54x14", "4x9x5")  # bands x frames x filters, as published
VECTORS = 16, 128  # the smallest and the largest
DROPOUTS, BETAS, RATES = (0.0, 0.5), (0.0, 1000.0), (1e-6, 0.1)
KIND = KINDS["mel"]
N_INPUTS = KIND.n_bands * KIND.n_frames
DEFAULT_EPOCHS, DEFAULT_LATENT = 40, "32"
GRID_BATCHES = (5, 10, 15)
GRID_RATES = (0.01, 0.005, 0.001, 0.0005)
_MOST_OF_INPUT = 0.5  # a code of more numbers is not a bottleneck


@dataclass(frozen=True)
class Latent:
    """The shape of a latent code: ``(n,)`` of a vector, ``(bands, frames, filters)`` of a feature map."""

    shape: tuple[int, ...]

    @classmethod
    def named(cls, name: str) -> "Latent":
        """Of "32" or "4x9x5". Raises UsageError for one that there is not."""
        low, high = VECTORS
        is_vector = re.fullmatch(r"[0-9]{1,4}", name) is not None and low <= int(name) <= high
        if not is_vector and name not in MAPS:
            raise UsageError(f"no latent {name!r}; give {low} to {high} for a vector, or {', '.join(MAPS)}")
        return cls(tuple(map(int, name.split("x"))))

    @property
    def size(self) -> int:
        """Numbers of the code of an excerpt."""
        return prod(self.shape)

    @property
    def is_map(self) -> bool:
        return len(self.shape) == 3

    @property
    def song_size(self) -> int:
        """Numbers of a song's vector: of a feature map means over frames are taken."""
        return self.shape[0] * self.shape[2] if self.is_map else self.size

    @property
    def is_bottleneck(self) -> bool:
        """Whether the code has at most half as many numbers as an excerpt."""
        return self.size <= _MOST_OF_INPUT * N_INPUTS


@dataclass(frozen=True)
class AutoencoderSettings:
    """Of a training; the defaults were chosen on synthesised songs, by songs that decide when training ends.

    Attributes
    ----------
    model : str
        ``cae``, a convolutional autoencoder, or ``vae``, a variational one (Kingma & Welling 2014).
    latent : str
        A number of numbers from 16 to 128, or one of ``MAPS``.
    epochs : int
        At most; ``learning_rate`` falls to 0 along a cosine over that many.
    seed : int
    loss : str
        ``gaussian``: mean squared error, of a VAE the likelihood with the variance that fits best (Rybkin et al. 2021).
        ``bernoulli``: negative log-likelihood of levels between 0 and 1. ``cosine``: cosine distance, which no likelihood
        belongs to.
    activation : str
        Of hidden layers.
    dropout : float
        Share of the features before and after the code that are left out in training.
    beta : float
        Weight of the Kullback-Leibler divergence of a VAE (Higgins et al. 2017); 1 is the evidence lower bound.
    warm_up : int
        Epochs over which the weight rises from 0 to ``beta`` (Bowman et al. 2016).
    batch : int
        Excerpts.
    learning_rate : float
        Of Adam (Kingma & Ba 2015).
    excerpts_per_song : int
        Drawn of every song in every epoch.
    patience : int
        Epochs without a smaller loss on songs that stay out, after which training ends.
    """

    model: str = "cae"
    latent: str = DEFAULT_LATENT
    epochs: int = DEFAULT_EPOCHS
    seed: int = DEFAULT_SEED
    loss: str = "gaussian"
    activation: str = "leaky_relu"
    dropout: float = 0.0
    beta: float = 1.0
    warm_up: int = 10
    batch: int = 10
    learning_rate: float = 3e-3
    excerpts_per_song: int = 10
    patience: int = 12

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("model", self.model, MODELS), ("loss", self.loss, LOSSES), ("activation", self.activation, ACTIVATIONS),
        ):  # fmt: skip
            if value not in choices:
                raise UsageError(f"no {name} {value!r} of autoencoders; there are {', '.join(choices)}")
        for name, number, low, high in (
            ("dropout", self.dropout, *DROPOUTS), ("beta", self.beta, *BETAS), ("rate", self.learning_rate, *RATES),
        ):  # fmt: skip
            if not low <= number <= high:  # of NaN it is not
                raise UsageError(f"a {name} of {number:g} is out of range, give {low:g} to {high:g}")
        Latent.named(self.latent)

    @property
    def name(self) -> str:
        """What the autoencoder's files are called."""
        return f"{self.model}_{self.latent}"

    @property
    def code(self) -> Latent:
        return Latent.named(self.latent)

    @property
    def is_variational(self) -> bool:
        return self.model == "vae"


@dataclass(frozen=True)
class AutoencoderOptions:
    """``device`` is auto, cpu or cuda; ``workers`` trainings of a grid run at the same time on a CPU."""

    settings: AutoencoderSettings = field(default_factory=AutoencoderSettings)
    device: str = "auto"
    workers: int = field(default_factory=usable_cores)


def levels(values: np.ndarray) -> np.ndarray:
    """Decibels -80 … 0 as levels 0 … 1, which are what autoencoders reconstruct: float32, of the same shape."""
    return (values.astype(np.float32) - FLOOR_DB) / -FLOOR_DB


def level_decibels(levels: np.ndarray) -> np.ndarray:
    """Levels 0 … 1 as decibels -80 … 0."""
    return (1 - levels) * FLOOR_DB
