"""The parquet pair: ``NAME.parquet`` with alerts, ``NAME_prv_candidates.parquet`` with history."""

from pathlib import Path

from ztfml.night import Night
from ztfml.sources.formats.record import Format

_MAGIC = b"PAR1"


def _recognises(path: Path, head: bytes) -> bool:
    # A damaged file with this suffix gets the error message of the parquet reader.
    return not path.is_dir() and (head.startswith(_MAGIC) or path.suffix == ".parquet")


FORMAT = Format(
    name="parquet",
    description="a parquet file of alerts, with NAME_prv_candidates.parquet beside it",
    recognises=_recognises,
    read=Night.load,
    read_alerts=Night.load_alerts,
    read_with_history=Night.load,
)
