"""Songs with hostile names on a page of their map, and a browser on it, for several test files."""

import json
import os
import wave
from pathlib import Path

import numpy as np
import pandas as pd

from songmap.journey.results import Cluster, Colouring, MapSongs, Projection
from songmap.library.genre_similarity import genre_similarity
from songmap.library.keys import ESTIMATE, KEYS, NO_KEY, keys_of
from songmap.library.library import song_table
from songmap.library.schema import N_COLUMNS
from songmap.library.search import Search
from songmap.library.spaces import build_space
from songmap.library.traits import Trait

HOSTILE = "<script>window.hacked = 1</script> <img src=x onerror='hacked = 1'> &lt;b&gt; & \"q\" 'a' $x$ 音楽 שלום 🎧 </script>"
HOSTILE_GENRE = "<b>R&B</b>"
GENRES = ["JAZZ"] * 5 + ["ROCK"] * 6 + [HOSTILE_GENRE] * 2 + ["UNKNOWN"]
N = len(GENRES)
K = 10
# names that mean something in an address, and one that is not UTF-8
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
    return song_table(rows)


def estimated_keys() -> np.ndarray:
    """C major and D minor in turn; of the last but one none."""
    keys = np.where(np.arange(N) % 2, KEYS.index("C major"), KEYS.index("D minor"))
    return np.where(np.arange(N) == N - 1, NO_KEY, keys)


def embeddings(n_songs: int) -> np.ndarray:
    return np.abs(np.random.default_rng(2).normal(size=(n_songs, N_COLUMNS))).astype(np.float32)


def clusters(n_clusters: int) -> tuple[Cluster, ...]:
    traits = (Trait("tempo", "low", 5.0), Trait("pulse", "high", 90.0))
    return tuple(Cluster(1, "JAZZ" if number % 2 else None, number % 2, traits) for number in range(n_clusters))


def map_songs(
    songs: pd.DataFrame, colourings: tuple[Colouring, ...], near: np.ndarray, similarities: np.ndarray
) -> MapSongs:
    """Songs of a page, with random embeddings; keys are ``estimated_keys`` where there are so many songs."""
    numbers = embeddings(len(songs))
    keys, sources = keys_of([""] * len(songs), numbers)
    if len(songs) == N:
        keys = estimated_keys()
        sources = np.where(keys == NO_KEY, "", ESTIMATE).astype(object)
    space = build_space(numbers)
    units = space.units(numbers)
    return MapSongs(
        songs=songs,
        tempos_bpm=songs["tempo_bpm"].to_numpy(dtype=np.float64),
        keys=keys,
        key_sources=sources,
        colourings=colourings,
        clusters=clusters(len(songs)),
        neighbours=near,
        similarities=similarities,
        recordings=np.arange(len(songs)),
        units=units,
        genres=genre_similarity(Search(units, space), songs["genre"].tolist()),
    )


def projection(points: np.ndarray, method: str = "UMAP") -> Projection:
    return Projection(points, method, n_neighbours=2, trustworthiness=0.9, knn_recall=0.7)


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
                (0.5 - (y - yaxis.range[0]) / (yaxis.range[1] - yaxis.range[0])) * map.clientHeight])(arguments[0], map.layout)""",
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
