"""Make text of unknown origin safe to print and to open in a spreadsheet."""

import hashlib
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# A spreadsheet takes cells that begin with these as a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?inf", re.I)

# Characters of a file name, and of the digest at its end.
_LONGEST_NAME, _DIGEST = 100, 8


def printable(text: str) -> str:
    """Replace control characters, so that text cannot change the colours or lines of a terminal.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With escapes such as ``\\x1b`` for control characters, except tabs and line ends.

    Examples
    --------
    >>> printable("ZTF18\x1b[31mred")
    'ZTF18\\\\x1b[31mred'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def safe_cell(text: object) -> object:
    """Put an apostrophe before text that a spreadsheet would take for a formula.

    Parameters
    ----------
    text : object
        The value of a cell of a CSV file. Numbers, also as text, stay unchanged.

    Returns
    -------
    object

    Examples
    --------
    >>> safe_cell("=HYPERLINK(1)"), safe_cell("-12.5"), safe_cell(-12.5), safe_cell("ZTF18aaa")
    ("'=HYPERLINK(1)", '-12.5', -12.5, 'ZTF18aaa')
    """
    if isinstance(text, str) and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def safe_table(table):
    """Apply `safe_cell` to the text columns of a table.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> safe_table(pd.DataFrame({"name": ["@a"], "z": [-1.0]}))["name"].tolist()
    ["'@a"]
    """
    text = list(table.select_dtypes(["str", "object", "string"]).columns)
    return table.assign(**{name: table[name].map(safe_cell) for name in text}) if text else table


def file_name(text: str) -> str:
    """Return a name without its suffix for a file; names of objects come from packets.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        At most 100 of the characters ``A-Za-z0-9._-``. If the text has others or is longer,
        the name ends with a digest, so that different texts have different names.

    Examples
    --------
    >>> file_name("ZTF18abukavn"), file_name("../ZTF18abukavn")
    ('ZTF18abukavn', '.._ZTF18abukavn-487efdc5')
    """
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)
    if name == text and 0 < len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST_NAME - _DIGEST - 1]}-{digest}"
