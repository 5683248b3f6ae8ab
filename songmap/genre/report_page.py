"""The report as one HTML page that needs nothing else: for the screen, dark or light, a phone, and paper.

``document`` is what ``--json`` prints; ``pictures`` are PNG files by name with what they show. Everything from
outside is escaped here.
"""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

from songmap.core.pages import html_page
from songmap.core.tables import format_cell
from songmap.core.text import readable
from songmap.genre.document import set_in_words
from songmap.genre.evaluate import SIGNIFICANT
from songmap.genre.models import DEFAULT
from songmap.library.schema import FAMILIES

Record = Mapping[str, Any]

_SHOWN, _COMPONENTS = 25, 10  # rows in a table of songs, the CSV holds all; components described
_LONG = 28  # characters in a cell before its words are wrapped

_SCORES = {
    "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "log_loss": "log loss",
    "ece": "calibration error",
}  # fmt: skip
_TESTED = {
    "tested_on": "tested on", **_SCORES, "baseline_accuracy": "commonest genre's accuracy",
}  # fmt: skip
_CANDIDATES = {"title": "model", **_SCORES, "difference": "balanced accuracy against PCA + XGBoost"}
_PER_GENRE = {
    "genre": "genre", "songs": "songs", "precision": "precision", "recall": "recall", "f1": "F1",
    "test_precision": "test precision", "test_recall": "test recall", "test_f1": "test F1",
}  # fmt: skip
_BOUNDARY = {
    "song_name": "song", "genre": "genre", "predicted_genre": "taken for", "percent": "probability",
    "genre_set": "90 % set", "normalised_entropy": "normalised entropy",
}  # fmt: skip
_DOUBTFUL = {
    "song_name": "song", "genre": "label", "probably": "probably", "percent": "probability", "file_path": "file"
}  # fmt: skip
_UNKNOWN = {"song_name": "song", "predicted_genre": "taken for", "percent": "probability", "genre_set": "90 % set"}


def report_page(document: Record, pictures: Mapping[str, tuple[bytes, str]]) -> str:
    """The page. Sections without anything to say are left out."""
    show = {name: _figure(*picture) for name, picture in pictures.items()}
    sections = [
        ("What was learned from", _learned_from(document)),
        ("How good it is", _scores(document, show)),
        ("Can the scores be trusted", _checks(document)),
        ("Do probabilities keep their word", _calibration(document, show)),
        ("Genre by genre", _genres(document, show)),
        ("What it goes by", _reasons(document, show)),
        ("One song explained", _song(document["song"], show)),
        ("Songs between genres", _boundary(document, show)),
        ("Labels to check", _doubtful(document)),
        ("Songs without a genre", _unknown(document["unknown_songs"])),
        ("Limits", _list(document["limits"]) or "<p>None was found.</p>"),
        ("Model card", _card(document["card"])),
    ]
    sections = [(title, body) for title, body in sections if body]
    links = " · ".join(f'<a href="#s{number}">{title}</a>' for number, (title, _) in enumerate(sections))
    body = "\n".join(
        f'<section id="s{number}"><h2>{title}</h2>\n{body}</section>' for number, (title, body) in enumerate(sections)
    )
    genres = len(document["per_genre"])
    title = f"Genre classifier: {genres} genres, {sum(record['songs'] for record in document['per_genre'])} songs"
    return html_page(title, f"<h1>{title}</h1>\n<nav>{links}</nav>\n{body}", _STYLE)


def _learned_from(document: Record) -> str:
    counts = [{"genre": record["genre"], "songs": record["songs"]} for record in document["per_genre"]]
    return _table(counts, {"genre": "genre", "songs": "songs"}) + _paragraph(document["grouping"])


def _scores(document: Record, show: Mapping[str, str]) -> str:
    candidates = [
        _with_intervals(record) | {"difference": _difference(record), "chosen": record["model"] == document["chosen"]}
        for record in document["candidates"]
    ]
    return (
        _paragraph(document["reason"])
        + _table([_with_intervals(record) for record in document["scores"]], _TESTED)
        + _note("In brackets 95 % intervals over resampled groups. The baseline always says the commonest genre.")
        + "<h3>Beside others, in the same folds</h3>"
        + _table(candidates, _CANDIDATES)
        + _note("Difference ± its standard error, over resampled groups.")
        + show.get("candidates", "")
    )


def _checks(document: Record) -> str:
    leakage = document["leakage"]
    measured = [
        {"folds": "songs that belong together kept so", "accuracy": leakage["grouped_accuracy"]},
        {"folds": "random", "accuracy": leakage["random_accuracy"]},
    ]
    return (
        f"<h3>Leakage meter</h3>{_table(measured, {'folds': 'folds', 'accuracy': 'accuracy'})}"
        f"{_paragraph(leakage['meaning'])}"
        f"<h3>Training against cross-validation</h3>{_paragraph(document['gap']['meaning'])}"
        f"<h3>Permutation test</h3>{_paragraph(document['permutation']['meaning'])}"
    )


def _calibration(document: Record, show: Mapping[str, str]) -> str:
    sets = document["conformal"]
    held = (
        f"The 90 % sets of genres held the true one for {_percent(sets['coverage'])} of {sets['songs']} songs that were "
        f"not used to find their limit; they name {sets['mean_size']:.2g} genres on average, and "
        f"{_percent(sets['sets_of_one'])} of them a single one."
    )
    return show.get("reliability", "") + _paragraph(held)


def _genres(document: Record, show: Mapping[str, str]) -> str:
    return _table(document["per_genre"], _PER_GENRE) + show.get("confusion", "")


def _reasons(document: Record, show: Mapping[str, str]) -> str:
    families = [
        {"genre": record["genre"]} | {family: f"{record[family]:+.1f}" for family in FAMILIES}
        for record in document["families"]
    ]
    components = [
        {"component": record["component"], "importance": record["importance"]}
        for record in document["components"][:_COMPONENTS]
    ]
    return (
        "<h3>Families of columns</h3>"
        + show.get("families", "")
        + _table(families, {"genre": "genre", **{family: family for family in FAMILIES}})
        + _note("Points of probability towards the genre, mean over its own songs, by models that had not seen them.")
        + f"<h3>Components</h3>{_paragraph(document['components_of'])}"
        + "".join(show.get(name, "") for name in ("shap_bar", "shap_beeswarm", "shap_dependence"))
        + _table(components, {"component": "component", "importance": "mean |SHAP|"})
    )


def _song(song: Record, show: Mapping[str, str]) -> str:
    sentences = "".join(_paragraph(sentence) for sentence in song["sentences"])
    return sentences + show.get("family_waterfall", "") + show.get("shap_waterfall", "")


def _boundary(document: Record, show: Mapping[str, str]) -> str:
    rows = [_song_row(record) for record in document["boundary_songs"][:_SHOWN]]
    return (
        show.get("boundary_songs", "") + _table(rows, _BOUNDARY) + _more(document["boundary_songs"], "boundary_songs")
    )


def _doubtful(document: Record) -> str:
    records = document["doubtful_labels"]
    if document["permutation"]["p_value"] > SIGNIFICANT:
        return _paragraph("Not looked for: a model that is not shown to be better than chance has no say in it.")
    if not records:
        return _paragraph("None: no other genre is more likely than not for any song, as far as the model can tell.")
    told = _note("By models that had not seen the song (confident learning). Listen before changing anything.")
    return (
        told + _table([_song_row(record) for record in records[:_SHOWN]], _DOUBTFUL) + _more(records, "doubtful_labels")
    )


def _unknown(records: Sequence[Record]) -> str:
    if not records:
        return ""
    return _table([_song_row(record) for record in records[:_SHOWN]], _UNKNOWN) + _more(records, "unknown_songs")


def _card(card: Record) -> str:
    calibration = card["calibration"]
    rows = [
        {"of": "model", "is": card["title"]},
        {"of": "parameters", "is": _pairs(card["parameters"])},
        {"of": "calibration", "is": f"temperature {calibration['temperature']:.3g}, weight of the genres' shares "
         f"{calibration['prior_weight']:.2g}"},
        {"of": "folds", "is": f"by {card['group_by']}, seed {card['seed']}"},
        {"of": "library", "is": card["data"]},
        {"of": "columns", "is": card["columns"]},
        {"of": "versions", "is": _pairs(card["versions"])},
    ]  # fmt: skip
    return _table(rows, {"of": "", "is": ""})


def _with_intervals(record: Record) -> dict[str, Any]:
    """A record whose scores are text, with their intervals where it holds them."""
    told = dict(record)
    for name in _SCORES:
        if f"{name}_low" in record:
            told[name] = f"{record[name]:.3f} ({record[f'{name}_low']:.2f}–{record[f'{name}_high']:.2f})"
    return told


def _difference(record: Record) -> str:
    if record["model"] == DEFAULT:
        return ""
    return f"{record['difference']:+.3f} ± {record['difference_error']:.3f}"


def _song_row(record: Record) -> dict[str, Any]:
    return {**record, "percent": _percent(record["probability"])} | (
        {"genre_set": set_in_words(record["genre_set"])} if "genre_set" in record else {}
    )


def _table(records: Sequence[Record], columns: Mapping[str, str]) -> str:
    """Records in a box that scrolls by itself where it is wider than the page; numbers stand to the right."""
    numeric = {key: all(isinstance(record[key], int | float) for record in records) for key in columns}
    head = "".join(
        f'<th scope="col"{" class=n" * numeric[key]}>{html.escape(name)}</th>' for key, name in columns.items()
    )
    rows = "".join(
        f"<tr{' class=chosen' * bool(record.get('chosen'))}>"
        + "".join(_cell(record[key], numeric[key]) for key in columns)
        + "</tr>\n"
        for record in records
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(columns.values()) else ""
    return f'<div class="wide" tabindex="0"><table>{top}<tbody>\n{rows}</tbody></table></div>\n'


def _cell(value: Any, numeric: bool) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else format_cell(value)
    kind = " class=n" if numeric else " class=long" if len(text) > _LONG else ""
    return f"<td{kind}>{_text(text)}</td>"


def _figure(png: bytes, shows: str) -> str:
    source = base64.b64encode(png).decode()
    caption = _text(shows[0].upper() + shows[1:])
    return (
        f'<figure><div class="wide" tabindex="0"><img alt="{caption}" src="data:image/png;base64,{source}"></div>'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def _more(records: Sequence[Record], name: str) -> str:
    return _note(f"{len(records)} in all: outputs/{name}.csv") if len(records) > _SHOWN else ""


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(text)}</li>' for text in texts)}</ul>" if texts else ""


def _paragraph(text: str) -> str:
    return f"<p>{_text(text[0].upper() + text[1:])}</p>\n"


def _note(text: str) -> str:
    return f'<p class="muted">{_text(text)}</p>\n'


def _text(text: str) -> str:
    return html.escape(readable(text))


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {format_cell(value)}" for name, value in values.items()) or "none"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_STYLE = """<style>
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
h1, nav, p, li, figcaption { overflow-wrap: anywhere; } nav { line-height: 1.9; }
a { color: inherit; } li { max-width: 60rem; }
.wide { overflow-x: auto; margin: .5rem 0; } .wide:focus-visible { outline: 2px solid #0072B2; }
th { vertical-align: bottom; font-weight: 600; } td { vertical-align: top; white-space: nowrap; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 13rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.chosen td { font-weight: 600; }
figure { margin: .8rem 0; } figcaption { color: var(--muted); font-size: .9rem; }
img { display: block; max-width: min(100%, 60rem); min-width: min(36rem, 170vw); background: #fff; border-radius: 4px; }
@media print {
 :root { --text: #000; --muted: #444; --page: #fff; --line: #bbb; }
 body { max-width: none; font-size: 10pt; padding: 0; } nav { display: none; }
 h2, h3 { break-after: avoid; } figure, tr { break-inside: avoid; }
 .wide { overflow: visible; } img { min-width: 0; max-height: 22cm; }
 td, th { padding: .1rem .35rem; font-size: 8pt; } td, td.long { white-space: normal; min-width: 0; }
}
</style>"""
