"""The images in a tar archive, read where they lie: WebDataset shards, or a packed folder."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from penult.errors import SourceError
from penult.images.labels.annotations import Found, Top, split_of_name
from penult.images.sources.base import Shelf
from penult.images.sources.folder import EXTENSIONS, is_left_out, printable
from penult.images.sources.random_access import Blob
from penult.images.sources.tar.headers import TarDamage, read_headers
from penult.parsing import read_json
from penult.records import Failure
from penult.texts import Texts

__all__ = ["TarShelf", "compressed_tar"]

_COMPRESSED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_LABEL_BYTES = 1 << 20


def compressed_tar(name: str) -> bool:
    """A file's name says that it is a compressed tar archive, which cannot be read in place."""
    return name.lower().endswith(_COMPRESSED)


def refuse_compressed(name: str) -> SourceError:
    """Say what to do with a compressed archive."""
    return SourceError(
        f"{name} is compressed, so that no image in it can be reached without unpacking all before "
        f"it; unpack it, or pack it without compression, which JPEG and PNG have anyway"
    )


@dataclass(frozen=True)
class _Member:
    """A file in the archive: `key` is its path up to its name's first dot, `extension` the rest.

    Before the path, the key has the place of its archive, of several in one file.
    """

    name: str
    key: str
    extension: str
    offset: int
    size: int

    @property
    def is_image(self) -> bool:
        return f".{self.extension.lower().rpartition('.')[2]}" in EXTENSIONS

    @property
    def is_plain(self) -> bool:
        return f".{self.extension.lower()}" in EXTENSIONS


class TarShelf(Shelf):
    """The images in a tar archive; nothing is unpacked, nor is any of it kept in memory.

    In an archive files of one key (their path up to the first dot of the name) that follow each
    other belong together: ``7.jpg``, ``7.cls``. Where a key has an image of one extension
    (``7.jpg``), those of several (``7.mask.png``) go with it, and are passed over.

    Parameters
    ----------
    blob : the archive
    prefix : begins the ids, and is None for an only source
    folders : the names of the folders around the archive, which are around its images as well
    tops : which of these may be splits; the first folder in the archive may be one as well
    label : what states the labels: the file of this extension beside an image, or this name in
        the JSON file beside it; None leaves them unread. By default ``cls``, or else ``label``
    """

    is_sequential = True

    def __init__(
        self,
        blob: Blob,
        prefix: str | None,
        *,
        folders: tuple[str, ...] = (),
        tops: tuple[Top, ...] = (),
        label: str | None = "",
    ) -> None:
        super().__init__()
        self.is_remote = blob.is_remote
        self._blob, self._prefix = blob, f"{prefix}/" if prefix else ""
        self._folders, self._label = folders, label
        self._tops = (*tops, Top("*", len(folders)))  # one tree: shards are parts of a whole
        stem = printable(blob.name.replace("\\", "/").rpartition("/")[2]).rpartition(".")[0]
        self._split = split_of_name(stem)
        self._links: list[tuple[str, str]] = []  # a name, and what it leads to
        self._names = Texts()
        self._offsets, self._sizes = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._names)

    def scan(self) -> Iterator[Found]:
        """Read the headers, and labels beside images; damage to the archive is a failure."""
        try:
            with self._blob.file() as file:
                yield from self._samples(file)
        except OSError as error:
            self._fail(f"cannot be read to its end ({error.strerror or error})")

    def _samples(self, file: BinaryIO) -> Iterator[Found]:
        together: list[_Member] = []
        for member in self._members(file):
            if together and member.key != together[0].key:
                yield from self._sample(together, file)
                together = []
            together.append(member)
        yield from self._sample(together, file)
        for member in self._linked():
            yield from self._sample([member], file)

    def _members(self, file: BinaryIO) -> Iterator[_Member]:
        beginning = file.read(8)
        if any(beginning.startswith(magic) for magic in _MAGIC):
            raise refuse_compressed(self._blob.name)
        count = 0
        try:
            for start, header in read_headers(file, self._blob.size):
                name = header.name.removeprefix("./")
                if any(is_left_out(part) for part in name.split("/")):
                    continue
                if header.islnk() or header.issym():
                    self._links.append((name, header.linkname))
                elif header.isfile():
                    count += 1
                    reason = "is stored as a sparse file" if header.issparse() else ""
                    if "\0" in name:
                        reason = "has a NUL character in its name"
                    if reason:
                        self.failures.append(Failure(self._shown(name), reason))
                        continue
                    yield self._member(name, header.offset_data, header.size, start)
        except TarDamage as damage:
            before = f"; the {count:,} files before that were read" if count else ""
            self._fail(f"{damage}{before}")

    def _member(self, name: str, offset: int, size: int, start: int) -> _Member:
        folder, _, base = name.rpartition("/")
        stem, _, extension = base.partition(".")
        return _Member(name, f"{start}/{folder}/{stem}", extension, offset, size)

    def _linked(self) -> Iterator[_Member]:
        """A link to an image of the archive is that image once more."""
        if not self._links:
            return
        there = {self._names.raw(k): k for k in range(len(self._names))}
        for name, target in self._links:
            if not self._member(name, 0, 0, 0).is_image:
                continue
            target = target.removeprefix("./")
            beside = f"{name.rpartition('/')[0]}/{target}".removeprefix("/")
            found = [there.get(_encoded(path)) for path in (target, beside)]
            index = next((k for k in found if k is not None), None)
            if index is None:
                reason = f"is a link to {printable(target)}, which is no image in the archive"
                self.failures.append(Failure(self._shown(name), reason))
            else:
                yield self._member(name, self._offsets[index], self._sizes[index], 0)

    def _sample(self, together: list[_Member], file: BinaryIO) -> Iterator[Found]:
        """Of the files of one key, take the images, and what is said of them."""
        images = [member for member in together if member.is_image]
        images = [member for member in images if member.is_plain] or images
        labels = None
        for member in together:
            if member in images:
                continue
            extension = member.extension.lower()
            if not images or extension not in ("cls", "json", self._label):
                self.passed_over[f".{extension}" if extension else "(no extension)"] += 1
        if images and self._label is not None:
            labels = self._labels({m.extension.lower(): m for m in together}, file)
        for member in images:
            self._names.append(_encoded(member.name))
            self._offsets.append(member.offset)
            self._sizes.append(member.size)
            yield Found(
                self._shown(member.name),
                None,
                self._folders + tuple(printable(member.name).split("/")[:-1]),
                self._tops,
                labels,
                around=self._split,
            )

    def _labels(self, beside: dict[str, _Member], file: BinaryIO) -> tuple[str, ...] | None:
        own = beside.get(self._label or "cls")
        if own is not None and not own.is_image:
            text = self._text(own, file).strip()
            return (text,) if text else ()
        about = beside.get("json")
        if about is None:
            return () if self._label else None
        try:
            said = read_json(self._text(about, file))
        except ValueError as error:
            raise SourceError(f"{self._place(about.name)} is not JSON: {error}") from error
        name = self._label or "label"
        if not isinstance(said, dict) or name not in said:
            return () if self._label else None
        value = said[name]
        several = value if isinstance(value, list) else [value]
        if any(isinstance(one, dict | list) for one in several):
            raise SourceError(
                f"{self._place(about.name)}: {name} is {json.dumps(value)[:60]}; "
                f"allowed: a text, a number, or a list of them"
            )
        return tuple(dict.fromkeys(str(one) for one in several if one not in (None, "")))

    def _text(self, member: _Member, file: BinaryIO) -> str:
        if member.size > _LABEL_BYTES:
            raise SourceError(f"{self._place(member.name)} has {member.size:,} bytes, no label")
        file.seek(member.offset)
        try:
            return file.read(member.size).decode()
        except UnicodeDecodeError as error:
            raise SourceError(f"{self._place(member.name)} is not UTF-8 text") from error

    def _fail(self, reason: str) -> None:
        name = self._prefix.rstrip("/") or self._blob.name.rpartition("/")[2]
        self.failures.append(Failure(printable(name), reason))

    def _shown(self, name: str) -> str:
        return self._prefix + printable(name)

    def _place(self, name: str) -> str:
        return f"{printable(name)} in {self._blob.name}"

    def id(self, index: int) -> str:
        """Its path in the archive."""
        return self._prefix + self._names[index]

    def open(self, index: int) -> BinaryIO:
        """Open its bytes in the archive."""
        return self._blob.part(self._offsets[index], self._sizes[index])

    def stamp(self, index: int) -> Any:
        """Its size, and what tells that the archive is the same."""
        return [self._sizes[index], self._offsets[index], self._blob.stamp]

    def place(self, index: int) -> str:
        """Its name, and the archive's."""
        return self._place(self._names[index])


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
