"""Convert alerts in any format to the parquet pair."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ztfml.errors import DataError
from ztfml.io.companions import forced_beside, history_beside
from ztfml.io.output_paths import refuse_inputs
from ztfml.sources.archives import ARCHIVE_SUFFIXES, AVRO_MAGIC, gunzip_head, is_tar
from ztfml.sources.ingest import IngestSummary, ingest
from ztfml.sources.packet_night import night_files

if TYPE_CHECKING:
    from ztfml.sources.formats.record import Format

_PACKET_SUFFIXES = (".avro", ".avro.gz", *ARCHIVE_SUFFIXES)


def convert(
    paths: str | Path | Iterable[str | Path], output: str | Path, cutouts: bool = False
) -> IngestSummary:
    """Write alerts in any format as the parquet pair of a night.

    Packets alone are streamed, see `ztfml.sources.ingest.ingest`. Other formats, and mixtures,
    are combined: each candid and each exposure is written once. The columns that ztfml uses are
    written in the units and spellings of packets, all other columns unchanged.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files and folders in any of `ztfml.sources.formats.FORMATS`.
    output : str or Path
        The file of the alerts, ``NIGHT.parquet``. The history goes to
        ``NIGHT_prv_candidates.parquet``.
    cutouts : bool
        Also write the image cutouts of packets.

    Returns
    -------
    IngestSummary

    Raises
    ------
    DataError
        If an input cannot be read, an output is also an input, or the output cannot be written.

    Examples
    --------
    >>> convert("night.parquet", "copy.parquet").n_alerts
    300
    """
    inputs = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    output = Path(output)
    outputs = [output, history_beside(output), forced_beside(output)]
    if all(_is_packet(path) for path in inputs):
        refuse_inputs(outputs, inputs)
        return ingest(inputs, output, cutouts)
    # Imported here because the readers of tables take 0.7 s, as long as 500 packets.
    from ztfml.sources.formats import FORMATS
    from ztfml.sources.tables.content import Content
    from ztfml.sources.tables.night_tables import combine, rows_of_alerts_as_history
    from ztfml.sources.tables.write_pair import write_pair

    formats = {path: _format_of(path) for path in inputs}
    others = [path for path, one in formats.items() if one is not None and one.name != "avro"]
    # A folder of packets may contain the output, which is not a packet.
    refuse_inputs(
        [output, history_beside(output), forced_beside(output)],
        [p for p in inputs if p.is_file() or p in others],
    )
    if not others:
        return ingest(inputs, output, cutouts)
    if output.suffix != ".parquet":
        raise DataError(f"{output}: the output is a parquet file; name it NIGHT.parquet")
    if cutouts:
        raise DataError(f"{others[0]}: contains no cutouts; convert it without --cutouts")
    parts = [
        (one or FORMATS["avro"]).read_tables(Content(path, all_columns=True))
        for path, one in formats.items()
    ]
    parts = [part.resolve() for part in rows_of_alerts_as_history(parts)]
    n_read = sum(len(part.alerts) for part in parts)
    name = str(inputs[0]) if len(inputs) == 1 else f"{inputs[0]} and {len(inputs) - 1} more"
    combined = parts[0] if len(parts) == 1 else combine(parts, name)
    # Skipped files of an earlier run do not belong to this night.
    night, n_history = write_pair(combined.complete(), *night_files(output))
    n_repeated = n_read - len(combined.alerts)
    n_forced = len(combined.forced)
    return IngestSummary(len(inputs), len(night), n_repeated, 0, n_history, 0, None, n_forced)


def _is_packet(path: Path) -> bool:
    """Check whether a file is a packet or an archive, without the readers of other formats."""
    try:
        with open(path, "rb") as file:
            head = gunzip_head(file.read(4096))
    except OSError:
        return False  # A folder, or absent.
    return head.startswith(AVRO_MAGIC) or is_tar(head)


def _format_of(path: Path) -> Format | None:
    """Return the format, or None for a damaged packet, which `ingest` lists as skipped."""
    from ztfml.sources.formats import recognise
    from ztfml.sources.tables.content import Content

    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder; name files of alerts")
    try:
        return recognise(Content(path))
    except DataError:
        if path.is_dir() or path.name.endswith(_PACKET_SUFFIXES):
            return None
        raise
