"""The images in a tar archive, read where they lie: WebDataset shards, or a packed folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from penult import wording
from penult.errors import SourceError
from penult.images.labels.annotations import ImageEntry, SplitCandidate, split_of_name
from penult.images.sources.base import (
    ImageSource,
    SourceArgument,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.file_names import IMAGE_EXTENSIONS, escape_undecodable, has_hidden_part
from penult.images.sources.random_access import RandomAccessFile, random_access
from penult.images.sources.tar.headers import TarDamage, read_headers
from penult.parsing import read_json
from penult.records import Failure
from penult.texts import FileNames, Numbers

__all__ = ["TAR", "TarSource"]

_COMPRESSED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_LABEL_BYTES = 1 << 20


def _is_compressed(argument: SourceArgument) -> bool:
    """Whether its name is that of a compressed tar archive, which cannot be read in place."""
    return str(argument).lower().endswith(_COMPRESSED)


def _compressed(name: str) -> SourceError:
    return SourceError(
        f"{name} is compressed, so that no image in it can be reached without unpacking all before "
        f"it; unpack it, or pack it without compression, which JPEG and PNG have anyway"
    )


class _Member(NamedTuple):
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
        return f".{self.extension.lower().rpartition('.')[2]}" in IMAGE_EXTENSIONS

    @property
    def is_plain(self) -> bool:
        return f".{self.extension.lower()}" in IMAGE_EXTENSIONS


class TarSource(ImageSource):
    """The images in a tar archive; nothing is unpacked, nor is any of it kept in memory.

    In an archive files of one key (their path up to the first dot of the name) that follow each
    other belong together: ``7.jpg``, ``7.cls``. Where a key has an image of one extension
    (``7.jpg``), those of several (``7.mask.png``) go with it, and are passed over.

    Parameters
    ----------
    file : RandomAccessFile
        The archive.
    location : SourceLocation
        Where it is. The folders around the archive are around its images as well, and the first
        folder in it may be a split, too.
    label : str or None
        What states the labels: the file of this extension beside an image, or this name in the
        JSON file beside it; "" for ``cls`` or else ``label``, None leaves them unread.
    """

    is_sequential = True

    def __init__(self, file: RandomAccessFile, location: SourceLocation, label: str | None) -> None:
        super().__init__()
        self.is_remote = file.is_remote
        self._file, self._label = file, label
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._folders = location.folders
        # One tree for all archives: shards are parts of a whole.
        self._candidates = (*location.candidates, SplitCandidate("*", len(location.folders)))
        name = escape_undecodable(file.name.replace("\\", "/").rpartition("/")[2])
        self._split = split_of_name(name.rpartition(".")[0])
        self._links: list[tuple[str, str]] = []  # a name, and what it leads to
        self._names = FileNames()
        self._offsets, self._sizes = Numbers("q"), Numbers("q")

    def __len__(self) -> int:
        return len(self._names)

    def scan(self) -> Iterator[ImageEntry]:
        """Read the headers, and labels beside images; damage to the archive is a failure."""
        try:
            with self._file.open() as file:
                yield from self._samples(file)
        except OSError as error:
            self._fail(f"cannot be read to its end ({error.strerror or error})")

    def _samples(self, file: BinaryIO) -> Iterator[ImageEntry]:
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
            raise _compressed(self._file.name)
        count = 0
        try:
            for start, header in read_headers(file, self._file.size):
                name = header.name.removeprefix("./")
                if has_hidden_part(name):
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
            before = f"; before that: {wording.count(count, 'file')} read" if count else ""
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
                reason = (
                    f"is a link to {escape_undecodable(target)}, which is no image in the archive"
                )
                self.failures.append(Failure(self._shown(name), reason))
            else:
                yield self._member(name, self._offsets[index], self._sizes[index], 0)

    def _sample(self, together: list[_Member], file: BinaryIO) -> Iterator[ImageEntry]:
        """Of the files of one key, take the images, and what is said of them."""
        labels: tuple[str, ...] | None = None
        if len(together) == 1 and together[0].is_plain:
            images = together
        else:
            images = [member for member in together if member.is_image]
            images = [member for member in images if member.is_plain] or images
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
            shown = escape_undecodable(member.name)
            yield ImageEntry(
                self._prefix + shown,
                None,
                (*self._folders, *shown.split("/")[:-1]),
                self._candidates,
                labels,
                container_split=self._split,
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
        name = escape_undecodable(self._file.name.rpartition("/")[2])
        self.failures.append(Failure(self._prefix.rstrip("/") or name, reason))

    def _shown(self, name: str) -> str:
        return self._prefix + escape_undecodable(name)

    def _place(self, name: str) -> str:
        return f"{escape_undecodable(name)} in {self._file.name}"

    def id(self, index: int) -> str:
        """Its path in the archive."""
        return self._prefix + self._names[index]

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Open its bytes in the archive."""
        return partial(self._file.open_range, self._offsets[index], self._sizes[index])

    def stamp(self, index: int) -> Any:
        """Its size, and what tells that the archive is the same."""
        return [self._sizes[index], self._offsets[index], self._file.stamp]

    def place(self, index: int) -> str:
        """Its name, and the archive's."""
        return f"{self._names[index]} in {self._file.name}"


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _matches(argument: SourceArgument) -> bool:
    return extension_of(argument) == ".tar" or _is_compressed(argument)


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    if _is_compressed(location.argument):
        raise _compressed(str(location.argument))
    yield TarSource(random_access(location.argument), location, options.label_column)


TAR = SourceKind(_matches, _open, archive_extension=".tar", has_label_column=True)
