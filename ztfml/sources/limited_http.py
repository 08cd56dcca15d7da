"""HTTP exchanges with a total deadline and a limit on the size of the answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException, Timeout
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError

from ztfml.io.limits import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    LONGEST_RETRY_AFTER,
    MAX_ANSWER_BYTES,
    RETRY_SECONDS,
)

T = TypeVar("T")

_CHUNK = 65_536


class AnswerTooLargeError(RequestException):
    """An answer has more bytes than any answer of a broker needs.

    >>> issubclass(AnswerTooLargeError, RequestException)
    True
    """


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """Call a function in a thread, and stop waiting for it after some time.

    The timeouts of requests limit the wait for the next bytes only; a server that sends one byte
    every few seconds never exceeds them. The abandoned thread does not prevent ztfml from exiting.

    Parameters
    ----------
    seconds : float
    function : callable

    Returns
    -------
    object
        The return value of the function; its exceptions are raised here.

    Raises
    ------
    requests.Timeout
        If the function needs more time.

    Examples
    --------
    >>> call_within(5.0, lambda: 6 * 7)
    42
    """
    results: queue.SimpleQueue = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = results.get(timeout=seconds)
    except queue.Empty:
        raise Timeout(f"no complete answer in {seconds:g} s") from None
    if error is not None:
        raise error
    return value


class LimitedAdapter(HTTPAdapter):
    """A transport adapter of requests with limits on time and size.

    Parameters
    ----------
    read_seconds : float
        Longest wait for the next bytes of an answer.
    total_seconds : float
        Longest wait for a complete answer, with all repetitions of the query.
    max_bytes : int
        Largest answer, after decompression.
    **options
        Options of `requests.adapters.HTTPAdapter`.

    Examples
    --------
    >>> import requests
    >>> session = requests.Session()
    >>> session.mount("https://", LimitedAdapter(30.0))
    """

    def __init__(
        self,
        read_seconds: float,
        total_seconds: float = ANSWER_SECONDS,
        max_bytes: int = MAX_ANSWER_BYTES,
        **options: Any,
    ) -> None:
        self._timeouts = CONNECT_SECONDS, read_seconds
        self._total_seconds = total_seconds
        self._max_bytes = max_bytes
        super().__init__(**options)

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Send a request, and return the answer with its complete content."""
        # The package alerce sets no timeout.
        options["timeout"] = self._timeouts
        return call_within(self._total_seconds, lambda: self._exchange(request, args, options))

    def _exchange(self, request: Any, args: tuple, options: dict) -> Any:
        response = super().send(request, *args, **options)
        parts, n_bytes = [], 0
        for part in response.iter_content(_CHUNK):
            n_bytes += len(part)
            if n_bytes > self._max_bytes:
                response.close()
                raise AnswerTooLargeError(f"more than {self._max_bytes:,} bytes")
            parts.append(part)
        response._content = b"".join(parts)
        return response


class BriefRetry(Retry):
    """Retries that stop when the server asks for a long wait, or after a total time.

    >>> BriefRetry(total=4).total
    4
    """

    _first_failure: float | None = None

    def increment(
        self,
        method: Any = None,
        url: Any = None,
        response: Any = None,
        *others: Any,
        **options: Any,
    ) -> BriefRetry:
        """Return the state for the next try, or raise MaxRetryError."""
        now = time.monotonic()
        first = now if self._first_failure is None else self._first_failure
        wait = (response is not None and self.get_retry_after(response)) or 0
        # The user decides about a long wait.
        if wait > LONGEST_RETRY_AFTER or now + wait - first > RETRY_SECONDS:
            raise MaxRetryError(None, url)  # type: ignore[arg-type]
        following = super().increment(method, url, response, *others, **options)
        following._first_failure = first
        return following
