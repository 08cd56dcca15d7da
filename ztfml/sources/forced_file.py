"""Read the forced photometry of a night in any format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.sources.formats import format_of
from ztfml.sources.tables.companions import find_forced, read_forced_rows
from ztfml.sources.tables.content import Content


def read_forced(path: str | Path) -> pd.DataFrame:
    """Read the forced photometry of a night.

    For the parquet pair this is ``NAME_fp_hists.parquet`` beside the alerts, which `ztfml ingest`
    writes; other formats are read completely, which takes longer.

    Parameters
    ----------
    path : str or Path
        The night in any of the formats in `ztfml.sources.formats.FORMATS`.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``objectId`` (a category) and sorted by object and time, each exposure once:
        `jd`, `fid` (1 g, 2 r, 3 i; missing for another band), `flux` and `flux_err` of the
        difference (nJy, AB zero point 31.4; NaN if it could not be measured), `diffmaglim`
        (5-sigma limit of the image, mag); as in packets `forcediffimflux` and
        `forcediffimfluxunc` (DN; NaN for BOOM, which has nJy only), `magzpsci` (mag),
        `procstatus`, `pid`, `programid`, `field`, `rcid` and `rfid`. Only rows with processing
        status 0, or without a status. Empty if the night has no forced photometry.

    Raises
    ------
    DataError
        If a file cannot be read.

    Examples
    --------
    >>> forced = read_forced("night.parquet")
    >>> len(forced), forced.columns[:4].tolist()
    (0, ['jd', 'fid', 'flux', 'flux_err'])
    """
    file_format = format_of(path)
    if file_format.read is not None:
        beside = find_forced(path)
        table = FORCED_SCHEMA.empty_table() if beside is None else read_forced_rows(beside)
    else:
        table = file_format.read_tables(Content(path, all_columns=True)).forced
    place = table.column_names.index("objectId")
    objects = table["objectId"].dictionary_encode()
    return table.set_column(place, "objectId", objects).to_pandas()
