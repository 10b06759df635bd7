"""Photos that were moved into folders moved back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from penult.checking import checked
from penult.classify.prediction.copying import SCRATCH, digest_of_file, move_file
from penult.classify.prediction.move_log import LOG, Move, lock_moves, read_log
from penult.errors import (
    ImageError,
    OutputError,
    PathNotFoundError,
    PenultError,
)
from penult.images.files import open_regular
from penult.inputs import require_existing
from penult.interface import option
from penult.output import atomic_output, explain
from penult.records import Failure, ImageRecord, MovedBack
from penult.representation import short_text
from penult.scratch import sweep
from penult.wording import listed

__all__ = ["move_back"]


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
        If there is no such folder, or no log in it.
    FileFormatError
        If it is none.
    """
    log = require_existing(Path(folder), "folder") / LOG
    if not log.is_file():
        raise PathNotFoundError(
            f"{log} is not there: all photos are back, or none were moved to {folder}; without "
            f"{option('copy_mode', 'move')} they are copied, and the originals stay where they are"
        )
    lock = lock_moves(log.parent)
    try:
        return _moved_back(log)
    finally:
        lock.release(remove=True)


def _moved_back(log: Path) -> MovedBack:
    found, left, back = read_log(log), list[Move](), 0
    moves = found.moves
    elsewhere = _Elsewhere(log.parent, moves)
    failures = [
        Failure(
            f"{log}, line {number}",
            f"is damaged, and stays there: {short_text(line.decode(errors='replace'), 80)}",
        )
        for number, line in enumerate(found.damaged, 1)
    ]
    for move in reversed(moves):
        try:
            back += _undo(move, elsewhere)
        except PenultError as error:
            left.append(move)
            failures.append(Failure(str(move.target), str(error)))
    if left or found.damaged:
        with atomic_output(log, overwrite=True) as temporary:
            lines = [move.to_json(log.parent).encode() for move in reversed(left)]
            temporary.write_bytes(b"".join([*(line + b"\n" for line in found.damaged), *lines]))
    else:
        log.unlink()
    for folder in {one.parent for move in moves for one in (move.source, move.target)}:
        sweep(folder, SCRATCH)  # of moves that were killed
    emptied = {one for move in moves for one in move.target.parents if log.parent in one.parents}
    for one in sorted(emptied, key=lambda path: -len(path.parts)):
        with suppress(OSError):  # there is something else in it
            one.rmdir()
    return MovedBack(photos=back, failures=tuple(failures))


class _Elsewhere:
    """Where in the folder photos lie by now that were put into another class by hand."""

    def __init__(self, folder: Path, moves: Sequence[Move]) -> None:
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

    def find(self, move: Move) -> Move | None:
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


def _undo(move: Move, elsewhere: _Elsewhere) -> bool:
    """Move one back; whether there was something to do."""
    if not os.path.lexists(move.target):
        if move.is_home:
            return False  # it is back, or was never moved
        found = elsewhere.find(move)
        if found is None and os.path.lexists(move.source):
            raise ImageError(f"is no longer there, and {move.source} is another file by now")
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
    folder = move.source.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        blocked = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
        raise OutputError(f"{blocked} is no folder by now; move it away") from None
    except OSError as error:
        raise explain(error, folder) from error
    try:
        move_file(record, move.source, move.digest)
    except FileExistsError:
        raise OutputError(f"{move.source} is another file by now; move one of them") from None
    return True
