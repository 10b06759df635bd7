"""Reading an index that anybody may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.errors import IndexFileError, WrongFileError
from penult.features.column import Refused
from penult.file_kinds import HDF5
from penult.inputs import refuse_unread, require_file, unreadable
from penult.interface import command
from penult.neighbors.blocks import row_length
from penult.parsing import to_record
from penult.retrieve.index_file.columns import Beside, array_of, features_of, texts_of
from penult.retrieve.index_file.container import read_container
from penult.retrieve.index_file.likeness import stored_likeness
from penult.retrieve.index_file.parts import Kind, Parts, Recall
from penult.retrieve.index_file.sources import Source, is_near
from penult.retrieve.structures.base import Effort, require_finite
from penult.retrieve.structures.hnsw import Hnsw
from penult.retrieve.structures.ivfpq import IvfPq
from penult.retrieve.structures.space import Space
from penult.suffixes import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.structures.base import Structure

__all__ = ["read_index"]

# Of the arrays of a structure: dtype and rank.
_ARRAYS: Mapping[str, tuple[type[Hnsw] | type[IvfPq], Mapping[str, tuple[str, int]]]] = {
    "hnsw": (
        Hnsw,
        {
            "codes": ("|u1", 2),
            "ranges": ("<f4", 2),
            "levels": ("<i4", 1),
            "neighbors": ("<i4", 1),
            "entry": ("<i4", 1),
            "rows": ("<i4", 1),
        },
    ),
    "ivfpq": (
        IvfPq,
        {
            "centers": ("<f4", 2),
            "codebook": ("<f4", 3),
            "ends": ("<i8", 1),
            "codes": ("|u1", 2),
            "rows": ("<i4", 1),
        },
    ),
}
_MOST_VISITS = 1 << 20  # so that one search ends


@dataclass(frozen=True, kw_only=True)
class _Space:
    scale: float


@dataclass(frozen=True, kw_only=True)
class _Description:
    """What the file says of itself, beside its arrays."""

    penult: str
    created: str
    kind: Kind
    metric: Literal["cosine", "euclidean"]
    why: str
    beside: Beside | None
    space: _Space | None
    effort: Effort | None
    recall: Recall | None
    sources: tuple[Source, ...]


def read_index(path: Path, *, in_memory: bool = False) -> Parts:
    """Read an index; its rows stay in the file, and are mapped into memory.

    Nothing of faiss's is parsed: a structure is plain arrays here, and every number in them that
    leads anywhere is checked before faiss is given them.

    Parameters
    ----------
    path : Path
    in_memory : bool
        As for `read_container`.

    Raises
    ------
    PathNotFoundError
    WrongFileError
        If it is a folder, or another kind of file.
    IndexFileError
        If it is truncated, damaged, or newer than this penult.
    """
    hint = f"make one with: {command('index', 'FEATURES', output='gallery.index')}"
    require_file(path, "an index file", INDEX.suffixes, hint)
    try:
        return _parts(*read_container(path, in_memory=in_memory))
    except Refused as refused:
        if "is not an index" in str(refused):
            raise WrongFileError(f"{path} {_what_else(path)}") from refused
        if "has format" in str(refused):
            raise IndexFileError(
                f"{path} {refused}; type: pip install --upgrade penult"
            ) from refused
        raise IndexFileError(f"{path} {refused}; {hint}") from refused
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # numpy, and what reads recipes, raise what they like
        refuse_unread(path, error)
        lines = str(error.args[0] if error.args else error).splitlines()
        cause = lines[0][:200] if lines else type(error).__name__
        raise IndexFileError(f"{path} is damaged or incomplete: {cause}; {hint}") from error


def _what_else(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(len(HDF5))
    if head == HDF5:
        make = command("index", str(path), output=f"{path.stem}.index")
        return f"is a feature file, not an index; make one of it: {make}"
    return (
        f"is not an index file; {command('index', 'FEATURES', output='gallery.index')} writes one"
    )


def _parts(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Parts:
    said = to_record(_Description, description)
    rows = arrays["rows"]
    if rows.dtype not in (np.float32, np.float16) or rows.ndim < 2 or 0 in rows.shape:
        raise Refused(f"is damaged: its rows are {rows.dtype} of shape {rows.shape}")
    count = len(rows)
    lengths = array_of("lengths", arrays, "<f8")
    if len(lengths) != count or not (np.isfinite(lengths) & (lengths >= 0)).all():
        raise Refused("is damaged: its lengths are not of its rows")
    ids = texts_of("ids", arrays, count)
    features = None
    if said.beside is not None:
        features = features_of(said.beside, arrays, rows, ids)
    if not all(is_near(source.file) for source in said.sources):
        raise Refused("is refused: it names a file of another machine as its source")
    if said.recall is not None and not 0 <= said.recall.value <= 1:
        raise Refused("is damaged: its recall is no share")
    return Parts(
        rows=rows,
        ids=ids,
        metric=said.metric,
        features=features,
        lengths=lengths,
        structure=_structure(said, arrays, rows),
        effort=said.effort,
        recall=said.recall,
        why=said.why,
        sources=said.sources,
        removed=texts_of("removed", arrays, None) if "removed" in arrays else (),
        stored_likeness=stored_likeness(arrays, row_length(rows)),
    )


def _structure(
    said: _Description, arrays: Mapping[str, NDArray[Any]], rows: NDArray[Any]
) -> Structure | None:
    if said.kind == "flat":
        return None
    if said.space is None or said.effort is None:
        raise Refused("is damaged: it does not say how it is searched")
    effort = said.effort
    if not (1 <= effort.visits <= _MOST_VISITS and 1 <= effort.candidates <= _MOST_VISITS):
        raise Refused("is damaged: it does not say how it is searched")
    width, directions = row_length(rows), None
    mean = array_of("space/mean", arrays, "<f4")
    require_finite("space/mean", mean)
    if "space/directions" in arrays:
        directions = array_of("space/directions", arrays, "<f4", 2)
        require_finite("space/directions", directions)
        if directions.shape[1] != width or not len(directions) or len(directions) % 4:
            raise Refused(f"is damaged: its directions are {directions.shape}")
    if len(mean) != width or not 0 < said.space.scale < np.inf:
        raise Refused("is damaged: its rows cannot be shortened as it says")
    space = Space(said.metric, said.space.scale, mean, directions)
    kind, wanted = _ARRAYS[said.kind]
    parts = {
        name: array_of(f"structure/{name}", arrays, dtype, rank)
        for name, (dtype, rank) in wanted.items()
    }
    return kind.read(space, parts, len(rows))
