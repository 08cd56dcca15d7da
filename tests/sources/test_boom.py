"""Packets of BOOM and Babamul, whose history consists of signed fluxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.packet_files import (
    CANDIDATE_FIELDS,
    JD,
    avro_schema,
    field,
    history_of,
    packet,
    values,
    write,
)
from ztfml.sources.avro_packets import read_packet
from ztfml.sources.forced_file import read_forced
from ztfml.sources.ingest import ingest
from ztfml.sources.remarks import Remarks

DETECTIONS = [(-4, "r", 18.3, 1), (-4.1, "g", 18.0, 1), (-2, "r", 17.95, -1), (-1, "i", 18.85, 1)]
LIMITS = [(-9, "r", 20.3), (-8, "g", 20.5)]


def boom_packet(zero_point=31.4, candidate_flux=True, magpsf=False, extra=None):
    """A packet with the light curve above in the unit of a zero point, without cutouts."""

    def flux(mag):
        return 10 ** (0.4 * (zero_point - mag))

    detections = [
        {
            "jd": JD + day, "band": band, "psfFlux": sign * flux(mag), "psfFluxErr": flux(mag) / 20,
            "ra": 210.1, "dec": 41.2,
        }
        | ({"magpsf": mag, "sigmapsf": 0.0543} if magpsf else {})
        | (extra or {})
        for day, band, mag, sign in DETECTIONS
    ]  # fmt: skip
    limits = [
        {"jd": JD + day, "band": band, "psfFluxErr": flux(mag) / 5} | (extra or {})
        for day, band, mag in LIMITS
    ]
    made = packet(magpsf=18.9, sigmapsf=0.08, isdiffpos=True)
    if candidate_flux:
        made["candidate"] |= {"psfFlux": flux(18.9), "psfFluxErr": flux(18.9) / 13, "band": "r"}
    forced = [{"jd": JD - 3, "band": "g", "psfFlux": flux(19.0), "psfFluxErr": flux(21.0)}]
    made |= {
        "prv_candidates": detections, "prv_nondetections": limits, "fp_hists": forced,
    }  # fmt: skip
    del made["schemavsn"], made["publisher"]
    return made


def boom_schema():
    kinds = {
        "jd": "double", "band": "string", "psfFlux": "double", "psfFluxErr": "double",
        "ra": "double", "dec": "double", "magpsf": "double", "sigmapsf": "double", "zp": "double",
    }  # fmt: skip
    candidate = {**CANDIDATE_FIELDS, "isdiffpos": "boolean"}
    candidate |= {"psfFlux": "double", "psfFluxErr": "double", "band": "string"}
    schema = avro_schema(
        top={"objectId": "string", "candid": "long"}, candidate=candidate, previous=None
    )
    for name in ("prv_candidates", "prv_nondetections", "fp_hists"):
        fields = [field(*item) for item in kinds.items()]
        record = {"type": "record", "name": f"{name}_row", "fields": fields}
        schema["fields"].append(field(name, {"type": "array", "items": record}))
    return schema


def check(rows, at=1e-3):
    """Assert that the rows have the magnitudes, signs, bands and limits above, by time."""
    wanted = sorted([*DETECTIONS, *LIMITS])
    for row, (day, band, mag, *sign) in zip(
        sorted(rows, key=lambda row: row["jd"]), wanted, strict=True
    ):
        assert (row["jd"], row["fid"]) == (JD + day, {"g": 1, "r": 2, "i": 3}[band])
        if sign:
            assert row["magpsf"] == pytest.approx(mag, abs=at)
            assert row["sigmapsf"] == pytest.approx(1.0857 / 20, rel=1e-3)
            assert row["isdiffpos"] == {1: "t", -1: "f"}[sign[0]]
        else:
            assert row["magpsf"] is None
            assert row["isdiffpos"] is None
            assert row["diffmaglim"] == pytest.approx(mag, abs=at)


@pytest.mark.parametrize("zero_point", [31.4, 23.9, 46.4])
@pytest.mark.parametrize("magpsf", [False, True])
@pytest.mark.parametrize("candidate_flux", [False, True])
def test_fluxes_become_magnitudes_and_limits(tmp_path, output, zero_point, magpsf, candidate_flux):
    made = boom_packet(zero_point, candidate_flux, magpsf)
    summary = ingest([write(tmp_path / "a.avro", made, schema=boom_schema())], output)
    assert (summary.n_alerts, summary.n_skipped, summary.n_forced) == (1, 0, 1)
    check(history_of(output))
    forced = read_forced(output)
    assert forced["flux"].tolist() == pytest.approx([10 ** (0.4 * (31.4 - 19.0))])
    assert forced["flux_err"].tolist() == pytest.approx([10 ** (0.4 * (31.4 - 21.0))])
    assert forced["fid"].tolist() == [1]


def test_magnitudes_decide_the_unit_where_a_zero_point_column_contradicts_them():
    made = boom_packet(31.4, extra={"zp": 23.9})
    check(read_packet(made, {}, Remarks()).previous)


def test_the_candidate_may_have_flux_and_band_only():
    made = boom_packet()
    del made["candidate"]["magpsf"], made["candidate"]["fid"]
    candidate = read_packet(made, {}, Remarks()).candidate
    assert candidate["magpsf"] == pytest.approx(18.9)
    assert (candidate["fid"], candidate["isdiffpos"]) == (2, "t")


def test_an_unknown_band_is_reported():
    made = boom_packet()
    made["prv_candidates"][0]["band"] = "z"
    remarks = Remarks()
    assert read_packet(made, {}, remarks).previous[0]["fid"] is None
    assert remarks.sentences() == ["1 rows are in another band than g, r and i (for example 'z')"]


def test_fluxes_that_contradict_the_magnitudes_are_reported_and_ignored():
    made = boom_packet()
    made["candidate"]["magpsf"] = 15.0
    remarks = Remarks()
    previous = read_packet(made, {}, remarks).previous
    assert values(previous, "magpsf") == [None] * 6
    assert "1 packets have fluxes that contradict their magnitudes" in remarks.sentences()[0]


@settings(deadline=None, max_examples=50)
@given(
    flux=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    error=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    mag=st.none() | st.sampled_from([0.0, -1.0, 99.0, -999.0, np.nan, np.inf, 18.0]),
)
def test_any_flux_gives_a_valid_magnitude_or_none(flux, error, mag):
    made = boom_packet()
    made["prv_candidates"][0] |= {"psfFlux": flux, "psfFluxErr": error, "magpsf": mag}
    row = read_packet(made, {}, Remarks()).previous[0]
    assert row["magpsf"] is None or 8 <= row["magpsf"] <= 25
    assert row["magpsf"] is not None or row["isdiffpos"] is None


def test_the_same_light_curve_as_in_a_packet_of_ztf(shared_data, output):
    folder = shared_data.parent / "cases" / "02_boom_packets"
    if not folder.is_dir():
        pytest.skip("no example packets")
    light_curves = {}
    for name in ("boom", "plain"):
        ingest([folder / f"{name}.avro"], output)
        light_curves[name] = [
            tuple(row[column] for column in ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos"))
            for row in history_of(output)
        ]
    assert light_curves["boom"] == light_curves["plain"]
    assert len(light_curves["boom"]) == 9
