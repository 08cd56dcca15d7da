"""Record in the card which objects a model was trained on.

Each object is stored as 32 bits of a hash. A hundred thousand objects need half a megabyte, and one
unknown object in 40,000 is taken for a known one.
"""

import base64
import hashlib
import re

import numpy as np

from ztfml.errors import ModelError


def pack_objects(objects: np.ndarray) -> str:
    """Encode the names of objects for ``card.json``.

    Parameters
    ----------
    objects : array of str

    Returns
    -------
    str
        Base64 text.

    Examples
    --------
    >>> pack_objects(["ZTF18abukavn", "ZTF20acigmel"])
    'IY4uFNDgFMY='
    """
    hashes = np.unique(_hashes(np.unique(objects)))
    return base64.b64encode(hashes.astype("<u4").tobytes()).decode()


def is_trained_on(objects: np.ndarray, card: dict) -> np.ndarray:
    """Look up which objects a model was trained on.

    Parameters
    ----------
    objects : array of str, shape (n,)
    card : dict
        The card of the model.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ModelError
        If the list in the card is damaged.

    Examples
    --------
    >>> card = {"training": {"objects": pack_objects(["ZTF18abukavn"])}}
    >>> is_trained_on(["ZTF18abukavn", "ZTF20acigmel"], card)
    array([ True, False])
    """
    packed = card["training"].get("objects", "")
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", packed):
        raise ModelError("card.json: training.objects is damaged; copy the model folder again")
    names, name_of_row = np.unique(objects, return_inverse=True)
    known = np.frombuffer(base64.b64decode(packed), "<u4")
    return np.isin(_hashes(names), known)[name_of_row]


def _hashes(names):
    digests = (hashlib.blake2b(name.encode(), digest_size=4).digest() for name in names)
    return np.frombuffer(b"".join(digests), "<u4")
