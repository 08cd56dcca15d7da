"""The thresholds of the cuts, apart from them so that they can be listed at once."""

from dataclasses import dataclass, field


def _cut(default, unit, meaning):
    return field(default=default, metadata={"help": meaning, "unit": unit})


@dataclass(frozen=True)
class Cuts:
    """Every threshold of the rules.

    Each field carries its unit and meaning as ``metadata["unit"]`` and ``metadata["help"]``.

    Parameters
    ----------
    drb : float, default 0.5
        Alerts below are artifacts. The exercise's value, and about where false positives and
        false negatives of the network balance (Duev et al. 2019, MNRAS 489, 3582).
    rb : float, default 0.55
        The same where drb is missing; the random forest is less sure, hence higher. Mahabal
        et al. 2019 (PASP 131, 038002) describe the score; 0.55 is what the brokers ask for.
    ssdistnr : float, default 10, arcsec
        Nearer than this to a known solar-system object, an alert is that object, ...
    ssmagnr_min, ssmagnr_max : float, default 10 and 20, mag
        ... provided that its predicted magnitude is between these.
    separation : float, default 15, minutes
        A source without two detections at least this far apart may be moving.
    distpsnr : float, default 3, arcsec
        The nearest PS1 source within this distance is taken for the source itself.
    sgscore : float, default 0.76
        A PS1 source above is a star. The score is that of Tachibana & Miller 2018 (PASP 130,
        128001); 0.76 is the cut of the Bright Transient Survey's filter (Perley et al. 2020,
        ApJ 904, 35), which the brokers took over.
    nuclear : float, default 1.5, arcsec
        A source farther than this from every known source is not a nucleus. Also the radius
        within which ZTF counts detections as those of one place.
    gap : float, default 30, d
        A gap between detections that parts two time clusters.
    long_history : float, default 365, d
        A source known for longer than this is no supernova.
    many_detections : float, default 30
        This many detections, in the survey or in the history, are many.
    steady_sigma : float, default 3
        A rise or a fade is steady where its rate exceeds this many errors, scatter about the
        line included, ...
    steady_change : float, default 0.3, mag
        ... it amounts to at least this much, ...
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
    ssdistnr: float = _cut(10.0, "arcsec", "an alert nearer than this to a known asteroid is it")
    ssmagnr_min: float = _cut(10.0, "mag", "if the asteroid is predicted fainter than this")
    ssmagnr_max: float = _cut(20.0, "mag", "and brighter than this")
    separation: float = _cut(
        15.0, "min", "a source never detected twice at least this far apart is moving"
    )
    distpsnr: float = _cut(3.0, "arcsec", "the nearest PS1 source within this is the source")
    sgscore: float = _cut(0.76, "", "a PS1 source with a higher sgscore1 is a star")
    nuclear: float = _cut(
        1.5, "arcsec", "a source farther than this from every known source is no nucleus"
    )
    gap: float = _cut(30.0, "d", "a longer gap between detections parts two clusters")
    long_history: float = _cut(365.0, "d", "a source known for longer is no supernova")
    many_detections: float = _cut(30.0, "", "this many detections are many")
    steady_sigma: float = _cut(3.0, "", "a steady rise or fade has a rate of this many errors")
    steady_change: float = _cut(0.3, "mag", "a steady rise or fade is at least this large")
    steady_rate: float = _cut(0.01, "mag/d", "a steady rise or fade is at least this fast")
