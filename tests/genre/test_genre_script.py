"""03 as a user runs it: in a workspace of its own, with what it prints, leaves behind and refuses."""

import csv
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from libraries import labelled_library, separable_library
from signals import RATE_HZ, music

from songmap.core.errors import QueryError, UsageError
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.genre.models import CANDIDATES
from songmap.genre.run import classify_library
from songmap.library.genre_model import load_model
from songmap.library.library import Library, library_fingerprint, save_library
from songmap.library.schema import FAMILIES

PICTURES = (
    "boundary_songs", "candidates", "confusion", "families", "family_waterfall", "reliability", "shap_bar",
    "shap_beeswarm", "shap_dependence", "shap_waterfall",
)  # fmt: skip


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_document_holds_scores_checks_limits_and_songs(trained):
    _, document = trained
    assert document["scores"][0]["tested_on"].endswith("test songs")
    assert document["scores"][1]["tested_on"].startswith("5-fold cross-validation")
    for score in document["scores"]:
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "ece"):
            assert 0 <= score[f"{name}_low"] <= score[f"{name}_high"] <= 1
        assert score["log_loss"] >= 0
    assert [record["model"] for record in document["candidates"]] == list(CANDIDATES)
    assert document["chosen"] in CANDIDATES
    assert all(document[check]["meaning"] for check in ("leakage", "gap", "permutation"))
    assert [(record["genre"], record["songs"]) for record in document["per_genre"]] == [
        ("GENRE00", 12), ("GENRE01", 13)
    ]  # fmt: skip
    assert document["limits"][0].startswith("TINY is set aside: it has 2 songs")
    assert [record["file_path"] for record in document["unknown_songs"]] == [
        f"/music/{row:03d}.mp3" for row in range(3)
    ]
    entropies = [record["normalised_entropy"] for record in document["boundary_songs"]]
    assert len(entropies) == 25
    assert entropies == sorted(entropies, reverse=True)
    assert sum(record["songs"] for record in document["reliability"]["bins"]) == 25


def test_the_explained_song_is_judged_by_the_model_that_had_not_seen_it(trained):
    _, document = trained
    song = document["song"]
    (row,) = [record for record in document["boundary_songs"] if record["file_path"] == song["file_path"]]
    assert song["file_path"] == "/music/005.mp3"
    assert song["probabilities"] == pytest.approx(row["probabilities"])
    assert song["genre_set"] == row["genre_set"]
    assert song["judged_by"] == (
        f"the model of fold {row['fold']}, trained without it"
        if row["fold"]
        else "the model that never saw the test songs"
    )
    added = sum(family["adds"] for family in song["families"])
    assert song["background"][song["predicted_genre"]] + added == pytest.approx(song["probability"], abs=1e-6)


def test_every_song_has_its_judge_and_points_that_add_up(trained):
    folder, document = trained
    rows = rows_of(folder / "outputs" / "genres_all_songs.csv")
    assert [row["file_path"] for row in rows] == [f"/music/{row:03d}.mp3" for row in range(30)]
    by_path = {record["file_path"]: record for record in document["boundary_songs"]}
    for row in rows:
        points = sum(float(row[f"{family}_points"]) for family in FAMILIES)
        assert points == pytest.approx(100 * (float(row["probability"]) - float(row["average"])), abs=1e-3)
        if row["file_path"] in by_path:
            assert float(row["probability"]) == pytest.approx(by_path[row["file_path"]]["probability"], abs=1e-6)
            assert "of all" not in row["judged_by"]
        else:
            assert row["judged_by"] == "the model of all 25 songs"


def test_everything_named_as_written_is_there(trained):
    folder, document = trained
    written = {Path(record["file"]).relative_to(folder).as_posix() for record in document["written"]}
    assert written == {
        "models/genre_classifier.pkl", "outputs/boundary_songs.csv", "outputs/unknown_songs.csv",
        "outputs/genres_all_songs.csv", "outputs/genre_report.json", "outputs/html/genre_report.html",
        *(["outputs/doubtful_labels.csv"] if document["doubtful_labels"] else []),
        *(f"outputs/plots/genre_{name}.png" for name in PICTURES),
    }  # fmt: skip
    assert all((folder / name).stat().st_size > 100 for name in written)
    assert json.loads((folder / "outputs" / "genre_report.json").read_text(encoding="utf-8")) == document


def test_the_csv_says_what_the_document_says(trained):
    folder, document = trained
    rows = rows_of(folder / "outputs" / "boundary_songs.csv")
    assert [row["file_path"] for row in rows] == [record["file_path"] for record in document["boundary_songs"]]
    for row, record in zip(rows, document["boundary_songs"], strict=True):
        assert float(row["probability_GENRE01"]) == pytest.approx(record["probabilities"]["GENRE01"], abs=1e-6)
        assert row["genre_set"] == " or ".join(record["genre_set"])


def test_the_card_describes_the_model(trained, library_with_strays):
    folder, document = trained
    model, card = load_model(Workspace(folder))
    assert model.genres == card["genres"] == ["GENRE00", "GENRE01"]
    assert model.name == card["model"] == document["chosen"]
    assert card["data"] == library_fingerprint(library_with_strays)
    assert card["songs_per_genre"] == {"GENRE00": 12, "GENRE01": 13}
    assert card["seed"] == 42
    assert card["group_by"] == "artist"
    assert card["set_threshold"] == model.threshold
    assert card["calibration"]["temperature"] == model.calibration.temperature
    for name in ("scores", "limits", "grouping", "reason", "conformal"):
        assert card[name] == document[name]


def test_new_files_are_classified_and_bad_ones_named(trained, tmp_path, script):
    folder, _ = trained
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    soundfile.write(good, music(4.0), RATE_HZ)
    bad.write_text("no music")
    result = script(folder, "--json", "--classify", str(bad), str(good))
    assert result.returncode == 1
    (record,) = json.loads(result.stdout)
    assert list(record)[:4] == ["file_path", "predicted_genre", "probability", "probabilities"]
    assert record["file_path"] == str(good)
    assert sum(record["probabilities"].values()) == pytest.approx(1)
    assert record["probability"] == max(record["probabilities"].values())
    assert record["probabilities"][record["predicted_genre"]] == record["probability"]
    assert {family["family"] for family in record["families"]} == set(FAMILIES)
    assert len(result.stderr.splitlines()) == 1
    assert str(bad) in result.stderr
    table = script(folder, "--classify", str(good))
    assert table.returncode == 0
    assert table.stderr == ""
    assert all(sentence in table.stdout for sentence in record["sentences"])


def test_a_model_of_another_state_of_the_library_is_noted(trained, tmp_path, script):
    folder, _ = trained
    workspace, song = Workspace(tmp_path), tmp_path / "song.wav"
    workspace.model.parent.mkdir()
    for path in (Workspace(folder).model, Workspace(folder).model_card):
        (workspace.model.parent / path.name).write_bytes(path.read_bytes())
    soundfile.write(song, music(4.0), RATE_HZ)
    save_library(workspace, separable_library(2, 3))
    result = script(tmp_path, "--classify", str(song))
    assert result.returncode == 0
    assert result.stderr.startswith("note: the model was trained on another state of this library")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("damage", ["tampered", "tampered with a fitting card", "garbage", "other columns", "no card"])
def test_a_model_that_is_not_its_own_runs_nothing(trained, tmp_path, script, damage):
    folder, _ = trained
    workspace, trace = Workspace(tmp_path), tmp_path / "trace"
    card = json.loads(Workspace(folder).model_card.read_text(encoding="utf-8"))

    class Trap:
        def __reduce__(self):
            return (Path.touch, (trace,))

    content = b"garbage" if damage == "garbage" else pickle.dumps({"pipeline": Trap(), "genres": ["A", "B"]})
    if damage == "other columns":
        card["columns"] = "0"
        content = Workspace(folder).model.read_bytes()
    if damage in ("tampered with a fitting card", "garbage"):
        card["sha256"] = hashlib.sha256(content).hexdigest()
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(content)
    workspace.model_card.write_text("[" if damage == "no card" else json.dumps(card), encoding="utf-8")
    result = script(tmp_path, "--classify", "x.mp3")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert str(workspace.model.parent) in result.stderr
    assert not trace.exists()


@pytest.mark.parametrize("arguments", [[], ["--classify", "x.mp3"]])
def test_an_empty_workspace_is_one_line(tmp_path, script, arguments):
    result = script(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "does not exist; run 0" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--classify", "x.mp3", "--all"],
        ["--classify", "x.mp3", "--preset", "published"],
        ["--model", "lad"],
        ["--group-by", "genre"],
        ["--seed", "-1"],
    ],
)
def test_bad_usage_is_one_line(tmp_path, script, arguments):
    result = script(tmp_path, *arguments)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1


def test_what_cannot_be_learned_overwrites_nothing(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(b"old")
    noise = np.random.default_rng(0).standard_normal((14, 641))
    for library in (labelled_library(noise, ["A"] * 14), labelled_library(noise[:1], ["A"])):
        with pytest.raises(UsageError, match="needs 2 genres"):
            classify_library(workspace, library, progress, seed=0)
    library = labelled_library(noise, ["A"] * 7 + ["B"] * 7)
    with pytest.raises(UsageError, match="--group-by album: none of the 14 songs"):
        classify_library(workspace, library, progress, seed=0, group_by="album")
    for name, reason in (("song 00", "means 10 songs"), ("qqqq", "no song is called")):
        with pytest.raises(QueryError, match=reason):
            classify_library(workspace, library, progress, seed=0, song=name)
    assert files_in(tmp_path) == {"models/genre_classifier.pkl": b"old"}


def test_one_genre_only_is_one_line(tmp_path, script):
    noise = np.random.default_rng(0).standard_normal((6, 641))
    save_library(Workspace(tmp_path), labelled_library(noise, ["A"] * 6))
    result = script(tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("03_genre_classifier.py: a classifier needs 2 genres")
    assert len(result.stderr.splitlines()) == 1


def test_the_library_in_another_order_gives_the_same_bytes(trained, library_with_strays, tmp_path):
    folder, document = trained
    order = np.random.default_rng(1).permutation(len(library_with_strays))
    shuffled = Library(
        library_with_strays.embeddings[order], library_with_strays.songs.iloc[order].reset_index(drop=True)
    )
    again = classify_library(Workspace(tmp_path), shuffled, progress, seed=42, song="song 005", every_song=True)
    again = json.loads(to_json(again))
    for name in document.keys() - {"card", "written"}:  # the card states the library as it lies on disk
        assert again[name] == document[name], name
    first, second = files_in(folder), files_in(tmp_path)
    same = {name for name in second if name.endswith((".png", ".csv", ".pkl"))}
    assert len(same) >= len(PICTURES) + 4
    assert [name for name in sorted(same) if first[name] != second[name]] == []


def test_the_preset_serves_the_published_parameters_and_removes_what_no_longer_holds(tmp_path, script):
    save_library(Workspace(tmp_path), separable_library(2, 8))
    outputs = Workspace(tmp_path).outputs
    stale = [outputs / name for name in ("unknown_songs.csv", "genres_all_songs.csv", "doubtful_labels.csv")]
    outputs.mkdir()
    for path in stale:
        path.write_text("of an earlier library")
    result = script(tmp_path, "--preset", "published")
    assert result.returncode == 0, result.stderr
    assert "says the same of every song" in result.stdout  # its trees may not split for so few songs
    assert not any(path.exists() for path in stale)
    model, card = load_model(Workspace(tmp_path))
    assert model.name == "published"
    assert card["parameters"].items() >= {
        "components": 15, "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6,
        "colsample_bytree": 0.6, "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    }.items()  # fmt: skip


def test_noise_is_told_with_every_answer_and_doubts_no_label(tmp_path):
    embeddings = np.random.default_rng(5).standard_normal((30, 641)).astype(np.float32)
    workspace, noise = Workspace(tmp_path), labelled_library(embeddings, ["UNKNOWN", *["A", "B"] * 14, "A"])
    document = classify_library(workspace, noise, progress, seed=7, model="lda", song="song 000")
    assert document["permutation"]["p_value"] > 0.05
    assert any("not shown to be better than chance" in limit for limit in document["limits"])
    assert load_model(workspace)[1]["limits"] == document["limits"]
    assert document["doubtful_labels"] == []
    assert document["components_of"].startswith("The served model, shrinkage LDA, has no components.")
    (unknown,) = document["unknown_songs"]
    assert document["song"]["judged_by"] == "the model of all 29 songs"
    assert document["song"]["probabilities"] == pytest.approx(unknown["probabilities"])
