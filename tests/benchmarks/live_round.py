"""Measure a round of a full night, and the memory of a week of nights.

Run as ``python -m tests.benchmarks.live_round --alerts 300000`` or ``--nights 7``. The packets of a
small simulated night are repeated under other names, without a broker.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tests.stream.streams import ListStream
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer, Selection
from ztfml.simulate import write_nights
from ztfml.stream.announce import Thresholds, announce
from ztfml.stream.messages import Message, decode_messages
from ztfml.stream.outbox import Outbox
from ztfml.stream.parts import Parts
from ztfml.stream.receiver import joined
from ztfml.stream.replay import packets_of_night
from ztfml.stream.rounds import Ranker, run_round
from ztfml.stream.watch import Schedule, watch

# Alerts that are simulated, and those in one part.
N_SIMULATED, N_PART = 5_000, 2_000


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=300_000)
    parser.add_argument("--nights", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=40, help="rounds of each night")
    options = parser.parse_args()
    ranker = Ranker(Model.load(), FastTransientScorer(), Selection(), lambda night: night)
    with tempfile.TemporaryDirectory(prefix="ztfml-round-") as name:
        if options.nights:
            _nights(Path(name), ranker, options.nights, options.rounds)
        else:
            _round(Path(name), ranker, options.alerts)


def _round(folder, ranker, n_alerts):
    (path,) = write_nights(folder, N_SIMULATED, 1, seed=9)
    packets = packets_of_night(Night.load(path))
    messages = [Message("t", 0, k, None, one.content) for k, one in enumerate(packets)]
    tables = joined([batch.tables for batch in decode_messages(messages)])
    parts = Parts(folder / "parts")
    for copy in range(-(-n_alerts // N_SIMULATED)):
        renamed = _renamed(tables, copy)
        for start in range(0, N_SIMULATED, N_PART):
            parts.save(renamed.select(range(start, min(start + N_PART, N_SIMULATED))))
    outbox = Outbox(folder / "outbox", [])
    for _ in range(2):
        begin, cpu = time.perf_counter(), time.process_time()
        done = run_round(parts, folder, ranker)
        announce(done.night, done.ranked, outbox, Thresholds(0.1), folder / "night.html")
        print(
            f"round of {len(done.night):,} alerts, {len(done.night.history.jd):,} history rows: "
            f"{time.perf_counter() - begin:.1f} s, {time.process_time() - cpu:.1f} CPU s"
        )
    print(f"page: {(folder / 'night.html').stat().st_size / 1e6:.1f} MB")
    print(f"peak memory: {_peak():.2f} GB")


def _renamed(tables, copy):
    """Return the tables with other names of objects, candids and positions."""
    if copy == 0:
        return tables

    def named(table):
        names = pc.binary_join_element_wise(table["objectId"], f"c{copy}", "")
        return _set(table, "objectId", names)

    alerts = named(tables.alerts)
    for column in ("candid", "candidate.candid"):
        alerts = _set(alerts, column, pa.array(alerts[column].to_numpy() + copy * 10**6))
    ra = (alerts["candidate.ra"].to_numpy() + 0.01 * copy) % 360.0
    alerts = _set(alerts, "candidate.ra", pa.array(ra))
    return tables._replace(
        alerts=alerts, history=named(tables.history), forced=named(tables.forced)
    )


def _set(table, name, values):
    k = table.schema.get_field_index(name)
    return table.set_column(k, table.schema.field(k), values)


def _nights(folder, ranker, n_nights, n_rounds):
    nights = write_nights(folder, 400, n_nights, seed=9)
    for number, path in enumerate(nights):
        packets = packets_of_night(Night.load(path))
        messages = [Message("t", 0, k, None, one.content) for k, one in enumerate(packets)]
        stream = _SlowStream(messages, n_rounds)
        live = folder / f"live{number}"
        live.mkdir()
        outbox = Outbox(live / "outbox", [])
        begin = time.perf_counter()
        schedule = Schedule(1e-3, lambda s=stream: s.position >= len(s.messages))
        watch(stream, live, ranker, schedule, outbox, Thresholds(0.1))
        print(
            f"night {number + 1}: {stream.n_polls} polls, {time.perf_counter() - begin:.0f} s, "
            f"{len(outbox.announcements())} announced; memory now {_now():.3f} GB, "
            f"peak {_peak():.3f} GB",
            flush=True,
        )


class _SlowStream(ListStream):
    """Delivers its messages in equal shares, with a pause after each."""

    def __init__(self, messages, n_shares):
        super().__init__(messages)
        self._n = -(-len(messages) // n_shares)
        self.n_polls = 0

    def poll(self, n_max, seconds):
        time.sleep(1.0)
        self.n_polls += 1
        return super().poll(self._n, seconds)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _now():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e9


if __name__ == "__main__":
    main()
