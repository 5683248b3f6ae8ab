"""The look of every figure: fonts, sizes, colour maps; text that the fonts can draw; and how a figure is saved.

Colours of genres and families are in ``songmap.library.palette``.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.files import write_atomically
from songmap.core.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT_COLOUR, MUTED_COLOUR, GRID_COLOUR = "#1a1a1a", "#5f6368", "#d9d9d9"
TOWARDS_COLOUR, AWAY_COLOUR = "#762A83", "#1B7837"  # signed quantities: raises, lowers; no genre has these
SEQUENTIAL_MAP, DIVERGING_MAP = "magma", "RdBu_r"
_DPI = 150


def figure_style() -> dict[str, object]:
    """matplotlib rcParams of every figure, for ``matplotlib.rc_context``."""
    return {
        "figure.facecolor": "white",
        "figure.dpi": _DPI,
        "savefig.dpi": _DPI,
        "font.family": ["DejaVu Sans", *_installed_fonts()],
        "font.size": 10,
        "text.color": TEXT_COLOUR,
        "axes.labelcolor": TEXT_COLOUR,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": GRID_COLOUR,
        "legend.frameon": False,
        "text.parse_math": False,  # a title may hold "$"
    }


def _installed_fonts() -> list[str]:
    """Fonts for scripts that DejaVu lacks, of those that this system has."""
    from matplotlib import font_manager

    wanted = ("Noto Sans CJK JP", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Unifont", "Noto Emoji", "Symbola")
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in wanted if name in installed]


def drawable(text: str) -> str:
    """``text`` as a figure can show it: □ for what no font here has, nothing for joiners and selectors it lacks.

    Every name from outside goes through this on its way into a figure; line breaks become spaces.
    """
    codes = _drawable_codes()
    signs = []
    for sign in " ".join(text.split()):
        if ord(sign) in codes:
            signs.append(sign)
        elif unicodedata.category(sign) not in ("Mn", "Me", "Cf", "Cc"):
            signs.append("□")
    return "".join(signs)


@lru_cache(maxsize=1)
def _drawable_codes() -> frozenset[int]:
    """Code points that a font of ``figure_style`` has. DejaVu's bold has fewer than its regular cut."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    def codes(name: str, weight: str) -> set[int]:
        return set(get_font(findfont(FontProperties(family=name, weight=weight))).get_charmap())

    dejavu = codes("DejaVu Sans", "normal") & codes("DejaVu Sans", "bold")
    return frozenset(dejavu.union(*(codes(name, "normal") for name in _installed_fonts())))


def draw(
    function: Callable[..., "Figure"],
    path: Path,
    *arguments: object,
    formats: Sequence[str] = ("png",),
    **options: object,
) -> Path:
    """Call a function that makes a figure, under the common style, and save the figure.

    Equal figures give equal bytes, except for the names of clip paths in SVG.

    Parameters
    ----------
    function : callable
        Makes the figure of ``arguments`` and ``options``.
    path : Path
        Where to; the suffix is replaced by that of each format.
    *arguments, **options
        Passed to ``function``.
    formats : sequence of str
        "png", "svg" or "pdf"; one file each.

    Returns
    -------
    Path
        The file of the first format.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(figure_style()):
        figure = function(*arguments, **options)
        for name in formats:
            save = partial(figure.savefig, format=name, bbox_inches="tight", metadata=undated[name])
            write_atomically(path.with_suffix(f".{name}"), save)
        pyplot.close(figure)
    return path.with_suffix(f".{formats[0]}")


def new_figure(width: float, height: float) -> "Figure":
    """An empty Figure, inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def headline(figure: "Figure", title: str) -> None:
    """Above everything, from the left edge, in as many lines as it needs."""
    figure.suptitle(drawable(title), x=0.01, ha="left", fontsize=11, fontweight="bold", wrap=True)


def contrast_numbers(axes: "Axes") -> None:
    """Write the numbers in the cells of a heat map in the text's colour or white, whichever has more contrast (WCAG 2.2)."""
    cells = axes.collections[0]
    n_columns, luminances = np.shape(cells.get_array())[-1], _luminance(cells.get_facecolors()[:, :3])
    darkest = _luminance(np.array([[int(TEXT_COLOUR[place : place + 2], 16) / 255 for place in (1, 3, 5)]]))[0]
    for number in axes.texts:
        column, row = map(int, number.get_position())
        own = luminances[row * n_columns + column] + 0.05
        number.set_color(TEXT_COLOUR if own / (darkest + 0.05) > 1.05 / own else "white")


def _luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance 0 … 1 of sRGB colours ``(n, 3)``."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def short(text: str, limit: int) -> str:
    """A name from outside as a figure can show it."""
    return drawable(shorten(text, limit))


def legend_below(figure: "Figure", handles: Sequence[Any], names: list[str]) -> None:
    """A legend below everything, five names in a row."""
    figure.legend(handles, names, loc="outside lower center", ncols=min(5, len(names)), fontsize=9)
