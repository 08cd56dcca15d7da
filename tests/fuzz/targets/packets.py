"""Avro packets."""

from __future__ import annotations

from pathlib import Path
from random import Random

import fastavro

from tests.fuzz.harness import Target
from tests.fuzz.mutations import ODD_NUMBERS, ODD_TEXTS, mutate_file, mutate_json
from tests.sources.packet_files import avro_schema, packet
from ztfml.night import Night
from ztfml.sources.formats import open_night
from ztfml.sources.ingest import ingest

N_PACKETS = 4
# Any two differ in more than one bit.
CANDIDS = tuple(2459000000000000000 ^ (7 << 3 * k) for k in range(N_PACKETS))


def prepare(folder: Path) -> None:
    (folder / "packets").mkdir()
    for k, candid in enumerate(CANDIDS):
        record = packet(candid, f"ZTF20aaaaaa{chr(97 + k)}")
        _write(folder / "packets" / f"{k}.avro", avro_schema(), [record])


def _write(path, schema, records):
    with open(path, "wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), records, codec="null")


def mutate(rng: Random, folder: Path) -> set | None:
    k = rng.randrange(N_PACKETS)
    path = folder / "packets" / f"{k}.avro"
    touched = {CANDIDS[k]}
    if rng.random() < 0.5:
        mutate_file(rng, path)
        return touched
    with open(path, "rb") as file:
        reader = fastavro.reader(file)
        (record,) = reader
        schema = reader.writer_schema
    if rng.random() < 0.5:
        schema = mutate_json(rng, schema)
    else:
        parent = rng.choice((record, record["candidate"]))
        parent[rng.choice(list(parent))] = rng.choice(ODD_NUMBERS + ODD_TEXTS)
    try:
        _write(path, schema, [record] * rng.choice((0, 1, 1, 2)))
    except Exception:  # fastavro refuses most wrong schemas and values.
        mutate_file(rng, path)
    return touched


def run(folder: Path) -> dict:
    output = folder / "night.parquet"
    summary = ingest([folder / "packets"], output)
    night = open_night(output)
    output.unlink()
    # A packet is read, or is listed as skipped.
    lost = N_PACKETS - len(night) - summary.n_skipped - summary.n_duplicates
    return values_of(night) | {"lost": max(lost, 0)}


def values_of(night: Night) -> dict[int, str]:
    """Return values of each alert, by candid."""
    rows = night.alerts[["objectId", "jd", "fid", "magpsf", "sigmapsf"]].to_numpy().tolist()
    return {int(key): str(row) for key, row in zip(night.alerts["candid"], rows, strict=True)}


TARGET = Target(prepare, mutate, run)
