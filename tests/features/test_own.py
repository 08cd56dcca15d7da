"""Own features: declared by users, computed for a night without look-ahead."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_frames
from ztfml import Night, features
from ztfml.errors import ModelError, ZtfmlError
from ztfml.features import Group, compute_own
from ztfml.features.own import check_rows, load_groups, source_hash


@pytest.fixture(scope="module")
def night():
    alerts, history = random_frames(5, n_objects=60, max_rows=12)
    alerts["candidate.diffmaglim"] = alerts["candidate.magpsf"] + 0.5
    return Night.from_frames(alerts, history, name="small")


def group():
    mine = Group("mine", "an example")

    @mine.feature(unit="mag", missing="never")
    def depth(diffmaglim, magpsf):
        """Limiting magnitude minus magnitude."""
        return diffmaglim - magpsf

    @mine.feature(unit="", missing="never")
    def detections(curve):
        """Number of detections."""
        return len(curve.jd)

    @mine.feature(unit="", missing="without a detection in g")
    def detections_g(curve, magpsf):
        """Number of detections in g; infinite values become NaN."""
        return len(curve.g.jd) if len(curve.g.jd) else np.inf

    @mine.feature(unit="mag", missing="never")
    def mag_in_curve(curve):
        """Magnitude of the last detection."""
        return curve.mag[-1]

    return mine


def test_own_features_agree_with_those_of_ztfml(night):
    own, table = compute_own(night, [group()]), features.compute(night)
    np.testing.assert_array_equal(own["detections"], table["n_det"])
    np.testing.assert_array_equal(own["mag_in_curve"], table["magpsf"])
    np.testing.assert_array_equal(own["detections_g"].fillna(0), table["n_det_g"])
    expected = night.alerts["diffmaglim"] - night.alerts["magpsf"]
    np.testing.assert_array_equal(own["depth"], expected)
    assert own.index.equals(night.alerts.index)


def test_light_curves_have_the_flux_and_limits_of_the_bands(night):
    from ztfml.lightcurves.light_curve import ZERO_POINT

    mine = Group("mine", "an example")

    @mine.feature(unit="", missing="never")
    def consistent(curve):
        """Whether the parts of the light curve agree."""
        bands = (curve.g, curve.r, curve.i)
        flux = np.concatenate([np.abs(one.flux) for one in bands])
        mag = np.concatenate([one.mag for one in bands])
        return (
            np.allclose(-2.5 * np.log10(flux) + ZERO_POINT, mag)
            and sum(len(one.jd) for one in bands) == len(curve.jd)
            and sum(len(one.limit_jd) for one in bands) == len(curve.limit_jd)
            and bool((np.diff(curve.jd) >= 0).all() and curve.jd[-1] == curve.now)
        )

    assert (compute_own(night, [mine])["consistent"] == 1).all()


def test_later_alerts_and_other_objects_change_nothing(night):
    """An alert has the same own features in a night with its earlier data only."""
    mine = group()
    whole = compute_own(night, [mine])
    order = np.random.default_rng(0).permutation(len(night))[: len(night) // 3]
    part = compute_own(night.subset(order), [mine])
    np.testing.assert_array_equal(part.to_numpy(), whole.to_numpy()[order])
    check_rows(night, [mine])


def test_features_that_depend_on_other_alerts_are_found(night):
    mine = Group("mine", "an example")

    @mine.feature(unit="", missing="never")
    def rank_of_brightness(magpsf):
        """Rank in the night."""
        return pd.Series(magpsf).rank()

    with pytest.raises(ModelError, match="rank_of_brightness of an alert depends on other alerts"):
        check_rows(night, [mine])


def test_functions_that_fail(night):
    mine = Group("mine", "an example")

    @mine.feature(unit="", missing="never")
    def first_in_i(curve):
        """First magnitude in i."""
        return curve.i.mag[0]

    candid = r"fails for candid \d+ \(IndexError.*correct it in the module"
    with pytest.raises(ModelError, match=candid):
        compute_own(night, [mine])
    other = Group("other", "an example")

    @other.feature(unit="", missing="never")
    def too_short(magpsf):
        """Too few values."""
        return magpsf[1:]

    with pytest.raises(ModelError, match="must return one number per alert"):
        compute_own(night, [other])


def test_declarations_with_mistakes():
    mine = Group("mine", "an example")
    with pytest.raises(ZtfmlError, match="has the parameter magnitude; name columns"):
        mine.feature(unit="", missing="")(lambda magnitude: magnitude)
    with pytest.raises(ZtfmlError, match="has no parameter"):
        mine.feature(unit="", missing="")(lambda: 1)
    with pytest.raises(ZtfmlError, match="has no docstring"):
        mine.feature(unit="", missing="")(lambda magpsf: magpsf)
    assert not mine.features


def test_a_name_of_ztfml_is_refused(night):
    mine = Group("mine", "an example")

    @mine.feature(unit="", missing="never")
    def drb(magpsf):
        """Another drb."""
        return magpsf

    with pytest.raises(ZtfmlError, match="the feature drb is declared twice"):
        compute_own(night, [mine])


def test_no_alerts(night):
    empty = compute_own(night.subset([]), [group()])
    assert empty.shape == (0, 4)
    assert compute_own(night, []).shape == (len(night), 0)


def test_the_hash_is_that_of_the_function():
    first, second = group().features[:2]
    assert source_hash(first) == source_hash(group().features[0])
    assert source_hash(first) != source_hash(second)


def test_one_file_is_imported_once(tmp_path):
    path = tmp_path / "features_imported_once.py"
    path.write_text("from ztfml.features import Group\nGROUP = SAME = Group('a', 'an example')\n")
    assert load_groups([path, path]) == load_groups([path])
    assert len(load_groups([path])) == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / path.name).write_text("")
    with pytest.raises(ModelError, match="there is another module features_imported_once"):
        load_groups([other / path.name])
