"""Names of simulated objects and numbers of simulated alerts."""

from collections.abc import Sequence

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.blocks import Block

_N_NAMES = 26**7  # seven letters
_CANDID_START = 2457754.5  # JD at which ZTF's count of time in a candid begins


def name_numbers(blocks: Sequence[Block]) -> list[np.ndarray]:
    """Derive the number behind the name of each source from its random key.

    Parameters
    ----------
    blocks : sequence of Block

    Returns
    -------
    list of ndarray of int64
        For each block the numbers of its ``rows``; no two sources have the same number.

    Examples
    --------
    >>> name_numbers([])
    []
    """
    keys = [(block.key[block.rows] % np.uint64(_N_NAMES)).astype(np.int64) for block in blocks]
    bounds = np.cumsum([len(key) for key in keys])[:-1]
    numbers = np.concatenate(keys) if keys else np.empty(0, np.int64)
    # About one pair among 100,000 sources has the same number.
    numbers = _make_distinct(numbers, np.zeros(len(numbers))) % _N_NAMES
    return np.split(numbers, bounds) if keys else []


def object_ids(number: np.ndarray, first_jd: np.ndarray) -> np.ndarray:
    """Compose ZTF names: the year of the first detection and seven letters.

    Parameters
    ----------
    number : ndarray of int64
    first_jd : ndarray, JD

    Returns
    -------
    ndarray of str

    Examples
    --------
    >>> object_ids(np.array([27]), np.array([2460474.5]))
    array(['ZTF24aaaaabb'], dtype='<U12')
    """
    letters = np.empty((len(number), 7), np.uint8)
    rest = number
    for position in range(6, -1, -1):
        letters[:, position] = rest % 26 + ord("a")
        rest = rest // 26
    year = 2000 + (first_jd - 2451544.5) / 365.2425
    head = np.char.add("ZTF", np.char.mod("%02d", (year % 100).astype(int)))
    return np.char.add(head, letters.view("S7").ravel().astype("U7"))


def candids(jd: np.ndarray, key: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Compose alert numbers as ZTF does: the time in units of 1e-6 d, then nine digits.

    Parameters
    ----------
    jd : ndarray, shape (n,)
    key : ndarray of uint64, shape (n,)
        Random key of each alert's source, from which the nine digits are derived.
    exposure : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> number = candids(np.array([2460474.75]), np.array([7], "u8"), np.array([3]))
    >>> str(number[0])[:10]
    '2720250000'
    """
    time = np.floor((jd - _CANDID_START) * 1e6).astype(np.int64)
    digits = (noise.uniform(key, exposure, 93) * 1e9).astype(np.int64)
    return time * 10**9 + _make_distinct(digits, time)


def _make_distinct(numbers, group):
    """Increase repeated numbers of a group by one until all are distinct."""
    numbers = numbers.copy()
    while True:
        order = np.lexsort((numbers, group))
        repeated = (np.diff(numbers[order]) == 0) & (np.diff(group[order]) == 0)
        if not repeated.any():
            return numbers
        numbers[order[1:][repeated]] += 1
