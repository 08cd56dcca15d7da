"""The demonstration: simulate nights, train, predict, rank, plot and report."""

import json
import logging
import os
import time
from pathlib import Path

from ztfml import plots
from ztfml.errors import DataError
from ztfml.evaluation.text import headline, metrics_table
from ztfml.io.atomic import write_beside
from ztfml.io.companions import labels_beside
from ztfml.io.output_paths import check_writable_folder
from ztfml.io.parquet import write_table
from ztfml.model.model import Model
from ztfml.report import write_report
from ztfml.simulate import write_nights
from ztfml.sources.formats import open_night
from ztfml.training.evaluate import evaluate
from ztfml.training.train import train

log = logging.getLogger(__name__)

N_TRAINING_NIGHTS = 3
N_ALERTS = 4000
PROGRAM = "ztfml demo"
MARKER = "demo.json"
"""The file that identifies the folder of a demonstration."""


def run_demo(folder: str | Path, seed: int = 62) -> str:
    """Run all steps of ztfml on simulated nights.

    Three labelled nights are simulated for training, and a fourth one to which the model is
    applied. Progress is logged.

    Parameters
    ----------
    folder : str or Path
        Created if it does not exist. The files of an earlier demonstration in it are replaced,
        also if that one was interrupted; all other files stay as they are.
    seed : int
        Another seed simulates another sky. The last night of the default seed has a fast blue
        optical transient (FBOT).

    Returns
    -------
    str
        The ranked list of the last night, with what was simulated, and the metrics of the model.

    Raises
    ------
    DataError
        If the folder has files but is not the folder of a demonstration, or is not writable.

    Examples
    --------
    It takes a minute:

    >>> print(run_demo("demo"))   # doctest: +SKIP
    """
    folder = Path(folder)
    check_writable_folder(folder)
    _claim(folder, seed)
    log_step = _StepTimer()

    paths = write_nights(folder, N_ALERTS, N_TRAINING_NIGHTS + 1, seed)
    *labelled, new = paths
    log_step(f"simulated {len(paths)} nights of {N_ALERTS} alerts: {folder}")

    model_folder = folder / "model"
    train(labelled, model_folder, overwrite=True)
    model = Model.load(model_folder)
    log_step(f"trained a model on the first {len(labelled)} nights: {model_folder}")
    for metrics in model.card["metrics"]:
        log.info("       %s: %s", metrics["title"], headline(metrics))

    night = open_night(new)
    predictions, ranked = model.predict_and_rank(night, top=12)
    write_table(predictions, folder / "predictions.parquet")
    log_step(f"classified the last night: {folder / 'predictions.parquet'}")

    write_table(ranked, folder / "ranked.csv")
    log_step(f"ranked its fast transients: {folder / 'ranked.csv'}")

    figure = folder / "light_curve.png"
    fig, (ax,) = plots.figure()
    plots.light_curve(night, ranked["objectId"][0], ax)
    plots.save(fig, figure)
    log_step(f"plotted the light curve of the first object: {figure}")

    page = folder / "night.html"
    write_report(night, model, page)
    log_step(f"wrote the report of the night, to open in a browser: {page}")

    metrics = metrics_table(evaluate(night, labels_beside(new), model))
    _write_marker(folder, seed, complete=True)
    return "\n".join(
        [
            "Fast transients of the last night, with what was simulated:",
            *_ranked_lines(ranked, labels_beside(new)),
            "",
            "Metrics of the model on that night, which was not used for training:",
            metrics,
        ]
    )


def demo_folder(folder: str | Path = "demo") -> Path:
    """Return the folder of a demonstration; run it first if it is missing or incomplete.

    Parameters
    ----------
    folder : str or Path
        The environment variable ``ZTFML_DEMO`` overrides it.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If the folder has other files.

    Examples
    --------
    It takes a minute the first time:

    >>> demo_folder() / "night.html"   # doctest: +SKIP
    PosixPath('demo/night.html')
    """
    folder = Path(os.environ.get("ZTFML_DEMO", folder))
    marker = _read_marker(folder)
    if marker is None or not marker["complete"]:
        print(run_demo(folder))
    return folder


def _claim(folder, seed):
    """Create the folder and its marker, before any other file is written."""
    # A run that is killed while it writes the marker leaves only a part of the marker.
    others = folder.exists() and any(
        not path.name.startswith(f".{MARKER}.") for path in folder.iterdir()
    )
    if others and _read_marker(folder) is None:
        raise DataError(
            f"{folder}: not empty, and not the folder of a demonstration (it has no {MARKER}); "
            "name a new folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write_marker(folder, seed, complete=False)


def _write_marker(folder, seed, complete):
    text = json.dumps({"program": PROGRAM, "seed": seed, "complete": complete})
    with write_beside(folder / MARKER) as part:
        part.write_text(f"{text}\n", encoding="utf-8")


def _read_marker(folder):
    """Read the marker of a demonstration; None if there is none."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) and marker.get("program") == PROGRAM else None


class _StepTimer:
    """Logs steps with the seconds since the one before."""

    def __init__(self):
        self._last = time.monotonic()

    def __call__(self, line):
        now = time.monotonic()
        log.info("%5.1f s  %s", now - self._last, line)
        self._last = now


def _ranked_lines(ranked, labels_path):
    """Lines of the ranked list, with the simulated population of each object."""
    import pandas as pd

    evidence = pd.read_csv(labels_path).set_index("candid")["evidence"]
    for row in ranked.itertuples():
        population = evidence[row.candid].removeprefix("simulated: ")
        yield f"  {row.rank:2d}  {row.objectId}  {row.score:.2f}  {population}"
        yield f"      {row.reasons}"
