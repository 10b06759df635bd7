"""Each thing that can be asked of the service: its address and body, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from penult.checking import checked
from penult.client.answers import (
    Classified,
    Found,
    GalleryInfo,
    GalleryMap,
    GalleryRows,
    LabelChanges,
    LabelEntries,
    LabelEntry,
    LabelHistory,
    PhotoRows,
    ReviewQueue,
)
from penult.client.call import Call
from penult.client.problem import answer_of_another
from penult.client.row_answer import read_rows
from penult.errors import UsageError
from penult.interface import option
from penult.parsing import read_json, to_record

if TYPE_CHECKING:
    import httpx
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
Answer = TypeVar("Answer")

_BYTES = "application/octet-stream"
_UNREADY = 503


def features(photos: tuple[Any, ...]) -> Call[PhotoRows]:
    """Ask for the rows of photos."""
    if not photos:
        raise UsageError("no photo was given; give one or more")
    one = len(photos) == 1
    # Of several, one may fail, which numbers alone cannot say.
    accept = f"{_BYTES}, application/json;q=0.9" if one else "application/json"
    return Call(
        "POST", "/v1/features", _reading(read_rows, len(photos)), photos=photos, accept=accept
    )


@checked
def classify(photo: Any, top: int | None) -> Call[Classified]:
    """Ask for the class of a photo."""
    return Call("POST", "/v1/classify", _record(Classified), {"top": top}, photos=(photo,))


@checked
def search(
    photo: Any,
    id: str | None,
    row: Any,
    recipe_sha256: str | None,
    k: int,
    offset: int,
    filters: str | Iterable[str],
) -> Call[Found]:
    """Ask for the images nearest to a photo, to one of the gallery, or to a row."""
    given = {"photo": photo, "id": id, "row": row}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        what = " and ".join(map(option, named)) if named else "nothing to search for"
        raise UsageError(f"{what} was given; give one of {', '.join(map(option, given))}")
    body: dict[str, Any] | None = None
    if row is not None:
        body = {"row": _numbers(row)}
        if recipe_sha256 is not None:
            body |= {"recipe_sha256": recipe_sha256}
    elif recipe_sha256 is not None:
        raise UsageError(f"{option('recipe_sha256')} goes with {option('row')} alone")
    filters = [filters] if isinstance(filters, str) else list(filters)
    query = {"k": k, "offset": offset, "id": id, "filter": filters or None}
    photos = () if photo is None else (photo,)
    return Call("POST", "/v1/search", _record(Found), query, json=body, photos=photos)


def gallery() -> Call[GalleryInfo]:
    """Ask what is served."""
    return Call("GET", "/v1/gallery", _record(GalleryInfo))


def rows(
    label: str | None, cluster: int | None, query: str | None, offset: int, limit: int
) -> Call[GalleryRows]:
    """Ask for images of the gallery; an empty label is for those without one."""
    asked = {"label": label, "cluster": cluster, "q": query, "offset": offset, "limit": limit}
    return Call("GET", "/v1/gallery/rows", _record(GalleryRows), asked)


def gallery_map() -> Call[GalleryMap]:
    """Ask for the map of the gallery."""
    return Call("GET", "/v1/map", _record(GalleryMap))


@checked
def image(id: str) -> Call[bytes]:
    """Ask for an image of the gallery."""
    return Call("GET", f"/v1/images/{_quoted(id)}", _content, accept="*/*")


@checked
def thumbnail(id: str) -> Call[bytes]:
    """Ask for a small picture of an image of the gallery."""
    return Call("GET", f"/v1/thumbnails/{_quoted(id)}", _content, accept="*/*")


@checked
def review(kind: Literal["errors", "unsure"], offset: int, limit: int) -> Call[ReviewQueue]:
    """Ask which labels should be looked at."""
    asked = {"kind": kind, "offset": offset, "limit": limit}
    return Call("GET", "/v1/review", _record(ReviewQueue), asked)


@checked
def labels(offset: int, limit: int) -> Call[LabelChanges]:
    """Ask which labels somebody has changed or confirmed."""
    asked = {"offset": offset, "limit": limit}
    return Call("GET", "/v1/labels", _record(LabelChanges), asked)


def labels_csv() -> Call[bytes]:
    """Ask for the table of all labels."""
    return Call("GET", "/v1/labels", _content, {"format": "csv"}, accept="text/csv")


@checked
def label(id: str) -> Call[LabelHistory]:
    """Ask for the label of an image, and its history."""
    return Call("GET", f"/v1/labels/{_quoted(id)}", _record(LabelHistory))


@checked
def set_label(
    id: str, label: str | None, who: str | None, expected: str | EllipsisType | None
) -> Call[LabelEntry]:
    """Change or confirm a label; twice would be two entries of the log."""
    return Call(
        "PUT",
        f"/v1/labels/{_quoted(id)}",
        _record(LabelEntry),
        json=_given(label=label, who=who, expected=expected),
        repeatable=False,
    )


@checked
def set_labels(
    ids: Sequence[str],
    label: str | None,
    who: str | None,
    expected: Mapping[str, str | None] | None,
) -> Call[LabelEntries]:
    """Change or confirm the labels of several images at once."""
    return Call(
        "POST",
        "/v1/labels",
        _record(LabelEntries),
        json={"ids": list(ids), **_given(label=label, who=who, expected=expected or ...)},
        repeatable=False,
    )


@checked
def undo(entry: int | None, batch: int | None, who: str | None) -> Call[LabelEntries]:
    """Undo an entry of the log, or a batch of them."""
    if entry is not None and batch is not None:
        raise UsageError(f"give {option('entry')} or {option('batch')}, and not both")
    given = {"entry": entry, "batch": batch, "who": who}
    asked = {name: value for name, value in given.items() if value is not None}
    return Call("POST", "/v1/labels/undo", _record(LabelEntries), json=asked, repeatable=False)


def reload() -> Call[str]:
    """Ask the service to load its files anew."""
    return Call("POST", "/v1/reload", _reading(lambda r: str(_json(r)["version"])))


def healthz() -> Call[bool]:
    """Ask whether the service runs."""
    return Call("GET", "/healthz", lambda response: response.is_success)


def ready() -> Call[bool]:
    """Ask whether the service takes photos."""
    return Call("GET", "/readyz", lambda response: response.is_success, expected=(_UNREADY,))


def _given(*, label: str | None, who: str | None, expected: Any) -> dict[str, Any]:
    given = {"label": label} | ({} if who is None else {"who": who})
    return given | ({} if expected is ... else {"expected": expected})


def _quoted(id: str) -> str:
    return quote(id, safe="/")


def _numbers(row: Any) -> list[float]:
    import numpy as np

    try:
        numbers = np.asarray(row, np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{option('row')} is not a list of numbers") from error
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise UsageError(
            f"{option('row')} is of shape {numbers.shape}; give one row"
            if numbers.ndim != 1
            else f"{option('row')} has a number in it that is not finite"
        )
    listed: list[float] = numbers.tolist()
    return listed


def _content(response: httpx.Response) -> bytes:
    return response.content


def _json(response: httpx.Response) -> Mapping[str, Any]:
    found = read_json(response.content)
    if not isinstance(found, Mapping):
        raise TypeError("it is no object")
    return found


def _record(kind: type[Record]) -> Callable[[httpx.Response], Record]:
    # A newer service may say more than this client knows.
    return _reading(lambda response: to_record(kind, _json(response), ignore_unknown=True))


def _reading(read: Callable[..., Answer], *arguments: Any) -> Callable[[httpx.Response], Answer]:
    def checked_read(response: httpx.Response) -> Answer:
        try:
            return read(response, *arguments)
        except (ValueError, TypeError, KeyError) as error:
            raise answer_of_another(response, error) from error

    return checked_read
