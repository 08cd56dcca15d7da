"""Host galaxies of injected events in a catalogue of galaxies."""

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus
from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.catalogs.galaxy_table import PECULIAR_VELOCITY
from ztfml.injection.observing import Injected
from ztfml.night import Night
from ztfml.simulate.galaxies import completeness

_SPEED_OF_LIGHT = 299792.458  # km/s
_SEED_KEY = 2000


def match_injected(injected: Injected, catalog: GalaxyCatalog, seed: int) -> Night:
    """Match injected events with a catalogue to which some of their hosts are added.

    A host is in the catalogue with the completeness of a survey of redshifts, whatever the depth
    of the catalogue is.

    Parameters
    ----------
    injected : Injected
    catalog : GalaxyCatalog
        Its galaxies are unrelated to the events.
    seed : int

    Returns
    -------
    Night
        The alerts of the events with the columns of `ztfml.schema.GALAXY_COLUMNS`.

    Examples
    --------
    >>> from ztfml.injection.conditions import Conditions
    >>> from ztfml.injection.observing import inject
    >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "z": [0.01]})
    >>> rows.to_csv("galaxies.csv", index=False)
    >>> catalog = GalaxyCatalog.load("galaxies.csv", cache=False)
    >>> events = inject(Conditions(night), {"kilonova": 8}, seed=1)
    >>> matched = match_injected(events, catalog, seed=1)
    >>> bool(matched.alerts["galaxy_modulus"].notna().any())
    True
    """
    events, event = injected.events, injected.event
    n = len(events)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SEED_KEY,)))
    known = rng.random(n) < completeness(events["host_total"].to_numpy())
    angle, ba, pa = 360 * rng.random(n), rng.uniform(0.3, 1.0, n), 180 * rng.random(n)
    error = PECULIAR_VELOCITY / _SPEED_OF_LIGHT
    true_z = events["z"].to_numpy()
    z = np.maximum(true_z + rng.normal(0, error, n), 1e-4)
    hosts = pd.DataFrame(
        {
            "z": z, "modulus": np.where(known, distance_modulus(z), np.nan),
            "modulus_err": 5 / np.log(10) * error / z, "radius": events["host_radius"],
            "ba": ba, "pa": pa, "ebv": np.nan, "name": "host",
        }
    ).iloc[event]  # fmt: skip
    alerts = injected.night.alerts
    ra, dec = (alerts[name].to_numpy(float) for name in ("ra", "dec"))
    away = events["host_offset"].to_numpy()[event] / 3600.0
    phi = np.radians(angle[event])
    host_dec = np.clip(dec + away * np.cos(phi), -90.0, 90.0)
    host_ra = (ra + away * np.sin(phi) / np.maximum(np.cos(np.radians(dec)), 1e-6)) % 360.0
    return catalog.plant(injected.night, hosts.assign(ra=host_ra, dec=host_dec))
