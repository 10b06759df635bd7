"""Names, types and repeated names in a tar archive: each image has one outcome, which is told."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tarfile
from tarfile import BLKTYPE, CHRTYPE, DIRTYPE, FIFOTYPE, LNKTYPE, REGTYPE, SYMTYPE

import pytest
from archives import packed, packed_kinds

from penult.errors import ImageError, SourceError
from penult.images.listing import list_images
from penult.images.sources.tar.members import path_in_archive

needs_gnu_tar = pytest.mark.skipif(
    not shutil.which("tar")
    or b"GNU" not in subprocess.run(["tar", "--version"], capture_output=True, check=False).stdout,
    reason="no GNU tar",
)


@pytest.fixture
def listed(tmp_path):
    def write_and_list(data, **options):
        (tmp_path / "a.tar").write_bytes(data)
        return list_images([tmp_path / "a.tar"], **options)

    return write_and_list


def outcomes(listing):
    found = {}
    for record in listing.records:
        try:
            with record.open() as file:
                found[record.id] = file.read()
        except ImageError as error:
            found[record.id] = str(error)
    return found


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("./a.jpg", "a.jpg"),
        (".//a.jpg", "a.jpg"),
        ("././a/./b.jpg", "a/b.jpg"),
        ("a//b.jpg", "a/b.jpg"),
        ("a/../b.jpg", "b.jpg"),
        ("a/b/../../c.jpg", "c.jpg"),
        ("../a.jpg", None),
        ("a/../../b.jpg", None),
        ("/a/./b.jpg", "/a/b.jpg"),
        ("//a.jpg", "/a.jpg"),
        ("..a/b..jpg", "..a/b..jpg"),
        ("a/.hidden/b.jpg", "a/.hidden/b.jpg"),
        (".", ""),
    ],
)
def test_a_name_is_a_path_from_the_root_of_the_archive(name, path):
    assert path_in_archive(name) == path


def test_names_with_dots_are_no_hidden_names(listed):
    names = ["a/./1.jpg", "./b/../2.jpg", "a//3.jpg", "./.h/4.jpg", "a/.5.jpg", "a/./.h/6.jpg"]
    listing = listed(packed({name: name.encode() for name in names}))
    assert outcomes(listing) == {
        "2.jpg": b"./b/../2.jpg",
        "a/1.jpg": b"a/./1.jpg",
        "a/3.jpg": b"a//3.jpg",
    }
    assert [record.labels for record in listing.records] == [(), ("a",), ("a",)]


def test_a_name_that_leads_out_of_the_archive_is_a_failure(listed):
    names = ["1.jpg", "../2.jpg", "a/../../3.jpg", "../.hidden.jpg"]
    listing = listed(packed(dict.fromkeys(names, b"x")))
    assert outcomes(listing) == {"1.jpg": b"x"}
    reason = "has a name that leads out of the archive"
    assert [(f.id, f.reason) for f in listing.failures] == [
        ("../2.jpg", reason),
        ("a/../../3.jpg", reason),
    ]


def test_what_is_no_file_is_a_failure_as_in_a_folder(listed):
    listing = listed(
        packed_kinds(
            ("pipe.jpg", FIFOTYPE, ""),
            ("char.jpg", CHRTYPE, ""),
            ("block.jpg", BLKTYPE, ""),
            ("new.jpg", b"Z", b"what?" * 200),
            ("rest.jpg", b"M", b"of another volume"),
            ("pipe", FIFOTYPE, ""),
            ("new.txt", b"Z", b""),
            ("folder.jpg", DIRTYPE, ""),
            ("dump/", b"D", b"Ya.jpg\0\0"),
            ("volume.jpg", b"V", b""),
            ("old.jpg/", REGTYPE, b""),
            ("last.jpg", REGTYPE, b"1"),
        )
    )
    assert outcomes(listing) == {
        "block.jpg": "is a device, not a file",
        "char.jpg": "is a device, not a file",
        "last.jpg": b"1",
        "new.jpg": "is of the type 'Z', which is not known",
        "pipe.jpg": "is a named pipe, not a file",
        "rest.jpg": "is the rest of a file that begins in another volume of the archive",
    }
    assert listing.passed_over == {"(no extension)": 1, ".txt": 1}
    assert listing.failures == ()


def test_a_label_that_is_no_file_is_named(listed):
    listing = listed(packed_kinds(("1.jpg", REGTYPE, b"1"), ("1.cls", FIFOTYPE, "")))
    reason = "has a label that cannot be read: 1.cls is a named pipe, not a file"
    assert outcomes(listing) == {"1.jpg": reason}


@needs_gnu_tar
@pytest.mark.parametrize("layout", ["--format=gnu", "--sparse-version=0.0", "--sparse-version=1.0"])
def test_a_sparse_file_is_a_failure_and_those_behind_it_are_read(tmp_path, layout):
    with (tmp_path / "1.jpg").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    (tmp_path / "2.jpg").write_bytes(b"2")
    layout = ["--format=posix", layout] if "version" in layout else [layout]
    command = ["tar", "-cSf", "a.tar", *layout, "1.jpg", "2.jpg"]
    subprocess.run(command, cwd=tmp_path, check=True)
    listing = list_images([tmp_path / "a.tar"])
    assert outcomes(listing) == {"1.jpg": "is stored as a sparse file", "2.jpg": b"2"}


@needs_gnu_tar
def test_an_archive_of_increments_is_read(tmp_path):
    (tmp_path / "p/rose").mkdir(parents=True)
    (tmp_path / "p/rose/1.jpg").write_bytes(b"1")
    command = ["tar", "-cf", "a.tar", "-g", "snapshot", "-C", "p", "."]
    subprocess.run(command, cwd=tmp_path, check=True)
    listing = list_images([tmp_path / "a.tar"])
    assert outcomes(listing) == {"rose/1.jpg": b"1"}
    assert listing.passed_over == {}


def test_of_one_name_the_last_counts_and_that_is_told(listed, caplog):
    caplog.set_level(logging.WARNING)
    listing = listed(
        packed_kinds(
            ("1.jpg", REGTYPE, b"old"),
            ("2.jpg", REGTYPE, b"2"),
            ("3.jpg", REGTYPE, b"3"),
            ("4.jpg", FIFOTYPE, ""),
            ("5.jpg", SYMTYPE, "2.jpg"),
            ("1.jpg", REGTYPE, b"newer"),
            ("./1.jpg", REGTYPE, b"newest"),
            ("3.jpg", FIFOTYPE, ""),
            ("4.jpg", REGTYPE, b"4"),
            ("5.jpg", REGTYPE, b"5"),
            ("2.jpg", LNKTYPE, "4.jpg"),
        )
    )
    assert outcomes(listing) == {
        "1.jpg": b"newest",
        "2.jpg": b"4",
        "3.jpg": "is a named pipe, not a file",
        "4.jpg": b"4",
        "5.jpg": b"5",
    }
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(
        "penult: 6 images left out, for a later one of the same name is in the archive, which tar "
        "would unpack in its place: 1.jpg in "
    )
    named = [place.partition(" in ")[0] for place in line.partition("place: ")[2].split(", ")]
    assert named == ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]
    assert "a.tar (2 times), 2.jpg in " in line
    assert line.count("times") == 1


def test_of_one_name_the_last_counts_with_its_label(listed):
    older = {"1.jpg": b"old", "1.cls": b"rose"}
    both = packed(older)[:2048] + packed({"2.jpg": b"2"})[:1024]  # without their end marks
    listing = listed(both + packed({"1.jpg": b"new", "1.cls": b"tulip"}))
    assert outcomes(listing) == {"1.jpg": b"new", "2.jpg": b"2"}
    assert listing.records[0].labels == ("tulip",)
    without = both + packed({"1.jpg": b"new"})
    with pytest.raises(SourceError, match=r"1\.jpg in .* is there twice, and the later one has no"):
        listed(without)
    assert outcomes(listed(without, labels="none"))["1.jpg"] == b"new"


def pax(kind, *records):
    """A pax header of records such as ``path=a``, as a block and its data."""
    data = b""
    for record in records:
        length = next(n for n in range(1, 999) if len(f"{n} {record}\n".encode()) == n)
        data += f"{length} {record}\n".encode()
    return header(kind, data)


def header(kind, data):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


FIRST, LAST = packed({"1.jpg": b"1"})[:1024], packed({"2.jpg": b"22"})


def test_a_global_header_that_says_nothing_of_files_is_passed(listed):
    note = pax(tarfile.XGLTYPE, "comment=0123456789", "mtime=1")  # as git archive writes one
    assert outcomes(listed(note + FIRST + LAST)) == {"1.jpg": b"1", "2.jpg": b"22"}


def test_a_pax_header_states_a_name_and_a_size(listed):
    long = "é" * 150 + ".jpg"
    stated = pax(tarfile.XHDTYPE, f"path=./{long}", "size=1")
    assert outcomes(listed(stated + FIRST + LAST)) == {long: b"1", "2.jpg": b"22"}


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (pax(tarfile.XGLTYPE, "size=1"), "a global pax header that states one size for all files"),
        (pax(tarfile.XGLTYPE, "path=a"), "a global pax header that states one path for all files"),
        (pax(tarfile.XHDTYPE, "size=1e0"), "a pax header with a size that is none"),
        (header(tarfile.XHDTYPE, b"12 path=a\n"), "a pax header with a record that is none"),
        (header(tarfile.XHDTYPE, b"8 path=a\n"), "a pax header with a record that is none"),
        (header(tarfile.XHDTYPE, b"9 path=a\n\x009 path=b\n"), "a pax header with a record that"),
        (header(tarfile.XHDTYPE, b"path=a\n"), "a pax header with a record that is none"),
    ],
)
def test_a_pax_header_that_would_be_read_as_what_it_is_not_ends_the_archive(listed, block, reason):
    listing = listed(FIRST + block + LAST)
    assert outcomes(listing) == {"1.jpg": b"1"}
    (failure,) = listing.failures
    assert failure.reason.startswith(f"is truncated or damaged ({reason}")


def test_a_sparse_file_of_a_kind_that_the_library_does_not_know_is_not_misread(listed):
    stated = pax(tarfile.XHDTYPE, "GNU.sparse.major=2", "GNU.sparse.realsize=700")
    found = outcomes(listed(stated + FIRST + LAST))
    assert found == {"1.jpg": "is stored as a sparse file", "2.jpg": b"22"}


def test_a_damaged_header_behind_a_long_name_is_told_with_its_place(listed):
    damaged = bytearray(header(tarfile.GNUTYPE_LONGNAME, b"3.jpg\0") + LAST)
    damaged[1024] ^= 1
    (failure,) = listed(FIRST + bytes(damaged)).failures
    assert failure.reason == "has a damaged header at byte 2,048; before that: 1 file read"


def test_an_extension_that_is_no_utf8_is_counted_as_text(listed):
    listing = listed(packed({"1.jpg": b"1", "2.\udce9": b"2"}, tarfile.GNU_FORMAT))
    assert listing.passed_over == {r".\xe9": 1}


def test_an_image_whose_end_is_not_where_a_header_is_may_have_bytes_of_others(listed):
    whole = packed({"1.jpg": b"1", "2.jpg": b"2" * 1024, "3.jpg": b"3", "4.jpg": b"4"})
    second = 1024 + 512  # where its first block is
    lost = listed(whole[:second] + whole[second + 512 :])
    assert outcomes(lost) == {
        "1.jpg": b"1",
        "2.jpg": "is followed by what is no header, so that its bytes may be those of another file",
    }
    assert lost.failures[0].reason == (
        "has a damaged header at byte 2,560; before that: 2 files read"
    )


def test_an_image_before_a_header_that_is_damaged_where_it_is_has_its_own_bytes(listed):
    data = bytearray(packed({"1.jpg": b"1", "2.jpg": b"2"}))
    data[1024] ^= 1  # the name
    assert outcomes(listed(bytes(data))) == {"1.jpg": b"1"}
