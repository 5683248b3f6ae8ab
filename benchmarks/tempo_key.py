"""How right tempo and key are: on songs of the demo studio, whose truth is known, and on tags where a library has some.

    python -m benchmarks.tempo_key FOLDER [WORKSPACE ...]

FOLDER gets the studio's songs of three seeds, 156 of some 50 s; those already there are left alone. The limits of
`songmap/library/keys.py` and `songmap/features/rhythm.py` were chosen on the first seed; the others had no say. WORKSPACE
is a library made by 01: what its tags say is compared with what is measured. Prints Markdown tables and writes them to
benchmarks/tempo_key.md.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.map import table
from songmap.core.defaults import usable_cores
from songmap.core.workspace import Workspace
from songmap.demo.studio import render_corpus
from songmap.features.analysis import analyse_file
from songmap.library.keys import LEAST_MARGIN, NO_KEY, estimate_keys, key_margins, key_number, wheel_steps
from songmap.library.library import load_library
from songmap.library.schema import N_COLUMNS, AudioConfig, block_slice
from songmap.library.tempos import AGREEMENT, OCTAVES

SEEDS = (42, 7, 11)
EXCERPT_S = 2.0


@dataclass(frozen=True)
class Measured:
    """The studio's songs of one seed: truth and estimates, an array each; chroma of excerpts with the key of their song."""

    tempo_bpm: np.ndarray
    estimates_bpm: dict[str, np.ndarray]
    deviations_s: dict[str, np.ndarray]
    key: np.ndarray
    embeddings: np.ndarray
    excerpts: np.ndarray
    excerpt_key: np.ndarray


def measure(folder: Path) -> Measured:
    """Analyse the songs of ``folder/truth.csv``."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = list(csv.DictReader(stream))
    songs = [analyse_file(folder / row["path"]) for row in truth]
    rate_hz, n_frames = AudioConfig().frame_rate_hz, int(EXCERPT_S * AudioConfig().frame_rate_hz)
    columns = [song.frames.values for song in songs]
    keys = np.array([key_number(row["key"]) for row in truth])
    excerpts, of_song = [], []
    for place, song in enumerate(songs):
        chroma = song.frames.features["chroma"]
        starts = range(0, chroma.shape[1] - n_frames, n_frames)
        excerpts += [chroma[:, start : start + n_frames].mean(axis=1) for start in starts]
        of_song += [place] * len(starts)
    of_chroma = np.zeros((len(excerpts), N_COLUMNS), np.float32)
    of_chroma[:, block_slice("chroma", "mean")] = excerpts
    return Measured(
        np.array([float(row["tempo_bpm"]) for row in truth]),
        {
            "column 107, librosa's": np.array([values["tempo_bpm"] for values in columns]),
            "regression of beats alone": np.array([60 * rate_hz / _slope(song.frames.beats) for song in songs]),
            "`tempo_bpm`": np.array([values["refined_tempo_bpm"] for values in columns]),
        },
        {name: np.array([values[name] for values in columns]) for name in ("beat_interval_std_s", "beat_deviation_s")},
        keys,
        np.array([song.embedding for song in songs]),
        of_chroma,
        keys[of_song],
    )


def _slope(beats: np.ndarray) -> float:
    return float(np.polyfit(np.arange(len(beats)), beats, 1)[0])


def tempo_rows(seed: int, songs: Measured) -> list[list[str]]:
    rows = []
    for name, bpm in songs.estimates_bpm.items():
        ratio = bpm / songs.tempo_bpm
        octave = np.exp2(np.clip(np.round(np.log2(ratio)), -1, 1))
        error = np.abs(bpm / octave - songs.tempo_bpm)
        figures = [f"{np.median(error):.3f}", f"{np.quantile(error, 0.9):.3f}", f"{error.max():.3f}"]
        shares = [np.mean(np.abs(ratio - 1) <= AGREEMENT), np.mean(np.abs(ratio / octave - 1) <= AGREEMENT)]
        rows.append([str(seed), name, *figures, *map(_percent, shares)])
    return rows


def key_row(seed: str, keys: np.ndarray, truth: np.ndarray) -> list[str]:
    """Shares of each kind of error, and their weighted sum (MIREX audio key detection)."""
    fifths, other_mode = wheel_steps(keys, truth)
    exact = keys == truth
    fifth, relative = (fifths == 1) & ~other_mode, (fifths == 0) & other_mode
    parallel = (keys % 12 == truth % 12) & ~exact
    score = np.mean(exact + 0.5 * fifth + 0.3 * relative + 0.2 * parallel)
    return [
        seed,
        f"{len(keys):,}",
        *(_percent(np.mean(kind)) for kind in (exact, fifth, relative, parallel)),
        f"{score:.3f}",
    ]


def margin_row(seed: int, songs: Measured) -> list[str]:
    right = estimate_keys(songs.excerpts)[0] == songs.excerpt_key
    sure = key_margins(songs.excerpts) >= LEAST_MARGIN
    whole = np.mean(key_margins(songs.embeddings) < LEAST_MARGIN)
    shares = (np.mean(~sure), right[~sure].mean(), right[sure].mean(), whole)
    return [str(seed), f"{len(right):,}", *map(_percent, shares)]


def library_row(root: Path) -> list[str]:
    """What tags say against what is measured."""
    library = load_library(Workspace(root))
    measured, tags = (library.songs[name].to_numpy() for name in ("tempo_bpm", "tag_bpm"))
    known = (tags > 0) & (measured > 0)
    ratio = tags[known] / measured[known]
    off = np.abs([ratio / octave - 1 for octave in OCTAVES])
    tagged = np.array([key_number(text) for text in library.songs["key"]])
    keyed = tagged != NO_KEY
    exact = estimate_keys(library.embeddings)[0][keyed] == tagged[keyed]
    unsure = key_margins(library.embeddings) < LEAST_MARGIN
    tempos = [f"{known.sum():,}", _percent_of(off[0] <= AGREEMENT), _percent_of(off.min(axis=0) <= AGREEMENT)]
    return [root.name, f"{len(library):,}", *tempos, f"{keyed.sum():,}", _percent_of(exact), _percent_of(unsure)]


def _percent_of(flags: np.ndarray) -> str:
    """The share of flags that are set; nothing where there is none."""
    return _percent(flags.mean()) if len(flags) else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def report(folder: Path, workspaces: list[Path]) -> str:
    measured = {}
    for seed in SEEDS:
        render_corpus(folder / f"seed{seed}", seed, usable_cores())
        measured[seed] = measure(folder / f"seed{seed}")
    tempos = [row for seed, songs in measured.items() for row in tempo_rows(seed, songs)]
    keys = [key_row(str(seed), estimate_keys(songs.embeddings)[0], songs.key) for seed, songs in measured.items()]
    keys += [
        key_row(f"{seed}, excerpts of {EXCERPT_S:g} s", estimate_keys(songs.excerpts)[0], songs.excerpt_key)
        for seed, songs in measured.items()
    ]
    margins = [margin_row(seed, songs) for seed, songs in measured.items()]
    beats = [
        [str(seed), *(f"{1000 * np.median(values):.1f}" for values in songs.deviations_s.values())]
        for seed, songs in measured.items()
    ]
    parts = [
        f"Tempo of {len(measured[SEEDS[0]].key)} songs per seed, error in BPM, half and double counted as right",
        table(["seed", "tempo", "median", "90 %", "largest", "within 4 %", "half or double too"], tempos),
        "Key: right, or a fifth off, the relative, the parallel; the score of MIREX weights these 1, 0.5, 0.3, 0.2",
        table(["seed", "songs", "right", "fifth", "relative", "parallel", "score"], keys),
        f"Keys whose margin to the second key is below {LEAST_MARGIN:g}, on excerpts of {EXCERPT_S:g} s",
        table(
            ["seed", "excerpts", "below", "right, of those below", "right, of the others", "whole songs below"], margins
        ),
        "How much the time between beats varies, median in ms; the studio plays like a metronome: 0",
        table(["seed", "column beat_interval_std_s", "`beat_deviation_s`"], beats),
    ]
    if workspaces:
        head = [
            "library",
            "songs",
            "tempo tags",
            "within 4 %",
            "half or double too",
            "key tags",
            "key as the tag",
            "not sure",
        ]
        parts += ["Tags of libraries against what is measured", table(head, list(map(library_row, workspaces)))]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("workspaces", type=Path, nargs="*", metavar="WORKSPACE")
    options = parser.parse_args()
    text = report(options.folder, options.workspaces)
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
