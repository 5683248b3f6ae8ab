"""How large the map's page is and how quickly it answers, with 50,000 songs, in headless Chromium.

    python -m benchmarks.map_page [--songs 50000] [--out DIR]

Songs, coordinates and neighbours are drawn at random; names are about as long as in real libraries. Without a
graphics card Chromium draws WebGL in software, which is what is measured here. Times hold for a machine that does
nothing else; the column "60 songs" is the same page with so few songs, measured in turn with the large one: what
lies between them is what the songs cost. Prints a Markdown table and writes it to benchmarks/map_page.md.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from songmap.journey.results import Cluster, Colouring, MapSongs, Projection
from songmap.journey.views.map_page import write_map_page
from songmap.library.genre_similarity import genre_similarity
from songmap.library.keys import TAG, key_number
from songmap.library.library import song_table
from songmap.library.schema import FAMILIES, N_COLUMNS
from songmap.library.search import Search
from songmap.library.spaces import build_space

N_FEW, N_CLUSTERS, N_NEIGHBOURS, REPETITIONS, N_POINTED = 60, 15, 10, 3, 25
SYLLABLES = (
    "ka",
    "ri",
    "mo",
    "ten",
    "lu",
    "sa",
    "vel",
    "no",
    "dra",
    "fi",
    "or",
    "an",
    "bel",
    "ti",
    "sun",
    "qua",
    "stra",
)
GENRES = (
    "AMBIENT",
    "DISCO",
    "DUB",
    "ELECTRO",
    "FOLK",
    "HOUSE",
    "JAZZ",
    "METAL",
    "ORCHESTRAL",
    "ROCK",
    "TECHNO",
    "TRANCE",
)
NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = [f"{note} {mode}" for note in NOTES for mode in ("major", "minor")]

# each answers with milliseconds, through the callback that Selenium adds
FRAME = "const drawn = () => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(() => f(performance.now()))));"
FIRST_DRAW = FRAME + "drawn().then(arguments[0]);"
CHOOSE = (
    FRAME + "search.value = 'ka'; search.dispatchEvent(new Event('input')); const begun = performance.now();"
    "found.firstChild.click(); drawn().then(end => arguments[0](end - begun));"
)
TYPE = (
    "const begun = performance.now(); search.value = arguments[0]; search.dispatchEvent(new Event('input'));"
    "arguments[1](performance.now() - begun);"
)
COLOUR = (
    FRAME
    + "const begun = performance.now(); colouring.value = arguments[0]; colouring.dispatchEvent(new Event('change'));"
    "drawn().then(end => arguments[1](end - begun));"
)
# from the moment the pointer moved, however long the event waited, until the card shows the song there
WATCH_HOVER = """window.pointed = []; let moved = null;
map.addEventListener('pointermove', (event) => { moved = event.timeStamp; }, true);
new MutationObserver(() => { if (moved !== null) { pointed.push(performance.now() - moved); moved = null; } })
  .observe(hover, {childList: true});"""


def library(n_songs: int, random: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """A song table and coordinates ``(n_songs, 3)``, a cloud for each genre."""

    def words(least: int, most: int) -> str:
        return " ".join(
            "".join(random.choice(SYLLABLES, random.integers(1, 4))).title()
            for _ in range(random.integers(least, most))
        )

    artists = [words(1, 4) for _ in range(n_songs // 25 + 1)]
    albums = [(artist, words(1, 5)) for artist in artists for _ in range(3)]
    genres = random.integers(0, len(GENRES), n_songs)
    rows = []
    for number, genre in enumerate(genres):
        artist, album = albums[random.integers(len(albums))]
        name = words(1, 6)
        rows.append(
            {
                "song_name": f"{artist} - {name}", "title": name, "artist": artist, "album": album, "genre": GENRES[genre],
                "file_path": f"/home/someone/Music/{GENRES[genre]}/{artist}/{album}/{number % 20 + 1:02d} {name} {number}.flac",
                "duration": random.uniform(90, 600), "year": float(random.integers(1960, 2026)),
                "key": KEYS[random.integers(len(KEYS))], "tempo_bpm": random.uniform(60, 190),
            }
        )  # fmt: skip
    centres = random.normal(scale=6, size=(len(GENRES), 3))
    return song_table(rows), centres[genres] + random.normal(size=(n_songs, 3))


def write_pages(n_songs: int, folder: Path) -> tuple[dict[int, Path], float]:
    """The page in 2D and 3D, and seconds for one of them."""
    random = np.random.default_rng(42)
    songs, points = library(n_songs, random)
    near = random.integers(0, n_songs, size=(n_songs, N_NEIGHBOURS))
    similarities = -np.sort(-random.uniform(0.3, 1, size=near.shape), axis=1)
    cluster = random.integers(1, N_CLUSTERS + 1, n_songs)
    keys = np.array([key_number(key) for key in songs["key"]])
    embeddings = np.abs(random.normal(size=(n_songs, N_COLUMNS))).astype(np.float32)
    space = build_space(embeddings)
    units = space.units(embeddings)
    colourings = (
        Colouring("genre", "genre", songs["genre"].to_numpy()),
        Colouring("tempo", "number", songs["tempo_bpm"].to_numpy(), "BPM"),
        Colouring("key", "key", keys),
        Colouring("year", "number", songs["year"].to_numpy()),
        Colouring("cluster", "cluster", cluster),
        Colouring("confidence", "number", random.beta(6, 2, n_songs)),
        *(Colouring(family, "number", random.normal(size=n_songs)) for family in FAMILIES),
    )
    map_songs = MapSongs(
        songs=songs,
        tempos_bpm=songs["tempo_bpm"].to_numpy(),
        keys=keys,
        key_sources=np.full(n_songs, TAG),
        colourings=colourings,
        clusters=(Cluster(n_songs, None, 0, ()),) * N_CLUSTERS,
        neighbours=near,
        similarities=similarities,
        recordings=np.arange(n_songs),
        units=units,
        genres=genre_similarity(Search(units, space), songs["genre"].tolist()),
    )
    pages = {}
    started = time.perf_counter()
    for n_dimensions in (2, 3):
        projection = Projection(points[:, :n_dimensions], "UMAP", 10, 0.9, 0.5)
        path = folder / f"{n_songs}_{n_dimensions}d.html"
        pages[n_dimensions] = write_map_page(path, projection, map_songs)
    return pages, (time.perf_counter() - started) / 2


def chromium(profile: str):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = (
        shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    for switch in ("headless=new", "no-sandbox", "disable-gpu", "enable-unsafe-swiftshader", "window-size=1280,900"):
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={profile}")
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def measure(driver, path: Path) -> dict[str, float]:
    """Milliseconds of what a person waits for on one page."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get("about:blank")
    driver.get(path.as_uri())
    WebDriverWait(driver, 60).until(
        lambda _: driver.execute_script("return performance.getEntriesByName('ready').length")
    )
    measured = {"first draw": driver.execute_async_script(FIRST_DRAW)}
    measured["a letter in the search box, first"] = driver.execute_async_script(TYPE, "k")
    measured["a letter in the search box"] = driver.execute_async_script(TYPE, "kar")
    measured["click on a song"] = driver.execute_async_script(CHOOSE)
    measured["another colouring"] = driver.execute_async_script(COLOUR, "1")
    driver.execute_script(WATCH_HOVER)
    actions = ActionChains(driver, duration=0)
    for step in range(N_POINTED):
        at = driver.find_element("id", "map")
        actions.move_to_element_with_offset(at, 12 * (step - N_POINTED // 2), 6 * (step - N_POINTED // 2)).pause(0.4)
    actions.perform()
    pointed = driver.execute_script("return pointed")
    # few songs lie far apart, so there the pointer may meet none
    measured["card of the song pointed at, slowest of all"] = max(pointed, default=float("nan"))
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=50_000, help="number of songs (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="keep the pages here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        few, _ = write_pages(N_FEW, folder)
        many, seconds = write_pages(arguments.songs, folder)
        driver = chromium(f"{scratch}/profile")
        try:
            measure(driver, few[2])  # the first page also starts the browser
            lines = [
                f"{arguments.songs:,} songs, {len(FAMILIES) + 6} colourings, {N_NEIGHBOURS} neighbours each; Chromium "
                f"{driver.capabilities['browserVersion']}, WebGL in software; medians of {REPETITIONS}.",
                "",
                f"| | 2D | 3D | limit | {N_FEW} songs in 2D | in 3D |",
                "|---|---:|---:|---:|---:|---:|",
                f"| size of the page, MB | {size_mb(many[2])} | {size_mb(many[3])} | 25 | {size_mb(few[2])} | {size_mb(few[3])} |",
                f"| written in, s | {seconds:.1f} | {seconds:.1f} | | | |",
            ]
            runs = {path: [] for path in (many[2], many[3], few[2], few[3])}
            for _ in range(REPETITIONS):
                for path, own in runs.items():
                    own.append(measure(driver, path))
        finally:
            driver.quit()
    limits = {"first draw": "3000", "card of the song pointed at, slowest of all": "100"}
    for name in runs[many[2]][0]:
        plane, space, *small = (f"{statistics.median(run[name] for run in own):.0f}" for own in runs.values())
        lines.append(f"| {name}, ms | {plane} | {space} | {limits.get(name, '')} | {' | '.join(small)} |")
    text = "\n".join(lines).replace("nan", "") + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


def size_mb(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f}"


if __name__ == "__main__":
    main()
