"""Measure a model on sources and nights that were not used in its training.

    python -m tests.benchmarks.unseen NIGHTS [DATA] [PART ...]

NIGHTS is the folder written by ``make model`` (``build/nights``): real alerts with their labels,
and simulated nights. DATA is the folder with ``alerts/`` and ``lightcurves/``, by default that of
the tests. Parts: sources, nights; by default both. All objects count the same, however many alerts
they have. Training and prediction are repeated with three seeds: figures are means, with the range
in brackets. With ``--aside``, only sources are scored on which no choice was based.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.utils.class_weight import compute_sample_weight

from tests.benchmarks.held_out import (
    CURVES,
    DEGRADED,
    FIRST_OUTBURST,
    LATER_OUTBURST,
    SCORES_SHAPE_PS1,
    STRAY,
    YOUNG,
    held_out,
)
from tests.conftest import SHARED_DATA
from ztfml.evaluation.metrics import labels_from
from ztfml.io.parquet import open_parquet
from ztfml.io.text_tables import markdown_table
from ztfml.model.calibration import fit_temperatures
from ztfml.model.model import UNCERTAIN_ODDS
from ztfml.model.probabilities import temperature_of_rows
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS
from ztfml.training.missing_fields import EXPORTS, FIELD_GROUPS

NIGHTS = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5", "ztf_alerts_2460235.5")
SEEDS = (1, 2, 3)
FEWEST_LABELS = 20
"""Sources with fewer labels are left out together."""
POOLED = ("sso", "star", "agn", "transient")
NATURAL_MIX = {"artifact": 0.3, "sso": 0.2, "star": 0.4, "agn": 0.08, "transient": 0.02}
"""Approximate class mix of a night without cuts: of 498 alerts 42 % had rb < 0.55, and of 849
alerts of a broker after cuts 36 % were stars, 22 % asteroids, 7 % AGN, 35 % unlisted variables."""
ASIDE = (
    "fink-client", "pittgoogle", "ampel_nuclear_bg", "skyportal", "alerce_lc_correction",
    "alerce_pipeline", "fink_science",
)  # fmt: skip
"""Sources that were scored once, after all choices were made."""
PARTS = ("sources", "nights")
CALIBRATING = ("whole", "no drb", "no history and no drb")
"""Views to which the temperatures are fitted."""


def object_weights(objects, y):
    """The weight of each row, so that the alerts of an object with one label sum to 1."""
    pair = pd.Series(np.char.add(objects.astype(str), y.astype(str)))
    return 1 / pair.map(pair.value_counts()).to_numpy(float)


def scores(bench, predicted, rows):
    """Compute macro-F1, accuracy, and recall and precision of each class.

    Parameters
    ----------
    bench : Bench
    predicted : DataFrame
        ``p_<label>`` of all alerts.
    rows : ndarray of bool
        The alerts to score.

    Returns
    -------
    dict
        ``macro_f1``, ``accuracy``, and for each class among the labels a tuple of recall,
        precision and number of objects.
    """
    y, guess = bench.y[rows], labels_from(predicted[rows])
    weight = object_weights(bench.objects[rows], y)
    found = {"accuracy": weight[guess == y].sum() / weight.sum()}
    f1 = []
    for label in np.unique(y):
        is_label, is_guess = y == label, guess == label
        right = weight[is_label & is_guess].sum()
        total, named = weight[is_label].sum(), weight[is_guess].sum()
        found[label] = (right / total, right / max(named, 1e-9), round(total))
        f1.append(2 * right / (total + named))
    return found | {"macro_f1": np.mean(f1)}


def calibration_at_natural_mix(bench, predicted, rows):
    """Compute the expected calibration error with ten bins, at the class mix of a night."""
    y = bench.y[rows]
    weight = object_weights(bench.objects[rows], y)
    for label, fraction in NATURAL_MIX.items():
        if (y == label).any():
            weight[y == label] *= fraction / weight[y == label].sum()
    confidence = predicted[rows].to_numpy().max(axis=1)
    gap = weight / weight.sum() * (confidence - (labels_from(predicted[rows]) == y))
    return np.abs(np.bincount(np.minimum((confidence * 10).astype(int), 9), gap)).sum()


def calibrated(bench, run, parts, left_out):
    """Calibrate the probabilities of each part with temperatures fitted on the other parts.

    As in training, alerts with and without drb have a temperature each.

    Parameters
    ----------
    bench : Bench
    run : dict of str to DataFrame
        From `Bench.predict`.
    parts, left_out
        As for `Bench.predict`.

    Returns
    -------
    dict of str to DataFrame
        The views `CALIBRATING`.
    """
    usable = bench.sure & np.isin(parts, left_out)
    p = np.concatenate([run[view].to_numpy() for view in CALIBRATING])
    without = np.concatenate([bench.views[view][0]["drb"].isna() for view in CALIBRATING])
    y, part, used = (np.tile(values, len(CALIBRATING)) for values in (bench.y, parts, usable))
    scores, code = np.log(np.maximum(p, 1e-12)), pd.Index(LABELS).get_indexer(y)
    kind = np.char.add(y, without.astype(str))
    result = np.full_like(p, np.nan)
    for one in left_out:
        here, rest = part == one, used & (part != one)
        weight = compute_sample_weight("balanced", kind[rest])
        both = fit_temperatures(scores[rest], code[rest], weight, without[rest])
        result[here] = softmax(scores[here] / temperature_of_rows(without[here], *both), axis=1)
    by_view = np.split(result, len(CALIBRATING))
    columns = list(PROBABILITY_COLUMNS)
    return {
        view: pd.DataFrame(values, columns=columns)
        for view, values in zip(CALIBRATING, by_view, strict=True)
    }


def source_parts(bench):
    """The source of each alert, or "small sources"."""
    counts = pd.Series(bench.source[bench.sure]).value_counts()
    large = counts.index[counts >= FEWEST_LABELS]
    return np.where(np.isin(bench.source, large), bench.source, "small sources")


def sources(bench, chosen=None):
    """Leave out each source in turn and print all figures on the pooled predictions."""
    parts = source_parts(bench)
    left_out = [one for one in pd.unique(parts) if chosen is None or one in chosen]
    runs = [bench.predict(parts, left_out, seed) for seed in SEEDS]
    here = np.isin(parts, left_out)
    pooled = here & np.isin(bench.y, POOLED)
    rows = [_row("all labels, doubtful ones too", bench, runs, "whole", pooled)]
    groups = [f"no {name}" for name in FIELD_GROUPS]
    exports = [f"as in {name}" for name in EXPORTS]
    views = dict.fromkeys(("whole", *DEGRADED, *groups, *exports, SCORES_SHAPE_PS1))
    rows += [_row(view, bench, runs, view, pooled & bench.sure) for view in views]
    _print(f"Each of {len(left_out)} sources left out, pooled", rows)
    _print("Each of them", [
        _row(part, bench, runs, "whole", pooled & bench.sure & (parts == part))
        for part in left_out if (pooled & bench.sure & (parts == part)).any()
    ])  # fmt: skip
    _print_errors(bench, runs[0], pooled & bench.sure, parts)
    _print_rates(bench, runs, here & bench.sure)
    _print_calibration(bench, [calibrated(bench, run, parts, left_out) for run in runs], here)
    _print_curves(runs)


def nights(bench):
    """Leave out each whole night."""
    rows = []
    for name in NIGHTS:
        path = bench.data / "alerts" / f"{name}.parquet"
        candids = open_parquet(path).read(["candid"]).to_pandas()["candid"]
        here = bench.labels["candid"].isin(candids).to_numpy()
        runs = [
            bench.predict(here, [True], seed, {"whole": bench.views["whole"]}) for seed in SEEDS
        ]
        rows.append(_row(name, bench, runs, "whole", here & bench.sure & np.isin(bench.y, POOLED)))
    _print("Each night left out", rows)


def _row(name, bench, runs, view, rows):
    found = [scores(bench, run[view], rows) for run in runs]
    cells = [name, f"{rows.sum()}"]
    cells += [_range([one[key] for one in found]) for key in ("macro_f1", "accuracy")]
    for label in POOLED:
        if label not in found[0]:
            cells.append("-")
            continue
        recall, precision, n = np.mean([one[label] for one in found], axis=0)
        cells.append(f"{recall:.3f}/{precision:.3f} ({n:.0f})")
    return cells


def _range(values, digits=3):
    low, mean, high = (f"{f(values):.{digits}f}" for f in (np.min, np.mean, np.max))
    return f"{mean} ({low} to {high})"


def _print(title, rows):
    head = ["", "alerts", "macro-F1", "accuracy", *POOLED]
    print(f"\n{title}; by class: recall/precision (objects)\n")
    print("\n".join(markdown_table([head, *rows])), flush=True)


def _print_errors(bench, run, rows, parts):
    guess = labels_from(run["whole"])
    wrong = rows & (guess != bench.y)
    error = np.char.add(np.char.add(bench.y[wrong], " as "), guess[wrong])
    table = pd.DataFrame({"part": parts[wrong], "error": error, "object": bench.objects[wrong]})
    counts = table.groupby(["part", "error"])["object"].nunique().sort_values(ascending=False)
    print("\nMost frequent errors with the first seed, in objects\n")
    print("\n".join(f"{part}: {n} {error}" for (part, error), n in counts.head(20).items()))


def _print_rates(bench, runs, rows):
    """Print how often certain alerts get a label, the calibration, and the effect of a fault."""
    drb = bench.night.alerts["drb"].to_numpy()
    rr_lyrae = bench.labels["evidence"].fillna("").str.contains(r"vsx[^|]*RR", regex=True)
    catalogued = np.isin(bench.y, ["star", "agn", "transient"])
    transient = rows & (bench.y == "transient") & ~bench.bogus
    for name, chosen, view, label in (
        ("drb < 0.1 or rb < 0.15 without drb, called artifact", bench.bogus, "whole", "artifact"),
        ("drb < 0.1, called artifact", drb < 0.1, "whole", "artifact"),
        ("with drb > 0.9, called artifact", catalogued & (drb > 0.9), "whole", "artifact"),
        ("real without rb, called artifact", catalogued & ~bench.bogus, "no rb", "artifact"),
        ("RR Lyrae of VSX called AGN", rr_lyrae.to_numpy(), "whole", "agn"),
        ("transients called transient", transient, "whole", "transient"),
        ("... with an old stray detection", transient, STRAY, "transient"),
    ):  # fmt: skip
        here = rows & chosen
        shares = [np.mean(labels_from(run[view][here]) == label) for run in runs]
        print(f"{name}: {_range(shares, 4)} of {here.sum()} alerts")


def _print_calibration(bench, runs, here):
    rows = here & bench.sure
    for view in CALIBRATING:
        errors = [calibration_at_natural_mix(bench, run[view], rows) for run in runs]
        print(f"expected calibration error at the natural mix, {view}: {_range(errors, 4)}")
    second, best = np.sort(runs[0]["whole"][rows].to_numpy(), axis=1)[:, -2:].T
    print(f"uncertain: {np.mean(best < UNCERTAIN_ODDS * second):.3f}")


def _print_curves(runs):
    print("\nLight curves with the packet of another object: fraction with each label\n")
    rows = [["light curves", "alerts", *LABELS]]
    curves = [f"{name}, night {number}" for name in CURVES for number in (1, 2)]
    for view in (*YOUNG, *curves, FIRST_OUTBURST, LATER_OUTBURST):
        guesses = np.array([labels_from(run[view].dropna()) for run in runs])
        if guesses.shape[1]:
            shares = [(guesses == label).mean(axis=1) for label in LABELS]
            rows.append([view, f"{guesses.shape[1]}", *map(_range, shares)])
    print("\n".join(markdown_table(rows)), flush=True)


def main(arguments):
    """Print the selected parts."""
    aside = ASIDE if "--aside" in arguments else None
    arguments = [one for one in arguments if one != "--aside"]
    parts = [one for one in arguments if one in PARTS] or PARTS
    folders = [Path(one) for one in arguments if one not in PARTS]
    bench = held_out(folders[0], folders[1] if len(folders) > 1 else SHARED_DATA)
    if "sources" in parts:
        sources(bench, aside)
    if "nights" in parts and aside is None:
        nights(bench)


if __name__ == "__main__":
    main(sys.argv[1:])
