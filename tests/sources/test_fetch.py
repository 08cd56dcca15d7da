"""`ztfml fetch`, as a user types it, with brokers that are a server in this process."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

pytest.importorskip("pytest_httpserver")
pytest.importorskip("alerce")

from tests.sources.answers import (
    ALERCE_DETECTIONS,
    CANDID,
    NAME,
    closed_port,
    image,
    serve_alerce,
    serve_fink,
)
from ztfml.cli import main
from ztfml.errors import DataError
from ztfml.sources import fetched_folder as fetched
from ztfml.sources.fetch import fetch, objects_of, read_ranked
from ztfml.sources.web import UnreachableError

OTHER = "ZTF20aaaaaaa"


@pytest.fixture
def night(tmp_path, monkeypatch):
    """A night with three alerts of two objects, with a separate cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("ztfml.sources.web._RETRIES", 0)
    monkeypatch.setattr("ztfml.sources.web._CONNECT_RETRIES", 0)
    path = tmp_path / "night.parquet"
    pd.DataFrame(
        {
            "objectId": [NAME, NAME, OTHER],
            "candid": [CANDID, CANDID - 7, 12],
            "candidate.jd": [2458370.7, 2458370.6, 2458370.7],
            "candidate.fid": 1,
            "candidate.magpsf": 18.0,
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
            "candidate.ra": [10.0, 10.0, 20.0],
            "candidate.dec": [-5.0, -5.0, 60.0],
        }
    ).to_parquet(path)
    return path


def ztfml(*arguments, code=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_fetch_writes_beside_the_night(httpserver, night):
    serve_alerce(httpserver)
    result = ztfml("fetch", night, NAME, "--broker", f"alerce={httpserver.url_for('')}")
    assert "1 light curves and 1 sets of cutouts for 1 objects" in result.stdout
    assert "ALeRCE: 2 detections, 1 limits, 3 forced" in result.stdout
    assert result.stderr == ""
    folder = night.with_name("night_fetched")
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{NAME}.parquet", f"{NAME}_{CANDID}.npz",
    ]  # fmt: skip
    assert len(fetched.light_curve(folder, NAME)) == 6
    assert fetched.cutouts(folder, NAME).candid == CANDID, "of the latest alert of the night"


def test_later_brokers_fill_the_gaps_of_earlier_ones(httpserver, night):
    serve_fink(httpserver)  # and nothing of ALeRCE
    url = httpserver.url_for("")
    result = ztfml("fetch", night, NAME, "--broker", f"alerce={url}", "--broker", f"fink={url}")
    assert "Fink: 2 detections, 1 limits" in result.stdout
    assert f"ALeRCE: the light curve of {NAME}: the server failed (500)" in result.stderr
    assert fetched.cutouts(night.with_name("night_fetched"), NAME) is not None


def test_a_failed_object_does_not_affect_others(httpserver, night, tmp_path):
    serve_fink(httpserver)
    ranked = tmp_path / "ranked.csv"
    pd.DataFrame({"rank": [1, 2, 3], "objectId": [OTHER, NAME, "ZTF21zzzzzzz"]}).to_csv(ranked)
    broker = f"fink={httpserver.url_for('')}"
    result = ztfml("fetch", night, "../evil", "--top", 2, ranked, "--broker", broker)
    assert "1 light curves and 1 sets of cutouts for 3 objects" in result.stdout
    assert "'../evil' is not a valid object name" in result.stderr
    assert f"Fink: the light curve of {OTHER}: not found" in result.stderr
    assert "ZTF21zzzzzzz" not in result.output
    assert not (tmp_path / "evil.parquet").exists()


def test_stamps_at_the_edge_are_padded(httpserver, night):
    alerts = pd.read_parquet(night)
    alerts.assign(**{"candidate.xpos": 3052.0, "candidate.ypos": 12.0}).to_parquet(night)
    serve_fink(httpserver, shape=(50, 60))
    ztfml("fetch", night, NAME, "--broker", f"fink={httpserver.url_for('')}")
    stamps = fetched.cutouts(night.with_name("night_fetched"), NAME)
    np.testing.assert_array_equal(stamps.science[13:, :60], image((50, 60)))
    assert np.isnan(stamps.science).sum() == 63 * 63 - 50 * 60


def test_an_object_that_is_not_in_the_night(httpserver, night):
    name = "ZTF20bbbbbbb"
    detections = [dict(row, oid=name) for row in ALERCE_DETECTIONS]
    serve_alerce(httpserver, name=name, forced=[])
    httpserver.expect_request(f"/ztf/v1/objects/{name}/lightcurve").respond_with_json(
        {"detections": detections, "non_detections": []}
    )
    result = ztfml("fetch", night, name, "--broker", f"alerce={httpserver.url_for('')}")
    assert (
        f"no alert of {name}; using the latest alert for which a broker has stamps" in result.stderr
    )
    assert fetched.cutouts(night.with_name("night_fetched"), name).candid == CANDID


def test_existing_stamps_are_not_fetched_again(httpserver, night):
    serve_fink(httpserver)
    folder = night.with_name("night_fetched")
    fetched.write_cutouts(folder, NAME, fetched.Cutouts(CANDID, *([[1.0]],) * 3))
    result = ztfml("fetch", night, NAME, "--broker", f"fink={httpserver.url_for('')}")
    assert "already fetched" in result.stdout
    assert [request.path for request, _ in httpserver.log] == ["/api/v1/objects"]


def test_offline(httpserver, night):
    serve_fink(httpserver)
    broker = f"fink={httpserver.url_for('')}"
    result = ztfml("fetch", night, NAME, "--broker", broker, "--offline", code=1)
    assert "not in the cache; query it once without --offline" in result.stderr
    assert httpserver.log == []
    ztfml("fetch", night, NAME, "--broker", broker)
    (night.with_name("night_fetched") / f"{NAME}.parquet").unlink()
    n_asked = len(httpserver.log)
    ztfml("fetch", night, NAME, "--broker", broker, "--offline")
    assert len(httpserver.log) == n_asked
    assert fetched.light_curve(night.with_name("night_fetched"), NAME) is not None


def test_without_network(night):
    result = ztfml("fetch", night, NAME, "--broker", f"fink={closed_port()}", code=1)
    assert "Fink: the light curve of ZTF18abukavn: it cannot be reached" in result.stderr
    assert "Error: nothing was fetched; see the messages above" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give object names, or --top K RANKED.csv"),
        ((NAME, "--broker", "lasair"), "lasair: write alerce or fink, or one of these"),
        (("--top", "0", "ranked.csv"), "0 is not in the range"),
        (("--top", "12"), "requires 2 arguments"),
    ],
)
def test_wrong_usage(night, arguments, message):
    assert message in ztfml("fetch", night, *arguments, code=2).stderr


def test_objects_of_a_night_are_their_latest_alerts(night):
    found = objects_of(night, [OTHER, NAME, OTHER, "ZTF20bbbbbbb"])
    assert found["objectId"].tolist() == [OTHER, NAME, "ZTF20bbbbbbb"]
    assert found["candid"].fillna(0).tolist() == [12, CANDID, 0]
    assert found["ra"].fillna(-1).tolist() == [20.0, 10.0, -1.0]
    assert found["jd"].notna().tolist() == [True, True, False]


def test_a_ranked_list(tmp_path):
    path = tmp_path / "ranked.csv"
    with pytest.raises(DataError, match="there is no such file; make it with ztfml rank"):
        read_ranked(path, 3)
    for text in ("", "rank,name\n1,x\n", "\x00"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"no list with a column objectId|the file is empty"):
            read_ranked(path, 3)
    path.write_text("rank,objectId\n1,a\n2,b\n3,c\n")
    assert read_ranked(path, 2) == ["a", "b"]


class Away:
    """A broker that never answers."""

    name = "Away"

    def __init__(self):
        self.asked = 0

    def light_curve(self, object_id):
        self.asked += 1
        raise UnreachableError(f"Away: {object_id}: no answer in time")

    cutouts = light_curve


def test_an_unreachable_broker_is_not_queried_for_all_objects(tmp_path):
    away = Away()
    names = [f"ZTF20aaaaaa{letter}" for letter in "abcdefghijklmnop"]
    objects = pd.DataFrame({"objectId": names, "candid": pd.array([None] * 16, "Int64")})
    objects = objects.assign(xpos=np.nan, ypos=np.nan)
    found = fetch(tmp_path / "n_fetched", objects, [away])
    # Three in a row, and as many as were under way by then.
    assert 3 <= away.asked <= 5
    problems = found["problems"].explode()
    assert problems.str.contains("not queried after 3 failures").sum() == 16 - away.asked
    assert (found["light_curve"] == "").all()
