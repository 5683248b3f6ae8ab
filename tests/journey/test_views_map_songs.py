"""The maps in a real browser: songs are pointed at, searched, chosen, played, selected and exported."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
from map_page_driver import FILE_NAMES, HOSTILE, HOSTILE_GENRE, MISSING, Page, coordinates, neighbours


def test_pointing_at_a_song_shows_what_it_is_as_text(plane: Page):
    expected = [HOSTILE, "Anna & <i>Otto</i>", "ROCK", "105.5 BPM", "8B (C major), estimated", "1:06"]
    plane.point_at(5).perform()
    plane.until("!document.getElementById('hover').hidden")
    assert plane.texts("#hover b, #hover > span:not(.facts), #hover .facts span") == expected
    card, frame = plane.js("[hover, map].map(part => part.getBoundingClientRect().toJSON())")
    assert frame["left"] <= card["left"] < card["right"] <= frame["right"]
    assert frame["top"] <= card["top"] < card["bottom"] <= frame["bottom"]
    plane.point_at(1).perform()
    plane.until("document.querySelector('#hover b').textContent === 'Title 1'")
    assert plane.texts("#hover .facts span") == ["JAZZ", "no tempo", "8B (C major), estimated", "1:02"]
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
    assert plane.texts("#card ol .similarity") == [f"{similarity:.2f}" for similarity in similarities[5]]
    joined = plane.js("Object.values(map.data.find(trace => trace.mode === 'lines').x)")
    expected = [value for row in near[5] for value in (coordinates()[5, 0], coordinates()[row, 0])]
    np.testing.assert_allclose([value for value in joined if value is not None], expected, rtol=1e-6)
    plane.browser.find_elements("css selector", "#card ol .song")[3].click()
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


def test_page_does_not_show_where_the_music_is(plane: Page):
    music = Path(os.path.commonpath(plane.songs["file_path"].tolist()))
    assert str(music).encode() not in plane.path.read_bytes()


@pytest.mark.parametrize("row", [MISSING, 5], ids=["missing", "no audio"])
def test_page_says_when_a_song_cannot_be_played(plane: Page, row: int):
    plane.point_at(row).click().perform()
    plane.until("document.querySelector('.note')?.hidden === false")
    assert "cannot play" in plane.one(".note").text
    path = Path(plane.songs["file_path"][row])
    assert plane.texts(".path") == [f"{path.parent.name}/{path.name}"]


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
        "key": "8B (C major), estimated", "duration_s": "66.4", "year": "2005", "file_path": plane.songs["file_path"][5],
    }  # fmt: skip


def test_space_is_turned_by_keys_and_says_what_it_lacks(space: Page):
    assert space.texts("#modes button") == []
    assert "no lasso" in space.one("#card").text
    before = space.js("map.layout.scene.camera.eye.x")
    space.js("map.focus()")
    space.keys("\ue014")
    space.until("map.layout.scene.camera.eye.x !== arguments[0]", before)
    space.choose("Title 3")
    space.until("document.querySelector('audio').currentTime > 0.2")
    assert space.js("map.data.some(trace => trace.mode === 'lines')") is True


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_buttons_zoom_and_show_the_whole_map_again(make_page, n_dimensions: int):
    page = make_page(n_dimensions).open()
    view = "structuredClone(map.layout.scene?.camera.eye ?? [map.layout.xaxis.range, map.layout.yaxis.range])"
    first = page.js(view)
    for button in ("nearer", "farther"):
        page.one(f"#{button}").click()
        page.until(f"JSON.stringify({view}) !== arguments[0]", page.js("JSON.stringify(arguments[0])", first))
        page.one("#whole").click()
        page.until(
            f"Object.values({view}).flat().every((n, i) => Math.abs(n - Object.values(arguments[0]).flat()[i]) < 1e-6)",
            first,
        )


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
