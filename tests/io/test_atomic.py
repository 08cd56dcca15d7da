"""Files are written whole or not at all."""

import numpy as np
import pandas as pd
import pytest

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.parquet import write_tables


def _fail_half_way(path):
    with write_beside(path) as part:
        part.write_text("half of the n")
        raise RuntimeError


def _write(path, tables):
    with write_tables(path) as write:
        for table in tables:
            write(table)


def test_what_stands_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        _fail_half_way(path)
    assert path.read_text() == "old"
    with write_beside(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_does_not_exist_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="name a folder that exists"):
        _fail_half_way(tmp_path / "no" / "a.txt")


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_tables_stand_one_below_the_other(tmp_path, name):
    tables = [
        pd.DataFrame({"candid": [2**53 + 1 + k], "objectId": ["a"], "x": [np.nan if k else 0.5]})
        for k in range(3)
    ]
    _write(tmp_path / name, tables)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    found = read(tmp_path / name)
    assert list(found["candid"]) == [2**53 + 1, 2**53 + 2, 2**53 + 3]
    assert list(found["x"].isna()) == [False, True, True]


class Unwritable:
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_table_that_cannot_be_written_leaves_no_file(tmp_path, name, place):
    tables = [pd.DataFrame({"x": [1.0]}) for _ in range(3)]
    tables[place] = pd.DataFrame({"x": [Unwritable()]})
    with pytest.raises(Exception):  # noqa: B017  (pyarrow's own for parquet)
        _write(tmp_path / name, tables)
    assert not list(tmp_path.iterdir())
