"""The client of a program that waits for each answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from penult.checking import checked
from penult.client import calls
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
from penult.client.connection import Connection
from penult.client.tries import Tries

if TYPE_CHECKING:
    import httpx

__all__ = ["Client"]

Answer = TypeVar("Answer")


class Client:
    """A client of the service that ``penult serve`` starts.

    It keeps its connections, and may be used by several threads at once. Close it when it is no
    longer needed, or have ``with`` do so. A photo is what `Extractor` takes for one image: a path,
    the bytes of a file, a binary file, a Pillow image, or a uint8 array (H, W), (H, W, 3) or
    (H, W, 4); or, where the service allows it, the address of one (``https://…``), which the
    service fetches.

    Parameters
    ----------
    url : str
        The address of the service, ``"http://127.0.0.1:8000"``.
    token : str, optional
        The token that the service was started with.
    timeout : float or None
        Seconds to wait for a connection (at most 10), and for each part of an answer. With None,
        there is no limit.
    retries : int
        How often to ask again where the service is full (503, after the seconds that it says, if
        they are 30 or fewer), where it cannot be reached, or where the connection breaks off;
        what changes labels is not sent again after a connection has broken off.
    transport : httpx.BaseTransport, optional
        What takes the place of the network, as httpx has it: ``httpx.MockTransport`` in a test.

    Attributes
    ----------
    url : str
        The address of the service.

    Raises
    ------
    MissingExtraError
        If httpx is not installed.
    UsageError
        If an argument is wrong.

    Notes
    -----
    Methods raise `ServiceError` where the service refuses a call, with the sentence that it gives
    as the reason and its HTTP status; and where it cannot be reached.
    """

    @checked
    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float | None = 60.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        connection = Connection(url, token, timeout, retries)
        import httpx

        self.url, self._retries = connection.url, connection.retries
        self._http = httpx.Client(transport=transport, **connection.options())

    def features(self, *photos: Any) -> PhotoRows:
        """Return the rows of photos.

        Parameters
        ----------
        *photos : path, bytes, binary file, Pillow image, array or address
            One or more, as many as the service takes at once.

        Returns
        -------
        PhotoRows
            Of one photo, its row; of several, the rows of those that can be read, and the others.

        Raises
        ------
        ServiceError
            If none of the photos can be read.
        """
        return self._send(calls.features(photos))

    def classify(self, photo: Any, top: int | None = None) -> Classified:
        """Return the class of a photo.

        Parameters
        ----------
        photo : path, bytes, binary file, Pillow image, array or address
            The photo.
        top : int, optional
            How many of the most probable classes to return; 5 by default.

        Returns
        -------
        Classified
            Its class, and how probable that is.
        """
        return self._send(calls.classify(photo, top))

    def search(
        self,
        photo: Any = None,
        *,
        id: str | None = None,
        row: Sequence[float] | None = None,
        recipe_sha256: str | None = None,
        k: int = 10,
        offset: int = 0,
        filters: str | Iterable[str] = (),
    ) -> Found:
        """Return the images of the gallery nearest to a photo, to one of its images, or to a row.

        Parameters
        ----------
        photo : path, bytes, binary file, Pillow image, array or address, optional
            The photo. A file is sent as it is, so that an exact copy of it in the gallery is known.
        id : str, optional
            In place of a photo, the id of an image of the gallery; it does not find itself.
        row : sequence of float, shape (D,), optional
            In place of a photo, its row.
        recipe_sha256 : str, optional
            The digest of the recipe of `row`: the service refuses a row of another recipe.
        k : int
            How many images to return.
        offset : int
            How many nearer ones to leave out.
        filters : str or iterable of str
            Which images to search among, as ``penult search --filter`` has it:
            ``"label=daisy"``.

        Returns
        -------
        Found
            Images, nearest first.
        """
        return self._send(calls.search(photo, id, row, recipe_sha256, k, offset, filters))

    def gallery(self) -> GalleryInfo:
        """Return what is known of the gallery.

        Returns
        -------
        GalleryInfo
            Its images, labels and clusters in numbers.
        """
        return self._send(calls.gallery())

    def rows(
        self,
        *,
        label: str | None = None,
        cluster: int | None = None,
        query: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> GalleryRows:
        """Return ids, labels and clusters of images of the gallery.

        Parameters
        ----------
        label : str, optional
            Of those with this label alone; of those without one, if it is "".
        cluster : int, optional
            Of those in this cluster alone.
        query : str, optional
            Of those whose id has this text in it, in capitals or not.
        offset : int
            How many to leave out.
        limit : int
            How many to return.

        Returns
        -------
        GalleryRows
            In the order of the gallery.
        """
        return self._send(calls.rows(label, cluster, query, offset, limit))

    def map(self) -> GalleryMap:
        """Return the gallery as points of a plane.

        Returns
        -------
        GalleryMap
            Where each image is.

        Raises
        ------
        ServiceError
            If there is no gallery (404), or the map is still being computed (503).
        """
        return self._send(calls.gallery_map())

    def image(self, id: str) -> bytes:
        """Return the file of an image of the gallery.

        Parameters
        ----------
        id : str
            The image's id.

        Returns
        -------
        bytes
            As it is on the disk.
        """
        return self._send(calls.image(id))

    def thumbnail(self, id: str) -> bytes:
        """Return a small picture of an image of the gallery.

        Parameters
        ----------
        id : str
            The image's id.

        Returns
        -------
        bytes
            A JPEG of 256 × 256 pixels at the most.
        """
        return self._send(calls.thumbnail(id))

    def review(
        self, kind: Literal["errors", "unsure"] = "errors", *, offset: int = 0, limit: int = 100
    ) -> ReviewQueue:
        """Return images whose labels should be looked at, the most urgent first.

        Parameters
        ----------
        kind : {"errors", "unsure"}
            Those whose labels are likely wrong, or those that the classifier is unsure about.
        offset : int
            How many to leave out.
        limit : int
            How many to return.

        Returns
        -------
        ReviewQueue
            Without those that somebody has confirmed or changed.
        """
        return self._send(calls.review(kind, offset, limit))

    def labels(self, *, offset: int = 0, limit: int = 100) -> LabelChanges:
        """Return the labels that somebody has changed or confirmed.

        Parameters
        ----------
        offset : int
            How many to leave out.
        limit : int
            How many to return.

        Returns
        -------
        LabelChanges
            The present label of each such image.
        """
        return self._send(calls.labels(offset, limit))

    def labels_csv(self) -> bytes:
        """Return the present labels of all images of the gallery.

        Returns
        -------
        bytes
            The CSV file that ``penult extract --labels`` takes.
        """
        return self._send(calls.labels_csv())

    def label(self, id: str) -> LabelHistory:
        """Return the label of an image of the gallery, and how it came to be.

        Parameters
        ----------
        id : str
            The image's id.

        Returns
        -------
        LabelHistory
            What was done to its label, oldest first.
        """
        return self._send(calls.label(id))

    def set_label(
        self,
        id: str,
        label: str | None,
        who: str | None = None,
        *,
        expected: str | EllipsisType | None = ...,
    ) -> LabelEntry:
        """Change the label of an image of the gallery, or confirm it by giving the same.

        Parameters
        ----------
        id : str
            The image's id.
        label : str or None
            Its label, which may be a new one; None for no label.
        who : str, optional
            Who says so, for the log.
        expected : str or None, optional
            The label that the image should have by now, None for no label: where somebody has given
            it another one, nothing is changed. Without it, any will do.

        Returns
        -------
        LabelEntry
            What the log now has, safely on the service's disk.

        Raises
        ------
        ServiceError
            With `status` 409, if the image has another label than is expected; says which, and who
            gave it.
        """
        return self._send(calls.set_label(id, label, who, expected))

    def set_labels(
        self,
        ids: Sequence[str],
        label: str | None,
        who: str | None = None,
        *,
        expected: Mapping[str, str | None] | None = None,
    ) -> LabelEntries:
        """Change or confirm the labels of several images: of all, or of none if that fails.

        Parameters
        ----------
        ids : sequence of str
            The images' ids.
        label : str or None
            Their label; None for no label.
        who : str, optional
            Who says so, for the log.
        expected : mapping of str to (str or None), optional
            Of as many of the images as are to be checked, the label that they should have by now,
            None for no label.

        Returns
        -------
        LabelEntries
            What the log now has, and the number by which it is undone.

        Raises
        ------
        ServiceError
            With `status` 409, if an image has another label than is expected; none is changed then.
        """
        return self._send(calls.set_labels(ids, label, who, expected))

    def undo(
        self, *, entry: int | None = None, batch: int | None = None, who: str | None = None
    ) -> LabelEntries:
        """Undo a change of labels. What was undone stays in the log, and so does that.

        Parameters
        ----------
        entry : int, optional
            The number of the entry; without it and `batch`, the last of `who` that can be undone:
            images that somebody has given another label since stay as they are.
        batch : int, optional
            The number of what one call of `set_labels` did.
        who : str, optional
            Who says so, for the log.

        Returns
        -------
        LabelEntries
            The entries that undo.
        """
        return self._send(calls.undo(entry, batch, who))

    def reload(self) -> str:
        """Have the service load its files anew; calls that have begun keep what they began with.

        Returns
        -------
        str
            The version of what it has loaded.
        """
        return self._send(calls.reload())

    def healthz(self) -> bool:
        """Return whether the service runs.

        Returns
        -------
        bool
            True.

        Raises
        ------
        ServiceError
            If it cannot be reached.
        """
        return self._send(calls.healthz())

    def ready(self) -> bool:
        """Return whether the service takes photos.

        Returns
        -------
        bool
            False while it is opening its files, and while it is stopping.

        Raises
        ------
        ServiceError
            If it cannot be reached.
        """
        return self._send(calls.ready())

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def _send(self, call: Call[Answer]) -> Answer:
        import httpx

        request = self._http.build_request(call.method, call.path, **call.arguments())
        tries = Tries(call, self._retries, self.url)
        while True:
            try:
                response = self._http.send(request)
            except httpx.RequestError as error:
                wait: float | None = tries.after_error(error)
            else:
                wait = tries.after_answer(response)
            if wait is None:
                return call.read(response)
            time.sleep(wait)
