"""The command line, as ``ztfml`` and ``python -m ztfml``."""

import gc
import io
import os
import signal
import sys

_OBJECTS_BETWEEN_SEARCHES = 100_000


def run() -> None:
    """Run the command line, and end quietly if Ctrl-C arrives while it is imported.

    Examples
    --------
    It ends the process, so it is for scripts only:

    >>> run()   # doctest: +SKIP
    """
    _replace_closed_streams()
    _use_utf8()
    _escape_unknown_characters()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    # A command reads large files once; mimalloc, the default, takes a tenth more time and memory.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Imports create many objects, and a command ends soon. Python would search them for garbage
    # again and again, and once more at the end: a fifth of the time of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    try:
        from ztfml.cli import main

        main(prog_name="ztfml")
    finally:
        gc.freeze()


def _replace_closed_streams():
    # Otherwise the next files that are opened get the descriptors, and messages are written there.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _use_utf8():
    """Start again in the UTF-8 mode of Python if the locale has another encoding.

    Arrow takes every path as UTF-8, and would not find a file with an accent in its name.
    """
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _escape_unknown_characters():
    # A console with another encoding, which PYTHONIOENCODING sets, does not have all symbols.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end(number, frame):
    os.write(2, b"Interrupted.\n")
    os._exit(130)


if __name__ == "__main__":
    run()
