"""The forced photometry of a night: ``NAME_fp_hists.parquet`` beside the alerts.

ZTF measures the flux at the position of an alert in all images of the last 30 days and sends it
with the packet (``fp_hists``, schemas 4.x). Light curves and features do not use it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.companions import companion


def forced_beside(path: str | Path) -> Path:
    """Return the path of the forced photometry that belongs to a night.

    Parameters
    ----------
    path : str or Path
        The file of the alerts, ``NAME.parquet``.

    Returns
    -------
    Path
        ``NAME_fp_hists.parquet`` in the same folder; it exists only if `ztfml ingest` found
        forced photometry in the packets.

    Examples
    --------
    >>> forced_beside("nights/a.parquet").name
    'a_fp_hists.parquet'
    """
    return companion(path, "_fp_hists.parquet")


def read_forced(path: str | Path) -> pd.DataFrame:
    """Read the forced photometry of a night.

    Parameters
    ----------
    path : str or Path
        The file of the alerts, ``NAME.parquet``.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``objectId`` and sorted by time within an object: `jd`, `fid` (1 g, 2 r, 3 i),
        `flux` and `flux_err` of the difference (nJy, AB zero point 31.4; missing if it could not
        be measured), `diffmaglim` (5-sigma limit of the image, mag), `magzpsci`, `pid`,
        `programid`, `field`, `rcid` and `rfid`. Only rows with processing status 0. Empty if the
        night has no forced photometry.

    Raises
    ------
    DataError
        If the file cannot be read.

    Examples
    --------
    >>> len(read_forced("night.parquet"))
    0
    """
    file = forced_beside(path)
    if not file.is_file():
        return pd.DataFrame(columns=["jd", "fid", "flux", "flux_err", "diffmaglim"])
    try:
        return pq.read_table(file).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file}: cannot be read as parquet ({str(error).splitlines()[0]}); repeat ztfml ingest"
        ) from error
