"""Charts as SVG within a page: they take its colours, dark or light, and shrink to a phone's width.

A chart is a list of marks; ``core/parts.html`` writes them and a page's style gives their classes colours. Coordinates are
in CSS pixels of a screen 390 wide, on which text is drawn at its own size; wider screens enlarge all of it.
"""

from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width

from songmap.core.text import shorten

WIDTH = 358  # of a phone's screen, without margins
_WIDE, _NARROW = frozenset("WMm@%…"), frozenset(" iIjltfr.,:;'()[]-|!")


@dataclass(frozen=True)
class Mark:
    """An SVG element: its tag and attributes, the text in it, and what is shown when a pointer rests on it."""

    tag: Literal["rect", "line", "circle", "text"]
    attributes: dict[str, str | float]
    text: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Chart:
    """``marks`` within ``width`` and ``height``; ``label`` says what the chart shows."""

    label: str
    width: float
    height: float
    marks: list[Mark]


def text_width(text: str) -> float:
    """Pixels that usual fonts need at the size of charts, at most."""
    return sum(map(_sign_width, text))


def _sign_width(sign: str) -> float:
    if sign in _WIDE or east_asian_width(sign) in "WF":
        return 12.0
    if sign in _NARROW:
        return 4.7
    return 8.5 if sign.isupper() else 7.0


def fitted(text: str, width: float) -> str:
    """``text``, cut in its middle where it would be wider than so many pixels."""
    needed = text_width(text)
    return text if needed <= width else shorten(text, int(len(text) * width / needed))


def text(x: float, y: float, text: str, *, anchor: str = "start", small: bool = False, style: str = "") -> Mark:
    classes = " ".join(filter(None, ("small" if small else "", style)))
    attributes: dict[str, str | float] = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "class": classes}
    return Mark("text", attributes, text)


def upward(x: float, y: float, text: str, anchor: str = "start") -> Mark:
    return Mark("text", {"transform": f"translate({x:.1f} {y:.1f}) rotate(-90)", "text-anchor": anchor}, text)


def rect(box: tuple[float, float, float, float], style: str, *, opacity: float = 1.0, tip: str = "") -> Mark:
    """``box`` is x, y, width and height."""
    place = zip(("x", "y", "width", "height"), box, strict=True)
    attributes: dict[str, str | float] = {name: f"{value:.1f}" for name, value in place}
    return Mark("rect", attributes | {"class": style, "fill-opacity": f"{opacity:.2f}"}, tip=tip)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> Mark:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    attributes: dict[str, str | float] = {name: f"{value:.1f}" for name, value in ends.items()}
    return Mark("line", attributes | {"class": style})


def circle(x: float, y: float, tip: str, style: str = "") -> Mark:
    return Mark("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": 4, "class": style}, tip=tip)
