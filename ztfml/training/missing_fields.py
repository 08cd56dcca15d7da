"""Which packet fields eras, brokers and exports lack, and copies of alerts without them.

LightGBM learns to which side of a split a missing value goes only from training alerts that lack
the value; without any it treats NaN as 0. Training therefore needs alerts without each field.
"""

import numpy as np

from ztfml.features.groups import FEATURES
from ztfml.night import Night
from ztfml.schema import ALERT_COLUMNS

_PS1 = tuple(
    f"{field}{rank}"
    for rank in (1, 2, 3)
    for field in ("sgscore", "distpsnr", "sgmag", "srmag", "simag", "szmag")
)

FIELD_GROUPS = {
    "drb": ("drb",),
    "rb": ("rb",),
    "shape": (
        "chipsf", "magap", "sigmagap", "magapbig", "classtar", "fwhm", "elong", "aimage", "bimage",
        "aimagerat", "bimagerat", "nneg", "nbad", "sumrat", "magdiff", "magfromlim", "seeratio",
        "mindtoedge", "scorr", "sky", "dsnrms", "ssnrms",
    ),
    "PS1": (*_PS1, "nmtchps"),
    "reference source": ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr"),
    "Gaia": ("neargaia", "maggaia", "neargaiabright", "maggaiabright"),
    "counts": ("ndethist", "ncovhist", "jdstarthist"),
    "ephemeris": ("ssdistnr", "ssmagnr"),
    "position": ("ra", "dec"),
}  # fmt: skip
"""Optional packet fields, grouped by subject."""

_REQUIRED = ("objectId", "candid", "jd", "fid", "magpsf", "sigmapsf", "isdiffpos")

EXPORTS = {
    # The metadata of Rehemtulla et al. 2024, ApJ 972, 7.
    "BTSbot": (
        *_REQUIRED, "sgscore1", "distpsnr1", "sgscore2", "distpsnr2", "fwhm", "chipsf", "ra", "dec",
        "diffmaglim", "ndethist", "nmtchps", "drb", "ncovhist", "jdstarthist", "chinr", "sharpnr",
        "scorr", "sky",
    ),
    # The detections of the API of ALeRCE.
    "ALeRCE": (
        *_REQUIRED, "ra", "dec", "diffmaglim", "magap", "sigmagap", "magapbig", "distnr", "rb",
        "drb",
    ),
    # The columns that the exercises of the ZTF summer school use.
    "summer school": (
        *_REQUIRED, "ra", "dec", "drb", "rb", "sgscore1", "distpsnr1", "srmag1", "sgmag1", "simag1",
        "szmag1", "ssdistnr", "ssmagnr", "distnr", "magnr", "ndethist", "ncovhist", "jdstarthist",
        "nneg", "nbad", "fwhm", "elong", "classtar", "diffmaglim",
    ),
}  # fmt: skip
"""The packet fields that exports contain."""

OPTIONAL_FIELDS = tuple(
    column.name
    for column in ALERT_COLUMNS
    if column.name not in _REQUIRED and any(column.in_file in feature.reads for feature in FEATURES)
)
"""Packet fields that an alert can lack and that features read."""


def without_fields(night: Night, fields: tuple[str, ...]) -> Night:
    """Remove packet fields from all alerts of a night.

    Parameters
    ----------
    night : Night
    fields : tuple of str
        Names as in ``night.alerts``; those that the night lacks are ignored.

    Returns
    -------
    Night

    Examples
    --------
    >>> without_fields(night, ("drb",)).alerts["drb"].notna().any()
    np.False_
    """
    present = [field for field in fields if field in night.alerts]
    return night.replace(alerts=night.alerts.assign(**dict.fromkeys(present, np.nan)))


def fields_outside(export: str) -> tuple[str, ...]:
    """Return the packet fields that an export lacks.

    Parameters
    ----------
    export : str
        One of `EXPORTS`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "magnr" in fields_outside("ALeRCE"), "rb" in fields_outside("ALeRCE")
    (True, False)
    """
    return tuple(field for field in OPTIONAL_FIELDS if field not in EXPORTS[export])


def without_random_fields(night: Night, rng: np.random.Generator) -> Night:
    """Remove random packet fields from each alert, up to a third of them.

    Parameters
    ----------
    night : Night
    rng : numpy.random.Generator

    Returns
    -------
    Night

    Examples
    --------
    >>> some = without_random_fields(night, np.random.default_rng(0)).alerts["fwhm"].notna()
    >>> bool(some.any() and not some.all())
    True
    """
    fraction = rng.uniform(0, _MOST_REMOVED, len(night))
    removed = {field: rng.random(len(night)) < fraction for field in OPTIONAL_FIELDS}
    return _masked(night, removed)


_MOST_REMOVED = 0.33


def without_random_groups(night: Night, rng: np.random.Generator) -> Night:
    """Remove random groups of packet fields from each alert, or what an export lacks.

    Parameters
    ----------
    night : Night
    rng : numpy.random.Generator

    Returns
    -------
    Night

    Examples
    --------
    >>> alerts = without_random_groups(night, np.random.default_rng(0)).alerts
    >>> bool((alerts["fwhm"].isna() == alerts["elong"].isna()).mean() > 0.8)
    True
    """
    n = len(night)
    of_export = rng.random(n) < _EXPORTED
    removed = {field: np.zeros(n, bool) for field in OPTIONAL_FIELDS}
    for fields in FIELD_GROUPS.values():
        rows = ~of_export & (rng.random(n) < _GROUP_REMOVED)
        for field in removed.keys() & fields:
            removed[field] |= rows
    export = rng.integers(0, len(EXPORTS), n)
    for k, name in enumerate(EXPORTS):
        for field in fields_outside(name):
            removed[field] |= of_export & (export == k)
    return _masked(night, removed)


_EXPORTED = 0.25
_GROUP_REMOVED = 0.3


def _masked(night, removed):
    alerts = night.alerts
    return night.replace(
        alerts=alerts.assign(
            **{
                field: alerts[field].mask(rows)
                for field, rows in removed.items()
                if field in alerts
            }
        )
    )
