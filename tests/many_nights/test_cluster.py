"""Nights on a Dask cluster: the same files, and kills cost only their nights."""

import json

import pytest

from tests.many_nights.steps import Copy, make_nights, outputs
from ztfml.errors import DataError
from ztfml.nights.batch import Options, run_batch

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def on(cluster, **more):
    return Options(scheduler=cluster.scheduler_address, **more)


def test_a_cluster_gives_the_same_outputs(cluster, tmp_path):
    nights = make_nights(tmp_path / "n", "one", "two", "bad", "read once", "five")
    run_batch(Copy(), nights, tmp_path / "here")
    nights[3].with_suffix(".read").unlink()
    summary = run_batch(Copy(), nights, tmp_path / "there", on(cluster))
    # A failure of the file system is repeated; alone, the night fails.
    assert (summary.n_written, list(summary.failed)) == (4, [nights[2]])
    run_batch(Copy(), nights, tmp_path / "here")
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")
    assert run_batch(Copy(), nights, tmp_path / "there", on(cluster)).n_done == 4
    assert run_batch(Copy(prefix=">"), nights, tmp_path / "there", on(cluster)).n_written == 4


def test_a_scheduler_file(cluster, tmp_path):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": cluster.scheduler_address}))
    nights = make_nights(tmp_path / "n", "one")
    assert run_batch(Copy(), nights, tmp_path / "out", Options(scheduler=str(file))).n_written == 1


def test_a_night_that_kills_every_worker_is_named(cluster, tmp_path):
    nights = make_nights(tmp_path / "n", "one", "kill", "three", "kill once", "five")
    summary = run_batch(Copy(), nights, tmp_path / "out", on(cluster))
    assert list(summary.failed) == [nights[1]]
    assert "workers were killed whenever they processed this night" in summary.failed[nights[1]]
    assert list(outputs(tmp_path / "out").values()) == ["one", "three", "kill once", "five"]
    assert not list((tmp_path / "out").glob(".*.part")) or "1.txt" not in outputs(tmp_path / "out")


def test_wrong_addresses(tmp_path, monkeypatch):
    nights = make_nights(tmp_path / "n", "one")
    monkeypatch.setattr("ztfml.nights.cluster._CONNECT_SECONDS", 1)
    for scheduler, text in (
        ("tcp://127.0.0.1:9", "no Dask scheduler at this address"),
        ("nonsense://", "no Dask scheduler at this address"),
        (str(tmp_path / "absent.json"), "no such file"),
    ):
        with pytest.raises(DataError, match=text):
            run_batch(Copy(), nights, tmp_path / "out", Options(scheduler=scheduler))


def test_the_job_script_of_the_documentation(request, monkeypatch):
    jobqueue = pytest.importorskip("dask_jobqueue")
    page = (request.config.rootpath / "docs" / "howto" / "many_nights.md").read_text()
    (program,) = [one for one in page.split("```")[1::2] if "SLURMCluster" in one]
    program = program.removeprefix("python\n").split("cluster.scale")[0]
    # A free port, and no jobs.
    names = {}
    exec(program.replace('{"port": 8786}', '{"dashboard_address": None}'), names)
    with names["cluster"] as cluster:
        script = cluster.job_script()
    assert isinstance(cluster, jobqueue.SLURMCluster)
    for text in ("#SBATCH -p batch", "#SBATCH --mem=4G", "#SBATCH -t 04:00:00", "--nthreads 1"):
        assert text in script
