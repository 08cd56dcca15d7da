"""The columns of forced photometry in files."""

import pyarrow as pa

from ztfml.schema import INDEXED_BY_OBJECT

FORCED_SCHEMA = pa.schema(
    [
        ("objectId", "string"), ("jd", "float64"), ("fid", "int32"), ("flux", "float64"),
        ("flux_err", "float64"), ("diffmaglim", "float32"), ("forcediffimflux", "float64"),
        ("forcediffimfluxunc", "float64"), ("magzpsci", "float32"), ("procstatus", "string"),
        ("pid", "int64"), ("programid", "int32"), ("field", "int32"), ("rcid", "int32"),
        ("rfid", "int64"),
    ],
    metadata=INDEXED_BY_OBJECT,
)  # fmt: skip
"""Columns of ``NAME_fp_hists.parquet``; `flux` and `flux_err` are in nJy."""
