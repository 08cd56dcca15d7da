"""Fit distances to the PS1 magnitudes of hosts with spectroscopic redshifts.

Run with ``python -m tests.benchmarks.photometric_redshift``; it needs the folder of real data.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus
from ztfml.ranking.photometric_distance import typical_modulus

PEAK_IA = -19.1
"""Absolute magnitude at peak in g and r of a type Ia supernova with typical dust; it scatters by
0.4 mag."""


def hosts(folder):
    """PS1 fields and distance moduli of hosts, one row per object."""
    light_curves = folder / "lightcurves"
    bts = pd.read_csv(light_curves / "lc_bts_snia_antares_labels.csv", low_memory=False)
    alerce = pd.read_csv(light_curves / "lc_alerce_tns_upload_labels.csv", low_memory=False)
    z = pd.concat(
        [
            bts[["objectId", "redshift"]].set_axis(["objectId", "z"], axis=1),
            alerce[["objectId", "host_z"]].set_axis(["objectId", "z"], axis=1),
        ]
    )
    z = z.assign(z=pd.to_numeric(z["z"], errors="coerce")).dropna(subset="z")
    alerts = pd.read_parquet(folder / "alerts" / "ztf_alerts_real.parquet")
    table = alerts.merge(z.drop_duplicates("objectId"), on="objectId")
    table = table.sort_values("candidate.jd").drop_duplicates("objectId")
    found = _host_fields(table).assign(z=table["z"].to_numpy(), sample="redshift")
    found = found[_is_usable(found) & (found["z"] > 0.001)]
    return found.assign(modulus=distance_modulus(found["z"].to_numpy()))


def supernova_hosts(folder):
    """PS1 fields of hosts of SNe Ia, and distance moduli from the peaks of their light curves."""
    labels = pd.read_csv(folder / "object_labels.csv", low_memory=False)
    is_ia = labels["fine_class"].astype(str).str.contains("Ia") & ~labels["fine_class"].astype(
        str
    ).str.contains("CSM|02cx|Iax")
    alerts = pd.read_parquet(folder / "alerts" / "ztf_alerts_real.parquet")
    alerts = alerts[alerts["objectId"].isin(labels.loc[is_ia, "objectId"])]
    columns = ["objectId", "jd", "magpsf"]
    history = folder / "alerts" / "ztf_alerts_real_prv_candidates.parquet"
    parts = [
        pd.read_parquet(history).reset_index()[columns],
        alerts.rename(columns=lambda name: name.removeprefix("candidate."))[columns],
    ]
    for name in ("lc_mramirezz", "lc_bts_snia_antares"):
        parts.append(pd.read_parquet(folder / "lightcurves" / f"{name}.parquet", columns=columns))
    points = pd.concat(parts).dropna()
    points = points[points["objectId"].isin(alerts["objectId"])].sort_values("magpsf")
    curves = points.groupby("objectId")
    to_peak = curves["jd"].first() - curves["jd"].min()
    length = curves["jd"].max() - curves["jd"].min()
    covered = (to_peak > 4) & (to_peak < length - 5) & (length > 15)
    # The third percentile is safer against single bright points than the minimum.
    modulus = curves["magpsf"].quantile(0.03) - PEAK_IA
    table = _host_fields(alerts.sort_values("candidate.jd").drop_duplicates("objectId"))
    table = table.assign(modulus=table.index.map(modulus), sample="SN Ia")
    return table[_is_usable(table) & table.index.map(covered).to_numpy(bool)]


def _host_fields(table):
    fields = ("sgscore1", "distpsnr1", "sgmag1", "srmag1", "simag1", "szmag1")
    values = {name: table[f"candidate.{name}"].to_numpy() for name in fields}
    found = pd.DataFrame(values, index=table["objectId"])
    found = found.where(found > -900)
    # Of two bands, the one that is missing.
    r = found["srmag1"].fillna(found["simag1"] + 0.3).fillna(found["sgmag1"] - 0.5)
    g_r = (found["sgmag1"] - found["srmag1"]).clip(-0.5, 2.0).fillna(0.5)
    r_i = (found["srmag1"] - found["simag1"]).clip(-0.5, 1.0).fillna(0.3)
    i_z = (found["simag1"] - found["szmag1"]).clip(-0.5, 1.0).fillna(0.2)
    return found.assign(r=r, g_r=g_r, r_i=r_i, i_z=i_z)


def _is_usable(table):
    return (table["sgscore1"] <= 0.5) & table["r"].notna() & (table["distpsnr1"] <= 10)


def residuals(table, columns):
    """Coefficients, and the residual of each object in a fit to the others."""
    design = np.column_stack([np.ones(len(table)), *columns])
    modulus = table["modulus"].to_numpy()
    inverse = np.linalg.pinv(design)
    leverage = np.einsum("ij,ji->i", design, inverse)
    return inverse @ modulus, (modulus - design @ (inverse @ modulus)) / (1 - leverage)


def main():
    """Print the scatter of several fits for both samples."""
    folder = Path(os.environ.get("ZTFML_TEST_DATA", "shared/data"))
    with_redshift, supernovae = hosts(folder), supernova_hosts(folder)
    supernovae = supernovae[~supernovae.index.isin(with_redshift.index)]
    for table in (with_redshift, supernovae, pd.concat([with_redshift, supernovae])):
        r = table["r"].to_numpy() - 19
        colours = [table[name].to_numpy() for name in ("g_r", "r_i", "i_z")]
        offset = np.log10(table["distpsnr1"].clip(lower=0.3).to_numpy())
        fits = {
            "constant": [],
            "r": [r],
            "r, g-r": [r, colours[0]],
            "r, g-r, r-i, i-z": [r, *colours],
            "r, offset": [r, offset],
        }
        print(", ".join(sorted(set(table["sample"]))))
        for name, columns in fits.items():
            coefficients, left = residuals(table, columns)
            print(
                f"  {name:17} {len(table)} hosts, scatter {left.std():.2f} mag, median "
                f"{np.median(left):+.2f}, beyond 3 mag {np.mean(np.abs(left) > 3):.0%}, "
                f"coefficients {coefficients.round(2).tolist()}"
            )
        error = table["modulus"] - typical_modulus(table["r"], np.zeros(len(table)))
        print(f"  ztfml: {error.count()} hosts, bias {error.mean():+.2f}, {error.std():.2f} mag")


if __name__ == "__main__":
    main()
