"""One look: a colour-blind-safe colour and marker per genre, one colour per family, figure defaults.

Colours: Okabe & Ito (2008) for genres, Paul Tol's "muted" (2021) for families. With more genres than
colours the colours repeat with another marker, so a genre stays recognisable without colour.
"""

import html
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from songmap.core.artifacts import write_atomically
from songmap.core.config import UNKNOWN_GENRE
from songmap.core.schema import FAMILIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GENRE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
UNKNOWN_COLOUR = "#777777"
FAMILY_COLOURS = dict(
    zip(FAMILIES, ("#332288", "#88CCEE", "#44AA99", "#117733", "#DDCC77", "#CC6677", "#AA4499"), strict=True)
)
TEXT_COLOUR, MUTED_COLOUR, GRID_COLOUR = "#1a1a1a", "#5f6368", "#d9d9d9"
TOWARDS_COLOUR, AWAY_COLOUR = "#762A83", "#1B7837"  # signed quantities: raises, lowers; no genre has these
SEQUENTIAL_MAP, DIVERGING_MAP = "magma", "RdBu_r"
_MARKERS = (("o", "circle"), ("s", "square"), ("D", "diamond"), ("X", "x"))
_DPI = 150


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Colour of each genre by its place in the sorted set of all genres of the library."""
    return {genre: colour for genre, (colour, _, _) in _genre_looks(genres).items()}


def genre_markers(genres: Iterable[str], *, plotly: bool = False) -> dict[str, str]:
    """Marker of each genre, in matplotlib's or plotly's name."""
    return {genre: plotly_name if plotly else name for genre, (_, name, plotly_name) in _genre_looks(genres).items()}


def _genre_looks(genres: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    named = sorted(set(genres) - {UNKNOWN_GENRE})
    looks = {UNKNOWN_GENRE: (UNKNOWN_COLOUR, *_MARKERS[0])}
    for index, genre in enumerate(named):
        marker = _MARKERS[index // len(GENRE_COLOURS) % len(_MARKERS)]
        looks[genre] = (GENRE_COLOURS[index % len(GENRE_COLOURS)], *marker)
    return looks


def figure_style() -> dict[str, object]:
    """matplotlib rcParams of every picture, for ``matplotlib.rc_context``."""
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
    """``text`` as a picture can show it: □ for what no font here has, nothing for joiners and selectors it lacks.

    Every name from outside goes through this on its way into a picture; line breaks become spaces.
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
    """Call a picture function under the common style and save its Figure to ``path``, whose suffix is a format's.

    One file for each of ``formats`` ("png", "svg", "pdf"), which differ in their suffix. The same picture gives the
    same bytes, but for the names of clip paths in SVG. Returns the path of the first.
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


def shorten(text: str, limit: int) -> str:
    """``text`` cut in its middle to at most ``limit`` characters, so that both ends can be recognised."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head].rstrip()}…{text[len(text) - (limit - 1 - head) :].lstrip()}"


def html_page(title: str, body: str, head: str = "") -> str:
    """A self-contained page: light and dark, readable on a phone. ``body`` and ``head`` are trusted HTML."""
    return _PAGE.format(title=html.escape(title), body=body, head=head)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; --text: #1a1a1a; --muted: #5f6368; --page: #fff; --line: #d9d9d9; }}
@media (prefers-color-scheme: dark) {{
 :root {{ --text: #e8e8e8; --muted: #a5a9ad; --page: #16181a; --line: #3a3d40; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 0 auto; padding: 1rem; max-width: 80rem; }}
h1 {{ font-size: 1.4rem; margin: .2rem 0; }} p {{ max-width: 60rem; margin: .3rem 0; }} .muted {{ color: var(--muted); }}
table {{ border-collapse: collapse; }} td, th {{ padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: left; }}
</style>{head}</head><body>
{body}
</body></html>
"""
