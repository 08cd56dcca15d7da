"""Time and memory of `ztfml features` for a million alerts in one file, and for a tenth of it.

Run as ``python -m tests.benchmarks.million``. The nights repeat a small simulated night with other
names; histories are cut to their last ten rows, like those of packets.
"""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.inputs import FOLDER, history_of
from tests.benchmarks.timing import machine, run, run_module

N_ALERTS = (100_000, 1_000_000)
ROWS_EACH = 10
_OF_ONE = 5000
_MAX_GB = 4.0


def main():
    """Make the nights, measure them, and check time and memory."""
    FOLDER.mkdir(exist_ok=True)
    print(f"{machine()}.")
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        night, out = Path(folder) / "night.parquet", Path(folder) / "features.parquet"
        command = [sys.executable, "-m", "ztfml", "features", night, "-o", out]
        run_module("million", str(night), str(_OF_ONE))
        run(command)  # compiles what is not compiled yet
        done = {}
        for n_alerts in N_ALERTS:
            run_module("million", str(night), str(n_alerts))
            done[n_alerts] = run(command)
            each = 1e6 * done[n_alerts].seconds / n_alerts
            print(
                f"{n_alerts:,} alerts: {done[n_alerts].seconds:.1f} s, {each:.1f} µs per alert, "
                f"peak {done[n_alerts].memory:.2f} GB",
                flush=True,
            )
    tenth, million = done.values()
    if million.memory > _MAX_GB or million.seconds > 10 * tenth.seconds:
        raise SystemExit(f"more than {_MAX_GB:g} GB, or more than ten times the time of a tenth")


def make(night, n_alerts):
    """Write a night of many alerts: repeated copies of a small one."""
    import pyarrow.parquet as pq

    from ztfml.simulate import write_nights

    night = Path(night)
    with tempfile.TemporaryDirectory(dir=night.parent) as folder:
        (small,) = write_nights(Path(folder), _OF_ONE, seed=3)
        tables = {
            night: pq.read_table(small),
            history_of(night): _latest_rows(pq.read_table(history_of(small))),
        }
    for path, table in tables.items():
        with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
            for copy in range(n_alerts // _OF_ONE):
                writer.write_table(_renamed(table, copy))


def _latest_rows(history):
    """The last rows of each object; the simulated history is sorted by object and time."""
    import numpy as np

    code = history["objectId"].combine_chunks().indices.to_numpy()
    last = np.append(np.flatnonzero(np.diff(code)), len(code) - 1)
    runs = np.diff(last, prepend=-1)
    left = np.repeat(last, runs) - np.arange(len(code))
    return history.take(np.flatnonzero(left < ROWS_EACH))


def _renamed(table, copy):
    """The table with unique object names and candids."""
    import pyarrow as pa
    import pyarrow.compute as pc

    position = table.schema.get_field_index("objectId")
    field = table.schema.field(position)
    names = pc.binary_join_element_wise(table["objectId"].cast(pa.string()), f"x{copy}", "")
    table = table.set_column(position, field, names.cast(field.type))
    if "candid" in table.column_names:
        position = table.schema.get_field_index("candid")
        number = pc.add(table["candid"], copy * 10**12)
        table = table.set_column(position, table.schema.field(position), number)
    return table


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make(sys.argv[1], int(sys.argv[2]))
    else:
        main()
