"""Print Markdown that ztfml writes as text for the terminal: headings, paragraphs and tables.

Own code, because rich.markdown centres headings and fills lines up to the width, which is that of
the widest possible table in a pipe.
"""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby

from ztfml.io.text_tables import print_cells

_LONGEST_LINE = 100


def print_markdown(text: str) -> None:
    """Print Markdown without its marks.

    In a terminal, paragraphs and tables have its width; in a pipe or a file nothing is wrapped.

    Parameters
    ----------
    text : str
        With headings, paragraphs, lists of one level and tables.

    Examples
    --------
    >>> print_markdown("# A **model**\\n\\nIt has `5` trees.\\n")
    A model
    =======
    <BLANKLINE>
    It has 5 trees.
    >>> print_markdown("| a | b |\\n| --- | --: |\\n| x | 1 |")
     a │ b
    ───┼───
     x │ 1
    """
    for kind, lines in groupby(text.rstrip().splitlines(), _kind):
        if kind == "table":
            header, rule, *rows = map(_cells, lines)
            print_cells([header, *rows], [cell.endswith(":") for cell in rule])
            continue
        for line in lines:
            print("\n".join(_printed(line)))


def _kind(line: str) -> str:
    return "table" if line.startswith("|") else "text"


def _cells(line: str) -> list[str]:
    return [_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _plain(text: str) -> str:
    return re.sub(r"\*\*|`", "", text).replace("\\|", "|")


def _printed(line: str) -> Iterator[str]:
    marks, _, rest = line.partition(" ")
    if marks.strip("#") == "" and marks and rest:
        title = _plain(rest)
        yield title
        yield ("=" if marks == "#" else "-") * len(title)
        return
    plain = _plain(line)
    if not sys.stdout.isatty():
        yield plain
        return
    width = min(_LONGEST_LINE, shutil.get_terminal_size().columns)
    indent = "  " if plain.startswith("- ") else ""
    yield from textwrap.wrap(
        plain, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    ) or [""]
