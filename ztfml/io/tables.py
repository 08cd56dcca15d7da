"""Read catalogues in all common formats: parquet, FITS, VOTable, CSV, VizieR TSV, CDS.

Catalogues can have millions of rows, so `open_table` reads only the column names, and
`read_table` reads the columns that are needed.
"""

import csv
import gzip
import io
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from ztfml.errors import DataError
from ztfml.io.limits import MAX_FITS_COLUMNS, MAX_TEXT_COLUMNS
from ztfml.io.parquet import open_parquet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableFile:
    """An open table file.

    Parameters
    ----------
    path : Path
    names : tuple of str
        Names of the columns in the file.
    read : callable
        A function of a list of names that returns a DataFrame with these columns.
    units : mapping of str to str
        The units of the columns for which the file gives them, as it writes them.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[list[str]], pd.DataFrame]
    units: Mapping[str, str] = field(default_factory=dict)


def open_table(path: str | Path) -> TableFile:
    """Open a table; its format follows from the suffix.

    Parameters
    ----------
    path : str or Path
        ``.parquet``; ``.fits``; ``.vot`` or ``.xml`` (VOTable); ``.ecsv``; ``.tbl`` (IPAC);
        ``.dat`` (CDS fixed width, with its ``ReadMe`` in the same folder, or a machine-readable
        table of ApJ and AJ); ``.csv``, ``.tsv`` or ``.txt`` with commas, tabs, semicolons,
        vertical bars or spaces, also with the comments, units and dashes of VizieR. Text files may
        be compressed: ``.gz``, or ``.zip`` with a single file.

    Returns
    -------
    TableFile

    Raises
    ------
    DataError
        If the file does not exist, or cannot be read in the format of its suffix.

    Examples
    --------
    >>> open_table("night_labels.csv").names
    ('candid', 'objectId', 'label', 'evidence', 'confidence')
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; use the path of a catalogue")
    suffix = Path(path.name.removesuffix(".gz").removesuffix(".zip")).suffix.lower()
    opener = _FORMATS.get(suffix)
    if opener is None:
        raise DataError(
            f"{path}: the suffix must be one of {', '.join(_FORMATS)}; rename or convert the file"
        )
    try:
        return opener(path)
    except DataError:
        raise
    except Exception as error:  # Readers raise many kinds of errors on damaged files.
        raise _unreadable(path, error) from error


def read_table(table: TableFile, names: list[str]) -> pd.DataFrame:
    """Read columns of an open table.

    Parameters
    ----------
    table : TableFile
    names : list of str

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If the file is damaged.

    Examples
    --------
    >>> labels = read_table(open_table("night_labels.csv"), ["objectId", "label"])
    >>> labels.columns.tolist(), len(labels)
    (['objectId', 'label'], 300)
    """
    for name in names:
        if table.names.count(name) > 1:
            raise DataError(
                f"{table.path}: {table.names.count(name)} columns have the name {name}; keep one "
                "of them"
            )
    try:
        frame = table.read(names)
    except Exception as error:
        raise _unreadable(table.path, error) from error
    for name, dtype in frame.dtypes.items():
        if dtype == np.dtype(object):  # The others cannot hold bytes.
            frame[name] = frame[name].map(_as_text)
    return frame


def _as_text(value):
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def _unreadable(path, error):
    first = (str(error).strip() or type(error).__name__).split("\n")[0]
    return DataError(f"{path}: cannot be read as a table ({first}); write or download it again")


def _open_parquet(path):
    file = open_parquet(path)
    schema = file.schema_arrow
    units = _astropy_units((schema.metadata or {}).get(b"table_meta_yaml"))
    return TableFile(path, tuple(schema.names), lambda names: file.read(names).to_pandas(), units)


def _astropy_units(text):
    """The units that astropy writes to the metadata of a parquet file."""
    if text is None:
        return {}
    from astropy.table.meta import get_header_from_yaml

    try:
        columns = get_header_from_yaml(text.decode().split("\n"))["datatype"]
        return {column["name"]: str(column["unit"]) for column in columns if column.get("unit")}
    except Exception:  # Units are missing then, as in most parquet files.
        return {}


def _open_fits(path):
    from astropy.io import fits

    # Not memory-mapped: a file that shrinks while it is read would end the process.
    with fits.open(path, memmap=False) as hdus:
        found = [k for k, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU)]
        if not found:
            raise DataError(f"{path}: contains no table; use a FITS file with a binary table")
        n_columns = hdus[found[0]].header.get("TFIELDS")
        if not isinstance(n_columns, int) or not 0 < n_columns <= MAX_FITS_COLUMNS:
            raise DataError(
                f"{path}: the FITS header declares {n_columns} columns, more than the "
                f"{MAX_FITS_COLUMNS} of the standard or none; download it again"
            )
        columns = hdus[found[0]].columns
        names = tuple(name or "" for name in columns.names)
        units = {column.name: column.unit for column in columns if column.unit}
        nulls = {column.name: column.null for column in columns if column.null is not None}
        n_bytes = hdus[found[0]].size
        if not path.name.lower().endswith(".gz") and n_bytes > path.stat().st_size:
            raise DataError(
                f"{path}: the FITS header declares {n_bytes:,} bytes of data, more than the file "
                "has; download it again"
            )

    def read(wanted):
        with fits.open(path, memmap=False) as hdus:
            data = hdus[found[0]].data
            return pd.DataFrame({name: _native(data[name], nulls.get(name)) for name in wanted})

    return TableFile(path, names, read, units)


def _native(values, null=None):
    """Convert bytes to text, and numbers to the byte order of this machine, for pandas."""
    if values.dtype.kind == "S":
        return np.char.decode(np.asarray(values), "utf-8", "replace")
    if values.dtype.kind in "iu" and null is not None and (values == null).any():
        numbers = pd.Series(values.astype(values.dtype.newbyteorder("=")))
        return numbers.astype("Int64").mask(numbers == null)
    return values.astype(values.dtype.newbyteorder("=")) if values.dtype.kind != "U" else values


def _open_astropy(format_name):
    def opened(path):
        from astropy.table import Table

        if format_name == "votable":
            opener = gzip.open if path.name.lower().endswith(".gz") else open
            with opener(path, "rb") as file:
                refuse_links(file, str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about units and versions that do not matter here
            table = Table.read(path, format=format_name)
        units = {name: str(table[name].unit) for name in table.colnames if table[name].unit}
        return TableFile(path, tuple(table.colnames), lambda names: table[names].to_pandas(), units)

    return opened


def refuse_links(file: BinaryIO, name: str) -> None:
    """Raise an error if a VOTable contains a link to its data.

    astropy would open the link: any address on the network, or any file of this computer.

    Parameters
    ----------
    file : binary file
    name : str
        For the error message.

    Raises
    ------
    DataError
        If an element STREAM has the attribute href, or the file is not XML.

    Examples
    --------
    >>> refuse_links(io.BytesIO(b"<VOTABLE/>"), "stars.vot")
    >>> refuse_links(io.BytesIO(b"<STREAM href='file:///dev/zero'/>"), "stars.vot")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: stars.vot: its data are a link (file:///dev/zero); save the VOTable ...
    """
    from xml.parsers import expat

    def refuse(tag, attributes):
        if tag.rpartition(":")[2] == "STREAM" and "href" in attributes:
            raise DataError(
                f"{name}: its data are a link ({attributes['href'][:80]}); save the VOTable again "
                "with the data inside"
            )

    parser = expat.ParserCreate()
    parser.StartElementHandler = refuse
    try:
        parser.ParseFile(file)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{name}: not a VOTable ({error}); download it again") from error


# --- delimited text --------------------------------------------------------------------

_DELIMITERS = ("\t", "|", ";", ",")
# VizieR writes about 50 lines of comments, and TNS a date, before the header.
_HEAD_LINES = 500
# Tables of ApJ and AJ contain the description of their columns.
_IN_MRT = "byte-by-byte description of file"
_QUOTED = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"^\s*[+-]?\d*\.?\d+\s*$")
# Cells of a row of units, in lower case.
_UNITS = {
    "deg", "degree", "degrees", "°", "rad", "radian", "radians", "h", "hr", "hour", "hours",
    "hourangle", "h:m:s", "d:m:s", "hms", "dms", "mas", "arcsec", "mag", "mas/yr", "mas.yr**-1",
    "mas/year", "arcsec/yr", "mas yr-1", "mas.yr-1",
}  # fmt: skip


def _open_delimited(path):
    encoding = _encoding(path)
    head = _head_of(path, encoding)
    if _describes_itself(head):
        return _open_astropy("ascii.mrt")(path)
    kept = [k for k, line in enumerate(head) if line.strip() and not _is_comment(line)][:10]
    if not kept:
        raise DataError(f"{path}: contains no table; add a header and rows")
    if not any(delimiter in head[k] for k in kept for delimiter in _DELIMITERS):
        return _open_spaced(path, encoding, head, kept)
    delimiter, header = _find_layout(head, kept)
    if head[header].count(delimiter) >= MAX_TEXT_COLUMNS:
        raise DataError(
            f"{path}: has more than {MAX_TEXT_COLUMNS:,} columns; keep only those in use"
        )
    header = _commented_header(head, header, delimiter)
    options = {"sep": delimiter, "skiprows": header, "skipinitialspace": True}
    options |= {"dtype": str, "keep_default_na": False, "encoding_errors": "replace"}
    options |= {"skip_blank_lines": True, "index_col": False, "on_bad_lines": "warn"}
    options |= {"encoding": encoding}
    in_file = list(pd.read_csv(path, nrows=0, **options).columns)
    # As in the file, because pandas renames repeated columns.
    text = next(csv.reader([head[header]], delimiter=delimiter, skipinitialspace=True))
    names = tuple(name.strip() for name in text)
    if len(names) != len(in_file):
        names = tuple(name.strip() for name in in_file)
    if head[header].startswith("#") and len(names) > 1:
        names = (names[0].lstrip("# "), *names[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        units, below = _units_below(pd.read_csv(path, nrows=3, **options))

    def read(wanted):
        columns = [in_file[names.index(name)] for name in wanted]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", pd.errors.ParserWarning)
            frame = pd.read_csv(path, usecols=columns, **options)[columns]
        _report_omitted_lines(path, caught)
        frame.columns = wanted
        frame = frame.iloc[below:]
        frame = frame[~frame.iloc[:, 0].str.startswith("#", na=False)]
        return frame.apply(lambda column: column.str.strip()).reset_index(drop=True)

    return TableFile(path, names, read, dict(zip(names, units, strict=False)))


def _open_spaced(path, encoding, head, kept):
    """Open text with spaces between the columns; the header may be a comment."""
    rows = [next(csv.reader([head[k].strip()], delimiter=" ", skipinitialspace=True)) for k in kept]
    above = head[kept[0] - 1].lstrip("# ").split() if kept[0] else []
    names = above if len(above) == len(rows[0]) else rows.pop(0)
    if len(set(map(len, [names, *rows]))) > 1:
        raise DataError(
            f"{path}: its rows have between {min(map(len, rows))} and {max(map(len, rows))} fields "
            f"separated by spaces, the header {len(names)}; save it with commas or tabs"
        )
    options = {"sep": r"\s+", "names": names, "header": None, "index_col": False, "comment": "#"}
    options |= {"skiprows": kept[0] + (names is not above), "encoding": encoding, "dtype": str}
    options |= {"keep_default_na": False, "encoding_errors": "replace"}
    return TableFile(
        path, tuple(names), lambda wanted: pd.read_csv(path, usecols=wanted, **options)[wanted]
    )


def _is_comment(line):
    # The header of SIMBAD's lists is "#|identifier|typ|...".
    return line.startswith("#") and not line.lstrip("# ").startswith("|")


def _commented_header(lines, header, delimiter):
    """Return the line before the given one if that is the header, written as a comment."""
    cells = lines[header].strip().split(delimiter)
    above = lines[header - 1] if header else ""
    is_header = above.startswith("#") and len(above.split(delimiter)) == len(cells) > 1
    is_data = sum(bool(_NUMBER.match(cell)) for cell in cells) > 1
    return header - 1 if is_header and is_data else header


def _units_below(rows):
    """Return the units in the rows below the header, and the number of these rows.

    VizieR writes units and dashes there, others only units.
    """
    cells = rows.fillna("").apply(lambda column: column.str.strip())
    dashes = cells.iloc[:, 0].str.fullmatch("-+").to_numpy(bool) if len(cells) else []
    if any(dashes):
        last = int(dashes.argmax())
        return (cells.iloc[last - 1] if last else []), last + 1
    if len(cells):
        first = cells.iloc[0].str.strip("[]() ").str.lower()
        is_value = first.str.contains(r"\d") & ~first.isin(_UNITS)
        if first.isin(_UNITS).any() and not is_value.any():
            return cells.iloc[0].str.strip("[]() "), 1
    return [], 0


def _report_omitted_lines(path, caught):
    found = [re.findall(r"line (\d+)", str(warning.message)) for warning in caught]
    numbers = [number for part in found for number in part]
    if numbers:
        log.warning(
            "%s: omitted %d lines with too many fields, the first is line %s",
            path, len(numbers), numbers[0],
        )  # fmt: skip


def _find_layout(lines, kept):
    """Find the delimiter and the header: the first line with as many fields as most lines."""
    found = []
    for delimiter in _DELIMITERS:
        counts = [_QUOTED.sub("", lines[k]).count(delimiter) for k in kept]
        usual = max(counts, key=lambda count: (count > 0, counts.count(count), count))
        header = kept[counts.index(usual)]
        found.append((usual > 0, counts.count(usual), usual, delimiter, header))
    return max(found)[3:]


def _encoding(path):
    with open(path, "rb") as file:
        head = file.read(2)
    return "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _describes_itself(head):
    """Whether the first lines are those of a machine-readable table of ApJ and AJ."""
    return any(line.lower().startswith(_IN_MRT) for line in head)


def _head_of(path, encoding):
    with _open_text(path, encoding) as file:
        return [line for _, line in zip(range(_HEAD_LINES), file, strict=False)]


@contextmanager
def _open_text(path, encoding):
    as_text = {"encoding": encoding, "errors": "replace"}
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            yield io.TextIOWrapper(file, **as_text)
    else:
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rt", **as_text) as file:
            yield file


# --- fixed width -----------------------------------------------------------------------

# Byte-by-byte descriptions: https://vizier.cds.unistra.fr/doc/catstd-3.1.htx
_BYTES = re.compile(r"^\s*(?:(\d+)\s*-)?\s*(\d+)\s+[AIFELD]\d*(?:\.\d+)?\s+(\S+)\s+(\S+)\s")


def _open_cds(path):
    readme = path.with_name("ReadMe")
    if _describes_itself(_head_of(path, "latin-1")):
        return _open_astropy("ascii.mrt")(path)
    if not readme.is_file():
        raise DataError(f"{path}: its folder has no ReadMe; download the ReadMe of the catalogue")
    slices, units = _layout(readme.read_text(errors="replace"), path.name.removesuffix(".gz"))
    if not slices:
        raise DataError(
            f"{readme}: contains no byte-by-byte description of {path.name}; download the ReadMe "
            "of this catalogue"
        )

    def read(wanted):
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import csv

        lines = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=["line"], encoding="latin1"),
            # A character that no file contains, so that each line is one field.
            parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False),
            convert_options=csv.ConvertOptions(column_types={"line": pa.string()}),
        )["line"]
        return pd.DataFrame(
            {
                name: pc.utf8_trim_whitespace(
                    pc.utf8_slice_codeunits(lines, *slices[name])
                ).to_pandas()
                for name in wanted
            }
        )

    return TableFile(path, tuple(slices), read, units)


def _layout(readme, file_name):
    """Return the first and last position and the unit of each column of a file."""
    slices, units, inside = {}, {}, False
    for line in readme.split("\n"):
        if "byte-by-byte description of file" in line.lower():
            inside = file_name.lower() in line.lower()
        row = _BYTES.match(line) if inside else None
        if row:
            first, last, unit, label = row.groups()
            slices[label] = (int(first or last) - 1, int(last))
            if unit.strip("-"):
                units[label] = unit
    return slices, units


_FORMATS = {
    ".parquet": _open_parquet,
    ".fits": _open_fits,
    ".fit": _open_fits,
    ".vot": _open_astropy("votable"),
    ".xml": _open_astropy("votable"),
    ".ecsv": _open_astropy("ascii.ecsv"),
    ".tbl": _open_astropy("ascii.ipac"),
    ".csv": _open_delimited,
    ".tsv": _open_delimited,
    ".txt": _open_delimited,
    ".dat": _open_cds,
}
