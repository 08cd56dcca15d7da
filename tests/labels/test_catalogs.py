"""Labels from catalogues: what is matched, what is believed, and what is left to people."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfml.catalogs.kinds import KINDS
from ztfml.catalogs.matching import Catalog, Ephemerides
from ztfml.catalogs.read import read_catalog
from ztfml.errors import DataError, LabelError
from ztfml.io.companions import labels_beside
from ztfml.labels.catalogs import NO_CLASS, NO_EPOCH, label_from_catalogs
from ztfml.labels.label_file import is_circular, read_labels
from ztfml.night import Night

ARCSEC = 1 / 3600
CANDID = 2200000000000000001  # too long for a float


def make_night(rows):
    """A night of alerts with the given ra, dec or other fields."""
    base = {"jd": 2460000.8, "fid": 2, "magpsf": 18.0, "sigmapsf": 0.05, "isdiffpos": "t"}
    alerts = []
    for k, row in enumerate(rows):
        row = {"objectId": f"ZTF23aaaaa{chr(97 + k // 26)}{chr(97 + k % 26)}"} | dict(row)
        fields = {f"candidate.{name}": value for name, value in (base | row).items()}
        fields["objectId"] = fields.pop("candidate.objectId")
        alerts.append({"candid": CANDID + k} | fields)
    return Night.from_frames(pd.DataFrame(alerts))


def catalog(kind, *entries):
    ra, dec, types = zip(*entries, strict=True)
    types = pd.Series(types, dtype="str")
    return Catalog(KINDS[kind], kind, np.array(ra, float), np.array(dec, float), types)


def at(*offsets, ra=150.0, dec=0.0):
    """One alert, and VSX entries so many arcsec north of it."""
    night = make_night([{"ra": ra, "dec": dec}])
    return night, [(ra, dec + offset * ARCSEC) for offset in offsets]


# --- places ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "offset", "confidence"),
    [
        ("vsx", 0.3, "high"), ("vsx", 0.99, "high"), ("vsx", 1.01, "medium"),
        ("vsx", 1.99, "medium"), ("vsx", 2.01, None),
        ("gcvs", 1.99, "medium"), ("gcvs", 2.01, None),
        ("milliquas", 1.49, "medium"), ("milliquas", 1.51, None),
        ("gaia", 0.5, "medium"), ("gaia", 1.4, "low"), ("gaia", 1.51, None),
        ("simbad", 0.5, "high"), ("simbad", 1.51, None),
        ("agn", 0.5, "high"), ("agn", 1.51, None),
    ],
)  # fmt: skip
def test_matches_are_near_and_confidence_falls_with_separation(kind, offset, confidence):
    night, (place,) = at(offset)
    types = {"milliquas": "Q", "gaia": "RR", "simbad": "RRLyrae"}
    found = label_from_catalogs(night, [catalog(kind, (*place, types.get(kind, "RRAB")))])
    if confidence is None:
        assert found.labels.empty
        assert found.evidence.empty
    else:
        only = found.labels.iloc[0]
        assert only["confidence"] == confidence
        assert only["label"] == ("agn" if kind in ("milliquas", "agn") else "star")
        assert only["candid"] == CANDID
        assert f"{kind}({offset:.2f}as):" in only["evidence"]


@pytest.mark.parametrize(
    ("alert", "entry", "arcsec"),
    [
        ((0.0001, 10.0), (359.9999, 10.0), 0.72 * np.cos(np.radians(10))),
        ((359.99999, 0.0), (0.00001, 0.0), 0.072),
        ((0.0, 89.9999), (180.0, 89.9999), 0.72),
        ((210.0, 60.0), (210.0 + 2 * ARCSEC, 60.0), 1.0),
    ],
)
def test_across_the_meridian_at_the_pole_and_at_high_declination(alert, entry, arcsec):
    night = make_night([{"ra": alert[0], "dec": alert[1]}])
    found = label_from_catalogs(night, [catalog("vsx", (*entry, "EW"))])
    assert found.evidence["separation"].iloc[0] == pytest.approx(arcsec, abs=2e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_all_pairs_within_the_radius_are_found_and_no_others(seed):
    rng = np.random.default_rng(seed)
    dec = rng.uniform(-89, 89)
    ra = (rng.uniform(0, 360) + rng.normal(0, 2, 12) * ARCSEC / np.cos(np.radians(dec))) % 360
    dec = dec + rng.normal(0, 2, 12) * ARCSEC
    night = make_night([{"ra": ra[0], "dec": dec[0]}])
    entries = [(*place, f"T{k}") for k, place in enumerate(zip(ra[1:], dec[1:], strict=True))]
    # By the haversine formula, which is good at small distances.
    a, b, d = np.radians(ra[1:] - ra[0]), np.radians(dec[1:]), np.radians(dec[0])
    half = np.sin((b - d) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin(a / 2) ** 2
    arcsec = np.degrees(2 * np.arcsin(np.sqrt(half))) * 3600
    matches = catalog("vsx", *entries).match(night)
    assert sorted(matches["type"]) == sorted(f"T{k}" for k in np.flatnonzero(arcsec < 2.0))
    expected = {f"T{k}": value for k, value in enumerate(arcsec)}
    wanted = [expected[name] for name in matches["type"]]
    np.testing.assert_allclose(matches["separation"], wanted, atol=1e-6)


def test_an_entry_matches_only_the_nearest_object():
    star = (150.0, 20.0, "EW")
    beside = {"ra": 150.0, "dec": 20.0 + 1.5 * ARCSEC, "objectId": "ZTF23beside"}
    on_it = {"ra": 150.0, "dec": 20.0 + 0.2 * ARCSEC, "objectId": "ZTF23onitaa"}
    again = on_it | {"dec": 20.0 - 0.4 * ARCSEC}
    alone = label_from_catalogs(make_night([beside]), [catalog("vsx", star)])
    assert alone.labels["objectId"].tolist() == ["ZTF23beside"]
    both = label_from_catalogs(make_night([beside, on_it, again]), [catalog("vsx", star)])
    assert both.labels["objectId"].tolist() == ["ZTF23onitaa", "ZTF23onitaa"]


def test_alerts_without_a_position_match_nothing():
    night = make_night([{"ra": np.nan, "dec": 20.0}, {"ra": 150.0, "dec": 20.0}])
    found = label_from_catalogs(night, [catalog("vsx", (150.0, 20.0, "EW"))])
    assert found.labels["candid"].tolist() == [CANDID + 1]
    nowhere = make_night([{"ra": np.nan, "dec": np.nan}])
    assert label_from_catalogs(nowhere, [catalog("vsx", (150.0, 20.0, "EW"))]).labels.empty


def test_objects_at_identical_positions_are_not_matched(caplog):
    placed = [{"ra": 4.38, "dec": 53.69}] * 3 + [{"ra": 4.38, "dec": 53.69 + 0.1 * ARCSEC}]
    with caplog.at_level("WARNING", "ztfml"):
        found = label_from_catalogs(make_night(placed), [catalog("vsx", (4.38, 53.69, "EW"))])
    assert found.labels["candid"].tolist() == [CANDID + 3]
    assert "3 alerts have no position, or exactly" in caplog.text


def test_a_night_without_positions_is_refused():
    with pytest.raises(DataError, match=r"night: no candidate\.ra and candidate\.dec"):
        label_from_catalogs(make_night([{}]), [catalog("vsx", (150.0, 20.0, "EW"))])


# --- types -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "label", "confidence"),
    [
        ("vsx", "RRAB", "star", "high"),
        ("vsx", "UG:", "star", "medium"),
        ("vsx", "EW|EA", "star", "medium"),
        ("vsx", "MISC", "star", "low"),
        ("vsx", "VAR:", "star", "low"),
        ("vsx", "QSO", "agn", "high"),
        ("gcvs", "BLLAC", "agn", "high"),
        ("gcvs", "CST", "star", "low"),
        ("milliquas", "QRX", "agn", "high"),
        ("milliquas", "N", "agn", "medium"),
        ("milliquas", "q", "agn", "medium"),
        ("simbad", "Seyfert1", "agn", "high"),
        ("simbad", "Candidate_LP*", "star", "medium"),
        ("simbad", "Star", "star", "medium"),
        ("gaia", "DSCT|GDOR|SXPHE", "star", "medium"),
        ("agn", "bll", "agn", "high"),
        ("agn", "bcu", "agn", "medium"),
    ],
)
def test_uncertain_types_lower_the_confidence(kind, name, label, confidence):
    night, (place,) = at(0.1)
    only = label_from_catalogs(night, [catalog(kind, (*place, name))]).labels.iloc[0]
    assert (only["label"], only["confidence"]) == (label, confidence)


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("simbad", "Galaxy", NO_CLASS),
        ("milliquas", "S", NO_CLASS),
        ("vsx", "  ", NO_CLASS),
        # S Andromedae was a supernova in 1885; what is seen at its place now is not.
        ("gcvs", "SNI", NO_EPOCH),
        ("simbad", "Supernova", NO_EPOCH),
    ],
)
def test_types_without_a_class_are_counted_as_unused(kind, name, reason):
    night, (place,) = at(0.1)
    found = label_from_catalogs(night, [catalog(kind, (*place, name))])
    assert found.labels.empty
    assert found.unused.iloc[0].tolist() == [kind, name.strip(), 1, 1, reason]


# --- objects ---------------------------------------------------------------------------


def objects(tmp_path, text, name="bts.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_catalog("objects", path)


@pytest.mark.parametrize(
    ("text", "label", "confidence", "evidence"),
    [
        ("ZTFID,IAUID,type\nZTF23aaaaaaa,SN2023a,SN Ia\n", "transient", "high", "bts:SN Ia"),
        ("objectId,type\nZTF23aaaaaaa,CV?\n", "star", "medium", "bts:CV?"),
        ("oid,classification\nZTF23aaaaaaa,rock\n", "sso", "medium", "bts:rock"),
        ("object_id,class\nZTF23aaaaaaa,bogus?\n", "artifact", "low", "bts:bogus?"),
        (
            "objectId,label,fine_class,evidence,uncertain\nZTF23aaaaaaa,agn,NLS1,BTS dump,True\n",
            "agn", "medium", "BTS dump: NLS1",
        ),
        (
            '"2026-01-16"\n"objid","name","type","internal_names"\n'
            '"1","2023a","TDE","ATLAS23x, ZTF23aaaaaaa"\n',
            "transient", "high", "bts:TDE",
        ),
    ],
)  # fmt: skip
def test_a_table_of_objects(text, label, confidence, evidence, tmp_path):
    found = label_from_catalogs(make_night([{}, {}]), [objects(tmp_path, text)])
    assert found.labels.values.tolist() == [[CANDID, "ZTF23aaaaaaa", label, evidence, confidence]]
    assert found.evidence["separation"].isna().all()


def test_a_row_about_an_object_labels_all_its_alerts(tmp_path):
    night = make_night([{"objectId": "ZTF18abukavn"}] * 3 + [{"objectId": "ZTF18abukavm"}])
    table = objects(tmp_path, "objectId,type\nZTF18abukavn,SN Ic-BL\n")
    labels = label_from_catalogs(night, [table]).labels
    assert labels["candid"].tolist() == [CANDID, CANDID + 1, CANDID + 2]


@pytest.mark.parametrize(
    ("signs", "magpsf", "confidence"),
    [
        ("ff", 18.5, ["low", "low"]),
        ("ft", 18.5, ["high", "high"]),
        ("f", 18.5, ["high"]),
        ("f", np.nan, ["low"]),
    ],
)
def test_a_transient_below_the_reference_in_all_detections_has_low_confidence(
    signs, magpsf, confidence, tmp_path
):
    alerts = [{"objectId": "ZTF18abukavn", "isdiffpos": sign} for sign in signs]
    night = make_night(alerts)
    if len(signs) == 1:
        past = {"objectId": "ZTF18abukavn", "jd": 2459990.8, "fid": 2, "isdiffpos": "t"}
        past |= {"magpsf": magpsf, "sigmapsf": magpsf / 100, "diffmaglim": 20.0}
        night = Night.from_frames(night.alerts, pd.DataFrame([past]))
    table = objects(tmp_path, "objectId,type\nZTF18abukavn,SN Ic\n")
    labels = label_from_catalogs(night, [table]).labels
    assert labels["confidence"].tolist() == confidence
    remark = ", but fainter than the reference in all detections" * (confidence[0] == "low")
    assert labels["evidence"].tolist() == ["bts:SN Ic" + remark] * len(signs)
    assert set(labels["label"]) == {"transient"}


def test_a_label_file_is_about_alerts_and_stays_circular(tmp_path):
    night = make_night([{"objectId": "ZTF18abukavn"}] * 3)
    table = objects(
        tmp_path,
        "candid,objectId,label,evidence,confidence\n"
        f"{CANDID + 1},ZTF18abukavn,artifact,rules: low real-bogus score,low\n",
    )
    labels = label_from_catalogs(night, [table]).labels
    assert labels["candid"].tolist() == [CANDID + 1]
    assert labels["confidence"].tolist() == ["low"]
    assert is_circular(*labels[["label", "evidence"]].iloc[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("star,type\nZTF23aaaaaaa,CV\n", r"no column with the names .* it has star, type"),
        ("objectId,mag\nZTF23aaaaaaa,18\n", r"no column with the types .* it has objectId, mag"),
        ("name,type\nSN2023a,SN Ia\n", r"the column name contains no ZTF names .* 'SN2023a'"),
    ],
)
def test_a_table_without_names_or_types_is_refused(text, message, tmp_path):
    with pytest.raises(DataError, match=message):
        objects(tmp_path, text)


def test_candids_of_other_objects_are_refused(tmp_path):
    table = objects(tmp_path, f"candid,objectId,label\n{CANDID + 1},ZTF23aaaaaaa,star\n")
    message = f"row 2: the candid {CANDID + 1} is of ZTF23aaaaaaa in this row, but of ZTF23aaaaaab"
    with pytest.raises(LabelError, match=message):
        label_from_catalogs(make_night([{}, {}]), [table])


def test_candids_written_as_floats_are_refused(tmp_path):
    text = "candid,objectId,label\n5,ZTF23aaaaaaa,star\n2.2e18,ZTF23aaaaaab,star\n"
    with pytest.raises(DataError, match=r"row 3: the candid '2\.2e18' is not a whole number"):
        objects(tmp_path, text)


def test_candids_stored_as_floats_are_refused(tmp_path):
    frame = pd.DataFrame({"candid": [2.2e18], "objectId": ["ZTF23aaaaaaa"], "label": ["star"]})
    frame.to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(DataError, match="cannot hold its 19 digits"):
        read_catalog("objects", tmp_path / "labels.parquet")


# --- asteroids -------------------------------------------------------------------------

ROCK = {"ssnamenr": "1644", "ssdistnr": 0.0, "ssmagnr": 18.4, "ndethist": 1}


@pytest.mark.parametrize(
    ("changes", "confidence"),
    [
        ({}, "high"),
        ({"ssdistnr": 2.0}, "high"),
        ({"ssdistnr": 3.0}, None),
        ({"ssmagnr": 19.5}, "medium"),
        ({"ssmagnr": 20.5}, None),
        ({"ndethist": 40}, "medium"),
        ({"ssmagnr": 16.5, "ndethist": 40}, "low"),
        ({"ssmagnr": -999.0}, None),
        ({"ssdistnr": -999.0}, None),
        ({"ssnamenr": "null"}, None),
        ({"ssnamenr": None}, None),
        ({"ssnamenr": "None"}, None),
        ({"ssnamenr": "nan"}, None),
        ({"ssnamenr": " N/A "}, None),
        ({"ssnamenr": "NULL"}, None),
        ({"ssnamenr": ""}, None),
        ({"ssnamenr": "<NA>"}, None),
        ({"ssnamenr": "Nandan"}, "high"),
    ],
)
def test_the_asteroid_named_in_the_packet(changes, confidence):
    # A second alert, that the column keeps its type.
    found = label_from_catalogs(make_night([ROCK | changes, ROCK]), [Ephemerides()])
    labels = found.labels[found.labels["candid"] == CANDID]
    assert labels["confidence"].tolist() == ([confidence] if confidence else [])


def test_labels_by_ephemeris_are_circular():
    only = label_from_catalogs(make_night([ROCK]), [Ephemerides()]).labels.iloc[0]
    assert only["evidence"] == "MPC ephemeris match (ZTF ssnamenr=1644, 0.0as, |dmag|=0.4)"
    assert is_circular(only["label"], only["evidence"])


def test_a_night_without_the_asteroid_fields_is_refused():
    with pytest.raises(DataError, match=r"no candidate\.ssnamenr"):
        label_from_catalogs(make_night([{}]), [Ephemerides()])


# --- together --------------------------------------------------------------------------


def test_agreeing_evidence_is_joined_with_the_highest_confidence(tmp_path):
    night, (here, near, far) = at(0.1, 0.8, 1.6)
    found = label_from_catalogs(
        night,
        [
            catalog("vsx", (*far, "MISC"), (*near, "EW")),
            catalog("gcvs", (*here, "EW:")),
            objects(tmp_path, "objectId,type\nZTF23aaaaaaa,CV\n"),
        ],
    )
    only = found.labels.iloc[0]
    # Of each catalogue the nearest, in the order they were given.
    assert only["evidence"] == "vsx(0.80as):EW | gcvs(0.10as):EW: | bts:CV"
    assert only["confidence"] == "high"
    assert found.conflicts.empty
    assert found.evidence["confidence"].tolist() == ["high", "medium", "high"]


def test_disagreeing_catalogues_are_a_conflict(tmp_path):
    night, (here, near) = at(0.1, 0.8)
    found = label_from_catalogs(
        night,
        [
            catalog("vsx", (*near, "VAR")),
            objects(tmp_path, "objectId,type\nZTF23aaaaaaa,SN II\n"),
            catalog("milliquas", (*here, "A")),
        ],
    )
    assert found.labels.empty
    only = found.conflicts.iloc[0]
    assert only["candid"] == CANDID
    assert only["labels"] == "star|agn|transient"
    assert only["evidence"] == "vsx(0.80as):VAR | bts:SN II | milliquas(0.10as):A"
    assert found.summary().set_index("catalog")["conflicts"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("kind", ["vsx", "objects"])
def test_a_type_with_two_classes_is_a_conflict(kind, tmp_path):
    night, (place,) = at(0.1)
    source = (
        catalog("vsx", (*place, "AM|QSO")) if kind == "vsx"
        else objects(tmp_path, "objectId,type\nZTF23aaaaaaa,CV|AGN\n")
    )  # fmt: skip
    assert label_from_catalogs(night, [source]).conflicts["labels"].tolist() == ["star|agn"]


def test_an_asteroid_before_a_star_is_a_conflict_of_that_alert_alone():
    star = {"ra": 150.0, "dec": 2.0, "objectId": "ZTF23aaaaaaa", "ndethist": 30}
    rock = star | ROCK
    quiet = star | {"ssnamenr": "null", "ssdistnr": np.nan, "ssmagnr": np.nan}
    found = label_from_catalogs(
        make_night([quiet, rock]), [catalog("vsx", (150.0, 2.0, "EW")), Ephemerides()]
    )
    assert found.labels["candid"].tolist() == [CANDID]
    assert found.conflicts["candid"].tolist() == [CANDID + 1]
    assert found.conflicts["labels"].tolist() == ["sso|star"]


def test_the_summary_counts_alerts_by_class():
    rows = [{"ra": 10.0 * k, "dec": 0.0} for k in range(4)]
    vsx = catalog("vsx", (0.0, 0.0, "EW"), (10.0, 0.0, "QSO"), (20.0, 0.0, "EW"))
    gcvs = catalog("gcvs", (0.0, 0.0, "EW"), (20.0, 0.0, "QSO"))
    summary = label_from_catalogs(make_night(rows), [vsx, gcvs]).summary().set_index("catalog")
    assert summary["star"].tolist() == [1, 1, 1]
    assert summary["agn"].tolist() == [1, 0, 1]
    assert summary["conflicts"].tolist() == [1, 1, 1]


def test_the_labels_are_a_label_file(tmp_path):
    night, (place,) = at(0.1)
    found = label_from_catalogs(night, [catalog("vsx", (*place, "EW|EA"))])
    found.labels.to_csv(tmp_path / "labels.csv", index=False)
    table = read_labels(tmp_path / "labels.csv")
    assert table["candid"].tolist() == [CANDID]
    assert not table["circular"].any()
    pd.testing.assert_frame_equal(table[found.labels.columns.tolist()], found.labels)


def test_no_match_is_not_an_error():
    found = label_from_catalogs(make_night([{"ra": 1.0, "dec": 2.0}]), [catalog("vsx", (9, 9, ""))])
    assert found.labels.empty
    assert found.conflicts.empty
    assert found.unused.empty
    assert found.summary()["conflicts"].tolist() == [0, 0]
    assert list(found.labels.columns) == ["candid", "objectId", "label", "evidence", "confidence"]
    assert list(found.conflicts.columns) == ["candid", "objectId", "labels", "evidence"]


# --- real nights -----------------------------------------------------------------------

REAL = ("2458312.5", "2458451.5", "2460235.5")


@pytest.fixture(scope="module")
def vsx(shared_data):
    return read_catalog("vsx", shared_data / "catalogs" / "vsx.parquet")


@pytest.mark.parametrize("jd", REAL)
def test_real_nights_agree_with_published_labels(jd, shared_data, vsx):
    path = shared_data / "alerts" / f"ztf_alerts_{jd}.parquet"
    known = read_labels(labels_beside(path)).set_index("candid")
    gcvs = read_catalog("gcvs", shared_data / "catalogs" / "gcvs.parquet")
    found = label_from_catalogs(Night.load(path), [vsx, gcvs, Ephemerides()]).labels
    both = found[found["candid"].isin(known.index)]
    assert len(both) > 150
    assert (both["label"].to_numpy() == known.loc[both["candid"], "label"]).all()
    by_vsx = known["evidence"].str.contains("vsx") & (known["label"] == "star")
    # Three alerts of the last night have the positions of others.
    assert known.index[by_vsx].isin(found["candid"]).sum() >= by_vsx.sum() - 3


def test_a_list_of_blazars_adds_agn_to_a_real_night(shared_data, vsx):
    path = shared_data / "alerts" / "ztf_alerts_2460235.5.parquet"
    lists = [vsx] + [
        read_catalog("agn", shared_data / "catalogs" / name)
        for name in ("3hsp.csv", "table-4LAC-DR3-h.fits")
    ]
    found = label_from_catalogs(Night.load(path), lists)
    assert (found.labels["label"] == "agn").sum() > 40
    # Two BL Lacs that VSX takes for semi-regular stars.
    assert set(found.conflicts["labels"]) == {"star|agn"}
    assert found.conflicts["evidence"].str.contains(r"\):SR \| agn").all()


def test_published_tables_of_objects(shared_data):
    table = read_catalog("objects", shared_data / "object_labels.csv")
    night = make_night([{"objectId": name} for name in ("ZTF18abukavn", "ZTF17aaaacjo")])
    labels = label_from_catalogs(night, [table]).labels
    assert labels["label"].tolist() == ["transient", "star"]
    assert labels["evidence"].iloc[1].endswith("CV:dwarf_nova VSX=UG")
