"""Types and spellings of ids, and files in formats that ztfml does not read."""

import numpy as np
import pandas as pd
import pytest

from ztfml.errors import DataError
from ztfml.sources.formats import open_night

CANDID = 2733200000015015001


def table(candid):
    return pd.DataFrame(
        {
            "objectId": ["ZTF24abcdefa", "ZTF24abcdefb"], "candid": candid,
            "jd": [2460474.7, 2460474.71], "fid": [1, 2], "magpsf": 18.5, "sigmapsf": 0.1,
            "isdiffpos": "t",
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    "candid",
    [
        np.array([CANDID, CANDID + 1], np.uint64),
        [f" {CANDID} ", f"{CANDID + 1}\t"],
        pd.Series([CANDID, CANDID + 1], dtype="UInt64"),
    ],
)
def test_types_of_candid(tmp_path, candid):
    table(candid).to_parquet(tmp_path / "a.parquet")
    assert open_night(tmp_path / "a.parquet").alerts["candid"].tolist() == [CANDID, CANDID + 1]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"SIMPLE  =                    T", "a FITS file"),
        (b"PK\x03\x04\x14\x00", "an Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x80\x05\x95\x00", "a Python pickle"),
        (b"\xff\xff\xff\xff\x10\x00", "an Arrow stream"),
    ],
)
def test_other_formats_are_named(tmp_path, content, found):
    (tmp_path / "a.dat").write_bytes(content + b"\0" * 100)
    with pytest.raises(DataError, match=found):
        open_night(tmp_path / "a.dat")
