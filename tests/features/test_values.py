"""Every feature compared with a value computed by hand for one small light curve.

The transient is seen in r on days 0, 2, 6 and 10 (the alert), in g on days 0, 2 and 6 an hour
or so later, in i on days 0 and 2, with a limit before and after in each band, and once below
the reference. The total error of every point is 0.1 mag.
"""

import numpy as np
import pandas as pd
import pytest

from ztfml.features import BROKER, FEATURES, compute
from ztfml.night import Night

DAY = 2459000.7
NOW = DAY + 10
SIGMA = (0.1**2 - 0.015**2) ** 0.5  # with the systematic floor of 0.015 mag it becomes 0.1

POINTS = [
    # day, fid, magpsf, sign
    (0.0, 2, 19.0, "t"), (2.0, 2, 18.0, "t"), (6.0, 2, 18.8, "t"),
    (0.1, 1, 18.9, "t"), (2.1, 1, 17.9, "t"), (6.1, 1, 18.9, "t"),
    (0.2, 3, 19.2, "t"), (2.2, 3, 18.2, "t"),
    (4.0, 2, 20.0, "f"),
]  # fmt: skip
LIMITS = [(-2.0, 2, 20.1), (-1.9, 1, 20.0), (-4.0, 3, 20.3), (9.0, 1, 20.4), (9.2, 3, 20.3)]

PACKET = {
    "drb": 0.9, "rb": 0.7, "chipsf": 1.5, "classtar": 0.98, "fwhm": 2.1, "elong": 1.1,
    "nneg": 3, "nbad": 0, "sumrat": 0.95, "magdiff": 0.02, "magfromlim": 1.2, "seeratio": 1.3,
    "aimagerat": 0.3, "bimagerat": 0.28, "scorr": 12.0, "mindtoedge": 400.0, "dsnrms": 20.0,
    "ssnrms": 30.0, "distnr": 0.5, "magnr": 20.5, "chinr": 0.8, "sharpnr": 0.1,
    "ndethist": 12, "ncovhist": 300, "sgscore1": 0.01, "sgscore2": 0.9, "sgscore3": 0.2,
    "distpsnr1": 2.5, "distpsnr2": 6.0, "distpsnr3": 9.0, "sgmag1": 20.1, "srmag1": 19.6,
    "simag1": 19.4, "szmag1": 19.3, "nmtchps": 7, "neargaia": 5.5, "maggaia": 17.5,
    "neargaiabright": 40.0, "maggaiabright": 12.0, "ssdistnr": 8.0, "ssmagnr": 18.5,
}  # fmt: skip
BY_BROKER = {"acai_h": 0.8, "acai_v": 0.1, "acai_o": 0.2, "acai_n": 0.3, "acai_b": 0.0,
             "braai": 0.95}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    alert = {"objectId": "ZTF20aaa", "candid": 1, "candidate.jd": NOW, "candidate.fid": 2}
    alert |= {"candidate.magpsf": 19.2, "candidate.sigmapsf": SIGMA, "candidate.isdiffpos": "t"}
    alert |= {f"candidate.{name}": value for name, value in PACKET.items()}
    alert |= {"candidate.magap": 19.22, "candidate.magapbig": 19.1}
    alert |= {"candidate.jdstarthist": DAY - 3}
    alert |= {"candidate.sgmag2": 18.1, "candidate.srmag2": 17.3}
    alert |= {"candidate.sgmag3": 21.0, "candidate.srmag3": 20.0}
    # Galactic centre: b = 0; ecliptic latitude and longitude as below.
    alert |= {"candidate.ra": 266.40499, "candidate.dec": -28.93617}
    alert |= {f"classifications.{name}": value for name, value in BY_BROKER.items()}
    history = pd.DataFrame(
        [
            {"jd": DAY + day, "fid": fid, "magpsf": mag, "sigmapsf": SIGMA, "diffmaglim": 20.5,
             "isdiffpos": sign}
            for day, fid, mag, sign in POINTS
        ]
        + [{"jd": DAY + day, "fid": fid, "diffmaglim": limit} for day, fid, limit in LIMITS]
    ).assign(objectId="ZTF20aaa")  # fmt: skip
    night = Night.from_frames(pd.DataFrame([alert]), history)
    return compute(night, broker=True).iloc[0]


def flux(mag):
    return 10 ** (-0.4 * (np.asarray(mag) - 23.9))


def mag(f):
    return 23.9 - 2.5 * np.log10(f)


ERR = 0.4 * np.log(10) * 0.1  # relative error of every flux
LIMIT = 0.1  # one sigma, that bounds allow for


def significance(peak, neighbour):
    return (flux(peak) - flux(neighbour)) / np.hypot(ERR * flux(peak), ERR * flux(neighbour))


def crossing(t, magnitudes, level):
    """Where the straight line between two fluxes passes a level."""
    a, b = flux(magnitudes)
    return t[0] + (t[1] - t[0]) * (level - a) / (b - a)


HALF_R, HALF_G = flux(18.0) / 2, flux(17.9) / 2

COUNTS = {
    "n_det": 10, "n_limit": 5, "n_det_g": 3, "n_det_r": 5, "n_det_i": 2, "n_limit_g": 2,
    "n_limit_r": 1, "n_limit_i": 2, "n_nights": 5, "frac_positive": 0.9, "n_det_tonight": 1,
    "max_separation": 10, "ndethist": 12, "ncovhist": 300, "det_ratio": 0.04,
}  # fmt: skip
TIMING = {
    "age": 10, "age_hist": 13, "limit_gap": 1.9, "days_since_limit": 0.8,
    "days_since_detection": 3.9, "n_episodes": 1, "longest_gap": 3.9,
    # seen on days 0, 2, 4, 6 and 10; also looked at on day 9
    "duty": 5 / 6,
}  # fmt: skip
RATES = {
    "peak_mag_g": 17.9, "peak_mag_r": 18.0, "peak_mag_i": 18.2, "peak_mag": 17.9,
    "days_since_peak_g": 7.9, "days_since_peak_r": 8, "days_since_peak_i": 7.8,
    "days_since_peak": 7.9,
    # the nearer in brightness of the two neighbours
    "peak_significance_g": significance(17.9, 18.9),
    "peak_significance_r": significance(18.0, 18.8),
    "peak_significance_i": significance(18.2, 19.2),
    "first_mag_g": 18.9, "first_mag_r": 19.0, "first_mag_i": 19.2,
    "last_mag_g": 18.9, "last_mag_r": 19.2, "last_mag_i": 18.2,
    "amplitude_g": 1.0, "amplitude_r": 1.2, "amplitude_i": 1.0,
    # two points, 1 mag in 2 d; their slope's error is sqrt(0.1^2 + 0.1^2) / 2
    "rise_rate_g": 0.5, "rise_rate_r": 0.5, "rise_rate_i": 0.5,
    "rise_rate_err_g": 0.02**0.5 / 2, "rise_rate_err_r": 0.02**0.5 / 2,
    "rise_rate_err_i": 0.02**0.5 / 2,
    "rise_n_g": 2, "rise_n_r": 2, "rise_n_i": 2,
    "rise_base_g": 2, "rise_base_r": 2, "rise_base_i": 2,
    # g: 1 mag in 4 d. r: 18.0, 18.8, 19.2 at 2, 6, 10 d; sum(dt dm) / sum(dt^2) = 4.8 / 32
    "fade_rate_g": 0.25, "fade_rate_r": 0.15, "fade_rate_i": np.nan,
    # the misfits of r are -1/15, 2/15, -1/15: reduced chi-square (2/75) / 0.01 = 2.667
    "fade_rate_err_g": 0.02**0.5 / 4, "fade_rate_err_r": 0.1 / 32**0.5 * (8 / 3) ** 0.5,
    "fade_rate_err_i": np.nan,
    "fade_n_g": 2, "fade_n_r": 3, "fade_n_i": np.nan,
    "fade_base_g": 4, "fade_base_r": 8, "fade_base_i": np.nan,
    # no line misses two points
    "rise_chi2_g": np.nan, "rise_chi2_r": np.nan, "rise_chi2_i": np.nan,
    "fade_chi2_g": np.nan, "fade_chi2_r": 8 / 3, "fade_chi2_i": np.nan,
    # All bands rise by 0.5 mag/d. Each slope is known by (1^2 + 1^2) / 0.1^2 = 200, and the
    # six points leave 6 - 3 - 1 = 2 degrees of freedom, which are not used.
    "rise_rate": 0.5, "rise_rate_err": 600**-0.5, "rise_n": 6, "rise_base": 2, "rise_chi2": 0,
    # The fade in g is known by (2^2 + 2^2) / 0.1^2 = 800, that in r by 32 / 0.1^2 = 3200: in
    # common (800 * 0.25 + 3200 * 0.15) / 4000. Chi-square grows from 8/3 by the two slopes'
    # distance from the common one, 800 * 0.08^2 + 3200 * 0.02^2, over 5 - 2 - 1 = 2.
    "fade_rate": 0.17, "fade_n": 5, "fade_base": 8, "fade_chi2": (8 / 3 + 6.4) / 2,
    "fade_rate_err": ((8 / 3 + 6.4) / 2 / 4000) ** 0.5,
    "recent_slope_g": 0.25, "recent_slope_r": 0.1, "recent_slope_i": -0.5,
    "recent_slope_err_g": 0.02**0.5 / 4, "recent_slope_err_r": 0.02**0.5 / 4,
    "recent_slope_err_i": 0.02**0.5 / 2,
    # limit minus the first (last) point, itself 1 sigma fainter, over the days between
    "rise_bound_g": (20.0 - 18.9 - LIMIT) / 2, "rise_bound_r": (20.1 - 19.0 - LIMIT) / 2,
    "rise_bound_i": (20.3 - 19.2 - LIMIT) / 4.2,
    "fade_bound_g": (20.4 - 18.9 - LIMIT) / 2.9, "fade_bound_r": np.nan,
    "fade_bound_i": (20.3 - 18.2 - LIMIT) / 7.0,
    # i was never below half after its peak: at most from the night before it to the deep limit
    "half_time_g": crossing([2.1, 6.1], [17.9, 18.9], HALF_G)
    - crossing([0.1, 2.1], [18.9, 17.9], HALF_G),
    "half_time_r": crossing([2.0, 6.0], [18.0, 18.8], HALF_R)
    - crossing([0.0, 2.0], [19.0, 18.0], HALF_R),
    "half_time_i": np.nan,
    "half_time_max_g": 6.1 - 0.1, "half_time_max_r": 6.0 - 0.0, "half_time_max_i": 9.2 - 0.2,
    "rebrightening_g": 0, "rebrightening_r": 0, "rebrightening_i": np.nan,
    "above_half_g": 0, "above_half_r": 0, "above_half_i": 0,
    "best_rise_rate": 0.5, "best_rise_rate_err": 0.02**0.5 / 2,
    "best_fade_rate": 0.25, "best_fade_rate_err": 0.02**0.5 / 4,
}  # fmt: skip
TONIGHT = {
    # one detection tonight, and never two of a band in one night
    feature.name: np.nan
    for feature in FEATURES
    if feature.group == "tonight"
}
COLOUR = {
    # g - r is -0.1, -0.1 and 0.1 at days 0.05, 2.05 and 6.05
    "g_r": 0.1, "g_r_err": 0.02**0.5, "g_r_age": 3.95, "g_r_peak": -0.1,
    "g_r_slope": np.polyfit([0, 2, 6], [-0.1, -0.1, 0.1], 1)[0],
    "g_r_slope_err": 0.02**0.5 / np.sqrt(56 / 3),
    "r_i": -0.2, "r_i_err": 0.02**0.5,
    # the PS1 source is too far from the alert
    "change_g_r": -0.1 / 3, "change_g_r_chi2": np.var([-0.1, -0.1, 0.1], ddof=1) / 0.02,
    "change_g_r_minus_ps1": np.nan,
}  # fmt: skip


def by_hand_variability(magnitudes, signs):
    """Numpy's own definitions; with equal relative errors the weights are 1 / flux^2."""
    f = flux(magnitudes) * signs
    err = ERR * np.abs(f)
    n = len(f)
    mean = np.average(f, weights=err**-2.0)
    chi2 = np.sum(((f - mean) / err) ** 2)
    bright = np.array(magnitudes)[np.array(signs) > 0]
    sums = np.cumsum(f - f.mean())
    third = np.mean((f - f.mean()) ** 3) / np.var(f) ** 1.5
    return {
        "mag_std": np.std(bright, ddof=1),
        "mag_iqr": np.subtract(*np.percentile(bright, [75, 25])) if len(bright) > 3 else np.nan,
        "chi2": chi2 / (n - 1),
        "excess_variance": (np.var(f, ddof=1) - np.mean(err**2)) / np.mean(f**2),
        "von_neumann": np.sum(np.diff(f) ** 2) / (n - 1) / np.var(f, ddof=1) if n > 2 else np.nan,
        "stetson_k": np.mean(np.abs(f - mean) / err) / np.sqrt(chi2 / n),
        "cusum_range": (sums.max() - sums.min()) / (n * np.std(f, ddof=1)),
        "flux_skew": third * np.sqrt(n * (n - 1)) / (n - 2) if n > 2 else np.nan,
    }


VARIABILITY = {
    f"{name}_{band}": value
    for band, magnitudes, signs in (
        ("g", [18.9, 17.9, 18.9], [1, 1, 1]),
        ("r", [19.0, 18.0, 20.0, 18.8, 19.2], [1, 1, -1, 1, 1]),
        ("i", [19.2, 18.2], [1, 1]),
    )
    for name, value in by_hand_variability(magnitudes, signs).items()
}
EPISODES = {
    "episode_n_det": 10, "episode_n_nights": 5, "episode_frac_positive": 0.9,
    "n_earlier_episodes": 0, "days_between_episodes": np.nan, "peak_minus_earlier": np.nan,
    # ndethist counts two more than the history: the age is that of jdstarthist
    "n_det_before": 2, "confirmed_age": 13,
}  # fmt: skip


def change(magnitudes, k, signs=1):
    """Squared change of flux to the next detection, minus errors, halved."""
    f = flux(magnitudes) * np.array(signs)
    return ((f[k + 1] - f[k]) ** 2 - (ERR * f[k]) ** 2 - (ERR * f[k + 1]) ** 2) / 2


def pull2(magnitudes, k, signs=1):
    """Squared change of flux to the next detection, in units of its error."""
    f = flux(magnitudes) * np.array(signs)
    return (f[k + 1] - f[k]) ** 2 / ((ERR * f[k]) ** 2 + (ERR * f[k + 1]) ** 2)


def intrinsic(magnitudes, signs=1):
    f = flux(magnitudes) * np.array(signs)
    return np.var(f, ddof=1) - np.mean((ERR * f) ** 2)


G, R, R_SIGNS = [18.9, 17.9, 18.9], [19.0, 18.0, 20.0, 18.8, 19.2], (1, 1, -1, 1, 1)
TIMESCALES = {
    # all pairs are 2 or 4 d apart; i has only two detections
    "hourly_variability": np.nan, "hourly_chi2": np.nan,
    "nightly_variability": (
        sum(change(G, k) for k in range(2)) / intrinsic(G)
        + sum(change(R, k, R_SIGNS) for k in range(4)) / intrinsic(R, R_SIGNS)
    ) / 6,
    "nightly_chi2": (
        sum(pull2(G, k) for k in range(2)) + sum(pull2(R, k, R_SIGNS) for k in range(4))
        + pull2([19.2, 18.2], 0)
    ) / 7,
    # all limits are before the first or after the last detection in their band
    "deep_limits": np.nan,
    # r goes below the reference and back; 2 of 4 pairs in r, 2 in g, 1 in i
    "sign_changes": 2 / 7,
    # the peak in g, and days 2, 4 and 6 in r; day 6 is brighter than day 10 by 2.7 sigma
    "turning_points": 1,
    # the negative flux exceeds the reference flux, of which a tenth is the least
    "total_amplitude": 2.5 * np.log10((flux(20.5) + flux(18.0) * (1 - ERR)) / 0.1 / flux(20.5)),
}  # fmt: skip
CONTEXT = {
    "ps1_g_r": 0.5, "ps1_r_i": 0.2, "ps1_i_z": 0.1, "mag_minus_ps1": -0.4, "star_offset": 6.0,
    "host_offset": 2.5, "star_mag": 17.3, "star_g_r": 0.8, "host_mag": 19.6, "host_g_r": 0.5,
    "mag_minus_gaia": 1.7, "mag_minus_sso": 0.7,
    # The PS1 source and the Gaia source are too far from the alert.
    "ref_minus_ps1": np.nan, "gaia_minus_ps1": np.nan,
    # The galactic centre is at ecliptic longitude 266.840, latitude -5.536 (J2000). The Sun,
    # by the Astronomical Almanac's series, is at 79.495 then, so opposition is at 259.495.
    "abs_gal_lat": pytest.approx(0.0, abs=1e-3), "abs_ecl_lat": pytest.approx(5.536, abs=1e-3),
    "opposition_distance": pytest.approx(266.840 - 259.495, abs=0.01),
}  # fmt: skip
EXPECTED = (
    PACKET
    | BY_BROKER
    | {"magpsf": 19.2, "sigmapsf": SIGMA, "positive": 1, "apbig_minus_ap": -0.12}
    | {"mag_minus_ref": -1.3}
    | COUNTS
    | TIMING
    | EPISODES
    | RATES
    | TONIGHT
    | COLOUR
    | VARIABILITY
    | TIMESCALES
    | CONTEXT
)


@pytest.mark.parametrize("name", [feature.name for feature in (*FEATURES, *BROKER.features)])
def test_value_computed_by_hand(values, name):
    expected = EXPECTED[name]
    if not isinstance(expected, type(pytest.approx(0))):
        expected = pytest.approx(expected, rel=1e-7, abs=1e-9, nan_ok=True)
    assert values[name] == expected


@pytest.mark.parametrize(("fid", "ps1"), [(1, 20.1), (2, 19.6), (3, 19.4)])
def test_magnitudes_of_one_source_at_three_epochs(fid, ps1):
    packet = {"distnr": 0.5, "distpsnr1": 1.4, "neargaia": 0.3, "magnr": 19.8, "maggaia": 19.5}
    packet |= {name: PACKET[name] for name in ("sgmag1", "srmag1", "simag1")}
    packet |= {"fid": fid, "jd": NOW, "magpsf": 19.2, "sigmapsf": SIGMA, "isdiffpos": "t"}
    alert = {"objectId": "ZTF20aaa", "candid": 1}
    alert |= {f"candidate.{name}": value for name, value in packet.items()}
    far = [alert | {f"candidate.{name}": 1.6} for name in ("distnr", "distpsnr1", "neargaia")]
    alerts = pd.DataFrame([alert, *far]).assign(candid=range(4))
    values = compute(Night.from_frames(alerts))
    nan = np.nan
    assert values["ref_minus_ps1"].to_list() == pytest.approx(
        [19.8 - ps1, nan, nan, 19.8 - ps1], nan_ok=True
    )
    assert values["gaia_minus_ps1"].to_list() == pytest.approx([-0.1, -0.1, nan, nan], nan_ok=True)


def test_a_night_mean_is_the_inverse_variance_mean_of_the_flux():
    history = pd.DataFrame(
        {
            "objectId": "ZTF20aaa",
            "jd": [DAY, DAY + 0.04],
            "fid": 2,
            "magpsf": [18.0, 18.5],
            "sigmapsf": [0.1, 0.2],
            "isdiffpos": "t",
        }
    )
    alert = {"objectId": "ZTF20aaa", "candid": 1, "candidate.jd": DAY + 5, "candidate.fid": 2}
    alert |= {"candidate.magpsf": 20.0, "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t"}
    values = compute(Night.from_frames(pd.DataFrame([alert]), history)).iloc[0]
    f = flux([18.0, 18.5])
    relative = 0.4 * np.log(10) * np.hypot([0.1, 0.2], 0.015)
    weight = (f * relative) ** -2
    mean = (weight * f).sum() / weight.sum()
    assert values["peak_mag_r"] == pytest.approx(mag(mean))
    epoch = 0.04 * weight[1] / weight.sum()
    assert values["days_since_peak_r"] == pytest.approx(5 - epoch)


def test_one_noisy_bright_point_is_not_the_peak():
    """A night 0.3 mag brighter with an error of 0.5 mag loses against a sure one."""
    history = pd.DataFrame(
        {
            "objectId": "ZTF20aaa",
            "jd": [DAY, DAY + 2, DAY + 4],
            "fid": 2,
            "magpsf": [18.5, 18.0, 17.7],
            "sigmapsf": [0.05, 0.05, 0.5],
            "isdiffpos": "t",
        }
    )
    alert = {"objectId": "ZTF20aaa", "candid": 1, "candidate.jd": NOW, "candidate.fid": 2}
    alert |= {"candidate.magpsf": 18.6, "candidate.sigmapsf": 0.05, "candidate.isdiffpos": "t"}
    values = compute(Night.from_frames(pd.DataFrame([alert]), history)).iloc[0]
    assert values["peak_mag_r"] == pytest.approx(18.0)


def test_contradicted_limits_give_no_bounds():
    """A deep limit between two bright nights shows that its limits cannot be trusted."""
    seen = {"objectId": "ZTF20aaa", "fid": 2, "sigmapsf": 0.1, "isdiffpos": "t"}
    history = pd.DataFrame(
        [
            {"jd": DAY - 1, "diffmaglim": 20.5, **seen, "sigmapsf": np.nan},
            {"jd": DAY, "magpsf": 18.5, **seen},
            {"jd": DAY + 2, "magpsf": 18.0, **seen},
        ]
    )
    alert = {"objectId": "ZTF20aaa", "candid": 1, "candidate.jd": NOW, "candidate.fid": 2}
    alert |= {"candidate.magpsf": 18.6, "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t"}
    alert = pd.DataFrame([alert])
    bound = compute(Night.from_frames(alert, history))["rise_bound_r"][0]
    assert bound == pytest.approx(20.5 - 18.5 - np.hypot(0.1, 0.015))
    between = pd.DataFrame([{**seen, "jd": DAY + 1, "diffmaglim": 20.5, "sigmapsf": np.nan}])
    contradicted = pd.concat([history, between])
    assert np.isnan(compute(Night.from_frames(alert, contradicted))["rise_bound_r"][0])


def values_of(points, **now):
    """The features of an r-band alert on day 10, after points of (day, band, mag, limit)."""
    rows = pd.DataFrame(
        [
            {"objectId": "ZTF20aaa", "jd": DAY + day, "fid": " gri".index(band), "magpsf": mag,
             "sigmapsf": SIGMA, "diffmaglim": limit, "isdiffpos": "t"}
            for day, band, mag, limit in points
        ]
    )  # fmt: skip
    alert = {"jd": NOW, "fid": 2, "magpsf": 19.0, "sigmapsf": SIGMA, "isdiffpos": "t"} | now
    alert = {"objectId": "ZTF20aaa", "candid": 1} | {f"candidate.{k}": v for k, v in alert.items()}
    return compute(Night.from_frames(pd.DataFrame([alert]), rows)).iloc[0]


DUTY = {
    "seen whenever looked at": ([(0, "r", 19.0, 20.5), (5, "g", 19.0, 20.5)], 1),
    "the limits of a night count once, and not where it has a detection": (
        [(0, "r", 19.0, 20.5), (0.01, "g", None, 20), (3, "g", None, 20), (3.05, "r", None, 20)],
        2 / 3,
    ),
    "limits before the first detection do not count": (
        [(-20, "g", None, 20), (-15, "r", 19.0, 20), (-10, "g", None, 20), (3, "r", None, 20)],
        2 / 4,
    ),
    "neither does an earlier episode, nor the limits after it": (
        [(-40, "r", 19.0, 20), (-35, "r", None, 20), (-1, "g", 19.0, 20), (5, "i", None, 20)],
        2 / 3,
    ),
    "a limit in the exposure of a detection is none": (
        [(0, "r", 19.0, 20.5), (3, "g", None, 20), (3, "g", 19.0, 20), (5, "g", None, None)],
        1,
    ),
}


@pytest.mark.parametrize("case", DUTY)
def test_duty(case):
    points, expected = DUTY[case]
    assert values_of(points)["duty"] == pytest.approx(expected)


def test_a_band_without_a_time_base_does_not_change_the_common_rate():
    """Nor does one whose night means lie closer than 0.02 d."""
    fading = [(0, "r", 18.0, 20), (4, "r", 18.5, 20)]
    alone = values_of(fading)
    with_others = values_of([*fading, (1, "g", 17.9, 20), (5, "i", 18.0, 20), (5.01, "i", 19, 20)])
    names = [f"fade_{name}" for name in ("rate", "rate_err", "n", "base", "chi2")]
    for name in names:
        assert with_others[name] == alone[name] == alone[f"{name}_r"]
    assert alone["fade_n"] == 3
    assert np.isnan(with_others["rise_rate"])
    assert np.isnan(with_others["rise_n"])


def test_different_slopes_increase_the_error_of_the_common_rate():
    """r rises by 0.4 mag/d and g by 0.2: some 0.3, at a chi-square of some 2 * 200 * 0.1^2."""
    values = values_of(
        [(6, "g", 19.0, 20), (8, "g", 18.6, 20), (8.01, "r", 19.8, 20)], magpsf=19.8 - 0.4 * 1.99
    )
    known_g, known_r = 200, 1.99**2 / 2 / 0.01
    slope = (known_g * 0.2 + known_r * 0.4) / (known_g + known_r)
    chi2 = known_g * (slope - 0.2) ** 2 + known_r * (0.4 - slope) ** 2
    assert slope == pytest.approx(0.3, abs=0.01)
    assert chi2 == pytest.approx(4, abs=0.1)
    assert values["rise_rate"] == pytest.approx(slope)
    assert values["rise_chi2"] == pytest.approx(chi2)
    assert values["rise_rate_err"] == pytest.approx((chi2 / (known_g + known_r)) ** 0.5)


def test_the_nearest_source_counts_even_without_magnitudes():
    near = {"sgscore1": 0.5, "distpsnr1": 1.0, "sgmag1": 18.0, "srmag1": 17.0,
            "sgscore2": 0.1, "distpsnr2": 4.0, "sgmag2": 21.0,
            "sgscore3": 0.2, "distpsnr3": 3.0, "srmag3": 20.0}  # fmt: skip
    values = values_of([(0, "r", 19.0, 20)], **near)
    assert (values["host_offset"], values["host_mag"]) == (3.0, 20.0)
    assert values[["host_g_r", "star_offset", "star_mag", "star_g_r"]].isna().all()
    unscored = values_of([(0, "r", 19.0, 20)], **near | {"sgscore3": -999.0, "distpsnr2": -999.0})
    assert unscored[["host_offset", "host_mag", "host_g_r"]].isna().all()
