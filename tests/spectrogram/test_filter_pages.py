"""The pages of filters and of reasons, in a real browser without a network."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait
from signals import RATE_HZ, music

from songmap.similar.song import Song
from songmap.spectrogram.clips import Clip, cut_clips
from songmap.spectrogram.excerpts import KINDS, Excerpts, excerpts_of
from songmap.spectrogram.filter_results import (
    BandReason,
    ExcerptReason,
    FilterDescription,
    FilterMoment,
    LayerDescription,
    ProbeCorrelation,
    SimilarFilter,
    SongReasons,
)
from songmap.spectrogram.probes import PROBE_NAMES
from songmap.spectrogram.views import filter_sentences as sentences
from songmap.spectrogram.views.filters_page import filters_page
from songmap.spectrogram.views.reasons_page import reasons_page

HOSTILE = "<script>window.hacked = 1</script> <img src=x onerror='hacked = 1'> {{ 7 * 7 }} \"q\" 音楽 שלום"


def song(title: str, path: Path) -> Song:
    return Song(path.stem, "<b>Cy</b>", "BEATS", title, "", None, 14.0, 124.0, "measured", "8A", "estimate", str(path))


def probe(name: str, value: float, agreeing: float = 8.0) -> ProbeCorrelation:
    return ProbeCorrelation(name, value, 0.002, 0.5, agreeing, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a workspace #1?")
    soundfile.write(folder / "50% #1?.wav", 0.5 * music(14), RATE_HZ)
    return folder


@pytest.fixture(scope="module")
def excerpts(folder: Path) -> Excerpts:
    values, start_s = excerpts_of(folder / "50% #1?.wav", "image")
    return Excerpts(KINDS["image"], values, np.zeros(len(values), np.int64), start_s)


@pytest.fixture(scope="module")
def clips(folder: Path, excerpts: Excerpts) -> dict[tuple[str, float], Clip]:
    path = folder / "50% #1?.wav"
    wanted = [FilterMoment(song(HOSTILE, path), excerpts.start_s[1], excerpts.start_s[1] + 6, 1.0)]
    missing = FilterMoment(song("Missing", folder / "missing.wav"), 0.0, 6.0, 1.0)
    return cut_clips([*wanted, missing], excerpts, {str(path): 0})


def layer(folder: Path, excerpts: Excerpts) -> LayerDescription:
    path = folder / "50% #1?.wav"
    with_clip = FilterMoment(song(HOSTILE, path), float(excerpts.start_s[1]), float(excerpts.start_s[1]) + 6, 2.0)
    of_file = FilterMoment(song("From its file", path), 2.0, 2.6, 1.5)
    missing = FilterMoment(song("Missing", folder / "missing.wav"), 0.0, 6.0, 1.0)
    filters = [
        FilterDescription(
            number, meaning, [nearest, probe("level", -0.2)], 0.9, [SimilarFilter(3 - number, 0.5)],
            [with_clip, of_file, missing], [of_file, with_clip],
        )
        for number, meaning, nearest in (
            (2, probe("vibrato", 0.61), probe("vibrato", 0.61)),
            (1, None, probe("bass_level", 0.4)),
        )
    ]  # fmt: skip
    return LayerDescription("image", "block4", ["block1", "block4"], 2.3, 4200, 73, 26, 499, 0.28, filters)


class Page:
    """A page, open in the browser."""

    def __init__(self, browser, path: Path) -> None:
        self.browser, self.path = browser, path

    def open(self) -> "Page":
        self.browser.get("about:blank")
        for log in ("browser", "performance"):
            self.browser.get_log(log)
        self.browser.get(self.path.as_uri())
        self.until("performance.getEntriesByName('ready').length")
        return self

    def js(self, expression: str, *arguments: object):
        return self.browser.execute_script(f"return {expression}", *arguments)

    def until(self, condition: str):
        return WebDriverWait(self.browser, 20, poll_frequency=0.05).until(lambda _: self.js(condition))

    def all(self, selector: str) -> list:
        return self.browser.find_elements("css selector", selector)

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        events = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))
        return [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]


@pytest.fixture
def filters(browser, folder, excerpts, clips) -> Page:
    path = folder / "filters.html"
    patches = {number: np.full((100, 38), -40.0, np.float32) for number in (1, 2)}
    path.write_text(filters_page(layer(folder, excerpts), patches, clips, folder), encoding="utf-8")
    return Page(browser, path).open()


@pytest.fixture
def reasons(browser, folder, excerpts) -> Page:
    path = folder / "reasons.html"
    attribution = np.random.default_rng(0).normal(size=excerpts.values.shape).astype(np.float32)
    page = reasons_page(some_reasons(folder, excerpts), (excerpts.values, attribution), None, folder)
    path.write_text(page, encoding="utf-8")
    return Page(browser, path).open()


def some_reasons(folder: Path, excerpts: Excerpts, error: float = 0.012) -> SongReasons:
    moments = [ExcerptReason(float(one), float(one) + 6, 0.9, 1.0 + one) for one in excerpts.start_s]
    bands = [BandReason(33, 65, 0.8), BandReason(69, 139, -0.01), BandReason(5300, 9900, 1.21)]
    return SongReasons(
        song(HOSTILE, folder / "50% #1?.wav"), "image", "BEATS", {"BEATS": 0.93, "DRONES": 0.07}, 0.81,
        2.0, 2.02, 32, error, 0.05, moments, bands,
    )  # fmt: skip


def test_filters_lead_with_the_answer_and_need_no_network(filters):
    assert filters.all("h1")[0].text == (
        "1 of the 2 filters of layer block4 responds to a property that has a name. "
        "Filter 2: vibrato, 4–8 Hz (r = 0.61)."
    )
    headings = [one.text for one in filters.all("h2")]
    assert headings == ["Filter 2: vibrato, 4–8 Hz (r = 0.61)", "Filter 1: no clear meaning"]
    assert filters.js("window.hacked === undefined")
    assert filters.all(".names")[0].text.startswith("<script>window.hacked = 1</script>")
    assert [url for url in filters.requests() if not url.startswith(("file:", "data:"))] == []
    assert filters.errors() == []


def test_a_clip_plays_with_a_cursor_on_its_spectrogram(filters):
    button = filters.all("[data-clip]")[0]
    button.click()
    filters.until("document.getElementById('clip-0').currentTime > 0.3")
    assert button.get_attribute("aria-pressed") == "true"
    assert 5.9 < filters.js("document.getElementById('clip-0').duration") < 6.3
    left = filters.js("parseFloat(document.querySelector('[data-clip] .cursor').style.left)")
    assert 3 < left < 80
    assert "data:image/png" in filters.js(
        "getComputedStyle(document.querySelector('[data-clip] .picture')).backgroundImage"
    )
    button.click()
    filters.until("document.querySelector('[data-clip]').getAttribute('aria-pressed') === 'false'")
    assert filters.js("document.getElementById('clip-0').paused")
    assert filters.errors() == []


def test_other_moments_play_from_the_library_until_their_end(filters):
    filters.all("[data-clip]")[0].click()
    filters.until("!document.getElementById('clip-0').paused")
    filters.all("[data-start='2.0']")[0].click()
    filters.until("document.getElementById('clip-0').paused && library.currentTime >= 2 && !library.paused")
    filters.until("library.paused && library.currentTime === 2")
    filters.all("[data-address$='missing.wav']")[0].click()
    filters.until("!document.querySelector('.note').hidden")
    assert "was moved" in filters.all(".note")[0].text


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_fit_the_screen(browser, filters, reasons, width):
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for page in (filters, reasons):
            page.open()
            assert page.js("document.documentElement.scrollWidth") == width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_reasons_play_where_a_spectrogram_is_clicked(reasons, browser):
    assert reasons.all("h1")[0].text.endswith("BEATS, 93 %, most of all by 5.3–9.9 kHz (+1.2) and 33–65 Hz (+0.8).")
    assert reasons.js("window.hacked === undefined")
    reasons.until("song.duration > 13.9")
    second = reasons.all("figure button")[1]
    ActionChains(browser, duration=20).move_to_element(second).click().perform()  # its middle
    start_s = reasons.js("+document.querySelectorAll('figure')[1].dataset.start")
    reasons.until(f"!song.paused && song.currentTime > {start_s + 3.1}")
    cursors = reasons.js(
        "[...document.querySelectorAll('.cursor')].map((one) => [one.hidden, parseFloat(one.style.left)])"
    )
    assert [hidden for hidden, _ in cursors] == [True, False]
    assert 50 < cursors[1][1] < 95
    assert reasons.js("getComputedStyle(document.querySelector('.overlay')).display") == "block"
    reasons.all("#plain")[0].click()
    assert reasons.js("getComputedStyle(document.querySelector('.overlay')).display") == "none"
    assert [url for url in reasons.requests() if not url.startswith(("file:", "data:"))] == []
    assert reasons.errors() == []


def test_a_clip_is_the_sound_and_the_spectrogram_of_its_moment(clips, excerpts, folder):
    (((path, start_s), clip),) = clips.items()
    assert path == str(folder / "50% #1?.wav")
    np.testing.assert_array_equal(clip.level_db, excerpts.values[1])
    (folder / "clip.mp3").write_bytes(clip.audio)
    samples, rate_hz = soundfile.read(folder / "clip.mp3")
    assert rate_hz == RATE_HZ
    original = soundfile.read(path)[0][round(start_s * RATE_HZ) :][: 5 * RATE_HZ]
    lag = np.argmax(np.correlate(samples[: 6 * RATE_HZ : 8], original[: 2 * RATE_HZ : 8])) * 8
    assert lag < 0.1 * RATE_HZ
    assert len(clip.audio) < 60_000


def test_every_probe_has_words():
    assert sentences.PROBE_PHRASES.keys() == set(PROBE_NAMES)


def test_sentences_follow_from_the_numbers(folder, excerpts):
    one = layer(folder, excerpts)
    assert "4,200 excerpts of 73 songs" in sentences.evidence_sentence(one)
    assert sentences.meaning_sentence(one.filters[0]) == (
        "r = 0.61, p ≤ 0.01; filters with random weights reach 0.50. "
        "Synthesised sounds with and without it agree in 8 of 8 pairs."
    )
    assert "Nearest: bass below 150 Hz (r = 0.40" in sentences.meaning_sentence(one.filters[1])
    assert sentences.probe_phrase(probe("bass_level", -0.5)) == "absence of bass below 150 Hz"
    assert "similar filters: 1 (0.50)" in sentences.others_sentence(one.filters[0])
    reasons = some_reasons(folder, excerpts)
    assert "within the tolerance of 5 %" in sentences.completeness_sentence(reasons)
    assert "above the tolerance" in sentences.completeness_sentence(some_reasons(folder, excerpts, 0.08))
    assert sentences.song_sentence(reasons).endswith("one that was not gives BEATS 81 %.")
    assert re.search(r"most is 0:0\d–0:1\d", sentences.times_sentence(reasons))
    assert sentences.signed(-0.01) == "0.0"
