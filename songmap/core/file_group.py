"""Files that are replaced together: a reader gets all old or all new ones, however a writer ends.

The new files are written below a hidden folder. When they are complete it is renamed: from then on they are the ones
that count. Then they are moved to their places. A reader looks into the renamed folder first, so that it does not
matter to it how far the moves are; moves that a process did not finish, since it was killed, the next run finishes.
"""

import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from songmap.core.errors import SchemaError
from songmap.core.files import open_regular, read_json, read_whole, reading, sync, write_atomically, write_json
from songmap.core.locks import exclusive

T = TypeVar("T")
_LIST = "files.json"
_BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class FileGroup:
    """Some files below the folder ``root``.

    Attributes
    ----------
    root : Path
    name : str
        Path below ``root`` that the names of hidden folders and of the lock begin with, e.g. ``models/.genre``.
    made_by : str
        The script that writes the files, for errors.
    """

    root: Path
    name: str
    made_by: str

    def open(self, path: Path) -> BufferedReader:
        """Open a file of the group, the new one where there is one. Raises OSError."""
        new = self._complete / path.relative_to(self.root)
        for place in (new, path, new):  # while this looks, a new one may come, and may be moved
            try:
                return open_regular(place)
            except FileNotFoundError:
                continue
        return open_regular(path)

    def exists(self, path: Path) -> bool:
        """Whether a file of the group exists, readable or not."""
        try:
            self.open(path).close()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def read(self, path: Path) -> bytes:
        """The content of a file of the group. Raises SchemaError, which names the script that makes it."""
        with reading(path, self.made_by), self.open(path) as stream:
            return read_whole(path, stream, self.made_by)

    def read_together(self, paths: Collection[Path], read: Callable[..., T]) -> T:
        """Call ``read`` with several files of one run, open for reading.

        ``read`` raises SchemaError for files that do not belong together. They are opened again where others have
        taken their places meanwhile.
        """
        before = None
        while True:
            state, streams = [], []
            with ExitStack() as stack:
                try:
                    for path in paths:
                        with reading(path, self.made_by):
                            streams.append(stack.enter_context(self.open(path)))
                        status = os.fstat(streams[-1].fileno())
                        state.append(
                            (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                        )
                    return read(*streams)
                except SchemaError:
                    if state == before:
                        raise
            before = state

    @contextmanager
    def locked(self, in_use: str, wait_s: float = 0) -> Iterator[None]:
        """Be the only process that replaces the files; see ``songmap.core.locks.exclusive``."""
        with exclusive(self._beside("lock"), in_use, wait_s):
            yield

    @contextmanager
    def replacing(self, members: Collection[Path]) -> Iterator[Path]:
        """Yield a folder in which to write the new files, at their paths below ``root``; then replace the old ones.

        The caller holds the lock. After an error the old files are as they were.

        Parameters
        ----------
        members : collection of Path
            All paths that the group can consist of: what is not written is removed.
        """
        self.finish(members)
        staging = self._beside("new")
        staging.mkdir(parents=True)
        try:
            yield staging
            names = [path.relative_to(self.root) for path in members]
            write_json(staging / _LIST, {"files": [name.as_posix() for name in names if (staging / name).is_file()]})
            for path in staging.rglob("*"):
                sync(path)
            staging.rename(self._complete)
            sync(self._complete.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)  # after the rename there is nothing to remove
        self.finish(members)

    def finish(self, members: Collection[Path]) -> None:
        """Finish the moves of a run that was killed, and remove what another left. The caller holds the lock."""
        if self._beside("new").is_dir():
            shutil.rmtree(self._beside("new"))
        if not self._complete.is_dir():
            return
        files = read_json(self._complete / _LIST, self.made_by).get("files")
        if not isinstance(files, list):
            raise SchemaError(f"{self._complete} is damaged; delete it and run {self.made_by} again")
        for path in members:  # and no other path that a forged list names
            name = path.relative_to(self.root)
            if name.as_posix() not in files:
                path.unlink(missing_ok=True)
            elif (self._complete / name).is_file():
                _move(self._complete / name, path)
        self._complete.rename(self._beside("new"))  # no longer what counts, however far it is removed
        shutil.rmtree(self._beside("new"))

    @property
    def _complete(self) -> Path:
        return self._beside("complete")

    def _beside(self, suffix: str) -> Path:
        return self.root / f"{self.name}.{suffix}"


def _move(new: Path, path: Path) -> None:
    """Move a file; one with the same bytes is left alone, so that its time says when its content changed."""
    if path.is_file() and _equal(new, path):
        new.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        write_atomically(path, partial(shutil.copyfile, new))  # a folder of the workspace is on another disk
        new.unlink()


def _equal(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while (block := first.read(_BLOCK_BYTES)) == second.read(_BLOCK_BYTES):
            if not block:
                return True
    return False
