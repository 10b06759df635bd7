"""The labels that people change while a gallery is served: a log that is only ever appended to."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import MappingProxyType, TracebackType

from penult.errors import FileFormatError, LabelLogError, OutputError, PathNotFoundError, UsageError
from penult.inputs import require_file
from penult.output import explain, sync_folder
from penult.serving.labels.entry import LabelEntry, checked_label, checked_name, from_line, to_line
from penult.serving.labels.expected import require_expected
from penult.serving.labels.file_lock import lock_file, release
from penult.serving.labels.state import LabelState
from penult.wording import beginning, count

__all__ = ["LabelLog"]

HEADER = b'{"penult label log": 1}\n'
"""The first line, by which the file is known."""


class LabelLog:
    """Changes of labels in a file, a JSON object a line: who, when, and of which images.

    A change is on the disk before it is acknowledged, and is there whole or not at all, however
    many images it is of. A process that is killed while it writes leaves a line without an end at
    most; that was not acknowledged, and is taken away when the file is opened again. Anything else
    that is wrong with a line is refused, as it was made by something else. Safe to call from any
    thread; of processes, one at a time.

    Parameters
    ----------
    path : path
        The file; it is made at the first change.

    Attributes
    ----------
    path : Path
        The file.

    Raises
    ------
    OutputExistsError
        If another process has it open.
    LabelLogError
        If a line cannot be read; names it.
    WrongFileError, PathNotFoundError
        If it is a folder, or in a folder that is not there.
    OutputError
        If its folder cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._state = LabelState()
        self._writing = Lock()
        self._file: int | None = None
        self._length = 0
        self._is_torn = False
        if not self.path.parent.is_dir():
            raise PathNotFoundError(
                f"{self.path} cannot be written: there is no folder {self.path.parent}"
            )
        if os.path.lexists(self.path):
            require_file(self.path, "a log of labels", [".labels.jsonl"])
        # A link may lead to what another process has by its own name.
        self._lock = lock_file(self.path.resolve(), "label_log")
        try:
            if os.path.lexists(self.path):
                self._read()
        except BaseException:
            release(self._lock)
            raise

    def put(
        self,
        ids: Iterable[str],
        label: str | None,
        who: str | None = None,
        *,
        several: bool = False,
        before: Callable[[str], str | None] = lambda _: None,
        expected: Mapping[str, str | None] = MappingProxyType({}),
    ) -> list[LabelEntry]:
        """Give images a label, or confirm the one that they have.

        Parameters
        ----------
        ids : iterable of str
            The images; each counts once.
        label : str or None
            None for no label.
        who : str, optional
            Who says so.
        several : bool
            Whether an image may have several labels, separated by ``|``.
        before : callable
            The label of an image of which the log says nothing.
        expected : mapping of str to (str or None)
            Of those images that are to be changed from one label alone, that label; None for none.

        Returns
        -------
        list of LabelEntry
            One for each image, all of one batch.

        Raises
        ------
        UsageError
            If there is no image; if the label or the name cannot be one.
        OtherLabelsError
            If an image has another label than is expected. Nothing was changed then.
        OutputError
            If it cannot be written: the disk is full, say. Nothing was changed then.
        """
        images = list(dict.fromkeys(ids))
        if not images:
            raise UsageError("a label was given to no image; name at least one")
        new, by = checked_label(label, several=several), checked_name(who)
        with self._writing:
            now = {one: self._state.last(one) for one in images}
            olds = {one: before(one) if last is None else last.new for one, last in now.items()}
            require_expected(expected, olds, now, several=several)
            changes = [(one, old, new, None) for one, old in olds.items()]
            return self._append(changes, by)

    def undo(
        self,
        *,
        entry: int | None = None,
        batch: int | None = None,
        who: str | None = None,
        among: Container[str] | None = None,
    ) -> list[LabelEntry]:
        """Take a change back: of its images, those get their label back that it changed last.

        Parameters
        ----------
        entry, batch : int, optional
            The number of the change; by default the last one of `who` that can be taken back.
        who : str, optional
            Who says so.
        among : container of str, optional
            Images, of which the change has to be of one where none is named.

        Returns
        -------
        list of LabelEntry
            One for each of those images, all of one batch.

        Raises
        ------
        UsageError
            If both `entry` and `batch` are given.
        UndoError
            If there is no such change; if it was undone already, or all its images have been given
            labels since.
        OutputError
            As of `put`.
        """
        if entry is not None and batch is not None:
            raise UsageError(f"entry {entry} and batch {batch} were given; give one of them")
        by = checked_name(who)
        with self._writing:
            undone = self._state.to_undo(entry, batch, by, among=among)
            return self._append([(one.id, one.new, one.old, one.entry) for one in undone], by)

    def state(self) -> Mapping[str, LabelEntry]:
        """The entry that counts of each image that the log names; a snapshot.

        It is an undoing (`LabelEntry.undoes`) where nothing stands of what was said of the image.
        """
        with self._writing:
            return self._state.current

    def history(self, image_id: str) -> list[LabelEntry]:
        """All entries of an image, the first one first; those that were undone are among them."""
        with self._writing:
            return self._state.history(image_id)

    def __len__(self) -> int:
        """How many entries there are: it grows with each change."""
        return len(self._state.entries)

    def close(self) -> None:
        """Let another process have the file; doing it twice does no harm."""
        with self._writing:
            if self._file is not None:
                os.close(self._file)
                self._file = None
            release(self._lock)

    def __enter__(self) -> LabelLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LabelLog({str(self.path)!r}, {count(len(self), 'entry', 'entries')})"

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise LabelLogError(f"{self.path} cannot be read: {error.strerror or error}") from error
        if data and not (data.startswith(HEADER) or HEADER.startswith(data)):
            raise LabelLogError(
                f"{self.path} is not a log of labels that penult has written: "
                f"{beginning(data)}; give another name"
            )
        whole, end, cut = data.rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n")[1:], 2):
            try:
                self._state.append(from_line(line))
            except FileFormatError as error:
                raise LabelLogError(f"{self.path}, line {number}: {error}") from error
        self._length = len(whole) + len(end)
        if cut:
            self._mend(len(cut))

    def _mend(self, cut: int) -> None:
        logging.getLogger("penult").warning(
            "penult: the last line of %s has no end (%s): whoever wrote it was stopped before it "
            "was acknowledged, and it was taken away",
            self.path,
            count(cut, "byte"),
        )
        try:
            self._open()
            self._take_back()
        except OSError as error:
            raise explain(error, self.path, kept=True) from error

    def _append(
        self,
        changes: Sequence[tuple[str, str | None, str | None, int | None]],
        who: str | None,
    ) -> list[LabelEntry]:
        first, batch = self._state.next_entry, self._state.next_batch
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        entries = [
            LabelEntry(
                entry=number,
                batch=batch,
                id=image,
                old=old,
                new=new,
                who=who,
                when=when,
                undoes=undoes,
            )
            for number, (image, old, new, undoes) in enumerate(changes, first)
        ]
        self._write(to_line(entries))
        self._state.append(entries)
        return entries

    def _write(self, line: bytes) -> None:
        try:
            file = self._open()
            self._require_same(file)
            data = line if self._length else HEADER + line
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            except BaseException:
                with suppress(OSError):  # it is tried again before the next change
                    self._take_back()
                raise
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            refused = explain(error, self.path, kept=True)
            raise OutputError(f"{refused}, and no label was changed") from error
        self._length += len(data)

    def _open(self) -> int:
        if self._file is None:
            is_new = not self.path.exists()
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(self.path, flags, 0o666)
            if is_new:
                sync_folder(self.path.parent)
        return self._file

    def _require_same(self, file: int) -> None:
        """Refuse to write into what is no longer the log: what is written there would be lost."""
        known = os.fstat(file)
        if not self.path.exists() or not os.path.samestat(self.path.stat(), known):
            raise OutputError(
                f"{self.path} was removed or replaced while it was in use; nothing was changed. "
                "Put it back, or start the service again"
            )
        if known.st_size != self._length:
            if not self._is_torn:
                raise OutputError(
                    f"{self.path} was changed by something else while it was in use; nothing was "
                    "changed here. Start the service again"
                )
            self._take_back()

    def _take_back(self) -> None:
        """Cut the file off where what was acknowledged ends."""
        assert self._file is not None
        self._is_torn = True
        os.ftruncate(self._file, self._length)
        os.fsync(self._file)
        self._is_torn = False
