"""Commands about the marks that people give on the page of a night: marks merge."""

import click

from ztfml.cli.options import PATH, command, output_option
from ztfml.io.text_tables import print_table


@click.group()
def marks():
    """Merge the marks of several people."""


@marks.add_command
@command("ztfml marks merge ada_marks.csv bob_marks.csv -o all_marks.csv", name="merge")
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="MARKS.csv...")
@output_option([".csv"])
@click.option(
    "--labels", "label_output", type=PATH, metavar="LABELS.csv",
    help="Also write the classes on which people agree as a label file for ztfml train.",
)  # fmt: skip
def merge(files, output, label_output):
    """Merge files of marks; the newest decision about each object is kept.

    The files are exported on the page of a night. Objects that people mark or classify
    differently are listed. Use the merged file with `ztfml report --marks`.
    """
    from ztfml.io.atomic import write_beside
    from ztfml.io.safe_text import safe_table
    from ztfml.labels.marks import labels_of_marks, merge_marks, read_marks

    merged = merge_marks([read_marks(path) for path in files], [path.stem for path in files])
    labels = labels_of_marks(merged)
    for path, table in ((output, merged.marks), (label_output, labels)):
        if path:
            with write_beside(path) as part:
                safe_table(table).to_csv(part, index=False)
    if len(merged.disagreements):
        print_table(merged.disagreements, f"{len(merged.disagreements)} disagreements")
    click.echo(f"{output}: {len(merged.marks)} objects, {len(merged.disagreements)} disagreements")
    if label_output:
        click.echo(f"{label_output}: {len(labels)} labels")
