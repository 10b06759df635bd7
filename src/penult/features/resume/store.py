"""The folder of an unfinished run: what is computed is safe there until the file is whole."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from penult.errors import OutputError, ResumeError
from penult.features.resume.chunk import Outcomes, Part
from penult.features.resume.ledger import Ledger
from penult.features.resume.lock import RunLock
from penult.features.resume.manifest import Manifest
from penult.output import check_output, sync_folder
from penult.recipe import Recipe
from penult.records import ImageRecord
from penult.suffixes import FEATURES

__all__ = ["Limits", "PartStore", "is_leftover", "parts_folder", "require_place"]

_EARLIER = "earlier"
# By name, so that nothing else that may lie in a folder of that name is ever removed.
_OURS = (f"{_EARLIER}/*.safetensors", "*.safetensors", "*.new", ".*.partial", "images-*.jsonl")


@dataclass(frozen=True)
class Limits:
    """When a part is written: at the first of these. A kill loses no more than that."""

    images: int = 4096
    nbytes: int = 1 << 24
    seconds: float = 30.0


LIMITS = Limits()


def parts_folder(output: Path) -> Path:
    """Where the parts of an output lie while it is not finished."""
    return output.with_name(f"{output.name}.parts")


class PartStore:
    """The parts of one run, locked against any other.

    The folder holds ``run.json`` (the manifest), ``images-….jsonl`` (the list of images), and
    the parts, numbered; ``earlier/`` has parts of a run over other images, kept for ``--update``.
    Whatever is not whole is not trusted: it is removed, and computed again.

    Parameters
    ----------
    output : the file to be
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = parts_folder(output)
        self._lock = RunLock(self.folder, output)
        self._pending: list[Outcomes] = []
        # Of these; asked for with each block, of which some are many.
        self._waiting = self._nbytes = 0
        self._since = 0.0
        self._parts: list[Part] = []
        self._safe = 0  # images

    def begin(
        self,
        recipes: Mapping[str, Recipe],
        options: Mapping[str, Any],
        records: Sequence[ImageRecord],
        *,
        augmented: bool = False,
        restart: bool = False,
        update: bool = False,
    ) -> Ledger:
        """Begin a run, or go on with the one that lies here.

        Parameters
        ----------
        recipes : by the names of their rows
        augmented : whether some of the records are augmented views
        restart : remove what lies here
        update : take what lies here even if it is of other images; see `earlier`

        Returns
        -------
        Ledger
            What is known of each image already.

        Raises
        ------
        RecipeMismatchError, ResumeError
            If another run lies here.
        OSError
        """
        there = None if restart else Manifest.read(self.folder)
        if there is None:
            self.clear()
        manifest = Manifest.of(self.folder, recipes, options, records)
        if there is not None:
            manifest.require_recipe(there, self.folder)
            if update and manifest != there:
                self._put_aside()
            else:
                manifest.require_images(there, self.folder)
        if manifest != there:
            manifest.write(self.folder)
        for path in (*self.folder.glob(".*.partial"), *self.folder.glob("*.new")):
            path.unlink()  # what a killed run was about to rename
        ledger = Ledger(records, augmented=augmented)
        for part in _whole(self.folder):
            outcomes = part.outcomes()
            # A row never travels without its id, nor is it taken on its word.
            where = outcomes.positions
            if not ((where >= 0) & (where < len(records))).all():
                continue
            if [records[int(k)].id for k in where] != outcomes.ids:
                continue
            if ledger.knows(where):  # of a worker whose run was over before it had put it there
                part.path.unlink(missing_ok=True)
                continue
            self._enter(part, outcomes, ledger)
        return ledger

    def earlier(self) -> list[Part]:
        """The parts of a run over other images, whose rows hold where the bytes are the same."""
        return _whole(self.folder / _EARLIER)

    def add(self, outcomes: Outcomes) -> None:
        """Take some outcomes; they are safe after the next `flush`."""
        if not self._pending:
            self._since = time.monotonic()
        if outcomes.ids:
            self._pending.append(outcomes)
            self._waiting += len(outcomes.ids)
            self._nbytes += outcomes.nbytes

    @property
    def waiting(self) -> int:
        """How many outcomes were added since the last flush."""
        return self._waiting

    @property
    def is_due(self) -> bool:
        """It is time to flush."""
        return bool(self._pending) and (
            self.waiting >= LIMITS.images
            or self._nbytes >= LIMITS.nbytes
            or time.monotonic() - self._since >= LIMITS.seconds
        )

    def flush(self, ledger: Ledger) -> None:
        """Write what was added as one part, and enter it in the ledger once it is safe.

        Raises
        ------
        OSError
        """
        if not self._pending:
            return
        self._lock.check()
        outcomes = Outcomes.joined(self._pending)
        part = Part.write(self.folder, self.next_number, outcomes)
        self._pending, self._waiting, self._nbytes = [], 0, 0
        self._enter(part, outcomes, ledger)

    @property
    def next_number(self) -> int:
        """The number of the next part."""
        return max((part.number for part in self._parts), default=0) + 1

    def take(self, part: Part, ledger: Ledger) -> None:
        """Enter a part that another process has written into the folder.

        Raises
        ------
        OutputError
            If it is not there, or is damaged, or of other images.
        OSError
        """
        self._lock.check()
        try:
            outcomes = part.outcomes()
        except ValueError as error:
            raise OutputError(
                f"{self.output} cannot be written: a worker has put {part.path.name} into "
                f"{self.folder}, and it cannot be read there; the folder has to be on a file "
                "system that all machines of the cluster share"
            ) from error
        self._enter(part, outcomes, ledger)

    def _enter(self, part: Part, outcomes: Outcomes, ledger: Ledger) -> None:
        self._parts.append(part)
        self._safe += len(outcomes.ids)
        good = np.array([not reason for reason in outcomes.reasons], dtype=bool)
        ledger.settle(outcomes.positions[good], ledger.add_source(part), np.arange(good.sum()))
        for position, reason in zip(outcomes.positions, outcomes.reasons, strict=True):
            if reason:
                ledger.fail(int(position), reason)

    @property
    def safe(self) -> int:
        """How many images' outcomes are on the disk, for a later run to go on with."""
        return self._safe if self._lock.is_held else 0

    def about_to_place(self, file: Path) -> None:
        """Note which file will get the output's name next, so that a later run knows it."""
        self._lock.check()
        manifest = Manifest.read(self.folder)
        if manifest is not None:
            replace(manifest, placed=_identity(file)).write(self.folder, sync=False)

    def is_same(
        self,
        recipes: Mapping[str, Recipe],
        options: Mapping[str, Any],
        records: Sequence[ImageRecord],
    ) -> bool:
        """The run that lies here is the one that is asked for."""
        asked = Manifest.of(self.folder, recipes, options, records)
        return Manifest.read(self.folder) == asked

    def clear(self) -> None:
        """Remove everything of penult's in the folder.

        Raises
        ------
        OSError
        """
        self._lock.check()
        # The manifest last: it tells a later run that nothing but this is left to do.
        for name in (*_OURS, "run.json"):
            for path in self.folder.glob(name):
                path.unlink(missing_ok=True)
        with suppress(OSError):
            (self.folder / _EARLIER).rmdir()
        self._parts, self._pending, self._safe = [], [], 0
        self._waiting = self._nbytes = 0

    def close(self) -> None:
        """Let go; the folder stays if there is something in it to go on with."""
        worthless = not Part.all_in(self.folder) and not Part.all_in(self.folder / _EARLIER)
        if worthless:
            with suppress(OSError, OutputError):
                self.clear()
        self._lock.release(remove=worthless)

    def _put_aside(self) -> None:
        # Parts are told apart by their digests, so those of several interrupted runs get along.
        aside = self.folder / _EARLIER
        aside.mkdir(exist_ok=True)
        for part in Part.all_in(self.folder):
            part.path.replace(aside / part.path.name)
        sync_folder(aside)


def require_place(output: Path, *, overwrite: bool, update: bool) -> None:
    """Refuse an output that an extraction with these options could not write.

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
    """
    # A run that was killed when all but the tidying up was done is no reason to refuse.
    may_replace = overwrite or update or is_leftover(output)
    check_output(output, overwrite=may_replace, output=FEATURES, has_update=True)


def is_leftover(output: Path) -> bool:
    """A run ended here when its output had its name already, and only parts were left to remove."""
    if not output.is_file():
        return False
    folder = parts_folder(output)
    if not folder.is_dir():
        return False
    try:
        manifest = Manifest.read(folder)
    except ResumeError:
        return False
    return manifest is None or manifest.placed == _identity(output)


def _identity(file: Path) -> tuple[int, ...]:
    status = file.stat()  # all of this survives a rename
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _whole(folder: Path) -> list[Part]:
    """The parts that can be trusted; the others are removed, and their images done again."""
    whole = []
    for part in Part.all_in(folder):
        if part.is_whole() and part.is_sound():
            whole.append(part)
        else:
            part.path.unlink()
    return whole
