"""Each object is announced once to each channel."""

import json
import logging
import time
from pathlib import Path

import pytest
from werkzeug import Response

from ztfml.errors import DataError
from ztfml.stream import outbox as module
from ztfml.stream.channels import channel_of
from ztfml.stream.outbox import Outbox

SECRETS = {"ZTFML_SKYPORTAL_TOKEN": "top-secret", "ZTFML_SLACK_URL": "http://none/secret"}


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.0)
    monkeypatch.setattr(module, "_SECONDS_BETWEEN", 0.0)


def announcement(name="ZTF20aaaaaaa", reason="score"):
    return {
        "objectId": name, "reason": reason, "candid": 12345, "score": 0.42,
        "reasons": "rising 0.8 ± 0.1 mag/day <script>", "ra": 150.0, "dec": 2.0,
        "links": {"fink": "https://ztf.fink-portal.org/ZTF20aaaaaaa"},
    }  # fmt: skip


class Recorder:
    """A channel that fails some times."""

    name = "recorder"

    def __init__(self, n_failures=0):
        self.received, self.n_failures = [], n_failures

    def send(self, one):
        if self.n_failures:
            self.n_failures -= 1
            raise OSError("not now")
        self.received.append(one["id"])


def test_once_for_each_object_and_reason(tmp_path):
    channel = Recorder()
    outbox = Outbox(tmp_path, [channel])
    assert outbox.add(announcement())
    assert not outbox.add(announcement())
    assert outbox.add(announcement(reason="high_score"))
    assert outbox.add(announcement("ZTF20bbbbbbb"))
    assert outbox.deliver() == 0
    assert outbox.deliver() == 0
    again = Outbox(tmp_path, [channel])
    assert not again.add(announcement())
    assert again.deliver() == 0
    assert channel.received == [
        "ZTF20aaaaaaa.score", "ZTF20aaaaaaa.high_score", "ZTF20bbbbbbb.score",
    ]  # fmt: skip


def test_a_failure_is_repeated_and_does_not_stop_others(tmp_path, caplog):
    bad, good = Recorder(2), Recorder()
    good.name = "good"
    outbox = Outbox(tmp_path, [bad, good])
    outbox.add(announcement())
    assert [outbox.deliver() for _ in range(4)] == [1, 1, 0, 0]
    assert bad.received == good.received == ["ZTF20aaaaaaa.score"]
    assert caplog.text.count("not now") == 2


def test_waits_grow_and_respect_the_server(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_FIRST_WAIT", 5.0)
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    channel = Recorder(3)
    outbox = Outbox(tmp_path, [channel])
    outbox.add(announcement())
    tried = []
    for _ in range(60):
        before = channel.n_failures
        outbox.deliver()
        if channel.n_failures < before or channel.received:
            tried.append(clock[0] - 1000)
        if channel.received:
            break
        clock[0] += 1.0
    assert tried == [0.0, 5.0, 15.0, 35.0]


def test_an_announcement_that_is_not_accepted_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FIRST_WAIT", 5.0)
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])

    class Refuses(Recorder):
        n_calls = 0

        def send(self, one):
            self.n_calls += 1
            if one["objectId"] == "ZTF20bad":
                raise KeyError("a fault in a channel")
            super().send(one)

    channel = Refuses()
    outbox = Outbox(tmp_path, [channel])
    for name in ("ZTF20bad", "ZTF20aaaaaaa", "ZTF20bbbbbbb"):
        outbox.add(announcement(name))
    for _ in range(120):
        outbox.deliver()
        clock[0] += 1.0
    assert channel.received == ["ZTF20aaaaaaa.score", "ZTF20bbbbbbb.score"]
    assert outbox.n_waiting() == 1
    # At once, and after waits of 5, 10, 20 and 40 s.
    assert channel.n_calls == 2 + 5


def test_a_server_that_is_down_is_not_asked_for_each_announcement(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FIRST_WAIT", 5.0)
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    channel = Recorder(1000)
    outbox = Outbox(tmp_path, [channel])
    for k in range(50):
        outbox.add(announcement(f"ZTF20aaaaa{k:02d}"))
    for _ in range(60):
        outbox.deliver()
        clock[0] += 1.0
    assert 1000 - channel.n_failures == 4  # After 0, 5, 15 and 35 s.


def test_a_new_channel_receives_what_is_of_this_night(tmp_path):
    Outbox(tmp_path, [], night="monday").add(announcement("ZTF20aaaaaaa"))
    first, second = Recorder(), Recorder()
    second.name = "second"
    outbox = Outbox(tmp_path, [first], night="tuesday")
    outbox.add(announcement("ZTF20bbbbbbb"))
    assert outbox.deliver() == 0
    assert Outbox(tmp_path, [first, second], night="tuesday").deliver() == 0
    assert first.received == second.received == ["ZTF20bbbbbbb.score"]
    assert Outbox(tmp_path, [first, second], night="wednesday").deliver() == 0
    assert len(first.received) == 1


def test_one_message_per_second(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_BETWEEN", 1.0)
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    channel = Recorder()
    outbox = Outbox(tmp_path, [channel])
    for k in range(3):
        outbox.add(announcement(f"ZTF20aaaaaa{k}"))
    waiting = []
    for _ in range(4):
        waiting.append(outbox.deliver())
        clock[0] += 0.6
    assert waiting == [2, 2, 1, 1]


def test_a_dry_run_sends_nothing(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    channel = Recorder()
    outbox = Outbox(tmp_path, [channel], dry_run=True)
    outbox.add(announcement())
    assert outbox.deliver() == 0
    assert outbox.deliver() == 0
    assert channel.received == []
    assert caplog.text.count("would send to recorder: ZTF20aaaaaaa, score 0.42") == 1
    assert Outbox(tmp_path, [channel]).deliver() == 0
    assert channel.received == ["ZTF20aaaaaaa.score"]


def test_a_damaged_record_is_moved_away(tmp_path, caplog):
    outbox = Outbox(tmp_path, [])
    outbox.add(announcement())
    (tmp_path / "ZTF20bbbbbbb.score.json").write_text("{")
    assert [one["id"] for one in outbox.announcements()] == ["ZTF20aaaaaaa.score"]
    assert (tmp_path / "ZTF20bbbbbbb.score.damaged").exists()
    assert "ZTF20bbbbbbb.score.json: not readable" in caplog.text


@pytest.mark.parametrize("content", ["{}", "[]", '{"id": "a"}'])
def test_json_that_is_not_an_announcement_is_moved_away(content, tmp_path, caplog):
    (tmp_path / "notes.json").write_text(content)
    assert Outbox(tmp_path, []).announcements() == []
    assert "notes.json: not readable" in caplog.text


def test_similar_names_have_their_own_announcements(tmp_path):
    outbox = Outbox(tmp_path, [])
    names = ["ZTF/1", "ZTF:1", "ZTF_1", "ZTF\n1"]
    assert all(outbox.add(announcement(name)) for name in names)
    assert {one["objectId"] for one in outbox.announcements()} == set(names)


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "x" * 300, "ZTF\x1b[31m", ""])
def test_hostile_names_stay_in_the_folder(name, tmp_path):
    outbox = Outbox(tmp_path / "outbox", [])
    assert outbox.add(announcement(name))
    assert not outbox.add(announcement(name))
    (path,) = tmp_path.rglob("*.json")
    assert path.parent == tmp_path / "outbox"


def test_a_file(tmp_path):
    path = tmp_path / "found.jsonl"
    outbox = Outbox(tmp_path / "outbox", [channel_of(f"file={path}")])
    for name in ("ZTF20aaaaaaa", "ZTF20bbbbbbb"):
        outbox.add(announcement(name))
    outbox.deliver()
    for file in (tmp_path / "outbox").glob("*.json"):  # As if killed before the record.
        record = json.loads(file.read_text()) | {"sent": []}
        file.write_text(json.dumps(record))
    assert Outbox(tmp_path / "outbox", [channel_of(f"file={path}")]).deliver() == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["objectId"] for one in lines] == ["ZTF20aaaaaaa", "ZTF20bbbbbbb"]
    assert lines[0]["reasons"] == "rising 0.8 ± 0.1 mag/day <script>"


def test_a_command(tmp_path, caplog):
    output = tmp_path / "got.json"
    outbox = Outbox(tmp_path / "outbox", [channel_of(f"command=tee {output}")])
    outbox.add(announcement())
    assert outbox.deliver() == 0
    assert json.loads(output.read_text())["score"] == 0.42
    failing = Outbox(tmp_path / "outbox", [channel_of("command=ls /no/such/place")])
    assert failing.deliver() == 1
    assert "exit code 2" in caplog.text


def test_a_command_that_hangs_is_ended_with_its_own_processes(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("ztfml.stream.channels._SECONDS", 0.5)
    pid = tmp_path / "pid"
    outbox = Outbox(
        tmp_path / "outbox", [channel_of(f"command=sh -c 'sleep 60 & echo $! > {pid}; wait'")]
    )
    outbox.add(announcement())
    assert outbox.deliver() == 1
    assert "command=sh (" in caplog.text
    assert "no end within" in caplog.text
    end = time.monotonic() + 5
    while time.monotonic() < end and _is_running(int(pid.read_text())):
        time.sleep(0.05)
    assert not _is_running(int(pid.read_text()))


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except OSError:
        return False


def test_two_channels_of_one_kind_both_receive(tmp_path, httpserver):
    received = []
    for name in ("a", "b"):
        httpserver.expect_request(f"/{name}").respond_with_handler(
            lambda request: received.append(request.path) or Response("ok")
        )
    channels = [channel_of(f"slack={httpserver.url_for(name)}") for name in ("/a", "/b")]
    channels += [channel_of(f"command=tee {tmp_path}/{name}") for name in ("c", "d")]
    outbox = Outbox(tmp_path / "outbox", channels)
    outbox.add(announcement())
    assert outbox.deliver() == 0
    assert sorted(received) == ["/a", "/b"]
    assert (tmp_path / "c").exists()
    assert (tmp_path / "d").exists()


def test_slack(tmp_path, httpserver, caplog):
    answers = [
        Response("slow down", 429, {"Retry-After": "0"}),
        Response("no", 500),
        Response("ok"),
    ]
    received = []

    def answer(request):
        received.append(request.get_json())
        return answers[len(received) - 1]

    httpserver.expect_request("/services/secret").respond_with_handler(answer)
    url = httpserver.url_for("/services/secret")
    outbox = Outbox(tmp_path, [channel_of(f"slack={url}")])
    outbox.add(announcement())
    assert [outbox.deliver() for _ in range(4)] == [1, 1, 0, 0]
    assert len(received) == 3
    text = received[-1]["text"]
    assert "ZTF20aaaaaaa, score 0.42: rising 0.8 ± 0.1 mag/day &lt;script&gt;" in text
    assert "<https://ztf.fink-portal.org/ZTF20aaaaaaa|fink>" in text
    assert "): the server answered 429" in caplog.text
    assert not [one for one in caplog.messages if "secret" in one and "POST" not in one]
    assert "secret" not in next(tmp_path.glob("*.json")).read_text()


def test_a_server_that_cannot_be_reached(tmp_path, caplog):
    secrets = {"ZTFML_SLACK_URL": "http://127.0.0.1:9/secret"}
    outbox = Outbox(tmp_path, [channel_of("slack", secrets)])
    outbox.add(announcement())
    assert outbox.deliver() == 1
    assert "the server cannot be reached (ConnectionError)" in caplog.text
    assert "secret" not in caplog.text


def test_skyportal_receives_a_source_once(tmp_path, httpserver):
    paths = []

    def answer(request):
        assert request.headers["Authorization"] == "token top-secret"
        known = request.path in paths
        paths.append(request.path)
        if known:
            return Response(json.dumps({"message": "it already exists"}), 400)
        return Response(json.dumps({"status": "success"}))

    for name in ("", "/ZTF20aaaaaaa/annotations", "/ZTF20aaaaaaa/comments"):
        httpserver.expect_request(f"/api/sources{name}").respond_with_handler(answer)
    picture = tmp_path / "curve.png"
    picture.write_bytes(b"\x89PNG")
    url = httpserver.url_for("/")
    channel = channel_of(f"skyportal={url}", SECRETS)
    one = announcement() | {"light_curve": str(picture), "id": "ZTF20aaaaaaa.score"}
    channel.send(one)
    channel.send(one)  # As after a kill before the record.
    assert paths == [
        "/api/sources", "/api/sources/ZTF20aaaaaaa/annotations",
        "/api/sources/ZTF20aaaaaaa/comments",
        "/api/sources", "/api/sources/ZTF20aaaaaaa/annotations",
    ]  # fmt: skip
    assert "top-secret" not in channel.name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail=me", "no such channel"),
        ("file=", "no such channel"),
        ("file=/etc/passwd/found.jsonl", "not a folder"),
        ("command= ", "no such channel"),
        ("command=no_such_program", "no such program"),
        ("command=echo 'a", "check the quotes"),
        ("slack=hooks.slack.com/a", "https://"),
        ("skyportal=fritz", "https://"),
        ("slack", "ZTFML_SLACK_URL"),
        ("skyportal=https://fritz.science", "ZTFML_SKYPORTAL_TOKEN"),
    ],
)
def test_a_channel_that_cannot_be_used(text, words):
    with pytest.raises(DataError, match=words):
        channel_of(text, {})
