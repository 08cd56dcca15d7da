"""SIMBAD and VizieR, asked of a server in this process: no test goes online."""

import io
import socket
import sys
import time

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from ztfml.errors import DataError
from ztfml.labels.catalogs import label_from_catalogs
from ztfml.night import Night

pytest.importorskip("pytest_httpserver")
xmatch = pytest.importorskip("astroquery.xmatch")

from werkzeug import Response  # noqa: E402

from ztfml.catalogs import services  # noqa: E402
from ztfml.catalogs.services import fetch_catalog  # noqa: E402

ARCSEC = 1 / 3600


@pytest.fixture(scope="module")
def night():
    alerts = pd.DataFrame(
        {
            "objectId": ["ZTF23aaaaaaa", "ZTF23aaaaaaa", "ZTF23aaaaaab", "ZTF23aaaaaac"],
            "candid": 2200000000000000001 + np.arange(4),
            "candidate.ra": [10.0, 10.0, 200.0, np.nan],
            "candidate.dec": [-5.0, -5.0, 60.0, np.nan],
            "candidate.jd": 2460000.8,
            "candidate.fid": 2,
            "candidate.magpsf": 18.0,
            "candidate.sigmapsf": 0.05,
            "candidate.isdiffpos": "t",
        }
    )
    return Night.from_frames(alerts)


@pytest.fixture
def server(httpserver, monkeypatch):
    monkeypatch.setattr(xmatch.XMatchClass, "URL", httpserver.url_for("/xmatch/api/v1/sync"))
    return httpserver


def votable(**columns):
    file = io.BytesIO()
    Table(columns).write(file, format="votable")
    return Response(file.getvalue(), content_type="text/xml")


def answer(server, response):
    server.expect_request("/xmatch/api/v1/sync", method="POST").respond_with_handler(response)


def test_simbad_is_queried_once_per_position_and_matched_like_a_file(server, night):
    asked = {}

    def respond(request):
        asked.update(request.form, cat1=request.files["cat1"].read().decode())
        return votable(
            angDist=[0.36, 1.2],
            alert_ra=[10.0, 200.0], alert_dec=[-5.0, 60.0],
            main_id=["NAME of the star", "QSO B1320+6015"],
            ra=[10.0 + 0.36 * ARCSEC, 200.0], dec=[-5.0, 60.0 + 1.2 * ARCSEC],
            main_type=["RRLyrae", "QSO_Candidate"],
        )  # fmt: skip

    answer(server, respond)
    labels = label_from_catalogs(night, [fetch_catalog("simbad", night)]).labels
    assert labels["label"].tolist() == ["star", "star", "agn"]
    assert labels["evidence"].tolist() == [
        "simbad(0.36as):RRLyrae", "simbad(0.36as):RRLyrae", "simbad(1.20as):QSO_Candidate",
    ]  # fmt: skip
    assert labels["confidence"].tolist() == ["high", "high", "low"]
    assert asked["cat2"] == "simbad"
    assert float(asked["distMaxArcsec"]) == 31.5, "with a margin for proper motion"
    assert (asked["colRA1"], asked["colDec1"]) == ("alert_ra", "alert_dec")
    assert pd.read_csv(io.StringIO(asked["cat1"])).values.tolist() == [[10.0, -5.0], [200.0, 60.0]]
    assert len(server.log) == 1, "one request, and none for the list of all tables"


def test_answers_with_proper_motion_are_matched_at_the_time_of_the_alert(server, night):
    # 1 arcsec/yr to the north; the alert is 23.15 years after J2000, where nothing else is.
    years = 2000.0 + (2460000.8 - 2451545.0) / 365.25 - 2000.0

    def respond(request):
        return votable(
            angDist=[23.0, 0.1], alert_ra=[10.0, 200.0], alert_dec=[-5.0, 60.0],
            main_id=["moving", "moved away"],
            ra=[10.0, 200.0], dec=[-5.0 - years * ARCSEC, 60.0],
            pmra=[0.0, 0.0], pmdec=[1000.0, 1000.0], main_type=["RRLyrae", "RRLyrae"],
        )  # fmt: skip

    answer(server, respond)
    labels = label_from_catalogs(night, [fetch_catalog("simbad", night)]).labels
    assert labels["objectId"].unique().tolist() == ["ZTF23aaaaaaa"]
    assert labels["evidence"].unique().tolist() == ["simbad(0.00as):RRLyrae"]


@pytest.mark.parametrize(
    ("kind", "table", "columns", "label"),
    [
        ("vsx", "vizier:B/vsx/vsx", ("RAJ2000", "DEJ2000", "Type", "UG+E"), "star"),
        ("gcvs", "vizier:B/gcvs/gcvs_cat", ("_RAJ2000", "_DEJ2000", "VarType", "QSO"), "agn"),
        ("milliquas", "vizier:VII/294/catalog", ("RAJ2000", "DEJ2000", "Type", "QR"), "agn"),
        ("gaia", "vizier:I/358/vclassre", ("RA_ICRS", "DE_ICRS", "Class", "ECL"), "star"),
    ],
)
def test_catalogues_of_vizier(kind, table, columns, label, server, night):
    ra, dec, type_column, name = columns

    def respond(request):
        assert request.form["cat2"] == table
        columns = {ra: [200.0], dec: [60.0], type_column: [name]}
        return votable(angDist=[0.0], alert_ra=[200.0], alert_dec=[60.0], **columns)

    answer(server, respond)
    labels = label_from_catalogs(night, [fetch_catalog(kind, night)]).labels
    assert labels["objectId"].tolist() == ["ZTF23aaaaaab"]
    assert labels["label"].tolist() == [label]


def test_no_entries_give_an_empty_catalogue(server, night):
    answer(server, lambda request: votable(angDist=np.array([]), ra=np.array([])))
    assert label_from_catalogs(night, [fetch_catalog("simbad", night)]).labels.empty


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Response("try later", 503), "did not answer with a table"),
        (Response("banned", 403), r"refused \(Your IP address has been banned"),
        (Response("<html>a page</html>", 200), "did not answer with a table"),
        (votable(RAJ2000=[1.0], angDist=[0.1]), "no columns with right ascension"),
    ],
)
def test_a_bad_answer_is_one_sentence(response, message, server, night):
    answer(server, lambda request: response)
    with pytest.raises(DataError, match=message) as raised:
        fetch_catalog("simbad", night)
    assert "simbad" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_refused_query_gives_the_reason(server, night):
    text = (
        '<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE type="results">'
        '<INFO ID="QUERY_STATUS" name="QUERY_STATUS" value="ERROR">table too large</INFO>'
        "</RESOURCE></VOTABLE>"
    )
    answer(server, lambda request: Response(text, 400))
    with pytest.raises(DataError, match=r"refused \(table too large\)"):
        fetch_catalog("simbad", night)


def test_a_service_that_does_not_answer_times_out(server, night):
    def hang(request):
        time.sleep(1.0)
        return Response("late")

    answer(server, hang)
    with pytest.raises(DataError, match=r"did not answer in 0\.2 s; try again later, or give"):
        fetch_catalog("simbad", night, timeout=0.2)


def test_offline(monkeypatch, night):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(xmatch.XMatchClass, "URL", f"http://127.0.0.1:{port}/sync")
    with pytest.raises(DataError, match="vsx: the X-Match service of the CDS cannot be reached"):
        fetch_catalog("vsx", night)


def test_without_astroquery(monkeypatch, night):
    monkeypatch.setitem(sys.modules, "astroquery.xmatch", None)
    with pytest.raises(DataError, match=r"pip install 'ztfml\[catalogs\]'"):
        fetch_catalog("simbad", night)


def test_nothing_is_printed(capsys, monkeypatch):
    """Without its optional packages astroquery prints remarks on import."""
    for name in [name for name in sys.modules if name.startswith("astroquery.xmatch")]:
        monkeypatch.delitem(sys.modules, name)
    services._client("simbad")
    assert capsys.readouterr().out == ""
