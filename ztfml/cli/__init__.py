"""The command line. Each command parses its options, calls the Python API and prints.

Data go to stdout, remarks and progress to stderr. Commands import heavy packages when they run,
so that ``ztfml --help`` answers at once.
"""

import click

from ztfml.cli import (
    config,
    export,
    history,
    labels,
    live,
    marks,
    models,
    nights,
    objects,
    ranking,
    report,
)
from ztfml.cli.group import ZtfmlGroup


@click.group(cls=ZtfmlGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ztfml")
@click.option("--debug", is_flag=True, help="Print the traceback of an internal error.")
@click.option("--no-config", is_flag=True, help="Ignore the settings in ztfml.toml.")
def main(debug, no_config):
    """Classify a night of ZTF alerts and rank its fast transients.

    NIGHT is a file or folder of alerts: parquet, CSV or JSON of any broker, or avro packets.
    Previous candidates are read from NAME_prv_candidates.parquet in the same folder, if they
    are not in NIGHT itself, and labels from NAME_labels.csv.

    Defaults of options are read from ztfml.toml in the working folder and in your own
    configuration folder; `ztfml config show` prints them.
    """


for _command in (
    nights.demo,
    nights.simulate,
    nights.ingest,
    labels.cuts,
    labels.label,
    models.features,
    models.train,
    models.predict,
    ranking.rank,
    objects.fetch,
    objects.context,
    models.evaluate,
    ranking.recover,
    ranking.fit_ranking,
    objects.plot,
    report.report,
    marks.marks,
    history.history,
    export.export,
    live.watch,
    live.replay,
    models.model,
    config.config,
):
    main.add_command(_command)
