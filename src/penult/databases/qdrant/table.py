"""A collection of Qdrant as a table of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from penult.databases.base import Condition, Filters, Nearest, Stored, StoredRows, TableInfo
from penult.databases.qdrant.address import QdrantAddress, parse_address
from penult.databases.qdrant.clients import Client, open_client, refusals
from penult.databases.qdrant.conditions import folder_before, to_filter
from penult.databases.qdrant.points import (
    DIRECTIONS,
    ROWS,
    of_table,
    point_id,
    to_points,
    to_rows,
)
from penult.databases.ranking import ranked
from penult.errors import DatabaseError, FileFormatError, UsageError
from penult.interface import command
from penult.wording import count as counted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient, models

    from penult.records.neighbors import Metric

__all__ = ["QdrantTable", "open_table"]

_WIDEST = 65_536
_CALL_BYTES = 8 << 20  # of a request's or an answer's JSON; a server refuses 32 MB
_DIGITS = 14  # of one number in it
_IDS = 10_000  # a page of ids alone
_MOST_MATCHED = 100_000  # points that one glob may mean: their ids travel with each search
_SPARE = 32  # candidates beyond twice as many rows as are wanted
_TRIES = 5
_INFO, _INDEXES, _ID = "penult", "penult_indexes", "penult_id"
_PAYLOAD_INDEXES = ("folders", "labels", "split", "group", "position")
_VECTOR = {"cosine": DIRECTIONS, "euclidean": ROWS}


def open_table(address: str, offline: bool) -> QdrantTable:
    """Open a collection by its address; see `penult.databases.registry.open_table`."""
    where = parse_address(address)
    if offline and not where.is_here:
        raise UsageError(f"{where.shown} is on another machine, and the network is not to be used")
    return QdrantTable(where)


class QdrantTable:
    """A collection of Qdrant; see `penult.databases.base.VectorTable`.

    What the table says of itself is in the collection's metadata, which Qdrant has from 1.16 on.
    Changes of two processes at the same time are not transactions there: each row is whole, and
    what `describe` changes is read again and repeated until it is there.

    Parameters
    ----------
    where : QdrantAddress
    """

    def __init__(self, where: QdrantAddress) -> None:
        self.address, self._where = where.shown, where
        self._client: Client | None = None
        self._width: int | None = None
        self._indexed = set[str]()
        self._id: str | None = None  # of the collection that `info` told of

    def info(self) -> TableInfo | None:
        """See `VectorTable.info`."""
        metadata = self._metadata()
        if metadata is None:
            return None
        info = self._read(metadata)
        self._width, self._id = info.width, str(metadata.get(_ID, ""))
        self._indexed = {*(metadata.get(_INDEXES) or ())}
        return replace(info, rows=self.count())

    def _read(self, metadata: Mapping[str, Any]) -> TableInfo:
        """Read what the table says of itself; its rows are not counted here, but 0."""
        text = metadata.get(_INFO)
        if not isinstance(text, str):
            raise DatabaseError(
                f"{self.address} is a collection that penult did not make; give another name"
            )
        try:
            return TableInfo.from_json(text, rows=0)
        except FileFormatError as error:
            raise DatabaseError(f"{self.address} cannot be read: {error}") from None

    def create(self, info: TableInfo) -> None:
        """See `VectorTable.create`."""
        if info.width > _WIDEST:
            made = command("reduce", "rows.h5", output="smaller.h5", components=256)
            raise UsageError(
                f"rows of {info.width:,} numbers are too long for Qdrant, which takes "
                f"{_WIDEST:,}; make them shorter with: {made}"
            )
        there = self._metadata()
        if there is not None:
            self._read(there)  # which refuses what penult did not make
            self._mend()
            return
        from qdrant_client import models

        made = token_hex(8)
        half, none = models.Datatype.FLOAT16, models.HnswConfigDiff(m=0)
        # The graph is built at once when all rows are there, which is faster; see `build_index`.
        vectors = {
            ROWS: models.VectorParams(
                size=info.width, distance=models.Distance.EUCLID, on_disk=True, hnsw_config=none
            ),
            DIRECTIONS: models.VectorParams(
                size=info.width, distance=models.Distance.COSINE, datatype=half, hnsw_config=none
            ),
        }
        with self._asked(making=True) as qdrant:
            try:
                qdrant.create_collection(
                    self._where.collection,
                    vectors_config=vectors,
                    metadata={_INFO: info.to_json(), _INDEXES: [], _ID: made},
                )
            except Exception:
                if not qdrant.collection_exists(self._where.collection):
                    raise
                return  # another process was faster
            # Before any graph, which then has edges within what each of them leaves.
            for name in _PAYLOAD_INDEXES:
                self._index_payload(qdrant, name)
        if not (self._metadata() or {}).get(_INFO):
            with self._asked() as qdrant:
                qdrant.delete_collection(self._where.collection)
            raise DatabaseError(
                f"the server of {self.address} keeps no metadata of collections, which Qdrant does "
                "from 1.16 on; update it"
            )
        self._width, self._id = info.width, made

    def describe(self, change: Callable[[TableInfo], TableInfo]) -> TableInfo:
        """See `VectorTable.describe`; `change` is one that changes nothing the second time."""
        for _ in range(_TRIES):
            now = replace(self._info(), rows=self.count())
            wanted = change(now)
            if wanted.to_json() == now.to_json():
                return wanted
            with self._asked() as qdrant:
                qdrant.update_collection(self._where.collection, metadata={_INFO: wanted.to_json()})
        raise DatabaseError(f"{self.address} is changed by others again and again; try later")

    def known(self, ids: Sequence[str]) -> dict[str, Stored]:
        """See `VectorTable.known`."""
        found: dict[str, Stored] = {}
        for part in _parts(list(ids), _IDS):
            with self._asked() as qdrant:
                points = qdrant.retrieve(
                    self._where.collection,
                    [*{point_id(one): None for one in part}],
                    with_payload=["id", "digest", "position", "table"],
                )
            if any(of_table(point) != self._now() for point in points):
                self._same_metadata()
            for point in points:
                if of_table(point) == self._now():  # others are written anew
                    payload: Any = point.payload
                    found[payload["id"]] = Stored(payload["digest"], payload["position"])
        return found

    def upsert(self, rows: StoredRows, digests: Sequence[str]) -> None:
        """See `VectorTable.upsert`."""
        if not np.isfinite(rows.rows).all():
            raise DatabaseError(
                f"{self.address}: Qdrant takes no rows with NaN or infinite numbers; leave them out"
            )
        self._same_metadata()
        for part in _parts(range(len(rows)), self._rows_a_call(2)):
            # Those that are written although another takes its place just now say that they are
            # none of its rows.
            points = to_points(rows.take(part), [digests[k] for k in part], self._now())
            with self._asked() as qdrant:
                qdrant.upsert(self._where.collection, points, wait=True)

    def move(self, positions: Mapping[str, int]) -> None:
        """See `VectorTable.move`."""
        from qdrant_client import models

        there = [
            one for one, at in self.known([*positions]).items() if at.position != positions[one]
        ]
        for part in _parts(there, _IDS):
            operations = [
                models.SetPayloadOperation(
                    set_payload=models.SetPayload(
                        payload={"position": positions[one]}, points=[point_id(one)]
                    )
                )
                for one in part
            ]
            with self._asked() as qdrant:
                qdrant.batch_update_points(self._where.collection, operations, wait=True)

    def remove_others(self, ids: Iterable[str]) -> int:
        """See `VectorTable.remove_others`."""
        from qdrant_client import models

        kept = {UUID(point_id(one)).bytes for one in ids}
        others = [
            str(point.id)
            for page in self._pages(None, _IDS, with_payload=False)
            for point in page
            if UUID(str(point.id)).bytes not in kept
        ]
        for part in _parts(others, _IDS):
            with self._asked() as qdrant:
                qdrant.delete(
                    self._where.collection, models.PointIdsList(points=list(part)), wait=True
                )
        return len(others)

    def count(self, where: Filters = ()) -> int:
        """See `VectorTable.count`."""
        chosen = self._filter(where)
        with self._asked() as qdrant:
            return int(qdrant.count(self._where.collection, chosen, exact=True).count)

    def scan(self, batch: int) -> Iterator[StoredRows]:
        """See `VectorTable.scan`.

        Qdrant orders by numbers alone, and goes on from a number: rows of one position are read
        together, of which there are as many as files were pushed.
        """
        from qdrant_client import models

        width, page = self._info().width, min(batch, self._rows_a_call(1))
        points: list[Any]
        held: list[Any] = []  # of the last position, of which there may be more
        start: int | None = None
        while True:
            seen = models.Filter(must_not=[models.HasIdCondition(has_id=[one.id for one in held])])
            with self._asked() as qdrant:
                found, _ = qdrant.scroll(
                    self._where.collection,
                    scroll_filter=seen if held else None,
                    limit=page,
                    order_by=models.OrderBy(key="position", start_from=start),
                    with_payload=True,
                    with_vectors=[ROWS],
                )
            self._require_own(found)
            points, more = [*held, *found], len(found) == page
            last = _position(points[-1]) if points else 0
            done = [one for one in points if not more or _position(one) != last]
            held, start = [one for one in points if _position(one) == last], last
            done.sort(key=lambda one: (_position(one), one.payload["id"]))
            for part in _parts(done, batch):
                yield to_rows(part, width)
            if not more:
                return

    def take(self, ids: Sequence[str]) -> StoredRows:
        """See `VectorTable.take`."""
        width = self._info_width()
        found: dict[str, Any] = {}
        for part in _parts([*dict.fromkeys(ids)], self._rows_a_call(1)):
            with self._asked() as qdrant:
                points = qdrant.retrieve(
                    self._where.collection,
                    [point_id(one) for one in part],
                    with_payload=True,
                    with_vectors=[ROWS],
                )
            self._require_own(points)
            found |= {point.payload["id"]: point for point in points if point.payload}
        return to_rows([found[one] for one in ids if one in found], width)

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        metric: Metric = "cosine",
        where: Filters = (),
        without: Sequence[str | None] = (),
    ) -> list[Nearest]:
        """See `VectorTable.nearest`."""
        own = list(without) or [None] * len(queries)
        limit = 2 * k + _SPARE
        exact = not self._is_indexed(metric)
        found: list[Nearest] = []
        for part in _parts(range(len(queries)), max(1, self._rows_a_call(1) // limit)):
            filters = [self._filter(where, own[place]) for place in part]
            asked = queries[list(part)]
            candidates = self._candidates(asked, limit, metric, filters, exact=exact)
            short = [] if exact else [at for at, one in enumerate(candidates) if len(one) < limit]
            if short:  # a graph may lose its way among the few rows that a filter leaves
                again = self._candidates(
                    asked[short], limit, metric, [filters[at] for at in short], exact=True
                )
                for at, some in zip(short, again, strict=True):
                    candidates[at] = some
            found += [
                ranked(some, query, k, metric=metric)
                for query, some in zip(asked, candidates, strict=True)
            ]
        return found

    def build_index(self, metric: Metric = "cosine") -> bool:
        """See `VectorTable.build_index`."""
        from qdrant_client import models

        built = list((self._metadata() or {}).get(_INDEXES) or ())
        if metric in built:
            return False
        graph = models.VectorParamsDiff(hnsw_config=models.HnswConfigDiff(m=16, ef_construct=128))
        with self._asked() as qdrant:
            qdrant.update_collection(
                self._where.collection,
                vectors_config={_VECTOR[metric]: graph},
                metadata={_INDEXES: [*built, metric]},
            )
        return True

    def close(self) -> None:
        """See `VectorTable.close`."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextmanager
    def _asked(self, *, making: bool = False) -> Iterator[QdrantClient]:
        """The client, for one call; its refusals are one line each."""
        if self._client is None:
            self._client = open_client(self._where, making=making)
        if self._client is None:
            raise DatabaseError(self._gone())
        with self._client.lock, refusals(self._where):
            yield self._client.qdrant

    def _metadata(self) -> dict[str, Any] | None:
        """What the collection says of itself; None where there is none."""
        if self._client is None:
            self._client = open_client(self._where, making=False)
        if self._client is None:
            return None
        with self._asked() as qdrant:
            if not qdrant.collection_exists(self._where.collection):
                return None
            return dict(qdrant.get_collection(self._where.collection).config.metadata or {})

    def _is_indexed(self, metric: Metric) -> bool:
        """Whether there is a graph, which is asked for until there is; the local mode has none."""
        if self._client is not None and self._client.is_local:
            return False
        if metric not in self._indexed:
            self._indexed.update((self._metadata() or {}).get(_INDEXES) or ())
        return metric in self._indexed

    def _gone(self) -> str:
        pushed = command("push", "ROWS.h5", to=self.address)
        return f"there is no table at {self.address} (any more); fill one with: {pushed}"

    def _now(self) -> str:
        """Which collection is meant: that of which `info` told."""
        if self._id is None:
            self._id = str((self._metadata() or {}).get(_ID, ""))
        return self._id

    def _same_metadata(self) -> dict[str, Any]:
        """What the collection that `info` told of says; one that was dropped is refused.

        Raises
        ------
        DatabaseError
        """
        there = self._metadata()
        if there is None:
            raise DatabaseError(self._gone())
        if str(there.get(_ID, "")) != self._now():
            raise DatabaseError(
                f"{self.address}: the table was dropped and made anew meanwhile; give the same "
                "again, for the table that there is now"
            )
        return there

    def _require_own(self, points: Sequence[Any]) -> None:
        """Refuse rows of another table, whose recipe may be another.

        Raises
        ------
        DatabaseError
        """
        for point in points:
            if of_table(point) != self._now():
                self._same_metadata()
                pushed = command("push", "ROWS.h5", to=self.address, prune=True)
                raise DatabaseError(
                    f"{self.address}: the row {_payload(point).get('id')} is one of a table that "
                    f"was dropped while it was pushed; push the file again: {pushed}"
                )

    def _mend(self) -> None:
        """Index again what all filters and the order need, where somebody dropped that."""
        with self._asked() as qdrant:
            there = qdrant.get_collection(self._where.collection).payload_schema or {}
            for name in _PAYLOAD_INDEXES:
                if name not in there:
                    self._index_payload(qdrant, name)

    def _info(self) -> TableInfo:
        return self._read(self._same_metadata())

    def _info_width(self) -> int:
        if self._width is None:
            self._width = self._info().width
        return self._width

    def _rows_a_call(self, vectors: int) -> int:
        return max(1, _CALL_BYTES // (self._info_width() * _DIGITS * vectors))

    def _index_payload(self, qdrant: QdrantClient, name: str) -> None:
        from qdrant_client.models import PayloadSchemaType

        kind = PayloadSchemaType.INTEGER if name == "position" else PayloadSchemaType.KEYWORD
        qdrant.create_payload_index(self._where.collection, name, field_schema=kind, wait=True)

    def _filter(self, where: Filters, without: str | None = None) -> models.Filter | None:
        return to_filter(where, without, self._matching)

    def _matching(self, condition: Condition) -> list[str]:
        """The points whose ids a glob matches."""
        from qdrant_client import models

        folder = folder_before(condition.value)
        inside = models.FieldCondition(key="folders", match=models.MatchValue(value=folder))
        found: list[str] = []
        for page in self._pages(
            models.Filter(must=[inside]) if folder else None, _IDS, with_payload=["id"]
        ):
            found += [
                str(point.id)
                for point in page
                if condition.matches(str((point.payload or {}).get("id")), (), "", "")
            ]
            if len(found) > _MOST_MATCHED:
                raise UsageError(
                    f"id={condition.value} means more than "
                    f"{counted(_MOST_MATCHED, 'row')} of {self.address}, too many for Qdrant; give "
                    "a folder, as in id=daisy/*, or a label"
                )
        return found

    def _pages(self, chosen: Any, size: int, *, with_payload: Any) -> Iterator[Sequence[Any]]:
        offset: Any = None
        while True:
            with self._asked() as qdrant:
                points, offset = qdrant.scroll(
                    self._where.collection,
                    scroll_filter=chosen,
                    limit=size,
                    offset=offset,
                    with_payload=with_payload,
                    with_vectors=False,
                )
            yield points
            if offset is None:
                return

    def _candidates(
        self,
        queries: NDArray[np.float32],
        limit: int,
        metric: Metric,
        filters: Sequence[models.Filter | None],
        *,
        exact: bool,
    ) -> list[StoredRows]:
        from qdrant_client import models

        params = models.SearchParams(exact=exact, hnsw_ef=max(128, limit))
        requests = [
            models.QueryRequest(
                query=query.tolist(),
                using=_VECTOR[metric],
                filter=chosen,
                params=params,
                limit=limit,
                with_payload=True,
                with_vector=[ROWS],
            )
            for query, chosen in zip(queries, filters, strict=True)
        ]
        try:
            with self._asked() as qdrant:
                answers = qdrant.query_batch_points(self._where.collection, requests)
        except DatabaseError:
            self._same_metadata()  # which says why the query does not fit, if that is so
            raise
        for one in answers:
            self._require_own(one.points)
        return [to_rows(one.points, self._info_width()) for one in answers]


def _parts(what: Any, size: int) -> Iterator[Any]:
    for start in range(0, len(what), size):
        yield what[start : start + size]


def _payload(point: Any) -> dict[str, Any]:
    return dict(point.payload)


def _position(point: Any) -> int:
    return int(point.payload["position"])
