"""03 as a user runs it: in a workspace of its own, with what it prints, leaves behind and refuses."""

import csv
import errno
import json
import pickle
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from libraries import labelled_library, separable_library
from scripts import run_script
from signals import RATE_HZ, music

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import AudioError, QueryError, SchemaError, UsageError
from songmap.core.serialise import plain
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.genre.limits import NotBetterThanChance
from songmap.genre.predict import classify_files, load_genre_model
from songmap.genre.run import Options, classify_library
from songmap.genre.views import files
from songmap.genre.views.files import files_of
from songmap.genre.views.narrative import narrative
from songmap.genre.views.summary import verbose_summary
from songmap.library.genre_model import load_model, load_out_of_fold
from songmap.library.library import Library, library_fingerprint, save_library
from songmap.library.schema import FAMILIES, AudioConfig

pytestmark = pytest.mark.usefixtures("small_evaluation")

FIGURES = (
    "boundary_songs", "candidates", "confusion", "families", "family_waterfall", "reliability", "shap_bar",
    "shap_beeswarm", "shap_dependence", "shap_waterfall",
)  # fmt: skip


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def files_in(folder: Path) -> dict[str, bytes]:
    """All files but locks."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if not name.endswith(".lock")}


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def script(workspace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """03 with ``--workspace`` and further arguments."""
    return run_script("03", "--workspace", workspace, *arguments)


@pytest.fixture(scope="module")
def library_with_strays() -> Library:
    """Two genres of 12 and 13 songs, one of 2, and 3 songs without a genre."""
    base = separable_library(2, 15, distance=0.3)
    genres = [f"GENRE{row // 15:02d}" for row in range(30)]
    genres[0], genres[1], genres[2], genres[28], genres[29] = "UNKNOWN", "UNKNOWN", "UNKNOWN", "TINY", "TINY"
    return labelled_library(base.embeddings, genres, [f"artist {row // 2}" for row in range(30)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, library_with_strays: Library, small_evaluation: None) -> tuple[Path, dict]:
    """A workspace after one run of the script with ``--all --json``, and the document."""
    folder = tmp_path_factory.mktemp("trained")
    save_library(Workspace(folder), library_with_strays)
    result = script(folder, "--json", "--song", "song 005", "--all")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder, json.loads(result.stdout)


def test_the_document_has_scores_checks_limits_and_songs(trained):
    _, document = trained
    assert [score["split"] for score in document["scores"]] == ["test", "cross_validation"]
    assert document["scores"][1]["n_folds"] == 5
    for score in document["scores"]:
        for name in ("accuracy", "balanced_accuracy", "macro_f1"):
            assert 0 <= score[f"{name}_low"] <= score[f"{name}_high"] <= 1
        assert score["log_loss"] >= 0
        assert 0 <= score["ece"] <= 1
        assert 0 <= score["calibrated_ece"] <= 1
    assert sum(document["choice_scores"]["chosen"].values()) == pytest.approx(1)
    assert document["choice_scores"]["accuracy_low"] <= document["choice_scores"]["accuracy"]
    assert [record["model"] for record in document["candidates"]] == list(CANDIDATES)
    assert document["choice"]["model"] in CANDIDATES
    assert document["leakage"].keys() > {"grouped_accuracy", "random_accuracy", "difference"}
    assert document["overfitting"].keys() == {"train_accuracy", "cv_accuracy"}
    assert document["permutation"].keys() > {"recall", "chance", "p_value"}
    assert [(record["genre"], record["songs"]) for record in document["per_genre"]] == [
        ("GENRE00", 12), ("GENRE01", 13)
    ]  # fmt: skip
    assert document["limits"][0] == {"genre": "TINY", "n_songs": 2, "minimum": 6, "kind": "small_genre"}
    assert [record["file_path"] for record in document["unknown_songs"]] == [
        f"/music/{row:03d}.mp3" for row in range(3)
    ]
    entropies = [record["normalised_entropy"] for record in document["boundary_songs"]]
    assert len(entropies) == 25
    assert entropies == sorted(entropies, reverse=True)
    assert sum(record["songs"] for record in document["reliability"]["bins"]) == 25
    assert sum(np.sum(record["counts"]) for record in document["confusion"]) == 25


def test_the_explained_song_is_classified_by_a_model_trained_without_it(trained):
    _, document = trained
    song = document["song"]
    (row,) = [record for record in document["boundary_songs"] if record["file_path"] == song["file_path"]]
    assert song["file_path"] == "/music/005.mp3"
    assert song["probabilities"] == pytest.approx(row["probabilities"])
    assert song["genre_set"] == row["genre_set"]
    kind = "fold" if row["fold"] else "development"
    assert (song["fold_model"]["kind"], song["fold_model"]["fold"]) == (kind, row["fold"])
    added = sum(family["adds"] for family in song["families"])
    assert song["background"][song["predicted_genre"]] + added == pytest.approx(song["probability"], abs=1e-6)


def test_every_song_has_its_model_and_points_that_add_up(trained):
    folder, document = trained
    rows = rows_of(folder / "outputs" / "genres_all_songs.csv")
    assert [row["file_path"] for row in rows] == [f"/music/{row:03d}.mp3" for row in range(30)]
    by_path = {record["file_path"]: record for record in document["boundary_songs"]}
    for row in rows:
        points = sum(float(row[f"{family}_points"]) for family in FAMILIES)
        assert points == pytest.approx(100 * (float(row["probability"]) - float(row["background"])), abs=1e-3)
        if row["file_path"] in by_path:
            assert float(row["probability"]) == pytest.approx(by_path[row["file_path"]]["probability"], abs=1e-6)
            assert "of all" not in row["fold_model"]
        else:
            assert row["fold_model"] == "the model of all 25 songs"


def test_everything_named_as_written_is_there(trained):
    folder, document = trained
    written = {Path(record["file"]).relative_to(folder).as_posix() for record in document["written"]}
    assert written == {
        "models/genre_classifier.npz", "outputs/boundary_songs.csv", "outputs/unknown_songs.csv",
        "outputs/genres_all_songs.csv", "outputs/genre_report.json", "outputs/html/genre_report.html",
        *(["outputs/label_issues.csv"] if document["label_issues"] else []),
        *(f"outputs/plots/genre_{name}.png" for name in FIGURES),
    }  # fmt: skip
    assert all((folder / name).stat().st_size > 100 for name in written)
    assert json.loads((folder / "outputs" / "genre_report.json").read_text(encoding="utf-8")) == document


def test_the_csv_equals_the_document(trained):
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
    assert model.name == card["model"] == document["choice"]["model"]
    assert card["data"] == library_fingerprint(library_with_strays)
    assert card["songs_per_genre"] == {"GENRE00": 12, "GENRE01": 13}
    assert card["seed"] == 42
    assert card["group_by"] == "artist"
    assert card["set_threshold"] == model.threshold
    assert tuple(card["calibration"]["weights"]) == model.calibration.weights
    for name in ("scores", "limits", "grouping", "choice", "conformal"):
        assert card[name] == document[name]


def test_probabilities_of_models_trained_without_the_songs_are_kept(trained, library_with_strays):
    workspace = Workspace(trained[0])
    model, card = load_model(workspace)
    proba = load_out_of_fold(workspace, card, (30, 2))
    assert proba.shape == (30, 2)
    in_training = np.isin(library_with_strays.genres, model.genres)
    np.testing.assert_array_equal(np.isnan(proba).all(axis=1), ~in_training)
    np.testing.assert_allclose(proba[in_training].sum(axis=1), 1)
    in_sample = model.predict_proba(library_with_strays.embeddings)
    right = np.array([genre == "GENRE01" for genre in library_with_strays.genres], dtype=int)
    own = np.flatnonzero(in_training)
    assert proba[own, right[own]].mean() < in_sample[own, right[own]].mean()


def test_new_files_are_classified_and_bad_ones_named(trained, tmp_path):
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
    classify = ("--classify", str(good))
    brief, table = (script(folder, *classify, *more) for more in ((), ("--verbose",)))
    assert (brief.returncode, brief.stderr) == (0, "")
    assert max(map(len, brief.stdout.splitlines())) <= 80
    assert len(brief.stdout.splitlines()) <= 6
    answer = "unlike the training data" if record["novelty"]["is_novel"] else rf"{record['predicted_genre']} +\d+ %"
    assert re.search(rf"^ *good\.wav +{answer}$", brief.stdout, re.MULTILINE)
    assert table.returncode == 0
    assert table.stderr == ""
    (song,) = classify_files(Workspace(folder), [good], silent).songs
    assert plain(song) == record
    assert all(sentence in " ".join(table.stdout.split()) for sentence in narrative(song))
    assert "Limit: TINY is left out" in table.stdout


def test_a_folder_is_classified_in_a_line_a_file_sorted_by_path(trained, tmp_path, monkeypatch):
    """Whatever else is in the folder; the file that cannot be analysed is named, and the others go on."""
    folder, _ = trained
    monkeypatch.setenv("COLUMNS", "80")
    names = ["B/Ann/02.wav", "A/Ann/01.wav", "A/A name that is longer than half a line of a terminal, or of paper.wav"]
    for number, name in enumerate(names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(3.0, seed=number), RATE_HZ)
    (tmp_path / "B" / "cover.jpg").write_bytes(b"picture")
    (tmp_path / "B" / "bad.mp3").write_text("no music")
    result = script(folder, "--classify", tmp_path, tmp_path / names[0])
    assert result.returncode == 1
    assert re.fullmatch(r"not classified: .*B/bad\.mp3: .*\n", result.stderr)
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    files = [line.strip() for line in lines[2:5]]
    assert [one[:9] for one in files] == ["A/A name ", "A/Ann/01.", "B/Ann/02."]
    assert all(re.search(r"(GENRE0[01] +\d+ %|unlike the training data)$", one) for one in files)
    assert lines[5] == ""
    songs = classify_files(Workspace(folder), [tmp_path], silent).songs
    assert [one.file_path for one in songs] == [str(tmp_path / name) for name in sorted(names)]
    empty = tmp_path / "empty"
    empty.mkdir()
    result = script(folder, "--classify", empty)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"there is no audio file in {empty}" in result.stderr


def test_a_loaded_model_predicts_files_and_embeddings(trained, library_with_strays, tmp_path):
    folder, document = trained
    file = tmp_path / "song.wav"
    soundfile.write(file, music(4.0), RATE_HZ)
    classifier = load_genre_model(str(folder))
    table = classifier.predict([file, str(file)])
    assert list(table.columns) == [
        "file_path", "predicted_genre", "probability", "proba_GENRE00", "proba_GENRE01", "novelty_distance",
        "novelty_threshold", "is_novel",
    ]  # fmt: skip
    assert table["file_path"].tolist() == [str(file)] * 2
    assert classifier.predict(str(file)).equals(table[:1])
    (song,) = classify_files(Workspace(folder), [file], silent).songs
    for row in table.itertuples():
        assert row.predicted_genre == song.predicted_genre
        assert row.probability == pytest.approx(song.probability) == max(row.proba_GENRE00, row.proba_GENRE01)
        assert row.proba_GENRE00 == pytest.approx(song.probabilities["GENRE00"])
        novelty = song.novelty
        assert (row.novelty_distance, row.novelty_threshold) == pytest.approx((novelty.distance, novelty.threshold))
        assert row.is_novel == novelty.is_novel == (novelty.distance > novelty.threshold)
    assert len(classifier.predict([])) == 0
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, music(1.5), RATE_HZ)
    assert len(classifier.predict([clip], AudioConfig(min_duration_s=1))) == 1
    with pytest.raises(AudioError, match=r"clip\.wav: too short: 1\.50 s, at least 3 s"):
        classifier.predict([clip])
    proba = classifier.predict_proba(library_with_strays.embeddings[:3])
    wanted = [list(record["probabilities"].values()) for record in document["unknown_songs"]]
    assert proba == pytest.approx(np.array(wanted))
    bad = tmp_path / "bad.wav"
    bad.write_text("no music")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        classifier.predict([file, bad])
    with pytest.raises(SchemaError, match=r"run 03_genre_classifier\.py first"):
        load_genre_model(tmp_path)


def test_a_model_of_another_state_of_the_library_is_noted(trained, tmp_path):
    folder, _ = trained
    workspace, song = Workspace(tmp_path), tmp_path / "song.wav"
    workspace.model.parent.mkdir()
    for path in (Workspace(folder).model, Workspace(folder).model_card):
        (workspace.model.parent / path.name).write_bytes(path.read_bytes())
    soundfile.write(song, music(4.0), RATE_HZ)
    save_library(workspace, separable_library(2, 3))
    result = script(tmp_path, "--classify", str(song))
    assert result.returncode == 0
    assert result.stderr.startswith("note: the model was trained on an earlier version of this library")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("damage", ["pickle", "garbage", "cut"])
def test_a_damaged_model_runs_nothing(trained, tmp_path, damage):
    folder, _ = trained
    workspace, trace = Workspace(tmp_path), tmp_path / "trace"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (trace,))

    whole = Workspace(folder).model.read_bytes()
    content = {"pickle": pickle.dumps(Trap()), "garbage": b"garbage", "cut": whole[: len(whole) // 2]}[damage]
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(content)
    result = script(tmp_path, "--classify", "x.mp3")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert str(workspace.model.parent) in result.stderr
    assert not trace.exists()


@pytest.mark.parametrize("arguments", [[], ["--classify", "x.mp3"]])
def test_an_empty_workspace_is_one_line(tmp_path, arguments):
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
def test_bad_usage_is_one_line(tmp_path, arguments):
    result = script(tmp_path, *arguments)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1


def test_what_cannot_be_trained_on_overwrites_nothing(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.model.parent.mkdir()
    workspace.model.write_bytes(b"old")
    noise = np.random.default_rng(0).standard_normal((14, 641))
    for library in (labelled_library(noise, ["A"] * 14), labelled_library(noise[:1], ["A"])):
        with pytest.raises(UsageError, match="needs 2 genres"):
            classify_library(workspace, library, Options(seed=0), silent)
    library = labelled_library(noise, ["A"] * 7 + ["B"] * 7)
    with pytest.raises(UsageError, match="--group-by album: none of the 14 songs"):
        classify_library(workspace, library, Options(seed=0, group_by="album"), silent)
    for name, reason in (("song 00", "10 songs match"), ("qqqq", "no song is called")):
        with pytest.raises(QueryError, match=reason):
            classify_library(workspace, library, Options(seed=0, song=name), silent)
    assert files_in(tmp_path) == {"models/genre_classifier.npz": b"old"}


def test_one_genre_only_is_one_line_of_a_process(tmp_path):
    noise = np.random.default_rng(0).standard_normal((6, 641))
    save_library(Workspace(tmp_path), labelled_library(noise, ["A"] * 6))
    command = [sys.executable, "03_genre_classifier.py", "--workspace", str(tmp_path)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240)
    assert result.returncode == 2
    assert result.stderr.startswith("03_genre_classifier.py: a classifier needs 2 genres")
    assert len(result.stderr.splitlines()) == 1


def test_the_library_in_another_order_gives_the_same_bytes(trained, library_with_strays, tmp_path):
    folder, document = trained
    order = np.random.default_rng(1).permutation(len(library_with_strays))
    shuffled = Library(
        library_with_strays.embeddings[order], library_with_strays.songs.iloc[order].reset_index(drop=True)
    )
    report = classify_library(Workspace(tmp_path), shuffled, Options(song="song 005", every_song=True), silent)
    again = json.loads(json.dumps(plain(report)))
    for name in document.keys() - {"card", "written"}:  # the card states the library as it lies on disk
        assert again[name] == document[name], name
    first, second = files_in(folder), files_in(tmp_path)
    same = {name for name in second if name.endswith((".png", ".csv", ".pkl"))}
    assert len(same) >= len(FIGURES) + 4
    assert [name for name in sorted(same) if first[name] != second[name]] == []
    summary = " ".join(verbose_summary(report).split())
    assert all(sentence in summary for sentence in narrative(report.song))
    assert all(one.title[:24] in summary for one in report.candidates)
    assert "Songs without a genre, 3 in all" in summary
    assert all(one.file.name in "".join(summary.split()) for one in report.written)


def test_the_preset_uses_the_published_parameters_and_removes_what_no_longer_holds(tmp_path):
    save_library(Workspace(tmp_path), separable_library(2, 8))
    outputs = Workspace(tmp_path).outputs
    stale = [
        outputs / name
        for name in ("unknown_songs.csv", "genres_all_songs.csv", "label_issues.csv", "doubtful_labels.csv")
    ]
    outputs.mkdir()
    for path in stale:
        path.write_text("of an earlier library")
    result = script(tmp_path, "--preset", "published")
    assert result.returncode == 0, result.stderr
    assert "predicts the same for every song" in result.stdout  # its trees may not split for so few songs
    assert not any(path.exists() for path in stale)
    model, card = load_model(Workspace(tmp_path))
    assert model.name == "published"
    assert card["parameters"].items() >= {
        "components": 15, "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6,
        "colsample_bytree": 0.6, "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    }.items()  # fmt: skip


def test_noise_is_a_limit_of_every_classification_and_has_no_label_issues(tmp_path):
    embeddings = np.random.default_rng(5).standard_normal((30, 641)).astype(np.float32)
    workspace, noise = Workspace(tmp_path), labelled_library(embeddings, ["UNKNOWN", *["A", "B"] * 14, "A"])
    report = classify_library(workspace, noise, Options(seed=7, model="lda", song="song 000"), silent)
    assert report.permutation.p_value > 0.05
    assert any(isinstance(limit, NotBetterThanChance) for limit in report.limits)
    assert load_model(workspace)[1]["limits"] == plain(report.limits)
    assert report.label_issues == []
    assert (report.choice.model, report.component_model) == ("lda", "pca_xgboost")
    assert not report.song.components.of_model_in_use
    assert "The model in use, shrinkage LDA, has no components." in workspace.page("genre_report").read_text("utf-8")
    (unknown,) = report.unknown_songs
    assert (report.song.fold_model.kind, report.song.fold_model.n_songs) == ("final", 29)
    assert report.song.probabilities == pytest.approx(unknown.probabilities)


def test_a_second_run_says_that_another_one_is_running(trained):
    workspace = Workspace(trained[0])
    before = files_in(workspace.root)
    with workspace.genre_files.locked("in use"):
        result = script(workspace.root)
    assert result.returncode == 2
    assert "another run trains a genre model in this workspace; wait, or end it" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert files_in(workspace.root) == before


def test_every_file_is_one_of_those_that_are_replaced_together(trained):
    workspace = Workspace(trained[0])
    known = {path.relative_to(workspace.root).as_posix() for path in files_of(workspace)}
    left = {name for name in files_in(workspace.root) if name.startswith(("models/", "outputs/"))}
    assert left < known
    assert not [name for name in files_in(workspace.root) if "/." in name]


def test_an_error_while_files_are_written_leaves_the_old_ones(trained, library_with_strays, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "genre_report.html")

    workspace = Workspace(tmp_path)
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    before = files_in(tmp_path)
    monkeypatch.setattr(files, "report_page", fail)
    result = script(tmp_path, "--model", "majority")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "No space left on device" in result.stderr
    assert files_in(tmp_path) == before
    assert load_model(workspace)[1]["sha256"] == trained[1]["card"]["sha256"]


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": None}, {"limits": [{"kind": "other"}]}, {"limits": [{"kind": "no_grouped_split", "group_by": 3}]},
        {"limits": [{"kind": "no_grouped_split"}]}, {"songs_per_genre": {"GENRE00": "many"}}, {"data": 7},
        {"songs_per_genre": 3},
    ],
)  # fmt: skip
def test_a_forged_card_is_one_line(trained, tmp_path, changes):
    whole, workspace = Workspace(trained[0]), Workspace(tmp_path)
    workspace.models.mkdir()
    arrays, document = read_array_file(whole.model, whole.model.read_bytes(), "03")
    workspace.model.write_bytes(array_file(arrays, document | {"card": document["card"] | changes}))
    with pytest.raises(SchemaError, match=r"has no card of this version; run 03_genre_classifier\.py again"):
        load_genre_model(workspace)


# 03 in a process of its own that is killed before the n-th file is moved to its place
KILLED = """
import importlib.util, os, signal, sys
from pathlib import Path

fatal, moves, replace = int(sys.argv[2]), 0, os.replace
def counted(source, target, **options):
    global moves
    if ".genre_classifier.complete" in str(source):
        moves += 1
        if moves == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target, **options)
os.replace = counted
spec = importlib.util.spec_from_file_location("script", "03_genre_classifier.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.exit(module.main(["--workspace", sys.argv[1], "--model", "majority"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("fatal", [1, 2, 9])
def test_model_card_and_report_of_a_killed_run_are_of_one_run(trained, tmp_path, fatal):
    workspace = Workspace(tmp_path)
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    command = [sys.executable, "-c", KILLED, tmp_path, str(fatal)]
    assert subprocess.run(command, cwd=REPOSITORY, timeout=500).returncode == -signal.SIGKILL
    model, card = load_model(workspace)
    assert model.name == "majority"
    assert load_out_of_fold(workspace, card, (30, 2)).shape == (30, 2)
    with workspace.genre_files.locked("in use"):  # as the next run begins
        workspace.genre_files.finish(files_of(workspace))
    report = json.loads(workspace.genre_report.read_text())
    assert report["card"] == json.loads(workspace.model_card.read_text()) == load_model(workspace)[1]
    assert not workspace.table("genres_all_songs").exists()
    assert all(Path(one["file"]).is_file() for one in report["written"])
    assert not [name for name in files_in(tmp_path) if "/." in name]
