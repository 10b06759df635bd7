"""What stands for rows where a path is given: a feature file, or a folder of rows."""

from __future__ import annotations

import os
from pathlib import Path

from penult.addresses import is_table_scheme, unfolded
from penult.file_kinds import HDF5
from penult.images.sources.remote.connection import is_url
from penult.inputs import begins_with
from penult.rows_folders import is_rows_folder
from penult.suffixes import ROWS_FOLDER

__all__ = ["is_feature_file", "rows_address"]

_ON_DISK = ("file", "local")


def rows_address(place: str | os.PathLike[str]) -> str | None:
    """Return the path or the address of a folder of rows, if a place has the name of one.

    A path folds the two slashes of an address into one (``s3:/bucket/photos.rows``), and they are
    put back; an address on this disk becomes a path.

    Examples
    --------
    >>> rows_address("photos.rows"), rows_address("photos.h5")
    ('photos.rows', None)
    >>> rows_address(Path("s3://bucket/photos.rows"))
    's3://bucket/photos.rows'
    """
    text = str(place).rstrip("/")
    if not text.lower().endswith(ROWS_FOLDER.suffixes) or is_table_scheme(text):
        return None
    address = unfolded(text)
    if not is_url(address) or (address != text and Path(text).exists()):
        found = Path(text)
        return None if found.exists() and not found.is_dir() else text
    scheme, _, rest = address.partition("://")
    return f"/{rest.lstrip('/')}" if scheme.lower() in _ON_DISK else address


def is_feature_file(place: object) -> bool:
    """Whether this is an HDF5 file or a folder of rows, finished or not, and so no image."""
    if not isinstance(place, str | os.PathLike):
        return False
    address = rows_address(place)
    if address is not None:
        return is_url(address) or is_rows_folder(address)
    return begins_with(place, HDF5)  # of a folder, or no such path, the listing says which
