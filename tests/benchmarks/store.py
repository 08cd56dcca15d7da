"""Measure the history store: speed, size, memory, and what a long history improves.

    python -m tests.benchmarks.store [--alerts 3000] [--nights 60] [--orders 2 3 4]
    python -m tests.benchmarks.store --improve [--alerts 3000]

The first form adds nights with 30 days of history to a store, for each HEALPix order. The objects
cover a sixteenth of the sky, so 3,000 alerts are as dense as 48,000 on the whole sky. The second
form simulates a night with long histories, and divides these into nights with alerts that have the
30 days of a packet. It compares predictions and recovery of the last night with its 30 days, with
the history of the store, and with all of it.
"""

import argparse
import logging
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.evaluation.metrics import metrics
from ztfml.injection.recovery import recover
from ztfml.injection.report import recovery_report
from ztfml.lightcurves.history import History
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.simulate import simulate
from ztfml.store.add import add_night
from ztfml.store.layout import Layout
from ztfml.store.night import with_store, write_night_with_history
from ztfml.store.show import contents
from ztfml.store.store import Store

FIRST_JD = 2460474.5
PACKET_DAYS = 30.0
# A field has an exposure in both bands every second night.
CADENCE = 2
FIELD_SIZE = 7.0  # deg
# Of the exposures, a third is a detection, as in packets of variable objects.
DETECTED = 0.33
# Alerts of asteroids and artifacts never come again.
NEW = 0.4
REPEATS = 20


def dense_nights(n_alerts, n_nights, folder):
    """Write nights of one patch of the sky, whose objects come again every second night."""
    rng = np.random.default_rng(1)
    n_known = int(n_alerts * (1 - NEW)) * CADENCE
    known = _objects(rng, n_known, 0)
    paths = []
    for night in range(n_nights):
        mine = known[_turn(known) == night % CADENCE]
        new = _objects(rng, 3 * (n_alerts - len(mine)), n_known + 3 * night * n_alerts)
        new = new[_turn(new) == night % CADENCE][: n_alerts - len(mine)]
        path = folder / f"night{night:03d}.parquet"
        _write(rng, pd.concat([mine, new], ignore_index=True), night, path)
        paths.append(path)
    return paths


def _turn(objects):
    """The nights on which the field of an object is observed: neighbouring fields take turns."""
    fields = np.floor(objects[["ra", "dec"]] / FIELD_SIZE).sum(axis=1)
    return fields.to_numpy().astype(int) % CADENCE


def _objects(rng, n, first):
    number = np.arange(first, first + n)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    digits = (number[:, None] // 26 ** np.arange(7)) % 26
    names = ["ZTF24" + "".join(one) for one in letters[digits]]
    dec = np.degrees(np.arcsin(rng.uniform(0.2, 0.7, n)))
    return pd.DataFrame(
        {"number": number, "objectId": names, "ra": rng.uniform(100, 190, n), "dec": dec}
    )


def _epochs(number, nights):
    """Times of the two exposures of an object in a night; each field has its own minute."""
    field = number[:, None] % 97
    start = FIRST_JD + 0.2 + nights[None, :] + field * 3e-3
    return np.stack([start, start + 0.03], axis=2)


def _write(rng, objects, night, path):
    number = objects["number"].to_numpy()
    past = night - np.arange(PACKET_DAYS, 0, -CADENCE)
    jd = _epochs(number, past)
    # The same measurement in each packet: it follows from the object and the time.
    value = np.sin(jd * 1e3 + number[:, None, None]) % 1.0
    seen = value < DETECTED
    mag = np.float32(18 + 2 * value)
    rows = pd.DataFrame(
        {
            "objectId": np.repeat(objects["objectId"].to_numpy(), jd[0].size),
            "jd": jd.ravel(),
            "fid": np.broadcast_to([1, 2], jd.shape).ravel(),
            "magpsf": np.where(seen, mag, np.nan).ravel(),
            "sigmapsf": np.where(seen, np.float32(0.05 + 0.1 * value), np.nan).ravel(),
            "diffmaglim": np.float32(19.5 + value).ravel(),
            "isdiffpos": np.where(seen, "t", None).ravel(),
        }
    )
    tonight = _epochs(number, np.array([night]))[:, 0, 0]
    alerts = pd.DataFrame(
        {
            "objectId": objects["objectId"],
            "candid": (night * 10**8 + number + 10**17).astype(np.int64),
            "jd": tonight,
            "fid": 1,
            "magpsf": 18 + 2 * DETECTED * rng.random(len(objects)),
            "sigmapsf": 0.1,
            "isdiffpos": "t",
            "diffmaglim": 20.5,
            "ra": objects["ra"],
            "dec": objects["dec"],
        }
    )
    Night.from_frames(alerts, rows, name=path.stem).save(path)


def measure(paths, order, folder):
    """Add all nights, and print what it costs."""
    store = Store.create(folder / f"store{order}", Layout(order))
    seconds, n_given = [], 0
    for path in paths:
        started = time.perf_counter()
        added = add_night(store, path)
        seconds.append(time.perf_counter() - started)
        n_given += added.n_rows
    found = contents(store)
    started = time.perf_counter()
    written = write_night_with_history(store, paths[-1], folder / "long.parquet")
    read = time.perf_counter() - started
    block = int(Layout(order).block_days)
    print(
        f"order {order}: {n_given / sum(seconds):,.0f} rows/s added, {found.n_rows:,} rows, "
        f"{found.n_bytes / found.n_rows:.1f} bytes per row, {found.n_files} files; night 1 "
        f"{np.median(seconds[:3]):.2f} s, night {len(paths)} {np.median(seconds[-3:]):.2f} s "
        f"(blocks of {block} d); history of the last night {read:.2f} s, "
        f"{len(written.history.jd):,} rows"
    )


def short_history(night):
    """Cut the history of each object to the 30 days before its first alert."""
    first = night.alerts.groupby("objectId")["jd"].min()
    starts = first.reindex(night.object_ids.to_pylist()).to_numpy() - PACKET_DAYS
    code = np.repeat(np.arange(len(starts)), np.diff(night.history.start))
    keep = night.history.jd >= starts[code]
    rows = [column[keep] for column in night.history[:-1]]
    start = np.searchsorted(code[keep], np.arange(len(starts) + 1)).astype(np.int64)
    return Night(
        night.alerts, History(*rows, start=start), pa.array(night.object_ids), night.name,
        forced=night.forced,
    )  # fmt: skip


def earlier_nights(night, n_nights):
    """Make the nights before a night from its long history.

    Each object with a detection on a night has an alert then, with 30 days of history.
    """
    rows = pd.DataFrame(night.history.rows(0, len(night.history.jd)))
    names = np.array(night.object_ids.to_pylist(), object)
    rows["objectId"] = np.repeat(names, np.diff(night.history.start))
    tonight = np.floor(night.alerts["jd"].min())
    objects = night.alerts.drop_duplicates("objectId").set_index("objectId")
    for day in range(n_nights, 0, -1):
        seen = rows[rows["magpsf"].notna() & (np.floor(rows["jd"]) == tonight - day)]
        last = seen.drop_duplicates("objectId", keep="last").set_index("objectId")
        if seen.empty:  # Clouds
            continue
        alerts = objects.loc[last.index].assign(**last, candid=10**15 * day + np.arange(len(last)))
        jd = rows["objectId"].map(last["jd"])
        past = rows[(rows["jd"] < jd) & (rows["jd"] >= jd - PACKET_DAYS)]
        yield Night.from_frames(alerts.reset_index(), past, name=f"day{day}")


def improve(n_alerts, n_nights, folder):
    """Compare a night with 30 days of history, with that of the store, and with all of it."""
    store, model = Store.create(folder / "store"), Model.load()
    night, labels = next(simulate(n_alerts, 1, seed=5, start_jd=FIRST_JD, histories="long"))
    for earlier in earlier_nights(night, n_nights):
        path = folder / f"{earlier.name}.parquet"
        earlier.save(path)
        add_night(store, path)
    short = short_history(night)
    kinds = {"30 d": short, "store": with_store(short, store), "all": night}
    for name, changed in kinds.items():
        predictions = model.predict(changed)
        scores = metrics(labels["label"], predictions["label"], n_draws=10)
        each = {label: round(one["f1"], 3) for label, one in scores["per_class"].items()}
        print(
            f"{name}: {len(changed.history.jd):,} history rows, macro-F1 "
            f"{scores['macro_f1']:.3f}, accuracy {scores['accuracy']:.3f}, F1 {each}"
        )
        report = recovery_report(recover(changed, model, repeats=REPEATS, seed=1))
        # The first table: recall by number of nights and brightness.
        print("\n".join(report.splitlines()[:9]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--improve", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.improve:
            improve(options.alerts or 3000, options.nights, folder)
        else:
            paths = dense_nights(options.alerts or 3000, options.nights, folder)
            for order in options.orders:
                measure(paths, order, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB")


if __name__ == "__main__":
    main()
