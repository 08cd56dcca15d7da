"""A full disk gives an error with the name of the output, and keeps the old output."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.faults.writers import WRITERS, names_in, with_small_files, write
from ztfml import plots
from ztfml.errors import DataError
from ztfml.io.parquet import write_tables

LIMIT = 1000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    made = subprocess.run(mount, capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def write_features(path):
    table = pd.DataFrame({f"f{k}": np.random.default_rng(1).random(5000) for k in range(5)})
    with write_tables(path) as write_part:
        write_part(table)


def write_figure(path):
    fig, (ax,) = plots.figure()
    ax.imshow(np.random.default_rng(1).random((300, 300)))
    plots.save(fig, path)


@pytest.mark.parametrize(
    ("function", "name"),
    [(write_features, "f.parquet"), (write_features, "f.csv"), (write_figure, "figure.png")],
)
def test_a_full_disk(function, name, small_disk):
    path = small_disk / name
    path.write_text("old")
    with pytest.raises(DataError, match=rf"{name}: cannot be written completely \(No space left"):
        function(path)
    assert path.read_text() == "old"
    assert names_in(small_disk) == {name}


def test_a_pair_on_a_full_disk_stays_as_it_was(start, tmp_path):
    write("pair", tmp_path, 1)
    process = start(with_small_files, LIMIT, WRITERS["pair"][0], tmp_path, 2)
    process.join(60)
    assert process.exitcode == 1
    assert WRITERS["pair"][1](tmp_path) == 1
    error = (tmp_path / "error.txt").read_text()
    assert error.startswith(f"DataError: {tmp_path}/night.parquet: cannot be written completely")
    assert names_in(tmp_path) == WRITERS["pair"][2] | {"error.txt"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_standard_output():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ztfml", "features", "--list"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "Error: standard output or a temporary folder: No space left on device\n"
    )
