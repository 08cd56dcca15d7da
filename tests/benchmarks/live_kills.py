"""Kill consumer and broker of a live night at random moments, and compare the result with ingest.

Run as ``python -m tests.benchmarks.live_kills --packets 5000 --kills 50``. Packets in three
dialects are published: with the real data in the folder ``ZTFML_TEST_DATA`` half of them are real
alerts and real packets. After each kill of the broker, which keeps messages in memory, all are
published again.
Every candid must be there once, every object announced once, and the night and the list must be
those of ``ztfml ingest`` and ``ztfml rank``.
"""

import argparse
import hashlib
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
from ztfml.sources.archives import AVRO_MAGIC, PacketFile, contents_of, find_files
from ztfml.sources.avro_files import read_records
from ztfml.sources.decode import decode
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
    parser.add_argument("--longest", type=float, default=20.0, help="seconds between two kills")
    options = parser.parse_args()
    real = os.environ.get("ZTFML_TEST_DATA")
    with tempfile.TemporaryDirectory(prefix="ztfml-kills-") as name:
        # Compiles the features, if needed: kills would interrupt that again and again.
        (path,) = write_nights(Path(name), 20, 1)
        subprocess.run([*ZTFML, "rank", "-q", path], check=True, stdout=subprocess.DEVNULL)
        found = outcome(
            Path(name), options.packets, options.kills, random.Random(options.seed),
            options.longest, real=Path(real) if real else None, min_score=0.5,
        )  # fmt: skip
    for text, value in found.items():
        print(f"{text}: {value}")


def outcome(folder, n_packets, n_kills, rng, longest=20.0, finish="40s", real=None, min_score=0.2):
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
    real : Path, optional
        Folder of real data.
    min_score : float
        Objects with this score are announced, one per second.

    Returns
    -------
    dict
    """
    packets = packets_in_three_dialects(folder, n_packets, real)
    with open(folder / "broker.log", "w") as log:
        broker = Broker(log)
        broker.start()
        try:
            n_of = _kill(broker, folder, packets, n_kills, rng, longest, min_score)
            code = _start(broker, folder, min_score, "--idle", finish).wait()
        finally:
            broker.kill()
    if code:
        raise SystemExit(f"the last ztfml watch ended with {code}")
    return n_of | _compare(folder, packets)


def packets_in_three_dialects(folder, n_packets, real=None):
    """Return key and value of packets, by time: ZTF, Fink and Babamul in turn.

    Parameters
    ----------
    folder : Path
    n_packets : int
    real : Path, optional
        Folder of real data, which half of the packets come from.

    Returns
    -------
    list of (bytes or None, bytes)
    """
    found = _real_packets(real, n_packets // 2) if real else []
    n_real = len(found)
    (folder / "simulated").mkdir()
    n_simulated = n_packets - n_real
    (path,) = write_nights(folder / "simulated", n_simulated, 1, seed=5, mix="fast")
    for k, packet in enumerate(packets_of_night(Night.load(path))):
        found.append(babamul(k) if k % 3 == 2 else _in_fink(packet.content, k % 3 == 1))
    print(f"{n_real} real and {len(found) - n_real} simulated packets")
    # A live night has its alerts in this order, and `ztfml ingest` in that of the files.
    return [found[k] for _, _, k in sorted(_places(found))]


def _real_packets(real, n_packets):
    """Return real packets as they were sent, then real alerts in the dialects of ZTF and Fink."""
    sent = [
        (None, file.content)
        for file in contents_of(find_files([real / "packets"]))
        if (file.content or b"").startswith(AVRO_MAGIC)
    ]
    # One of each candid: which of two versions arrives first is chance.
    found = {candid: sent[k] for _, candid, k in _places(sent)}
    night = Night.load(real / "alerts" / "ztf_alerts_real.parquet")
    for k, packet in enumerate(packets_of_night(night)):
        if len(found) >= n_packets:
            break
        candid = next(read_records(packet.content))[0]["candid"]
        found.setdefault(candid, _in_fink(packet.content, k % 2 == 1))
    return list(found.values())


def _in_fink(content, is_fink):
    """Return key and value of a packet; Fink has the schema in the key."""
    if not is_fink:
        return None, content
    record, schema = next(read_records(content))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, record)
    return json.dumps(schema).encode(), stream.getvalue()


def _places(contents):
    """Return time, candid and position of the messages that are one packet of ZTF."""
    found = []
    for k, (key, value) in enumerate(contents):
        for batch in decode([PacketFile(str(k), value, "", schemas=(key,) if key else ())]):
            if len(batch.candids) == 1:
                found.append((batch.tables.alerts["candidate.jd"][0].as_py(), batch.candids[0], k))
    return found


def _kill(broker, folder, packets, n_kills, rng, longest, min_score):
    broker.send(TOPIC, packets)
    n_of = {"kills of the consumer": 0, "kills of the broker": 0}
    watch = None
    for _ in range(n_kills):
        watch = watch or _start(broker, folder, min_score)
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


def _start(broker, folder, min_score, *options):
    command = [
        *ZTFML, "watch", "--from", "ztf", "--server", broker.server, "--topic", TOPIC,
        "--group", "kills", "-o", f"{folder}/live/", "--every", "5s", "--session", "6",
        "--min-score", str(min_score), "--high-score", "1",
        "--notify", f"file={folder}/found.jsonl",
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
            name = hashlib.sha256(key).hexdigest()[:8]
            (files / f"schema_{name}.json").write_bytes(key)
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
        "announcements in the outbox": len(list((folder / "live/outbox").glob("*.json"))),
        "announced objects": len(set(lines)),
        "lines in the file": len(lines),
        "runs of the command": _text(folder / "found.txt").count('"id"'),
        "temporary files left": len(list((folder / "live").rglob(".*.part"))),
    }


def _text(path):
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    main()
