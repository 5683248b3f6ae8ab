"""The report opened in a real browser: on a wide screen, on a phone, on paper; with names that try to break it."""

import base64
import json
from pathlib import Path

import pytest

from songmap.genre.report_page import report_page

LONG = "Ein sehr langer Genrename ohne Ende und Sinn <b>&"


def opened(browser, page: Path, width: int = 1200, dark: bool = False) -> None:
    """The page in a window ``width`` CSS pixels wide; logs of earlier pages are gone."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get("about:blank")  # what Chromium's own first page asked for comes before the logs are read out
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(page.as_uri())


@pytest.fixture
def restored(browser):
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.fixture
def page(trained) -> Path:
    return trained[0] / "outputs" / "html" / "genre_report.html"


@pytest.fixture(scope="module")
def hostile(trained, tmp_path_factory) -> Path:
    """The same report with twelve genres, some with long names, and songs named like markup."""
    folder, document = trained
    document = json.loads(json.dumps(document))
    for name in ("per_genre", "families"):
        first = document[name][0]
        document[name] = [first | {"genre": f"{LONG}{number}"} for number in range(12)]
    for record in document["boundary_songs"]:
        record |= {"song_name": "<script>document.title = 'run'</script>" + "W" * 90, "genre_set": [LONG, "B"]}
    document["song"]["sentences"].append("W" * 300)
    pictures = {
        path.stem.removeprefix("genre_"): (path.read_bytes(), f"a picture of {LONG}")
        for path in (folder / "outputs" / "plots").glob("genre_*.png")
    }
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_text(report_page(document, pictures), encoding="utf-8")
    return path


def requested(browser) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def test_it_opens_alone_and_shows_everything(page, restored, trained):
    opened(restored, page)
    assert restored.get_log("browser") == []
    urls = requested(restored)
    assert page.as_uri() in urls
    assert [url for url in urls if not url.startswith(("file:", "data:", "chrome:"))] == []
    broken = "return [...document.images].filter(image => !image.complete || !image.naturalWidth).length"
    assert restored.execute_script(broken) == 0
    assert restored.execute_script("return document.images.length") == 10
    titles = [heading.text for heading in restored.find_elements("css selector", "h2")]
    assert titles == [
        "What was learned from", "How good it is", "Can the scores be trusted", "Do probabilities keep their word",
        "Genre by genre", "What it goes by", "One song explained", "Songs between genres",
        "Labels to check", "Songs without a genre", "Limits", "Model card",
    ]  # fmt: skip
    text = restored.find_element("css selector", "body").text
    _, document = trained
    for sentence in (*document["song"]["sentences"], document["grouping"], document["gap"]["meaning"]):
        assert sentence[1:] in text
    assert document["card"]["data"] in text
    for record in document["candidates"]:
        assert record["title"] in text
        assert f"{record['balanced_accuracy']:.3f}" in text


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["page", "hostile"])
def test_a_phone_scrolls_tables_and_not_the_page(which, dark, restored, request):
    opened(restored, request.getfixturevalue(which), width=360, dark=dark)
    assert restored.execute_script("return document.documentElement.scrollWidth") <= 360
    wide = "return [...document.querySelectorAll('.wide')].filter(box => box.scrollWidth > box.clientWidth).length"
    assert restored.execute_script(wide) > 0
    assert restored.execute_script("return document.title").startswith("Genre classifier: ")
    colours = "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]"
    text, ground = restored.execute_script(colours)
    assert sum(shades(text)) > sum(shades(ground)) if dark else sum(shades(text)) < sum(shades(ground))


def shades(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]


def test_names_from_outside_stay_text(hostile, restored):
    opened(restored, hostile)
    assert restored.execute_script("return document.querySelectorAll('body script, td b, figcaption b').length") == 0
    assert restored.get_log("browser") == []


def test_it_prints_on_pages_without_cutting_a_picture(page, restored):
    opened(restored, page)
    printed = restored.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    content = base64.b64decode(printed["data"])
    assert content.startswith(b"%PDF-")
    restored.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    restored.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 720, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    )
    cut = (
        "return [...document.images].filter(image => image.height > 1000 || image.getBoundingClientRect().right > 720)"
    )
    assert restored.execute_script(f"{cut}.length") == 0
    assert restored.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
    restored.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
