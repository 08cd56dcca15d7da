"""Find events that change within one night among real alerts.

    python -m tests.benchmarks.within_night [-m MODEL] [--data DATA] [--seed SEED]

To 800 real alerts are added, six at a time, new sources that rise or fade by 0.7 to 3 mag within
the night. They are drawn here and share no code with the simulations of ztfml. New sources of
constant brightness, with the same exposures and surroundings, and flares, which fade like the
events but lie on real red stars, are ranked alone among the same alerts. The model may have been
trained on the real alerts.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.replay import real_contexts
from tests.benchmarks.small_night import alerts_of, observe, real_night
from tests.conftest import SHARED_DATA
from ztfml.injection.conditions import Conditions
from ztfml.injection.positions import GroupPositions
from ztfml.injection.recovery import score_all, tables_of
from ztfml.model.model import Model
from ztfml.night import Night

TOPS = (12, 25, 50)
TOGETHER = 6
CHANGE = (0.7, 3.0)  # mag
RED_STAR = 1.2  # PS1 g - r
N_EVENTS = 600


def draw_exposures(rng, n):
    """Draw exposures of each new source: tonight, and without detection on earlier nights.

    Returns
    -------
    pandas.DataFrame
        ``event``, ``jd``, ``fid``, ``limit``, ``phase``: time within the night, from 0 for its
        first exposure to 1 for its last, negative on earlier nights.
    """
    parts = []
    for event in range(n):
        hours = rng.uniform(1.0, 6.0)
        tonight = np.sort(np.append([0, 1], rng.random(rng.choice([0, 1, 2, 4, 8]))))
        start = 2460300.65 + rng.integers(0, 200)
        earlier = start - np.cumsum(rng.choice([1, 2, 3, 4], 12, p=[0.35, 0.3, 0.25, 0.1]))
        earlier = earlier[earlier > start - 30]
        jd = np.append(earlier, start + tonight * hours / 24)
        # The first and the last exposure are in one band, half of the others in another.
        fid = rng.choice([1, 2]) + np.where(rng.random(len(jd)) < 0.5 * rng.integers(2), 1, 0)
        fid = np.where(np.isin(np.arange(len(jd)), [len(earlier), len(jd) - 1]), fid[-1], fid)
        fid = np.where(fid > 2, 1, fid)
        parts.append(
            pd.DataFrame(
                {"event": event, "jd": jd, "fid": fid, "limit": rng.normal(20.3, 0.4, len(jd)),
                 "phase": np.append(np.full(len(earlier), -1.0), tonight)}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def new_sources(rng, conditions, contexts, change, fading):
    """Make the alerts of new sources that change by some magnitudes within the night.

    Parameters
    ----------
    rng : numpy.random.Generator
    conditions : Conditions
    contexts : pandas.DataFrame
        Alerts whose surroundings are copied.
    change : ndarray, shape (n,), mag
    fading : ndarray of bool, shape (n,)

    Returns
    -------
    Night
        Sources whose first and last exposure of the night are detections, with a measured change of
        at least 0.7 mag unless `change` is 0.
    """
    exposures = draw_exposures(rng, len(change))
    one = exposures["event"].to_numpy()
    phase = exposures["phase"].to_numpy()
    # The exposures of earlier nights come before the event. The faintest is 19.7 mag or brighter.
    brightest = rng.uniform(16.5, 19.7 - change)
    slope = np.where(fading[one], phase, 1 - phase)
    colour = np.where(exposures["fid"] == 2, rng.uniform(-0.3, 0.6, len(change))[one], 0.0)
    magnitude = np.where(phase < 0, np.inf, brightest[one] + change[one] * slope - colour)
    observed = observe(rng, conditions, exposures, magnitude)
    ends = observed[(phase == 0) | (phase == 1)].set_index("event")
    measured = ends["magpsf"].groupby("event").agg(["count", "min", "max"])
    good = (measured["count"] == 2) & (
        (measured["max"] - measured["min"] >= CHANGE[0]) | (change == 0)
    )
    kept = observed[good.to_numpy()[one]]
    return alerts_of(
        rng, conditions, kept.assign(event=good.index[good].get_indexer(kept["event"])), contexts
    )


def red_stars(night):
    """Alerts of a night with a red star within an arcsecond."""
    alerts = night.alerts
    red = (alerts["sgmag1"] - alerts["srmag1"] > RED_STAR) & (alerts["sgmag1"] > 0)
    star = (alerts["sgscore1"] > 0.9) & (alerts["distpsnr1"] < 1.0) & (alerts["srmag1"] > 0)
    return alerts[red & star]


def main():
    """Print the fractions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-m", "--model", type=Path, help="by default the shipped model")
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    model, rng = Model.load(args.model), np.random.default_rng(args.seed)
    night = real_night(args.data, args.seed)
    conditions, hosts = Conditions(night), real_contexts(args.data)["transient"]
    stars = red_stars(Night.load(args.data / "alerts" / "ztf_alerts_real.parquet"))
    change, fading = rng.uniform(*CHANGE, N_EVENTS), rng.random(N_EVENTS) < 0.5
    made = {
        "fast": new_sources(rng, conditions, hosts, change, fading),
        "constant": new_sources(rng, conditions, hosts, np.zeros(N_EVENTS), fading),
        "flare": new_sources(rng, conditions, stars, change, np.ones(N_EVENTS, bool)),
    }
    scores = {name: score_all(one, *tables_of(one, model)) for name, one in made.items()}
    real = score_all(night, *tables_of(night, model))
    n_fast = len(made["fast"])
    print(", ".join(f"{len(one)} {name}" for name, one in made.items()))
    group = rng.permutation(n_fast) // TOGETHER
    head = " | ".join(f"in the first {top}" for top in TOPS)
    print(f"\n| method | {head} | above constant sources | flares above the median event |")
    print("| --- | --- | --- | --- | --- | --- |")
    for method, score in real.items():
        fast, constant, flare = (scores[name][method] for name in made)
        positions = GroupPositions(np.sort(score), fast, group)
        found = [positions.probability(top).mean() for top in TOPS]
        pairs = fast[:, None] - constant
        above = np.where(np.isnan(pairs), 0.0, np.sign(pairs))  # -inf - -inf: both not listed
        found += [(above.mean() + 1) / 2, (flare > np.median(fast)).mean()]
        print(f"| {method} | {' | '.join(f'{value:.2f}' for value in found)} |")


if __name__ == "__main__":
    main()
