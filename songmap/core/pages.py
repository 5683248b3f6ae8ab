"""Self-contained HTML pages from jinja2 templates: light and dark, readable on a phone, everything escaped.

A template is in its question's ``views/`` folder and extends ``core/page.html``. Values are escaped unless a
template says ``| safe``, which only scripts and styles of this package do.
"""

import html
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
        loader=FileSystemLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["source"] = source
    # of the filter `tojson`, which escapes what could end a script element
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    return environment


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
