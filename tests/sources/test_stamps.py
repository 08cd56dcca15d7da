import gzip

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.sources.answers import fits_gz, image
from ztfml.errors import DataError
from ztfml.sources.stamps import centre_stamp, clean_stamp, read_stamp, stretch

PIXEL = 1.01  # arcsec


def test_a_stamp_is_read_in_the_order_of_the_file():
    array = read_stamp(fits_gz(image((63, 48))))
    np.testing.assert_array_equal(array, image((63, 48)))
    assert array.dtype == np.float32
    assert array.dtype.isnative


def test_a_stamp_that_is_not_gzipped():
    plain = gzip.decompress(fits_gz(image((3, 2))))
    np.testing.assert_array_equal(read_stamp(plain), image((3, 2)))


def test_pixels_without_a_value():
    array = image((2, 2))
    array[0] = np.nan, -2e20
    np.testing.assert_array_equal(read_stamp(fits_gz(array)), np.float32([[np.nan] * 2, [2, 3]]))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x1f\x8bnot gzip", b"<html></html>",
        fits_gz(image())[:300], gzip.compress(gzip.decompress(fits_gz(image()))[:4000]),
        fits_gz(np.arange(5.0)), fits_gz(np.zeros((2, 2, 2))), None,
    ],
    ids=["empty", "jpeg", "no gzip", "html", "cut", "cut inside", "a row", "a cube", "none"],
)  # fmt: skip
def test_bytes_that_are_not_a_stamp(content):
    with pytest.raises(DataError):
        read_stamp(content)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_stamp_or_an_error(content):
    for bytes_ in (content, b"SIMPLE  =                    T" + content, gzip.compress(content)):
        with pytest.raises(DataError):
            read_stamp(bytes_)


@pytest.mark.parametrize("rows", [[], [[]], 1.0, "x", [["x"]], [[1], [1, 2]], {"a": 1}])
def test_arrays_that_are_not_an_image(rows):
    with pytest.raises(DataError):
        clean_stamp(rows)


@pytest.mark.parametrize(
    ("shape", "xpos", "ypos", "corner"),
    [
        ((63, 63), 1.0, 1.0, (0, 0)),
        ((60, 50), 3050.0, 3070.0, (0, 0)),
        ((60, 50), 18.0, 3070.0, (0, 13)),
        ((60, 50), 3050.0, 28.0, (3, 0)),
        ((60, 50), 18.0, 28.0, (3, 13)),
    ],
)
def test_an_incomplete_stamp_is_padded_at_the_edge_of_the_image(shape, xpos, ypos, corner):
    full = centre_stamp(image(shape), xpos, ypos)
    rows, columns = (slice(at, at + length) for at, length in zip(corner, shape, strict=True))
    np.testing.assert_array_equal(full[rows, columns], image(shape))
    assert np.isnan(full).sum() == 63 * 63 - shape[0] * shape[1]


@pytest.mark.parametrize(
    ("shape", "place"),
    [((63, 50), (None, 1.0)), ((63, 50), (1.0, np.nan)), ((99, 50), (1.0, 1.0))],
)
def test_a_stamp_that_cannot_be_centred_is_unchanged(shape, place):
    np.testing.assert_array_equal(centre_stamp(image(shape), *place), image(shape))


def test_a_stretch_of_known_pixels():
    # 0.25 and 99.75 % of 0 ... 400 are 1 and 399; in between, arcsinh(10 x) / arcsinh(10)
    values = np.arange(401.0).reshape(1, -1)
    bright = stretch(values)[0]
    assert bright[[0, 1, 399, 400]].tolist() == [0, 0, 1, 1]
    assert bright[200] == pytest.approx(np.arcsinh(10 * 199 / 398) / np.arcsinh(10), abs=1e-6)


def test_a_linear_stretch_of_known_pixels():
    bright = stretch(np.arange(401.0).reshape(1, -1), linear=True)[0]
    assert bright[[1, 200, 399]] == pytest.approx([0.0, 0.5, 1.0])


def test_a_stretch_of_an_empty_image():
    assert np.isnan(stretch(np.full((2, 3), np.nan))).all()
    np.testing.assert_array_equal(stretch(np.full((2, 3), 7.0)), np.full((2, 3), 0.5))


FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=FLOATS), st.booleans())
def test_a_stretch_is_between_0_and_1_and_keeps_the_order(values, linear):
    bright = stretch(values, linear)
    known = np.isfinite(values)
    assert bright.shape == values.shape
    assert (np.isnan(bright) == ~known).all()
    order = np.argsort(values[known])
    sorted_ = bright[known][order]
    assert ((sorted_ >= 0) & (sorted_ <= 1)).all()
    assert (np.diff(sorted_) >= 0).all()


def test_north_is_up_and_east_is_left_in_real_stamps(shared_data):
    """Where the packet says that a source of the reference is, there the stamp is bright."""
    found = np.zeros(4, int)
    for path in sorted((shared_data / "packets").glob("*.avro")):
        try:
            packets = list(fastavro.reader(path.open("rb")))
        except Exception:  # some are unreadable on purpose
            continue
        for packet in packets:
            candidate, cutout = packet.get("candidate") or {}, packet.get("cutoutTemplate")
            if candidate.get("decnr") is None or not 4 < candidate.get("distnr", 0) < 28:
                continue
            try:
                stamp = read_stamp(cutout["stampData"])
            except (DataError, TypeError, KeyError):
                continue
            if stamp.shape != (63, 63):
                continue
            dec = np.radians(candidate["dec"])
            east = (candidate["ranr"] - candidate["ra"]) * np.cos(dec) * 3600 / PIXEL
            north = (candidate["decnr"] - candidate["dec"]) * 3600 / PIXEL
            places = [(31 + y * north, 31 + x * east) for y in (-1, 1) for x in (-1, 1)]
            bright = [brightest_near(stamp, *place) for place in places]
            found[np.argmax(bright)] += 1
    # up and left, up and right, down and left, down and right
    assert found[0] >= 12
    assert found[0] >= 4 * found[1:].max()


def brightest_near(stamp, row, column):
    row, column = round(row), round(column)
    return np.nanmax(stamp[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2])


def test_a_gzip_bomb_is_refused():
    bomb = gzip.compress(b"SIMPLE  =                    T" + b" " * 20_000_000)
    with pytest.raises(DataError, match="decompresses to more than 16,000,000 bytes"):
        read_stamp(bomb)


def test_gzip_inside_gzip_is_refused():
    with pytest.raises(DataError, match="the header is not text"):
        read_stamp(gzip.compress(fits_gz(image())))
