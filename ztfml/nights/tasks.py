"""One night in one process: run the step, and return counts or a sentence."""

import errno
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ztfml.errors import ZtfmlError
from ztfml.nights.staged import Location, label_of, staged
from ztfml.nights.steps import Step, Write


@dataclass(frozen=True)
class Task:
    """One night to process.

    Parameters
    ----------
    step : Step
    settings : str
        Digest of the settings (see `ztfml.nights.fingerprints`).
    night : Path or str
    history : Path, optional
        Separate file of previous candidates.
    output : Path or str
    inputs : str
        Digest of the files of the night.
    """

    step: Step
    settings: str
    night: Location
    history: Path | None
    output: Location
    inputs: str

    @property
    def label(self) -> str:
        """The night in messages and records."""
        return label_of(self.night)


@dataclass(frozen=True)
class Result:
    """The result of a task; the data are in the output file.

    Parameters
    ----------
    task : Task
    counts : dict of str to int
    error : str, optional
        Why the night failed, in one sentence.
    seconds : float
        Duration.
    size : int
        Size of the output in bytes.
    may_pass : bool
        Whether the same task may succeed if it is repeated.
    """

    task: Task
    counts: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0
    size: int = 0
    may_pass: bool = False


_PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EHOSTDOWN, errno.ENOTCONN)
# The threads of a Dask worker share the model and the compiled code of a process.
_one_at_a_time = threading.Lock()


def run_task(task: Task) -> Result:
    """Process one night.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Result
        With an error if the night is bad; the other nights continue.

    Examples
    --------
    >>> from ztfml.nights.steps import Predict
    >>> task = Task(Predict(), "", Path("night.parquet"), None, Path("p.parquet"), "")
    >>> run_task(task).counts["alerts"]
    300
    """
    started = time.monotonic()
    counts, error, size, may_pass = {}, None, 0, False
    with _one_at_a_time:
        try:
            write = loaded(task.step, task.settings)
            with staged(task.night, task.output) as (night, output):
                counts = write(night, task.history, output)
                size = output.stat().st_size
        except ZtfmlError as failure:
            error = str(failure)
            may_pass = _may_pass(failure.__cause__)
        except OSError as failure:
            error = f"{failure.filename or task.label}: {failure.strerror or failure}"
            may_pass = _may_pass(failure)
        except MemoryError:
            error = f"{task.label}: the memory is full; use fewer processes or a larger computer"
        except Exception as failure:
            text = " ".join(str(failure).split())[:300]
            error = (
                f"{task.label}: internal error ({type(failure).__name__}: {text}); please report "
                "it, with the output of `ztfml --debug` for this night"
            )
    return Result(task, counts, error, time.monotonic() - started, size, may_pass)


def _may_pass(cause):
    """Whether a network file system may succeed next time; a damaged file has no error number."""
    return isinstance(cause, OSError) and cause.errno in _PASSING


@lru_cache(maxsize=2)
def loaded(step: Step, settings: str) -> Write:
    """Read the model and the catalogues of a step, once per process.

    Parameters
    ----------
    step : Step
    settings : str
        Digest of the settings: a changed model is read again.

    Returns
    -------
    callable
        The function that processes one night.

    Examples
    --------
    >>> from ztfml.nights.steps import Ingest
    >>> loaded(Ingest(), "") is loaded(Ingest(), "")
    True
    """
    return step.load()


def compile_code() -> None:
    """Compile the functions for features, or load them if they are in the cache.

    Examples
    --------
    >>> compile_code()
    """
    import pandas as pd

    from ztfml.features import compute
    from ztfml.night import Night

    alert = {"objectId": "ZTF20aaaaaaa", "candid": 1, "jd": 2459000.7, "fid": 1, "magpsf": 18.0}
    alert |= {"sigmapsf": 0.1, "isdiffpos": "t", "ra": 10.0, "dec": 10.0}
    compute(Night.from_frames(pd.DataFrame([alert]), name="one alert"))
