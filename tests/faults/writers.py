"""Outputs that processes write in the tests of kills, and readers that check them.

Each writer writes one version of an output, and each reader returns the version that it finds.
"""

import os
import signal
import sys
from pathlib import Path

import pandas as pd

from ztfml.io import switch
from ztfml.io.folder_writing import write_folder
from ztfml.night import Night

N_OBJECTS = 40
N_ROWS = 20


def make_night(version):
    """A night in which every magnitude tells the version."""
    names = [f"ZTF20aaaa{k:03d}" for k in range(N_OBJECTS)]
    alerts = pd.DataFrame(
        {
            "objectId": names,
            "candid": range(1, N_OBJECTS + 1),
            "candidate.jd": 2459000.7,
            "candidate.fid": 1,
            "candidate.magpsf": 15.0 + version,
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
        }
    )
    history = pd.DataFrame(
        {
            "objectId": [name for name in names for _ in range(N_ROWS)],
            "jd": [2458900.72 + k for _ in names for k in range(N_ROWS)],
            "fid": 1,
            "magpsf": 15.0 + version,
            "sigmapsf": 0.1,
            "isdiffpos": "t",
        }
    )
    return Night.from_frames(alerts, history)


# Made before the processes are forked, so that these need little time.
NIGHTS = {version: make_night(version) for version in (1, 2)}


def write_pair(folder, version):
    NIGHTS[version].save(folder / "night.parquet")


def read_pair(folder):
    night = Night.load(folder / "night.parquet")
    versions = {*night.alerts["magpsf"], *night.history.magpsf}
    assert len(night) == N_OBJECTS
    assert len(night.history.jd) == N_OBJECTS * N_ROWS
    (version,) = versions
    return int(version - 15)


def write_model(folder, version):
    text = f"{version}\n".encode()
    files = {"model.txt": text, "card.json": text, "README.md": text}
    write_folder(folder / "model", files, read=lambda part: None, overwrite=True)


def write_model_without_exchange(folder, version):
    """As on a system that cannot exchange two folders."""
    switch._exchange = lambda one, other: False
    write_model(folder, version)


def read_model(folder):
    switch.finish_switch(folder / "model")
    (text,) = {file.read_text() for file in (folder / "model").iterdir()}
    assert len(list((folder / "model").iterdir())) == 3
    return int(text)


WRITERS = {
    "pair": (write_pair, read_pair, {"night.parquet", "night_prv_candidates.parquet"}),
    "model": (write_model, read_model, {"model"}),
    "model without exchange": (write_model_without_exchange, read_model, {"model"}),
}


def write(name, folder, version):
    WRITERS[name][0](folder, version)


def write_again_and_again(name, folder, version, n):
    for _ in range(n):
        write(name, folder, version)


def write_and_kill(name, folder, version, n_changes):
    """Write, and kill this process before the change number n_changes of the file system."""
    done = 0

    def counted(change):
        def call(*args, **kwargs):
            nonlocal done
            if done == n_changes:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return change(*args, **kwargs)

        return call

    for function in ("rename", "replace", "unlink", "rmdir", "mkdir", "pwrite", "ftruncate"):
        setattr(os, function, counted(getattr(os, function)))
    writer = WRITERS[name][0]
    if name == "model":
        switch._exchange = counted(switch._exchange)
    writer(folder, version)


def names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def with_small_files(limit, function, *args):
    """Call a function in a process that cannot write files larger than `limit` bytes."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        function(*args)
    except Exception as error:
        Path(args[0], "error.txt").write_text(f"{type(error).__name__}: {error}")
        sys.exit(1)
