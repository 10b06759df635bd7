"""The images in a tar archive, read where they lie: WebDataset shards, or a packed folder."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from tarfile import TarInfo
from typing import Any, BinaryIO

from penult import wording
from penult.errors import ImageError, SourceError, UsageError
from penult.images.labels.annotations import ImageEntry, SplitCandidate, split_of_name
from penult.images.sources.base import ImageSource, SourceLocation
from penult.images.sources.file_names import escape_undecodable, has_hidden_part
from penult.images.sources.random_access import RandomAccessFile
from penult.images.sources.tar.apart import LabelsApart
from penult.images.sources.tar.headers import TarDamage, read_headers
from penult.images.sources.tar.kind import compressed
from penult.images.sources.tar.links import LinkTargets
from penult.images.sources.tar.members import Member, is_folder, member_of, path_in_archive
from penult.parsing import read_json
from penult.records import Failure
from penult.texts import FileNames, Numbers

__all__ = ["TarSource"]

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_SHIFTED = "is followed by what is no header, so that its bytes may be those of another file"
_LABEL_BYTES = 1 << 20
_MOST_NAMED = 20  # names of what may be a label, in a message


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
        self._links: list[Member] = []
        self._starts: list[int] = []  # of archives, of several in one file
        self._names = FileNames()
        self._offsets, self._sizes = Numbers("q"), Numbers("q")
        self._has_label = bytearray()  # whether a file beside the image is there to state it
        self._headers: dict[int, int] = {}  # of links: where their headers are
        self._unread: dict[int, str] = {}  # why, of what is no file, or has no readable label
        self._apart = LabelsApart()
        self._is_stated = self._is_damaged = False  # whether some image has what states its label
        self._beside: set[str] = set()  # what else could state it

    def __len__(self) -> int:
        return len(self._names)

    def scan(self) -> Iterator[ImageEntry]:
        """Read the headers, and labels beside images; damage to the archive is a failure."""
        try:
            with self._file.open() as file:
                yield from self._samples(file)
        except OSError as error:
            self._fail(f"cannot be read to its end ({error.strerror or error})")
        apart = self._apart.count(self._names)
        if apart:
            self.labels_apart[self._own_name()] = apart
        # Of a damaged archive, what was read may be too little to say so.
        if self._label and len(self) and not (self._is_stated or self._is_damaged):
            raise UsageError(self._no_such_label(apart))

    def _no_such_label(self, apart: int) -> str:
        label = self._label
        missing = f"no image has a file .{label}, or {label} in a .json file, beside it"
        if apart:
            stand = "stands" if apart == 1 else "stand"
            found = (
                f"{wording.count(apart, 'label file')} of images {stand} elsewhere in the archive; "
                "pack the folder anew, in the order of names: "
                "tar --sort=name -cf FILE.tar -C FOLDER ."
            )
        else:
            found = f"beside images there is {', '.join(sorted(self._beside)) or 'nothing'}"
        return f"{self._file.name}: {missing}; {found}"

    def _samples(self, file: BinaryIO) -> Iterator[ImageEntry]:
        together: list[Member] = []
        later: list[list[Member]] = []  # what has links in it, which may lead to what comes then
        others: list[Member] = []  # links that are no images and no labels
        has_links = False
        for member in self._members(file):
            if member.target is not None and not (member.is_image or self._is_label(member)):
                others.append(member)
                continue
            if together and member.key != together[0].key:
                if has_links:
                    later.append(together)
                else:
                    yield from self._sample(together, file)
                together, has_links = [], False
            together.append(member)
            has_links = has_links or member.target is not None
        if not self._links:
            yield from self._sample(together, file)
            return
        later.append(together)
        targets = LinkTargets(self._links, self._all_paths(file))
        for together in later:
            followed = [one if one.target is None else targets.file(one) for one in together]
            yield from self._sample(followed, file, is_linked=True)
        self._tell_of_folders(others, targets)
        self._links.clear()

    def _all_paths(self, file: BinaryIO) -> Iterator[tuple[str, Member | None]]:
        """Read once more all that the archive holds; damage to it is told already."""
        with suppress(TarDamage):
            for start, header in read_headers(file, self._file.size):
                name = path_in_archive(header.name)
                if name is None:
                    continue
                member = member_of(header, name, start)
                if member is not None or is_folder(header):
                    yield name.rstrip("/"), member

    def _members(self, file: BinaryIO) -> Iterator[Member]:
        beginning = file.read(8)
        if any(beginning.startswith(magic) for magic in _MAGIC):
            raise compressed(self._file.name)
        count = 0
        last: Member | None = None
        try:
            for start, header in read_headers(file, self._file.size):
                if not self._starts or start != self._starts[-1]:
                    self._starts.append(start)
                name = path_in_archive(header.name)
                if name is None or "\0" in name:
                    self._refuse_name(header, start)
                    continue
                member = member_of(header, name, start)
                if member is None:
                    continue
                if member.target is not None:
                    self._links.append(member)
                if has_hidden_part(name):
                    continue
                count += member.target is None
                if last is not None:
                    yield last
                last = member
        except TarDamage as damage:
            if last is not None and damage.is_shifted:
                last = last._replace(reason=_SHIFTED)
            before = f"; before that: {wording.count(count, 'file')} read" if count else ""
            self._fail(f"{damage}{before}")
        if last is not None:
            yield last

    def _refuse_name(self, header: TarInfo, start: int) -> None:
        named = "/".join(part for part in header.name.split("/") if part not in (".", ".."))
        if member_of(header, named, start) is not None and not has_hidden_part(named):
            reason = "has a name that leads out of the archive"
            if "\0" in header.name:
                reason = "has a NUL character in its name"
            self.failures.append(Failure(self._shown(header.name), reason))

    def _is_label(self, member: Member) -> bool:
        return member.extension.lower() in ("cls", "json", self._label or "cls")

    def _states_label(self, member: Member) -> bool:
        """Whether it would be read, if it stood beside an image."""
        extension = member.extension.lower()
        return self._label is not None and extension in (self._label or "cls", "json")

    def _tell_of_folders(self, links: list[Member], targets: LinkTargets) -> None:
        """Name the links to folders of images, and those that may be; others are passed over."""
        ends = {link.at: targets.folder(link) for link in links}
        wanted = {_encoded(path) for path in ends.values() if path}
        found = set[bytes]()
        for index in range(len(self) if wanted else 0):
            folder = self._names.raw(index)
            while folder := folder.rpartition(b"/")[0]:
                if folder in wanted:
                    found.add(folder)
        for link in links:
            path, told = ends[link.at], targets.away(link)
            if told and not link.extension:  # a folder, as far as its name says
                told = f"{told}; if it is a folder of images, pack it with tar -h, which follows it"
                self.failures.append(Failure(self._shown(link.name), told))
            elif path is None or _encoded(path) not in found:
                self._pass_over(link)
            elif not link.name.startswith(f"{path}/"):  # else all in it is found already
                reason = (
                    f"is a link to the folder {escape_undecodable(path)}, and such links are not "
                    f"followed in an archive; pack the folder with tar -h, which does"
                )
                self.failures.append(Failure(self._shown(link.name), reason))

    def _pass_over(self, member: Member) -> None:
        extension = escape_undecodable(member.extension.lower())
        self.passed_over[f".{extension}" if extension else "(no extension)"] += 1

    def _sample(
        self, together: list[Member], file: BinaryIO, *, is_linked: bool = False
    ) -> Iterator[ImageEntry]:
        """Of the files of one key, take the images, and what is said of them."""
        labels: tuple[str, ...] | None = None
        unread = ""
        has_label = False
        if len(together) == 1 and together[0].is_plain:
            images = together
        else:
            images = [member for member in together if member.is_image]
            images = [member for member in images if member.is_plain] or images
            others = [member for member in together if member not in images]
            has_label = any(map(self._is_label, others))
            for member in others:
                if not images or not self._is_label(member):
                    self._pass_over(member)
                if self._states_label(member):
                    note = self._apart.add_beside if images else self._apart.add
                    note(_encoded(member.name), member.at)
        if images and self._label is not None:
            try:
                labels = self._labels({m.extension.lower(): m for m in together}, file)
            except _LabelError as error:  # is theirs alone: one image, one outcome
                labels, unread, self._is_damaged = (), str(error), True
        for member in images:
            index = len(self._names)
            if member.reason or unread:
                self._unread[index] = member.reason or unread
            if is_linked:
                self._headers[index] = member.at
            self._names.append(_encoded(member.name))
            self._offsets.append(member.offset)
            self._sizes.append(member.size)
            self._has_label.append(has_label)
            shown = escape_undecodable(member.name)
            yield ImageEntry(
                self._prefix + shown,
                None,
                (*self._folders, *shown.split("/")[:-1]),
                self._candidates,
                labels,
                container_split=self._split,
            )

    def _labels(self, beside: dict[str, Member], file: BinaryIO) -> tuple[str, ...] | None:
        own = beside.get(self._label or "cls")
        if own is not None and not own.is_image:
            self._is_stated = True
            text = self._text(own, file).strip()
            return (text,) if text else ()
        about = beside.get("json")
        self._could_state(m.extension for m in beside.values() if m is not about and not m.is_image)
        if about is None:
            return () if self._label else None
        try:
            said = read_json(self._text(about, file))
        except ValueError as error:
            raise _unreadable(about, f"is not JSON: {error}") from error
        name = self._label or "label"
        if not isinstance(said, dict) or name not in said:
            self._could_state(said if isinstance(said, dict) else ())
            return () if self._label else None
        self._is_stated = True
        value = said[name]
        several = value if isinstance(value, list) else [value]
        if any(isinstance(one, dict | list) for one in several):
            raise SourceError(
                f"{self._place(about.name)}: {name} is {json.dumps(value)[:60]}; "
                f"allowed: a text, a number, or a list of them"
            )
        return tuple(dict.fromkeys(str(one) for one in several if one not in (None, "")))

    def _could_state(self, names: Iterable[str]) -> None:
        if self._label and not self._is_stated and len(self._beside) < _MOST_NAMED:
            self._beside.update(escape_undecodable(name) for name in islice(names, _MOST_NAMED))

    def _text(self, member: Member, file: BinaryIO) -> str:
        if member.reason:
            raise _unreadable(member, member.reason)
        if member.size > _LABEL_BYTES:
            raise _unreadable(member, f"has {member.size:,} bytes, no label")
        file.seek(member.offset)
        try:
            return file.read(member.size).decode()
        except UnicodeDecodeError as error:
            raise _unreadable(member, "is not UTF-8 text") from error

    def _fail(self, reason: str) -> None:
        self._is_damaged = True
        self.failures.append(Failure(self._own_name(), reason))

    def _own_name(self) -> str:
        """What messages call the archive."""
        name = escape_undecodable(self._file.name.rpartition("/")[2])
        return self._prefix.rstrip("/") or name

    def _shown(self, name: str) -> str:
        return self._prefix + escape_undecodable(name)

    def _place(self, name: str) -> str:
        return f"{escape_undecodable(name)} in {self._file.name}"

    def id(self, index: int) -> str:
        """Its path in the archive."""
        return self._prefix + self._names[index]

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Open its bytes in the archive."""
        if index in self._unread:
            return partial(_refuse, self._unread[index])
        return partial(self._file.open_range, self._offsets[index], self._sizes[index])

    def stamp(self, index: int) -> Any:
        """Its size, and what tells that the archive is the same."""
        return [self._sizes[index], self._offsets[index], self._file.stamp]

    def later(self, first: int, second: int) -> int:
        """The one that was packed later, in one archive; tar would overwrite the other."""
        at = {index: self._headers.get(index, self._offsets[index]) for index in (first, second)}
        if len({bisect_right(self._starts, place) for place in at.values()}) > 1:
            raise SourceError(
                f"{self._file.name} holds several archives, one after the other, and "
                f"{self._names[first]} is in two of them; give each archive as a file of its own"
            )
        last = max(at, key=at.__getitem__)
        before = second if last == first else first
        if self._label is not None and self._has_label[before] and not self._has_label[last]:
            raise SourceError(
                f"{self.place(last)} is there twice, and the later one has no label beside it; add "
                f"the image and its label to the archive once more, one after the other"
            )
        return last

    def place(self, index: int) -> str:
        """Its name, and the archive's."""
        return f"{self._names[index]} in {self._file.name}"


class _LabelError(Exception):
    """Why what states the label of an image cannot be read."""


def _unreadable(member: Member, reason: str) -> _LabelError:
    shown = escape_undecodable(member.name)
    return _LabelError(f"has a label that cannot be read: {shown} {reason}")


def _refuse(reason: str) -> BinaryIO:
    raise ImageError(reason)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
