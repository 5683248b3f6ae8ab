"""06 as a user runs it, on a small library and on a table of others."""

import csv
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from compare.tables_of_others import write_table
from libraries import labelled_library, separable_library
from scripts import run_script
from waiting import wait_until

import songmap
from songmap.compare import evaluation
from songmap.compare.dataset import library_dataset
from songmap.compare.models import MODELS
from songmap.compare.run import Options, write_comparison
from songmap.core.errors import UsageError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import save_library
from songmap.library.schema import N_COLUMNS, family_indices

QUICK = Options(models=("lda", "naive_bayes", "extra_trees_published", "majority"), n_repeats=2)
NAMES = ["lda", "naive_bayes", "extra_trees_published"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = Workspace(tmp_path_factory.mktemp("compared"))
    save_library(folder, separable_library(2, 16, distance=0.25))
    return folder


@pytest.fixture(scope="module")
def compared(workspace):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        return run_script(
            "06",
            "--workspace",
            workspace.root,
            "--models",
            *NAMES,
            "--features",
            "spectral25",
            "energy",
            "--repeats",
            "2",
        )


def random_library(n_songs: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return labelled_library(rng.standard_normal((n_songs, N_COLUMNS)), ["A", "B"] * (n_songs // 2))


def test_the_summary_is_short(compared):
    assert compared.returncode == 0, compared.stderr
    lines = compared.stdout.splitlines()
    assert len(lines) <= 20
    assert max(len(line) for line in lines if "/outputs/" not in line) <= 80
    assert lines[0].startswith("On songs by other artists, the best is ")


def test_the_files_have_all_variants(compared, workspace):
    report = json.loads((workspace.outputs / "model_comparison.json").read_text())
    with (workspace.outputs / "model_comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(report["scores"]) == 3 * 2 + 1
    assert [row["accuracy"] for row in rows] == sorted((row["accuracy"] for row in rows), reverse=True)
    for row, score in zip(rows, report["scores"], strict=True):
        assert float(row["accuracy"]) == pytest.approx(score["accuracy"], abs=1e-6)
        assert score["worst_genre"] in ("GENRE00", "GENRE01")
    gaps = [float(row["accuracy"]) + float(row["best_difference"] or 0) for row in rows]
    assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=2e-6)
    page = workspace.page("model_comparison").read_text()
    assert "Which differences are real?" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_second_run_fits_nothing(compared, workspace, monkeypatch):
    arguments = ["06", "--workspace", workspace.root, "--models", *NAMES, "--features", "spectral25", "energy"]
    first = json.loads((workspace.outputs / "model_comparison.json").read_text())
    monkeypatch.setattr(evaluation.Fitter, "fit", lambda self, task: pytest.fail(f"fitted {task}"))
    again = run_script(*arguments, "--repeats", "2", "--workers", "1", "--json")
    assert json.loads(again.stdout) == first


def fits_of(workspace: Workspace) -> int:
    """Finished fits in a store that another process may be writing."""
    try:
        with closing(sqlite3.connect(f"file:{workspace.fitted_folds}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM fits").fetchone()[0]
    except sqlite3.Error:  # not there yet
        return 0


def test_a_killed_run_goes_on_where_it_was(tmp_path, monkeypatch):
    library, options = separable_library(2, 12, distance=0.25), ("--features", "energy", "--repeats", "5")
    models = ("--models", "lda", "naive_bayes", "extra_trees_published")
    killed, whole = (Workspace(tmp_path / name) for name in ("killed", "whole"))
    for one in (killed, whole):
        save_library(one, library)
    assert run_script("06", "--workspace", whole.root, *models, *options).returncode == 0
    command = [
        sys.executable,
        str(REPOSITORY / "06_compare_models.py"),
        "--workspace",
        str(killed.root),
        "--workers",
        "1",
    ]
    with subprocess.Popen([*command, *models, *options], stderr=subprocess.DEVNULL) as victim:
        wait_until(lambda: fits_of(killed) >= 5 or victim.poll() is not None)
        victim.kill()
    kept = fits_of(killed)
    assert 5 <= kept < fits_of(whole)
    fit, fitted = evaluation.Fitter.fit, []
    monkeypatch.setattr(evaluation.Fitter, "fit", lambda self, task: fitted.append(task) or fit(self, task))
    assert run_script("06", "--workspace", killed.root, *models, *options, "--workers", "1").returncode == 0
    assert len(fitted) == fits_of(whole) - kept
    results = [json.loads((one.outputs / "model_comparison.json").read_text()) for one in (killed, whole)]
    for result in results:
        del result["written"]
        for score in result["scores"]:
            del score["train_s"], score["predict_s"]
    assert results[0] == results[1]


def without_times(comparison):
    scores = [vars(one) | {"train_s": 0, "predict_s": 0} for one in comparison.scores]
    return scores, comparison.differences, comparison.choice, comparison.claims, comparison.importances


def test_workers_change_no_number(tmp_path):
    dataset = library_dataset(separable_library(2, 12, distance=0.25), ["energy"], "strictest")
    one, three = (
        write_comparison(Workspace(tmp_path / f"{workers}"), dataset, Options(QUICK.models, 1, workers=workers))
        for workers in (1, 3)
    )
    assert without_times(one) == without_times(three)


def test_random_genres_give_chance_for_all(tmp_path):
    """Songs are independent of their genres: every model has half of them, and none is really better than another."""
    dataset = library_dataset(random_library(80), ["spectral25"], "strictest")
    comparison = write_comparison(
        Workspace(tmp_path), dataset, Options(("lda", "logistic", "knn", "naive_bayes", "majority"))
    )
    assert all(abs(one.accuracy - 0.5) < 0.15 for one in comparison.scores)
    assert not any(one.is_real for one in comparison.differences)
    assert comparison.choice.low < 0.5 < comparison.choice.high


def test_nothing_of_test_songs_reaches_the_choice_of_a_point(tmp_path):
    """A column that is the genre in the test songs of a fold, and noise in its training songs, gains nothing."""
    rng = np.random.default_rng(1)
    dataset = library_dataset(random_library(60, seed=1), ["energy"], "strictest")
    train, test = dataset.repeats(1, 0)[0][0]
    values = rng.standard_normal((60, 3))
    values[test, 0] = 10 * dataset.labels[test]
    rows = evaluation.TrainingRows(dataset.labels[train], dataset.groups[train], 3, 0)
    changed = values.copy()
    changed[test] = rng.standard_normal((len(test), 3))
    points = [
        evaluation.fit_nested(evaluation.MODELS["logistic"], one[train], rows, False) for one in (values, changed)
    ]
    assert points[0][1] == points[1][1]
    assert np.array_equal(points[0][0][-1].coef_, points[1][0][-1].coef_)


def test_pieces_of_songs_split_at_random_claim_what_is_not_there(tmp_path, monkeypatch):
    """Genres that do not differ: songs are recognised by their other pieces."""
    table = write_table(tmp_path / "table.csv", songs=8)
    result = run_script(
        "06", "--workspace", tmp_path, "--features-csv", table, "--label", "label", "--repeats", "1", "--json",
        "--models", "knn", "extra_trees_published",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["data"]["grouped_by"] == "pieces"
    claims = {one["model"]: one for one in report["claims"]}
    for name in ("knn", "extra_trees_published"):
        assert claims[name]["grouped"] < 0.55
        assert claims[name]["random"] > 0.95
    monkeypatch.setenv("COLUMNS", "80")
    text = run_script(
        "06", "--workspace", tmp_path, "--features-csv", table, "--label", "label", "--repeats", "1",
        "--models", "knn", "extra_trees_published", "--verbose",
    ).stdout  # fmt: skip
    assert "With pieces of one song on both sides of the split" in text.replace("\n  ", " ")
    assert max(len(line) for line in text.splitlines() if "/outputs/" not in line) <= 80


def test_importances_name_the_family_that_matters(tmp_path):
    rng = np.random.default_rng(0)
    library = random_library(60)
    embeddings = library.embeddings.copy()
    labels = np.arange(60) % 2
    embeddings[:, family_indices("energy")] += 3 * labels[:, np.newaxis] + 0.1 * rng.standard_normal((60, 1))
    dataset = library_dataset(labelled_library(embeddings, ["A", "B"] * 30), ["timbre-contrast"], "strictest")
    importances = write_comparison(Workspace(tmp_path), dataset, QUICK).importances
    first = importances.families[0]
    assert first.family == "energy"
    assert first.permutation > 0.2
    assert importances.trees == "extra_trees_published"
    for name in ("impurity", "shap"):
        shares = {one.family: getattr(one, name) for one in importances.families}
        assert sum(shares.values()) == pytest.approx(1)
        assert max(shares, key=shares.get) == "energy"


def test_export_has_every_column_and_reads_back(workspace):
    result = run_script("06", "--workspace", workspace.root, "--export")
    assert result.returncode == 0, result.stderr
    with (workspace.outputs / "features.csv").open() as file:
        header, *rows = list(csv.reader(file))
    assert (len(header), len(rows)) == (6 + N_COLUMNS, 32)
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.read_parquet(workspace.outputs / "features.parquet")
    assert list(table.columns) == header
    assert table["mfcc_01_mean"].to_numpy() == pytest.approx([float(row[6]) for row in rows], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "lad"], "no model 'lad'"),
        (["--features", "spectral27"], "no feature set 'spectral27'"),
        (["--label", "genre"], "--features-csv"),
        (["--features-csv", "no.csv"], "--label"),
        (["--features-csv", "no.csv", "--label", "genre"], "No such file"),
        (["--models", "majority"], "nothing to compare"),
    ],
)
def test_bad_usage_is_one_line(workspace, arguments, message):
    result = run_script("06", "--workspace", workspace.root, *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_quick_is_one_repeat_on_two_feature_sets(tmp_path):
    work = Workspace(tmp_path)
    save_library(work, separable_library(2, 12, distance=0.25))
    result = run_script("06", "--workspace", work.root, "--quick", "--models", "lda", "--json")
    scores = json.loads(result.stdout)["scores"]
    assert {one["features"] for one in scores if one["model"] == "lda"} == {"descriptors", "spectral25"}


def test_models_too_slow_for_so_many_columns_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setitem(MODELS, "lda", replace(MODELS["lda"], most_columns=10))
    table = write_table(tmp_path / "table.csv")
    arguments = ("--features-csv", table, "--label", "label", "--repeats", "1", "--models", "lda", "naive_bayes")
    result = run_script("06", "--workspace", tmp_path, *arguments)
    assert "Left out, too slow on 240 rows, 12 columns: shrinkage LDA." in result.stdout
    assert len(result.stdout.splitlines()) <= 20


def test_a_notebook_compares_a_workspace_or_a_table_and_writes_nothing(workspace, tmp_path):
    before = sorted(workspace.root.rglob("*"))
    models = ["lda", "naive_bayes"]
    comparison = songmap.compare_models(workspace.root, models=models, features=["energy"], n_repeats=2)
    assert {one.model for one in comparison.scores} == {*models, "majority"}
    assert comparison.data.grouped_by == "artist"
    assert sorted(workspace.root.rglob("*")) == before
    table = write_table(tmp_path / "table.csv")
    comparison = songmap.compare_models(str(table), label="label", models=models, n_repeats=1)
    assert comparison.data.grouped_by == "pieces"
    assert list(tmp_path.iterdir()) == [table]
    with pytest.raises(UsageError, match="by label"):
        songmap.compare_models(table)
