"""Folders of files: parts of Spark and Dask, hive partitions, or one file per object."""

from __future__ import annotations

import logging
from pathlib import Path

from ztfml.errors import DataError
from ztfml.schema import FORCED_SUFFIX, GALAXIES_SUFFIX, HISTORY_SUFFIX, LABELS_SUFFIX
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import (
    data_files,
    read_forced_rows,
    read_history,
    with_history,
)
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.night_tables import NightTables, combine, concat_forced, stack

log = logging.getLogger(__name__)

_HISTORY_FOLDERS = ("prv_candidates", "history")
_FORCED_FOLDERS = ("fp_hists", "forced")


def _recognises(content: Content) -> bool:
    return content.kind == "folder" and bool(data_files(content.path))


def _read_tables(content: Content) -> NightTables:
    # The registry imports this module.
    from ztfml.sources.formats import recognise

    folder, parts, histories, forced, skipped = content.path, [], [], [], []
    for file in data_files(folder):
        if file.name.endswith((LABELS_SUFFIX + ".csv", GALAXIES_SUFFIX + ".parquet")):
            continue
        if _belongs_to(file, folder, HISTORY_SUFFIX, _HISTORY_FOLDERS):
            histories.append(read_history(file, content.all_columns))
            continue
        if _belongs_to(file, folder, FORCED_SUFFIX, _FORCED_FOLDERS):
            if content.all_columns:
                forced.append(read_forced_rows(file))
            continue
        part = Content(file, True, _partition_of(file, folder), content.all_columns)
        try:
            file_format = recognise(part)
        except DataError as error:
            skipped.append((file, str(error)))
            continue
        parts.append(file_format.read_tables(part))
    if not parts:
        raise DataError(_nothing_readable(folder, skipped, histories))
    if skipped:
        log.warning(
            "%s: %d of %d files are not alerts and are ignored (for example %s)",
            folder, len(skipped), len(skipped) + len(parts), skipped[0][0].name,
        )  # fmt: skip
    beside = NightTables("", history=stack(histories), forced=concat_forced(forced))
    combined = combine([*parts, beside], str(folder))
    has_history = len(combined.history) or len(combined.rows)
    return combined if has_history else with_history(combined, content)


def _belongs_to(file: Path, folder: Path, suffix: str, folders: tuple[str, ...]) -> bool:
    """Check whether a file, or a folder that it is in, is named as a history or the like."""
    names = [part.partition(".")[0] for part in file.relative_to(folder).parts]
    in_folder = any(name.lower() in folders for name in names[:-1])
    return in_folder or any(name.endswith(suffix) for name in names)


def _partition_of(file: Path, folder: Path) -> dict[str, str]:
    """Return the columns in the names of folders such as ``fid=1``."""
    pairs = (part.partition("=") for part in file.relative_to(folder).parts[:-1])
    return {key: value for key, equals, value in pairs if equals}


def _nothing_readable(folder, skipped, histories):
    if histories and not skipped:
        return f"{folder}: a folder of histories without alerts; add the file of the alerts"
    n_files, (file, reason) = len(skipped), skipped[0]
    reason = reason.removeprefix(f"{file}: ")
    return (
        f"{folder}: a folder of {n_files} files without alerts (the first, {file.name}: {reason})"
    )


FORMAT = Format(
    name="folder",
    description="a folder of such files, for example parquet parts of Spark",
    example="night_parts/",
    recognises=_recognises,
    read_tables=_read_tables,
)
