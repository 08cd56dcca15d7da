"""Tar archives of avro packets."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_bytes
from tests.fuzz.targets import packets
from ztfml.sources.formats import open_night
from ztfml.sources.ingest import ingest

NAME = "night.tar.gz"
_BLOCK = 512


def prepare(folder: Path) -> None:
    packets.prepare(folder)
    with tarfile.open(folder / NAME, "w:gz") as archive:
        for path in sorted((folder / "packets").iterdir()):
            archive.add(path, path.name)


def mutate(rng: Random, folder: Path) -> set | None:
    path = folder / NAME
    plain = gzip.decompress(path.read_bytes())
    kind = rng.randrange(6)
    if kind == 0:
        path.write_bytes(mutate_bytes(rng, path.read_bytes()))
        return {*_candids(), "alerts"} if rng.random() < 0 else _candids()
    if kind == 1:  # A block of zeros, a missing block, or a cut between members.
        place = _BLOCK * rng.randrange(len(plain) // _BLOCK)
        plain = rng.choice((
            plain[:place] + bytes(_BLOCK) + plain[place:],
            plain[:place] + plain[place + _BLOCK :],
            plain[:place],
        ))  # fmt: skip
    elif kind == 2:
        plain = _with_odd_member(rng, plain)
    else:
        plain = mutate_bytes(rng, plain)
    path.write_bytes(gzip.compress(plain, 1))
    return _candids()


def _candids():
    return {2459000000000000000 + k for k in range(packets.N_PACKETS)}


def _with_odd_member(rng, plain):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(rng.choice(("a" * 5000 + ".avro", "../x.avro", "x.avro", "é")))
        member.type = rng.choice((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, b"S"))
        member.size = rng.choice((0, 2**33, 10))
        member.linkname = "/dev/zero"
        archive.addfile(member, io.BytesIO(b"0123456789") if member.size == 10 else None)
    return file.getvalue()[: -_BLOCK * 18] + plain


def run(folder: Path) -> dict:
    output = folder / "night.parquet"
    summary = ingest([folder / NAME], output)
    night = open_night(output)
    output.unlink()
    n_alerts = len(night)
    # What is missing is reported.
    complete = n_alerts >= packets.N_PACKETS or summary.n_skipped > 0
    return {"complete or reported": complete}


TARGET = Target(prepare, mutate, run)
