"""Forged artifacts are loaded or refused in one line; ``benchmarks/fuzz_artifacts.py`` forges more of them."""

import pytest

from benchmarks.fuzz_artifacts import ARTIFACTS, forged, make_workspace, outcome_of, path_of
from songmap.core.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("forged"))


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_forged_artifacts_are_loaded_or_refused_in_one_line(workspace: Workspace, artifact: str):
    paths = path_of(workspace, artifact), workspace.manifest
    contents = [path.read_bytes() for path in paths]
    outcomes = []
    for index in range(20):
        outcomes.append(outcome_of(workspace, artifact, forged(contents[0], artifact, 1, index)))
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
    assert set(outcomes) <= {"embedded", "refused"}
    assert "refused" in outcomes
    assert outcome_of(workspace, artifact, contents[0]) == "embedded"
