"""Links in a tar archive lead to what they would lead to in the folder that it unpacks."""

from __future__ import annotations

import os
import tarfile
from tarfile import DIRTYPE, LNKTYPE, REGTYPE, SYMTYPE

import pytest
from archives import packed_kinds

from penult.errors import ImageError
from penult.images.listing import list_images


@pytest.fixture
def listed(tmp_path):
    def write_and_list(*members, **options):
        (tmp_path / "a.tar").write_bytes(packed_kinds(*members))
        return list_images([tmp_path / "a.tar"], **options)

    return write_and_list


def outcome(record):
    try:
        with record.open() as file:
            return file.read()
    except (ImageError, OSError) as error:
        return str(error)


def outcomes(listing):
    return {record.id: outcome(record) for record in listing.records}


def test_a_symbolic_link_is_relative_to_its_own_folder_and_a_hard_link_to_the_root(listed):
    listing = listed(
        ("1.jpg", REGTYPE, b"root"),
        ("d/1.jpg", REGTYPE, b"in d"),
        ("d/soft.jpg", SYMTYPE, "1.jpg"),
        ("d/hard.jpg", LNKTYPE, "1.jpg"),
        ("d/up.jpg", SYMTYPE, "../1.jpg"),
        ("e/none.jpg", SYMTYPE, "1.jpg"),
    )
    assert outcomes(listing) == {
        "1.jpg": b"root",
        "d/1.jpg": b"in d",
        "d/soft.jpg": b"in d",
        "d/hard.jpg": b"root",
        "d/up.jpg": b"root",
        "e/none.jpg": "is a link to 1.jpg, which is no file in the archive",
    }


def test_links_to_links_and_through_linked_folders_are_followed(listed):
    listing = listed(
        ("one.jpg", SYMTYPE, "two.jpg"),
        ("two.jpg", SYMTYPE, "./b//../b/three.jpg"),
        ("b", SYMTYPE, "a"),
        ("a/three.jpg", LNKTYPE, "a/three.jpg"),
        ("a/four.jpg", REGTYPE, b"4"),
        ("a/three.jpg", LNKTYPE, "./a/four.jpg"),
        ("c/same.jpg", SYMTYPE, "four.jpg"),
        ("a/same.jpg", LNKTYPE, "c/same.jpg"),  # the link itself, in another folder
    )
    assert outcomes(listing) == {
        "a/four.jpg": b"4",
        "a/three.jpg": b"4",
        "one.jpg": b"4",
        "two.jpg": b"4",
        "c/same.jpg": "is a link to four.jpg, which is no file in the archive",
        "a/same.jpg": b"4",
    }


def test_links_that_end_nowhere_say_why(listed):
    long = "x/" * 3000 + "1.jpg"
    listing = listed(
        ("1.jpg", REGTYPE, b"1"),
        ("a.jpg", SYMTYPE, "b.jpg"),
        ("b.jpg", SYMTYPE, "a.jpg"),
        ("c.jpg", SYMTYPE, "c.jpg/c.jpg"),
        ("d/out.jpg", SYMTYPE, "../../d/1.jpg"),
        ("far.jpg", SYMTYPE, long),
        ("hard.jpg", LNKTYPE, "later.jpg"),
        ("hard-out.jpg", LNKTYPE, "../1.jpg"),
        ("later.jpg", REGTYPE, b"later"),
    )
    circle = "which leads to itself, or through too many links"
    assert outcomes(listing) == {
        "1.jpg": b"1",
        "a.jpg": f"is a link to b.jpg, {circle}",
        "b.jpg": f"is a link to a.jpg, {circle}",
        "c.jpg": f"is a link to c.jpg/c.jpg, {circle}",
        "d/out.jpg": "is a link to ../../d/1.jpg, which leads out of the archive",
        "far.jpg": f"is a link to {long[:200]}…, {circle}",
        "hard.jpg": "is a hard link to later.jpg, which is no file before it",
        "hard-out.jpg": "is a hard link to ../1.jpg, which leads out of the archive",
        "later.jpg": b"later",
    }


def test_a_link_leads_through_folders_alone_which_have_to_be_there(listed):
    # What GNU tar and Linux give is compared in the last test.
    listing = listed(
        ("x.jpg", REGTYPE, b"x"),
        ("full/1.txt", REGTYPE, b"1"),
        ("empty", DIRTYPE, ""),
        ("soft", SYMTYPE, "x.jpg"),
        ("lost", SYMTYPE, "nodir"),
        ("a.jpg", SYMTYPE, "nodir/../x.jpg"),
        ("b.jpg", SYMTYPE, "full/../x.jpg"),
        ("c.jpg", SYMTYPE, "empty/./../x.jpg"),
        ("d.jpg", SYMTYPE, "x.jpg/"),
        ("e.jpg", SYMTYPE, "x.jpg/../x.jpg"),
        ("f.jpg", SYMTYPE, "soft/."),
        ("g.jpg", SYMTYPE, "lost/../x.jpg"),
        ("h.jpg", SYMTYPE, "full/1.txt/../../x.jpg"),
        ("h/i.jpg", SYMTYPE, "../h/../x.jpg"),  # its own folder
        ("k.jpg", LNKTYPE, "./x.jpg/"),
    )
    through = "is a link to {}, which leads through {}, and that is no folder in the archive".format
    assert outcomes(listing) == {
        "x.jpg": b"x",
        "a.jpg": through("nodir/../x.jpg", "nodir"),
        "b.jpg": b"x",
        "c.jpg": b"x",
        "d.jpg": through("x.jpg/", "x.jpg"),
        "e.jpg": through("x.jpg/../x.jpg", "x.jpg"),
        "f.jpg": through("soft/.", "x.jpg"),
        "g.jpg": through("lost/../x.jpg", "nodir"),
        "h.jpg": through("full/1.txt/../../x.jpg", "full/1.txt"),
        "h/i.jpg": b"x",
        "k.jpg": "is a hard link to ./x.jpg/, which is no file before it",
    }


def test_a_link_without_a_target_is_told_as_such(listed):
    listing = listed(
        ("1.jpg", REGTYPE, b"1"),
        ("d/soft.jpg", SYMTYPE, ""),
        ("d/other", SYMTYPE, ""),
        ("hard.jpg", LNKTYPE, ""),
        ("to.jpg", SYMTYPE, "d/soft.jpg"),
    )
    assert outcomes(listing) == {
        "1.jpg": b"1",
        "d/soft.jpg": "is a link without a target",
        "hard.jpg": "is a hard link without a target",
        "to.jpg": "is a link to d/soft.jpg, which leads to a link without a target",
    }
    assert listing.passed_over == {"(no extension)": 1}


def test_a_chain_of_forty_links_is_followed_and_a_longer_one_is_not(listed):
    chain = [(f"{k:02}.jpg", SYMTYPE, f"{k + 1:02}.jpg") for k in range(41)]
    found = outcomes(listed(*chain, ("41.jpg", REGTYPE, b"end")))
    assert found["01.jpg"] == b"end"
    assert found["00.jpg"].endswith("too many links")


def test_a_link_may_lead_to_a_file_that_is_hidden_or_has_no_extension(listed):
    # As git-annex and the cache of the Hugging Face hub have them.
    listing = listed(
        ("1.jpg", SYMTYPE, ".git/annex/objects/ab"),
        (".git/annex/objects/ab", REGTYPE, b"1"),
        ("snapshots/2.jpg", SYMTYPE, "../blobs/cd"),
        ("blobs/cd", REGTYPE, b"2"),
    )
    assert outcomes(listing) == {"1.jpg": b"1", "snapshots/2.jpg": b"2"}
    assert listing.passed_over == {"(no extension)": 1}


def test_absolute_links_lead_to_members_with_absolute_names_alone(listed):
    listing = listed(
        ("/p/1.jpg", REGTYPE, b"1"),
        ("/p/2.jpg", SYMTYPE, "/p/1.jpg"),
        ("p/3.jpg", SYMTYPE, "/p/1.jpg"),
        ("p/4.jpg", SYMTYPE, "1.jpg"),
    )
    found = outcomes(listing)
    assert found["/p/2.jpg"] == found["p/3.jpg"] == b"1"
    assert found["p/4.jpg"] == "is a link to 1.jpg, which is no file in the archive"


def test_a_hard_link_keeps_what_had_the_name_when_it_was_packed(listed):
    listing = listed(
        ("1.jpg", REGTYPE, b"old"),
        ("hard.jpg", LNKTYPE, "1.jpg"),
        ("soft.jpg", SYMTYPE, "1.jpg"),
        ("1.jpg", REGTYPE, b"new"),
    )
    assert outcomes(listing) == {"1.jpg": b"new", "hard.jpg": b"old", "soft.jpg": b"new"}


def test_a_link_has_the_label_beside_it_and_a_label_may_be_a_link(listed):
    listing = listed(
        ("0.jpg", REGTYPE, b"0"),
        ("0.cls", REGTYPE, b"rose"),
        ("1.jpg", LNKTYPE, "0.jpg"),
        ("1.cls", REGTYPE, b"tulip"),
        ("2.jpg", REGTYPE, b"2"),
        ("2.cls", LNKTYPE, "1.cls"),
    )
    assert [(r.id, r.labels) for r in listing.records] == [
        ("0.jpg", ("rose",)),
        ("1.jpg", ("tulip",)),
        ("2.jpg", ("tulip",)),
    ]
    assert listing.passed_over == {}


def test_a_label_that_is_a_link_to_nothing_is_the_failure_of_its_image(listed):
    listing = listed(
        ("0.jpg", REGTYPE, b"0"),
        ("0.cls", SYMTYPE, "no.cls"),
        ("1.jpg", REGTYPE, b"1"),
        ("1.cls", REGTYPE, b"rose"),
    )
    link = "0.cls is a link to no.cls, which is no file in the archive"
    found = {"0.jpg": f"has a label that cannot be read: {link}", "1.jpg": b"1"}
    assert outcomes(listing) == found


def test_a_link_to_a_folder_of_images_is_told(listed):
    listing = listed(
        ("all/rose/1.jpg", REGTYPE, b"1"),
        ("texts/1.txt", REGTYPE, b"1"),
        ("all/rose/back", SYMTYPE, ".."),  # as in a folder, where all in it is found already
        ("roses", SYMTYPE, "some/rose"),
        ("some", SYMTYPE, "all"),
        ("words", SYMTYPE, "texts"),
        ("gone", SYMTYPE, "../elsewhere"),
        ("note.txt", SYMTYPE, "texts/1.txt"),
        (".hidden", SYMTYPE, "all"),
    )
    assert outcomes(listing) == {"all/rose/1.jpg": b"1"}
    rest = "and such links are not followed in an archive; pack the folder with tar -h, which does"
    assert [failure.line for failure in listing.failures] == [
        "gone: is a link to ../elsewhere, which leads out of the archive; "
        "if it is a folder of images, pack it with tar -h, which follows it",
        f"roses: is a link to the folder all/rose, {rest}",
        f"some: is a link to the folder all, {rest}",
    ]
    assert listing.passed_over == {"(no extension)": 1, ".txt": 2}


def test_a_link_out_of_the_archive_that_is_named_as_a_folder_is_told(listed):
    listing = listed(
        ("1.jpg", REGTYPE, b"1"),
        ("/p/rose/2.jpg", REGTYPE, b"2"),
        ("iris", SYMTYPE, "/somewhere/iris"),
        ("dir/iris", SYMTYPE, "../../iris"),
        ("lost", SYMTYPE, "nothing"),
        ("up.txt", SYMTYPE, "../elsewhere/up.txt"),
        ("roses", SYMTYPE, "/p/rose"),
        ("words", SYMTYPE, "/p"),
    )
    rest = "which leads out of the archive; if it is a folder of images, pack it with tar -h"
    told = {failure.id: failure.reason for failure in listing.failures}
    assert told.keys() == {"iris", "dir/iris", "roses", "words"}
    assert told["iris"].startswith(f"is a link to /somewhere/iris, {rest}")
    assert told["dir/iris"].startswith(f"is a link to ../../iris, {rest}")
    assert told["roses"].startswith("is a link to the folder /p/rose, and such links")
    assert listing.passed_over == {"(no extension)": 1, ".txt": 1}


def test_links_of_an_archive_and_those_of_the_folder_are_the_same(tmp_path):
    for folder in ("p/a", "p/b/c"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "p/a/1.jpg").write_bytes(b"1")
    (tmp_path / "p/1.jpg").write_bytes(b"root")
    os.link(tmp_path / "p/a/1.jpg", tmp_path / "p/b/hard.jpg")
    for name, target in [
        ("a/soft.jpg", "1.jpg"),
        ("b/c/far.jpg", "../../a/soft.jpg"),
        ("b/lost.jpg", "1.jpg"),
        ("b/out.jpg", "../../none.jpg"),
        ("b/up.jpg", "../a/../1.jpg"),
        ("b/no-folder.jpg", "../none/../1.jpg"),
        ("b/slash.jpg", "hard.jpg/"),
        ("b/file.jpg", "hard.jpg/../hard.jpg"),
    ]:
        (tmp_path / "p" / name).symlink_to(target)
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        archive.add(tmp_path / "p", arcname=".")

    def read(source):
        found = outcomes(list_images([source]))
        return {name: data if isinstance(data, bytes) else None for name, data in found.items()}

    found = read(tmp_path / "p.tar")
    assert found == read(tmp_path / "p")
    assert found["b/c/far.jpg"] == found["b/hard.jpg"] == b"1"
    assert found["b/up.jpg"] == b"root"
    for name in ("lost", "out", "no-folder", "slash", "file"):
        assert found[f"b/{name}.jpg"] is None
