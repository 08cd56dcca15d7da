"""The whole way on simulated nights: simulate, train, predict, rank, plot, report."""

import os
import time
from pathlib import Path

from ztfml import plots
from ztfml.errors import DataError
from ztfml.evaluation.text import headline, metrics_table
from ztfml.io.atomic import write_beside
from ztfml.model.model import Model
from ztfml.night import labels_beside
from ztfml.report import write_report
from ztfml.simulate import write_nights
from ztfml.sources.formats import open_night
from ztfml.training.evaluate import evaluate
from ztfml.training.train import train

N_TRAINING_NIGHTS = 3
N_ALERTS = 4000


def run_demo(folder, seed=8):
    """Run the demonstration and say what it does, line by line.

    Three labelled nights are simulated to train on, and one more to apply the model to.

    Parameters
    ----------
    folder : str or Path
        Made; must not exist yet, or be empty.
    seed : int
        The default is a sky with a fast blue transient in its last night; few have one.

    Yields
    ------
    str
        What has just been done, how long it took, and where the outcome is.

    Raises
    ------
    DataError
        If the folder holds something already.

    Examples
    --------
    >>> for line in run_demo("demo"):   # doctest: +SKIP
    ...     print(line)
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: not empty; name a new folder, or remove this one")
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock()

    paths = write_nights(folder, N_ALERTS, N_TRAINING_NIGHTS + 1, seed)
    *labelled, new = paths
    yield clock(f"simulated {len(paths)} nights of {N_ALERTS} alerts: {folder}")

    model_folder = folder / "model"
    train(labelled, model_folder)
    model = Model.load(model_folder)
    yield clock(f"trained on the first {len(labelled)}: {model_folder}")
    yield from (f"       {one['title']}: {headline(one)}" for one in model.card["metrics"])

    night = open_night(new)
    predictions, ranked = model.predict_and_rank(night, top=12)
    _write(folder / "predictions.parquet", predictions.to_parquet)
    yield clock(f"predicted the last night: {folder / 'predictions.parquet'}")

    _write(folder / "ranked.csv", ranked.to_csv)
    yield clock(f"ranked its fast transients: {folder / 'ranked.csv'}")
    yield from _table(ranked, labels_beside(new))

    best = folder / f"{ranked['objectId'][0]}.png"
    fig, (ax,) = plots.figure()
    plots.light_curve(ax, night, ranked["objectId"][0])
    plots.save(fig, best)
    yield clock(f"drew the first of them: {best}")

    page = folder / "night.html"
    write_report(night, model, page)
    yield clock(f"made the night's page, to open in a browser: {page}")

    yield ""
    yield "How the model did on that night, which it had never seen:"
    yield metrics_table(evaluate(night, labels_beside(new), model))


def demo_folder(folder="demo"):
    """Give the folder of a demonstration, which is run first if it is not there.

    Parameters
    ----------
    folder : str or Path
        The environment variable ``ZTFML_DEMO`` names another.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If the folder holds something else.

    Examples
    --------
    >>> demo_folder() / "night.html"   # doctest: +SKIP
    PosixPath('demo/night.html')
    """
    folder = Path(os.environ.get("ZTFML_DEMO", folder))
    if not (folder / "night.html").is_file():
        for line in run_demo(folder):
            print(line)
    return folder


class _Clock:
    """Puts the seconds since the last step before a line."""

    def __init__(self):
        self._last = time.monotonic()

    def __call__(self, line):
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        return f"{seconds:5.1f} s  {line}"


def _write(path, write):
    with write_beside(path) as part:
        write(part, index=False)


def _table(ranked, labels_path):
    """The ranked list in short, each row with what was simulated there."""
    import pandas as pd

    truth = pd.read_csv(labels_path).set_index("candid")["evidence"]
    for row in ranked.itertuples():
        what = truth[row.candid].removeprefix("simulated: ")
        yield f"  {row.rank:2d}  {row.objectId}  {row.score:.2f}  {what}"
        yield f"      {row.reasons}"
