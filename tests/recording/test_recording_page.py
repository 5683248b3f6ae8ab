"""The page of a recording in a real browser without a network."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from recorded import BEATS, DRONES, answer, near, part, samples, song, training, write_wav

from songmap.core.pages import audio_address
from songmap.recording.results import Moment, RecordingAnswer
from songmap.recording.views.page import recording_page

HOSTILE = "<script>window.hacked = 1</script> <img src=x onerror='hacked = 1'> {{ 7 * 7 }} \"q\" 音楽 שלום"
FILE_NAME = "50% #1? ü&'+.wav"  # what means something in an address
GENRES = [BEATS, DRONES]


class Page:
    """A page of a recording, open in the browser."""

    def __init__(self, browser, path: Path) -> None:
        self.browser, self.path = browser, path

    def open(self, scheme: str = "light") -> "Page":
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.browser.get("about:blank")
        for log in ("browser", "performance"):
            self.browser.get_log(log)
        self.browser.get(self.path.as_uri())
        self.until("performance.getEntriesByName('ready').length")
        return self

    def js(self, expression: str, *arguments: object):
        return self.browser.execute_script(f"return {expression}", *arguments)

    def until(self, condition: str, *arguments: object):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, 20, poll_frequency=0.05).until(lambda _: self.js(condition, *arguments))

    def all(self, selector: str) -> list:
        return self.browser.find_elements("css selector", selector)

    def one(self, selector: str):
        return self.browser.find_element("css selector", selector)

    def click_at(self, selector: str, share: float) -> None:
        """Click an element at a share of its width."""
        from selenium.webdriver import ActionChains

        target = self.one(selector)
        x = round((share - 0.5) * target.size["width"])
        ActionChains(self.browser, duration=20).move_to_element_with_offset(target, x, 0).click().perform()

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a workspace #1?")
    write_wav(folder / "music" / FILE_NAME, samples(BEATS, 7, 5), samples(DRONES, 8, 5))
    write_wav(folder / "music" / "next.wav", samples(BEATS, 1, 6))
    return folder


def ten_seconds(folder: Path) -> RecordingAnswer:
    """Ten seconds of two genres; all names are hostile, all songs of the library one file."""
    other = str(folder / "music" / "next.wav")
    moments = (Moment(song(HOSTILE, "Bob", other), 2.0, 2.6, 0.7),)
    parts = tuple(
        part(start_s, start_s + 5.0, genre, moments=moments, nearest=(near("Near", file_path=other),))
        for start_s, genre in ((0.0, BEATS), (5.0, DRONES))
    )
    songs = near(HOSTILE, file_path=other), near("Second", artist="<b>Cy</b>", file_path=other)
    changes = {"title": HOSTILE, "file_path": str(folder / "music" / FILE_NAME), "parts": parts, "next_songs": songs}
    return answer(GENRES, [(BEATS, 5.0), (DRONES, 10.0)], **changes)


def write_page(folder: Path, one: RecordingAnswer, name: str) -> Path:
    path = folder / "outputs" / "html" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(recording_page(one, training(), GENRES, path.parent), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def make_page(browser, folder: Path) -> Page:
    return Page(browser, write_page(folder, ten_seconds(folder), "recording"))


@pytest.fixture
def page(make_page) -> Page:
    return make_page.open()


def test_it_leads_with_the_answer_and_needs_no_network(browser, page):
    assert page.one("h1").text.startswith("<script>window.hacked = 1</script>")
    assert page.js("window.hacked === undefined")
    assert "{{ 7 * 7 }}" in page.one("h1").text
    assert page.js("document.querySelectorAll('img, h1 *, .names b').length") == 0
    assert page.js("[...document.querySelectorAll('svg.points polygon')].map(one => getComputedStyle(one).fill)") == [
        "rgb(0, 114, 178)", "rgb(213, 94, 0)",
    ]  # fmt: skip
    requests = [
        event["params"]["request"]["url"]
        for event in (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert page.errors() == []


def test_the_position_follows_the_recording_and_a_click_seeks(page):
    page.until("recording.duration > 9.9")
    page.click_at(".points", 0.6)
    page.until("!recording.paused && recording.currentTime > 6.1")
    left = page.js("parseFloat(document.getElementById('position').style.left)")
    assert 60 <= left <= 100
    assert 6 <= int(page.one("#timeline").get_attribute("aria-valuenow")) <= 10
    assert [one.get_attribute("class") for one in page.all(".parts > li")] == ["", "current"]
    page.until("parseFloat(document.getElementById('position').style.left) > arguments[0] + 1", left)
    page.all("[data-seek]")[0].click()
    page.until("recording.currentTime < 3")
    assert page.errors() == []


def test_the_keyboard_seeks(page):
    page.until("recording.duration > 9.9")
    timeline = page.one("#timeline")
    expected = (("\ue014", 5), ("\ue012", 0), ("\ue010", 10), ("\ue011", 0))  # right, left, end, home
    for key, time_s in expected:
        timeline.send_keys(key)
        page.until("Math.abs(recording.currentTime - arguments[0]) < 0.1", time_s)
        assert timeline.get_attribute("aria-valuenow") == str(time_s)
    timeline.send_keys(" ")
    page.until("!recording.paused")
    timeline.send_keys(" ")
    page.until("recording.paused")


def test_songs_and_moments_of_the_library_play_instead(page):
    page.until("recording.duration > 9.9")
    page.click_at(".points", 0.1)
    page.until("!recording.paused")
    play = page.all("ol.songs .play")[1]
    page.js("arguments[0].scrollIntoView({ block: 'center' })", play)  # not below the player
    play.click()
    page.until("!library.paused && recording.paused")
    assert play.get_attribute("aria-pressed") == "true"
    assert page.one("#playing").text == "Second – <b>Cy</b>"
    play.click()
    page.until("library.paused")
    page.js("document.querySelector('.parts details').open = true")
    moment = page.one(".parts .play[data-end='2.6']")
    page.js("arguments[0].scrollIntoView({ block: 'center' })", moment)
    moment.click()
    page.until("!library.paused && library.currentTime >= 2")
    page.until("library.paused && library.currentTime === 2")  # at its end it goes back to its start
    page.all("[data-seek]")[1].click()
    page.until("!recording.paused")
    assert page.errors() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, make_page, scheme):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page = make_page.open(scheme)
        page.js("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.js("document.documentElement.scrollWidth") == 390
        level = page.js("getComputedStyle(document.body).backgroundColor")
        assert level == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 26)")
        assert page.one(".points").size["width"] > 340
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_details_have_the_scores_and_limits(page):
    details = {one.get_attribute("textContent").strip(): one for one in page.all("body > details > summary")}
    for summary in details.values():
        summary.click()
    text = page.one("body").text
    assert "Segments split at random would have claimed 94 %" in text
    assert "These cannot tell which song is playing" in text
    rows = page.js("[...document.querySelectorAll('body > details table')].map(one => one.rows.length)")
    assert rows == [3, 8]


def test_without_a_file_nothing_plays(browser, folder):
    page = Page(browser, write_page(folder, replace(ten_seconds(folder), file_path=""), "piped")).open()
    assert page.all("#recording, #position, [role='slider'], [data-seek]") == []
    assert "not kept" in page.one("body").text
    page.all("ol.songs .play")[0].click()
    page.until("!library.paused")
    assert page.errors() == []


def test_a_file_that_was_moved_is_explained(browser, folder):
    page = Page(browser, write_page(folder, replace(ten_seconds(folder), file_path="/moved.wav"), "moved")).open()
    page.until("!document.querySelector('[data-of=recording]').hidden")
    assert "was moved" in page.one("[data-of=recording]").text


def test_addresses_are_relative_to_the_page(tmp_path):
    assert audio_address(str(tmp_path / "a b" / "50%#.wav"), tmp_path / "html") == "../a%20b/50%25%23.wav"
    assert audio_address(os.fsdecode(b"/music/caf\xe9.wav"), Path("/music")) == "caf%E9.wav"
