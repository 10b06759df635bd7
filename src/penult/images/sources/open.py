"""From what was given as images to the sources that hold them.

A new kind of source is a module with its `SourceKind`, and its entry in `KINDS`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from penult.errors import SourceError, UsageError
from penult.file_kinds import HDF5, NAMES, kind_of
from penult.images.labels.annotations import source_folder, split_candidates
from penult.images.sources.address import ADDRESS
from penult.images.sources.arguments import source_names
from penult.images.sources.base import (
    ImageSource,
    SourceArgument,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.file_names import IMAGE_EXTENSIONS, format_by_content
from penult.images.sources.files import FilesSource
from penult.images.sources.folder import FOLDER
from penult.images.sources.manifest import CSV
from penult.images.sources.parquet.source import PARQUET
from penult.images.sources.remote.connection import is_url
from penult.images.sources.remote.folder import REMOTE_FOLDER
from penult.images.sources.standard_input import STANDARD_INPUT, path_rows
from penult.images.sources.table_in_memory import TABLE
from penult.images.sources.tar.kind import TAR
from penult.inputs import begins_with, what_special
from penult.interface import at_command_line, command, option, shell_quote
from penult.records import Failure
from penult.rows_folders import is_rows_folder
from penult.suffixes import (
    CLASSIFIER,
    FEATURES,
    INDEX,
    ONNX,
    ROWS_FOLDER,
    WEIGHTS,
)
from penult.wording import article

__all__ = ["KINDS", "open_sources"]

KINDS: list[SourceKind] = [
    TABLE,
    STANDARD_INPUT,
    FOLDER,
    CSV,
    PARQUET,
    TAR,
    REMOTE_FOLDER,
    ADDRESS,
]
"""An argument is of the first kind that it matches; a file of none is taken for an image."""


_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))
_BEGINNING = 4096
_OWN = {*CLASSIFIER.suffixes, *INDEX.suffixes, *ONNX.suffixes, *WEIGHTS}
"""Endings of what people give in place of images; not all that is given is opened for that."""


def open_sources(
    arguments: Sequence[SourceArgument],
    options: SourceOptions,
    without: list[str] | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[ImageSource]:
    """Open the source, or sources, of each argument, in the order of the ids as far as possible.

    Each is to be scanned before the next is asked for.

    Parameters
    ----------
    arguments : sequence of path or str
        As `expanded_arguments` gives them. Of several, the name of each begins the ids.
    options : SourceOptions
        How they are opened; `archive_extensions` is filled in here.
    without : list of str, optional
        The arguments in which there is no image, and of which no failure says so, are added to it.
    names : sequence of str, optional
        What begins the ids of each argument, where these are not all that there were.

    Raises
    ------
    PathNotFoundError, SourceError, UsageError
    """
    extensions = frozenset(kind.archive_extension for kind in KINDS if kind.archive_extension)
    options = replace(options, archive_extensions=extensions)
    files: list[tuple[str, Path]] = []
    named = zip(arguments, names or source_names(arguments), strict=True)
    for argument, name in sorted(named, key=lambda one: f"{one[1]}/"):
        _refuse_rows(argument)
        _refuse_own(argument)
        kind = next((kind for kind in KINDS if kind.matches(argument)), None)
        prefix = name if names or len(arguments) > 1 else None
        if kind is None:
            _refuse_pipe(Path(argument), alone=len(arguments) == 1)
            if len(arguments) == 1:
                _refuse_list(Path(argument))
            files.append((name, Path(argument)))
            continue
        is_told = False
        for source in _opened(kind, SourceLocation(argument, prefix), options):
            yield source
            if not len(source):
                for archive in _archives_in(source, prefix, options):
                    yield archive
                    is_told = is_told or bool(len(archive) or archive.failures)
            elif not kind.has_label_column:
                _refuse_label_column(argument, options)
            is_told = is_told or bool(len(source) or source.failures)
        if without is not None and not is_told:
            without.append(_shown(argument, name))
    if files:
        _refuse_label_column(files[0][1], options)
        yield FilesSource(files)


def _shown(argument: SourceArgument, name: str) -> str:
    """What a line calls an argument: as it was given, where that is a text."""
    if argument == "-":
        return "standard input"
    return str(argument) if isinstance(argument, str | Path) else name


def _refuse_rows(given: SourceArgument) -> None:
    """Refuse a feature file, or a folder of rows, in place of images."""
    path = Path(str(given))
    if is_rows_folder(path) or (is_url(given) and path.suffix.lower() in ROWS_FOLDER.suffixes):
        raise UsageError(
            f"{given} is a folder of rows, and not of images; give the images that its rows were "
            f"made from, which {command('info', str(given))} shows"
        )
    if path.suffix.lower() not in FEATURES.suffixes:
        return
    if begins_with(path, HDF5):
        raise UsageError(
            f"{path} is a feature file, or another in HDF5, and not an image; give the images that "
            f"its rows were made from, which {command('info', str(given))} shows"
        )


def _refuse_own(given: SourceArgument) -> None:
    """Refuse a classifier, an index or a network in place of images.

    Raises
    ------
    UsageError
    """
    path = Path(str(given))
    suffix = path.suffix.lower()
    if is_url(given) or suffix not in _OWN:
        return
    kind = kind_of(path)
    what = None if kind is None else NAMES[kind]
    if what is None and suffix in ONNX.suffixes and path.is_file():
        what = None if format_by_content(str(path)) else "a network or a classifier in ONNX"
    if what is None:
        return
    instead = "give a folder of images, or images"
    if kind in ("checkpoint", "network"):
        instead += f"; where a network is asked for, it is named by {option('model', str(path))}"
    raise UsageError(f"{path} is {what}, not images; {instead}")


def _refuse_pipe(path: Path, *, alone: bool) -> None:
    """Refuse what a shell makes of ``<(COMMAND)``, whose name is a number that nobody typed.

    Of several images, a pipe of another name is one that has no row.
    """
    is_of_shell = path.parent in _DESCRIPTORS
    if (alone or is_of_shell) and path.is_fifo():
        what = ", as a shell makes of <(COMMAND), and not" if is_of_shell else ", not"
        raise SourceError(
            f"{path} is a named pipe{what} an image; give folders or files, or pipe a list of them "
            "to standard input, and give - for it"
        )


def _refuse_list(path: Path) -> None:
    """Refuse a text with a path a line, which would be an image that cannot be read."""
    if what_special(path.stat()) is not None:
        return
    try:
        with path.open("rb") as file:
            first = next(path_rows(file.read(_BEGINNING)), None)
    except OSError:  # an image that cannot be read, as the listing says
        return
    if first is None or not first.path.isprintable():
        return
    if os.path.isfile(first.path) or extension_of(first.path) in IMAGE_EXTENSIONS:  # noqa: PTH113 - False where no file can have that name
        instead = "give the paths in it as a list"
        if at_command_line():
            instead = f"give - in its place, and pipe it: penult … - < {shell_quote(str(path))}"
        raise SourceError(f"{path} is a list of paths, and not an image; {instead}")


def _archives_in(
    folder: ImageSource, prefix: str | None, options: SourceOptions
) -> Iterator[ImageSource]:
    for argument, path in sorted(folder.archives, key=lambda archive: str(archive[0])):
        extension = extension_of(argument)
        kind = next(kind for kind in KINDS if kind.archive_extension == extension)
        name = f"{prefix}/{path}" if prefix else path
        location = SourceLocation(
            argument,
            name,
            folders=source_folder(prefix) + tuple(path.split("/")[:-1]),
            candidates=split_candidates(prefix),
            in_folder=True,
        )
        try:
            sources = list(_opened(kind, location, options))
        except SourceError as error:  # of many archives, one that is damaged is not the end
            folder.failures.append(Failure(name, str(error)))
            sources = []
        folder.passed_over[extension] -= bool(sources)
        yield from sources


def _opened(
    kind: SourceKind, location: SourceLocation, options: SourceOptions
) -> Iterable[ImageSource]:
    sources = kind.open(location, options)
    if not isinstance(sources, Iterable):
        raise UsageError(
            f"{location.argument}: `open` of {kind} gave "
            f"{article(type(sources).__name__)} in place of an iterable of sources; return [source]"
        )
    return sources


def _refuse_label_column(argument: SourceArgument, options: SourceOptions) -> None:
    if options.path_column:
        raise UsageError(
            f"{argument} is no table with a column {options.path_column}; "
            f"{option('path_column')} is for lists and tables of labels"
        )
    if options.label_column:
        raise UsageError(
            f"{argument} is no table with a column {options.label_column}; labels column:NAME is "
            "for lists and archives; labels of a folder are in a table: "
            f"{option('labels', 'FILE.csv')}"
        )
