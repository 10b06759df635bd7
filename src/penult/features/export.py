"""Rows in the files that other programs read: CSV, NumPy's npz, Parquet; a block at a time."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import MissingExtraError
from penult.messages import escape_formula
from penult.tabular import text_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["WRITERS", "require_writable"]

_BLOCK_BYTES = 4 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # so that equal rows are equal files

Tell = Callable[[int], None]


def require_writable(suffix: str) -> None:
    """Refuse a format whose library is not installed, before any work is done.

    Raises
    ------
    MissingExtraError
    """
    if suffix == ".parquet":
        _pyarrow()


def _write_csv(features: Features, path: Path, tell: Tell, *, escape_formulas: bool) -> None:
    names = list(text_columns(features, 0, 0))
    width = int(np.prod(features.features.shape[1:]))
    # A name that is no valid UTF-8 reaches Python with lone surrogates in it.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*names, *(f"f{k}" for k in range(width))])
        for start, block in _blocks(features, tell):
            texts = text_columns(features, start, start + len(block)).values()
            for beside, row in zip(zip(*texts, strict=True), block, strict=True):
                cells = [text or "" for text in beside]
                if escape_formulas:
                    cells = [escape_formula(text) for text in cells]
                # The shortest digits that give the number back.
                table.writerow([*cells, *row.ravel().astype(str).tolist()])


def _write_npz(features: Features, path: Path, tell: Tell, *, escape_formulas: bool) -> None:
    labels = np.asarray(features.labels, np.int64)
    small: dict[str, NDArray[Any]] = {
        "labels": labels,
        "label_names": np.array([str(name) for name in features.label_names], str),
        "recipe": np.array(features.recipe.to_json()),
    }
    if features.targets is not None:
        small["targets"] = np.asarray(features.targets, bool)
    texts: dict[str, Sequence[str]] = {"ids": features.ids}
    if features.splits is not None:
        texts["splits"] = features.splits
    if features.groups is not None:
        texts["groups"] = features.groups
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        rows = features.features
        _add(archive, "features", rows.dtype, rows.shape, (b for _, b in _blocks(features, tell)))
        for name, values in texts.items():
            longest = max((len(str(one)) for one in values), default=1)
            kind = np.dtype(f"<U{max(1, longest)}")
            blocks = (np.array(list(map(str, part)), kind) for part in _parts(values))
            _add(archive, name, kind, (len(values),), blocks)
        for name, array in small.items():
            _add(archive, name, array.dtype, array.shape, [array])


def _add(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    blocks: Iterable[NDArray[Any]],
) -> None:
    """Write one array of an npz, whose blocks come one after the other."""
    header = io.BytesIO()
    about = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_2_0(header, about)
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as file:
        file.write(header.getvalue())
        for block in blocks:
            file.write(np.ascontiguousarray(block).tobytes())


def _write_parquet(features: Features, path: Path, tell: Tell, *, escape_formulas: bool) -> None:
    pa, parquet = _pyarrow()
    width = int(np.prod(features.features.shape[1:]))
    fields = [(name, pa.string()) for name in text_columns(features, 0, 0)]
    schema = pa.schema(
        [*fields, ("features", pa.list_(pa.float32(), width))],
        metadata={"penult.recipe": features.recipe.to_json()},
    )
    with parquet.ParquetWriter(path, schema) as file:
        for start, block in _blocks(features, tell):
            columns: dict[str, Any] = dict(text_columns(features, start, start + len(block)))
            columns = {name: [_utf8(text) for text in texts] for name, texts in columns.items()}
            numbers = pa.array(block.astype(np.float32, copy=False).ravel())
            columns["features"] = pa.FixedSizeListArray.from_arrays(numbers, width)
            file.write_table(pa.table(columns, schema=schema))


WRITERS = {".csv": _write_csv, ".npz": _write_npz, ".parquet": _write_parquet}
"""Suffix to what writes such a file: given features, a path, and what is told of rows written."""


def _blocks(features: Features, tell: Tell) -> Iterator[tuple[int, NDArray[Any]]]:
    rows = features.features
    row_bytes = rows.dtype.itemsize * int(np.prod(rows.shape[1:]))
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, rows.shape[0], step):
        block = np.asarray(rows[start : start + step])
        yield start, block
        tell(start + len(block))


def _parts(values: Sequence[str], size: int = 4096) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _utf8(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a .parquet file", "parquet") from error
    return pa, parquet
