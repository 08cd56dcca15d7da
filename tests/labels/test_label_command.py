"""`ztfml label` as a user types it."""

import io
import logging

import pandas as pd
import pytest
from astropy.table import Table
from click.testing import CliRunner

from ztfml.cli import main
from ztfml.labels.label_file import read_labels

CANDID = 2200000000000000001


@pytest.fixture(autouse=True)
def quiet_again():
    """The command line takes over the logging of the process; give it back."""
    logger = logging.getLogger("ztfml")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate, logger.level = before


@pytest.fixture
def folder(tmp_path):
    rows = [
        ("ZTF23aaaaaaa", 10.0, "null", None), ("ZTF23aaaaaab", 20.0, "null", None),
        ("ZTF23aaaaaac", 30.0, "1644", 18.2), ("ZTF23aaaaaad", 40.0, "null", None),
    ]  # fmt: skip
    alerts = pd.DataFrame(rows, columns=["objectId", *(f"candidate.{name}" for name in
                                                       ("ra", "ssnamenr", "ssmagnr"))])  # fmt: skip
    alerts["candid"] = CANDID + alerts.index
    fixed = {"dec": 5.0, "jd": 2460000.8, "fid": 2, "magpsf": 18.0, "sigmapsf": 0.05}
    for name, value in (fixed | {"isdiffpos": "t", "ssdistnr": 0.0}).items():
        alerts[f"candidate.{name}"] = value
    alerts.to_parquet(tmp_path / "night.parquet")
    (tmp_path / "vsx.csv").write_text("RAJ2000,DEJ2000,Type\n10,5,RRAB\n20,5,UG\n")
    (tmp_path / "bts.csv").write_text("ZTFID,type\nZTF23aaaaaab,SN Ia\nZTF23aaaaaad,SN II\n")
    return tmp_path


def label(folder, *arguments, code=0):
    night, output = folder / "night.parquet", folder / "night_labels.csv"
    arguments = [str(argument) for argument in ("label", night, *arguments, "-o", output)]
    result = CliRunner().invoke(main, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_labels_conflicts_and_a_table_of_counts(folder):
    result = label(folder, "--catalog", f"vsx={folder / 'vsx.csv'}",
                   "--catalog", f"objects={folder / 'bts.csv'}", "--mpc")  # fmt: skip
    labels = read_labels(folder / "night_labels.csv")
    assert labels["candid"].tolist() == [CANDID, CANDID + 2, CANDID + 3]
    assert labels["label"].tolist() == ["star", "sso", "transient"]
    assert labels["circular"].tolist() == [False, True, False]
    conflicts = pd.read_csv(folder / "night_conflicts.csv")
    assert conflicts.values.tolist() == [
        [CANDID + 1, "ZTF23aaaaaab", "star|transient", "vsx(0.00as):UG | bts:SN Ia"]
    ]
    assert "1 conflicts" in result.stdout
    assert "catalogues disagree" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines() if "│" in line] == [
        "catalog", "vsx", "bts", "mpc", "all",
    ]  # fmt: skip


def test_doubtful_objects_get_no_label_and_a_reason(folder):
    (folder / "doubts.csv").write_text("objectId,reason\nZTF23aaaaaad,a slip of the pen\nother,x\n")
    result = label(folder, "--catalog", f"objects={folder / 'bts.csv'}",
                   "--doubtful", folder / "doubts.csv")  # fmt: skip
    assert read_labels(folder / "night_labels.csv")["candid"].tolist() == [CANDID + 1]
    conflicts = pd.read_csv(folder / "night_conflicts.csv")
    assert conflicts.values.tolist() == [
        [CANDID + 3, "ZTF23aaaaaad", "transient", "set aside, a slip of the pen | bts:SN II"]
    ]
    assert "1 alerts of doubtful objects get no label" in result.stderr
    counts = next(line for line in result.stdout.splitlines() if line.split()[:1] == ["all"])
    assert counts.split("│")[-1].split()[0] == "1"


def test_a_table_of_doubtful_objects_needs_its_columns(folder):
    result = label(folder, "--mpc", "--doubtful", folder / "bts.csv", code=1)
    assert "no columns objectId and reason" in result.stderr


def test_a_second_run_leaves_no_old_conflicts(folder):
    label(folder, "--catalog", f"vsx={folder / 'vsx.csv'}",
          "--catalog", f"objects={folder / 'bts.csv'}")  # fmt: skip
    label(folder, "--catalog", f"vsx={folder / 'vsx.csv'}", "--quiet")
    assert pd.read_csv(folder / "night_conflicts.csv").empty
    assert len(read_labels(folder / "night_labels.csv")) == 2


@pytest.mark.parametrize(
    "arguments",
    [[], ["--catalog", "vsx"], ["--catalog", "vsx="], ["--catalog", "horoscope=x.csv"],
     ["--vizier", "simbad"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(arguments, folder):
    label(folder, *arguments, code=2)


def test_a_bad_catalogue_is_one_sentence_and_leaves_nothing(folder):
    (folder / "empty.csv").write_text("l,b\n1,2\n")
    before = sorted(folder.iterdir())
    for path in (folder / "none.parquet", folder / "empty.csv"):
        result = label(folder, "--catalog", f"vsx={path}", code=1)
        lines = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
        assert len(lines) == 1
        assert str(path) in lines[0]
    assert sorted(folder.iterdir()) == before


def test_simbad_and_vizier_are_queried_only_on_request(folder, httpserver, monkeypatch):
    xmatch = pytest.importorskip("astroquery.xmatch")
    monkeypatch.setattr(xmatch.XMatchClass, "URL", httpserver.url_for("/sync"))
    simbad, milliquas = io.BytesIO(), io.BytesIO()
    place = {"ra": [40.0], "dec": [5.0]}
    Table(place | {"main_type": ["Seyfert1"]}).write(simbad, format="votable")
    Table(place | {"Type": ["A"]}).write(milliquas, format="votable")
    for answer in (simbad, milliquas):
        httpserver.expect_ordered_request("/sync").respond_with_data(answer.getvalue())
    label(folder, "--mpc")
    assert not httpserver.log
    label(folder, "--simbad", "--vizier", "milliquas")
    only = read_labels(folder / "night_labels.csv").iloc[0]
    assert only["label"] == "agn"
    assert only["evidence"] == "simbad(0.00as):Seyfert1 | milliquas(0.00as):A"
