"""The README's tables of measurements, made anew from what the scripts and the benchmarks left.

    python -m benchmarks.readme DEMO OPEN

DEMO and OPEN are the workspaces of `make demo` and `make demo-open`. Between `<!-- table NAME -->` and `<!-- end -->` the
README gets the tables of the candidates as 03 left them in outputs/genre_report.json, of the spaces as `04 evaluate`
measures them, of segments as 05's cards, of models, networks and playlists as 06, 07 and 08 left them, and of extraction,
tempo and rooms as the benchmarks' own files do.
"""

import argparse
import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import load_library
from songmap.similar.requests import EvaluateRequest
from songmap.similar.session import Session
from songmap.similar.space_scores import Precision

BENCHMARKS = Path(__file__).parent
KINDS = ("genre", "genre_other_artists")
COMPARED = (
    ("lda", "descriptors"), ("logistic", "descriptors"), ("svm", "descriptors"), ("xgboost", "all641"),
    ("dense", "descriptors"), ("dense_published", "spectral25"), ("forest_published", "spectral25"),
    ("extra_trees_published", "spectral25"), ("knn", "spectral25"), ("majority", "descriptors"),
)  # fmt: skip
EXTRACTION = ("seconds, one worker", "ratio to decode", "peak memory of", "two workers", "clips of 3 s", "first song")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """A Markdown table whose last ``numbers`` columns are aligned to the right."""
    head, *lines = (f"| {' | '.join(row)} |" for row in [headings, *rows])
    alignment = ["---"] * (len(headings) - numbers) + ["---:"] * numbers
    return "\n".join([head, f"|{'|'.join(alignment)}|", *lines])


def candidates(workspaces: Sequence[Workspace]) -> str:
    """Accuracy and log loss in cross-validation; the model in use is bold."""
    reports = [json.loads(one.genre_report.read_text(encoding="utf-8")) for one in workspaces]
    scores = [{one["model"]: one for one in report["candidates"]} for report in reports]
    rows = []
    for name, one in scores[0].items():
        cells = [f"{own[name][score]:.2f}" for own in scores for score in ("accuracy", "log_loss")]
        used = [report["choice"]["model"] == name for report in reports for _ in range(2)]
        rows.append([one["title"], *(f"**{cell}**" if bold else cell for cell, bold in zip(cells, used, strict=True))])
    headings = ["model", "demo: accuracy", "log loss", "open: accuracy", "log loss"]
    return table(headings, rows, 4)


def spaces(workspaces: Sequence[Workspace]) -> str:
    """Same genre among the 10 nearest, of all artists and of others alone; hubness without and with correction."""
    found = []
    for one in workspaces:
        scores = Session(load_library(one), one).run(EvaluateRequest()).scores
        found.append({(score.space, score.hubs_corrected): score for score in scores})
    rows = []
    for space in dict.fromkeys(space for space, _ in found[0]):
        cells = []
        for scores in found:
            own = scores[space, False]
            cells += [_share(own.precision[kind]) for kind in KINDS] + [f"{own.hubness_skewness:.2f}"]
        rows.append([f"`{space}`", *cells])
    chance = []
    for scores in found:
        chance += [f"{next(iter(scores.values())).precision[kind].chance:.2f}" for kind in KINDS] + [""]
    rows.append(["by chance", *chance])
    headings = ["same genre", "by another artist", "hubness"]
    return table(["space", f"demo: {headings[0]}", *headings[1:], f"open: {headings[0]}", *headings[1:]], rows, 6)


def _share(precision: Precision) -> str:
    interval = precision.interval
    return f"{precision.value:.2f}" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def extraction() -> str:
    """The rows of the benchmark that a user is concerned with, and its table of extractors."""
    rows, text = [], (BENCHMARKS / "extraction.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith(EXTRACTION):
            rows.append(cells[:3])
    extractors = re.search(r"^\| extractor .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)[0]
    return table(["what", "plain librosa", "songmap"], rows, 2) + f"\n\n{extractors}"


def tempo() -> str:
    """The first table of the benchmark of tempo and key: errors in BPM on what the studio synthesised."""
    text = (BENCHMARKS / "tempo_key.md").read_text(encoding="utf-8")
    return re.search(r"^\| seed .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)[0]


def segment_classifiers(workspaces: Sequence[Workspace]) -> str:
    """Right of segments and songs, log loss of segments, by song and at random, of the classifiers of 05."""
    names = {"network": "dense network", "xgboost": "XGBoost", "joined": "joined"}
    cards = [json.loads(one.recording_card.read_text(encoding="utf-8")) for one in workspaces]
    rows = []
    for split in ("song", "random"):
        scores = [
            {one["classifier"]: one for one in card["training"]["scores"] if one["split"] == split} for card in cards
        ]
        for name, title in names.items():
            kinds = ("segment_accuracy", "song_accuracy", "segment_log_loss")
            cells = [f"{own[name][kind]:.2f}" for own in scores for kind in kinds]
            rows.append([title, "by artist" if split == "song" else "segments at random", *cells])
        whole = [next((one for name, one in own.items() if name not in names), None) for own in scores]
        if all(whole):
            cells = [text for one in whole for text in ("", f"{one['song_accuracy']:.2f}", "")]
            rows.append(["03's model of whole songs", "by artist", *cells])
    headings = ["segments", "songs", "log loss"]
    return table(
        ["classifier", "split", f"demo: {headings[0]}", *headings[1:], f"open: {headings[0]}", *headings[1:]], rows, 6
    )


def comparison(workspaces: Sequence[Workspace]) -> str:
    """Accuracy and log loss of some models and features of 06, and whether the best is shown to be better."""
    found = []
    for one in workspaces:
        with (one.outputs / "model_comparison.csv").open(encoding="utf-8") as file:
            found.append({(row["model"], row["features"]): row for row in csv.DictReader(file)})
    rows = []
    for key in COMPARED:
        cells = []
        for own in found:
            row = own[key]
            worse = {"": "the best", "True": "yes", "False": "not shown"}[row["best_is_real"]]
            cells += [f"{float(row['accuracy']):.2f}", f"{float(row['log_loss']):.2f}", worse]
        rows.append([f"{found[0][key]['title']}, {key[1]}", *cells])
    headings = ["accuracy", "log loss", "worse than the best?"]
    return table(
        ["model, features", f"demo: {headings[0]}", *headings[1:], f"open: {headings[0]}", *headings[1:]], rows, 6
    )


def networks(workspaces: Sequence[Workspace]) -> str:
    """Accuracy and log loss of 07's network beside the models of 06 in the same folds, and joined with the best of them."""
    reports = [json.loads((one.outputs / "spectrogram_cnn.json").read_text(encoding="utf-8")) for one in workspaces]
    scores = [{(one["model"], one["features"]): one for one in report["scores"]} for report in reports]
    rows = []
    for key in (("network", ""), ("joined", ""), *(key for key in scores[0] if key[1])):
        title = {"network": f"{reports[0]['network']} network", "joined": "joined with the best other"}.get(
            key[0], f"{scores[0][key]['title']}, {key[1]}"
        )
        rows.append([title, *(f"{own[key][score]:.2f}" for own in scores for score in ("accuracy", "log_loss"))])
    return table(["model", "demo: accuracy", "log loss", "open: accuracy", "log loss"], rows, 4)


def communities(workspaces: Sequence[Workspace]) -> str:
    """How well each space of sound predicts playlists, by 08."""
    reports = [json.loads((one.outputs / "song_communities.json").read_text(encoding="utf-8")) for one in workspaces]
    found = [{one["space"]: one for one in report["agreement"]["spaces"]} for report in reports]
    rows = []
    for space in (name for name in found[0] if name in found[1]):
        cells = []
        for own in found:
            auc = own[space]["auc"]
            p_text = "≤ 0.001" if auc["p_value"] <= 0.001 else f"{auc['p_value']:.3f}"  # the least of 999 permutations
            cells += [f"{auc['value']:.2f} ({auc['low']:.2f}–{auc['high']:.2f})", p_text]
        rows.append([f"`{space}`", *cells])
    return table(["space", "demo: AUC", "p", "open: AUC", "p"], rows, 4)


def room() -> str:
    """The first table of the benchmark of degraded recordings."""
    text = (BENCHMARKS / "room.md").read_text(encoding="utf-8")
    return re.search(r"^\| condition .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)[0]


def rewritten(text: str, tables: dict[str, str]) -> str:
    """The README with its tables replaced."""
    for name, content in tables.items():
        pattern = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda match, own=content: f"{match[1]}{own}\n{match[2]}", text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"README.md has {count} places for the table {name}, not one")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, metavar="DEMO")
    parser.add_argument("open", type=Path, metavar="OPEN")
    options = parser.parse_args()
    workspaces = [Workspace(options.demo), Workspace(options.open)]
    readme = REPOSITORY / "README.md"
    tables = {
        "extraction": extraction(), "tempo": tempo(),
        "candidates": candidates(workspaces), "spaces": spaces(workspaces),
        "recording": segment_classifiers(workspaces), "room": room(), "comparison": comparison(workspaces),
        "networks": networks(workspaces), "communities": communities(workspaces),
    }  # fmt: skip
    readme.write_text(rewritten(readme.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
