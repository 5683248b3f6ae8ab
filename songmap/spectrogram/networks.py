"""Networks that look at excerpts: blocks of convolutions, a vector per excerpt, logits of genres. Needs torch.

A module takes ``x`` float32 ``(n, n_bands, n_frames)``, standardised. Frequency is one of two axes of ``image`` and
``residual``, and the channels of ``frames``, whose filters span all bands.

References
----------
Dieleman & Schrauwen 2014 (ICASSP), and Dieleman 2014, "Recommending music on Spotify": convolutions over time alone, pooling of the whole excerpt by mean, maximum and L2 norm. Won et al. 2020,
"Evaluation of CNN-based automatic music tagging models": the short-chunk network with residual connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from songmap.core.errors import UsageError


@dataclass(frozen=True)
class LayerGeometry:
    """Where in time the output of a layer is: value ``t`` is centred on frame ``first + t * hop`` of the excerpt.

    It depends on ``receptive`` frames around that one, 1 of them being the centre.
    """

    hop: int
    receptive: int
    first: float


@dataclass(frozen=True)
class _Step:
    """What an operation does along time: kernel, stride and padding in its own input's frames."""

    kernel: int
    stride: int
    padding: int


class ExcerptNetwork(nn.Module):
    """What the networks have in common: ``forward`` is a linear layer on ``penultimate``."""

    def __init__(self, n_features: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.n_features = n_features
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_features, n_classes)
        self.blocks = nn.ModuleDict()
        self._geometry: dict[str, LayerGeometry] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(n, n_classes)``."""
        return self.head(self.dropout(self.penultimate(x)))

    def penultimate(self, x: Tensor) -> Tensor:
        """The vector of every excerpt ``(n, n_features)``, not negative."""
        raise NotImplementedError

    def layers(self) -> dict[str, nn.Module]:
        """The blocks by name, first to last. Output ``(n, n_filters, [bands,] time)`` after the rectifier, before pooling."""
        return dict(self.blocks.items())

    def geometry(self, layer: str) -> LayerGeometry:
        """Where in time the output of one of ``layers`` is."""
        return self._geometry[layer]

    def _place(self, steps: Sequence[tuple[str, Sequence[_Step]]]) -> None:
        """Note the geometry of every block from what comes one after another; a name of "" is not a block."""
        hop, receptive, first = 1, 1, 0.0
        for name, operations in steps:
            for one in operations:
                first += ((one.kernel - 1) / 2 - one.padding) * hop
                receptive += (one.kernel - 1) * hop
                hop *= one.stride
            if name:
                self._geometry[name] = LayerGeometry(hop, receptive, first)


def _block_2d(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


class ImageNetwork(ExcerptNetwork):
    """Four blocks of 3 × 3 convolutions, each followed by max-pooling of 2 × 2; mean and maximum over time; dense."""

    FILTERS = (16, 32, 48, 64)

    def __init__(self, n_bands: int, n_frames: int, n_classes: int) -> None:
        super().__init__(64, n_classes, dropout=0.5)
        n_in, steps = 1, []
        for number, n_out in enumerate(self.FILTERS, 1):
            self.blocks[f"block{number}"] = _block_2d(n_in, n_out)
            steps += [(f"block{number}", [_Step(3, 1, 1)]), ("", [_Step(2, 2, 0)])]
            n_in, n_bands = n_out, n_bands // 2
        self._place(steps)
        self.pool = nn.MaxPool2d(2)
        self.dense = nn.Sequential(nn.Dropout(0.25), nn.Linear(2 * n_in * n_bands, self.n_features), nn.ReLU())
        self.to(memory_format=torch.channels_last)

    def penultimate(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for block in self.blocks.values():
            x = self.pool(block(x))
        return self.dense(torch.cat([x.mean(dim=3), x.amax(dim=3)], dim=1).flatten(1))


class FramesNetwork(ExcerptNetwork):
    """Three convolutions over time, max-pooling of 4 and 2 between them; mean, maximum and L2 norm over time; dense."""

    FILTERS = (64, 96, 128)
    POOLING = (4, 2)
    KERNEL = 5  # odd, so that a filter's response is centred

    def __init__(self, n_bands: int, n_frames: int, n_classes: int) -> None:
        super().__init__(128, n_classes, dropout=0.5)
        n_in, steps, reach = n_bands, list[tuple[str, list[_Step]]](), self.KERNEL // 2
        for number, n_out in enumerate(self.FILTERS, 1):
            convolution = nn.Conv1d(n_in, n_out, self.KERNEL, padding=reach, bias=False)
            self.blocks[f"block{number}"] = nn.Sequential(convolution, nn.BatchNorm1d(n_out), nn.ReLU())
            steps.append((f"block{number}", [_Step(self.KERNEL, 1, reach)]))
            if number <= len(self.POOLING):
                steps.append(("", [_Step(self.POOLING[number - 1], self.POOLING[number - 1], 0)]))
            n_in = n_out
        self._place(steps)
        self.pools = nn.ModuleList([nn.MaxPool1d(size) for size in self.POOLING] + [nn.Identity()])
        self.dense = nn.Sequential(nn.Dropout(0.25), nn.Linear(3 * n_in, self.n_features), nn.ReLU())

    def penultimate(self, x: Tensor) -> Tensor:
        for block, pool in zip(self.blocks.values(), self.pools, strict=True):
            x = pool(block(x))
        # the root of the mean square: the L2 norm, whatever the number of frames
        norm = (x.square().mean(dim=2) + 1e-8).sqrt()
        return self.dense(torch.cat([x.mean(dim=2), x.amax(dim=2), norm], dim=1))


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions, the first with a stride of 2, added to a shortcut of one (He et al. 2016)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
        )
        self.second = nn.Sequential(nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out))
        self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


class ResidualNetwork(ExcerptNetwork):
    """Residual blocks, each of half the bands and frames; maximum over what is left; dense (Won et al. 2020).

    It has fewer blocks and filters than the published one, which has seven of 128 and is trained on a GPU.
    """

    FILTERS = (16, 32, 48, 64, 64)

    def __init__(self, n_bands: int, n_frames: int, n_classes: int) -> None:
        super().__init__(64, n_classes, dropout=0.5)
        n_in, steps = 1, []
        for number, n_out in enumerate(self.FILTERS, 1):
            self.blocks[f"block{number}"] = ResidualBlock(n_in, n_out)
            steps.append((f"block{number}", [_Step(3, 2, 1), _Step(3, 1, 1)]))
            n_in = n_out
        self._place(steps)
        self.dense = nn.Sequential(nn.Linear(n_in, self.n_features), nn.BatchNorm1d(self.n_features), nn.ReLU())
        self.to(memory_format=torch.channels_last)

    def penultimate(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for block in self.blocks.values():
            x = block(x)
        return self.dense(x.amax(dim=(2, 3)))


NETWORKS: dict[str, type[ExcerptNetwork]] = {
    "image": ImageNetwork, "frames": FramesNetwork, "residual": ResidualNetwork,
}  # fmt: skip


def build_network(name: str, n_bands: int, n_frames: int, n_classes: int) -> ExcerptNetwork:
    """A network with random weights. Raises UsageError for a name that there is not."""
    if name not in NETWORKS:
        raise UsageError(f"no network {name!r}; there are {', '.join(NETWORKS)}")
    return NETWORKS[name](n_bands, n_frames, n_classes)
