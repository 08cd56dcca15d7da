"""Progress bars on stderr for work that takes more than two seconds.

Bars are shown on terminals only.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SHOW_AFTER = 2.0
"""Seconds before a bar appears."""

_enabled = False


def show_progress(enabled: bool) -> None:
    """Switch progress bars on or off; they are off by default.

    Parameters
    ----------
    enabled : bool

    Examples
    --------
    >>> show_progress(False)
    """
    global _enabled
    _enabled = enabled


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over items, and show a progress bar after two seconds.

    Parameters
    ----------
    items : iterable
    description : str
        Text beside the bar, e.g. ``"reading packets"``.
    total : int, optional
        Number of items; by default ``len(items)`` if `items` has a length.

    Yields
    ------
    object
        The items.

    Examples
    --------
    >>> list(track([1, 2], "counting"))
    [1, 2]
    """
    if not (_enabled and sys.stderr.isatty()):
        yield from items
        return
    total = total if total is not None else getattr(items, "__len__", lambda: None)()
    bar, task, done = None, None, 0
    started = time.monotonic()
    try:
        for item in items:
            yield item
            done += 1
            if bar is None and time.monotonic() - started > SHOW_AFTER:
                bar = _start_bar()
                task = bar.add_task(description, total=total)
            if bar is not None:
                bar.update(task, completed=done)
    finally:
        if bar is not None:
            bar.stop()


def _start_bar():
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar
