"""Pages from templates."""

import pytest
from jinja2 import UndefinedError

from songmap.core.pages import render


def test_a_page_escapes_what_it_is_given_and_misses_nothing():

    page = render("core/page.html", title="<b>&")
    assert "<title>&lt;b&gt;&amp;</title>" in page
    assert "color-scheme: light dark" in page
    with pytest.raises(UndefinedError, match="title"):
        render("core/page.html")
