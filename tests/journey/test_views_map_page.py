"""The maps in a real browser without a network: what they draw, colour, filter and state."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from map_page_driver import GENRES, HOSTILE_GENRE, N, Page, map_songs, song_rows

from songmap.journey.results import Colouring, Projection
from songmap.journey.views import map_page
from songmap.journey.views.map_page import write_map_page
from songmap.library.library import song_table
from songmap.library.palette import genre_colours


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_page_draws_all_songs_without_network_or_errors(browser, make_page, n_dimensions: int):
    page = make_page(n_dimensions).open()
    if n_dimensions == 2:
        assert page.js("document.querySelectorAll('.scatterlayer .point').length") == N
    else:
        page.until("document.querySelector('.gl-container canvas') !== null")
        assert "WebGL" not in page.one("body").text
    assert page.drawn_rows() == list(range(N))
    requests = [
        event["params"]["request"]["url"]
        for event in (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert page.path.as_uri() in requests
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    page.one("header a").click()  # the same songs in the other number of dimensions
    page.until(f"location.pathname.endsWith('map_{5 - n_dimensions}d.html')")


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_page_draws_every_genre_in_its_colour_in_both_themes(browser, make_page, n_dimensions: int):
    from PIL import Image

    page = make_page(n_dimensions).open("light")
    frame = page.js("map.getBoundingClientRect().toJSON()")
    box = [round(frame[side]) for side in ("left", "top", "right", "bottom")]
    shown = {}
    for scheme in ("light", "dark"):  # the open page follows
        page.scheme(scheme)
        page.until("new Promise(done => setTimeout(() => requestAnimationFrame(() => done(true)), 300))")
        shot = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB").crop(box)
        pixels = np.asarray(shot).astype(int)
        shown[scheme] = pixels.mean()
        for genre, colour in genre_colours(GENRES).items():
            rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)])
            surface = np.array([247, 247, 245] if scheme == "light" else [30, 33, 36])
            drawn = 0.88 * rgb + 0.12 * surface
            assert (np.abs(pixels - drawn).max(axis=2) <= 14).sum() > 20, (scheme, genre)
        text = page.js("getComputedStyle(document.querySelector('h1')).color")
        levels = [int(part) for part in text.removeprefix("rgb(").removesuffix(")").split(",")]
        assert (min(levels) > 200) if scheme == "dark" else (max(levels) < 60)
    assert shown["light"] > 200 > 80 > shown["dark"]


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_legend_filters(make_page, n_dimensions: int):
    page = make_page(n_dimensions).open()
    assert page.texts(".chip > button:first-child") == [f"{HOSTILE_GENRE}2", "JAZZ5", "ROCK6", "unknown1"]
    page.button("ROCK6").click()
    assert page.drawn_rows() == [0, 1, 2, 3, 4, 11, 12, 13]
    assert page.button("ROCK6").get_attribute("aria-pressed") == "false"
    assert page.one("#count").text == "8 of 14 songs shown."
    page.js("document.querySelectorAll('.only')[1].click()")
    assert page.drawn_rows() == [0, 1, 2, 3, 4]
    # filters add up: above 103 BPM are two of these five
    page.js("[colouring.value = 1, colouring.dispatchEvent(new Event('change'))]")
    page.one("input[aria-label='Minimum tempo']").send_keys("\ue014" * 8)
    page.until("map.data.flatMap(trace => trace.rows).length < 5")
    assert page.drawn_rows() == [3, 4]
    page.button("Show all").click()
    assert page.drawn_rows() == list(range(N))


COLOURS = "map.data.map(trace => ({color: trace.marker.color, rows: trace.rows}))"


def test_colourings_colour(plane: Page):
    select = "[colouring.value = arguments[0], colouring.dispatchEvent(new Event('change'))]"
    plane.js(select, 1)
    colours = {row: trace["color"] for trace in plane.js(COLOURS) for row in trace["rows"]}
    assert [
        row
        for row in colours
        if colours[row] == plane.js("getComputedStyle(document.body).getPropertyValue('--faint')")
    ] == [1]
    by_tempo = [int(colours[row][4:-1].split(", ")[0]) for row in range(N) if row != 1]
    assert by_tempo == sorted(by_tempo)  # red grows along the scale
    assert len(set(by_tempo)) == N - 1
    assert plane.one(".range").text == "100.5 – 113.5 BPM"
    plane.js(select, 3)
    assert plane.one(".range").text == "2000 – 2013"
    plane.js(select, 2)
    assert plane.texts(".chip > button:first-child") == ["7A (D minor)7", "8B (C major)6", "unknown1"]
    plane.js(select, 4)  # more than eight clusters: their symbols differ too, and 2 comes before 10
    labels = plane.texts(".chip > button > span:nth-child(2)")
    genres = ["", " · only JAZZ"]
    assert labels == [f"{number}: slow, a steady pulse{genres[(number + 1) % 2]}" for number in range(1, N + 1)]
    assert plane.one("#meaning").text.startswith("Words such as slow or dark compare with this library")
    assert len(set(plane.js("map.data.map(trace => trace.marker.color + trace.marker.symbol)"))) == N


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_page_fits_a_phone(browser, make_page, n_dimensions: int):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page = make_page(n_dimensions).open()
        page.choose("Title 3")
        assert page.js("document.documentElement.scrollWidth") == 390
        plane, panel = page.js("[map, panel].map(part => part.getBoundingClientRect().toJSON())")
        assert plane["width"] > 340
        assert plane["bottom"] <= panel["top"] < 844
        assert panel["width"] <= 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_page_states_how_far_to_trust_it(plane: Page):
    text = plane.one(".trust").text
    assert "70 % are among its 2 nearest" in text
    assert "Trustworthiness 0.90" in text


def test_many_songs_are_drawn_with_webgl_and_very_many_without_lists_by_family(
    browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    n_songs = 2500
    monkeypatch.setattr(map_page, "MAX_FAMILY_SONGS", n_songs - 1)
    random = np.random.default_rng(0)
    songs = song_table(
        [
            {
                "song_name": f"song {row}",
                "file_path": f"/music/{row % 7}/{row}.mp3",
                "genre": "AB"[row % 2],
                "duration": 1.0,
            }
            for row in range(n_songs)
        ]
    )
    points = random.normal(size=(n_songs, 2))
    near = (np.arange(n_songs)[:, None] + np.arange(1, 4)) % n_songs
    genre = Colouring("genre", "genre", songs["genre"].to_numpy())
    on_map = map_songs(songs, (genre,), near, np.ones(near.shape))
    path = write_map_page(tmp_path / "map.html", Projection(points, "PCA", 0, None, None), on_map)
    page = Page(browser, path, songs).open()
    assert page.js("map.data.map(trace => [trace.type, trace.rows.length])") == [["scattergl", 1250]] * 2
    page.choose("song 77")
    assert page.texts("#card ol .names span:first-child") == ["song 78", "song 79", "song 80"]
    assert page.texts(".path") == ["0/77.mp3"]
    assert page.texts("#family, .why") == []
    assert "does not list neighbours by family" in page.one("#card").text
    assert b"Int8Array" not in path.read_bytes().split(b'id="songs"')[1].split(b"</script>")[0]


def test_a_single_song_has_a_map_too(browser, tmp_path: Path):
    songs = song_rows(tmp_path).iloc[:1]
    colourings = Colouring("genre", "genre", np.array(["JAZZ"])), Colouring("year", "number", np.array([np.nan]))
    nobody = np.empty((1, 0))
    on_map = map_songs(songs, colourings, nobody.astype(int), nobody)
    path = write_map_page(tmp_path / "map.html", Projection(np.zeros((1, 2)), "PCA", 0, None, None), on_map)
    page = Page(browser, path, songs).open()
    page.js("[colouring.value = 1, colouring.dispatchEvent(new Event('change'))]")
    page.choose("Title 0")
    page.until("document.querySelector('#card h3')?.textContent === 'No other songs'")
    assert page.texts("#legend") == ["unknown1"]
    page.one("summary").click()
    page.until("document.querySelector('dl').textContent === 'yearunknown'")
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in errors if "0.wav" not in message] == []  # this song has no file
