"""Fields, cadence and depth of the survey."""

import numpy as np
import pytest

from ztfml.simulate import simulate
from ztfml.simulate.survey import (
    FIELD_SIZE,
    LATITUDE,
    SURVEY_START,
    field_centres,
    field_of,
    moon_fraction,
    observe,
)


def test_fields_cover_the_sky_once():
    ra, dec = field_centres()
    np.testing.assert_array_equal(field_of(ra, dec), np.arange(len(ra)))
    assert dec.min() > -28.8
    assert len(ra) * FIELD_SIZE**2 == pytest.approx(
        41253 * (1 + np.sin(np.radians(28.8))) / 2, rel=0.03
    )


def test_exposures_are_at_night_and_above_28_degrees(observed):
    from astropy import units
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_sun
    from astropy.time import Time

    survey = observed.survey
    sample = np.random.default_rng(1).choice(len(survey.jd), 200, replace=False)
    site = EarthLocation.from_geodetic(-116.86 * units.deg, LATITUDE * units.deg)
    when = Time(survey.jd[sample], format="jd")
    frame = AltAz(obstime=when, location=site)
    ra, dec = (values[survey.field[sample]] for values in field_centres())
    altitude = SkyCoord(ra, dec, unit=units.deg).transform_to(frame).alt.deg
    assert altitude.min() > 28
    assert get_sun(when).transform_to(frame).alt.deg.max() < -12


@pytest.mark.parametrize(
    ("start_jd", "commonest", "visits"), [(2459000.5, 3, (7, 11)), (2460474.5, 2, (9, 14))]
)
def test_cadence_agrees_with_the_survey(start_jd, commonest, visits):
    """Every third night before October 2020, every second after; some fields every night."""
    survey = observe(np.random.default_rng(0), start_jd, 1)
    gaps, minutes, nights = [], [], []
    for first, last in zip(survey.start[:-1], survey.start[1:], strict=True):
        jd = survey.jd[first:last]
        assert (np.diff(jd) > 0).all()
        visited = np.unique(np.floor(jd))
        gaps.append(np.diff(visited))
        minutes.append(np.diff(jd)[np.diff(jd) < 0.4] * 1440)
        nights.append(np.sum(visited > start_jd - 30))
    gaps, minutes, nights = np.concatenate(gaps), np.concatenate(minutes), np.array(nights)
    assert np.bincount(gaps.astype(int))[1:].argmax() + 1 == commonest
    assert 0.15 < np.mean(gaps == 1) < 0.45
    assert 0.05 < np.mean(gaps > 3) < 0.32
    assert visits[0] <= np.median(nights[nights > 0]) <= visits[1]
    assert np.mean(nights[nights > 0] > 15) > 0.02
    assert 35 < np.median(minutes) < 70
    assert 0.005 < np.mean(survey.fid == 3) < 0.05


def test_moonlight_reduces_the_depth():
    survey = observe(np.random.default_rng(5), 2460474.5, 1)
    fraction, g = moon_fraction(survey.jd), survey.fid == 1
    dark, bright = survey.limit[g & (fraction < 0.1)], survey.limit[g & (fraction > 0.9)]
    assert 0.5 < np.median(dark) - np.median(bright) < 1.2
    assert 20 < np.median(survey.limit) < 20.8


def test_the_first_nights_of_the_survey_have_no_history():
    night = next(simulate(150, seed=1, start_jd=SURVEY_START + 20))[0]
    assert (night.history.jd >= SURVEY_START).all()
    assert night.alerts["ndethist"].max() < 60
    assert night.alerts["drb"].isna().all()  # not yet in packets
    assert night.alerts["rb"].quantile(0.95) < 0.8
