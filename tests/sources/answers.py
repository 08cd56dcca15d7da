"""What brokers answer, written by hand, and a server in this process that does so."""

import gzip
import io
import json
import socket

import numpy as np
from astropy.io import fits
from werkzeug import Response

NAME = "ZTF18abukavn"
# Beyond 2^53: as a float it would be 617155240115015040.
CANDID = 617155240115015005

ALERCE_DETECTIONS = [
    {
        "oid": NAME, "candid": str(CANDID), "mjd": 58370.2, "fid": 1, "pid": 1, "magpsf": 18.25,
        "sigmapsf": 0.05, "diffmaglim": 20.5, "isdiffpos": 1, "has_stamp": True, "drb": 0.99,
    },
    {
        "oid": NAME, "candid": str(CANDID - 2), "mjd": 58369.2, "fid": 2, "pid": 2, "magpsf": 19.5,
        "sigmapsf": 0.1, "diffmaglim": 20.5, "isdiffpos": -1, "has_stamp": False, "drb": None,
    },
]  # fmt: skip
ALERCE_LIMITS = [{"oid": NAME, "tid": "ztf", "mjd": 58368.2, "fid": 2, "diffmaglim": 20.75}]
ALERCE_FORCED = [
    {  # 10 sigma: a detection of 25 - 2.5 log10(1000)
        "mjd": 58367.2, "fid": 1, "mag": 100.0, "e_mag": 100.0, "isdiffpos": 1,
        "diffmaglim": 20.0, "extra_fields": {
            "forcediffimflux": 1000.0, "forcediffimfluxunc": 100.0, "magzpsci": 25.0,
        },
    },
    {  # no flux given, and an error of 1.0857 / 5: 5 sigma
        "mjd": 58366.2, "fid": 2, "mag": 19.0, "e_mag": 0.21714, "isdiffpos": -1,
        "diffmaglim": 20.0, "extra_fields": {},
    },
    {  # 1.0857 / 0.5 = 2.2 sigma: a limit
        "mjd": 58365.2, "fid": 2, "mag": 21.0, "e_mag": 0.5, "isdiffpos": 1,
        "diffmaglim": 20.25, "extra_fields": {},
    },
]  # fmt: skip

FINK_ROWS = [
    {
        "i:objectId": NAME, "i:candid": CANDID, "i:jd": 2458370.7, "i:fid": 1, "i:magpsf": 18.25,
        "i:sigmapsf": 0.05, "i:diffmaglim": 20.5, "i:isdiffpos": "t", "d:tag": "valid",
    },
    {
        "i:objectId": NAME, "i:candid": -1, "i:jd": "2458369.7", "i:fid": "2",
        "i:magpsf": "19.5", "i:sigmapsf": "0.1", "i:diffmaglim": "20.5", "i:isdiffpos": "f",
        "d:tag": "badquality",
    },
    {
        "i:objectId": NAME, "i:candid": -1, "i:jd": 2458368.7, "i:fid": 2, "i:magpsf": None,
        "i:sigmapsf": float("nan"), "i:diffmaglim": 20.75, "i:isdiffpos": None,
        "d:tag": "upperlim",
    },
]  # fmt: skip


def image(shape=(63, 63), low=0.0):
    """A stamp in which each pixel has its own value."""
    return (low + np.arange(np.prod(shape)).reshape(shape)).astype(np.float32)


def fits_gz(array):
    """A stamp as packets hold it."""
    file = io.BytesIO()
    fits.PrimaryHDU(array).writeto(file)
    return gzip.compress(file.getvalue(), mtime=0)


def as_json(value, status=200, **headers):
    """An answer in JSON, which may hold NaN as Fink's do."""
    return Response(json.dumps(value), status, headers, content_type="application/json")


def serve_alerce(server, name=NAME, candid=CANDID, forced=None):
    """Answer for one object as ALeRCE does."""
    answer = {"detections": ALERCE_DETECTIONS, "non_detections": ALERCE_LIMITS}
    server.expect_request(f"/ztf/v1/objects/{name}/lightcurve").respond_with_json(answer)
    server.expect_request(f"/v2/lightcurve/forced-photometry/{name}").respond_with_json(
        ALERCE_FORCED if forced is None else forced
    )
    for low, kind in enumerate(("science", "template", "difference")):
        query = {"oid": name, "candid": str(candid), "type": kind, "format": "fits"}
        server.expect_request("/get_stamp", query_string=query).respond_with_data(
            fits_gz(image(low=low * 1000.0)), content_type="application/octet-stream"
        )


def serve_fink(server, name=NAME, candid=CANDID, shape=(63, 63)):
    """Answer for one object as Fink does."""

    def objects(request):
        return as_json(FINK_ROWS if request.json["objectId"] == name else [])

    def cutouts(request):
        query = request.json
        if (query["objectId"], query["candid"]) != (name, str(candid)):
            return Response("Internal Server Error", 500)
        kinds = enumerate(("Science", "Template", "Difference"))
        return as_json(
            {f"b:cutout{kind}_stampData": image(shape, k * 1000.0).tolist() for k, kind in kinds}
        )

    server.expect_request("/api/v1/objects", method="POST").respond_with_handler(objects)
    server.expect_request("/api/v1/cutouts", method="POST").respond_with_handler(cutouts)


def closed_port():
    """An address without a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
