"""Reasons from the luminosity in a host galaxy and from a sky map."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ztfml.ranking.photometric_distance import ERROR, typical_modulus
from ztfml.ranking.quantities import Columns

_CHANCE = 0.1
_POSSIBLE_HOST = 0.5
# Small regions first: "inside the 50 % region" says more than "inside the 90 % region".
_REGIONS = (0.1, 0.5, 0.9)


def match_reasons(alerts: pd.DataFrame, features: pd.DataFrame) -> list[str]:
    """Describe the luminosity of sources, and where and when they are in a sky map.

    Without a galaxy in a catalogue, the luminosity follows from the PS1 magnitude of the host, with
    a large error.

    Parameters
    ----------
    alerts : pandas.DataFrame
    features : pandas.DataFrame
        Their features.

    Returns
    -------
    list of str
        ``''`` where there is nothing to say.

    Examples
    --------
    >>> one = {"skymap_name": ["S230518h"], "skymap_level": 0.3, "days_since_event": 1.0,
    ...     "age": 0.2, "skymap_modulus": np.nan, "skymap_modulus_err": np.nan}
    >>> match_reasons(pd.DataFrame(one), pd.DataFrame(one))
    ['inside the 50 % region of S230518h, first detection 0.8 d after it']
    """
    texts = [[] for _ in range(len(features))]
    if "galaxy_chance" in features:
        _add(texts, (_luminosity(row) for row in _rows(features, alerts, "galaxy_name")))
    if "host_mag" in features:
        columns = Columns(features, features.iloc[:, :0], None, None)
        modulus = typical_modulus(columns["host_mag"], columns["host_offset"])
        magnitude = np.where(columns["positive"] > 0, columns["magpsf"] - modulus, np.nan)
        chance = columns["chance_alignment"]
        absent = np.array([not parts for parts in texts], bool)
        use = absent & np.isfinite(magnitude) & (chance <= _CHANCE)
        _add(
            texts, (_photometric(one) if ok else "" for one, ok in zip(magnitude, use, strict=True))
        )
    if "skymap_level" in features:
        _add(texts, (_localization(row) for row in _rows(features, alerts, "skymap_name")))
    return ["; ".join(parts) for parts in texts]


def _rows(features, alerts, name):
    return features.assign(name=alerts[name].to_numpy()).to_dict("records")


def _add(texts, reasons):
    for parts, reason in zip(texts, reasons, strict=True):
        if reason:
            parts.append(reason)


def _luminosity(row):
    """Absolute magnitude in the most probable galaxy."""
    if not row["galaxy_chance"] <= _POSSIBLE_HOST:
        return ""
    galaxy = row["name"] if isinstance(row["name"], str) and row["name"] else "a galaxy"
    offset = f"offset {row['galaxy_offset_kpc']:.1f} kpc"
    if np.isfinite(row["galaxy_offset_radii"]):
        offset += f" ({row['galaxy_offset_radii']:.1f} half-light radii)"
    place = f"in {galaxy} at {_distance(row['galaxy_modulus'])}, {offset}"
    if np.isfinite(row["abs_mag"]):
        magnitude = f"{row['abs_mag']:.1f} ± {row['abs_mag_err']:.1f}".replace("-", "−")
        place = f"M = {magnitude} {place}"
    if row["galaxy_chance"] > _CHANCE:
        place += f", {row['galaxy_chance']:.0%} by chance"
    return place


def _photometric(abs_mag):
    magnitude = f"{abs_mag:.0f} ± {ERROR:.1f}".replace("-", "−")
    return f"M ≈ {magnitude} (typical host)"


def _distance(modulus):
    mpc = 10 ** (modulus / 5 - 5)
    return f"{mpc:.0f} Mpc" if mpc >= 10 else f"{mpc:.1f} Mpc"


def _localization(row):
    """Credible region, and the time and distance of the event."""
    if np.isnan(row["skymap_level"]):
        return ""
    region = next((level for level in _REGIONS if row["skymap_level"] <= level), None)
    place = (
        f"inside the {region:.0%} region".replace("%", " %")
        if region
        else "outside the 90 % region"
    )
    text = f"{place} of {row['name']}"
    delay = row["days_since_event"] - row["age"]
    if np.isfinite(delay):
        text += f", first detection {abs(delay):.1f} d {'after' if delay >= 0 else 'before'} it"
    if region and np.isfinite(row["skymap_modulus"]):
        text += f", event at {_distance(row['skymap_modulus'])}"
    return text
