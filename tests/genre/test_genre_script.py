"""03 as a user runs it: in a workspace of its own, with what it prints, leaves behind and refuses."""

import csv
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from libraries import labelled_library, separable_library
from signals import RATE_HZ, music

from songmap.core.artifacts import Library, library_fingerprint, load_model, save_library
from songmap.core.config import REPOSITORY, AudioConfig, Workspace
from songmap.core.errors import QueryError, SchemaError, UsageError
from songmap.genre.models import PRESETS
from songmap.genre.run import classify_library


def script(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "03_genre_classifier.py", "--workspace", str(workspace), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def library_with_strays() -> Library:
    """Two genres of 12 songs, one of 2, and 3 songs without a genre."""
    base = separable_library(2, 15, distance=0.3)
    genres = [f"GENRE{row // 15:02d}" for row in range(30)]
    genres[0], genres[1], genres[2], genres[28], genres[29] = "UNKNOWN", "UNKNOWN", "UNKNOWN", "TINY", "TINY"
    return labelled_library(base.embeddings, genres, [f"artist {row // 2}" for row in range(30)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, dict]:
    """A workspace after one run of the script with ``--json``, and the document."""
    folder = tmp_path_factory.mktemp("trained")
    save_library(Workspace(folder), library_with_strays(), AudioConfig())
    result = script(folder, "--json", "--song", "song 005")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder, json.loads(result.stdout)


def test_the_document_holds_scores_limits_and_songs(trained):
    _, document = trained
    assert [score["tested_on"] for score in document["scores"]] == ["5 test songs", "5-fold cross-validation"]
    for score in document["scores"]:
        assert all(0 <= score[name] <= 1 for name in ("accuracy", "macro_f1", "train_accuracy", "baseline_accuracy"))
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


def test_the_explained_song_has_its_out_of_fold_probability(trained):
    _, document = trained
    song = document["song"]
    (row,) = [record for record in document["boundary_songs"] if record["file_path"] == song["file_path"]]
    assert song["file_path"] == "/music/005.mp3"
    assert song["probabilities"] == pytest.approx(row["probabilities"])
    assert f"fold {row['fold']}, trained without it" in song["judged_by"]
    assert sum(record["shap"] for record in song["components"]) != 0


def test_everything_named_as_written_is_there(trained):
    folder, document = trained
    written = {Path(record["file"]).relative_to(folder).as_posix() for record in document["written"]}
    assert written == {
        "models/genre_classifier.pkl", "outputs/boundary_songs.csv", "outputs/unknown_songs.csv",
        *(f"outputs/plots/genre_{name}.png" for name in (
            "confusion", "shap_bar", "shap_beeswarm", "shap_waterfall", "shap_dependence", "boundary_songs"
        )),
    }  # fmt: skip
    assert all((folder / name).stat().st_size > 100 for name in written)


def test_the_csv_says_what_the_document_says(trained):
    folder, document = trained
    with (folder / "outputs" / "boundary_songs.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file_path"] for row in rows] == [record["file_path"] for record in document["boundary_songs"]]
    for row, record in zip(rows, document["boundary_songs"], strict=True):
        assert float(row["probability_GENRE01"]) == pytest.approx(record["probabilities"]["GENRE01"], abs=1e-6)


def test_the_card_describes_the_model(trained):
    folder, document = trained
    model, card = load_model(Workspace(folder))
    assert model["genres"] == card["genres"] == ["GENRE00", "GENRE01"]
    assert card["data"] == library_fingerprint(library_with_strays())
    assert card["songs_per_genre"] == {"GENRE00": 12, "GENRE01": 13}
    assert card["parameters"] == PRESETS["default"]
    assert card["scores"] == document["scores"]
    assert card["components"] == 15
    assert card["limits"] == document["limits"]


def test_new_files_are_classified_and_bad_ones_named(trained, tmp_path):
    folder, _ = trained
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    soundfile.write(good, music(4.0), RATE_HZ)
    bad.write_text("no music")
    result = script(folder, "--json", "--classify", str(bad), str(good))
    assert result.returncode == 1
    (record,) = json.loads(result.stdout)
    assert list(record) == ["file_path", "predicted_genre", "probability", "probabilities"]
    assert record["file_path"] == str(good)
    assert sum(record["probabilities"].values()) == pytest.approx(1)
    assert record["probability"] == max(record["probabilities"].values())
    assert record["probabilities"][record["predicted_genre"]] == record["probability"]
    assert len(result.stderr.splitlines()) == 1
    assert str(bad) in result.stderr
    table = script(folder, "--classify", str(good))
    assert table.returncode == 0
    assert record["predicted_genre"] in table.stdout


def test_a_tampered_model_runs_nothing(trained, tmp_path):
    folder, _ = trained
    workspace = Workspace(tmp_path)
    workspace.model.parent.mkdir()
    workspace.model_card.write_bytes(Workspace(folder).model_card.read_bytes())
    trace = tmp_path / "trace"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (trace,))

    workspace.model.write_bytes(pickle.dumps({"pipeline": Trap(), "genres": ["A", "B"]}))
    result = script(tmp_path, "--classify", "x.mp3")
    assert result.returncode == 2
    assert "tampered" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not trace.exists()


def test_a_model_of_another_xgboost_is_refused(trained, tmp_path):
    folder, _ = trained
    workspace = Workspace(tmp_path)
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(Workspace(folder).model.read_bytes())
    card = json.loads(Workspace(folder).model_card.read_text(encoding="utf-8"))
    card["versions"]["xgboost"] = "0.1"
    workspace.model_card.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(SchemaError, match=r"trained with xgboost 0\.1"):
        load_model(workspace)


@pytest.mark.parametrize("arguments", [[], ["--classify", "x.mp3"]])
def test_an_empty_workspace_is_one_line(tmp_path, arguments):
    result = script(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "does not exist; run 0" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_cannot_be_learned_overwrites_nothing(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(b"old")
    noise = np.random.default_rng(0).standard_normal((9, 641))
    for library in (labelled_library(noise, ["A"] * 9), labelled_library(noise[:1], ["A"])):
        with pytest.raises(UsageError, match="needs 2 genres"):
            classify_library(workspace, library, preset="default", components=15, seed=0)
    library = labelled_library(noise, ["A"] * 5 + ["B"] * 4)
    for name, reason in (("song 00", "means 9 songs"), ("qqqq", "no song is called")):
        with pytest.raises(QueryError, match=reason):
            classify_library(workspace, library, preset="default", components=15, seed=0, song=name)
    assert workspace.model.read_bytes() == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["genre_classifier.pkl"]


def test_one_genre_only_is_one_line(tmp_path):
    noise = np.random.default_rng(0).standard_normal((6, 641))
    save_library(Workspace(tmp_path), labelled_library(noise, ["A"] * 6), AudioConfig())
    result = script(tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("03_genre_classifier.py: a classifier needs 2 genres")
    assert len(result.stderr.splitlines()) == 1


def test_the_same_library_gives_the_same_bytes_in_tables_and_model(tmp_path):
    library, contents = separable_library(3, 6), []
    for name in ("one", "two"):
        workspace = Workspace(tmp_path / name)
        report = classify_library(workspace, library, preset="default", components=15, seed=7)
        files = sorted(path for path in workspace.root.rglob("*") if path.is_file())
        contents.append({path.relative_to(workspace.root): path.read_bytes() for path in files})
        uncertain = report.boundary_songs[0]
        assert report.song["file_path"] == uncertain["file_path"]
    assert contents[0] == contents[1]


def test_a_song_without_a_genre_is_judged_by_the_model_of_all(tmp_path):
    report = classify_library(
        Workspace(tmp_path), library_with_strays(), preset="default", components=15, seed=7, song="song 001"
    )
    assert report.song["judged_by"] == "the model of all 25 songs"
    (unknown,) = [record for record in report.unknown_songs if record["file_path"] == "/music/001.mp3"]
    assert report.song["probabilities"] == pytest.approx(unknown["probabilities"])


def test_a_model_that_never_splits_is_a_named_limit(tmp_path):
    report = classify_library(Workspace(tmp_path), separable_library(2, 6), preset="published", components=15, seed=7)
    assert (
        report.limits[-1]
        == "the model says the same of every song: the published parameters are too strict for 12 songs"
    )


def test_a_model_no_better_than_the_baseline_says_so_with_every_answer(tmp_path):
    embeddings = np.random.default_rng(5).standard_normal((30, 641)).astype(np.float32)
    workspace, noise = Workspace(tmp_path), labelled_library(embeddings, ["A", "B"] * 15)
    report = classify_library(workspace, noise, preset="default", components=15, seed=7)
    assert "not clearly better than the baseline" in report.limits[-1]
    assert load_model(workspace)[1]["limits"] == report.limits
