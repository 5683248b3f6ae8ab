"""How fast and how large 01 is beside plain librosa calls: ratios measured in one run, on one song.

    python -m benchmarks.extraction [FILE] [--long] [--parity MUSIC]

Without FILE a four-minute stereo MP3 of 44.1 kHz is made of a song of the demo's studio. Every figure comes
from a fresh child process on one core, repetitions of both sides alternate, medians are compared. bliss, Essentia's
MusicExtractor and openSMILE are timed too where the interpreter that runs this has them (``pip install bliss-audio
essentia opensmile``); their licences keep them out of the requirements. ``--long`` adds a two-hour mix, ``--parity``
the largest deviation from plain librosa per family over a folder of music. Prints Markdown tables and writes them
to benchmarks/extraction.md.
"""

import argparse
import importlib.util
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.memory import peak_mb
from songmap.core.workspace import REPOSITORY
from songmap.extract.workers import ONE_THREAD
from songmap.library.schema import N_COLUMNS, N_LIBROSA

REPETITIONS, SONGS_PER_RATE = 5, 24  # songs enough that starting the workers, a second each, hardly counts
CLIPS_PER_RATE, CLIP_S = 1000, 3.1
EXTRACTORS = {  # of other numbers: the module that must be installed, and the name
    "bliss": ("bliss_audio", "bliss"),
    "essentia": ("essentia", "Essentia MusicExtractor"),
    "egemaps": ("opensmile", "openSMILE eGeMAPS v02"),
    "compare": ("opensmile", "openSMILE ComParE 2016"),
}
SEVERAL_CORES = ("workers", "clips")  # tasks with worker processes; all others run on one core


def child(task: str, file: Path | None = None) -> dict:
    """Run one task of this file in a fresh process and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.extraction", "--task", task, *([str(file)] if file else [])]
    started = time.perf_counter()
    result = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, cwd=REPOSITORY, env=os.environ | ONE_THREAD
    )
    return json.loads(result.stdout.splitlines()[-1]) | {"process_s": time.perf_counter() - started}


def measure(function, repetitions: int = REPETITIONS) -> dict:
    """Seconds of each call after one that is not counted, and this process's peak memory."""
    function()
    seconds = []
    for _ in range(repetitions):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "peak_mb": peak_mb()}


def task_ours(file: Path) -> dict:
    from songmap.features.analysis import analyse_file

    return measure(lambda: analyse_file(file))


def task_first(file: Path) -> dict:
    from songmap.features.analysis import analyse_file

    analyse_file(file)
    return {"peak_mb": peak_mb()}


def task_decode(file: Path) -> dict:
    from songmap.features.decode import load_audio
    from songmap.library.schema import AudioConfig

    return measure(lambda: load_audio(file, AudioConfig()))


def task_plain(file: Path) -> dict:
    import librosa

    from songmap.features.reference import plain_columns

    return measure(lambda: plain_columns(librosa.load(file)[0]), 1)


def task_bliss(file: Path) -> dict:
    from bliss_audio import Song

    return measure(lambda: Song(str(file)), 1) | {"numbers": len(Song(str(file)).analysis)}


def task_essentia(file: Path) -> dict:
    import essentia
    from essentia.standard import MusicExtractor

    essentia.log.infoActive = False
    statistics_of_song, _ = MusicExtractor()(str(file))
    values = (statistics_of_song[name] for name in statistics_of_song.descriptorNames() if "metadata" not in name)
    numbers = sum(np.size(value) for value in values if not isinstance(value, str | list))
    return measure(lambda: MusicExtractor()(str(file)), 1) | {"numbers": numbers}


def task_egemaps(file: Path) -> dict:
    return opensmile("eGeMAPSv02", file)


def task_compare(file: Path) -> dict:
    return opensmile("ComParE_2016", file)


def opensmile(features: str, file: Path) -> dict:
    from opensmile import FeatureLevel, FeatureSet, Smile

    smile = Smile(FeatureSet[features], FeatureLevel.Functionals)
    return measure(lambda: smile.process_file(file), 1) | {"numbers": len(smile.feature_names)}


def task_stages(file: Path) -> dict:
    """Own time of every function of an extraction that takes at least a hundredth of it."""
    import cProfile
    import pstats

    from songmap.features.analysis import analyse_file

    analyse_file(file)
    profile = cProfile.Profile()
    profile.runcall(analyse_file, file)
    stats = pstats.Stats(profile)
    own = {f"{Path(path).stem}.{name}": values[2] for (path, _, name), values in stats.stats.items()}
    return {name: seconds for name, seconds in own.items() if seconds > 0.01 * stats.total_tt}


def task_workers(file: Path) -> dict:
    """Seconds for a folder of songs with one worker and with two, in turn."""
    seconds = {"1": [], "2": []}
    with tempfile.TemporaryDirectory() as folder:
        music = copies(file, SONGS_PER_RATE, Path(folder) / "songs")
        extract(music)
        for _ in range(3):
            for workers, times in seconds.items():
                times.append(extract(music, int(workers)).elapsed_s)
    return seconds


def task_clips(file: Path) -> dict:
    """Seconds of audio per second of one worker: of clips of 3 s, and of as many seconds of songs, in turn."""
    import soundfile

    rates = {"clips": [], "songs": []}
    with tempfile.TemporaryDirectory() as folder:
        song, length = demo_song(), int(CLIP_S * 44100)
        (Path(folder) / "clips").mkdir()
        for index, first in enumerate(np.linspace(0, len(song) - length, CLIPS_PER_RATE).astype(int)):
            soundfile.write(Path(folder) / "clips" / f"{index}.mp3", song[first : first + length], 44100)
        n_songs = max(1, round(CLIPS_PER_RATE * CLIP_S / soundfile.info(file).duration))
        copies(file, n_songs, Path(folder) / "songs")
        for _ in range(3):
            for kind, found in rates.items():
                tally = extract(Path(folder) / kind)
                found.append(tally.audio_s / tally.elapsed_s)
    return rates


def copies(file: Path, number: int, folder: Path) -> Path:
    """A new folder that holds a file several times."""
    folder.mkdir()
    for index in range(number):
        shutil.copy(file, folder / f"{index}{file.suffix}")
    return folder


def extract(music: Path, workers: int = 1):
    """What 01 does with a folder, in a workspace of its own: the tally of the run."""
    from songmap.core.workspace import Workspace
    from songmap.extract.files import find_songs
    from songmap.extract.labels import label_songs
    from songmap.extract.options import ExtractionOptions
    from songmap.extract.run import extract_library

    songs = label_songs(find_songs(music), music, "folder")
    with tempfile.TemporaryDirectory() as folder:
        return extract_library(songs, Workspace(Path(folder)), ExtractionOptions(workers)).tally


def task_parity(music: Path) -> dict:
    """Largest deviation from plain librosa in units of the tolerance, per family."""
    import librosa

    from songmap.extract.files import find_songs
    from songmap.features.analysis import analyse_file
    from songmap.features.reference import deviation, plain_columns
    from songmap.library.schema import COLUMN_FAMILY, COLUMNS, N_LIBROSA

    worst: dict[str, list] = {}
    for path in find_songs(music):
        theirs = plain_columns(librosa.load(path)[0])
        excess = deviation(analyse_file(path).embedding[:N_LIBROSA], theirs)
        for family in dict.fromkeys(COLUMN_FAMILY):
            index = max((i for i in range(N_LIBROSA) if COLUMN_FAMILY[i] == family), key=excess.__getitem__)
            if excess[index] > worst.get(family, [-1])[0]:
                worst[family] = [float(excess[index]), COLUMNS[index], path.name]
    return worst


def task_song(file: Path) -> dict:
    return synthesise(file, 256)


def task_mix(file: Path) -> dict:
    return synthesise(file, 7200)


def demo_song() -> np.ndarray:
    """The first song of the demo, float ``(n, 2)`` at 44.1 kHz."""
    from songmap.core.defaults import DEFAULT_SEED
    from songmap.demo.catalogue import plan_corpus
    from songmap.demo.composer import compose
    from songmap.demo.mixdown import render

    return render(compose(plan_corpus(DEFAULT_SEED)[0])).T


def synthesise(path: Path, duration_s: float) -> dict:
    """Write a stereo MP3 of 44.1 kHz: the first song of the demo again and again, at changing levels."""
    import soundfile

    song, left = demo_song(), int(duration_s * 44100)
    levels = itertools.cycle((0.6, 0.8, 1.0))
    with soundfile.SoundFile(path, "w", 44100, 2) as out:
        while left > 0:
            out.write(song[:left] * next(levels))
            left -= len(song)
    return {}


TASKS = {name.removeprefix("task_"): function for name, function in globals().items() if name.startswith("task_")}


def report(file: Path, long: Path | None, music: Path | None) -> str:
    plain, ours, decode = [], [], []
    plain_mb = ours_mb = 0.0
    for _ in range(3):  # in turn, so that a drift of the machine's speed meets both
        result = child("plain", file)
        plain, plain_mb = plain + result["seconds"], max(plain_mb, result["peak_mb"])
        ours += child("ours", file)["seconds"]
        decode += child("decode", file)["seconds"]
    ours_mb = child("first", file)["peak_mb"]
    workers = child("workers", file)
    plain_s, ours_s, decode_s = map(statistics.median, (plain, ours, decode))
    gain = statistics.median(one / two for one, two in zip(workers["1"], workers["2"], strict=True))
    rates = child("clips", file)
    clips = statistics.median(clip / song for clip, song in zip(rates["clips"], rates["songs"], strict=True))
    started = time.perf_counter()
    subprocess.run([sys.executable, REPOSITORY / "01_feature_extraction.py", "--help"], capture_output=True, check=True)
    help_s = time.perf_counter() - started
    rows = [
        ("seconds, one worker", f"{plain_s:.1f}", f"{ours_s:.2f}", f"{plain_s / ours_s:.1f} × faster"),
        ("ratio to decode, mono and resample alone", f"{plain_s / decode_s:.0f}", f"{ours_s / decode_s:.1f}", f"decoding {decode_s:.2f} s"),
        ("peak memory of the process, MB", f"{plain_mb:.0f}", f"{ours_mb:.0f}", f"{plain_mb / ours_mb:.1f} × less"),
        ("two workers against one, throughput", "", f"{gain:.2f} ×", f"{SONGS_PER_RATE} songs"),
        ("`01 --help`, seconds", "", f"{help_s:.2f}", ""),
        ("clips of 3 s against songs, audio per second", "", f"{clips:.0%}", f"{CLIPS_PER_RATE:,} clips"),
        ("first song of a fresh process, seconds", "", f"{child('first', file)['process_s']:.1f}", "compiled code cached"),
    ]  # fmt: skip
    if long:
        result = child("first", long)
        rows.append(("two-hour mix: peak memory, MB", "", f"{result['peak_mb']:.0f}", f"{result['process_s']:.0f} s"))
    lines = ["| what | plain librosa | songmap | |", "|---|---:|---:|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", "| extractor | numbers per song | seconds per song | plain librosa's / its |", "|---|---:|---:|---:|"]
    extractors = [("plain librosa", N_LIBROSA, plain_s), ("songmap", N_COLUMNS, ours_s)]
    for task, (module, name) in EXTRACTORS.items():
        if importlib.util.find_spec(module):
            result = child(task, file)
            extractors.append((name, result["numbers"], statistics.median(result["seconds"])))
    extractors.sort(key=lambda row: row[2])
    lines += [
        f"| {name} | {numbers:,} | {seconds:.2f} | {plain_s / seconds:.1f} × |" for name, numbers, seconds in extractors
    ]
    stages = child("stages", file)
    stages.pop("process_s")
    lines += ["", "| where the time goes | seconds |", "|---|---:|"]
    lines += [f"| {name} | {seconds:.3f} |" for name, seconds in sorted(stages.items(), key=lambda item: -item[1])]
    if music:
        deviations = child("parity", music)
        deviations.pop("process_s")
        lines += ["", "| family | largest deviation / allowed | column | song |", "|---|---:|---|---|"]
        lines += [
            f"| {family} | {worst:.3f} | {column} | {song} |" for family, (worst, column, song) in deviations.items()
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="song to measure with")
    parser.add_argument("--long", action="store_true", help="also a two-hour mix")
    parser.add_argument("--parity", type=Path, metavar="MUSIC", help="also deviations over a folder of music")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        if arguments.task not in SEVERAL_CORES and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
        print(json.dumps(TASKS[arguments.task](arguments.file)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file, long = arguments.file, None
        if not file:
            file = Path(folder) / "song.mp3"
            child("song", file)
        if arguments.long:
            long = Path(folder) / "mix.mp3"
            child("mix", long)
        text = report(file.resolve(), long, arguments.parity and arguments.parity.resolve())
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
