"""Spectrograms and attributions as pictures within a page: PNG as data addresses, low frequencies at the bottom."""

import base64
import io

import numpy as np

from songmap.core.figures import AWAY_COLOUR, SEQUENTIAL_MAP, TOWARDS_COLOUR
from songmap.spectrogram.excerpts import FLOOR_DB

_OPAQUE_PERCENTILE = 98  # of attributions: single extremes would make all others invisible


def data_address(content: bytes, kind: str) -> str:
    """A file of a MIME type as an address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def spectrogram_picture(level_db: np.ndarray, colours: str = SEQUENTIAL_MAP) -> str:
    """The address of a picture of ``level_db (n_bands, n_frames)``, a pixel each, -80 to 0 dB; transparent where it is NaN."""
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, level_db[::-1].astype(np.float32), vmin=FLOOR_DB, vmax=0, cmap=colours, format="png")
    return data_address(file.getvalue(), "image/png")


def attribution_pictures(attribution: np.ndarray) -> list[str]:
    """Addresses of pictures to lay over spectrograms, one for each of ``attribution (n, n_bands, n_frames)``.

    Opacity is the size of the attribution, on one scale for all.
    """
    from matplotlib.colors import to_rgb
    from matplotlib.image import imsave

    scale = max(float(np.percentile(np.abs(attribution), _OPAQUE_PERCENTILE)), np.finfo(np.float32).tiny)
    addresses = []
    for one in attribution[:, ::-1]:
        pixels = np.empty((*one.shape, 4), np.float32)
        pixels[..., :3] = np.where(one[..., np.newaxis] > 0, to_rgb(TOWARDS_COLOUR), to_rgb(AWAY_COLOUR))
        pixels[..., 3] = np.minimum(np.abs(one) / scale, 1)
        file = io.BytesIO()
        imsave(file, pixels, format="png")
        addresses.append(data_address(file.getvalue(), "image/png"))
    return addresses
