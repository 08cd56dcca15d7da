"""Previous candidates of several alerts are merged per object."""

import numpy as np
import pytest

from tests.sources.packet_files import (
    JD,
    alerts_of,
    detection,
    history_of,
    limit,
    packet,
    values,
    write,
)
from ztfml.sources.ingest import ingest


def test_rows_in_two_alerts_are_kept_once(tmp_path, output):
    early = packet(1, previous=[limit(5, 1), detection(2, 2)], jd=JD)
    late = packet(2, previous=[detection(2, 2), limit(5, 1), detection(0, 7)], jd=JD + 1)
    ingest([write(tmp_path / "a.avro", early), write(tmp_path / "b.avro", late)], output)
    rows = history_of(output)
    assert values(rows, "pid") == [1, 2, 7]
    assert values(rows, "jd") == sorted(values(rows, "jd"))


def test_two_candidates_of_one_exposure_are_kept(tmp_path, output):
    previous = [detection(2, 2, candid=20), detection(2, 2, candid=21)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert values(history_of(output), "candid") == [20, 21]


def test_two_candidates_of_one_exposure_without_candid_are_kept(tmp_path, output):
    """Babamul sends no candid and no pid of earlier detections."""
    previous = [detection(2, 2, magpsf=one) | {"candid": None} for one in (18.5, 17.5, 18.5)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert sorted(values(history_of(output), "magpsf")) == [17.5, 18.5]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_row_of_the_earliest_alert_is_kept(tmp_path, output, names):
    early, late = (tmp_path / f"{name}.avro" for name in names)
    write(early, packet(1, previous=[detection(2, 2, rb=0.25)], jd=JD))
    write(late, packet(2, previous=[detection(2.000004, 2, rb=0.75)], jd=JD + 1))
    ingest([tmp_path], output)
    (row,) = history_of(output)
    assert (row["rb"], row["jd"]) == (0.25, JD - 2)


def test_an_exposure_of_two_objects_is_kept_for_both(tmp_path, output):
    one = packet(1, "ZTF20aaaaaaa", previous=[limit(5, 1)])
    two = packet(2, "ZTF20aaaaaab", previous=[limit(5, 1)])
    ingest([write(tmp_path / "a.avro", one, two)], output)
    assert sorted(values(history_of(output), "objectId")) == ["ZTF20aaaaaaa", "ZTF20aaaaaab"]


def test_exposures_without_pid_are_identified_by_their_time(tmp_path, output):
    previous = [limit(5, None), limit(4, None), limit(4, None)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert values(history_of(output), "jd") == [JD - 5, JD - 4]


def test_many_objects_over_many_spills_merge_as_pandas_would(tmp_path, output, monkeypatch):
    monkeypatch.setattr("ztfml.sources.merge_history._SPILL_ROWS", 40)
    monkeypatch.setattr("ztfml.sources.decode._BATCH", 7)
    monkeypatch.setattr("ztfml.sources.packet_night._ROW_GROUP", 10)
    random = np.random.default_rng(1)
    packets, shipped = [], []
    for candid in range(1, 91):
        object_id = f"ZTF20aaaaaa{'abcdefghijklm'[random.integers(13)]}"
        pids = random.integers(1, 40, random.integers(0, 20))
        rows = [limit(50 - pid, int(pid)) for pid in pids]
        packets.append(packet(candid, object_id, rows, jd=JD + candid))
        shipped += [(object_id, row["jd"], row["pid"]) for row in rows]
    summary = ingest([write(tmp_path / "a.avro", *packets)], output)
    wanted = sorted(set(shipped))
    rows = history_of(output)
    assert summary.n_history == len(rows) == len(wanted)
    assert sorted((row["objectId"], row["jd"], row["pid"]) for row in rows) == wanted
    assert values(alerts_of(output), "candid") == list(range(1, 91))
    for object_id in set(values(rows, "objectId")):
        of_object = [k for k, row in enumerate(rows) if row["objectId"] == object_id]
        assert of_object == list(
            range(of_object[0], of_object[-1] + 1)
        )  # rows of an object are together
    assert [path.name for path in output.parent.iterdir() if path.name.startswith(".")] == []
