"""Positions of alerts in another unit, and alerts below the horizon."""

import numpy as np
import pytest

from ztfml.errors import DataError
from ztfml.io.alert_positions import check_positions

RNG = np.random.default_rng(4)
# Sidereal time at Palomar in each of three hours of a night, and positions within 60 deg of it.
JD = 2460474.7 + np.repeat([0.0, 0.1, 0.2], 100)
MERIDIAN = (280.46062 + 360.98564737 * (JD - 2451545.0) - 116.863) % 360
RA = (MERIDIAN + RNG.uniform(-50, 50, 300)) % 360
DEC = RNG.uniform(-10, 70, 300)


def test_a_night_at_palomar_has_no_message(caplog):
    check_positions(RA, DEC, JD, "night")
    check_positions(np.r_[RA, np.nan], np.r_[DEC, 10.0], np.r_[JD, JD[0]], "night")
    assert not caplog.text


@pytest.mark.parametrize(
    ("unit", "ra", "dec"),
    [("radians", np.radians(RA), np.radians(DEC)), ("hours", RA / 15, DEC)],
)
def test_radians_and_hours_are_refused(unit, ra, dec):
    with pytest.raises(DataError, match=f"convert the positions from {unit} to degrees") as error:
        check_positions(ra, dec, JD, "night.parquet")
    assert str(error.value).startswith("night.parquet: the right ascensions are between")


@pytest.mark.parametrize(
    ("ra", "dec", "jd"), [(RA, DEC, JD + 0.5), (RA, DEC, JD - 7 / 24), ((RA + 180) % 360, DEC, JD)]
)
def test_alerts_below_the_horizon_are_reported(ra, dec, jd, caplog):
    check_positions(ra, dec, jd, "night")
    assert "of 300 alerts are less than 10 degrees high at Palomar" in caplog.text


def test_a_few_alerts_may_be_anywhere(caplog):
    check_positions(RA[:19] / 15, DEC[:19], JD[:19], "night")
    assert not caplog.text
