import errno
import io
import os
import shutil
from functools import partial

import pytest

from penult.classify.prediction import copying, sorted_before, sorting
from penult.classify.prediction import folder_names as naming
from penult.classify.prediction.copying import digest_of_file
from penult.classify.prediction.folder_names import folder_names, safe_name
from penult.classify.prediction.sorting import Sorter
from penult.errors import ImageError, OutputError, OutputExistsError, UnknownNameError, UsageError
from penult.images.files import open_regular
from penult.records import ImageRecord

LABELS = ("daisy", "rose")
STAYING = ("copy", "hardlink", "symlink")


@pytest.fixture
def photo(tmp_path):
    """`photo("a/1.jpg", b"...")` writes a file and gives its record and digest."""

    def make(image_id, content):
        path = tmp_path / "photos" / image_id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return ImageRecord(image_id, partial(open_regular, path), path=path), digest_of_file(path)

    return make


@pytest.fixture
def target(tmp_path):
    return tmp_path / "sorted"


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mode", STAYING)
def test_a_photo_is_put_into_the_folder_of_its_class_and_stays_where_it_is(photo, target, mode):
    record, digest = photo("a/1.jpg", b"one")
    copied = Sorter(target, LABELS, mode=mode).place(record, digest, "rose")
    assert (copied.path, copied.new, copied.renamed) == (target / "rose" / "1.jpg", True, False)
    assert files(target) == {"rose/1.jpg": b"one"}
    assert record.path.read_bytes() == b"one"
    assert copied.path.is_symlink() == (mode == "symlink")
    assert copied.path.samefile(record.path) == (mode != "copy")


def test_a_copy_keeps_the_time_of_the_photo(photo, target):
    record, digest = photo("1.jpg", b"one")
    os.utime(record.path, (1e9, 1e9))
    copied = Sorter(target, LABELS).place(record, digest, "rose")
    assert copied.path.stat().st_mtime == 1e9


@pytest.mark.parametrize("mode", STAYING)
def test_photos_of_one_name_get_numbers_and_a_second_time_changes_nothing(photo, target, mode):
    photos = [photo("a/1.jpg", b"one"), photo("b/1.jpg", b"two"), photo("c/1.jpg", b"three")]
    first = [Sorter(target, LABELS, mode=mode)] * 3
    again = [Sorter(target, LABELS, mode=mode) for _ in photos]
    names = ["1.jpg", "1 (2).jpg", "1 (3).jpg"]
    for sorters, new in ((first, True), (again, False)):
        copied = [s.place(*p, "rose") for s, p in zip(sorters, photos, strict=True)]
        assert [c.path.name for c in copied] == names
        assert [c.new for c in copied] == [new] * 3
        assert [c.renamed for c in copied] == [False, True, True]
    expected = {f"rose/{n}": c for n, c in zip(names, (b"one", b"two", b"three"), strict=True)}
    assert files(target) == expected


def test_nothing_that_is_there_is_replaced_not_even_a_link_to_nothing(photo, target):
    (target / "rose").mkdir(parents=True)
    (target / "rose" / "1.jpg").symlink_to(target / "gone")
    (target / "rose" / "1 (2).jpg").mkdir()
    (target / "rose" / "1 (3).jpg").write_bytes(b"of the user's")
    copied = Sorter(target, LABELS).place(*photo("1.jpg", b"one"), "rose")
    assert copied.path.name == "1 (4).jpg"
    assert (target / "rose" / "1.jpg").is_symlink()
    assert (target / "rose" / "1 (3).jpg").read_bytes() == b"of the user's"


def test_links_to_photos_that_have_moved_are_mended_and_no_others(photo, target):
    photos = [photo("b/1.jpg", b"two"), photo("a/1.jpg", b"one")]
    first = Sorter(target, LABELS, mode="symlink")
    for one in photos:
        first.place(*one, "rose")
    (target / "rose" / "2.jpg").symlink_to(target / "gone.jpg")
    shutil.rmtree(photos[0][0].path.parents[1])
    moved = [photo(f"moved/{name}", data) for name, data in
             (("a/1.jpg", b"one"), ("b/1.jpg", b"two"), ("b/2.jpg", b"three"))]  # fmt: skip
    again = Sorter(target, LABELS, mode="symlink")
    copied = [again.place(*one, "rose") for one in moved]
    assert [c.path.name for c in copied] == ["1 (2).jpg", "1.jpg", "2 (2).jpg"]
    assert [c.path.samefile(record.path) for c, (record, _) in zip(copied, moved, strict=True)] == [
        True
    ] * 3
    assert sorted(p.name for p in (target / "rose").iterdir()) == [
        "1 (2).jpg", "1.jpg", "2 (2).jpg", "2.jpg"]  # fmt: skip
    copies = Sorter(target, LABELS)
    (target / "rose" / "3.jpg").symlink_to(target / "old" / "3.jpg")
    assert copies.place(*photo("3.jpg", b"four"), "rose").path.name == "3 (2).jpg"


def test_a_name_that_is_taken_meanwhile_is_not_replaced(photo, target, monkeypatch):
    link = os.link

    def slow(source, destination):
        if destination.name == "1.jpg":
            destination.write_bytes(b"of another program")
        link(source, destination)

    monkeypatch.setattr(os, "link", slow)
    copied = Sorter(target, LABELS).place(*photo("1.jpg", b"one"), "rose")
    assert files(target) == {"rose/1.jpg": b"of another program", "rose/1 (2).jpg": b"one"}
    assert copied.path.name == "1 (2).jpg"


def test_a_file_system_without_hard_links_gets_copies_too(photo, target, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    Sorter(target, LABELS).place(*photo("1.jpg", b"one"), "rose")
    assert files(target) == {"rose/1.jpg": b"one"}
    with pytest.raises(OutputError, match=r"cannot be made a hardlink: not permitted; .* copy"):
        Sorter(target, LABELS, mode="hardlink").place(*photo("2.jpg", b"two"), "rose")


def test_a_hardlink_to_another_disk_is_one_clear_line(photo, target, monkeypatch):
    def far(*_):
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(os, "link", far)
    with pytest.raises(OutputError, match=r"different disks.*give copy_mode='copy' or symlink"):
        Sorter(target, LABELS, mode="hardlink").place(*photo("1.jpg", b"one"), "rose")


def test_a_hardlink_to_a_link_is_one_to_the_photo_itself(photo, target):
    record, digest = photo("1.jpg", b"one")
    link = record.path.with_name("link.jpg")
    link.symlink_to(record.path)
    linked = ImageRecord("link.jpg", partial(open_regular, link), path=link)
    copied = Sorter(target, LABELS, mode="hardlink").place(linked, digest, "rose")
    assert not copied.path.is_symlink()
    assert copied.path.samefile(record.path)


def test_a_full_disk_leaves_no_part_of_a_photo(photo, target, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    record, digest = photo("1.jpg", b"one")
    monkeypatch.setattr(copying.shutil, "copystat", full)
    with pytest.raises(OutputError, match=r"1\.jpg cannot be written: the disk is full"):
        Sorter(target, LABELS).place(record, digest, "rose")
    assert files(target) == {}


@pytest.mark.parametrize("fails_at", ["open", "read"])
def test_whatever_a_source_raises_is_said_of_the_photo(target, fails_at):
    class Faulty(io.BytesIO):
        def read(self, *_):
            raise KeyError("of a library that nobody knows")

    record = ImageRecord("cloud/1.jpg", Faulty if fails_at == "read" else lambda: Faulty().read())
    with pytest.raises(ImageError, match=r"can no longer be read: .*of a library that nobody"):
        Sorter(target, LABELS).place(record, "00", "rose")
    assert files(target) == {}


def test_an_image_that_is_no_file_is_copied_by_its_bytes_and_refused_for_links(target):
    record = ImageRecord("photos.tar/a:b/1?.jpg", lambda: io.BytesIO(b"one"))
    Sorter(target, LABELS).place(record, "00", "rose")
    assert files(target) == {"rose/1%3F.jpg": b"one"}
    for mode in ("hardlink", "symlink", "move"):
        with pytest.raises(UsageError, match=r"no file of its own that could .*copy_mode='copy'"):
            Sorter(target, LABELS, mode=mode).require_files([record])


def test_the_unsure_ones_have_a_folder_of_their_own_even_where_a_class_is_called_so(photo, target):
    one, two, three = (photo(f"{name}.jpg", b"some") for name in "123")
    Sorter(target, LABELS).place(*one, "rose", aside="unsure")
    Sorter(target, ("rose", "Unsure")).place(*two, "rose", aside="unsure")
    Sorter(target, ("rose", "Unsure")).place(*three, "Unsure")
    expected = {"unsure/rose/1.jpg", "unsure (2)/rose/2.jpg", "Unsure/3.jpg"}
    assert {name for name in files(target) if name.endswith(".jpg")} == expected


@pytest.mark.parametrize("inside", ["", "daisy"])
def test_photos_that_lie_where_they_would_be_sorted_to_are_refused(target, inside):
    (target / inside).mkdir(parents=True)
    with pytest.raises(UsageError, match="give another folder"):
        Sorter(target, LABELS).require_outside([target / inside])
    Sorter(target, LABELS).require_outside([target.parent])


def test_of_photos_that_a_list_names_each_folder_is_looked_at(photo, tmp_path):
    outside, inside = photo("a/1.jpg", b"one")[0], photo("b/c/2.jpg", b"two")[0]
    sorter = Sorter(tmp_path / "photos/b", LABELS)
    sorter.require_photos_outside([outside, ImageRecord("x.tar/3.jpg", io.BytesIO)])
    with pytest.raises(UsageError, match=r"photos/b/c lies in .*photos/b, where the photos"):
        sorter.require_photos_outside([outside, inside])


def test_a_file_for_a_folder_and_an_unknown_mode_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputExistsError, match="is a file"):
        Sorter(tmp_path / "file", LABELS)
    with pytest.raises(UnknownNameError, match="allowed: copy, hardlink, symlink, move"):
        Sorter(tmp_path, LABELS, mode="steal")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rose", "rose"),
        ("Ligularia – große", "Ligularia – große"),
        ("a/b\\c", "a%2Fb%5Cc"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("ends. ", "ends.%20"),
        ("nul\x00", "nul%00"),
        ("NUL", "%4EUL"),
        ("con.txt", "%63on.txt"),
        ("console", "console"),
        ("100%", "100%25"),
        ("", "%"),
        ("\udcff", "%ED%B3%BF"),
    ],
)
def test_unsafe_names_are_made_safe_and_safe_ones_stay(text, name):
    assert safe_name(text) == name


def test_different_labels_have_different_folders_on_every_file_system():
    labels = [
        "a/b", "a%2Fb", "rose", "Rose", "ROSE (2)", "rose (2)", "é", "e\u0301", "", "%", "..", ".",
        "x" * 400, "x" * 399, "ü" * 300, "con", "CON", "%63on", "a:b", "a?b", "a ", "a", "unsure",
    ]  # fmt: skip
    names = folder_names(labels)
    assert len({naming._folded(name) for name in names}) == len(labels)
    assert max(len(name.encode()) for name in names) < 200
    for name in names:
        assert not naming._UNSAFE.search(name.replace("%", ""))
        assert not naming._RESERVED.match(name)
    assert folder_names(["rose", "Rose"]) == ["rose", "Rose (2)"]


@pytest.mark.parametrize("mode", STAYING)
def test_two_that_sort_into_one_folder_at_once_put_each_photo_there_once(photo, target, mode):
    photos = [photo(f"{k}/1.jpg", b"%d" % k) for k in range(3)]
    one, other = (Sorter(target, LABELS, mode=mode) for _ in range(2))
    for mine, theirs in zip(photos, reversed(photos), strict=True):
        one.place(*mine, "rose")
        other.place(*theirs, "rose")
    assert sorted(files(target).values()) == [b"0", b"1", b"2"]


def test_a_photo_that_another_program_puts_there_in_the_last_moment_is_not_put_twice(
    photo, target, monkeypatch
):
    record, digest = photo("1.jpg", b"one")
    sorter = Sorter(target, LABELS)
    copy = copying._rename_to_free

    def too_late(partial, path):
        path.write_bytes(b"one")
        copy(partial, path)

    monkeypatch.setattr(copying, "_rename_to_free", too_late)
    assert not sorter.place(record, digest, "rose").new
    assert files(target) == {"rose/1.jpg": b"one"}


def test_a_class_folder_that_is_a_link_is_refused_before_and_while_sorting(photo, target, tmp_path):
    record, digest = photo("1.jpg", b"one")
    sorter = Sorter(target, LABELS)
    target.mkdir()
    (target / "rose").symlink_to(tmp_path / "photos")
    with pytest.raises(OutputExistsError, match="rose is a symbolic link"):
        sorter.place(record, digest, "rose")
    with pytest.raises(OutputExistsError, match="rose is a symbolic link"):
        Sorter(target, LABELS)
    assert files(tmp_path / "photos") == {"1.jpg": b"one"}


def test_a_file_or_a_dead_link_where_a_folder_is_to_be_is_named(photo, target, tmp_path):
    record, digest = photo("1.jpg", b"one")
    sorter = Sorter(target, LABELS)
    target.mkdir()
    (target / "rose").touch()
    for sort in (lambda: sorter.place(record, digest, "rose"), lambda: Sorter(target, LABELS)):
        with pytest.raises(OutputExistsError, match="rose is a file; give another folder"):
            sort()
    dead = tmp_path / "dead"
    dead.symlink_to("nothing")
    with pytest.raises(OutputExistsError, match="dead is a link to nothing; give another folder"):
        Sorter(dead, LABELS)


def test_a_copy_of_a_private_photo_is_private(photo, target):
    record, digest = photo("1.jpg", b"one")
    record.path.chmod(0o600)
    copied = Sorter(target, LABELS).place(record, digest, "rose")
    assert copied.path.stat().st_mode & 0o777 == 0o600


def test_the_unlike_ones_have_a_folder_that_no_class_has(photo, target):
    sorter = Sorter(target, (*LABELS, "Unlike"))
    copied = [
        sorter.place(*photo("1.jpg", b"one"), "rose", aside="unlike"),
        sorter.place(*photo("2.jpg", b"two"), "Unlike", aside="unlike"),
        sorter.place(*photo("3.jpg", b"three"), "Unlike"),
        sorter.place(*photo("4.jpg", b"four"), "rose", aside="unsure"),
    ]
    folders = [one.path.parent.relative_to(target).as_posix() for one in copied]
    assert folders == ["unlike (2)/rose", "unlike (2)/Unlike", "Unlike", "unsure/rose"]


@pytest.mark.parametrize("mode", STAYING)
def test_a_photo_that_lies_in_another_class_is_refused_and_others_of_its_name_are_not(
    photo, target, mode
):
    first, second = photo("a/1.jpg", b"one"), photo("b/1.jpg", b"two")
    sorter = Sorter(target, LABELS, mode=mode)
    sorter.place(*first, "rose")
    assert sorter.place(*second, "rose").path.name == "1 (2).jpg"
    # Another classifier, of other classes.
    other = Sorter(target, ("red", "rose"), mode=mode)
    for one, lies in ((first, "1.jpg"), (second, r"1 \(2\).jpg")):
        with pytest.raises(
            OutputExistsError, match=f"rose/{lies} is the photo ./1.jpg, .*/red now"
        ):
            other.place(*one, "red")
    assert other.place(*photo("c/1.jpg", b"six"), "red").new  # of the same size
    assert not other.place(*first, "rose").new
    assert {*files(target)} == {"rose/1.jpg", "rose/1 (2).jpg", "red/1.jpg"}


def test_a_photo_set_aside_stays_where_a_user_put_it_and_is_not_put_into_a_class_beside(
    photo, target
):
    unsure = photo("1.jpg", b"one")
    there = Sorter(target, LABELS).place(*unsure, "rose", aside="unsure").path
    with pytest.raises(OutputExistsError, match=r"unsure/rose/1\.jpg is the photo 1\.jpg"):
        Sorter(target, LABELS).place(*unsure, "rose")
    (target / "daisy").mkdir()
    there.rename(target / "daisy" / "1.jpg")
    copied = Sorter(target, LABELS).place(*unsure, "rose", aside="unsure")
    assert (copied.path, copied.new) == (target / "daisy" / "1.jpg", False)
    assert files(target) == {"daisy/1.jpg": b"one"} | {
        name: content for name, content in files(target).items() if name.startswith(".")
    }


def test_equal_photos_of_one_run_do_not_refuse_each_other(photo, target):
    target.mkdir()
    sorter = Sorter(target, LABELS)
    assert sorter.place(*photo("a/1.jpg", b"one"), "rose").new
    assert sorter.place(*photo("b/1.jpg", b"one"), "daisy").new


def test_a_photo_is_not_moved_beside_itself_in_another_class(photo, target):
    record, digest = photo("1.jpg", b"one")
    Sorter(target, LABELS).place(record, digest, "rose")
    with (
        Sorter(target, LABELS, mode="move") as sorter,
        pytest.raises(OutputExistsError, match="which is to go to"),
    ):
        sorter.place(record, digest, "daisy")
    assert record.path.exists()


def test_a_link_is_made_under_a_free_name_alone(photo, target):
    target.mkdir()
    record, _ = photo("a.jpg", b"one")
    for mode in ("symlink", "hardlink"):
        (target / mode).write_text("mine")
        with pytest.raises(FileExistsError):
            copying.link_photo(record, target / mode, mode)
        assert (target / mode).read_text() == "mine"


def test_a_dead_link_that_cannot_be_mended_is_named(photo, target):
    with pytest.raises(OutputError, match=r"none/a\.jpg cannot be written: No such file"):
        copying.relink_photo(photo("a.jpg", b"one")[0], target / "none/a.jpg")


def test_without_hard_links_a_name_that_is_taken_meanwhile_stays(target, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(copying.os, "link", refuse)
    target.mkdir()
    (target / "new").write_text("new")
    (target / "1.jpg").write_text("mine")
    with pytest.raises(FileExistsError):
        copying._rename_to_free(target / "new", target / "1.jpg")
    assert (target / "1.jpg").read_text() == "mine"


def test_a_namesake_of_another_size_is_told_apart_unread(photo, target, monkeypatch):
    record, _ = photo("1.jpg", b"one")
    (target / "daisy").mkdir(parents=True)
    (target / "daisy/1.jpg").write_bytes(b"another")
    monkeypatch.setattr(sorted_before, "digest_of_file", lambda _path: pytest.fail("it is read"))
    before = sorted_before.SortedBefore(target)
    assert before.find(record, "1.jpg", "0", but=target / "rose") is None


def test_a_folder_that_cannot_be_looked_into_holds_nothing_that_was_sorted(target, monkeypatch):
    (target / "daisy").mkdir(parents=True)
    (target / "rose").mkdir()
    (target / "rose/1.jpg").write_bytes(b"one")
    scan = os.scandir

    def refuse(folder):
        if str(folder).endswith("daisy"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(sorted_before.os, "scandir", refuse)
    found = sorted_before.SortedBefore(target).namesakes("1.jpg")
    assert [*found] == [target / "rose/1.jpg"]


def test_a_folder_of_a_class_that_cannot_be_made_is_named(photo, target, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    record, digest = photo("1.jpg", b"one")
    with Sorter(target, ("daisy", "rose"), mode="copy") as sorter:
        monkeypatch.setattr(sorting.Path, "mkdir", refuse)
        with pytest.raises(OutputError, match=r"rose cannot be made: No space left on device"):
            sorter.place(record, digest, "rose")
