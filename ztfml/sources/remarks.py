"""What a reader converted, left out or could not read: one message per kind, with an example."""

from __future__ import annotations

import logging


class Remarks:
    """Counts of what was unusual, with the first example of each.

    Examples
    --------
    >>> remarks = Remarks()
    >>> remarks.add("values of isdiffpos are unreadable", "'maybe'")
    >>> remarks.add("values of isdiffpos are unreadable", "'perhaps'")
    >>> remarks.sentences()
    ["2 values of isdiffpos are unreadable (for example 'maybe')"]
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def add(self, what: str, example: object = "", n: int = 1) -> None:
        """Count a remark.

        Parameters
        ----------
        what : str
            What follows the number in the message.
        example : object
            The first one is kept.
        n : int
        """
        count, first = self._found.get(what, (0, str(example)))
        self._found[what] = (count + n, first)

    def update(self, other: Remarks) -> list[str]:
        """Add the remarks of another part of the work, which came after this one.

        Returns
        -------
        list of str
            One message for each kind of remark that is new.
        """
        new = [
            sentence
            for what, sentence in zip(other._found, other.sentences(), strict=True)
            if what not in self._found
        ]
        for what, (n, example) in other._found.items():
            self.add(what, example, n)
        return new

    def sentences(self) -> list[str]:
        """Return one message for each kind of remark.

        Returns
        -------
        list of str
        """
        return [
            f"{count} {what}" + (f" (for example {example})" if example else "")
            for what, (count, example) in self._found.items()
        ]

    def log(self, logger: logging.Logger, name: str) -> None:
        """Log one warning for each kind of remark.

        Parameters
        ----------
        logger : logging.Logger
        name : str
            The file or folder that was read.
        """
        for sentence in self.sentences():
            logger.warning("%s: %s", name, sentence)
