"""Which images of some that failed are named as such."""

from __future__ import annotations

from collections.abc import Iterable

from penult.records import AugmentedRecord, Failure, ImageRecord

__all__ = ["failures_of"]


def failures_of(failed: Iterable[tuple[ImageRecord, str]]) -> list[Failure]:
    """Say which images have no row, but not of each augmented view that its photo has none either.

    Parameters
    ----------
    failed : records and reasons
    """
    pairs = list(failed)
    photos = {record.id for record, _ in pairs if not isinstance(record, AugmentedRecord)}
    return [
        Failure(record.id, reason)
        for record, reason in pairs
        if not (isinstance(record, AugmentedRecord) and record.photo.id in photos)
    ]
