"""Files that are not songs: each ends as a finite embedding or with its one-line reason, and costs no other."""

import csv
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoding import encode
from mutagen import apev2, id3
from PIL import Image
from scripts import write_songs
from signals import RATE_HZ, music, noise, tone

from benchmarks.fuzz import FORMATS, damaged, ogg_pages, outcome_of, sources, with_ogg_checksums
from songmap.core.errors import AudioError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.extract.files import find_songs
from songmap.extract.labels import label_songs
from songmap.extract.options import ExtractionOptions
from songmap.extract.results import Extraction
from songmap.extract.run import extract_library
from songmap.extract.views.tables import save_tables
from songmap.extract.workers import call_worker
from songmap.features.decode import opened
from songmap.library.schema import AudioConfig

SECONDS = 8
TENTHS = range(1, 10)
WHOLE = {"wav": None, "aiff": None, "flac": None, "ogg": None, "mp3": None, "opus": "libopus", "m4a": "aac"}
CHANGED = {  # while they are queued
    "deleted.wav": "does not exist",
    "made a folder.wav": "is not a regular file",
    "overwritten.wav": "changed while it was read",
}
GOOD = {f"Good/A/{index:02d}.wav" for index in range(3)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """A song of eight seconds in every common format."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix, codec in WHOLE.items():
        path = folder / f"song.{suffix}"
        if codec:
            encode(path, music(SECONDS, 48000), 48000, codec, bit_rate=96_000)
        else:
            soundfile.write(path, music(SECONDS), RATE_HZ)
    return {suffix: (folder / f"song.{suffix}").read_bytes() for suffix in WHOLE}


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def claiming_hours(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Headers that claim far more than there is."""
    wav, aiff, flac, mp3, ogg, m4a = (whole[suffix] for suffix in ("wav", "aiff", "flac", "mp3", "ogg", "m4a"))
    for size in (0xFFFFFFFF, 0x7FFFFFFF):
        yield f"{size:x}.wav", patched(wav, wav.index(b"data") + 4, size.to_bytes(4, "little"))
        yield f"{size:x}.aiff", patched(aiff, aiff.index(b"COMM") + 10, size.to_bytes(4, "big"))
        yield f"{size:x}.mp3", patched(mp3, re.search(b"Xing|Info", mp3).end() + 4, size.to_bytes(4, "big"))
        yield f"{size:x}.m4a", patched(m4a, m4a.index(b"mdhd") + 20, size.to_bytes(4, "big"))
    yield "streaminfo.flac", patched(flac, 21, bytes([flac[21] | 0x0F]) + b"\xff" * 4)
    yield "granule.ogg", with_ogg_checksums(patched(ogg, ogg.rindex(b"OggS") + 6, (1 << 60).to_bytes(8, "little")))


def of_samples() -> Iterator[tuple[str, np.ndarray, str]]:
    """Name, samples, and the reason, empty for what is a song all the same."""
    song = music(4)
    for name, value, reason in (
        ("nan", np.nan, "not finite"),
        ("inf", np.inf, "not finite"),
        ("minus inf", -np.inf, "not finite"),
        ("loud", 1e30, "too loud"),
    ):
        yield f"{name}.wav", np.where(np.arange(len(song)) == len(song) - 1, value, song), reason
    yield "all nan.wav", np.full(len(song), np.nan), "not finite"
    yield "silence.wav", np.zeros(len(song)), "silent"
    yield "one sample.wav", song[:1], "too short: 0.00 s"
    yield "no sample.wav", song[:0], "cannot be decoded|too short"
    yield "half a second.wav", song[: RATE_HZ // 2], "too short: 0.50 s"
    yield "dc.wav", np.full(len(song), 0.5), ""
    yield "click.wav", np.eye(1, len(song), len(song) // 2)[0], ""
    yield "full scale square.wav", np.sign(tone(100, 4)), ""
    yield "loops.wav", np.tile(song[: RATE_HZ // 2], 12), ""


def no_audio() -> Iterator[tuple[str, bytes, str]]:
    yield "empty.mp3", b"", "empty: 0 bytes"
    yield "text.mp3", b"this is no music\n" * 1000, "cannot be decoded"
    yield "one byte.flac", b"f", "cannot be decoded"
    yield "zeros.m4a", bytes(100_000), "cannot be decoded"
    yield "page.ogg", b"<!DOCTYPE html><title>404</title>" * 100, "cannot be decoded"
    # texts that make FFmpeg open other files, if it may
    yield "list.mp3", b"ffconcat version 1.0\nfile dc.wav\n", "cannot be decoded"
    stream = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ndc.wav\n#EXT-X-ENDLIST\n"
    yield "stream.mp3", stream, "cannot be decoded"


def headers(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes, str]]:
    wav = whole["wav"]
    channels = wav.index(b"fmt ") + 10
    for count in (0, 0xFFFF):
        yield f"{count} channels.wav", patched(wav, channels, count.to_bytes(2, "little")), "channels|cannot be decoded"
    for rate_hz in (0, 1, 0xFFFFFFFF):
        data = patched(wav, channels + 2, rate_hz.to_bytes(4, "little"))
        yield f"{rate_hz} Hz.wav", data, "sample rate|cannot be decoded"
    yield "header.wav", wav[:44], "cannot be decoded|too short"
    yield "header.flac", whole["flac"][:100], "cannot be decoded|too short"


@dataclass(frozen=True)
class Result:
    """A run over good and bad files: ``failures`` and ``durations`` of songs by name; the good files ``alone``.

    ``expected`` is a pattern of the reason, empty for what is a song all the same, None for what may be either.
    """

    extraction: Extraction
    failures: dict[str, str]
    durations: dict[str, float]
    expected: dict[str, str | None]
    alone: Extraction
    workspace: Workspace


def write_bad_files(bad: Path, whole: dict[str, bytes]) -> dict[str, str | None]:
    """What is expected of each, by name: see Result."""
    expected = {}

    def put(name: str, data: bytes, reason: str | None) -> None:
        (bad / name).write_bytes(data)
        expected[f"Bad/{name}"] = reason

    for name, data, reason in (*no_audio(), *headers(whole)):
        put(name, data, reason)
    *pages, before_last, last = ogg_pages(whole["ogg"])
    put("swapped pages.ogg", b"".join([*pages, last, before_last]), "")  # libsndfile reads beyond what it announced
    for name, samples, reason in of_samples():
        soundfile.write(bad / name, samples, RATE_HZ, subtype="FLOAT")
        expected[f"Bad/{name}"] = reason
    for name, data in claiming_hours(whole):
        put(f"hours {name}", data, "")
    for suffix, data in whole.items():
        for tenth in TENTHS:
            put(f"cut {tenth}.{suffix}", data[: len(data) * tenth // 10], None)
    for kind in ("png", "jpeg"):
        Image.fromarray(np.arange(30_000, dtype=np.uint8).reshape(100, 100, 3)).save(bad / f"{kind}.mp3", kind)
        expected[f"Bad/{kind}.mp3"] = "cannot be decoded"
    id3.ID3().save(bad / "id3.mp3")
    tags = id3.ID3()
    tags.add(id3.APIC(encoding=3, mime="image/png", data=bytes(1_000_000)))
    tags.save(bad / "id3 with a cover.mp3")
    (bad / "id3v1.mp3").write_bytes(b"TAG" + bytes(125))
    (bad / "ape.mp3").touch()
    apev2.APEv2().save(bad / "ape.mp3")
    expected |= dict.fromkeys(("Bad/id3.mp3", "Bad/id3 with a cover.mp3", "Bad/id3v1.mp3", "Bad/ape.mp3"), "cannot be")
    (bad / "tlen.mp3").write_bytes(whole["mp3"])
    tags.add(id3.TLEN(encoding=3, text=["360000000"]))
    tags.save(bad / "tlen.mp3")
    expected["Bad/tlen.mp3"] = ""

    (bad / "folder.mp3").mkdir()
    os.mkfifo(bad / "pipe.mp3")
    (bad / "device.mp3").symlink_to("/dev/zero")
    (bad / "loop.mp3").symlink_to("loop.mp3")
    (bad / "nowhere.mp3").symlink_to("nothing.mp3")
    for name, reason in (
        ("folder", "not a regular file"), ("pipe", "not a regular file"), ("device", "not a regular file"),
        ("loop", "does not exist|cannot be read"), ("nowhere", "does not exist"),
    ):  # fmt: skip
        expected[f"Bad/{name}.mp3"] = reason
    for name, reason in CHANGED.items():
        put(name, whole["wav"], reason)
    return expected


@pytest.fixture(scope="module")
def result(whole, tmp_path_factory) -> Result:
    """All bad files and three good ones, analysed by two workers; and the good ones alone."""
    root = tmp_path_factory.mktemp("library")
    folder, bad = root / "music", root / "music" / "Bad"
    write_songs(folder / "Good", 3)
    bad.mkdir()
    expected = write_bad_files(bad, whole)

    def while_queued(done: int, total: int) -> None:
        """The first progress is reported between listing and analysing."""
        if done == 0:
            (bad / "deleted.wav").unlink()
            (bad / "made a folder.wav").unlink()
            (bad / "made a folder.wav").mkdir()
            (bad / "overwritten.wav").write_bytes(whole["wav"][:-2])

    workspace = Workspace(root / "work")
    extraction = run(folder, workspace, while_queued)
    save_tables(extraction, workspace)
    songs = extraction.library.songs
    return Result(
        extraction,
        {failure.path.relative_to(folder).as_posix(): failure.reason for failure in extraction.failures},
        {
            Path(path).relative_to(folder).as_posix(): duration
            for path, duration in zip(songs["file_path"], songs["duration"], strict=True)
        },
        expected,
        run(folder / "Good", Workspace(root / "alone")),
        workspace,
    )


def run(folder: Path, workspace: Workspace, on_progress=lambda done, total: None, timeout_s: float = 120) -> Extraction:
    songs = label_songs(find_songs(folder), folder, "folder")
    return extract_library(songs, workspace, ExtractionOptions(2, timeout_s=timeout_s), on_progress)


def test_every_file_ends_with_its_reason_or_as_a_song(result):
    assert result.failures.keys() | result.durations.keys() == result.expected.keys() | GOOD
    assert not result.failures.keys() & result.durations.keys()
    tally = result.extraction.tally
    assert (tally.n_extracted, tally.n_recognised, tally.n_unchanged, tally.n_left) == (len(result.durations), 0, 0, 0)
    unlike = {}
    for name, reason in result.expected.items():
        given = result.failures.get(name, "")
        if reason is not None and not re.search(reason or "^$", given):
            unlike[name] = given
    assert unlike == {}


def test_every_reason_is_one_line_and_no_defect(result):
    for name, reason in result.failures.items():
        assert len(reason.splitlines()) == 1, name
        assert not any(word in reason for word in ("please report", "crashed", "took longer", "more memory")), name


def test_bad_files_leave_the_good_ones_as_they_are(result):
    library = result.extraction.library
    assert np.isfinite(library.embeddings).all()
    good = library.songs["genre"].to_numpy() == "GOOD"
    assert good.sum() == len(GOOD)
    assert library.embeddings[good].tobytes() == result.alone.library.embeddings.tobytes()


def test_ledger_and_table_name_every_file(result):
    with (result.workspace.outputs / "extraction.csv").open(encoding="utf-8") as stream:
        table = {Path(row["file_path"]).name: row for row in csv.DictReader(stream)}
    names = {Path(name).name for name in result.expected} | {Path(name).name for name in GOOD}
    assert table.keys() == names
    with closing(sqlite3.connect(result.workspace.ledger)) as connection:
        rows = connection.execute("SELECT path, failure, embedding IS NOT NULL FROM songs").fetchall()
    for path, failure, is_song in rows:
        row = table[Path(os.fsdecode(path)).name]
        assert (row["reason"] or None, row["status"] == "extracted") == (failure, bool(is_song))
    # what changed meanwhile enters the ledger in the next run
    assert {Path(os.fsdecode(path)).name for path, _, _ in rows} == names - CHANGED.keys()


def test_a_header_that_claims_hours_changes_nothing(result):
    for name in result.expected:
        if "hours" in name:
            assert result.durations[name] == pytest.approx(SECONDS, abs=0.1), name
    assert result.durations["Bad/tlen.mp3"] == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize("suffix", WHOLE)
def test_what_is_cut_off_is_left_out(result, suffix):
    """As players do: what is there counts, but for a frame or, of up to a second, an Ogg page that is not whole."""
    page_s = 1.1 if suffix in ("ogg", "opus") else 0.25
    for tenth in TENTHS:
        name, there_s = f"Bad/cut {tenth}.{suffix}", SECONDS * tenth / 10
        if suffix == "m4a":  # its index is at its end
            assert "cut off" in result.failures[name]
        elif name in result.durations:
            assert there_s - page_s < result.durations[name] < there_s + 0.5
        else:
            assert there_s < AudioConfig().min_duration_s + page_s
            assert re.search("too short|cut off", result.failures[name])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_says_so(whole, tmp_path):
    path = tmp_path / "song.wav"
    path.write_bytes(whole["wav"])
    path.chmod(0)
    with pytest.raises(AudioError, match="cannot be read: Permission denied"), opened(path):
        pass


def test_files_that_never_end_are_given_up_and_cost_no_other(tmp_path):
    """Sparse files of days of audio, one for each decoder: the time limit is what ends them."""
    write_songs(tmp_path / "music", 2)
    size = 0x7FFFFFF0
    for name, codec in (("libsndfile", 0x0007), ("ffmpeg", 0x0020)):  # µ-law, and Yamaha ADPCM, which only FFmpeg reads
        header = b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
        fields = ((codec, 2), (1, 2), (8000, 4), (8000, 4), (1, 2), (8 if codec == 7 else 4, 2))
        header += b"".join(value.to_bytes(width, "little") for value, width in fields)
        with (tmp_path / "music" / f"{name}.wav").open("wb") as stream:
            stream.write(header + b"data" + size.to_bytes(4, "little") + noise(1).tobytes())
            stream.truncate(size + 44)
    extraction = run(tmp_path / "music", Workspace(tmp_path / "work"), timeout_s=3)
    assert len(extraction.library) == 2
    assert [(failure.path.name, failure.reason) for failure in extraction.failures] == [
        (name, "took longer than 3 s; give it more with --timeout") for name in ("ffmpeg.wav", "libsndfile.wav")
    ]


# --- damage at random: the benchmark of the same name in small


def test_damaged_files_of_all_formats_are_songs_or_refused(tmp_path):
    per_format = 12

    def outcome(name: str, index: int) -> tuple[str, str, str | None]:
        path = tmp_path / f"{name}-{index}.{name}"
        path.write_bytes(damaged(name, 1, index))
        answer = call_worker("embed", path, ExtractionOptions(timeout_s=120))
        return path.name, outcome_of(answer), answer.get("failure")

    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(outcome, *zip(*((n, i) for n in FORMATS for i in range(per_format)), strict=True)))
    assert [file for file in files if file[1] not in ("embedded", "refused")] == []
    n_embedded = sum(file[1] == "embedded" for file in files)
    assert (
        0.3 < n_embedded / len(files) < 0.8
    )  # neither so little damage that all survives, nor so much that nothing does


def test_damage_is_reproducible_and_does_damage():
    for name in ("mp3", "ogg"):
        files = [damaged(name, 1, index) for index in range(20)]
        assert files == [damaged(name, 1, index) for index in range(20)]
        assert len(set(files) - set(sources(name))) >= 18


def test_checksums_of_undamaged_pages_stay():
    for data in (*sources("ogg"), *sources("opus")):
        assert with_ogg_checksums(data) == data
        at = data.rindex(b"OggS") + 22
        assert with_ogg_checksums(patched(data, at, b"\0\0\0\0")) == data


def test_the_benchmark_keeps_what_hangs_and_fails(tmp_path):
    """With no time at all every file hangs."""
    command = [sys.executable, "-m", "benchmarks.fuzz", "au", "--files", "2", "--timeout", "0.001", "--keep", tmp_path]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1, result.stderr
    assert "| au | 2 | 0 | 0 | 0 | 2 | 0 | 0 |" in result.stdout
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {damaged("au", 42, index) for index in range(2)}
