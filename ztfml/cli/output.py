"""Write tables to files and to the terminal."""

import sys


def write_table(table, path):
    """Write a table to a CSV or parquet file."""
    from ztfml.io.parquet import write_tables

    with write_tables(path) as write:
        write(table)


def print_table(frame, title):
    """Print a table with a title to the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False)
    for name in frame.columns:
        text = not hasattr(frame[name].dtype, "kind") or frame[name].dtype.kind not in "fiu"
        table.add_column(str(name), justify="left" if text else "right", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    # Do not shorten cells in a file or a pipe.
    width = None if sys.stdout.isatty() else 200
    console = Console(width=width, highlight=False, markup=False)
    # rich would wrap a title of the table to the width of the table.
    console.print(title, style="italic", soft_wrap=True)
    console.print(table)
