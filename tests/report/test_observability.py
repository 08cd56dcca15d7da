"""Observability in the next night, compared with other software and known nights."""

import numpy as np
import pytest

from ztfml.errors import DataError
from ztfml.ranking.settings import PALOMAR, Observatory, read_observatory
from ztfml.report.observability import next_night, observability

ANTIPODES = Observatory("antipodes", -33.3563, 63.135, 0.0)


@pytest.mark.parametrize(("hour", "day"), [(2, 0), (6, 0), (18, 0), (21, 1)])
def test_the_night_begins_after_the_last_alert(hour, day):
    # Solar noon at Palomar is at 19:47 UTC, and June 14 is dark from 04:47 UTC.
    night = next_night(2460474.5 + hour / 24, PALOMAR)
    assert night.jd[0] == pytest.approx(2460475.5 + day + (4 + 47 / 60) / 24, abs=0.01)
    assert np.diff(night.jd) == pytest.approx(1 / 144)


def test_the_sun_the_moon_and_altitudes_agree_with_astropy():
    """Computed with astropy.coordinates.AltAz for Palomar at JD 2460475.69931."""
    night = next_night(2460474.9, PALOMAR)
    assert night.jd[0] == pytest.approx(2460475.69931, abs=1e-3)
    # First quarter was on 2024-06-14 at 05:18 UTC.
    assert night.illumination == pytest.approx(0.51, abs=0.02)
    (text,) = observability(night, np.array([270.0]), np.array([33.0]))
    assert text.startswith("04:47 to 10:47 UTC, airmass 1.00 at ")


def test_places_without_darkness_and_unknown_positions():
    night = next_night(2460474.9, Observatory("Tromsø", 69.6, 18.9, 100.0))
    assert night.describe() == "Next night at Tromsø: no astronomical darkness."
    assert observability(night, np.array([10.0]), np.array([10.0])) == [""]
    night = next_night(2460474.9, PALOMAR)
    assert observability(night, np.array([np.nan, 0.0]), np.array([0.0, np.inf])) == ["", ""]


def test_the_other_side_of_the_earth_sees_the_other_sky():
    here, there = (next_night(2460474.9, place) for place in (PALOMAR, ANTIPODES))
    pole = (np.array([0.0, 0.0]), np.array([89.0, -89.0]))
    assert [text.startswith("not") for text in observability(here, *pole)] == [False, True]
    assert [text.startswith("not") for text in observability(there, *pole)] == [True, False]


def test_the_observatory_is_read_from_the_file_of_the_instrument(tmp_path):
    path = tmp_path / "instrument.toml"
    path.write_text('[observatory]\nname = "La Silla"\nlatitude = -29.26\nlongitude = -70.73\n')
    with pytest.raises(DataError, match="height"):
        read_observatory(path)
    path.write_text(path.read_text() + "height = 2400\n")
    assert read_observatory(path) == Observatory("La Silla", -29.26, -70.73, 2400.0)
    path.write_text('[instrument]\nname = "x"\n')
    assert read_observatory(path) == PALOMAR
    path.write_text('[observatory]\nname = "x"\nlatitude = 100\nlongitude = 0\nheight = 0\n')
    with pytest.raises(DataError, match="latitude"):
        read_observatory(path)
