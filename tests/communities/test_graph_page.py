"""The graph as a page and for other programs."""

import csv
import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from communities.planted import planted
from libraries import make_library
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from songmap.communities.community_description import describe_communities
from songmap.communities.community_detection import Detection, detect
from songmap.communities.graph import build_graph
from songmap.communities.graph_results import MatchReport, PlaylistCommunities, Pruning, ReadReport
from songmap.communities.layout import graph_drawing, strongest_edges
from songmap.communities.views.exports import write_graph
from songmap.communities.views.graph_page import graph_page
from songmap.core.workspace import Workspace

N_SONGS = 82  # the last two are in no playlist
EVIL = "</script><script>document.title = 'broken'</script>"


@pytest.fixture(scope="module")
def library():
    made = make_library(N_SONGS)
    made.songs.loc[0, "title"] = EVIL
    made.songs.loc[1, "title"] = "Été &\ud83d\ufffe\x00 =1+1"
    made.songs.loc[2, "artist"] = "=cmd"
    return made


@pytest.fixture(scope="module")
def result():
    lists = planted(4, 20, 60)
    graph = build_graph(lists, N_SONGS)
    match = MatchReport(60, 700, 690, 5, 0, 2, 3, 0, ("A - B",), 80, 60, 90.0)
    found = detect(graph, Detection(n_runs=3))
    return PlaylistCommunities(ReadReport(60, 60, 700, ()), match, lists, graph, graph, Pruning(), found)


@pytest.fixture(scope="module")
def drawing(result):
    return graph_drawing(result.pruned, result.communities, result.playlists)


@pytest.fixture(scope="module")
def page(result, drawing, library, tmp_path_factory):
    facts = describe_communities(library, result.pruned, result.communities, result.playlists)
    file = tmp_path_factory.mktemp("page") / "song_graph.html"
    file.write_text(graph_page(result, drawing, facts, library.songs, "song_communities.html"), encoding="utf-8")
    return file


def test_songs_of_a_community_are_drawn_together(result, drawing):
    assert drawing.rows.tolist() == list(range(80))
    assert np.abs(drawing.places).max() == pytest.approx(1)
    labels = result.communities.labels[drawing.rows]
    centres = np.array([drawing.places[labels == label].mean(axis=0) for label in range(4)])
    nearest = np.linalg.norm(drawing.places[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95
    distances = np.linalg.norm(drawing.places[:, None] - drawing.places, axis=2)[np.triu_indices(80, 1)]
    assert distances.min() > 0.005  # no two songs on one point


def test_places_are_the_same_for_the_same_seed(result, drawing):
    again = graph_drawing(result.pruned, result.communities, result.playlists)
    np.testing.assert_array_equal(again.places, drawing.places)


def test_strongest_edges_are_those_of_either_end(result):
    weights = result.graph.weights
    first, second, values = strongest_edges(weights, 3)
    dense = weights.toarray()
    expected = set()
    for row in range(N_SONGS):
        order = np.lexsort((np.arange(N_SONGS), -dense[row]))
        expected |= {tuple(sorted((row, int(other)))) for other in order[:3] if dense[row, other] > 0}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected
    np.testing.assert_array_equal(values, dense[first, second])


def test_numbers_of_the_drawing(result, drawing):
    for row in range(0, 80, 7):
        assert drawing.n_playlists[row] == sum(row in rows for rows in result.playlists.rows)
    np.testing.assert_allclose(drawing.strengths, drawing.n_playlists, rtol=1e-5)


def test_graphml_and_csv_hold_the_graph(result, library, tmp_path):
    workspace = Workspace(tmp_path)
    paths = write_graph(workspace, library.songs, result.graph, result.communities, "spreadsheet")
    assert [path.name for path in paths] == ["song_graph.graphml", "song_graph_songs.csv", "song_graph_edges.csv"]
    read = nx.read_graphml(paths[0], node_type=int)
    assert read.number_of_nodes() == 80
    dense = result.graph.weights.toarray()
    assert read.number_of_edges() == result.graph.n_edges
    assert all(value == pytest.approx(dense[a, b], rel=1e-5) for a, b, value in read.edges(data="weight"))
    assert read.nodes[0]["title"] == EVIL
    assert read.nodes[1]["title"].startswith("Été &")
    assert [read.nodes[row]["community"] for row in range(80)] == (result.communities.labels[:80] + 1).tolist()
    with paths[1].open(encoding="utf-8", newline="") as stream:
        songs = list(csv.DictReader(stream))
    assert [int(one["id"]) for one in songs] == list(range(80))
    assert songs[2]["artist"] == "'=cmd"
    with paths[2].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    edges = {(int(one["source"]), int(one["target"])) for one in rows}
    assert edges == {(min(edge), max(edge)) for edge in read.edges}
    assert len(rows) == result.graph.n_edges


def test_files_of_a_large_graph_have_its_strongest_edges(result, library, tmp_path, monkeypatch):
    monkeypatch.setattr("songmap.communities.views.exports.MAX_EDGES", 50)
    paths = write_graph(Workspace(tmp_path), library.songs, result.graph, result.communities, "raw")
    read = nx.read_graphml(paths[0], node_type=int)
    weights = np.sort(result.graph.weights.toarray()[np.triu_indices(N_SONGS, 1)])[::-1]
    assert sorted((value for _, _, value in read.edges(data="weight")), reverse=True) == pytest.approx(
        weights[:50].tolist(), rel=1e-5
    )
    assert read.number_of_nodes() == 80
    assert len(paths[2].read_text().splitlines()) == 51


def test_more_than_can_be_drawn_are_left_out(result, library, monkeypatch):
    monkeypatch.setattr("songmap.communities.layout.MAX_DRAWN", 30)
    fewer = graph_drawing(result.pruned, result.communities, result.playlists)
    assert (len(fewer.rows), fewer.n_left_out) == (30, 50)
    strengths = result.graph.strengths
    assert strengths[fewer.rows].min() >= np.delete(strengths, fewer.rows).max()
    page = graph_page(result, fewer, (), library.songs)
    assert "50 songs of less strength are not drawn" in page
    assert "<h1>80 songs joined by playlists</h1>" in page


@pytest.fixture
def opened(browser, page):
    browser.set_window_size(1200, 900)
    browser.get("about:blank")
    browser.get_log("browser")  # of pages before
    browser.get(page.as_uri())
    yield browser
    logged = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert logged == []


def canvas_colours(browser) -> int:
    """How many different colours the canvas shows."""
    return browser.execute_script(
        "const c = document.getElementById('canvas');"
        "const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);"
        "const n = new Map(); for (const p of d) n.set(p, (n.get(p) ?? 0) + 1);"
        "return [...n.values()].filter((m) => m > 60).length;"
    )


def test_the_page_draws_the_graph_and_names_are_text(opened):
    assert opened.title == "80 songs joined by playlists"
    assert opened.execute_script("return performance.getEntriesByName('ready').length") == 1
    assert canvas_colours(opened) >= 6  # four communities, background, edges
    legend = opened.find_elements(By.CSS_SELECTOR, "#legend button")
    assert len(legend) == 4
    assert not opened.find_element(By.ID, "smaller").is_displayed()
    assert "20 songs" in legend[0].text
    graph = json.loads(opened.find_element(By.ID, "graph").get_attribute("textContent"))
    assert graph["titles"][0] == EVIL


def test_grey_communities_are_folded(browser, result, drawing, library, tmp_path, monkeypatch):
    monkeypatch.setattr("songmap.communities.views.graph_page.MAX_COLOURED", 3)
    facts = describe_communities(library, result.pruned, result.communities, result.playlists)
    file = tmp_path / "many.html"
    file.write_text(graph_page(result, drawing, facts, library.songs), encoding="utf-8")
    browser.get(file.as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, "#legend button")) == 3
    smaller = browser.find_element(By.ID, "smaller")
    assert smaller.text == "1 smaller community"
    smaller.find_element(By.TAG_NAME, "summary").click()
    button = smaller.find_element(By.TAG_NAME, "button")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"


def test_search_chooses_a_song_and_its_neighbours_lead_on(opened):
    search = opened.find_element(By.ID, "search")
    search.send_keys("ANN 07")
    options = opened.find_elements(By.CSS_SELECTOR, "#found [role=option]")
    assert [one.text for one in options] == ["song 007 – Ann", *[f"song 07{number} – Ann" for number in range(10)]]
    search.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    card = opened.find_element(By.ID, "card")
    assert "song 070 – Ann" in card.text
    assert "in " in card.text
    neighbour = card.find_element(By.CSS_SELECTOR, "li button")
    wanted = neighbour.text
    neighbour.click()
    assert opened.find_element(By.CSS_SELECTOR, "#card h2").text == wanted
    search.clear()
    search.send_keys("no such song")
    assert "No song in the graph" in opened.find_element(By.ID, "found").text


def test_a_community_alone_hovering_and_keys(opened):
    before = canvas_colours(opened)
    button = opened.find_elements(By.CSS_SELECTOR, "#legend button")[1]
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    canvas = opened.find_element(By.ID, "canvas")
    place = opened.execute_script(
        "const g = JSON.parse(document.getElementById('graph').textContent);"
        "const b = document.getElementById('canvas').getBoundingClientRect();"
        "const r = 1.07 * Math.max(...g.x.map(Math.abs), ...g.y.map(Math.abs));"
        "const s = Math.min(b.width, b.height) / 2 / r; return [g.x[5] * s, -g.y[5] * s];"
    )
    ActionChains(opened).move_to_element_with_offset(canvas, round(place[0]), round(place[1])).perform()
    hover = opened.find_element(By.ID, "hover")
    assert hover.is_displayed()
    assert hover.text == "song 005 – Ann"
    ActionChains(opened).click().perform()
    assert opened.find_element(By.CSS_SELECTOR, "#card h2").text == "song 005 – Ann"
    canvas.send_keys("+", Keys.ARROW_LEFT, "0", Keys.ESCAPE)
    assert "Click a song" in opened.find_element(By.ID, "card").text
    assert before >= 6


def test_a_phone_shows_it_without_scrolling_sideways(opened):
    opened.set_window_size(390, 844)
    width = opened.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_the_page_needs_no_network(page):
    text = page.read_text(encoding="utf-8")
    assert "http://" not in text and "https://" not in text
    assert len(text) < 100_000


def test_warnings_are_on_the_page(result, drawing, library):
    from songmap.communities.graph_results import CommunityWarning

    warned = replace(result, communities=replace(result.communities, warnings=(CommunityWarning.ONE_HOLDS_MOST,)))
    text = graph_page(warned, drawing, (), library.songs)
    assert '<p class="warning">One community holds' in text
