"""Avro alert packets: one file, a tar archive, or a folder of both.

Packets become a night through the parquet pair that `ztfml.sources.ingest` writes, here in a
temporary folder.
"""

import logging
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from ztfml.io.companions import forced_beside, history_beside
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.io.temporary import temporary_beside
from ztfml.sources.archives import AVRO_MAGIC, PACKET_SUFFIXES, find_files, find_schemas, is_tar
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import rename_columns, without_prefix
from ztfml.sources.tables.night_tables import NightTables

log = logging.getLogger(__name__)


def _recognises(content: Content) -> bool:
    if content.kind == "folder":
        return bool(find_files([content.path]))
    if content.head.startswith(AVRO_MAGIC) or is_tar(content.head):
        return True
    # A message without schema; its schema is beside it.
    is_named_packet = content.path.name.endswith(PACKET_SUFFIXES)
    return is_named_packet and bool(find_schemas(content.path.parent))


def _read_tables(content: Content) -> NightTables:
    # Imported here, because fastavro takes as long to load as the readers of all other formats.
    from ztfml.sources.ingest import ingest

    path = content.path
    with temporary_beside(Path(tempfile.gettempdir()) / "ztfml", is_folder=True) as folder:
        pair = folder / "night.parquet"
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
        files = (pair, history_beside(pair), forced_beside(pair))
        alerts, history, forced = (pq.read_table(f) if f.exists() else None for f in files)
    return NightTables(
        str(path),
        rename_columns(alerts, str(path)),
        without_prefix(rename_columns(history, str(path))),
        forced=FORCED_SCHEMA.empty_table() if forced is None else forced,
    )


FORMAT = Format(
    name="avro",
    description="avro alert packets: a file, a tar archive, or a folder of them",
    example="ztf_public_20240601.tar.gz",
    recognises=_recognises,
    read_tables=_read_tables,
    contains_history=True,
)
