"""Fields, nights, exposures and limiting magnitudes of the survey."""

from dataclasses import dataclass

import numpy as np

LATITUDE = 33.356  # Palomar, deg
LONGITUDE = -116.86
FIELD = 7.2  # deg; a ZTF field covers 47 deg^2 with small gaps (Bellm et al. 2019)
LOWEST_DEC = -28.8
LOOK_BACK = 270  # days of exposures simulated before the first night
SURVEY_START = 2458194.5  # 2018 March 17, first public alerts
_MIN_ALTITUDE = 30.0

# Nights from one visit of a field to the next, before lost nights. The public survey came back
# every third night at first (Bellm et al. 2019) and every second since late 2020; other programmes
# take some fields every night. Read off the exposures in 4,000 public packets: 9 visits in 30 d
# in the median before, 11 after, and 20 or more in one in ten.
_FASTER = 2459124.5  # 2020 October 1
_GAPS = np.array([1, 2, 3, 4])
_EVERY_NIGHT = np.array([0.88, 0.06, 0.05, 0.01])
_BY_ERA = np.array([[0.05, 0.10, 0.74, 0.11], [0.16, 0.64, 0.13, 0.07]])
_OFTEN = np.array([0.17, 0.09])  # share of fields visited every night, by era
# One, two or three exposures in a night, by era.
_EXPOSURES = np.array([[0.45, 0.47, 0.08], [0.27, 0.55, 0.18]])
# Minutes between two exposures of a field in a night, at cumulative fractions.
_MINUTES = ([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1], [0.7, 2, 31, 60, 85, 150, 210])
# Probability that a night is clear after a clear night and after a lost night.
_CLEAR = (0.85, 0.48)
# Scatter (mag) of the depth between fields, due to airmass and the quality of the reference image.
_FIELD_DEPTH = 0.15
_A_YEAR = (200, 310)  # exposures of a field, by era
# Campaigns of high cadence and exposures of 180 s (Bellm et al. 2019, section 4): share of fields,
# exposures a night, gain in depth (mag), longest duration (d). Active galaxies that public filters
# pass have four or more detections a night there, on two or three nights, at 21st magnitude.
_WATCHED = (0.06, (3, 12), 0.75, 30)
_MOST = 12
# The i band is left to a partnership survey of a part of the sky (Bellm et al. 2019): share of
# fields, and of exposures in them.
_I_BAND = (0.06, 0.22)


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
        When the field got its reference image, and alerts began.
    old_coverage : ndarray, shape (n_fields,)
        Exposures of the field since then, before those that are simulated.
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

    def of_night(self, night):
        """Return the indices of the exposures of one of the simulated nights."""
        begin = self.nights[night]
        return np.flatnonzero((self.jd >= begin) & (self.jd < begin + 1))

    def exposures(self, field, first_jd, last_jd):
        """Return all exposures of some positions between two times.

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
        >>> row, exposure = survey.exposures(np.array([12]), 2460474.5, 2460475.5)
        ... # doctest: +SKIP
        """
        # One number that sorts by field, then time, like the exposures.
        key = self.field * 1e5 + (self.jd - 2.4e6)
        first = np.searchsorted(key, field * 1e5 + (first_jd - 2.4e6))
        last = np.searchsorted(key, field * 1e5 + (last_jd - 2.4e6))
        count = last - first
        row = np.repeat(np.arange(len(field)), count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return row, np.repeat(first, count) + within


def _grid():
    n_bands = round((90 - LOWEST_DEC) / FIELD)
    dec = LOWEST_DEC + FIELD * (np.arange(n_bands) + 0.5)
    per_band = np.maximum(1, np.round(360 * np.cos(np.radians(dec)) / FIELD)).astype(int)
    return dec, per_band, np.concatenate([[0], np.cumsum(per_band)])


def field_centres():
    """Return right ascension and declination (deg) of all fields.

    >>> len(field_centres()[0]) > 500
    True
    """
    dec, per_band, first = _grid()
    number = np.arange(first[-1])
    band = np.searchsorted(first, number, side="right") - 1
    return (number - first[band] + 0.5) * 360 / per_band[band], dec[band]


def field_of(ra, dec):
    """Return the field of each position; -1 south of the survey.

    >>> int(field_of(np.array([10.0]), np.array([-60.0]))[0])
    -1
    """
    _, per_band, first = _grid()
    band = np.floor((dec - LOWEST_DEC) / FIELD).astype(int)
    inside = (band >= 0) & (band < len(per_band))
    band = np.clip(band, 0, len(per_band) - 1)
    column = np.floor((ra % 360) * per_band[band] / 360).astype(int)
    return np.where(inside, first[band] + np.minimum(column, per_band[band] - 1), -1)


def sun_longitude(jd):
    """Compute the ecliptic longitude of the Sun in deg, to 0.01 (Astronomical Almanac, C24).

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
    """When each field is high enough during the dark hours of the nights beginning at `jd`."""
    middle = jd - LONGITUDE / 360  # local midnight, as UT
    dark = 0.5 - _hour_angle(-16.0, _sun_declination(middle))
    sidereal = (280.46062 + 360.98564737 * (middle - 2451545.0) + LONGITUDE) % 360
    gap = ((ra[:, None] - sidereal + 180) % 360 - 180) / 360.9856  # days to the transit
    high = _hour_angle(_MIN_ALTITUDE, dec)[:, None]
    begin = middle + np.maximum(gap - high, -dark)
    return begin, middle + np.minimum(gap + high, dark)


def moon_light(jd):
    """Compute the illuminated fraction of the Moon.

    >>> round(float(moon_light(2460483.5)), 1)
    1.0
    """
    phase = (jd - 2451550.1) / 29.530588853
    return 0.5 * (1 - np.cos(2 * np.pi * phase))


def observe(rng, start_jd, n_nights):
    """Draw the exposures of the survey before and during the simulated nights.

    Parameters
    ----------
    rng : numpy.random.Generator
    start_jd : float
        Julian date at which the first simulated night begins.
    n_nights : int
        Successive nights, all of them clear.

    Returns
    -------
    Survey

    Examples
    --------
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    """
    ra, dec = field_centres()
    nights = start_jd + np.arange(-LOOK_BACK, n_nights)
    begin, end = _windows(nights, ra, dec)
    clear = _clear(rng, len(nights))
    clear[nights < SURVEY_START] = False
    clear[LOOK_BACK:] = True
    era = (nights >= _FASTER).astype(int)
    visited = _visits(rng, (end - begin > 0.03) & clear, era)
    field, night = np.nonzero(visited)
    count = 1 + _draw(rng, _EXPOSURES[era[night]])
    watched = _campaigns(rng, len(ra), len(nights))[field] <= night
    count = np.where(watched, rng.integers(*_WATCHED[1], len(field)), count)
    room = end[field, night] - begin[field, night]
    pause = np.interp(rng.random((_MOST - 1, len(field))), *_MINUTES) / 1440
    pause[np.arange(1, _MOST)[:, None] >= count] = 0
    pause *= np.minimum(1, 0.9 * room / np.maximum(pause.sum(axis=0), 1e-9))
    first = begin[field, night] + rng.random(len(field)) * (room - pause.sum(axis=0))
    epochs = first + np.vstack([np.zeros(len(field)), pause.cumsum(axis=0)])
    with_i = rng.random(len(ra)) < _I_BAND[0]
    bands = _bands(rng, with_i[field])
    # One night in seven loses half a magnitude or more to clouds.
    haze = np.clip(rng.normal(0.08, 0.2, len(nights)), -0.3, None)
    haze += (rng.random(len(nights)) < 0.15) * rng.exponential(0.6, len(nights))
    blur = np.exp(rng.normal(0.04, 0.14, len(nights)) + 0.35 * (rng.random(len(nights)) < 0.1))
    used = np.arange(_MOST)[:, None] < count
    jd, fid = epochs[used], bands[used]
    field = np.broadcast_to(field, used.shape)[used]
    night = np.broadcast_to(night, used.shape)[used]
    order = np.lexsort((jd, field))
    jd, fid, field, night = jd[order], fid[order], field[order], night[order]
    watched = np.broadcast_to(watched, used.shape)[used][order]
    loss = haze[night] - _WATCHED[2] * watched + rng.normal(0, _FIELD_DEPTH, len(ra))[field]
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
        # 769 to 4,650 exposures after five and a half years (2023-10-18).
        begin=first_light,
        old_coverage=expected * np.exp(rng.normal(0, 0.45, len(ra))),
    )


def _campaigns(rng, n_fields, n_nights):
    """Night on which a high-cadence campaign begins in each field; most fields have none."""
    begin = n_nights - rng.geometric(4 / _WATCHED[3], n_fields).clip(1, _WATCHED[3])
    return np.where(rng.random(n_fields) < _WATCHED[0], begin, n_nights)


def _first_light(rng, n, first_night):
    """When alerts began in each field: mostly in the first months, later for new references."""
    early = SURVEY_START + rng.exponential(80.0, n)
    late = SURVEY_START + rng.random(n) * max(first_night - SURVEY_START, 0)
    return np.where(rng.random(n) < 0.8, early, late)


def _expected_coverage(first_light, until):
    """Number of exposures of each field since its first alerts."""
    before = np.minimum(_FASTER, until) - np.minimum(first_light, min(_FASTER, until))
    after = np.maximum(until, _FASTER) - np.maximum(first_light, _FASTER)
    return (before * _A_YEAR[0] + np.maximum(after, 0) * _A_YEAR[1]) / 365.25


def _clear(rng, n):
    """Which of successive nights are clear."""
    clear, luck = np.ones(n, bool), rng.random(n)
    for night in range(1, n):
        clear[night] = luck[night] < _CLEAR[0 if clear[night - 1] else 1]
    return clear


def _draw(rng, chances):
    """Draw a position in each row of chances."""
    return (rng.random(len(chances))[:, None] > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)


def _visits(rng, possible, era):
    """Which fields are visited on which nights; each field has its own gaps."""
    visited = np.zeros_like(possible)
    wait = rng.integers(0, 3, len(possible))
    luck = rng.random(len(possible))
    for night in range(possible.shape[1]):
        wait -= 1
        visited[:, night] = (wait <= 0) & possible[:, night]
        often = luck < _OFTEN[era[night]]
        chances = np.where(often[:, None], _EVERY_NIGHT, _BY_ERA[era[night]])
        wait = np.where(visited[:, night], _GAPS[_draw(rng, chances)], wait)
    return visited


def _bands(rng, with_i):
    """Bands of the exposures of a night: alternating g and r, sometimes i."""
    n = len(with_i)
    begins_with_r = rng.random(n) < 0.5
    same = rng.random(n) < 0.15
    first = np.where(begins_with_r, 2, 1)
    second = np.where(same, first, 3 - first)
    bands = np.vstack([first, second] * (_MOST // 2))
    return np.where(with_i & (rng.random(bands.shape) < _I_BAND[1]), 3, bands).astype(np.int8)


def _depth(rng, jd, fid, haze, blur):
    """Limiting magnitude and seeing of each exposure.

    Dark limits 20.8 (g), 20.6 (r), 19.9 (i); moonlight reduces g by up to 1 mag and
    the redder bands by less (Bellm et al. 2019, fig. 6; Dekany et al. 2020).
    """
    dark = np.array([0, 20.85, 20.65, 20.0])[fid]
    moon = np.array([0, 1.0, 0.7, 0.5])[fid] * moon_light(jd) ** 1.5
    seeing = 2.35 * blur * np.exp(rng.normal(0, 0.13, len(jd)))
    limit = dark - moon - haze - 1.0 * np.log10(seeing / 2.35) + rng.normal(0, 0.1, len(jd))
    return limit, seeing
