"""Replace several files, or a folder, as one step that a kill cannot interrupt halfway.

The complete new files are written beside the old ones. A journal beside them lists the renames
that follow. After a kill, the next run that reads or writes the output finishes these renames.
"""

import ctypes
import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ztfml.errors import DataError
from ztfml.io.temporary import temporary_name

# A switch takes milliseconds; a process that holds the journal for longer is stopped.
_WAIT_SECONDS = 10.0
_MOST_READS = 100

_T = TypeVar("_T")

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV)

# Held during a switch, so that a process that must end at once does not end halfway.
switching = threading.RLock()


def switch_files(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename files so that either all or none have their new content.

    Parameters
    ----------
    moves : sequence of (Path, Path)
        Temporary file and target, all in one folder. If the temporary file does not exist, the
        target is removed. The journal is named after the first target.

    Raises
    ------
    OSError
        If a rename fails.
    DataError
        If another process does not finish its switch of the same files.

    Examples
    --------
    >>> for name in ("new1", "new2"):
    ...     _ = Path(name).write_text("new")
    >>> switch_files([(Path("new1"), Path("a.csv")), (Path("new2"), Path("b.csv"))])
    >>> Path("b.csv").read_text()
    'new'
    """
    renames, removed = [], []
    for part, target in moves:
        if part.exists():
            renames.append((part.name, target.name, None))
        elif target.exists():
            removed.append(temporary_name(target))
            renames.append((target.name, removed[-1].name, None))
    _switch(renames, moves[0][1])
    for path in removed:
        path.unlink(missing_ok=True)


def switch_folder(part: Path, folder: Path) -> None:
    """Rename a folder to another, which may exist.

    Parameters
    ----------
    part : Path
        The new folder. Afterwards it may contain the old one; the caller removes it.
    folder : Path

    Raises
    ------
    OSError
        If the folder cannot be replaced.

    Examples
    --------
    >>> for name in ("new", "old"):
    ...     Path(name).mkdir()
    ...     _ = (Path(name) / "a.txt").write_text(name)
    >>> switch_folder(Path("new"), Path("old"))
    >>> Path("old/a.txt").read_text()
    'new'
    """
    try:
        os.rename(part, folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if not _exchange(part, folder):
            _switch([(part.name, folder.name, temporary_name(folder).name)], folder)


def sync(path: Path) -> None:
    """Wait until the disk has stored a file, or the names in a folder.

    Without this, a file that was renamed just before a power failure can be empty. It takes about
    10 ms, less than 1 % of the time of any command.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If the disk is full or damaged.

    Examples
    --------
    >>> sync(Path("night.parquet"))
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot do this for folders.
        if error.errno not in _NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)


def finish_switch(path: str | Path) -> None:
    """Finish the switch of a run that was killed; wait for one that runs.

    Parameters
    ----------
    path : str or Path
        The first of the files, or the folder.

    Raises
    ------
    DataError
        If the switch cannot be finished here.

    Examples
    --------
    >>> finish_switch("night.parquet")
    """
    path = Path(path)
    journal = _journal_of(path)
    if not journal.exists():
        return
    try:
        with switching, _locked(journal, path):
            pass
    except OSError as error:
        raise DataError(
            f"{path}: an earlier run was killed while it replaced this, and the replacement cannot "
            f"be finished ({error.strerror}); make its folder writable, or write it again"
        ) from error


def read_unchanged(path: str | Path, read: Callable[[], _T]) -> _T:
    """Read files that are switched together, so that all are old or all are new.

    Parameters
    ----------
    path : str or Path
        The first of the files.
    read : callable
        Reads all of them; called again if another process replaces them meanwhile.

    Returns
    -------
    object
        The result of `read`.

    Raises
    ------
    DataError
        As `finish_switch`, and if the files are replaced all the time.

    Examples
    --------
    >>> read_unchanged("night.parquet", lambda: 5)
    5
    """
    for _ in range(_MOST_READS):
        before = _identity(path)
        finish_switch(path)
        result = read()
        if _identity(path) == before:
            return result
    raise DataError(f"{path}: another process replaces this all the time; wait until it ends")


def _identity(path):
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _journal_of(path):
    return temporary_name(path).with_name(f".{path.name[:56]}.switch")


def _switch(moves, path):
    with switching, _locked(_journal_of(path), path) as descriptor:
        content = json.dumps(moves).encode() + b"\n"
        os.pwrite(descriptor, content, 0)
        os.fsync(descriptor)
        _rename(path.parent, moves)


@contextmanager
def _locked(journal: Path, path: Path) -> Iterator[int]:
    """Lock a journal, finish what it lists, and remove it at the end.

    After an exception the renames are finished, because they may have begun.
    """
    descriptor = _open_locked(journal, path)
    try:
        _rename(path.parent, _read_moves(descriptor))
        os.ftruncate(descriptor, 0)
        try:
            yield descriptor
        finally:
            _rename(path.parent, _read_moves(descriptor))
            journal.unlink()
    finally:
        os.close(descriptor)


def _open_locked(journal, path):
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        descriptor = os.open(journal, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process that had the lock may have removed the file.
            if os.path.samestat(os.fstat(descriptor), os.stat(journal)):
                return descriptor
        except FileNotFoundError:
            pass
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise DataError(
                    f"{path}: another process is writing this and does not end; end it, and try "
                    "again"
                ) from error
            time.sleep(0.01)
        except OSError as error:
            # A file system without locks.
            if error.errno in (errno.ENOLCK, errno.ENOTSUP):
                return descriptor
            raise
        os.close(descriptor)


def _read_moves(descriptor):
    content = os.pread(descriptor, 1 << 20, 0)
    # Without a line end, the run was killed before the first rename.
    return json.loads(content) if content.endswith(b"\n") else []


def _rename(folder, moves):
    """Make the renames that have not been made."""
    for part, target, old in moves:
        if (folder / part).exists():
            if old is not None and (folder / target).exists():
                os.rename(folder / target, folder / old)
            os.replace(folder / part, folder / target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False if the file system or system (not Linux) cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = os.fsencode(one), os.fsencode(other)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(other))
