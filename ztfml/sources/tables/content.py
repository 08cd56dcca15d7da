"""What a file or folder contains, found without reading more than necessary."""

from __future__ import annotations

import zlib
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.gunzip import GZIP_MAGIC, gunzip
from ztfml.io.limits import MAX_TEXT_BYTES
from ztfml.io.parquet import READ_OPTIONS, open_parquet
from ztfml.io.regular import refuse_pipe
from ztfml.sources.archives import gunzip_head
from ztfml.sources.tables.documents import CUTOUTS, read_documents, rows_to_table
from ztfml.sources.tables.names import canonical_name, nested_name
from ztfml.sources.tables.text import decode, read_text_table, text_header

_HEAD_BYTES = 65536
_PARQUET_MAGIC = b"PAR1"
_ARROW_MAGIC = b"ARROW1"


class Content:
    """A file or folder, and what was read from it.

    Parameters
    ----------
    path : str or Path
    in_folder : bool
        Whether it is read as a part of a folder, together with the other files there.
    partition : dict of str to str, optional
        Columns whose values are in the name of the folder, as in ``fid=1/part-0.parquet``.
    all_columns : bool
        Whether to read also the columns that ztfml does not use.

    Examples
    --------
    >>> content = Content("night_labels.csv")
    >>> content.kind, content.names[:2]
    ('text', ['candid', 'objectId'])
    """

    def __init__(
        self,
        path: str | Path,
        in_folder: bool = False,
        partition: dict[str, str] | None = None,
        all_columns: bool = False,
    ) -> None:
        self.path = Path(path)
        self.in_folder = in_folder
        self.all_columns = all_columns
        self._partition = partition or {}

    @cached_property
    def head(self) -> bytes:
        """The first bytes, decompressed if the file is gzipped; empty for a folder."""
        if self.path.is_dir():
            return b""
        refuse_pipe(self.path)
        try:
            with open(self.path, "rb") as file:
                return gunzip_head(file.read(_HEAD_BYTES), _HEAD_BYTES)
        except OSError as error:
            raise DataError(
                f"{self.path}: cannot be opened ({error.strerror}); check its permissions"
            ) from error

    @property
    def is_gzipped(self) -> bool:
        """Whether the file is gzipped."""
        with open(self.path, "rb") as file:
            return file.read(2) == GZIP_MAGIC

    @cached_property
    def kind(self) -> str:
        """One of 'folder', 'parquet', 'arrow', 'json', 'html', 'xml', 'text' and 'other'."""
        if self.path.is_dir():
            return "folder"
        if self.head.startswith(_PARQUET_MAGIC):
            return "parquet"
        if self.head.startswith(_ARROW_MAGIC):
            return "arrow"
        text = (decode(self.head) or "").lstrip()
        if text[:1] in ("{", "["):
            return "json"
        start = text[:200].lower()
        if start.startswith(("<!doctype html", "<html")):
            return "html"
        if start.startswith("<"):
            return "xml"
        return "text" if text else "other"

    @cached_property
    def schema(self) -> pa.Schema | None:
        """The schema of a parquet or Arrow file."""
        if self.kind == "parquet":
            return open_parquet(self.path).schema_arrow
        return self._arrow_file.schema if self.kind == "arrow" else None

    @cached_property
    def names(self) -> list[str]:
        """The columns of a table, or the keys of documents."""
        names = [nested_name(name) or name for name in self._names_in_file]
        return [*names, *(key for key in self._partition if key not in names)]

    @cached_property
    def _names_in_file(self):
        if self.schema is not None:
            return list(self.schema.names)
        if self.kind == "json":
            return list({key: None for one in self.documents[:1000] for key in one})
        return text_header(self.head)[0] if self.kind == "text" else []

    @cached_property
    def documents(self) -> list[dict]:
        """The documents of a JSON file."""
        return read_documents(self.path, self._whole)

    def read_table(self) -> pa.Table:
        """Read the columns that ztfml uses, or all of them."""
        table = self._read_file()
        table = table.rename_columns([nested_name(name) or name for name in table.column_names])
        for key, value in self._partition.items():
            if key not in table.column_names:
                table = table.append_column(key, pa.array([value] * len(table), pa.string()))
        return table

    def _read_file(self):
        if self.kind == "json":
            return rows_to_table(self.documents, self.all_columns)
        if self.kind == "text":
            table = read_text_table(self.path, self._whole)
            return table if self.all_columns else _select(table, self._wanted(table.column_names))
        wanted = self._wanted(self._names_in_file)
        index = self._unnamed_index
        if index and "objectId" not in map(canonical_name, wanted) and index not in wanted:
            wanted.append(index)
        try:
            if self.kind == "parquet":
                table = pq.ParquetFile(self.path, **READ_OPTIONS).read(columns=wanted)
            else:
                table = _select(self._arrow_file.read_all(), wanted)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.path}: the file is damaged or truncated; write or download it again"
            ) from error
        if "objectId" in map(canonical_name, table.column_names):
            return table
        return table.rename_columns(
            ["objectId" if name == index else name for name in table.column_names]
        )

    def _wanted(self, names):
        if self.all_columns:
            return [name for name in names if not name.startswith(CUTOUTS)]
        return [name for name in names if canonical_name(name) or nested_name(name)]

    @property
    def _unnamed_index(self):
        """The name of an unnamed pandas index that contains text."""
        is_index = (name for name in self._names_in_file if name.startswith("__index_level_"))
        return next((n for n in is_index if "string" in str(self.schema.field(n).type)), None)

    @cached_property
    def _arrow_file(self):
        try:
            return pa.ipc.open_file(pa.memory_map(str(self.path)))
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.path}: not a readable Arrow file; write or download it again"
            ) from error

    @property
    def _whole(self):
        try:
            with open(self.path, "rb") as file:
                return gunzip(file.read(), MAX_TEXT_BYTES)
        except (OSError, EOFError, zlib.error, DataError) as error:
            raise DataError(
                f"{self.path}: cannot be decompressed ({error}); download it again"
            ) from error


def _select(table, names):
    """Select columns by name, also columns that have the same name."""
    return table.select([k for k, name in enumerate(table.column_names) if name in set(names)])
