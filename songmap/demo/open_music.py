"""Openly licensed recordings to try the scripts on, fetched from Debian's packages with apt.

``open_music.csv`` says which package carries which track, by whom and under which licence. Packages
are downloaded and unpacked into the given folder; nothing is installed and no root is needed.
"""

import argparse
import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from songmap.core.cli import script_main
from songmap.core.errors import UsageError

CATALOGUE = Path(__file__).with_suffix(".csv")


def catalogue() -> list[dict[str, str]]:
    """One record per track: ``debian_package, path, genre, artist, title, seconds, licence``."""
    with CATALOGUE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def track_path(track: dict[str, str]) -> Path:
    """``GENRE/artist - title.ogg``; an untitled track is called after its package and file."""
    source = Path(track["path"])
    package = track["debian_package"].removesuffix("-data")
    title = track["title"] or f"{package} {source.stem.replace('_', ' ')}"
    name = f"{track['artist']} - {title}{source.suffix}"
    return Path(track["genre"]) / name.replace("/", "-")


def fetch(folder: Path) -> tuple[int, list[str]]:
    """Lay out every track below ``folder`` that is not there yet. Returns how many are there, and what failed.

    Raises UsageError where the system has no apt.
    """
    packages: dict[str, list[dict[str, str]]] = {}
    tracks = catalogue()
    for track in tracks:
        if not (folder / track_path(track)).exists():
            packages.setdefault(track["debian_package"], []).append(track)
    if packages and not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise UsageError(
            "apt-get and dpkg-deb are not there: the open recordings come in Debian's packages, "
            "so this needs Debian or Ubuntu (make demo works everywhere)"
        )
    failures = []
    scratch = folder / ".packages"
    for package, wanted in packages.items():
        try:
            _unpack(package, scratch)
            for track in wanted:
                target = folder / track_path(track)
                target.parent.mkdir(parents=True, exist_ok=True)
                (scratch / package / track["path"].lstrip("/")).replace(target)
        except (subprocess.CalledProcessError, OSError, UsageError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            failures.append(f"{package}: {reason[-1] if reason else error}")
    shutil.rmtree(scratch, ignore_errors=True)
    return sum((folder / track_path(track)).exists() for track in tracks), failures


def _unpack(package: str, scratch: Path) -> None:
    """Download and unpack a package to ``scratch/package``, with package lists of our own if the system's lack it."""
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        _apt([], "download", package, scratch=scratch)
    except subprocess.CalledProcessError:
        own = list(_own_lists(scratch))
        _apt(own, "update", scratch=scratch)
        _apt(own, "download", package, scratch=scratch)
    archive = next(iter(sorted(scratch.glob(f"{package}_*.deb"))), None)
    if archive is None:
        raise UsageError(f"apt-get downloaded no file for {package}")
    subprocess.run(["dpkg-deb", "-x", archive, scratch / package], check=True, capture_output=True, text=True)


def _own_lists(scratch: Path) -> Iterator[str]:
    for option, name in (("Dir::State::Lists", "lists"), ("Dir::Cache", "cache")):
        (scratch / name / "partial").mkdir(parents=True, exist_ok=True)
        (scratch / name / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        yield f"-o{option}={(scratch / name).resolve()}"


def _apt(options: list[str], *command: str, scratch: Path) -> None:
    # downloading needs no other user, and apt's own could not write here
    arguments = ["apt-get", "-q", "-oAPT::Sandbox::User=root", *options, *command]
    subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=scratch)


def run(out: Path) -> int:
    n_tracks, failures = fetch(out)
    for failure in failures:
        print(f"not fetched: {failure}", file=sys.stderr)
    print(f"{n_tracks} of {len(catalogue())} openly licensed recordings in {out}")
    return 0 if n_tracks else 1


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="open_music", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for GENRE/artist - title.ogg")
    return parser


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
