"""Measure the delay from a packet on the topic to its row in the night.

Run as ``python -m tests.benchmarks.live_delay --alerts 20000 --seconds 300 --every 30``. A
simulated night is published in some seconds while ``ztfml watch`` runs. The delay of a packet ends
when the first list is written that was made with it; the median should be at most ``--every`` +
30 s.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.stream.broker import Broker
from ztfml.astrophysics import DAY
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.stream.replay import packets_of_night, publish

TOPIC = "ztf_delay"
IDLE_SECONDS = 40


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=300.0, help="duration of the night")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between rounds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ztfml-delay-") as name:
        folder = Path(name)
        (path,) = write_nights(folder, options.alerts, 1, seed=9)
        packets = list(packets_of_night(Night.load(path)))
        with open(folder / "broker.log", "w") as log:
            broker = Broker(log)
            broker.start()
            try:
                sent, listed, n_rounds = _run(broker, folder / "live", packets, options)
            finally:
                broker.kill()
    delays = np.array([listed[candid] - sent[candid] for candid in sent])
    print(
        f"{len(delays):,} packets in {options.seconds:.0f} s ({len(delays) / options.seconds:.0f} "
        f"per second), {n_rounds} rounds, every {options.every:.0f} s: delay median "
        f"{np.median(delays):.1f} s, 90 % {np.quantile(delays, 0.9):.1f} s, largest "
        f"{delays.max():.1f} s"
    )


def _run(broker, output, packets, options):
    candids = [int(_candid(packet)) for packet in packets]
    sent, listed, rounds = {}, {}, []
    jd = [packet.jd for packet in packets]
    speed = (max(jd) - min(jd)) * DAY / options.seconds

    def timed():
        for packet, candid in zip(packets, candids, strict=True):
            yield packet
            sent[candid] = time.time()

    process = subprocess.Popen(
        [
            sys.executable, "-m", "ztfml", "watch", "--from", "ztf", "--server", broker.server,
            "--topic", TOPIC, "--group", "delay", "-o", f"{output}/", "--session", "6",
            "--every", f"{options.every}s", "--idle", f"{IDLE_SECONDS}s",
        ]
    )  # fmt: skip
    publisher = threading.Thread(target=publish, args=(timed(), broker.server, TOPIC, speed))
    publisher.start()
    last = None
    while True:
        has_ended = process.poll() is not None
        ranked, night = output / "ranked.csv", output / "night.parquet"
        if ranked.exists() and (changed := ranked.stat().st_mtime) != last:
            last = changed
            rounds.append(changed)
            for candid in pq.read_table(night, columns=["candid"])["candid"].to_pylist():
                listed.setdefault(candid, changed)
        if has_ended:
            break
        time.sleep(0.1)
    publisher.join()
    if process.returncode:
        raise SystemExit(f"ztfml watch ended with {process.returncode}")
    return sent, listed, len(rounds)


def _candid(packet):
    from ztfml.sources.avro_files import read_records

    return next(read_records(packet.content))[0]["candid"]


if __name__ == "__main__":
    main()
