"""Catalogues in all supported formats."""

import gzip

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from ztfml.errors import DataError
from ztfml.io.tables import open_table, read_table

STARS = pd.DataFrame(
    {"RAJ2000": [10.5, 359.99999], "DEJ2000": [-0.25, 89.0], "Type": ["EA|EB", "RRAB"]}
)

VIZIER_TSV = """#
#   VizieR Astronomical Server vizier.cds.unistra.fr
#Column	RAJ2000	(F9.5)	Right ascension

RAJ2000	DEJ2000	Type
deg	deg	
---------	---------	------------------------------
010.50000	-00.25000	EA|EB                         
359.99999	+89.00000	RRAB                          

#END#
"""  # noqa: W291

READ_ME = """B/vsx               AAVSO International Variable Star Index VSX
================================================================================
File Summary:
 vsx.dat        158   2   The catalogue

Byte-by-byte Description of file: refs.dat
--------------------------------------------------------------------------------
   1-  9  A9     ---     RAdeg    A column of that name in another file
--------------------------------------------------------------------------------

Byte-by-byte Description of file: vsx.dat
--------------------------------------------------------------------------------
   Bytes Format Units   Label    Explanations
--------------------------------------------------------------------------------
   1-  7  I7    ---     OID      Internal identifier
       9  I1    ---     V        [0,3] Variability flag (2)
  11- 19  F9.5  deg     RAdeg    Right ascension (J2000)
  21- 29  F9.5  deg     DEdeg    Declination (J2000)
  31- 40  A10   ---     Type     Variability type, as in GCVS catalog
--------------------------------------------------------------------------------
"""
VSX_DAT = """      1 0  10.50000  -0.25000 EA|EB
      2 0 359.99999  89.00000 RRAB      \n"""


def write(folder, suffix):
    path = folder / f"stars{suffix}"
    table = Table.from_pandas(STARS)
    match suffix:
        case ".parquet":
            STARS.to_parquet(path)
        case ".csv" | ".csv.gz":
            STARS.to_csv(path, index=False)
        case ".fits" | ".fits.gz" | ".vot" | ".ecsv":
            formats = {".vot": "votable", ".ecsv": "ascii.ecsv"}
            table.write(path, format=formats.get(suffix, "fits"))
        case ".txt":
            STARS.to_csv(path, sep=";", index=False)
        case ".tsv":
            path.write_text(VIZIER_TSV)
        case ".dat" | ".dat.gz":
            path = folder / f"vsx{suffix}"
            (folder / "ReadMe").write_text(READ_ME)
            (gzip.open if suffix.endswith(".gz") else open)(path, "wt").write(VSX_DAT)
    return path


SUFFIXES = (".parquet", ".csv", ".csv.gz", ".txt", ".tsv", ".fits", ".fits.gz", ".vot", ".ecsv",
            ".dat", ".dat.gz")  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_columns(suffix, tmp_path):
    table = open_table(write(tmp_path, suffix))
    places = ["RAdeg", "DEdeg"] if ".dat" in suffix else ["RAJ2000", "DEJ2000"]
    assert set(places) <= set(table.names)
    frame = read_table(table, [*places, "Type"])
    assert list(frame.columns) == [*places, "Type"]
    assert frame[places[0]].astype(float).tolist() == [10.5, 359.99999]
    assert frame[places[1]].astype(float).tolist() == [-0.25, 89.0]
    assert frame["Type"].astype(str).str.strip().tolist() == ["EA|EB", "RRAB"]


def test_only_the_requested_columns_in_the_requested_order(tmp_path):
    for suffix in (".csv", ".fits", ".parquet"):
        frame = read_table(open_table(write(tmp_path, suffix)), ["Type", "RAJ2000"])
        assert list(frame.columns) == ["Type", "RAJ2000"], suffix
        assert frame["Type"].iloc[1] == "RRAB"


def test_a_date_above_the_header_and_commas_in_quotes(tmp_path):
    path = tmp_path / "tns_public_objects.csv"
    path.write_text(
        '"2026-01-16 00:00:00"\n"objid","type","internal_names"\n'
        '"1","SN Ia","ATLAS26a,ZTF26aaaaaaa, PS26b"\n"2","","Gaia26a, GOTO26a,ATLAS26b,PS26c"\n'
    )
    table = open_table(path)
    assert table.names == ("objid", "type", "internal_names")
    assert read_table(table, ["type"])["type"].tolist() == ["SN Ia", ""]


def test_bars_in_types_are_not_delimiters(tmp_path):
    path = tmp_path / "types.csv"
    path.write_text("objectId,type\nZTF18aaaaaaa,EW|EA|EB\nZTF18aaaaaab,SN Ia|SN Ic|TDE\n")
    assert open_table(path).names == ("objectId", "type")


def test_text_that_looks_like_missing_stays_text(tmp_path):
    path = tmp_path / "types.csv"
    path.write_text("name,type\nZTF18aaaaaaa,NA\nZTF18aaaaaab,\n")  # NA is a fast nova in GCVS
    assert read_table(open_table(path), ["type"])["type"].tolist() == ["NA", ""]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vsx.parquet", b"RAJ2000,DEJ2000\n", "not a readable parquet file"),
        ("vsx.fits", b"SIMPLE  = no", "cannot be read as a table"),
        ("vsx.vot", b"<html>", "not a VOTable"),
        ("vsx.csv", b"# only comments\n", "contains no table"),
        ("vsx.dat", b"1 2 3\n", "its folder has no ReadMe"),
        ("vsx.xlsx", b"PK", r"the suffix must be one of \.parquet"),
        ("vsx.csv.gz", b"no gzip", "cannot be read as a table"),
    ],
)
def test_unreadable_files_give_one_sentence(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        open_table(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        open_table(tmp_path / "vsx.csv")


def test_a_readme_of_another_catalogue_is_an_error(tmp_path):
    (tmp_path / "gcvs_cat.dat").write_text(VSX_DAT)
    (tmp_path / "ReadMe").write_text(READ_ME)
    with pytest.raises(DataError, match=r"no byte-by-byte description of gcvs_cat\.dat"):
        open_table(tmp_path / "gcvs_cat.dat")


def test_fits_without_a_table_is_an_error(tmp_path):
    from astropy.io import fits

    fits.PrimaryHDU().writeto(tmp_path / "image.fits")
    with pytest.raises(DataError, match="contains no table"):
        open_table(tmp_path / "image.fits")


def test_a_fits_table_with_too_many_columns_is_refused_at_once(tmp_path):
    path = tmp_path / "stars.fits"
    Table.from_pandas(STARS).write(path)
    content = path.read_bytes()
    declared = b"TFIELDS =                    3"
    assert declared in content
    path.write_bytes(content.replace(declared, b"TFIELDS =           1000000000"))
    with pytest.raises(DataError, match="declares 1000000000 columns"):
        open_table(path)


@pytest.mark.parametrize("link", ["file:///dev/zero", "http://localhost:1/x"])
def test_a_votable_with_a_link_is_refused(tmp_path, link):
    path = tmp_path / "stars.vot"
    Table.from_pandas(STARS[["RAJ2000"]]).write(path, format="votable", tabledata_format="binary2")
    text = path.read_text()
    assert "<STREAM" in text
    path.write_text(text.replace("<STREAM", f'<STREAM href="{link}"'))
    with pytest.raises(DataError, match="its data are a link"):
        open_table(path)


def test_text_in_fits_that_is_not_utf8_is_read(tmp_path):
    names = np.array([b"RR\xeb Lyr", b"RRAB"])
    path = tmp_path / "a.fits"
    columns = [fits.Column("ra", "D", array=[1.0, 2.0]), fits.Column("type", "8A", array=names)]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    assert read_table(open_table(path), ["type"])["type"].tolist() == ["RR\ufffd Lyr", "RRAB"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"TFIELDS =                    2", b"TFIELDS =                  200"),
        (b"NAXIS1", b"NAXISX"),
        (b"TFORM1  = 'D", b"TFORM1  = 'Q"),
        (b"XTENSION= 'BINTABLE", b"XTENSION= 'BINTABL\xeb"),
        (b"END     ", b"ENX     "),
    ],
)
def test_broken_headers_of_fits(tmp_path, old, new):
    path = tmp_path / "a.fits"
    columns = [fits.Column(name, "D", array=[1.0, 2.0]) for name in ("ra", "dec")]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    content = path.read_bytes()
    place = content.rfind(old)
    assert place > 0
    path.write_bytes(content[:place] + new + content[place + len(old) :])
    with pytest.raises(DataError, match=r"a\.fits: "):
        read_table(open_table(path), ["ra"])


def test_a_fits_column_without_a_name(tmp_path):
    path = tmp_path / "a.fits"
    columns = [fits.Column(name, "D", array=[1.0, 2.0]) for name in ("ra", "dec")]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    path.write_bytes(path.read_bytes().replace(b"TTYPE2", b"TTYPEX"))
    assert open_table(path).names == ("ra", "")
