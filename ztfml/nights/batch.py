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
from ztfml.io.output_paths import refuse_inputs
from ztfml.io.progress import track
from ztfml.io.remote import is_remote
from ztfml.nights.fingerprints import Listings, input_digest, settings_digest
from ztfml.nights.manifest import FAILED, Manifest
from ztfml.nights.names import output_names
from ztfml.nights.options import Options
from ztfml.nights.outputs import Outputs, opened
from ztfml.nights.processes import run_here, run_in_processes
from ztfml.nights.staged import Location, label_of, located
from ztfml.nights.steps import Step
from ztfml.nights.tasks import Result, Task, compile_code, loaded

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_REMARKS = 30.0


@dataclass
class Summary:
    """The result of a batch.

    Parameters
    ----------
    folder : str
        The output folder.
    outputs : dict
        The output of each night, also of those that were done before: paths or addresses.
    n_written, n_done : int
        Numbers of nights that this run and earlier runs processed.
    failed : dict of Path or str to str
        The error of each bad night.
    counts : collections.Counter
        Sums over the nights of this run.
    """

    folder: str
    outputs: dict[Location, Location] = field(default_factory=dict)
    n_written: int = 0
    n_done: int = 0
    failed: dict[Location, str] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)

    def __str__(self):
        parts = [_plural(self.n_written, "night") + " written"]
        if self.n_done:
            parts.append(f"{self.n_done} done before")
        if self.failed:
            parts.append(f"{len(self.failed)} failed ({self.folder}/{FAILED})")
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
        Files, folders of packets, or addresses in object stores.
    folder : str or Path
        The output folder or its address; it is created if it does not exist.
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
    options = options or Options()
    found = list(dict.fromkeys(located(night) for night in nights))
    with opened(folder if is_remote(folder) else Path(folder).absolute()) as outputs:
        manifest = Manifest(outputs.folder, step.name, str(outputs))
        names = output_names(found, step.suffix, manifest.owners)
        _check_outputs(names, outputs, manifest, history)
        settings, listings = settings_digest(step), Listings()
        tasks = []
        for night, name in names.items():
            inputs = input_digest(night, history, step, listings)
            done = manifest.is_done(name, inputs, settings, outputs.size(name))
            if options.again or not done:
                tasks.append(Task(step, settings, night, history, outputs.at(name), inputs))
        summary = Summary(str(outputs), {night: outputs.at(names[night]) for night in found})
        summary.n_done = len(found) - len(tasks)
        manifest.reserve({label_of(night): name for night, name in names.items()})
        outputs.save(at_once=True)
        if tasks:
            # A wrong model or catalogue is one error, not one per night.
            loaded(step, settings)
        for result in _with_progress(_engine(tasks, options), len(tasks)):
            _record(result, names[result.task.night], outputs, manifest, summary)
            outputs.save()
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


def _record(result, name, outputs, manifest, summary):
    task = result.task
    if result.error is not None:
        error = result.error
        if outputs.size(name) is not None:
            error += f" (the output of an earlier run was kept: {name})"
        log.error("%s", error)
        summary.failed[task.night] = error
        manifest.fail(task.label, error)
        return
    summary.n_written += 1
    summary.counts.update(result.counts)
    manifest.record(
        {
            "output": name,
            "night": task.label,
            "inputs": task.inputs,
            "settings": task.settings,
            "size": result.size,
            "seconds": round(result.seconds, 2),
            "counts": result.counts,
        }
    )


def _check_outputs(names: dict[Location, str], outputs: Outputs, manifest, history):
    """Refuse to overwrite inputs, and files that are not from an earlier run."""
    locations = [outputs.at(name) for name in names.values()]
    inputs = [path for night in names for path in (night, _beside(night))]
    if history is not None:
        inputs.append(history)
    local = [path for path in inputs if isinstance(path, Path)]
    written = [file for output in locations for file in _with_companions(output)]
    file_names = {path.name for path in written if isinstance(path, Path)}
    # Only nights in the output folder, or folders that contain it, can be overwritten.
    near = [path for path in local if path.is_dir() or path.name in file_names or path.is_symlink()]
    refuse_inputs([path for path in written if isinstance(path, Path)], near)
    remote = {label_of(path) for path in inputs if isinstance(path, str)}
    for path in written:
        if label_of(path) in remote:
            raise DataError(
                f"{label_of(path)}: this is an input and would be overwritten; use another folder"
            )
    for name in names.values():
        if outputs.size(name) is not None and name not in manifest.entries:
            raise DataError(
                f"{label_of(outputs.at(name))}: this file was not written by an earlier run of "
                "this command; move it, or use another folder"
            )


def _with_companions(output):
    if label_of(output).endswith(".parquet"):
        return [output, _beside(output), _beside(output, forced_beside)]
    return [output]


def _beside(location, of=history_beside):
    """Return the location of a file that belongs to a night."""
    if isinstance(location, Path):
        return of(location)
    folder, _, name = label_of(location).rpartition("/")
    return f"{folder}/{of(Path(name)).name}"


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
