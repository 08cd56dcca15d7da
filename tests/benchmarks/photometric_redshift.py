"""Fit distances to the PS1 magnitudes of hosts with spectroscopic redshifts.

Run with ``python -m tests.benchmarks.photometric_redshift``; it needs the folder of real data.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus


def hosts(folder):
    """PS1 fields and distance moduli of hosts, one row per object."""
    light_curves = folder / "lightcurves"
    bts = pd.read_csv(light_curves / "lc_bts_snia_antares_labels.csv", low_memory=False)
    alerce = pd.read_csv(light_curves / "lc_alerce_tns_upload_labels.csv", low_memory=False)
    z = pd.concat(
        [
            bts[["objectId", "redshift"]].set_axis(["objectId", "z"], axis=1).assign(sample="BTS"),
            alerce[["objectId", "host_z"]]
            .set_axis(["objectId", "z"], axis=1)
            .assign(sample="other"),
        ]
    )
    z = z.assign(z=pd.to_numeric(z["z"], errors="coerce")).dropna(subset="z")
    alerts = pd.read_parquet(folder / "alerts" / "ztf_alerts_real.parquet")
    table = alerts.merge(z.drop_duplicates("objectId"), on="objectId")
    table = table.sort_values("candidate.jd").drop_duplicates("objectId")
    fields = ("sgscore1", "distpsnr1", "sgmag1", "srmag1", "simag1")
    found = pd.DataFrame({name: table[f"candidate.{name}"] for name in fields})
    found = found.where(found > -900).assign(z=table["z"], sample=table["sample"])
    # Of two bands, the one that is missing.
    r = found["srmag1"].fillna(found["simag1"] + 0.3).fillna(found["sgmag1"] - 0.5)
    found = found.assign(r=r, g_r=(found["sgmag1"] - found["srmag1"]).fillna(0.45))
    good = (found["sgscore1"] <= 0.5) & r.notna() & (found["z"] > 0.001)
    return found[good].assign(modulus=lambda one: distance_modulus(one["z"].to_numpy()))


def residuals(table, columns):
    """Coefficients, and the residual of each object in a fit to the others."""
    design = np.column_stack([np.ones(len(table)), *columns])
    modulus = table["modulus"].to_numpy()
    inverse = np.linalg.pinv(design)
    leverage = np.einsum("ij,ji->i", design, inverse)
    return inverse @ modulus, (modulus - design @ (inverse @ modulus)) / (1 - leverage)


def main():
    """Print scatter, bias and outliers of several fits."""
    table = hosts(Path(os.environ.get("ZTFML_TEST_DATA", "shared/data")))
    r, g_r = table["r"].to_numpy() - 19, table["g_r"].clip(-0.2, 1.4).to_numpy() - 0.45
    offset = np.log10(table["distpsnr1"].clip(lower=0.3).to_numpy())
    fits = {"constant": [], "r": [r], "r, g-r": [r, g_r], "r, g-r, offset": [r, g_r, offset]}
    for name, columns in fits.items():
        coefficients, left = residuals(table, columns)
        print(
            f"{name:15} {len(table)} objects, scatter {left.std():.2f} mag, median "
            f"{np.median(left):+.2f}, beyond 3 mag {np.mean(np.abs(left) > 3):.0%}, coefficients "
            f"{coefficients.round(2).tolist()}"
        )
    from ztfml.ranking.photometric_distance import photometric_modulus

    error = table["modulus"] - photometric_modulus(table["r"], np.zeros(len(table)))
    for sample, part in error.groupby(table["sample"]):
        print(
            f"ztfml, {sample}: {len(part)} objects, bias {part.mean():+.2f}, {part.std():.2f} mag"
        )


if __name__ == "__main__":
    main()
