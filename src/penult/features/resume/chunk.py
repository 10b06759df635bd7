"""One part of an unfinished run: a file that is whole to the last bit, or not trusted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from penult.errors import UnreadableFileError
from penult.inputs import refuse_unread
from penult.output import sync_folder
from penult.parsing import read_json

__all__ = ["Outcomes", "Part", "gather", "write_safely"]

_SUFFIX = ".safetensors"
_SPREAD = 4  # of so many rows, one is wanted: to read them all takes bounded memory


@dataclass(frozen=True)
class Outcomes:
    """What became of some images.

    Attributes
    ----------
    positions : (n,) int64, in the listing
    ids : (n,) the images' ids
    content : (n,) hex digests of their bytes, "" where there is no row
    reasons : (n,) why there is no row, "" where there is one
    rows : one array (m, …) a recipe; row k belongs to the k-th image without a reason
    """

    positions: NDArray[np.int64]
    ids: Sequence[str]
    content: Sequence[str]
    reasons: Sequence[str]
    rows: Sequence[NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """Of the rows."""
        return sum(block.nbytes for block in self.rows)

    @classmethod
    def joined(cls, several: Sequence[Outcomes]) -> Outcomes:
        """Join outcomes end to end."""
        with_rows = [one.rows for one in several if one.rows]
        return cls(
            positions=np.concatenate([one.positions for one in several]),
            ids=[text for one in several for text in one.ids],
            content=[text for one in several for text in one.content],
            reasons=[text for one in several for text in one.reasons],
            rows=[np.concatenate(blocks) for blocks in zip(*with_rows, strict=True)],
        )


class Part:
    """A part file, its rows read when they are taken.

    A safetensors file whose name ends in the digest of its bytes: whatever a crash or a disk did to
    it, it is noticed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def write(cls, folder: Path, number: int, outcomes: Outcomes) -> Part:
        """Write a part that is on the disk, whole, when this returns.

        Raises
        ------
        OSError
        """
        tensors = {f"rows{k}": np.ascontiguousarray(block) for k, block in enumerate(outcomes.rows)}
        texts = {
            "ids": list(outcomes.ids),
            "content": list(outcomes.content),
            "reasons": list(outcomes.reasons),
        }
        data = save({**tensors, "positions": outcomes.positions}, {"outcomes": json.dumps(texts)})
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        path = folder / f"{number:06}-{digest}{_SUFFIX}"
        write_safely(path, data)
        return cls(path)

    @staticmethod
    def all_in(folder: Path) -> list[Part]:
        """Every part in a folder, damaged ones included, in the order of their numbers."""
        return [Part(path) for path in sorted(folder.glob(f"{'[0-9]' * 6}-*{_SUFFIX}"))]

    @property
    def number(self) -> int:
        """Parts of a run are numbered as they were written."""
        return int(self.path.name.partition("-")[0])

    def is_whole(self) -> bool:
        """Read all of it, and compare with the digest in its name.

        Raises
        ------
        OSError
            If it cannot be read at all.
        """
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        return self.path.name.removesuffix(_SUFFIX).rpartition("-")[2] == found.hexdigest()

    def is_sound(self) -> bool:
        """What is in it is a part, whoever wrote it.

        Raises
        ------
        UnreadableFileError
            If the machine fails to read it.
        """
        try:
            self.outcomes()
        except UnreadableFileError:
            raise  # which is a ValueError: of a file that may be as good as it was
        except ValueError:
            return False
        return True

    def outcomes(self) -> Outcomes:
        """Everything but the rows.

        Raises
        ------
        ValueError
            If the file is whole, and yet no part.
        UnreadableFileError
            If the machine fails to read it: then it may be as good as it was.
        """
        try:
            with safe_open(self.path, "numpy") as file:
                texts = read_json(file.metadata()["outcomes"])
                positions = file.get_tensor("positions")
                rows = {file.get_slice(name).get_shape()[0] for name in _rows_in(file)}
            outcomes = Outcomes(positions, texts["ids"], texts["content"], texts["reasons"], ())
            columns = [outcomes.ids, outcomes.content, outcomes.reasons]
            good = sum(not reason for reason in outcomes.reasons)
            fit = (
                positions.dtype == np.int64
                and {len(column) for column in columns} <= {len(positions)}
                and all(isinstance(text, str) for column in columns for text in column)
                and rows <= {good}
            )
        except Exception as error:  # whatever safetensors and json make of it
            refuse_unread(self.path, error)
            raise ValueError(f"{self.path} is no part: {error}") from error
        if not fit:
            raise ValueError(f"{self.path} is no part: its columns do not fit together")
        return outcomes

    @cached_property
    def content(self) -> NDArray[np.bytes_]:
        """(m,) hex digest of the image behind each row."""
        outcomes = self.outcomes()
        found = zip(outcomes.content, outcomes.reasons, strict=True)
        return np.array([digest for digest, reason in found if not reason], dtype="S32")

    def take(self, indices: NDArray[np.intp]) -> list[NDArray[Any]]:
        """Read rows: one array (n, …) a recipe."""
        with safe_open(self.path, "numpy") as file:
            slices = [file.get_slice(name) for name in _rows_in(file)]
            return [gather(rows.__getitem__, indices) for rows in slices]


def _rows_in(file: Any) -> list[str]:
    count = sum(name.startswith("rows") for name in file.keys())  # noqa: SIM118 - no dict
    return [f"rows{k}" for k in range(count)]


def gather(read: Callable[[slice], NDArray[Any]], indices: NDArray[np.intp]) -> NDArray[Any]:
    """Read rows in any order, each stretch of consecutive ones at once.

    Where they lie close together, what is between them is read as well: a slice takes longer.
    """
    first, behind = int(indices.min()), int(indices.max()) + 1
    if behind - first <= _SPREAD * len(indices):
        return read(slice(first, behind))[indices - first]
    ends = np.flatnonzero(np.diff(indices) != 1) + 1
    stretches = np.split(indices, ends)
    return np.concatenate([read(slice(int(s[0]), int(s[-1]) + 1)) for s in stretches])


def write_safely(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a small file that is there whole, or not at all, whatever ends the process.

    With `sync`, a power cut after this returns does not undo it.

    Raises
    ------
    OSError
    """
    # Of its own, for a worker that was taken for dead may be writing the same part once more.
    temporary = path.with_name(f"{path.stem}.{os.urandom(4).hex()}.new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    temporary.replace(path)
    if sync:
        sync_folder(path.parent)
