"""Avro packets."""

from __future__ import annotations

from pathlib import Path
from random import Random

import fastavro

from tests.fuzz.harness import Target
from tests.fuzz.mutations import ODD_NUMBERS, ODD_TEXTS, mutate_file, mutate_json
from tests.sources.packet_files import avro_schema, packet
from ztfml.sources.formats import open_night
from ztfml.sources.ingest import ingest

N_PACKETS = 4


def prepare(folder: Path) -> None:
    (folder / "packets").mkdir()
    for k in range(N_PACKETS):
        record = packet(2459000000000000000 + k, f"ZTF20aaaaaa{chr(97 + k)}")
        _write(folder / "packets" / f"{k}.avro", avro_schema(), [record])


def _write(path, schema, records):
    with open(path, "wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), records, codec="null")


def mutate(rng: Random, folder: Path) -> set | None:
    k = rng.randrange(N_PACKETS)
    path = folder / "packets" / f"{k}.avro"
    touched = {2459000000000000000 + k}
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
    columns = ["candid", "jd", "fid", "magpsf", "sigmapsf"]
    rows = dict(zip(night.alerts["candid"], night.alerts[columns].to_numpy().tolist(), strict=True))
    output.unlink()
    # A packet is read, or is listed as skipped.
    lost = N_PACKETS - len(rows) - summary.n_skipped - summary.n_duplicates
    return {int(key): str(value) for key, value in rows.items()} | {"lost": max(lost, 0)}


TARGET = Target(prepare, mutate, run)
