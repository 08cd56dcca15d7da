"""What was fetched for a night, in the folder ``NAME_fetched`` beside it.

``OBJECTID.parquet`` is an object's light curve in the columns of a history,
``OBJECTID_CANDID.npz`` an alert's three stamps, ``context.csv`` what catalogues know of the
places. Object names come from files of others: none becomes a path outside the folder.
"""

import logging
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.columns import read_columns
from ztfml.schema import BAND_OF_FID, HISTORY_COLUMNS, INDEXED_BY_OBJECT, Column

log = logging.getLogger(__name__)

FETCHED_SUFFIX = "_fetched"

CONTEXT_COLUMNS = (
    "objectId", "catalog", "name", "kind", "separation_arcsec", "redshift", "note",
)  # fmt: skip

# ZTF18abukavn, and the bare numbers of the earliest packets; no dot, slash or underscore.
_OBJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_FORCED = Column("forced", "sign", "", "whether the flux was measured at a known place")
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
_SIGN = {"t": "t", "true": "t", "1": "t", "f": "f", "false": "f", "0": "f", "-1": "f"}
_STAMPS = ("science", "reference", "difference")
_MOST_PIXELS = 1_000_000


class Cutouts(NamedTuple):
    """The stamps of an alert.

    Parameters
    ----------
    candid : int
    science, reference, difference : ndarray of float32, shape (n_rows, n_columns)
        Pixel values of the packet, NaN for none; 63 by 63 with the alert in the middle, or what
        there was of them. The first row is the northern edge, the first column the eastern, so that
        ``imshow`` draws north up and east left by default. The difference is science minus
        reference, or the reverse where `isdiffpos` is f: the source is bright in it.
    """

    candid: int
    science: np.ndarray
    reference: np.ndarray
    difference: np.ndarray


def fetched_beside(path):
    """The folder that belongs to an alerts file: ``NAME_fetched``.

    >>> fetched_beside("nights/a.parquet").name
    'a_fetched'
    """
    path = Path(path)
    return path.with_name(path.stem + FETCHED_SUFFIX)


def is_object_name(object_id):
    """Whether a name can be an object's, and so part of a file's name.

    >>> is_object_name("ZTF18abukavn"), is_object_name("../ZTF18abukavn")
    (True, False)
    """
    return isinstance(object_id, str) and _OBJECT_NAME.fullmatch(object_id) is not None


def light_curve(folder, object_id):
    """Read the light curve that was fetched of an object.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.
    object_id : str

    Returns
    -------
    pandas.DataFrame or None
        As of `Night.light_curve`, sorted by time: ``jd``, ``fid``, ``band``, ``magpsf``,
        ``sigmapsf`` (NaN where not detected), ``diffmaglim``, ``isdiffpos`` (+1, -1, 0 unknown),
        and ``forced`` (bool: forced photometry). None where none was fetched, or what is there
        is damaged, which is logged.

    Examples
    --------
    >>> light_curve("night_fetched", "ZTF18abukavn")   # doctest: +SKIP
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
    values["forced"] = values["forced"] > 0 if "forced" in values else False
    curve = pd.DataFrame(values).dropna(subset="jd")
    curve.insert(2, "band", curve["fid"].map(BAND_OF_FID))
    return curve.sort_values(["jd", "fid", "magpsf"], ignore_index=True)


def cutouts(folder, object_id, candid=None):
    """Read the stamps that were fetched of an object.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.
    object_id : str
    candid : int, optional
        Which alert; by default the latest there are stamps of.

    Returns
    -------
    Cutouts or None
        None where none were fetched, or what is there is damaged, which is logged.

    Examples
    --------
    >>> cutouts("night_fetched", "ZTF18abukavn").science.shape   # doctest: +SKIP
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


def context(folder):
    """Read what catalogues know of the places of a night's objects.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``.

    Returns
    -------
    pandas.DataFrame
        ``objectId``, ``catalog``, ``name``, ``kind`` (all text, '' for unknown),
        ``separation_arcsec``, ``redshift`` (NaN for unknown) and ``note`` (text such as
        "already classified as SN Ia"); the nearest first for each object. Empty where nothing
        was fetched, or what is there is damaged, which is logged.

    Examples
    --------
    >>> context("night_fetched").query("objectId == 'ZTF18abukavn'")   # doctest: +SKIP
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


def make_curve(rows):
    """Make the table of a light curve of what a broker tells of each exposure.

    Parameters
    ----------
    rows : list of dict
        ``jd`` and ``fid``; ``magpsf``, ``sigmapsf``, ``diffmaglim``, ``isdiffpos`` as far as
        known; ``forced`` (bool); ``candid`` (int) of an alert that has stamps.

    Returns
    -------
    pandas.DataFrame
        These columns, sorted by time, what came twice once; rows without a time or band of ZTF
        are left out.

    Raises
    ------
    DataError
        If no row is left of those there were.

    Examples
    --------
    >>> make_curve([{"jd": 2460000.5, "fid": 1, "magpsf": "18.5", "forced": False}]).magpsf[0]
    np.float64(18.5)
    """
    # Columns of objects: numbers with gaps would become floats, which cannot hold 19 digits.
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
    table["isdiffpos"] = table["isdiffpos"].map(lambda sign: _SIGN.get(str(sign).lower()))
    table["candid"] = pd.array(table["candid"], "Int64")
    table = table.dropna(subset=["jd", "fid"]).astype({"fid": np.int64, "forced": bool})
    if len(rows) and not len(table):
        raise DataError("no row has a time and a band of ZTF")
    table = table.drop_duplicates(["jd", "fid", "magpsf", "diffmaglim", "forced"])
    return table.sort_values(["jd", "fid", "magpsf"], ignore_index=True)


def whole_number(value):
    """Give an id of up to 19 digits as a number, or None if it is not whole or not exact.

    >>> whole_number("617155240115015005"), whole_number(6.17e17), whole_number(-1)
    (617155240115015005, None, None)
    """
    digits = isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value)
    if not digits and (not isinstance(value, int) or isinstance(value, bool)):
        return None
    return number if 0 < (number := int(value)) < 2**63 else None


def write_light_curve(folder, object_id, curve):
    """Write an object's light curve.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; made where it is not there.
    object_id : str
    curve : pandas.DataFrame
        As of `make_curve`.

    Raises
    ------
    DataError
        If the name is none of an object, or the folder cannot be written to.

    Examples
    --------
    >>> write_light_curve("night_fetched", "ZTF18abukavn", curve)   # doctest: +SKIP
    """
    path = _path_to_write(folder, object_id, ".parquet")
    rows = curve.assign(objectId=object_id)[_FILE_SCHEMA.names]
    with write_beside(path) as part:
        pq.write_table(
            pa.Table.from_pandas(rows, _FILE_SCHEMA, preserve_index=False), part, compression="zstd"
        )


def write_cutouts(folder, object_id, stamps):
    """Write the stamps of an alert.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; made where it is not there.
    object_id : str
    stamps : Cutouts

    Raises
    ------
    DataError
        As of `write_light_curve`.

    Examples
    --------
    >>> write_cutouts("night_fetched", "ZTF18abukavn", stamps)   # doctest: +SKIP
    """
    path = _path_to_write(folder, object_id, f"_{int(stamps.candid)}.npz")
    images = {name: np.asarray(getattr(stamps, name), np.float32) for name in _STAMPS}
    with write_beside(path) as part, open(part, "wb") as file:
        np.savez_compressed(file, **images)


def write_context(folder, table):
    """Write what catalogues know of the places of a night's objects.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``; made where it is not there.
    table : pandas.DataFrame
        The columns of `CONTEXT_COLUMNS`.

    Raises
    ------
    DataError
        If the folder cannot be written to.

    Examples
    --------
    >>> write_context("night_fetched", table)   # doctest: +SKIP
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with write_beside(Path(folder) / "context.csv") as part:
        table[list(CONTEXT_COLUMNS)].to_csv(part, index=False)


def _path_of(folder, object_id, ending):
    return Path(folder) / f"{object_id}{ending}" if is_object_name(object_id) else None


def _path_to_write(folder, object_id, ending):
    path = _path_of(folder, object_id, ending)
    if path is None:
        raise DataError(
            f"{object_id!r} is no name of an object; names are of letters, digits and hyphens, "
            "such as ZTF18abukavn"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _read_stamps(path, candid):
    try:
        with np.load(path, allow_pickle=False) as file:
            images = [file[name].astype(np.float32) for name in _STAMPS]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s: cannot be read (%s); fetch it again", path, error)
        return None
    if any(image.ndim != 2 or not 0 < image.size <= _MOST_PIXELS for image in images):
        log.warning("%s: holds no images; fetch it again", path)
        return None
    return Cutouts(candid, *images)
