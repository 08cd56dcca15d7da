"""A night with unusual objects, its predictions and fetched data."""

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer
from ztfml.sources import fetched_folder as fetched
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

NOW = 2460000.75  # 2023-02-25 06:00 UTC
HOSTILE = '<img src=x onerror="window.hacked=1">\'"&amp;</script><script>window.hacked=1</script>'
FADING, ALONE, MANY, LIMITS = "ZTF23fading0", "ZTF23alone00", "ZTF18many000", "ZTF23limits0"
NAMES = (FADING, ALONE, MANY, LIMITS, HOSTILE)
# None of them is a float64; a JavaScript number would lose the last digit.
CANDIDS = {name: 2200000000000000001 + 2 * k for k, name in enumerate(NAMES)}


def rows_of(name, days, mags, fid=1, **changes):
    return pd.DataFrame(
        {
            "objectId": name,
            "jd": NOW + np.asarray(days, float),
            "fid": fid,
            "magpsf": np.asarray(mags, float),
            "sigmapsf": 0.1,
            "diffmaglim": 20.5,
            "isdiffpos": "t",
        }
        | changes
    )


def odd_night(n_plain=0):
    """Make the five unusual objects, followed by plain ones without history."""
    names = [*NAMES, *(f"ZTF23plain{k:04d}" for k in range(n_plain))]
    alerts = pd.DataFrame(
        {
            "objectId": names,
            "candid": [CANDIDS.get(name, 2300000000000000001 + k) for k, name in enumerate(names)],
            "candidate.jd": NOW,
            "candidate.fid": 1,
            "candidate.magpsf": 18.0,
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
            "candidate.diffmaglim": 20.5,
            "candidate.ra": np.linspace(0.0, 359.0, len(names)),
            "candidate.dec": np.linspace(-25.0, 85.0, len(names)),
            "candidate.drb": 0.9,
        }
    )
    rng = np.random.default_rng(3)
    history = pd.concat(
        [
            rows_of(FADING, [-12, -3, -2, -1], [np.nan, 16.0, 16.8, 17.4]),
            rows_of(MANY, np.linspace(-2000, -1, 900), rng.normal(18, 0.4, 900)),
            rows_of(LIMITS, [-5, -3], [np.nan, np.nan]),
            rows_of(HOSTILE, [-1], [17.0], fid=2, isdiffpos="f"),
        ]
    )
    return Night.from_frames(alerts, history, name="nights/odd.parquet")


def predictions_of(night):
    """Make predictions that rank the objects in the order of the night."""
    n = len(night)
    p = np.full((n, 5), 0.05)
    p[np.arange(n), [4 if k < len(NAMES) else k % 4 for k in range(n)]] = 0.8
    table = night.alerts[["objectId", "candid", "jd"]].assign(
        label=np.array(LABELS)[p.argmax(axis=1)]
    )
    table[list(PROBABILITY_COLUMNS)] = p
    return table.assign(uncertain=False)


def ranked_of(night, predictions):
    return FastTransientScorer().rank(night, features.compute(night), predictions)


def fetch(folder):
    """Write cutouts, a longer light curve and a classification of the fading object."""
    images = [np.full((63, 63), np.nan), np.arange(3969.0).reshape(63, 63), np.zeros((63, 63))]
    fetched.write_cutouts(folder, FADING, fetched.Cutouts(CANDIDS[FADING], *images))
    curve = rows_of(FADING, [-50, -3, 2], [20.1, 16.0, 19.0]).assign(forced=False)
    fetched.write_light_curve(folder, FADING, curve)
    of = {"objectId": FADING, "catalog": "TNS", "name": "SN 2023xy", "kind": "SN IIb"}
    context = pd.DataFrame(
        [
            of | {"separation_arcsec": 0.3, "redshift": 0.02, "note": "already classified as IIb"},
            of | {"separation_arcsec": 3.1, "redshift": np.nan, "note": "", "name": "<b>host</b>"},
        ]
    )
    fetched.write_context(folder, context)
