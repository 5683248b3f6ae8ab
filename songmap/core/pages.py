"""Self-contained HTML pages from jinja2 templates: light and dark, readable on a phone, everything escaped.

A template is in its question's ``views/`` folder and extends ``core/page.html``. Values are escaped unless a
template says ``| safe``, which only scripts and styles of this package do.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from songmap.core.tables import Record, format_cell
from songmap.core.text import UNIT_SPACE

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).parents[1]
# markup of a page, which is left as it is, or a space between a number and its unit
_MARKUP_OR_SPACE = re.compile(rf"<(script|style)\b.*?</\1>|<[^>]*>|{UNIT_SPACE}", re.DOTALL)
# a cell such as "84 %", "−13 to +13", "0.14 (0.09–0.19)", "1.3 MB" or none
_NUMERIC = re.compile(r"(?:\b(?:to|ms|s|[kM]?B|none)\b|[-−–+±≤<>()%.,\d\s])*")


@dataclass(frozen=True)
class PageTable:
    """A table of a page, for ``core/parts.html``.

    Cells are text; ``numeric`` columns are aligned to the right and never broken, ``marked`` rows are bold.
    """

    headings: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    marked: list[bool]


def render(template: str, **values: Any) -> str:
    """The page that a template makes of ``values``; no line of its text ends between a number and its unit.

    Parameters
    ----------
    template : str
        Path below the package, e.g. ``genre/views/report.html``.
    **values
        What the template names; one that is missing is an error.
    """
    page = _environment().get_template(template).render(**values)
    return _MARKUP_OR_SPACE.sub(lambda match: "\u00a0" if match[0] == " " else match[0], page)


def source(path: str) -> str:
    """The text of a script or style of this package, e.g. ``journey/views/map_page.css``."""
    return (_PACKAGE / path).read_text(encoding="utf-8")


def page_table(
    records: Sequence[Record], columns: Sequence[str] = (), *, headings: Mapping[str, str], marked: Sequence[bool] = ()
) -> PageTable:
    """A row per record with all or some of its columns; numbers with three decimals.

    ``headings`` are of columns that are not headed by their names.
    """
    columns = columns or list(records[0] if records else ())
    rows = [[record[name] for name in columns] for record in records]
    texts = [[f"{value:.3f}" if isinstance(value, float) else format_cell(value) for value in row] for row in rows]
    numeric = [any(column) and all(map(_NUMERIC.fullmatch, column)) for column in zip(*texts, strict=True)]
    titles = [headings.get(name, name.replace("_", " ")) for name in columns]
    return PageTable(titles, texts, numeric, list(marked) or [False] * len(rows))


def audio_address(path: str, folder: Path) -> str:
    """Address of a file on a page in ``folder``: relative, so that both can move together, where a way leads there."""
    try:
        way = os.path.relpath(path, folder.absolute())
    except ValueError:  # Windows: another drive
        return Path(path).as_uri()
    return quote(os.fsencode(way.replace(os.sep, "/")))


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals["source"] = source
    # of the filter `tojson`, which escapes what could end a script element
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    return environment
