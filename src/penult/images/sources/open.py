"""From a source to the shelves that its images are on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from penult.errors import SourceError, UsageError
from penult.images.labels.annotations import own_name, split_of_name, tops_of
from penult.images.labels.table import csv_rows
from penult.images.sources.arguments import Source
from penult.images.sources.base import Shelf
from penult.images.sources.folder import EXTENSIONS, FolderShelf, printable
from penult.images.sources.manifest import FilesShelf, ListShelf, lines_on, standard_input
from penult.images.sources.random_access import Blob, LocalBlob
from penult.images.sources.remote.source import RemoteBlob, RemoteShelf, is_folder
from penult.images.sources.tar.source import TarShelf, compressed_tar, refuse_compressed
from penult.records import Failure

__all__ = ["Shelves"]


class Shelves:
    """Opens the shelf, or shelves, of each source.

    Parameters
    ----------
    ignored : real paths that are not looked at
    column : the column of a source that states the labels; "" for the usual one, None for none
    offline : refuse what is on the network
    """

    def __init__(self, ignored: set[str], column: str | None, *, offline: bool) -> None:
        self._ignored, self._column, self._offline = ignored, column, offline

    def __call__(self, sources: Sequence[Source], names: Sequence[str]) -> Iterator[Shelf]:
        """In the order of the ids, as far as the names tell; each is scanned before the next."""
        several = len(sources) > 1
        files: list[tuple[str, Path]] = []
        for source, name in sorted(zip(sources, names, strict=True), key=lambda s: f"{s[1]}/"):
            prefix = name if several else None
            kind = _extension(source)
            if source == "-":
                self._refuse_column(source)
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
            self._refuse_column(files[0][1])
            yield FilesShelf(files)

    def _folder(self, folder: Path, prefix: str | None) -> Iterator[Shelf]:
        shelf = FolderShelf(folder, prefix, self._ignored)
        yield shelf
        if len(shelf):
            self._refuse_column(folder)
        else:
            for below in sorted(shelf.archives):
                blob = LocalBlob(folder / below)
                yield from self._inner(shelf, blob, printable(below), prefix)

    def _remote_folder(self, url: str, prefix: str | None) -> Iterator[Shelf]:
        shelf = RemoteShelf(url, prefix)
        yield shelf
        if len(shelf):
            self._refuse_column(url)
        else:
            for address, below in sorted(shelf.archives):
                yield from self._inner(shelf, RemoteBlob(address), below, prefix)

    def _refuse_column(self, source: Source) -> None:
        if self._column:
            raise UsageError(
                f"{source} is no table with a column {self._column}; labels column:NAME is for "
                f"lists and archives"
            )

    def _inner(self, outer: Shelf, blob: Blob, below: str, prefix: str | None) -> Iterator[Shelf]:
        """The shelf of an archive in a folder."""
        name = f"{prefix}/{below}" if prefix else below
        try:
            if _extension(blob.name) == ".parquet" and not _holds_images(blob):
                return
        except SourceError as error:  # of many archives, one that is damaged is not the end
            outer.failures.append(Failure(name, str(error)))
            return
        outer.passed_over[_extension(blob.name)] -= 1
        folders = own_name(prefix) + tuple(below.split("/")[:-1])
        yield self._archive(blob, name, folders=folders, tops=tops_of(prefix))

    def _archive(self, blob: Blob, prefix: str | None, **around: Any) -> Shelf:
        if _extension(blob.name) == ".tar":
            return TarShelf(blob, prefix, label=self._column, **around)
        from penult.images.sources.parquet.source import ParquetShelf

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
            rows = partial(csv_rows, blob.name, blob.stream, label=self._column or None)
            return self._list(blob.name, rows, base, prefix)
        from penult.images.sources.parquet.columns import parquet_rows

        rows = partial(parquet_rows, blob, self._column or None)
        return self._list(blob.name, rows, base, prefix, unit="row")

    def _list(
        self, name: str, rows: Any, base: str, prefix: str | None, unit: str = "line"
    ) -> Shelf:
        split = split_of_name(PurePosixPath(name).stem) if name != "standard input" else None
        return ListShelf(
            name, rows, base=base, prefix=prefix, split=split, unit=unit, offline=self._offline
        )


def _holds_images(blob: Blob) -> bool:
    from penult.images.sources.parquet.columns import holds_images

    return holds_images(blob)


def _extension(source: Source) -> str:
    return os.path.splitext(str(source))[1].lower()  # noqa: PTH122 - may be an address


def _above(prefix: str | None) -> str | None:
    return prefix.rpartition("/")[0] or None if prefix else None
