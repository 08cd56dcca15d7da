"""Tables written in parts."""

import numpy as np
import pandas as pd
import pytest

from tests.night_files import alerts_frame, history_frame
from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.io.parquet import write_tables
from ztfml.night import Night


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


def error_of(path):
    try:
        Night.load(path)
    except DataError as error:
        return str(error)
    return ""


def test_a_flipped_bit_is_an_error(tmp_path):
    """In any byte of the pages, of the alerts or of the history; page headers are not verified."""
    history = pd.concat([history_frame()] * 200, ignore_index=True)
    history["jd"] += np.random.default_rng(1).uniform(-20, 0, len(history))
    path = tmp_path / "night.parquet"
    Night.from_frames(alerts_frame(), history).save(path)
    file = history_beside(path)
    whole = file.read_bytes()
    plain = Night.load(path).history
    rng, refused = np.random.default_rng(2), 0
    for place in rng.integers(4, len(whole) // 2, 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        file.write_bytes(damaged)
        message = error_of(path)
        assert "\n" not in message
        refused += "damaged" in message
        if not message:
            found = Night.load(path).history
            for name in found._fields:
                np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
    assert refused > 50


def test_files_without_checksums_are_read(tmp_path):
    alerts_frame().to_parquet(tmp_path / "night.parquet", write_page_checksum=False)
    assert len(Night.load(tmp_path / "night.parquet")) == 3
