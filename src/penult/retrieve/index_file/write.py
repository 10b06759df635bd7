"""Writing an index, whole or not at all."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult import __version__
from penult.neighbors.glued_rows import row_blocks
from penult.output import atomic_output
from penult.records import Progress
from penult.retrieve.index_file.columns import beside_of, text_arrays
from penult.retrieve.index_file.container import ContainerWriter
from penult.retrieve.index_file.likeness import likeness_arrays

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from penult.progress import Tell
    from penult.records import Rows
    from penult.retrieve.index_file.parts import Parts

__all__ = ["write_index"]


def write_index(
    path: Path,
    parts: Parts,
    *,
    overwrite: bool,
    tell: Tell,
    was: os.stat_result | None = None,
) -> None:
    """Write an index.

    Parameters
    ----------
    was : os.stat_result, optional
        The state of the file that is replaced, when the parts were read from it.

    Raises
    ------
    OutputExistsError, OutputError
        If it cannot be written, or `was` is not its state any more.
    FeatureFileError
        If the file that its rows come from is damaged.
    """
    with (
        atomic_output(path, overwrite=overwrite, was=was) as temporary,
        ContainerWriter(temporary) as file,
    ):
        rows = parts.rows
        blocks = _told(rows, tell)
        file.stream("rows", rows.dtype, rows.shape, blocks)
        file.put("lengths", parts.lengths)
        for name, array in text_arrays("ids", parts.ids).items():
            file.put(name, array)
        if len(parts.removed):
            for name, array in text_arrays("removed", parts.removed).items():
                file.put(name, array)
        beside = None
        if parts.features is not None:
            beside, arrays = beside_of(parts.features)
            for name, array in arrays.items():
                file.put(name, array)
        for name, array in likeness_arrays(parts.stored_likeness).items():
            file.put(name, array)
        space = None
        if parts.structure is not None:
            shorter = parts.structure.space
            space = {"scale": float(shorter.scale)}
            file.put("space/mean", shorter.mean)
            if shorter.directions is not None:
                file.put("space/directions", shorter.directions)
            for name, array in parts.structure.arrays.items():
                file.put(f"structure/{name}", array)
        near = (one.seen_from(path.parent) for one in parts.sources)
        file.finish(
            {
                "penult": __version__,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "kind": "flat" if parts.structure is None else parts.structure.kind,
                "metric": parts.metric,
                "why": parts.why,
                "beside": None if beside is None else dataclasses.asdict(beside),
                "space": space,
                "effort": _record(parts.effort),
                "recall": _record(parts.recall),
                "sources": [dataclasses.asdict(one) for one in near if one is not None],
            }
        )


def _told(rows: Rows, tell: Tell) -> Iterator[Any]:
    done = 0
    tell(Progress(0, len(rows), 0, stage="write the index", unit="rows"))
    for block in row_blocks(rows):
        yield block
        done += len(block)
        tell(Progress(done, len(rows), 0, stage="write the index", unit="rows"))


def _record(one: Any) -> dict[str, Any] | None:
    return None if one is None else dataclasses.asdict(one)
