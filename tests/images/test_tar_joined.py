"""Tar archives one after the other in one file, and headers that were made to do harm."""

from __future__ import annotations

import tarfile
from functools import partial

import archives
import pytest

from penult.errors import ImageError, SourceError
from penult.images.listing import list_images


@pytest.fixture
def listed(tmp_path):
    def write_and_list(data, **options):
        (tmp_path / "ab.tar").write_bytes(data)
        return list_images([tmp_path / "ab.tar"], **options)

    return write_and_list


def contents(listing):
    found = {}
    for record in listing.records:
        with record.open() as file:
            found[record.id] = file.read()
    return found


packed = partial(archives.packed, layout=tarfile.GNU_FORMAT)

A, B = packed({"daisy/1.jpg": b"A"}), packed({"rose/2.jpg": b"B" * 600})
BOTH = {"daisy/1.jpg": b"A", "rose/2.jpg": b"B" * 600}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(A + B, id="as cat joins them"),
        pytest.param(A + bytes(3 << 20) + B, id="with zeros between"),
        pytest.param(A + bytes(100) + B, id="with some that are no whole block"),
        pytest.param(A[:2048] + B, id="with the shortest end mark"),
        pytest.param(A[:1024] + B, id="with no end mark"),
        pytest.param(packed({}) + A + packed({}) + B, id="with empty ones"),
        pytest.param(
            packed({"daisy/1.jpg": b"A"}, layout=tarfile.PAX_FORMAT) + B, id="of two formats"
        ),
    ],
)
def test_archives_one_after_the_other_are_read_to_the_last(listed, data):
    listing = listed(data)
    assert contents(listing) == BOTH
    assert [r.labels for r in listing.records] == [("daisy",), ("rose",)]
    assert listing.failures == ()


def test_what_comes_after_the_last_archive_and_is_none_is_a_failure(listed):
    for rest in (b"signature", b"x" * 5000):
        listing = listed(A + B + rest)
        assert contents(listing) == BOTH
        (failure,) = listing.failures
        assert failure.id == "ab.tar"
        assert failure.reason == (
            f"holds {len(rest):,} bytes after its end that are no tar archive; before that: 2 files "
            "read"
        )


def test_a_second_archive_that_is_cut_is_a_failure(listed):
    listing = listed(A + B[:1000])
    assert contents(listing) == {"daisy/1.jpg": b"A"}
    (failure,) = listing.failures
    assert failure.reason.startswith("is truncated or damaged (unexpected end of data; it has 11,2")
    assert "before that: 1 file read" in failure.reason


def test_images_and_labels_of_two_archives_are_not_mixed_up(listed):
    # The first ends with the key that the second begins with.
    first = packed({"1.jpg": b"A", "1.cls": b"daisy"})
    listing = listed(first + packed({"1.png": b"B", "1.cls": b"rose"}))
    assert [(r.id, r.labels) for r in listing.records] == [
        ("1.jpg", ("daisy",)),
        ("1.png", ("rose",)),
    ]


def test_one_name_in_both_archives_is_refused(listed):
    said = (
        r"ab\.tar holds several archives, one after the other, and daisy/1\.jpg is in two of them"
    )
    with pytest.raises(SourceError, match=said):
        listed(A + A)


def header(kind, size, name="x.jpg"):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def test_chained_long_names_are_refused(listed):
    link = header(tarfile.GNUTYPE_LONGNAME, 5) + b"a.jpg" + bytes(507)
    listing = listed(A[:1024] + link * 3_000 + B)
    assert contents(listing) == {"daisy/1.jpg": b"A"}
    assert "(more than 16 headers for one file; " in listing.failures[0].reason
    with pytest.raises(SourceError, match=r"ab\.tar: is not a tar archive \(more than 16 headers"):
        listed(link * 3_000 + B)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(header(tarfile.GNUTYPE_LONGNAME, 9 << 30), id="a name of nine gigabytes"),
        pytest.param(header(tarfile.XGLTYPE, 2 << 20), id="a global header of two megabytes"),
        pytest.param(header(tarfile.REGTYPE, -1024), id="a file of negative size"),
        pytest.param(
            header(tarfile.XHDTYPE, 12)
            + b"12 size=-99\n".ljust(512, b"\0")
            + header(tarfile.REGTYPE, 1),
            id="a negative size in a pax header",
        ),
        pytest.param(
            header(tarfile.XHDTYPE, 12) + b"12 size=1e9\n".ljust(512, b"\0"), id="no file behind it"
        ),
        pytest.param(
            header(tarfile.XHDTYPE, 22) + b"22 GNU.sparse.map=1,x\n".ljust(512, b"\0") + B,
            id="a sparse map that is none",
        ),
    ],
)
def test_a_header_that_claims_what_cannot_be_ends_the_archive(listed, block):
    listing = listed(A[:1024] + block + bytes(1024))
    assert contents(listing)["daisy/1.jpg"] == b"A"
    (failure,) = listing.failures
    assert failure.reason.startswith("is truncated or damaged (")


def test_a_nul_in_a_name_is_a_failure_before_anything_is_computed(listed):
    extra = b"19 path=a/\0b/c.jpg\n"
    assert len(extra) == 19
    block = header(tarfile.XHDTYPE, 19) + extra.ljust(512, b"\0") + header(tarfile.REGTYPE, 0)
    listing = listed(block + A)
    assert contents(listing) == {"daisy/1.jpg": b"A"}
    (failure,) = listing.failures
    assert (failure.id, failure.reason) == (r"a/\x00b/c.jpg", "has a NUL character in its name")


def test_a_nested_label_is_told_in_one_line(listed):
    (record,) = listed(packed({"1.jpg": b"1", "1.json": b"[" * 20_000})).records
    with pytest.raises(ImageError, match=r"label that .* 1\.json is not JSON: .*levels deep"):
        record.open()
