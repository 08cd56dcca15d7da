"""Channels of announcements: a file, a command, Slack and SkyPortal."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ztfml.errors import BrokerError, DataError
from ztfml.io.atomic import write_beside
from ztfml.io.output_paths import check_writable_folder
from ztfml.io.safe_text import printable
from ztfml.stream.outbox import Channel, headline

if TYPE_CHECKING:
    from requests import Response

_SECONDS = 20.0
SLACK_URL, SKYPORTAL_TOKEN = "ZTFML_SLACK_URL", "ZTFML_SKYPORTAL_TOKEN"
"""Environment variables with secrets."""


class NotSentError(OSError):
    """A channel did not accept an announcement.

    Parameters
    ----------
    message : str
        Without addresses and tokens, which may be secret.
    retry_after : float, s
        Shortest wait before the next try.

    Examples
    --------
    >>> NotSentError("the server answered 429", 30.0).retry_after
    30.0
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def channel_of(text: str, environment: Mapping[str, str] = os.environ) -> Channel:
    """Return the channel that an option names.

    Parameters
    ----------
    text : str
        ``file=PATH``, ``command=CMD``, ``slack=URL`` (or ``slack``, with the address in
        ``ZTFML_SLACK_URL``), or ``skyportal=URL``.
    environment : mapping of str to str
        With the secrets.

    Returns
    -------
    Channel

    Raises
    ------
    BrokerError
        If the text names no channel, or a secret is missing.

    Examples
    --------
    >>> channel_of("file=found.jsonl").name
    'file=found.jsonl'
    >>> channel_of("mail=me")
    Traceback (most recent call last):
    ...
    ztfml.errors.BrokerError: mail=me: no such channel; use file=PATH, command=CMD, slack=URL or \
skyportal=URL
    """
    kind, _, value = text.partition("=")
    if kind == "file" and value:
        check_writable_folder(Path(value).parent)
        return FileChannel(Path(value))
    if kind == "command" and value.strip():
        return CommandChannel(value)
    if kind == "slack":
        url = value or environment.get(SLACK_URL, "")
        if not url:
            raise BrokerError(f"slack: the address is missing; set {SLACK_URL}")
        _check_address("slack", url)
        return SlackChannel(url)
    if kind == "skyportal" and value:
        _check_address(value, value)
        token = environment.get(SKYPORTAL_TOKEN, "")
        if not token:
            raise BrokerError(f"{value}: the token is missing; set {SKYPORTAL_TOKEN}")
        return SkyPortalChannel(value, token)
    raise BrokerError(
        f"{text}: no such channel; use file=PATH, command=CMD, slack=URL or skyportal=URL"
    )


def _check_address(name, url):
    if not url.startswith(("https://", "http://")):
        raise BrokerError(f"{name}: the address must begin with https:// or http://")


class FileChannel:
    """A file with one announcement per line, as JSON.

    Parameters
    ----------
    path : Path

    Examples
    --------
    >>> channel = FileChannel(Path("found.jsonl"))
    >>> for _ in range(2):
    ...     channel.send({"id": "ZTF18abukavn.score", "objectId": "ZTF18abukavn"})
    >>> Path("found.jsonl").read_text().count("ZTF18abukavn.score")
    1
    """

    def __init__(self, path: Path) -> None:
        self.name = f"file={path}"
        self._path = Path(path)

    def send(self, announcement: dict[str, Any]) -> None:
        """Add an announcement that the file does not have.

        Raises
        ------
        NotSentError
            If the file cannot be written.
        """
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        if any(_id_of(line) == announcement["id"] for line in lines):
            return
        lines.append(json.dumps(_public(announcement)))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with write_beside(self._path) as part:
                part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except DataError as error:
            raise NotSentError(str(error)) from error


class CommandChannel:
    """A command that receives each announcement as JSON on its standard input.

    Parameters
    ----------
    command : str
        Program and arguments; no shell is used.

    Raises
    ------
    BrokerError
        If there is no such program.

    Examples
    --------
    >>> CommandChannel("tee last.json").send({"id": "1", "objectId": "ZTF18abukavn"})
    >>> json.loads(Path("last.json").read_text())["objectId"]
    'ZTF18abukavn'
    """

    def __init__(self, command: str) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise BrokerError(f"command={command}: {error}; check the quotes") from error
        if shutil.which(self._arguments[0]) is None:
            raise BrokerError(
                f"command={self._arguments[0]}: there is no such program; give its full path"
            )
        # Arguments may be secret.
        self.name = f"command={self._arguments[0]} ({_digest(command)})"

    def send(self, announcement: dict[str, Any]) -> None:
        """Run the command.

        Raises
        ------
        NotSentError
            If it fails, or does not end in time.
        """
        # In a session of its own, so that its own processes can be ended too.
        with subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                _, said = process.communicate(json.dumps(_public(announcement)), _SECONDS)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                raise NotSentError(f"no end within {_SECONDS:.0f} s") from error
        if process.returncode:
            said = " ".join(printable(said).split())[:200]
            raise NotSentError(f"exit code {process.returncode} {said}".strip())


class SlackChannel:
    """An incoming webhook of Slack (https://api.slack.com/messaging/webhooks).

    Parameters
    ----------
    url : str
        Secret: who knows it can write.

    Examples
    --------
    >>> SlackChannel("https://hooks.slack.com/services/T0/B0/secret").name
    'slack (fdf3d4)'
    """

    def __init__(self, url: str) -> None:
        self.name = f"slack ({_digest(url)})"
        self._url = url

    def send(self, announcement: dict[str, Any]) -> None:
        """Post a message.

        Raises
        ------
        NotSentError
            If Slack does not accept it.
        """
        links = " · ".join(f"<{url}|{name}>" for name, url in announcement.get("links", {}).items())
        text = f"*{_escaped(headline(announcement))}*\n{links}\n_{announcement['id']}_"
        _check(_post(self._url, {"text": text}))


class SkyPortalChannel:
    """A SkyPortal server, such as Fritz (https://skyportal.io/docs/api.html).

    The object is saved as a source with an annotation and a comment with the light curve.

    Parameters
    ----------
    url : str
        Address of the server.
    token : str

    Examples
    --------
    >>> SkyPortalChannel("https://fritz.science", "secret").name
    'skyportal=https://fritz.science'
    """

    def __init__(self, url: str, token: str) -> None:
        self.name = f"skyportal={url}"
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}

    def send(self, announcement: dict[str, Any]) -> None:
        """Save the source; its annotation shows whether this was done before.

        Raises
        ------
        NotSentError
            If the server does not accept it.
        """
        name = announcement["objectId"]
        source = {"id": name, "ra": announcement.get("ra"), "dec": announcement.get("dec")}
        answer = self._post("/api/sources", source)
        if "already" not in _said(answer):
            _check(answer)
        address = f"/api/sources/{quote(name, safe='')}"
        data = {key: announcement.get(key) for key in ("score", "reasons", "candid")}
        annotation = {"origin": f"ztfml:{announcement['reason']}", "data": data}
        answer = self._post(f"{address}/annotations", annotation)
        if "already" in _said(answer):
            return
        _check(answer)
        picture = Path(announcement.get("light_curve") or "")
        if picture.is_file():
            body = base64.b64encode(picture.read_bytes()).decode()
            attachment = {"body": body, "name": picture.name}
            comment = {"text": headline(announcement), "attachment": attachment}
            self._post(f"{address}/comments", comment)

    def _post(self, path: str, content: dict[str, Any]) -> Response:
        return _post(self._url + path, content, self._headers)


def _post(url: str, content: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    import requests

    try:
        return requests.post(url, json=content, headers=headers, timeout=_SECONDS)
    except requests.RequestException as error:
        # The text of the error has the address, which may be secret.
        raise NotSentError(f"the server cannot be reached ({type(error).__name__})") from None


def _check(answer: Response) -> None:
    if answer.ok:
        return
    try:
        wait = float(answer.headers.get("Retry-After", 0.0))
    except ValueError:
        wait = 0.0
    raise NotSentError(f"the server answered {answer.status_code}", wait)


def _said(answer: Response) -> str:
    return "" if answer.ok else answer.text[:1000].lower()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _public(announcement: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in announcement.items() if key not in ("to", "sent")}


def _digest(text: str) -> str:
    """Return a short text that identifies a secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]


def _id_of(line: str) -> str | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found.get("id") if isinstance(found, dict) else None
