"""The folder ``NAME_fetched`` beside a night, with data fetched for its objects.

``OBJECTID.parquet`` is the light curve of an object in the columns of a history,
``OBJECTID_CANDID.npz`` contains the three stamps of an alert, and ``context.csv`` lists catalogue
entries near the objects. Object names come from external files, so they are checked before they
become part of a path.
"""

from __future__ import annotations

import io
import logging
import math
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.columns import read_columns
from ztfml.io.companions import companion
from ztfml.io.limits import MAX_STAMP_BYTES, MAX_STAMP_PIXELS
from ztfml.io.parquet import WRITE_OPTIONS
from ztfml.io.safe_text import safe_table
from ztfml.schema import (
    BAND_OF_FID,
    HISTORY_COLUMNS,
    INDEXED_BY_OBJECT,
    SPELLING_OF_SIGN,
    Column,
    sign_of,
)

log = logging.getLogger(__name__)

FETCHED_SUFFIX = "_fetched"

CONTEXT_COLUMNS = (
    "objectId", "catalog", "name", "kind", "separation_arcsec", "redshift", "note",
)  # fmt: skip

# ZTF18abukavn, or a number in the earliest packets; no dot, slash or underscore.
_OBJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_FORCED = Column("forced", "sign", "", "whether the flux was measured at a known position")
_FILE_SCHEMA = pa.schema(
    [
        ("objectId", pa.string()),
        ("jd", pa.float64()),
        ("fid", pa.int32()),
        ("magpsf", pa.float64()),
        ("sigmapsf", pa.float64()),
        ("diffmaglim", pa.float64()),
        ("isdiffpos", pa.string()),
        ("forced", pa.bool_()),
    ],
    metadata=INDEXED_BY_OBJECT,
)
_NUMBERS = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim")
_STAMPS = ("science", "reference", "difference")


class Cutouts(NamedTuple):
    """The three stamps of an alert.

    Parameters
    ----------
    candid : int
    science, reference, difference : ndarray of float32, shape (n_rows, n_columns)
        Pixel values of the packet, NaN if missing; usually 63 by 63 with the alert at the centre.
        The first row is the northern edge and the first column the eastern edge, so that
        ``imshow`` draws north up and east left by default. The difference is science minus
        reference, or the reverse if `isdiffpos` is f, so that the source is always bright.

    Examples
    --------
    >>> image = np.ones((63, 63), np.float32)
    >>> Cutouts(617155240115015005, image, image, image).science.shape
    (63, 63)
    """

    candid: int
    science: np.ndarray
    reference: np.ndarray
    difference: np.ndarray


def fetched_beside(path: str | Path) -> Path:
    """Return the folder that belongs to an alerts file: ``NAME_fetched``.

    >>> fetched_beside("nights/a.parquet").name
    'a_fetched'
    """
    return companion(path, FETCHED_SUFFIX)


def is_object_name(object_id: object) -> bool:
    """Return True if a name is a valid object name, and so may be part of a file name.

    >>> is_object_name("ZTF18abukavn"), is_object_name("../ZTF18abukavn")
    (True, False)
    """
    return isinstance(object_id, str) and _OBJECT_NAME.fullmatch(object_id) is not None


def light_curve(folder: str | Path, object_id: str) -> pd.DataFrame | None:
    """Read the fetched light curve of an object.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.
    object_id : str

    Returns
    -------
    pandas.DataFrame or None
        Columns of `Night.light_curve`, sorted by time: ``jd``, ``fid``, ``band``, ``magpsf``,
        ``sigmapsf`` (NaN if not detected), ``diffmaglim``, ``isdiffpos`` (+1, -1, 0 unknown),
        and ``forced`` (bool: forced photometry). None if there is no file, or with a warning if
        it is damaged.

    Examples
    --------
    >>> rows = [{"jd": 2460000.5, "fid": 1, "magpsf": 18.5, "sigmapsf": 0.1, "forced": False}]
    >>> write_light_curve("night_fetched", "ZTF18abukavn", make_curve(rows))
    >>> light_curve("night_fetched", "ZTF18abukavn")["magpsf"].tolist()
    [18.5]
    """
    path = _path_of(folder, object_id, ".parquet")
    if path is None or not path.is_file():
        return None
    try:
        values = read_columns(path, (*HISTORY_COLUMNS, _FORCED))
    except DataError as error:
        log.warning("%s", error)
        return None
    del values["objectId"]
    n_rows = len(values["jd"])
    for name, missing in (("sigmapsf", np.nan), ("diffmaglim", np.nan), ("isdiffpos", 0)):
        values.setdefault(name, np.full(n_rows, missing))
    values["forced"] = values["forced"] > 0 if "forced" in values else False
    curve = pd.DataFrame(values).dropna(subset="jd")
    curve.insert(2, "band", curve["fid"].map(BAND_OF_FID))
    return curve.sort_values(["jd", "fid", "magpsf"], ignore_index=True)


def cutouts(folder: str | Path, object_id: str, candid: int | None = None) -> Cutouts | None:
    """Read the fetched stamps of an object.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.
    object_id : str
    candid : int, optional
        The alert; by default the latest one with stamps.

    Returns
    -------
    Cutouts or None
        None if there is no file, or with a warning if it is damaged.

    Examples
    --------
    >>> image = np.ones((63, 63))
    >>> write_cutouts("night_fetched", "ZTF18abukavn", Cutouts(7, image, image, image))
    >>> cutouts("night_fetched", "ZTF18abukavn").science.shape
    (63, 63)
    """
    if not is_object_name(object_id):
        return None
    if candid is None:
        names = (path.stem for path in Path(folder).glob(f"{object_id}_*.npz"))
        numbers = (re.fullmatch(r".*_(-?[0-9]{1,19})", name) for name in names)
        candid = max((int(number[1]) for number in numbers if number), default=None)
    path = _path_of(folder, object_id, f"_{candid}.npz")
    return _read_stamps(path, candid) if path.is_file() else None


def context(folder: str | Path) -> pd.DataFrame:
    """Read the catalogue entries near the objects of a night.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.

    Returns
    -------
    pandas.DataFrame
        ``objectId``, ``catalog``, ``name``, ``kind`` (text, '' if unknown),
        ``separation_arcsec``, ``redshift`` (NaN if unknown) and ``note`` (text such as
        "already classified as SN Ia"); the nearest first for each object. Empty if there is no
        file, or with a warning if it is damaged.

    Examples
    --------
    >>> context("other_night_fetched").columns[:2].tolist()
    ['objectId', 'catalog']
    """
    path = Path(folder) / "context.csv"
    table = pd.DataFrame(columns=CONTEXT_COLUMNS, dtype="str")
    if path.is_file():
        try:
            table = pd.read_csv(path, dtype="str", keep_default_na=False)[list(CONTEXT_COLUMNS)]
        except (ValueError, KeyError, OSError) as error:
            log.warning("%s: cannot be read (%s); fetch it again", path, error)
    for column in ("separation_arcsec", "redshift"):
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    return table


def make_curve(rows: Sequence[dict]) -> pd.DataFrame:
    """Make the table of a light curve from the rows of a broker.

    Parameters
    ----------
    rows : sequence of dict
        One per exposure: ``jd`` and ``fid``; ``magpsf``, ``sigmapsf``, ``diffmaglim`` and
        ``isdiffpos`` if known; ``forced`` (bool); ``candid`` (int) if the alert has stamps.

    Returns
    -------
    pandas.DataFrame
        These columns, sorted by time, without repeated rows and without rows that have no time
        or no ZTF band.

    Raises
    ------
    DataError
        If none of the rows has a time and a ZTF band.

    Examples
    --------
    >>> make_curve([{"jd": 2460000.5, "fid": 1, "magpsf": "18.5", "forced": False}]).magpsf[0]
    np.float64(18.5)
    """
    # Object columns: integers with gaps would become floats, which cannot hold 19 digits.
    table = pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in rows], dtype=object)
            for name in (*_FILE_SCHEMA.names[1:], "candid")
        }
    )
    for column in HISTORY_COLUMNS:
        if column.name in _NUMBERS:
            numbers = pd.to_numeric(table[column.name], errors="coerce").astype(np.float64)
            table[column.name] = numbers.where(numbers.between(*column.valid))
    table["isdiffpos"] = table["isdiffpos"].map(lambda sign: SPELLING_OF_SIGN[sign_of(sign)])
    table["candid"] = pd.array(table["candid"], "Int64")
    table = table.dropna(subset=["jd", "fid"]).astype({"fid": np.int64, "forced": bool})
    if len(rows) and not len(table):
        raise DataError("no row has a time and a ZTF band")
    table = table.drop_duplicates(["jd", "fid", "magpsf", "diffmaglim", "forced"])
    return table.sort_values(["jd", "fid", "magpsf"], ignore_index=True)


def whole_number(value: Any) -> int | None:
    """Return an id of up to 19 digits as an integer, or None if it is not an exact integer.

    >>> whole_number("617155240115015005"), whole_number(6.17e17), whole_number(-1)
    (617155240115015005, None, None)
    """
    digits = isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value)
    if not digits and (not isinstance(value, int) or isinstance(value, bool)):
        return None
    return number if 0 < (number := int(value)) < 2**63 else None


def write_light_curve(folder: str | Path, object_id: str, curve: pd.DataFrame) -> None:
    """Write the light curve of an object.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; created if it does not exist.
    object_id : str
    curve : pandas.DataFrame
        Output of `make_curve`.

    Raises
    ------
    DataError
        If the object name is not valid, or the folder cannot be written to.

    Examples
    --------
    >>> curve = make_curve([{"jd": 2460000.5, "fid": 1, "magpsf": 18.5, "forced": False}])
    >>> write_light_curve("night_fetched", "ZTF18aaaaaaa", curve)
    >>> Path("night_fetched/ZTF18aaaaaaa.parquet").exists()
    True
    """
    path = _path_to_write(folder, object_id, ".parquet")
    rows = curve.assign(objectId=object_id)[_FILE_SCHEMA.names]
    with write_beside(path) as part:
        pq.write_table(
            pa.Table.from_pandas(rows, _FILE_SCHEMA, preserve_index=False), part, **WRITE_OPTIONS
        )


def write_cutouts(folder: str | Path, object_id: str, stamps: Cutouts) -> None:
    """Write the stamps of an alert.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; created if it does not exist.
    object_id : str
    stamps : Cutouts

    Raises
    ------
    DataError
        See `write_light_curve`.

    Examples
    --------
    >>> image = np.ones((63, 63))
    >>> write_cutouts("night_fetched", "ZTF18aaaaaaa", Cutouts(7, image, image, image))
    >>> Path("night_fetched/ZTF18aaaaaaa_7.npz").exists()
    True
    """
    path = _path_to_write(folder, object_id, f"_{int(stamps.candid)}.npz")
    images: dict[str, Any] = {
        name: np.asarray(getattr(stamps, name), np.float32) for name in _STAMPS
    }
    # A night has thousands of them.
    with write_beside(path, durable=False) as part, open(part, "wb") as file:
        np.savez_compressed(file, **images)


def write_context(folder: str | Path, table: pd.DataFrame) -> None:
    """Write the catalogue entries near the objects of a night.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; created if it does not exist.
    table : pandas.DataFrame
        The columns of `CONTEXT_COLUMNS`.

    Raises
    ------
    DataError
        If the folder cannot be written to.

    Examples
    --------
    >>> entry = dict.fromkeys(CONTEXT_COLUMNS, "") | {"objectId": "ZTF18abukavn", "catalog": "VSX"}
    >>> write_context("written_fetched", pd.DataFrame([entry]))
    >>> context("written_fetched")["catalog"].tolist()
    ['VSX']
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with write_beside(Path(folder) / "context.csv") as part:
        safe_table(table[list(CONTEXT_COLUMNS)]).to_csv(part, index=False)


def _path_of(folder, object_id, ending):
    return Path(folder) / f"{object_id}{ending}" if is_object_name(object_id) else None


def _path_to_write(folder, object_id, ending):
    path = _path_of(folder, object_id, ending)
    if path is None:
        raise DataError(
            f"{object_id!r} is not a valid object name; use letters, digits and hyphens, such as "
            "ZTF18abukavn"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _read_stamps(path, candid):
    try:
        with zipfile.ZipFile(path) as file:
            images = [_read_image(file, f"{name}.npy") for name in _STAMPS]
    except Exception as error:  # The readers of zip and npy raise many types.
        log.warning("%s: cannot be read (%s); fetch it again", path, error)
        return None
    return Cutouts(candid, *images)


def _read_image(file, name):
    """Read an array of an npz file; numpy allocates whatever size its header declares."""
    with file.open(name) as member:
        content = member.read(MAX_STAMP_BYTES)
    image = np.load(io.BytesIO(_checked_npy(content)), allow_pickle=False)
    return image.astype(np.float32)


def _checked_npy(content):
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read_header(stream)
    if len(shape) != 2 or not 0 < math.prod(shape) <= MAX_STAMP_PIXELS or dtype.kind not in "fiu":
        raise DataError(f"no image; its shape is {shape} and its type {dtype}")
    return content
