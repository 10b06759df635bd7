"""The arrays of projections in a classifier file: members of its archive, in NumPy's format."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import ClassifierFileError, FileFormatError
from penult.recipe import Projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_projections", "told", "write_projections"]

_AXES = {"mean": 1, "components": 2, "explained_variance": 1}


def told(projections: Mapping[str, Projection]) -> dict[str, dict[str, Any]]:
    """What the description says of projections, by their SHA-256, beside their arrays."""
    return {
        sha: {"total_variance": float(one.total_variance), "whiten": one.whiten}
        for sha, one in sorted(projections.items())
    }


def write_projections(archive: zipfile.ZipFile, projections: Mapping[str, Projection]) -> None:
    """Put the arrays into an archive that is being written."""
    for sha, projection in sorted(projections.items()):
        for name in _AXES:
            member = io.BytesIO()
            np.lib.format.write_array(
                member, getattr(projection, name).astype("<f4", copy=False), version=(1, 0)
            )
            archive.writestr(_member(sha, name), member.getvalue())


def read_projections(
    path: Path, archive: zipfile.ZipFile, described: Mapping[str, Any]
) -> dict[str, Projection]:
    """Read the arrays that a description speaks of.

    Parameters
    ----------
    path : for messages
    described : what `told` gave

    Raises
    ------
    ClassifierFileError
        If an array is missing, of another type or shape, or others than the SHA-256 says.
    """
    return {sha: _projection(path, archive, sha, one) for sha, one in described.items()}


def _projection(path: Path, archive: zipfile.ZipFile, sha: str, described: Any) -> Projection:
    try:
        arrays: dict[str, Any] = {
            name: _array(archive, _member(sha, name), axes) for name, axes in _AXES.items()
        }
        projection = Projection(**arrays, **_described(described))
    except FileFormatError as error:
        raise ClassifierFileError(
            f"{path} is damaged: of its projection {sha[:12]}…, {error}; copy it again"
        ) from error
    if projection.sha256 != sha:
        raise ClassifierFileError(
            f"{path} is damaged: the arrays of its projection {sha[:12]}… are others than that "
            "name says; copy it again"
        )
    return projection


def _described(described: Any) -> dict[str, Any]:
    types = {"total_variance": float, "whiten": bool}
    if not isinstance(described, dict) or {k: type(v) for k, v in described.items()} != types:
        raise FileFormatError("the total variance and whether it whitens are not told")
    return described


def _array(archive: zipfile.ZipFile, member: str, axes: int) -> NDArray[np.float32]:
    """Read one array, whose header promises no more than there is."""
    if member not in archive.namelist():
        raise FileFormatError(f"{member} is missing")
    data = archive.read(member)
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except (ValueError, EOFError) as error:
        raise FileFormatError(f"{member} is no array in NumPy's format") from error
    if version != (1, 0) or dtype != np.dtype("<f4") or fortran or len(shape) != axes:
        wanted = f"{axes} {'axis' if axes == 1 else 'axes'}"
        raise FileFormatError(
            f"{member} is {dtype} of shape {shape}, and has to be float32 with {wanted}"
        )
    numbers = memoryview(data)[file.tell() :]
    if min(shape) < 1 or len(numbers) != 4 * math.prod(shape):
        raise FileFormatError(
            f"{member} says its shape is {shape}, and has {len(numbers):,} bytes of numbers"
        )
    return np.frombuffer(numbers, "<f4").reshape(shape).astype(np.float32, copy=False)


def _member(sha: str, name: str) -> str:
    return f"projections/{sha}/{name}.npy"
