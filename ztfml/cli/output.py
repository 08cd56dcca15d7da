"""Write tables to files."""


def write_table(table, path):
    """Write a table to a CSV or parquet file."""
    from ztfml.io.parquet import write_tables

    with write_tables(path) as write:
        write(table)
