"""What a process is given that measures what a network costs: pickled, and small."""

from __future__ import annotations

import logging
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.backbones.registry import registered
from penult.engines.registry import ENGINES, EngineEntry
from penult.interface import at_command_line

if TYPE_CHECKING:
    from penult.backbones.source import BackboneSource
    from penult.extractor import ExtractorSpec
    from penult.records import ImageRecord

__all__ = ["CostJob", "NotPicklableError"]


class NotPicklableError(Exception):
    """What is to be measured cannot be handed to another process; says why."""


@dataclass(frozen=True, kw_only=True)
class CostJob:
    """What is to be measured, and what the other process has to know for it.

    Attributes
    ----------
    spec : ExtractorSpec
        What the extractor is opened from.
    images : tuple of ImageRecord
        A sample.
    readers : int or None
        Decoding threads that suit the images' source.
    sources : tuple of BackboneSource
        Those that were registered in this process.
    engines : tuple of EngineEntry
        Those that were registered in this process, with their classes.
    at_command_line : bool
        Whether messages name options as the command line has them.
    levels : mapping of str to int
        Names of loggers, and from which level on somebody listens to them.
    """

    spec: ExtractorSpec
    images: tuple[ImageRecord, ...]
    readers: int | None
    sources: tuple[BackboneSource, ...]
    engines: tuple[EngineEntry, ...]
    at_command_line: bool
    levels: dict[str, int]

    @classmethod
    def here(
        cls, spec: ExtractorSpec, images: tuple[ImageRecord, ...], readers: int | None
    ) -> CostJob:
        """Make one of this process."""
        return cls(
            spec=spec,
            images=images,
            readers=readers,
            sources=registered(),
            engines=tuple(x for x in ENGINES.values() if not isinstance(x.engine, str)),
            at_command_line=at_command_line(),
            levels={name: logging.getLogger(name).getEffectiveLevel() for name in ("", "penult")},
        )

    def pickled(self) -> bytes:
        """Give it as another process can read it.

        Raises
        ------
        NotPicklableError
            If something in it cannot be pickled, or is of a script or a notebook, which another
            process does not run.
        """
        try:
            data = pickle.dumps(self)
        except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
            raise NotPicklableError(str(error)) from error
        if b"__main__" in data:
            raise NotPicklableError("it is of the script that is run, or of a notebook")
        return data
