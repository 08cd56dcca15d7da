"""Commands of live nights: watch, replay."""

import datetime
import logging
import math
from pathlib import Path

import click

from ztfml.cli.inputs import load_model, load_observatory, selection_from
from ztfml.cli.options import (
    PATH,
    Level,
    command,
    galaxies_option,
    instrument_option,
    model_option,
    observatory_option,
    ranking_option,
    skymap_option,
    weights_option,
)
from ztfml.cli.staging import PlaceOrAddress
from ztfml.cli.watch_config import CONFIGURED, channel_environment, stream_environment
from ztfml.stream.servers import SERVERS, group_of

log = logging.getLogger(__name__)


@command(
    "ztfml watch --from babamul --topic babamul.ztf.no-lsst-match.hosted --group my_team "
    "-o tonight/ --until sunrise\n"
    "ztfml watch --from ztf --server localhost:9092 --topic ztf_test --group drill -o drill/ "
    "--every 30s --notify file=found.jsonl",
    configured=CONFIGURED,
)
@click.option(
    "--from", "broker", type=click.Choice(list(SERVERS)), required=True, is_eager=True,
    help="Broker. All three avro dialects are recognised; this gives the default server.",
)  # fmt: skip
@click.option("--server", metavar="HOST:PORT", help="Kafka server. Default: that of the broker.")
@click.option(
    "--topic", "topics", multiple=True, required=True, metavar="TOPIC",
    help="Topic; can be repeated. %Y%m%d is replaced by the date of the night in UTC.",
)  # fmt: skip
@click.option(
    "--group", required=True, metavar="NAME",
    help="Consumer group, which keeps the positions in the topics. Some brokers assign it.",
)  # fmt: skip
@click.option(
    "-o", "--output", "folder", type=PATH, required=True, metavar="DIR/",
    help="Output folder, one for each night. A run that was interrupted is continued. %Y%m%d is "
    "replaced by the date of the night in UTC.",
)  # fmt: skip
@click.option(
    "--every", default="5m", show_default=True, metavar="TIME",
    help="Time between two rounds of ranking, e.g. 30s or 5m.",
)  # fmt: skip
@click.option(
    "--since", metavar="TIME",
    help="With a new group: skip packets that the broker received before noon (at Palomar) or "
    "YYYY-MM-DDTHH:MM in UTC. Default: read all that the topic has.",
)  # fmt: skip
@click.option(
    "--until", metavar="TIME",
    help="End: sunrise (at Palomar), HH:MM or YYYY-MM-DDTHH:MM in UTC. Default: until Ctrl-C.",
)  # fmt: skip
@click.option(
    "--idle", metavar="TIME", help="Also end when no packet arrives for this time, e.g. 2h."
)
@click.option(
    "--notify", "channels", multiple=True, metavar="CHANNEL",
    help="Announce objects: file=PATH, command=CMD, slack=URL or skyportal=URL; can be repeated.",
)  # fmt: skip
@click.option(
    "--min-score", type=click.FloatRange(0, 1), default=0.1, show_default=True, metavar="SCORE",
    help="Announce objects with at least this score.",
)  # fmt: skip
@click.option(
    "--high-score", type=click.FloatRange(0, 1), default=0.5, show_default=True, metavar="SCORE",
    help="Announce an object a second time when it reaches this score.",
)  # fmt: skip
@click.option(
    "--within", type=Level(), default=0.9, show_default=True,
    metavar="LEVEL", help="With --skymap: announce all listed objects inside this credible region.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Log announcements instead of sending them.")
@click.option(
    "--outbox", type=PATH, metavar="DIR",
    help="Folder that remembers the announcements. Share it between the nights of a season.",
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(1),
    help="Number of objects in the list. Default: the number of spectra per night.",
)  # fmt: skip
@click.option(
    "--store", type=PlaceOrAddress(path_type=Path), metavar="STORE",
    help="History store: adds the history of the objects in each round, and receives the night "
    "at its end. It is created if it does not exist.",
)  # fmt: skip
@click.option(
    "--months", default=6.0, show_default=True, type=click.FloatRange(0, min_open=True),
    help="With --store: length of the history before the first alert of each object.",
)  # fmt: skip
@model_option
@ranking_option
@weights_option
@instrument_option
@observatory_option
@galaxies_option
@skymap_option
@click.option(
    "--session", default=30.0, show_default=True, type=click.FloatRange(0.5), metavar="SECONDS",
    help="Time without a sign of life after which the broker gives the topics to others.",
)  # fmt: skip
def watch(
    broker, server, topics, group, folder, every, since, until, idle, channels, min_score,
    high_score, within, dry_run, outbox, top, store, months, model, ranking, weights, instrument,
    observatory, galaxies, skymap, session,
):  # fmt: skip
    """Rank a night while it is observed, from the stream of a broker.

    Packets are received from Kafka topics and stored in DIR/parts. Every few minutes the night
    (DIR/night.parquet), the list (DIR/ranked.csv) and the page (DIR/night.html) are written again,
    and new objects are announced. Nothing is lost if the command is killed: run it again.

    The user name and password of the broker are read from the environment variables
    ZTFML_KAFKA_USERNAME and ZTFML_KAFKA_PASSWORD, or from ztfml.toml.
    """
    from ztfml.io.output_paths import check_writable_folder
    from ztfml.nights.steps import matcher
    from ztfml.ranking import FastTransientScorer
    from ztfml.stream.announce import Thresholds
    from ztfml.stream.channels import channel_of
    from ztfml.stream.folder import open_folder, start_of_night, with_date
    from ztfml.stream.kafka import USERNAME, KafkaStream, settings
    from ztfml.stream.outbox import OUTBOX, Outbox
    from ztfml.stream.rounds import NIGHT, Ranker
    from ztfml.stream.sunrise import seconds_of
    from ztfml.stream.watch import Schedule
    from ztfml.stream.watch import watch as run_watch

    server = server or SERVERS[broker]
    if server is None:
        raise click.UsageError(f"--from {broker} needs --server; the broker tells you its address")
    now = _now()
    folder = Path(with_date(str(folder), now))
    seconds, longest_pause = seconds_of(every), seconds_of(idle) if idle else math.inf
    start = start_of_night(since, now) if since else None
    check_writable_folder(folder)
    receivers = {one.name: one for one in (channel_of(c, channel_environment()) for c in channels)}
    scorer = FastTransientScorer.load(ranking, weights, instrument)
    ranker = Ranker(
        load_model(model),
        scorer,
        selection_from(False, 0.0, None, skymap),
        _matcher(store, months, matcher(galaxies, skymap)),
        top or scorer.instrument.spectra_per_night,
        load_observatory(observatory, instrument),
    )
    environment = stream_environment(broker)
    end = open_folder(folder, until, now)
    if end is not None and end <= now:
        log.warning("%s: this night ended at %s UTC; finishing it", folder, f"{end:%Y-%m-%d %H:%M}")
    stream = KafkaStream(
        settings(
            server, group_of(broker, group, environment.get(USERNAME)), folder, environment, session
        ),
        [with_date(topic, now) for topic in topics],
        start,
    )
    try:
        counts = run_watch(
            stream,
            folder,
            ranker,
            Schedule(seconds, lambda: end is not None and _now() >= end, longest_pause),
            Outbox(
                outbox or folder / OUTBOX,
                list(receivers.values()),
                dry_run,
                str(folder.absolute()),
            ),
            Thresholds(min_score, high_score, within),
        )
    finally:
        stream.close()
    if store is not None and counts.stored:
        _add_to_store(store, folder / NIGHT, counts.stored)
    click.echo(
        f"{counts.stored:,} packets, {counts.repeated:,} repeated, {counts.skipped:,} skipped"
    )
    click.echo(folder)


def _matcher(store, months, match):
    """Return a function that gives a night the history of the store, galaxies and a sky map."""
    if store is None:
        return match
    from ztfml.store.night import with_store
    from ztfml.store.store import Store

    opened = Store.create(store)
    return lambda night: match(with_store(night, opened, months))


def _add_to_store(store, night, n_alerts):
    from ztfml.errors import DataError
    from ztfml.store.add import add_night
    from ztfml.store.store import Store

    try:
        opened = Store.open(store)
        # A night that is finished again has new files with the same packets.
        known = {(one["night"], one["alerts"]) for one in opened.records()}
        if (str(night.resolve()), n_alerts) not in known:
            add_night(opened, night)
    except DataError as error:
        raise DataError(
            f"{error}; the night is complete, add it with `ztfml history add {store} {night}`"
        ) from error


def _now():
    return datetime.datetime.now(datetime.UTC)


@command("ztfml replay night.parquet --server localhost:9092 --topic ztf_test --speed 60")
@click.argument("nights", type=PATH, nargs=-1, required=True, metavar="NIGHT|FILE...")
@click.option("--server", required=True, metavar="HOST:PORT", help="Kafka server.")
@click.option(
    "--topic", required=True, metavar="TOPIC", help="Topic; created if it does not exist."
)
@click.option(
    "--speed", default=60.0, show_default=True, type=click.FloatRange(0),
    help="Factor by which time runs faster than on the sky; 0 for no pauses.",
)  # fmt: skip
def replay(nights, server, topic, speed):
    """Publish the packets of a night to a Kafka topic, in time order.

    Avro packets and archives are published unchanged. From other formats, packets are made with
    the fields that ztfml uses.
    """
    from ztfml.sources.archives import ARCHIVE_SUFFIXES, PACKET_SUFFIXES
    from ztfml.stream.replay import packets_of_files, packets_of_night, publish

    if all(one.is_dir() or one.name.endswith(ARCHIVE_SUFFIXES + PACKET_SUFFIXES) for one in nights):
        n_sent = publish(packets_of_files(nights), server, topic, speed)
    else:
        if len(nights) > 1:
            raise click.UsageError("name one NIGHT, or packets and archives of packets")
        from ztfml.sources.formats import open_night

        night = open_night(nights[0])
        n_sent = publish(packets_of_night(night), server, topic, speed, len(night))
    click.echo(f"{n_sent:,} packets published to {topic}")
