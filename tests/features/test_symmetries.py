"""Features do not depend on the date, the distance or the names of the bands."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.curves import curves_frames
from tests.nights import random_frames
from ztfml.features import FEATURES, compute
from ztfml.night import Night

pytestmark = pytest.mark.filterwarnings("ignore")

SEEDS = st.integers(0, 2**32 - 1)
NAMES = [feature.name for feature in FEATURES]
# The Sun moves on.
OF_THE_DATE = {"opposition_distance"}
# Magnitudes of the source itself, and its distance in brightness from other sources.
OF_BRIGHTNESS = {
    "magpsf", "peak_mag", "mag_minus_ps1", "mag_minus_gaia", "mag_minus_sso",
    "magnr", "ref_minus_ps1",
    *(f"{name}_{band}" for name in ("peak_mag", "first_mag", "last_mag") for band in "gri"),
}  # fmt: skip
# Pairs are looked for from the bluer band, so that they are others with g and i exchanged.
# The bands of PS1 are not exchanged.
OF_COLOUR = {feature.name for feature in FEATURES if feature.group == "colour"} | {"ref_minus_ps1"}


def features_of(alerts, history):
    return compute(Night.from_frames(alerts, history))


def assert_equal(before, after, names=NAMES):
    """Compare up to rounding of Julian dates (4.7e-10 d) and logarithms."""
    before, after = before[list(names)], after[list(names)]
    pd.testing.assert_frame_equal(before, after, rtol=1e-8, atol=1e-8)


def frames(seed):
    """Alternately of oddities and of the shapes that real sources have."""
    if seed % 2:
        return random_frames(seed, n_objects=8)
    return curves_frames(seed, 4)


@settings(deadline=None, max_examples=12)
@given(SEEDS, st.integers(-3000, 3000))
def test_the_date_changes_nothing(seed, days):
    alerts, history = frames(seed)
    before = features_of(alerts, history)
    times = [name for name in alerts if name in ("candidate.jd", "candidate.jdstarthist")]
    alerts[times] += days
    after = features_of(alerts, history.assign(jd=history["jd"] + days))
    assert_equal(before, after, [name for name in NAMES if name not in OF_THE_DATE])


@settings(deadline=None, max_examples=12)
@given(SEEDS, st.floats(-1, 1))
def test_the_distance_changes_only_brightness(seed, fainter):
    """A source ten times as far, its limits as well: rates, colours, shapes stay as they are."""
    alerts, history = random_frames(seed, n_objects=8)
    alerts = alerts.assign(**{"candidate.distnr": 0.5, "candidate.magnr": 19.0})
    before = features_of(alerts, history)
    alerts[["candidate.magpsf", "candidate.magnr"]] += fainter
    mags = ["magpsf", "diffmaglim"]
    after = features_of(alerts, history.assign(**(history[mags] + fainter)))
    before[list(OF_BRIGHTNESS)] += fainter
    assert_equal(before, after)


@settings(deadline=None, max_examples=12)
@given(SEEDS)
def test_swapping_bands_swaps_features(seed):
    alerts, history = random_frames(seed, n_objects=8)
    before = features_of(alerts, history)
    swapped = {1: 3, 2: 2, 3: 1}
    alerts["candidate.fid"] = alerts["candidate.fid"].map(swapped)
    after = features_of(alerts, history.assign(fid=history["fid"].map(swapped)))
    other = {"_g": "_i", "_i": "_g"}
    names = [name for name in NAMES if name not in OF_COLOUR]
    exchanged = [
        name[:-2] + other[name[-2:]] if name[-2:] in other and name[-4:] != "_r_i" else name
        for name in names
    ]
    assert sum(a != b for a, b in zip(names, exchanged, strict=True)) > 60
    assert_equal(before[names], after[exchanged].set_axis(names, axis=1), names)


def test_symmetries_are_tested_on_values_that_are_not_nan():
    """The comparison is useful only if every feature has values that are not NaN."""
    known = [features_of(*frames(seed)).notna() for seed in range(6)]
    of_curves = [f.name for f in FEATURES if f.column is None]
    assert np.mean(pd.concat(known)[of_curves].any()) > 0.95
