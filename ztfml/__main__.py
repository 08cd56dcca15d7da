"""The command line, as ``ztfml`` and ``python -m ztfml``."""

import os
import signal


def run() -> None:
    """Run the command line, and end quietly if Ctrl-C arrives while it is imported.

    Examples
    --------
    It ends the process, so it is for scripts only:

    >>> run()   # doctest: +SKIP
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from ztfml.cli import main

    main(prog_name="ztfml")


def _end(number, frame):
    os.write(2, b"Interrupted.\n")
    os._exit(130)


if __name__ == "__main__":
    run()
