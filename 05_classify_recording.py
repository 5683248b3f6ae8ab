"""05 · A recording → its genre over its duration, and what to hear next.

Reads data/processed/ with its segments (made by 01 --segments), and the classifier of segments in models/, which the
first run trains. Recordings can be of any length and in any format that 01 reads. Writes for each a page,
outputs/html/recording_NAME.html, a picture, outputs/plots/recording_NAME.png, and its parts, outputs/recording_NAME.csv.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from songmap.core.cli import add_csv, file_of, new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import AudioError, UsageError
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.streams import quiet_decoders
from songmap.core.text import file_name
from songmap.core.workspace import Workspace
from songmap.library.library import library_fingerprint, load_library
from songmap.library.segments_file import load_segments
from songmap.recording.members import IMAGE_MEMBER, MEMBERS
from songmap.recording.results import RecordingAnswer, Training
from songmap.recording.run import N_NEXT, RecordingClassifier, load_recording_classifier
from songmap.recording.sources import LONGEST_S, STANDARD_INPUT, record, recorder, recordings_to_classify, spooled
from songmap.recording.training import TrainingOptions, train_recording_model
from songmap.recording.views.output import write_answer, write_chapters, write_next_songs
from songmap.recording.views.sentences import recording_name
from songmap.recording.views.summary import answer_note, answer_summary, training_summary

JOINS = {"nn,xgb": MEMBERS, "nn,xgb,cnn": (*MEMBERS, IMAGE_MEMBER)}


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="recordings, and folders of them; - is a WAV file from standard input")
    microphone = "record S seconds from the microphone, by arecord or ffmpeg, to outputs/recordings, and classify that"
    add("--record", type=whole_number(1, LONGEST_S), metavar="S", dest="record_s", help=microphone)
    add("--train", action="store_true", help="train the classifier of segments again, and print its scores")
    voices = "with --train or the first run: classifiers that are joined; cnn looks at spectrograms and needs PyTorch"
    add("--join", choices=tuple(JOINS), metavar="|".join(JOINS), help=f"{voices} (default: {next(iter(JOINS))})")
    rooms = "with --train: also train with copies as a phone in a room records them (not cnn); decodes every song again"
    add("--augment", action="store_true", help=rooms)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of the training")
    add("-n", type=whole_number(1, 1000), default=N_NEXT, metavar="N", dest="n_next", help="songs to hear next")
    add("--m3u8", type=file_of(".m3u8", ".m3u"), metavar="FILE", help="also write the songs to hear next as a playlist")
    chapters = "also write the parts as chapters for players and video sites: outputs/recording_NAME.txt"
    add("--chapters", action="store_true", help=chapters)
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print one JSON document with everything instead of text")
    return parser


def run(workspace: Workspace, train: bool, augment: bool, join: str | None, as_json: bool, **options: Any) -> int:
    to_classify = bool(options["files"] or options["record_s"])
    if augment and not train:
        raise UsageError("--augment is for training; give --train too")
    trains = train or not workspace.recording_model.exists()
    if join and not trains:
        raise UsageError("--join is for training, and there is a classifier; give --train too")
    if not (to_classify or train):
        raise UsageError("nothing to classify: give a FILE, - for standard input, or --record S")
    if options["record_s"]:
        recorder()  # what is missing is reported before a training
    options["files"] = recordings_to_classify(options["files"])
    seed = options.pop("seed")
    if trains:
        how = TrainingOptions(augment, JOINS[join] if join else MEMBERS)
        training = train_now(workspace, seed, how, requested=train)
        if train and not (as_json and to_classify):
            print(to_json(training) if as_json else training_summary(training))
    return classify(workspace, as_json, **options) if to_classify else 0


def train_now(workspace: Workspace, seed: int, options: TrainingOptions, requested: bool) -> Training:
    """Train the classifier of segments, and save it."""
    library = load_library(workspace)
    segments = load_segments(workspace, library)
    if not requested:
        print(f"no classifier yet: training one on {len(segments):,} segments", file=sys.stderr)
    with progress("training") as on_progress:
        return train_recording_model(workspace, library, segments, seed, on_progress, options)


def classify(
    workspace: Workspace, as_json: bool, files: list[str], record_s: int | None, m3u8: Path | None, **options: Any
) -> int:
    """Classify recordings one after the other, write their files, and print each answer when it is there."""
    classifier = load_recording_classifier(workspace)
    training, library = classifier.training, classifier.neighbours.library
    if classifier.card["data"] != library_fingerprint(library):
        print("note: the classifier was trained on an earlier version of this library; see --train", file=sys.stderr)
    if record_s:
        with progress("recording") as on_progress:
            files = [*files, str(record(workspace, record_s, on_progress))]
    answers: list[RecordingAnswer] = []
    used: set[str] = set()
    for number, file in enumerate(files):
        try:
            with quiet_decoders(), progress("analysing") as on_progress:
                on_progress(number, len(files))
                answer = classified(classifier, file, options["n_next"])
        except AudioError as error:
            print(answer_note(file, str(error)), file=sys.stderr)
            continue
        answers.append(answer)
        name = file_name(recording_name(answer), used)
        used.add(name.casefold())
        written = write_answer(workspace, name, answer, training, library.genres.tolist(), options["csv_kind"])
        if options["chapters"]:
            written["chapters"] = write_chapters(workspace, name, answer)
        if not as_json:
            print(answer_summary(answer, written), end="\n\n" if number + 1 < len(files) else "\n")
    if as_json:
        print(to_json(answers))
    if m3u8 and answers:
        write_next_songs(m3u8, answers)
    return int(len(answers) < len(files))


def classified(classifier: RecordingClassifier, file: str, n_next: int) -> RecordingAnswer:
    """The answer for a file, or for what standard input holds."""
    if file != STANDARD_INPUT:
        return classifier.classify(Path(file).expanduser().absolute(), n_next)
    with spooled(sys.stdin.buffer) as path:
        return replace(classifier.classify(path, n_next), file_path="")


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
