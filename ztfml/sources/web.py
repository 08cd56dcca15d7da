"""Asking brokers over the net: few at a time, with patience, and never twice for the same.

Answers are kept in the user's cache folder (requests-cache, through platformdirs), so that a
second look in the morning asks nobody, and a look without a net shows the last there was.
"""

import logging
import sqlite3
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from ztfml.errors import BrokerError, DataError

log = logging.getLogger(__name__)

AT_ONCE = 3
"""How many objects are asked for at a time."""

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0

# A busy broker (429) and a stumbling one (5xx) are asked again at once, after 2, 4 and 8 s, or when
# they say (Retry-After), unless that is more than a minute. One that hangs is asked once more.
_RETRIES, _READ_RETRIES, _CONNECT_RETRIES = 4, 1, 2
_RETRY_STATUSES = (429, 500, 502, 503, 504)
_LONGEST_WAIT = 60

# New detections come with each night, but an alert's stamps never change.
_HOUR = 3600
_EXPIRE = {"*/get_stamp*": 30 * 24 * _HOUR, "*/api/v1/cutouts*": 30 * 24 * _HOUR, "*": 6 * _HOUR}


class UnreachableError(BrokerError):
    """A broker that cannot be reached or does not answer in time."""


class NotFoundError(BrokerError):
    """A broker that has not what it was asked for."""


def open_session(offline=False, cache=None, timeout=READ_TIMEOUT, backoff=1.0):
    """Open a session that caches, waits and asks again.

    Parameters
    ----------
    offline : bool
        Answer from the cache alone, however old it is.
    cache : str or Path, optional
        The file of the cache; by default ``brokers.sqlite`` in the user's cache folder.
    timeout : float
        Seconds that a broker may be silent.
    backoff : float
        Half the seconds before asking a third time; each further wait is twice as long.

    Returns
    -------
    requests_cache.CachedSession
        It raises where the answer is no success. Threads may share it.

    Raises
    ------
    DataError
        If requests-cache is not installed, or the cache cannot be opened.

    Examples
    --------
    >>> session = open_session(offline=True)   # doctest: +SKIP
    """
    try:
        from platformdirs import user_cache_path
        from requests.adapters import HTTPAdapter
        from requests_cache import CachedSession
    except ImportError as error:
        raise not_installed("brokers are asked through requests-cache") from error
    from urllib3 import Retry
    from urllib3.exceptions import MaxRetryError

    class BriefRetry(Retry):
        def increment(self, method=None, url=None, response=None, *others, **options):
            # To wait for long is for the one who reads the sentence.
            if response is not None and (self.get_retry_after(response) or 0) > _LONGEST_WAIT:
                raise MaxRetryError(None, url)
            return super().increment(method, url, response, *others, **options)

    class Adapter(HTTPAdapter):
        def send(self, request, **options):
            # What asks through this session (the alerce client) sets no timeout of its own.
            options["timeout"] = (CONNECT_TIMEOUT, timeout)
            return super().send(request, **options)

    class Session(CachedSession):
        def send(self, request, **options):
            response = super().send(request, **options)
            if offline and response.status_code == 504:
                raise _NotCached(request.url)
            response.raise_for_status()
            if getattr(response, "is_expired", False):
                date = f"{response.created_at:%Y-%m-%d %H:%M} UTC"
                log.info("%s: an older answer is used, of %s", request.url, date)
            return response

    path = Path(cache) if cache is not None else user_cache_path("ztfml") / "brokers.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        session = Session(
            str(path),
            backend="sqlite",
            serializer="json",  # unlike pickle it runs no code when a file is read
            allowable_methods=("GET", "POST"),
            urls_expire_after=_EXPIRE,
            stale_if_error=True,
            only_if_cached=offline,
        )
    except (sqlite3.Error, OSError) as error:
        raise DataError(
            f"{path}: the cache of the brokers' answers cannot be opened ({error}); delete the "
            "file, or make its folder writable"
        ) from error
    session.headers["User-Agent"] = f"ztfml/{version('ztfml')}"
    retry = BriefRetry(
        total=_RETRIES,
        connect=_CONNECT_RETRIES,
        read=_READ_RETRIES,
        backoff_factor=backoff,
        status_forcelist=_RETRY_STATUSES,
        allowed_methods=None,  # Fink is asked by POST, which changes nothing there
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter(max_retries=retry))
    return session


# What reading an answer of another shape, or garbled bytes, raises here and in the clients.
_NONSENSE = (
    DataError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError,
    EOFError, RecursionError,
)  # fmt: skip


class _NotCached(Exception):
    """Offline, and never asked before."""


@contextmanager
def asking(broker, what):
    """Turn all that can go wrong in the block into one sentence.

    Parameters
    ----------
    broker : str
        Whom the sentence names.
    what : str
        What is asked for, such as ``"the light curve of ZTF18abukavn"``.

    Raises
    ------
    BrokerError
        If the broker cannot be reached, is too slow, refuses, has it not, or answers nonsense.

    Examples
    --------
    >>> with asking("Fink", "the light curve of ZTF18abukavn"):   # doctest: +SKIP
    ...     session.post(url, json=query).json()
    """
    import requests
    from urllib3.exceptions import ReadTimeoutError

    def failed(kind, how, advice):
        return kind(f"{broker}: {what}: {how}; {advice}")

    try:
        yield
    except BrokerError:
        raise
    except _NotCached as error:
        raise failed(
            NotFoundError, "not in the cache", "ask for it once without --offline"
        ) from error
    except requests.exceptions.JSONDecodeError as error:
        raise failed(
            BrokerError,
            "the answer is no JSON, or cut short",
            "look at the broker's own page for news, or ask another broker",
        ) from error
    except requests.HTTPError as error:
        raise _refused(failed, error.response) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
            how = "no answer in time"
        else:
            how = "it cannot be reached"
        raise failed(
            UnreachableError, how, "try again later, ask another broker, or use --offline"
        ) from error
    except requests.RequestException as error:  # among them answers that end too early
        raise failed(BrokerError, "the answer was cut short or garbled", "try again") from error
    except _NONSENSE as error:
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        raise failed(
            BrokerError,
            f"the answer is not what it should be ({reason[:200]})",
            "ask another broker, and tell the broker if it goes on",
        ) from error


def _refused(failed, response):
    status = response.status_code
    if status == 404:
        return failed(NotFoundError, "it has none (404)", "check the name, or ask another broker")
    if status == 429:
        wait = response.headers.get("Retry-After", "some minutes")
        seconds = " s" if wait.isdigit() else ""
        return failed(BrokerError, "it is asked too often (429)", f"wait {wait}{seconds}")
    if status >= 500:
        return failed(BrokerError, f"it has failed ({status})", "try again later")
    return failed(BrokerError, f"it refused ({status})", "check the name and the broker's address")


def not_installed(what):
    """The error of a missing extra.

    >>> str(not_installed("x goes through y"))
    "x goes through y, which is not installed; install it with pip install 'ztfml[brokers]'"
    """
    return DataError(
        f"{what}, which is not installed; install it with pip install 'ztfml[brokers]'"
    )
