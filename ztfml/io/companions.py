"""Paths of the files that belong to a night: its history, forced photometry and labels.

Each function takes the file or folder of the night and returns a path in the same folder, whether
the file exists or not.
"""

from __future__ import annotations

from pathlib import Path

from ztfml.schema import FORCED_SUFFIX, GALAXIES_SUFFIX, HISTORY_SUFFIX, LABELS_SUFFIX

# A night may also be a folder or a compressed file, so these are removed repeatedly.
_SUFFIXES = (
    ".parquet", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".avro", ".feather",
    ".arrow", ".ipc", ".tar", ".tgz", ".gz",
)  # fmt: skip


def companion(path: str | Path, ending: str) -> Path:
    """Return the path of a file or folder that belongs to a night.

    Parameters
    ----------
    path : str or Path
        The file or folder of the night.
    ending : str
        Replaces the suffixes of the night, e.g. ``"_labels.csv"``.

    Returns
    -------
    Path
        In the same folder.

    Examples
    --------
    >>> companion("nights/a.csv.gz", "_fetched").name, companion("nights/a/", "_fetched").name
    ('a_fetched', 'a_fetched')
    """
    night, name, _ = _split(path)
    return night.with_name(name + ending)


def history_beside(path: str | Path) -> Path:
    """Return the path of the history of a night: ``NAME_prv_candidates``, suffixed like the alerts.

    Examples
    --------
    >>> history_beside("nights/a.parquet").name, history_beside("nights/a.csv.gz").name
    ('a_prv_candidates.parquet', 'a_prv_candidates.csv.gz')
    """
    alerts, name, suffix = _split(path)
    return alerts.with_name(name + HISTORY_SUFFIX + suffix)


def forced_beside(path: str | Path) -> Path:
    """Return the path of the forced photometry of a night: ``NAME_fp_hists.parquet``.

    Examples
    --------
    >>> forced_beside("nights/a.parquet").name
    'a_fp_hists.parquet'
    """
    return companion(path, FORCED_SUFFIX + ".parquet")


def labels_beside(path: str | Path) -> Path:
    """Return the path of the label file of a night: ``NAME_labels.csv``.

    Examples
    --------
    >>> labels_beside("nights/a.parquet").name, labels_beside("nights/a.json").name
    ('a_labels.csv', 'a_labels.csv')
    """
    return companion(path, LABELS_SUFFIX + ".csv")


def galaxies_beside(path: str | Path) -> Path:
    """Return the path of the simulated catalogue of galaxies of a night: ``NAME_galaxies.parquet``.

    Examples
    --------
    >>> galaxies_beside("nights/a.parquet").name
    'a_galaxies.parquet'
    """
    return companion(path, GALAXIES_SUFFIX + ".parquet")


def _split(path):
    """Return the path, its name without suffixes, and the suffixes."""
    path = Path(path)
    if path.name in ("", ".."):  # The working directory and its parent have no name of their own.
        path = path.resolve()
    name = path.name
    while Path(name).suffix.lower() in _SUFFIXES and Path(name).stem:
        name = Path(name).stem
    # Any other suffix, but not the fraction of a Julian date.
    suffix = Path(name).suffix
    if name == path.name and suffix and not suffix[1:].isdigit():
        name = Path(name).stem
    return path, name, path.name[len(name) :]
