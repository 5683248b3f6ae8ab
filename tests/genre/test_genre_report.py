"""The report page in a real browser: on a wide screen, on a phone, on paper; with names that try to break it."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from genre.reports import make_report, make_sample
from markupsafe import escape

from songmap.core.figures import draw
from songmap.genre.limits import FewTestSongs, UnknownArtists
from songmap.genre.results import GenreReport, WrittenFile
from songmap.genre.views.figures import candidates_figure
from songmap.genre.views.files import figures_of
from songmap.genre.views.limits import VALIDITY, limit_sentence
from songmap.genre.views.narrative import narrative
from songmap.genre.views.plain_summary import plain_summary
from songmap.genre.views.report_page import report_page
from songmap.genre.views.sentences import grouping_sentence, overfitting_sentence
from songmap.genre.views.summary import report_summary, verbose_summary

LONG = "Ein sehr langer Genrename ohne Ende und Sinn <b>&"
SCRIPT = "<script>document.title = 'run'</script>"


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


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> dict[str, bytes]:
    """The figures of a report of two genres."""
    folder = tmp_path_factory.mktemp("figures")
    figures = figures_of(make_report(2), make_sample(2))
    return {
        name: draw(function, folder / f"{name}.png", *arguments).read_bytes()
        for name, (function, arguments) in figures.items()
    }


def page_of(report: GenreReport, images: dict[str, bytes] | None = None) -> str:
    """The page with the figures of components; all genres of the library are in the report."""
    shown = {name: png for name, png in (images or {}).items() if name.startswith("shap_")}
    page = report_page(report, shown, [one.genre for one in report.per_genre])
    return page.replace("\u00a0", " ")  # between numbers and units


def written(report: GenreReport, images: dict[str, bytes], folder: Path) -> Path:
    path = folder / "outputs" / "html" / "report.html"
    path.parent.mkdir(parents=True)
    path.write_text(page_of(report, images), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(images, tmp_path_factory) -> Path:
    return written(make_report(2), images, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def hostile(images, tmp_path_factory) -> Path:
    """Twelve genres, some with long names, and songs named like markup."""
    report, song_name = make_report(12), SCRIPT + "W" * 90
    renamed = {
        name: [replace(one, genre=f"{LONG}{number}") for number, one in enumerate(getattr(report, name))]
        for name in ("per_genre", "families")
    }
    names = {one.genre: f"{LONG}{number}" for number, one in enumerate(report.per_genre)}
    songs = [
        replace(one, song_name=song_name, genre=names[one.genre], genre_set=[LONG, "B"],
                probabilities={names[genre]: proba for genre, proba in one.probabilities.items()})
        for one in report.boundary_songs
    ]  # fmt: skip
    song = replace(report.song, song_name="W" * 300, artist=SCRIPT)
    report = replace(report, **renamed, boundary_songs=songs, song=song)
    return written(report, images, tmp_path_factory.mktemp("hostile"))


def requested(browser) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def test_it_opens_alone_and_shows_everything(page, restored):
    opened(restored, page)
    assert restored.get_log("browser") == []
    urls = requested(restored)
    assert page.as_uri() in urls
    assert [url for url in urls if not url.startswith(("file:", "data:", "chrome:"))] == []
    broken = "return [...document.images].filter(image => !image.complete || !image.naturalWidth).length"
    assert restored.execute_script(broken) == 0
    assert restored.execute_script("return document.images.length") == 4
    assert restored.execute_script("return document.querySelectorAll('svg.chart').length") == 8
    titles = [heading.text for heading in restored.find_elements("css selector", "h2")]
    assert titles == [
        "Genre by genre", "Are the probabilities reliable?", "What drives its decisions", "One song explained",
        "Songs between genres", "Labels to check", "Songs without a genre", "Songs unlike the training data", "Limits",
        "Training data", "Scores", "Are the scores reliable?", "PCA + XGBoost, a candidate: SHAP", "Model card",
    ]  # fmt: skip
    links = restored.find_elements("css selector", "nav a")
    assert [link.text for link in links] == titles
    targets = "return [...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.hash)).length"
    assert restored.execute_script(targets) == 0
    restored.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    text, report = restored.find_element("css selector", "body").text, make_report(2)
    for sentence in (
        *narrative(report.song),
        grouping_sentence(report.grouping),
        overfitting_sentence(report.overfitting, report.permutation, report.choice_scores),
    ):
        assert " ".join(sentence.split()) in text
    assert report.card["data"] in text
    for one in report.candidates:
        assert one.title in text
        assert f"{one.balanced_accuracy:.3f}" in text
    csv_files = [
        link.get_attribute("href").rsplit("/", 2)[1:] for link in restored.find_elements("css selector", "p a")
    ]
    assert csv_files[:3] == [["outputs", f"{name}.csv"] for name in ("boundary_songs", "label_issues", "unknown_songs")]


@pytest.mark.parametrize("n_genres", [2, 10])
def test_the_answer_fits_15_lines_of_80_characters_and_leads_the_page(n_genres):
    report = replace(
        make_report(n_genres), written=[WrittenFile(Path("outputs/html/genre_report.html"), "report_page")]
    )
    lines = report_summary(report).splitlines()
    assert len(lines) <= 16
    assert max(map(len, lines)) <= 84  # two names of genres of 31 characters leave no better place to break
    assert lines[0].startswith("Of 100 new songs by other artists, about 70 would be predicted right (50 to 90);")
    page = page_of(report)
    for sentence in plain_summary(report):
        assert escape(sentence) in page
    assert page.index("Of 100 new songs") < page.index("<nav>")


@pytest.mark.parametrize("n_genres", [2, 12])
def test_all_tables_fit_80_columns(n_genres, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = verbose_summary(make_report(n_genres)).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("─" * 20 in line for line in lines) >= 8


def with_thinned_candidates(report: GenreReport) -> GenreReport:
    """The report of a larger library, of whose candidates two were compared on fewer songs."""
    songs = [6_000, 750, 6_000, 3_000, *[6_000] * (len(report.candidates) - 4)]
    candidates = [replace(one, songs=number) for one, number in zip(report.candidates, songs, strict=True)]
    return replace(report, candidates=candidates)


def test_candidates_show_on_how_many_songs_they_were_compared():
    phrase = "Candidates in folds of 6,000 songs, 2 of them only on fewer, as given"
    report = with_thinned_candidates(make_report(2))
    page, summary = page_of(report), verbose_summary(report)
    assert phrase in page
    assert phrase in summary
    for one in report.candidates:
        assert f'{one.title}</td><td class="n">{one.songs:,}</td>' in page
        assert re.search(rf"{re.escape(one.title[:12])}.* +{one.songs:,} ", summary)
    assert "(3,000 songs)</text>" in page
    figure = candidates_figure(report.candidates, "lda")
    assert phrase in figure.get_suptitle()
    names = "\n".join(text.get_text() for text in figure.axes[0].get_yticklabels())
    assert sorted(re.findall(r"\(([\d,]+) songs\)$", names, re.MULTILINE)) == ["3,000", "750"]
    assert "All candidates in the same folds of 42 songs" in verbose_summary(make_report(2))


def test_the_components_are_of_training_songs():
    report = make_report(2)
    assert "They are in-sample, of songs that it was trained on" in page_of(report)
    assert "They are in-sample, of songs that it was trained on" in page_of(
        replace(report, component_model=report.choice.model)
    )
    figures = figures_of(report, make_sample(2))
    for name in ("shap_bar", "shap_beeswarm", "shap_dependence"):
        function, arguments = figures[name]
        assert "training songs" in function(*arguments).get_suptitle()


def test_every_genre_has_the_coverage_of_its_prediction_sets_and_its_novelty():
    report = make_report(3)
    page = page_of(report)
    for one in report.conformal.per_genre:
        assert f'{one.genre}</td><td class="n">26</td><td class="n">7</td><td class="n">0.880 (0.70–1.00)</td>' in page
    for one in report.novelty.genres:
        assert f'{one.genre}</td><td class="n">26</td><td class="n">0.750</td><td class="n">0.250</td>' in page
    assert "AUROC 0.75 on average" in page
    assert "4 % of 52 songs exceed it" in page
    assert page.count("<td>unlike the training data</td>") == 2  # a song between genres and one without a genre


def test_what_a_report_lacks_is_left_out_or_stated():
    report = replace(make_report(2), unknown_songs=[], label_issues=[], limits=[])
    text = page_of(report)
    assert "Songs without a genre" not in text
    assert "<p>None: no song has another genre above 50 %.</p>" in text
    section = text[text.index('<section id="limits">') : text.index('<section id="training">')]
    assert "None" not in section
    assert VALIDITY in section
    assert "Not searched" in page_of(replace(report, permutation=replace(report.permutation, p_value=0.3)))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["page", "hostile"])
def test_charts_fit_a_phone_and_take_the_colours_of_the_page(which, dark, restored, request):
    opened(restored, request.getfixturevalue(which), width=390, dark=dark)
    charts = restored.execute_script(
        "return [...document.querySelectorAll('svg.chart')].map(svg => { const box = svg.getBoundingClientRect();"
        "return [box.left, box.right, ...[...svg.querySelectorAll('text')].map(text => {"
        "const own = text.getBoundingClientRect(); return [own.left, own.right, getComputedStyle(text).fill] })] })"
    )
    assert len(charts) == 8
    ink = restored.execute_script("return getComputedStyle(document.body).color")
    for left, right, *texts in charts:
        assert 0 <= left < right <= 390
        assert texts
        for start, end, _ in texts:
            assert left - 1 <= start < end <= right + 1
        assert ink in {fill for _, _, fill in texts}


def test_songs_between_genres_end_where_they_are_no_longer():
    report = make_report(2)
    page = page_of(report)
    section = page[page.index('<section id="boundary">') : page.index('<section id="labels">')]
    assert "20 songs of 30: a song is between genres if its 90 % prediction set has several genres" in section
    assert f"the {19}th of them" in section
    assert f"the {20}th of them" not in section
    none = replace(report, boundary_songs=[replace(one, is_between=False) for one in report.boundary_songs])
    assert "None of 30" in page_of(none)


def test_songs_of_unknown_artists_and_genres_of_few_test_songs_are_limits_of_the_page():
    unknown, few = UnknownArtists(52), FewTestSongs("GENRE1", 2, 1, 5)
    page = page_of(replace(make_report(2), limits=[unknown, few]))
    section = page[page.index('<section id="limits">') : page.index('<section id="training">')]
    for limit in (unknown, few):
        assert limit_sentence(limit)[1:] in section
        assert limit_sentence(limit) in page[: page.index("<nav>")]


def test_every_genre_has_a_panel_of_shap_values():
    figure_of, arguments = figures_of(make_report(12), make_sample(12))["shap_beeswarm"]
    shown = [axis for axis in figure_of(*arguments).axes if axis.get_visible() and axis.get_title(loc="center")]
    assert len(shown) == 12


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
    assert (
        restored.execute_script("return document.querySelectorAll('body script, td b, figcaption b, svg b').length")
        == 0
    )
    assert restored.get_log("browser") == []


def test_it_prints_on_pages_without_cutting_a_figure(page, restored):
    opened(restored, page)
    printed = restored.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    content = base64.b64decode(printed["data"])
    assert content.startswith(b"%PDF-")
    restored.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    restored.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 720, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    )
    restored.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    cut = "return [...document.querySelectorAll('img, svg')].filter(image => image.getBoundingClientRect().height > 1000 || image.getBoundingClientRect().right > 720)"
    assert restored.execute_script(f"{cut}.length") == 0
    assert restored.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
    restored.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
