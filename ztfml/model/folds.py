"""Random folds of objects."""

import numpy as np
from numpy.typing import ArrayLike


def object_folds(code: np.ndarray, groups: ArrayLike, n_folds: int, seed: int) -> np.ndarray:
    """Assign objects to random folds, with equal fractions of each class.

    Parameters
    ----------
    code : ndarray of int, shape (n,)
        The class of each row, from 0. The class of an object is that of its first row.
    groups : array, shape (n,)
        The object of each row.
    n_folds : int
    seed : int

    Returns
    -------
    ndarray of int, shape (n,)
        The fold of the object of each row. A class with fewer objects than folds is only in the
        last folds, so that it is never missing when fold 0 is held out.

    Examples
    --------
    >>> fold = object_folds(np.zeros(4, int), ["a", "b", "a", "b"], 2, seed=1)
    >>> bool(fold[0] == fold[2] != fold[1])
    True
    """
    _, first_row, of_row = np.unique(groups, return_index=True, return_inverse=True)
    object_class = np.asarray(code)[first_row]
    shuffled = np.random.default_rng(seed).permutation(len(first_row))
    by_class = shuffled[np.argsort(object_class[shuffled], kind="stable")]
    in_class = object_class[by_class]
    rank = np.arange(len(by_class)) - np.searchsorted(in_class, in_class)
    fold = np.empty(len(by_class), int)
    fold[by_class] = n_folds - 1 - rank % n_folds
    return fold[of_row]
