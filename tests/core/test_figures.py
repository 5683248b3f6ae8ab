"""What all figures have in common."""

import numpy as np
import pytest
import seaborn
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from songmap.core.figures import contrast_numbers

LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA: of text


def luminance(colour: object) -> float:
    channels = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in to_rgb(colour)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


@pytest.mark.parametrize("colours", ["magma_r", "RdBu_r", "Blues"])
def test_numbers_in_cells_can_be_read(colours):
    shares = np.linspace(0, 1, 60).reshape(6, 10)
    axes = Figure().subplots()
    seaborn.heatmap(shares, mask=shares == 0, cmap=colours, vmin=0, vmax=1, annot=True, ax=axes)
    contrast_numbers(axes)
    cells = axes.collections[0].get_facecolors()[1:]  # the first is masked
    assert len(axes.texts) == len(cells) == 59
    for number, cell in zip(axes.texts, cells, strict=True):
        darker, lighter = sorted((luminance(number.get_color()), luminance(cell[:3])))
        assert (lighter + 0.05) / (darker + 0.05) > LEAST_CONTRAST - 0.5
