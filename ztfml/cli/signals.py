"""Stop a command within a second after Ctrl-C or SIGTERM, with its temporary files removed.

Python raises KeyboardInterrupt only between two bytecodes. A watching thread ends the process if
compiled code, a pool of threads or a network request delays this.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
_MESSAGES = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}
_GRACE_SECONDS = 0.6


class Stopped(BaseException):
    """A signal asks the command to stop. Not an Exception, so that nothing catches it."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = signal.Signals(number)


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `Stopped` after a signal, and end the process if that takes too long.

    Does nothing outside the main thread, where Python allows no signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    handle = _raise_once()
    # A command in the background of a script ignores Ctrl-C.
    old_handlers = {
        number: signal.signal(number, handle)
        for number in EXIT_CODES
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    old_writer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(reader, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(old_writer)
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        os.close(writer)


def exit_stopped(number: signal.Signals) -> None:
    """Print one line and end the process at once, without waiting for threads and workers."""
    from ztfml.io.switch import switching
    from ztfml.io.temporary import remove_all_temporary

    # A switch of files takes milliseconds; without the lock its files are left to the next run.
    if switching.acquire(timeout=_GRACE_SECONDS):
        remove_all_temporary()
    _end_children()
    _remove_semaphores()
    # A progress bar hides the cursor.
    show_cursor = "\x1b[?25h\n" if os.isatty(2) else ""
    os.write(2, f"{show_cursor}{_MESSAGES[number]}\n".encode())
    os._exit(EXIT_CODES[number])


def _raise_once():
    raised = False

    def handle(number, frame):
        nonlocal raised
        if not raised:
            raised = True
            # Errors in other threads are now consequences of the stop.
            threading.excepthook = lambda arguments: None
            raise Stopped(number)

    return handle


def _watch(reader, ended):
    # The pipe has one byte per signal, and ends when the command ends.
    while received := os.read(reader, 1):
        if received[0] in EXIT_CODES and not ended.wait(_GRACE_SECONDS):
            exit_stopped(signal.Signals(received[0]))
    os.close(reader)


def _remove_semaphores():
    """Remove the semaphores of worker processes, as Python does when it ends normally.

    Otherwise a helper process of loky removes them with a long warning.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        with suppress(Exception):
            util._run_finalizers(0)


def _end_children():
    """End the worker processes of this process."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(number) for number in file.read().split()]
    except OSError:
        return
    for child in children:
        with suppress(OSError):
            os.kill(child, signal.SIGTERM)
