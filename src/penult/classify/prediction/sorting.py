"""Photos sorted into a folder for each class: copied, linked or moved, and none overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Self

from penult.classify.prediction.copying import (
    SCRATCH,
    copy_photo,
    digest_of_file,
    file_of,
    link_photo,
    relink_photo,
)
from penult.classify.prediction.folder_names import folder_names, safe_name
from penult.classify.prediction.move_log import RESERVED, MoveLog
from penult.classify.prediction.sorted_before import SortedBefore
from penult.errors import OutputError, OutputExistsError, UnknownNameError, UsageError
from penult.interface import option
from penult.output import check_folder
from penult.records import Copied, ImageRecord
from penult.scratch import sweep
from penult.suffixes import require_folder_name
from penult.written import note_set_aside

__all__ = ["MODES", "UNLIKE", "UNSURE", "Sorter"]

MODES = ("copy", "hardlink", "symlink", "move")

UNSURE = "unsure"
"""The folder of images whose class is too uncertain, unless a class is called so; in it is a folder
for each class that they may be."""

UNLIKE = "unlike"
"""The same of images that are like none of the training photos."""


class Sorter:
    """Puts photos into the folders of their classes.

    A photo keeps its name. Where another photo has that name already, this one's gets a number,
    ``rose (2).jpg``; where the same photo is there already, by its bytes, nothing is done, so that
    sorting the same photos again changes nothing. One to be moved goes there in any case, for it is
    to be gone from where it was; `MoveLog` notes each move before it is done, and lets nobody else
    move photos to or from the folder until the `with` block of the sorter ends. Where symbolic
    links are asked for, one to a photo of that name that leads nowhere is mended: the photo has
    moved.

    A photo that lay in another of these folders before, by its name and its bytes, is refused:
    another classifier or clustering put it there, or a user did, and it would be in two classes.

    Parameters
    ----------
    folder : where the folders of the classes are made
    labels : every class that there is
    mode : ``"copy"``, ``"hardlink"``, ``"symlink"`` (absolute) or ``"move"``
    by_another : what else is likely to have sorted photos into the folder, for a message
    name : of the option that the folder was given to

    Raises
    ------
    UnknownNameError
        For a mode that there is not.
    OutputExistsError
        If the folder is a file, or that of a class is a link: the photos would go elsewhere.
    """

    def __init__(
        self,
        folder: str | Path,
        labels: Sequence[str],
        *,
        mode: str = "copy",
        by_another: str = "another classifier or a clustering",
        name: str = "copy_to",
    ) -> None:
        if mode not in MODES:
            raise UnknownNameError("way to copy", mode, MODES)
        self.folder = Path(folder)
        self.mode, self._by_another = mode, by_another
        *classes, unsure, unlike = folder_names([*labels, UNSURE, UNLIKE], reserved=RESERVED)
        self._aside = {UNSURE: unsure, UNLIKE: unlike}
        self._folders = dict(zip(labels, classes, strict=True))
        # Of so many names it is remembered who has them; the others are looked up on the disk.
        self._namesakes = lru_cache(maxsize=1000)(_Namesakes)
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise OutputExistsError(_not_a_folder(self.folder))
        require_folder_name(self.folder, "a folder a class", name=name)
        check_folder(self.folder)
        for name in (*classes, unsure, unlike):
            _refuse_link(self.folder / name)
            if (self.folder / name).is_file():
                raise OutputExistsError(_not_a_folder(self.folder / name))
            check_folder(self.folder / name)
        self._ready: set[Path] = set()
        self._noted: set[str] = set()
        self._moves = MoveLog(self.folder) if mode == "move" else None

    def __enter__(self) -> Self:
        if self._moves is not None and self.folder.is_dir():
            self._moves.begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._moves is not None:
            self._moves.close()

    @cached_property
    def _before(self) -> SortedBefore:
        return SortedBefore(self.folder)

    def has_namesake(self, record: ImageRecord) -> bool:
        """Say whether a photo of that name lay in some folder when sorting began."""
        return bool(self._before.namesakes(_name_of(record)))

    def require_nowhere_else(
        self, record: ImageRecord, digest: str, label: str, *, aside: str | None = None
    ) -> Path | None:
        """Refuse a photo that lay in another class's folder when sorting began; see `place`.

        Returns
        -------
        Path or None
            Where it lies in the folder of a class, if it would be set aside now and may stay there.

        Raises
        ------
        OutputExistsError
        """
        folder = self._folder_of(label, aside)
        there = self._before.find(record, _name_of(record), digest, but=folder)
        if there is None or (aside and there.parent.parent == self.folder):
            return there
        raise OutputExistsError(
            f"{there} is the photo {record.id}, which is to go to {folder} now: {self.folder} was "
            f"sorted by {self._by_another}, or by hand; give another folder to sort the photos to"
        )

    def _folder_of(self, label: str, aside: str | None) -> Path:
        return self.folder / (self._aside[aside] if aside else "") / self._folders[label]

    def require_outside(self, sources: Iterable[Path]) -> None:
        """Refuse to sort what lies where it would be sorted to.

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

    def require_photos_outside(self, records: Iterable[ImageRecord]) -> None:
        """Refuse to sort photos whose folder lies where they would be sorted to.

        Raises
        ------
        UsageError
        """
        files = (one.path for one in records if one.path is not None)
        # Of a folder once, for there may be very many photos; and a link lies where it lies.
        self.require_outside(dict.fromkeys(one.parent for one in files))

    def require_files(self, records: Iterable[ImageRecord]) -> None:
        """Refuse to link to or move images that are no files: those in archives, or from the web.

        Raises
        ------
        UsageError
            Also for a photo to be moved that is a link, which may lead nowhere from another place.
        OutputError
            If photos are to be moved out of a folder that is read-only.
        """
        if self.mode == "copy":
            return
        folders = set()
        for record in records:
            path = file_of(record, self.mode)
            if self.mode == "move":
                folders.add(path.parent)
                if path.is_symlink():
                    raise UsageError(
                        f"{path} is a symbolic link, which is not moved; give "
                        f"{option('copy_mode', 'copy')}"
                    )
        for folder in sorted(folders):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise OutputError(
                    f"{folder} is read-only, and photos cannot be moved out of it; give "
                    f"{option('copy_mode', 'copy')}"
                )
            sweep(folder, SCRATCH)  # a `move_back` that was killed

    def place(
        self, record: ImageRecord, digest: str, label: str, *, aside: str | None = None
    ) -> Copied:
        """Put one photo into the folder of its class.

        Parameters
        ----------
        digest : of the image's bytes, hex BLAKE2b-128
        label : one of the classes
        aside : `UNLIKE` or `UNSURE` where that is no more than a guess, and the photo no example of
            the class; the folder is noted as none of a class. A photo that lies in the folder of
            some class already, where a user may have put it from aside, stays there.

        Raises
        ------
        OutputExistsError
            If it lay in another folder when sorting began.
        UsageError
            If a link is asked for to an image that is no file of its own, or that it be moved.
        OutputError
            If it cannot be written: the disk is full, or the file system has no such links.
        ImageError
            If the photo can no longer be read.
        """
        folder, name = self._folder_of(label, aside), _name_of(record)
        there = self.require_nowhere_else(record, digest, label, aside=aside)
        if there is not None and self._moves is None:
            return Copied(path=there, new=False, renamed=there.name != name)
        if aside:
            self._make(folder.parent)
        if aside and self._aside[aside] not in self._noted:
            note_set_aside(self.folder, self._aside[aside])
            self._noted.add(self._aside[aside])
        self._make(folder)
        if self._moves is not None and (there := self._moves.finish(record, digest)) is not None:
            return Copied(path=there, new=True, renamed=there.name != name)
        namesakes = self._namesakes(folder / name)
        while True:
            # Another program may have put photos there meanwhile, and even this one.
            target = namesakes.next_free()
            there = namesakes.find(digest)
            if there is not None and self._moves is None:
                return Copied(path=there, new=False, renamed=there.name != name)
            if self.mode == "symlink" and (dead := namesakes.take_dead(file_of(record, "symlink"))):
                relink_photo(record, dead)
                namesakes.by_digest[digest] = dead
                return Copied(path=dead, new=True, renamed=dead.name != name)
            try:
                if self._moves is not None:
                    self._moves.move(record, target, digest)
                elif self.mode == "copy":
                    copy_photo(record, target)
                else:
                    link_photo(record, target, self.mode)
            except FileExistsError:
                continue
            namesakes.add(digest, target)
            return Copied(path=target, new=True, renamed=target.name != name)

    def _make(self, folder: Path) -> None:
        _refuse_link(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:  # made since sorting began
            raise OutputExistsError(_not_a_folder(folder)) from error
        except OSError as error:
            raise OutputError(f"the folder {folder} cannot be made: {error.strerror}") from error
        if folder not in self._ready:
            sweep(folder, SCRATCH)
            self._ready.add(folder)


def _name_of(record: ImageRecord) -> str:
    if record.path is not None:
        return record.path.name
    return safe_name(record.id.rpartition("/")[2])


def _not_a_folder(path: Path) -> str:
    what = "a link to nothing" if path.is_symlink() else "a file"
    return f"{path} is {what}; give another folder to sort the photos to"


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise OutputExistsError(
            f"{folder} is a symbolic link, and photos put there would go elsewhere; remove the "
            "link, or give another folder to sort the photos to"
        )


def _common_end(one: Path, other: Path) -> int:
    """In how many last parts two paths are the same."""
    pairs = zip(reversed(one.parts), reversed(other.parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass
class _Namesakes:
    """The files of one folder that have one name, or that name and a number; by their bytes."""

    name: Path
    count: int = 0
    by_digest: dict[str, Path] = field(default_factory=dict)
    dead: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next_free()

    def find(self, digest: str) -> Path | None:
        return self.by_digest.get(digest)

    def next_free(self) -> Path:
        """The first name that nobody has; who has those before it is remembered."""
        while os.path.lexists(there := self._numbered(self.count + 1)):
            self.count += 1
            if there.is_file():
                self.by_digest.setdefault(digest_of_file(there), there)
            elif there.is_symlink():
                self.dead.append(there)
        return there

    def take_dead(self, photo: Path) -> Path | None:
        """The link that leads nowhere and led to a file of that name, in such a folder if any."""
        ends = {one: _common_end(one.readlink(), photo) for one in self.dead}
        best = max(ends, key=ends.__getitem__, default=None)
        if best is None or not ends[best]:
            return None
        self.dead.remove(best)
        return best

    def add(self, digest: str, path: Path) -> None:
        self.count += 1
        self.by_digest[digest] = path

    def _numbered(self, number: int) -> Path:
        stem, suffix = self.name.stem, self.name.suffix
        return self.name if number == 1 else self.name.with_name(f"{stem} ({number}){suffix}")
