"""How well copies of the same recording are separated from other recordings, and how long 100,000 songs take.

    python -m benchmarks.duplicates --work DIR

DIR keeps the fetched recordings, the rendered songs and the embeddings between runs. From each of 24 recordings a
minute is copied in every way of ``COPIES``; from all recordings and from songs of the demo's studio other minutes,
near-identical songs and songs at another speed are made, which must stay apart. Prints Markdown tables and writes
them to benchmarks/duplicates.md.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from benchmarks.extraction import peak_mb
from songmap.core.workspace import REPOSITORY

RATE_HZ, MINUTE = 44_100, 44_100 * 60
N_RECORDINGS, N_STUDIO_SONGS, MINUTES_OF_OTHERS = 18, 6, 2

# --- copies: (n, 2) float32 at 44.1 kHz -> a file


def stored(samples: np.ndarray, path: Path, rate_hz: int = RATE_HZ) -> Path:
    soundfile.write(path.with_suffix(".flac"), np.clip(samples, -1, 1), rate_hz, subtype="PCM_16")
    return path.with_suffix(".flac")


def vorbis(samples: np.ndarray, path: Path) -> Path:
    with soundfile.SoundFile(
        path.with_suffix(".ogg"), "w", RATE_HZ, 2, subtype="VORBIS", compression_level=0.7
    ) as file:
        for start in range(0, len(samples), 16_384):  # libvorbis overflows the stack on a whole song
            file.write(samples[start : start + 16_384])
    return path.with_suffix(".ogg")


def coded(suffix: str, codec: str, kbit_s: int, rate_hz: int = RATE_HZ) -> Callable[[np.ndarray, Path], Path]:
    def write(samples: np.ndarray, path: Path) -> Path:
        samples = resampled(samples, rate_hz)
        with av.open(str(path.with_suffix(suffix)), "w") as container:
            stream = container.add_stream(codec, rate=rate_hz, layout="stereo")
            stream.bit_rate = kbit_s * 1000
            stream.options = {"compression_level": "7"} if suffix == ".mp3" else {}  # LAME's quick way
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "flt", "stereo")
            frame.sample_rate, frame.pts = rate_hz, 0
            for part in (frame, None):
                container.mux(stream.encode(part))
        return path.with_suffix(suffix)

    return write


def resampled(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    if rate_hz == RATE_HZ:
        return samples
    return soxr.resample(samples, RATE_HZ, rate_hz).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros((int(seconds * RATE_HZ), 2), np.float32)


def mono(samples: np.ndarray) -> np.ndarray:
    return np.repeat(samples.mean(axis=1, keepdims=True), 2, axis=1)


mp3_128 = coded(".mp3", "libmp3lame", 128)
COPIES: dict[str, Callable[[np.ndarray, Path], Path]] = {
    "FLAC, 16 bit": stored,
    **{f"MP3 {rate} kbit/s": coded(".mp3", "libmp3lame", rate) for rate in (64, 128, 320)},
    "Vorbis q3": vorbis,
    "Opus 64 kbit/s": coded(".opus", "libopus", 64, 48_000),
    "AAC 96 kbit/s": coded(".m4a", "aac", 96),
    "mono": lambda x, path: stored(mono(x), path),
    "22.05 kHz": lambda x, path: stored(resampled(x, 22_050), path, 22_050),
    "48 kHz": lambda x, path: stored(resampled(x, 48_000), path, 48_000),
    "-6 dB": lambda x, path: stored(x * 10 ** (-6 / 20), path),
    "+3 dB, clipped": lambda x, path: stored(x * 10 ** (3 / 20), path),
    "1 s of silence before": lambda x, path: stored(np.concatenate([silence(1), x]), path),
    "2 s of silence after": lambda x, path: stored(np.concatenate([x, silence(2)]), path),
    "1 s of silence at both ends": lambda x, path: stored(np.concatenate([silence(1), x, silence(1)]), path),
    "1 s trimmed at the start": lambda x, path: stored(x[RATE_HZ:], path),
    "1 s trimmed at the end": lambda x, path: stored(x[:-RATE_HZ], path),
    "MP3 128, mono, -6 dB, 1 s of silence before": lambda x, path: mp3_128(
        np.concatenate([silence(1), mono(x) / 2]), path
    ),
}
# --- others: what must stay apart from what it was made of
OTHERS: dict[str, Callable[[np.ndarray, Path], Path]] = {
    "first half": lambda x, path: stored(x[: len(x) // 2], path),
    "second half": lambda x, path: stored(x[len(x) // 2 :], path),
    "2 % faster": lambda x, path: stored(resampled(x, RATE_HZ / 1.02), path),
    "2 % slower": lambda x, path: stored(resampled(x, RATE_HZ / 0.98), path),
    "4 % faster": lambda x, path: stored(resampled(x, RATE_HZ / 1.04), path),
}


def studio_relatives(plan) -> dict[str, object]:
    """Scores that differ in one thing from the plan's: near-identical electronic songs of one length."""
    from songmap.demo.composer import compose
    from songmap.demo.harmony import Key

    score, artist = compose(plan), plan.artist
    bass = "gallop" if artist.bass_line != "gallop" else "offbeat"
    arp = "up" if artist.arp_shape != "up" else "updown"
    hats = "sixteenths" if artist.hats != "sixteenths" else "eighths"
    return {
        "as planned": score,
        **{f"without {part}": replace(score, notes=score.notes | {part: ()}) for part in ("lead", "arp", "pad", "chords")},
        "other bass line": compose(replace(plan, artist=replace(artist, bass_line=bass))),
        "other arpeggio": compose(replace(plan, artist=replace(artist, arp_shape=arp))),
        "other hats": compose(replace(plan, artist=replace(artist, hats=hats))),
        "other room and echo": compose(replace(plan, artist=replace(artist, room_s=3.0, room_level=0.6, delay_level=0.6))),
        "1 BPM faster": compose(replace(plan, tempo_bpm=plan.tempo_bpm + 1)),
        "a semitone up": compose(replace(plan, key=Key((plan.key.tonic + 1) % 12, plan.key.mode))),
        "other hook, same band": compose(replace(plan, seed=plan.seed + 1)),
    }  # fmt: skip


# --- embedding all of it: (source, kind) -> embedding


def read(path: Path) -> np.ndarray:
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples[:, :2] if samples.shape[1] > 1 else np.repeat(samples, 2, axis=1)
    return samples if rate_hz == RATE_HZ else soxr.resample(samples, rate_hz, RATE_HZ)


def embed(samples: np.ndarray, write=stored) -> tuple[np.ndarray, float]:
    from songmap.features.analysis import analyse_file

    with tempfile.TemporaryDirectory() as folder:
        analysis = analyse_file(write(np.ascontiguousarray(samples, np.float32), Path(folder) / "x"))
        embedding, record = analysis.embedding, analysis.record
    return embedding, record["duration"]


def embed_recording(path: Path, copies: bool) -> list[tuple]:
    """Rows ``(source, minute, kind, embedding, duration)`` of the same recording's minutes."""
    samples = read(path)
    rows = [(path.stem, 0, "FLAC, 16 bit", *embed(samples[:MINUTE]))]
    if copies:
        minute = samples[:MINUTE]
        rows += [(path.stem, 0, kind, *embed(minute, write)) for kind, write in list(COPIES.items())[1:]]
        rows += [(path.stem, 0, kind, *embed(minute, write)) for kind, write in OTHERS.items()]
    for minute in range(1, min(MINUTES_OF_OTHERS, len(samples) // MINUTE)):
        rows.append((path.stem, minute, "FLAC, 16 bit", *embed(samples[minute * MINUTE : (minute + 1) * MINUTE])))
    return rows


def embed_relatives(plan) -> list[tuple]:
    from songmap.demo.mixdown import render

    rows = []
    for kind, score in studio_relatives(plan).items():
        samples = render(score).T[:MINUTE]
        rows.append((f"studio {plan.title}", 0, kind, *embed(samples)))
    return rows


def kept(work: Path, name: str, function: Callable[..., list[tuple]], *arguments) -> list[tuple]:
    """The rows of a task, from its file in ``work`` if it was done before."""
    cache = work / "rows" / f"{name.replace('/', '-')}.pkl"
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_bytes(pickle.dumps(function(*arguments)))
    return pickle.loads(cache.read_bytes())


def corpus(work: Path) -> dict[str, np.ndarray]:
    """All rows as columns: source, minute, kind, embedding, duration; made once."""
    from songmap.core.defaults import DEFAULT_SEED
    from songmap.demo.catalogue import plan_corpus

    for module, folder in (("open_music", "open"), ("studio", "demo")):
        subprocess.run(
            [sys.executable, "-m", f"songmap.demo.{module}", "--out", work / folder], check=True, cwd=REPOSITORY
        )
    recordings = sorted(path for path in (work / "open").rglob("*.*") if path.is_file())
    studio = sorted(path for path in (work / "demo").rglob("*.*") if path.suffix != ".csv")
    copied = (
        recordings[:: len(recordings) // N_RECORDINGS][:N_RECORDINGS]
        + studio[:: len(studio) // N_STUDIO_SONGS][:N_STUDIO_SONGS]
    )
    with ProcessPoolExecutor() as pool:
        tasks = [pool.submit(kept, work, f"copied {path.stem}", embed_recording, path, True) for path in copied]
        tasks += [
            pool.submit(kept, work, f"related {plan.index}", embed_relatives, plan)
            for plan in plan_corpus(DEFAULT_SEED)[3::26]
        ]
        tasks += [
            pool.submit(kept, work, path.stem, embed_recording, path, False)
            for path in recordings + studio
            if path not in copied
        ]
        rows = []
        for done, task in enumerate(tasks, start=1):
            rows += task.result()
            print(f"{done} of {len(tasks)}", end="\r", file=sys.stderr)
    source, minute, kind, embedding, duration = zip(*rows, strict=True)
    return {
        "source": np.array(source), "minute": np.array(minute), "kind": np.array(kind),
        "embedding": np.array(embedding, np.float32), "duration": np.array(duration),
    }  # fmt: skip


# --- reports


def pairs(columns: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """What two rows can be to each other, and which pairs are: bool ``(n, n)``, above the diagonal, of like duration."""
    from songmap.library.recordings import MAX_DURATION_DIFFERENCE_S

    source, minute, kind, duration = (columns[name] for name in ("source", "minute", "kind", "duration"))
    studio = np.char.startswith(source, "studio ")
    song = np.where(studio, np.char.replace(source, "studio ", ""), np.char.rpartition(source, " - ")[:, 2])
    copy = np.isin(kind, list(COPIES))
    part = np.where(np.char.endswith(kind, "half"), kind, minute.astype(str))
    quicker = np.char.find(kind, "%") >= 0

    def both(values: np.ndarray) -> np.ndarray:
        return values[:, None] & values[None]

    def equal(values: np.ndarray) -> np.ndarray:
        return values[:, None] == values[None]

    upper = np.triu(np.ones((len(source),) * 2, bool), 1)
    close = upper & (np.abs(duration[:, None] - duration) <= MAX_DURATION_DIFFERENCE_S)
    versions = equal(song) & (studio[:, None] | studio)
    rest = close & ~versions
    same = rest & equal(source)
    return [
        ("copies of the same recording", upper & equal(source) & equal(part) & both(copy)),
        (
            "one recording at 2 or 4 % other speed",
            same & equal(part) & (quicker[:, None] ^ quicker | both(quicker) & ~equal(kind)),
        ),
        ("other minutes or halves of the same recording", same & ~equal(part)),
        ("other recordings", rest & ~equal(source)),
        ("one score rendered twice, one part or effect different", close & versions),
    ]


def accuracy(columns: dict[str, np.ndarray]) -> list[str]:
    """Tables: distances of pairs by what they are to each other, and how often each way of copying is found."""
    from songmap.library.recordings import MAX_DISTANCE, coordinates, find_duplicates

    points = coordinates(columns["embedding"]).astype(np.float64)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    lines = [
        f"{len(points)} embeddings of {len(set(columns['source']))} songs; a pair within a distance of {MAX_DISTANCE:g} "
        "(similarity 0.5) counts as copies. Bands and scales were chosen on ten of the copied recordings; the others were only measured.", "",
        "| pairs | number | predicted as copies | distance: least | median | 99 % | largest |", "|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, chosen in pairs(columns):
        found = distances[chosen]
        figures = " | ".join(f"{value:.2f}" for value in np.percentile(found, [0, 50, 99, 100]))
        lines.append(f"| {name} | {len(found)} | {(found <= MAX_DISTANCE).mean():.2%} | {figures} |")
    lines += ["", "| copy | found again beside the FLAC | distance: median | largest |", "|---|---:|---:|---:|"]
    first = (columns["minute"] == 0) & (columns["kind"] == "FLAC, 16 bit")
    row_of = {source: row for row, source in enumerate(columns["source"]) if first[row]}
    for kind in list(COPIES)[1:]:
        rows = np.flatnonzero(columns["kind"] == kind)
        found = np.array([distances[row, row_of[columns["source"][row]]] for row in rows])
        lines.append(
            f"| {kind} | {(found <= MAX_DISTANCE).sum()} of {len(rows)} | {np.median(found):.2f} | {found.max():.2f} |"
        )
    kept = np.isin(columns["kind"], list(COPIES)) & (columns["minute"] == 0)
    groups = find_duplicates(columns["embedding"][kept], columns["duration"][kept])
    sources = columns["source"][kept]
    mixed = sum(len(set(sources[group.rows])) > 1 for group in groups)
    copied = [source for source in sorted(set(sources)) if (sources == source).sum() > 1]
    whole = sum(
        any((sources[group.rows] == source).sum() == (sources == source).sum() for group in groups) for source in copied
    )
    lines += [
        "",
        f"As groups: {whole} of {len(copied)} copied recordings came out as one whole group, {mixed} of {len(groups)} groups hold two recordings.",
    ]
    return lines


def scale(columns: dict[str, np.ndarray]) -> list[str]:
    """A table: seconds and memory for 100,000 songs, drawn with the mean and covariance of the real ones."""
    from songmap.library.recordings import find_duplicates

    songs = columns["embedding"][columns["kind"] == "FLAC, 16 bit"].astype(np.float64)
    mean, spread = songs.mean(axis=0), (songs - songs.mean(axis=0)) / np.sqrt(len(songs))
    rng, n_songs = np.random.default_rng(0), 100_000
    drawn = np.empty((n_songs, songs.shape[1]), np.float32)
    for start in range(0, n_songs, 5000):
        drawn[start : start + 5000] = rng.standard_normal((5000, len(songs))) @ spread + mean
    copied = drawn.copy()
    copied[1::10] = copied[::10]
    before = peak_mb()
    lines = ["| 100,000 songs | seconds of processor time | groups |", "|---|---:|---:|"]
    for name, embeddings, durations_s in (
        ("durations of 1 to 10 minutes, no copies", drawn, rng.uniform(60, 600, n_songs)),
        ("every duration equal, no copies", drawn, np.full(n_songs, 30.0)),
        ("every duration equal, each tenth song twice", copied, np.full(n_songs, 30.0)),
        ("100,000 copies of one song", np.broadcast_to(drawn[0], drawn.shape), np.full(n_songs, 30.0)),
    ):
        started = time.process_time()
        groups = find_duplicates(embeddings, durations_s)
        lines.append(f"| {name} | {time.process_time() - started:.1f} | {len(groups)} |")
    lines += ["", f"At most {peak_mb() - before:.0f} MB beside the embeddings."]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="keeps recordings and embeddings")
    columns = corpus(parser.parse_args().work.resolve())
    text = "\n".join([*accuracy(columns), "", *scale(columns)]) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
