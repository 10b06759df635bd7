"""What a page with a map holds: the data of the map, and in sentences what is not on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.progress import Tell, announce
from penult.records import Features, RowMap
from penult.web.map.data import map_data, map_json, with_pictures
from penult.web.map.neighbors import map_neighbors
from penult.web.map.order import morton_order
from penult.web.map.pictures import MapPictures, map_pictures
from penult.wording import count, form

if TYPE_CHECKING:
    from penult.records import Rows

__all__ = ["MapBlock", "map_block"]

_SEVERAL = (
    "An image that has several is counted with each, shown while one of them is, and has the "
    "colour of the rarest of those."
)

_IN_MEMORY = 1 << 30  # bytes of rows that are read at once


@dataclass(frozen=True, kw_only=True)
class MapBlock:
    """What a page with a map holds.

    Attributes
    ----------
    row_map : RowMap
        The map, as it was made.
    points : int
        How many of its points are shown.
    notes : tuple of str
        What is not shown, in sentences.
    missing : int
        Images that could not be read, or are others by now.
    data : str
        JSON, as `penult.web.map.data.map_data` describes it.
    """

    row_map: RowMap
    points: int
    notes: tuple[str, ...]
    missing: int
    data: str

    @property
    def label(self) -> str:
        """What the map is called where it cannot be seen."""
        images = count(self.points, "image")
        return f"Map of {images}. Arrows move, plus and minus zoom, Enter opens."


def map_block(
    row_map: RowMap,
    features: Features,
    name: str,
    open_image: Callable[[str], bytes | None],
    tell: Tell,
    *,
    columns: Mapping[str, Sequence[Any]],
    most_points: int,
    most_bytes: int,
    page: str,
    joined: Collection[str] = (),
    color_by: str | None = None,
    notes: Mapping[str, str] | None = None,
    escape_formulas: bool = False,
) -> MapBlock:
    """Put together the data of a map and its pictures, as many as there is room for.

    Parameters
    ----------
    row_map : RowMap
        The points.
    features : Features
        Among whose rows the neighbours in the full space are looked for.
    name : str
        What files that are saved from the page are named after.
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
    tell : callable
        Called with a `Progress`.
    columns : mapping of str to sequence, length N each
        What may colour it, a value for each row of the map.
    most_points : int
        Of more, a random part is shown.
    most_bytes : int
        Of the data, with pictures.
    page : str
        What has no room for more pictures, as a note calls it.
    joined : collection of str
        Columns of which a value may be several names, joined by ``|``.
    color_by : str, optional
        The column that colours at first; by default the first one.
    notes : mapping of str to str, optional
        What stands in the legend of a column, in a sentence.
    escape_formulas : bool
        In CSV that is saved from the page, put an apostrophe before names that a spreadsheet would
        run.

    Raises
    ------
    UsageError
        If a column has more or fewer values than the map has rows.
    UnknownNameError
        If a row of the map is none of the features.
    """
    part, every = _sampled(row_map, columns, most_points)
    rows, ids = _rows_of(part, features), [str(one) for one in part.ids]
    said = dict(notes or {})
    said |= {one: f"{_SEVERAL} {said.get(one, '')}".strip() for one in joined}
    announce("nearest neighbours")
    neighbors = map_neighbors(rows, row_map.metric, tell)
    data = map_json(
        map_data(
            name,
            ids,
            part.xy,
            every,
            neighbors,
            joined=joined,
            color_by=color_by,
            notes=said,
            escape_formulas=escape_formulas,
        )
    )
    room = most_bytes - len(data)
    pictures = map_pictures(ids, morton_order(part.xy), open_image, room, tell)
    return MapBlock(
        row_map=row_map,
        points=len(part),
        notes=tuple(_notes(len(row_map), len(part), pictures, page)),
        missing=pictures.missing,
        data=with_pictures(data, pictures),
    )


def _sampled(
    row_map: RowMap, columns: Mapping[str, Sequence[Any]], most: int
) -> tuple[RowMap, dict[str, Sequence[Any]]]:
    """The map, or a random part of it where it has too many points; and its columns."""
    total = len(row_map)
    if total <= most:
        return row_map, dict(columns)
    drawn = np.sort(np.random.default_rng(0).permutation(total)[:most])
    # A column of another length is refused later, in words.
    some = {
        name: [values[k] for k in drawn] if len(values) == total else values
        for name, values in columns.items()
    }
    part = replace(row_map, ids=[row_map.ids[k] for k in drawn], xy=row_map.xy[drawn], columns={})
    return part, some


def _rows_of(row_map: RowMap, features: Features) -> Rows:
    """The features' rows in the order of the map."""
    if list(row_map.ids) != list(features.ids):
        return features.take([str(one) for one in row_map.ids]).features
    rows = features.features
    size = int(np.prod(rows.shape)) * rows.dtype.itemsize
    return np.asarray(rows[:]) if size <= _IN_MEMORY else rows


def _notes(total: int, points: int, pictures: MapPictures, page: str) -> list[str]:
    notes = []
    if points < total:
        notes.append(
            f"{points:,} of {count(total, 'point')} are shown, drawn at random; neighbours are "
            "looked for among them."
        )
    have = form(pictures.shown, "has", "have")
    if pictures.left_out:
        are = form(pictures.left_out, "is", "are")
        notes.append(
            f"{count(pictures.shown, 'image')} {have} pictures, drawn at random; those of "
            f"{pictures.left_out:,} {are} left out, for which {page} has no room."
        )
    if pictures.missing:
        has = form(pictures.missing, "has", "have")
        notes.append(
            f"{count(pictures.missing, 'image')} cannot be found any more, or {has} changed "
            f"since, and {has} no picture."
        )
    return notes
