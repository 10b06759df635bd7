"""What is to be searched, opened: features, an index, a file of either, or a table."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from penult.addresses import unfolded
from penult.databases.registry import is_database
from penult.errors import UsageError
from penult.features.places import is_feature_file
from penult.features.read import one_set
from penult.images.sources.file_names import IMAGE_EXTENSIONS
from penult.interface import option
from penult.records import Features
from penult.representation import what_given
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery
from penult.retrieve.search.table_gallery import open_table_gallery

if TYPE_CHECKING:
    from penult.records.neighbors import Metric
    from penult.retrieve.search.table_gallery import TableGallery

__all__ = ["is_gallery", "is_gallery_file", "is_table_address", "open_gallery"]

_INDEX = ".index"
_FILES = (".h5", ".hdf5", ".index", ".rows", *IMAGE_EXTENSIONS)


def open_gallery(
    gallery: Features | Index | str | Path,
    *,
    layer: str | None,
    metric: Metric | None,
    in_memory: bool = False,
    offline: bool = False,
) -> Gallery | TableGallery:
    """Open what is to be searched.

    Parameters
    ----------
    gallery : Features, Index, or path
        Rows, an index of rows, a file of either, or the address of a table in a database.
    layer : str, optional
        Which set of rows, where a feature file has several.
    metric : {"cosine", "euclidean"}, optional
        What is near; that of the index by default, and cosine of rows without one.
    in_memory : bool
        Of the file of an index, as for `Index.open`.
    offline : bool
        Whether a database on another machine is refused.

    Raises
    ------
    UsageError
        If it is none of these; if an index is asked for other rows, or for another metric.
    PathNotFoundError, WrongFileError, FeatureFileError, IndexFileError, UnknownNameError
    DatabaseError, SearchError
        If a table cannot be reached, or has no rows.
    """
    if is_table_address(gallery):
        return open_table_gallery(str(gallery), layer=layer, metric=metric, offline=offline)
    path = None
    if isinstance(gallery, str | Path):
        path = Path(gallery)
        if is_gallery_file(path) and not is_feature_file(path):
            gallery = Index.open(path, in_memory=in_memory)
    if isinstance(gallery, Index):
        name = "the index" if path is None else str(path)
        return Gallery(_of_metric(_of_layer(gallery, layer, name), metric, name), name, path)
    if not isinstance(gallery, Features | str | Path):
        raise UsageError(
            f"gallery is {what_given(gallery)}; give the path of a feature file or an index, or "
            "what penult.extract, penult.load and penult.Index return"
        )
    features = one_set(gallery, layer)
    name = "the gallery" if path is None else unfolded(path)
    return Gallery(Index.of(features, metric=metric or "cosine"), name, path)


def _of_layer(index: Index, layer: str | None, name: str) -> Index:
    known = index.features
    if layer is not None and (known is None or layer not in (known.name, known.recipe.layer)):
        of = "no layer of a file" if known is None else known.name
        raise UsageError(f"{name} is of the rows of {of} alone; leave out {option('layer', layer)}")
    return index


def _of_metric(index: Index, metric: Metric | None, name: str) -> Index:
    if metric not in (None, index.metric):
        raise UsageError(
            f"{name} was made to be searched by {index.metric}; leave out "
            f"{option('metric', metric)}, or search the feature file itself"
        )
    return index


def is_gallery(given: Any) -> bool:
    """Whether this is the name of a file that can be searched, or the address of a table."""
    return is_table_address(given) or is_gallery_file(given)


def is_table_address(given: Any) -> bool:
    """Whether this is the address of a table; that of a file at a web server is none."""
    if not is_database(given):
        return False
    return PurePosixPath(urlsplit(given).path).suffix.lower() not in _FILES


def is_gallery_file(path: Any) -> bool:
    """Whether a path is named, or begins, as a file that can be searched does."""
    try:
        return Path(path).suffix.lower() == _INDEX or is_feature_file(path)
    except ValueError:  # no name of a file: whoever opens it says so
        return False
