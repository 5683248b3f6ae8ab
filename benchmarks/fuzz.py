"""Damaged files by the thousand, through the worker processes of 01: nothing may crash, hang or give NaN.

    python -m benchmarks.fuzz [FORMAT ...] [--files N] [--seed SEED]

Every file is one of a few short songs of its format, tags and cover included, with one to four kinds of damage. All
is seeded: a format, a seed and an index give the same bytes again. What crashes, hangs, gives a number that is not
finite or shows a defect of ours is kept in a folder. Prints a Markdown table and, when it covers all formats, does the
same to artifacts (``benchmarks.fuzz_artifacts``; "embedded" is loaded there) and writes it to benchmarks/fuzz.md. Exit status 1 if anything was kept.
"""

import argparse
import base64
import io
import random
import resource
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import repeat
from pathlib import Path

import mutagen
import numpy as np
import soundfile
from mutagen import id3, mp4

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.workspace import REPOSITORY
from songmap.extract.options import ExtractionOptions
from songmap.extract.workers import call_worker
from songmap.features.tags import MAX_CHARACTERS
from tests.encoding import encode
from tests.signals import music

SECONDS = 3.5  # 3 are needed: a little damage leaves enough
LONG_SECONDS, OF_LONG_BLOCKS = 5.5, ("ogg", "opus", "wv", "tta", "mka", "webm")  # damage costs up to a second or more
OUTCOMES = ("embedded", "refused", "crashed", "hung", "not finite", "defect")
# suffix: the sources as (rate in Hz, channels), and either libsndfile's (format, subtype) or FFmpeg's
# (codec, container or None for what the suffix says, sample format or None for the codec's first)
FORMATS = {
    "mp3": [(44100, 2, "libmp3lame", None, None), (22050, 1, "MP3", "MPEG_LAYER_III")],
    "flac": [(44100, 2, "FLAC", "PCM_16"), (22050, 1, "FLAC", "PCM_24")],
    "ogg": [(44100, 2, "OGG", "VORBIS"), (22050, 1, "flac", None, None)],
    "opus": [(48000, 2, "OGG", "OPUS"), (48000, 1, "libopus", None, None)],
    "wav": [(44100, 2, "WAV", "PCM_16"), (22050, 1, "WAV", "FLOAT"), (22050, 1, "WAVEX", "PCM_24"),
            (22050, 2, "WAV", "IMA_ADPCM"), (22050, 1, "WAV", "MS_ADPCM"), (22050, 1, "RF64", "DOUBLE"),
            (44100, 1, "libmp3lame", None, None)],
    "aiff": [(44100, 2, "AIFF", "PCM_16"), (22050, 1, "AIFF", "FLOAT"), (22050, 1, "AIFF", "ULAW")],
    "m4a": [(44100, 2, "aac", None, None), (22050, 1, "alac", None, None)],
    "aac": [(44100, 2, "aac", "adts", None)],
    "ac3": [(48000, 2, "ac3", None, None), (44100, 1, "eac3", "eac3", None)],
    "mp2": [(44100, 2, "mp2", None, None)],
    "wma": [(44100, 2, "wmav2", "asf", None), (22050, 1, "wmav1", "asf", None)],
    "wv": [(44100, 2, "wavpack", None, None)],
    "tta": [(44100, 2, "tta", None, "s16")],
    "caf": [(44100, 2, "CAF", "PCM_16"), (22050, 1, "CAF", "ALAC_16")],
    "au": [(22050, 2, "AU", "PCM_16"), (22050, 1, "AU", "FLOAT")],
    "w64": [(22050, 2, "W64", "PCM_24")],
    "mka": [(44100, 2, "aac", None, None), (22050, 1, "flac", None, None)],
    "webm": [(48000, 2, "libopus", None, None)],
}  # fmt: skip


@cache
def sources(suffix: str) -> list[bytes]:
    """The undamaged files of a format, with tags and a cover where the format has them."""
    files, duration_s = [], LONG_SECONDS if suffix in OF_LONG_BLOCKS else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        for rate_hz, channels, *encoding in FORMATS[suffix]:
            path = Path(folder) / f"{len(files)}.{suffix}"
            samples = np.outer(0.4 * music(duration_s, rate_hz), [1, 0.7][:channels]).astype(np.float32)
            if len(encoding) == 2:
                container, subtype = encoding
                soundfile.write(path, samples, rate_hz, format=container, subtype=subtype)
            else:
                codec, container, sample_format = encoding
                encode(path, samples, rate_hz, codec, sample_format, container, 128_000)
            _add_tags(path)
            files.append(path.read_bytes())
    return files


def damaged(suffix: str, seed: int, index: int) -> bytes:
    """The file of this format, seed and index."""
    rng = random.Random(f"{suffix} {seed} {index}")
    data = bytearray(rng.choice(sources(suffix)))
    other = rng.choice(sources(rng.choice(list(FORMATS))))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(DAMAGES)(rng, data, other)
    # the checksum of a damaged Ogg page makes readers drop it: with a right one the decoder meets the damage
    return with_ogg_checksums(data) if data[:4] == b"OggS" and rng.random() < 0.5 else bytes(data)


def main() -> int:
    from benchmarks.fuzz_artifacts import ARTIFACTS, row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {' '.join(FORMATS)}; all without")
    parser.add_argument("--files", type=int, default=2000, metavar="N", help="damaged files per format (2000)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--timeout", type=float, default=10, metavar="S", help="what takes longer hangs (10)")
    parser.add_argument("--keep", type=Path, default=REPOSITORY / "outputs" / "fuzz", metavar="DIR")
    arguments = parser.parse_args()
    suffixes = arguments.formats or list(FORMATS)
    if unknown := set(suffixes) - FORMATS.keys():
        parser.error(f"unknown format {' '.join(sorted(unknown))}")
    totals: Counter[str] = Counter()
    lines = [f"| format | files | {' | '.join(OUTCOMES)} | files/s |", f"|---|{'---:|' * (len(OUTCOMES) + 2)}"]
    with ThreadPoolExecutor(arguments.workers) as pool, tempfile.TemporaryDirectory() as folder:
        print(*lines, sep="\n", flush=True)
        for suffix in suffixes:
            started = time.monotonic()
            files = [Path(folder) / f"{suffix}-{arguments.seed}-{index}.{suffix}" for index in range(arguments.files)]
            counts = Counter(pool.map(_analyse, files, repeat(arguments)))
            cells = [suffix, len(files), *(counts[outcome] for outcome in OUTCOMES)]
            cells.append(f"{len(files) / (time.monotonic() - started):.0f}")
            lines.append(f"| {' | '.join(map(str, cells))} |")
            print(lines[-1], flush=True)
            totals += counts
        for artifact in ARTIFACTS if suffixes == list(FORMATS) else ():
            counts, line = row(artifact, arguments.files, arguments.seed)
            lines.append(line)
            print(line, flush=True)
            totals += counts
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    lines += ["", f"{arguments.workers} workers, seed {arguments.seed}; the largest worker took {peak_mb:.0f} MB."]
    print(*lines[-2:], sep="\n")
    if suffixes == list(FORMATS):
        Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(any(totals[outcome] for outcome in OUTCOMES[2:]))


def _analyse(path: Path, arguments: argparse.Namespace) -> str:
    """The outcome of the damaged file of this name, which holds format, seed and index."""
    suffix, seed, index = path.stem.split("-")
    path.write_bytes(damaged(suffix, int(seed), int(index)))
    answer = call_worker("embed", path, ExtractionOptions(timeout_s=arguments.timeout, nice=arguments.nice))
    outcome = outcome_of(answer)
    if outcome not in ("embedded", "refused"):
        arguments.keep.mkdir(parents=True, exist_ok=True)
        kept = shutil.copy(path, arguments.keep)
        print(f"{outcome}: {kept}: {answer.get('failure')}", file=sys.stderr, flush=True)
    path.unlink()
    return outcome


def outcome_of(answer: dict) -> str:
    """One of ``OUTCOMES`` for a worker's answer."""
    failure = answer.get("failure")
    if failure is None:
        embedding = np.frombuffer(base64.b64decode(answer["embedding"]), np.float32)
        record = answer["record"]
        if any(
            len(text) > MAX_CHARACTERS for name, text in record.items() if name != "file_path" and isinstance(text, str)
        ):
            return "defect"
        numbers = [record["duration"], record["tempo_bpm"]]
        return "embedded" if np.isfinite(embedding).all() and np.isfinite(numbers).all() else "not finite"
    if len(failure.splitlines()) != 1:
        return "defect"
    return {"audio": "refused", "crash": "crashed", "time": "hung"}.get(answer["cause"], "defect")


# --- kinds of damage: each changes ``data`` in place


def _flip_bits(rng: random.Random, data: bytearray, other: bytes) -> None:
    for _ in range(rng.choice((1, 4, 16, 256))):
        at = _place(rng, data)
        data[at : at + 1] = bytes(byte ^ 1 << rng.randrange(8) for byte in data[at : at + 1])


def _zero_run(rng: random.Random, data: bytearray, other: bytes) -> None:
    run = _run(rng, data)
    data[run] = bytes(len(data[run]))


def _randomise_run(rng: random.Random, data: bytearray, other: bytes) -> None:
    run = _run(rng, data)
    data[run] = rng.randbytes(len(data[run]))


def _delete_run(rng: random.Random, data: bytearray, other: bytes) -> None:
    del data[_run(rng, data)]


def _duplicate_run(rng: random.Random, data: bytearray, other: bytes) -> None:
    at = _place(rng, data)
    data[at:at] = data[_run(rng, data)] * rng.choice((1, 1, 8))


def _swap_runs(rng: random.Random, data: bytearray, other: bytes) -> None:
    a, b, c = sorted(_place(rng, data) for _ in range(3))
    data[a:c] = data[b:c] + data[a:b]


def _truncate(rng: random.Random, data: bytearray, other: bytes) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _set_field(rng: random.Random, data: bytearray, other: bytes) -> None:
    """A number of the header becomes an extreme one; with luck it is a size, a rate or a count."""
    for _ in range(rng.choice((1, 1, 4))):
        width = rng.choice((1, 2, 4, 8))
        top = 1 << 8 * width
        value = rng.choice((0, 1, top // 2 - 1, top // 2, top - 2, top - 1, rng.randrange(top)))
        at = _place(rng, data)
        data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    at, of_other = _place(rng, data), other[rng.randrange(len(other)) :] if rng.random() < 0.5 else other
    data[at : len(data) if rng.random() < 0.5 else at] = of_other


def _add_hostile_tag(rng: random.Random, data: bytearray, other: bytes) -> None:
    """An ID3 tag in front, of any version: texts without end, thousands of frames, compressed or not, in one another."""
    version, frames = rng.choice((2, 3, 4)), b""
    n_frames = rng.choice((1, 4, 5000))
    for _ in range(n_frames):
        name = rng.choice((b"TPE1", b"TIT2", b"TCON", b"TXXX", b"UFID", b"APIC", b"CHAP", b"TP1\0", b"PIC\0"))
        n_bytes, part = int(2 ** rng.uniform(0, 20) / n_frames), rng.choice((b"A", b"\0", b"\xff\xfe", frames[:4096]))
        text = b"\3" + part * (n_bytes // max(1, len(part)))
        packed = bytes(4) + zlib.compress(text) if rng.random() < 0.5 else text
        flags = rng.choice((0, 0x80, 0x08, 0x09, 0x02, rng.randrange(1 << 16)))
        frames += name[:3] + len(packed).to_bytes(3, "big") if version == 2 else name + _size(packed, version)
        frames += (b"" if version == 2 else flags.to_bytes(2, "big")) + packed
    data[:0] = b"ID3" + bytes([version, 0, rng.choice((0, 0x80, 0x40, 0xC0))]) + _size(frames, 4) + frames


def _size(data: bytes, version: int) -> bytes:
    bits = 7 if version == 4 else 8  # of each byte
    return bytes(len(data) >> bits * place & (1 << bits) - 1 for place in (3, 2, 1, 0))


def _chain(rng: random.Random, data: bytearray, other: bytes) -> None:
    """Another song behind this one, as in a chained Ogg file."""
    data += rng.choice(sources(rng.choice(("ogg", "opus")))) if data[:4] == b"OggS" else other


DAMAGES = (
    _flip_bits, _zero_run, _randomise_run, _delete_run, _duplicate_run, _swap_runs, _truncate, _set_field, _splice,
    _add_hostile_tag, _chain,
)  # fmt: skip


def _place(rng: random.Random, data: bytearray) -> int:
    """Half of the damage is where headers and indices are: at the beginning or at the end."""
    n, near = len(data), min(len(data), 512)
    return rng.choice(
        (rng.randrange(n + 1), rng.randrange(n + 1), rng.randrange(near + 1), n - rng.randrange(near + 1))
    )


def _run(rng: random.Random, data: bytearray) -> slice:
    start = _place(rng, data)
    return slice(start, start + int(2 ** rng.uniform(0, 13)))


def with_ogg_checksums(data: bytearray) -> bytes:
    """Every Ogg page with the checksum of what it holds (RFC 3533, section 6)."""
    out = io.BytesIO()
    for page in ogg_pages(bytes(data)):
        blank = page[:22] + bytes(4) + page[26:]
        # Ogg's CRC is zlib's with the bits of every byte and of the result in reverse, from 0, not inverted
        crc = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        reverse = crc.to_bytes(4, "little").translate(_REVERSED)
        out.write(page[:22] + reverse[::-1] + page[26:] if len(page) > 26 else page)
    return out.getvalue()


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_pages(data: bytes) -> Iterator[bytes]:
    """The file cut before every capture pattern."""
    start = 0
    while start < len(data):
        end = data.find(b"OggS", start + 4)
        end = len(data) if end < 0 else end
        yield data[start:end]
        start = end


def _add_tags(path: Path) -> None:
    """Artist, and a cover or more, where mutagen knows the format; Matroska, CAF, AU, W64 and RF64 it does not."""
    try:
        file = mutagen.File(path)
        if file is None:
            return
        if file.tags is None:
            file.add_tags()
    except mutagen.MutagenError:
        return
    if isinstance(file.tags, id3.ID3):
        file.tags.add(id3.TPE1(encoding=3, text=["Ann", "Bob"]))
        file.tags.add(id3.TDRC(encoding=3, text=["1999"]))
        file.tags.add(id3.APIC(encoding=3, mime="image/png", data=bytes(range(256)) * 4))
    elif isinstance(file, mp4.MP4):
        file.tags["\xa9ART"], file.tags["tmpo"] = ["Ann"], [120]
    else:
        file.tags["Artist"] = ["Ann"]
    file.save()


if __name__ == "__main__":
    sys.exit(main())
