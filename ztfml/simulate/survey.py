"""Fields, nights, exposures and limiting magnitudes of the survey."""

from dataclasses import dataclass

import numpy as np

LATITUDE = 33.356  # deg, Palomar
LONGITUDE = -116.86  # deg
FIELD_SIZE = 7.2  # deg; a ZTF field covers 47 deg^2 with small gaps (Bellm et al. 2019)
MIN_DEC = -28.8
LOOK_BACK = 270  # days of exposures simulated before the first night
SURVEY_START = 2458194.5  # 2018 March 17, first public alerts
_MIN_ALTITUDE = 30.0

# Nights from one visit of a field to the next, without lost nights. The public survey visited
# fields every third night at first (Bellm et al. 2019) and every second night since late 2020;
# other programmes visit some fields every night. In 4,000 public packets the median number of
# visits in 30 d was 9 before and 11 after that change, and 20 or more for one field in ten.
_SECOND_ERA = 2459124.5  # 2020 October 1
_GAPS = np.array([1, 2, 3, 4])
_EVERY_NIGHT = np.array([0.88, 0.06, 0.05, 0.01])
_BY_ERA = np.array([[0.05, 0.10, 0.74, 0.11], [0.16, 0.64, 0.13, 0.07]])
_FRACTION_EVERY_NIGHT = np.array([0.17, 0.09])  # fraction of fields visited every night, by era
# One, two or three exposures in a night, by era.
_EXPOSURES = np.array([[0.45, 0.47, 0.08], [0.27, 0.55, 0.18]])
# Minutes between two exposures of a field in a night, at cumulative fractions.
_MINUTES = ([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1], [0.7, 2, 31, 60, 85, 150, 210])
# Probability that a night is clear after a clear night and after a lost night.
_CLEAR = (0.85, 0.48)
# Scatter (mag) of the depth between fields, due to airmass and the quality of the reference image.
_FIELD_DEPTH = 0.15
_PER_YEAR = (200, 310)  # exposures of a field per year, by era
# High-cadence campaigns with exposures of 180 s (Bellm et al. 2019, section 4): active galaxies
# have four or more detections per night there, on two or three nights, at 21 mag.
_CAMPAIGN_FRACTION = 0.06  # of the fields
_CAMPAIGN_EXPOSURES = (3, 12)  # per night
_CAMPAIGN_DEPTH = 0.75  # mag deeper
_CAMPAIGN_DAYS = 30  # at most
_MAX_EXPOSURES = 12  # per night
# The i band belongs to a partnership survey of a part of the sky (Bellm et al. 2019).
_I_BAND_FIELDS = 0.06  # fraction of the fields
_I_BAND_EXPOSURES = 0.22  # fraction of their exposures


@dataclass
class Survey:
    """All exposures, sorted by field and time.

    Field f has the exposures ``start[f]:start[f + 1]``.

    Attributes
    ----------
    jd, fid, limit, seeing : ndarray, shape (n_exposures,)
        Start of exposure (d), band (1 g, 2 r, 3 i), 5-sigma limit of the difference image
        (mag), full width at half maximum (pix).
    field : ndarray of int64, shape (n_exposures,)
    start : ndarray of int64, shape (n_fields + 1,)
    nights : ndarray of float, shape (n_nights,)
        Julian dates (ending in .5, midnight UT) at which the simulated nights begin.
    begin : ndarray, shape (n_fields,), d
        Time of the first alerts of the field (its reference image is ready).
    old_coverage : ndarray, shape (n_fields,)
        Number of exposures of the field from then until the first simulated exposure.
    """

    jd: np.ndarray
    fid: np.ndarray
    limit: np.ndarray
    seeing: np.ndarray
    field: np.ndarray
    start: np.ndarray
    nights: np.ndarray
    begin: np.ndarray
    old_coverage: np.ndarray

    def of_night(self, night: int) -> np.ndarray:
        """Return the exposures of one of the simulated nights.

        Parameters
        ----------
        night : int
            Index into `nights`.

        Returns
        -------
        ndarray of int64
            Indices of the exposures.
        """
        begin = self.nights[night]
        return np.flatnonzero((self.jd >= begin) & (self.jd < begin + 1))

    def exposures(
        self, field: np.ndarray, first_jd: float, last_jd: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the exposures of some positions between two times.

        Parameters
        ----------
        field : ndarray of int64, shape (n,)
            The field of each position.
        first_jd, last_jd : float

        Returns
        -------
        row, exposure : ndarray of int64
            For each pair the position (an index into `field`) and the exposure, sorted by
            position and time.

        Examples
        --------
        >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
        >>> field = survey.field[survey.of_night(0)[0]]
        >>> row, exposure = survey.exposures(np.array([field, field]), 2460474.5, 2460475.5)
        >>> bool((survey.field[exposure] == field).all()), np.unique(row).tolist()
        (True, [0, 1])
        """
        # One number that sorts by field, then by time, like the exposures.
        key = self.field * 1e5 + (self.jd - 2.4e6)
        first = np.searchsorted(key, field * 1e5 + (first_jd - 2.4e6))
        last = np.searchsorted(key, field * 1e5 + (last_jd - 2.4e6))
        count = last - first
        row = np.repeat(np.arange(len(field)), count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return row, np.repeat(first, count) + within


def _grid():
    n_bands = round((90 - MIN_DEC) / FIELD_SIZE)
    dec = MIN_DEC + FIELD_SIZE * (np.arange(n_bands) + 0.5)
    per_band = np.maximum(1, np.round(360 * np.cos(np.radians(dec)) / FIELD_SIZE)).astype(int)
    return dec, per_band, np.concatenate([[0], np.cumsum(per_band)])


def field_centres() -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of all fields.

    Returns
    -------
    ra, dec : ndarray, shape (n_fields,), deg

    Examples
    --------
    >>> len(field_centres()[0]) > 500
    True
    """
    dec, per_band, first = _grid()
    number = np.arange(first[-1])
    band = np.searchsorted(first, number, side="right") - 1
    return (number - first[band] + 0.5) * 360 / per_band[band], dec[band]


def field_of(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return the field of each position.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,), deg

    Returns
    -------
    ndarray of int64, shape (n,)
        -1 south of the survey.

    Examples
    --------
    >>> int(field_of(np.array([10.0]), np.array([-60.0]))[0])
    -1
    """
    _, per_band, first = _grid()
    band = np.floor((dec - MIN_DEC) / FIELD_SIZE).astype(int)
    inside = (band >= 0) & (band < len(per_band))
    band = np.clip(band, 0, len(per_band) - 1)
    column = np.floor((ra % 360) * per_band[band] / 360).astype(int)
    return np.where(inside, first[band] + np.minimum(column, per_band[band] - 1), -1)


def sun_longitude(jd: np.ndarray | float) -> np.ndarray | float:
    """Compute the ecliptic longitude of the Sun to 0.01 deg (Astronomical Almanac, C24).

    Parameters
    ----------
    jd : float or ndarray, d

    Returns
    -------
    float or ndarray, deg

    Examples
    --------
    >>> round(float(sun_longitude(2451545.0)))
    280
    """
    n = jd - 2451545.0
    anomaly = np.radians((357.528 + 0.9856003 * n) % 360)
    return (280.460 + 0.9856474 * n + 1.915 * np.sin(anomaly)) % 360


def _sun_declination(jd):
    tilt = np.radians(23.439)
    return np.degrees(np.arcsin(np.sin(tilt) * np.sin(np.radians(sun_longitude(jd)))))


def _hour_angle(altitude, dec):
    """Hour angle (in days) at which a position has an altitude."""
    altitude, dec, latitude = np.radians(altitude), np.radians(dec), np.radians(LATITUDE)
    cosine = (np.sin(altitude) - np.sin(latitude) * np.sin(dec)) / (np.cos(latitude) * np.cos(dec))
    return np.arccos(np.clip(cosine, -1, 1)) / (2 * np.pi)


def _windows(jd, ra, dec):
    """Begin and end of the dark hours in which each field is high enough, on each night."""
    middle = jd - LONGITUDE / 360  # local midnight, as UT
    dark = 0.5 - _hour_angle(-16.0, _sun_declination(middle))
    sidereal = (280.46062 + 360.98564737 * (middle - 2451545.0) + LONGITUDE) % 360
    to_transit = ((ra[:, None] - sidereal + 180) % 360 - 180) / 360.9856  # d
    high = _hour_angle(_MIN_ALTITUDE, dec)[:, None]
    begin = middle + np.maximum(to_transit - high, -dark)
    return begin, middle + np.minimum(to_transit + high, dark)


def moon_fraction(jd: np.ndarray | float) -> np.ndarray | float:
    """Compute the illuminated fraction of the Moon.

    Parameters
    ----------
    jd : float or ndarray, d

    Returns
    -------
    float or ndarray
        From 0 to 1.

    Examples
    --------
    >>> round(float(moon_fraction(2460483.5)), 1)
    1.0
    """
    phase = (jd - 2451550.1) / 29.530588853
    return 0.5 * (1 - np.cos(2 * np.pi * phase))


def observe(rng: np.random.Generator, start_jd: float, n_nights: int) -> Survey:
    """Draw the exposures of the survey before and during the simulated nights.

    Parameters
    ----------
    rng : numpy.random.Generator
    start_jd : float
        Julian date at which the first simulated night begins.
    n_nights : int
        Number of successive nights; all of them are clear.

    Returns
    -------
    Survey

    Examples
    --------
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> survey.nights
    array([2460474.5])
    """
    ra, dec = field_centres()
    nights = start_jd + np.arange(-LOOK_BACK, n_nights)
    begin, end = _windows(nights, ra, dec)
    clear = _clear(rng, len(nights))
    clear[nights < SURVEY_START] = False
    clear[LOOK_BACK:] = True
    era = (nights >= _SECOND_ERA).astype(int)
    visited = _visits(rng, (end - begin > 0.03) & clear, era)
    field, night = np.nonzero(visited)
    count = 1 + _draw(rng, _EXPOSURES[era[night]])
    in_campaign = _campaigns(rng, len(ra), len(nights))[field] <= night
    count = np.where(in_campaign, rng.integers(*_CAMPAIGN_EXPOSURES, len(field)), count)
    available = end[field, night] - begin[field, night]
    pause = np.interp(rng.random((_MAX_EXPOSURES - 1, len(field))), *_MINUTES) / 1440
    pause[np.arange(1, _MAX_EXPOSURES)[:, None] >= count] = 0
    pause *= np.minimum(1, 0.9 * available / np.maximum(pause.sum(axis=0), 1e-9))
    first = begin[field, night] + rng.random(len(field)) * (available - pause.sum(axis=0))
    epochs = first + np.vstack([np.zeros(len(field)), pause.cumsum(axis=0)])
    with_i = rng.random(len(ra)) < _I_BAND_FIELDS
    bands = _bands(rng, with_i[field])
    # On one night in seven, clouds cost half a magnitude or more.
    clouds = np.clip(rng.normal(0.08, 0.2, len(nights)), -0.3, None)
    clouds += (rng.random(len(nights)) < 0.15) * rng.exponential(0.6, len(nights))
    blur = np.exp(rng.normal(0.04, 0.14, len(nights)) + 0.35 * (rng.random(len(nights)) < 0.1))
    used = np.arange(_MAX_EXPOSURES)[:, None] < count
    jd, fid = epochs[used], bands[used]
    field = np.broadcast_to(field, used.shape)[used]
    night = np.broadcast_to(night, used.shape)[used]
    order = np.lexsort((jd, field))
    jd, fid, field, night = jd[order], fid[order], field[order], night[order]
    in_campaign = np.broadcast_to(in_campaign, used.shape)[used][order]
    loss = (
        clouds[night] - _CAMPAIGN_DEPTH * in_campaign + rng.normal(0, _FIELD_DEPTH, len(ra))[field]
    )
    limit, seeing = _depth(rng, jd, fid, loss, blur[night])
    first_light = _first_light(rng, len(ra), nights[0])
    expected = _expected_coverage(first_light, nights[0])
    return Survey(
        jd=jd,
        fid=fid,
        limit=limit,
        seeing=seeing,
        field=field,
        start=np.searchsorted(field, np.arange(len(ra) + 1)),
        nights=nights[LOOK_BACK:],
        begin=first_light,
        # Real fields had 769 to 4,650 exposures after five and a half years (2023-10-18).
        old_coverage=1.1 * expected * np.exp(rng.normal(0, 0.55, len(ra))),
    )


def _campaigns(rng, n_fields, n_nights):
    """Night on which a high-cadence campaign begins in each field; most fields have none."""
    begin = n_nights - rng.geometric(4 / _CAMPAIGN_DAYS, n_fields).clip(1, _CAMPAIGN_DAYS)
    return np.where(rng.random(n_fields) < _CAMPAIGN_FRACTION, begin, n_nights)


def _first_light(rng, n, first_night):
    """Time of the first alerts of each field: mostly early, later where the reference is new."""
    early = SURVEY_START + rng.exponential(80.0, n)
    late = SURVEY_START + rng.random(n) * max(first_night - SURVEY_START, 0)
    return np.where(rng.random(n) < 0.8, early, late)


def _expected_coverage(first_light, until):
    """Number of exposures of each field since its first alerts."""
    before = np.minimum(_SECOND_ERA, until) - np.minimum(first_light, min(_SECOND_ERA, until))
    after = np.maximum(until, _SECOND_ERA) - np.maximum(first_light, _SECOND_ERA)
    return (before * _PER_YEAR[0] + np.maximum(after, 0) * _PER_YEAR[1]) / 365.25


def _clear(rng, n):
    """Whether each of successive nights is clear."""
    clear, draw = np.ones(n, bool), rng.random(n)
    for night in range(1, n):
        clear[night] = draw[night] < _CLEAR[0 if clear[night - 1] else 1]
    return clear


def _draw(rng, probabilities):
    """Draw a column for each row of probabilities."""
    uniform = rng.random(len(probabilities))
    return (uniform[:, None] > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)


def _visits(rng, possible, era):
    """Whether each field is visited on each night; each field has its own gaps."""
    visited = np.zeros_like(possible)
    wait = rng.integers(0, 3, len(possible))
    draw = rng.random(len(possible))
    for night in range(possible.shape[1]):
        wait -= 1
        visited[:, night] = (wait <= 0) & possible[:, night]
        every_night = draw < _FRACTION_EVERY_NIGHT[era[night]]
        probabilities = np.where(every_night[:, None], _EVERY_NIGHT, _BY_ERA[era[night]])
        wait = np.where(visited[:, night], _GAPS[_draw(rng, probabilities)], wait)
    return visited


def _bands(rng, with_i):
    """Bands of the exposures of a night: alternating g and r, sometimes i."""
    n = len(with_i)
    r_first = rng.random(n) < 0.5
    same = rng.random(n) < 0.15
    first = np.where(r_first, 2, 1)
    second = np.where(same, first, 3 - first)
    bands = np.vstack([first, second] * (_MAX_EXPOSURES // 2))
    return np.where(with_i & (rng.random(bands.shape) < _I_BAND_EXPOSURES), 3, bands).astype(
        np.int8
    )


def _depth(rng, jd, fid, loss, blur):
    """Limiting magnitude and seeing of each exposure.

    The dark limits are 20.8 (g), 20.6 (r) and 19.9 (i). Moonlight reduces g by up to 1 mag and
    the redder bands by less (Bellm et al. 2019, fig. 6; Dekany et al. 2020).
    """
    dark = np.array([0, 20.85, 20.65, 20.0])[fid]
    moon = np.array([0, 1.0, 0.7, 0.5])[fid] * moon_fraction(jd) ** 1.5
    seeing = 2.35 * blur * np.exp(rng.normal(0, 0.13, len(jd)))
    limit = dark - moon - loss - 1.0 * np.log10(seeing / 2.35) + rng.normal(0, 0.1, len(jd))
    return limit, seeing
