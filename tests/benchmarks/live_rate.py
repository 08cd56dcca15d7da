"""Measure how fast a backlog is worked off, and how long a round takes.

Run as ``python -m tests.benchmarks.live_rate --alerts 20000``. The packets of a simulated night are
published to a local broker without pauses; then they are received, decoded, stored and ranked. The
packets have no cutouts.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from tests.stream.broker import Broker
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer, Selection
from ztfml.simulate import write_nights
from ztfml.stream.kafka import KafkaStream, settings
from ztfml.stream.replay import packets_of_night, publish
from ztfml.stream.rounds import Ranker, run_round
from ztfml.stream.watch import Receiver

TOPIC = "ztf_rate"


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=20_000)
    n_alerts = parser.parse_args().alerts
    with tempfile.TemporaryDirectory(prefix="ztfml-rate-") as name:
        folder = Path(name)
        (path,) = write_nights(folder, n_alerts, 1, seed=9)
        with open(folder / "broker.log", "w") as log:
            broker = Broker(log)
            broker.start()
            try:
                publish(packets_of_night(Night.load(path)), broker.server, TOPIC)
                parts = _receive(broker, folder, n_alerts)
            finally:
                broker.kill()
        ranker = Ranker(Model.load(), FastTransientScorer(), Selection(), lambda night: night)
        for _ in range(2):
            begin, cpu = time.perf_counter(), time.process_time()
            run_round(parts, folder, ranker)
            print(
                f"round: {time.perf_counter() - begin:.1f} s, {time.process_time() - cpu:.1f} CPU s"
            )
        size = sum(file.stat().st_size for file in (folder / "parts").rglob("*.parquet"))
        print(f"parts: {len(parts)}, {size / n_alerts / 1000:.1f} kB per packet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"peak memory: {peak:.2f} GB")


def _receive(broker, folder, n_alerts):
    stream = KafkaStream(settings(broker.server, "rate", folder, {}, 6.0), [TOPIC])
    receiver = Receiver(stream, folder)
    receiver.start()
    begin = None
    while receiver.n_packets < n_alerts:
        receiver.check()
        if begin is None and receiver.n_packets:
            begin = time.perf_counter(), time.process_time(), receiver.n_packets
        time.sleep(0.05)
    seconds, cpu = time.perf_counter() - begin[0], time.process_time() - begin[1]
    receiver.stop()
    stream.close()
    n = n_alerts - begin[2]
    print(
        f"received, decoded and stored: {n / seconds:,.0f} packets/s, {n / cpu:,.0f} packets per "
        f"CPU second"
    )
    return receiver.parts


if __name__ == "__main__":
    main()
