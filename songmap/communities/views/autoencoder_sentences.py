"""What is printed and written of autoencoders, in sentences; each follows from numbers of the report."""

from math import isnan

from songmap.communities.autoencoder_results import AutoencoderReport, GridReport, PcaComparison, ReconstructionScore
from songmap.communities.autoencoder_results import Outcome as ReconstructionOutcome
from songmap.communities.autoencoder_settings import MAPS, N_INPUTS, Latent
from songmap.core.text import capitalised, count_of_songs

MODEL_NAMES = {"cae": "convolutional autoencoder", "vae": "variational autoencoder"}
METHOD_NAMES = {"autoencoder": "autoencoder", "pca": "principal components", "mean": "mean spectrogram"}
_RESHAPED = {"12x27x16": "72 × 72", "12x27x12": "48 × 81", "24x54x14": "168 × 108", "4x9x5": "12 × 15"}
_GROUPS = {"artist": "by other artists", "recording": "that it was not trained on"}


def main_sentence(report: AutoencoderReport) -> str:
    """Whether principal components are beaten."""
    model = MODEL_NAMES[report.settings["model"]]
    songs = f"{count_of_songs(report.test_songs)} {_GROUPS[report.grouped_by]}"
    return _answer(f"The {model}", songs, report.comparison, report.scores)


def grid_sentence(report: GridReport) -> str:
    """Which point is the best, and whether it beats principal components."""
    best = report.points[report.best]
    chosen = f"The smallest loss on validation songs has batch {best.batch} with rate {best.learning_rate:g}"
    songs = f"{count_of_songs(report.test_songs)} {_GROUPS[report.grouped_by]}"
    return f"{chosen}. {_answer('It', songs, report.comparison, report.scores)}"


def _answer(subject: str, songs: str, one: PcaComparison, scores: list[ReconstructionScore]) -> str:
    own, pca = (next(score for score in scores if score.method == method) for method in ("autoencoder", "pca"))
    errors = (
        f"{error_text(getattr(own, one.error), one.error)} against {error_text(getattr(pca, one.error), one.error)}"
    )
    fewer = f", all that there are for its {own.numbers:,} numbers" if pca.numbers < own.numbers else ""
    components = f"{pca.numbers:,} principal components{fewer}"
    interval = (
        "one group of songs, so that there is no interval" if isnan(one.low)
        else f"{_signed(-one.difference, one.error)}, 95 % interval {_signed(-one.high, one.error)} to "
        f"{_signed(-one.low, one.error)}"
    )  # fmt: skip
    if one.outcome is ReconstructionOutcome.NOT_SHOWN:
        claim = f"It is not shown that {subject[0].lower()}{subject[1:]} reconstructs {songs} better or worse than"
    else:
        claim = f"{subject} reconstructs {songs} {one.outcome} than"
    return f"{claim} {components}: error {errors} ({interval})."


def error_text(value: float, error: str) -> str:
    """An error with its unit."""
    return f"{value:.2f} dB" if error == "rmse_db" else f"{value:.4f} (cosine distance)"


def _signed(value: float, error: str) -> str:
    return f"{value:+.2f}".replace("-", "−") if error == "rmse_db" else f"{value:+.4f}".replace("-", "−")


def latent_sentence(report: AutoencoderReport) -> str:
    """What the code is, and what of it a song's vector has."""
    of = f"{report.latent_size:,} of {report.input_size:,} numbers ({_share(report.latent_size)})"
    if len(report.latent_shape) == 1:
        return f"The latent code of an excerpt is a vector: {of}. A song's code is the mean over its excerpts."
    bands, frames, filters = report.latent_shape
    bottleneck = "" if report.is_bottleneck else ", which is not a bottleneck"
    return (
        f"The latent code of an excerpt is a feature map of {bands} bands × {frames} frames × {filters} filters: "
        f"{of}{bottleneck}. A song's vector has its mean over frames and excerpts: {report.song_size} numbers."
    )


def training_sentence(report: AutoencoderReport) -> str:
    """What it was trained on, and how long that took."""
    return (
        f"Trained without labels on {count_of_songs(report.training_songs)}; {report.validation_songs} others decided when "
        f"training ends, {report.test_songs} are tested; no {report.grouped_by} is in two of these. Epoch "
        f"{report.best_epoch} of {len(report.epochs)} is in use; processor time {report.train_s:.0f} s ({report.device})."
    )


def warnings(report: AutoencoderReport) -> list[str]:
    """What limits the result."""
    found = []
    if report.grouped_by == "recording":
        found.append("fewer than three artists are known: songs by an artist are in several parts of the split")
    if not report.is_bottleneck:
        found.append(
            f"a code of {report.latent_size:,} of {report.input_size:,} numbers is not a bottleneck: it can nearly copy an "
            "excerpt, and small errors say little about what it represents"
        )
    pca = next(one for one in report.scores if one.method == "pca")
    if pca.numbers < report.latent_size:
        found.append(
            f"there are only {pca.numbers:,} principal components of the training excerpts, fewer than the code's numbers: "
            "the comparison favours the autoencoder"
        )
    if report.active_numbers is not None and report.active_numbers < report.latent_size:
        found.append(
            f"{report.active_numbers:,} of {report.latent_size:,} numbers of the code tell excerpts apart; the others are "
            "noise of the prior"
        )
    if report.settings["loss"] == "cosine":
        found.append("cosine distance ignores loudness: decibels of reconstructions may be off by any factor")
    if report.failed:
        first = report.failed[0]
        found.append(
            f"{count_of_songs(len(report.failed))} without excerpts, with the mean vector of the others "
            f"({first.file_path}: {first.reason})"
        )
    return found


def score_rows(scores: list[ReconstructionScore]) -> list[dict[str, str]]:
    """A row per method."""
    return [
        {
            "method": capitalised(METHOD_NAMES[one.method]),
            "numbers kept": f"{one.numbers:,}",
            "of an excerpt": _share(one.numbers),
            "error (dB)": f"{one.rmse_db:.2f}",
            "cosine distance": f"{one.cosine_distance:.4f}",
        }
        for one in scores
    ]


def latent_rows() -> list[dict[str, str]]:
    """The published latents, called what they are."""
    rows = []
    for name in MAPS:
        latent = Latent.named(name)
        bands, frames, filters = latent.shape
        rows.append({
            "--latent": name,
            "feature map": f"{bands} bands × {frames} frames × {filters} filters",
            "published as": _RESHAPED[name],
            "numbers": f"{latent.size:,} of {N_INPUTS:,}",
            "share": _share(latent.size),
            "bottleneck": "yes" if latent.is_bottleneck else "not a bottleneck",
        })  # fmt: skip
    return rows


def _share(numbers: int) -> str:
    return f"{100 * numbers / N_INPUTS:.1f} %"
