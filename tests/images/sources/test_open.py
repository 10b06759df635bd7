"""A new kind of source is a class, its kind, and one entry in the table."""

from __future__ import annotations

import pickle
import zipfile
from functools import partial
from io import BytesIO

import pytest

from penult.errors import UsageError
from penult.images.labels.annotations import ImageEntry
from penult.images.listing import as_sources, list_images
from penult.images.sources import open as table
from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, extension_of
from penult.testing import check_image_source


class ZipSource(ImageSource):
    def __init__(self, location):
        super().__init__()
        self._path = str(location.argument)
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._location, self._names = location, []

    def __len__(self):
        return len(self._names)

    def scan(self):
        with zipfile.ZipFile(self._path) as archive:
            for name in sorted(archive.namelist()):
                self._names.append(name)
                folders = (*self._location.folders, *name.split("/")[:-1])
                yield ImageEntry(self._prefix + name, None, folders, self._location.candidates)

    def id(self, index):
        return self._prefix + self._names[index]

    def opener(self, index):
        return partial(read_member, self._path, self._names[index])

    def place(self, index):
        return f"{self._names[index]} in {self._path}"


def read_member(path, name):
    with zipfile.ZipFile(path) as archive:
        return BytesIO(archive.read(name))


ZIP = SourceKind(
    lambda argument: extension_of(argument) == ".zip",
    lambda location, options: [ZipSource(location)],
    archive_extension=".zip",
)


@pytest.fixture(autouse=True)
def _zip_is_a_kind(monkeypatch):
    monkeypatch.setattr(table, "KINDS", [*table.KINDS, ZIP])


@pytest.fixture
def zipped(tmp_path):
    """Two images in photos/some.zip."""
    path = tmp_path / "photos" / "some.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rose/2.jpg", b"two")
        archive.writestr("daisy/1.jpg", b"one")
    return path


def read(record):
    with pickle.loads(pickle.dumps(record)).open() as file:
        return file.read()


def test_a_toy_source_keeps_the_contract(zipped):
    check_image_source(lambda: ZipSource(SourceLocation(zipped, None)))


def test_a_toy_source_that_is_given_by_itself_is_listed(zipped):
    records = list_images(as_sources(zipped)).records
    assert [(r.id, r.labels) for r in records] == [
        ("daisy/1.jpg", ("daisy",)),
        ("rose/2.jpg", ("rose",)),
    ]
    assert [read(record) for record in records] == [b"one", b"two"]


def test_a_toy_source_in_a_folder_without_images_is_found(zipped):
    listing = list_images(as_sources(zipped.parent))
    assert [r.id for r in listing.records] == ["some.zip/daisy/1.jpg", "some.zip/rose/2.jpg"]
    assert listing.passed_over == {}


def test_a_toy_source_goes_with_others(zipped, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "3.jpg").write_bytes(b"three")
    records = list_images(as_sources([zipped, tmp_path / "more"])).records
    assert [r.id for r in records] == ["more/3.jpg", "some.zip/daisy/1.jpg", "some.zip/rose/2.jpg"]


def test_a_kind_without_columns_refuses_labels_by_column(zipped):
    with pytest.raises(UsageError, match=r"some\.zip is no table with a column species"):
        list_images(as_sources(zipped), labels="column:species")


def test_a_kind_that_opens_no_iterable_is_named(zipped, monkeypatch):
    lone = SourceKind(ZIP.matches, lambda location, options: ZipSource(location))
    monkeypatch.setattr(table, "KINDS", [lone])
    with pytest.raises(UsageError, match=r"`open` of SourceKind\(.* gave a ZipSource in place of"):
        list_images(as_sources(zipped))


@pytest.mark.parametrize("what", ["labels", "folders"])
def test_a_label_whose_letters_would_be_taken_for_labels_is_refused(what):
    with pytest.raises(UsageError, match=r"of 'a\.jpg' have to be tuples of str"):
        ImageEntry("a.jpg", None, **{what: "daisy"})
