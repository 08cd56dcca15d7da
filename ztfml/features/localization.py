"""Position and time of the alert relative to the event of a sky map (GW, GRB or neutrino).

Computed only if the night was matched with a sky map (`ztfml.catalogs.skymap.SkyMap.match`).
"""

from ztfml.features.registry import Group

GROUP = Group("localization", "position and time relative to the event of a sky map")

GROUP.copy("skymap_level", missing="without a position")
GROUP.copy("skymap_modulus", "skymap_modulus_err", missing="if the sky map gives no distance there")


@GROUP.feature(unit="d", missing="if the sky map has no date")
def days_since_event(jd, skymap_jd):
    """Days from the event of the sky map to the alert."""
    return jd - skymap_jd
