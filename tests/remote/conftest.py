"""Object stores for the tests: memory, and servers that answer like Amazon S3 and Google's."""

import socket
import uuid

import pytest


@pytest.fixture(scope="session")
def s3_options():
    """Start moto's server, and return the options of its addresses."""
    server_module = pytest.importorskip("moto.server", reason="moto is not installed")
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    try:
        server.start()
    except OSError as error:
        pytest.skip(f"moto's server cannot run here ({error})")
    host, port = server.get_host_and_port()
    host = "127.0.0.1" if host == "0.0.0.0" else host
    yield f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    server.stop()
    patch.undo()


@pytest.fixture(scope="session")
def gs_options():
    """Start the emulator of Google Cloud Storage, and return the options of its addresses."""
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="nights"):
        yield f"?endpoint_override=127.0.0.1:{port}&scheme=http&retry_limit_seconds=10"


@pytest.fixture(params=["memory", "s3", "gs"])
def bucket(request):
    """A function of a name that returns an address in a new bucket, or in a new folder of one."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    if request.param == "gs":
        end = request.getfixturevalue("gs_options")
        return lambda path: f"gs://anonymous@nights/{name}/{path}{end}"
    if request.param == "memory":
        return lambda path: f"memory://{name}/{path}"
    options = request.getfixturevalue("s3_options")
    from pyarrow import fs

    filesystem, _ = fs.FileSystem.from_uri(f"s3://{name}{options}&allow_bucket_creation=true")
    filesystem.create_dir(name)
    return lambda path: f"s3://{name}/{path}{options}"
