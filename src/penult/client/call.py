"""What is asked of the service, before it is sent by either client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from penult.client.photo import is_address, photo_bytes
from penult.errors import UsageError

if TYPE_CHECKING:
    import httpx

__all__ = ["Call"]

Answer = TypeVar("Answer")

Query = Mapping[str, "str | int | list[str] | None"]


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """What is asked of the service.

    Attributes
    ----------
    method : str
        Of HTTP.
    path : str
        Below the address of the service, quoted.
    read : callable
        Makes what the client returns of the response.
    query : mapping of str to str, int, list or None
        Of the address; what is None is left out.
    json : JSON-like
        The body, where it is JSON.
    photos : tuple
        The body, where it is photos.
    accept : str
        The type that the answer should have.
    repeatable : bool
        Whether asking twice does no more than asking once.
    expected : tuple of int
        Statuses that are an answer, and no failure, though they are not of success.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    query: Query = field(default_factory=dict)
    json: Any = None
    photos: tuple[Any, ...] = ()
    accept: str = "application/json"
    repeatable: bool = True
    expected: tuple[int, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Return what `httpx.Client.build_request` takes beside method and path.

        Raises
        ------
        UsageError, PathNotFoundError, ImageError
            If a photo cannot be read, or is none.
        """
        query = {name: value for name, value in self.query.items() if value is not None}
        headers = {"Accept": self.accept}
        if len(self.photos) == 1 and not is_address(self.photos[0]):
            # Which format it is in, the service finds out for itself.
            headers["Content-Type"] = "application/octet-stream"
        return {"params": query, "headers": headers} | self._body()

    def _body(self) -> dict[str, Any]:
        if not self.photos:
            return {} if self.json is None else {"json": self.json}
        if len(self.photos) == 1:
            (photo,) = self.photos
            if is_address(photo):
                return {"json": {"url": photo}}
            return {"content": photo_bytes(photo)}
        if address := next(filter(is_address, self.photos), None):
            raise UsageError(f"{address} is an address; give one of these at a time")
        return {
            "files": [
                # By numbers: the names of the caller's files are nobody's business.
                ("file", (f"photo {number}", photo_bytes(photo), "application/octet-stream"))
                for number, photo in enumerate(self.photos)
            ]
        }
