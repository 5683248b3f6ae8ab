"""The maps opened in a real browser without a network: do they draw, answer, play and keep to themselves?"""

import csv
import io
import json
import os
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songmap.journey.map_page import Colouring, write_map_page
from songmap.journey.projection import Projection
from songmap.library.library import song_table
from songmap.library.palette import genre_colours

HOSTILE = "<script>window.hacked = 1</script> <img src=x onerror='hacked = 1'> &lt;b&gt; & \"q\" 'a' $x$ 音楽 שלום 🎧 </script>"
HOSTILE_GENRE = "<b>R&B</b>"
GENRES = ["JAZZ"] * 5 + ["ROCK"] * 6 + [HOSTILE_GENRE] * 2 + ["UNKNOWN"]
N = len(GENRES)
K = 10
# names that mean something in an address, and one that is no UTF-8
FILE_NAMES = {1: "50% #1? ü&'+.wav", 2: os.fsdecode(b"caf\xe9 \xff.wav"), 3: "tone.wav"}
MISSING = 4


def song_rows(music: Path) -> pd.DataFrame:
    rows = [
        {
            "song_name": f"file {number}", "file_path": str(music / genre.strip("<b>/") / FILE_NAMES.get(number, f"{number}.wav")),
            "genre": genre, "duration": 61.4 + number, "artist": "" if number == 2 else "Anna & <i>Otto</i>",
            "title": {5: HOSTILE, 6: "Møn – Sígur Rós", 7: "Line\nbreak, \"quoted\""}.get(number, f"Title {number}"),
            "album": "First Album" if number < 3 else "", "year": np.nan if number == 4 else 2000.0 + number,
            "key": "A minor" if number == 0 else "", "tempo_bpm": 0.0 if number == 1 else 100.5 + number,
        }
        for number, genre in enumerate(GENRES)
    ]  # fmt: skip
    songs = song_table(rows)
    songs["key_estimate"] = ["C major" if number % 2 else "D minor" for number in range(N)]
    return songs


def coordinates() -> np.ndarray:
    """The first five songs to the left of the others, one above the other; no two at one place."""
    points = np.random.default_rng(0).uniform(-1, 1, size=(N, 3))
    points[:, 0] += np.where(np.arange(N) < 5, -4.0, 4.0)
    points[:, 1] = np.linspace(-3, 3, N)
    return points


def neighbours() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    rows = np.array([random.permutation([other for other in range(N) if other != row])[:K] for row in range(N)])
    return rows, -np.sort(-random.uniform(-0.2, 1, size=(N, K)), axis=1)


def tone(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(22050 * 4) / 22050)).astype("<i2")
    with path.open("wb") as stream, wave.open(stream, "wb") as file:
        file.setparams((1, 2, 22050, len(samples), "NONE", ""))
        file.writeframes(samples.tobytes())


class Page:
    """A page open in the browser, the songs on it, and what one does with it."""

    def __init__(self, browser, path: Path, songs: pd.DataFrame) -> None:
        self.browser, self.path, self.songs = browser, path, songs

    def open(self, scheme: str = "light") -> "Page":
        self.scheme(scheme)
        self.browser.get("about:blank")
        for log in ("browser", "performance"):
            self.browser.get_log(log)
        self.browser.get(self.path.as_uri())
        self.until("performance.getEntriesByName('ready').length")
        return self

    def scheme(self, scheme: str) -> None:
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def js(self, expression: str, *arguments: object):
        return self.browser.execute_script(f"return {expression}", *arguments)

    def until(self, condition: str, *arguments: object):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, 20).until(lambda _: self.js(condition, *arguments))

    def one(self, selector: str):
        return self.browser.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        return [found.get_attribute("textContent") for found in self.browser.find_elements("css selector", selector)]

    def button(self, text: str):
        found = self.browser.find_elements("xpath", f"//button[.={json.dumps(text)}]")
        assert len(found) == 1, (text, len(found))
        return found[0]

    def keys(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def place(self, row: int) -> tuple[float, float]:
        """Where a song is, in pixels from the middle of the map."""
        return tuple(
            self.js(
                """(([x, y], {xaxis, yaxis}) => [((x - xaxis.range[0]) / (xaxis.range[1] - xaxis.range[0]) - 0.5) * map.clientWidth,
                (0.5 - (y - yaxis.range[0]) / (yaxis.range[1] - yaxis.range[0])) * map.clientHeight])(arguments[0], map._fullLayout)""",
                coordinates()[row, :2].tolist(),
            )
        )

    def point_at(self, row: int):
        from selenium.webdriver import ActionChains

        x, y = self.place(row)
        return ActionChains(self.browser, duration=20).move_to_element_with_offset(self.one("#map"), x, y)

    def drag(self, *corners: tuple[float, float]) -> None:
        from selenium.webdriver import ActionChains

        actions = ActionChains(self.browser, duration=40)
        actions.move_to_element_with_offset(self.one("#map"), *corners[0]).click_and_hold()
        for x, y in corners[1:]:
            actions.move_to_element_with_offset(self.one("#map"), x, y)
        actions.release().perform()

    def choose(self, title: str) -> None:
        box = self.one("#search")
        box.clear()
        box.send_keys(title, "\ue007")
        self.until("document.querySelector('#card h2')?.textContent === arguments[0]", title)

    def drawn_rows(self) -> list[int]:
        return sorted(self.js("map.data.flatMap(trace => trace.rows ?? [])"))


@pytest.fixture(scope="module")
def make_page(browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Page]:
    workspace = tmp_path_factory.mktemp("a workspace #1?")
    songs = song_rows(workspace / "music")
    for row in FILE_NAMES:
        tone(Path(songs["file_path"][row]))
    broken = Path(songs["file_path"][5])
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("no audio")
    near, similarities = neighbours()
    colourings = [
        Colouring("genre", "genre", list(songs["genre"])),
        Colouring("tempo", "number", songs["tempo_bpm"].where(songs["tempo_bpm"] > 0), "BPM"),
        Colouring("key", "category", ["" if row == 13 else key for row, key in enumerate(songs["key_estimate"])]),
        Colouring("year", "number", list(songs["year"])),
        Colouring("cluster", "category", [f"cluster {N + 1 - row}" for row in range(N)]),
    ]
    pages = {}
    for n_dimensions in (2, 3):
        projection = Projection(coordinates()[:, :n_dimensions], "UMAP", 2, 0.9, 0.7, lambda further: further)
        path = workspace / "outputs" / "html" / f"map_{n_dimensions}d.html"
        other = f"map_{5 - n_dimensions}d.html"
        write_map_page(path, projection, songs, colourings, near, similarities, other)
        pages[n_dimensions] = Page(browser, path, songs)
    return pages.__getitem__


@pytest.fixture
def plane(make_page) -> Page:
    return make_page(2).open()


@pytest.fixture
def space(make_page) -> Page:
    return make_page(3).open()


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


def test_pointing_at_a_song_shows_what_it_is_as_text(plane: Page):
    expected = [HOSTILE, "Anna & <i>Otto</i>", "ROCK", "105.5 BPM", "C major (estimated)", "1:06"]
    plane.point_at(5).perform()
    plane.until("!document.getElementById('hover').hidden")
    assert plane.texts("#hover b, #hover > span:not(.facts), #hover .facts span") == expected
    card, frame = plane.js("[hover, map].map(part => part.getBoundingClientRect().toJSON())")
    assert frame["left"] <= card["left"] < card["right"] <= frame["right"]
    assert frame["top"] <= card["top"] < card["bottom"] <= frame["bottom"]
    plane.point_at(1).perform()
    plane.until("document.querySelector('#hover b').textContent === 'Title 1'")
    assert plane.texts("#hover .facts span") == ["JAZZ", "no tempo", "C major (estimated)", "1:02"]
    assert plane.js("window.hacked ?? null") is None
    assert plane.js("document.querySelectorAll('img, b b, i i').length") == 0


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_search_finds_as_one_types_by_keyboard(make_page, n_dimensions: int):
    page = make_page(n_dimensions).open()
    box = page.one("#search")
    box.send_keys("sigur ros mon")  # accents and order do not matter
    assert page.texts("#found [role=option]")[:-1] == ["Møn – Sígur RósAnna & <i>Otto</i> · ROCK"]
    box.send_keys("\ue00c")
    assert page.one("#found").get_attribute("hidden") is not None
    box.send_keys("\ue00c")
    assert box.get_attribute("value") == ""
    box.send_keys("first album")
    assert [text[:7] for text in page.texts("#found .names")] == ["Title 0", "Title 1", "Title 2"]
    box.send_keys("\ue015\ue015\ue013\ue007")  # down, down, up, Enter: the second
    page.until("document.querySelector('#card h2').textContent === 'Title 1'")
    box.clear()
    box.send_keys("jazz", "\ue013", "\ue007")  # up from the first is the last: all that are found
    page.until("document.querySelector('#selection h2')?.textContent === '5 songs selected'")
    assert sorted(page.texts("#selection .song .names span:first-child")) == [f"Title {row}" for row in range(5)]
    box.clear()
    box.send_keys("nothing like this")
    assert page.texts("#found") == ["No song has all of these words."]


def test_click_shows_the_song_and_its_nearest_in_all_numbers(plane: Page):
    near, similarities = neighbours()
    plane.point_at(5).click().perform()
    plane.until("document.querySelector('#card h2').textContent.startsWith('<script>')")
    titles = [plane.songs["title"][row] for row in near[5]]
    assert plane.texts("#card ol .names span:first-child") == titles
    assert plane.texts("#card ol .similarity") == [f"{similarity:.3f}" for similarity in similarities[5]]
    joined = plane.js("Object.values(map.data.find(trace => trace.mode === 'lines').x)")
    expected = [value for row in near[5] for value in (coordinates()[5, 0], coordinates()[row, 0])]
    np.testing.assert_allclose([value for value in joined if value is not None], expected, rtol=1e-6)
    plane.browser.find_elements("css selector", "#card ol button")[3].click()
    plane.until("document.querySelector('#card h2').textContent === arguments[0]", titles[3])
    assert plane.texts("#card ol .names span:first-child") == [plane.songs["title"][row] for row in near[near[5][3]]]
    plane.keys("\ue00c")
    plane.until("document.querySelector('#card h2').textContent === 'Choose a song'")
    assert plane.js("map.data.some(trace => trace.mode === 'lines')") is False
    assert plane.js("window.hacked ?? null") is None


@pytest.mark.parametrize("row", FILE_NAMES)
def test_chosen_song_plays_from_beside_the_page(plane: Page, row: int):
    plane.point_at(row).click().perform()
    plane.until("document.querySelector('audio').currentTime > 0.2")
    assert plane.js("document.querySelector('audio').duration") == pytest.approx(4, abs=0.01)
    assert plane.js("new URL(document.querySelectorAll('source')[0].src).pathname.includes('/../')") is False
    assert plane.js("document.querySelector('.note').hidden") is True
    plane.one("#card .close").click()
    assert plane.js("document.querySelector('audio')") is None


def test_song_plays_where_only_the_page_was_moved(plane: Page, tmp_path: Path):
    moved = tmp_path / "elsewhere" / "map.html"
    moved.parent.mkdir()
    moved.write_bytes(plane.path.read_bytes())
    page = Page(plane.browser, moved, plane.songs).open()
    page.point_at(1).click().perform()
    page.until("document.querySelector('audio').currentTime > 0.2")


@pytest.mark.parametrize("row", [MISSING, 5], ids=["missing", "no audio"])
def test_page_says_when_a_song_cannot_be_played(plane: Page, row: int):
    plane.point_at(row).click().perform()
    plane.until("document.querySelector('.note')?.hidden === false")
    assert "cannot play" in plane.one(".note").text
    assert plane.texts(".path") == [plane.songs["file_path"][row]]


def downloaded(page: Page, folder: Path, button: str) -> bytes:
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    page.button(button).click()
    for _ in range(100):
        files = [path for path in folder.iterdir() if path.suffix in (".m3u8", ".csv")]
        if files and files[0].stat().st_size:
            return files[0].read_bytes()
        page.until("new Promise(done => setTimeout(() => done(true), 50))")
    raise AssertionError(f"no download in {folder}")


def test_lasso_becomes_a_playlist(plane: Page, tmp_path: Path):
    plane.button("Lasso").click()
    width, height = plane.js("[map.clientWidth / 2 - 5, map.clientHeight / 2 - 5]")
    plane.drag((0, -height), (0, height), (-width, height), (-width, -height), (-9, -height))
    plane.until("document.querySelector('#selection h2')?.textContent === '5 songs selected'")
    assert plane.texts("#selection .shares li") == ["JAZZ5"]
    lines = downloaded(plane, tmp_path, "Save playlist (M3U8)").split(b"\n")
    assert lines[0] == b"#EXTM3U"
    expected = []
    for row in range(5):
        artist = "" if row == 2 else "Anna & <i>Otto</i> - "
        expected += [f"#EXTINF:{round(61.4 + row)},{artist}Title {row}".encode()]
        expected += [os.fsencode(plane.songs["file_path"][row])]
    assert lines[1:] == [*expected, b""]


def test_box_becomes_a_table_of_what_is_shown(plane: Page, tmp_path: Path):
    plane.button(f"{HOSTILE_GENRE}2").click()
    plane.button("Box").click()
    width, height = plane.js("[map.clientWidth / 2 - 5, map.clientHeight / 2 - 5]")
    plane.drag((0, -height), (width, height))
    plane.until("document.querySelector('#selection h2')?.textContent === '7 songs selected'")
    assert plane.texts("#selection .shares li") == ["ROCK6", "unknown1"]
    rows = list(csv.DictReader(io.StringIO(downloaded(plane, tmp_path, "Save table (CSV)").decode(), newline="")))
    assert [row["title"] for row in rows] == [plane.songs["title"][row] for row in (5, 6, 7, 8, 9, 10, 13)]
    assert rows[0] == {
        "title": HOSTILE, "artist": "Anna & <i>Otto</i>", "album": "", "genre": "ROCK", "tempo_bpm": "105.50",
        "key": "C major (estimated)", "duration_s": "66.4", "year": "2005", "file_path": plane.songs["file_path"][5],
    }  # fmt: skip


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
    page.one("input[aria-label='Least tempo']").send_keys("\ue014" * 8)
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
    assert plane.texts(".chip > button:first-child") == ["C major6", "D minor7", "unknown1"]
    plane.js(select, 4)  # more categories than colours: the markers differ, and 2 comes before 10
    labels = plane.texts(".chip > button > span:nth-child(2)")
    assert labels == [f"cluster {number}" for number in range(2, N + 2)]
    assert len(set(plane.js("map.data.map(trace => trace.marker.color + trace.marker.symbol)"))) == N


def test_space_is_turned_by_keys_and_says_what_it_lacks(space: Page):
    assert space.texts("#modes button") == []
    assert "no lasso in space" in space.one("#card").text
    before = space.js("map._fullLayout.scene.camera.eye.x")
    space.js("map.focus()")
    space.keys("\ue014")
    space.until("map._fullLayout.scene.camera.eye.x !== arguments[0]", before)
    space.choose("Title 3")
    space.until("document.querySelector('audio').currentTime > 0.2")
    assert space.js("map.data.some(trace => trace.mode === 'lines')") is True


def test_keyboard_alone_reaches_everything(plane: Page):
    reached = []
    for _ in range(40):
        plane.keys("\ue004")
        reached.append(plane.js("document.activeElement.id || document.activeElement.textContent"))
        if reached[-1] == "map":
            break
    assert [name for name in reached if name in ("search", "colouring", "Move", "Box", "Lasso", "nearer", "whole", "map")] == [
        "search", "colouring", "Move", "Box", "Lasso", "nearer", "whole", "map",
    ]  # fmt: skip
    plane.keys("\ue013")  # an arrow: the song in the middle, then the next one above
    plane.until("document.querySelector('#card ol') !== null")
    first = plane.one("#card h2").text
    plane.keys("\ue013")
    plane.until("document.querySelector('#card h2').textContent !== arguments[0]", first)
    for _ in range(40):
        plane.keys("\ue004")
        if plane.js("document.activeElement.matches('#card ol button')"):
            break
    name = plane.js("document.activeElement.querySelector('.names span').textContent")
    assert plane.js("document.getElementById('hover').textContent").startswith(name)  # shown on the map
    plane.keys("\ue007")
    plane.until("document.querySelector('#card h2').textContent === arguments[0]", name)
    assert plane.js("document.activeElement === document.querySelector('#card h2')") is True


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


def test_page_says_how_far_to_trust_it(plane: Page):
    text = plane.one(".trust").text
    assert "70% are among its 2 nearest" in text
    assert "Trustworthiness 0.90" in text


def test_many_songs_are_drawn_with_webgl(browser, tmp_path: Path):
    n_songs = 2500
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
    projection = Projection(points, "PCA", 0, None, None, lambda further: further)
    colourings = [Colouring("genre", "genre", list(songs["genre"]))]
    path = write_map_page(tmp_path / "map.html", projection, songs, colourings, near, np.ones(near.shape))
    page = Page(browser, path, songs).open()
    assert page.js("map.data.map(trace => [trace.type, trace.rows.length])") == [["scattergl", 1250]] * 2
    page.choose("song 77")
    assert page.texts("#card ol .names span:first-child") == ["song 78", "song 79", "song 80"]
    assert page.texts(".path") == ["/music/0/77.mp3"]


def test_a_single_song_has_a_map_too(browser, tmp_path: Path):
    songs = song_rows(tmp_path).iloc[:1]
    projection = Projection(np.zeros((1, 2)), "PCA", 0, None, None, lambda further: further)
    colourings = [Colouring("genre", "genre", ["JAZZ"]), Colouring("year", "number", [np.nan])]
    nobody = np.empty((1, 0))
    path = write_map_page(tmp_path / "map.html", projection, songs, colourings, nobody.astype(int), nobody)
    page = Page(browser, path, songs).open()
    page.js("[colouring.value = 1, colouring.dispatchEvent(new Event('change'))]")
    page.choose("Title 0")
    page.until("document.querySelector('#card h3')?.textContent === 'No other songs'")
    assert page.texts("#legend") == ["unknown1"]
    page.one("summary").click()
    page.until("document.querySelector('dl').textContent === 'yearunknown'")
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in errors if "0.wav" not in message] == []  # this song has no file
