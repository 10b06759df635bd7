"""The rows of a gallery that is served, where all of them can be gone through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.machine import free_memory
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery
from penult.retrieve.search.table_gallery import TableGallery
from penult.wording import count

if TYPE_CHECKING:
    from penult.retrieve.search.searched import Searched

__all__ = ["MOST_ROWS", "held_gallery", "too_large"]

MOST_ROWS = 100_000
"""Of a database's table that is read into memory, where a quarter of what is free holds them."""

_SHARE = 4
_COPIES = 2  # while the blocks that were read are put together


def held_gallery(gallery: Searched, name: str) -> Gallery | None:
    """Get all rows of a gallery: itself, or those that a table has now, read once.

    Parameters
    ----------
    gallery : Searched
    name : str
        What messages call the rows of a table, which clients read.

    Returns
    -------
    Gallery or None
        None of a table with too many rows; see `too_large`.

    Raises
    ------
    SearchError, DatabaseError
        If rows of a table cannot be searched, or read.
    """
    if isinstance(gallery, Gallery):
        return gallery
    assert isinstance(gallery, TableGallery)  # there are no others
    info = gallery.refreshed()
    needed = _COPIES * 4 * info.rows * info.width
    if info.rows > MOST_ROWS or needed > free_memory() // _SHARE:
        return None
    return Gallery(Index.of(gallery.all_features(), metric=gallery.metric), name)


def too_large(rows: int) -> str:
    """Say why there is no list, map or review of a table."""
    return (
        f"the gallery is a table of {count(rows, 'row')} in a database, of which this is not "
        f"worked out: that takes all rows in memory, {MOST_ROWS:,} at most; a file of them, which "
        "penult pull writes, can be served in its place"
    )
