"""Make the simulated nights and the model of the benchmarks on the first run.

Run it as a separate process (``python -m tests.benchmarks.inputs``), so that the memory of the
simulation does not count as that of the benchmarks. It prints a summary as JSON.
"""

import json
import sys
from pathlib import Path

FOLDER = Path(".bench")
FEATURES = FOLDER / "features.parquet"
# The size of the public night of JD 2460474.5, a tenth and a hundredth of it.
SIZES = {"1 %": 1_535, "10 %": 15_349, "100 %": 153_489}
SMALLEST, FULL = "1 %", "100 %"
NIGHT = "ztf_alerts_2460474.5.parquet"


def night_of(size):
    """Return the alerts file of the night of a size."""
    return (FOLDER if size == FULL else FOLDER / f"{SIZES[size]}_alerts") / NIGHT


def history_of(night):
    """Return the history file of an alerts file."""
    return night.with_name(f"{night.stem}_prv_candidates.parquet")


def companions_of(night):
    """Return the history and the forced photometry of an alerts file, if it has any."""
    forced = night.with_name(f"{night.stem}_fp_hists.parquet")
    return [file for file in (history_of(night), forced) if file.exists()]


def links_to_full(number):
    """Make several links to the full night."""
    folder = FOLDER / "links"
    folder.mkdir(exist_ok=True)
    full = night_of(FULL).resolve()
    nights = [folder / f"night_{k:02}.parquet" for k in range(1, number + 1)]
    for night in nights:
        for link, target in ((night, full), (history_of(night), history_of(full))):
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return nights


def make_nights():
    """Simulate missing nights, and return the number of history rows by size."""
    import pyarrow.parquet as pq

    from ztfml.simulate import write_nights

    for size, n_alerts in SIZES.items():
        night = night_of(size)
        if not night.exists():
            print(f"simulating a night of {n_alerts:,} alerts, once", file=sys.stderr)
            night.parent.mkdir(parents=True, exist_ok=True)
            # The public night has 60 history rows per alert.
            write_nights(night.parent, n_alerts, seed=1, histories="long")
    return {size: pq.read_metadata(history_of(night_of(size))).num_rows for size in SIZES}


def make_model():
    """Return the folder of the shipped model, or of one trained here if that is too old.

    The second value tells whether it is the shipped model.
    """
    from ztfml.errors import ModelError
    from ztfml.model.folder import shipped_model
    from ztfml.simulate import write_nights
    from ztfml.training.train import train

    try:
        _use(shipped_model())
        return str(shipped_model()), True
    except ModelError as error:
        print(error, file=sys.stderr)
    folder = FOLDER / "model"
    try:
        _use(folder)
    except ModelError:
        print("training a model on two simulated nights, once", file=sys.stderr)
        train(write_nights(FOLDER, 5000, 2, seed=2, start_jd=2460400.5), folder, overwrite=True)
    return str(folder), False


def _use(model):
    """Predict with a model; this fails if it was trained with other feature versions."""
    from ztfml import Model, Night

    Model.load(model).predict(Night.load(night_of(SMALLEST)))


if __name__ == "__main__":
    history_rows = make_nights()
    model, ships = make_model()
    print(json.dumps({"history_rows": history_rows, "model": model, "ships": ships}))
