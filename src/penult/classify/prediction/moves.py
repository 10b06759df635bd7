"""Photos moved into folders, with a log that undoes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from penult.checking import checked
from penult.classify.prediction.copying import digest_of_file, move_file
from penult.errors import (
    FileFormatError,
    ImageError,
    OutputError,
    PathNotFoundError,
    PenultError,
)
from penult.images.files import open_regular
from penult.output import atomic_output, explain, sync_folder
from penult.parsing import read_json
from penult.records import Failure, ImageRecord, MovedBack
from penult.wording import listed

__all__ = ["LOG", "MoveLog", "move_back"]

LOG = "moves.jsonl"
"""The log's name in the folder that photos are moved to: a JSON object a line, ``from``, an
absolute path, ``to``, a path from that folder, and ``digest``, of the photo's bytes."""


@dataclass(frozen=True)
class _Move:
    source: Path
    target: Path
    digest: str

    @property
    def is_home(self) -> bool:
        """Whether what has the name that the photo had is the photo."""
        return self._is_photo(self.source)

    @property
    def is_there(self) -> bool:
        """Whether what has the name that the photo was given is the photo."""
        return self._is_photo(self.target)

    def _is_photo(self, path: Path) -> bool:
        return path.is_file() and not path.is_symlink() and digest_of_file(path) == self.digest

    def to_json(self, folder: Path) -> str:
        """Make a line of the log."""
        to = self.target.relative_to(folder).as_posix()
        return json.dumps({"from": str(self.source), "to": to, "digest": self.digest}) + "\n"


class MoveLog:
    """Moves photos into a folder, and notes each move there before it is done.

    Parameters
    ----------
    folder : Path
        The folder that the photos' own folders are in.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG
        self._noted = {}
        if os.path.lexists(self.path):
            self._noted = {one.source: one for one in _read(self.path)}

    def finish(self, record: ImageRecord, digest: str) -> Path | None:
        """Finish the move of a photo that a kill left in both places; where to, or None.

        Raises
        ------
        OutputError
        """
        move = self._noted.pop(_source(record), None)
        if move is None or move.digest != digest or not (move.is_there and move.is_home):
            return None
        try:
            move.source.unlink()
        except OSError as error:
            raise explain(error, move.source) from error
        return move.target

    def move(self, record: ImageRecord, target: Path, digest: str) -> None:
        """Note a move, and do it; as `move_file`.

        Raises
        ------
        FileExistsError, OutputError, ImageError
        """
        self._note(_Move(_source(record), target, digest))
        move_file(record, target, digest)

    def _note(self, move: _Move) -> None:
        line = move.to_json(self.path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        is_new = not self.path.exists()
        try:
            with os.fdopen(os.open(self.path, flags, 0o666), "rb+", buffering=0) as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":  # a power cut left that line unfinished
                        line = "\n" + line
                file.write(line.encode())
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise explain(error, self.path) from error


def _source(record: ImageRecord) -> Path:
    return Path(os.path.abspath(record.path or ""))  # noqa: PTH100 - no links


@checked
def move_back(folder: str | Path) -> MovedBack:
    """Move the photos back that were moved into a folder: ``copy_mode="move"`` undone.

    Parameters
    ----------
    folder : path
        That was given as `copy_to`; its log says where each photo came from.

    Returns
    -------
    MovedBack
        How many are back, and which could not be moved: another file has the name, or the photo is
        no longer in the folder, where it may have been moved and renamed. These stay in the log; it
        is removed when all are back.

    Raises
    ------
    PathNotFoundError
        If there is no log.
    FileFormatError
        If it is none.
    """
    log = Path(folder) / LOG
    if not log.is_file():
        raise PathNotFoundError(
            f"{log} is not there: no photos were moved to {folder}, or all are back"
        )
    moves, left, back = list(_read(log)), list[_Move](), 0
    failures, elsewhere = list[Failure](), _Elsewhere(log.parent, moves)
    for move in reversed(moves):
        try:
            back += _undo(move, elsewhere)
        except PenultError as error:
            left.append(move)
            failures.append(Failure(str(move.target), str(error)))
    if left:
        with atomic_output(log, overwrite=True) as temporary:
            lines = (move.to_json(log.parent) for move in reversed(left))
            temporary.write_text("".join(lines), encoding="utf-8")
    else:
        log.unlink()
    emptied = {one for move in moves for one in move.target.parents if log.parent in one.parents}
    for one in sorted(emptied, key=lambda path: -len(path.parts)):
        with suppress(OSError):  # there is something else in it
            one.rmdir()
    return MovedBack(photos=back, failures=tuple(failures))


class _Elsewhere:
    """Where in the folder photos lie by now that were put into another class by hand."""

    def __init__(self, folder: Path, moves: Sequence[_Move]) -> None:
        self._folder, self._moves = folder, moves

    @cached_property
    def _by_digest(self) -> dict[str, list[Path]]:
        logged = {move.target for move in self._moves}
        found = dict[str, list[Path]]()
        for where, _, names in os.walk(self._folder):
            for path in sorted(Path(where, name) for name in names):
                if path.is_file() and not path.is_symlink() and path not in logged:
                    with suppress(OSError):
                        found.setdefault(digest_of_file(path), []).append(path)
        return found

    def find(self, move: _Move) -> _Move | None:
        """The same move, from where its photo is now; None where it is not in the folder.

        Raises
        ------
        ImageError
            If it is there more than once, or another photo of the same bytes is looked for too.
        """
        there = [path for path in self._by_digest.get(move.digest, ()) if path.is_file()]
        if not there:
            return None
        lost = {m.source for m in self._moves if m.digest == move.digest and not m.is_there}
        if len(there) > 1 or len(lost) > 1:
            raise ImageError(
                f"is no longer there; the same photo is now {listed(map(str, there), 3)}: which "
                f"one belongs to {move.source} cannot be known, move it by hand"
            )
        return replace(move, target=there[0])


def _undo(move: _Move, elsewhere: _Elsewhere) -> bool:
    """Move one back; whether there was something to do."""
    if not os.path.lexists(move.target):
        if os.path.lexists(move.source):
            return False  # it is back, or was never moved
        found = elsewhere.find(move)
        if found is None:
            raise ImageError(f"is no longer there, and so cannot go back to {move.source}")
        move = found
    is_there = move.is_there
    if move.is_home:  # a kill left it in both places, or the name there was another photo's
        if is_there:
            move.target.unlink()
        return is_there
    if not is_there:
        raise ImageError(f"is not the photo that came from {move.source}, or was changed since")
    record = ImageRecord(str(move.target), partial(open_regular, move.target), path=move.target)
    try:
        move.source.parent.mkdir(parents=True, exist_ok=True)
        move_file(record, move.source, move.digest)
    except FileExistsError:
        raise OutputError(f"{move.source} is another file by now; move one of them") from None
    except PenultError:
        raise
    except OSError as error:
        raise explain(error, move.source) from error
    return True


def _read(log: Path) -> Iterator[_Move]:
    try:
        with open_regular(log) as file:
            lines = file.read().decode("utf-8").split("\n")
    except (OSError, PenultError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{log} cannot be read as a log of moved photos: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            said = read_json(line)
            source, target = Path(said["from"]), PurePosixPath(said["to"])
            digest = str(said["digest"])
        except (ValueError, KeyError, TypeError):
            # Cut short by a power cut, before the move that it was to be the note of.
            continue
        if not source.is_absolute() or target.is_absolute() or ".." in target.parts:
            raise FileFormatError(f"{log}, line {number}: leads out of {log.parent}")
        yield _Move(source, log.parent / target, digest)
