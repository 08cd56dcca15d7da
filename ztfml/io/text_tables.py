"""Tables as text: Markdown, aligned columns, and the terminal.

Own code for Markdown, because rich wraps cells at the width of the terminal and pandas needs
another package (tabulate).
"""

import re
import sys
from collections.abc import Sequence

from ztfml.io.safe_text import printable

_NUMBERS = re.compile(r"(?:[-\d\s.,()%]|to)*")
# In a pipe no table is that wide, so no cell is wrapped.
_PIPE_WIDTH = 100_000


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as an aligned Markdown table.

    Columns of numbers are aligned to the right, all others to the left.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first row is the header.

    Returns
    -------
    list of str
        The lines of the table.

    Examples
    --------
    >>> markdown_table([["class", "alerts"], ["agn", "61"]])
    ['| class | alerts |', '| :---- | -----: |', '| agn   |     61 |']
    """
    padded = _padded(rows)
    rule = [
        "-" * (len(cell) - 1) + ":" if right else ":" + "-" * (len(cell) - 1)
        for cell, right in zip(padded[0], _is_right_aligned(rows), strict=True)
    ]
    return [f"| {' | '.join(cells)} |" for cells in (padded[0], rule, *padded[1:])]


def plain_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as aligned columns, separated by two spaces.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first row is the header.

    Returns
    -------
    list of str
        The lines of the table.

    Examples
    --------
    >>> plain_table([["name", "unit"], ["age", "d"], ["fade_rate_r", "mag / d"]])
    ['name         unit', 'age          d', 'fade_rate_r  mag / d']
    """
    return ["  ".join(cells).rstrip() for cells in _padded(rows)]


def _padded(rows):
    widths = [max(2, *map(len, column)) for column in zip(*rows, strict=True)]
    right = _is_right_aligned(rows)
    return [
        [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        for row in rows
    ]


def _is_right_aligned(rows):
    """Whether each column has only numbers; the first column is always a name."""
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(rows[0])
    return [
        k > 0 and any(column) and all(map(_NUMBERS.fullmatch, column))
        for k, column in enumerate(columns)
    ]


def print_table(frame, title: str) -> None:
    """Print a DataFrame with a title.

    In a terminal the table has its width; in a pipe or a file nothing is cut off.

    Parameters
    ----------
    frame : pandas.DataFrame
    title : str

    Examples
    --------
    >>> print_table(pd.DataFrame({"label": ["agn"], "alerts": [61]}), "labels")
    labels
     label │ alerts
    ───────┼────────
     agn   │     61
    """
    rows = [
        [f"{cell:.3f}" if isinstance(cell, float) else printable(str(cell)) for cell in row]
        for row in frame.itertuples(index=False)
    ]
    right = [getattr(frame[name].dtype, "kind", "") in tuple("fiu") for name in frame.columns]
    # Printed separately, because a title of the table would be wrapped at its width.
    _print(printable(title), style="italic", soft_wrap=True)
    print_cells([list(map(str, frame.columns)), *rows], right)


def print_cells(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
    """Print rows as a table for people, like `print_table`.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first row is the header.
    right : sequence of bool
        Whether each column is aligned to the right.

    Examples
    --------
    >>> print_cells([["label", "alerts"], ["agn", "61"]], [False, True])
     label │ alerts
    ───────┼────────
     agn   │     61
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SQUARE, show_edge=False)
    for name, is_right in zip(rows[0], right, strict=True):
        table.add_column(name, justify="right" if is_right else "left", overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    _print(table)


def _print(content, **options):
    """Print with rich, but write the text here: rich ends the process if a pipe is closed."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(content, **options)
    # The last column is padded, which shows in files and examples.
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))
