"""A live night loses nothing, and its night and list are those of files."""

import errno
import itertools
import json
import logging
import threading
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.sources.packet_files import CANDIDATE_FIELDS, JD, avro, avro_schema, packet
from tests.stream.dialects import CANDID, babamul, fink, messages, ztf
from tests.stream.streams import ListStream, broken
from ztfml.errors import DataError
from ztfml.io.parquet import write_table
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.nights.manifest import locked
from ztfml.ranking import FastTransientScorer, Selection
from ztfml.stream import receiver as receiving
from ztfml.stream import watch as module
from ztfml.stream.announce import Thresholds
from ztfml.stream.messages import Message
from ztfml.stream.outbox import Outbox
from ztfml.stream.receiver import Counts
from ztfml.stream.rounds import Ranker
from ztfml.stream.watch import Schedule, watch

N = 24


class Killed(BaseException):
    """Ends a watch as a kill does: nothing is finished."""


class Recorder:
    name = "recorder"

    def __init__(self):
        self.received = []

    def send(self, one):
        self.received.append(one["id"])


@pytest.fixture(scope="module")
def ranker():
    return Ranker(
        Model.load(), FastTransientScorer(), Selection(everything=True), lambda night: night, 5
    )


@pytest.fixture
def run(ranker, tmp_path, monkeypatch):
    """Watch a stream until it is empty, in a folder."""
    monkeypatch.setattr("ztfml.stream.outbox._SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(receiving, "_POLL_MESSAGES", 5)
    folder = tmp_path / "live"
    folder.mkdir()

    def run(stream, channels=(), thresholds=Thresholds(0.0), every=300.0):  # noqa: B008
        schedule = Schedule(every, lambda: stream.position >= len(stream.messages))
        outbox = Outbox(folder / "outbox", channels)
        return watch(stream, folder, ranker, schedule, outbox, thresholds)

    run.folder = folder
    return run


class SlowStream(ListStream):
    """Delivers one message at a time."""

    def poll(self, n_max, seconds):
        time.sleep(0.3)
        return super().poll(1, seconds)


def outputs(folder):
    return {name: (folder / name).read_bytes() for name in NAMES if (folder / name).exists()}


NAMES = ("night.parquet", "night_prv_candidates.parquet", "night_fp_hists.parquet", "ranked.csv")


@pytest.fixture(scope="module")
def expected(ranker, tmp_path_factory):
    """The night and list of one undisturbed run."""
    folder = tmp_path_factory.mktemp("undisturbed")
    stream = ListStream(messages(N))
    schedule = Schedule(300.0, lambda: stream.position >= N)
    watch(stream, folder, ranker, schedule, Outbox(folder / "outbox", []), Thresholds(2.0))
    return outputs(folder)


def test_the_list_is_that_of_the_rank_command(expected, ranker, tmp_path):
    assert set(expected) == set(NAMES)
    for name in NAMES:
        (tmp_path / name).write_bytes(expected[name])
    night = Night.load(tmp_path / "night.parquet")
    assert len(night) == N
    write_table(
        ranker.model.rank(night, 5, ranker.scorer, selection=ranker.selection),
        tmp_path / "again.csv",
    )
    assert (tmp_path / "again.csv").read_bytes() == expected["ranked.csv"]


def test_order_repetition_and_damage(run, expected):
    mixed = messages(N)[::-1] + messages(N)[3:9] + [broken(900), broken(901, b"")]
    stream = ListStream(mixed)
    assert run(stream) == Counts(N + 8, N, 6, 2)
    assert outputs(run.folder) == expected
    assert stream.committed == len(mixed)
    names = sorted(path.name for path in (run.folder / "skipped").iterdir())
    assert names == ["ztf-0-900.avro", "ztf-0-900.csv", "ztf-0-901.avro", "ztf-0-901.csv"]
    assert (run.folder / "skipped" / "ztf-0-900.avro").read_bytes() == b"not avro"
    listed = pd.read_csv(run.folder / "night.skipped.csv")
    assert listed["file"].tolist() == ["ztf/0/900", "ztf/0/901"]
    assert listed["reason"].tolist() == ["not an avro file", "empty file"]


class BrokenAtTheEnd(ListStream):
    """Delivers a message that cannot be decoded when the night is written."""

    def __init__(self, messages, night):
        super().__init__(messages)
        self.night = night

    def poll(self, n_max, seconds):
        if self.position < N:
            return super().poll(N - self.position, seconds)
        if self.night.exists():
            return super().poll(n_max, seconds)
        time.sleep(0.05)  # Leave the processor to the ranking.
        return []


def test_a_message_that_is_skipped_after_the_last_packet_is_listed(run):
    stream = BrokenAtTheEnd([*messages(N), broken(900)], run.folder / "night.parquet")
    assert run(stream) == Counts(N + 1, N, 0, 1)
    listed = pd.read_csv(run.folder / "night.skipped.csv")
    assert listed["file"].tolist() == ["ztf/0/900"]


def test_another_schema_during_the_night_is_reported_once(run, expected, caplog):
    caplog.set_level(logging.INFO)
    schema = avro_schema(candidate={**CANDIDATE_FIELDS, "moonphase": "double"})
    newer = [
        Message("ztf", 0, 100 + k, None, avro(
            packet(k, jd=JD + 0.5, moonphase=0.3) | {"schemavsn": "5.0"}, schema=schema
        ))
        for k in (1, 2)
    ]  # fmt: skip
    assert run(ListStream(messages(N) + newer)).stored == N + 2
    assert caplog.messages.count("packets have schema 3.3") == 1
    assert caplog.messages.count("packets also have schema 5.0") == 1
    assert caplog.messages.count("omitted unknown fields: moonphase") == 1
    alerts = pd.read_parquet(run.folder / "night.parquet")
    assert alerts["schemavsn"].value_counts()["5.0"] == 2


def test_alerts_of_another_survey_fill_neither_log_nor_disk(run, caplog, monkeypatch):
    monkeypatch.setattr(receiving, "_MAX_LOGGED", 3)
    monkeypatch.setattr(receiving, "_MAX_KEPT", 4)
    other = [broken(k, avro(packet(k, "LSST25abc"))) for k in range(10)]
    assert run(ListStream(messages(3) + other)).skipped == 10
    assert caplog.text.count("another survey") == 3
    assert caplog.text.count("more are only counted") == 1
    assert len(list((run.folder / "skipped").glob("*.avro"))) == 4


def test_one_alert_from_two_brokers_is_stored_once(run):
    (_, by_ztf), (_, by_babamul), by_fink = ztf(1), babamul(1), fink(1)
    stream = ListStream(
        [
            Message("ztf_20240601", 0, 5, None, by_ztf),
            Message("babamul", 2, 5, None, by_babamul),
            Message("fink", 0, 5, *by_fink),
        ]
    )
    assert run(stream) == Counts(3, 1, 2, 0)
    assert pd.read_parquet(run.folder / "night.parquet")["candid"].tolist() == [CANDID + 1]


def test_a_channel_that_hangs_does_not_delay_the_list(run, monkeypatch):
    monkeypatch.setattr(module, "_FINISH_SECONDS", 0.5)
    ended = threading.Event()

    class Hanging(Recorder):
        name = "hanging"

        def send(self, one):
            ended.wait(60)

    channel = Recorder()
    begin = time.monotonic()
    run(ListStream(messages(N)), [Hanging(), channel])
    assert time.monotonic() - begin < 40
    assert len(channel.received) == 8
    assert (run.folder / "ranked.csv").exists()
    ended.set()


def test_a_fault_of_the_ranking_does_not_stop_the_packets(run, monkeypatch, caplog):
    calls = []

    def fail_once(*args):
        calls.append(0)
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(module, "run_round", fail_once)
    stream = SlowStream(messages(6))
    with pytest.raises(ZeroDivisionError):
        run(stream, every=0.1)
    assert stream.committed == 6
    assert "not ranked: ZeroDivisionError: a fault; trying again in the next round" in caplog.text


@pytest.mark.parametrize(
    "place", ["receive", "store", "save", "commit", "run_round", "announce", "compact", "deliver"]
)
def test_a_kill_at_any_step(place, run, expected, monkeypatch):
    """Killed before the first passage of a step and after the second, and started again."""
    owner, name = {
        "receive": (receiving.Receiver, "receive"), "store": (receiving.Receiver, "store"),
        "save": (receiving.Parts, "save"), "commit": (ListStream, "commit"),
        "run_round": (module, "run_round"), "announce": (module, "announce"),
        "compact": (receiving.Parts, "compact"), "deliver": (Outbox, "deliver_to"),
    }[place]  # fmt: skip
    real, calls = getattr(owner, name), []

    def step(*args, **kwargs):
        calls.append(0)
        if len(calls) == 1:
            raise Killed
        result = real(*args, **kwargs)
        if len(calls) == 2:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, step)
    monkeypatch.setattr("ztfml.stream.announce._draw", lambda night, name, folder: folder)
    monkeypatch.setattr(receiving, "_PART_MESSAGES", 5)
    stream, channel = ListStream(messages(N)), Recorder()
    n_kills = 0
    while True:
        try:
            run(stream, [channel])
            break
        except Killed:
            n_kills += 1
            stream.restart()
    assert n_kills == 2
    assert outputs(run.folder) == expected
    objects = {one.split(".")[0] for one in channel.received}
    assert len(channel.received) == len(objects) == 8


def test_an_empty_night(run):
    assert run(ListStream([])) == Counts(0, 0, 0, 0)
    assert outputs(run.folder) == {}


def test_packets_of_an_earlier_run_are_ranked_at_once(run, monkeypatch):
    monkeypatch.setattr(module, "run_round", lambda *args: (_ for _ in ()).throw(Killed))
    stream = ListStream(messages(N))
    with pytest.raises(Killed):
        run(stream)
    monkeypatch.undo()
    n_stored = run(ListStream([])).stored
    assert n_stored >= 5
    assert len(Night.load(run.folder / "night.parquet")) == n_stored


def test_a_stream_without_packets_ends_the_night(ranker, tmp_path):
    schedule = Schedule(300.0, lambda: False, idle=0.5)
    outbox = Outbox(tmp_path / "outbox", [])
    stream = ListStream(messages(3))
    assert watch(stream, tmp_path, ranker, schedule, outbox, Thresholds(2.0)).stored == 3
    assert len(Night.load(tmp_path / "night.parquet")) == 3


def test_a_night_that_cannot_be_ranked_yet_does_not_end_the_watch(run, monkeypatch, caplog):
    real, calls = module.run_round, []

    def fail_once(*args):
        calls.append(0)
        if len(calls) == 1:
            raise DataError("night.parquet: the column candidate.fid has only 0 of 1 values")
        return real(*args)

    monkeypatch.setattr(module, "run_round", fail_once)
    stream = SlowStream(messages(6))
    assert run(stream).stored == 6
    assert len(calls) == 2
    assert caplog.text.count("not ranked: night.parquet: the column candidate.fid") == 1


def test_remarks_about_the_night_are_logged_once(run, monkeypatch):
    logger, seen = logging.getLogger("ztfml"), []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "level", logging.INFO)
    real = module.run_round

    def remark(*args):
        logging.getLogger("ztfml.night").warning("%d of %d values count as missing", len(seen), 7)
        return real(*args)

    monkeypatch.setattr(module, "run_round", remark)
    try:
        run(SlowStream(messages(6)), every=0.1)
    finally:
        logger.removeHandler(handler)
    assert sum("count as missing" in one for one in seen) == 1
    assert sum("alerts ranked in" in one for one in seen) >= 2


def test_two_processes_in_one_folder(run):
    with locked(run.folder), pytest.raises(DataError, match="another run of ztfml"):
        run(ListStream([]))
    with locked(run.folder / "outbox"), pytest.raises(DataError, match="outbox: another run"):
        run(ListStream([]))


def test_a_full_disk(run, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    stream = ListStream(messages(3))
    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(DataError, match=r"parts/00000000: .*No space left"):
        run(stream)
    assert stream.committed == 0
    monkeypatch.undo()
    stream.restart()
    assert run(stream).stored == 3


def test_a_clock_that_jumps_does_not_change_rounds(run, monkeypatch):
    """Rounds follow the time since the start, not the date."""
    dates = itertools.cycle([0.0, 1e9, -1e9])
    monkeypatch.setattr("time.time", lambda: next(dates))
    monkeypatch.setattr("ztfml.stream.announce._draw", lambda night, name, folder: folder)
    rounds = []
    real = module.run_round
    monkeypatch.setattr(module, "run_round", lambda *args: rounds.append(0) or real(*args))
    run(ListStream(messages(N)), every=1e6)
    assert 1 <= len(rounds) <= 2  # The first packets, and the end.


def test_objects_are_announced_with_picture_and_draft(run):
    channel = Recorder()
    run(ListStream(messages(6)), [channel], Thresholds(0.0, high_score=2.0))
    assert len(channel.received) == 2
    records = [json.loads(p.read_text()) for p in (run.folder / "outbox").glob("*.json")]
    for record in records:
        assert record["sent"] == ["recorder"]
        assert record["candid"] >= CANDID
        name = record["objectId"]
        assert (run.folder / "outbox" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        draft = json.loads((run.folder / "tns" / f"{name}.json").read_text())["at_report"]["0"]
        assert draft["internal_name"] == name
        first = draft["photometry"]["photometry_group"]["0"]
        assert first["filter_value"] in {"110", "111", "112"}
        assert draft["reporter"] == ""
    best = pd.read_csv(run.folder / "ranked.csv")["objectId"][0]
    assert best in {record["objectId"] for record in records}


@pytest.mark.parametrize(
    ("scores", "reasons"),
    [
        ([0.2, 0.3, 0.6, 0.7], ["score", "high_score"]),
        ([0.6, 0.2], ["high_score"]),
        ([0.05, 0.09], []),
    ],
)
def test_an_object_is_announced_once_for_each_threshold(scores, reasons, run, tmp_path):
    run(ListStream(messages(3)))
    night = Night.load(run.folder / "night.parquet")
    ranked = pd.read_csv(run.folder / "ranked.csv").head(1)
    outbox = Outbox(tmp_path / "fresh", [])
    for score in scores:
        row = ranked.assign(score=score)
        module.announce(night, row, outbox, Thresholds(0.1, 0.5), run.folder / "night.html")
    assert [one["reason"] for one in outbox.announcements()] == reasons
