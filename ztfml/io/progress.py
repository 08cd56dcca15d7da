"""A bar on work that takes longer than two seconds, on stderr, for people only."""

import sys
import time

SHOW_AFTER = 2.0

_wanted = False


def show_progress(wanted):
    """Switch bars on (the command line does) or off (the default in a program or notebook).

    >>> show_progress(False)
    """
    global _wanted
    _wanted = wanted


def track(items, description, total=None):
    """Pass items on, with a bar once two seconds have gone.

    Parameters
    ----------
    items : iterable
    description : str
        What is being done, e.g. ``"reading packets"``.
    total : int, optional
        How many items there are; by default ``len(items)`` where it has one.

    Yields
    ------
    object
        The items, one by one.

    Examples
    --------
    >>> list(track([1, 2], "counting"))
    [1, 2]
    """
    if not (_wanted and sys.stderr.isatty()):
        yield from items
        return
    total = total if total is not None else getattr(items, "__len__", lambda: None)()
    bar, task, done = None, None, 0
    begun = time.monotonic()
    try:
        for item in items:
            yield item
            done += 1
            if bar is None and time.monotonic() - begun > SHOW_AFTER:
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
