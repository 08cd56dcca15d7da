"""Random generators seeded by purpose and name."""

import zlib

import numpy as np


def generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """Return a random generator for one purpose.

    Each purpose has its own stream of random numbers. Results therefore do not depend on the
    order in which purposes draw, and a new purpose does not change the existing ones.

    Parameters
    ----------
    seed : int
        Seed of the whole simulation.
    *purpose : int or str
        What the generator is for, e.g. ``("sources", "RR Lyrae", 0)``. Text enters through its
        CRC-32 checksum, which is the same on every machine and in every Python process.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> first = generator(1, "sources", "FBOT").random()
    >>> first == generator(1, "sources", "FBOT").random()
    True
    >>> first == generator(1, "sources", "TDE").random()
    False
    """
    words = (zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(words)))
