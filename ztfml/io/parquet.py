"""Parquet and CSV tables, read and written in parts."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside


@contextmanager
def write_tables(path):
    """Give a function that writes tables one below the other, as parquet or CSV by the suffix.

    A table is written while the next one is being made.

    Parameters
    ----------
    path : str or Path
        The file to be written, as for `write_beside`.

    Yields
    ------
    callable
        Takes a pandas.DataFrame; all of them must have the same columns.

    Raises
    ------
    DataError
        As for `write_beside`.

    Examples
    --------
    >>> with write_tables("features.parquet") as write:   # doctest: +SKIP
    ...     write(features.compute(night))
    """
    appending = _appending_csv if Path(path).suffix.lower() == ".csv" else _appending_parquet
    with write_beside(path) as part, appending(part) as append, ThreadPoolExecutor(1) as thread:
        pending = []

        def write(table):
            while pending:
                pending.pop().result()
            pending.append(thread.submit(append, table))

        yield write
        while pending:
            pending.pop().result()


@contextmanager
def _appending_csv(part):
    yield lambda table: table.to_csv(part, mode="a", header=part.stat().st_size == 0, index=False)


@contextmanager
def _appending_parquet(part):
    import pyarrow as pa
    import pyarrow.parquet as pq

    writers = []

    def append(table):
        rows = _as_arrow(table)
        if not writers:
            # Dictionaries and statistics pay for names and ids; for floats they double the time.
            text = list(table.select_dtypes("str").columns)
            named = list(table.select_dtypes(exclude="float").columns)
            # LZ4 makes files as small as snappy does, in less time.
            writers.append(
                pq.ParquetWriter(
                    file,
                    rows.schema,
                    use_dictionary=text,
                    write_statistics=named,
                    compression="lz4",
                )
            )
        writers[0].write_table(rows)

    # Appended to as it is, for a file that was cut to nothing is brought to the disk when closed.
    with pa.OSFile(str(part), "ab") as file:
        try:
            yield append
        finally:
            for writer in writers:
                writer.close()


def _as_arrow(table):
    """A DataFrame as an Arrow table, NaN as null."""
    import pyarrow as pa

    schema = pa.Schema.from_pandas(table, preserve_index=False)
    columns = [
        _floats_as_arrow(table[field.name].to_numpy())
        if pa.types.is_float64(field.type)
        else pa.array(table[field.name], field.type, from_pandas=True)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _floats_as_arrow(values):
    """An Arrow array on the memory of an array, in a fifth of the time that Arrow takes."""
    import numpy as np
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    given = np.packbits(~np.isnan(values), bitorder="little")
    buffers = [pa.py_buffer(given), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.float64(), len(values), buffers)


def open_parquet(path, read_dictionary=()):
    """Open a parquet file, turning every way it can be unreadable into one sentence.

    Parameters
    ----------
    path : str or Path
    read_dictionary : sequence of str
        Text columns to read as numbers of distinct texts.

    Returns
    -------
    pyarrow.parquet.ParquetFile

    Raises
    ------
    DataError
        If the file is absent, no parquet, or cut short.

    Examples
    --------
    >>> open_parquet("night.parquet").metadata.num_rows   # doctest: +SKIP
    153489
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; name the alerts' parquet file of a night")
    try:
        return pq.ParquetFile(path, memory_map=True, read_dictionary=list(read_dictionary))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path}: not a readable parquet file (not parquet, or truncated); "
            "write or download it again"
        ) from error
