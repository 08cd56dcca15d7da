"""Fink, asked of a server in this process."""

import json

import numpy as np
import pytest

pytest.importorskip("pytest_httpserver")

from tests.sources.answers import (
    CANDID,
    FINK_ROWS,
    NAME,
    as_json,
    image,
    serve_fink,
)
from ztfml.errors import BrokerError
from ztfml.sources.fink import Fink
from ztfml.sources.web import NotFoundError


@pytest.fixture
def broker(httpserver, session):
    return Fink(session, httpserver.url_for("/"))


def asked_for(what, httpserver):
    """The body of the only request for this; requests of other tests may arrive late."""
    bodies = [one.data for one, _ in httpserver.log if one.path == f"/api/v1/{what}"]
    assert len(bodies) == 1
    return json.loads(bodies[0])


def test_a_light_curve_has_detections_of_any_quality_and_limits(httpserver, broker):
    serve_fink(httpserver)
    curve = broker.light_curve(NAME)
    assert curve["jd"].tolist() == [2458368.7, 2458369.7, 2458370.7]
    assert curve["fid"].tolist() == [2, 2, 1]
    np.testing.assert_array_equal(curve["magpsf"], [np.nan, 19.5, 18.25])
    np.testing.assert_array_equal(curve["sigmapsf"], [np.nan, 0.1, 0.05])
    assert curve["diffmaglim"].tolist() == [20.75, 20.5, 20.5]
    assert curve["isdiffpos"].fillna("").tolist() == ["", "f", "t"]
    assert not curve["forced"].any()
    assert curve["candid"].dropna().tolist() == [CANDID]
    asked = asked_for("objects", httpserver)
    assert asked["withupperlim"] == "True"
    assert "i:diffmaglim" in asked["columns"].split(",")


def test_an_object_without_limits(httpserver, broker):
    httpserver.expect_request("/api/v1/objects").respond_with_json(FINK_ROWS[:1])
    assert broker.light_curve(NAME)["magpsf"].tolist() == [18.25]


def test_an_unknown_object_is_reported_in_one_sentence(httpserver, broker):
    serve_fink(httpserver)
    with pytest.raises(NotFoundError, match="Fink: the light curve of ZTF99aaaaaaa: not found"):
        broker.light_curve("ZTF99aaaaaaa")


@pytest.mark.parametrize("answer", [{"status": "error"}, 7, None, [1], [{"i:jd": 1.0}], ["x"]])
def test_an_unexpected_answer_is_reported_in_one_sentence(httpserver, broker, answer):
    httpserver.expect_request("/api/v1/objects").respond_with_json(answer)
    with pytest.raises(BrokerError, match="the answer is not as expected") as raised:
        broker.light_curve(NAME)
    assert NAME in str(raised.value)


def test_stamps_are_unchanged(httpserver, broker):
    serve_fink(httpserver)
    stamps = broker.cutouts(NAME, CANDID)
    np.testing.assert_array_equal(stamps.science, image())
    np.testing.assert_array_equal(stamps.reference, image(low=1000.0))
    np.testing.assert_array_equal(stamps.difference, image(low=2000.0))
    asked = asked_for("cutouts", httpserver)
    assert asked["candid"] == str(CANDID)


def test_stamps_with_gaps(httpserver, broker):
    def respond(request):
        rows = [[1.0, None], [float("nan"), 4.0]]
        return as_json(
            {f"b:cutout{k}_stampData": rows for k in ("Science", "Template", "Difference")}
        )

    httpserver.expect_request("/api/v1/cutouts").respond_with_handler(respond)
    np.testing.assert_array_equal(
        broker.cutouts(NAME, CANDID).science, np.float32([[1, np.nan], [np.nan, 4]])
    )


@pytest.mark.parametrize("stamp", [None, [], [1.0, 2.0], [["a"]], [[1.0], [1.0, 2.0]]])
def test_bad_stamps(httpserver, broker, stamp):
    httpserver.expect_request("/api/v1/cutouts").respond_with_json(
        {f"b:cutout{k}_stampData": stamp for k in ("Science", "Template", "Difference")}
    )
    with pytest.raises(BrokerError, match=f"the stamps of {NAME}, alert {CANDID}: the answer is"):
        broker.cutouts(NAME, CANDID)
