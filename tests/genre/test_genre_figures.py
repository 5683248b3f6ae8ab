"""Every picture with two and with twelve genres, some of long names: no words lie on others."""

from itertools import combinations

import numpy as np
import pytest

from songmap.core.figures import figure_style
from songmap.genre import pictures, reason_pictures
from songmap.library.schema import FAMILIES

COMPONENTS = [
    f"PC{number} ({number} %): higher mel 851 Hz–1.2 kHz, lower mfcc_{number:02d} std" for number in range(1, 16)
]
NUMBERS = (2, 12)


def arguments(name: str, n_genres: int) -> tuple:
    """What a picture function takes, for so many genres, every third of a long name."""
    rng = np.random.default_rng(0)
    genres = [f"A very long genre, no. {row} (1990s)" if row % 3 == 0 else f"GENRE{row}" for row in range(n_genres)]
    n_songs = 4 * n_genres
    named = np.array(genres, dtype=object)[np.arange(n_songs) % n_genres]
    values = rng.standard_normal((n_songs, len(COMPONENTS), n_genres))
    scores = rng.standard_normal((n_songs, len(COMPONENTS)))
    counts = rng.integers(0, 100, (n_genres, n_genres))
    candidates = [
        {"model": f"m{row}", "title": f"A candidate with a long title, {row}"}
        | {f"{score}{end}": value for score in ("accuracy", "macro_f1") for end, value in (("", 0.7), ("_low", 0.5), ("_high", 0.9))}
        for row in range(7)
    ]  # fmt: skip
    bins = [
        {"songs": 10, "confidence": place, "accuracy": place, "accuracy_low": place - 0.1, "accuracy_high": place + 0.1}
        for place in (0.3, 0.5, 0.8)
    ]
    title = f"{'A song with a long name, ' * 4}: {genres[0]} 87 %, judged by the model of fold 3, trained without it"
    songs = [f"A song with a rather long name, the {row}th of them [{genres[row % n_genres]}]" for row in range(15)]
    return {
        "confusion_picture": ({"Cross-validation": counts, "103 test songs": counts // 5}, genres),
        "candidates_picture": (candidates, "m3"),
        "reliability_picture": (bins, 0.08),
        "boundary_picture": (rng.dirichlet(np.ones(n_genres), 15), songs, genres, genres),
        "families_picture": (rng.normal(3, 8, (n_genres, 7)), genres),
        "importance_picture": (np.abs(values).mean(axis=0), COMPONENTS, genres, genres, "PCA + XGBoost (not the served model)"),
        "beeswarm_picture": (values, scores, COMPONENTS, genres, "PCA + XGBoost (not the served model)"),
        "waterfall_picture": (rng.normal(0, 20, 7), 50.0, FAMILIES, title, f"probability of {genres[0]} in points", "a note", 1),
        "dependence_picture": (
            [(scores[:, index], values[:, index, 0], COMPONENTS[index], genres[0]) for index in range(4)],
            named, genres, genres, "PCA + XGBoost (not the served model)",
        ),
    }[name]  # fmt: skip


def texts_of(figure) -> list[tuple[str, object]]:
    """Words that stand level or upright, with the box that they fill; numbers, of which not all ticks are drawn, aside."""
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


def names() -> list[str]:
    found = [*vars(pictures).items(), *vars(reason_pictures).items()]
    return sorted({name for name, _ in found if name.endswith("_picture")})


@pytest.mark.parametrize("n_genres", NUMBERS)
@pytest.mark.parametrize("name", names())
def test_no_words_lie_on_others(name, n_genres):
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    function = getattr(pictures, name, None) or getattr(reason_pictures, name)
    with matplotlib.rc_context(figure_style()):
        figure = function(*arguments(name, n_genres))
        FigureCanvasAgg(figure).draw()
        texts = texts_of(figure)
    assert len(texts) >= 3
    for (one, first), (other, second) in combinations(texts, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 1 or down <= 1, f"{one!r} and {other!r} overlap by {across:.0f} x {down:.0f} pixels"
