"""Kernels are compiled for stated types, also where no folder can keep them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from songmap.core.workspace import REPOSITORY
from songmap.features import kernels, medians, spectral_features


@pytest.mark.skipif(os.name == "nt", reason="folders that cannot be written are made otherwise there")
def test_an_install_without_a_cache_folder_still_computes(tmp_path: Path):
    folder = tmp_path / "songmap" / "features"
    folder.mkdir(parents=True)
    for package in ("songmap", "songmap/features"):
        (tmp_path / package / "__init__.py").touch()
    source = (REPOSITORY / "songmap/features/compiled.py").read_text(encoding="utf-8")
    (folder / "compiled.py").write_text(source, encoding="utf-8")
    (folder / "__pycache__").touch()  # no folder can be made in its place, by root either
    (tmp_path / "one.py").write_text(
        'from songmap.features.compiled import compiled\n\n\n@compiled("int64,")\ndef one(x):\n    return x + 1\n\n\nprint(one(41))\n'
    )
    (tmp_path / "__pycache__").touch()
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/x", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "one.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("42\n", "")


@pytest.mark.parametrize("module", [kernels, medians, spectral_features])
def test_kernels_have_one_signature_each(module):
    """With several, processes that compile at the same time could mistake one for another in numba's cache."""
    kept = [one for one in vars(module).values() if getattr(getattr(one, "stats", None), "cache_path", None)]
    assert kept
    assert [len(kernel.signatures) for kernel in kept] == [1] * len(kept)


def test_other_types_are_refused():
    with pytest.raises(TypeError):
        kernels.divide(np.ones(2), 2.0)
