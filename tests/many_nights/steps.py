"""A step for tests that copies a text, or fails in the way that the text says."""

import os
import signal
import time
from dataclasses import dataclass

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.nights.steps import Step


@dataclass(frozen=True)
class Copy(Step):
    name = "copy"
    suffix = ".txt"
    prefix: str = ""

    def load(self):
        def write(path, history, output):
            text = path.read_text()
            if text == "read once" and not path.with_suffix(".read").exists():
                path.with_suffix(".read").touch()
                raise OSError(5, "Input/output error", str(path))
            with write_beside(output) as part:
                if text == "bad":
                    raise DataError(f"{path}: is bad")
                if text == "fault":
                    raise ZeroDivisionError("a fault")
                if text == "slow":
                    time.sleep(60)
                if text == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                if text == "kill once" and not path.with_suffix(".killed").exists():
                    path.with_suffix(".killed").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                part.write_text(self.prefix + text)
            return {"alerts": len(text)}

        return write


def make_nights(folder, *texts):
    """Write one small file per text and return the paths."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.csv" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def outputs(folder):
    """Return the content of all outputs."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.txt"))}
