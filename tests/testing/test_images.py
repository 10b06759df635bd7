"""A source of images that breaks a promise is told which."""

from __future__ import annotations

import io
from functools import partial

import pytest

from penult.errors import ImageError
from penult.images.labels.annotations import ImageEntry
from penult.images.sources.base import ImageSource, SourceOptions
from penult.images.sources.open import open_sources
from penult.testing import check_image_source

PICTURES = {"a/1.png": b"one", "a/2.png": b"two", "b/1.png": b"three"}


def read(pictures, name):
    if name not in pictures:
        raise ImageError(f"{name} is gone")
    return io.BytesIO(pictures[name])


class Memory(ImageSource):
    """Files in a dict: the least that a source can be."""

    def __init__(self, pictures=PICTURES):
        super().__init__()
        self.pictures, self.names = pictures, []

    def __len__(self):
        return len(self.names)

    def scan(self):
        for name in sorted(self.pictures):
            self.names.append(name)
            yield ImageEntry(name, None, folders=tuple(name.split("/")[:-1]))

    def id(self, index):
        return self.names[index]

    def opener(self, index):
        return partial(read, self.pictures, self.names[index])

    def place(self, index):
        return f"memory {self.names[index]}"


def test_a_source_that_keeps_its_promises_passes():
    pictures = dict(PICTURES)
    check_image_source(lambda: Memory(pictures), remove=lambda _: pictures.clear())


@pytest.mark.parametrize("given", ["folder", "files"])
def test_folders_and_files_keep_theirs(photos, given):
    arguments = [photos] if given == "folder" else sorted(photos.rglob("*.jpg"))

    def make():
        return next(open_sources(arguments, SourceOptions()))

    check_image_source(make, remove=lambda index: sorted(photos.rglob("*.jpg"))[index].unlink())


class Unordered(Memory):
    turns = 0

    def scan(self):
        Unordered.turns += 1
        self.names = sorted(self.pictures, reverse=bool(self.turns % 2))
        return (ImageEntry(name, None) for name in self.names)


class Absolute(Memory):
    def scan(self):
        self.names = [f"/{name}" for name in self.pictures]
        return (ImageEntry(name, None) for name in self.names)


class Twice(Memory):
    def scan(self):
        self.names = ["a/1.png", "a/1.png"]
        return (ImageEntry(name, None) for name in self.names)


class Miscounting(Memory):
    def __len__(self):
        return 7


class Unpicklable(Memory):
    def opener(self, index):
        return lambda: read(self.pictures, self.names[index])


class ReadOnce(Memory):
    def opener(self, index):
        file = io.BytesIO(self.pictures[self.names[index]])
        file.close = lambda: None
        return lambda: file


class WrongError(Memory):
    def opener(self, index):
        return partial(lookup, self.pictures, self.names[index])


def lookup(pictures, name):
    return io.BytesIO(pictures[name])


class Losing(Memory):
    def opener(self, index):
        return partial(lookup, {}, self.names[index])


class Textual(Memory):
    def opener(self, index):
        return partial(io.StringIO, self.names[index])


class Stamping(Memory):
    def stamp(self, index):
        return {1, 2}


class Bare(Memory):
    def scan(self):
        self.names = sorted(self.pictures)
        return iter(self.names)


class Spelling(Memory):
    def scan(self):
        self.names = sorted(self.pictures)
        return (ImageEntry(name, None, labels="daisy") for name in self.names)


class Uninitialised(Memory):
    def __init__(self, pictures):
        self.pictures, self.names = pictures, []


class Placeless(Memory):
    def place(self, index):
        return {}[index]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (Unordered, "the same ids in the same order"),
        (Absolute, "a relative path with slashes, and not '/a/1.png'"),
        (Twice, "images 0 and 1 have the same id 'a/1.png'"),
        (Miscounting, "len\\(\\) is 7, but scan\\(\\) listed 3 images"),
        (ReadOnce, "image 0 has to give the same bytes each time"),
        (Unpicklable, "opener\\(0\\) cannot be pickled"),
        (Losing, "opener\\(0\\) has to open the image: KeyError: 'a/1.png'"),
        (Textual, "opener\\(0\\) has to give bytes, and not 'a/1.png'"),
        (
            Stamping,
            "stamp\\(0\\) has to be what JSON gives back unchanged, and is {1, 2}: TypeError",
        ),
        (Bare, "scan\\(\\) has to yield ImageEntry with an id that is a str, and not 'a/1.png'"),
        (Spelling, "scan\\(\\) has to list the images: UsageError: labels and folders of"),
        (Uninitialised, "has to call super\\(\\).__init__\\(\\)"),
        (Placeless, "place\\(0\\) have to tell of an image: KeyError: 0"),
        (WrongError, "has to raise OSError or ImageError, and raised KeyError"),
    ],
)
def test_a_broken_promise_is_named(source, complaint):
    pictures = dict(PICTURES)
    with pytest.raises(AssertionError, match=complaint):
        check_image_source(lambda: source(pictures), remove=lambda _: pictures.clear())
