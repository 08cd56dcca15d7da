"""Atomic writes: an output is complete or absent, also after a kill."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ztfml.errors import DataError
from ztfml.io.switch import finish_switch, switch_files, sync
from ztfml.io.temporary import temporary_beside

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def write_beside(path: str | Path, durable: bool = True) -> Iterator[Path]:
    """Write to a temporary file beside `path`, and rename it to `path` at the end.

    Parameters
    ----------
    path : str or Path
        The output file. An existing file is replaced only when the block ends without error.
    durable : bool
        Whether to wait until the disk has stored the file, so that it also survives a power
        failure. False is for many small files that can be made again.

    Yields
    ------
    Path
        The temporary file. After an error it is removed, and `path` is unchanged.

    Raises
    ------
    DataError
        If the folder does not exist or is not writable, or the disk is full.

    Examples
    --------
    >>> with write_beside("ranked.csv") as part:
    ...     ranked.to_csv(part, index=False)
    >>> len(pd.read_csv("ranked.csv")) == len(ranked)
    True
    """
    with write_together(path, durable=durable) as (part,):
        yield part


@contextmanager
def write_together(*paths: str | Path, durable: bool = True) -> Iterator[list[Path]]:
    """Write files that belong together, such as a night and its history.

    A reader sees all the old files or all the new ones. If the process is killed between the
    renames, the next run that uses the files finishes them.

    Parameters
    ----------
    *paths : str or Path
        The output files, all in one folder.
    durable : bool
        See `write_beside`.

    Yields
    ------
    list of Path
        The temporary files. If the block removes one, the output is removed too: a file of an
        earlier run does not belong to the new ones. After an error the temporary files are
        removed, and `paths` are unchanged.

    Raises
    ------
    DataError
        See `write_beside`.

    Examples
    --------
    >>> with write_together("a.txt", "b.txt") as parts:
    ...     for part in parts:
    ...         _ = part.write_text("new")
    >>> Path("b.txt").read_text()
    'new'
    """
    targets = [Path(path) for path in paths]
    with ExitStack() as stack:
        try:
            finish_switch(targets[0])
            parts = [stack.enter_context(_part_of(target)) for target in targets]
        except OSError as error:
            raise _not_writable(targets[0], error) from error
        with name_full_disk(targets[0]):
            yield parts
            for part in parts if durable else ():
                if part.exists():
                    sync(part)
        try:
            if len(parts) == 1:
                os.replace(parts[0], targets[0])
            else:
                switch_files(list(zip(parts, targets, strict=True)))
            if durable:
                sync(targets[0].parent)
        except OSError as error:
            raise _not_writable(targets[0], error) from error


@contextmanager
def name_full_disk(path: str | Path) -> Iterator[None]:
    """Name the output in the error if the disk is full.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    DataError
        If the block fails because the disk is full, a quota is exceeded or the disk is damaged.

    Examples
    --------
    >>> with name_full_disk("night.html"):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: night.html: cannot be written completely (No space left on device); ...
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DataError(
            f"{path}: cannot be written completely ({os.strerror(error.errno)}); free some space, "
            "or write to another disk"
        ) from error


def _part_of(target):
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    return temporary_beside(target)


def _not_writable(path, error):
    return DataError(
        f"{path}: cannot be written ({error.strerror}); use an existing, writable folder"
    )
