"""A small night as tables and as files, for several tests."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.night import Night

# Nights of real alerts.
REAL = ["2458312.5", "2458451.5", "2460235.5", "real"]

# Not a multiple of a quarter of a day, which would look like a 32-bit float.
JD = 2459000.7345
CANDID = 1234567890123456789
ONE, TWO = "ZTF20aaaaaaa", "ZTF20aaaaaab"


def alerts_frame(**columns):
    """Two alerts of one object and one of another."""
    return pd.DataFrame(
        {
            "objectId": [ONE, ONE, TWO],
            "candid": [CANDID, CANDID + 1, CANDID + 2],
            "candidate.jd": [JD, JD + 3, JD],
            "candidate.fid": [1, 2, 1],
            "candidate.magpsf": [18.5, 18.0, 20.0],
            "candidate.sigmapsf": [0.1, 0.05, 0.2],
            "candidate.isdiffpos": ["t", "t", "f"],
            **columns,
        }
    )


def history_frame(**columns):
    """Four rows of the first object, the last between its two alerts; none of the second."""
    return pd.DataFrame(
        {
            "objectId": [ONE] * 4,
            "jd": [JD - 6, JD - 4, JD - 2, JD + 1],
            "fid": [1, 2, 1, 2],
            "magpsf": [np.nan, 19.5, 19.0, 18.25],
            "sigmapsf": [np.nan, 0.2, 0.1, 0.1],
            "diffmaglim": [20.0, 20.5, 20.5, 20.75],
            "isdiffpos": [None, "t", "f", "t"],
            **columns,
        }
    )


def save(folder, alerts, history=None, **options):
    path = folder / "night.parquet"
    for table, file in ((alerts, path), (history, history_beside(path))):
        if isinstance(table, pa.Table):
            pq.write_table(table, file)
        elif table is not None:
            table.to_parquet(file, **options)
    return path


def sees(night, k):
    """Return the epochs of the history rows that alert k sees."""
    return night.history.jd[night.first[k] : night.last[k]].tolist()


def rows_of(night):
    """Return the history as a table sorted by object name."""
    history = night.history
    names = np.repeat(night.object_ids.to_pylist(), np.diff(history.start))
    frame = pd.DataFrame(history.rows(0, len(history.jd))).assign(objectId=names)
    return frame.sort_values("objectId", kind="stable", ignore_index=True)


def refused(path, *words):
    """Check that loading fails with one sentence that contains these words."""
    with pytest.raises(DataError) as caught:
        Night.load(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message
