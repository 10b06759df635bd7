"""What a table of labels says of images that are known by their ids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from penult.images.labels.annotations import ImageEntry
from penult.images.labels.columns import find_label_column, find_path_column
from penult.images.labels.csv_cells import explained, read_cells
from penult.images.labels.label_file import LabelFile
from penult.inputs import require_file
from penult.texts import composed

__all__ = ["StatedLabels", "is_reviewed_list", "labels_of_ids"]


@dataclass(frozen=True)
class StatedLabels:
    """What a table of labels says.

    Attributes
    ----------
    labels : dict of str to (str or None)
        Of the images that it names, by their ids; several are separated by ``|``, and None is none.
    missing : tuple of str
        Paths in the table that are none of the images.
    meant : dict of str to str
        Of those that differ from an image's id in capitals alone, that id.
    """

    labels: dict[str, str | None]
    missing: tuple[str, ...]
    meant: dict[str, str]


def is_reviewed_list(file: Path) -> bool:
    """Whether a table has the column ``suggested`` of a reviewed list, or is no table of labels.

    Raises
    ------
    PathNotFoundError, SourceError
        If it is not there, or cannot be read.
    UsageError
        If several columns may name the images, or their labels.
    """
    require_file(file, "a table of labels", (".csv",))
    with explained(str(file)), file.open(encoding="utf-8-sig", newline="") as stream:
        header = [composed(one.strip()).lower() for one in next(read_cells(stream), (1, []))[1]]
    if "suggested" in header:
        return True
    name = str(file)
    return not (find_path_column(header, None, name) and find_label_column(header, "", name))


def labels_of_ids(
    file: Path,
    ids: Collection[str],
    path_column: str | None = None,
    label_column: str | None = None,
) -> StatedLabels:
    """Read a table of labels, such as ``labels`` of `penult.extract` takes.

    Parameters
    ----------
    file : Path
    ids : collection of str
        The images.
    path_column, label_column : str, optional
        Which columns are meant, if not the usual ones.

    Raises
    ------
    SourceError
        If it cannot be read, contradicts itself, or names none of the images.
    """
    require_file(file, "a table of labels", (".csv",))
    table, labels = LabelFile(file, path_column, label_column), dict[str, str | None]()
    for image in ids:
        found = table.find(ImageEntry(id=image, path=None))
        if found is not None:
            labels[image] = "|".join(sorted(map(composed, found.labels))) or None
    missing = table.missing(ids)
    meant = {path: id for path, id in missing if id is not None}
    return StatedLabels(labels, tuple(path for path, _ in missing), meant)
