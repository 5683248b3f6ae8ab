"""Files that are replaced together are all old or all new, wherever a writer is killed."""

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import pytest
from waiting import wait_until

from songmap.core.errors import SchemaError
from songmap.core.file_group import FileGroup
from songmap.core.files import write_atomically
from songmap.core.locks import exclusive

# a process that writes versions 1, 2 … of a group of files; it is killed before the n-th change of a name
WRITER = """
import os, signal, sys
from pathlib import Path
from threading import Timer
from songmap.core.file_group import FileGroup
from songmap.core.files import write_atomically

root, n_versions, fatal = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
changes = 0
def counted(change):
    def wrapper(*arguments, **options):
        global changes
        if changes == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        changes += 1
        return change(*arguments, **options)
    return wrapper
for name in ("rename", "replace", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))

group, version = FileGroup(root, "a/.group", "03.py"), 0
members = [root / name for name in ("a/1", "a/2", "b/1", "b/only even", "c")]
while version != n_versions:
    version += 1
    with group.locked("in use", 10), group.replacing(members) as folder:
        for path in members:
            if version % 2 == 0 or path.name != "only even":
                write_atomically(folder / path.relative_to(root), f"{version}".encode() * 1000)
    print(version, flush=True)
"""
NAMES = ("a/1", "a/2", "b/1", "b/only even", "c")


def group_of(root: Path) -> FileGroup:
    return FileGroup(root, "a/.group", "03.py")


def members_of(root: Path) -> list[Path]:
    return [root / name for name in NAMES]


def write(root: Path, contents: dict[str, bytes]) -> None:
    group = group_of(root)
    with group.locked("in use"), group.replacing(members_of(root)) as folder:
        for name, content in contents.items():
            write_atomically(folder / name, content)


def files_in(root: Path) -> dict[str, bytes]:
    """All files but the lock."""
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if not name.endswith(".lock")}


def finished(root: Path) -> set[bytes]:
    """The versions of the files after the next run began."""
    with group_of(root).locked("in use"):
        group_of(root).finish(members_of(root))
    files = files_in(root)
    assert set(files) in ({*NAMES}, {*NAMES} - {"b/only even"})
    version = int(files["c"][: len(files["c"]) // 1000])
    assert ("b/only even" in files) == (version % 2 == 0)
    return set(files.values())


def test_new_files_replace_the_old_ones_and_what_is_not_written_is_removed(tmp_path):
    write(tmp_path, {"a/1": b"1", "b/1": b"1"})
    (tmp_path / "b" / "other").write_bytes(b"of nobody")
    write(tmp_path, {"a/1": b"2", "c": b"2"})
    assert files_in(tmp_path) == {"a/1": b"2", "c": b"2", "b/other": b"of nobody"}


def test_an_error_leaves_the_old_files_and_nothing_else(tmp_path):
    write(tmp_path, {"a/1": b"1", "b/1": b"1"})
    with pytest.raises(OSError, match="full"), group_of(tmp_path).replacing(members_of(tmp_path)) as folder:
        write_atomically(folder / "a/1", b"2")
        raise OSError("disk full")
    assert files_in(tmp_path) == {"a/1": b"1", "b/1": b"1"}


def test_a_file_with_the_same_bytes_keeps_its_time(tmp_path):
    write(tmp_path, {"a/1": b"1", "c": b"1"})
    before = (tmp_path / "a/1").stat()
    write(tmp_path, {"a/1": b"1", "c": b"2"})
    assert (tmp_path / "a/1").stat().st_ino == before.st_ino
    assert (tmp_path / "a/1").stat().st_mtime_ns == before.st_mtime_ns


def test_a_folder_on_another_disk_gets_copies(tmp_path, monkeypatch):
    rename = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if ".complete" in str(path):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    write(tmp_path, {"a/1": b"1", "b/1": b"1"})
    assert files_in(tmp_path) == {"a/1": b"1", "b/1": b"1"}


def test_killed_before_any_change_of_a_name_all_are_old_or_all_new(tmp_path):
    outcomes = []
    for fatal in range(100):
        root = tmp_path / str(fatal)
        write(root, dict.fromkeys(("a/1", "a/2", "b/1", "b/only even", "c"), b"0" * 1000))
        status = subprocess.run([sys.executable, "-c", WRITER, root, "1", str(fatal)], capture_output=True).returncode
        if status == 0:
            break
        assert status == -signal.SIGKILL
        group = group_of(root)
        seen = {
            group.read(path) for path in members_of(root) if path.name != "only even"
        }  # before anything is finished
        assert len(seen) == 1
        assert seen == finished(root)
        outcomes.append(seen.pop()[:1])
    assert outcomes.count(b"0") >= 5
    assert outcomes.count(b"1") >= 5
    assert outcomes == sorted(outcomes)
    assert finished(root) == {b"1" * 1000}


def test_killed_at_any_time_all_are_of_one_version(tmp_path):
    for turn in range(12):
        process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, "-1", "-1"], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.003 * turn)
        process.kill()
        process.wait()
        process.stdout.close()
        assert len(finished(tmp_path)) == 1


def test_files_that_are_read_together_are_of_one_version(tmp_path):
    """Against a process that writes all the time; none is missing, and no read is refused."""
    group, (one, *_, other) = group_of(tmp_path), members_of(tmp_path)

    def read(first, second):
        contents = first.read(), second.read()
        if contents[0] != contents[1]:
            raise SchemaError("torn")
        return contents[0]

    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, "-1", "-1"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        versions: set[bytes] = set()
        wait_until(
            lambda: versions.update(group.read_together([one, other], read) for _ in range(200)) or len(versions) > 9
        )
        process.kill()


def test_files_that_do_not_belong_together_are_refused_when_nobody_writes(tmp_path):
    write(tmp_path, {"a/1": b"1", "c": b"2"})
    calls = []

    def read(*streams):
        calls.append([stream.read() for stream in streams])
        raise SchemaError("mixed up")

    with pytest.raises(SchemaError, match="mixed up"):
        group_of(tmp_path).read_together([tmp_path / "a/1", tmp_path / "c"], read)
    assert calls == [[b"1", b"2"]] * 2
    with pytest.raises(SchemaError, match=r"b/1 does not exist; run 03.py first"):
        group_of(tmp_path).read_together([tmp_path / "b/1"], read)


@pytest.mark.parametrize("forged", [b"", b"[]", b"{}", b"[" * 100_000, b'{"files": 7}'])
def test_a_forged_list_of_new_files_is_one_line(tmp_path, forged):
    write(tmp_path, {"a/1": b"1"})
    complete = tmp_path / "a" / ".group.complete"
    complete.mkdir()
    (complete / "files.json").write_bytes(forged)
    with pytest.raises(SchemaError, match=r"run 03.py again"):
        group_of(tmp_path).finish(members_of(tmp_path))
    assert (tmp_path / "a/1").read_bytes() == b"1"


def test_a_forged_list_names_no_files_of_others(tmp_path):
    (tmp_path / "other").write_bytes(b"of nobody")
    complete = tmp_path / "a" / ".group.complete"
    complete.mkdir(parents=True)
    (complete / "files.json").write_bytes(b'{"files": ["other", "../outside"]}')
    (complete / "other").write_bytes(b"forged")
    group_of(tmp_path).finish(members_of(tmp_path))
    assert files_in(tmp_path) == {"other": b"of nobody"}


def test_a_lock_is_held_by_one_process_and_ends_with_it(tmp_path):
    lock = tmp_path / "folder" / ".lock"
    code = (
        "import sys, time; from pathlib import Path; from songmap.core.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'in use'):\n    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(SchemaError, match="another run"), exclusive(lock, "another run"):
            pass
        process.kill()
    with exclusive(lock, "another run"):
        pass


def test_a_lock_can_be_waited_for(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from songmap.core.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'in use'):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, tmp_path / ".lock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        process.stdout.readline()
        Timer(0.2, process.stdin.close).start()  # at once, the process may have ended before the lock is wanted
        with exclusive(tmp_path / ".lock", "another run", 60):
            pass


def test_a_file_that_cannot_be_a_lock_is_one_line(tmp_path):
    (tmp_path / ".lock").write_bytes(b"no database" * 100)
    with pytest.raises(SchemaError, match="cannot be locked"), exclusive(tmp_path / ".lock", "another run"):
        pass


def test_errors_inside_a_lock_stay_what_they_are(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / ".lock", "another run"):
        raise ZeroDivisionError
    with exclusive(tmp_path / ".lock", "another run"):
        pass
