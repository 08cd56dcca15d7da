"""Python code that a user allows ztfml to run: own features and types of own classifiers.

A model folder may name such code, but ztfml runs it only if the user named it too, on the command
line (``--trust``), in the environment (``ZTFML_TRUST``) or in the call. So a folder from someone
else cannot run anything by itself.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from ztfml.errors import ModelError
from ztfml.io.safe_text import printable


def module_name(entry: str | Path) -> str:
    """Return the name of the module that a user allows.

    Parameters
    ----------
    entry : str or Path
        A Python file, or the name of a module or of a type in it.

    Returns
    -------
    str

    Examples
    --------
    >>> module_name("work/my_features.py"), module_name("lightgbm")
    ('my_features', 'lightgbm')
    """
    entry = str(entry)
    return Path(entry).stem if entry.endswith(".py") else entry


def is_trusted(name: str, trust: Iterable[str | Path]) -> bool:
    """Whether a user allows a module, or a type in it.

    Parameters
    ----------
    name : str
        The full name of a module or type.
    trust : iterable of str or Path
        What the user allows.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_trusted("my_features.Vote", ["my_features.py"]), is_trusted("os.system", ["my_features"])
    (True, False)
    """
    allowed = map(module_name, trust)
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def import_trusted(entry: str | Path) -> ModuleType:
    """Import a module that the user named.

    Parameters
    ----------
    entry : str or Path
        A Python file, or the name of an installed module.

    Returns
    -------
    module

    Raises
    ------
    ModelError
        If it does not exist, its name is that of another module, or it fails.

    Examples
    --------
    >>> import_trusted("json").__name__
    'json'
    """
    entry = str(entry)
    try:
        return (
            _import_file(Path(entry)) if entry.endswith(".py") else importlib.import_module(entry)
        )
    except ModelError:
        raise
    except ModuleNotFoundError as error:
        hint = "install it, or give a Python file" if error.name == entry else "install that module"
        raise ModelError(f"{printable(entry)}: there is no module {error.name}; {hint}") from error
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"{printable(entry)}: fails when it is imported ({type(error).__name__}: "
            f"{printable(str(error))}); correct it"
        ) from error


def _import_file(path):
    name = path.stem
    if not path.is_file():
        raise ModelError(
            f"{path}: there is no such file; name a Python file or an installed module"
        )
    if not name.isidentifier():
        raise ModelError(f"{path}: {name!r} is not the name of a Python module; rename the file")
    known = sys.modules.get(name)
    if known is not None and _is_same(getattr(known, "__file__", None), path):
        return known
    if known is not None or name in sys.stdlib_module_names:
        raise ModelError(f"{path}: there is another module {name}; rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # Before it runs, because classes and functions look up the module of their definition.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_same(origin, path):
    return origin is not None and Path(origin).is_file() and path.samefile(origin)
