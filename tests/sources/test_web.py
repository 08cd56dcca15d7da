"""Brokers that are busy, slow, broken or away, and the cache."""

import gzip
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

pytest.importorskip("pytest_httpserver")
pytest.importorskip("alerce")

from werkzeug import Response

from tests.sources.answers import NAME, closed_port, serve_alerce, serve_fink
from ztfml.errors import BrokerError, DataError
from ztfml.sources import limited_http
from ztfml.sources.alerce import Alerce
from ztfml.sources.fink import Fink
from ztfml.sources.web import NotFoundError, UnreachableError, open_session, querying

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
WAYS = {
    Alerce: (f"/ztf/v1/objects/{NAME}/lightcurve", serve_alerce),
    Fink: ("/api/v1/objects", serve_fink),
}


@pytest.fixture(params=WAYS, ids=lambda broker: broker.name)
def asked(request, httpserver, session):
    """Each broker with the path of its light curves and a function that serves them."""
    broker = request.param
    return broker(session, httpserver.url_for("")), *WAYS[broker]


def too_short(request):
    return Response(b"[{", headers={"Content-Length": "1000", "Connection": "close"})


@pytest.mark.parametrize(
    ("response", "kind", "message", "n_asked"),
    [
        (Response("gone", 404), NotFoundError, r"not found \(404\); check the name", 1),
        (Response("no", 403), BrokerError, r"it refused \(403\); check the name", 1),
        (Response("busy", 429), BrokerError, r"too many queries \(429\); wait some minutes", 5),
        (Response("oh", 500), BrokerError, r"the server failed \(500\); try again later", 5),
        (
            Response("<html>We moved</html>"),
            BrokerError,
            "the answer is not JSON or is incomplete",
            1,
        ),
        (Response('{"detections": [{"mj'), BrokerError, "not JSON or is incomplete", 1),
        (Response(""), BrokerError, "not JSON or is incomplete", 1),
    ],
)
def test_a_bad_answer_is_one_sentence(response, kind, message, n_asked, httpserver, asked):
    broker, path, _ = asked
    httpserver.expect_request(path).respond_with_response(response)
    with pytest.raises(kind, match=message) as raised:
        broker.light_curve(NAME)
    assert str(raised.value).startswith(f"{broker.name}: the light curve of {NAME}: ")
    assert "\n" not in str(raised.value)
    assert len(httpserver.log) == n_asked


def test_retry_after_is_respected(httpserver, asked):
    broker, path, serve = asked
    busy = Response("busy", 429, {"Retry-After": "1"})
    httpserver.expect_oneshot_request(path).respond_with_response(busy)
    serve(httpserver)
    begun = time.monotonic()
    assert len(broker.light_curve(NAME))
    assert time.monotonic() - begun >= 1.0


def test_a_long_retry_after_is_an_error(httpserver, asked):
    broker, path, _ = asked
    busy = Response("busy", 429, {"Retry-After": "3600"})
    httpserver.expect_request(path).respond_with_response(busy)
    begun = time.monotonic()
    with pytest.raises(BrokerError, match=r"too many queries \(429\); wait 3600 s"):
        broker.light_curve(NAME)
    assert time.monotonic() - begun < 1.0
    assert len(httpserver.log) == 1


def test_a_server_error_is_retried(httpserver, asked):
    broker, path, serve = asked
    httpserver.expect_oneshot_request(path).respond_with_data("oh", 503)
    serve(httpserver)
    assert len(broker.light_curve(NAME))


def test_a_broker_that_does_not_answer_times_out(httpserver, asked):
    broker, path, _ = asked

    def hang(request):
        time.sleep(1.6)
        return Response("late")

    httpserver.expect_request(path).respond_with_handler(hang)
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="no answer in time; try again later"):
        broker.light_curve(NAME)
    assert time.monotonic() - begun < 3.0


def test_an_incomplete_answer(httpserver, asked):
    broker, path, _ = asked
    httpserver.expect_request(path).respond_with_handler(too_short)
    with pytest.raises(BrokerError, match="incomplete"):
        broker.light_curve(NAME)


@pytest.mark.parametrize("broker", WAYS, ids=lambda broker: broker.name)
def test_an_unreachable_broker(broker, session):
    with pytest.raises(UnreachableError, match="it cannot be reached; try again later"):
        broker(session, closed_port()).light_curve(NAME)


def test_repeated_queries_use_the_cache(httpserver, asked):
    broker, path, serve = asked
    serve(httpserver)
    first = broker.light_curve(NAME)
    assert broker.light_curve(NAME).equals(first)
    assert [request.path for request, _ in httpserver.log].count(path) == 1


def test_failures_are_not_cached(httpserver, asked):
    broker, path, serve = asked
    httpserver.expect_oneshot_request(path).respond_with_data("gone", 404)
    serve(httpserver)
    with pytest.raises(NotFoundError):
        broker.light_curve(NAME)
    assert len(broker.light_curve(NAME))


@pytest.mark.parametrize("broker", WAYS, ids=lambda broker: broker.name)
def test_offline_uses_cached_answers_of_any_age(broker, httpserver, tmp_path):
    cache = tmp_path / "brokers.sqlite"
    WAYS[broker][1](httpserver)
    url = httpserver.url_for("")
    online = open_session(cache=cache)
    first = broker(online, url).light_curve(NAME)
    online.cache.reset_expiration(YESTERDAY)
    n_asked = len(httpserver.log)
    offline = broker(open_session(offline=True, cache=cache), url)
    assert offline.light_curve(NAME).equals(first)
    with pytest.raises(NotFoundError, match="not in the cache; query it once without --offline"):
        offline.light_curve("ZTF18aaaaaaa")
    assert len(httpserver.log) == n_asked


def test_an_old_answer_is_used_if_a_query_fails(httpserver, session, caplog):
    broker = Fink(session, httpserver.url_for(""))
    serve_fink(httpserver)
    first = broker.light_curve(NAME)
    session.cache.reset_expiration(YESTERDAY)
    httpserver.clear()
    httpserver.expect_request("/api/v1/objects").respond_with_data("oh", 500)
    with caplog.at_level("INFO", "ztfml"):
        assert broker.light_curve(NAME).equals(first)
    assert "using an older answer from " in caplog.text


def test_a_cache_that_is_not_a_database_is_emptied(tmp_path, caplog, httpserver):
    cache = tmp_path / "brokers.sqlite"
    cache.write_bytes(b"this is no database" * 100)
    serve_fink(httpserver)
    assert len(Fink(open_session(cache=cache), httpserver.url_for("")).light_curve(NAME))
    assert "the cache of broker answers is damaged" in caplog.text


def test_a_damaged_page_of_the_cache_is_a_miss(tmp_path, httpserver):
    cache = tmp_path / "brokers.sqlite"
    serve_fink(httpserver)
    first = Fink(open_session(cache=cache), httpserver.url_for("")).light_curve(NAME)
    content = bytearray(cache.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    cache.write_bytes(content)
    again = Fink(open_session(cache=cache), httpserver.url_for("")).light_curve(NAME)
    assert again.equals(first)


def test_a_slow_answer_ends_at_the_deadline(tmp_path, httpserver):
    def drip():
        for _ in range(100):
            yield b" "
            time.sleep(0.1)

    httpserver.expect_request("/api/v1/objects").respond_with_handler(lambda _: Response(drip()))
    session = open_session(cache=tmp_path / "brokers.sqlite", timeout=5.0, deadline=0.5)
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="no answer in time"):
        Fink(session, httpserver.url_for("")).light_curve(NAME)
    assert time.monotonic() - begun < 3.0


def test_a_compressed_answer_that_is_too_large(tmp_path, httpserver):
    bomb = gzip.compress(b" " * 40_000_000)
    answer = Response(bomb, headers={"Content-Encoding": "gzip"})
    httpserver.expect_request("/api/v1/objects").respond_with_response(answer)
    session = open_session(cache=tmp_path / "brokers.sqlite")
    with pytest.raises(BrokerError, match="the answer is too large"):
        Fink(session, httpserver.url_for("")).light_curve(NAME)


def test_retries_have_a_total_time(monkeypatch, httpserver, tmp_path):
    monkeypatch.setattr(limited_http, "RETRY_SECONDS", 1.5)
    busy = Response("busy", 429, {"Retry-After": "1"})
    httpserver.expect_request("/api/v1/objects").respond_with_response(busy)
    broker = Fink(open_session(cache=tmp_path / "brokers.sqlite"), httpserver.url_for(""))
    with pytest.raises(BrokerError, match=r"too many queries \(429\)"):
        broker.light_curve(NAME)
    assert len(httpserver.log) == 2


def test_an_invalid_certificate_is_named():
    error = requests.exceptions.SSLError("certificate verify failed: it has expired")
    with (
        pytest.raises(UnreachableError, match=r"its certificate is not valid \(certificate verify"),
        querying("Fink", "the stamps"),
    ):
        raise error


@pytest.mark.parametrize(
    ("module", "opened"),
    [("requests_cache", open_session), ("alerce.core", lambda: Alerce(session=None))],
)
def test_without_the_extra(monkeypatch, module, opened):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r"not installed; .* pip install 'ztfml\[brokers\]'"):
        opened()


def test_the_cache_runs_no_code(session, httpserver):
    serve_fink(httpserver)
    Fink(session, httpserver.url_for("")).light_curve(NAME)
    assert session.cache.responses.serializer.name == "json"


def test_queries_have_a_user_agent(httpserver, asked):
    broker, _, serve = asked
    serve(httpserver)
    broker.light_curve(NAME)
    assert httpserver.log[0][0].headers["User-Agent"].startswith("ztfml/")
