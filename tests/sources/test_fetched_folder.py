import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ztfml.errors import DataError
from ztfml.sources.fetched_folder import (
    CONTEXT_COLUMNS,
    Cutouts,
    context,
    cutouts,
    fetched_beside,
    is_object_name,
    light_curve,
    make_curve,
    whole_number,
    write_context,
    write_cutouts,
    write_light_curve,
)

NAME, CANDID = "ZTF18abukavn", 6171552401150150057

HOSTILE = [
    "../ZTF18abukavn", "/etc/passwd", "a/b", "a\\b", "..", ".", "", "ZTF18abukavn\n", "\x00",
    "<script>alert(1)</script>", "ZTF*", "ZTF18_1", "Å" * 3, "a" * 65, "C:x", "~", "-rf", 7, None,
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "night_fetched"


def curve():
    return make_curve(
        [
            {"jd": 2460001.5, "fid": 2, "magpsf": 18.5, "sigmapsf": 0.1, "diffmaglim": 20.5,
             "isdiffpos": "t", "forced": False, "candid": CANDID},
            {"jd": 2460000.5, "fid": 1, "diffmaglim": 20.0, "forced": True},
        ]
    )  # fmt: skip


def stamps(candid=CANDID):
    shapes = np.arange(6.0).reshape(2, 3)
    return Cutouts(candid, shapes, shapes + 10, shapes * np.nan)


def test_a_light_curve_is_read_as_written(folder):
    write_light_curve(folder, NAME, curve())
    back = light_curve(folder, NAME)
    assert back.columns.tolist() == [
        "jd", "fid", "band", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos", "forced",
    ]  # fmt: skip
    assert back["jd"].tolist() == [2460000.5, 2460001.5]
    assert back["band"].tolist() == ["g", "r"]
    np.testing.assert_array_equal(back["magpsf"], [np.nan, 18.5])
    assert back["isdiffpos"].tolist() == [0, 1]
    assert back["forced"].tolist() == [True, False]


def test_a_light_curve_is_a_history_that_a_night_reads(folder):
    from ztfml.night import Night

    write_light_curve(folder, NAME, curve())
    alerts = pd.DataFrame(
        {"objectId": [NAME], "candid": [CANDID], "candidate.jd": 2460002.5, "candidate.fid": 1,
         "candidate.magpsf": 18.0, "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t"}
    )  # fmt: skip
    night = Night.from_frames(alerts, pd.read_parquet(folder / f"{NAME}.parquet"))
    assert len(night.light_curve(NAME)) == 3


def test_the_latest_stamps_are_read_by_default(folder):
    for candid in (CANDID - 1, CANDID, 12):
        write_cutouts(folder, NAME, stamps(candid))
    back = cutouts(folder, NAME)
    assert back.candid == CANDID
    np.testing.assert_array_equal(back.reference, stamps().reference)
    assert back.science.dtype == np.float32
    assert cutouts(folder, NAME, 12).candid == 12
    assert cutouts(folder, NAME, 13) is None
    assert cutouts(folder, "ZTF18abukav") is None, "the beginning of a name is another name"


def test_stamps_of_before_2017_have_negative_candids(folder):
    write_cutouts(folder, NAME, stamps(-121540793515135000))
    assert cutouts(folder, NAME).candid == -121540793515135000


def test_context_is_read_as_written(folder):
    rows = [
        [NAME, "TNS", "SN 2018gep", "SN Ic-BL", 0.1, 0.03, "already"],
        [NAME, "NED", "", "G", 1.4, np.nan, ""],
    ]
    rows = pd.DataFrame(rows, columns=CONTEXT_COLUMNS)
    write_context(folder, rows)
    back = context(folder)
    assert back.columns.tolist() == list(CONTEXT_COLUMNS)
    assert back.fillna(-1).to_numpy().tolist() == rows.fillna(-1).to_numpy().tolist()


def test_nothing_fetched(folder):
    assert light_curve(folder, NAME) is None
    assert cutouts(folder, NAME) is None
    assert context(folder).empty
    assert context(folder)["redshift"].dtype == np.float64


def test_a_light_curve_of_limits_alone(folder):
    write_light_curve(folder, NAME, make_curve([{"jd": 2460000.5, "fid": 1, "diffmaglim": 20.0,
                                                 "forced": False}]))  # fmt: skip
    back = light_curve(folder, NAME)
    assert back["magpsf"].isna().all()
    assert back["diffmaglim"].tolist() == [20.0]


def test_an_empty_light_curve(folder):
    write_light_curve(folder, NAME, make_curve([]))
    assert light_curve(folder, NAME).empty


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk", b"PAR1junkPAR1"])
def test_damaged_files_give_a_warning(folder, content, caplog):
    folder.mkdir()
    (folder / f"{NAME}.parquet").write_bytes(content)
    (folder / f"{NAME}_{CANDID}.npz").write_bytes(content)
    assert light_curve(folder, NAME) is None
    assert cutouts(folder, NAME) is None
    assert f"{NAME}.parquet" in caplog.text
    assert f"{NAME}_{CANDID}.npz: cannot be read" in caplog.text


def test_stamps_with_pickled_code_are_not_read(folder, caplog):
    folder.mkdir()
    evil = np.array([[print]], dtype=object)
    np.savez(folder / f"{NAME}_1.npz", science=evil, reference=evil, difference=evil)
    assert cutouts(folder, NAME) is None
    assert "cannot be read" in caplog.text


def test_stamps_without_images(folder, caplog):
    folder.mkdir()
    np.savez(folder / f"{NAME}_1.npz", science=[1.0], reference=[1.0], difference=[1.0])
    assert cutouts(folder, NAME) is None
    assert "cannot be read (no image; its shape is (1,)" in caplog.text


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "objectId\n", '"', "\x00\x01"])
def test_damaged_context(folder, text, caplog):
    folder.mkdir()
    (folder / "context.csv").write_text(text)
    assert context(folder).empty
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_never_becomes_a_path(folder, name):
    assert not is_object_name(name)
    with pytest.raises(DataError, match="is not a valid object name"):
        write_light_curve(folder, name, curve())
    with pytest.raises(DataError, match="is not a valid object name"):
        write_cutouts(folder, name, stamps())
    assert light_curve(folder, name) is None
    assert cutouts(folder, name) is None
    assert not folder.exists()


@given(st.text(max_size=20))
def test_every_valid_name_is_a_plain_file_name(name):
    if is_object_name(name):
        assert name.isascii()
        assert not set(name) & set("/\\._:*?<>|\"'\n\0 ")


def test_the_folder_beside_a_night():
    assert fetched_beside("nights/ztf_alerts_2460474.5.parquet").as_posix() == (
        "nights/ztf_alerts_2460474.5_fetched"
    )


@given(st.integers())
def test_whole_numbers_are_exact_or_none(number):
    expected = number if 0 < number < 2**63 else None
    assert whole_number(number) == expected
    assert whole_number(str(number)) == expected
    assert whole_number(float(1 + abs(number) % 10)) is None


@pytest.mark.parametrize("value", [None, True, 1.0, "1.0", "", " 1", "1e18", [], "٣"])
def test_other_values_are_not_whole_numbers(value):
    assert whole_number(value) is None


def test_a_curve_without_valid_rows_is_refused():
    with pytest.raises(DataError, match="no row has a time and a ZTF band"):
        make_curve([{"jd": 58370.2, "fid": 1, "magpsf": 18.5, "forced": False}])


def test_a_curve_of_odd_rows():
    rows = [
        {"jd": "2460000.5", "fid": "1", "magpsf": "18.5", "forced": False, "isdiffpos": 1},
        {"jd": 2460000.5, "fid": 1, "magpsf": 18.5, "forced": False, "isdiffpos": True},  # twice
        {"jd": 2460000.5, "fid": 1, "magpsf": 18.75, "forced": False, "isdiffpos": "0"},
        {"jd": 60000.0, "fid": 1, "magpsf": 18.5, "forced": False},  # an MJD
        {"jd": 2460000.5, "fid": 7, "magpsf": 18.5, "forced": False},
        {"jd": 2460001.5, "fid": 2, "magpsf": -999.0, "diffmaglim": "nan", "forced": False},
        {"jd": None, "fid": None, "forced": False},
    ]
    made = make_curve(rows)
    assert made["jd"].tolist() == [2460000.5, 2460000.5, 2460001.5]
    np.testing.assert_array_equal(made["magpsf"], [18.5, 18.75, np.nan])
    assert made["isdiffpos"].fillna("").tolist() == ["t", "f", ""]


@pytest.mark.parametrize(
    "array",
    [
        np.broadcast_to(np.int8(0), (20_000, 20_000)),
        np.zeros((3, 3), [("a", "f4"), ("b", "f4")]),
        np.zeros((3, 3), complex),
        np.full((3, 3), "x"),
        np.zeros(9),
    ],
    ids=["too large", "structured", "complex", "text", "one dimension"],
)
def test_an_array_that_is_not_a_stamp_is_a_remark(array, tmp_path, caplog):
    names = ("science", "reference", "difference")
    np.savez_compressed(tmp_path / "ZTF18abukavn_7.npz", **dict.fromkeys(names, array))
    assert cutouts(tmp_path, "ZTF18abukavn") is None
    assert "ZTF18abukavn_7.npz: cannot be read" in caplog.text
