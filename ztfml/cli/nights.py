"""Commands that create nights: demo, simulate, ingest."""

import click

from ztfml.cli.inputs import run_batch
from ztfml.cli.options import NIGHT, PATH, OutputFolder, batch_options, command, outputs_option
from ztfml.io.terminal import print_markdown


@command("ztfml demo demo")
@click.argument("folder", type=PATH, default="demo", metavar="[DIR]")
@click.option("--seed", default=62, show_default=True, help="Seed of the simulation.")
def demo(folder, seed):
    """Run all steps on simulated nights.

    The steps are simulate, train, predict, rank, plot and report. The files of an earlier
    demonstration in DIR are replaced; a DIR with other files only is an error."""
    from ztfml.demo import run_demo

    print_markdown(run_demo(folder, seed))


@command("ztfml simulate nights --nights 3 --alerts 5000 --seed 7\nztfml simulate --list")
@click.argument("folder", type=PATH, required=False, metavar="[DIR]")
@click.option(
    "--nights", default=1, show_default=True, type=click.IntRange(1), help="Number of nights."
)
@click.option(
    "--alerts", default=5000, show_default=True, type=click.IntRange(1), help="Alerts per night."
)
@click.option(
    "--seed", default=1, show_default=True, help="Random seed; the same seed gives the same files."
)
@click.option(
    "--mix", type=click.Choice(["natural", "balanced", "transients", "fast"]), default="natural",
    show_default=True,
    help="Class mix: as on the sky, equal numbers, mostly transients, or short-lived ones only.",
)  # fmt: skip
@click.option(
    "--start-jd", default=2460474.5, show_default=True, help="Julian date of the first night."
)
@click.option(
    "--forced/--no-forced", default=True,
    help="Forced photometry for nights since September 2023 (default), or none.",
)  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="Print the populations and exit.")
def simulate(folder, nights, alerts, seed, mix, start_jd, forced, listing):
    """Simulate labelled nights and write them to DIR."""
    from ztfml.io.output_paths import check_writable_folder
    from ztfml.simulate import population_table, write_nights

    if listing:
        click.echo(population_table())
        return
    if folder is None:
        raise click.UsageError("give DIR, or --list")
    check_writable_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in write_nights(folder, alerts, nights, seed, mix, start_jd, forced=forced):
        click.echo(path)


@command(
    "ztfml ingest ztf_public_20240601.tar.gz -o night.parquet\n"
    "ztfml ingest kowalski.json fink.csv -o night.parquet\n"
    "ztfml ingest tarballs/*.tar.gz -o nights/ --jobs 2"
)
@click.argument("inputs", type=NIGHT, nargs=-1, required=True, metavar="FILE|DIR...")
@outputs_option([".parquet"])
@batch_options
@click.option(
    "--cutouts",
    is_flag=True,
    help="Also write the image cutouts of packets, to the folder NAME_fetched.",
)
def ingest(inputs, output, batch, cutouts):
    """Convert alerts in any format to a night in parquet.

    Inputs are avro packets, tar archives, tables and documents of brokers, or folders of them.
    Several inputs are combined into one night. With -o DIR/, each input is a night of its own;
    nights that are done are skipped."""
    if isinstance(output, OutputFolder):
        from ztfml.nights.steps import Ingest

        return run_batch(Ingest(cutouts=cutouts), inputs, output, batch)
    from ztfml.sources.convert import convert
    from ztfml.sources.fetched_folder import fetched_beside

    summary = convert(inputs, output, cutouts)
    click.echo(
        f"{summary.n_alerts} alerts and {summary.n_history} history rows from "
        f"{summary.n_files} files; {summary.n_duplicates} duplicate packets ignored, "
        f"{summary.n_skipped} packets skipped"
    )
    if cutouts:
        click.echo(f"cutouts of {summary.n_cutouts} alerts: {fetched_beside(output)}")
    if summary.skipped_path:
        click.echo(f"skipped packets are listed in {summary.skipped_path}")
    click.echo(output)
