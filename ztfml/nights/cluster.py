"""Many nights on many computers, with a Dask cluster that the user has started.

The scheduler receives small records and returns counts; the workers read the nights and write the
outputs, so they need the same paths and the same version of ztfml.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from ztfml.errors import DataError
from ztfml.nights.tasks import Result, Task, compile_code, loaded, run_task

log = logging.getLogger(__name__)

_VERSION = version_of("ztfml")
_RETRIES = 2
_CONNECT_SECONDS = 20


def run_on_cluster(
    tasks: Sequence[Task], scheduler: str, prepare: bool = False
) -> Iterator[Result]:
    """Process nights on the workers of a Dask cluster.

    A worker that is killed costs only the time of its current night, which another worker
    repeats. A night that kills several workers fails, and the others continue.

    Parameters
    ----------
    tasks : sequence of Task
    scheduler : str
        Address (``tcp://host:8786``) or JSON file of the scheduler.
    prepare : bool
        Whether to compile the code and to check the model on every worker first.

    Yields
    ------
    Result
        In the order in which the nights end.

    Raises
    ------
    DataError
        If distributed is not installed, the scheduler cannot be reached, or a worker cannot be
        prepared.

    Examples
    --------
    It needs a cluster:

    >>> list(run_on_cluster(tasks, "tcp://10.0.0.1:8786"))   # doctest: +SKIP
    """
    with _connect(scheduler) as client:
        if not client.nthreads():
            log.info("%s: waiting for the first worker", scheduler)
        if prepare:
            _prepare_workers(client, tasks[0])
        suspects: list[Task] = []
        for task, result in _run(client, tasks, None):
            if result is None:
                suspects.append(task)
            else:
                yield result
        # A worker can have several nights when it is killed, so suspects are repeated alone.
        for task in suspects:
            for _, result in _run(client, [task], 1):
                yield result or Result(task, error=_killed(task))


def _run(client, tasks, at_once):
    """Yield each task with its result, or None if workers were killed during it."""
    from distributed import KilledWorker, as_completed

    waiting, running = deque(tasks), {}
    completed = as_completed(loop=client.loop)

    def submit():
        most = at_once or max(1, len(client.nthreads()))
        while waiting and len(running) < most:
            task = waiting.popleft()
            future = client.submit(_run_on_worker, task, _VERSION, pure=False, retries=_RETRIES)
            running[future] = task
            completed.add(future)

    submit()
    while running:
        future = next(completed)
        task = running.pop(future)
        if future.status == "cancelled":
            raise DataError(
                f"{task.label}: the connection to the scheduler was lost; run the command again "
                "to continue"
            )
        error = future.exception()
        if error is None:
            yield task, replace(future.result(), task=task)
        elif isinstance(error, KilledWorker):
            yield task, None
        else:
            yield task, Result(task, error=" ".join(str(error).split()))
        future.release()
        submit()


def _run_on_worker(task: Task, version: str) -> Result:
    if version != _VERSION:
        error = f"this worker has ztfml {_VERSION}, the command {version}; install one version"
        return Result(task, error=error)
    _limit_threads()
    result = run_task(task)
    if result.may_pass:
        # The scheduler repeats it, perhaps on another worker.
        raise OSError(result.error)
    return result


def _prepare(task: Task) -> str | None:
    """Load the model and compile the code on a worker; return an error."""
    from ztfml.errors import ZtfmlError

    _limit_threads()
    try:
        loaded(task.step, task.settings)
        compile_code()
    except (ZtfmlError, OSError) as error:
        return str(error)
    return None


def _limit_threads():
    from distributed import get_worker

    # ztfml.cpus and joblib read it.
    os.environ["LOKY_MAX_CPU_COUNT"] = str(get_worker().state.nthreads)


def _prepare_workers(client: Any, task: Task) -> None:
    futures = {
        address: client.submit(_prepare, task, workers=[address], pure=False)
        for address in client.nthreads()
    }
    for address, future in futures.items():
        error = future.result()
        if error:
            raise DataError(f"{error} (worker {address})")


def _connect(scheduler):
    try:
        from distributed import Client
    except ImportError as error:
        raise DataError(
            "--scheduler needs distributed; install it with: pip install 'ztfml[cluster]'"
        ) from error
    is_file = scheduler.endswith(".json")
    if is_file and not Path(scheduler).is_file():
        raise DataError(
            f"{scheduler}: there is no such file; start a Dask scheduler that writes it"
        )
    where = {"scheduler_file": scheduler} if is_file else {"address": scheduler}
    try:
        return Client(**where, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise DataError(
            f"{scheduler}: there is no Dask scheduler at this address; start one, or check the "
            "address"
        ) from error


def _killed(task):
    return (
        f"{task.label}: workers were killed whenever they processed this night, perhaps because "
        "its memory is too large; use workers with more memory"
    )
