"""Packet fields that describe the detection and the nearest source in the reference image."""

import numpy as np

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
