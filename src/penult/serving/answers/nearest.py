"""What a gallery has that is near to something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import PenultError, RecipeMismatchError, UnknownNameError, UsageError
from penult.interface import option
from penult.records import Failure, Hit
from penult.retrieve.search.answer import Search
from penult.retrieve.search.gallery import Gallery
from penult.retrieve.search.queries import Query, QueryBatch
from penult.retrieve.search.votes import distances, vote
from penult.serving.invalid_requests import shown_json
from penult.serving.problems import ProblemError
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.search.searched import KnownRow, Searched, Selected
    from penult.serving.engine_queue import Row
    from penult.serving.models.gallery import ServedGallery

__all__ = ["Asked", "asked_of_id", "asked_of_photo", "asked_of_row", "nearest"]


@dataclass(frozen=True)
class Asked:
    """What is searched for.

    Attributes
    ----------
    row : float32 array, shape (D,)
    own : KnownRow or None
        The gallery's own row that it is, which does not find itself; None where it is none.
    copy_of : str or None
        Id of the gallery's image of the very same bytes.
    """

    row: NDArray[np.float32]
    own: KnownRow | None = None
    copy_of: str | None = None


def asked_of_id(served: ServedGallery, image_id: str) -> Asked:
    """Search for an image of the gallery.

    Raises
    ------
    ProblemError
        404, if there is none of this id.
    """
    gallery = served.gallery
    try:
        (own,) = gallery.require([image_id])
    except UnknownNameError as error:
        raise ProblemError(404, _for_clients(served, error)) from None
    return Asked(gallery.rows_of([image_id])[0], own)


def asked_of_photo(served: ServedGallery, row: Row) -> Asked:
    """Search for a photo; the gallery's image of its bytes is found, and named, but has no vote."""
    (copy,) = served.copies_of([row.content], row.row[None])
    return Asked(row.row, copy_of=None if copy is None else copy.id)


def asked_of_row(served: ServedGallery, data: Mapping[str, Any]) -> Asked:
    """Search for a row that a client sent.

    Parameters
    ----------
    served : ServedGallery
    data : mapping
        Of JSON: ``row``, and perhaps ``recipe_sha256``.

    Raises
    ------
    RecipeMismatchError
        If the row is of another recipe.
    ProblemError
        422, if it is no row of the gallery's width, or holds NaN or infinite numbers.
    """
    unknown = sorted(set(data) - {"row", "recipe_sha256"})
    row, recipe = data.get("row"), data.get("recipe_sha256")
    if unknown or not isinstance(row, list):
        told = f"an unknown name {unknown[0][:80]!r}" if unknown else "no row"
        if not unknown and "row" in data:
            told = f"the row {shown_json(row)}"
        raise ProblemError(
            422, f'the JSON has {told}; send {{"row": [0.1, …], "recipe_sha256": "…"}}'
        )
    if not isinstance(recipe, str | None):
        raise ProblemError(422, f"recipe_sha256 is {shown_json(recipe)}; give a text")
    if recipe is not None and recipe != served.recipe_sha256:
        raise RecipeMismatchError(
            f"the row is of the recipe {recipe[:64]}, and the gallery's rows are of "
            f"{served.recipe_sha256}; only rows of one recipe can be compared"
        )
    for one in row:
        if not isinstance(one, int | float) or isinstance(one, bool):
            raise ProblemError(422, f"the row holds {shown_json(one)}; give numbers alone")
    if len(row) != served.gallery.width:
        raise ProblemError(
            422,
            f"the row has {count(len(row), 'number')}, and those of the gallery have "
            f"{count(served.gallery.width)}",
        )
    try:
        with np.errstate(over="ignore"):
            made = np.array(row, np.float32)
    except OverflowError:
        made = np.array([np.inf], np.float32)
    if not np.isfinite(made).all():
        raise ProblemError(422, "the row holds NaN, or numbers too large for float32")
    return Asked(made)


def nearest(
    served: ServedGallery,
    asked: Asked,
    *,
    k: int,
    offset: int = 0,
    filters: Sequence[str] = (),
    label_log: Any = None,
) -> dict[str, Any]:
    """Find what is nearest.

    Parameters
    ----------
    served : ServedGallery
    asked : Asked
    k : int
        How many images to find.
    offset : int
        How many nearer ones to leave out.
    filters : sequence of str
        See `penult.retrieve.search.filters`.
    label_log : LabelLog, optional
        What hits are labelled and filtered by where labels were corrected; a table of a database
        filters by its own labels. The votes are those of the gallery's own labels, which its
        version stands for.

    Returns
    -------
    dict
        As `/v1/search` answers.

    Raises
    ------
    ProblemError
        422, if a filter is none, or nothing is near to the row: it is all zeros, say.
    """
    gallery, copy = served.gallery, asked.copy_of
    corrected = {} if label_log is None else label_log.state()
    try:
        search = Search(
            gallery,
            k=k + offset + (copy is not None),
            filters=filters,
            selected=_selected(gallery, filters, corrected),
            notes=False,
        )
        batch = QueryBatch([Query("the photo", (), asked.own)], asked.row[None])
        (answer,) = search.answers([batch])
    except UsageError as error:
        told = _for_clients(served, error)
        for one in filters:  # as it was sent, and not as a command or a program has it
            told = told.replace(option("filter", one), f"filter={one}")
        raise ProblemError(422, told) from None
    if isinstance(answer, Failure):
        # What comes behind is what to type in another place.
        reason = answer.reason.partition(";")[0]
        raise ProblemError(422, f"nothing can be searched for: {reason}")
    hits = answer.result.hits
    return {
        "hits": [_told(hit, corrected) for hit in hits[offset : offset + k]],
        "vote": _vote(served, [hit for hit in hits if hit.id != copy][:k]),
        "exact_copy": copy,
        "model": served.to_dict(),
    }


def _for_clients(served: ServedGallery, error: PenultError) -> str:
    """Say what is wrong without where the gallery lies."""
    return str(error).replace(served.gallery.name, served.name)


def _selected(
    gallery: Searched, filters: Sequence[str], corrected: Mapping[str, Any]
) -> Selected | None:
    """The rows that filters leave by their present labels; None if the gallery is to choose."""
    if not filters or not isinstance(gallery, Gallery):  # a database filters by itself
        return None
    said: dict[int, Sequence[str]] = {}
    for image, entry in corrected.items():
        if (place := gallery.places.get(image)) is not None:
            label = entry.new
            several = label and gallery.is_multilabel
            said[place] = label.split("|") if several else [label] if label else []
    return gallery.select(filters, said)


def _told(hit: Hit, corrected: Mapping[str, Any]) -> dict[str, Any]:
    told = {"id": hit.id, "similarity": None, **hit.to_dict()}
    if (entry := corrected.get(hit.id)) is not None:
        told["label"] = entry.new
        if hit.labels is not None:
            told["labels"] = [] if entry.new is None else entry.new.split("|")
            told["label"] = told["labels"][0] if len(told["labels"]) == 1 else None
    return told


def _vote(served: ServedGallery, hits: Sequence[Hit]) -> dict[str, Any] | None:
    values = np.array([hit.value for hit in hits], float)
    labels = [hit.all_labels for hit in hits]
    metric, several = served.gallery.metric, served.gallery.is_multilabel
    voted = vote(distances(values, metric), labels, several=several)
    return None if voted is None else {"label": voted.label, "probability": voted.confidence}
