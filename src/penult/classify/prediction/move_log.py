"""The log of the photos that were moved into a folder: a line is safe before its move is done."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from penult.arguments import require_texts
from penult.classify.prediction.copying import digest_of_file, move_file
from penult.errors import (
    FileFormatError,
    ImageError,
    PenultError,
)
from penult.images.files import open_regular
from penult.output import explain, sync_folder
from penult.parsing import read_json
from penult.records import ImageRecord

if TYPE_CHECKING:
    from penult.features.resume.lock import RunLock

__all__ = ["LOG", "RESERVED", "Move", "MoveLog", "lock_moves", "read_log"]

LOG = "moves.jsonl"
"""The log's name in the folder that photos are moved to: a JSON object a line, ``from``, an
absolute path, ``to``, a path from that folder, and ``digest``, of the photo's bytes."""

_LOCK = "moves.lock"
_BEGIN, _FROM = b'{"from": "', re.compile(rb'\{"from": ("(?:[^"\\]|\\.)*")')
_LONGEST = 1 << 15  # in bytes, of a line: two paths

RESERVED = (LOG, _LOCK)
"""Names in that folder that are penult's own, and no class's."""


@dataclass(frozen=True)
class Move:
    """One photo, where it came from and where it went."""

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
        try:
            return path.is_file() and not path.is_symlink() and digest_of_file(path) == self.digest
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error.strerror}") from error

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
        self._lock: RunLock | None = None
        self._noted: dict[Path, Move] = {}

    def begin(self) -> None:
        """Keep others from moving photos to and from the folder, and read the log; it has to exist.

        Raises
        ------
        OutputExistsError
            If another run does so.
        FileFormatError, OutputError
        """
        if self._lock is None:
            self._lock = lock_moves(self.path.parent)
            if os.path.lexists(self.path):
                self._noted = {one.source: one for one in read_log(self.path).moves}

    def close(self) -> None:
        """Let others move photos."""
        if self._lock is not None:
            self._lock.release(remove=True)
            self._lock = None

    def finish(self, record: ImageRecord, digest: str) -> Path | None:
        """Finish the move of a photo that a kill left in both places; where to, or None.

        Raises
        ------
        OutputError
        """
        self.begin()
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
        self.begin()
        self._note(Move(_source(record), target, digest))
        move_file(record, target, digest)

    def _note(self, move: Move) -> None:
        line = move.to_json(self.path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        is_new = not self.path.exists()
        try:
            with os.fdopen(os.open(self.path, flags, 0o666), "rb+", buffering=0) as file:
                file.write(_mended(file) + line.encode())
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise explain(error, self.path) from error


def lock_moves(folder: Path) -> RunLock:
    """Keep others from moving photos to and from a folder.

    Raises
    ------
    OutputExistsError
        If another run does so.
    OutputError
    """
    from penult.features.resume.lock import RunLock

    try:
        return RunLock(folder / _LOCK, folder)
    except PenultError:
        raise
    except OSError as error:
        raise explain(error, folder / _LOCK) from error


def _mended(file: RawIOBase) -> bytes:
    """Remove a last line that a power cut left unfinished; what another one lacks at its end."""
    end = file.seek(0, os.SEEK_END)
    start = file.seek(max(end - _LONGEST, 0))
    tail = file.read() or b""
    if not tail or tail.endswith(b"\n"):
        return b""
    begin = tail.rfind(b"\n") + 1
    if _is_torn(tail[begin:]):
        file.truncate(start + begin)
        return b""
    return b"\n"


def _source(record: ImageRecord) -> Path:
    return Path(os.path.abspath(record.path or ""))  # noqa: PTH100 - no links


class Noted(NamedTuple):
    """What a log holds: moves, and lines that are none."""

    moves: list[Move]
    damaged: list[bytes]


def read_log(log: Path) -> Noted:
    """Read what was moved, in the order in which it was.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or leads out of its folder.
    """
    try:
        with open_regular(log) as file:
            *lines, last = file.read().split(b"\n")
    except (OSError, PenultError) as error:
        raise FileFormatError(f"{log} cannot be read as a log of moved photos: {error}") from error
    found = Noted([], [])
    for number, line in enumerate(lines, 1):
        move = _parsed(line, log.parent, number)
        if move is None and line:
            found.damaged.append(line)
        elif move is not None:
            found.moves.append(move)
    if last and (move := _parsed(last, log.parent, len(lines) + 1)) is not None:
        found.moves.append(move)
    elif last and not _is_torn(last):
        found.damaged.append(last)
    return found


def _is_torn(line: bytes) -> bool:
    """Whether a last line may be one that a power cut left unfinished, before the move it is of.

    Where the photo is no longer where the line says that it came from, it was moved after all.
    """
    if not (line.startswith(_BEGIN) or _BEGIN.startswith(line)) or line.endswith(b"}"):
        return False
    told = _FROM.match(line)
    try:
        return told is None or os.path.lexists(json.loads(told[1]))
    except ValueError:
        return False


def _parsed(line: bytes, folder: Path, number: int = 0) -> Move | None:
    """Read a line of the log of a folder; None if it is damaged.

    Raises
    ------
    FileFormatError
        If it is not, and leads elsewhere.
    """
    try:
        said = read_json(line.decode())
        texts = [said[name] for name in ("from", "to", "digest")]
        if not all(isinstance(text, str) for text in texts):
            return None
        require_texts("folder", texts, path=True)
    except (ValueError, KeyError, TypeError):
        return None
    source, target, digest = Path(texts[0]), PurePosixPath(texts[1]), texts[2]
    if not source.is_absolute() or target.is_absolute() or ".." in target.parts:
        raise FileFormatError(f"{folder / LOG}, line {number}: leads out of {folder}")
    return Move(source, folder / target, digest)
