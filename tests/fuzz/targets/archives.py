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
        return set(packets.CANDIDS)
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
    # A packet that is complete in the archive is read with its values, or reported as lost.
    contents = (folder / "packets" / f"{k}.avro" for k in range(packets.N_PACKETS))
    return {
        candid
        for candid, content in zip(packets.CANDIDS, contents, strict=True)
        if content.read_bytes() not in plain
    }


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
    # What is missing is reported.
    complete = len(night) >= packets.N_PACKETS or summary.n_skipped > 0
    return packets.values_of(night) | {"complete or reported": complete}


TARGET = Target(prepare, mutate, run, partial=True)
