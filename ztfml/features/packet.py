"""Packet fields that describe the detection and the nearest source in the reference image."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ztfml.compiled import kernel
from ztfml.features.registry import Group

GROUP = Group("packet", "quality and shape of the detection, and the nearest reference source")

GROUP.copy("drb", missing="before schema 3.3")
GROUP.copy(
    "rb", "magpsf", "sigmapsf", "chipsf", "classtar", "fwhm", "elong", "nneg", "nbad", "sumrat",
    "magdiff", "magfromlim", "seeratio", "aimagerat", "bimagerat", "scorr", "mindtoedge",
    missing="if the packet has none",
)  # fmt: skip
GROUP.copy("dsnrms", "ssnrms", missing="before schema 2.0")


@GROUP.feature(unit="", missing="if isdiffpos is not readable")
def positive(isdiffpos):
    """1 if the source is brighter than in the reference image, 0 if it is fainter."""
    return np.where(isdiffpos == 0, np.nan, isdiffpos > 0)


@GROUP.feature(unit="mag", missing="if an aperture magnitude is missing")
def apbig_minus_ap(magapbig, magap):
    """Magnitude in the large aperture minus that in the small one; negative if extended."""
    return magapbig - magap


GROUP.copy(
    "distnr", "magnr", "chinr", "sharpnr", missing="if the reference image has no source nearby"
)


@GROUP.feature(unit="mag", missing="if the reference image has no source nearby")
def mag_minus_ref(magpsf, magnr):
    """Difference magnitude minus the magnitude of the nearest reference source."""
    return magpsf - magnr


class PacketFields(NamedTuple):
    """Fields of the alert that features of light curves need, as arrays or of one alert.

    Attributes
    ----------
    fid : float
        Filter: 1 (g), 2 (r) or 3 (i).
    distnr : float, pix
        Distance to the nearest source in the reference image.
    magnr : float, mag
        Magnitude of that source.
    ndethist : float
        Detections at this position since the survey began.
    jdstarthist : float, d
        Time of the earliest detection at this position.
    distpsnr1 : float, arcsec
        Distance to the nearest PS1 source.
    sgmag1, srmag1 : float, mag
        PS1 magnitudes of that source.
    """

    fid: Any
    distnr: Any
    magnr: Any
    ndethist: Any
    jdstarthist: Any
    distpsnr1: Any
    sgmag1: Any
    srmag1: Any


def packet_fields(alerts: pd.DataFrame) -> PacketFields:
    """Collect the fields of the alerts that features of light curves need.

    Parameters
    ----------
    alerts : pandas.DataFrame
        The alerts of a `Night`, or some of them.

    Returns
    -------
    PacketFields of ndarray
        NaN where a field is missing.

    Examples
    --------
    >>> packet_fields(night.alerts).magnr.shape == (len(night),)
    True
    """
    missing = np.full(len(alerts), np.nan)
    return PacketFields(
        *(
            alerts[name].to_numpy(float) if name in alerts else missing
            for name in PacketFields._fields
        )
    )


@kernel
def packet_of(fields, k):
    """Return the fields of one alert.

    Parameters
    ----------
    fields : PacketFields of ndarray
    k : int
        Position of the alert.

    Returns
    -------
    PacketFields of float
    """
    return PacketFields(
        fields.fid[k], fields.distnr[k], fields.magnr[k], fields.ndethist[k],
        fields.jdstarthist[k], fields.distpsnr1[k], fields.sgmag1[k], fields.srmag1[k],
    )  # fmt: skip
