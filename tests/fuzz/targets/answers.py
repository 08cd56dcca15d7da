"""Answers of brokers, and the stamps in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_bytes, mutate_file, mutate_json, write_json
from tests.sources.answers import (
    ALERCE_DETECTIONS,
    ALERCE_LIMITS,
    CANDID,
    FINK_ROWS,
    NAME,
    fits_gz,
    image,
)
from ztfml.sources import fetched_folder
from ztfml.sources.alerce import Alerce
from ztfml.sources.fink import Fink
from ztfml.sources.stamps import read_stamp
from ztfml.sources.web import querying

_STAMPS = ("Science", "Template", "Difference")


def prepare(folder: Path) -> None:
    answers = {
        "fink.json": FINK_ROWS,
        "alerce.json": {"detections": ALERCE_DETECTIONS, "non_detections": ALERCE_LIMITS},
        "stamps.json": {f"b:cutout{kind}_stampData": [[1.0, 2.0], [3.0, None]] for kind in _STAMPS},
    }
    for name, answer in answers.items():
        (folder / name).write_text(json.dumps(answer))
    (folder / "stamp.fits.gz").write_bytes(fits_gz(image()))
    (folder / "choice").write_text("")


def mutate(rng: Random, folder: Path) -> set | None:
    name = rng.choice(("fink.json", "alerce.json", "stamps.json", "stamp.fits.gz"))
    (folder / "choice").write_text(name)
    path = folder / name
    if rng.random() < 0.2:
        mutate_file(rng, path)
    elif name.endswith(".json"):
        before = json.loads(path.read_text())
        after = mutate_json(rng, before)
        write_json(rng, path, after)
        return _touched(name, before, after)
    else:
        path.write_bytes(gzip.compress(_mutate_fits(rng, gzip.decompress(path.read_bytes()))))
    return None


def _touched(name, before, after):
    """Return the epochs of rows that are not in the mutated answer, or more than once."""
    if name == "stamps.json":
        return set()
    try:
        rows = [json.dumps(row) for row in _rows(name, after)]
    except (TypeError, KeyError):
        return None
    return {
        _epoch(name, row["i:jd"] if name == "fink.json" else row["mjd"] + 2400000.5)
        for row in _rows(name, before)
        if rows.count(json.dumps(row)) != 1
    }


def _rows(name, answer):
    if name == "fink.json":
        return answer
    return [*answer["detections"], *answer["non_detections"]]


def _epoch(name, jd):
    return f"{name} {float(jd):.2f}"


def _mutate_fits(rng, content):
    kind = rng.randrange(4)
    if kind == 0:
        return mutate_bytes(rng, content)
    if kind == 1:
        return gzip.compress(content + bytes(rng.choice((0, 50_000_000))))
    if kind == 2:
        return content.replace(b"NAXIS1  =                   63", b"NAXIS1  =           9999999999")
    return content.replace(
        rng.choice((b"NAXIS   =                    2", b"BITPIX  =                  -32")),
        b"NAXIS   =                  %3d" % rng.choice((0, 1, 3, 999)),
    )


class _Answer:
    """A session that has one answer to all queries."""

    headers: dict = {}

    def __init__(self, content, status=200):
        self.content, self.status_code = content, status

    def json(self):
        return json.loads(self.content)

    def request(self, *_, **__):
        return self

    post = get = request


def run(folder: Path) -> dict:
    choice = (folder / "choice").read_text()
    results = {}
    for client, name in ((Fink, "fink.json"), (Alerce, "alerce.json")):
        curve = client(_Answer((folder / name).read_bytes())).light_curve(NAME)
        fetched_folder.write_light_curve(folder, NAME, curve)
        written = fetched_folder.light_curve(folder, NAME)
        assert len(written) == len(curve)
        for row in written.to_dict("records"):
            results.setdefault(_epoch(name, row["jd"]), []).append(str(row))
    if choice in ("stamps.json", ""):
        stamps = Fink(_Answer((folder / "stamps.json").read_bytes())).cutouts(NAME, CANDID)
        fetched_folder.write_cutouts(folder, NAME, stamps)
        assert fetched_folder.cutouts(folder, NAME) is not None
    if choice in ("stamp.fits.gz", ""):
        with querying("a broker", "a stamp"):
            read_stamp((folder / "stamp.fits.gz").read_bytes())
    return results


TARGET = Target(prepare, mutate, run)
