"""What to open and try after the scripts have run on a workspace: ``python -m songmap.demo.guide WORKSPACE``."""

import argparse
import sys

from songmap.core.cli import script_main, workspace
from songmap.core.workspace import Workspace


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="guide", description=__doc__.splitlines()[0])
    parser.add_argument("place", type=workspace, metavar="WORKSPACE", help="folder the scripts have run on")
    return parser


def run(place: Workspace) -> int:
    """List the files that are there, and the command that searches the library."""
    print("\nOpen in a browser or picture viewer:")
    drawn_since = place.manifest.stat().st_mtime  # what is older shows another library
    for path in [*sorted(place.html.glob("*.html")), *sorted(place.plots.glob("*.png"))]:
        if path.stat().st_mtime >= drawn_since:
            print(f"  {path}")
    print("\nSearch the library:")
    print(f"  {sys.executable} 04_similarity_search.py --workspace {place.root}")
    return 0


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
