"""HTTP queries to brokers: few at a time, with retries and a cache.

Answers are cached in the user's cache folder (with requests-cache and platformdirs), so that
repeated queries need no network access.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sized
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ztfml.errors import BrokerError, DataError
from ztfml.io.limits import ANSWER_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from requests_cache import CachedSession

log = logging.getLogger(__name__)

AT_ONCE = 3
"""Number of objects that are queried in parallel."""

# After 429 (too many requests) and 5xx (server error) the query is repeated immediately, after 2, 4
# and 8 s, or as the broker says (Retry-After), up to a minute. After a timeout it is repeated once.
_RETRIES, _READ_RETRIES, _CONNECT_RETRIES = 4, 1, 2
_RETRY_STATUSES = (429, 500, 502, 503, 504)

# Light curves grow every night, but the stamps of an alert never change.
_HOUR = 3600
_EXPIRE = {"*/get_stamp*": 30 * 24 * _HOUR, "*/api/v1/cutouts*": 30 * 24 * _HOUR, "*": 6 * _HOUR}


class UnreachableError(BrokerError):
    """A broker cannot be reached or does not answer in time.

    >>> raise UnreachableError("Fink: no answer in time")
    Traceback (most recent call last):
    ...
    ztfml.sources.web.UnreachableError: Fink: no answer in time
    """


class NotFoundError(BrokerError):
    """A broker does not have the requested data.

    >>> issubclass(NotFoundError, BrokerError)
    True
    """


def open_session(
    offline: bool = False,
    cache: str | Path | None = None,
    timeout: float = READ_SECONDS,
    backoff: float = 1.0,
    deadline: float = ANSWER_SECONDS,
) -> CachedSession:
    """Open an HTTP session with a cache and retries.

    Parameters
    ----------
    offline : bool
        Use only the cache, regardless of its age.
    cache : str or Path, optional
        The file of the cache; by default ``brokers.sqlite`` in the user's cache folder.
    timeout : float, s
        Longest wait for the next bytes of an answer.
    backoff : float, s
        Half the wait before the second retry; each further wait is twice as long.
    deadline : float, s
        Longest wait for a complete answer, with all retries.

    Returns
    -------
    requests_cache.CachedSession
        It raises an exception if the status is not a success. Threads may share it.

    Raises
    ------
    DataError
        If requests-cache is not installed, or the cache cannot be opened.

    Examples
    --------
    >>> session = open_session(offline=True, cache="cache/brokers.sqlite")
    >>> session.settings.only_if_cached
    True
    """
    try:
        from platformdirs import user_cache_path
        from requests_cache import CachedSession
    except ImportError as error:
        raise not_installed("brokers are queried with requests-cache") from error
    from requests import HTTPError

    from ztfml.sources.limited_http import BriefRetry, LimitedAdapter

    class Session(CachedSession):
        def send(self, request, **options):
            try:
                response = super().send(request, **options)
            except sqlite3.DatabaseError as error:
                # A damaged cache is the same as an empty one.
                log.warning("%s: the cache of broker answers is damaged (%s); emptied", path, error)
                self.cache.clear()
                response = super().send(request, **options)
            if offline and response.status_code == 504:
                raise _NotCached(request.url)
            response.raise_for_status()
            if response.status_code >= 600:  # Not defined; requests takes it for a success.
                raise HTTPError(response=response)
            if getattr(response, "is_expired", False):
                date = f"{response.created_at:%Y-%m-%d %H:%M} UTC"
                log.info("%s: using an older answer from %s", request.url, date)
            return response

    path = Path(cache) if cache is not None else user_cache_path("ztfml") / "brokers.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_if_damaged(path)
        session = Session(
            str(path),
            backend="sqlite",
            serializer="json",  # Reading it runs no code, unlike pickle.
            allowable_methods=("GET", "POST"),
            urls_expire_after=_EXPIRE,
            stale_if_error=True,
            only_if_cached=offline,
        )
    except (sqlite3.Error, OSError) as error:
        raise DataError(
            f"{path}: the cache of broker answers cannot be opened ({error}); delete the "
            "file, or make its folder writable"
        ) from error
    session.headers["User-Agent"] = f"ztfml/{version('ztfml')}"
    retry = BriefRetry(
        total=_RETRIES,
        connect=_CONNECT_RETRIES,
        read=_READ_RETRIES,
        backoff_factor=backoff,
        status_forcelist=_RETRY_STATUSES,
        allowed_methods=None,  # Fink is queried by POST, which changes nothing there.
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, LimitedAdapter(timeout, deadline, max_retries=retry))
    return session


def _remove_if_damaged(path):
    """Remove a cache that is not a database; its content can be queried again."""
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        raise  # Busy or not readable, but not damaged.
    except sqlite3.DatabaseError as error:
        log.warning("%s: the cache of broker answers is damaged (%s); emptied", path, error)
        path.unlink()


# Raised here and in the clients by answers of unexpected structure and by damaged bytes.
_NONSENSE = (
    DataError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError,
    EOFError, RecursionError, MemoryError, sqlite3.Error,
)  # fmt: skip


class _NotCached(Exception):
    """Offline, and the answer is not in the cache."""


@contextmanager
def querying(broker: str, what: str) -> Iterator[None]:
    """Convert every error of a query into a `BrokerError` with a one-sentence message.

    Parameters
    ----------
    broker : str
        Name of the broker.
    what : str
        The requested data, such as ``"the light curve of ZTF18abukavn"``.

    Raises
    ------
    BrokerError
        If the broker cannot be reached, is too slow, refuses, does not have the data, or its
        answer cannot be read.

    Examples
    --------
    >>> with querying("Fink", "the light curve of ZTF18abukavn"):   # doctest: +ELLIPSIS
    ...     {}["i:jd"]
    Traceback (most recent call last):
    ...
    ztfml.errors.BrokerError: Fink: the light curve of ZTF18abukavn: the answer is not as ...
    """
    import requests
    from urllib3.exceptions import ReadTimeoutError

    from ztfml.sources.limited_http import AnswerTooLargeError

    def failed(kind, how, advice):
        return kind(f"{broker}: {what}: {how}; {advice}")

    try:
        yield
    except BrokerError:
        raise
    except _NotCached as error:
        raise failed(
            NotFoundError, "not in the cache", "query it once without --offline"
        ) from error
    except requests.exceptions.JSONDecodeError as error:
        raise failed(
            BrokerError,
            "the answer is not JSON or is incomplete",
            "check the broker's web page for news, or try another broker",
        ) from error
    except requests.HTTPError as error:
        raise _refused(failed, error.response) from error
    except requests.exceptions.SSLError as error:
        raise failed(
            UnreachableError,
            f"its certificate is not valid ({_first_line(error)})",
            "check the date of this computer and its proxy, or try another broker",
        ) from error
    except AnswerTooLargeError as error:
        raise failed(
            BrokerError, f"the answer is too large ({error})", "try another broker"
        ) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
            how = "no answer in time"
        else:
            how = "it cannot be reached"
        raise failed(
            UnreachableError, how, "try again later, try another broker, or use --offline"
        ) from error
    except requests.RequestException as error:  # Among them incomplete answers.
        raise failed(BrokerError, "the answer is incomplete or damaged", "try again") from error
    except _NONSENSE as error:
        raise failed(
            BrokerError,
            f"the answer is not as expected ({_first_line(error)})",
            "try another broker, and tell the broker if this persists",
        ) from error


def _first_line(error):
    return (str(error).strip() or type(error).__name__).split("\n")[0][:200]


def _refused(failed, response):
    status = response.status_code
    if status == 404:
        return failed(NotFoundError, "not found (404)", "check the name, or try another broker")
    if status == 429:
        wait = response.headers.get("Retry-After", "some minutes")
        seconds = " s" if wait.isdigit() else ""
        return failed(BrokerError, "too many queries (429)", f"wait {wait}{seconds}")
    if status >= 500:
        return failed(BrokerError, f"the server failed ({status})", "try again later")
    return failed(BrokerError, f"it refused ({status})", "check the name and the broker's address")


def require_rows(rows: Sized, broker: str, what: str) -> None:
    """Raise `NotFoundError` if a broker's answer is empty.

    >>> require_rows([], "Fink", "the light curve of ZTF18abukavn")   # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ztfml.sources.web.NotFoundError: Fink: the light curve of ZTF18abukavn: not found; ...
    """
    if not len(rows):
        raise NotFoundError(f"{broker}: {what}: not found; check the name, or try another broker")


def not_installed(what: str) -> DataError:
    """Return the error for a missing optional dependency.

    >>> str(not_installed("x is read with y"))
    "x is read with y, which is not installed; install it with pip install 'ztfml[brokers]'"
    """
    return DataError(
        f"{what}, which is not installed; install it with pip install 'ztfml[brokers]'"
    )
