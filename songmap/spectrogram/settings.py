"""How a network is trained: everything that its weights depend on besides the songs. Needs no torch."""

from dataclasses import dataclass, field

import numpy as np

from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import UsageError
from songmap.spectrogram.excerpts import KINDS, N_MFCC, ExcerptKind, mfcc_of

INPUTS = ("mel", "mfcc")
DEVICES = ("auto", "cpu", "cuda")
KIND_OF: dict[str, str] = {"image": "image", "frames": "frames", "residual": "mel"}  # what each network looks at
DEFAULT_EPOCHS = 40


@dataclass(frozen=True)
class TrainingSettings:
    """Of a training; the values were chosen on synthesised songs, none by the scores that are reported.

    Attributes
    ----------
    network : str
        One of ``KIND_OF``.
    input : str
        ``mel``: bands in decibels. ``mfcc``, of network ``frames`` only: 13 coefficients of them.
    epochs : int
        At most; ``learning_rate`` falls to 0 along a cosine over that many.
    seed : int
    batch : int
        Excerpts.
    excerpts_per_song : int
        Drawn of every song in every epoch, so that long songs do not count more than short ones.
    learning_rate, weight_decay : float
        Of AdamW (Loshchilov & Hutter 2019).
    patience : int
        Epochs without a smaller log loss on songs that stay out, after which training stops.
    mixup : float
        Parameter of the beta distribution of mixing shares (Zhang et al. 2018).
    band_mask, frame_mask : float
        Largest share of bands and of frames that SpecAugment masks, one mask each (Park et al. 2019).
    """

    network: str = "image"
    input: str = "mel"
    epochs: int = DEFAULT_EPOCHS
    seed: int = DEFAULT_SEED
    batch: int = 32
    excerpts_per_song: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    patience: int = 12
    mixup: float = 0.2
    band_mask: float = 0.2
    frame_mask: float = 0.2

    def __post_init__(self) -> None:
        if self.network not in KIND_OF:
            raise UsageError(f"no network {self.network!r}; there are {', '.join(KIND_OF)}")
        if self.input not in INPUTS or (self.input == "mfcc" and self.network != "frames"):
            raise UsageError(f"--input {self.input} is not for network {self.network}: mfcc is for network frames")

    @property
    def name(self) -> str:
        """What the network's files are called."""
        return self.network if self.input == "mel" else f"{self.network}_{self.input}"

    @property
    def kind(self) -> ExcerptKind:
        return KINDS[KIND_OF[self.network]]

    @property
    def n_bands(self) -> int:
        """Of what the network gets."""
        return self.kind.n_bands if self.input == "mel" else N_MFCC

    def inputs(self, values: np.ndarray) -> np.ndarray:
        """What the network gets, not standardised, of excerpts float16 ``(n, n_bands, n_frames)``: float32."""
        return values.astype(np.float32) if self.input == "mel" else mfcc_of(values)


@dataclass(frozen=True)
class FittingOptions:
    """How a network is trained and evaluated.

    ``device`` is auto, cpu or cuda; ``workers`` trainings run at the same time on a CPU; ``group_by`` is what is never on
    both sides of a split: strictest, artist, album or song.
    """

    settings: TrainingSettings = field(default_factory=TrainingSettings)
    device: str = "auto"
    workers: int = field(default_factory=usable_cores)
    group_by: str = "strictest"
