"""Every figure with two and with twelve genres, some of long names: no words overlap."""

from itertools import combinations

import pytest
from genre.reports import make_report, make_sample

from songmap.core.figures import figure_style
from songmap.core.text import percent
from songmap.genre.views.component_phrases import components_title
from songmap.genre.views.files import figures_of

NUMBERS = (2, 12)


def texts_of(figure) -> list[tuple[str, object]]:
    """Horizontal or vertical words, with the box that they fill; numbers, of which not all ticks are drawn, aside."""
    from matplotlib.text import Text

    renderer = figure.canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if any(sign.isalpha() for sign in text.get_text())
        and text.get_visible()
        and text.get_rotation() in (0, 90)
        and (text.axes is None or text.axes.get_visible())
    ]


@pytest.mark.parametrize("n_genres", NUMBERS)
@pytest.mark.parametrize("name", list(figures_of(make_report(2), make_sample(2))))
def test_no_words_overlap(name, n_genres):
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    function, arguments = figures_of(make_report(n_genres), make_sample(n_genres))[name]
    with matplotlib.rc_context(figure_style()):
        figure = function(*arguments)
        FigureCanvasAgg(figure).draw()
        texts = texts_of(figure)
    assert len(texts) >= 3
    for (one, first), (other, second) in combinations(texts, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 1 or down <= 1, f"{one!r} and {other!r} overlap by {across:.0f} x {down:.0f} pixels"


@pytest.mark.parametrize("name", ["family_waterfall", "shap_waterfall"])
def test_a_waterfall_names_the_model_that_it_is_of(name):
    """Components can be those of a candidate, whose margin is not the probability of the model in use."""
    import matplotlib

    report = make_report(2)
    function, arguments = figures_of(report, make_sample(2))[name]
    with matplotlib.rc_context(figure_style()):
        title = function(*arguments).get_suptitle()
    is_of_components = name == "shap_waterfall"
    assert (percent(report.song.probability) in title) is not is_of_components
    assert (components_title(report) in title) is is_of_components
