"""Compare the forced photometry of a simulated night with that of real packets and light curves.

Run with ``python -m tests.benchmarks.forced_realism``; it needs the folder of real data. Real
values: packets with ``fp_hists``, and the forced photometry of Ho et al. 2023 between 400 and 30 d
before the first detection.
"""

import os
from pathlib import Path

import fastavro
import numpy as np
import pandas as pd

from ztfml.simulate import simulate

_MICROJANSKY = 23.9


def of_packets(folder):
    """Rows per packet, the usable fraction, and the rows before the first detection."""
    counts, rows = [], []
    for path in sorted((folder / "packets").rglob("*.avro")):
        try:
            records = list(fastavro.reader(path.open("rb")))
        except (ValueError, EOFError, StopIteration, IndexError, KeyError):
            continue
        for packet in records:
            forced = packet.get("fp_hists") or []
            if not forced:
                continue
            table = pd.DataFrame(forced)
            good = pd.to_numeric(table["procstatus"], errors="coerce") == 0
            counts.append((len(table), good.mean()))
            seen = [one["jd"] for one in packet["prv_candidates"] or [] if one.get("magpsf")]
            first = min([*seen, packet["candidate"]["jd"]])
            table = table[good & (table["jd"] < first - 0.5)]
            to_flux = 10 ** (-0.4 * (table["magzpsci"] - _MICROJANSKY))
            rows.append(
                pd.DataFrame(
                    {
                        "source": len(counts),
                        "pull": table["forcediffimflux"] / table["forcediffimfluxunc"],
                        "error": table["forcediffimfluxunc"] * to_flux,
                        "limit": table["diffmaglim"],
                    }
                )
            )
    return pd.DataFrame(counts, columns=["n", "usable"]), pd.concat(rows)


def of_light_curves(folder):
    """Rows of the baseline of rapidly evolving transients."""
    table = pd.read_parquet(folder / "lightcurves" / "lc_rapid_ho2023.parquet")
    seen = table[(table["kind"] != "forced") & table["magpsf"].notna()].groupby("objectId")["jd"]
    table = table[table["kind"] == "forced"]
    days = table["jd"] - table["objectId"].map(seen.min())
    table = table[(days > -400) & (days < -30)]
    to_flux = 10 ** (-0.4 * (table["zpdiff"] - _MICROJANSKY))
    return pd.DataFrame(
        {
            "source": table["objectId"] + table["fid"].astype(str),
            "pull": table["forcediffimflux"] / table["forcediffimfluxunc"],
            "error": table["forcediffimfluxunc"] * to_flux,
            "limit": table["diffmaglim"],
        }
    )


def of_simulation():
    """Rows per object with some, and the rows of asteroids, of which none is at the position."""
    night, labels = next(simulate(4000, seed=31))
    first, last = night.visible_forced
    asteroid = (labels["label"] == "sso").to_numpy() & (last > first)
    parts = [
        pd.DataFrame(
            {
                "source": f"{k} ",
                "fid": night.forced.fid[first[k] : last[k]],
                "pull": (night.forced.flux / night.forced.flux_err)[first[k] : last[k]],
            }
        )
        for k in np.flatnonzero(asteroid)
    ]
    table = pd.concat(parts)
    return last - first, table.assign(source=table["source"] + table["fid"].astype(str))


def show(name, rows):
    """Print the scatter of flux over error about the median of each source, and of the medians."""
    groups = rows.groupby("source")["pull"]
    rows = rows[groups.transform("size") >= 15]
    groups = rows.groupby("source")["pull"]
    if len(rows) == 0:
        print(f"{name}: no source with 15 rows")
        return
    left = rows["pull"] - groups.transform("median")
    medians = groups.median().std()
    print(
        f"{name}: {groups.ngroups} sources and bands; robust scatter "
        f"{1.48 * np.median(np.abs(left)):.2f} errors, beyond 5 errors "
        f"{np.mean(np.abs(rows['pull']) > 5):.2%}, scatter of the medians {medians:.2f}"
    )
    if "limit" in rows:
        ratio = rows["error"] / (10 ** (-0.4 * (rows["limit"] - _MICROJANSKY)) / 5)
        low, middle, high = ratio.quantile([0.16, 0.5, 0.84])
        print(f"  error in fifths of the limit: {low:.2f} {middle:.2f} {high:.2f}")


def main():
    """Print both distributions."""
    folder = Path(os.environ.get("ZTFML_TEST_DATA", "shared/data"))
    counts, rows = of_packets(folder)
    print(
        f"packets: {len(counts)}; rows per packet {counts['n'].min()} to {counts['n'].max()}, "
        f"usable {counts['usable'].mean():.2f} on average, none usable in "
        f"{np.mean(counts['usable'] == 0):.2f}, all in {np.mean(counts['usable'] == 1):.2f}"
    )
    show("packets", rows)
    show("Ho et al. 2023", of_light_curves(folder))
    number, rows = of_simulation()
    print(
        f"simulated: usable rows per object {np.quantile(number, [0.25, 0.5, 0.75]).tolist()}, "
        f"none for {np.mean(number == 0):.2f}"
    )
    show("simulated asteroids", rows)


if __name__ == "__main__":
    main()
