"""Alert packets written by hand, and readers of what `ingest` writes."""

import csv
import io
import tarfile

import fastavro
import pyarrow.parquet as pq

JD = 2459000.75


def field(name, kind):
    return {"name": name, "type": ["null", kind], "default": None}


PREVIOUS_FIELDS = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "diffmaglim": "float",
    "candid": "long",
    "isdiffpos": "string",
    "magpsf": "float",
    "sigmapsf": "float",
    "rb": "float",
    "pdiffimfilename": "string",
}
CANDIDATE_FIELDS = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "candid": "long",
    "isdiffpos": "string",
    "magpsf": "float",
    "sigmapsf": "float",
    "diffmaglim": "float",
    "ssdistnr": "float",
    "ssnamenr": "string",
    "objectidps1": "long",
    "drb": "float",
}
TOP_FIELDS = {
    "schemavsn": "string",
    "publisher": "string",
    "objectId": "string",
    "candid": "long",
    "cutoutScience": "bytes",
}


def avro_schema(top=TOP_FIELDS, candidate=CANDIDATE_FIELDS, previous=PREVIOUS_FIELDS, **extra):
    """Schema of a packet; by default a short version 3.3."""
    fields = [field(*item) for item in top.items()]
    record = {
        "type": "record",
        "name": "candidate",
        "fields": [field(*item) for item in candidate.items()],
    }
    fields.append({"name": "candidate", "type": record})
    if previous:
        items = {
            "type": "record",
            "name": "prv_candidate",
            "fields": [field(*item) for item in previous.items()],
        }
        fields.append(field("prv_candidates", {"type": "array", "items": items}))
    return {"type": "record", "name": "alert", "namespace": "ztf", "fields": fields, **extra}


def limit(days, pid, diffmaglim=20.5, fid=1):
    return {"jd": JD - days, "fid": fid, "pid": pid, "diffmaglim": diffmaglim}


def detection(days, pid, magpsf=19.0, candid=None, fid=1, rb=0.5):
    return {
        **limit(days, pid, fid=fid),
        "candid": candid if candid is not None else pid * 1000,
        "isdiffpos": "t",
        "magpsf": magpsf,
        "sigmapsf": 0.1,
        "rb": rb,
    }


def packet(candid=1234567890123456789, object_id="ZTF20aaaaaaa", previous=(), **candidate):
    return {
        "schemavsn": "3.3",
        "publisher": "ZTF",
        "objectId": object_id,
        "candid": candid,
        "cutoutScience": b"image",
        "candidate": {
            "jd": JD,
            "fid": 2,
            "pid": 7,
            "candid": candid,
            "isdiffpos": "t",
            "magpsf": 18.5,
            "sigmapsf": 0.1,
            "diffmaglim": 20.5,
            "ssdistnr": -999.0,
            "ssnamenr": "null",
            **candidate,
        },
        "prv_candidates": list(previous) or None,
    }


def avro(*packets, schema=None, codec="null"):
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema or avro_schema(), packets, codec=codec)
    return buffer.getvalue()


def write(path, *packets, **options):
    path.write_bytes(avro(*packets, **options))
    return path


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def alerts_of(output):
    return pq.read_table(output).to_pylist()


def history_of(output):
    path = output.with_name(f"{output.stem}_prv_candidates.parquet")
    return pq.read_table(path).to_pylist()


def skipped_of(summary):
    with open(summary.skipped_path, newline="") as file:
        return {row["file"].rsplit("/", 1)[1]: row["reason"] for row in csv.DictReader(file)}


def values(rows, name):
    return [row[name] for row in rows]
