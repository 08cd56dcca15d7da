"""The thresholds of the cuts, in a module that imports quickly for the command line."""

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
        Alerts below are artifacts. The value of the exercise, and about where the false positives
        and false negatives of the network are equal (Duev et al. 2019, MNRAS 489, 3582).
    rb : float, default 0.55
        The same if drb is missing; higher because the random forest is less reliable. Mahabal
        et al. 2019 (PASP 131, 038002) describe the score; 0.55 is the cut of the brokers.
    ssdistnr : float, default 10, arcsec
        An alert nearer than this to a known Solar System object is that object, ...
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
        A PS1 source above is a star. The score is that of Tachibana & Miller 2018 (PASP 130,
        128001); 0.76 is the cut of the Bright Transient Survey's filter (Perley et al. 2020,
        ApJ 904, 35), which the brokers also use.
    nuclear : float, default 1.5, arcsec
        A source farther than this from every known source is not a nucleus. Also the radius
        within which ZTF assigns detections to one position.
    gap : float, default 30, d
        A longer gap between detections separates two episodes.
    long_history : float, default 365, d
        A source known for longer than this is not a supernova.
    many_detections : float, default 30
        This many detections, in the survey or in the history, are many.
    steady_sigma : float, default 3
        A rise or a fade is steady if its rate exceeds this many errors (including the scatter
        about the line), ...
    steady_change : float, default 0.3, mag
        ... it changes the magnitude by at least this much, ...
    steady_rate : float, default 0.01, mag/d
        ... and it is at least this fast. Supernovae fade by 0.01 to 0.1 mag/d; AGN change by
        about 0.1 mag in a month (MacLeod et al. 2010, ApJ 721, 1014).

    Examples
    --------
    >>> Cuts(sgscore=0.5).drb
    0.5
    """

    drb: float = _cut(0.5, "", "alerts with a lower drb are artifacts")
    rb: float = _cut(0.55, "", "alerts with a lower rb are artifacts, where drb is missing")
    ssdistnr: float = _cut(
        10.0, "arcsec", "an alert this near to a known asteroid is that asteroid"
    )
    ssmagnr_min: float = _cut(10.0, "mag", "if the asteroid is predicted fainter than this")
    ssmagnr_max: float = _cut(20.0, "mag", "and brighter than this")
    stationary: float = _cut(
        1.0, "d", "a source detected here for longer is no asteroid that is merely near"
    )
    separation: float = _cut(
        15.0, "min", "a source never detected twice at least this far apart is moving"
    )
    distpsnr: float = _cut(3.0, "arcsec", "a PS1 source within this distance is the source itself")
    sgscore: float = _cut(0.76, "", "a PS1 source with a higher sgscore1 is a star")
    nuclear: float = _cut(
        1.5, "arcsec", "a source farther than this from every known source is not a nucleus"
    )
    gap: float = _cut(30.0, "d", "a longer gap between detections separates two episodes")
    long_history: float = _cut(365.0, "d", "a source known for longer is not a supernova")
    many_detections: float = _cut(30.0, "", "this many detections are many")
    steady_sigma: float = _cut(3.0, "", "a steady rise or fade has a rate of this many errors")
    steady_change: float = _cut(0.3, "mag", "a steady rise or fade is at least this large")
    steady_rate: float = _cut(0.01, "mag/d", "a steady rise or fade is at least this fast")
