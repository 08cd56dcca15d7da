"""Tar archives: every kind of header, damage, and hostile sizes."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.packet_files import alerts_of, avro, packet, skipped_of, values
from ztfml.sources.ingest import ingest
from ztfml.sources.tar_members import read_members

CONTENTS = {f"{k}.avro": bytes([k]) * (400 * k) for k in range(1, 5)}


def archive(contents=CONTENTS, **options):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **options) as made:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return bytearray(stream.getvalue())


def read(content, **options):
    """The files of an archive, and the problems."""
    members = list(read_members(io.BytesIO(bytes(content)), **options))
    files = {member.name: member.content for member in members if not member.problem}
    return files, [member.problem for member in members if member.problem]


def without(*names):
    return {name: content for name, content in CONTENTS.items() if name not in names}


LONG = {"d" * 90 + "/" + "n" * 120 + ".avro": b"abc", "é" * 80 + ".avro": b"def", **CONTENTS}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_read(form):
    contents = CONTENTS if form == tarfile.USTAR_FORMAT else LONG
    assert read(archive(contents, format=form)) == (contents, [])


def test_folders_and_links_are_passed_over():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "1.avro", 0
            made.addfile(info)
        made.addfile(tarfile.TarInfo("empty.avro"))
    assert read(stream.getvalue()) == ({"empty.avro": b""}, [])


def header_of(content, name):
    return bytes(content).index(name.encode())


def test_a_damaged_header_loses_one_member_only():
    content = archive()
    content[header_of(content, "2.avro") + 125] ^= 1
    files, problems = read(content)
    assert files == without("2.avro")
    assert problems == ["offset 1024: 1536 bytes without a valid tar header cannot be read"]


def test_a_block_of_zeros_does_not_end_the_archive():
    content = archive()
    at = header_of(content, "3.avro")
    content[at : at + 512] = bytes(512)
    files, problems = read(content)
    assert files == without("3.avro")
    assert "zeros in the middle" in problems[0]
    # The member that lost its header.
    assert "1536 bytes without a valid tar header" in problems[1]


def test_archives_that_follow_each_other_are_read():
    files, problems = read(archive(without("1.avro", "2.avro")) + archive(without("3.avro")))
    assert files == CONTENTS
    assert len(problems) == 1


def test_an_archive_cut_between_members_is_reported():
    content = archive()
    files, problems = read(content[: header_of(content, "4.avro")])
    assert files == without("4.avro")
    assert problems == ["no end marker after byte 4608; packets may be missing"]


def test_an_archive_cut_inside_a_member_is_reported():
    content = archive()
    files, problems = read(content[: header_of(content, "4.avro") + 700])
    assert files == without("4.avro")
    assert problems[0] == "cannot be read to its end; the archive is cut"


def test_data_after_the_end_are_reported():
    files, problems = read(archive() + b"more" * 300)
    assert files == CONTENTS
    assert any("without a valid tar header" in problem for problem in problems)


class Zeros(io.RawIOBase):
    """A stream of a header and countless zeros."""

    def __init__(self, head):
        self._head, self.n_read = head, 0

    def read(self, size=-1):
        part, self._head = self._head[:size], self._head[size:]
        part = part + bytes(size - len(part))
        self.n_read += len(part)
        return part

    def seekable(self):
        return False


def header(name, size, kind=b"0"):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def test_a_member_of_three_gigabytes_is_not_read():
    stream = Zeros(header("big.avro", 3_000_000_000))
    problems = [member.problem for member in read_members(stream, is_compressed=True)]
    assert problems[0] == "too large: 3000000000 bytes, more than 64,000,000"
    assert "not read after big.avro" in problems[1]
    assert stream.n_read == 512


def test_a_large_member_does_not_hide_the_next_one():
    content = header("big.avro", 70_000_000) + bytes(70_000_128) + archive({"1.avro": b"abc"})
    for is_compressed in (False, True):
        files, problems = read(content, is_compressed=is_compressed)
        assert files == {"1.avro": b"abc"}
        assert problems == ["too large: 70000000 bytes, more than 64,000,000"]


def test_sparse_members_are_not_expanded():
    pax = b"22 GNU.sparse.major=1\n"
    content = header("p", len(pax), b"x") + pax + bytes(512 - len(pax)) + header("a.avro", 0)
    content += header("b.avro", 0, b"S") + archive()
    files, problems = read(content)
    assert files == CONTENTS
    assert problems == ["a sparse file, which no alert packet is"] * 2


def test_thousands_of_long_names_before_a_member():
    name = header("././@LongLink", 300, b"L") + b"n" * 300 + bytes(212)
    files, problems = read(name * 20_000 + bytes(archive({"1.avro": b"abc"})))
    assert files == {"n" * 300: b"abc"}
    assert problems == []


def test_a_huge_name_is_refused():
    content = header("././@LongLink", 2**40, b"L") + bytes(archive())
    files, problems = read(content)
    assert files == CONTENTS
    assert problems == ["offset 512: no valid tar header after a long name"]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_damage_is_reported_or_leaves_the_members_unchanged(data):
    content = archive()
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    files, problems = read(content)
    places = [at - header_of(archive(), name) for name in CONTENTS]
    # Tar has no checksum of the contents, and the checksum may begin and end with 0 or a space.
    is_harmless = all(not 0 <= place < 512 or 148 <= place < 156 for place in places)
    assert problems or (is_harmless and files.keys() == CONTENTS.keys())


def test_members_with_a_gzip_bomb_are_listed(tmp_path, output):
    contents = {
        "1.avro.gz": gzip.compress(bytes(100_000_000)),
        "2.avro.gz": gzip.compress(avro(packet(2))),
        "3.avro.gz": gzip.compress(avro(packet(3)))[:-20],
    }
    (tmp_path / "a.tar").write_bytes(archive(contents))
    summary = ingest([tmp_path / "a.tar"], output)
    assert values(alerts_of(output), "candid") == [2]
    reasons = skipped_of(summary)
    assert "too large" in reasons["1.avro.gz"]
    assert "damaged" in reasons["3.avro.gz"]
