"""Commands use the settings in ztfml.toml, and options have priority over them."""

import csv
import io
import json
import shutil

import pytest

from tests.cli.run import one_sentence, ztfml
from ztfml.cli import main
from ztfml.io.companions import galaxies_beside


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder; the user has no settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


INSTRUMENT = '[instrument]\nname = "FLOYDS"\nlimiting_magnitude = 18.5\nspectra_per_night = {}\n'


def n_rows(*arguments):
    return len(list(csv.DictReader(io.StringIO(ztfml(*arguments, "-o", "-").stdout))))


def test_the_ranking_uses_model_instrument_and_galaxies(folder, nights, model):
    shutil.copytree(model, folder / "mine")
    shutil.copy(galaxies_beside(nights[2]), folder / "galaxies.parquet")
    (folder / "ztfml.toml").write_text(
        'model = "mine"\ngalaxies = "galaxies.parquet"\n' + INSTRUMENT.format(5)
    )
    found = list(csv.DictReader(io.StringIO(ztfml("rank", nights[2], "-o", "-").stdout)))
    assert len(found) == 5
    expected = ztfml(
        "--no-config", "rank", nights[2], "-m", model, "--galaxies", "galaxies.parquet",
        "--instrument", "ztfml.toml", "-o", "-",
    ).stdout  # fmt: skip
    assert list(csv.DictReader(io.StringIO(expected))) == found


def test_options_have_priority_over_the_folder_and_the_folder_over_the_user(folder, nights):
    own = folder / "home/ztfml/ztfml.toml"
    own.parent.mkdir(parents=True)
    own.write_text(INSTRUMENT.format(4))
    assert n_rows("rank", nights[2]) == 4
    (folder / "ztfml.toml").write_text(INSTRUMENT.format(3))
    assert n_rows("rank", nights[2]) == 3
    (folder / "other.toml").write_text(INSTRUMENT.format(2))
    assert n_rows("rank", nights[2], "--instrument", "other.toml") == 2
    assert n_rows("--no-config", "rank", nights[2]) == 12


def test_the_page_uses_the_observatory(folder, nights):
    place = '[observatory]\nname = "{}"\nlatitude = 37.2\nlongitude = -2.5\nheight = 2168\n'
    (folder / "ztfml.toml").write_text(place.format("Calar Alto"))
    arguments = ("report", nights[2], "--top", "5", "-o", "night.html")
    ztfml(*arguments)
    assert "next night, Calar Alto" in (folder / "night.html").read_text()
    (folder / "sedm.toml").write_text(INSTRUMENT.format(5) + place.format("Asiago"))
    ztfml(*arguments, "--instrument", "sedm.toml")
    assert "next night, Asiago" in (folder / "night.html").read_text()
    ztfml("report", nights[2], "--top", "5", "-o", "pages/", "--observatory", "sedm.toml")
    (page,) = folder.glob("pages/ztf*.html")
    assert "next night, Asiago" in page.read_text()


def test_catalogues_are_used_for_the_commands_that_know_their_kind(folder, nights):
    (folder / "vsx.csv").write_text("RAJ2000,DEJ2000,Type\n10.0,5.0,RRAB\n")
    (folder / "ned.csv").write_text("RA,DEC,Type,Redshift\n10.0,5.0,G,0.1\n")
    (folder / "ztfml.toml").write_text('[catalogs]\nvsx = "vsx.csv"\nned = "ned.csv"\n')
    assert "vsx" in ztfml("label", nights[2], "-o", "night_labels.csv").stdout
    ztfml("rank", nights[2], "--top", "2", "-o", "ranked.csv")
    shutil.copy(nights[2], folder / "night.parquet")
    result = ztfml("context", "night.parquet", "--top", "2", "ranked.csv")
    assert "of 2 objects have matches" in result.stdout


def test_the_model_of_the_settings_is_shown(folder, model):
    (folder / "ztfml.toml").write_text(f'model = "{model}"\n')
    assert json.loads(ztfml("model", "show", "--format", "json").stdout) == json.loads(
        (model / "card.json").read_text()
    )


def test_an_absent_file_is_named_with_its_setting_only_if_it_is_used(folder, nights):
    (folder / "ztfml.toml").write_text('galaxies = "absent.csv"\n')
    result = ztfml("rank", nights[2], code=1)
    one_sentence(result, "ztfml.toml", "galaxies is", "absent.csv", "does not exist")
    ztfml("predict", nights[2], "-o", "predictions.csv")


def test_a_wrong_file_is_one_sentence_but_the_help_is_shown(folder):
    (folder / "ztfml.toml").write_text("galaxie = 3\n")
    for arguments in (["rank", "x"], ["config", "show"], ["simulate", "x"]):
        one_sentence(ztfml(*arguments, code=1), "ztfml.toml", "did you mean 'galaxies'?")
    assert "Usage" in ztfml("rank", "--help").stdout
    assert "Usage" in ztfml("--help").stdout
    one_sentence(ztfml("--no-config", "rank", "x", code=1), "there is no such file")


def test_settings_and_their_sources_are_printed(folder):
    (folder / "ztfml.toml").write_text(INSTRUMENT.format(5) + '[catalogs]\nvsx = "a.csv"\n')
    text = ztfml("config", "show").stdout
    assert "catalogs.vsx" in text
    assert "brokers.fink.topics" not in text
    assert "brokers.fink.topics" in ztfml("config", "show", "--all").stdout
    table = list(csv.DictReader(io.StringIO(ztfml("config", "show", "--format", "csv").stdout)))
    rows = {row["setting"]: (row["value"], row["source"]) for row in table}
    file = str(folder / "ztfml.toml")
    assert rows["catalogs.vsx"] == (str(folder / "a.csv"), file)
    assert rows["instrument"] == (
        "name = FLOYDS, limiting_magnitude = 18.5, spectra_per_night = 5",
        file,
    )
    assert rows["model"] == ("the model that ships with ztfml", "default")


def test_tables_of_the_ranking_are_checked(folder):
    (folder / "ztfml.toml").write_text("[weights]\nintercept = -3\nyong = 1\n")
    one_sentence(ztfml("config", "show", code=1), "[weights] has an unknown key 'yong'", "'young'")


def test_brokers_are_queried_in_the_order_of_the_settings(folder):
    (folder / "ztfml.toml").write_text(
        '[brokers]\nfetch = ["fink", "alerce"]\n[brokers.fink]\nurl = "http://localhost:8000"\n'
    )
    with main.make_context("ztfml", ["fetch", "x"]) as root:
        command = main.commands["fetch"]
        with command.make_context("fetch", ["night.parquet", "ZTF18abukavn"], parent=root) as ctx:
            assert ctx.params["brokers"] == [("fink", "http://localhost:8000"), ("alerce", None)]
        given = ["night.parquet", "ZTF18abukavn", "--broker", "fink=http://other"]
        with command.make_context("fetch", given, parent=root) as ctx:
            assert ctx.params["brokers"] == [("fink", "http://other")]
