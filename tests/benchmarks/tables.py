"""Results of the benchmarks as Markdown tables."""

from statistics import median

from tests.benchmarks.inputs import FULL, SIZES, SMALLEST
from ztfml.io.text_tables import markdown_table

BARE = "bare read of the columns"
PARQUET_TO_PARQUET = "features, parquet to parquet"


def _table(head, rows):
    return "\n".join(markdown_table([head, *rows])) + "\n"


def steps_table(steps):
    """Table of the steps of a night; ``steps`` is the output of the module of that name."""
    seconds = {name: _median(steps, name) for name in steps[0]}
    rows = [[name, f"{s:.2f}", f"{s / seconds[BARE]:.1f}"] for name, s in seconds.items()]
    title = (
        f"Steps in one warm process, medians of {len(steps)} runs; features.compute is "
        "in one table, parquet to parquet in parts, to a new file each "
        "time:\n\n"
    )
    return title + _table(["step", "seconds", "times the bare read"], rows)


def _median(steps, name):
    return median(run[name] for run in steps)


def processes_table(processes, runs, ships):
    """Table of whole processes; ``processes`` has a `timing.Run` by name, the bare read first."""
    model = "the shipped model" if ships else "a model of two simulated nights"
    bare = next(iter(processes.values())).seconds
    rows = [
        [name, f"{one.seconds:.2f}", f"{one.seconds / bare:.1f}", f"{one.memory:.2f}"]
        for name, one in processes.items()
    ]
    title = (
        f"Whole processes, including the start of Python, with {model}; medians of {runs} "
        "runs, largest memory:\n\n"
    )
    return title + _table(["process", "seconds", "times the bare read", "peak GB"], rows)


def growth_table(by_size, history_rows):
    """Table of the scaling with size; ``by_size`` has a `timing.Run` by size and command."""
    head = ["night", "alerts", "history rows"]
    for command in by_size[FULL]:
        head += [f"{command}, s", "µs per alert"]
    rows = []
    for size, n_alerts in SIZES.items():
        row = [size, f"{n_alerts:,}", f"{history_rows[size]:,}"]
        for command, done in by_size[size].items():
            more = done.seconds - by_size[SMALLEST][command].seconds
            each = "-" if size == SMALLEST else f"{1e6 * more / (n_alerts - SIZES[SMALLEST]):.1f}"
            row += [f"{done.seconds:.2f}", each]
        rows.append(row)
    title = "Scaling; microseconds per alert are relative to the smallest night:\n\n"
    return title + _table(head, rows)


def nights_table(by_number):
    """Table of several nights in one command; ``by_number`` has a `timing.Run` by number."""
    rows = [
        [str(number), f"{one.seconds:.1f}", f"{one.seconds / number:.2f}", f"{one.memory:.2f}"]
        for number, one in by_number.items()
    ]
    title = (
        "Several nights in one `ztfml features`, one run each; all are links to the full night:\n\n"
    )
    return title + _table(["nights", "seconds", "seconds per night", "peak GB"], rows)


SURVEY_ALERTS = 450_000_000
"""Public alerts of ZTF from June 2018 to 2026."""


def throughput_table(seconds, jobs, n_nights):
    """Table of nights per minute; ``seconds`` has one value per number of processes by command."""
    rows = [
        [f"ztfml {command}", *(f"{60 * n_nights / one:.1f}" for one in values)]
        for command, values in seconds.items()
    ]
    title = (
        f"Nights per minute: {n_nights} full nights of {SIZES[FULL]:,} alerts in one command with "
        "`-o DIR/`, one run each, including the start of Python. One process uses all cores:\n\n"
    )
    return title + _table(["command", *_processes(jobs)], rows)


def survey_table(seconds, jobs, n_nights):
    """Table of the hours for all alerts of the survey."""
    per_alert = {
        command: [one / (n_nights * SIZES[FULL]) for one in values]
        for command, values in seconds.items()
    }
    rows = [
        [f"ztfml {command}", *(f"{each * SURVEY_ALERTS / 3600:.1f}" for each in values)]
        for command, values in per_alert.items()
    ]
    title = (
        f"Hours for {SURVEY_ALERTS:,} alerts (2018 to 2026) on this computer, in proportion to the "
        "table before. This assumes nights in parquet on a local disk, with the size and history "
        "of this night; packets must be downloaded and decoded first:\n\n"
    )
    return title + _table(["command", *_processes(jobs)], rows)


def _processes(jobs):
    return [f"{number} process{'' if number == 1 else 'es'}" for number in jobs]


def memory_table(done, n_alerts):
    """Table of the memory; ``done`` has a `timing.Run` by number of nights."""
    rows = [
        [str(number), f"{one.seconds / number:.2f}", f"{one.memory:.2f}"]
        for number, one in done.items()
    ]
    title = (
        f"`ztfml rank -o DIR/` of nights with {n_alerts:,} alerts, one process, one run each:\n\n"
    )
    return title + _table(["nights", "seconds per night", "peak GB"], rows)


WAYS = {
    "ztfml": "ztfml, each alert with data up to its time",
    "pandas_groupby": "pandas, one merge and groupby, each alert with data up to its time",
    "light_curve_alerts": "light-curve, 14 in g and r each, each alert with data up to its time",
    "light_curve_objects": "light-curve, 14 in g and r each, each object once, without the alerts",
}


def ways_table(ways, steps, runs):
    """Table of other programs; ``ways`` has JSON and `timing.Run` of each comparator by name."""
    bare, ours = _median(steps, BARE), median(ways["ztfml"][0]["seconds"])
    rows = []
    for name, what in WAYS.items():
        found, process = ways[name]
        s = median(found["seconds"])
        sizes = [f"{found['rows']:,}", f"{found['values']}"]
        ratios = [f"{s / bare:.1f}", f"{s / ours:.2f}"]
        rows.append([what, *sizes, f"{s:.2f}", *ratios, f"{process.memory:.2f}"])
    title = (
        "From the same parquet files to a table in memory, each program in a separate process, "
        f"medians of {runs} runs; pandas and light-curve as written for this comparison:\n\n"
    )
    head = ["program", "rows", "values", "seconds", "times the bare read", "times ztfml", "peak GB"]
    return title + _table(head, rows)


EXERCISE = {
    "exercise_as_text": "object names as text, as in the public files",
    "exercise_as_categories": "object names as categories, as in files that ztfml writes",
}


def exercise_table(exercise, steps):
    """Table of the exercise's light curves; ``exercise`` has the seconds of some alerts by name."""
    ours = _median(steps, PARQUET_TO_PARQUET)
    n_alerts = SIZES[FULL]
    rows = []
    for name, what in EXERCISE.items():
        each = exercise[name]
        s = median(each)
        spread = f"{1e3 * min(each):.0f} to {1e3 * max(each):.0f}"
        night = s * n_alerts
        rows.append([what, f"{1e3 * s:.0f}", spread, f"{night / 3600:.1f}", f"{night / ours:,.0f}"])
    title = (
        "Time of the exercise to select one light curve from the data frames, as written for this "
        f"comparison: medians of {len(each)} alerts, extrapolated to all {n_alerts:,}, without "
        f"reading the files. The last column is the ratio to all features of the night, "
        f"parquet to parquet:\n\n"
    )
    head = ["light curves", "ms per alert", "range", "hours per night", "times ztfml"]
    return title + _table(head, rows)
