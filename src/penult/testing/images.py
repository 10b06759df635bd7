"""What penult relies on in a source of images."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from penult.errors import ImageError
from penult.images.labels.annotations import ImageEntry
from penult.images.sources.base import ImageSource
from penult.records import Failure
from penult.testing.expect import expect, expecting

__all__ = ["check_image_source"]

MOST_READ = 20
"""Images that are read; all are listed."""


def check_image_source(
    make: Callable[[], ImageSource], *, remove: Callable[[int], object] | None = None
) -> None:
    """Check that a source of images keeps what `penult.images.sources.base.ImageSource` promises.

    Its images are listed twice, and some are read: again, from several threads, and by openers that
    went through pickle.

    Parameters
    ----------
    make : callable
        Makes the source, not scanned yet, with at least two images that can be read.
    remove : callable, optional
        Makes the image of that number vanish, for a look at what its opener raises then. It is
        called last.

    Raises
    ------
    AssertionError
        If it does not; says what was expected.
    """
    with expecting("a source has to be made and to keep what ImageSource promises, and raised"):
        _check_source(make, remove)


def _check_source(make: Callable[[], ImageSource], remove: Callable[[int], object] | None) -> None:
    source = make()
    expect(isinstance(source, ImageSource), f"it has to make an ImageSource, and not {source!r}")
    expect(hasattr(source, "failures"), "__init__() has to call super().__init__()")
    ids = _check_listing(source)
    again = make()
    expect(_check_listing(again) == ids, "a second scan has to list the same ids in the same order")
    indices = range(min(len(ids), MOST_READ))
    for index in indices:
        with expecting(f"stamp({index}) and place({index}) have to tell of an image"):
            stamp, place = source.stamp(index), source.place(index)
        expect(place, f"place({index}) has to say where the image is")
        expect("\n" not in place, f"place({index}) has to be one line, and is {place!r}")
        same = f"stamp({index}) has to be what JSON gives back unchanged, and is {stamp!r}"
        with expecting(same):
            expect(stamp == json.loads(json.dumps(stamp)), same)
        expect(
            stamp == again.stamp(index),
            f"stamp({index}) has to be the same as long as the image is, and was {stamp!r} and "
            f"then {again.stamp(index)!r}",
        )
    _check_reading(source, indices)
    if remove is not None:
        opener = source.opener(0)
        remove(0)
        try:
            _read(opener)
        except (OSError, ImageError):
            return
        except Exception as error:
            raise AssertionError(
                f"opening an image that is gone has to raise OSError or ImageError, and raised "
                f"{error!r}"
            ) from error
        raise AssertionError("opening an image that is gone has to raise OSError or ImageError")


def _check_listing(source: ImageSource) -> list[str]:
    """Scan a source, and return the ids in the order of the images' numbers."""
    ids: list[str] = []
    for entry in _entries(source):
        expect(
            len(source) >= len(ids) + 1,
            "an image has to count in len() when scan() yields it, and to be found by its number",
        )
        expect(
            source.id(len(ids)) == entry.id,
            f"image {len(ids)} was listed as {entry.id!r}, but id({len(ids)}) says "
            f"{source.id(len(ids))!r}",
        )
        ids.append(entry.id)
    expect(len(source) == len(ids), f"len() is {len(source)}, but scan() listed {len(ids)} images")
    expect(len(ids) >= 2, f"the check needs two images, and found {len(ids)}")
    first: dict[str, int] = {}
    for index, image_id in enumerate(ids):
        parts = image_id.split("/")
        expect(
            "" not in parts and "." not in parts and ".." not in parts,
            f"an id has to be a relative path with slashes, and not {image_id!r}",
        )
        expect(
            "\0" not in image_id and image_id.encode(errors="replace").decode() == image_id,
            f"an id has to be UTF-8 without NUL, and {image_id!a} is not",
        )
        expect(
            first.setdefault(image_id, index) == index or source.is_same(first[image_id], index),
            f"images {first[image_id]} and {index} have the same id {image_id!r}, and is_same() "
            "denies that they are the same",
        )
    for failure in source.failures:
        expect(isinstance(failure, Failure), f"failures have to be Failures, and not {failure!r}")
    for extension, count in source.passed_over.items():
        expect(
            isinstance(extension, str) and count >= 0,
            f"passed_over has to count files by extension, and holds {extension!r}: {count!r}",
        )
    return ids


def _entries(source: ImageSource) -> Iterator[ImageEntry]:
    with expecting("scan() has to list the images"):
        for entry in source.scan():
            expect(
                isinstance(entry, ImageEntry) and isinstance(entry.id, str),
                f"scan() has to yield ImageEntry with an id that is a str, and not {entry!r}",
            )
            yield entry


def _check_reading(source: ImageSource, indices: range) -> None:
    openers, contents = [], []
    for index in indices:
        with expecting(f"opener({index}) has to open the image"):
            openers.append(source.opener(index))
            contents.append(_read(openers[-1]))
    for index, opener, content in zip(indices, openers, contents, strict=True):
        expect(
            isinstance(content, bytes),
            f"opener({index}) has to give bytes, and not {content!r:.40}",
        )
        expect(content, f"image {index} is empty")
        expect(_read(opener) == content, f"image {index} has to give the same bytes each time")
        try:
            copied = pickle.loads(pickle.dumps(opener))
        except Exception as error:
            raise AssertionError(f"opener({index}) cannot be pickled: {error}") from error
        expect(_read(copied) == content, f"opener({index}) gives other bytes after pickling")
        path = source.path(index)
        expect(
            path is None or path.read_bytes() == content,
            f"path({index}) is {path}, but the file there has other bytes than opener({index})",
        )
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(_read, [*openers, *openers[::-1]]))
    expect(together == [*contents, *contents[::-1]], "several threads at once read other bytes")


def _read(opener: Callable[[], BinaryIO]) -> bytes:
    with opener() as file:
        return file.read()
