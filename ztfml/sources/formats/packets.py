"""Avro alert packets: one file, a tar archive, or a folder of both.

Packets become a night through the parquet pair that `ztfml.sources.ingest` writes, here in a
temporary folder.
"""

import logging
import tempfile
from pathlib import Path

import pandas as pd

from ztfml.io.companions import history_beside
from ztfml.night import Night
from ztfml.sources.archives import AVRO_MAGIC, find_files, is_tar
from ztfml.sources.formats.record import Format
from ztfml.sources.ingest import ingest

log = logging.getLogger(__name__)


def _recognises(path: Path, head: bytes) -> bool:
    if path.is_dir():
        return bool(find_files([path]))
    return head.startswith(AVRO_MAGIC) or is_tar(head)


def _read(path: Path) -> Night:
    with tempfile.TemporaryDirectory(prefix="ztfml-") as folder:
        pair = Path(folder) / "night.parquet"
        summary = ingest(path, pair)
        log.info(
            "%s: %d alerts from packets; to read them faster next time, run ztfml ingest %s "
            "-o NIGHT.parquet once",
            path, summary.n_alerts, path,
        )  # fmt: skip
        if summary.n_skipped:
            log.warning(
                "%s: skipped %d files that are not readable ZTF packets; ztfml ingest lists them",
                path, summary.n_skipped,
            )  # fmt: skip
        alerts, history = pd.read_parquet(pair), pd.read_parquet(history_beside(pair))
    return Night.from_frames(alerts, history, name=str(path))


FORMAT = Format(
    name="avro",
    description="avro alert packets: a file, a tar archive, or a folder of them",
    recognises=_recognises,
    read=_read,
)
