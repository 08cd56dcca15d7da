"""Thresholds of the cuts, in a module that the command line can import quickly."""

from __future__ import annotations

from dataclasses import dataclass, field


def _cut(default, unit, meaning):
    return field(default=default, metadata={"help": meaning, "unit": unit})


@dataclass(frozen=True)
class Cuts:
    """All thresholds of the rules.

    Each field has its unit and meaning in ``metadata["unit"]`` and ``metadata["help"]``.

    Parameters
    ----------
    drb : float, default 0.5
        Alerts with a lower drb are artifacts. This is the value of the exercise, close to where
        the false positive and false negative rates of the network are equal (Duev et al. 2019,
        MNRAS 489, 3582).
    rb : float, default 0.55
        Alerts with a lower rb are artifacts if drb is missing. Higher than for drb because the
        random forest is less reliable. Mahabal et al. 2019 (PASP 131, 038002) describe the score;
        0.55 is the cut of the brokers.
    ssdistnr : float, default 10, arcsec
        An alert within this distance of a known Solar System object is that object, ...
    ssmagnr_min, ssmagnr_max : float, default 10 and 20, mag
        ... if its predicted magnitude is between these. The confidence is low unless it is within
        2 arcsec and 2 mag.
    stationary : float, default 1, d
        A source detected here for longer than this is not an asteroid, unless one is predicted
        within 2 arcsec and 2 mag (then with low confidence). Main-belt asteroids move by 10 arcmin
        a day, those beyond Neptune by an arcminute.
    separation : float, default 15, minutes
        A source without two detections at least this far apart may be moving.
    distpsnr : float, default 3, arcsec
        The nearest PS1 source within this distance is the source itself.
    sgscore : float, default 0.76
        A PS1 source with a higher score is a star. The score is that of Tachibana & Miller 2018
        (PASP 130, 128001); 0.76 is the cut of the Bright Transient Survey's filter (Perley et al.
        2020, ApJ 904, 35), which the brokers also use.
    nuclear : float, default 1.5, arcsec
        A source farther than this from every known source is not a nucleus. Also the radius
        within which ZTF assigns detections to one position.
    gap : float, default 30, d
        A longer gap between detections separates two episodes.
    long_history : float, default 365, d
        An object with a longer history is not a supernova.
    many_detections : float, default 30
        Number of detections, in the survey or in the history, that counts as many.
    steady_sigma : float, default 3
        A rise or a fade is steady if its rate exceeds this many errors (including the scatter
        around the line), ...
    steady_change : float, default 0.3, mag
        ... if the magnitude changes by at least this much, ...
    steady_rate : float, default 0.01, mag/d
        ... and if the rate is at least this high. Supernovae fade by 0.01 to 0.1 mag/d;
        AGN change by about 0.1 mag in a month (MacLeod et al. 2010, ApJ 721, 1014).

    Examples
    --------
    >>> Cuts(sgscore=0.5).drb
    0.5
    """

    drb: float = _cut(0.5, "", "alerts with a lower drb are artifacts")
    rb: float = _cut(0.55, "", "alerts with a lower rb are artifacts, where drb is missing")
    ssdistnr: float = _cut(
        10.0, "arcsec", "an alert within this distance of a known asteroid is the asteroid"
    )
    ssmagnr_min: float = _cut(10.0, "mag", "minimum predicted magnitude of the asteroid")
    ssmagnr_max: float = _cut(20.0, "mag", "maximum predicted magnitude of the asteroid")
    stationary: float = _cut(
        1.0, "d", "an object with an older detection at its position is not an asteroid"
    )
    separation: float = _cut(
        15.0, "min", "a source without two detections at least this far apart is moving"
    )
    distpsnr: float = _cut(3.0, "arcsec", "a PS1 source within this distance is the source itself")
    sgscore: float = _cut(0.76, "", "a PS1 source with a higher sgscore1 is a star")
    nuclear: float = _cut(
        1.5, "arcsec", "a source farther than this from every known source is not a nucleus"
    )
    gap: float = _cut(30.0, "d", "a longer gap between detections separates two episodes")
    long_history: float = _cut(365.0, "d", "an object with a longer history is not a supernova")
    many_detections: float = _cut(30.0, "", "number of detections that counts as many")
    steady_sigma: float = _cut(
        3.0, "", "minimum significance of the rate of a steady rise or fade, in errors"
    )
    steady_change: float = _cut(0.3, "mag", "minimum change of a steady rise or fade")
    steady_rate: float = _cut(0.01, "mag/d", "minimum rate of a steady rise or fade")
