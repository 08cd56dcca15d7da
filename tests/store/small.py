"""Small nights whose rows can be checked by hand, as files for the tests of the store."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.io.companions import forced_beside, history_beside
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.store.merge import HISTORY
from ztfml.store.show import light_curve
from ztfml.store.store import Store

JD = 2460474.7
ONE, TWO = "ZTF24aaaaaaa", "ZTF24aaaaaab"
PLACES = {ONE: (150.0, 20.0), TWO: (210.0, -10.0)}


def alert(name, jd, magpsf=18.0, fid=1, ra=None, dec=None, error=0.1):
    place = PLACES[name]
    candid = round((jd - 2450000) * 1e5) * 100 + 10 * (name == TWO) + fid
    return {
        "objectId": name, "candid": candid, "candidate.jd": jd,
        "candidate.fid": fid, "candidate.magpsf": magpsf, "candidate.sigmapsf": error,
        "candidate.isdiffpos": "t", "candidate.diffmaglim": 20.5,
        "candidate.ra": place[0] if ra is None else ra,
        "candidate.dec": place[1] if dec is None else dec, "note": f"note {name}",
    }  # fmt: skip


def row(name, jd, magpsf=np.nan, fid=1, error=0.1, limit=20.5):
    sign = None if np.isnan(magpsf) else "t"
    error = np.nan if np.isnan(magpsf) else error
    return {
        "objectId": name, "jd": jd, "fid": fid, "magpsf": magpsf, "sigmapsf": error,
        "diffmaglim": limit, "isdiffpos": sign,
    }  # fmt: skip


def forced(name, jd, flux, error=100.0, fid=1):
    return {"objectId": name, "jd": jd, "fid": fid, "flux": flux, "flux_err": error}


def write(path, alerts, rows=(), forced=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(alerts).to_parquet(path)
    if rows:
        pd.DataFrame(rows).to_parquet(history_beside(path))
    if forced:
        table = pa.Table.from_pylist(list(forced), schema=FORCED_SCHEMA)
        pq.write_table(table, forced_beside(path))
    return path


def night_of(folder, day, magpsf=18.0):
    """The night after `day` days: an alert of each object, and 3 days of history."""
    alerts = [alert(name, JD + day, magpsf) for name in PLACES]
    rows = [
        row(name, JD + day - back, 18.5 if (day - back) % 2 else np.nan)
        for name in PLACES
        for back in range(1, 4)
    ]
    fluxes = [forced(name, JD + day - back, 1000.0 * back) for name in PLACES for back in (1, 2)]
    return write(folder / f"night{day:02d}.parquet", alerts, rows, fluxes)


def edge_of_cells(dec, layout):
    """The right ascension at which a new cell begins, near 45 degrees."""
    low, high = 42.0, 52.0
    first = layout.cells_of(low, dec)
    assert first != layout.cells_of(high, dec)
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if layout.cells_of(middle, dec) == first else (low, middle)
    return high


def files_of(store):
    return sorted(path for path in store.place.path.rglob("*.parquet"))


def curves(store: Store):
    """The light curves of both objects, which say what the store contains."""
    return {name: light_curve(store, name) for name in PLACES}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name, curve in one.items():
        pd.testing.assert_frame_equal(curve, other[name])


def table(rows):
    """Rows of a store from dicts."""
    frame = pd.DataFrame(rows).reindex(columns=HISTORY.schema.names)
    frame["candid"] = frame["candid"].fillna(0)
    frame["isdiffpos"] = frame["isdiffpos"].map({"t": 1, "f": -1}).fillna(0)
    return pa.Table.from_pandas(frame, schema=HISTORY.schema, preserve_index=False)
