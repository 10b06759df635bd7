"""Folders, files, lists, archives and addresses become a list of image records.

In the same order on every system.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from penult.errors import SourceError
from penult.images.labels.label_file import LabelFile
from penult.images.labels.rules import label_rule
from penult.images.labels.split_folders import SplitFolder, SplitFolders, SplitsFrom
from penult.images.notes import left_out_message, replaced_message, unreadable_photos_hint
from penult.images.record_list import RecordList
from penult.images.sources.arguments import (
    Images,
    as_sources,
    expanded_arguments,
    origin_of,
)
from penult.images.sources.base import ImageSource, SourceArgument, SourceOptions
from penult.images.sources.file_names import IMAGE_EXTENSIONS
from penult.images.sources.open import open_sources
from penult.interface import option
from penult.offline import works_offline
from penult.records import Failure
from penult.representation import short_repr

__all__ = ["Images", "Listing", "as_sources", "list_images", "origin_of"]

_log = logging.getLogger("penult")

_REMOTE_READERS = 16


@short_repr
@dataclass(frozen=True)
class WithoutLabel:
    """The images to which a table of labels gives none.

    Attributes
    ----------
    table : str
        The name of its file.
    images : int
        How many they are.
    of : int
        How many images there are.
    first : tuple of str
        The ids of the first few.
    """

    table: str
    images: int
    of: int
    first: tuple[str, ...]


@short_repr
@dataclass(frozen=True)
class Listing:
    """What was found in the sources.

    Attributes
    ----------
    records : RecordList
        Sorted by id, ids unique.
    failures : tuple of Failure
        Folders and archives that could not be read (to the end), and images that a label file names
        but that do not exist.
    passed_over : mapping of str to int
        Extension, in lower case and with its dot, to the number of files passed over.
    left_out : mapping of str to int
        Kind of file that penult wrote itself, and where, to the number of them.
    split_folders : tuple of SplitFolder
        Top folders that are named as splits, and what each was taken for.
    without_label : WithoutLabel or None
        The images to which a table of labels gives none, where there are some.
    labels_apart : mapping of str to int
        Archive to the number of label files in it that do not stand next to their images, and were
        passed over.
    without_images : tuple of str
        The sources in which there is no image, where others have some.
    """

    records: RecordList
    failures: tuple[Failure, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    split_folders: tuple[SplitFolder, ...] = ()
    without_label: WithoutLabel | None = None
    labels_apart: Mapping[str, int] = field(default_factory=dict)
    without_images: tuple[str, ...] = ()

    @property
    def notes(self) -> dict[str, Any]:
        """What there is to say beside the images, as JSON-like data; see `listing_messages`."""
        return {
            "passed_over": dict(self.passed_over),
            "left_out": dict(self.left_out),
            "split_folders": [asdict(one) for one in self.split_folders],
            **({"without_label": asdict(self.without_label)} if self.without_label else {}),
            **({"labels_apart": dict(self.labels_apart)} if self.labels_apart else {}),
            **({"without_images": list(self.without_images)} if self.without_images else {}),
        }

    @property
    def notes_without_splits(self) -> dict[str, Any]:
        """`notes` of photos that are predicted, or searched with: none of these is in a split."""
        return {name: found for name, found in self.notes.items() if name != "split_folders"}

    @property
    def readers(self) -> int | None:
        """How many threads should read at once where that waits for a network; else None."""
        return _REMOTE_READERS if self.records.is_remote else None


def list_images(
    sources: Sequence[SourceArgument],
    *,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    leave_out: Sequence[Path] = (),
    offline: bool = False,
    announce: bool = True,
    names: Sequence[str] | None = None,
) -> Listing:
    r"""List the images in folders, archives, lists and addresses, and files given one by one.

    The id of an image is its path relative to the source, with ``/``; of several sources, the id
    begins with the source's name. Bytes of a name that are not UTF-8 are escaped (``\xe9``).
    Symbolic links are followed, but not back into a folder above them. Hidden files and folders
    and ``__MACOSX`` are left out, and what penult itself wrote (see `own_file`). A file
    given by itself is taken whatever its name, but for ``.csv``, ``.parquet`` and ``.tar``. A
    folder without an image file is searched for archives. docs/images.md has the rules of each
    source.

    A top folder named as in `SPLITS` (of several sources, also the source itself) may be the split
    of its images instead of their label; see `SplitFolders`.

    Parameters
    ----------
    sources : sequence of path or str
        As `as_sources` gives them.
    labels : {"parent", "none", "column:NAME"} or path
        What the source states, or else the folder that an image lies in; nothing; a column of the
        source's own table; or a CSV file (see `LabelFile`).
    label_pattern : str, optional
        A regular expression that finds labels in file names (see `by_pattern`).
    path_column, label_column : str, optional
        The columns of a table (as `labels`, or as a source) that name the images and their labels,
        if not the usual ones.
    splits : {"auto", "folders", "none"}
        "folders" takes every such folder for a split, "none" takes none.
    leave_out : sequence of Path
        Files and folders that are not looked at, even if they lie in a source.
    offline : bool
        Whether to refuse what is on the network; so does ``PENULT_OFFLINE=1``.
    announce : bool
        Whether to say, before anything is fetched, to which hosts the addresses in a manifest lead.
    names : sequence of str, optional
        What begins the ids of each source, where these are not all that there were.

    Raises
    ------
    PathNotFoundError
        If a source or the CSV file does not exist; suggests a close name.
    SourceError
        If there is no image, or the CSV file is wrong or has nothing to do with the images, or the
        pattern finds no label at all.
    UsageError, MissingExtraError
        If the options are wrong, a source is given twice, or an extra is needed for it; offline,
        also if a source or an image of a list is on the network.
    """
    offline = works_offline(offline)
    arguments = expanded_arguments(sources, offline=offline)
    rule, column = label_rule(labels, label_pattern, path_column, label_column)
    # Of a table of labels, the column is in that table, and not in a list of images as well.
    in_lists = None if isinstance(rule, LabelFile) else path_column
    ignored = [*leave_out, *([rule.file] if isinstance(rule, LabelFile) else [])]
    options = SourceOptions(
        frozenset(map(os.path.realpath, ignored)),
        column,
        offline,
        path_column=in_lists,
        labels_by_folder=str(labels) == "parent" and label_pattern is None,
    )
    split_rule = SplitFolders(rule, splits)
    records, opened, without = RecordList(), list[ImageSource](), list[str]()
    for source in open_sources(arguments, options, without, names):
        opened.append(source)
        records.add(source, split_rule)
    passed_over = sum((source.passed_over for source in opened), Counter[str]())
    left_out = sum((source.left_out for source in opened), Counter[str]())
    failures = [failure for source in opened for failure in source.failures]
    if not records:
        raise SourceError(_nothing_found(arguments, failures, passed_over, left_out))
    for source in opened if announce else ():
        if source.requests:
            _log.warning("penult: %s", source.requests)
    if merged := records.merged:
        _log.warning(
            "penult: %s: written in several Unicode forms, each of which is the same class",
            ", ".join(merged),
        )
    split_folders = split_rule.resolve(records.counts())
    records.sort()
    if records.replaced:
        _log.warning("penult: %s", replaced_message(records.replaced))
    if label_pattern is not None:
        _check_matches(label_pattern, records)
    if isinstance(rule, LabelFile):
        failures += rule.failures(records.ids())
    failures.sort(key=lambda failure: failure.id)
    return Listing(
        records,
        tuple(failures),
        dict(+passed_over),
        dict(left_out),
        split_folders,
        _without_label(rule.file, records) if isinstance(rule, LabelFile) else None,
        dict(sum((source.labels_apart for source in opened), Counter[str]())),
        tuple(without),
    )


def _without_label(table: Path, records: RecordList) -> WithoutLabel | None:
    images, first = records.unlabelled()
    return WithoutLabel(table.name, images, len(records), tuple(first)) if images else None


def _check_matches(pattern: str, records: RecordList) -> None:
    """Say at once in how many names the pattern is not found, and refuse it if it is in none."""
    count, first = records.unlabelled()
    if not count:
        return
    named = ", ".join(map(repr, first)) + (", …" if count > len(first) else "")
    if count == len(records):
        raise SourceError(
            f"{option('label_pattern')} '{pattern}' finds no label in any of the {count:,} names, "
            f"which are {named}; it is searched for in a file's name, without its folder"
        )
    _log.warning(
        "penult: %s finds no label in %s of %s names, and these images get none: %s",
        option("label_pattern"),
        f"{count:,}",
        f"{len(records):,}",
        named,
    )


def _nothing_found(
    sources: Sequence[SourceArgument],
    failures: Sequence[Failure],
    passed_over: Counter[str],
    left_out: Mapping[str, int],
) -> str:
    names = ["standard input" if source == "-" else str(source) for source in sources]
    message = f"no images in {', '.join(names)}"
    if failures:
        message += f"; {failures[0].id}: {failures[0].reason}"
    passed = ", ".join(f"{count} {ext}" for ext, count in passed_over.most_common(5) if count)
    found = [f"other files there: {passed}" if passed else "", unreadable_photos_hint(passed_over)]
    found.append(left_out_message(left_out))
    others = "".join(f"; {said}" for said in found if said)
    if not others:
        if "-" in sources:
            return f"{message}; nothing was piped: pipe the paths of images, one a line"
        return f"{message}; no other files either"
    return f"{message}{others}; images end in {' '.join(sorted(IMAGE_EXTENSIONS))}"
