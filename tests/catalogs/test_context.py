"""What catalogues know of the places of objects: files, and services in this process."""

import io
import sys
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from click.testing import CliRunner

from ztfml.catalogs.context import find_context, merge_context
from ztfml.catalogs.kinds import CONTEXT_KINDS
from ztfml.cli import main
from ztfml.errors import BrokerError, DataError
from ztfml.sources import fetched_folder as fetched

ARCSEC = 1 / 3600
FIRST, SECOND, LOST = "ZTF18abukavn", "ZTF20aaaaaaa", "ZTF20bbbbbbb"

# As TNS hands out its public objects: a date above the header, and everything quoted.
TNS = """"2026-11-24 00:00:00"
"objid","name_prefix","name","ra","declination","redshift","typeid","type","internal_names"
"1","SN","2018gep","10.0000555556","20.0","0.032","7","SN Ic-BL","ZTF18abukavn, ATLAS18vah"
"2","AT","2020xyz","150.0","-4.9997","","","","ZTF20aaaaaaa"
"3","AT","2020far","150.01","-5.0","","","","ZTF20zzzzzzz"
"4","SN","2020kin","150.0","-4.9994444","0.1","3","SN Ia","ATLAS20k"
"5","SN","2019old","10.0","20.0006","0.1","3","SN II",""
"""


@pytest.fixture
def objects():
    return pd.DataFrame(
        {
            "objectId": [FIRST, SECOND, LOST],
            "ra": [10.0, 150.0, np.nan],
            "dec": [20.0, -5.0, np.nan],
        }
    )


@pytest.fixture
def tns(tmp_path):
    path = tmp_path / "tns_public_objects.csv"
    path.write_text(TNS)
    return path


def write_places(path, rows, columns=("ra", "dec", "name", "type", "z")):
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def matches_of(rows, object_id=FIRST):
    """Catalogue, name and note of each match of an object."""
    of_object = rows[rows["objectId"] == object_id]
    return of_object[["catalog", "name", "note"]].to_numpy().tolist()


def test_tns_by_position_and_by_name(objects, tns):
    rows, asked = find_context(objects, [("tns", tns)])
    assert asked == ["TNS"]
    assert matches_of(rows) == [
        # 0.2" in right ascension times cos 20 deg; what lies 2.2" off may be another.
        ["TNS", "SN 2018gep", "already classified as SN Ic-BL (transient)"],
        ["TNS", "SN 2019old", "perhaps, already classified as SN II (transient)"],
    ]
    assert matches_of(rows, SECOND) == [
        ["TNS", "AT 2020xyz", "already reported, not yet classified"],
        ["TNS", "SN 2020kin", "perhaps, already classified as SN Ia (transient)"],
    ]
    first = rows.iloc[0]
    assert first["separation_arcsec"] == pytest.approx(0.2 * np.cos(np.radians(20)), abs=0.006)
    assert first["redshift"] == 0.032
    assert first["kind"] == "SN Ic-BL"
    assert rows.columns.tolist() == list(fetched.CONTEXT_COLUMNS)


def test_tns_as_it_is_downloaded(objects, tns):
    zipped = tns.with_name("tns_public_objects.csv.zip")
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(tns, tns.name)
    rows, _ = find_context(objects, [("tns", zipped)])
    assert rows.equals(find_context(objects, [("tns", tns)])[0])
    zipped.write_bytes(zipped.read_bytes()[:100])
    with pytest.raises(DataError, match="cannot be read as a table"):
        find_context(objects, [("tns", zipped)])


def test_a_ztf_name_in_tns_counts_at_any_separation(objects, tns):
    tns.write_text(TNS.replace("10.0000555556", "10.0015"))  # 5.1" off
    rows, _ = find_context(objects, [("tns", tns)])
    assert ["TNS", "SN 2018gep", "already classified as SN Ic-BL (transient)"] in matches_of(rows)


@pytest.mark.parametrize(
    ("kind", "type_", "offset", "note"),
    [
        ("vsx", "RRAB", 0.5, "already classified as RRAB (star)"),
        ("vsx", "RRAB", 1.5, "perhaps, already classified as RRAB (star)"),
        ("vsx", "RRAB:", 0.5, "perhaps, already classified as RRAB: (star)"),
        ("vsx", "AM|QSO", 0.5, "perhaps, already classified as AM|QSO (star or agn)"),
        ("vsx", "RRAB", 2.5, None),
        ("milliquas", "Q", 0.4, "already classified as Q (agn)"),
        ("milliquas", "Q", 20.0, "possible host"),
        ("simbad", "QSO", 0.4, "already classified as QSO (agn)"),
        ("simbad", "QSO_Candidate", 0.4, "perhaps, already classified as QSO_Candidate (agn)"),
        ("simbad", "Galaxy", 30.0, "possible host"),
        ("simbad", "Galaxy", 70.0, None),
        ("simbad", "RRLyrae", 30.0, None),
        ("simbad", "SN*", 1.0, "listed as SN*: this event, or an earlier one here"),
        ("simbad", "Radio", 1.0, ""),
        ("ned", "G", 0.1, "possible host"),
        ("ned", "!V*", 0.5, "already classified as !V* (star)"),
        ("ned", "SN", 1.0, "listed as SN: this event, or an earlier one here"),
        ("ned", "RadioS", 30.0, None),
        ("galaxies", "Sb", 12.0, "possible host"),
        ("gaia", "RR", 0.2, "perhaps, already classified as RR (star)"),
    ],
)
def test_the_note_of_a_match(objects, tmp_path, kind, type_, offset, note):
    place = [10.0, 20.0 + offset * ARCSEC, "it", type_, ""]
    columns = ("ra", "dec", "name", CONTEXT_KINDS[kind].type_columns[0], "z")
    places = [place, [99.0, 0.0, "far", type_, ""]]
    path = write_places(tmp_path / "catalog.csv", places, columns)
    rows, _ = find_context(objects, [(kind, path)])
    expected = [] if note is None else [[CONTEXT_KINDS[kind].title, "it", note]]
    assert matches_of(rows) == expected
    if note is not None:
        assert rows["separation_arcsec"].tolist() == [pytest.approx(offset, abs=0.005)]


def test_a_host_with_redshift_has_a_distance(objects, tmp_path):
    path = write_places(tmp_path / "g.csv", [[10.0, 20.0 + 10 * ARCSEC, "NGC 1", "G", 0.1]])
    rows, _ = find_context(objects, [("galaxies", path)])
    # Planck 2018: 1.91 kpc an arcsec at z = 0.1
    assert matches_of(rows) == [["galaxies", "NGC 1", "possible host, 19.1 kpc away at z = 0.1"]]
    assert rows["redshift"].tolist() == [0.1]


def test_the_nearest_galaxies_are_listed_in_order_of_separation(objects, tmp_path):
    places = [[10.0, 20.0 + k * ARCSEC, f"G{k}", "G", ""] for k in (30, 5, 20, 10, 40)]
    path = write_places(tmp_path / "g.csv", places)
    rows, _ = find_context(objects, [("galaxies", path)])
    assert rows["name"].tolist() == ["G5", "G10", "G20"]
    assert rows["redshift"].isna().all()


def test_objects_keep_their_order_and_catalogues_mix_by_distance(objects, tns, tmp_path):
    places = [[150.0, -5.0 + 0.5 * ARCSEC, "V1", "UG", ""], [10.0, 20.0 + ARCSEC, "G", "G", ""]]
    path = write_places(tmp_path / "s.csv", places)
    rows, asked = find_context(objects[::-1], [("tns", tns), ("simbad", path)])
    assert asked == ["TNS", "SIMBAD"]
    assert rows["objectId"].tolist() == [SECOND] * 3 + [FIRST] * 3
    assert rows["catalog"].tolist() == ["SIMBAD", "TNS", "TNS", "TNS", "SIMBAD", "TNS"]
    assert (rows.groupby("objectId")["separation_arcsec"].diff().dropna() >= 0).all()


def test_no_entries(objects, tmp_path):
    path = write_places(tmp_path / "v.csv", [[99.0, 0.0, "far", "RRAB", ""]])
    rows, asked = find_context(objects, [("vsx", path)])
    assert rows.empty
    assert asked == ["VSX"]
    rows, asked = find_context(objects[objects["ra"].isna()], [("vsx", path)])
    assert rows.empty


def test_a_file_that_is_not_a_catalogue(objects, tmp_path):
    path = write_places(tmp_path / "x.csv", [["a", "b"]], ["one", "two"])
    with pytest.raises(DataError, match=r"x\.csv: no columns with right ascension"):
        find_context(objects, [("vsx", path)])


def test_a_new_query_replaces_only_its_objects_and_catalogues():
    def table(*rows):
        rows = [[*row, "", 1.0, np.nan, ""] for row in rows]
        return pd.DataFrame(rows, columns=fetched.CONTEXT_COLUMNS)

    old = table([FIRST, "TNS", "AT"], [FIRST, "NED", "G"], [SECOND, "TNS", "AT"])
    merged = merge_context(old, table([FIRST, "TNS", "SN"]), [FIRST], ["TNS"])
    assert merged["name"].tolist() == ["G", "SN", "AT"]
    assert merge_context(old, table(), [FIRST, SECOND], ["TNS", "NED"]).empty
    assert merge_context(table(), table([FIRST, "TNS", "SN"]), [], []).shape == (1, 7)


# --- online ----------------------------------------------------------------------------


def votable(**columns):
    from werkzeug import Response

    file = io.BytesIO()
    Table(columns).write(file, format="votable")
    return Response(file.getvalue(), content_type="text/xml")


NED_ERROR = """<?xml version="1.0"?><VOTABLE version="1.1">
<PARAM name="Date" datatype="char" arraysize="*" value="now"/>
<PARAM name="Error" datatype="char" arraysize="*" value="{}"/></VOTABLE>"""


@pytest.fixture
def ned(httpserver, monkeypatch):
    """NED in this process: the server, and how it is to answer."""
    module = pytest.importorskip("astroquery.ipac.ned.core")
    monkeypatch.setattr(module.NedClass, "OBJ_SEARCH_URL", httpserver.url_for("/objsearch"))

    def answer(respond):
        httpserver.expect_request("/objsearch").respond_with_handler(respond)

    return answer


def right_ascension(request):
    """NED takes right ascension in hours, and returns degrees."""
    return float(request.args["lon"]) * 15


def galaxy_near(request):
    """A galaxy 6" north of the queried position."""
    from werkzeug import Response

    ra = right_ascension(request)
    if ra > 100:
        return Response(NED_ERROR.format("Your search found no object."))
    return votable(
        **{
            "Object Name": ["UGC 5"], "RA": [ra],
            "DEC": [float(request.args["lat"]) + 6 * ARCSEC], "Type": ["G"], "Redshift": [0.03],
        }
    )  # fmt: skip


def test_ned_is_queried_for_each_position(objects, ned, httpserver):
    ned(galaxy_near)
    rows, asked = find_context(objects, online=["ned"])
    assert asked == ["NED"]
    assert matches_of(rows) == [["NED", "UGC 5", "possible host, 3.7 kpc away at z = 0.03"]]
    assert matches_of(rows, SECOND) == []
    assert len(httpserver.log) == 2
    assert float(httpserver.log[0][0].args["radius"]) == 1.0, "arcmin"


def test_ned_without_entries(objects, ned):
    from werkzeug import Response

    ned(lambda request: Response(NED_ERROR.format("No object found")))
    rows, asked = find_context(objects, online=["ned"])
    assert rows.empty
    assert asked == ["NED"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("<html>moved</html>", 200, "did not answer with a table"),
        ("", 200, "did not answer with a table"),
        ("oh", 500, "did not answer with a table"),
        (NED_ERROR.format("The server is down"), 200, "refused to answer"),
    ],
)
def test_a_bad_answer_of_ned_does_not_affect_other_catalogues(
    objects, ned, tns, body, status, message, caplog
):
    from werkzeug import Response

    ned(lambda request: Response(body, status))
    rows, asked = find_context(objects, [("tns", tns)], ["ned"])
    assert asked == ["TNS"]
    assert f"NED: {message} for the position" in caplog.text
    assert len(rows) == 4


def test_queries_of_ned_stop_after_timeouts(ned):
    from ztfml.catalogs.services import query_ned

    def hang(request):
        time.sleep(0.6)
        return "late"

    ned(hang)
    places = np.array([[10.0, 20.0], [11.0, 20.0], [12.0, 20.0], [13.0, 20.0]])
    begun = time.monotonic()
    with pytest.raises(BrokerError, match="NED: did not answer for the position 12"):
        query_ned(places, 60.0, timeout=0.1)
    assert time.monotonic() - begun < 2.0


def test_without_astroquery(objects, monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.ipac.ned", None)
    with pytest.raises(DataError, match=r"NED is queried with .* pip install 'ztfml\[catalogs\]'"):
        find_context(objects, online=["ned"])


def test_a_failure_does_not_affect_other_positions(objects, ned, caplog):
    from werkzeug import Response

    def respond(request):
        return Response("oh", 500) if right_ascension(request) > 100 else galaxy_near(request)

    ned(respond)
    rows, asked = find_context(objects, online=["ned"])
    assert asked == ["NED"]
    assert rows["name"].tolist() == ["UGC 5"]
    assert "for the position 150.00000 -5.00000" in caplog.text


def test_simbad_and_vizier_are_queried_once_for_all_positions(objects, httpserver, monkeypatch):
    xmatch = pytest.importorskip("astroquery.xmatch")
    monkeypatch.setattr(xmatch.XMatchClass, "URL", httpserver.url_for("/sync"))
    asked_for = {}

    def respond(request):
        asked_for[request.form["cat2"]] = float(request.form["distMaxArcsec"])
        if request.form["cat2"] == "simbad":
            # As the service does, one row a pair: the same galaxy may come twice.
            return votable(
                angDist=[8.0, 8.0], alert_ra=[10.0, 10.0], alert_dec=[20.0, 20.0],
                main_id=["NGC 1", "NGC 1"], ra=[10.0, 10.0], dec=[20.0 + 8 * ARCSEC] * 2,
                main_type=["Galaxy", "Galaxy"], redshift=[0.01, 0.01],
            )  # fmt: skip
        return votable(
            angDist=[0.3], alert_ra=[150.0], alert_dec=[-5.0], RAJ2000=[150.0],
            DEJ2000=[-5.0 + 0.3 * ARCSEC], Name=["SDSS J1000-0500"], Type=["Q"], z=[1.5],
        )  # fmt: skip

    httpserver.expect_request("/sync", method="POST").respond_with_handler(respond)
    rows, asked = find_context(objects, online=["simbad", "milliquas"])
    assert asked == ["SIMBAD", "Milliquas"]
    assert asked_for == {"simbad": 60.0, "vizier:VII/294/catalog": 60.0}
    assert matches_of(rows) == [["SIMBAD", "NGC 1", "possible host, 1.7 kpc away at z = 0.01"]]
    assert matches_of(rows, SECOND) == [
        ["Milliquas", "SDSS J1000-0500", "already classified as Q (agn)"]
    ]
    assert rows["redshift"].tolist() == [0.01, 1.5]


def test_an_answer_without_positions_does_not_affect_other_catalogues(
    objects, tns, httpserver, monkeypatch, caplog
):
    xmatch = pytest.importorskip("astroquery.xmatch")
    monkeypatch.setattr(xmatch.XMatchClass, "URL", httpserver.url_for("/sync"))
    httpserver.expect_request("/sync").respond_with_handler(
        lambda request: votable(angDist=[1.0], Name=["x"], Type=["RRAB"])
    )
    rows, asked = find_context(objects, [("tns", tns)], ["vsx"])
    assert asked == ["TNS"]
    assert "answer of the CDS for vsx: no columns with right ascension" in caplog.text
    assert len(rows) == 4


# --- the command -----------------------------------------------------------------------


@pytest.fixture
def night(tmp_path):
    path = tmp_path / "night.parquet"
    pd.DataFrame(
        {
            "objectId": [FIRST, SECOND], "candid": [2**60 + 1, 2**60 + 3],
            "candidate.jd": 2460000.5, "candidate.fid": 1, "candidate.magpsf": 18.0,
            "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t",
            "candidate.ra": [10.0, 150.0], "candidate.dec": [20.0, -5.0],
        }
    ).to_parquet(path)  # fmt: skip
    return path


def ztfml(*arguments, code=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    return result


def test_the_command_writes_beside_the_night(night, tns, tmp_path):
    ranked = tmp_path / "ranked.csv"
    pd.DataFrame({"rank": [1, 2], "objectId": [FIRST, SECOND]}).to_csv(ranked, index=False)
    result = ztfml("context", night, "--top", 1, ranked, "--catalog", f"tns={tns}")
    assert "already classified as SN Ic-BL (transient)" in result.stdout
    assert "1 of 1 objects have matches" in result.stdout
    folder = night.with_name("night_fetched")
    assert set(fetched.context(folder)["objectId"]) == {FIRST}
    ztfml("context", night, SECOND, "--catalog", f"tns={tns}")
    back = fetched.context(folder)
    assert back["objectId"].tolist() == [FIRST, FIRST, SECOND, SECOND]
    ztfml("context", night, SECOND, "--catalog", f"tns={tns}")
    assert fetched.context(folder).equals(back), "the same again"


def test_wrong_usage(night, tns):
    usage = ztfml("context", night, FIRST, code=2).stderr
    assert "give a catalogue with --catalog, or use --online" in usage
    usage = ztfml("context", night, FIRST, "--catalog", "glade=x.csv", code=2).stderr
    assert "KIND is one of tns, ned" in usage
    usage = ztfml("context", night, "--catalog", f"tns={tns}", code=2).stderr
    assert "give object names" in usage
    result = ztfml("context", night, FIRST, "--catalog", "tns=no.csv", code=1)
    assert "Error: no.csv: there is no such file" in result.stderr


def test_text_from_a_catalogue_stays_text(night, tmp_path):
    evil = '<script>alert(1)</script>, "quoted"'
    path = write_places(tmp_path / "v.csv", [[10.0, 20.0, evil, "RRAB", ""]])
    ztfml("context", night, FIRST, "--catalog", f"vsx={path}")
    assert fetched.context(night.with_name("night_fetched"))["name"].tolist() == [evil]


def test_proper_motion_counts_from_the_epoch_of_the_catalogue_to_the_alert(objects, tmp_path):
    years = (2460474.5 - 2451545.0) / 365.25
    stars = pd.DataFrame(
        {
            "ra": [10.0, 10.0], "dec": [20.0 - years * ARCSEC, 20.0], "pmra": 0.0,
            "pmdec": [1000.0, 1000.0], "epoch": 2000.0, "name": ["moving", "moved away"],
            "type": "RRab",
        }
    )  # fmt: skip
    stars.to_csv(tmp_path / "stars.csv", index=False)
    rows, _ = find_context(objects.assign(jd=2460474.5), [("vsx", tmp_path / "stars.csv")])
    assert rows["name"].tolist() == ["moving"]
    assert rows["separation_arcsec"].tolist() == [0.0]
