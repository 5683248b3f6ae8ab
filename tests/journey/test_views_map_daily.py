"""The map in a real browser, as it is used daily: names when zoomed in, reasons, families, filters, paths, slips of the finger."""

import numpy as np
import pytest
from map_page_driver import GENRES, N, Page, embeddings
from test_views_map_songs import downloaded

from songmap.library.schema import FAMILIES
from songmap.library.spaces import build_space, coordinates_of

SELECT = "[colouring.value = arguments[0], colouring.dispatchEvent(new Event('change'))]"
LABELS = "[...document.querySelectorAll('#labels span')].map(label => label.textContent)"


@pytest.fixture(scope="module")
def opened(make_page) -> Page:
    """Opened once for this module."""
    return make_page(2).open()


@pytest.fixture
def page(opened: Page) -> Page:
    """With nothing chosen, the whole map in view and no filter."""
    opened.one("#whole").click()
    opened.button("Move").click()
    opened.js("[all.click(), search.value = '', search.blur()]")
    opened.keys("\ue00c", "\ue00c")
    return opened


def wide_path(page: Page) -> list[tuple[float, float]]:
    """From the first song of the left group up to the last."""
    return [page.place(row) for row in range(5)]


def test_songs_are_named_when_one_has_zoomed_in_and_clusters_when_they_are_the_colours(page: Page):
    assert page.js(LABELS) == []
    for _ in range(3):
        page.one("#nearer").click()
    page.choose("Title 3")  # which the map moves into view
    page.until(f"{LABELS}.includes('Title 3')")
    page.one("#card .close").click()
    page.until("document.querySelector('#card ol') === null")
    assert "Title 3" in page.js(LABELS)
    assert set(page.js(LABELS)) <= {f"Title {row}" for row in range(N)} | {page.songs["title"][6]}
    page.one("#whole").click()
    page.until(f"{LABELS}.length === 0")
    page.js(SELECT, 4)
    page.until(f"{LABELS}.length > 3")
    assert all(": slow, a steady pulse" in label for label in page.js(LABELS))
    boxes = page.js(
        "[...document.querySelectorAll('#labels span')].map(label => label.getBoundingClientRect().toJSON())"
    )
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            apart = one["left"] >= other["right"] or one["right"] <= other["left"]
            assert apart or one["top"] >= other["bottom"] - 1 or one["bottom"] <= other["top"] + 1
    page.js(SELECT, 0)


def test_neighbours_by_one_family_and_why_are_those_of_the_unit_vectors(page: Page):
    page.choose("Title 3")
    numbers = embeddings(N)
    units = build_space(numbers).units(numbers).astype(np.float64)
    page.js("[family.value = 3, family.dispatchEvent(new Event('change'))]")
    own = units[:, coordinates_of(FAMILIES[3], described=True)]
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    expected = own @ own[3]
    titles = page.texts("#near .names span:first-child")
    rows = [next(row for row in range(N) if page.songs["title"][row] == title) for title in titles]
    assert len(rows) == 10
    assert 3 not in rows
    shown = [float(text) for text in page.texts("#near .similarity")]
    assert shown == pytest.approx(expected[rows], abs=0.01)
    assert shown == sorted(shown, reverse=True)
    assert min(shown) >= sorted(np.delete(expected, 3))[-10] - 0.01
    line = page.js("map.data.find(trace => trace.mode === 'lines').x.length")
    assert line == 30  # drawn to these ten
    page.one(".why").click()
    added = [
        units[3, columns] @ units[rows[0], columns] for columns in (coordinates_of(f, described=True) for f in FAMILIES)
    ]
    assert page.texts(".families li > span:first-child") == list(FAMILIES)
    assert [float(text) for text in page.texts(".families li > span:last-child")] == pytest.approx(added, abs=0.011)
    page.one(".why").click()
    assert page.texts(".families li") == []


@pytest.mark.parametrize(("typed", "found"), [("titel 3", "Title 3"), ("mon sigr ros", "Møn – Sígur Rós")])
def test_search_tolerates_typing_errors(page: Page, typed: str, found: str):
    box = page.one("#search")
    box.clear()
    box.send_keys(typed)
    options = page.texts("#found [role=option]")
    assert options[0] == f"No “{typed}”; similar words:"
    assert found in options[1]
    box.send_keys("\ue007")
    page.until("document.querySelector('#card h2')?.textContent === arguments[0]", found)


def test_search_lists_what_is_spelled_rightly_alone_and_nothing_for_other_words(page: Page):
    box = page.one("#search")
    box.clear()
    box.send_keys("title 10")
    assert page.js("found.children.length") == 2
    box.clear()
    box.send_keys("xylophone")
    assert page.texts("#found [role=option]") == ["No song has all of these words."]


def test_a_filter_dims_what_a_lasso_chose(page: Page):
    page.button("Lasso").click()
    width, height = page.js("[map.clientWidth / 2 - 5, map.clientHeight / 2 - 5]")
    page.drag((-width, -height), (width, -height), (width, height), (-width, height), (-width, -height + 9))
    page.until("document.querySelector('#selection h2')?.textContent === '14 songs selected'")
    bright = "map.data.filter(trace => trace.marker?.opacity === 1).flatMap(trace => trace.rows).sort((a, b) => a - b)"
    assert page.js(bright) == list(range(N))
    page.button(f"ROCK{GENRES.count('ROCK')}").click()
    assert page.js(bright) == [row for row in range(N) if GENRES[row] != "ROCK"]
    assert set(page.drawn_rows()) == set(range(N))  # the others are still there, dim
    assert page.js("document.querySelectorAll('#selection .song.dim').length") == 6
    assert page.one("#selection .filtered").text.startswith("The filter hides 6 of them")
    page.button("Show all").click()
    assert page.js(bright) == list(range(N))


def test_a_drawn_path_is_played_and_saved_in_its_order(page: Page, tmp_path):
    page.button("Path").click()
    page.drag(*reversed(wide_path(page)))
    page.until("document.querySelector('#selection h2')?.textContent === '5 songs selected'")
    order = [4, 3, 2, 1, 0]
    assert page.js("[...document.querySelectorAll('#selection .song')].map(song => +song.dataset.row)") == order
    saved = downloaded(page, tmp_path, "Save playlist (M3U8)").decode(errors="surrogateescape")
    assert [line.split("Title ")[1] for line in saved.splitlines() if line.startswith("#EXTINF")] == list("43210")
    page.button("Play in order").click()  # the file of song 4 is missing: the next one plays
    audio = "document.querySelector('#selection audio')"
    page.until(f"{audio}.currentTime > 0.1")
    about = page.one("#selection [role=status]").text
    assert about == "“Title 4” cannot be played here. 2 of 5: Title 3 – Anna & <i>Otto</i>"
    page.js(f"{audio}.currentTime = 3.9")
    page.until("document.querySelector('#selection [aria-current]')?.dataset.row === '2'")
    assert page.js("map.data.some(trace => trace.marker?.symbol === 'circle-open')") is True
    page.keys("\ue00c")
    page.until("document.querySelector('#selection audio') === null")
