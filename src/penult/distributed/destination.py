"""Where the parts of a run go: what a worker needs to put one there, and to see that it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from penult.distributed.known import KnownContent
from penult.errors import ClusterError
from penult.features.resume.chunk import Outcomes, Part
from penult.features.resume.lock import owner_of
from penult.records import ImageRecord

__all__ = ["Destination", "SharedFolder"]


class Destination(Protocol):
    """A place for parts; small and picklable."""

    def require(self) -> None:
        """Refuse to compute for a place that this machine cannot reach.

        Raises
        ------
        PenultError, OSError
        """

    def find(self, number: int, ids: Sequence[str]) -> Any | None:
        """The entry of a part that is there, whole, with these images; None where it is not.

        Raises
        ------
        OSError
        """

    def completed(
        self, outcomes: Outcomes, again: Sequence[tuple[int, ImageRecord, str]], known: KnownContent
    ) -> Outcomes:
        """Add to what was computed the rows that were known before, if they belong into the part.

        Parameters
        ----------
        outcomes : Outcomes
        again : sequence of (int, ImageRecord, str)
            Position, image and digest of each.
        known : KnownContent

        Returns
        -------
        Outcomes
        """

    def put(self, number: int, records: Sequence[ImageRecord], outcomes: Outcomes) -> Any:
        """Put a part there, whole or not at all.

        Parameters
        ----------
        number : int
        records : sequence of ImageRecord
            Of the outcomes, in the order of the listing.
        outcomes : Outcomes

        Returns
        -------
        object
            Its entry.

        Raises
        ------
        OSError
        """


@dataclass(frozen=True)
class SharedFolder:
    """The folder of an unfinished feature file, which all machines see.

    Attributes
    ----------
    folder : Path
    owner : str
        Who holds its lock: a worker whose run has ended writes nothing into another's folder.
    """

    folder: Path
    owner: str

    def require(self) -> None:
        """See `Destination.require`."""
        found = owner_of(self.folder)
        if not found and not self.folder.is_dir():
            raise ClusterError(
                f"the folder {self.folder} is not there; it has to be on a file system that all "
                "machines of the cluster share"
            )
        if found != self.owner:
            raise ClusterError(
                f"the folder {self.folder} is another one, or another run's by now; it has to be "
                "on a file system that all machines of the cluster share"
            )

    def find(self, number: int, ids: Sequence[str]) -> Part | None:
        """See `Destination.find`."""
        for path in sorted(self.folder.glob(f"{number:06}-*.safetensors")):
            part = Part(path)
            if part.is_whole() and part.is_sound() and part.outcomes().ids == list(ids):
                return part
        return None

    def completed(
        self, outcomes: Outcomes, again: Sequence[tuple[int, ImageRecord, str]], known: KnownContent
    ) -> Outcomes:
        """See `Destination.completed`: these the driver enters, which has the file they are in."""
        return outcomes

    def put(self, number: int, records: Sequence[ImageRecord], outcomes: Outcomes) -> Part:
        """See `Destination.put`."""
        if not os.path.isdir(self.folder):  # noqa: PTH112 - a Path would say False of other errors
            self.require()
        return Part.write(self.folder, number, outcomes)
