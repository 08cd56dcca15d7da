"""Suggest known names that look like an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], before: str = "", cutoff: float = 0.65) -> str:
    """Ask in a few words whether a similar name was meant.

    Parameters
    ----------
    name : str
        A name that was not found.
    known : iterable of str
        The names that exist.
    before : str
        Text before the name in the question.
    cutoff : float
        How similar a name must be, from 0 to 1 (see `difflib.get_close_matches`).

    Returns
    -------
    str
        For example ``"did you mean 'galaxies'?"``; empty if no name is similar. Case does not
        matter.

    Examples
    --------
    >>> did_you_mean("galaxie", ["galaxies", "model"])
    "did you mean 'galaxies'?"
    >>> did_you_mean("ztf18abukavn", ["ZTF18abukavn", "ZTF18abvkwla"])
    "did you mean 'ZTF18abukavn'?"
    >>> did_you_mean("colour", ["galaxies", "model"])
    ''
    """
    spelled: dict[str, str] = {}
    for one in known:
        spelled.setdefault(one.lower(), one)
    found = get_close_matches(name.lower(), spelled, n=1, cutoff=cutoff)
    return f"did you mean {before + spelled[found[0]]!r}?" if found else ""
