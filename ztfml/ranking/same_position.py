"""Find objects of a night at the same position: one source with two ZTF names."""

import numpy as np
import pandas as pd

SAME_POSITION = 1.5
"""Objects nearer than this (arcsec) are probably one source.

ZTF gives a detection within 1.5 arcsec of a known object the name of that object; a source gets a
second name if its first position was inaccurate.
"""


def find_same_position(
    alerts: pd.DataFrame, rows: np.ndarray, listed: np.ndarray
) -> list[np.ndarray]:
    """Find the other objects at the positions of listed objects.

    Parameters
    ----------
    alerts : pandas.DataFrame
        The alerts of a night.
    rows : ndarray of int64, shape (n_objects,)
        The latest alert of each object; output of `ztfml.io.alert_table.latest_rows`.
    listed : ndarray of int64, shape (n_listed,)
        The rows of the listed objects.

    Returns
    -------
    list of ndarray of int64
        For each listed object the rows of the others within `SAME_POSITION`.

    Examples
    --------
    >>> two = night.alerts[:2].assign(objectId=["ZTF18a", "ZTF18b"], ra=10.0, dec=[0.0, 1 / 7200])
    >>> find_same_position(two, np.array([0, 1]), np.array([0]))
    [array([1])]
    """
    found: list[np.ndarray] = [np.empty(0, np.int64)] * len(listed)
    if not {"ra", "dec"} <= set(alerts.columns):
        return found
    position = alerts[["ra", "dec"]].to_numpy(np.float64)
    rows = rows[np.isfinite(position[rows]).all(axis=1)]
    known = np.flatnonzero(np.isfinite(position[listed]).all(axis=1))
    if len(rows) < 2 or not len(known):
        return found
    # SciPy's tree finds the pairs of 100,000 objects in 0.2 s; importing astropy takes longer.
    from scipy.spatial import KDTree

    tree = KDTree(_unit_vectors(position[rows]))
    chord = 2.0 * np.sin(np.radians(SAME_POSITION / 3600.0) / 2.0)
    near = tree.query_ball_point(_unit_vectors(position[listed[known]]), chord)
    for place, others in zip(known, near, strict=True):
        found[place] = rows[[k for k in others if rows[k] != listed[place]]]
    return found


def same_position_remark(alerts: pd.DataFrame, row: int, others: np.ndarray) -> str:
    """Describe the other objects at the position of an object.

    Parameters
    ----------
    alerts : pandas.DataFrame
        The alerts of a night.
    row : int
        The row of the object.
    others : ndarray of int64
        The rows of the others, from `find_same_position`.

    Returns
    -------
    str
        ``''`` if there are none.

    Examples
    --------
    >>> two = night.alerts[:2].assign(objectId=["ZTF18a", "ZTF18b"], ra=10.0, dec=[0.0, 1 / 7200])
    >>> same_position_remark(two, 0, np.array([1]))
    'same position as ZTF18b, 0.5″ away: one source with two names?'
    """
    if not len(others):
        return ""
    table = alerts.iloc[[row, *others]]
    position, names = table[["ra", "dec"]].to_numpy(np.float64), table["objectId"].to_numpy(str)
    return _remark(position[0], position[1:], names[1:])


def _remark(position, others, names):
    away = np.linalg.norm(_unit_vectors(others) - _unit_vectors(position[None]), axis=1)
    arcsec = np.degrees(2.0 * np.arcsin(away / 2.0)) * 3600.0
    # By name if several are equally near, so that the order of the alerts does not matter.
    nearest = np.lexsort([names, arcsec])[0]
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return (
        f"same position as {names[nearest]}{more}, {arcsec[nearest]:.1f}″ away: one source with "
        f"{'several' if more else 'two'} names?"
    )


def _unit_vectors(position):
    ra, dec = np.radians(position).T
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
