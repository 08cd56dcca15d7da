"""Light curves with the shapes that real sources have, as the frames of a parquet pair."""

import numpy as np
import pandas as pd

from tests.nights import JD

LIMIT = 20.5
COLUMNS = ["jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]


def curves_frames(seed, n_objects):
    """Alerts and history of transients, variables, flat and recurring sources, blemishes included.

    Some 70 exposures an object in up to three bands and several an evening, detections where
    the source is above the limit, on either side of the reference, and non-detections before,
    between and after. Each object has up to four alerts, some of which the history repeats.
    """
    rng = np.random.default_rng(seed)
    alerts, history = [], []
    for k in range(n_objects):
        rows = exposures(rng)
        blemish(rows, rng)
        rows.insert(0, "objectId", f"ZTF20{k:07d}")
        detected = rows.index[rows["magpsf"].notna() & (rows["jd"] > JD)]
        chosen = rng.choice(detected, min(len(detected), int(rng.integers(1, 5))), replace=False)
        alerts.append(rows.loc[chosen])
        repeated = rng.random(len(chosen)) < 0.5
        # A repeated alert comes with its epoch rounded to 0.1 s.
        rows.loc[chosen, "jd"] -= rng.choice([0, 5e-7, 1e-6], len(chosen))
        history.append(rows.drop(index=chosen[~repeated]))
        history.append(rows.sample(n=2, random_state=k))
    alerts = pd.concat(alerts, ignore_index=True).drop(columns="diffmaglim")
    alerts = alerts.rename(columns={name: f"candidate.{name}" for name in COLUMNS})
    alerts.insert(1, "candid", 2459000000000000000 + np.arange(len(alerts)))
    n = len(alerts)
    alerts["candidate.distnr"] = rng.choice([0.2, 1.4, 1.6, np.nan], n, p=[0.5, 0.2, 0.2, 0.1])
    alerts["candidate.magnr"] = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(16, 21, n))
    alerts["candidate.ndethist"] = rng.choice([1.0, 10.0, 60.0, 400.0, np.nan], n)
    alerts["candidate.jdstarthist"] = JD + 0.2 - rng.choice([0.0, 300.0, np.nan], n)
    alerts["candidate.distpsnr1"] = rng.choice([0.2, 1.4, 1.6, np.nan], n, p=[0.5, 0.2, 0.2, 0.1])
    for name in ("sgmag1", "srmag1"):
        alerts[f"candidate.{name}"] = np.where(rng.random(n) < 0.1, -999, rng.uniform(16, 22, n))
    return alerts, pd.concat(history, ignore_index=True).sample(frac=1, random_state=seed)


def exposures(rng):
    """What one source gives: one row an exposure."""
    nights = np.unique(rng.integers(-20, rng.choice([15, 60, 200]), rng.integers(4, 40)))
    day = np.repeat(nights, rng.integers(1, 5, len(nights))).astype(float)
    t = day + 0.15 + 0.3 * rng.random(len(day))
    # Some sources are observed mostly in one band.
    fid = rng.choice([1, 2, 3], len(t), p=rng.dirichlet([0.8, 0.8, 0.8]))
    flux = rng.choice([transient, recurrent, variable, flat, flaring, flaring])(t, fid, rng)
    noise = 10 ** (-0.4 * (LIMIT + rng.normal(0, 0.4, len(t)) - 23.9)) / 5
    seen = flux + noise * rng.normal(size=len(t))
    detected = np.abs(seen) > 5 * noise
    with np.errstate(divide="ignore"):
        mag = 23.9 - 2.5 * np.log10(np.abs(seen))
    return pd.DataFrame(
        {
            "jd": JD + t,
            "fid": fid,
            "magpsf": np.where(detected, np.round(mag, 4), np.nan),
            "sigmapsf": np.where(detected, 2.5 / np.log(10) * noise / np.abs(seen), np.nan),
            "diffmaglim": 23.9 - 2.5 * np.log10(5 * noise),
            "isdiffpos": np.where(detected, np.where(seen > 0, "t", "f"), None),
        }
    )


def blemish(rows, rng):
    """What files do to some objects: no errors, no signs, quantised magnitudes, odd bands."""
    if rng.random() < 0.15:
        rows["magpsf"] = rows["magpsf"].round(0)
    if rng.random() < 0.1:
        rows.loc[rng.random(len(rows)) < 0.3, "sigmapsf"] = rng.choice([np.nan, 0.0, -1.0])
    if rng.random() < 0.1:
        rows.loc[rng.random(len(rows)) < 0.3, "isdiffpos"] = rng.choice([None, "1", "0", "?"])
    if rng.random() < 0.1:
        rows.loc[rng.random(len(rows)) < 0.1, "fid"] = 4
    if rng.random() < 0.1:
        # The exposure of a detection once more, as a non-detection.
        again = rng.random(len(rows)) < 0.3
        rows.loc[np.roll(again, 1), ["jd", "fid"]] = rows.loc[again, ["jd", "fid"]].to_numpy()


def peak_flux(rng):
    return 10 ** (-0.4 * (rng.uniform(16, 20.3) - 23.9))


def transient(t, fid, rng):
    """A rise and a decline, each exponential, that reddens."""
    rise, fade = rng.uniform(1, 8), rng.uniform(3, 40) * (1 + 0.3 * fid)
    since = t - rng.uniform(-10, 30)
    return peak_flux(rng) * np.where(since < 0, np.exp(since / rise), np.exp(-since / fade))


def recurrent(t, fid, rng):
    """Outbursts every few weeks."""
    phase = np.mod(t, rng.uniform(15, 70))
    return peak_flux(rng) * np.exp(-phase / rng.uniform(2, 10))


def variable(t, fid, rng):
    """A pulsation about the reference, positive and negative."""
    return peak_flux(rng) * np.sin(2 * np.pi * t / rng.uniform(0.3, 30) + 0.2 * fid)


def flaring(t, fid, rng):
    """A flare every 35 nights, one of them on a night with exposures."""
    night = np.floor(t)
    on = (night - rng.choice(night[night >= night.max() - 35])) % 35 == 0
    since = t - night - rng.uniform(0.2, 0.4)
    shape = np.where(since < 0, 0, np.exp(-since / rng.uniform(0.05, 0.3)))
    return 3 * peak_flux(rng) * on * shape


def flat(t, fid, rng):
    """A source as constant as the noise allows."""
    return np.full(len(t), peak_flux(rng))
