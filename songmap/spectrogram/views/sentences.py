"""Sentences on a network and its scores, for the terminal and the page."""

from songmap.compare.models import MODELS
from songmap.compare.results import Difference, VariantScores
from songmap.compare.views.sentences import SHARED, grouping_sentence, points_behind
from songmap.core.text import capitalised, count_of_songs, p_value_text, percent, shown_path
from songmap.genre.views.limits import limit_sentence
from songmap.spectrogram.results import JOINED, NETWORK, NetworkReport, TrainingCurve

_KINDS = {
    "image": "2-D convolutions over 100 semitones and 6 s",
    "frames": "convolutions over the time of 128 mel bands",
    "frames_mfcc": "convolutions over the time of 13 MFCC",
    "residual": "residual 2-D convolutions over 96 mel bands and 5 s",
}
CONTENTS = {
    "page": "the evaluation as a page", "curves": "training curves as a picture", "report": "everything, for programs",
    "weights": "the network of all songs", "card": "its settings and scores",
    "out_of_fold": "probabilities of the library's songs by networks without them",
    "vectors": "vectors of the library's songs",
}  # fmt: skip


def network_name(report: NetworkReport) -> str:
    """ "image", or "frames_mfcc"."""
    return report.network if report.input == "mel" else f"{report.network}_{report.input}"


def variant_name(report: NetworkReport, model: str, features: str) -> str:
    """ "the image network", "shrinkage LDA on descriptors"."""
    if model == NETWORK:
        return f"the {report.network} network{' on MFCC' if report.input == 'mfcc' else ''}"
    if model == JOINED:
        return f"the {report.network} network joined with {variant_name(report, *report.partner)}"
    return MODELS[model].title if model == "majority" else f"{MODELS[model].title} on {features}"


def score_of(report: NetworkReport, model: str) -> VariantScores:
    """The scores of the network, or of what it is joined with."""
    return next(one for one in report.scores if one.model == model)


def main_sentence(report: NetworkReport) -> str:
    """Which wins."""
    best = report.scores[0]
    songs = SHARED["song" if report.data.exceptions else report.data.grouped_by]
    lead = (
        f"On {songs}, the best is {variant_name(report, best.model, best.features)} "
        f"({percent(best.accuracy)} right, {percent(best.accuracy_low)} to {percent(best.accuracy_high)})"
    )
    second = report.scores[1]
    if next(one for one in report.differences if (one.model, one.features) == (second.model, second.features)).is_real:
        return f"{lead}."
    name = variant_name(report, second.model, second.features)
    if second.accuracy == best.accuracy:
        return f"{lead}, as accurate as {name} with a smaller log loss."
    return f"{lead}, not shown to be better than {name} ({percent(second.accuracy)})."


def network_sentence(report: NetworkReport) -> str:
    """How the network does, beside the best of the others."""
    own, partner = score_of(report, NETWORK), report.partner
    other = next(one for one in report.scores if (one.model, one.features) == partner)
    points = round(100 * (own.accuracy - other.accuracy))
    than = variant_name(report, *partner)
    if points == 0:
        return f"The network alone is as accurate as {than}: {percent(own.accuracy)}."
    return (
        f"The network alone has {percent(own.accuracy)}, {abs(points)} point{'s' * (abs(points) != 1)} "
        f"{'more' if points > 0 else 'less'} than {than}."
    )


def joined_sentence(report: NetworkReport) -> str:
    """What joining brings."""
    joined, other = score_of(report, JOINED), score_of(report, report.partner[0])
    return (
        f"Joined, as the geometric mean of probabilities, they have {percent(joined.accuracy)}, log loss "
        f"{joined.log_loss:.2f} (network {score_of(report, NETWORK).log_loss:.2f}, the other {other.log_loss:.2f})."
    )


def difference_sentence(report: NetworkReport) -> str:
    """Whether the network differs from the best, or the best from the network."""
    if report.scores[0].model == NETWORK:
        others = [one for one in report.differences if one.model not in (JOINED, "majority")]
        return _difference(report, others[0], variant_name(report, others[0].model, others[0].features))
    own = next(one for one in report.differences if one.model == NETWORK)
    return _difference(report, own, "the network alone")


def _difference(report: NetworkReport, one: Difference, name: str) -> str:
    real = "a real difference" if one.is_real else "not shown to be a real difference"
    number = points_behind(one)
    points = f"{number} point{'s' * (number != '1')}"
    p_value = p_value_text(one.p_holm)
    p_value = p_value if p_value.startswith("<") else f"= {p_value}"
    return f"{capitalised(name)} is {points} behind the best, {real} (p {p_value} after Holm's correction)."


def data_sentence(report: NetworkReport) -> str:
    """What it was trained on, and how it looks at it."""
    return (
        f"{count_of_songs(report.data.songs)} in {len(report.data.genres)} genres, {report.excerpts:,} excerpts of "
        f"{report.excerpt_s:.1f} s in {report.n_folds} folds. The network: {_KINDS[network_name(report)]}, "
        f"{report.parameters:,} weights."
    )


def curve_name(report: NetworkReport, curve: TrainingCurve) -> str:
    """ "fold 2", "all songs"."""
    return "all songs" if curve.fold is None else f"fold {curve.fold + 1}"


def warnings(report: NetworkReport) -> list[str]:
    """What limits the scores."""
    lines = []
    if report.failed:
        first = report.failed[0]
        lines.append(
            f"{count_of_songs(len(report.failed))} could not be read and count as the training songs' shares of genres, "
            f"e.g. {shown_path(first.file_path)}: {first.reason}."
        )
    return lines + [f"{limit_sentence(one)}." for one in report.data.limits]


def split_sentence(report: NetworkReport) -> str:
    """What is never on both sides of a split."""
    return f"{grouping_sentence(report.data)} The folds are those of 06's first repeat."


def written_lines(report: NetworkReport) -> list[str]:
    """Where the files are."""
    return [f"{shown_path(one.path)}: {CONTENTS[one.content]}" for one in report.written]
