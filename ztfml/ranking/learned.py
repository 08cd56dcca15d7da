"""The learned terms of the ranking score: groups of related inputs of the boosted trees.

`ztfml fit-ranking` trains the trees on simulated nights. Each split of a tree separates its alerts
into two parts with other mean log odds; this change counts for the input of the split (the path
attribution of Saabas 2014, as in the package treeinterpreter). A term is the sum over the inputs
of its group, so the terms add up to the log odds of the trees exactly. Shapley values (TreeSHAP)
do so, too, but take 20 ms per alert instead of 0.05 ms.

Counts of exposures and of old detections are no inputs: they depend on the survey, and differ
between simulated, injected and real events. The probabilities of star and AGN are no inputs either:
a source that fades within days has a high probability of being a star even where there is none, and
the trees know its neighbours and its light curve.
"""

from typing import NamedTuple


class Learned(NamedTuple):
    """Declaration of a learned term.

    Attributes
    ----------
    inputs : tuple of str
        Features, class probabilities or quantities; the first is the main one.
    meaning : str
        One sentence.
    label : str
        Axis label of the main input, with the unit.
    x_range : tuple of float
        The range of this axis.
    """

    inputs: tuple[str, ...]
    meaning: str
    label: str
    x_range: tuple[float, float]


LEARNED: dict[str, Learned] = {
    "classification": Learned(
        ("p_transient", "p_artifact", "p_sso"),
        "What it is, according to the classifier.",
        "probability of transient", (0, 1),
    ),
    "fading": Learned(
        ("min_fade_rate", "best_fade_rate", "fade_rate", "fade_significance", "recent_slope_g",
         "recent_slope_r", "days_since_peak", "fade_base", "fade_chi2", "fade_rate_g",
         "fade_rate_r"),
        "How fast and how significantly it fades, and how long after the peak.",
        "fade rate minus its error, mag/day", (-0.1, 0.6),
    ),
    "rising": Learned(
        ("first_rise_rate", "min_rise_rate", "time_to_peak", "rise_base", "limit_gap",
         "best_rise_rate", "rise_rate", "rise_chi2", "forced_limit_g", "forced_limit_r",
         "forced_last_before_sigma_g", "forced_last_before_sigma_r"),
        "How fast it rose, measured or since the last non-detection, and the non-detections and "
        "forced photometry before.",
        "rise since the last non-detection, mag/day", (0, 3),
    ),
    "within_night": Learned(
        ("min_tonight_rate", "tonight_change", "tonight_excess", "earlier_nights_chi2", "red_star"),
        "Change within the night, also within earlier nights, and whether a red star may flare.",
        "change within the night beyond three errors, mag/day", (0, 6),
    ),
    "duration": Learned(
        ("shortest_half_time", "longest_above_half", "above_half_g", "above_half_r",
         "half_time_max_g", "half_time_max_r"),
        "Time above half of the peak flux, estimated and seen.",
        "days above half of the peak flux", (0, 40),
    ),
    "age": Learned(
        ("age", "total_age", "days_since_detection"),
        "Days since the first and the previous detection.",
        "days since the first detection of the episode", (0, 40),
    ),
    "detections": Learned(
        ("max_separation", "n_det", "n_nights", "n_det_tonight"),
        "Number of detections and nights, and the time between detections.",
        "days between the first and the last detection", (0, 20),
    ),
    "colour": Learned(
        ("g_r_peak", "g_r", "g_r_slope", "g_r_err"),
        "Colour at the peak and now, its error and its change.",
        "g − r at peak, mag", (-0.6, 0.8),
    ),
    "brightness": Learned(
        ("peak_mag",), "Magnitude at the peak.", "peak magnitude", (15, 21),
    ),
    "luminosity": Learned(
        ("peak_abs_mag", "galaxy_chance"),
        "Absolute magnitude in the nearest galaxy of a catalogue, and the probability that the "
        "galaxy is there by chance.",
        "absolute magnitude at the peak", (-24, -6),
    ),
    "host": Learned(
        ("host_offset", "host_mag", "chance_alignment"),
        "Offset from the nearest galaxy, and its magnitude.",
        "offset from the nearest galaxy, arcsec", (0, 15),
    ),
    "neighbours": Learned(
        ("distpsnr1", "mag_minus_ps1", "sgscore1", "star_offset", "star_g_r", "mag_minus_ref",
         "magnr"),
        "The nearest sources of PS1 and the reference image, and the nearest star.",
        "arcsec to the nearest PS1 source", (0, 10),
    ),
    "position": Learned(
        ("abs_gal_lat", "abs_ecl_lat"), "Galactic and ecliptic latitude.",
        "degrees from the Galactic plane", (0, 60),
    ),
}  # fmt: skip
"""All learned terms by name. Each input belongs to one term."""


def learned_inputs() -> tuple[str, ...]:
    """Names of the inputs of all learned terms.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> learned_inputs()[:3]
    ('p_transient', 'p_artifact', 'p_sso')
    """
    return tuple(name for one in LEARNED.values() for name in one.inputs)
