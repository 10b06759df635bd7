"""Whether two engines, or two machines, give the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_image", "cosines", "relative_error"]


def check_image(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of shades, squares and grain, uint8 (H, W, 3), the same on every machine."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.int64)
    grain = (x * 7919 + y * 104729) * 2654435761 // 65536 % 32
    shades = (x * 223 // size[1], y * 223 // size[0], (x // 16 + y // 16) % 2 * 192)
    return np.stack([shade + grain for shade in shades], axis=-1).astype(np.uint8)


def relative_error(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """‖ours - theirs‖ / ‖theirs‖; infinite where their shapes differ."""
    if ours.shape != theirs.shape:
        return float("inf")
    exact = theirs.astype(np.float64)  # whose squares may be too large for float32
    return float(np.linalg.norm(ours - exact) / (np.linalg.norm(exact) or 1))


def cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine similarity of each row with its other, (N, …) and (N, …); 1 where both are zero."""
    a, b = (rows.reshape(len(rows), -1).astype(np.float64) for rows in (ours, theirs))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    same = (a == b).all(axis=1)
    return np.where(same, 1.0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1.0))
