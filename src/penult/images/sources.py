"""Folders, files, lists, archives and addresses become a list of image records.

In the same order on every system.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from penult.errors import PathNotFoundError, SourceError, UsageError
from penult.images.blob import Blob, LocalBlob
from penult.images.labels import (
    Found,
    Known,
    by_pattern,
    by_source,
    split_of_name,
    split_off,
    unlabelled,
)
from penult.images.listed import Records
from penult.images.lists import FilesShelf, ListShelf, lines_on, standard_input
from penult.images.network import is_url
from penult.images.remote import RemoteBlob, RemoteShelf, is_folder
from penult.images.shelf import Shelf
from penult.images.table import LabelTable, csv_rows
from penult.images.tar import TarShelf, compressed_tar, refuse_compressed
from penult.images.walk import EXTENSIONS, FolderShelf, printable
from penult.records import Failure

__all__ = ["Listing", "as_sources", "list_images", "origin_of"]

_REMOTE_READERS = 16
_MOST_IN_BRACES = 100_000

Source = str | Path


@dataclass(frozen=True)
class Listing:
    """What was found in the sources.

    Attributes
    ----------
    records : sorted by id, ids unique
    failures : folders and archives that could not be read (to the end), and images that a table
        names but that do not exist
    passed_over : extension, in lower case and with its dot, to the number of files passed over
    """

    records: Records
    failures: tuple[Failure, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)

    @property
    def readers(self) -> int | None:
        """How many threads should read at once where that waits for a network; else None."""
        return _REMOTE_READERS if self.records.is_remote else None


def as_sources(images: Source | Sequence[Source]) -> list[Source]:
    """What was given as images, as a list of paths, addresses, and ``-`` for standard input."""
    given = [images] if isinstance(images, str | Path) else images
    return [one if one == "-" or is_url(one) else Path(one) for one in given]


def origin_of(sources: Sequence[Source]) -> dict[str, Any]:
    """What a feature file notes of its sources, so that its images can be found again."""
    noted: dict[str, Any] = {
        "sources": [str(s.absolute()) if isinstance(s, Path) else s for s in sources]
    }
    if "-" in sources:
        noted["folder"] = str(Path.cwd())  # what the paths on standard input are relative to
    return noted


def list_images(
    sources: Sequence[Source],
    *,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    leave_out: Sequence[Path] = (),
) -> Listing:
    r"""List the images in folders, archives, lists and addresses, and files given one by one.

    The id of an image is its path relative to the source, with ``/``; of several sources, the id
    begins with the source's name. Bytes of a name that are not UTF-8 are escaped (``\xe9``).
    Symbolic links are followed, but not back into a folder above them. Hidden files and folders
    and ``__MACOSX`` are left out. A file given by itself is taken whatever its name, but for
    ``.csv``, ``.parquet`` and ``.tar``. A folder without an image file is searched for archives.
    docs/images.md has the rules of each source.

    A top folder named as in `SPLITS` (of several sources, also the source itself) is the split of
    its images, and not their label.

    Parameters
    ----------
    sources : as `as_sources` gives them
    labels : ``"parent"`` (what the source states, or else the folder it lies in), ``"none"``,
        ``"column:NAME"`` (of the source's own table), or a CSV file (see `LabelTable`)
    label_pattern : a regular expression for file names instead (see `by_pattern`)
    leave_out : files and folders that are not looked at, even if they lie in a source

    Raises
    ------
    PathNotFoundError
        If a source or the CSV file does not exist; suggests a close name.
    SourceError
        If there is no image, or the CSV file is wrong or has nothing to do with the images.
    UsageError, MissingExtraError
        If the options are wrong, a source is given twice, or an extra is needed for it.
    """
    if not sources:
        raise UsageError("no folder or image was given")
    if "-" in sources and len(sources) > 1:
        raise UsageError("- (standard input) goes alone; write the other paths on it as well")
    rule, column = _rule(labels, label_pattern)
    ignored = [*leave_out, *([rule.file] if isinstance(rule, LabelTable) else [])]
    open_shelves = _Shelves({os.path.realpath(path) for path in ignored}, column)
    sources = [one for source in sources for one in dict.fromkeys(_expanded(source))]
    names = _source_names(sources)
    records, shelves = Records(), list[Shelf]()
    for shelf in open_shelves(sources, names):
        shelves.append(shelf)
        records.add(shelf, shelf.scan(), rule)
    passed_over = sum((shelf.passed_over for shelf in shelves), Counter[str]())
    failures = [failure for shelf in shelves for failure in shelf.failures]
    if not records:
        raise SourceError(_nothing_found(sources, failures, passed_over))
    records.sort()
    if isinstance(rule, LabelTable):
        failures += _missing(rule, records)
    failures.sort(key=lambda failure: failure.id)
    return Listing(records, tuple(failures), dict(+passed_over))


def _rule(
    labels: str | Path, label_pattern: str | None
) -> tuple[Callable[[Found], Known], str | None]:
    """What is known of an image; and the column of its source that says so, None for no matter."""
    if label_pattern is not None:
        if labels != "parent":
            raise UsageError(f"a label pattern and labels {str(labels)!r} exclude each other")
        return by_pattern(label_pattern), None
    if labels == "parent":
        return by_source, ""
    if labels == "none":
        return unlabelled, None
    if isinstance(labels, str) and labels.startswith("column:"):
        if labels == "column:":
            raise UsageError("labels 'column:' names no column; write e.g. column:species")
        return by_source, labels.removeprefix("column:")
    if not isinstance(labels, Path) and not labels.lower().endswith(".csv"):
        raise UsageError(
            f"labels {labels!r} is not known; allowed: parent, none, column:NAME, or the name of a "
            f".csv file"
        )
    return LabelTable(_existing(Path(labels))), None


class _Shelves:
    """Opens the shelf, or shelves, of each source.

    Parameters
    ----------
    ignored : real paths that are not looked at
    column : the column of a source that states the labels; "" for the usual one, None for none
    """

    def __init__(self, ignored: set[str], column: str | None) -> None:
        self._ignored, self._column = ignored, column

    def __call__(self, sources: Sequence[Source], names: Sequence[str]) -> Iterator[Shelf]:
        """In the order of the ids, as far as the names tell; each is scanned before the next."""
        several = len(sources) > 1
        files: list[tuple[str, Path]] = []
        for source, name in sorted(zip(sources, names, strict=True), key=lambda s: f"{s[1]}/"):
            prefix = name if several else None
            kind = _extension(source)
            if source == "-":
                rows = partial(lines_on, standard_input())
                yield self._list("standard input", rows, os.curdir, prefix)
            elif isinstance(source, Path) and source.is_dir():
                yield from self._folder(source, prefix)
            elif kind in (".csv", ".parquet", ".tar") or compressed_tar(str(source)):
                blob = LocalBlob(source) if isinstance(source, Path) else RemoteBlob(source)
                yield self._file(blob, kind, prefix)
            elif isinstance(source, Path):
                files.append((name, source))
            elif kind not in EXTENSIONS and is_folder(source):
                yield from self._remote_folder(source, prefix)
            else:
                base, _, last = source.rpartition("/")
                rows = partial(lines_on, last.encode())
                yield ListShelf("the arguments", rows, base=base, prefix=_above(prefix))
        if files:
            yield FilesShelf(files)

    def _folder(self, folder: Path, prefix: str | None) -> Iterator[Shelf]:
        shelf = FolderShelf(folder, prefix, self._ignored)
        yield shelf
        if not len(shelf):
            for below in sorted(shelf.archives):
                blob = LocalBlob(folder / below)
                yield from self._inner(shelf, blob, printable(below), prefix)

    def _remote_folder(self, url: str, prefix: str | None) -> Iterator[Shelf]:
        shelf = RemoteShelf(url, prefix)
        yield shelf
        if not len(shelf):
            for address, below in sorted(shelf.archives):
                yield from self._inner(shelf, RemoteBlob(address), below, prefix)

    def _inner(self, outer: Shelf, blob: Blob, below: str, prefix: str | None) -> Iterator[Shelf]:
        """The shelf of an archive in a folder."""
        if _extension(blob.name) == ".parquet" and not _holds_images(blob):
            return
        own_name = (prefix.rpartition("/")[2],) if prefix else ()
        folders, split = split_off(own_name, tuple(below.split("/")[:-1]))
        name = f"{prefix}/{below}" if prefix else below
        outer.passed_over[_extension(blob.name)] -= 1
        yield self._archive(blob, name, folders=folders, split=split)

    def _archive(self, blob: Blob, prefix: str | None, **around: Any) -> Shelf:
        if _extension(blob.name) == ".tar":
            return TarShelf(blob, prefix, label=self._column, **around)
        from penult.images.parquet import ParquetShelf

        return ParquetShelf(blob, prefix, label=self._column, **around)

    def _file(self, blob: Blob, kind: str, prefix: str | None) -> Shelf:
        """The shelf of a manifest or an archive that was given by itself."""
        if compressed_tar(blob.name):
            raise refuse_compressed(blob.name)
        if kind == ".tar" or (kind == ".parquet" and _holds_images(blob)):
            return self._archive(blob, prefix)
        name = blob.name.replace(os.sep, "/") if not blob.is_remote else blob.name
        base = name.rpartition("/")[0] or ("/" if name.startswith("/") else os.curdir)
        if kind == ".csv":
            rows = partial(csv_rows, blob.name, blob.file, label=self._column or None)
            return self._list(blob.name, rows, base, prefix)
        from penult.images.parquet import parquet_rows

        rows = partial(parquet_rows, blob, self._column or None)
        return self._list(blob.name, rows, base, prefix, unit="row")

    def _list(
        self, name: str, rows: Any, base: str, prefix: str | None, unit: str = "line"
    ) -> Shelf:
        split = split_of_name(PurePosixPath(name).stem) if name != "standard input" else None
        return ListShelf(name, rows, base=base, prefix=prefix, split=split, unit=unit)


def _holds_images(blob: Blob) -> bool:
    from penult.images.parquet import holds_images

    return holds_images(blob)


def _extension(source: Source) -> str:
    return os.path.splitext(str(source))[1].lower()  # noqa: PTH122 - may be an address


def _above(prefix: str | None) -> str | None:
    return prefix.rpartition("/")[0] or None if prefix else None


def _expanded(source: Source) -> list[Source]:
    """Write out ``shards/{000..003}.tar`` and ``{a,b}.csv``, unless there is such a file."""
    text = str(source)
    found = re.search(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}", text)
    if found is None or (isinstance(source, Path) and source.exists()):
        return [source]
    first, last, names = found.groups()
    if names is not None:
        inner = names.split(",")
    else:
        low, high = int(first), int(last)
        if high < low or high - low >= _MOST_IN_BRACES:
            raise UsageError(
                f"{text}: {found[0]} has to count up, and not past {_MOST_IN_BRACES:,} names"
            )
        inner = [str(k).zfill(len(first)) for k in range(low, high + 1)]
    written = [text[: found.start()] + one + text[found.end() :] for one in inner]
    kind = Path if isinstance(source, Path) else str
    return [one for name in written for one in _expanded(kind(name))]


def _existing(path: Path) -> Path:
    try:
        os.stat(path)  # noqa: PTH116 - unlike Path.exists, says why not
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise PathNotFoundError(f"no such file or folder: {path}{_did_you_mean(path)}") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    return path


def _did_you_mean(path: Path) -> str:
    try:
        close = get_close_matches(path.name, os.listdir(path.parent), n=1)  # noqa: PTH208
    except (OSError, ValueError):
        return ""
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def _source_names(sources: Sequence[Source]) -> list[str]:
    """Name each source by its last component, or by as many as tell it from the others."""
    _refuse_overlap(sources)
    parts = [
        Path(os.path.abspath(source)).parts  # noqa: PTH100 - no links
        if isinstance(source, Path)
        else tuple(filter(None, source.replace("://", "/").split("/")))
        for source in sources
    ]
    length = 1
    names = [_join(p[-1:]) for p in parts]
    while clashing := {name for name, count in Counter(names).items() if count > 1}:
        length += 1
        names = [
            _join(p[-length:]) if name in clashing else name
            for p, name in zip(parts, names, strict=True)
        ]
    return names


def _refuse_overlap(sources: Sequence[Source]) -> None:
    real = [
        Path(os.path.realpath(_existing(source))) if isinstance(source, Path) else source
        for source in sources
    ]
    given, count = dict(zip(real, sources, strict=True)), Counter(real)
    for source, path in zip(sources, real, strict=True):
        if count[path] > 1:
            raise UsageError(f"{source} was given twice")
        parents = path.parents if isinstance(path, Path) else ()
        above = next((given[parent] for parent in parents if parent in given), None)
        if above is not None:
            raise UsageError(f"{source} lies in {above}, so its images would be taken twice")


def _join(parts: Sequence[str]) -> str:
    return "/".join(printable(part).strip("/\\") for part in parts)


def _missing(table: LabelTable, records: Records) -> list[Failure]:
    unmatched = table.unmatched()
    if not table.matched:
        example = f"it names e.g. {unmatched[0]!r}" if unmatched else "it names none at all"
        raise SourceError(
            f"{table.file} names none of the images: {example}, while the images are e.g. "
            f"{records[0].id!r}; its paths must be relative to the source folder"
        )
    reason = f"named in {table.file.name}, but there is no such image"
    return [Failure(path, reason) for path in unmatched]


def _nothing_found(
    sources: Sequence[Source], failures: Sequence[Failure], passed_over: Counter[str]
) -> str:
    names = ["standard input" if source == "-" else str(source) for source in sources]
    message = f"no images in {', '.join(names)}"
    if failures:
        message += f"; {failures[0].id}: {failures[0].reason}"
    others = ", ".join(f"{count} {ext}" for ext, count in passed_over.most_common(5) if count)
    message += f"; other files there: {others}" if others else "; no other files either"
    return f"{message}; images end in {' '.join(sorted(EXTENSIONS))}"
