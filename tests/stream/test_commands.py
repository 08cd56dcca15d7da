"""The commands of live nights, as users type them."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy_healpix import HEALPix

from tests.benchmarks.live_kills import outcome
from tests.cli.run import one_sentence, ztfml
from tests.stream.broker import NoBrokerError
from tests.stream.streams import ListStream
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.stream.messages import Message
from ztfml.stream.replay import packets_of_night


def test_kills_of_a_watch(tmp_path):
    """`python -m tests.benchmarks.live_kills` kills more often."""
    try:
        found = outcome(tmp_path, 45, 2, random.Random(3), longest=6.0, finish="12s")
    except NoBrokerError as reason:
        pytest.skip(str(reason))
    assert found["kills of the consumer"] + found["kills of the broker"] == 2
    assert found["the night is that of ztfml ingest"]
    assert found["the list is that of ztfml rank"]
    n_objects = found["announced objects"]
    assert n_objects > 0
    assert found["announcements in the outbox"] == n_objects
    assert found["lines in the file"] == n_objects
    # A command is run twice if the process is killed between its end and the record.
    assert n_objects <= found["runs of the command"] <= n_objects + 2
    assert found["temporary files left"] == 0


@pytest.fixture
def watch_packets(monkeypatch):
    """Run a watch of packets without a broker, until no more arrive."""

    class Stream(ListStream):
        def close(self):
            pass

    def run(packets, folder, *options, code=0):
        messages = [Message("t", 0, k, None, one.content) for k, one in enumerate(packets)]
        monkeypatch.setattr("ztfml.stream.kafka.KafkaStream", lambda *arguments: Stream(messages))
        return ztfml(*WATCH, "-o", f"{folder}/", "--idle", "1s", *options, code=code)

    return run


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory):
    """Packets of two nights; those of the second have the history of three days only."""
    paths = write_nights(tmp_path_factory.mktemp("nights"), 60, 2, seed=12)
    first, second = (Night.load(path) for path in paths)
    return [list(packets_of_night(one)) for one in (first, second.replace(history_days=3.0))]


def test_a_store_gives_history_and_receives_the_night(watch_packets, two_nights, tmp_path):
    store = tmp_path / "store"
    for name, packets in zip("ab", two_nights, strict=True):
        watch_packets(packets, tmp_path / name, "--store", store, "--months", 12)
    watch_packets(two_nights[1], tmp_path / "b", "--store", store)  # Nothing changes.
    nights = json.loads(ztfml("history", "show", store, "--format", "json").stdout)
    assert [Path(night["night"]).parent.name for night in nights] == ["a", "b"]
    # The files of the night are those of its packets; the list used the longer history.
    night, long = tmp_path / "b" / "night.parquet", tmp_path / "long.parquet"
    ztfml("history", "night", store, night, "-o", long, "--months", 6)
    assert Night.load(long).history.jd.min() < Night.load(night).history.jd.min() - 30
    assert len(Night.load(long).history.jd) > len(Night.load(night).history.jd)
    ztfml("rank", long, "-o", tmp_path / "ranked.csv")
    ranked = (tmp_path / "b" / "ranked.csv").read_bytes()
    assert ranked == (tmp_path / "ranked.csv").read_bytes()


def test_objects_inside_a_sky_map_are_announced(watch_packets, two_nights, tmp_path):
    """Also those with a low score; those outside only with a high one."""
    alerts = Night.load(_night_of(watch_packets, two_nights[0], tmp_path)).alerts
    ranked = pd.read_csv(tmp_path / "plain" / "ranked.csv")
    target = ranked.iloc[-1]
    skymap = _map_around(target["ra"], target["dec"], tmp_path / "map.fits")
    found = tmp_path / "found.jsonl"
    watch_packets(
        two_nights[0], tmp_path / "live", "--skymap", skymap, "--min-score", 1, "--high-score", 1,
        "--notify", f"file={found}", "--top", len(alerts),
    )  # fmt: skip
    lines = [json.loads(line) for line in found.read_text().splitlines()]
    assert {one["reason"] for one in lines} == {"skymap"}
    assert target["objectId"] in {one["objectId"] for one in lines}
    assert len(lines) < len(ranked), "not those far away"


def _map_around(ra, dec, path):
    grid = HEALPix(8, "nested")
    pixels = np.arange(grid.npix)
    places = SkyCoord(*grid.healpix_to_lonlat(pixels))
    distance = places.separation(SkyCoord(ra, dec, unit="deg")).deg
    density = np.exp(-((distance / 15) ** 2))
    table = Table({"UNIQ": pixels + 4 * 64, "PROBDENSITY": density / density.sum()})
    table.meta |= {"ORDERING": "NUNIQ", "DATE-OBS": "2024-06-12T00:00:00", "OBJECT": "S240612a"}
    table.write(path)
    return path


def _night_of(watch_packets, packets, folder):
    watch_packets(packets, folder / "plain", "--top", 200)
    return folder / "plain" / "night.parquet"


def test_a_folder_with_another_night(watch_packets, two_nights, tmp_path):
    folder = tmp_path / "live"
    watch_packets(two_nights[0][:5], folder)
    record = json.loads((folder / "watch.json").read_text())
    (folder / "watch.json").write_text(json.dumps(record | {"night": "2024-06-01"}))
    result = watch_packets(two_nights[1][:5], folder, code=1)
    one_sentence(result, "has the night of 2024-06-01", "nights/%Y%m%d/")


def test_a_night_that_is_over_is_finished(watch_packets, two_nights, tmp_path):
    folder = tmp_path / "live"
    watch_packets(two_nights[0][:5], folder, "--until", "sunrise")
    record = json.loads((folder / "watch.json").read_text())
    over = {"night": "2024-06-01", "until": "2024-06-01T12:40:00+00:00"}
    (folder / "watch.json").write_text(json.dumps(record | over))
    result = watch_packets([], folder, "--until", "sunrise")
    assert "this night ended at 2024-06-01 12:40 UTC; finishing it" in result.stderr
    assert result.stdout.startswith("5 packets")


def test_a_date_in_the_name_of_the_folder(watch_packets, two_nights, tmp_path):
    watch_packets(two_nights[0][:5], tmp_path / "%Y%m%d")
    (folder,) = tmp_path.iterdir()
    assert re.fullmatch(r"20\d{6}", folder.name)


WATCH = ["watch", "--from", "ztf", "--server", "127.0.0.1:9", "--topic", "t", "--group", "g"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--every", "soon"], "not a duration"),
        (["--since", "yesterday"], "not a time; use noon"),
        (["--until", "2020-01-01T00:00"], "is over"),
        (["--notify", "mail=me"], "no such channel"),
        (["--notify", "slack"], "ZTFML_SLACK_URL"),
    ],
)
def test_wrong_options(arguments, words, tmp_path, monkeypatch):
    monkeypatch.delenv("ZTFML_SLACK_URL", raising=False)
    one_sentence(ztfml(*WATCH, "-o", tmp_path / "live", *arguments, code=1), words)
    assert not (tmp_path / "live").exists()


def test_a_broker_whose_server_is_not_known(tmp_path):
    arguments = ["--from", "ztf", "--topic", "t", "--group", "g", "-o", tmp_path / "live"]
    assert "--from ztf needs --server" in ztfml("watch", *arguments, code=2).stderr


def test_a_server_that_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfml.stream.replay._ANSWER_SECONDS", 1.0)
    result = ztfml("replay", tmp_path, "--server", "127.0.0.1:9", "--topic", "t", code=1)
    one_sentence(result, "127.0.0.1:9", "check --server")
