"""How good the classifier of segments is, and what a random split of segments would have claimed."""

from songmap.core.tables import Record
from songmap.core.text import percent
from songmap.recording.results import ClassifierScore, Training

_NAMES = {"xgboost": "XGBoost", "joined_without_cnn": "joined without cnn"}
_SPLITS = {"artist": "by artist", "album": "by album", "song": "by song"}
_OTHERS = {"artist": "songs by other artists", "album": "songs from other albums", "song": "other songs"}


def score_rows(training: Training) -> list[Record]:
    """A row for each classifier and split, those of a classifier one below the other."""
    names = list(dict.fromkeys(one.classifier for one in training.scores))
    ordered = sorted(training.scores, key=lambda one: (names.index(one.classifier), one.split == "random"))
    return [
        {
            "classifier": _name(one),
            "split": "at random" if one.split == "random" else _SPLITS[training.group_by],
            "segments right": _share(one.segment_accuracy),
            "their log loss": _loss(one.segment_log_loss),
            "songs right": _share(one.song_accuracy),
            "log loss of songs": _loss(one.song_log_loss),
        }
        for one in ordered
    ]


def training_sentence(training: Training) -> str:
    """What a random split of segments would have claimed, beside what holds for new songs, and what the cnn adds."""
    honest, random = _joined_accuracy(training, "song"), _joined_accuracy(training, "random")
    others = _OTHERS[training.group_by]
    if "cnn" in training.members:
        own = next(one for one in training.scores if one.classifier == "joined")
        return (
            f"Joined with the cnn, a network that looks at spectrograms, {percent(own.segment_accuracy or 0)} of segments of "
            f"{others} are predicted right, without it {percent(honest)}. Segments split at random would have claimed "
            f"{percent(random)} without it."
        )
    if round(100 * random) <= round(100 * honest):
        return f"Of segments of {others} {percent(honest)} are predicted right; a split at random claims no more here."
    return (
        f"Segments split at random would have claimed {percent(random)}; on {others} it is {percent(honest)}, because "
        "other segments of the same song were in the training data."
    )


def training_data_sentence(training: Training) -> str:
    """On what the classifier was trained."""
    settings = training.settings
    without = ", which the cnn was not trained on" if "cnn" in training.members else ""
    copies = f" {training.n_augmented:,} more are of degraded copies of these songs{without}."
    copies = copies if training.n_augmented else ""
    return (
        f"Trained on {training.n_segments:,} segments of {settings.length_s:g} s, from {training.n_songs:,} songs in "
        f"{len(training.genres)} genres.{copies}"
    )


def reasons_limit(training: Training) -> str:
    """What reasons leave out; empty where all classifiers that are joined see the columns."""
    if "cnn" not in training.members:
        return ""
    return (
        "Reasons are of the columns alone: the probabilities of the cnn, which looks at spectrograms, are held fixed, so "
        "what it adds is in none of them."
    )


def _joined_accuracy(training: Training, split: str) -> float:
    """Of the members that are scored in both splits."""
    name = "joined_without_cnn" if "cnn" in training.members else "joined"
    scores: list[ClassifierScore] = [one for one in training.scores if (one.classifier, one.split) == (name, split)]
    return scores[0].segment_accuracy or 0.0


def _name(one: ClassifierScore) -> str:
    if one.segment_accuracy is None:
        return f"{one.classifier}, whole songs"
    return _NAMES.get(one.classifier, one.classifier)


def _share(value: float | None) -> str:
    return "" if value is None else percent(value)


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
