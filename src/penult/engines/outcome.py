"""What became of one image."""

from __future__ import annotations

from dataclasses import dataclass

from penult.records import Failure, ImageRecord

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """One image's outcome: a digest of its bytes and a row in the block, or a failure.

    The digest of an augmented view is `augmented_content`. Where `known` is true, its row was known
    before the run, and there is none in the block.
    """

    record: ImageRecord
    digest: str = ""
    failure: Failure | None = None
    known: bool = False
