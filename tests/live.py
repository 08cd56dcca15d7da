"""A drill of a live night: broker, replay, watch, and the delay of each injected event.

Run as ``python -m tests.live`` (or ``make live``); it takes two minutes. A simulated night with
fast transients is published in a minute while ``ztfml watch`` ranks it every ten seconds.
"""

import dataclasses
import heapq
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tests.stream.broker import Broker
from ztfml.injection.conditions import Conditions
from ztfml.injection.observing import inject
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.stream.replay import packets_of_night, publish

N_ALERTS, JD, TOPIC = 3_000, 2460474.5, "ztf_drill"
COUNTS = {"kilonova": 2, "afterglow on axis": 2, "FBOT like AT2018cow": 2}
PUBLISH_SECONDS, EVERY_SECONDS, IDLE_SECONDS = 50.0, 10, 20
LISTED = 50


def main():
    """Run the drill and print a table."""
    with tempfile.TemporaryDirectory(prefix="ztfml-live-") as name:
        folder = Path(name)
        (path,) = write_nights(folder, N_ALERTS, 1, seed=31, start_jd=JD)
        night = Night.load(path)
        injected = inject(Conditions(night), COUNTS, seed=32)
        tonight = injected.night.alerts["jd"] >= night.alerts["jd"].min()
        events = _named_as_ztf(injected.night.subset(tonight.to_numpy()))
        with open(folder / "broker.log", "w") as log:
            broker = Broker(log)
            broker.start()
            try:
                _drill(broker, folder / "live", night, events)
            finally:
                broker.kill()


def _named_as_ztf(night):
    """Give the objects names of ZTF; packets of other surveys are not accepted."""
    return dataclasses.replace(
        night,
        alerts=night.alerts.assign(objectId="ZTF_" + night.alerts["objectId"]),
        object_ids=pa.array([f"ZTF_{name}" for name in night.object_ids.to_pylist()]),
    )


def _drill(broker, output, night, events):
    command = [
        sys.executable, "-m", "ztfml", "watch", "--from", "ztf", "--server", broker.server,
        "--topic", TOPIC, "--group", "drill", "-o", f"{output}/", "--every", f"{EVERY_SECONDS}s",
        "--idle", f"{IDLE_SECONDS}s", "--top", str(LISTED), "--session", "6",
        "--notify", f"file={output.parent / 'announced.jsonl'}",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    sent = {}
    publisher = threading.Thread(target=_publish, args=(broker, night, events, sent))
    publisher.start()
    listed = _follow(output / "ranked.csv", process)
    publisher.join()
    table = _table(events, sent, listed)
    print(table.to_string(index=False))
    if not table["delay to the list [s]"].notna().any():
        raise SystemExit("no event reached the list")


def _publish(broker, night, events, sent):
    jd = night.alerts["jd"]
    speed = (jd.max() - jd.min()) * 86400.0 / PUBLISH_SECONDS
    of_events = set(events.alerts["objectId"])

    def packets():
        for packet in heapq.merge(packets_of_night(night), packets_of_night(events)):
            yield packet
            # Here the next packet is asked for, after the broker has this one.
            if packet.object_id in of_events:
                sent[packet.object_id] = time.monotonic()

    publish(packets(), broker.server, TOPIC, speed)


def _follow(path, process):
    """Return when each object appeared in the list."""
    listed = {}
    while process.poll() is None:
        time.sleep(0.2)
        try:
            names = pd.read_csv(path)["objectId"]
        except (FileNotFoundError, pd.errors.EmptyDataError):
            continue
        for name in names:
            listed.setdefault(name, time.monotonic())
    if process.returncode:
        raise SystemExit(f"ztfml watch ended with {process.returncode}")
    return listed


def _table(events, sent, listed):
    rows = []
    for row in events.alerts.drop_duplicates("objectId").to_dict("records"):
        name = row["objectId"]
        delay = listed[name] - sent[name] if name in listed else float("nan")
        rows.append({"event": name, "magnitude": row["magpsf"], "delay to the list [s]": delay})
    return pd.DataFrame(rows).round(1)


if __name__ == "__main__":
    main()
