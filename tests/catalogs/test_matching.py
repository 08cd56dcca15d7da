"""Matching of alerts with entries that move."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from tests.labels.test_catalogs import make_night
from ztfml.catalogs.kinds import KINDS
from ztfml.catalogs.matching import Catalog

ARCSEC = 1 / 3600
JD_OF_2018 = 2451545.0 + 18.5 * 365.25
JD_OF_2024 = 2451545.0 + 24.0 * 365.25


def moving(ra, dec, pm_ra, pm_dec, epoch=2016.0):
    motions = pd.DataFrame({"pm_ra": [pm_ra], "pm_dec": [pm_dec], "epoch": [epoch]})
    types = pd.Series(["RR"])
    return Catalog(KINDS["gaia"], "gaia", np.array([ra]), np.array([dec]), types, motions)


@pytest.mark.parametrize(
    ("ra", "dec", "pm_ra", "pm_dec"),
    [
        (150.0, 20.0, 1.5, -0.8),
        (150.0, 75.0, 1.5, 0.0),
        (0.0001, -10.0, -2.0, 0.5),
        (10.0, 89.9995, 3.0, 3.0),
    ],
)
def test_entries_match_where_they_were_at_the_time_of_the_alert(ra, dec, pm_ra, pm_dec):
    start = SkyCoord(ra, dec, unit="deg")
    angle, speed = np.degrees(np.arctan2(pm_ra, pm_dec)), np.hypot(pm_ra, pm_dec)
    places = [
        start.directional_offset_by(angle * u.deg, speed * years * ARCSEC * u.deg)
        for years in (2.5, 8.0)
    ]
    night = make_night(
        [
            {"ra": place.ra.deg, "dec": place.dec.deg, "jd": jd, "objectId": f"ZTF{k}"}
            for k, (place, jd) in enumerate(zip(places, (JD_OF_2018, JD_OF_2024), strict=True))
        ]
    )
    found = moving(ra, dec, pm_ra, pm_dec).match(night)
    # The entry belongs to the nearest object; both are on it, at different times.
    assert found["separation"].max() < 1e-3
    assert len(found) >= 1
    for row in (0, 1):
        alone = moving(ra, dec, pm_ra, pm_dec).match(night.subset([row]))
        assert alone["separation"].tolist() == pytest.approx([0.0], abs=1e-3)
        # Where it was in 2016 there is nothing any more.
        old = night.replace(alerts=night.alerts.assign(ra=ra, dec=dec)).subset([row])
        assert moving(ra, dec, pm_ra, pm_dec).match(old).empty
        still = Catalog(KINDS["gaia"], "gaia", np.array([ra]), np.array([dec]), pd.Series(["RR"]))
        assert still.match(night.subset([row])).empty


def test_entries_without_motion_match_as_before():
    night = make_night([{"ra": 150.0, "dec": 20.0 + 0.5 * ARCSEC}])
    found = moving(150.0, 20.0, 0.0, 0.0).match(night)
    assert found["separation"].tolist() == pytest.approx([0.5], abs=1e-6)
