"""Self-contained HTML pages: light and dark, readable on a phone."""

import html


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
