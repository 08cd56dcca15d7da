"""Process many nights: skip those that are done, record each one, continue after bad nights."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ztfml.cpus import cpu_count
from ztfml.errors import DataError
from ztfml.io.companions import forced_beside, history_beside
from ztfml.io.output_paths import check_writable_folder, refuse_inputs
from ztfml.io.progress import track
from ztfml.nights.fingerprints import input_digest, settings_digest
from ztfml.nights.manifest import FAILED, Manifest, locked
from ztfml.nights.names import output_names
from ztfml.nights.options import Options
from ztfml.nights.processes import run_here, run_in_processes
from ztfml.nights.steps import Step
from ztfml.nights.tasks import Result, Task, compile_code, loaded

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_REMARKS = 30.0


@dataclass
class Summary:
    """The result of a batch.

    Parameters
    ----------
    folder : Path
        The output folder.
    outputs : dict of Path to Path
        The output of each night, also of those that were done before.
    n_written, n_done : int
        Numbers of nights that this run and earlier runs processed.
    failed : dict of Path to str
        The error of each bad night.
    counts : collections.Counter
        Sums over the nights of this run.
    """

    folder: Path
    outputs: dict[Path, Path] = field(default_factory=dict)
    n_written: int = 0
    n_done: int = 0
    failed: dict[Path, str] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)

    def __str__(self):
        parts = [_plural(self.n_written, "night") + " written"]
        if self.n_done:
            parts.append(f"{self.n_done} done before")
        if self.failed:
            parts.append(f"{len(self.failed)} failed ({self.folder / FAILED})")
        numbers = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"{', '.join(parts)}{': ' if numbers else ''}{numbers}"


def run_batch(
    step: Step,
    nights: Iterable[str | Path],
    folder: str | Path,
    options: Options | None = None,
    history: Path | None = None,
) -> Summary:
    """Process many nights, each to one file in a folder.

    Nights are skipped if their output exists and was made from the same files, with the same
    model, options and version. A bad night is written to ``failed.csv``, and the others continue.

    Parameters
    ----------
    step : Step
        What to do with each night (see `ztfml.nights.steps`).
    nights : iterable of str or Path
    folder : str or Path
        The output folder; it is created if it does not exist.
    options : Options, optional
    history : Path, optional
        A separate file of previous candidates, for one night only.

    Returns
    -------
    Summary

    Raises
    ------
    DataError
        If an output is also an input or not from an earlier batch, if another run uses the
        folder, or if a worker process was killed.
    ModelError
        If the model cannot be used.

    Examples
    --------
    >>> from ztfml.nights.steps import Rank
    >>> print(run_batch(Rank(top=5), ["night.parquet"], "ranked"))
    1 night written: 300 alerts, 5 listed
    >>> print(run_batch(Rank(top=5), ["night.parquet"], "ranked"))
    0 nights written, 1 done before
    """
    options, folder = options or Options(), Path(folder).absolute()
    paths = list(dict.fromkeys(Path(night).resolve() for night in nights))
    check_writable_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        manifest = Manifest(folder, step.name)
        names = output_names(paths, step.suffix, manifest.owners)
        summary = Summary(folder, {night: folder / name for night, name in names.items()})
        _check_outputs(summary.outputs, manifest, history)
        settings = settings_digest(step)
        tasks = []
        for night, output in summary.outputs.items():
            inputs = input_digest(night, history, step)
            if options.again or not manifest.is_done(output.name, inputs, settings):
                tasks.append(Task(step, settings, night, history, output, inputs))
        summary.n_done = len(paths) - len(tasks)
        manifest.reserve(names)
        if tasks:
            # A wrong model or catalogue is one error, not one per night.
            loaded(step, settings)
        for result in _with_progress(_engine(tasks, options), len(tasks)):
            _record(result, manifest, summary)
    return summary


def _engine(tasks: Sequence[Task], options: Options) -> Iterator[Result]:
    if not tasks:
        return iter(())
    if options.scheduler is not None:
        from ztfml.nights.cluster import run_on_cluster

        return run_on_cluster(tasks, options.scheduler, options.prepare)
    if options.prepare:
        # The workers load the compiled code from the cache on disk.
        compile_code()
    n_jobs = min(options.jobs, cpu_count())
    if n_jobs < options.jobs:
        log.warning("%s, one for each core that may be used", _plural(n_jobs, "process", "es"))
    n_jobs = min(n_jobs, len(tasks))
    return run_in_processes(tasks, n_jobs) if n_jobs > 1 else run_here(tasks)


def _record(result, manifest, summary):
    task = result.task
    if result.error is not None:
        error = result.error
        if task.output.exists():
            error += f" (the output of an earlier run was kept: {task.output.name})"
        log.error("%s", error)
        summary.failed[task.night] = error
        manifest.fail(task.night, error)
        return
    summary.n_written += 1
    summary.counts.update(result.counts)
    manifest.record(
        {
            "output": task.output.name,
            "night": str(task.night),
            "inputs": task.inputs,
            "settings": task.settings,
            "size": task.output.stat().st_size,
            "seconds": round(result.seconds, 2),
            "counts": result.counts,
        }
    )


def _check_outputs(outputs, manifest, history):
    inputs = [path for night in outputs for path in (night, history_beside(night))]
    if history is not None:
        inputs.append(history)
    written = [file for output in outputs.values() for file in _with_companions(output)]
    names = {path.name for path in written}
    # Only nights in the output folder, or folders that contain it, can be overwritten.
    near = [path for path in inputs if path.is_dir() or path.name in names or path.is_symlink()]
    refuse_inputs(written, near)
    for output in outputs.values():
        if output.exists() and output.name not in manifest.entries:
            raise DataError(
                f"{output}: this file was not written by an earlier run of this command; move it, "
                "or use another folder"
            )


def _with_companions(output):
    if output.suffix == ".parquet":
        return [output, history_beside(output), forced_beside(output)]
    return [output]


def _with_progress(results, total):
    """Show a bar on terminals, and lines with the remaining time elsewhere."""
    started = last = time.monotonic()
    for number, result in enumerate(track(results, "nights", total), start=1):
        yield result
        now = time.monotonic()
        if number < total and now - last > _SECONDS_BETWEEN_REMARKS and not sys.stderr.isatty():
            last = now
            log.info("%s", remaining(number, total, now - started))


def remaining(number: int, total: int, seconds: float) -> str:
    """Describe the progress of a batch and estimate the remaining time.

    Parameters
    ----------
    number, total : int
        Nights that are processed, and all nights of this run.
    seconds : float
        Time since the start.

    Returns
    -------
    str

    Examples
    --------
    >>> remaining(3, 30, 60.0)
    '3 of 30 nights, 20.0 s per night, about 9 min left'
    """
    each = seconds / number
    left = each * (total - number)
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        if left >= 2 * size or unit == "s":
            break
    left /= size
    return f"{number} of {total} nights, {each:.1f} s per night, about {left:.0f} {unit} left"


def _plural(number, noun, ending="s"):
    return f"{number:,} {noun}{'' if number == 1 else ending}"
