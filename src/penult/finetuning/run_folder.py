"""What a fine-tuning keeps until it is done, so that it can go on after a kill."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from penult.backbones.checkpoint_folder import STATE
from penult.errors import FileFormatError, PenultError, ResumeError
from penult.features.resume.lock import RunLock
from penult.features.resume.store import parts_folder
from penult.inputs import unreadable
from penult.interface import option
from penult.output import atomic_text, explain
from penult.parsing import read_json
from penult.scratch import sweep

__all__ = ["RunFolder"]

_ROWS, _RUN, _TRAINING = "rows.h5", "run.json", "training.pt"


class RunFolder:
    """The folder ``state`` in a checkpoint's folder, locked while a run is at work.

    A run that was ended before its training began holds nothing back: another one takes over the
    rows that it has made, if they are those of its network, whatever else it is asked for.

    Parameters
    ----------
    output : Path
        The checkpoint's folder; made if need be.
    asked : mapping of str to Any
        What the run was asked for, JSON-like: another run's state is refused.
    resume : bool
        Whether to go on with what is there.
    restart : bool
        Whether to throw it away.

    Raises
    ------
    ResumeError
        If an interrupted training is there, and neither was said; or if it was asked for something
        else.
    OutputExistsError
        If another run is at work.
    OutputError
    """

    def __init__(
        self, output: Path, asked: Mapping[str, Any], *, resume: bool, restart: bool
    ) -> None:
        self.path = output / STATE
        self._output = output
        self._created = not output.exists()
        try:
            output.mkdir(exist_ok=True)
            self._lock = RunLock(self.path, output)
        except OSError as error:
            self._take_away()
            if isinstance(error, PenultError):  # another run is at work
                raise
            raise explain(error, output) from error
        try:
            self._begin(asked, resume=resume, restart=restart)
        except BaseException:
            self.release(done=False)
            raise

    @property
    def rows(self) -> Path:
        """Where the rows of the frozen network are."""
        return self.path / _ROWS

    @property
    def is_begun(self) -> bool:
        """Whether a training has begun, of which something is kept."""
        return self.training.exists()

    @property
    def training(self) -> Path:
        """Where the state of the training is."""
        return self.path / _TRAINING

    @property
    def seconds(self) -> float:
        """What earlier runs have spent on the rows."""
        seconds = self._run.get("seconds", 0.0)
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    def spent(self, seconds: float) -> None:
        """Add to that."""
        self._run["seconds"] = self.seconds + seconds
        self._write()

    def release(self, *, done: bool) -> None:
        """Let go; if the run is done, or has kept nothing, take away what it kept."""
        remove = done or self._is_worthless
        if remove:
            self._clear()
        self._lock.release(remove=remove)
        self._take_away()

    def _take_away(self) -> None:
        """Remove the checkpoint's folder if this run made it and nothing is in it."""
        if self._created:
            with suppress(OSError):  # not empty: it holds the checkpoint, or what a run kept
                self._output.rmdir()

    @property
    def _is_worthless(self) -> bool:
        """Whether nothing has been computed that could be gone on with."""
        kept = (self.rows, self.training, parts_folder(self.rows))
        return not any(one.exists() for one in kept)

    def _begin(self, asked: Mapping[str, Any], *, resume: bool, restart: bool) -> None:
        there = self.path / _RUN
        if restart or (there.exists() and self._is_worthless):
            self._clear()
        self._run: dict[str, Any] = {}
        if not there.exists():
            # Nothing says which run they are of: this one may not go on with them.
            left = [one.name for one in (self.rows, self.training) if one.exists()]
            if left:
                raise ResumeError(
                    f"{self.path} has {left[0]} of another run, without the {_RUN} that says of "
                    f"which; give {option('restart', True)} to begin anew"
                )
            self._run = {"asked": dict(asked)}
            self._write()
            return
        if self.is_begun and not resume:
            raise ResumeError(
                f"{self._output} has what an interrupted run kept; give {option('resume', True)} "
                f"to go on from there, or {option('restart', True)} to begin anew"
            )
        try:
            found = read_json(there.read_text(encoding="utf-8"))
        except OSError as error:
            raise unreadable(there, error) from error
        except ValueError as error:
            raise FileFormatError(
                f"{there} is damaged ({error}); give {option('restart', True)} to begin anew"
            ) from error
        self._run = found if isinstance(found, dict) else {}
        before = self._run.get("asked")
        before = before if isinstance(before, dict) else {}
        now = json.loads(json.dumps(dict(asked)))
        other = [name for name in {**now, **before} if now.get(name) != before.get(name)]
        if other and self.is_begun:
            why = "; ".join(_difference(name, before.get(name)) for name in other[:3])
            if "epochs" in other:
                why += "; the learning rate falls over all of them, so each would be another one"
            raise ResumeError(
                f"the interrupted run in {self._output} was another one ({why}); give the same "
                f"options to go on, or {option('restart', True)} to begin anew"
            )
        if other:
            seconds = 0.0 if {"model", "weights"} & {*other} else self.seconds
            self._run = {"asked": dict(asked), "seconds": seconds}
            self._write()

    def _write(self) -> None:
        with atomic_text(self.path / _RUN, overwrite=True) as file:
            file.write(json.dumps(self._run, indent=1) + "\n")

    def _clear(self) -> None:
        parts = parts_folder(self.rows)
        if parts.is_dir():
            from penult.features.resume.store import PartStore

            with suppress(OSError):
                store = PartStore(self.rows)
                store.clear()
                store.close()
        # Last what says of which run the others are, so that none is ever there without it.
        for name in (_TRAINING, _ROWS, _RUN):
            sweep(self.path, name)
            (self.path / name).unlink(missing_ok=True)


def _difference(name: str, before: Any) -> str:
    """Say what an interrupted run was given."""
    if name == "weights":
        return f"its weights were those of SHA-256 {str(before)[:12]}…"
    if before is None or before is False:
        return f"it was without {option(name)}"
    return f"it had {option(name, before)}"
