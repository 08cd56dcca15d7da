"""Compare peaks and half-times with published values.

Run with ``python -m tests.benchmarks.published``; it needs the folder of real data. Published
values: durations and peaks of SNe Ia from the explorer of the Bright Transient Survey (Perley et
al. 2020, ApJ 904, 35), and rise and fade times from and to half of the peak flux in g of rapidly
evolving transients (Ho et al. 2023, ApJ 949, 120, table 10; in the rest frame).
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.features import compute
from ztfml.night import Night

RAPID = {
    # name: (object, redshift, rise time, fade time in d)
    "SN 2018bcc": ("ZTF18aakuewf", 0.0636, 3.20, 5.87),
    "AT 2018lug": ("ZTF18abvkwla", 0.2714, 1.12, 2.92),
    "SN 2018gep": ("ZTF18abukavn", 0.0315, 3.27, 6.00),
    "SN 2019deh": ("ZTF19aapfmki", 0.0547, 4.35, 6.33),
    "SN 2020rsc": ("ZTF20aburywx", 0.0313, 1.62, 1.72),
}
"""Events with values for both times."""


def features_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Features of light curves as of their last detection, indexed by object."""
    rows = rows.sort_values("jd", kind="stable").reset_index(drop=True)
    detected = rows[rows["magpsf"].notna()]
    last = detected.drop_duplicates("objectId", keep="last")
    alerts = last.drop(columns="objectId").add_prefix("candidate.")
    alerts = alerts.assign(objectId=last["objectId"], candid=np.arange(len(last)))
    columns = ["objectId", "jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]
    history = rows.drop(index=last.index)[columns]
    history = history[history["jd"] < history["objectId"].map(last.set_index("objectId")["jd"])]
    night = Night.from_frames(alerts.reset_index(drop=True), history)
    return compute(night).set_axis(night.alerts["objectId"].to_numpy())


def read(folder, name):
    """Light curves in the columns of a history, and their other columns."""
    return pd.read_parquet(folder / "lightcurves" / f"{name}.parquet")


def around_peak(rows):
    """Forced photometry from 40 d before the peak to 60 d after it."""
    rows = rows[rows["kind"] == "forced"]
    bright = rows[(rows["sigmapsf"] < 0.1) & (rows["fid"] == 1)]
    peaks = bright.sort_values("magpsf").drop_duplicates("objectId").set_index("objectId")["jd"]
    days = rows["jd"] - rows["objectId"].map(peaks)
    return rows[(days > -40) & (days < 60)]


def supernovae(folder):
    """Compare durations and peaks of SNe Ia in the band of the peak."""
    published = pd.read_csv(
        folder / "lightcurves" / "lc_bts_snia_antares_labels.csv", low_memory=False
    ).set_index("objectId")
    features = features_of(read(folder, "lc_bts_snia_antares"))
    table = published.join(features, how="inner")
    in_g = table["peakfilt"].to_numpy() == "g"
    ours = {
        name: np.where(in_g, table[f"{name}_g"], table[f"{name}_r"])
        for name in ("half_time", "above_half", "half_time_max", "peak_mag")
    }
    duration = pd.to_numeric(table["duration"], errors="coerce").to_numpy()
    ratio = ours["half_time"] / duration
    known, measured = np.isfinite(duration), np.isfinite(ratio)
    print(f"SNe Ia: {len(table)} objects, {known.sum()} with a published duration")
    print(
        f"  half-time measured for {measured.sum()}; ratio to the published one: median "
        f"{np.median(ratio[measured]):.3f}, 16 to 84 % {_range(ratio[measured])}, outside 0.6 to "
        f"1.6: {np.sum((ratio[measured] < 0.6) | (ratio[measured] > 1.6))}"
    )
    missing = known & ~measured
    within = ours["above_half"][missing] <= 1.05 * duration[missing]
    bounded = np.isfinite(ours["half_time_max"])
    print(
        f"  not measured {missing.sum()}: lower bound at most 5 % above the published value for "
        f"{within.mean():.1%}; upper bound for {np.sum(missing & bounded)}"
    )
    both = known & bounded
    print(
        f"  upper bound at least 95 % of the published value: "
        f"{np.mean(ours['half_time_max'][both] >= 0.95 * duration[both]):.1%} of {both.sum()}"
    )
    difference = ours["peak_mag"] - table["peakmag"].to_numpy()
    print(
        f"  peak minus published: median {np.nanmedian(difference):+.3f} mag, 16 to 84 % "
        f"{_range(difference)}, more than 0.3 mag: {np.sum(np.abs(difference) > 0.3)}"
    )
    return table.assign(ratio=ratio, **ours)


def rapid(folder):
    """Compare half-times of rapidly evolving transients in g, in the rest frame."""
    features = features_of(around_peak(read(folder, "lc_rapid_ho2023")))
    ratios = []
    print("rapidly evolving transients: half-time in g in the rest frame, d")
    for name, (object_id, z, rise, fade) in RAPID.items():
        row = features.loc[object_id]
        ours, low, high = (
            row[f"{quantity}_g"] / (1 + z)
            for quantity in ("half_time", "above_half", "half_time_max")
        )
        ratios.append(ours / (rise + fade))
        print(f"  {name}: published {rise + fade:.2f}, ours {ours:.2f} ({low:.2f} to {high:.2f})")
    print(f"  median ratio {np.nanmedian(ratios):.2f} of {np.isfinite(ratios).sum()}")


def _range(values):
    low, high = np.nanpercentile(values, [16, 84])
    return f"{low:.3f} to {high:.3f}"


def main():
    """Print both comparisons."""
    folder = Path(os.environ.get("ZTFML_TEST_DATA", "shared/data"))
    supernovae(folder)
    rapid(folder)


if __name__ == "__main__":
    main()
