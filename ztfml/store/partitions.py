"""Read and replace the files of a partition: one cell of the sky and one block of time."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.parquet import READ_OPTIONS, WRITE_OPTIONS
from ztfml.io.places import Place
from ztfml.store.merge import Kind, merge

log = logging.getLogger(__name__)

_MOST_READS = 100
_FLOATS = (
    "jd",
    "magpsf",
    "sigmapsf",
    "diffmaglim",
    "flux",
    "flux_err",
    "ra",
    "dec",
    "jd_first",
    "jd_last",
)


def add_rows(place: Place, folder: str, rows: pa.Table, kind: Kind) -> bool:
    """Merge rows into a partition.

    A file with all rows is written, and the files that it replaces are removed. At any moment,
    each row is in at least one file.

    Parameters
    ----------
    place : Place
    folder : str
    rows : pyarrow.Table
    kind : Kind

    Returns
    -------
    bool
        Whether the partition changed.

    Raises
    ------
    DataError
        If a file is damaged, or the partition cannot be written.
    """
    for _ in range(_MOST_READS):
        names = place.files(folder)
        try:
            old = [_read(place, f"{folder}/{name}", kind) for name in names]
        except FileNotFoundError:
            continue  # Another process has replaced it.
        merged = merge([*old, rows], kind)
        if len(old) == 1 and merged.equals(old[0]):
            return False
        with place.write(f"{folder}/{_next_name(names)}") as file:
            _write(merged, file)
        for name in names:
            place.remove(f"{folder}/{name}")
        return True
    raise _always_replaced(place, folder)


def read_rows(place: Place, folder: str, kind: Kind, objects: pa.Array | None = None) -> pa.Table:
    """Read the rows of a partition, each exposure once.

    Parameters
    ----------
    place : Place
    folder : str
    kind : Kind
    objects : pyarrow.StringArray, optional
        Read only these objects.

    Returns
    -------
    pyarrow.Table
        Empty if there is no such partition.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    for _ in range(_MOST_READS):
        names = place.files(folder)
        try:
            tables = [_read(place, f"{folder}/{name}", kind, objects) for name in names]
        except FileNotFoundError:
            continue
        # While the folder was listed, a new file may have replaced one that is not in the list.
        if place.files(folder) == names:
            return tables[0] if len(tables) == 1 else merge([kind.empty(), *tables], kind)
    raise _always_replaced(place, folder)


def count_rows(place: Place, folder: str) -> Iterator[tuple[int, int]]:
    """Yield the numbers of rows and bytes of each file of a partition."""
    for name in place.files(folder):
        # A file that was replaced meanwhile is not counted.
        with (
            suppress(FileNotFoundError),
            _naming(place, f"{folder}/{name}"),
            place.open(f"{folder}/{name}") as source,
        ):
            yield pq.read_metadata(source).num_rows, source.size()


def _always_replaced(place, folder):
    return DataError(
        f"{place}/{folder}: other processes replace this all the time; wait until they end"
    )


def _next_name(names):
    """A name that sorts after those of the files that it replaces, and that no process repeats."""
    numbers = [int(name.split("-")[0]) for name in names if name.split("-")[0].isdigit()]
    return f"{max(numbers, default=0) + 1:08d}-{secrets.token_hex(6)}.parquet"


def _read(place, name, kind, objects=None):
    with _naming(place, name), place.open(name) as source:
        table = pq.ParquetFile(source, read_dictionary=["objectId"], **READ_OPTIONS).read()
        table = table.select(kind.schema.names).cast(kind.schema)
    if objects is not None:
        codes = table["objectId"].combine_chunks()
        wanted = pc.is_in(codes.dictionary, value_set=objects)
        table = table.filter(wanted.take(codes.indices))
    return table


@contextmanager
def _naming(place, name):
    """Name the file in the error if it is damaged."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{place}/{name}: cannot be read ({str(error).splitlines()[0]}); remove the file, and "
            "add the nights of its dates with --again"
        ) from error


def _write(table, file):
    pq.write_table(
        table,
        file,
        use_dictionary=["objectId", "fid", "isdiffpos"],
        # Bytes of equal weight together: times and magnitudes need a third less space.
        column_encoding={
            name: "BYTE_STREAM_SPLIT" for name in table.column_names if name in _FLOATS
        },
        **WRITE_OPTIONS,
    )
