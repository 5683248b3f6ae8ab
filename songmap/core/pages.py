"""Self-contained HTML pages from jinja2 templates: light and dark, readable on a phone, everything escaped.

A template is in its question's ``views/`` folder and extends ``core/page.html``. Values are escaped unless a
template says ``| safe``, which only scripts and styles of this package do.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).parents[1]


def render(template: str, **values: Any) -> str:
    """The page that a template makes of ``values``.

    Parameters
    ----------
    template : str
        Path below the package, e.g. ``genre/views/report.html``.
    **values
        What the template names; one that is missing is an error.
    """
    return _environment().get_template(template).render(**values)


def source(path: str) -> str:
    """The text of a script or style of this package, e.g. ``journey/views/map_page.css``."""
    return (_PACKAGE / path).read_text(encoding="utf-8")


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
