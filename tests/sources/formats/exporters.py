"""Write the same twelve objects as each broker does, from the layouts that brokers document."""

import csv
import gzip
import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

MJD = 2400000.5
HISTORY = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos")
# The detections of ALeRCE, https://alerce.readthedocs.io/en/latest/models/detection.html.
ALERCE_FIELDS = (
    "fid", "pid", "diffmaglim", "isdiffpos", "nid", "ra", "dec", "magpsf", "sigmapsf", "magap",
    "sigmagap", "distnr", "rb", "drb", "magapbig", "sigmagapbig",
)  # fmt: skip
LASAIR_FIELDS = (
    "jd", "ra", "dec", "fid", "nid", "magpsf", "sigmapsf", "magnr", "sigmagnr", "isdiffpos",
    "ssdistnr", "ssnamenr", "drb",
)  # fmt: skip


def plain(value):
    """A value of Python, None if it is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def candidate_fields(alerts):
    return [name.removeprefix("candidate.") for name in alerts if name.startswith("candidate.")]


def objects_of(alerts, history):
    """Yield the name, the candid, the candidate and the earlier rows of each object."""
    for _, alert in alerts.iterrows():
        candidate = {name: plain(alert[f"candidate.{name}"]) for name in candidate_fields(alerts)}
        rows = history[history["objectId"] == alert["objectId"]]
        earlier = [{k: plain(row[k]) for k in HISTORY} for row in rows.to_dict("records")]
        yield alert["objectId"], int(alert["candid"]), candidate, earlier


def documents(alerts, history):
    """Documents of Kowalski: https://github.com/skyportal/kowalski."""
    return [
        {
            "_id": {"$oid": f"{candid:024x}"[-24:]},
            "schemavsn": "4.02",
            "publisher": "ZTF (www.ztf.caltech.edu)",
            "objectId": name,
            "candid": candid,
            "candidate": {**candidate, "candid": candid},
            "prv_candidates": earlier,
            "fp_hists": [],
            "coordinates": {"radec_str": ["0:0:0", "0:0:0"], "l": 10.0, "b": 20.0},
        }
        for name, candid, candidate, earlier in objects_of(alerts, history)
    ]


def kowalski(alerts, history, path):
    path.write_text(json.dumps(documents(alerts, history)))
    return path


def kowalski_data(alerts, history, path):
    """The answer of Fritz, gzipped."""
    answer = {"status": "success", "message": "", "data": documents(alerts, history)}
    with gzip.open(path, "wt") as file:
        json.dump(answer, file)
    return path


def kowalski_lines(alerts, history, path):
    """What mongoexport writes: one document per line, with long integers as text."""

    def long(value):
        if isinstance(value, dict):
            return {key: long(one) for key, one in value.items()}
        if isinstance(value, list):
            return [long(one) for one in value]
        is_long = isinstance(value, int) and abs(value) > 2**31
        return {"$numberLong": str(value)} if is_long else value

    path.write_text("\n".join(json.dumps(long(one)) for one in documents(alerts, history)))
    return path


def penquins(alerts, history, path):
    """The answer of penquins, by instance, with NaN as Python writes it."""
    nan = [{**one, "candidate": {k: math.nan if v is None else v
                                 for k, v in one["candidate"].items()}}
           for one in documents(alerts, history)]  # fmt: skip
    path.write_text(json.dumps({"default": {"status": "success", "data": nan}}))
    return path


def nested(alerts, history, path):
    """Fink's data transfer: structs and lists of structs."""
    rows = documents(alerts, history)
    for row in rows:
        del row["_id"], row["coordinates"], row["fp_hists"]
        row["cutoutScience"] = {"fileName": "a.fits.gz", "stampData": b"image"}
        row["prv_candidates"] = row["prv_candidates"] or None
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def nested_lists(alerts, history, path):
    """A struct of lists, as nested-pandas writes it, with large types and dictionaries."""
    rows = documents(alerts, history)
    table = pa.Table.from_pylist([{k: row[k] for k in ("candid", "candidate")} for row in rows])
    names = pa.array([row["objectId"] for row in rows], pa.large_string())
    lists = [{k: [one[k] for one in row["prv_candidates"]] for k in HISTORY} for row in rows]
    table = table.append_column("objectId", names.dictionary_encode())
    table = table.append_column("prv_candidates", pa.array(lists))
    pq.write_table(table, path)
    return path


def spark_folder(alerts, history, path):
    """Parts of a nested table as Spark writes them."""
    path.mkdir()
    (path / "_SUCCESS").touch()
    (path / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")
    half = len(alerts) // 2
    for k, part in enumerate((alerts[:half], alerts[half:])):
        nested(part, history, path / f"part-0000{k}-7f6c-c000.snappy.parquet")
    return path


def hive_folder(alerts, history, path):
    """Fink's partitions by time."""
    for k in range(3):
        part = path / "year=2024" / f"month=0{k + 1}"
        part.mkdir(parents=True)
        nested(alerts[k::3], history, part / "part-0-0.parquet")
    (path / "_metadata").write_bytes(b"PAR1")
    return path


def pair_parts(alerts, history, path):
    """Folders of parts in place of the two files of the pair."""
    for table, name in ((alerts, path.name), (history, f"{path.stem}_prv_candidates.parquet")):
        folder = path.with_name(name)
        folder.mkdir()
        for k in range(2):
            table[k::2].to_parquet(folder / f"part.{k}.parquet")
    return path


def bare(alerts):
    return alerts.rename(columns=lambda name: name.removeprefix("candidate.")).loc[
        :, lambda table: ~table.columns.duplicated()
    ]


def flat(alerts, history, path):
    bare(alerts).to_parquet(path)
    history.to_parquet(path.with_name(f"{path.stem}_prv_candidates.parquet"))
    return path


def flat_csv(alerts, history, path):
    bare(alerts).to_csv(path, index=False)
    history.to_csv(path.with_name(path.name.replace(".", "_prv_candidates.", 1)), index=False)
    return path


def prefixed_tsv(alerts, history, path):
    alerts.to_csv(path, index=False, sep="\t")
    history.to_csv(path.with_name(f"{path.stem}_prv_candidates.tsv"), index=False, sep="\t")
    return path


def semicolon_csv(alerts, history, path):
    """A spreadsheet in Europe: byte order mark, semicolons, decimal commas, CRLF, other order."""
    options = {"sep": ";", "decimal": ",", "index": False, "encoding": "utf-8-sig"}
    table = bare(alerts)
    table[table.columns[::-1]].to_csv(path, lineterminator="\r\n", **options)
    history.to_csv(path.with_name(f"{path.stem}_prv_candidates.csv"), **options)
    return path


def light_curve_csv(alerts, history, path):
    """One table of detections and limits; the missing values are written as NaN."""
    pd.concat([bare(alerts).astype({"candid": "Int64"}), history]).to_csv(
        path, index=False, na_rep="NaN"
    )
    return path


def feather(alerts, history, path):
    table = pa.Table.from_pandas(bare(alerts), preserve_index=False)
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    history.to_csv(path.with_name(f"{path.stem}_prv_candidates.csv"), index=False)
    return path


def fink_rows(alerts, history):
    """https://api.ztf.fink-portal.org: /api/v1/objects with withupperlim."""
    rows = []
    for name, candid, candidate, earlier in objects_of(alerts, history):
        first = {f"i:{key}": value for key, value in candidate.items()}
        first |= {
            "i:objectId": name,
            "i:candid": candid,
            "d:tag": "valid",
            "d:cdsxmatch": "Unknown",
        }
        rows.append(first)
        for k, row in enumerate(earlier):
            is_limit = row["magpsf"] is None
            tag = "upperlim" if is_limit else "badquality" if k % 2 else "valid"
            row = {f"i:{key}": value for key, value in row.items()}
            # Earlier alerts have a candid, rows of other tables have -1.
            own = candid - 1000 - k if tag == "valid" else -1
            rows.append({**row, "i:objectId": name, "i:candid": own, "d:tag": tag})
    names = dict.fromkeys(key for row in rows for key in row)
    return [{key: row.get(key) for key in names} for row in rows]


def fink_csv(alerts, history, path):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(fink_rows(alerts, history)[0]))
        writer.writeheader()
        writer.writerows(fink_rows(alerts, history))
    return path


def fink_json(alerts, history, path):
    path.write_text(json.dumps(fink_rows(alerts, history)))
    return path


def fink_parquet(alerts, history, path):
    pq.write_table(pa.Table.from_pylist(fink_rows(alerts, history)), path)
    return path


def alerce_objects(alerts, history):
    for name, candid, candidate, earlier in objects_of(alerts, history):
        detections, limits = [], []
        for k, row in enumerate([candidate, *earlier]):
            sign = {"t": 1, "f": -1, "1": 1, "0": -1}.get(row["isdiffpos"])
            mjd = row["jd"] - MJD
            if row["magpsf"] is None:
                limits.append({"tid": "ztf", "mjd": mjd, "fid": row["fid"],
                               "diffmaglim": row["diffmaglim"]})  # fmt: skip
                continue
            detections.append(
                {
                    "tid": "ztf",
                    "mjd": mjd,
                    "candid": str(candid if k == 0 else candid - 1000 - k),
                    **{field: row.get(field) for field in ALERCE_FIELDS},
                    "isdiffpos": sign,
                    "magpsf_corr": row["magpsf"] - 1.5,
                    "sigmapsf_corr": 0.01,
                    "corrected": True,
                    "dubious": False,
                    "parent_candid": None,
                    "has_stamp": k == 0 or k % 2 == 1,
                }
            )
        yield name, detections, limits


def alerce_list(alerts, history, path):
    found = [
        {"oid": name, "detections": detections, "non_detections": limits}
        for name, detections, limits in alerce_objects(alerts, history)
    ]
    path.write_text(json.dumps(found))
    return path


def alerce_dict(alerts, history, path):
    found = {
        name: {"detections": detections, "non_detections": limits, "forced_photometry": []}
        for name, detections, limits in alerce_objects(alerts, history)
    }
    path.write_text(json.dumps(found))
    return path


def alerce_folder(alerts, history, path):
    """One answer of query_lightcurve per object, which does not name the object."""
    path.mkdir()
    for name, detections, limits in alerce_objects(alerts, history):
        answer = {"detections": detections, "non_detections": limits}
        (path / f"{name}.json").write_text(json.dumps(answer))
    return path


def alerce_csv(alerts, history, path):
    """The client's DataFrames of all objects, with their index."""
    tables = ([], [])
    for name, *found in alerce_objects(alerts, history):
        for table, rows in zip(tables, found, strict=True):
            table += [{"oid": name, **row} for row in rows]
    pd.DataFrame(tables[0]).to_csv(path)
    pd.DataFrame(tables[1]).to_csv(path.with_name(f"{path.stem}_non_detections.csv"))
    return path


def alerce_csv_folder(alerts, history, path):
    """The client's DataFrames, one file per object and table, without the name of the object."""
    path.mkdir()
    for name, detections, limits in alerce_objects(alerts, history):
        pd.DataFrame(detections).to_csv(path / f"{name}_detections.csv", index=False)
        if limits:
            pd.DataFrame(limits).to_csv(path / f"{name}_non_detections.csv", index=False)
    return path


def lasair(alerts, history, path):
    """https://lasair-ztf.lsst.ac.uk/api: the object, with limits among the candidates."""
    found = []
    for name, candid, candidate, earlier in objects_of(alerts, history):
        rows = [{field: candidate.get(field) for field in LASAIR_FIELDS} | {"candid": candid}]
        for k, row in enumerate(earlier):
            if row["magpsf"] is None:
                row = {key: row[key] for key in ("jd", "fid", "diffmaglim")}
                rows.append({**row, "candid": None, "magpsf": row["diffmaglim"]})
            else:
                rows.append({**row, "candid": candid - 1000 - k})
        rows = [{**row, "mjd": row["jd"] - MJD} for row in rows]
        found.append({"objectId": name, "objectData": {"ncand": len(rows)}, "candidates": rows})
    path.write_text(json.dumps(found))
    return path


def boom(alerts, history, path):
    """https://api.kaboom.caltech.edu: fluxes in nJy, letters of bands, limits in their own list."""
    rows = documents(alerts, history)
    for row in rows:
        earlier = row.pop("prv_candidates")
        detections = [one for one in earlier if one["magpsf"] is not None]
        limits = [one for one in earlier if one["magpsf"] is None]
        row["prv_candidates"] = [boom_detection(one) for one in detections]
        row["prv_nondetections"] = [
            {
                "jd": one["jd"],
                "psfFluxErr": 10 ** (0.4 * (31.4 - one["diffmaglim"])) / 5,
                "band": "gri"[int(one["fid"]) - 1],
            }
            for one in limits
            if one["diffmaglim"] and one["diffmaglim"] > 0
        ]
        row["candidate"]["isdiffpos"] = row["candidate"]["isdiffpos"] in ("t", "1")
    path.write_text(json.dumps({"message": "found", "data": rows}))
    return path


def boom_detection(row):
    flux = 10 ** (0.4 * (31.4 - row["magpsf"]))
    sign = 1 if row["isdiffpos"] in ("t", "1") else -1
    return {
        "jd": row["jd"],
        "psfFlux": sign * flux,
        "psfFluxErr": flux * row["sigmapsf"] * math.log(10) / 2.5,
        "band": "gri"[int(row["fid"]) - 1],
    }


ALL_FIELDS = {
    "kowalski.json": kowalski,
    "fritz.json.gz": kowalski_data,
    "mongoexport.jsonl": kowalski_lines,
    "penquins.json": penquins,
    "nested.parquet": nested,
    "nested_lists.parquet": nested_lists,
    "spark": spark_folder,
    "hive": hive_folder,
    "dask.parquet": pair_parts,
    "flat.parquet": flat,
    "flat.csv": flat_csv,
    "flat.csv.gz": flat_csv,
    "prefixed.tsv": prefixed_tsv,
    "semicolon.csv": semicolon_csv,
    "light_curves.csv": light_curve_csv,
    "night.feather": feather,
    "fink.csv": fink_csv,
    "fink.json": fink_json,
    "fink.parquet": fink_parquet,
}
"""File names and exporters that keep all fields."""

SOME_FIELDS = {
    "alerce.json": (alerce_list, ALERCE_FIELDS),
    "alerce_by_name.json": (alerce_dict, ALERCE_FIELDS),
    "alerce_folder": (alerce_folder, ALERCE_FIELDS),
    "alerce_detections.csv": (alerce_csv, ALERCE_FIELDS),
    "alerce_csv_folder": (alerce_csv_folder, ALERCE_FIELDS),
    "lasair.json": (lasair, LASAIR_FIELDS),
}
"""File names, and exporters that keep these fields of the candidate."""
