"""Tables written in parts."""

import numpy as np
import pandas as pd
import pytest

from ztfml.io.parquet import write_tables


def write_all(path, tables):
    with write_tables(path) as write:
        for table in tables:
            write(table)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_parts_are_appended(tmp_path, name):
    tables = [
        pd.DataFrame({"candid": [2**53 + 1 + k], "objectId": ["a"], "x": [np.nan if k else 0.5]})
        for k in range(3)
    ]
    write_all(tmp_path / name, tables)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    found = read(tmp_path / name)
    assert list(found["candid"]) == [2**53 + 1, 2**53 + 2, 2**53 + 3]
    assert list(found["x"].isna()) == [False, True, True]


class Unwritable:
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failed_part_leaves_no_file(tmp_path, name, failing):
    tables = [pd.DataFrame({"x": [1.0]}) for _ in range(3)]
    tables[failing] = pd.DataFrame({"x": [Unwritable()]})
    with pytest.raises(Exception):  # noqa: B017  (pyarrow raises its own types)
        write_all(tmp_path / name, tables)
    assert not list(tmp_path.iterdir())
