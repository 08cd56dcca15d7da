"""Commands that are killed in tests, with two versions of their inputs.

An output is known by the sha256 of its files, so a mixture of two versions is seen at once.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.writers import NIGHTS
from tests.sources.packet_files import detection, packet, write

# Imported before the processes are forked, so that a command needs little time.
from ztfml.cli import main
from ztfml.io.switch import finish_switch
from ztfml.model.model import Model
from ztfml.report import write_report
from ztfml.simulate.nights import write_nights
from ztfml.sources.convert import convert
from ztfml.sources.formats import open_night
from ztfml.training.train import train

assert all((Model, write_report, convert, train, NIGHTS))

N_PACKETS = 300
N_TRAINING = 400


@dataclass(frozen=True)
class Command:
    """A command that is killed.

    Parameters
    ----------
    arguments : callable
        Makes the arguments from the folder of the inputs, the folder of the output, and the
        version 1 or 2.
    groups : tuple of tuple of str
        The files that the command writes. Those of one group are replaced as one.
    """

    arguments: Callable[[Path, Path, int], list]
    groups: tuple[tuple[str, ...], ...]


def _night(name):
    return f"{name}.parquet", f"{name}_prv_candidates.parquet"


def _ingest(kind):
    return lambda inputs, folder, version: [
        "ingest", inputs / f"{kind.format(version)}", "-o", folder / "night.parquet",
    ]  # fmt: skip


def _of_night(command, output, *options):
    return lambda inputs, folder, version: [
        command, inputs / f"night{version}.parquet", "-o", folder / output,
        *(str(option).format(inputs=inputs) for option in options),
    ]  # fmt: skip


COMMANDS = {
    "ingest of an archive": Command(_ingest("packets{}.tar.gz"), (_night("night"),)),
    "ingest of a folder": Command(
        _ingest("packets{}"), ((*_night("night"), "night.skipped.csv", "night_fp_hists.parquet"),)
    ),
    "predict": Command(_of_night("predict", "predictions.csv"), (("predictions.csv",),)),
    "label": Command(
        _of_night("label", "a_labels.csv", "--mpc", "--catalog", "objects={inputs}/objects.csv"),
        (("a_labels.csv", "a_conflicts.csv"),),
    ),
    "report": Command(_of_night("report", "night.html", "--top", 3), (("night.html",),)),
    "simulate": Command(
        lambda inputs, folder, version: [
            "simulate", folder, "--alerts", 40, "--nights", 2, "--seed", version
        ],
        tuple(
            (
                *_night(f"ztf_alerts_{jd}"),
                *(f"ztf_alerts_{jd}_{name}" for name in (
                    "labels.csv", "fp_hists.parquet", "galaxies.parquet"
                )),
            )
            for jd in (2460474.5, 2460475.5)
        ),
    ),
    "train": Command(
        _of_night("train", "model", "--force"),
        (("model/model.txt", "model/card.json", "model/README.md"),),
    ),
}  # fmt: skip


def write_inputs(folder: Path) -> None:
    """Write both versions of the inputs of all commands."""
    for version in (1, 2):
        packets = folder / f"packets{version}"
        packets.mkdir()
        for k in range(N_PACKETS):
            candid, name = 10**18 * version + k, f"ZTF20aaaa{'abc'[k % 3]}{k:02d}"[:12]
            previous = [detection(n + 1.1, n + 1, 18.0 + version) for n in range(3)]
            write(packets / f"{k}.avro", packet(candid, name, previous))
        with tarfile.open(folder / f"packets{version}.tar.gz", "w:gz") as archive:
            archive.add(packets, "packets")
        if version == 2:  # A list of skipped files that the other version does not have.
            (packets / "damaged.avro").write_bytes(b"Obj\x01")
        (path,) = write_nights(folder, N_TRAINING, 1, seed=version, mix="balanced")
        for ending in (".parquet", "_prv_candidates.parquet", "_labels.csv"):
            path.with_name(path.stem + ending).rename(folder / f"night{version}{ending}")
    names = set(open_night(folder / "night1.parquet").alerts["objectId"])
    names |= set(open_night(folder / "night2.parquet").alerts["objectId"])
    rows = [f"{name},RRAB" for name in sorted(names)]
    (folder / "objects.csv").write_text("\n".join(["objectId,type", *rows]) + "\n")


def run(arguments: list) -> None:
    """Run a command in this process, without its messages, and exit with its code."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nothing, descriptor)
    sys.exit(main([str(argument) for argument in arguments]))


def state(folder: Path, group: tuple[str, ...]) -> tuple:
    """Return what distinguishes the versions of the files of a group, as a reader finds them."""
    finish_switch(folder / group[0].split("/")[0])
    return tuple(_content(folder / name) for name in group)


def _content(path):
    if not path.exists():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()
