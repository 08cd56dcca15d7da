"""ALeRCE, asked of a server in this process."""

import numpy as np
import pytest

pytest.importorskip("pytest_httpserver")
pytest.importorskip("alerce")

from tests.sources.answers import (
    ALERCE_DETECTIONS,
    CANDID,
    NAME,
    as_json,
    image,
    serve_alerce,
)
from ztfml.errors import BrokerError
from ztfml.sources.alerce import Alerce, _good_rows
from ztfml.sources.web import NotFoundError

LIGHT_CURVE = f"/ztf/v1/objects/{NAME}/lightcurve"


@pytest.fixture
def broker(httpserver, session):
    return Alerce(session, httpserver.url_for(""))


def test_a_light_curve_has_detections_limits_and_forced_photometry(httpserver, broker):
    serve_alerce(httpserver)
    curve = broker.light_curve(NAME)
    # MJD + 2400000.5, sorted by time
    assert curve["jd"].tolist() == [
        2458365.7,
        2458366.7,
        2458367.7,
        2458368.7,
        2458369.7,
        2458370.7,
    ]
    assert curve["fid"].tolist() == [2, 2, 1, 2, 2, 1]
    np.testing.assert_allclose(curve["magpsf"], [np.nan, 19.0, 17.5, np.nan, 19.5, 18.25])
    np.testing.assert_allclose(
        curve["sigmapsf"], [np.nan, 0.21714, 0.108574, np.nan, 0.1, 0.05], rtol=1e-5
    )
    assert curve["diffmaglim"].tolist() == [20.25, 20.0, 20.0, 20.75, 20.5, 20.5]
    assert curve["isdiffpos"].fillna("").tolist() == ["", "f", "t", "", "f", "t"]
    assert curve["forced"].tolist() == [True, True, True, False, False, False]
    # Only the alert with a stamp has its number, to the last digit.
    assert curve["candid"].dropna().tolist() == [CANDID]


def test_bands_by_letter_and_under_the_newer_name(httpserver, broker):
    detections = [dict(row, fid="g") for row in ALERCE_DETECTIONS]
    limits = [{"mjd": 58368.2, "band": 2, "diffmaglim": 20.75}]
    answer = {"detections": detections, "non_detections": limits}
    httpserver.expect_request(LIGHT_CURVE).respond_with_json(answer)
    assert broker.light_curve(NAME)["fid"].tolist() == [2, 1, 1]


def test_an_object_without_non_detections_and_forced_photometry(httpserver, broker):
    answer = {"detections": ALERCE_DETECTIONS, "non_detections": None}
    httpserver.expect_request(LIGHT_CURVE).respond_with_json(answer)
    assert broker.light_curve(NAME)["magpsf"].tolist() == [19.5, 18.25]


def test_a_failure_of_forced_photometry_keeps_the_light_curve(httpserver, broker, caplog):
    answer = {"detections": ALERCE_DETECTIONS, "non_detections": []}
    httpserver.expect_request(LIGHT_CURVE).respond_with_json(answer)
    forced = f"/v2/lightcurve/forced-photometry/{NAME}"
    httpserver.expect_request(forced).respond_with_json({"oops": 1}, 400)
    assert len(broker.light_curve(NAME)) == 2
    assert f"the forced photometry of {NAME}: it refused (400)" in caplog.text


def test_missing_values(httpserver, broker):
    rows = [
        dict(ALERCE_DETECTIONS[0], magpsf=float("nan"), sigmapsf=None, isdiffpos=None),
        dict(ALERCE_DETECTIONS[0], fid=None),
        dict(ALERCE_DETECTIONS[0], mjd=58371.2, sigmapsf=-999.0, candid=None),
    ]
    httpserver.expect_request(LIGHT_CURVE).respond_with_handler(
        lambda request: as_json({"detections": rows, "non_detections": []})
    )
    curve = broker.light_curve(NAME)
    assert curve["jd"].tolist() == [2458370.7, 2458371.7], "a row without a band is left out"
    assert curve["sigmapsf"].isna().all()
    assert curve["magpsf"].isna().tolist() == [True, False]


def test_an_unknown_object_is_reported_in_one_sentence(httpserver, broker):
    httpserver.expect_request(LIGHT_CURVE).respond_with_json(
        {"detections": [], "non_detections": []}
    )
    with pytest.raises(NotFoundError, match=f"ALeRCE: the light curve of {NAME}: not found"):
        broker.light_curve(NAME)


@pytest.mark.parametrize(
    "answer", [[], {}, {"detections": None}, {"detections": [1]}, {"detections": [{"mjd": "x"}]}, 7]
)
def test_an_unexpected_answer_is_reported_in_one_sentence(httpserver, broker, answer):
    httpserver.expect_request(LIGHT_CURVE).respond_with_json(answer)
    with pytest.raises(BrokerError, match="the answer is not as expected") as raised:
        broker.light_curve(NAME)
    assert NAME in str(raised.value)
    assert "\n" not in str(raised.value)


def test_stamps_are_unchanged(httpserver, broker):
    serve_alerce(httpserver)
    stamps = broker.cutouts(NAME, CANDID)
    assert stamps.candid == CANDID
    np.testing.assert_array_equal(stamps.science, image())
    np.testing.assert_array_equal(stamps.reference, image(low=1000.0))
    np.testing.assert_array_equal(stamps.difference, image(low=2000.0))
    assert stamps.science.dtype == np.float32


@pytest.mark.parametrize("content", [b"", b"<html>no stamp</html>", b"\x1f\x8bcut", b"SIMPLE"])
def test_bad_stamps(httpserver, broker, content):
    httpserver.expect_request("/get_stamp").respond_with_data(content)
    with pytest.raises(BrokerError, match=f"the stamps of {NAME}, alert {CANDID}: the answer is"):
        broker.cutouts(NAME, CANDID)


def test_no_stamps(httpserver, broker):
    httpserver.expect_request("/get_stamp").respond_with_data("no", 404)
    with pytest.raises(NotFoundError, match=r"not found \(404\)"):
        broker.cutouts(NAME, CANDID)


def test_an_undefined_status_is_an_error(httpserver, broker):
    httpserver.expect_request(LIGHT_CURVE).respond_with_data("[]", status=999)
    with pytest.raises(BrokerError, match=r"the server failed \(999\)"):
        broker.light_curve(NAME)


@pytest.mark.parametrize(
    ("status", "is_kept"), [("0", True), (0, True), ("56", False), (56.0, False)]
)
def test_forced_photometry_with_a_processing_warning_is_left_out(status, is_kept, caplog):
    row = {
        "mjd": 60474.25, "fid": 1, "diffmaglim": 20.5, "magzpsci": 26.3, "forcediffimflux": 9e5,
        "forcediffimfluxunc": 100.0, "procstatus": status,
    }  # fmt: skip
    assert len(_good_rows([row], NAME)) == is_kept
    assert ("left out (for example procstatus 56" in caplog.text) == (not is_kept)
