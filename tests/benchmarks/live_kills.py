"""Kill consumer and broker of a live night at random moments, and compare the result with ingest.

Run as ``python -m tests.benchmarks.live_kills --packets 5000 --kills 50``. Packets in three
dialects are published; after each kill of the broker, which keeps messages in memory, all are
published again.
Every candid must be there once, every object announced once, and the night and the list must be
those of ``ztfml ingest`` and ``ztfml rank``.
"""

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fastavro

from tests.stream.broker import Broker
from tests.stream.dialects import babamul
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.sources.avro_files import read_records
from ztfml.sources.ingest import ingest
from ztfml.sources.packet_night import night_files
from ztfml.stream.replay import packets_of_night

TOPIC = "ztf_kills"
ZTFML = [sys.executable, "-m", "ztfml"]


def main():
    """Kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ztfml-kills-") as name:
        for text, value in outcome(
            Path(name), options.packets, options.kills, random.Random(options.seed)
        ).items():
            print(f"{text}: {value}")


def outcome(folder, n_packets, n_kills, rng, longest=20.0, finish="40s"):
    """Kill at random moments, and compare with files.

    Parameters
    ----------
    folder : Path
        An empty folder.
    n_packets, n_kills : int
    rng : random.Random
    longest : float, s
        Longest time between two kills.
    finish : str
        The last run, which is not killed, ends when no packet arrives for this time.

    Returns
    -------
    dict
    """
    packets = packets_in_three_dialects(folder, n_packets)
    with open(folder / "broker.log", "w") as log:
        broker = Broker(log)
        broker.start()
        try:
            n_of = _kill(broker, folder, packets, n_kills, rng, longest)
            code = _start(broker, folder, "--idle", finish).wait()
        finally:
            broker.kill()
    if code:
        raise SystemExit(f"the last ztfml watch ended with {code}")
    return n_of | _compare(folder, packets)


def packets_in_three_dialects(folder, n_packets):
    """Return key and value of packets of a simulated night: ZTF, Fink and Babamul in turn."""
    simulated = folder / "simulated"
    simulated.mkdir()
    (path,) = write_nights(simulated, n_packets, 1, seed=5, mix="transients")
    packets = []
    for k, packet in enumerate(packets_of_night(Night.load(path))):
        key, value = (None, packet.content) if k % 3 < 2 else babamul(k)
        record, schema = next(read_records(value))
        if k % 3 == 1:
            stream = io.BytesIO()
            fastavro.schemaless_writer(stream, schema, record)
            key, value = json.dumps(schema).encode(), stream.getvalue()
        packets.append((record["candidate"]["jd"], record["candid"], key, value))
    # A live night has its alerts in this order, and `ztfml ingest` in that of the files.
    return [(key, value) for _, _, key, value in sorted(packets, key=lambda one: one[:2])]


def _kill(broker, folder, packets, n_kills, rng, longest):
    broker.send(TOPIC, packets)
    n_of = {"kills of the consumer": 0, "kills of the broker": 0}
    watch = None
    for _ in range(n_kills):
        watch = watch or _start(broker, folder)
        time.sleep(rng.uniform(0.5, longest))
        if watch.poll() is not None:
            raise SystemExit(f"ztfml watch ended with {watch.returncode}")
        if rng.random() < 0.2:
            broker.kill()
            time.sleep(rng.uniform(0.0, 2.0))
            broker.start()
            broker.send(TOPIC, packets)
            n_of["kills of the broker"] += 1
        else:
            os.kill(watch.pid, signal.SIGKILL)
            watch.wait()
            watch = None
            n_of["kills of the consumer"] += 1
    if watch is not None:
        os.kill(watch.pid, signal.SIGKILL)
        watch.wait()
    return n_of


def _start(broker, folder, *options):
    command = [
        *ZTFML, "watch", "--from", "ztf", "--server", broker.server, "--topic", TOPIC,
        "--group", "kills", "-o", f"{folder}/live/", "--every", "5s", "--session", "6",
        "--min-score", "0", "--high-score", "1", "--notify", f"file={folder}/found.jsonl",
        "--notify", f"command=tee -a {folder}/found.txt", *options,
    ]  # fmt: skip
    with open(folder / "watch.log", "a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _compare(folder, packets):
    files = folder / "files"
    files.mkdir()
    for k, (key, value) in enumerate(packets):
        (files / f"{k:05d}.avro").write_bytes(value)
        if key:
            (files / "schema.json").write_bytes(key)
    ingest(files, folder / "night.parquet")
    wanted = {path.name: path for path in night_files(folder / "night.parquet") if path.exists()}
    found = {path.name: path for path in (folder / "live").glob("night*.parquet")}
    ranked = folder / "ranked.csv"
    subprocess.run(
        [*ZTFML, "rank", "-q", folder / "live/night.parquet", "-o", ranked],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    lines = [json.loads(line)["id"] for line in _text(folder / "found.jsonl").splitlines()]
    return {
        "the night is that of ztfml ingest": wanted.keys() == found.keys()
        and all(wanted[name].read_bytes() == found[name].read_bytes() for name in wanted),
        "the list is that of ztfml rank": ranked.read_bytes()
        == (folder / "live/ranked.csv").read_bytes(),
        "announced objects": len(set(lines)),
        "lines in the file": len(lines),
        "runs of the command": _text(folder / "found.txt").count('"id"'),
        "temporary files left": len(list((folder / "live").rglob(".*.part"))),
    }


def _text(path):
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    main()
