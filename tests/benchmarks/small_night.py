"""Find fast events on a small night with many supernovae and dwarf novae.

    python -m tests.benchmarks.small_night [-m MODEL] [--data DATA] [--seed SEED] [--repeats N]

Each of N nights has 800 real alerts, 150 supernovae and 40 dwarf novae whose real light curves are
replayed (each up to one of its nights), and five fast events that are seen on two or more nights.
The events are drawn here, from simple shapes: a rise and an exponential fade of a cooling black
body. They share no code with ``ztfml.injection.populations`` or ``ztfml.simulate``. The model may
have been trained on the real alerts. Real objects that are known to be fast do not count, because
they belong in the list. The table gives the fraction of the events in the first 5 and
12 rows for the ranking of ztfml and for each of ``ztfml/injection/baselines.py``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.replay import Group, read_group, real_contexts, replay
from tests.conftest import SHARED_DATA
from ztfml.astrophysics import BAND_WAVELENGTH, FAST_RATE, blackbody_magnitude
from ztfml.astrophysics import night_of as night_number
from ztfml.injection.alerts import build_night, in_packets, last_detections
from ztfml.injection.conditions import Conditions
from ztfml.injection.positions import GroupPositions
from ztfml.injection.recovery import known_labels, score_all, tables_of
from ztfml.injection.surroundings import copy_surroundings
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.night import Night

N_REAL, N_SUPERNOVAE, N_DWARF_NOVAE, N_FAST = 800, 150, 40, 5
TOPS = (5, 12)
SUPERNOVAE = Group("supernovae", ("lc_mramirezz",), "^(?:SN|SLSN)(?!.*(?:Ibn|Icn|IIb|Ic-BL))", 300)
DWARF_NOVAE = Group("dwarf novae", ("lc_kndetect",), "dwarf_nova", star=True)

# The afterglow of GRB 200524A (Andreoni et al. 2021, ApJ 918, 63), without a label in the data.
_AFTERGLOW = "ZTF20abbiixp"
_POOL = 400  # fast events to draw from
_SNR = 5.0
_BRIGHT = 20.0


def real_night(data, seed, n=N_REAL):
    """Draw real alerts, one of each object that is not known to be fast, as a night.

    Parameters
    ----------
    data : Path
    seed : int
    n : int

    Returns
    -------
    Night
    """
    night = Night.load(data / "alerts" / "ztf_alerts_real.parquet")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(night))
    labels = read_labels(data / "alerts" / "ztf_alerts_real_labels.csv")
    fast = known_labels(night, labels)[1] | (night.alerts["objectId"] == _AFTERGLOW).to_numpy()
    first = ~night.alerts["objectId"].iloc[rows].duplicated().to_numpy()
    return night.subset(np.sort(rows[first & ~fast[rows]][:n]))


def draw_exposures(rng, n, days=14.0):
    """Draw times, bands and limits of exposures of each event, up to a few days after it begins.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    days : float
        The last night is at most this long after the beginning.

    Returns
    -------
    pandas.DataFrame
        ``event``, ``jd``, ``fid``, ``limit``; and ``begin``, when the event begins.
    """
    parts = []
    for event in range(n):
        today = 2460300.75 + rng.integers(0, 200)
        visits = today - np.append(
            0, np.cumsum(rng.choice([1, 2, 3, 4], 25, p=[0.35, 0.3, 0.25, 0.1]))
        )
        visits = visits[visits > today - 45]
        jd = (visits + rng.uniform(-0.1, 0.1, len(visits)))[:, None] + [0, rng.uniform(0.02, 0.1)]
        fid = np.tile(rng.permutation([1, 2]), (len(visits), 1))
        limit = np.repeat(rng.normal(20.3, 0.4, len(visits)), 2)
        parts.append(
            pd.DataFrame(
                {"event": event, "jd": jd.ravel(), "fid": fid.ravel(), "limit": limit,
                 "begin": today - rng.uniform(1.0, days)}
            )
        )  # fmt: skip
    return pd.concat(parts).sort_values(["event", "jd"], ignore_index=True)


def draw_fast(rng, n):
    """Draw fast transients: parameters of the light curves, one row per event.

    They rise from half of their peak flux in 0.2 to 3 days, fade to half in 0.5 to 6 days, and cool
    from 10,000 to 30,000 K.
    """
    return pd.DataFrame(
        {
            "peak": 19.6 - rng.exponential(0.7, n).clip(0, 3),
            "rise": np.exp(rng.uniform(np.log(0.2), np.log(3.0), n)),
            "fade": np.exp(rng.uniform(np.log(0.5), np.log(6.0), n)),
            "kelvin": np.exp(rng.uniform(np.log(1e4), np.log(3e4), n)),
            "cooling": rng.uniform(0.1, 0.6, n),
        }
    )


def magnitudes_of(events, exposures):
    """Magnitudes of the events in each of their exposures; infinite before they begin."""
    one = events.iloc[exposures["event"]]
    rise, fade = one["rise"].to_numpy(), one["fade"].to_numpy()
    t = (exposures["jd"] - exposures["begin"]).to_numpy()
    time_to_peak = 2.5 * rise
    before = np.clip(t / time_to_peak, 1e-9, 1)
    after = np.clip(t - time_to_peak, 0, None)
    with np.errstate(divide="ignore"):
        shape = -2.5 * np.log10(1 - (1 - before) ** 2) + 0.7526 * after / fade
    cooling = (1 + after / 3) ** -one["cooling"].to_numpy()
    kelvin = np.fmax(one["kelvin"].to_numpy() * cooling, 4500.0)
    colour = blackbody_magnitude(
        1e14, kelvin, BAND_WAVELENGTH[exposures["fid"] - 1]
    ) - blackbody_magnitude(1e14, kelvin, BAND_WAVELENGTH[0])
    return np.where(t > 0, one["peak"].to_numpy() + shape + colour, np.inf)


def observe(rng, conditions, exposures, magnitude):
    """Add noise to the magnitudes, and decide which exposures are detections."""
    sigma = conditions.error_of_flux(np.fmin(magnitude, 30.0), exposures["limit"].to_numpy())
    flux = 10 ** (-0.4 * magnitude) + sigma * rng.normal(size=len(exposures))
    with np.errstate(invalid="ignore", divide="ignore"):
        noisy = -2.5 * np.log10(flux)
        detected = (flux > _SNR * sigma) & (noisy < exposures["limit"].to_numpy())
        error = 1.0857 * sigma / flux
    return exposures.assign(
        magpsf=np.where(detected, noisy, np.nan), sigmapsf=np.where(detected, error, np.nan),
        detected=detected,
    )  # fmt: skip


def alerts_of(rng, conditions, exposures, contexts):
    """Make the last alert of each event, at the positions of some of the contexts."""
    exposures = in_packets(
        exposures[["event", "jd", "fid", "limit", "magpsf", "sigmapsf", "detected"]]
    )
    last = last_detections(exposures)
    last = last[~last.duplicated("event", keep="last")].reset_index(drop=True)
    chosen = contexts.iloc[rng.integers(0, len(contexts), int(exposures["event"].max()) + 1)]
    surroundings = copy_surroundings(chosen.iloc[last["event"]].reset_index(drop=True))
    return build_night(rng, conditions, exposures, last, surroundings)


def fast_events(rng, conditions, contexts):
    """Draw bright fast events that are detected tonight and on an earlier night.

    Returns
    -------
    night : Night
        The last alert of each event.
    rate : ndarray, shape (n_events,)
        True change during the day before the last exposure, mag/day in g; positive if it fades.
    """
    exposures, drawn = draw_exposures(rng, _POOL), draw_fast(rng, _POOL)
    observed = observe(rng, conditions, exposures, magnitudes_of(drawn, exposures))
    seen = observed[observed["detected"]]
    nights = night_number(seen["jd"]).groupby(seen["event"]).nunique()
    end = observed.groupby("event")["jd"].max()[nights.index]
    newest = seen.groupby("event")["jd"].max() > end - 0.2
    bright = seen.groupby("event")["magpsf"].min() < _BRIGHT
    good = nights.index[(nights >= 2) & newest & bright]
    now = exposures.groupby("event", as_index=False).last().assign(fid=1)
    before = now.assign(jd=np.fmax(now["jd"] - 1, now["begin"] + 0.01))
    rate = (magnitudes_of(drawn, now) - magnitudes_of(drawn, before)) / (now["jd"] - before["jd"])
    kept = observed[observed["event"].isin(good)]
    kept = kept.assign(event=good.get_indexer(kept["event"]))
    return alerts_of(rng, conditions, kept, contexts), rate.to_numpy()[good]


def main():
    """Print the fraction of the events in the first rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-m", "--model", type=Path, help="by default the shipped model")
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=100)
    args = parser.parse_args()
    model, rng = Model.load(args.model), np.random.default_rng(args.seed)
    night = real_night(args.data, args.seed)
    conditions, contexts = Conditions(night), real_contexts(args.data)
    scores = {"real": score_all(night, *tables_of(night, model))}
    events = {}
    for group, pool in ((SUPERNOVAE, "transient"), (DWARF_NOVAE, "star")):
        exposures, objects = read_group(group, args.data, args.seed)
        last, tables, made = replay(
            conditions, model, exposures, objects, contexts[pool], args.seed
        )
        scores[group.name], events[group.name] = score_all(made, *tables), last["event"].to_numpy()
    fast, rate = fast_events(rng, conditions, contexts["transient"])
    scores["fast"], events["fast"] = score_all(fast, *tables_of(fast, model)), np.arange(len(fast))
    counts = {SUPERNOVAE.name: N_SUPERNOVAE, DWARF_NOVAE.name: N_DWARF_NOVAE, "fast": N_FAST}
    for name in counts:
        print(f"{name}: {len(np.unique(events[name]))} objects, {len(events[name])} alerts")
    drawn = [_draw(rng, events, counts) for _ in range(args.repeats)]
    night_of_draw = np.repeat(np.arange(args.repeats), sum(counts.values()))
    added = {
        method: np.concatenate([scores[name][method][rows] for one in drawn for name, rows in one])
        for method in scores["real"]
    }
    is_fast = np.tile(
        np.repeat([name == "fast" for name in counts], list(counts.values())), args.repeats
    )
    changes = np.abs(rate[np.concatenate([dict(one)["fast"] for one in drawn])]) > FAST_RATE
    print(f"{changes.mean():.0%} of the events change by more than {FAST_RATE} mag/day\n")
    head = [f"{which} in the first {top}" for which in ("all", "these") for top in TOPS]
    print(f"| method | {' | '.join(head)} |\n| --- | --- | --- | --- | --- |")
    for method, score in added.items():
        positions = GroupPositions(np.sort(scores["real"][method]), score, night_of_draw)
        found = [positions.probability(top)[is_fast] for top in TOPS]
        values = [one.mean() for one in found] + [one[changes].mean() for one in found]
        print(f"| {method} | {' | '.join(f'{value:.2f}' for value in values)} |")


def _draw(rng, events, counts):
    """Draw objects of each group, and one of the alerts of each."""
    drawn = []
    for name, count in counts.items():
        objects = rng.choice(np.unique(events[name]), count, replace=False)
        rows = [rng.choice(np.flatnonzero(events[name] == one)) for one in objects]
        drawn.append((name, np.array(rows)))
    return drawn


if __name__ == "__main__":
    main()
