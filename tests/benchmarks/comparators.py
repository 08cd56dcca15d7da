"""Other ways from a night's files to numbers about each alert, each timed in its own process.

Run as ``python -m tests.benchmarks.comparators WAY NIGHT RUNS``; prints JSON. All were written
for this comparison from published descriptions, each in the fastest form of its way that was
found.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.benchmarks.inputs import history_of
from tests.benchmarks.timing import seconds_of

FIDS = {"g": 1, "r": 2, "i": 3}
N_SAMPLE = 20


# --- ztfml -------------------------------------------------------------------------------


def ztfml(night):
    """All features of every alert as of its epoch."""
    from ztfml.features import compute
    from ztfml.night import Night

    return compute(Night.load(night))


# --- pandas ------------------------------------------------------------------------------

# Days of non-detections that a packet carries.
PACKET_HISTORY = 30.0
_ROWS = ["objectId", "jd", "fid", "magpsf", "diffmaglim"]


def pandas_groupby(night):
    """26 values of every alert as of its epoch, by one merge and grouped aggregations."""
    alerts, rows = _alerts_and_rows(night)
    now = alerts[["objectId", "alert", "jd"]].rename(columns={"jd": "now"})
    seen = now.merge(rows, on="objectId")
    seen = seen[seen["jd"] < seen["now"]]
    detected = seen["magpsf"].notna()
    # The alert is the last of its detections; within an alert the rows are in order of time.
    detections = pd.concat([seen[detected], alerts.assign(now=alerts["jd"])])
    values = _band_values(detections) | _time_values(detections) | _limit_values(seen[~detected])
    return pd.DataFrame(values, index=alerts["alert"])


def _alerts_and_rows(night):
    """Both tables, with a number for the name of each object."""
    rows = pq.read_table(history_of(night), columns=_ROWS, read_dictionary=["objectId"])
    rows = rows.to_pandas(ignore_metadata=True)
    alerts = pd.read_parquet(night, columns=["objectId", *(f"candidate.{c}" for c in _ROWS[1:])])
    alerts.columns = _ROWS
    alerts["objectId"] = rows["objectId"].cat.categories.get_indexer(alerts["objectId"])
    rows["objectId"] = rows["objectId"].cat.codes
    alerts["alert"] = np.arange(len(alerts))
    return alerts, rows


def _band_values(detections):
    groups = detections.groupby(["alert", "fid"], sort=False)
    mags = groups["magpsf"].agg(["count", "first", "last", "min", "mean", "std"]).unstack("fid")
    first_jd = groups["jd"].first().unstack("fid")
    values = {}
    for band, fid in FIDS.items():
        for name in ("count", "first", "last", "min", "mean", "std"):
            values[f"mag_{name}_{band}"] = mags[name, fid]
        values[f"first_jd_{band}"] = first_jd[fid]
    return values


def _time_values(detections):
    groups = detections.groupby("alert", sort=False)["jd"]
    gaps = groups.diff().groupby(detections["alert"], sort=False)
    return {
        "age": groups.last() - groups.first(),
        "days_since_detection": gaps.last(),
        "longest_gap": gaps.max(),
    }


def _limit_values(limits):
    recent = limits[limits["now"] - limits["jd"] <= PACKET_HISTORY]
    groups = limits.groupby("alert")
    return {
        "n_limit": recent.groupby("alert").size(),
        "last_limit_jd": groups["jd"].last(),
    }


# --- light-curve -------------------------------------------------------------------------


def _extractor():
    """14 values; of the two main bands together 28."""
    import light_curve

    return light_curve.Extractor(
        light_curve.Amplitude(),
        light_curve.BeyondNStd(1.0),
        light_curve.Cusum(),
        light_curve.Eta(),
        light_curve.ExcessVariance(),
        light_curve.InterPercentileRange(0.25),
        light_curve.MaximumTimeInterval(),
        light_curve.Mean(),
        light_curve.Median(),
        light_curve.ObservationCount(),
        light_curve.ReducedChi2(),
        light_curve.Skew(),
        light_curve.StandardDeviation(),
        light_curve.StetsonK(),
    )


_LIGHT_CURVE = ["jd", "magpsf", "sigmapsf"]


def light_curve_objects(night):
    """28 values of every object in the history: all of it, without the alerts."""
    _, number, detections = _detections(night)
    tables = []
    for band in ("g", "r"):
        mine = detections["fid"].to_numpy() == FIDS[band]
        own = number[mine]
        start = np.flatnonzero(np.diff(own, prepend=-1))
        columns = [detections[name].to_numpy()[mine] for name in _LIGHT_CURVE]
        values = _extract(columns, np.append(start, len(own)))
        tables.append(pd.DataFrame(values, index=own[start]).add_suffix(f"_{band}"))
    return pd.concat(tables, axis=1)


def light_curve_alerts(night):
    """28 values of every alert as of its epoch, itself included."""
    objects, number, detections = _detections(night)
    names = [f"candidate.{name}" for name in ("fid", *_LIGHT_CURVE)]
    alerts = pq.read_table(night, columns=["objectId", *names])
    fid, *own = (alerts[name].to_numpy() for name in names)
    code = pc.index_in(alerts["objectId"].cast(pa.string()), value_set=objects)
    code = code.fill_null(-1).to_numpy()
    tables = []
    for band in ("g", "r"):
        mine = detections["fid"].to_numpy() == FIDS[band]
        columns = [detections[name].to_numpy()[mine] for name in _LIGHT_CURVE]
        take, at, end = _as_of(number[mine], columns[0], code, own[0], fid == FIDS[band])
        # The alert comes last in its own light curve.
        nested = [np.empty(end[-1]) for _ in columns]
        for column, past, now in zip(nested, columns, own, strict=True):
            column[at] = past[take]
            column[end[1:][fid == FIDS[band]] - 1] = now[fid == FIDS[band]]
        tables.append(pd.DataFrame(_extract(nested, end)).add_suffix(f"_{band}"))
    return pd.concat(tables, axis=1)


def _detections(night):
    """The names of the objects, and the object's number and the columns of each detection."""
    columns = ["objectId", "fid", *_LIGHT_CURVE]
    rows = pq.read_table(history_of(night), columns=columns, read_dictionary=["objectId"])
    names, number, n_objects = [], [], -1
    for chunk in rows["objectId"].chunks:
        code = chunk.indices.to_numpy()
        new = np.diff(code, prepend=-1) != 0
        # An object may go on across the border of two row groups.
        new[0] = not names or names[-1][-1].as_py() != chunk[0].as_py()
        names.append(chunk.dictionary.take(pa.array(code[new])))
        number.append(n_objects + np.cumsum(new, dtype=np.int32))
        n_objects = number[-1][-1]
    number = np.concatenate(number)
    detected = pc.is_valid(rows["magpsf"])
    detections = rows.drop_columns("objectId").filter(detected)
    return pa.chunked_array(names).combine_chunks(), number[detected.to_numpy()], detections


def _as_of(number, jd, code, now, own):
    """Which detections each alert sees, where they go in the nested columns, and their ends."""
    begin = min(jd.min(), now.min())
    span = max(jd.max(), now.max()) - begin + 1
    # One key that rises along the rows, which are sorted by object and time.
    key = number * span + (jd - begin)
    known = code >= 0
    first = np.where(known, np.searchsorted(key, code * span), 0)
    last = np.where(known, np.searchsorted(key, code * span + (now - begin)), 0)
    count = last - first
    end = np.concatenate([[0], np.cumsum(count + own)])
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(first, count) + within, np.repeat(end[:-1], count) + within, end


def _extract(columns, end):
    lists = pa.ListArray.from_arrays(
        pa.array(end, pa.int32()), pa.StructArray.from_arrays(map(pa.array, columns), _LIGHT_CURVE)
    )
    fields = dict(zip(("t", "m", "sigma"), _LIGHT_CURVE, strict=True))
    return _extractor().many(
        lists, arrow_fields=fields, sorted=True, check=False, fill_value=np.nan, n_jobs=-1
    )


# --- the exercise ------------------------------------------------------------------------


def exercise_as_text(night):
    """Seconds to get the light curve of each of some alerts, object names being text."""
    return _exercise(night, "str")


def exercise_as_categories(night):
    """The same with object names as pandas categories."""
    return _exercise(night, "category")


def _exercise(night, names):
    alerts = pd.read_parquet(night)
    history = pd.read_parquet(history_of(night)).reset_index().astype({"objectId": names})
    sample = np.linspace(0, len(alerts) - 1, N_SAMPLE).astype(int)
    return [seconds_of(_one_light_curve, alerts.iloc[k], history)[0] for k in sample]


def _one_light_curve(alert, history):
    """Both files are held as data frames; for an alert the rows of its object are taken from
    the history, of these the earlier ones, and the alert is appended under the history's names.
    """
    mine = history[history["objectId"] == alert["objectId"]]
    earlier = mine[mine["jd"] < alert["candidate.jd"]]
    own = {
        name.removeprefix("candidate."): value
        for name, value in alert.items()
        if not name.startswith(("classifications.", "coordinates."))
    }
    return pd.concat([earlier, pd.DataFrame([own])])


# --- as a program ------------------------------------------------------------------------

TABLES = (ztfml, pandas_groupby, light_curve_objects, light_curve_alerts)
LIGHT_CURVES = (exercise_as_text, exercise_as_categories)


def main(way, night, runs):
    """Print the seconds of each run, and the shape of a table."""
    way, night = globals()[way], Path(night)
    if way in LIGHT_CURVES:
        print(json.dumps({"seconds": way(night)}))
        return
    table = way(night)
    seconds = [seconds_of(way, night)[0] for _ in range(int(runs))]
    print(json.dumps({"seconds": seconds, "rows": len(table), "values": table.shape[1]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
