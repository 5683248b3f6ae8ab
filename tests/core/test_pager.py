"""Long texts at a terminal go through a pager, and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest

from songmap.core import pager

PROGRAM = "from songmap.core.pager import show; show('\\n'.join(map(str, range({n_lines}))))"
NUMBERING = "sed s/^/paged-/"


def shown_at_terminal(n_lines: int, **environment: str) -> str:
    """What a terminal of 24 lines shows of so many lines."""
    process, screen = pty.fork()
    if process == 0:
        os.environ |= {"LINES": "24", "COLUMNS": "80", "TERM": "xterm"} | environment
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM.format(n_lines=n_lines)])
    shown = b""
    try:
        while data := os.read(screen, 65536):
            shown += data
    except OSError:  # its other end is closed
        pass
    os.close(screen)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    return shown.decode()


@pytest.mark.parametrize(("n_lines", "paged"), [(23, False), (24, True)])
def test_only_what_is_longer_than_the_terminal_is_paged(n_lines, paged):
    lines = shown_at_terminal(n_lines, PAGER=NUMBERING).split()
    assert lines == [f"{'paged-' * paged}{line}" for line in range(n_lines)]


@pytest.mark.parametrize("command", ["", "cat", "no-such-pager-program 2>&-"])
def test_without_a_pager_everything_is_printed(command):
    assert shown_at_terminal(99, PAGER=command).split() == [str(line) for line in range(99)]


def test_where_people_do_not_read_there_is_no_pager():
    command = [sys.executable, "-c", PROGRAM.format(n_lines=99)]
    environment = os.environ | {"PAGER": NUMBERING, "LINES": "24"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert result.stdout.split() == [str(line) for line in range(99)]


def test_a_pager_can_end_early():
    assert shown_at_terminal(9999, PAGER="head -n 1").split() == ["0"]


def test_less_is_the_default_where_it_is_installed(monkeypatch):
    monkeypatch.delenv("PAGER", raising=False)
    for found, command in (("/usr/bin/less", "less"), (None, "")):
        monkeypatch.setattr(pager.shutil, "which", lambda _, found=found: found)
        assert pager._pager() == command
