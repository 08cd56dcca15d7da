"""Catalogues in all formats."""

from __future__ import annotations

import warnings
from pathlib import Path
from random import Random

import pandas as pd
from astropy.table import Table

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file, mutate_frame, write_csv, write_parquet
from tests.fuzz.targets.labels import undamaged_alerts
from tests.fuzz.targets.night import write_night
from ztfml.catalogs.context import find_context
from ztfml.catalogs.read import read_catalog, read_doubtful
from ztfml.errors import DataError
from ztfml.labels.catalogs import label_from_catalogs
from ztfml.sources.formats import open_alerts

_SUFFIXES = ("csv", "csv", "fits", "fits", "vot", "vot", "ecsv", "parquet", "tsv")


def prepare(folder: Path) -> None:
    alerts = open_alerts(write_night(folder)).alerts
    stars = pd.DataFrame(
        {
            "objectId": alerts["objectId"].to_numpy(str),
            "ra": alerts["ra"].to_numpy(),
            "dec": alerts["dec"].to_numpy(),
            "type": "RRAB",
            "name": "V1",
            "z": 0.1,
            "reason": "faint",
        }
    )
    stars.to_csv(folder / "stars.csv", index=False)
    stars.to_csv(folder / "stars.tsv", index=False, sep="\t")
    stars.to_parquet(folder / "stars.parquet")
    table = Table.from_pandas(stars)
    for suffix, options in (
        ("fits", {}), ("ecsv", {}), ("vot", {"format": "votable", "tabledata_format": "binary2"}),
    ):  # fmt: skip
        table.write(folder / f"stars.{suffix}", **options)
    (folder / "choice").write_text("csv")


def mutate(rng: Random, folder: Path) -> set | None:
    suffix = rng.choice(_SUFFIXES)
    (folder / "choice").write_text(suffix)
    path = folder / f"stars.{suffix}"
    kind = rng.randrange(3)
    if kind == 0 or suffix == "ecsv":
        mutate_file(rng, path)
        return None
    if kind == 1 and suffix in ("fits", "vot"):
        _mutate_header(rng, path)
        return None
    stars = pd.read_csv(folder / "stars.csv")
    changed, touched = mutate_frame(rng, stars)
    complete = _write(rng, path, suffix, changed)
    return set(stars["objectId"].iloc[sorted(touched)]) if complete else None


def _write(rng, path, suffix, frame):
    """Write a catalogue, and return whether all its cells are as in the table."""
    if suffix in ("csv", "tsv"):
        return write_csv(rng, path, frame)
    if suffix == "parquet":
        write_parquet(rng, path, frame)
    else:
        path.unlink()
        options = {"format": "votable"} if suffix == "vot" else {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                Table.from_pandas(frame).write(path, **options)
        except Exception:  # astropy refuses some tables; then the file is missing or truncated.
            path.touch()
            return False
    return True


_HEADERS = (
    (b"TFIELDS =                    7", b"TFIELDS =           1000000000"),
    (b"NAXIS2  =", b"NAXIS2  =           9999999999 /"),
    (b"NAXIS1  =", b"NAXIS1  =           9999999999 /"),
    (b"TFORM1  = '12A", b"TFORM1  = '99999999999A"),
    (b"TFORM2", b"TFORM9"),
    (b"'D       '", b"'QD      '"),
    (b"<STREAM", b"<STREAM href='file:///dev/zero'"),
    (b"double", b"single"),
    (b"arraysize", b"a"),
    (b'arraysize="12"', b'arraysize="999999999999"'),
    (b"base64", b"gzip"),
    (b"<TD>", b"<TR>"),
    (b"VOTABLE", b"VOTABEL"),
    (b"?>", b"?><!DOCTYPE a [<!ENTITY b '&b;'>]>"),
    (b"UTF-8", b"UTF-16"),
    (b"utf-8", b"rot13"),
    (b"ENCODING", b"x"),
    (b"BITPIX  =                    8", b"BITPIX  =                    7"),
    (b"BINTABLE", b"TABLE   "),
    (b"PCOUNT  =                    0", b"PCOUNT  =          -1000000000"),
)


def _mutate_header(rng, path):
    content = path.read_bytes()
    known = [pair for pair in _HEADERS if pair[0] in content]
    old, new = rng.choice(known)
    if path.suffix == ".fits" and len(new) > len(old):
        old = content[content.index(old) :][: len(new)]
    path.write_bytes(content.replace(old, new, rng.choice((1, -1))))


def run(folder: Path) -> dict:
    path = folder / f"stars.{(folder / 'choice').read_text()}"
    night = undamaged_alerts(folder)
    results, errors = {}, []
    for kind in ("vsx", "objects"):
        try:
            labels = label_from_catalogs(night, [read_catalog(kind, path)])
            labels.summary()
            for name, label in zip(labels.labels["objectId"], labels.labels["label"], strict=True):
                results.setdefault(name, {})[kind] = label
        except DataError as error:
            errors.append(error)
    try:
        objects = night.alerts[["objectId", "ra", "dec"]].drop_duplicates("objectId")
        find_context(objects, [("galaxies", path)])
        read_doubtful(path)
    except DataError as error:
        errors.append(error)
    if errors:
        raise errors[0]
    return results


TARGET = Target(prepare, mutate, run)
