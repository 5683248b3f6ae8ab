"""Made-up reports of any number of genres, for tests of views."""

from dataclasses import replace

import numpy as np
from genre.explained import explanation

from songmap.genre.candidates import CANDIDATES
from songmap.genre.comparison_results import CandidateScores, Choice, ChoiceScores
from songmap.genre.component_attribution import ComponentAttribution, ComponentSample
from songmap.genre.coverage_results import ConformalCoverage, GenreCoverage
from songmap.genre.limits import FewTestGroups
from songmap.genre.novelty_results import LeftOutGenre, NoveltyScores, SongNovelty
from songmap.genre.results import (
    ComponentImportance,
    ConfusionMatrix,
    FamilyMeans,
    GenreReport,
    GenreScores,
    Grouping,
    Leakage,
    OverfittingGap,
    PermutationTest,
    Reliability,
    ReliabilityBin,
    SplitScores,
)
from songmap.genre.song_results import (
    BoundarySong,
    Component,
    ComponentContribution,
    ComponentExplanation,
    ComponentTerm,
    LabelIssue,
    ModelReference,
    UnknownSong,
)
from songmap.library.schema import FAMILIES

SCORES = {"accuracy": 0.7, "balanced_accuracy": 0.712, "macro_f1": 0.69, "log_loss": 0.5}
INTERVALS = {
    f"{name}_{end}": value + by for name, value in SCORES.items() for end, by in (("low", -0.2), ("high", 0.2))
}
COMPONENTS = [
    Component(
        number, number / 100, [ComponentTerm("level 883–1146 Hz", 0.8), ComponentTerm(f"MFCC {number}, std", -0.6)]
    )
    for number in range(1, 16)
]
N_SONGS = 30


def genre_names(n_genres: int) -> list[str]:
    """Every third of a long name."""
    return [f"A very long genre, no. {row} (1990s)" if row % 3 == 0 else f"GENRE{row}" for row in range(n_genres)]


def make_report(n_genres: int) -> GenreReport:
    """Everything that a report can have, its component figures of a second model."""
    rng, genres = np.random.default_rng(0), genre_names(n_genres)
    counts = rng.integers(0, 100, (n_genres, n_genres))
    names = [f"A song with a rather long name, the {row}th of them" for row in range(N_SONGS)]
    proba = [dict(zip(genres, row.tolist(), strict=True)) for row in rng.dirichlet(np.ones(n_genres), N_SONGS)]
    best = [max(one, key=one.__getitem__) for one in proba]
    split = (
        SCORES
        | INTERVALS
        | {
            "baseline_accuracy": 0.4,
            "baseline_macro_f1": 0.3,
            "train_accuracy": 1.0,
            "ece": 0.08,
            "calibrated_ece": 0.06,
        }
    )
    choice = Choice("lda", "lda", "svm", False, 0.5, 0.48, 0.02, 0.03)
    song = replace(
        explanation([0.2, 0.8], [0.31, -0.2, 0.1, 0.05, 0.02, -0.01, 0.0]),
        song_name="A song with a long name, " * 4,
        fold_model=ModelReference("fold", fold=3),
        components=ComponentExplanation(
            False, 0.1, 1.2, "TRANCE",
            [ComponentContribution(one, 1.2, float(shap)) for one, shap in
             sorted(zip(COMPONENTS, rng.normal(0, 1, 15), strict=True), key=lambda pair: -abs(pair[1]))],
        ),
    )  # fmt: skip
    return GenreReport(
        choice=choice,
        choice_scores=ChoiceScores(**SCORES, **INTERVALS, chosen={"lda": 0.6, "svm": 0.4}),
        grouping=Grouping("artist", "strictest", 24, 26),
        limits=[FewTestGroups(3, "artist")],
        scores=[
            SplitScores(split="test", n_songs=10, n_folds=0, n_repeats=0, **split),
            SplitScores(split="cross_validation", n_songs=42, n_folds=5, n_repeats=3, **split),
        ],
        candidates=[
            CandidateScores(
                model=name, title=f"{candidate.title}, a long title", songs=42, **SCORES,
                ece=0.08, best="svm",
                **{f"{score}_{end}": INTERVALS[f"{score}_{end}"]
                   for score in ("accuracy", "macro_f1", "log_loss") for end in ("low", "high")},
                difference=0.01, difference_error=0.02,
            )
            for name, candidate in CANDIDATES.items()
        ],
        leakage=Leakage(0.8, 0.85, 0.05, 0.05),
        overfitting=OverfittingGap(1.0, 0.8),
        permutation=PermutationTest(0.8, 0.5, 0.001, 999, 0),
        reliability=Reliability(
            0.08, 0.06, 0.1, 0.7, 0.65, 24, False,
            [ReliabilityBin(10, at, at, at - 0.1, at + 0.1) for at in (0.3, 0.5, 0.8)],
        ),
        conformal=ConformalCoverage(
            0.9, 0.92, 0.81, 0.98, 1.5, 0.5, 0.5, 52, [GenreCoverage(genre, 26, 7, 0.88, 0.7, 1.0) for genre in genres]
        ),
        per_genre=[GenreScores(genre, 26, *[0.75] * 6) for genre in genres],
        confusion=[
            ConfusionMatrix("cross_validation", genres, counts.tolist()),
            ConfusionMatrix("test", genres, (counts // 5).tolist()),
        ],
        families=[
            FamilyMeans(genre, 26, dict(zip(FAMILIES, rng.normal(3, 8, 7).tolist(), strict=True)))
            for genre in genres
        ],
        component_model="pca_xgboost",
        components=[ComponentImportance(one, 1 / one.number) for one in COMPONENTS],
        novelty=NoveltyScores(0.05, 0.04, 52, 1.5, [LeftOutGenre(genre, 26, 0.75, 0.25) for genre in genres]),
        song=song,
        boundary_songs=[
            BoundarySong(row + 1, name, "Ann", "", genres[row % n_genres], best[row], proba[row][best[row]],
                   proba[row], 0.9, 0.1, genres[:2], SongNovelty(1.6, 1.5, row == 2), row < 20, 1, f"/music/{row:02d}.mp3")
            for row, name in enumerate(names)
        ],
        label_issues=[LabelIssue(1, names[0], "Ann", "", genres[0], genres[1], 0.9, 0.7, 0.8, "/music/00.mp3")],
        unknown_songs=[
            UnknownSong(names[1], "Bo", "A title", best[1], proba[1][best[1]], proba[1], genres[:2],
                        SongNovelty(4.2, 1.5, True), "/music/01.mp3")
        ],
        all_songs=[],
        card={
            "calibration": {"weights": [0.49, 1.2], "prior_weight": 0.0, "outlier_share": 0.03}, "title": "shrinkage LDA",
            "parameters": {"shrinkage": "auto"}, "group_by": "artist", "seed": 42, "data": "94350c08fce1",
            "columns": "7cdbdb91bc35", "versions": {"scikit-learn": "1.9"},
        },
    )  # fmt: skip


def make_sample(n_genres: int) -> ComponentSample:
    """SHAP values of songs of ``genre_names``."""
    rng, genres = np.random.default_rng(0), genre_names(n_genres)
    n_songs = 4 * n_genres
    values, scores = rng.standard_normal((n_songs, 15, n_genres)), rng.standard_normal((n_songs, 15))
    attribution = ComponentAttribution(values, np.zeros(n_genres), scores, scores)
    return ComponentSample(
        attribution, COMPONENTS, np.array(genres, dtype=object)[np.arange(n_songs) % n_genres], genres
    )
