"""A recording for 05: three new tracks of the studio, one fading into the next, none of which is in the demo library.

    python -m songmap.demo.mix --out FILE.mp3

A file that is already there is left alone.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from songmap.core.cli import Parser, script_main
from songmap.core.defaults import DEFAULT_SEED
from songmap.demo.catalogue import plan_corpus
from songmap.demo.composer import compose
from songmap.demo.instruments import RATE_HZ
from songmap.demo.mixdown import render
from songmap.demo.studio import encode

GENRES = ("ITALODANCE", "TRANCE", "ITALODANCE")
_SEED = DEFAULT_SEED + 1  # other tracks than the library's
_FADE_S = 4


def mix() -> np.ndarray:
    """The first tracks of ``GENRES`` that are of one genre alone, float32 ``(2, n_samples)`` at 44.1 kHz."""
    unused = [plan for plan in plan_corpus(_SEED) if not plan.artist.hybrid]
    sound = np.zeros((2, 0), np.float32)
    for genre in GENRES:
        plan = next(plan for plan in unused if plan.artist.genre == genre)
        unused.remove(plan)
        sound = faded(sound, render(compose(plan)))
    return sound


def faded(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Two sounds, the first fading out while the second fades in, with equal power."""
    length = min(_FADE_S * RATE_HZ, before.shape[1])
    ramp = np.sqrt(np.linspace(0, 1, length, dtype=np.float32))
    start = before.shape[1] - length
    joint = before[:, start:] * ramp[::-1] + after[:, :length] * ramp
    return np.concatenate([before[:, :start], joint, after[:, length:]], axis=1)


def run(out: Path) -> int:
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        sound = mix()
        encode(out, 0.9 * sound / np.abs(sound).max())
    print(f"a mix of three new tracks: {out}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m songmap.demo.mix", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.mp3", help="where to write it")
    return parser


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
