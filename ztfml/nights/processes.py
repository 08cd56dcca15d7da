"""Several nights at the same time on one computer, with the worker processes of loky."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice
from threading import Thread

from ztfml.errors import DataError
from ztfml.nights.tasks import Result, Task, run_task

# One thread per process, also in the libraries; ztfml.cpus and joblib read the first name.
_LIMITS = ("LOKY_MAX_CPU_COUNT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_ENVIRONMENT = dict.fromkeys(_LIMITS, "1")
_IDLE_SECONDS = 60
_WATCH_SECONDS = 0.5


def run_here(tasks: Sequence[Task]) -> Iterator[Result]:
    """Process nights one after the other in this process.

    Parameters
    ----------
    tasks : sequence of Task

    Yields
    ------
    Result

    Examples
    --------
    >>> list(run_here([]))
    []
    """
    for task in tasks:
        yield run_task(task)


def run_in_processes(tasks: Sequence[Task], n_jobs: int) -> Iterator[Result]:
    """Process several nights at the same time, each in a process with one thread.

    Parameters
    ----------
    tasks : sequence of Task
    n_jobs : int
        Number of processes.

    Yields
    ------
    Result
        In the order in which the nights end.

    Raises
    ------
    DataError
        If a process was killed, for example because the memory is full.

    Examples
    --------
    >>> list(run_in_processes([], 2))
    []
    """
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    executor = ProcessPoolExecutor(
        n_jobs, timeout=_IDLE_SECONDS, initializer=_end_quietly, env=_ENVIRONMENT
    )
    waiting = iter(tasks)
    # No more tasks than processes, so that after a kill the nights in work are known.
    running = {executor.submit(run_task, task): task for task in islice(waiting, n_jobs)}
    try:
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            killed = []
            for future in ended:
                task = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    killed.append(task)
                    continue
                result = future.result()
                yield result
            if killed:
                raise _killed([*killed, *running.values()])
            for task in islice(waiting, n_jobs - len(running)):
                running[executor.submit(run_task, task)] = task
    finally:
        executor.shutdown(wait=not running, kill_workers=bool(running))


def _killed(tasks):
    nights = " or ".join(sorted(task.label for task in tasks))
    return DataError(
        f"{nights}: a worker process was killed during this night, perhaps because the memory is "
        "full; run the command again to continue, with fewer --jobs or without this night"
    )


def _end_quietly():
    """Set up a worker: the main process handles Ctrl-C and ends it with SIGTERM.

    A worker also ends when the main process was killed.
    """
    from ztfml.io.temporary import remove_all_temporary

    def end(number, frame=None):
        remove_all_temporary()
        os._exit(128 + number)

    def end_without(parent):
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        end(signal.SIGTERM)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    Thread(target=end_without, args=(os.getppid(),), daemon=True).start()
