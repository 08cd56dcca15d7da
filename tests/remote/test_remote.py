"""Files, stores and commands in object stores."""

from contextlib import suppress

import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.remote.addresses import plain, put
from tests.store.small import JD, ONE, assert_equal, curves, night_of
from ztfml.errors import DataError
from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.io.places import place_of
from ztfml.io.remote import copy_in, copy_out, open_address, remove_remote
from ztfml.io.staging import Staging
from ztfml.night import Night
from ztfml.sources.formats import open_night
from ztfml.store.add import add_night
from ztfml.store.night import with_store
from ztfml.store.show import contents
from ztfml.store.store import Store


def test_files_are_complete_or_absent(bucket):
    place = place_of(bucket("cells"))
    assert place.files("") == place.folders("") == []
    assert place.is_folder_or_absent()
    with suppress(RuntimeError), place.write("a/1.txt") as file:
        file.write(b"half")
        raise RuntimeError
    assert place.files("a") == []
    with place.write("a/1.txt") as file:
        file.write(b"whole")
    assert (place.files("a"), place.folders("")) == (["1.txt"], ["a"])
    assert place.open("a/1.txt").read() == b"whole"
    with pytest.raises(FileNotFoundError):
        place.open("a/2.txt")
    place.remove("a/1.txt")
    place.remove("a/1.txt")
    assert place.files("a") == []


def test_copies_keep_content_and_time(bucket, tmp_path):
    source = tmp_path / "a.bin"
    source.write_bytes(bytes(range(256)) * 100_000)
    copy_out(source, bucket("deep/a.bin"))
    for k in range(2):
        copy_in(bucket("deep"), tmp_path / str(k))
    copies = [tmp_path / str(k) / "a.bin" for k in range(2)]
    assert copies[0].read_bytes() == source.read_bytes()
    if bucket("").startswith("s3"):  # Files in memory have no time.
        assert copies[0].stat().st_mtime_ns == copies[1].stat().st_mtime_ns
    remove_remote(bucket("deep/a.bin"))
    copy_in(bucket("deep/a.bin"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_store_is_the_same_as_on_disk(bucket, tmp_path):
    paths = [night_of(tmp_path, day) for day in (0, 10)]
    local, remote = Store.create(tmp_path / "store"), Store.create(bucket("store"))
    for path in paths:
        for store in (local, remote):
            add_night(store, path)
    assert_equal(curves(remote), curves(local))
    assert contents(remote)[:2] == contents(local)[:2]
    assert add_night(Store.open(bucket("store")), paths[0]).is_new is False
    assert add_night(remote, paths[0], again=True).n_changed == 0
    long = with_store(Night.load(paths[1]), remote)
    assert long.light_curve(ONE).equals(with_store(Night.load(paths[1]), local).light_curve(ONE))


def test_only_changed_files_are_copied_back(bucket, tmp_path):
    put(night_of(tmp_path, 0), bucket)
    staging = Staging(tmp_path / "staged")
    (tmp_path / "staged").mkdir()
    path = staging.copy(bucket("night00.parquet"))
    assert history_beside(path).exists()
    assert staging.upload() == []
    companion(path, "_marks.csv").write_text("objectId,mark\n")
    forced_beside(path).unlink()
    assert staging.upload() == [plain(bucket("night00_marks.csv"))]
    names = place_of(bucket("")).files("")
    assert names == ["night00.parquet", "night00_marks.csv", "night00_prv_candidates.parquet"]


def test_commands_read_and_write_addresses(bucket, tmp_path):
    for day in (0, 5):
        put(night_of(tmp_path, day), bucket)
    result = ztfml("history", "add", bucket("store"), *map(bucket, ("night00.parquet",)))
    assert f"{plain(bucket('night00.parquet'))}: 2 objects, 8 rows" in result.stderr
    result = ztfml("history", "add", bucket("store"), bucket("night00.parquet"))
    known = not bucket("").startswith("memory")  # By its size and time.
    assert result.stdout.startswith("0 nights added, 1" if known else "1 nights added, 0")
    shown = ztfml("history", "show", bucket("store"), "--format", "csv").stdout
    assert plain(bucket("night00.parquet")) in shown
    out = bucket("long/night05.parquet")
    result = ztfml("history", "night", bucket("store"), bucket("night05.parquet"), "-o", out)
    assert result.stdout == f"2 alerts and 14 history rows\n{plain(out)}\n"
    copy_in(bucket("long"), tmp_path / "copy")
    night = Night.load(tmp_path / "copy" / "night05.parquet")
    assert len(night.light_curve(ONE)) == 8
    assert night.forced.jd.min() == JD - 2
    # A table, from a night in the store.
    ztfml("ingest", bucket("night05.parquet"), "-o", tmp_path / "local.parquet")
    nights = [Night.load(tmp_path / f"{name}.parquet") for name in ("local", "night05")]
    pd.testing.assert_frame_equal(nights[0].alerts, nights[1].alerts)


def test_exports_of_nights_and_stores(bucket, tmp_path):
    path = night_of(tmp_path, 0)
    put(path, bucket)
    add_night(Store.create(bucket("store")), path)
    for source in ("night00.parquet", "store"):
        target = bucket(f"hats_{source[:5]}")
        result = ztfml("export", bucket(source), "--hats", target)
        assert result.stdout == f"2 objects\n{plain(target)}\n"
        copy_in(target, tmp_path / source[:5])
        assert len(open_night(tmp_path / source[:5])) == 2


def test_errors_name_the_address(bucket, tmp_path):
    address = bucket("none.parquet")
    result = ztfml("ingest", address, "-o", tmp_path / "out.parquet", code=1)
    one_sentence(result, f"{plain(address)}: there is no such file")
    put(night_of(tmp_path, 0), bucket)
    address = bucket("night00.parquet")
    result = ztfml("ingest", address, "-o", address, code=1)
    one_sentence(result, f"{plain(address)}: this output is also an input")
    result = ztfml("history", "show", bucket("empty"), code=1)
    one_sentence(result, "is not a history store")


def test_local_addresses(tmp_path):
    path = night_of(tmp_path, 0)
    ztfml("ingest", f"file://{path}", "-o", f"file://{tmp_path}/copy.parquet")
    assert len(Night.load(tmp_path / "copy.parquet")) == 2
    ztfml("history", "add", f"file://{tmp_path}/store", path)
    assert contents(Store.open(tmp_path / "store")).n_files == 4


@pytest.mark.parametrize("address", ["ftp://host/night.parquet", "https://host/night.parquet"])
def test_other_schemes_are_refused(address, tmp_path):
    with pytest.raises(DataError, match="cannot be opened; use s3://, gs://, gcs://, memory://"):
        open_address(address)
    result = ztfml("ingest", address, "-o", tmp_path / "out.parquet", code=1)
    one_sentence(result, "this kind of address cannot be opened")


def test_a_server_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    options = "?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1&connect_timeout=1"
    address = f"s3://bucket/a.parquet{options}"
    try:
        result = ztfml("ingest", address, "-o", tmp_path / "out.parquet", code=1)
    finally:
        monkeypatch.undo()
    one_sentence(result, "cannot be used", "check the address, the network and the credentials")
