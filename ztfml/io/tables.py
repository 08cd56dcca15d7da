"""Tables as catalogues come: parquet, FITS, VOTable, CSV and VizieR's TSV, CDS fixed width.

A catalogue of millions of rows is read a few columns at a time: open it, look at its names,
then read what is needed.
"""

import gzip
import io
import re
import warnings
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ztfml.errors import DataError
from ztfml.io.parquet import open_parquet


@dataclass(frozen=True)
class TableFile:
    """A table on disk, of which the names are known and columns can be read.

    Parameters
    ----------
    path : Path
    names : tuple of str
        The columns, as the file spells them.
    read : callable
        Takes a list of names and gives a DataFrame of these columns.
    """

    path: Path
    names: tuple
    read: Callable


def open_table(path):
    """Open a table of any format in which catalogues are handed out.

    Parameters
    ----------
    path : str or Path
        ``.parquet``, ``.fits``, ``.vot`` or ``.xml`` (VOTable), ``.ecsv``, ``.dat`` (CDS fixed
        width, with its ``ReadMe`` beside it), and ``.csv``, ``.tsv``, ``.txt`` with commas,
        tabs, semicolons or bars, VizieR's comments, units and dashes included; text may be
        compressed (``.gz``, or ``.zip`` with one file in it, as TNS hands out its objects).

    Returns
    -------
    TableFile

    Raises
    ------
    DataError
        If there is no such file, or it cannot be read as what its name says.

    Examples
    --------
    >>> open_table("vsx.parquet").names   # doctest: +SKIP
    ('RAJ2000', 'DEJ2000', 'VType')
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; name a catalogue or a table of objects")
    suffix = Path(path.name.removesuffix(".gz").removesuffix(".zip")).suffix.lower()
    opened = _FORMATS.get(suffix)
    if opened is None:
        raise DataError(
            f"{path}: a table must end in {', '.join(_FORMATS)}; rename or convert the file"
        )
    try:
        return opened(path)
    except DataError:
        raise
    except Exception as error:  # What readers raise on damaged files is without number.
        raise _unreadable(path, error) from error


def read_table(table, names):
    """Read some columns of an open table.

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
        If the file turns out to be damaged.

    Examples
    --------
    >>> read_table(open_table("vsx.parquet"), ["VType"])   # doctest: +SKIP
    """
    try:
        return table.read(names)
    except Exception as error:
        raise _unreadable(table.path, error) from error


def _unreadable(path, error):
    first = (str(error).strip() or type(error).__name__).split("\n")[0]
    return DataError(f"{path}: cannot be read as a table ({first}); write or download it again")


def _open_parquet(path):
    file = open_parquet(path)
    return TableFile(
        path, tuple(file.schema_arrow.names), lambda names: file.read(names).to_pandas()
    )


def _open_fits(path):
    from astropy.io import fits

    with fits.open(path) as hdus:
        found = [k for k, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU)]
        if not found:
            raise DataError(f"{path}: holds no table; name a FITS file with a binary table")
        names = tuple(hdus[found[0]].columns.names)

    def read(wanted):
        with fits.open(path) as hdus:
            data = hdus[found[0]].data
            return pd.DataFrame({name: _native(data[name]) for name in wanted})

    return TableFile(path, names, read)


def _native(values):
    """The values in the byte order of this machine, as pandas wants them."""
    return values.astype(values.dtype.newbyteorder("=")) if values.dtype.kind != "U" else values


def _open_astropy(format_name):
    def opened(path):
        from astropy.table import Table

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on units and versions that only a validator minds
            table = Table.read(path, format=format_name)
        return TableFile(path, tuple(table.colnames), lambda names: table[names].to_pandas())

    return opened


# --- delimited text --------------------------------------------------------------------

_DELIMITERS = ("\t", "|", ";", ",")
# Comments of VizieR are some 50 lines; TNS puts a date above the header.
_HEAD_LINES = 500
_QUOTED = re.compile(r'"[^"]*"')


def _open_delimited(path):
    head = _head_of(path)
    kept = [k for k, line in enumerate(head) if line.strip() and not line.startswith("#")][:10]
    if not kept:
        raise DataError(f"{path}: holds no table; write a header and rows")
    delimiter, header = _layout(head, kept)
    options = {"sep": delimiter, "skiprows": header, "skipinitialspace": True}
    options |= {"dtype": str, "keep_default_na": False, "encoding_errors": "replace"}
    options |= {"skip_blank_lines": True, "index_col": False, "on_bad_lines": "skip"}
    spelt = list(pd.read_csv(path, nrows=0, **options).columns)
    names = tuple(name.strip() for name in spelt)

    def read(wanted):
        columns = [spelt[names.index(name)] for name in wanted]
        frame = pd.read_csv(path, usecols=columns, **options)[columns]
        frame.columns = wanted
        first = frame.iloc[:, 0]
        dashes = first.head(3).str.fullmatch(r"\s*-+\s*").fillna(False).to_numpy(bool)
        if dashes.any():  # Units stand between VizieR's header and its dashes.
            frame = frame.iloc[int(dashes.argmax()) + 1 :]
        frame = frame[~frame.iloc[:, 0].str.startswith("#", na=False)]
        return frame.apply(lambda column: column.str.strip()).reset_index(drop=True)

    return TableFile(path, names, read)


def _layout(lines, kept):
    """Find the delimiter and the line of the header: as many fields as most lines have."""
    found = []
    for delimiter in _DELIMITERS:
        counts = [_QUOTED.sub("", lines[k]).count(delimiter) for k in kept]
        usual = max(counts, key=lambda count: (count > 0, counts.count(count), count))
        header = kept[counts.index(usual)]
        found.append((usual > 0, counts.count(usual), usual, delimiter, header))
    return max(found)[3:]


def _head_of(path):
    with _open_text(path) as file:
        return [line for _, line in zip(range(_HEAD_LINES), file, strict=False)]


@contextmanager
def _open_text(path):
    as_text = {"encoding": "utf-8", "errors": "replace"}
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            yield io.TextIOWrapper(file, **as_text)
    else:
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rt", **as_text) as file:
            yield file


# --- fixed width -----------------------------------------------------------------------

# Byte-by-byte descriptions: https://vizier.cds.unistra.fr/doc/catstd-3.1.htx
_BYTES = re.compile(r"^\s*(?:(\d+)\s*-)?\s*(\d+)\s+[AIFELD]\d*(?:\.\d+)?\s+\S+\s+(\S+)\s")


def _open_cds(path):
    readme = path.with_name("ReadMe")
    if not readme.is_file():
        raise DataError(f"{path}: there is no ReadMe beside it; download the catalogue's ReadMe")
    slices = _slices(readme.read_text(errors="replace"), path.name.removesuffix(".gz"))
    if not slices:
        raise DataError(
            f"{readme}: holds no byte-by-byte description of {path.name}; download the ReadMe of "
            "this very catalogue"
        )

    def read(wanted):
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import csv

        lines = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=["line"], encoding="latin1"),
            # A character that stands in no file: each line is one field.
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

    return TableFile(path, tuple(slices), read)


def _slices(readme, file_name):
    """Find first and last position of each column in the description of a file."""
    slices, inside = {}, False
    for line in readme.split("\n"):
        if "byte-by-byte description of file" in line.lower():
            inside = file_name.lower() in line.lower()
        row = _BYTES.match(line) if inside else None
        if row:
            first, last, label = row.groups()
            slices[label] = (int(first or last) - 1, int(last))
    return slices


_FORMATS = {
    ".parquet": _open_parquet,
    ".fits": _open_fits,
    ".fit": _open_fits,
    ".vot": _open_astropy("votable"),
    ".xml": _open_astropy("votable"),
    ".ecsv": _open_astropy("ascii.ecsv"),
    ".csv": _open_delimited,
    ".tsv": _open_delimited,
    ".txt": _open_delimited,
    ".dat": _open_cds,
}
