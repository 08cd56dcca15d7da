"""Temporary files and folders beside an output, and removal of those that killed runs left.

Each one is locked (`flock`) while its process runs. The kernel releases the lock when the process
ends for any reason, so an unlocked one is a leftover. Process ids cannot show this: they repeat
in a restarted container.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TOKEN_BYTES = 6
# File names have at most 255 bytes; a character has up to 4.
_MAX_NAME = 56

_in_use: set[Path] = set()


@contextmanager
def temporary_beside(path: str | Path, is_folder: bool = False) -> Iterator[Path]:
    """Create a temporary file or folder beside a path, and remove it at the end if it is there.

    Leftovers of killed runs for the same path are removed first, but never those of a process
    that runs.

    Parameters
    ----------
    path : str or Path
        The output that it belongs to; the folder of this path must exist.
    is_folder : bool

    Yields
    ------
    Path

    Raises
    ------
    OSError
        If it cannot be created.

    Examples
    --------
    >>> with temporary_beside("spill", is_folder=True) as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    path = Path(path)
    remove_leftovers(path)
    part, lock = _create(path, is_folder)
    _in_use.add(part)
    try:
        yield part
    finally:
        _remove(part)
        _in_use.discard(part)
        os.close(lock)


def temporary_name(path: Path) -> Path:
    """Return an unused hidden name beside a path, which `remove_leftovers` recognises.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path

    Examples
    --------
    >>> temporary_name(Path("nights/a.parquet")).name.startswith(".a.parquet.")
    True
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    return path.parent / f".{path.name[:_MAX_NAME]}.{token}.part"


def remove_leftovers(path: Path) -> None:
    """Remove what killed runs left beside a path.

    Parameters
    ----------
    path : Path
        The output of these runs.

    Examples
    --------
    >>> killed = temporary_name(Path("night.csv"))
    >>> _ = killed.write_text("incomplete")
    >>> remove_leftovers(Path("night.csv"))
    >>> killed.exists()
    False
    """
    name = re.escape(path.name[:_MAX_NAME])
    pattern = re.compile(rf"\.{name}\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}\.part")
    try:
        found = [entry for entry in os.listdir(path.parent) if pattern.fullmatch(entry)]
    except OSError:
        return
    for entry in found:
        part = path.parent / entry
        if part in _in_use:
            continue
        lock = _lock(part)
        if lock is not None:
            _remove(part)
            os.close(lock)


def remove_all_temporary() -> None:
    """Remove the temporary files of this process, before it ends without unwinding its stack.

    Examples
    --------
    >>> with temporary_beside("night.csv") as part:
    ...     remove_all_temporary()
    ...     part.exists()
    False
    """
    for part in list(_in_use):
        _remove(part)


def _create(path, is_folder):
    """Create a part and lock it; another run may take it for a leftover in between."""
    while True:
        part = temporary_name(path)
        if is_folder:
            part.mkdir()
        else:
            # The kernel applies the umask of the process.
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        with suppress(FileNotFoundError):
            lock = os.open(part, os.O_RDONLY if is_folder else os.O_RDWR)
            if _is_ours(lock) and _is_at(lock, part):
                return part, lock
            os.close(lock)


def _is_ours(lock):
    """Lock a new part, unless another run is about to remove it as a leftover."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # On a file system without locks, no run removes the leftovers of others.
    return True


def _lock(part):
    """Lock a part of a process that ended; None if its process runs."""
    try:
        lock = os.open(part, os.O_RDONLY if part.is_dir() else os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _is_at(descriptor, path):
    """Whether an open file is still the one that its path names."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _remove(part):
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink(missing_ok=True)
