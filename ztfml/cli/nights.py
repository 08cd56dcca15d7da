"""Commands that make nights: demo, simulate, ingest."""

import click

from ztfml.cli.options import PATH, command, output_option


@command("ztfml demo demo")
@click.argument("folder", type=PATH, default="demo", metavar="[DIR]")
@click.option("--seed", default=8, show_default=True, help="Another seed is another sky.")
def demo(folder, seed):
    """Simulate nights, train on them, predict, rank, plot and report a new one, in a new folder."""
    from ztfml.demo import run_demo

    for line in run_demo(folder, seed):
        click.echo(line)


@command("ztfml simulate nights --nights 3 --alerts 5000 --seed 7")
@click.argument("folder", type=PATH, metavar="DIR")
@click.option("--nights", default=1, show_default=True, type=click.IntRange(1), help="How many.")
@click.option(
    "--alerts", default=5000, show_default=True, type=click.IntRange(1), help="Alerts a night."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--mix", type=click.Choice(["natural", "balanced", "transients"]), default="natural",
    show_default=True, help="Classes as on the sky, as many of each, or mostly transients.",
)  # fmt: skip
@click.option(
    "--start-jd", default=2460474.5, show_default=True, help="Julian date at which they begin."
)
def simulate(folder, nights, alerts, seed, mix, start_jd):
    """Simulate labelled nights of one sky and write them to DIR."""
    from ztfml.simulate import write_nights

    folder.mkdir(parents=True, exist_ok=True)
    for path in write_nights(folder, alerts, nights, seed, mix, start_jd):
        click.echo(path)


@command("ztfml ingest ztf_public_20240601.tar.gz -o night.parquet")
@click.argument("packets", type=PATH, nargs=-1, required=True, metavar="PACKET|DIR|TAR...")
@output_option([".parquet"])
@click.option("--cutouts", is_flag=True, help="Keep the image stamps, too, in NAME_fetched.")
def ingest(packets, output, cutouts):
    """Turn avro alert packets, loose or in tar archives, into a night's parquet pair."""
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.ingest import ingest as ingest_packets

    summary = ingest_packets(packets, output, cutouts)
    click.echo(
        f"{summary.n_alerts} alerts and {summary.n_history} history rows from "
        f"{summary.n_files} files; {summary.n_duplicates} packets came twice, "
        f"{summary.n_skipped} were skipped"
    )
    if cutouts:
        click.echo(f"stamps of {summary.n_cutouts} alerts: {fetched_beside(output)}")
    if summary.skipped_path:
        click.echo(f"skipped: see {summary.skipped_path}")
    click.echo(output)
