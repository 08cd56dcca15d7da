"""Run targets on inputs with random faults, in processes with limits of memory and time.

One server process imports ztfml once and forks a worker for each batch of inputs. A crash or a hang
ends only the worker; the server reports the seed of the input and goes on with the next one.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.outcomes import (
    ACCEPTED,
    CRASH,
    DIFFERENCE,
    HANG,
    MEMORY,
    OUTCOMES,
    RIGHT,
    SENTENCE,
    TRACEBACK,
)

TARGETS = (
    "alerts", "history", "labels", "packets", "archives", "models", "cards", "toml", "catalogues",
    "answers", "fetched", "ranked", "marks",
)  # fmt: skip

BATCH = 200
COMPARED = "compared"
MAX_MEMORY = 1_500_000_000
MAX_CPU_SECONDS = 10.0
# Wall time is longer, because the computer may be busy.
MAX_WALL_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """A reader of ztfml and the faults of its inputs.

    Parameters
    ----------
    prepare : callable
        Writes the undamaged input into a folder.
    mutate : callable
        Damages the input in a copy of the folder, with a random generator. It returns the keys
        whose results may change, or None for all.
    run : callable
        Reads the input in a folder, as a command does, and returns results by key.
    optional : bool
        Whether the input is an optional file, whose damage must not end a command.
    partial : bool
        Whether results may be missing.
    """

    prepare: Callable[[Path], None]
    mutate: Callable[[Random, Path], set | None]
    run: Callable[[Path], dict]
    optional: bool = False
    partial: bool = False


def load_target(name: str) -> Target:
    """Import a target."""
    return importlib.import_module(f"tests.fuzz.targets.{name}").TARGET


def seed_of(name: str, number: int) -> Random:
    """Return the random generator of an input; it does not depend on other inputs."""
    return Random(f"{name} {number}")


# --- worker: a process that may crash ------------------------------------------------------------


class _Listener(logging.Handler):
    """Format every log message, because a name in it may be unusual."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


def _work(name: str, first: int, end: int, base: Path, scratch: Path, pipe: int) -> None:
    """Run a batch of inputs and report each outcome as a line of JSON."""

    def send(*values: Any) -> None:
        os.write(pipe, (json.dumps(values) + "\n").encode())

    logging.getLogger().handlers = [_Listener()]
    logging.getLogger("ztfml").setLevel(logging.INFO)
    target = load_target(name)
    expected = target.run(base)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    limit = _virtual_size() + MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for number in range(first, end):
        send("begin", number)
        folder = scratch / str(number)
        shutil.copytree(base, folder)
        try:
            outcome, detail = _outcome(target, seed_of(name, number), folder, expected)
        except Exception:  # A fault of the mutation.
            outcome, detail = TRACEBACK, _last_frames()
        shutil.rmtree(folder, ignore_errors=True)
        send("end", number, outcome, detail)


def _outcome(target, rng, folder, expected):
    from ztfml.errors import ZtfmlError

    touched = target.mutate(rng, folder)
    try:
        found = target.run(folder)
    # The command line reports these in one sentence.
    except (ZtfmlError, OSError) as error:
        return _judge_error(error, target)
    except MemoryError:
        return MEMORY, _last_frames()
    except Exception:
        return TRACEBACK, _last_frames()
    same = [] if touched is None else [key for key in expected if key not in touched]
    if target.partial:
        same = [key for key in same if key in found]
    changed = [key for key in same if found.get(key) != expected[key]]
    if changed:
        return DIFFERENCE, f"{len(changed)} results differ, such as that of {changed[0]}"
    return RIGHT, f"{len(same)} {COMPARED}"


def _judge_error(error, target):
    cause = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return MEMORY, _last_frames()
        cause = cause.__cause__
    text = str(error)
    if target.optional or not text or "\n" in text.strip() or "Traceback" in text:
        return TRACEBACK, _last_frames()
    return SENTENCE, text[:200]


def _last_frames():
    return "".join(traceback.format_exc().splitlines(keepends=True)[-14:])[-2500:]


def _virtual_size():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


# --- server: forks workers -----------------------------------------------------------------------


def serve() -> None:
    """Read requests from standard input and write outcomes to standard output, as JSON lines."""
    for module in ("ztfml.features", "ztfml.model.model", "ztfml.report", "ztfml.sources.ingest",
                   "ztfml.catalogs.read", "ztfml.labels.catalogs", "astropy.table",
                   "astropy.io.votable", "ztfml.sources.alerce",
                   "ztfml.simulate.nights"):  # fmt: skip
        importlib.import_module(module)
    # In memory, where the disk need not be waited for.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ztfml-fuzz-", dir=memory) as folder:
        for line in sys.stdin:
            name, first, end = json.loads(line)
            for values in _run(name, first, end, Path(folder)):
                print(json.dumps(values), flush=True)
            print("null", flush=True)


def _run(name, first, end, folder):
    base = folder / name / "base"
    if not base.exists():
        base.mkdir(parents=True)
        _in_child(lambda: load_target(name).prepare(base))
    scratch = folder / name / "inputs"
    scratch.mkdir(exist_ok=True)
    while first < end:
        stop = min(first + BATCH, end)
        for number, outcome, detail in _batch(name, first, stop, base, scratch):
            yield number, outcome, detail
            first = number + 1


def _in_child(function):
    child = os.fork()
    if child == 0:
        _run_and_exit(function)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError("the undamaged input cannot be made")


def _run_and_exit(function):
    code = 0
    try:
        function()
    except BaseException:
        traceback.print_exc()
        code = 1
    os._exit(code)


def _batch(name, first, end, base, scratch):
    """Yield the outcomes of a batch, up to the first input that ends the worker."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_and_exit(lambda: _work(name, first, end, base, scratch, writer))
    os.close(writer)
    current, why = None, "the worker ended"
    with os.fdopen(reader, "rb") as lines:
        begun, cpu = time.monotonic(), _cpu_seconds(child)
        pending = b""
        while True:
            if select.select([lines], [], [], 0.5)[0]:
                part = os.read(lines.fileno(), 65536)
                if not part:
                    break
                *complete, pending = (pending + part).split(b"\n")
                for kind, number, *rest in map(json.loads, complete):
                    begun, cpu = time.monotonic(), _cpu_seconds(child)
                    current = number if kind == "begin" else None
                    if kind == "end":
                        yield number, *rest
            elif current is not None and (
                _cpu_seconds(child) - cpu > MAX_CPU_SECONDS
                or time.monotonic() - begun > MAX_WALL_SECONDS
            ):
                os.kill(child, signal.SIGKILL)
                why = "hang"
    _, status = os.waitpid(child, 0)
    if current is not None:
        signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        yield current, HANG if why == "hang" else CRASH, f"{why}, signal {signal_number}"
    elif status:
        raise RuntimeError(f"{name}: the undamaged input fails; see the messages above")


def _cpu_seconds(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- client --------------------------------------------------------------------------------------


class Server:
    """The process that runs targets.

    Examples
    --------
    >>> with Server() as server:   # doctest: +SKIP
    ...     list(server.run("toml", 0, 100))
    """

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.harness"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # One thread each: a fork keeps no other threads, and two workers share the computer.
            env=os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()

    def run(self, name: str, first: int, end: int) -> Iterator[tuple[int, str, str]]:
        """Yield number, outcome and detail of the inputs of a target."""
        print(json.dumps([name, first, end]), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            values = json.loads(line)
            if values is None:
                return
            yield tuple(values)
        raise RuntimeError(f"{name}: the server of the fuzz tests ended")


def failures(name: str, first: int, end: int, server: Server) -> tuple[Counter, list[str]]:
    """Count the outcomes of a target and the compared results, and describe faults."""
    counts: Counter = Counter()
    faults: dict[str, tuple[int, int, str]] = {}
    for number, outcome, detail in server.run(name, first, end):
        counts[outcome] += 1
        if outcome == RIGHT:
            counts[COMPARED] += int(detail.split()[0])
        if outcome not in ACCEPTED:
            kind = f"{outcome} {detail.strip().splitlines()[-1] if detail else ''}"[:60]
            n, example, text = faults.get(kind, (0, number, f"{outcome}: {detail}"))
            faults[kind] = n + 1, example, text
    return counts, [
        f"{n} inputs; repeat one with:\n"
        f"python -m tests.fuzz {name} --first {example} --count 1\n{text}"
        for n, example, text in sorted(faults.values(), reverse=True)
    ]


def table(counts: dict[str, Counter]) -> str:
    """Format the outcomes of all targets."""
    lines = [f"{'target':<12}" + "".join(f"{outcome:>11}" for outcome in OUTCOMES)]
    for name, found in counts.items():
        lines.append(f"{name:<12}" + "".join(f"{found[outcome]:>11,}" for outcome in OUTCOMES))
    return "\n".join(lines)


if __name__ == "__main__":
    serve()
