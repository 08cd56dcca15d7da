"""The same twelve objects give the same ranking in every format."""

import numpy as np
import pandas as pd
import pytest

from tests.sources.formats import exporters
from ztfml import Model, Night
from ztfml.simulate import write_nights
from ztfml.sources.formats import format_of, open_night

N_OBJECTS = 12
NUMBERS = ("jd", "magpsf", "sigmapsf", "diffmaglim", "fid", "isdiffpos")


def twelve_objects(alerts, history):
    """Twelve objects, with history but for two, and no rows later than the alert."""
    alerts = alerts.drop_duplicates("objectId", keep="last")
    time = history["objectId"].map(alerts.set_index("objectId")["candidate.jd"])
    history = history[(history["jd"] < time - 0.01)].drop_duplicates(["objectId", "jd"])
    # A limit at the time of a detection is ignored, in all formats.
    count = history.groupby("objectId").agg(
        n_found=("magpsf", "count"),
        n_negative=("isdiffpos", lambda signs: signs.isin(["f", "0"]).sum()),
        n_limits=("diffmaglim", lambda limits: limits.notna().sum()),
    )
    known = count[(count["n_found"] > 3) & (count["n_limits"] > 2)].sort_values("n_negative")
    chosen = [*known.index[:6], *known.index[-4:]]
    without = alerts[~alerts["objectId"].isin(history["objectId"])]["objectId"]
    chosen += list(without[:2])
    alerts = alerts[alerts["objectId"].isin(chosen)].reset_index(drop=True)
    history = history[history["objectId"].isin(chosen)].reset_index(drop=True)
    assert len(alerts) == N_OBJECTS
    return alerts, history[["objectId", *exporters.HISTORY]]


def simulated(folder):
    (path,) = write_nights(folder, 800, 1, seed=5)
    history = pd.read_parquet(path.with_name(f"{path.stem}_prv_candidates.parquet")).reset_index()
    return twelve_objects(pd.read_parquet(path), history)


def real(shared_data):
    path = shared_data / "alerts" / "ztf_alerts_real.parquet"
    alerts = pd.read_parquet(path)
    history = pd.read_parquet(path.with_name(f"{path.stem}_prv_candidates.parquet")).reset_index()
    alerts = alerts[(alerts["history_kind"] == "packet") & (alerts["time_repair"] == 0)]
    return twelve_objects(alerts.filter(regex="^(objectId|candid$|candidate)"), history)


@pytest.fixture(scope="module", params=["simulated", "real"])
def tables(request, tmp_path_factory):
    if request.param == "real":
        return real(request.getfixturevalue("shared_data"))
    return simulated(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def model():
    return Model.load()


def by_object(night):
    table = night.alerts.sort_values("objectId", ignore_index=True)
    if "ssnamenr" in table:
        # Text files do not distinguish the text "null" from a missing name.
        table["ssnamenr"] = table["ssnamenr"].where(table["ssnamenr"] != "null")
    return table


def assert_same_night(night, expected):
    """Compare alerts in the order of the objects, and the history of each."""
    one, other = by_object(night), by_object(expected)
    pd.testing.assert_frame_equal(
        one[list(other)], other, rtol=1e-12, check_dtype=False, check_like=True
    )
    for name in other["objectId"]:
        curve, wanted = night.light_curve(name), expected.light_curve(name)
        for column in NUMBERS:
            np.testing.assert_allclose(
                curve[column].astype(float), wanted[column].astype(float), rtol=1e-12,
                err_msg=f"{name} {column}",
            )  # fmt: skip


def assert_same_ranking(model, night, expected):
    one, other = model.rank(night, N_OBJECTS), model.rank(expected, N_OBJECTS)
    assert one["objectId"].tolist() == other["objectId"].tolist()
    assert one["candid"].tolist() == other["candid"].tolist()
    np.testing.assert_allclose(one["score"], other["score"], rtol=1e-9)


@pytest.mark.parametrize("file_name", exporters.ALL_FIELDS)
def test_formats_with_all_fields(tables, model, file_name, tmp_path):
    expected = Night.from_frames(*tables)
    path = exporters.ALL_FIELDS[file_name](*tables, tmp_path / file_name)
    night = open_night(path)
    assert_same_night(night, expected)
    assert_same_ranking(model, night, expected)


@pytest.mark.parametrize("file_name", exporters.SOME_FIELDS)
def test_formats_with_some_fields(tables, model, file_name, tmp_path):
    """The same as the pair without the fields that the format does not have."""
    alerts, history = tables
    export, fields = exporters.SOME_FIELDS[file_name]
    path = export(alerts, history, tmp_path / file_name)
    kept = ["objectId", "candid", *{f"candidate.{one}" for one in ("jd", *fields)} & set(alerts)]
    expected = Night.from_frames(alerts[kept], history)
    night = open_night(path)
    assert_same_night(night, expected)
    assert_same_ranking(model, night, expected)


def test_boom_documents_with_fluxes(tables, model, tmp_path):
    alerts, history = tables
    history = history[history["magpsf"].notna() | (history["diffmaglim"] > 0)]
    path = exporters.boom(alerts, history, tmp_path / "boom.json")
    night, expected = open_night(path), Night.from_frames(alerts, history)
    for name in alerts["objectId"]:
        curve, wanted = night.light_curve(name), expected.light_curve(name)
        for column in ("jd", "magpsf", "sigmapsf", "fid"):
            np.testing.assert_allclose(curve[column], wanted[column], rtol=1e-9)
        found = wanted["magpsf"].notna()
        assert (curve["isdiffpos"] == wanted["isdiffpos"])[found].all()
        np.testing.assert_allclose(
            curve["diffmaglim"][~found], wanted["diffmaglim"][~found], rtol=1e-9
        )


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        *((name, "kowalski") for name in ("kowalski.json", "fritz.json.gz", "mongoexport.jsonl")),
        *((name, "nested") for name in ("nested.parquet", "nested_lists.parquet")),
        *((name, "folder") for name in ("spark", "hive", "dask.parquet")),
        *((name, "flat") for name in ("flat.parquet", "flat.csv.gz", "night.feather")),
        *((name, "fink") for name in ("fink.csv", "fink.json", "fink.parquet")),
    ],
)
def test_formats_are_recognised_by_content(tmp_path, file_name, expected):
    tables = simulated(tmp_path)
    path = exporters.ALL_FIELDS[file_name](*tables, tmp_path / file_name)
    if path.is_file():
        path = path.rename(path.with_name("renamed"))
    assert format_of(path).name == expected
