"""Simulated nights are reproducible and have the requested number of alerts in the usual layout."""

import numpy as np
import pandas as pd
import pytest

from tests.simulate.helpers import N_ALERTS
from ztfml import schema
from ztfml.errors import DataError
from ztfml.io.companions import labels_beside
from ztfml.night import Night
from ztfml.simulate import MIXES, POPULATIONS, simulate, write_nights
from ztfml.taxonomy import LABELS


def test_equal_arguments_give_equal_files(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write_nights(folder, 300, n_nights=2, seed=7)
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == [
        f"ztf_alerts_{jd}{ending}"
        for jd in ("2460474.5", "2460475.5")
        for ending in (
            ".parquet",
            "_fp_hists.parquet",
            "_galaxies.parquet",
            "_labels.csv",
            "_prv_candidates.parquet",
        )
    ]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_another_seed_gives_another_night():
    one, other = (next(simulate(200, seed=seed))[0] for seed in (1, 2))
    assert set(one.alerts["objectId"]).isdisjoint(other.alerts["objectId"]) or not np.array_equal(
        one.alerts["magpsf"], other.alerts["magpsf"]
    )


def test_the_global_random_generator_is_not_used():
    np.random.seed(3)  # noqa: NPY002
    first = next(simulate(50, seed=1))[0].alerts["magpsf"]
    np.random.seed(4)  # noqa: NPY002
    second = next(simulate(50, seed=1))[0].alerts["magpsf"]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n_alerts", [1, 7, 333])
def test_the_number_of_alerts_is_exact(n_alerts):
    for night, labels in simulate(n_alerts, n_nights=2, seed=n_alerts):
        assert len(night) == len(labels) == n_alerts


def test_natural_mix(two_nights):
    for labels in two_nights.labels:
        share = labels["label"].value_counts(normalize=True)
        for label, wanted in MIXES["natural"].items():
            assert share[label] == pytest.approx(wanted, abs=3 / N_ALERTS)


def test_the_balanced_mix_has_all_classes_and_the_fast_populations(balanced):
    labels = balanced[1]
    share = labels["label"].value_counts(normalize=True)
    assert share[list(LABELS)].tolist() == pytest.approx([0.2] * 5, abs=3 / N_ALERTS)
    kinds = set(labels["evidence"])
    assert {"simulated: kilonova", "simulated: FBOT", "simulated: afterglow"} <= kinds


def test_short_lived_transients_are_in_the_mix_for_the_ranking_only(two_nights, balanced):
    labels = next(simulate(60, seed=9, mix="fast"))[1]
    assert set(labels["evidence"]) == {"simulated: short-lived"}
    for others in (*two_nights.labels, balanced[1]):
        assert "simulated: short-lived" not in set(others["evidence"])


def test_the_evidence_names_a_population_of_the_class(balanced):
    night, labels = balanced
    classes = {f"simulated: {population.name}": population.label for population in POPULATIONS}
    assert (labels["evidence"].map(classes) == labels["label"]).all()
    assert (labels["confidence"] == "high").all()
    np.testing.assert_array_equal(labels["candid"], night.alerts["candid"])
    np.testing.assert_array_equal(labels["objectId"], night.alerts["objectId"])


def test_fractions_of_each_class_add_up_to_one():
    for label in LABELS:
        total = sum(population.fraction for population in POPULATIONS if population.label == label)
        assert total == pytest.approx(1, abs=0.01), label


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_alerts": 0}, "at least one"),
        ({"n_alerts": 10, "n_nights": 0}, "at least one"),
        ({"n_alerts": 10, "mix": "equal"}, "natural, balanced, transients"),
        ({"n_alerts": 10, "histories": "short"}, "mixed, long"),
    ],
)
def test_invalid_arguments_are_refused(arguments, words):
    with pytest.raises(DataError, match=words):
        simulate(**arguments)


def test_alerts_have_every_packet_column(two_nights):
    wanted = [c.name for c in schema.ALERT_COLUMNS if not c.prefix.startswith("classifications")]
    for night in two_nights.nights:
        assert set(night.alerts) == set(wanted)


def test_save_and_load_give_the_same_night(tmp_path, two_nights):
    night = two_nights.nights[1]
    path = tmp_path / "night.parquet"
    night.save(path)
    again = Night.load(path)
    pd.testing.assert_frame_equal(again.alerts[night.alerts.columns], night.alerts)
    assert len(again.history.jd) == len(night.history.jd)
    for object_id in night.alerts["objectId"].iloc[:40]:
        pd.testing.assert_frame_equal(again.light_curve(object_id), night.light_curve(object_id))


def test_labels_are_written_beside_the_night(tmp_path):
    path = write_nights(tmp_path, 60, seed=2, mix="balanced")[0]
    labels = pd.read_csv(labels_beside(path), dtype={"candid": "int64"})
    assert set(labels["candid"]) == set(Night.load(path).alerts["candid"])
    assert list(labels) == ["candid", "objectId", "label", "evidence", "confidence"]


def test_all_values_are_valid(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        for name in night.alerts.columns:
            column = schema.ALERT_BY_NAME[name]
            if column.kind in ("text", "id"):
                continue
            values = night.alerts[name].to_numpy(float)
            values = values[~np.isnan(values)]
            assert np.isfinite(values).all(), name
            assert not (values == schema.SENTINEL).any(), name
            if column.kind == "float":
                assert values.min(initial=column.valid[1]) >= column.valid[0], name
                assert values.max(initial=column.valid[0]) <= column.valid[1], name


def test_ids_are_unique_and_well_formed(two_nights):
    for night in two_nights.nights:
        assert night.alerts["candid"].is_unique
        assert (night.alerts["candid"].astype(str).str.len() == 19).all()
        assert night.alerts["objectId"].str.fullmatch(r"ZTF\d\d[a-z]{7}").all()
