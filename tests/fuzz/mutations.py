"""Random faults of bytes, tables and JSON values, in the structure of the input."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

ODD_NUMBERS = (
    0, -1, 1, -999, -999.0, 99.0, 1e5, 1e-300, 1e300, -1e308, float("nan"), float("inf"),
    -float("inf"), 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2460000.5, 60000.0, True, False,
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "nan", "None", "null", "t", "f", "1", "-1.0", "1e400", "ZTF18abukavn", "../../etc",
    "/dev/zero", "=1+1", "@x", "\x1b[31mred\x1b[0m", "<script>alert(1)</script>", "é☃", "\u202e",
    "a\nb", 'a"b,c', "x" * 10_000, "\x00", "12:34:56.7", "1,5", "--", "QSO;*", "%n%s", "{}",
)  # fmt: skip
ODD_OTHERS = (None, [], {}, [[]], [1, 2], {"a": 1}, [None] * 3, ["x", 1.0])


def odd_value(rng: Random) -> Any:
    """Return a number, text, list or dict that is unusual in most places."""
    return rng.choice(rng.choice((ODD_NUMBERS, ODD_TEXTS, ODD_OTHERS)))


# --- bytes -------------------------------------------------------------------------------------


def mutate_bytes(rng: Random, content: bytes) -> bytes:
    """Truncate, flip, overwrite, repeat or insert a few bytes."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place = rng.randrange(len(data) + 1)
        end = min(len(data), place + rng.choice((1, 2, 4, 8, 64, 512)))
        kind = rng.randrange(7)
        if kind == 0:
            del data[place:]
        elif kind == 1 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[place:end] = bytes(end - place)
        elif kind == 3:
            data[place:end] = b"\xff" * (end - place)  # Huge counts and lengths.
        elif kind == 4:
            data[place:place] = data[place:end]
        elif kind == 5:
            data[place:place] = rng.randbytes(rng.choice((1, 8, 100)))
        else:
            del data[place:end]
    return bytes(data)


def mutate_file(rng: Random, path: Path) -> None:
    """Mutate the bytes of a file, or replace it by something else."""
    kind = rng.randrange(12)
    if kind == 0:
        path.write_bytes(b"")
    elif kind == 1:
        path.write_bytes(rng.randbytes(rng.choice((1, 100, 10_000))))
    elif kind == 2:
        others = sorted(file for file in path.parent.rglob("*") if file.is_file())
        path.write_bytes(rng.choice(others).read_bytes())
    else:
        path.write_bytes(mutate_bytes(rng, path.read_bytes()))


# --- JSON values -------------------------------------------------------------------------------


def mutate_json(rng: Random, value: Any) -> Any:
    """Replace, remove, repeat or nest a few values of a tree of lists and dicts."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 4))):
        parent, key = _random_place(rng, value)
        if parent is None:
            return odd_value(rng)
        kind = rng.randrange(6)
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        elif kind == 2:
            parent[key] = [parent[key]]
        elif kind == 3:
            parent[key] = str(parent[key])[:100]
        elif kind == 4 and isinstance(parent, dict):
            parent[rng.choice(ODD_TEXTS)] = parent.pop(key)
        else:
            parent[key] = odd_value(rng)
    return value


def _random_place(rng, value):
    parent, key = None, None
    while isinstance(value, list | dict) and value:
        parent, key = (
            value,
            rng.choice(list(value) if isinstance(value, dict) else range(len(value))),
        )
        value = value[key]
        if rng.random() < 0.3:
            break
    return parent, key


def write_json(rng: Random, path: Path, value: Any) -> None:
    """Write JSON, at times with NaN, deep nesting, repeated keys or another encoding."""
    text = json.dumps(value, default=str)
    kind = rng.randrange(20)
    if kind == 0:
        depth = rng.choice((10, 500, 5000, 100_000))
        text = text.replace("1", "[" * depth + "]" * depth, 1)
    elif kind == 1:
        text = "{" + '"a":1,' * 3 + text[1:]
    encoding = "utf-16" if kind == 2 else "latin-1" if kind == 3 else "utf-8"
    path.write_bytes(text.encode(encoding, errors="replace"))


# --- tables ------------------------------------------------------------------------------------


def mutate_frame(rng: Random, frame: pd.DataFrame) -> tuple[pd.DataFrame, set[int]]:
    """Change columns or cells of a table.

    Returns
    -------
    frame : pandas.DataFrame
    touched : set of int
        Positions of the rows of the argument that may give another result.
    """
    every = set(range(len(frame)))
    if len(frame) and rng.random() < 0.5:
        return _mutate_cells(rng, frame)
    change = rng.choice(_COLUMN_CHANGES)
    return change(rng, frame.copy()), every if change is not _shuffle else set()


def _mutate_cells(rng, frame):
    frame, touched = frame.copy(), set()
    for _ in range(rng.choice((1, 1, 3))):
        row, column = rng.randrange(len(frame)), rng.randrange(frame.shape[1])
        name = frame.columns[column]
        value = odd_value(rng)
        if frame[name].dtype.kind in "fiu" and isinstance(value, int | float):
            values = frame[name].to_numpy(np.float64 if frame[name].dtype.kind == "f" else None)
            values = values.copy()
            try:
                values[row] = value
            except (OverflowError, ValueError):
                continue
            frame[name] = values
            touched.add(row)
        else:
            values = frame[name].astype(object).to_numpy().copy()
            values[row] = value if isinstance(value, str) else None
            frame[name] = values
            # A null makes pandas store integers as floats, so that all rows change.
            touched |= {row} if frame[name].dtype.kind not in "fiu" else set(range(len(frame)))
    return frame, touched


def _drop(rng, frame):
    return frame.drop(columns=frame.columns[rng.randrange(frame.shape[1])])


def _repeat_column(rng, frame):
    return pd.concat([frame, frame.iloc[:, [rng.randrange(frame.shape[1])]]], axis=1)


def _rename(rng, frame):
    names = list(frame.columns)
    k = rng.randrange(len(names))
    name = str(names[k])
    names[k] = rng.choice(
        (name.upper(), name.rpartition(".")[2], f" {name}", f"{name}.1", rng.choice(ODD_TEXTS))
    )
    return frame.set_axis(names, axis=1)


def _swap(rng, frame):
    names = list(frame.columns)
    i, k = rng.randrange(len(names)), rng.randrange(len(names))
    names[i], names[k] = names[k], names[i]
    return frame.set_axis(names, axis=1)


def _retype(rng, frame):
    k = rng.randrange(frame.shape[1])
    values = frame.iloc[:, k]
    kind = rng.choice(("str", "float32", "bytes", "int8", "bool", "list", "null", "date", "dict"))
    try:
        if kind == "bytes":
            new = [str(value).encode() for value in values]
        elif kind == "list":
            new = [[value] for value in values]
        elif kind == "dict":
            new = [{"a": value} for value in values]
        elif kind == "null":
            new = [None] * len(values)
        elif kind == "date":
            new = pd.to_datetime(pd.Series(np.arange(len(values))), unit="D").to_numpy()
        else:
            new = values.astype(kind).to_numpy()
    except (ValueError, TypeError, OverflowError):
        new = [None] * len(values)
    names = list(frame.columns)
    columns = [frame.iloc[:, i].to_numpy() if i != k else new for i in range(len(names))]
    out = pd.DataFrame({i: pd.Series(column) for i, column in enumerate(columns)})
    return out.set_axis(names, axis=1)


def _rescale(rng, frame):
    k = rng.randrange(frame.shape[1])
    values = pd.to_numeric(frame.iloc[:, k], errors="coerce")
    factor, shift = rng.choice(((100, 0), (1, -2400000.5), (1, -180), (-1, 0), (0, 0), (1e30, 0)))
    frame = frame.copy()
    frame[frame.columns[k]] = values.astype(float) * factor + shift
    return frame


def _odd_column(rng, frame):
    value = odd_value(rng)
    frame[frame.columns[rng.randrange(frame.shape[1])]] = [value] * len(frame)
    return frame


def _repeat_rows(rng, frame):
    return pd.concat([frame, frame.iloc[: rng.choice((1, len(frame)))]], ignore_index=True)


def _no_rows(rng, frame):
    return frame.iloc[:0]


def _shuffle(rng, frame):
    order = list(range(len(frame)))
    rng.shuffle(order)
    return frame.iloc[order]


_COLUMN_CHANGES = (
    _drop, _repeat_column, _rename, _swap, _retype, _retype, _rescale, _odd_column, _repeat_rows,
    _no_rows, _shuffle,
)  # fmt: skip


def write_parquet(rng: Random, path: Path, frame: pd.DataFrame) -> None:
    """Write a table with any column names and types as parquet, with page checksums."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = []
    for k in range(frame.shape[1]):
        values = frame.iloc[:, k]
        try:
            array = pa.array(values, from_pandas=True)
            # Parquet has no dicts without keys.
            arrays.append(array if "struct<>" not in str(array.type) else array.is_null())
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
            arrays.append(pa.array([None if v is None else str(v) for v in values]))
    table = pa.Table.from_arrays(arrays, names=[str(name) for name in frame.columns])
    pq.write_table(
        table, path, write_page_checksum=True, row_group_size=100_000 if rng.random() < 0.95 else 7,
        compression=rng.choice(("snappy", "zstd", "none", "lz4", "gzip")),
    )  # fmt: skip


def write_csv(rng: Random, path: Path, frame: pd.DataFrame) -> bool:
    """Write a table as CSV, at times with another delimiter, encoding or ragged rows.

    Returns
    -------
    bool
        Whether all cells are as in the table.
    """
    text = frame.to_csv(index=False, sep=rng.choice((",", ",", ",", ";", "\t")))
    lines = text.split("\n")
    ragged = rng.random() < 0.2 and len(lines) > 2
    if ragged:
        k = rng.randrange(len(lines))
        lines[k] = rng.choice((lines[k] + ",extra", lines[k].rpartition(",")[0], '"' + lines[k]))
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16"))
    path.write_bytes("\n".join(lines).encode(encoding, errors="replace"))
    return not ragged
