"""The maps opened in a real browser without a network: do they draw, answer and keep to themselves?"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songmap.core.artifacts import song_table
from songmap.core.style import genre_colours, shorten
from songmap.journey.map_page import write_map_page
from songmap.journey.projection import Projection

HOSTILE = "<script>window.hacked = 1</script> <img src=x onerror='hacked = 1'> &lt;b&gt; & \"q\" 'a' $x$ 音楽 </script>"
HOSTILE_GENRE = "<b>R&B</b>"
GENRES = ["JAZZ", "JAZZ", "ROCK", "ROCK", "ROCK", HOSTILE_GENRE]


def song_rows() -> pd.DataFrame:
    rows = [
        {
            "song_name": f"file {number}", "file_path": f"/music/{number}.flac", "genre": genre, "duration": 61.0 + number,
            "artist": "Anna & <i>Otto</i>", "title": HOSTILE if number == 5 else f"Title {number}", "album": "",
            "year": np.nan, "key": "", "tempo_bpm": 0.0 if number == 1 else 120.5,
        }
        for number, genre in enumerate(GENRES)
    ]  # fmt: skip
    return song_table(rows)


@pytest.fixture(scope="module", params=[2, 3], ids=["2d", "3d"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    n_dimensions = request.param
    coordinates = np.random.default_rng(0).normal(size=(6, n_dimensions))
    projection = Projection(coordinates, "UMAP", 2, 0.9, 0.7, lambda further: further)
    path = tmp_path_factory.mktemp("page") / f"map {n_dimensions}d.html"
    return n_dimensions, write_map_page(path, projection, song_rows())


def until(browser, condition: str) -> object:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 20).until(lambda driver: driver.execute_script(f"return {condition}"))


def opened(browser, path: Path, scheme: str = "light") -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(path.as_uri())
    until(
        browser,
        "map._fullLayout && map._fullLayout.hoverlabel.bgcolor && document.querySelectorAll('.legendtext').length == 3",
    )


def test_page_draws_without_network_or_errors(browser, page: tuple[int, Path]):
    n_dimensions, path = page
    opened(browser, path)
    if n_dimensions == 2:
        until(browser, "document.querySelectorAll('.scatterlayer .point').length == 6")
    else:
        until(browser, "document.querySelector('#scene canvas, .gl-container canvas') !== null")
        assert browser.execute_script("return document.body.innerText").count("WebGL") == 0
    requests = [
        event["params"]["request"]["url"]
        for event in (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert path.as_uri() in requests
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_page_draws_pixels_of_every_genre(browser, page: tuple[int, Path], tmp_path: Path):
    from PIL import Image

    _, path = page
    for scheme, text_is_light in (("light", False), ("dark", True)):
        opened(browser, path, scheme)
        until(browser, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
        shot = tmp_path / f"{scheme}.png"
        browser.save_screenshot(str(shot))
        with Image.open(shot) as image:
            legend_left = browser.execute_script(
                "return document.querySelector('.legend').getBoundingClientRect().left"
            )
            pixels = np.asarray(image.convert("RGB"))[:, : int(legend_left)].astype(int)
        colours = genre_colours(GENRES)
        for genre in set(GENRES):
            rgb = [int(colours[genre][start : start + 2], 16) for start in (1, 3, 5)]
            assert (np.abs(pixels - rgb).max(axis=2) <= 12).sum() > 20, (scheme, genre)
        colour = browser.execute_script("return getComputedStyle(document.querySelector('.legendtext')).fill")
        levels = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        assert (min(levels) > 200) if text_is_light else (max(levels) < 60)


def test_scheme_change_reaches_the_open_page(browser, page: tuple[int, Path]):
    opened(browser, page[1], "light")
    before = browser.execute_script("return map._fullLayout.font.color")
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    until(browser, f"map._fullLayout.font.color !== {json.dumps(before)}")


def test_click_on_a_genre_hides_it_and_another_shows_it(browser, page: tuple[int, Path]):
    n_dimensions, path = page
    opened(browser, path)
    names = browser.find_elements("css selector", ".legendtext")
    # sorted by name; tags in a genre are shown, not read
    assert [name.text for name in names] == [f"{HOSTILE_GENRE} (1)", "JAZZ (2)", "ROCK (3)"]
    browser.find_elements("css selector", ".legendtoggle")[2].click()
    until(browser, "map._fullData[2].visible === 'legendonly'")
    assert browser.execute_script("return map._fullData.map(trace => trace.visible)") == [True, True, "legendonly"]
    if n_dimensions == 2:
        until(browser, "document.querySelectorAll('.scatterlayer .point').length == 3")
    until(browser, "new Promise(done => setTimeout(() => done(true), 400))")  # two fast clicks would be a double-click
    browser.find_elements("css selector", ".legendtoggle")[2].click()
    until(browser, "map._fullData[2].visible === true")


@pytest.mark.parametrize("page", [2], indirect=True, ids=["2d"])
def test_pointing_at_a_song_shows_what_it_is_as_text(browser, page: tuple[int, Path]):
    from selenium.webdriver import ActionChains

    opened(browser, page[1])
    points = until(browser, "document.querySelectorAll('.scatterlayer .point')")
    ActionChains(browser).move_to_element(points[0]).perform()  # the genre that sorts first holds the hostile song
    until(browser, "document.querySelector('.hoverlayer .hovertext') !== null")
    lines = browser.execute_script(
        "return [...document.querySelectorAll('.hoverlayer .hovertext text.nums .line')].map(line => line.textContent)"
    )
    assert lines[1:] == ["Anna & <i>Otto</i>", HOSTILE_GENRE, "120.5 BPM", "1:06"]
    assert lines[0].replace("\xa0", " ") == shorten(HOSTILE, 80)
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.querySelectorAll('#map img').length") == 0


@pytest.mark.parametrize("page", [2], indirect=True, ids=["2d"])
def test_page_says_how_far_to_trust_it_and_offers_no_upload(browser, page: tuple[int, Path]):
    opened(browser, page[1])
    text = browser.find_element("css selector", "body").text
    assert "70% are among its 2 nearest" in text
    assert "Trustworthiness 0.90" in text
    buttons = [button.get_attribute("data-title") for button in browser.find_elements("css selector", ".modebar-btn")]
    assert "Download plot as a PNG" in buttons
    assert [title for title in buttons if "share" in title.lower() or "cloud" in title.lower()] == []


def test_unknown_facts_are_named_so():
    from songmap.journey.map_page import hover_text

    songs = song_rows()
    songs.loc[1, ["artist", "title"]] = ""
    assert hover_text(songs.iloc[1]) == "<b>file 1</b><br>artist unknown<br>JAZZ<br>no tempo<br>1:02"
