"""UMAP is compiled where no folder can keep what is compiled, too."""

import os
import subprocess
import sys
from pathlib import Path

from songmap.core.workspace import REPOSITORY

# as umap-learn beside which, and in a home where, numba cannot write
UMAP_WITHOUT_A_FOLDER = """
import numba

if not numba.config.CACHE_DIR:
    raise RuntimeError("cannot cache function 'rdist': no locator available")


class UMAP:
    pass
"""
USE = """
import os
from numba import config
from songmap.journey.embedding import _umap_class

print(_umap_class().__name__, os.path.isdir(config.CACHE_DIR), config.CACHE_DIR)
"""


def test_a_temporary_folder_takes_the_place_of_one_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "umap.py").write_text(UMAP_WITHOUT_A_FOLDER)
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    done = subprocess.run([sys.executable, "-c", USE], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    name, was_there, folder = done.stdout.split(maxsplit=2)
    assert (name, was_there) == ("UMAP", "True")
    assert not Path(folder.strip()).exists()
