"""The columns of a night that ztfml reads, with their units and valid ranges.

Names and meanings are those of the ZTF alert packets,
https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html.
"""

import json
import re
from dataclasses import dataclass

SENTINEL = -999.0
"""Value of a missing cross-match in ZTF packets; inside ztfml, missing values are NaN."""

PIXEL_SCALE = 1.01
"""Arcseconds per pixel, the unit of ``distnr`` (Bellm et al. 2019, PASP 131, 018002)."""

BAND_OF_FID = {1: "g", 2: "r", 3: "i"}
BANDS = tuple(BAND_OF_FID.values())

PACKET_HISTORY = 30.0
"""Days of history in a ZTF packet (Masci et al. 2019, PASP 131, 018003)."""

_SIGN_OF_SPELLING = {
    **dict.fromkeys(("t", "true", "1"), 1),
    **dict.fromkeys(("f", "false", "0", "-1"), -1),
}


def sign_of(spelling: object) -> int:
    """Return the sign of the difference, given ``isdiffpos`` in any spelling.

    Parameters
    ----------
    spelling : str, bytes, bool, int, float or None
        ``'t'``/``'f'`` in ZTF packets; ``'1'``/``'0'``, 1/-1, ``'True'``/``'False'`` and others
        at brokers.

    Returns
    -------
    int
        +1 for a source brighter than the reference image, -1 for a fainter one, 0 if unknown.

    Examples
    --------
    >>> [sign_of(spelling) for spelling in ("t", b"f", "1", 0, -1.0, True, "b't'", None)]
    [1, -1, 1, -1, -1, 1, 1, 0]
    """
    if isinstance(spelling, bytes):
        spelling = spelling.decode(errors="replace")
    text = str(spelling).strip().lower()
    # Bytes and text with quotes, as Python prints them.
    text = text.removeprefix("b").strip("'\"") if text.endswith(("'", '"')) else text
    # Decimals have any number of zeros.
    return _SIGN_OF_SPELLING.get(text.rstrip("0").rstrip(".") if "." in text else text, 0)


_NAME_OF_BAND = re.compile(r"(?:ztf[_ .:-]*|z)?([gri])(?:[_ -]?band)?")
_FID_OF_BAND = {band: fid for fid, band in BAND_OF_FID.items()}


def fid_of(spelling: object) -> int | None:
    """Return the number of a ZTF band, given its name or number in any spelling.

    Parameters
    ----------
    spelling : str, int or None
        ``'g'``, ``'ztfg'``, ``'ZTF_g'``, ``'zg'``, ``'g-band'``, ``'1'``, ...

    Returns
    -------
    int or None
        1 for g, 2 for r, 3 for i; None for anything else.

    Examples
    --------
    >>> [fid_of(spelling) for spelling in ("g", "ZTF_r", "zi", "3", 1, "J", None)]
    [1, 2, 3, 3, 1, None, None]
    """
    text = str(spelling).strip().lower()
    match = _NAME_OF_BAND.fullmatch(text)
    if match:
        return _FID_OF_BAND[match.group(1)]
    return int(text) if text in ("1", "2", "3") else None


MISSING_TEXTS = ("", "null", "none", "nan", "n/a", "na", "nat", "<na>", "-", "--")
"""Spellings of a missing value, in lower case."""

NOT_DETECTED = (0.0, -1.0, 99.0, -99.0, 999.0, -999.0, 9999.0, -9999.0)
"""Magnitudes that mean "not detected" or "not known" in the files of brokers."""

SPELLING_OF_SIGN = {1: "t", -1: "f", 0: None}
"""``isdiffpos`` as ZTF packets and files in the format of ztfml spell it."""

HISTORY_SUFFIX = "_prv_candidates"
FORCED_SUFFIX = "_fp_hists"
LABELS_SUFFIX = "_labels"
GALAXIES_SUFFIX = "_galaxies"

INDEXED_BY_OBJECT = {
    "pandas": json.dumps(
        {
            "index_columns": ["objectId"],
            "column_indexes": [],
            "columns": [
                {
                    "name": "objectId",
                    "field_name": "objectId",
                    "pandas_type": "unicode",
                    "numpy_type": "str",
                    "metadata": None,
                }
            ],
        }
    )
}
"""Parquet metadata with which pandas reads ``objectId`` as the index of a history file."""


@dataclass(frozen=True)
class Column:
    """One column of a night's file.

    Parameters
    ----------
    name : str
        Name inside ztfml: the field name of the packet without the ``candidate.`` prefix.
    kind : {'id', 'integer', 'float', 'band', 'sign', 'text', 'object'}
        How the column is read: ``object`` is text with many repeated values, ``band`` is a
        `fid` stored as a small integer with 0 for unknown, and ``sign`` is `isdiffpos` in any
        spelling, stored as +1, -1 or 0 (unknown).
    unit : str
        An astropy unit; empty for dimensionless numbers.
    meaning : str
    valid : tuple of float
        Smallest and largest valid value; values outside are treated as missing.
    required : bool
        Whether a night without this column is an error.
    prefix : str
        Prefix of the name in the file.
    aliases : tuple of str
        Names of the same field in files with older packet schemas.
    quantity : {'', 'time', 'band', 'score', 'longitude', 'latitude'}
        What the column measures, if it is known in other units or spellings: see
        `ztfml.io.units` and `ztfml.io.values`.
    marks : tuple of float
        Values that are as good as null, e.g. `NOT_DETECTED`.
    """

    name: str
    kind: str
    unit: str
    meaning: str
    valid: tuple[float, float] = (float("-inf"), float("inf"))
    required: bool = False
    prefix: str = ""
    aliases: tuple[str, ...] = ()
    quantity: str = ""
    marks: tuple[float, ...] = ()

    @property
    def in_file(self) -> str:
        """Name of the column in a parquet file."""
        return self.prefix + self.name


# Julian dates of the years 1900 to 2100. Values outside are an MJD, a Unix time or invalid.
_JD = (2415020.5, 2488069.5)
_MAG = (-5.0, 40.0)
_DISTANCE = (0.0, float("inf"))
_SCORE = (0.0, 1.0)
# ZTF saturates at 12.5 mag and reaches 22; a bright and isolated source may be outside.
MAGNITUDES = (8.0, 25.0)
"""Valid magnitudes of detections in difference images."""
LIMITS = (10.0, 24.0)
"""Valid limiting magnitudes of difference images."""


def _candidate(
    name, unit, meaning, valid=None, kind="float", required=False, aliases=(), quantity="", marks=()
):
    valid = valid or Column.valid
    return Column(
        name, kind, unit, meaning, valid, required, "candidate.", aliases, quantity, marks
    )


def _score(name, meaning, **options):
    return _candidate(name, "", meaning, _SCORE, quantity="score", **options)


def _ps1(rank):
    nth = ("closest", "second closest", "third closest")[rank - 1]
    source = f"{nth} PS1 source within 30 arcsec"
    return [
        _candidate(
            f"{field}{rank}",
            unit,
            f"{what} of the {source}",
            valid,
            # Before schema 2.0, packets had a single match, without the number 1.
            aliases=(f"candidate.{field}",) if rank == 1 else (),
            quantity="score" if valid == _SCORE else "",
        )
        for field, (unit, what, valid) in _PS1_FIELDS.items()
    ]


_PS1_FIELDS = {
    "sgscore": ("", "star/galaxy score (1 is a star)", _SCORE),
    "distpsnr": ("arcsec", "distance", _DISTANCE),
    "sgmag": ("mag", "g magnitude", _MAG),
    "srmag": ("mag", "r magnitude", _MAG),
    "simag": ("mag", "i magnitude", _MAG),
    "szmag": ("mag", "z magnitude", _MAG),
}

ALERT_COLUMNS = (
    Column("objectId", "text", "", "ZTF name of the object", required=True),
    Column("candid", "id", "", "number of the alert, 19 digits", required=True),
    _candidate(
        "jd", "d", "Julian date at the start of the exposure", _JD, required=True, quantity="time"
    ),
    _candidate("fid", "", "band: 1 g, 2 r, 3 i", (1, 3), "integer", required=True, quantity="band"),
    _candidate(
        "magpsf",
        "mag",
        "PSF magnitude of the difference",
        MAGNITUDES,
        required=True,
        marks=NOT_DETECTED,
    ),
    _candidate(
        "sigmapsf", "mag", "1-sigma error of magpsf", (0.0, 10.0), required=True, marks=NOT_DETECTED
    ),
    _candidate("isdiffpos", "", "sign of the difference", kind="sign", required=True),
    _candidate("ra", "deg", "right ascension, J2000", (0.0, 360.0), quantity="longitude"),
    _candidate("dec", "deg", "declination, J2000", (-90.0, 90.0), quantity="latitude"),
    _candidate(
        "diffmaglim", "mag", "5-sigma limit of the difference image", LIMITS, marks=NOT_DETECTED
    ),
    _score("rb", "real-bogus score of the random forest"),
    _score("drb", "real-bogus score of the deep network"),
    _candidate("chipsf", "", "reduced chi-square of the PSF fit"),
    _candidate("magap", "mag", "aperture magnitude, 14-pixel diameter", _MAG),
    _candidate("sigmagap", "mag", "1-sigma error of magap"),
    _candidate("magapbig", "mag", "aperture magnitude, 18-pixel diameter", _MAG),
    _candidate("classtar", "", "star/galaxy score of SExtractor"),
    _candidate("fwhm", "pix", "full width at half maximum"),
    _candidate("elong", "", "ratio of the major to the minor axis"),
    _candidate("aimage", "pix", "windowed profile along the major axis"),
    _candidate("bimage", "pix", "windowed profile along the minor axis"),
    _candidate("aimagerat", "", "aimage over fwhm"),
    _candidate("bimagerat", "", "bimage over fwhm"),
    _candidate("nneg", "", "negative pixels in a 5 x 5 stamp"),
    _candidate("nbad", "", "bad pixels in a 5 x 5 stamp"),
    _candidate("sumrat", "", "sum over sum of absolute pixel values"),
    _candidate("magdiff", "mag", "magap - magpsf"),
    _candidate("magfromlim", "mag", "diffmaglim - magap"),
    _candidate("seeratio", "", "difference-image fwhm over science-image fwhm"),
    _candidate("mindtoedge", "pix", "distance to the nearest edge of the image"),
    _candidate("scorr", "", "peak-pixel signal to noise in the matched-filtered image"),
    _candidate("sky", "DN", "local sky background"),
    _candidate("dsnrms", "", "noise-normalised spatial signal, difference image"),
    _candidate("ssnrms", "", "noise-normalised spatial signal, science image"),
    _candidate("distnr", "pix", "distance to the nearest reference-image source", _DISTANCE),
    _candidate("magnr", "mag", "magnitude of the nearest reference-image source", _MAG),
    _candidate("sigmagnr", "mag", "1-sigma error of magnr"),
    _candidate("chinr", "", "DAOPhot chi of the nearest reference-image source"),
    _candidate("sharpnr", "", "DAOPhot sharpness of the nearest reference-image source"),
    _candidate("ndethist", "", "detections at this position since the survey began"),
    _candidate("ncovhist", "", "exposures of this position since the survey began"),
    _candidate(
        "jdstarthist", "d", "Julian date of the earliest detection here", _JD, quantity="time"
    ),
    _candidate("ssdistnr", "arcsec", "distance to the nearest known asteroid", _DISTANCE),
    _candidate("ssmagnr", "mag", "predicted magnitude of that asteroid", _MAG),
    _candidate("ssnamenr", "", "name of that asteroid", kind="text"),
    *_ps1(1),
    *_ps1(2),
    *_ps1(3),
    _candidate("nmtchps", "", "PS1 sources within 30 arcsec"),
    _candidate("neargaia", "arcsec", "distance to the nearest Gaia DR1 source", _DISTANCE),
    _candidate("maggaia", "mag", "Gaia G magnitude of that source", _MAG),
    _candidate(
        "neargaiabright", "arcsec", "distance to the nearest Gaia source < 14 mag", _DISTANCE
    ),
    _candidate("maggaiabright", "mag", "Gaia G magnitude of that source", _MAG),
    *(
        Column(
            f"acai_{letter}",
            "float",
            "",
            f"ACAI score: {what}",
            _SCORE,
            prefix="classifications.",
            quantity="score",
        )
        for letter, what in {
            "h": "hosted",
            "v": "variable star",
            "o": "orphan",
            "n": "nuclear",
            "b": "bogus",
        }.items()
    ),
    Column(
        "braai",
        "float",
        "",
        "real-bogus score of braai",
        _SCORE,
        prefix="classifications.",
        quantity="score",
    ),
)

HISTORY_COLUMNS = (
    Column("objectId", "object", "", "ZTF name of the object", required=True),
    Column(
        "jd",
        "float",
        "d",
        "Julian date at the start of the exposure",
        _JD,
        required=True,
        quantity="time",
    ),
    Column("fid", "band", "", "band: 1 g, 2 r, 3 i", (1, 3), required=True, quantity="band"),
    Column(
        "magpsf",
        "float",
        "mag",
        "PSF magnitude, null if not detected",
        MAGNITUDES,
        required=True,
        marks=NOT_DETECTED,
    ),
    Column(
        "sigmapsf",
        "float",
        "mag",
        "1-sigma error of magpsf",
        (0.0, 10.0),
        required=True,
        marks=NOT_DETECTED,
    ),
    Column(
        "diffmaglim",
        "float",
        "mag",
        "5-sigma limit of the difference image",
        LIMITS,
        marks=NOT_DETECTED,
    ),
    Column("isdiffpos", "sign", "", "sign of the difference"),
)

DRB_VERSION = Column(
    "drbversion", "text", "", "version of the network that made drb", prefix="candidate."
)
"""Read with the alerts to tell a drb of 0 from a missing one, and then dropped."""

ALERT_INPUTS = (*ALERT_COLUMNS, DRB_VERSION)
"""The columns that are read to make the alerts of a night."""


def _of_galaxy(name, unit, meaning, kind="float"):
    return Column(f"galaxy_{name}", kind, unit, meaning, prefix="match.")


GALAXY_COLUMNS = (
    _of_galaxy("name", "", "name of the catalogued galaxy", kind="text"),
    _of_galaxy("offset", "arcsec", "distance from the centre of the galaxy"),
    _of_galaxy("offset_kpc", "kpc", "projected distance from the centre of the galaxy"),
    _of_galaxy("offset_radii", "", "the same in half-light radii of the galaxy"),
    _of_galaxy("chance", "", "probability that a galaxy is this close by chance"),
    _of_galaxy("modulus", "mag", "distance modulus of the galaxy"),
    _of_galaxy("modulus_err", "mag", "1-sigma error of the distance modulus"),
    _of_galaxy("ebv", "mag", "Galactic reddening E(B - V) in front of the galaxy"),
)
"""The columns that a catalogue of galaxies adds to the alerts; they are not read from files."""

SKYMAP_COLUMNS = (
    Column("skymap_name", "text", "", "name of the localised event", prefix="match."),
    Column("skymap_jd", "float", "d", "Julian date of the localised event", prefix="match."),
    Column(
        "skymap_level", "float", "", "smallest credible region that contains the position",
        prefix="match.",
    ),
    Column(
        "skymap_modulus", "float", "mag", "distance modulus of the event at the position",
        prefix="match.",
    ),
    Column(
        "skymap_modulus_err", "float", "mag", "1-sigma error of that distance modulus",
        prefix="match.",
    ),
)  # fmt: skip
"""The columns that a sky map adds to the alerts; they are not read from files."""

MATCH_COLUMNS = (*GALAXY_COLUMNS, *SKYMAP_COLUMNS)

ALERT_BY_NAME = {column.name: column for column in (*ALERT_COLUMNS, *MATCH_COLUMNS)}
