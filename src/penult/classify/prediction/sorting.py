"""Photos sorted into a folder for each class: copied or linked, never moved, never overwritten."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from penult.classify.prediction.folder_names import folder_names, safe_name
from penult.errors import OutputError, OutputExistsError, SourceError, UnknownNameError, UsageError
from penult.interface import option
from penult.output import default_mode, explain
from penult.records import Copied, ImageRecord
from penult.scratch import scratch_file, sweep
from penult.suffixes import require_folder_name

__all__ = ["MODES", "UNSURE", "Sorter"]

MODES = ("copy", "hardlink", "symlink")

UNSURE = "unsure"
"""The folder of images whose class is too uncertain, unless a class is called so."""

# What copies are called until they are whole; see `penult.scratch`.
_SCRATCH = "penult"


class Sorter:
    """Puts photos into the folders of their classes.

    A photo keeps its name. Where another photo has that name already, this one's gets a number,
    ``rose (2).jpg``; where the same photo is there already, by its bytes, nothing is done, so that
    sorting the same photos again changes nothing.

    Parameters
    ----------
    folder : where the folders of the classes are made
    labels : every class that there is
    mode : ``"copy"``, ``"hardlink"`` or ``"symlink"`` (absolute)

    Raises
    ------
    UnknownNameError
        For a mode that there is not.
    OutputExistsError
        If the folder is a file, or that of a class is a link: the photos would go elsewhere.
    """

    def __init__(self, folder: str | Path, labels: Sequence[str], *, mode: str = "copy") -> None:
        if mode not in MODES:
            raise UnknownNameError("way to copy", mode, MODES)
        self.folder = Path(folder)
        self.mode = mode
        *classes, self.unsure = folder_names([*labels, UNSURE])
        self._folders = dict(zip(labels, classes, strict=True))
        # Of so many names it is remembered who has them; the others are looked up on the disk.
        self._namesakes = lru_cache(maxsize=1000)(_Namesakes)
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputExistsError(f"{folder} is a file; give a folder to sort the photos to")
        require_folder_name(self.folder, "a folder a class")
        for name in (*classes, self.unsure):
            _refuse_link(self.folder / name)
        self._ready: set[Path] = set()

    def require_outside(self, sources: Sequence[Path]) -> None:
        """Refuse to sort photos that lie where they would be sorted to.

        Raises
        ------
        UsageError
        """
        here = self.folder.resolve()
        for source in sources:
            if here == source.resolve() or here in source.resolve().parents:
                raise UsageError(
                    f"{source} lies in {self.folder}, where the photos are to be sorted to; give "
                    "another folder to sort them to"
                )

    def require_files(self, records: Iterable[ImageRecord]) -> None:
        """Refuse to link to images that are no files: those in archives, or from the web.

        Raises
        ------
        UsageError
        """
        if self.mode != "copy":
            for record in records:
                _file_of(record, self.mode)

    def place(self, record: ImageRecord, digest: str, label: str | None) -> Copied:
        """Put one photo into the folder of its class.

        Parameters
        ----------
        digest : of the image's bytes, hex BLAKE2b-128
        label : one of the classes, or None for the folder of the unsure ones

        Raises
        ------
        UsageError
            If a link is asked for to an image that is no file of its own.
        OutputError
            If it cannot be written: the disk is full, or the file system has no such links.
        SourceError
            If the photo can no longer be read.
        """
        folder = self.folder / (self.unsure if label is None else self._folders[label])
        name = safe_name(record.id.rpartition("/")[2]) if record.path is None else record.path.name
        self._make(folder)
        namesakes = self._namesakes(folder / name)
        while True:
            # Another program may have put photos there meanwhile, and even this one.
            target = namesakes.next_free()
            there = namesakes.find(digest)
            if there is not None:
                return Copied(path=there, new=False, renamed=there.name != name)
            try:
                if self.mode == "copy":
                    _copy(record, target)
                else:
                    _link(record, target, self.mode)
            except FileExistsError:
                continue
            namesakes.add(digest, target)
            return Copied(path=target, new=True, renamed=target.name != name)

    def _make(self, folder: Path) -> None:
        _refuse_link(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder {folder} cannot be made: {error.strerror}") from error
        if folder not in self._ready:
            sweep(folder, _SCRATCH)
            self._ready.add(folder)


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise OutputExistsError(
            f"{folder} is a symbolic link, and photos put there would go elsewhere; remove the "
            "link, or give another folder to sort the photos to"
        )


def _file_of(record: ImageRecord, mode: str) -> Path:
    if record.path is None:
        raise UsageError(
            f"{record.id} is no file of its own that a {mode} could lead to; give "
            f"{option('copy_mode', 'copy')}"
        )
    return record.path


def _link(record: ImageRecord, target: Path, mode: str) -> None:
    path = _file_of(record, mode)
    try:
        if mode == "symlink":
            target.symlink_to(path.absolute())
        else:
            os.link(path.resolve(), target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OutputError(
                f"{path} and {target.parent} are on different disks, which a hardlink cannot join; "
                f"give {option('copy_mode', 'copy')} or symlink"
            ) from error
        raise OutputError(
            f"{target} cannot be made a {mode}: {error.strerror}; give "
            f"{option('copy_mode', 'copy')}"
        ) from error


def _copy(record: ImageRecord, target: Path) -> None:
    """Copy the bytes under a name that is free, whole or not at all; `FileExistsError` if it is
    not.
    """
    try:
        source = record.open()
    except OSError as error:
        raise SourceError(f"{record.id} can no longer be read: {error.strerror}") from error
    partial = None
    try:
        with source:
            partial = scratch_file(target.parent, _SCRATCH)
            with partial.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
        if record.path is None:
            partial.chmod(default_mode())
        else:
            shutil.copystat(record.path, partial)  # a photo that is private stays so
        _rename_to_free(partial, target)
    except FileExistsError:
        raise
    except OSError as error:
        raise explain(error, target) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _rename_to_free(partial: Path, target: Path) -> None:
    # A rename would replace what another program has put there meanwhile; a link does not.
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from None
        partial.rename(target)


@dataclass
class _Namesakes:
    """The files of one folder that have one name, or that name and a number; by their bytes."""

    name: Path
    count: int = 0
    by_digest: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.next_free()

    def find(self, digest: str) -> Path | None:
        return self.by_digest.get(digest)

    def next_free(self) -> Path:
        """The first name that nobody has; who has those before it is remembered."""
        while os.path.lexists(there := self._numbered(self.count + 1)):
            self.count += 1
            if there.is_file():
                self.by_digest.setdefault(_digest(there), there)
        return there

    def add(self, digest: str, path: Path) -> None:
        self.count += 1
        self.by_digest[digest] = path

    def _numbered(self, number: int) -> Path:
        stem, suffix = self.name.stem, self.name.suffix
        return self.name if number == 1 else self.name.with_name(f"{stem} ({number}){suffix}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
