"""The bytes of single rows of a Parquet file."""

from __future__ import annotations

import io
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock
from typing import Any, BinaryIO
from weakref import finalize

from penult.errors import ImageError, SourceError
from penult.images.sources.parquet.columns import open_parquet
from penult.images.sources.random_access import RandomAccessFile
from penult.messages import first_line

__all__ = ["RowReader"]

_BATCH_BYTES = 4 << 20
_WAITING_BYTES = 32 << 20


class RowReader:
    """Gives the bytes of rows that are asked for about in order, each once.

    It goes through a row group in small batches. Rows that it passes are kept, up to some
    megabytes, for threads that ask a little out of order; for a row further back, it starts the
    row group over.
    """

    def __init__(self, source: RandomAccessFile, column: str) -> None:
        self._source, self._column = source, column
        self._lock = Lock()
        self._file: Any = None
        self._starts = array("q")
        self._batches: Iterator[Any] = iter(())
        self._group, self._next = -1, 0
        self._waiting: dict[int, bytes | None] = {}
        self._waiting_bytes = 0

    def open(self, row: int) -> BinaryIO:
        """Open the bytes of a row.

        Raises
        ------
        ImageError
        """
        import pyarrow as pa

        with self._lock:
            try:
                data = self._read(row)
            except (pa.ArrowException, OSError, SourceError) as error:
                self._group, self._waiting, self._waiting_bytes = -1, {}, 0
                raise ImageError(f"cannot be read from its file ({first_line(error)})") from error
        if data is None:
            raise ImageError("has no bytes in its row")
        return io.BytesIO(data)

    def _read(self, row: int) -> bytes | None:
        if self._file is None:
            stack = ExitStack()
            self._file = open_parquet(self._source, stack)
            finalize(self, stack.close)
            at = 0
            for k in range(self._file.num_row_groups):
                self._starts.append(at)
                at += self._file.metadata.row_group(k).num_rows
        while row not in self._waiting:
            group = bisect_right(self._starts, row) - 1
            if group != self._group or row < self._next:
                self._begin(group)
            batch = next(self._batches, None)
            if batch is None:
                raise SourceError("a row group ends too early")
            self._keep(batch)
        data = self._waiting.pop(row)
        self._waiting_bytes -= len(data or b"")
        return data

    def _begin(self, group: int) -> None:
        about = self._file.metadata.row_group(group)
        rows = max(1, min(256, _BATCH_BYTES * about.num_rows // max(1, about.total_byte_size)))
        self._batches = self._file.iter_batches(
            rows, row_groups=[group], columns=[self._column], use_threads=False
        )
        self._group, self._next = group, self._starts[group]

    def _keep(self, batch: Any) -> None:
        for value in batch.column(0):
            data = value.as_py()
            if isinstance(data, dict):  # of the struct, its bytes alone were read
                data = data["bytes"]
            self._waiting[self._next] = data
            self._waiting_bytes += len(data or b"")
            self._next += 1
        # Rows that were not asked for, oldest first, but none of this batch.
        while self._waiting_bytes > _WAITING_BYTES and len(self._waiting) > len(batch):
            oldest = next(iter(self._waiting))
            self._waiting_bytes -= len(self._waiting.pop(oldest) or b"")
