"""The bare read, the reference for all timings: ``python -m tests.benchmarks.bare NIGHT``."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.benchmarks.inputs import history_of
from ztfml.schema import ALERT_COLUMNS, HISTORY_COLUMNS


def bare_read(night):
    """Read the columns that ztfml reads of both files, with pyarrow only."""
    for path, columns in ((night, ALERT_COLUMNS), (history_of(night), HISTORY_COLUMNS)):
        names = set(pq.read_schema(path).names)
        wanted = [column.in_file for column in columns if column.in_file in names]
        pq.read_table(path, columns=wanted, read_dictionary=["objectId", "isdiffpos"])


if __name__ == "__main__":
    bare_read(Path(sys.argv[1]))
