"""Compiled functions whose cache on disk notices every change of the code they were built from.

numba keeps compiled code in ``__pycache__`` and compiles again when the file of the function
changes. It does not notice when a function that this one calls, or a constant that it uses,
changes in another file. `cached` and `kernel` add that check.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.core.types import BaseTuple

log = logging.getLogger(__name__)

# Loading compiled code takes less than this (seconds); compiling it takes much longer.
_LOADS_WITHIN = 2.0


def cached(function: Callable | None = None, **options: Any) -> Callable:
    """Compile a function with numba and cache it on disk, like ``njit(cache=True)``.

    The cache is valid until one of these changes: the file of the function or of a compiled
    function that it calls, directly or through others; the value of a constant or the fields of
    a named tuple that any of them uses.

    Parameters
    ----------
    function : callable
        A function that numba can compile.
    **options
        Options of `numba.njit`, except ``cache``.

    Returns
    -------
    callable
        The compiled function.

    Examples
    --------
    >>> @cached
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """
    if function is None:
        return partial(cached, **options)
    compiled = njit(**options)(function)
    # A function typed at a prompt has no file, and no place for a cache.
    if Path(function.__code__.co_filename).exists():
        compiled._cache = _Cache(function)
    return compiled


def kernel(function: Callable) -> Callable:
    """Compile a function that runs for every alert.

    A kernel must not allocate memory, because reference counting is off: with it, counting took
    twice the time of the work. A kernel that returns arrays may therefore be called only by
    another kernel, not from Python. Division by zero gives inf or NaN, as in NumPy.

    Parameters
    ----------
    function : callable
        A function that numba can compile.

    Returns
    -------
    callable
        The compiled function, cached as by `cached`.

    Examples
    --------
    >>> @kernel
    ... def ratio(a, b):
    ...     return a / b
    >>> ratio(1.0, 0.0)
    inf
    """
    return cached(function, nogil=True, error_model="numpy", forceinline=True, _nrt=False)


class _Cache(FunctionCache):
    """numba's cache with a stamp of all code that is compiled into the function.

    The stamp is added to numba's version number, which numba compares before it reads anything
    else. So an outdated index is never unpickled, which would fail after an upgrade that moved
    or removed a class.
    """

    def __init__(self, function):
        super().__init__(function)
        # Read when the function is defined, so that a later edit does not pass for this code.
        self.source = _hash_of(_file_of(function))

    def load_overload(self, sig, target_context):
        # Computed at the first call, because the functions that this one calls may be defined
        # after it.
        stamp = _hash(self.source, stamp_of(self._py_func), _fields_in(sig))
        self._cache_file._version = f"{numba.__version__} {stamp}"
        return super().load_overload(sig, target_context)


def _fields_in(types):
    """Classes and fields of the named tuples among argument types.

    numba finds cached code by the class alone, whatever its fields are now.
    """
    tuples = [t for t in types if isinstance(t, BaseTuple)]
    return [
        (str(getattr(t, "instance_class", "")), getattr(t, "fields", ()), _fields_in(t.types))
        for t in tuples
    ]


def stamp_of(function: Callable) -> str:
    """Compute a hash of all code that is compiled into a function.

    Parameters
    ----------
    function : callable
        A compiled function, or one that is about to be compiled.

    Returns
    -------
    str
        Hash of the files and constants that `sources_of` finds.

    Examples
    --------
    >>> from ztfml.lightcurves.slopes import fit_slope
    >>> len(stamp_of(fit_slope))
    64
    """
    files, constants = sources_of(function)
    return _hash(sorted(files.values()), sorted(constants))


def sources_of(function: Callable) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Find what is compiled into a function by following the global names that its code uses.

    Parameters
    ----------
    function : callable
        A compiled function, or one that is about to be compiled.

    Returns
    -------
    files : dict of str to str
        The files that define the function and the compiled functions that it calls, directly or
        through others, each with a hash of its content.
    constants : set of (str, str)
        Name and value of each constant that any of these functions uses.

    Examples
    --------
    >>> from ztfml.lightcurves.slopes import fit_slope
    >>> files, constants = sources_of(fit_slope)
    >>> [file.rpartition("/")[2] for file in files]
    ['slopes.py']
    >>> ("MIN_BASE", "0.02") in constants
    True
    """
    plain = getattr(function, "py_func", function)
    files, constants, followed = {_file_of(plain): _hash_of(_file_of(plain))}, set(), {plain}

    def follow_names_of(code_owner):
        names = _names_in(code_owner.__code__)
        known = code_owner.__globals__
        for name in names & known.keys():
            follow(name, known[name], names)
        for cell in code_owner.__closure__ or ():
            follow("", cell.cell_contents, names)

    def follow(name, value, names):
        if isinstance(value, Dispatcher):
            if value.py_func not in followed:
                followed.add(value.py_func)
                files[_file_of(value.py_func)] = _source_hash(value)
                follow_names_of(value.py_func)
        elif isinstance(value, FunctionType) and value.__module__.startswith("ztfml."):
            # A Python function that compiled code may call (`numba.extending.register_jitable`).
            if value not in followed:
                followed.add(value)
                files[_file_of(value)] = _hash_of(_file_of(value))
                follow_names_of(value)
        elif isinstance(value, ModuleType):
            # ``module.function``: of a module, follow only the attributes that the code uses.
            # By names, so that the result does not depend on the order in which names are followed.
            if (value, frozenset(names)) not in followed:
                followed.add((value, frozenset(names)))
                for attribute in names & vars(value).keys():
                    follow(attribute, getattr(value, attribute), names)
        elif isinstance(value, type):
            fields = getattr(value, "_fields", ())
            constants.add((name, f"{value.__module__}.{value.__qualname__}{fields}"))
        elif isinstance(value, tuple):
            for item in value:
                follow(name, item, names)
        elif not callable(value):
            constants.add((name, repr(value.tolist() if hasattr(value, "tolist") else value)))

    follow_names_of(plain)
    return files, constants


def _hash(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _names_in(code):
    """All names that a code object uses, those of nested functions included."""
    nested = (_names_in(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*nested)


def _file_of(function):
    return function.__code__.co_filename


def _source_hash(compiled):
    """The content of the file that defines a compiled function, read when it was defined."""
    return getattr(compiled._cache, "source", None) or _hash_of(_file_of(compiled.py_func))


def _hash_of(file):
    try:
        return _hash_at(file, Path(file).stat().st_mtime_ns)
    except FileNotFoundError:
        return ""


@cache
def _hash_at(file, mtime):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@contextmanager
def say_if_compiling(function: Callable) -> Iterator[None]:
    """Log a message if the first call of a compiled function in the block takes long.

    Parameters
    ----------
    function : callable
        A function compiled with `cached` or `kernel`. It is compiled once per installation.

    Examples
    --------
    >>> @cached
    ... def double(x):
    ...     return 2 * x
    >>> with say_if_compiling(double):
    ...     double(21)
    42
    """

    def say():
        if not function.signatures:
            log.info("compiling the feature functions, which takes half a minute, once")

    timer = threading.Timer(_LOADS_WITHIN, say)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
