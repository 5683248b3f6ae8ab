"""Renders the synthesised demo corpus: 52 tracks in two genre folders, tags, and the truth about them.

    python -m songmap.demo.studio --out FOLDER [--seed N] [--workers N]

FOLDER/ITALODANCE and FOLDER/TRANCE get the tracks as MP3, OGG, FLAC and WAV in turn, FOLDER/truth.csv what
is true of each. The same seed and library versions give the same files, whatever the number of workers. A track
that is already there from the same recipe (its comment tag says which) is left alone.
"""

import argparse
import csv
import hashlib
import io
import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.cli import Parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import AudioError, UsageError
from songmap.core.files import write_atomically
from songmap.core.processes import spawned
from songmap.core.progress import progress
from songmap.core.text import format_duration
from songmap.demo import catalogue, composer, effects, harmony, instruments, mixdown
from songmap.demo.catalogue import Plan, plan_corpus
from songmap.demo.composer import compose
from songmap.demo.instruments import RATE_HZ
from songmap.demo.mixdown import render

TRUTH_COLUMNS = (
    "path", "genre", "artist", "title", "album", "year", "tempo_bpm", "key", "hybrid", "duration_s", "format",
)  # fmt: skip
_SUBTYPES = {".mp3": "MPEG_LAYER_III", ".ogg": "VORBIS", ".flac": "PCM_16", ".wav": "PCM_16"}
_BLOCK = 1 << 14  # frames; libvorbis overflows the stack when it gets a whole track at once
_OGG_SERIAL = 1


def recipe(plan: Plan) -> str:
    """Fingerprint of everything a track is made from: its plan and the studio's own code."""
    return hashlib.sha256(f"{_code_digest()}{plan!r}".encode()).hexdigest()[:16]


@cache
def _code_digest() -> str:
    sources = [Path(str(module.__file__)) for module in (harmony, instruments, catalogue, composer, effects, mixdown)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*sources, Path(__file__)])).hexdigest()


def comment(plan: Plan) -> str:
    """The comment tag: that the track is synthesised, and its recipe."""
    return f"synthesised by songmap's demo studio, recipe {recipe(plan)}"


def encode(path: Path, sound: np.ndarray) -> None:
    """Write float32 ``(2, n_samples)`` in the format that the suffix names. Raises AudioError."""
    import soundfile

    frames = np.ascontiguousarray(sound.T)
    try:
        with soundfile.SoundFile(path, "w", RATE_HZ, 2, subtype=_SUBTYPES[path.suffix]) as file:
            for start in range(0, len(frames), _BLOCK):
                file.write(frames[start : start + _BLOCK])
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path.suffix} cannot be written ({error.error_string}); "
            f"{soundfile.__libsndfile_version__} is libsndfile's version, MP3 needs 1.1.0"
        ) from error
    if path.suffix == ".ogg":
        _fix_ogg_serial(path)


def _fix_ogg_serial(path: Path) -> None:
    """Give every page the same stream number; the encoder draws one at random, so equal sound gave other bytes."""
    from mutagen.ogg import OggPage

    source, target = io.BytesIO(path.read_bytes()), io.BytesIO()
    while True:
        try:
            page = OggPage(source)
        except EOFError:
            break
        page.serial = _OGG_SERIAL
        target.write(page.write())
    path.write_bytes(target.getvalue())


def tag(path: Path, plan: Plan) -> None:
    """Write artist, title, album, year, BPM, key and comment: Vorbis comments, or ID3 (in WAV, as its own chunk)."""
    from mutagen import File, id3

    texts = {
        "artist": plan.artist.name, "title": plan.title, "album": plan.album, "date": str(plan.year),
        "bpm": str(plan.tempo_bpm), "initialkey": plan.key.name, "comment": comment(plan),
    }  # fmt: skip
    file: Any = File(path)
    if path.suffix in (".flac", ".ogg"):
        file.update(texts)
    else:
        file.add_tags()
        frames = (id3.TPE1, id3.TIT2, id3.TALB, id3.TDRC, id3.TBPM, id3.TKEY)
        for frame, text in zip(frames, list(texts.values())[:-1], strict=True):
            file.tags.add(frame(encoding=id3.Encoding.UTF8, text=text))
        file.tags.add(id3.COMM(encoding=id3.Encoding.UTF8, lang="eng", desc="", text=texts["comment"]))
    file.save()


def is_made(path: Path, plan: Plan) -> bool:
    """Whether the file is there and its comment names this plan's recipe."""
    import mutagen

    if not path.is_file():
        return False
    try:
        file = mutagen.File(path)
    except mutagen.MutagenError:
        return False
    tags = file.tags if file is not None and file.tags is not None else {}
    comments = tags["comment"] if "comment" in tags else tags.get("COMM::eng", [])
    return comment(plan) in list(comments)


def make_track(folder: Path, plan: Plan) -> Path:
    """Compose, render, encode and tag one track; the file appears when it is complete."""

    def write(temporary: Path) -> None:
        encode(temporary, render(compose(plan)))
        tag(temporary, plan)

    path = folder / plan.path
    write_atomically(path, write)
    return path


def render_tracks(folder: Path, plans: Sequence[Plan], workers: int) -> list[Path]:
    """Make those of the planned tracks that are missing or of another recipe; their paths, in the plans' order."""
    missing = [plan for plan in plans if not is_made(folder / plan.path, plan)]
    if workers == 1 or len(missing) < 2:
        return [make_track(folder, plan) for plan in missing]
    # not process_pool: Ctrl-C lets the tracks in hand be finished
    with progress("rendering") as on_progress, spawned(min(workers, len(missing))) as pool:
        tasks = [pool.submit(make_track, folder, plan) for plan in missing]
        try:
            for done, task in enumerate(as_completed(tasks), start=1):
                task.result()
                on_progress(done, len(tasks))
        except BrokenProcessPool as error:
            advice = f"try --workers 1 instead of {workers}"
            raise UsageError(f"a worker process was ended (memory full?); {advice}") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [task.result() for task in tasks]


def truth(plans: Sequence[Plan]) -> str:
    """What is true of each track, as CSV with ``TRUTH_COLUMNS``."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(TRUTH_COLUMNS)
    for plan in plans:
        artist = plan.artist
        writer.writerow(
            [plan.path, artist.genre, artist.name, plan.title, plan.album, plan.year, plan.tempo_bpm, plan.key.name,
             int(artist.hybrid), f"{compose(plan).duration_s:.3f}", plan.suffix[1:]]
        )  # fmt: skip
    return stream.getvalue()


def render_corpus(folder: Path, seed: int = DEFAULT_SEED, workers: int = 1) -> list[Path]:
    """Make the corpus in ``folder``, and its truth.csv; the paths that had to be rendered."""
    plans = plan_corpus(seed)
    rendered = render_tracks(folder, plans, workers)
    write_atomically(folder / "truth.csv", truth(plans).encode())
    return rendered


def run(out: Path, seed: int, workers: int) -> int:
    folder = out.expanduser().resolve()
    rendered = render_corpus(folder, seed, workers)
    plans = plan_corpus(seed)
    length = format_duration(sum(compose(plan).duration_s for plan in plans))
    made = f"{len(rendered)} rendered, {len(plans) - len(rendered)} already there"
    print(f"{len(plans)} synthesised tracks ({length}) in {folder}: {made}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m songmap.demo.studio",
        description="Render the synthesised demo corpus: 52 tracks, ITALODANCE and TRANCE.",
    )
    add, out = parser.add_argument, "folder that gets ITALODANCE/, TRANCE/ and truth.csv"
    add("--out", type=Path, required=True, metavar="FOLDER", help=out)
    add("--seed", type=whole_number(0), default=DEFAULT_SEED, metavar="N", help="another seed is other music")
    add("--workers", type=whole_number(1), default=usable_cores(), metavar="N", help="processes at a time")
    return parser


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
