"""Writing one part of a folder of rows, always as the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from penult.content_keys import is_among, keys_of
from penult.features.export import require_writable
from penult.features.failed import failures_of
from penult.features.parts.entry import PartEntry, part_name
from penult.features.parts.header import PartsHeader
from penult.features.parts.store import PartsStore
from penult.features.write import FeatureWriter, storable
from penult.records import AugmentedRecord, Failure, ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.features.resume.chunk import Outcomes

__all__ = ["PARQUET", "column_of", "digest_of", "write_parquet", "write_part"]

PARQUET = b"penult"
"""The key under which the metadata of a Parquet part's schema say what the file is, as JSON."""

_BLOCK = 1024  # rows at a time; where they end is seen in an HDF5 file's bytes


def write_part(
    store: PartsStore,
    header: PartsHeader,
    number: int,
    records: Sequence[ImageRecord],
    outcomes: Outcomes,
) -> PartEntry:
    """Write a part into the store, and then the entry that says so.

    The part's bytes follow from what is given alone: written twice, it is the same file.

    Parameters
    ----------
    store : PartsStore
    header : PartsHeader
        Of the run.
    number : int
        Of the part, from 1.
    records : sequence of ImageRecord
        The images of the part in the order of the listing, each with its augmented views behind it.
    outcomes : Outcomes
        Of each of them, in any order.

    Returns
    -------
    PartEntry

    Raises
    ------
    OutputError
        If it cannot be written: no entry is there then.
    ValueError
        If the outcomes are those of other images.
    """
    order = np.argsort(outcomes.positions, kind="stable").tolist()
    if [outcomes.ids[k] for k in order] != [record.id for record in records]:
        raise ValueError(f"the outcomes of part {number} are those of other images")
    place = np.cumsum([not reason for reason in outcomes.reasons]) - 1  # of its row
    good = [at for at, k in enumerate(order) if not outcomes.reasons[k]]
    rows_at = np.array([place[order[at]] for at in good], np.intp)
    failures = failures_of(
        (records[at], outcomes.reasons[k]) for at, k in enumerate(order) if outcomes.reasons[k]
    )
    kept = [records[at] for at in good]
    content = [outcomes.content[order[at]] for at in good]
    rows = [np.asarray(block)[rows_at] for block in outcomes.rows] if good else []
    name = part_name(header.run, number, header.format)
    write = _write_h5 if header.format == "h5" else write_parquet
    with store.writing(name) as path:
        write(path, header, number, kept, content, rows, failures)
        nbytes, digest = path.stat().st_size, digest_of(path)
    entry = PartEntry(
        name=name,
        number=number,
        first=(number - 1) * header.part_images,
        images=_photos(records),
        rows=_photos(kept),
        failures=len(failures),
        nbytes=nbytes,
        digest=digest,
    )
    entry.write(store, header.run)
    return entry


def digest_of(path: Path) -> str:
    """Return the hex BLAKE2b-128 digest of a file's bytes.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _photos(records: Sequence[ImageRecord]) -> int:
    return sum(not isinstance(record, AugmentedRecord) for record in records)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _write_h5(
    path: Path,
    header: PartsHeader,
    number: int,
    records: Sequence[ImageRecord],
    content: Sequence[str],
    rows: Sequence[NDArray[Any]],
    failures: Sequence[Failure],
) -> None:
    writer = FeatureWriter(
        path,
        [*header.recipes.values()],
        header.columns,
        header.names,
        augmented=header.augmented,
        dtype=header.dtype,
        origin=header.origin,
        trained_on=header.trained_on,
        attributes={"created": header.created, "run": header.run, "part": number},
    )
    try:
        for some in _blocks(len(records)):
            writer.append(records[some], content[some], [block[some] for block in rows])
        writer.finish(failures)
        writer.close()
    except BaseException:
        writer.abandon()
        raise


def column_of(name: str, names: Sequence[str]) -> str:
    """Name the column of a Parquet part that holds a set of rows.

    Examples
    --------
    >>> column_of("penultimate", ["penultimate"]), column_of("conv", ["conv", "penultimate"])
    ('features', 'features:conv')
    """
    return "features" if len(names) == 1 else f"features:{name}"


def write_parquet(
    path: Path | BinaryIO,
    header: PartsHeader,
    number: int,
    records: Sequence[ImageRecord],
    content: Sequence[str],
    rows: Sequence[NDArray[Any]],
    failures: Sequence[Failure],
) -> None:
    """Write a part as Parquet: its records, the digest of each image's bytes, and their rows."""
    require_writable(".parquet")
    import pyarrow as pa
    from pyarrow import parquet

    names, columns = header.names, header.columns
    texts: dict[str, Any] = {
        "id": ([storable(record.id) for record in records], pa.string()),
        "labels": ([[*map(storable, record.labels)] for record in records], pa.list_(pa.string())),
        "content": ([*content], pa.string()),
    }
    if columns.splits:
        texts["split"] = ([record.split or "" for record in records], pa.string())
    if columns.groups:
        own = [storable(record.group or record.id) for record in records]
        texts["group"] = (own, pa.string())
    for name, keys in zip(names, header.trained_on or [None] * len(names), strict=True):
        if keys is not None:
            texts[f"trained:{name}"] = (is_among(keys_of(content), keys), pa.bool_())
    table = {name: pa.array(values, kind) for name, (values, kind) in texts.items()}
    for name, block in zip(names, rows, strict=bool(rows)):
        flat = np.ascontiguousarray(block.astype(header.dtype, copy=False)).reshape(len(block), -1)
        table[column_of(name, names)] = pa.FixedSizeListArray.from_arrays(
            pa.array(flat.ravel()), flat.shape[1]
        )
    about = {
        "run": header.run,
        "part": number,
        "created": header.created,
        "recipes": [recipe.to_json() for recipe in header.recipes.values()],
        "names": names,
        "shapes": [block.shape[1:] for block in rows],
        "label_names": columns.label_names,
        "origin": header.origin,
        "failures": [(storable(one.id), storable(one.reason)) for one in failures],
    }
    whole = pa.table(table).replace_schema_metadata({PARQUET: json.dumps(about, default=str)})
    # Rows of float do not shrink, and pages that are not packed claim no more than there is.
    parquet.write_table(
        whole, path, row_group_size=_BLOCK, compression="NONE", use_dictionary=False
    )
