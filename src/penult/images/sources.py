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
from penult.images.labels import Found, Known, by_folder, by_pattern, unlabelled
from penult.images.table import LabelTable
from penult.images.walk import EXTENSIONS, Walk, printable
from penult.records import Failure, ImageRecord

__all__ = ["Listing", "list_images"]


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
    leave_out: Sequence[Path] = (),
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
    leave_out : files and folders that are not looked at, even if they lie in a source

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
    walk = Walk([*leave_out, *([rule.file] if isinstance(rule, LabelTable) else [])])
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
    return "/".join(printable(part).strip("/\\") for part in parts)


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


def _nothing_found(sources: Sequence[Path], walk: Walk) -> str:
    message = f"no images in {', '.join(str(source) for source in sources)}"
    if walk.failures:
        first = walk.failures[0]
        message += f"; {first.id}: {first.reason}"
    others = ", ".join(f"{count} {ext}" for ext, count in walk.passed_over.most_common(5))
    message += f"; other files there: {others}" if others else "; no other files either"
    return f"{message}; images end in {' '.join(sorted(EXTENSIONS))}"
