"""Where artifacts are."""

from songmap.core.workspace import REPOSITORY, Workspace


def test_the_workspace_is_the_current_folder_where_that_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Workspace.default().root == REPOSITORY
    (tmp_path / "data").mkdir()
    assert Workspace.default().root == tmp_path
