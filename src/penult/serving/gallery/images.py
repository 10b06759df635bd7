"""The images of a gallery, found by their ids and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from penult.errors import ImageError, PenultError
from penult.features.origin import every_origin
from penult.images.read import digest_of, read_bytes
from penult.images.sources.arguments import as_sources, expanded_arguments
from penult.interface import option
from penult.records import Features, ImageRecord
from penult.retrieve.search.gallery import Gallery
from penult.retrieve.search.searched import KnownRow, Searched
from penult.web.pictures import image_finder

__all__ = ["GalleryImages", "NoImage", "StoredImage"]

_LOOKED_AT = 20
_REMEMBERED = 10_000


@dataclass(frozen=True)
class StoredImage:
    """An image file of a gallery.

    Attributes
    ----------
    data : bytes
        All of it.
    content : str
        Hex BLAKE2b-128 digest of `data`, as feature files have it.
    """

    data: bytes = field(repr=False)
    content: str


@dataclass(frozen=True)
class NoImage:
    """Why there is no image file for an id.

    Attributes
    ----------
    reason : str
        Goes on after the id.
    changed : bool
        Whether there is a file, but another than the one that the row was made of.
    """

    reason: str
    changed: bool = False


class _UnknownError(Exception):
    """There is no row of an id."""


class GalleryImages:
    """The image files that a gallery's rows were made of, as far as they are there unchanged.

    An id is looked up among those of the gallery, and never taken for a path. A file whose bytes
    are not those that the row was made of is not given away, nor is one that a symbolic link leads
    to out of the folder. Safe to call from any thread.

    Parameters
    ----------
    gallery : Searched
        Whose images they are.
    images : path, str or sequence of them, optional
        Where they are now; where the rows were made by default.
    offline : bool
        Never touch the network.
    announce : bool
        Whether what is looked through is said.
    live : Searched, optional
        Where an id is looked up that `gallery` has not: the table that it was read of.

    Raises
    ------
    UsageError, SourceError
        If there is nothing at `images`.
    """

    def __init__(
        self,
        gallery: Searched,
        images: str | Path | Sequence[str | Path] | None = None,
        *,
        offline: bool = True,
        announce: bool = False,
        live: Searched | None = None,
    ) -> None:
        self._gallery, self._given = gallery, images is not None
        self._live = None if live is gallery else live
        self._known = lru_cache(_REMEMBERED)(self._look_up)
        features = gallery.features_of(())
        self._find: Callable[[str], Iterator[ImageRecord]] = lambda _: iter(())
        self._folders: list[Path] | None = None
        if features is not None:
            self._find = image_finder(
                features, images, offline=offline, announce=announce, page="the service"
            )
            self._folders = _folders(features, images)
        self.is_empty = not any(map(self._is_there, gallery.first_ids(_LOOKED_AT)))

    def content(self, image_id: str) -> str:
        """The digest of the bytes that a row was made of; empty where that is not known."""
        known = self._row(image_id)
        return "" if known is None else known.content

    def holds(self, image_id: str) -> bool:
        """Whether there is a row of this id, as far as it is known without asking a database."""
        return isinstance(self._gallery, Gallery) and image_id in self._gallery.places

    def has(self, image_id: str) -> bool:
        """Whether there is a row of this id."""
        return self._row(image_id) is not None

    def read(self, image_id: str) -> StoredImage | NoImage:
        """Read the file of an id of the gallery.

        Parameters
        ----------
        image_id : str
            One of the gallery's.

        Returns
        -------
        StoredImage or NoImage
        """
        known = self.content(image_id)
        if not known and not self._given:
            # A stranger's rows may name any file as theirs; by its digest it is known to be.
            return NoImage(
                "cannot be told from another file by its row; say where the images are with "
                f"{option('images', 'DIR')}"
            )
        missing = NoImage("is not where the images are")
        for record in self._find(image_id):
            if not self._is_inside(record):
                missing = NoImage("is a symbolic link that leads out of the folder of the images")
                continue
            try:
                data = read_bytes(record)
            except ImageError as error:
                missing = NoImage(str(error))
                continue
            content = digest_of(data)
            if known in ("", content):
                return StoredImage(data, content)
            missing = NoImage("has changed since its row was made", changed=True)
        return missing

    def _row(self, image_id: str) -> KnownRow | None:
        try:
            return self._known(image_id)
        except _UnknownError:
            return None

    def _look_up(self, image_id: str) -> KnownRow:
        for one in (self._gallery, self._live):
            if one is not None and (row := one.known([image_id]).get(image_id)) is not None:
                return row
        raise _UnknownError  # which is not remembered: it may be there tomorrow

    def _is_there(self, image_id: str) -> bool:
        return any(one.path is None or one.path.exists() for one in self._find(image_id))

    def _is_inside(self, record: ImageRecord) -> bool:
        if record.path is None or self._folders is None:
            return True
        real = record.path.resolve()
        return any(real.is_relative_to(folder) for folder in self._folders)


def _folders(
    features: Features, images: str | Path | Sequence[str | Path] | None
) -> list[Path] | None:
    """The folders that the images lie in; None where a table or an archive names them."""
    if images is None:
        places = [
            place
            for origin in every_origin(features.origin)
            for place in (origin.get("sources") or [origin.get("folder", ".")])
        ]
    else:
        places = [images] if isinstance(images, str | Path) else [*images]
    with suppress(PenultError):  # a stranger's, which have none
        places = expanded_arguments(as_sources(places))
    # One that is gone has no images, and the links in the others are watched all the same.
    folders = [Path(one) for one in places if not isinstance(one, Path) or one.exists()]
    return [one.resolve() for one in folders] if all(one.is_dir() for one in folders) else None
