"""Folders and files become a list of image records, in the same order on every system."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from pathlib import Path

from penult.errors import PathNotFoundError, SourceError, UsageError
from penult.images.files import open_regular
from penult.images.labels import SPLITS, Found, Known, by_folder, by_pattern, unlabelled
from penult.images.table import LabelTable
from penult.records import Failure, ImageRecord

__all__ = ["EXTENSIONS", "Listing", "list_images"]

EXTENSIONS = frozenset(
    [".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
"""File name extensions taken for images, in any case."""


@dataclass(frozen=True)
class Listing:
    """What was found in the sources.

    Attributes
    ----------
    records : sorted by id, ids unique
    failures : folders that could not be read, and images that a table names but that do not exist
    passed_over : extension, in lower case and with its dot, to the number of files passed over
    """

    records: tuple[ImageRecord, ...]
    failures: tuple[Failure, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)


def list_images(
    sources: Sequence[Path],
    *,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
) -> Listing:
    r"""List the images in folders, and files given one by one.

    The id of an image is its path relative to the source, with ``/``; of several sources, the id
    begins with the source's name. Bytes of a name that are not UTF-8 are escaped (``\xe9``).
    Symbolic links are followed, but not back into a folder above them. Hidden files and folders
    and ``__MACOSX`` are left out. A file given by itself is taken whatever its name.

    A top folder named as in `SPLITS` (of several sources, also the source itself) is the split of
    its images, and not their label.

    Parameters
    ----------
    sources : folders and files
    labels : ``"parent"`` (the folder it lies in), ``"none"``, or a CSV file (see `LabelTable`)
    label_pattern : a regular expression for file names instead (see `by_pattern`)

    Raises
    ------
    PathNotFoundError
        If a source or the CSV file does not exist; suggests a close name.
    SourceError
        If there is no image, or the CSV file is wrong or has nothing to do with the images.
    UsageError
        If the options are wrong or a source is given twice.
    """
    if not sources:
        raise UsageError("no folder or image was given")
    rule = _rule(labels, label_pattern)
    walk = _Walk(ignored=rule.file if isinstance(rule, LabelTable) else None)
    names = _source_names(sources)
    for source, name in zip(sources, names, strict=True):
        walk.take(source, name if len(sources) > 1 else None)
    if not walk.found:
        raise SourceError(_nothing_found(sources, walk))
    found = sorted(walk.found, key=lambda image: image.id)
    _refuse_equal_ids(found)
    records = tuple(_record(image, rule(image)) for image in found)
    failures = walk.failures
    if isinstance(rule, LabelTable):
        failures += _missing(rule, records)
    return Listing(records, tuple(sorted(failures, key=lambda f: f.id)), dict(walk.passed_over))


def _rule(labels: str | Path, label_pattern: str | None) -> Callable[[Found], Known]:
    if label_pattern is not None:
        if labels != "parent":
            raise UsageError(f"a label pattern and labels {str(labels)!r} exclude each other")
        return by_pattern(label_pattern)
    if labels == "parent":
        return by_folder
    if labels == "none":
        return unlabelled
    if not isinstance(labels, Path) and not labels.lower().endswith(".csv"):
        raise UsageError(
            f"labels {labels!r} is not known; allowed: parent, none, or the name of a .csv file"
        )
    return LabelTable(_existing(Path(labels)))


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


def _source_names(sources: Sequence[Path]) -> list[str]:
    """Name each source by its last component, or by as many as tell it from the others."""
    real = [Path(os.path.realpath(_existing(source))) for source in sources]
    given, count = dict(zip(real, sources, strict=True)), Counter(real)
    for source, path in zip(sources, real, strict=True):
        if count[path] > 1:
            raise UsageError(f"{source} was given twice")
        above = next((given[parent] for parent in path.parents if parent in given), None)
        if above is not None:
            raise UsageError(f"{source} lies in {above}, so its images would be taken twice")
    parts = [Path(os.path.abspath(source)).parts for source in sources]  # noqa: PTH100 - no links
    length = 1
    names = [_join(p[-1:]) for p in parts]
    while clashing := {name for name, count in Counter(names).items() if count > 1}:
        length += 1
        names = [
            _join(p[-length:]) if name in clashing else name
            for p, name in zip(parts, names, strict=True)
        ]
    return names


def _join(parts: Sequence[str]) -> str:
    return "/".join(_text(part).strip("/\\") for part in parts)


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class _Folder:
    """A folder to be read.

    Attributes
    ----------
    path : where it is
    parts : the names between the source and it, as they are
    above : (device, inode) of the folders above it, the source included
    """

    path: str
    parts: tuple[str, ...]
    above: frozenset[tuple[int, int]]


class _Walk:
    """Collects what the sources hold."""

    def __init__(self, ignored: Path | None) -> None:
        self.found: list[Found] = []
        self.failures: list[Failure] = []
        self.passed_over: Counter[str] = Counter()
        self._ignored = ignored and os.path.realpath(ignored)

    def take(self, source: Path, prefix: str | None) -> None:
        """Add a source; `prefix` begins its ids, and is None for an only source."""
        if not source.is_dir():
            self.found.append(Found(prefix or _text(source.name), source, (), None))
            return
        own_name = () if prefix is None else (prefix.rpartition("/")[2],)
        pending = [_Folder(str(source), (), frozenset())]
        while pending:
            folder = pending.pop()
            id_prefix = "/".join(filter(None, (prefix, *folder.parts)))
            around, split = _split_off(own_name, folder.parts)
            try:
                pending += self._read(folder, id_prefix, around, split)
            except OSError as error:
                reason = f"the folder cannot be read ({(error.strerror or str(error)).lower()})"
                self.failures.append(Failure(id_prefix or _text(source.name) or ".", reason))

    def _read(
        self, folder: _Folder, id_prefix: str, around: tuple[str, ...], split: str | None
    ) -> list[_Folder]:
        status = os.stat(folder.path)  # noqa: PTH116 - a Path per folder entry would be slow
        identity = (status.st_dev, status.st_ino)
        if identity in folder.above:
            return []  # a link back to where we came from: all that is in it is found already
        inner = []
        with os.scandir(folder.path) as entries:
            for entry in entries:
                name = _text(entry.name)
                if name.startswith(".") or name == "__MACOSX":
                    continue
                if _is_folder(entry):
                    inner.append(
                        _Folder(entry.path, (*folder.parts, name), folder.above | {identity})
                    )
                    continue
                extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
                if extension in EXTENSIONS:
                    image_id = f"{id_prefix}/{name}" if id_prefix else name
                    self.found.append(Found(image_id, Path(entry.path), around, split))
                elif os.path.realpath(entry.path) != self._ignored:
                    self.passed_over[extension or "(no extension)"] += 1
        return inner


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself, say: if it is named like an image, opening it will tell


def _split_off(
    own_name: tuple[str, ...], inside: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None]:
    """Take the folder that names a split out of the folders around an image."""
    if own_name and own_name[0].lower() in SPLITS:
        return inside, SPLITS[own_name[0].lower()]
    if inside and inside[0].lower() in SPLITS:
        return own_name + inside[1:], SPLITS[inside[0].lower()]
    return own_name + inside, None


def _record(image: Found, known: Known) -> ImageRecord:
    return ImageRecord(
        id=image.id,
        open=partial(open_regular, image.path),
        labels=known.labels,
        split=known.split,
        group=known.group,
        path=image.path,
    )


def _refuse_equal_ids(found: Sequence[Found]) -> None:
    for one, other in pairwise(found):
        if one.id == other.id:
            raise SourceError(
                f"{str(one.path)!r} and {str(other.path)!r} have the same id {one.id!r}; rename one"
            )


def _missing(table: LabelTable, records: Sequence[ImageRecord]) -> list[Failure]:
    unmatched = table.unmatched()
    if not table.matched:
        example = f"it names e.g. {unmatched[0]!r}" if unmatched else "it names none at all"
        raise SourceError(
            f"{table.file} names none of the images: {example}, while the images are e.g. "
            f"{records[0].id!r}; its paths must be relative to the source folder"
        )
    reason = f"named in {table.file.name}, but there is no such image"
    return [Failure(path, reason) for path in unmatched]


def _nothing_found(sources: Sequence[Path], walk: _Walk) -> str:
    message = f"no images in {', '.join(str(source) for source in sources)}"
    if walk.failures:
        first = walk.failures[0]
        message += f"; {first.id}: {first.reason}"
    others = ", ".join(f"{count} {ext}" for ext, count in walk.passed_over.most_common(5))
    message += f"; other files there: {others}" if others else "; no other files either"
    return f"{message}; images end in {' '.join(sorted(EXTENSIONS))}"
